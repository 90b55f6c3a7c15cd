"""What the public is shown: in no answer, at no cut, in no form, anything of what is hidden from it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.http.asking import malformed, read
from tests.http.every_read import NOT_COMPARED, OF_ALL_LEDGERS, READS, Cut, Form, ask, paths_of
from tests.http.never import MARK, TELLING, Restored, all_of, kept_of, restore, without_telling
from tests.projections.test_histories import append
from tests.property.test_visibility_laws import restricted
from tests.store.signing import sign
from tests.strategies import LEDGER, World

from stet.database.pool import as_role
from stet.envelope import Audience
from stet.http.access import LEAST, Access
from stet.http.app import create_app
from stet.http.door import Door
from stet.http.service import Service
from stet.ids import new_id
from stet.offline import check_answer, parse_key
from stet.projections.advance import States, advance
from stet.projections.source_record import PROJECTION
from stet.projections.target import Target
from stet.settings import Settings

AUDIENCES: tuple[Audience, ...] = ("member", "public")
FIRST = {"version": 1, "change": "original"}
CONTRACT = Path(__file__).resolve().parents[2] / "openapi" / "openapi.json"


def test_every_read_of_the_contract_is_asked() -> None:
    """Without this an operation could be added that shows everything."""
    document = json.loads(CONTRACT.read_text())
    reads = {path["get"]["operationId"] for path in document["paths"].values() if "get" in path}
    # What takes a role is not given to the public at all: tests/http/test_roles.py.
    members = {operation for operation, least in LEAST.items() if least not in ("public", "anybody")}
    assert reads - members == (READS.keys() | OF_ALL_LEDGERS) - members
    assert members.isdisjoint(READS)


class Asking:
    """The application in this process, asked as a member or as the public."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.runner = asyncio.Runner()
        settings = Settings(pool_size=4)
        self._app = create_app(url, settings, Door(settings, keyless=True))
        self._stopped = asyncio.Event()
        self.runner.run(self._start())

    async def _start(self) -> None:
        started = asyncio.Event()
        self._running = asyncio.create_task(self._run(started))
        await started.wait()
        self.clients = {
            audience: httpx.AsyncClient(transport=httpx.ASGITransport(self._as(audience)), base_url="http://localhost")
            for audience in AUDIENCES
        }

    async def _run(self, started: asyncio.Event) -> None:
        """In one task from its start to its end, as it would be in a server."""
        app: Any = self._app._app
        async with app.lifespan():
            started.set()
            await self._stopped.wait()

    def _as(self, audience: Audience) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            state = {"access": Access(actor="local", audience=audience, role="owner" if audience == "member" else None)}
            await self._app({**scope, "client": ("127.0.0.1", 1), "state": state}, receive, send)

        return app

    async def _stop(self) -> None:
        for client in self.clients.values():
            await client.aclose()
        self._stopped.set()
        await self._running

    def close(self) -> None:
        self.runner.run(self._stop())
        self.runner.close()

    def restored(self, world: World, kept: Any) -> Restored:
        ledger_id = new_id()
        made = restore(self.url, world, kept, ledger_id, f"seen-{ledger_id}")
        with psycopg.connect(self.url, autocommit=True) as connection:
            as_role(connection, "stet_worker")
            while advance(connection, Target(PROJECTION), ledger_id, States()):
                pass
        sign(self.url, ledger_id)
        return made

    @property
    def service(self) -> Service:
        found: Service = self._app._app.state.service
        return found

    def ask(self, ledger: Restored, audience: Audience, path: str) -> list[httpx.Response]:
        return self.runner.run(ask(self.clients[audience], ledger, path))

    def get(self, audience: Audience, path: str) -> httpx.Response:
        return self.runner.run(self.clients[audience].get(path))

    def post(self, path: str, **body: Any) -> Any:
        answer = self.runner.run(self.clients["member"].post(path, json=body))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def ledger(self) -> str:
        """The path of a ledger of its own."""
        name = f"seen-{new_id()}"
        self.post("/v1/ledgers", name=name, title="Seen")
        return f"/v1/ledgers/{name}"


async def _asked(request: Any) -> None:
    """Who asks was said already: a ledger of a drawn history has neither keys nor members."""


@pytest.fixture
def asking(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asking]:
    monkeypatch.setattr("stet.http.app.admit", _asked)
    made = Asking(url)
    try:
        yield made
    finally:
        made.close()


