"""RFC 7089: TimeGates, what they link to, and TimeMaps."""

from __future__ import annotations

import itertools
import json
import os
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from itertools import groupby
from typing import NamedTuple
from urllib.parse import quote

import httpx
import pytest
from tests.conftest import Server, wait_until
from tests.http.asking import (
    NOBODY,
    a_source,
    a_statement,
    an_incident,
    id_of,
    killed,
    made,
    malformed,
    problem,
    read,
)

# The database makes no difference to what is tested here: one of them is enough.
pytestmark = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
_ledgers = itertools.count(1)
LINK = re.compile(r'<([^>]*)>((?:; [a-z]+="[^"]*")*)')


class Told(NamedTuple):
    """A ledger with two incidents, written to in turn, and over several seconds."""

    ledger: str
    path: str
    other: str


def links(text: str) -> list[tuple[str, dict[str, str]]]:
    """Each link with its parameters, in order, and nothing between them."""
    assert LINK.sub("", text).replace(",", "").strip() == "", text
    return [(uri, dict(re.findall(r'([a-z]+)="([^"]*)"', more))) for uri, more in LINK.findall(text)]


def related(answer: httpx.Response) -> dict[str, tuple[str, str]]:
    """By relation, alone: the address and the time of each memento in the header."""
    found: dict[str, tuple[str, str]] = {}
    for uri, parameters in links(answer.headers["link"]):
        relations = parameters["rel"].split()
        if "memento" in relations:
            for name in relations if relations == ["memento"] else relations[:-1]:
                found[name] = (uri, parameters["datetime"])
    return found


def without_cuts(answer: httpx.Response) -> str:
    """The body. Each cut, and the cursor that has it, say what was asked."""
    assert answer.status_code == 200, answer.text
    return re.sub(r'"cut":\{[^}]*\}|"next_cursor":"[^"]*"', "", answer.text)


def http_date(instant: str | datetime) -> str:
    at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return format_datetime(at, usegmt=True)


@pytest.fixture(scope="module")
def told(server: Server) -> Told:
    """Written to over several seconds. The statement about both incidents is one append to two streams, and its events
    of the first incident are not the last of it."""
    with httpx.Client(base_url=server.url, timeout=30) as client:
        ledger = f"/v1/ledgers/mementos-{os.getpid()}-{next(_ledgers)}"
        made(client.post("/v1/ledgers", json={"name": id_of(ledger), "title": "Mementos"}))
        speaker = a_source(client, ledger)
        path = an_incident(client, ledger, title="1", statements=[a_statement(speaker)])
        other = an_incident(client, ledger)
        began = datetime.now(UTC).replace(microsecond=0)
        wait_until(lambda: datetime.now(UTC) > began + timedelta(seconds=1.05), "the next second")
        both = [killed(1), killed(2, incident_id=id_of(other))]
        made(client.post(f"{path}/statements", json=a_statement(speaker, claims=both)))
        revised = {"type": "incident-amended", "reason": "r"}
        for number in (2, 3):
            made(client.post(f"{path}/revisions", json={**revised, "title": str(number)}))
            made(client.post(f"{other}/revisions", json={**revised, "title": str(number)}))
        return Told(ledger, path, other)


def mementos_of(client: httpx.Client, told: Told, path: str) -> list[tuple[int, str]]:
    """By an oracle of our own: where each append to the incident, or to the log, ends, and when it was recorded."""
    text = client.get(f"{told.ledger}/events", params={"format": "ndjson"}).text
    events = [json.loads(line) for line in text.splitlines()]
    log = [(recorded_at, list(its)) for recorded_at, its in groupby(events, key=lambda event: event["recorded_at"])]
    stream = f"incident:{id_of(told.path)}" if path.startswith(told.path) else None
    return [
        (its[-1]["position"], recorded_at)
        for recorded_at, its in log
        if stream is None or stream in {event["stream"] for event in its}
    ]


PATHS = {
    "incident": lambda told: told.path,
    "incident, said": lambda told: f"{told.path}?said_by=2999-01-01",
    "statements of it": lambda told: f"{told.path}/statements?limit=1",
    "revisions of it": lambda told: f"{told.path}/revisions",
    "events of it": lambda told: f"{told.path}/events",
    "incidents": lambda told: f"{told.ledger}/incidents",
    "some incidents": lambda told: f"{told.ledger}/incidents?kind=shootdown&q={quote('2 Հ')}&format=csv",
    **{
        name: partial(lambda told, name: f"{told.ledger}/{name}", name=name)
        for name in ("sources", "stats", "releases")
    },
    "statements": lambda told: f"{told.ledger}/statements",
    "attributes": lambda told: f"{told.ledger}/attributes",
}


