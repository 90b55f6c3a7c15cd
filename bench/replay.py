"""What it costs to fold incidents again: a rebuild of `incident_history` against a raw ordered read of the same log, at
1 and 2 workers; one incident of ever more statements; and the rows that statements in random order come to."""

from __future__ import annotations

import asyncio
import gc
import random
import resource
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from bench.frame import Bench, Row, compared, counted, new_ledger
from stet.codec import TYPES, AnyEvent
from stet.database.pool import make_pool
from stet.envelope import Recorded
from stet.handle import Context, Decision, Reader, handle, to_events
from stet.ids import new_id
from stet.incident.claim import Claim, SaidAt
from stet.incident.events import IncidentOpened, StatementRecorded
from stet.incident.slices import reach, splice
from stet.incident.standing import Standing
from stet.incident.state import fold
from stet.projections import history
from stet.projections.projection import build
from stet.projections.rebuild.job import RebuildRequest, add_rebuild
from stet.projections.rebuild.run import run_rebuild
from stet.settings import Settings
from stet.store.append import Log

STATEMENTS = 9
SIZES = (10, 100, 1_000, 10_000)
_SPEAKERS = 3
_ATTRIBUTES = ("killed", "injured", "missing")
_AT_ONCE = 32
_FOLDED = 3
_BEGAN = datetime(2020, 11, 9, 14, 30, tzinfo=UTC)


