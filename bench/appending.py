"""The writers whose appends are measured, each on one event loop, as in the service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

import psycopg
from msgspec.structs import replace

from bench.frame import Latencies
from stet.database.pool import make_pool
from stet.handle import Context, Decision, Reader, handle, to_events
from stet.ids import new_id
from stet.incident.events import IncidentAmended, IncidentOpened
from stet.incident.state import Incident
from stet.settings import Settings
from stet.source.events import SourceRegistered, SourceRevised
from stet.source.state import Source
from stet.store.append import Append, Log, NewEvent

_TEXT = "x" * 500
_OPENED = IncidentOpened(title=_TEXT, kind="shootdown", tags=("a", "b"))
_REVISED = SourceRevised(reliability="B", reason=_TEXT)
RAW = """
CREATE TABLE IF NOT EXISTS raw (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL, version bigint NOT NULL,
    event_id uuid NOT NULL, type text NOT NULL, recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL, correlation_id uuid NOT NULL, payload json NOT NULL, UNIQUE (stream, version))
"""
_INSERT = """
INSERT INTO raw (stream, version, event_id, type, actor, correlation_id, payload)
VALUES (%s, 1, %s, 'incident-opened', 'local', %s, %s)
"""
Kind = Literal["log", "history"]
APPENDS: tuple[Kind, ...] = ("log", "history")
_LENGTH = 20
"""How many events a writer adds to an incident before it takes another."""
_WARM = 0.2
"""Seconds before anything is counted: plans are made, and connections."""


class Rate(NamedTuple):
    """How many a second, the p50 and p99 in ms, and how long each took in seconds, as far as it is known."""

    rate: float
    p50: float
    p99: float
    took: list[float]

    @classmethod
    def of(cls, took: list[float], seconds: float) -> Rate:
        latencies = Latencies(took)
        return cls(len(took) / seconds, latencies.at(0.5), latencies.at(0.99), took)

    @classmethod
    def sum(cls, rates: Sequence[Rate]) -> Rate:
        """That of some that were measured at once."""
        latencies = Latencies([one for rate in rates for one in rate.took])
        return cls(sum(one.rate for one in rates), latencies.at(0.5), latencies.at(0.99), latencies.took)


Writer = Callable[[], Awaitable[None]]


async def raw_inserts(url: str, writers: int, seconds: float) -> Rate:
    """Unordered single-row INSERTs, each its own transaction, on a connection for each writer."""
    payload = '{"title":"' + _TEXT + '","kind":"shootdown","tags":["a","b"]}'
    connections = [await psycopg.AsyncConnection.connect(url, autocommit=True) for _ in range(writers)]

    def writer(connection: psycopg.AsyncConnection) -> Writer:
        async def write() -> None:
            await connection.execute(_INSERT, (f"incident:{new_id()}", new_id(), new_id(), payload))

        return write

    try:
        return await _race([writer(one) for one in connections], seconds)
    finally:
        for connection in connections:
            await connection.close()


async def appends(url: str, ledger_ids: Sequence[UUID], writers: int, seconds: float, kind: Kind) -> Rate:
    """Appends of one event each; the writers take turns at the ledgers."""
    async with make_pool(url, Settings(pool_size=2 * len(ledger_ids) + 2)) as pool:
        log = Log(pool)
        make = {"log": _revises, "history": _opens}[kind]
        return await _race([await make(log, ledger_ids[n % len(ledger_ids)]) for n in range(writers)], seconds)


async def _opens(log: Log, ledger_id: UUID) -> Writer:
    async def write() -> None:
        stream = f"incident:{new_id()}"
        await _append(log, ledger_id, stream, Incident(), _OPENED)

    return write


async def _revises(log: Log, ledger_id: UUID) -> Writer:
    stream, state = f"source:{new_id()}", Source()
    await _append(log, ledger_id, stream, state, SourceRegistered(name=f"Source {new_id()}", kind="outlet"))

    async def write() -> None:
        nonlocal state
        state = replace(state, version=state.version + 1)
        await _append(log, ledger_id, stream, state, _REVISED)

    return write


async def _append(
    log: Log,
    ledger_id: UUID,
    stream: str,
    before: Incident | Source,
    event: IncidentOpened | SourceRegistered | SourceRevised,
) -> None:
    append = Append(
        actor="local",
        correlation_id=new_id(),
        expected={stream: before.version},
        events=(NewEvent(event_id=new_id(), stream=stream, event=event),),
        before={stream: before},
    )
    assert (await log.append(ledger_id, append)).outcome == "appended"


async def revisions(url: str, ledger_id: UUID, writers: int, seconds: float, *, hot: bool) -> Rate:
    """Whole commands: an incident is read and amended. All write to one of a few, if it is hot; else each to his own.

    An incident gets another after some events, so that what is measured is the race and not the length of a stream.
    """
    async with make_pool(url, Settings(pool_size=10)) as pool:
        log = Log(pool)
        streams: dict[int, str] = {}

        def writer(n: int) -> Writer:
            written = 0

            async def write() -> None:
                nonlocal written
                who = -1 if hot else n
                if written % _LENGTH == 0 and (not hot or n == 0):
                    streams.pop(who, None)
                written += 1
                stream = streams.setdefault(who, f"incident:{new_id()}")

                async def decide(reader: Reader) -> Decision:
                    seen = await reader.incident(UUID(stream[9:]))
                    event = IncidentAmended(title=f"{n} {written}", reason=_TEXT) if seen.version else _OPENED
                    return Decision("/", to_events(stream, [event]))

                context = Context(actor="local", correlation_id=new_id(), request_digest=b"")
                await handle(pool, log, ledger_id, stream, decide, context)

            return write

        return await _race([writer(n) for n in range(writers)], seconds)


async def _race(writers: Sequence[Writer], seconds: float) -> Rate:
    async def run(write: Writer, took: list[float], until: float) -> None:
        while (began := time.perf_counter()) < until:
            await write()
            took.append(time.perf_counter() - began)

    found: list[float] = []
    for took, for_ in ([], _WARM), (found, seconds):
        until = time.perf_counter() + for_
        await asyncio.gather(*(run(write, took, until) for write in writers))
    return Rate.of(found, seconds)
