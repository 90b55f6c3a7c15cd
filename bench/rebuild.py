"""What a rebuild of `incident_history` costs at 1 and 2 workers, against a raw ordered read of the same log."""

from __future__ import annotations

import asyncio
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from stet.codec import AnyEvent
from stet.database.pool import make_pool
from stet.handle import Context, Decision, Reader, handle, to_events
from stet.ids import new_id
from stet.incident.claim import Claim, SaidAt
from stet.incident.events import IncidentOpened, StatementRecorded
from stet.projections.history import PROJECTION
from stet.projections.rebuild.job import RebuildRequest, add_rebuild
from stet.projections.rebuild.run import run_rebuild
from stet.settings import Settings
from stet.store.append import Log

STATEMENTS = 9
_AT_ONCE = 32
_BEGAN = datetime(2020, 11, 9, 14, 30, tzinfo=UTC)


async def generate(url: str, ledger_id: UUID, events: int) -> None:
    """Incidents of ten events each, all through the ordinary append: nine statements of three speakers, in order."""
    speakers = [new_id() for _ in range(3)]
    async with make_pool(url, Settings(pool_size=8)) as pool:
        log = Log(pool)

        async def some(numbers: range) -> None:
            for n in numbers:
                stream = f"incident:{new_id()}"

                async def decide(reader: Reader, stream: str = stream, n: int = n) -> Decision:
                    await reader.states((stream,))
                    return Decision("/", to_events(stream, _incident(n, UUID(stream[9:]), speakers)))

                context = Context(actor="bench", correlation_id=new_id(), request_digest=b"")
                await handle(pool, log, ledger_id, None, decide, context)

        whole = range(events // (1 + STATEMENTS))
        await asyncio.gather(*(some(whole[k::_AT_ONCE]) for k in range(_AT_ONCE)))


def _incident(n: int, incident_id: UUID, speakers: list[UUID]) -> list[AnyEvent]:
    opened = IncidentOpened(title=f"Incident {n}", kind="shootdown", tags=("a", "b"))
    return [opened, *(_statement(n, k, incident_id, speakers[k % 3]) for k in range(STATEMENTS))]


def _statement(n: int, k: int, incident_id: UUID, speaker: UUID) -> StatementRecorded:
    value = msgspec.Raw(msgspec.json.encode({"min": k, "max": k + n % 5}))
    claim = Claim(claim_id=new_id(), attribute="killed", type_="count", value=value)
    at = _BEGAN + timedelta(minutes=n, hours=k)
    return StatementRecorded(
        statement_id=new_id(),
        incidents=(incident_id,),
        speaker=speaker,
        said_at=SaidAt(earliest=at, latest=at),
        verbatim="x" * 200,
        claims=(claim,),
    )


def read_raw(url: str, ledger_id: UUID) -> float:
    """Events a second of one ordered read of the whole log."""
    began, count = time.perf_counter(), 0
    with psycopg.connect(url) as connection, connection.cursor(name="raw") as cursor:
        cursor.itersize = 5_000
        cursor.execute("SELECT * FROM stet.event WHERE ledger_id = %s ORDER BY position", (ledger_id,))
        for _ in cursor:
            count += 1
    return count / (time.perf_counter() - began)


def rebuild(url: str, workers: int) -> tuple[float, float]:
    """Events a second while copying, and the seconds of the whole rebuild; the live tables stay."""
    rebuild_id = new_id()
    with psycopg.connect(url, autocommit=True) as connection:
        asked = RebuildRequest(workers=workers, verify_only=True)
        add_rebuild(connection, rebuild_id, PROJECTION.name, PROJECTION.version, asked)
    began = time.perf_counter()
    view = run_rebuild(url, rebuild_id)
    assert view and view.rate and view.phase == "done", view and view.error
    assert all(digest.live == digest.rebuilt for digest in view.digests)
    return view.rate, time.perf_counter() - began


def run(url: str, ledger_id: UUID, events: int, rounds: int) -> list[dict[str, Any]]:
    """The rows of the table."""
    asyncio.run(generate(url, ledger_id, events))
    raw: list[float] = []
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        raw.append(read_raw(url, ledger_id))
        for workers, found in rates.items():
            rate, took = rebuild(url, workers)
            found.append(rate)
            print(f"rebuild    {workers} workers: {rate:,.0f} events/s, {took:.1f} s with indexes and comparison")
    one, two, read = (statistics.median(found) for found in (rates[1], rates[2], raw))
    print(f"rebuild    {events:,} events: one worker {one:,.0f}/s, two {two:,.0f}/s, raw ordered read {read:,.0f}/s")
    print(f"           ratio to the read {one / read:.3f}, two workers to one {two / one:.2f}")
    return [
        {"name": "rebuild", "value": one, "baseline": read, "ratio": one / read, "rounds": rounds},
        {"name": "rebuild-2", "value": two, "baseline": one, "ratio": two / one, "rounds": rounds},
    ]