async def generate(url: str, ledger_id: UUID, events: int) -> None:
    """Incidents of ten events each, all through the ordinary append: nine statements of three speakers, in order."""
    speakers = [new_id() for _ in range(_SPEAKERS)]
    async with make_pool(url, Settings(pool_size=8)) as pool:
        log = Log(pool)

        async def some(numbers: range) -> None:
            for n in numbers:
                stream = f"incident:{new_id()}"

                async def decide(reader: Reader, stream: str = stream, n: int = n) -> Decision:
                    await reader.states((stream,))
                    return Decision("/", to_events(stream, _incident(n, UUID(stream[9:]), speakers, range(STATEMENTS))))

                context = Context(actor="bench", correlation_id=new_id(), request_digest=b"")
                await handle(pool, log, ledger_id, None, decide, context)

        whole = range(events // (1 + STATEMENTS))
        await asyncio.gather(*(some(whole[k::_AT_ONCE]) for k in range(_AT_ONCE)))


def _incident(n: int, incident_id: UUID, speakers: Sequence[UUID], order: Sequence[int]) -> list[AnyEvent]:
    """Statements, each of them said at its number in hours; they are recorded in the order given."""
    opened = IncidentOpened(title=f"Incident {n}", kind="shootdown", tags=("a", "b"))
    return [opened, *(_statement(n, k, incident_id, speakers[k % len(speakers)]) for k in order)]


def _statement(n: int, k: int, incident_id: UUID, speaker: UUID) -> StatementRecorded:
    value = msgspec.Raw(msgspec.json.encode({"min": k, "max": k + n % 5}))
    attribute = _ATTRIBUTES[k // _SPEAKERS % len(_ATTRIBUTES)]
    claim = Claim(claim_id=new_id(), attribute=attribute, type_="count", value=value)
    at = _BEGAN + timedelta(minutes=n, hours=k)
    return StatementRecorded(
        statement_id=new_id(),
        incidents=(incident_id,),
        speaker=speaker,
        said_at=SaidAt(earliest=at, latest=at),
        verbatim="x" * 200,
        claims=(claim,),
    )


def stream_of(order: Sequence[int]) -> list[Recorded[Any]]:
    """One incident as its stream holds it, an append for each event."""
    incident_id = new_id()
    speakers = [new_id() for _ in range(_SPEAKERS)]
    numbered = zip(count(1), _incident(1, incident_id, speakers, order), strict=False)
    return [
        Recorded(
            position=n,
            stream=f"incident:{incident_id}",
            stream_version=n,
            event_id=new_id(),
            type=TYPES[type(event)],
            schema_version=1,
            recorded_at=_BEGAN + timedelta(days=1_000, seconds=n),
            actor="bench",
            correlation_id=new_id(),
            causation_id=None,
            event=event,
        )
        for n, event in numbered
    ]


def replayed(events: Sequence[Recorded[Any]], least: int = 2_000) -> float:
    """The CPU seconds of an event where a stream is replayed, as often as it takes to see at least so many events."""
    times = max(1, least // len(events))
    with _as_a_worker():
        began = time.process_time()
        for _ in range(times):
            build(history.PROJECTION, events)
        return (time.process_time() - began) / times / len(events)


@contextmanager
def _as_a_worker() -> Iterator[None]:
    """Without looking for circles in what is folded, as the process of a rebuild's worker does not."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def appended(events: Sequence[Recorded[Any]], times: int = 20) -> float:
    """The CPU seconds that the rows of one more statement take, upon the state that was decided on."""
    before, last = fold(events[:-1]), events[-1:]
    took = 0.0
    state = None
    for event in events[:-1]:
        state, _ = history.step(state, [event])
    assert state
    for _ in range(times):
        began = time.process_time()
        after = fold(last, before)
        changed = history.changed_of({id_: before.statements.get(id_) for id_ in history.touched_by(last)}, after)
        standing = Standing.of(before, after, changed)
        reached = reach(before, after, changed, standing)
        tail = [one for one in state.live[-2:] if reached.since and one.said_to >= reached.since]
        history.changes_of(before, after, changed, splice(tail, reached, standing))
        took += time.process_time() - began
    return took / times


def flat(rounds: int, most: int) -> Iterator[Row]:
    """What an event costs in an incident of ever more statements, up to so many, and what rows come of it."""
    sizes = [size for size in SIZES if size <= most]
    streams = {size: stream_of(range(size)) for size in sizes}
    costs = [{size: replayed(events) for size, events in streams.items()} for _ in range(rounds)]
    rows_made = [{size: appended(events) for size, events in streams.items()} for _ in range(rounds)]
    for size in sizes:
        micros = [1e6 * statistics.median(one[size] for one in some) for some in (costs, rows_made)]
        print(f"replay     {size:6,} statements: {micros[0]:.0f} us an event, {micros[1]:.0f} us to append one more")
    yield compared(
        "replay-flat",
        f"CPU of an event in replays of incidents of 10 to {sizes[-1]:,} statements in order; the greatest, the least",
        [(1e6 * max(one.values()), 1e6 * min(one.values())) for one in costs],
        target=2.0,
        at_most=True,
        unit="us",
    )
    yield compared(
        "replay-append",
        f"CPU of the rows of one more statement, by the state that was decided on: at {sizes[-1]:,} statements; at 10",
        [(1e6 * one[sizes[-1]], 1e6 * one[sizes[0]]) for one in rows_made],
        unit="us",
    )
    order = list(range(min(1_000, sizes[-1])))
    in_order = stream_of(order)
    random.Random(8).shuffle(order)
    shuffled = stream_of(order)
    rows = [len(build(history.PROJECTION, some).rows("incident_history")) for some in (shuffled, in_order)]
    yield compared(
        "replay-random",
        f"rows of incident_history an event, of {len(order):,} statements recorded in random order; in order",
        [(rows[0] / len(shuffled), rows[1] / len(in_order))],
        unit="rows",
    )


def read_raw(url: str, ledger_id: UUID) -> float:
    """Events a second of one ordered read of the whole log."""
    began, read = time.perf_counter(), 0
    with psycopg.connect(url) as connection, connection.cursor(name="raw") as cursor:
        cursor.itersize = 5_000
        cursor.execute("SELECT * FROM stet.event WHERE ledger_id = %s ORDER BY position", (ledger_id,))
        for _ in cursor:
            read += 1
    return read / (time.perf_counter() - began)


def rebuild(url: str, workers: int) -> tuple[float, float]:
    """Events a second while copying, and the seconds of the whole rebuild; the live tables stay."""
    rebuild_id = new_id()
    with psycopg.connect(url, autocommit=True) as connection:
        asked = RebuildRequest(workers=workers, verify_only=True)
        add_rebuild(connection, rebuild_id, history.PROJECTION.name, history.PROJECTION.version, asked)
    began = time.perf_counter()
    view = run_rebuild(url, rebuild_id)
    assert view and view.rate and view.phase == "done", view and view.error
    assert all(digest.live == digest.rebuilt for digest in view.digests)
    return view.rate, time.perf_counter() - began


def run(bench: Bench) -> Iterator[Row]:
    """The rows of the table."""
    yield from flat(bench.rounds, bench.events)
    ledger_id = asyncio.run(new_ledger(bench.url))
    # A worker's process starts in the time of some thousand events: with few it would hide what two workers gain.
    asyncio.run(generate(bench.url, ledger_id, _FOLDED * bench.events))
    raw: list[float] = []
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(bench.rounds):
        raw.append(read_raw(bench.url, ledger_id))
        for workers, found in rates.items():
            rate, took = rebuild(bench.url, workers)
            found.append(rate)
            print(f"rebuild    {workers} workers: {rate:,.0f} events/s, {took:.1f} s with indexes and comparison")
    yield compared(
        "rebuild",
        "events/s of incident_history, copied by one worker; a raw ordered read of the same log",
        list(zip(rates[1], raw, strict=True)),
        target=0.1,
    )
    yield compared(
        "rebuild-2",
        "events/s of two workers; one worker",
        list(zip(rates[2], rates[1], strict=True)),
        target=1.8,
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    yield counted("rebuild-memory", "the most memory that a worker of a rebuild took", [peak], unit="MiB")