def same(asking: Asking, world: World, cut: Cut, audience: Audience, whole: Restored, other: Restored) -> None:
    """Every answer of one ledger is that of the other."""
    member = audience == "member"
    asked = list(paths_of(world, whole, cut))
    for (operation, path), (_, path_) in zip(asked, paths_of(world, other, cut), strict=True):
        if member and (operation == "getIncidentTimeMap" or "updated_at" in path or "atom" in path):
            continue
        answers = [asking.ask(whole, audience, path), asking.ask(other, audience, path_)]
        assert all(answer.status_code in (200, 308, 404) for its in answers for answer in its), answers[0][0].text
        if audience == "public":
            for answer in answers[0]:
                unmarked(answer)
        if "proof=true" in path:
            proven(operation, answers, member)
        elif operation not in NOT_COMPARED:
            found, expected = (
                Form(ledger, member).of(operation, its) for ledger, its in zip((whole, other), answers, strict=True)
            )
            assert found == expected, (operation, path)


def proven(operation: str, answers: list[list[httpx.Response]], member: bool) -> None:
    """The proof of an incident names no other events than if what is hidden had never been recorded, and tells no more
    of them; and it proves what it should."""
    ((seen,), (other,)) = answers
    assert (operation, seen.status_code) == ("getIncident", other.status_code)
    if seen.status_code in (308, 404):
        return
    found, expected = (read(one)["proof"] for one in (seen, other))
    events = [[one for one in its["events"] if one["type"] not in TELLING] for its in (found, expected)]
    assert len(events[1]) == len(expected["events"])
    assert member or len(events[0]) == len(found["events"])
    for one, its in zip(*events, strict=True):
        same = ("event_id", "stream", "type", "recorded_at", "actor", "correlation_id", "causation_id")
        assert [one[name] for name in same] == [its[name] for name in same]
        assert (one["payload"] is None) == (one["salt"] is None)
        assert not member or one["payload"] is not None
    for one in (seen, other):
        keys = [parse_key(key) for key in read(one)["proof"]["keys"]]
        assert list(check_answer(read(one), keys, []))


def unmarked(answer: httpx.Response) -> None:
    """Nothing of what is hidden is in it: not in its body, its headers, or its cursors."""
    assert MARK.encode() not in answer.content, answer.url
    assert MARK not in str(answer.headers), answer.url
    for name in ("next_cursor",):
        if answer.headers["content-type"] == "application/json" and (text := answer.json().get(name)):
            assert MARK.encode() not in base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_public_is_shown_what_it_would_be_if_what_is_hidden_had_never_been_recorded(asking: Asking) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=5)
    @given(restricted(), st.data())
    def of_a_history(world: World, data: st.DataObject) -> None:
        kept = kept_of(world)
        whole = all_of(world, kept)
        seen["hidden"] += len(kept) < len(whole)
        ledgers = [asking.restored(world, its) for its in (whole, kept, without_telling(whole, world))]
        ends = sorted({one.recorded_at: n for n, one in enumerate(world.log)}.values())
        at, by = data.draw(st.sampled_from(ends)), data.draw(st.sampled_from(["2020-11-09", "2020-11-09T12:00:00Z"]))
        cut = data.draw(st.sampled_from([Cut(at), Cut(None, by), Cut(at, by)]))
        same(asking, world, Cut(None), "public", ledgers[0], ledgers[1])
        same(asking, world, cut, "public", ledgers[0], ledgers[1])
        same(asking, world, data.draw(st.sampled_from([Cut(None), cut])), "member", ledgers[0], ledgers[2])

    of_a_history()
    assert seen["hidden"]


# ---- the feed ----


class Copied:
    """What a client of the public has that does nothing but read the changes."""

    def __init__(self, asking: Asking, path: str, limit: int) -> None:
        self.asking, self.path, self.limit = asking, path, limit
        self.incidents: dict[str, Any] = {}
        self.documents: set[str] = set()
        self.after = 0

    def sync(self) -> None:
        head = -1
        while self.after != head:
            page = read(self.asking.get("public", f"{self.path}/changes?after={self.after}&limit={self.limit}"))
            for item in page["items"]:
                assert item["changes"]
                assert self.after < item["position"] <= page["next_after"]
                for one in item["changes"]:
                    self._take(one)
            self.after, head = page["next_after"], page["head"]

    def _take(self, one: dict[str, Any]) -> None:
        assert not set(one["types"]) & set(TELLING)
        assert bool(one["types"]) == bool(one["positions"])
        assert one["types"] or not one["attributes"]
        removed = one["change"] == "removed"
        assert (one["incident"] is not None) == (one["kind"] == "incident" and not removed)
        if one["kind"] == "incident":
            self.incidents.pop(one["id"], None)
            self.incidents |= {} if removed else {one["id"]: one["incident"]}
        elif one["kind"] == "document":
            (self.documents.discard if removed else self.documents.add)(one["id"])

    def is_what_the_public_sees(self) -> None:
        listed = read(self.asking.get("public", f"{self.path}/incidents?limit=1000"))
        assert self.incidents == {one["incident_id"]: one for one in listed["items"]}
        listed = read(self.asking.get("public", f"{self.path}/documents?limit=1000"))
        assert self.documents == {one["document_id"] for one in listed["items"]}


