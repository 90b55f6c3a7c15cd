"""What publishing rows of a data set costs, through decide and the inline histories, against a raw COPY of its events.

The rows are published in chunks of 200, one after the other, as `stet import` sends them. The COPY has the same events
in a plain table with one key, formatted by the driver. For a million: `--only import --events 1000000 --rounds 1`.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from multiprocessing import get_context
from resource import RUSAGE_SELF, getrusage
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import msgspec
import psycopg

from bench.frame import Bench, Row, compared, new_ledger
from stet.database.pool import make_pool
from stet.handle import Context, handle
from stet.handle.ledger import change_source
from stet.handle.records import publish_records
from stet.ids import new_id
from stet.incident.claim import Record
from stet.incident.commands import ClaimInput
from stet.incident.publish import PublishRecords, RecordLine
from stet.settings import Settings
from stet.source.commands import RegisterSource
from stet.store.append import Log

P = ParamSpec("P")
T = TypeVar("T")
_CHUNK = 200
_BEGAN = datetime(2025, 5, 4, 13, 53, tzinfo=UTC)
_RAW = """
CREATE TABLE IF NOT EXISTS copied (
    ledger_id uuid NOT NULL, position bigint NOT NULL, stream text NOT NULL, stream_version bigint NOT NULL,
    event_id uuid NOT NULL, type text NOT NULL, payload json NOT NULL, PRIMARY KEY (ledger_id, position))
"""


def lines_for(events: int) -> int:
    """How many lines lead to about so many events: three to seven."""
    return max(3, events * 3 // 7)


def lines(count: int) -> Iterator[RecordLine]:
    """Of three lines two publish a row and one replaces one: a magnitude, a depth, a time and a place."""
    for n in range(count):
        key, at = f"k{n - n % 3 + (n % 3) % 2:07}", _BEGAN + timedelta(seconds=n)
        row = {"mag": n % 70 / 10, "place": f"{n % 90} km of somewhere", "lon": n % 360 - 180, "lat": n % 180 - 90}
        values: dict[str, Any] = {
            "occurred_at": {"earliest": _BEGAN, "latest": at},
            "place": {"geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]}, "level": "settlement"},
            "distance": {"amount": n % 90, "unit": "km"},
            "weapon": f"none {n % 5}",
        }
        claims = tuple(ClaimInput(attribute=a, value=msgspec.Raw(msgspec.json.encode(v))) for a, v in values.items())
        record = Record(key=key, value=msgspec.Raw(msgspec.json.encode(row)), seq=n)
        yield RecordLine(
            record=record, said_at=at.isoformat(), title=f"M {row['mag']}", kind="earthquake", claims=claims
        )


async def publish(url: str, ledger_id: UUID, count: int) -> float:
    """The seconds that the service takes for so many lines; making them is not counted."""
    took = 0.0
    async with make_pool(url, Settings(pool_size=4)) as pool:
        log, source_id = Log(pool), new_id()

        def context() -> Context:
            return Context(actor="bench", correlation_id=new_id(), request_digest=b"")

        register = change_source(RegisterSource(name="Data set", kind="data-set"), source_id, "/")
        await handle(pool, log, ledger_id, None, register, context())
        made = lines(count)
        while chunk := tuple(islice(made, _CHUNK)):
            command = PublishRecords(source_id=source_id, lines=chunk)
            began = time.perf_counter()
            await handle(pool, log, ledger_id, None, publish_records(command, "/"), context())
            took += time.perf_counter() - began
    return took


def published(url: str, ledger_id: UUID, count: int) -> tuple[float, int]:
    """The seconds, and the most memory that the process has had, in bytes."""
    return asyncio.run(publish(url, ledger_id, count)), memory()


def memory() -> int:
    """The most memory that this process has had, in bytes."""
    return getrusage(RUSAGE_SELF).ru_maxrss * 1024


def alone(what: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls something in a process of its own, whose memory is its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(what, *args, **kwargs).result()


def copy_raw(url: str, ledger_id: UUID) -> tuple[int, float]:
    """How many events the log has, and the seconds of one COPY of them into a plain table."""
    events, took = 0, 0.0
    columns = b"ledger_id, position, stream, stream_version, event_id, type, payload::text"
    with psycopg.connect(url) as reading, psycopg.connect(url) as connection:
        connection.execute(_RAW)
        connection.execute("TRUNCATE copied")
        connection.commit()
        with reading.cursor(name="log") as cursor:
            cursor.itersize = 10_000
            cursor.execute(
                b"SELECT " + columns + b" FROM stet.event WHERE ledger_id = %s ORDER BY position", (ledger_id,)
            )
            while rows := cursor.fetchmany(10_000):
                events += len(rows)
                began = time.perf_counter()
                with connection.cursor().copy("COPY copied FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                took += time.perf_counter() - began
        began = time.perf_counter()
        connection.commit()
    return events, took + time.perf_counter() - began


def run(bench: Bench) -> Iterator[Row]:
    """`import`: a ledger of its own for each round."""
    count, rounds, records, most = lines_for(bench.events), [], [], 0
    for _ in range(bench.rounds):
        ledger_id = asyncio.run(new_ledger(bench.url))
        took, used = alone(published, bench.url, ledger_id, count)
        events, copied = copy_raw(bench.url, ledger_id)
        rounds.append((events / took, events / copied))
        records.append(count / took)
        most = max(most, used)
    yield compared("import", "rows of a data set, published; raw COPY of their events", rounds, target=0.08)
    print(f"           {count:,} records: {statistics.median(records):,.0f}/s, at most {most / 1e6:,.0f} MB of memory")
