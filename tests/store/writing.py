"""What the tests of the log write, and how they read it back. As a script: a process that writes until it is told."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from stet.codec import AnyEvent
from stet.database.pool import Pool, make_pool
from stet.handle import Context, Decision, Reader, handle, to_events
from stet.ids import new_id
from stet.incident.claim import SaidAt
from stet.incident.events import StatementRecorded
from stet.ledger.events import LedgerCreated
from stet.settings import Settings
from stet.source.events import SourceRegistered
from stet.store.append import Append, Idempotency, Log, NewEvent


class Stored(NamedTuple):
    """An event as the table holds it; events with one `transaction` were committed together."""

    position: int
    stream: str
    stream_version: int
    event_id: UUID
    recorded_at: Any
    actor: str
    correlation_id: UUID
    payload: str
    transaction: str


def source(name: str = "Reuters") -> SourceRegistered:
    return SourceRegistered(name=name, kind="outlet")


def statement(speaker: UUID) -> StatementRecorded:
    return StatementRecorded(statement_id=new_id(), incidents=(), speaker=speaker, said_at=SaidAt(), claims=())


def an_append(
    expected: dict[str, int], *streams: str, actor: str = "tester", key: str | None = None, **more: Any
) -> Append:
    """An append of one event to each of the streams; a stream named twice gets two."""
    events = [
        NewEvent(event_id=new_id(), stream=stream, event=source(f"{stream} {n}")) for n, stream in enumerate(streams)
    ]
    return append_of(expected, events, actor=actor, key=key, **more)


def append_of(
    expected: dict[str, int], events: Sequence[NewEvent], *, actor: str = "tester", key: str | None = None, **more: Any
) -> Append:
    idempotency = Idempotency(key=key, request_digest=b"digest", status=201, location=f"/{key}") if key else None
    return Append(
        actor=actor, correlation_id=new_id(), expected=expected, events=tuple(events), idempotency=idempotency, **more
    )


def event_of(stream: str, event: AnyEvent) -> NewEvent:
    return NewEvent(event_id=new_id(), stream=stream, event=event)


async def make_ledger(log: Log, name: str | None = None) -> UUID:
    """A ledger with one event in its log; its id, which is its name, too, unless that is given."""
    ledger_id = new_id()
    name = name or str(ledger_id)
    stream = f"ledger:{ledger_id}"
    created = append_of({stream: 0}, [event_of(stream, LedgerCreated(name=name, title=name))], ledger_name=name)
    assert (await log.append(ledger_id, created)).outcome == "appended"
    return ledger_id


def read_all(url: str, ledger_id: UUID, after: int = 0) -> list[Stored]:
    """The log as it is stored, by position."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            """SELECT position, stream, stream_version, event_id, recorded_at, actor, correlation_id, payload::text,
                      xmin::text
               FROM stet.event WHERE ledger_id = %s AND position > %s ORDER BY position""",
            (ledger_id, after),
        ).fetchall()
    return [Stored(*row) for row in rows]


def assert_sound(rows: Sequence[Stored]) -> None:
    """Positions and versions are dense from 1; time increases from append to append, and only there."""
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    versions: dict[str, int] = {}
    for row in rows:
        assert row.stream_version == versions.get(row.stream, 0) + 1
        versions[row.stream] = row.stream_version
    for before, after in pairwise(rows):
        assert (before.recorded_at == after.recorded_at) == (before.correlation_id == after.correlation_id)
        assert before.recorded_at <= after.recorded_at


async def _write(url: str, ledger_id: UUID, name: str, streams: int, commands: int, writers: int) -> None:
    """Each writer reads one or two of the shared streams and appends to them; says what was acknowledged."""
    pool = make_pool(url, Settings(pool_size=writers))
    await pool.open(wait=True)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    log = Log(pool)
    try:
        await asyncio.gather(*(_writer(pool, log, ledger_id, f"{name}-{n}", streams, commands) for n in range(writers)))
    finally:
        await pool.close()


async def _writer(pool: Pool, log: Log, ledger_id: UUID, actor: str, streams: int, commands: int) -> None:
    chance = random.Random(actor)
    for _ in range(commands):
        correlation_id = new_id()
        wanted = [f"source:{UUID(int=n)}" for n in chance.sample(range(streams), chance.randint(1, 2))]
        written = [stream for stream in wanted for _ in range(chance.randint(1, 3))]
        claimed: list[tuple[str, int, str]] = []

        async def decide(
            reader: Reader, wanted: list[str] = wanted, written: list[str] = written, claimed: Any = claimed
        ) -> Decision:
            versions = {stream: len(events) for stream, events in (await reader.streams(wanted)).items()}
            events = [event for stream in written for event in to_events(stream, [source(actor)])]
            claimed.clear()
            for event in events:
                versions[event.stream] += 1
                claimed.append((event.stream, versions[event.stream], str(event.event_id)))
            return Decision("/", events)

        context = Context(actor=actor, correlation_id=correlation_id, request_digest=b"")
        outcome = await handle(pool, log, ledger_id, None, decide, context)
        said = {"correlation_id": str(correlation_id), "position": outcome.position, "events": claimed}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    asyncio.run(_write(sys.argv[1], UUID(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:])))