@pytest.mark.parametrize("name", PATHS)
def test_every_append_is_a_memento(name: str, client: httpx.Client, told: Told) -> None:
    """The TimeMap that an answer links to has them all, in order; each is what its address says; next leads through."""
    path = PATHS[name](told)
    expected = mementos_of(client, told, path)
    plain = client.get(path)
    assert plain.status_code == 200, plain.text
    assert "memento-datetime" not in plain.headers
    found = {parameters["rel"]: uri for uri, parameters in links(plain.headers["link"])}
    original = client.get(found["original timegate"])
    assert original.content == plain.content
    timemap = read(client.get(found["timemap"], headers={"Accept": "application/json"}))
    assert timemap["original"] == found["original timegate"]
    assert [(item["position"], item["recorded_at"]) for item in timemap["items"]] == expected
    assert related(plain)["last"][0] == timemap["items"][-1]["uri"]
    uri, walked = related(plain)["first"][0], []
    while uri:
        walked.append(uri)
        answer = client.get(uri)
        at = related(answer)
        here = timemap["items"][len(walked) - 1]
        assert (answer.status_code, uri) == (200, here["uri"])
        assert answer.headers["memento-datetime"] == http_date(here["recorded_at"])
        assert "accept-datetime" not in answer.headers.get("vary", "")
        assert answer.headers["cache-control"].endswith("immutable")
        assert client.get(answer.headers["content-location"]).content == answer.content
        assert (at["first"], at["last"]) == (related(plain)["first"], related(plain)["last"])
        assert at.get("prev", (None,))[0] == (walked[-2] if len(walked) > 1 else None)
        uri = at.get("next", ("",))[0]
    assert len(walked) == len(expected)


@pytest.mark.parametrize("name", PATHS)
def test_a_timegate_gives_the_last_memento_of_a_second(name: str, client: httpx.Client, told: Told) -> None:
    """Before the first it gives the first; and it tells which one it is."""
    path = PATHS[name](told)
    expected = mementos_of(client, told, path)
    seconds = sorted({http_date(recorded_at): recorded_at for _, recorded_at in expected}.values())
    assert len(seconds) > 1
    cases = [(http_date(at), [pair for pair in expected if http_date(pair[1]) == http_date(at)][-1]) for at in seconds]
    cases.append(("Mon, 09 Nov 2020 14:30:00 GMT", expected[0]))
    cases.append(("Fri, 31 Dec 9998 23:59:59 GMT", expected[-1]))
    for asked, (position, recorded_at) in cases:
        answer = client.get(path, headers={"Accept-Datetime": asked})
        assert answer.status_code == 200, answer.text
        assert answer.headers["memento-datetime"] == http_date(recorded_at)
        assert "accept-datetime" in answer.headers["vary"]
        at_position = f"{path}{'&' if '?' in path else '?'}as_of=position:{position}"
        assert without_cuts(answer) == without_cuts(client.get(at_position))
        shown = [uri for uri, p in links(answer.headers["link"]) if uri.endswith(f"as_of=position:{position}")]
        assert len(shown) == 1
        assert client.get(answer.headers["content-location"]).content == answer.content
        head = client.head(path, headers={"Accept-Datetime": asked})
        assert (head.headers["link"], head.content) == (answer.headers["link"], b"")


@pytest.mark.parametrize("name", PATHS)
def test_a_timemap_in_link_format_is_paged(name: str, client: httpx.Client, told: Told) -> None:
    """The pages lead to each other, say from when until when they are, and add up to the whole."""
    path = PATHS[name](told)
    found = {parameters["rel"]: uri for uri, parameters in links(client.get(path).headers["link"])}
    whole = read(client.get(found["timemap"], headers={"Accept": "application/json"}))
    expected = [(item["uri"], http_date(item["recorded_at"])) for item in whole["items"]]
    uri: str | None = f"{found['timemap']}{'&' if '?' in found['timemap'] else '?'}limit=2"
    seen: list[tuple[str, str]] = []
    relations: list[str] = []
    while uri:
        answer = client.get(uri)
        assert answer.headers["content-type"] == "application/link-format"
        lines = links(answer.text)
        assert lines[0] == (found["original timegate"], {"rel": "original timegate"})
        (self, about) = lines[1]
        assert (about["rel"], client.get(self).content) == ("self", answer.content)
        page = [(uri, p["datetime"]) for uri, p in lines if p["rel"].endswith("memento")]
        relations += [p["rel"] for _, p in lines if p["rel"].endswith("memento")]
        assert (about["from"], about["until"]) == (page[0][1], page[-1][1])
        seen += page
        following = [(uri, p) for uri, p in lines if p["rel"] == "timemap"]
        uri = following[0][0] if following else None
        if following:
            assert following[0][1]["from"] == expected[len(seen)][1]
            assert len(page) == 2
    assert seen == expected
    assert relations == ["first memento", *["memento"] * (len(expected) - 2), "last memento"]


