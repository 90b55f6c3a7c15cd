"""`python -m bench`: what an append costs, against a raw INSERT; an import, a rebuild and a restore, against a raw COPY
and a raw read: each of the same events.

Rounds are interleaved; each figure is the median of them, with the least and the greatest. Only the ratios mean
anything: the machine's other work moves both sides.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from bench import importing, rebuild, restore
from stet.database.embedded import embedded
from stet.database.migrate import migrate
from stet.database.pool import make_pool
from stet.ids import new_id
from stet.incident.events import IncidentOpened
from stet.incident.state import Incident
from stet.ledger.events import LedgerCreated
from stet.settings import Settings
from stet.store.append import Append, Log, NewEvent

EVENT = IncidentOpened(title="x" * 500, kind="shootdown", tags=("a", "b"))
RAW = """
CREATE TABLE IF NOT EXISTS raw (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL, version bigint NOT NULL,
    event_id uuid NOT NULL, type text NOT NULL, recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL, correlation_id uuid NOT NULL, payload json NOT NULL, UNIQUE (stream, version))
"""


async def raw_inserts(url: str, writers: int, seconds: float) -> tuple[int, list[float]]:
    """Unordered single-row INSERTs, each its own transaction."""
    payload = '{"title":"' + "x" * 500 + '","kind":"shootdown","tags":["a","b"]}'

    async def writer(took: list[float], until: float) -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            while (started := time.perf_counter()) < until:
                await connection.execute(
                    "INSERT INTO raw (stream, version, event_id, type, actor, correlation_id, payload)"
                    " VALUES (%s, 1, %s, 'incident-opened', 'local', %s, %s)",
                    (f"incident:{new_id()}", new_id(), new_id(), payload),
                )
                took.append(time.perf_counter() - started)

    return await _race(writer, writers, seconds)


async def appends(url: str, ledger_id: UUID, writers: int, seconds: float) -> tuple[int, list[float]]:
    """Appends to the log: durable, ordered, hashed, each with its expected version and its rows of the histories."""
    async with make_pool(url, Settings(pool_size=4)) as pool:
        log = Log(pool)

        async def writer(took: list[float], until: float) -> None:
            while (started := time.perf_counter()) < until:
                stream = f"incident:{new_id()}"
                outcome = await log.append(
                    ledger_id,
                    Append(
                        actor="local",
                        correlation_id=new_id(),
                        expected={stream: 0},
                        events=(NewEvent(event_id=new_id(), stream=stream, event=EVENT),),
                        before={stream: Incident()},
                    ),
                )
                assert outcome.outcome == "appended"
                took.append(time.perf_counter() - started)

        return await _race(writer, writers, seconds)


async def _race(
    writer: Callable[[list[float], float], Awaitable[None]], writers: int, seconds: float
) -> tuple[int, list[float]]:
    took: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(writer(took, until) for _ in range(writers)))
    return len(took), sorted(took)


async def _new_ledger(url: str) -> UUID:
    ledger_id = new_id()
    stream = f"ledger:{ledger_id}"
    created = NewEvent(event_id=new_id(), stream=stream, event=LedgerCreated(name=f"bench-{ledger_id}", title="Bench"))
    async with make_pool(url, Settings(pool_size=2)) as pool:
        await Log(pool).append(
            ledger_id,
            Append(
                actor="bench",
                correlation_id=new_id(),
                expected={stream: 0},
                events=(created,),
                ledger_name=f"bench-{ledger_id}",
            ),
        )
    return ledger_id


def _summary(rates: list[float]) -> str:
    return f"{statistics.median(rates):8,.0f}/s [{min(rates):,.0f} .. {max(rates):,.0f}]"


def run(url: str, rounds: int, seconds: float, events: int) -> list[dict[str, Any]]:
    """The rows of the table."""
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(RAW)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    ledger_id = asyncio.run(_new_ledger(url))
    rows = []
    for writers in (1, 16):
        ours: list[float] = []
        raw: list[float] = []
        took: list[float] = []
        for _ in range(rounds):
            count, _ = asyncio.run(raw_inserts(url, writers, seconds))
            raw.append(count / seconds)
            count, latencies = asyncio.run(appends(url, ledger_id, writers, seconds))
            ours.append(count / seconds)
            took += latencies
        took.sort()
        ratio = statistics.median(a / b for a, b in zip(ours, raw, strict=True))
        p50, p99 = took[len(took) // 2] * 1000, took[len(took) * 99 // 100] * 1000
        print(f"append-{writers:<3} stet {_summary(ours)}   raw INSERT {_summary(raw)}   ratio {ratio:.2f}")
        print(f"           one append: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
        rows.append({"name": f"append-{writers}", "value": statistics.median(ours), "ratio": ratio, "rounds": rounds})
    rows += importing.run(url, [asyncio.run(_new_ledger(url)) for _ in range(rounds)], events // 10)
    folded = asyncio.run(_new_ledger(url))
    rows += rebuild.run(url, folded, events, rounds)
    return rows + restore.run(url, folded, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--url", help="a PostgreSQL to use; default: an embedded one of its own")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each figure in each round")
    parser.add_argument("--events", type=int, default=20_000, help="how many a rebuild folds, and a restore brings")
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    arguments = parser.parse_args()
    if arguments.url:
        rows = run(arguments.url, arguments.rounds, arguments.seconds, arguments.events)
    else:
        with tempfile.TemporaryDirectory(prefix="stet-bench-") as folder, embedded(Path(folder)) as url:
            rows = run(url, arguments.rounds, arguments.seconds, arguments.events)
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows}, indent=2) + "\n")


main()