def test_a_copy_that_is_kept_by_the_changes_is_what_the_public_sees(asking: Asking) -> None:
    """After every append, whatever became of who may see what; for who came first, and for who comes last."""
    ending: Counter[str] = Counter()

    @settings(max_examples=8)
    @given(restricted(), st.integers(1, 4))
    def of_a_history(world: World, limit: int) -> None:
        path = asking.ledger()
        ledger_id = asking.runner.run(asking.service.ledger_id(path.rpartition("/")[2]))
        copied = Copied(asking, path, limit)
        for _, its in groupby(world.log[1:], key=lambda one: one.recorded_at):
            events = [(one.stream.replace(f"ledger:{LEDGER}", f"ledger:{ledger_id}"), one.event) for one in its]
            asking.runner.run(append(asking.service.pool, asking.service.log, ledger_id, events))
            copied.sync()
            copied.is_what_the_public_sees()
        for late in (Copied(asking, path, 1), Copied(asking, path, 1000)):
            late.sync()
            late.is_what_the_public_sees()
        page = read(asking.get("public", f"{path}/changes?limit=1000"))
        ending.update(one["change"] for item in page["items"] for one in item["changes"] if not one["types"])

    of_a_history()
    assert ending.keys() == {"created", "changed", "removed"}


def test_what_is_restricted_is_in_no_message_that_is_sent_later(asking: Asking) -> None:
    """Nor in those that are kept for all who follow."""
    path = asking.ledger()
    ledger_id = asking.runner.run(asking.service.ledger_id(path.rpartition("/")[2]))
    incident_id = asking.post(f"{path}/incidents", title=MARK, kind="crash")["incident_id"]

    async def until(feed: AsyncIterator[bytes], word: bytes) -> bytes:
        text = b""
        async for message in feed:
            text += message
            if word in text:
                return text
        raise AssertionError("the feed has ended")

    first = asking.service.feeds.follow(ledger_id, 0, "public")
    asking.runner.run(until(first, MARK.encode()))
    revision = {"type": "visibility-changed", "label": "red", "reason": "a source is in danger"}
    asking.post(f"{path}/incidents/{incident_id}/revisions", **revision)
    asking.post(f"{path}/sources", name="The end", kind="outlet")
    told = asking.runner.run(until(first, b"source-registered"))
    assert b'"removed"' in told
    assert MARK.encode() not in told
    for after in (0, 1):
        later = asking.service.feeds.follow(ledger_id, after, "public")
        told = asking.runner.run(until(later, b"source-registered"))
        assert MARK.encode() not in told
        assert incident_id.encode() in told
        asking.runner.run(later.aclose())  # type: ignore[attr-defined]
    asking.runner.run(first.aclose())  # type: ignore[attr-defined]


# ---- by hand ----


def test_a_cursor_of_a_member_is_refused_and_tells_nothing(asking: Asking) -> None:
    path = asking.ledger()
    hidden = {"label": "amber"}
    for title in (f"{MARK} 1", f"{MARK} 2", f"{MARK} 3"):
        asking.post(f"{path}/incidents", title=title, kind="crash", visibility=hidden)
        asking.post(f"{path}/documents", title=title, kind="article", versions=[FIRST], visibility=hidden)
    for what in ("incidents?limit=1&sort=title", "documents?limit=1"):
        cursor = read(asking.get("member", f"{path}/{what}"))["next_cursor"]
        assert cursor
        answer = asking.get("public", f"{path}/{what}&cursor={cursor}")
        malformed(answer, "query.cursor")
        unmarked(answer)
        assert read(asking.get("public", f"{path}/{what}"))["items"] == []


