"""The hot paths that `bench.quick` watches, each beside work that takes the same parts of the machine."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from uuid import UUID

import httpx
import psycopg
import uvloop

from bench.appending import RAW, Kind, appends, raw_inserts
from bench.client import Plan, Request, follow
from bench.frame import new_ledger
from bench.generate import ENDED, NAME, load
from bench.importing import publish
from bench.planted import slow_down
from bench.serving import Served, running, serving
from stet.projections.history import PROJECTION
from stet.projections.log import decode, streams_of
from stet.projections.projection import LIVE, build

Rate = Callable[[float], float]
"""How often a second something is done, measured for about so many seconds."""
_INCIDENTS = 500
_ASKED = 100
_LINES = 300
_ONE = f"/v1/ledgers/{NAME}/incidents"
_TEXT = json.dumps(
    [{"name": f"name {n}", "values": list(range(n % 7)), "at": "2020-11-09T14:30:00Z"} for n in range(40)]
)


@contextmanager
def paths(url: str, plant: str | None) -> Iterator[dict[str, tuple[Rate, Rate]]]:
    """Each path and what it is compared with, on a migrated database. `plant`: a function that takes twice its time."""
    loaded = load(url, _INCIDENTS)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(RAW)
        connection.execute("CREATE TABLE bare (id uuid PRIMARY KEY, body bytea NOT NULL)")
        connection.execute("VACUUM ANALYZE")
    with ExitStack() as stack:
        stet = stack.enter_context(serving(url, plant))
        _, port = stack.enter_context(running([sys.executable, "-m", "bench.bare", url], dict(os.environ)))
        asked = _fill_bare(url, stet)
        if plant:
            slow_down(plant)
        bare = _over_http(int(port), [f"/bodies/{id_}" for id_ in asked])
        one = uvloop.run(new_ledger(url))
        yield {
            "append": (_appends(url, one, 1, "history"), lambda seconds: uvloop.run(raw_inserts(url, 1, seconds)).rate),
            "append-16": (
                _appends(url, one, 16, "history"),
                lambda seconds: uvloop.run(raw_inserts(url, 16, seconds)).rate,
            ),
            "import": (lambda _: _LINES / uvloop.run(_import(url)), _thoughts),
            "replay": (_replay(url, loaded), _thoughts),
            "get": (_over_http(stet.port, [f"{_ONE}/{id_}" for id_ in asked]), bare),
            "get-anew": (
                _over_http(stet.port, [f"{_ONE}/{id_}?said_by=2040-01-01T00:00:00.{{n}}Z" for id_ in asked]),
                bare,
            ),
            "list": (_over_http(stet.port, [f"{_ONE}?limit=20"]), bare),
            "list-as-of": (_over_http(stet.port, [f"{_ONE}?limit=20&as_of={(ENDED.year - 3)}-01-01"]), bare),
        }


def _appends(url: str, ledger_id: UUID, writers: int, kind: Kind) -> Rate:
    return lambda seconds: uvloop.run(appends(url, [ledger_id], writers, seconds, kind)).rate


async def _import(url: str) -> float:
    return await publish(url, await new_ledger(url), _LINES)


def _replay(url: str, ledger_id: UUID) -> Rate:
    """Streams of incidents, from their stored events to the rows of the histories."""
    with psycopg.connect(url) as connection:
        every = [rows for _, rows in islice(streams_of(connection, ledger_id, ["incident"], up_to=LIVE), _ASKED)]
    turn = cycle(every)
    return lambda seconds: _rate(lambda: build(PROJECTION, decode(next(turn))), seconds)


def _over_http(port: int, addresses: list[str]) -> Rate:
    """Answers a second to one client: with several, what one waits for would be counted as the work of another."""
    requests = [Request(address) for address in addresses]
    return lambda seconds: follow(Plan(port, requests, connections=1, seconds=seconds)).rate


def _fill_bare(url: str, stet: Served) -> list[UUID]:
    """Gives the bare route the answers of some incidents: their ids."""
    with httpx.Client(base_url=f"http://127.0.0.1:{stet.port}", timeout=60) as client:
        items = client.get(_ONE, params={"limit": _ASKED}).json()["items"]
        bodies = {UUID(item["incident_id"]): client.get(f"{_ONE}/{item['incident_id']}").content for item in items}
    with psycopg.connect(url) as connection:
        connection.cursor().executemany("INSERT INTO bare VALUES (%s, %s)", list(bodies.items()))
    return list(bodies)


def _thoughts(seconds: float) -> float:
    """How often a second this processor takes a text apart, sorts and puts together what is in it, and hashes it."""

    def think() -> None:
        rows = sorted(json.loads(_TEXT), key=lambda row: (len(row["values"]), row["name"]))
        seen = {row["name"]: sum(row["values"]) for row in rows}
        hashlib.sha256(json.dumps([rows, seen]).encode()).digest()

    return _rate(think, seconds)


def _rate(what: Callable[[], object], seconds: float) -> float:
    began, times = time.perf_counter(), 0
    while (took := time.perf_counter() - began) < seconds:
        what()
        times += 1
    return times / took
