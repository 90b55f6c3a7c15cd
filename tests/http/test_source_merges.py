"""One source turns out to be another: over HTTP, at once, and where much names it part by part."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import psycopg
import pytest
from tests.conftest import PEPPER, serve, wait_until
from tests.http.asking import (
    NOBODY,
    a_document,
    a_source,
    a_statement,
    an_incident,
    killed,
    made,
    malformed,
    problem,
    read,
)

from stet.store.verify import verify


def merge(client: httpx.Client, ledger: str, source: str, into: str, **more: Any) -> httpx.Response:
    body = {"type": "source-merged", "into": into, "reason": "registered twice", **more}
    return client.post(f"{ledger}/sources/{source}/revisions", json=body)


@pytest.fixture
def twice(client: httpx.Client, ledger: str) -> tuple[str, str]:
    """A ministry that is registered twice."""
    aliases = [{"name": "XİN", "language": "az"}]
    return a_source(client, ledger, "Foreign Office", aliases=aliases), a_source(client, ledger, "Ministry of Baku")


def test_two_speakers_that_are_one_corroborate_nothing(
    client: httpx.Client, ledger: str, twice: tuple[str, str]
) -> None:
    one, other = twice
    incident = an_incident(client, ledger, statements=[a_statement(one), a_statement(other)])
    (before,) = read(client.get(incident))["attributes"]
    assert (before["status"], before["speakers"]) == ("corroborated", 2)
    done = merge(client, ledger, one, other)
    assert made(done)["merge"] == {"into": other, "remaining": 0}
    (after,) = read(client.get(incident))["attributes"]
    assert (after["status"], after["speakers"]) == ("single-source", 1)
    statement = read(client.get(incident))["statements"][0]
    assert statement["speaker"]["source_id"] == other
    assert [one["error"] for one in statement["corrections"]] == ["reference"]
    position = int(done.headers["stet-position"])
    (earlier,) = read(client.get(f"{incident}?as_of=position:{position - 1}"))["attributes"]
    assert earlier["status"] == "single-source", "no cut is within an append"
    corrected = read(client.get(f"{incident}/events"))["items"][-1]
    cause = read(client.get(f"{ledger}/changes"))["items"][-1]["changes"]
    assert corrected["causation_id"]
    assert {type_ for change in cause for type_ in change["types"]} >= {"source-merged", "source-revised"}


def test_what_was_asked_by_the_old_name_is_answered_by_the_other(
    client: httpx.Client, ledger: str, twice: tuple[str, str]
) -> None:
    one, other = twice
    third = a_source(client, ledger, "Azerbaijan")
    incident = an_incident(client, ledger, statements=[a_statement(one)])
    before = read(client.get(f"{ledger}/sources/{one}"))
    then = f"as_of=position:{client.get(incident).headers['stet-position']}"
    made(merge(client, ledger, one, other))
    made(merge(client, ledger, other, third))
    moved = client.get(f"{ledger}/sources/{one}?as_of=2999-01-01")
    assert (moved.status_code, moved.headers["location"]) == (308, f"{ledger}/sources/{third}?as_of=2999-01-01")
    assert moved.json()["merge"] == {"into": third, "remaining": 0}
    record = client.get(f"{ledger}/sources/{one}/record")
    assert (record.status_code, record.headers["location"]) == (308, f"{ledger}/sources/{third}/record")
    assert read(client.get(f"{ledger}/sources/{one}/record", follow_redirects=True))["said"] == 1
    assert {**read(client.get(f"{ledger}/sources/{one}?{then}")), "cut": 0} == {**before, "cut": 0}
    assert [item["source_id"] for item in read(client.get(f"{ledger}/sources"))["items"]] == [third]
    assert len(read(client.get(f"{ledger}/sources?{then}"))["items"]) == 3
    for words in ("foreign", "XİN", "baku"):
        assert [item["source_id"] for item in read(client.get(f"{ledger}/sources?q={words}"))["items"]] == [third]
        assert len(read(client.get(f"{ledger}/incidents?q={words}"))["items"]) == 1
    for named in (one, other, third):
        assert len(read(client.get(f"{ledger}/incidents?source={named}"))["items"]) == 1
        assert len(read(client.get(f"{ledger}/statements?speaker={named}"))["items"]) == 1
    assert read(client.get(f"{ledger}/stats?group_by=source&source={one}"))["items"][0]["key"] == third
    assert read(client.get(f"{ledger}/sources/{third}"))["merge"] is None


def test_everything_that_names_it_follows(client: httpx.Client, ledger: str, twice: tuple[str, str]) -> None:
    one, other = twice
    outlet = a_source(client, ledger, "Outlet")
    child = a_source(client, ledger, "Press office", parent=one)
    document = a_document(client, ledger, publisher=one)
    relayed = a_statement(outlet, chain=[{"source_id": one, "role": "relay"}, {"source_id": other, "role": "reporter"}])
    claims = [
        killed(2, of=f"source:{one}", toward=f"source:{one}"),
        {"attribute": "responsible", "value": {"source_id": one}},
    ]
    incident = an_incident(client, ledger, statements=[relayed, a_statement(outlet) | {"claims": claims}])
    statement_id = read(client.get(incident))["statements"][1]["statement_id"]
    pin = {"type": "attribute-pinned", "attribute": "killed", "of": f"source:{one}", "value": {"min": 3}}
    made(client.post(f"{incident}/revisions", json=pin | {"cites": [statement_id], "rationale": "seen"}))
    said = {"type": "statement-retracted", "statement_id": statement_id, "said_at": "2020-11-10", "reason": "so"}
    made(client.post(f"{incident}/revisions", json=said | {"chain": [{"source_id": one, "role": "relay"}]}))
    made(merge(client, ledger, one, other))
    answer = client.get(incident)
    assert one not in answer.text
    view = answer.json()
    assert [(hop["source_id"], hop["role"]) for hop in view["statements"][0]["chain"]] == [(other, "relay")]
    by_name = {(item["attribute"], item["of"]): item for item in view["attributes"]}
    assert by_name["killed", f"source:{other}"]["status"] == "pinned"
    assert read(client.get(f"{ledger}/sources/{child}"))["parent"] == other
    assert read(client.get(f"{ledger}/documents/{document}"))["publisher"] == other


def test_what_names_a_merged_source_is_refused_and_told_which_it_is(
    client: httpx.Client, ledger: str, twice: tuple[str, str]
) -> None:
    one, other = twice
    outlet = a_source(client, ledger, "Outlet")
    made(merge(client, ledger, one, other))
    incident = an_incident(client, ledger)
    bodies = {
        "speaker": a_statement(one),
        "chain[0].source_id": a_statement(outlet, chain=[{"source_id": one, "role": "relay"}]),
        "claims[0].of": a_statement(outlet) | {"claims": [killed(1, of=f"source:{one}")]},
        "claims[0].value.source_id": a_statement(outlet)
        | {"claims": [{"attribute": "responsible", "value": {"source_id": one}}]},
    }
    for field, body in bodies.items():
        told = problem(client.post(f"{incident}/statements", json=body), "refused", 409, field)
        assert other in told["detail"]
    parent = {"name": "Child", "kind": "unit", "parent": one}
    assert other in problem(client.post(f"{ledger}/sources", json=parent), "refused", 409, "parent")["detail"]
    document = {"kind": "post", "title": "T", "publisher": one, "versions": [{"version": 1, "change": "original"}]}
    assert other in problem(client.post(f"{ledger}/documents", json=document), "refused", 409, "publisher")["detail"]
    line = {"record": {"key": "k", "value": {}}, "title": "T", "kind": "k", "said_at": "2020-11-09"}
    published = client.post(f"{ledger}/records", json={"source_id": one, "lines": [line]})
    assert other in problem(published, "refused", 409)["detail"]
    renamed = {"type": "source-revised", "name": "N", "reason": "r"}
    told = problem(client.post(f"{ledger}/sources/{one}/revisions", json=renamed), "refused", 409)
    assert other in told["detail"]


def test_what_cannot_be_merged_is_refused_and_names_the_field(
    client: httpx.Client, ledger: str, twice: tuple[str, str]
) -> None:
    one, other = twice
    child = a_source(client, ledger, "Child", parent=one)
    problem(merge(client, ledger, one, one), "refused", 409, "into")
    problem(merge(client, ledger, one, NOBODY), "unknown-reference", 409, "into")
    problem(merge(client, ledger, one, child), "cycle", 409, "into")
    problem(merge(client, ledger, NOBODY, one), "not-found", 404)
    malformed(merge(client, ledger, one, "nonsense"), "into")
    malformed(merge(client, ledger, one, other, reason=" "), "reason")
    malformed(merge(client, ledger, one, other, more=1), "more")
    made(merge(client, ledger, one, other))
    assert read(merge(client, ledger, one, other))["merge"]["into"] == other, "it was done before"
    problem(merge(client, ledger, one, child), "refused", 409)
    problem(merge(client, ledger, other, one), "refused", 409, "into")
    published = a_source(client, ledger, "Data set")
    line = {"record": {"key": "k", "value": {"a": 1}}, "title": "T", "kind": "k", "said_at": "2020-11-09"}
    answer = client.post(f"{ledger}/records", json={"source_id": published, "lines": [line]})
    assert answer.is_success, answer.text
    problem(merge(client, ledger, published, other), "refused", 409, "into")
    many = [{"name": f"Alias {n}"} for n in range(150)]
    first, second = (a_source(client, ledger, name, aliases=many) for name in ("M", "N"))
    made(merge(client, ledger, first, second))
    more = a_source(client, ledger, "O", aliases=[{"name": f"Other {n}"} for n in range(60)])
    problem(merge(client, ledger, more, second), "refused", 409, "into")


def test_who_names_it_meanwhile_is_either_followed_or_refused(
    client: httpx.Client, ledger: str, twice: tuple[str, str]
) -> None:
    one, other = twice
    paths = [an_incident(client, ledger, statements=[a_statement(one)]) for _ in range(6)]
    started = Barrier(len(paths) + 1)

    def say(path: str) -> list[int]:
        started.wait()
        return [client.post(f"{path}/statements", json=a_statement(one)).status_code for _ in range(25)]

    with ThreadPoolExecutor(len(paths)) as threads:
        saying = [threads.submit(say, path) for path in paths]
        started.wait()
        made(merge(client, ledger, one, other))
        statuses = {status for said in saying for status in said.result()}
    assert statuses <= {201, 409}
    for path in paths:
        assert one not in client.get(path).text
    (group,) = read(client.get(f"{ledger}/stats?group_by=source"))["items"]
    assert group["key"] == other


def remaining(client: httpx.Client, source: str) -> int:
    return client.get(source).json()["merge"]["remaining"]


def a_worker(url: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, "STET_DATABASE_URL": url, "STET_PEPPER": PEPPER}
    return subprocess.Popen([sys.executable, "-m", "stet", "worker"], env=env, stdout=subprocess.DEVNULL)


def test_a_thousand_streams_at_once_and_the_others_by_a_worker_that_may_be_killed(url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serve(url, tmp_path, "--no-worker"))
        client = stack.enter_context(httpx.Client(base_url=server.url, timeout=120))
        ledger = "/v1/ledgers/l"
        made(client.post("/v1/ledgers", json={"name": "l", "title": "L"}))
        one, other = a_source(client, ledger, "One"), a_source(client, ledger, "Other")

        def open_one(n: int) -> None:
            an_incident(client, ledger, title=f"It {n}", statements=[a_statement(one), a_statement(other)])

        with ThreadPoolExecutor(16) as threads:
            list(threads.map(open_one, range(1_300)))
        source = f"{ledger}/sources/{one}"
        assert made(merge(client, ledger, one, other))["merge"] == {"into": other, "remaining": 300}

        holder = stack.enter_context(psycopg.connect(url))
        holder.execute("SELECT FROM stet.head FOR UPDATE")
        end = holder.execute("SELECT max(position) FROM stet.event").fetchone()
        stopped = a_worker(url)
        with psycopg.connect(url, autocommit=True) as look:
            waiting = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%stet.append%'"
            wait_until(lambda: look.execute(f"SELECT {waiting}").fetchall() != [], "the worker is in the middle of it")
            stopped.kill()
            stopped.wait(20)
            look.execute(f"SELECT pg_terminate_backend(pid) {waiting}")
            wait_until(lambda: look.execute(f"SELECT {waiting}").fetchall() == [], "nothing is left of it")
        assert holder.execute("SELECT max(position) FROM stet.event").fetchone() == end
        holder.rollback()
        assert remaining(client, source) == 300

        resumed = a_worker(url)
        try:
            wait_until(lambda: remaining(client, source) == 0, "all have followed")
        finally:
            resumed.terminate()
            resumed.wait(20)
        (group,) = read(client.get(f"{ledger}/stats?group_by=source"))["items"]
        assert (group["key"], group["incidents"]) == (other, 1_300)
        with psycopg.connect(url) as connection:
            assert [report.fault for report in verify(connection, None)] == [None]
            parts = connection.execute("SELECT actor FROM stet.event WHERE type = 'source-merged'").fetchall()
        assert parts == [("local",), ("stet",)]
