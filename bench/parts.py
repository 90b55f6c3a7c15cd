"""What an append is made of: the parts from which docs/performance.md tells how it goes on another machine."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg

from bench.frame import Bench, Row, counted, new_ledger
from stet.database.pool import make_pool
from stet.ids import new_id
from stet.incident.events import IncidentOpened
from stet.incident.state import Incident
from stet.settings import Settings
from stet.store.append import Append, Log, NewEvent

_EVENT = IncidentOpened(title="x" * 500, kind="shootdown", tags=("a", "b"))
_TABLE = "CREATE TABLE IF NOT EXISTS part (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload text)"


def run(bench: Bench) -> Iterator[Row]:
    """The medians of the rounds, in ms; those of the processor as it is spent, whatever else is waited for."""
    ledger_id = asyncio.run(new_ledger(bench.url))
    each = max(50, int(bench.seconds * 200))
    rounds = [_parts(bench.url, ledger_id, each) for _ in range(bench.rounds)]
    told = {
        "part-round-trip": "an empty statement and its answer",
        "part-fsync": "what a commit waits for the disk: an INSERT with synchronous_commit on, less one without",
        "part-client-1": "processor time of this process for one append alone",
        "part-server-1": "processor time of PostgreSQL for one append alone",
        "part-client-64": "processor time of this process for one of 64 appends that ride together",
        "part-server-64": "processor time of PostgreSQL for one of 64 appends that ride together",
    }
    for name, what in told.items():
        if name in rounds[0]:
            yield counted(name, what, [found[name] for found in rounds], unit="ms")


def _parts(url: str, ledger_id: UUID, each: int) -> dict[str, float]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TABLE)
        empty = _each(connection, "SELECT 1", each)
        durable = _each(connection, "INSERT INTO part (payload) VALUES ('x')", each)
        connection.execute("SET synchronous_commit = off")
        lazy = _each(connection, "INSERT INTO part (payload) VALUES ('x')", each)
    found = {"part-round-trip": empty, "part-fsync": durable - lazy}
    for writers in (1, 64):
        client, server = asyncio.run(_spent(url, ledger_id, writers, each))
        found[f"part-client-{writers}"] = client
        if server is not None:
            found[f"part-server-{writers}"] = server
    return found


def _each(connection: psycopg.Connection, statement: str, times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        connection.execute(statement.encode())
    return (time.perf_counter() - began) * 1000 / times


async def _spent(url: str, ledger_id: UUID, writers: int, each: int) -> tuple[float, float | None]:
    """The ms of processor time of an append: of this process, and of the one backend that it talks to."""
    async with make_pool(url, Settings(pool_size=1)) as pool:
        async with pool.connection() as connection:
            backend = connection.info.backend_pid
        log = Log(pool)

        async def write(times: int) -> None:
            for _ in range(times):
                await log.append(ledger_id, _append())

        await write(20)
        client, server = time.process_time(), _processor_time(backend)
        await asyncio.gather(*(write(max(1, each // writers)) for _ in range(writers)))
        appended = writers * max(1, each // writers)
        client, after = time.process_time() - client, _processor_time(backend)
    spent = None if server is None or after is None else (after - server) * 1000 / appended
    return client * 1000 / appended, spent


def _append() -> Append:
    stream = f"incident:{new_id()}"
    return Append(
        actor="bench",
        correlation_id=new_id(),
        expected={stream: 0},
        events=(NewEvent(event_id=new_id(), stream=stream, event=_EVENT),),
        before={stream: Incident()},
    )


def _processor_time(pid: int) -> float | None:
    """Seconds; None where there is no /proc, or the server is on another machine."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