def test_an_event_that_is_shown_in_part_keeps_its_digest_and_loses_its_salt(asking: Asking) -> None:
    """The rest of the payload cannot be guessed from the digest; everything else is shown as it is stored."""
    path = asking.ledger()
    speaker = asking.post(f"{path}/sources", name="Ministry", kind="state-body")["source_id"]
    place = {"geometry": {"type": "Point", "coordinates": [44.85, 39.74]}, "name": MARK, "radius_m": 10}
    claims = [{"attribute": "place", "value": place, "verbatim": MARK}, {"attribute": "weapon", "value": "a mine"}]
    said = {"speaker": speaker, "verbatim": MARK, "claims": claims}
    incident = (
        f"{path}/incidents/"
        + asking.post(f"{path}/incidents", title="It", kind="crash", statements=[said])["incident_id"]
    )
    disclosed = {"name": "the province", "level": "admin1"}
    body = {"type": "visibility-changed", "disclosed_place": disclosed, "reason": "a source is in danger"}
    asking.post(f"{incident}/revisions", **body)
    whole, seen = (read(asking.get(audience, f"{incident}/events"))["items"] for audience in AUDIENCES)
    assert [one["type"] for one in seen] == ["incident-opened", "statement-recorded"]
    assert seen[0] == whole[0]
    same = {name: value for name, value in whole[1].items() if name not in ("payload", "salt")}
    assert seen[1] == same | {"payload": seen[1]["payload"], "salt": None}
    assert [one["value"] for one in seen[1]["payload"]["claims"]] == [disclosed, "a mine"]
    logged = asking.get("public", f"{path}/events")
    clouded = read(asking.get("public", f"{path}/events?format=cloudevents"))
    assert json.loads(logged.text.splitlines()[-1]) == seen[1] | {"stream": f"incident:{incident.rpartition('/')[2]}"}
    assert "salt" not in clouded[-1]
    for answer in (logged, asking.get("public", f"{path}/events?format=cloudevents")):
        unmarked(answer)


def test_what_the_public_is_shown_is_not_kept_for_ever(asking: Asking) -> None:
    path = asking.ledger()
    asking.post(f"{path}/incidents", title="It", kind="crash")
    for what in ("incidents", "exports/csv"):
        kept = [
            asking.get(audience, f"{path}/{what}?as_of=position:2").headers["cache-control"] for audience in AUDIENCES
        ]
        assert kept == ["private, max-age=31536000, immutable", "no-cache"]


def test_what_a_hidden_row_says_is_in_no_title(asking: Asking) -> None:
    """Title, kind and tags follow a row of a data set; the public's do not follow one that it does not see."""
    path = asking.ledger()
    source = asking.post(f"{path}/sources", name="Survey", kind="data-set")["source_id"]
    version = {"version": 1, "change": "original"}
    secret = asking.post(f"{path}/documents", kind="note", title="N", versions=[version], visibility={"label": "red"})
    line = {"record": {"key": "1", "value": {"a": 1}}, "said_at": "2025-05-05T12:00:00Z", "title": "It", "kind": "row"}
    asking.post(f"{path}/records", source_id=source, lines=[line])
    later = line | {"title": MARK, "said_at": "2025-05-06T12:00:00Z", "record": {"key": "1", "value": {"a": 2}}}
    later["citation"] = {"document_id": secret["document_id"], "version": 1}
    asking.post(f"{path}/records", source_id=source, lines=[later])
    whole, seen = (read(asking.get(audience, f"{path}/incidents"))["items"][0] for audience in AUDIENCES)
    assert (whole["title"], seen["title"]) == (MARK, "It")
    for what in ("incidents", "events", "changes", f"incidents/{seen['incident_id']}/revisions", "exports/ndjson"):
        unmarked(asking.get("public", f"{path}/{what}"))


def test_what_was_moved_is_nowhere_told_more_finely_than_one_of_its_incidents_discloses(asking: Asking) -> None:
    """Its words and its place are the same in the incident that it came from, at every cut."""
    path = asking.ledger()
    speaker = asking.post(f"{path}/sources", name="Ministry", kind="state-body")["source_id"]
    place = {"geometry": {"type": "Point", "coordinates": [44.85, 39.74]}, "name": MARK, "radius_m": 10}
    said = {"speaker": speaker, "verbatim": MARK, "claims": [{"attribute": "place", "value": place}]}
    came = asking.post(f"{path}/incidents", title="It", kind="crash", statements=[said])
    to = asking.post(f"{path}/incidents", title="It", kind="crash")["incident_id"]
    moved = {"statement_id": came["statements"][0]["statement_id"], "to_incident": to, "reason": "it is about that one"}
    left = f"{path}/incidents/{came['incident_id']}"
    asking.post(f"{left}/revisions", type="statement-moved-out", **moved)
    disclosed = {"name": "the province", "level": "admin1"}
    body = {"type": "visibility-changed", "disclosed_place": disclosed, "reason": "a source is in danger"}
    asking.post(f"{path}/incidents/{to}/revisions", **body)
    for at in (left, f"{left}/events", f"{path}/incidents/{to}", f"{path}/incidents", f"{path}/events"):
        unmarked(asking.get("public", at))
    unmarked(asking.get("public", f"{left}?as_of=position:4"))
    unmarked(asking.get("public", f"{path}/incidents?as_of=position:4"))
