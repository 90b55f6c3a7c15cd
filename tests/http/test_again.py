"""Answers that are given again: never one that no longer holds, whichever process wrote, and whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple, cast

import httpx
import pytest
from tests.conftest import OWNER, Cluster, bearing, serve
from tests.http.asking import a_source, a_statement, an_incident, id_of, made, problem, read
from tests.http.keyed import a_client, a_key, a_ledger, a_member

from stet.database.pool import make_pool, of_ledger
from stet.http.access import EVERYBODY
from stet.http.again import Again, parts_of
from stet.http.answer import Made
from stet.http.body import StetRequest
from stet.ids import new_id
from stet.queries.cut import ReadCut
from stet.settings import Settings

SAID = "the driver Anahit saw it"


class Desk(NamedTuple):
    """A public ledger that two processes serve. It is written to by one, and read from the other, too."""

    ledger: str
    one: httpx.Client
    second: httpx.Client
    """Another administrator, at the same process."""
    other: httpx.Client
    public: httpx.Client
    """Without a key, at the other process."""
    speaker: str
    incident: str
    owner: httpx.Client


@pytest.fixture
def desk(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    url = cluster.migrated()
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                serve(url, tmp_path_factory.mktemp("again"), "--no-worker", keyless=False, STET_OWNER_KEY=OWNER)
            )
            for _ in range(2)
        ]
        owner = stack.enter_context(bearing(processes[0], OWNER))
        ledger = a_ledger(owner, "again", public=True)
        one, second = (stack.enter_context(a_client(processes[0], owner, ledger, "admin")) for _ in range(2))
        other = stack.enter_context(a_client(processes[1], owner, ledger, "admin"))
        public = stack.enter_context(httpx.Client(base_url=processes[1].url, timeout=30))
        speaker = a_source(one, ledger)
        incident = an_incident(one, ledger, statements=[a_statement(speaker, verbatim=SAID)])
        yield Desk(ledger, one, second, other, public, speaker, incident, owner)


def revise(client: httpx.Client, path: str, type_: str, **more: Any) -> None:
    made(client.post(f"{path}/revisions", json={"type": type_, "reason": "because", **more}))


def first_statement(desk: Desk) -> str:
    found: str = read(desk.one.get(desk.incident))["statements"][0]["statement_id"]
    return found


def restrict(desk: Desk) -> None:
    statement = first_statement(desk)
    revise(desk.one, desk.incident, "visibility-changed", statement_id=statement, label="amber")


def redact(desk: Desk) -> None:
    events = [{"stream_version": 2, "fields": ["/verbatim"]}]
    revise(desk.one, desk.incident, "redaction-proposed", ground="personal-data", events=events)
    (proposed,) = read(desk.one.get(f"{desk.ledger}/redactions"))["items"]
    revise(desk.second, desk.incident, "payload-redacted", redaction_id=proposed["redaction_id"])


CHANGES: dict[str, Callable[[Desk], Any]] = {
    "something is said": lambda desk: made(
        desk.one.post(f"{desk.incident}/statements", json=a_statement(desk.speaker))
    ),
    "a source is renamed": lambda desk: revise(
        desk.one, f"{desk.ledger}/sources/{desk.speaker}", "source-revised", name="Agency"
    ),
    "a statement is restricted": restrict,
    "what was said is erased": redact,
    "the incident is restricted": lambda desk: revise(desk.one, desk.incident, "visibility-changed", label="red"),
    "the incident is merged": lambda desk: revise(
        desk.one, desk.incident, "incident-merged", into=id_of(an_incident(desk.one, desk.ledger))
    ),
    "something is said elsewhere": lambda desk: an_incident(desk.one, desk.ledger),
}


ANEW = ("proof=false", "said_match=definite", "proof=false&said_match=definite")
"""Parameters that change nothing but the address."""


def everything(desk: Desk, asked: list[str], anew: str) -> list[bytes]:
    """What each reader is told, checked against what one is told who asks by an address that was never asked by."""
    told = []
    for client in (desk.one, desk.other, desk.public):
        for query in asked:
            before = client.get(f"{desk.incident}?{query}")
            first = client.get(f"{desk.incident}?{query}&{anew}".replace("?&", "?"))
            assert (before.status_code, before.text) == (first.status_code, first.text) or before.status_code == 404
            for name in ("etag", "stet-position", "cache-control", "content-type", "vary", "memento-datetime"):
                assert before.headers.get(name) == first.headers.get(name)
            if before.status_code == 200:
                assert client.get(before.headers["content-location"]).content == before.content
                seen = client.get(f"{desk.incident}?{query}", headers={"if-none-match": before.headers["etag"]})
                assert (seen.status_code, seen.content) == (304, b"")
                assert seen.headers["content-location"] == before.headers["content-location"]
            told.append(before.content)
    return told


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_is_answered_that_no_longer_holds(desk: Desk, change: str) -> None:
    """What was asked for before is answered as if it were for the first time, at once, by either process."""
    head = read(desk.one.get(f"{desk.ledger}/incidents"))["cut"]["position"]
    asked = ["", f"as_of=position:{head}", "said_by=2030-01-01", f"as_of=position:{head}&said_by=2030-01-01"]
    before = everything(desk, asked, ANEW[0])
    assert everything(desk, asked, ANEW[1]) == before
    CHANGES[change](desk)
    after = everything(desk, asked, ANEW[2])
    assert (after == before) == (change == "something is said elsewhere")
    if change == "what was said is erased":
        assert not any(SAID in one.decode() for one in after)
    if change == "the incident is restricted":
        assert all(desk.public.get(f"{desk.incident}?{one}").status_code == 404 for one in asked)


def test_who_may_not_ask_any_more_is_told_nothing(desk: Desk) -> None:
    """A key is asked for at every request, and so is whether a ledger is public."""
    key = a_key(desk.owner, "reader")
    a_member(desk.owner, desk.ledger, key["key_id"], "reader")
    bearer = {"authorization": f"Bearer {key['key']}"}
    for _ in range(2):
        read(desk.public.get(desk.incident, headers=bearer))
        read(desk.public.get(desk.incident))
    read(desk.owner.delete(f"/v1/keys/{key['key_id']}"))
    problem(desk.public.get(desk.incident, headers=bearer), "unauthenticated", 401)
    revise(desk.owner, desk.ledger, "ledger-amended", public=False)
    problem(desk.public.get(desk.incident), "not-found", 404)


def request(path: str) -> StetRequest:
    state = {"access": EVERYBODY}
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "state": state}
    return StetRequest(cast(Any, scope))


async def test_an_answer_is_given_again_and_the_oldest_is_forgotten(cluster: Cluster) -> None:
    """As long as its streams have not grown; and of all answers no more is kept than was allowed."""
    cut = ReadCut(7, None, "position:7", final=True, seen=9, audience="member")
    made_of = Made(b"x" * 10_000, "application/json", {"etag": '"1-0"', "stet-position": "7", "content-location": "/"})
    async with make_pool(cluster.migrated(), Settings(pool_size=1)) as pool:
        ledger_id = new_id()
        async with of_ledger(pool, ledger_id) as connection:
            parts = await parts_of(connection, ledger_id, [f"incident:{new_id()}"])
        again = Again(pool, 25_000)
        for path in ("/one", "/two", "/one", "/three"):
            if await again.find(request(path)) is None:
                again.keep(request(path), ledger_id, cut, parts, made_of)
        found = {path: await again.find(request(path)) is not None for path in ("/one", "/two", "/three")}
    assert found == {"/one": True, "/two": False, "/three": True}
