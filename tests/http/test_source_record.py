"""What became of what a source said: kept by a worker, so it may be behind, and says so."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from tests.conftest import serve, wait_until
from tests.http.asking import NOBODY, problem, read
from tests.http.following import worker
from tests.http.test_lists import Desk, count

NUMBERS = ("incidents", "said", "retracted", "superseded", "contradicted", "conceded", "relayed")


def record(client: httpx.Client, path: str, source_id: str, position: int) -> tuple[int, ...]:
    """The numbers at a position, once the projection has come there."""

    def view() -> dict[str, Any]:
        return read(client.get(f"{path}/sources/{source_id}/record", params={"as_of": f"position:{position}"}))

    wait_until(lambda: view()["cut"]["position"] == position, "the worker to come to the position")
    shown = view()
    assert shown["source_id"] == source_id
    return tuple(shown[name] for name in NUMBERS)


def test_what_became_of_what_a_source_said(client: httpx.Client) -> None:
    """Step by step, each number; and at every earlier position what it was then."""
    desk = Desk(client)
    ministry, witness, wire = (desk.source(name) for name in ("Ministry", "Witness", "Wire"))
    told: list[tuple[int, dict[str, tuple[int, ...]]]] = []
    known: dict[str, tuple[int, ...]] = dict.fromkeys((ministry, witness, wire), (0,) * 7)

    def then(**numbers: tuple[int, ...]) -> None:
        known.update({desk.sources[name]: its for name, its in numbers.items()})
        told.append((desk.position, dict(known)))

    def say(*said: Any, **more: Any) -> str:
        body = desk.said(*said, **more)
        statement_id: str = desk.post(f"incidents/{desk.ids['A']}/statements", body)["statement_id"]
        return statement_id

    def revise(type_: str, statement_id: str, **body: Any) -> None:
        body |= {"type": type_, "statement_id": statement_id, "reason": "so it is"}
        desk.post(f"incidents/{desk.ids['A']}/revisions", body)

    then()
    desk.open("A")
    then()
    first = say("Ministry", "2020-11-09", [("Wire", "relay")], killed=count(2, 2), weapon="missile")
    then(Ministry=(1, 1, 0, 0, 0, 0, 0), Wire=(1, 0, 0, 0, 0, 0, 1))
    other = say("Witness", "2020-11-10", killed=count(3, 3))
    then(Ministry=(1, 1, 0, 0, 1, 0, 0), Witness=(1, 1, 0, 0, 1, 0, 0))
    say("Ministry", "2020-11-11", responsible={"act": "admit", "value": {"source_id": ministry}})
    then(Ministry=(1, 2, 0, 0, 1, 1, 0))
    revise("statement-retracted", other, said_at="2020-11-12")
    then(Ministry=(1, 2, 0, 0, 0, 1, 0), Witness=(1, 1, 1, 0, 0, 0, 0))
    newer = say("Ministry", "2020-11-13", [("Wire", "reporter")], weapon="gun")
    then(Ministry=(1, 3, 0, 0, 0, 1, 0), Wire=(1, 0, 0, 0, 0, 0, 2))
    revise("statement-superseded", first, superseded_by=newer)
    then(Ministry=(1, 3, 0, 1, 0, 1, 0))
    revise("statement-withdrawn", newer, ground="fabricated")
    then(Ministry=(1, 2, 0, 0, 0, 1, 0), Wire=(1, 0, 0, 0, 0, 0, 1))
    desk.open("B", desk.said("Ministry", "2020-11-14", [("Witness", "relay")], injured=count(1)))
    then(Ministry=(2, 3, 0, 0, 0, 1, 0), Witness=(2, 1, 1, 0, 0, 0, 1))
    for position, numbers in told:
        assert {id_: record(client, desk.path, id_, position) for id_ in numbers} == numbers, position
    last = client.get(f"{desk.path}/sources/{ministry}/record")
    assert last.headers["cache-control"] == "no-cache"
    assert (last.json()["cut"]["position"], last.json()["said"]) == (desk.position, 3)
    registered = {"as_of": f"position:{told[0][0] - 1}"}
    problem(client.get(f"{desk.path}/sources/{wire}/record", params=registered), "not-found", 404)
    problem(client.get(f"{desk.path}/sources/{NOBODY}/record"), "not-found", 404)


def behind(client: httpx.Client, path: str, asked: int, **query: str) -> httpx.Response:
    """The answer of a projection that is behind: after a second, of an earlier cut, and not for ever."""
    began = time.monotonic()
    answer = client.get(path, params=query)
    assert 1 <= time.monotonic() - began < 8
    shown = read(answer)
    assert shown["cut"]["position"] < asked
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["stet-position"] == str(shown["cut"]["position"])
    return answer


def test_without_a_worker_it_says_at_which_cut_it_is(url: str, tmp_path: Path) -> None:
    """The address that it gives has the same bytes for ever, also once the worker has come further."""
    with (
        serve(url, tmp_path, "--no-worker") as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        desk = Desk(client)
        path = f"{desk.path}/sources/{desk.source('Ministry')}/record"
        registered = desk.position
        assert read(client.get(path))["cut"]["position"] == registered, "nothing can have been said yet"
        given = []
        for n in range(3):
            desk.open(f"Incident {n}", desk.said("Ministry", "2020-11-09", killed=count(n)))
            for query in ({}, {"as_of": f"position:{desk.position}"}, {"as_of": datetime.now(UTC).isoformat()[:10]}):
                answer = behind(client, path, desk.position, **query)
                assert (answer.json()["said"], answer.json()["cut"]["position"]) == (n, registered + 2 * n)
                given.append(answer)
            with worker(url):
                wait_until(lambda n=n: read(client.get(path))["said"] == n + 1, "the worker to take it")
            for one in given:
                again = client.get(one.headers["content-location"])
                assert (again.status_code, again.content) == (200, one.content)
                assert "immutable" in again.headers["cache-control"]