def test_forms_of_a_timemap(client: httpx.Client, told: Told) -> None:
    """Link-format by itself; JSON by Accept or `format`; nothing else. Who has it already is told so."""
    path = f"{told.path}/timemap"
    for accept, form in (
        ("*/*", "link-format"),
        ("application/link-format", "link-format"),
        ("application/json", "json"),
    ):
        answer = client.get(path, headers={"Accept": accept})
        assert answer.headers["content-type"] == f"application/{form}"
        assert answer.headers["vary"] == "accept, authorization"
        assert client.get(path, headers={"Accept": accept, "If-None-Match": answer.headers["etag"]}).status_code == 304
    assert client.get(path, params={"format": "json"}).headers["content-type"] == "application/json"
    problem(client.get(path, params={"format": "csv"}), "not-acceptable", 406)
    problem(client.get(path, headers={"Accept": "image/png"}), "not-acceptable", 406)


def test_one_memento_is_the_first_and_the_last(client: httpx.Client, ledger: str) -> None:
    path = an_incident(client, ledger)
    ((uri, parameters),) = [link for link in links(client.get(path).headers["link"]) if "memento" in link[1]["rel"]]
    assert (uri, parameters["rel"]) == (f"{path}?as_of=position:2", "first last memento")
    listed = client.get(f"{path}/timemap").text
    assert f'<{path}?as_of=position:2>; rel="first last memento"' in listed
    empty = client.get(f"{path}/timemap?after=2")
    assert [parameters["rel"] for _, parameters in links(empty.text)] == ["original timegate", "self"]


def test_the_next_page_comes_before_the_next_memento(client: httpx.Client, told: Told) -> None:
    """Whoever looks for rel="next" finds the page, by the first link of that relation, or by the only one alone."""
    answer = client.get(f"{told.ledger}/incidents", params={"limit": 1, "as_of": "position:5"})
    nexts = [(uri, p["rel"]) for uri, p in links(answer.headers["link"]) if "next" in p["rel"].split()]
    assert [rel for _, rel in nexts] == ["next", "next memento"]
    page = client.get(nexts[0][0])
    assert read(page)["items"][0]["incident_id"] == id_of(told.other)
    assert "cursor" not in {p["rel"]: uri for uri, p in links(page.headers["link"])}["original timegate"]


@pytest.mark.parametrize(
    "of",
    [
        *(
            "",
            "incidents/",
            "events",
            "../sources",
            "incidents?q=<x>",
            'incidents?q="',
            "incidents?q=a b",
            "incidents#a",
        ),
        *("incidents?as_of=position:1", "incidents?kind=x&cursor=y", "incidents?%61s_of=position:1", "incidents\n"),
        "incidents?q=" + "x" * 2000,
    ],
)
def test_a_timemap_is_of_a_list(of: str, client: httpx.Client, ledger: str) -> None:
    malformed(client.get(f"{ledger}/timemap", params={"of": of}), "query.of")


def test_a_timemap_of_nothing(client: httpx.Client, ledger: str) -> None:
    path = an_incident(client, ledger)
    problem(client.get(f"{ledger}/incidents/{NOBODY}/timemap"), "not-found", 404)
    problem(client.get(f"{ledger}-none/timemap"), "not-found", 404)
    for address in (f"{ledger}/timemap", f"{path}/timemap"):
        problem(client.get(address, params={"after": 99}), "not-found", 404)
        for query in ({"after": -1}, {"after": 2**63}, {"after": "x"}, {"limit": 0}, {"limit": 1001}):
            malformed(client.get(address, params=query), f"query.{next(iter(query))}")
    malformed(client.get(f"{path}/timemap", params={"of": "timeline"}), "query.of")
    malformed(client.get(f"{path}/timemap", params={"as_of": "position:1"}), "query.as_of")
