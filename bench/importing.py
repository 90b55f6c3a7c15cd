"""What publishing rows of a data set costs, through decide and the inline history, against a raw COPY of its events."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg

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

_CHUNK = 200
_BEGAN = datetime(2025, 5, 4, 13, 53, tzinfo=UTC)
_RAW = """
CREATE TABLE IF NOT EXISTS copied (
    ledger_id uuid NOT NULL, position bigint NOT NULL, stream text NOT NULL, stream_version bigint NOT NULL,
    event_id uuid NOT NULL, type text NOT NULL, payload json NOT NULL, PRIMARY KEY (ledger_id, position))
"""


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
    """Seconds, in chunks of 200 lines, one after the other."""
    async with make_pool(url, Settings(pool_size=4)) as pool:
        log, source_id = Log(pool), new_id()

        def context() -> Context:
            return Context(actor="bench", correlation_id=new_id(), request_digest=b"")

        register = change_source(RegisterSource(name="Data set", kind="data-set"), source_id, "/")
        await handle(pool, log, ledger_id, None, register, context())
        every = list(lines(count))
        began = time.perf_counter()
        for start in range(0, count, _CHUNK):
            command = PublishRecords(source_id=source_id, lines=tuple(every[start : start + _CHUNK]))
            await handle(pool, log, ledger_id, None, publish_records(command, "/"), context())
        return time.perf_counter() - began


def copy_raw(url: str, ledger_id: UUID) -> tuple[int, float]:
    """How many events the log has, and the seconds of one COPY of them into a plain table."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT ledger_id, position, stream, stream_version, event_id, type, payload::text FROM stet.event"
            " WHERE ledger_id = %s ORDER BY position",
            (ledger_id,),
        ).fetchall()
        connection.execute(_RAW)
        connection.execute("TRUNCATE copied")
        connection.commit()
        began = time.perf_counter()
        with connection.cursor().copy("COPY copied FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        connection.commit()
        return len(rows), time.perf_counter() - began


def run(url: str, ledger_ids: list[UUID], count: int) -> list[dict[str, Any]]:
    """The row of the table: a round for each ledger."""
    ours, raw, records = [], [], []
    for ledger_id in ledger_ids:
        took = asyncio.run(publish(url, ledger_id, count))
        events, copied = copy_raw(url, ledger_id)
        ours.append(events / took)
        raw.append(events / copied)
        records.append(count / took)
    mine, copy = statistics.median(ours), statistics.median(raw)
    print(f"import     {statistics.median(records):,.0f} records/s = {mine:,.0f} events/s, raw COPY {copy:,.0f}/s")
    print(f"           ratio {mine / copy:.3f}")
    return [{"name": "import", "value": mine, "baseline": copy, "ratio": mine / copy, "rounds": len(ledger_ids)}]
