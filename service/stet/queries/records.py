"""The rows of a data set as they were published, at any cut."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import Raw, Struct
from psycopg import sql

from stet.database.finish import finished
from stet.database.pool import HISTORIES, Connection, Pool, of_ledger, snapshot
from stet.envelope import Cut
from stet.queries.cut import AsOf, ReadCut, resolve_cut
from stet.queries.filters import both, kept, of_cut
from stet.queries.one import read_stream_at
from stet.sql import load

_LIST_RECORDS = load("list_records")
_READ_PROGRESS = load("read_progress")
_PAGE = 1_000


class RecordRow(Struct, frozen=True):
    """A row of a data set."""

    key: str
    record: Raw
    """An object, byte for byte as it was published."""


class Progress(Struct, frozen=True, kw_only=True):
    """How far a data set has been published."""

    source_id: UUID
    last_seq: int | None
    """The highest number of a line that came in; null: none had a number."""
    last_said_at: datetime | None
    """The latest moment at which a row was published or taken back; null: there was none."""
    cut: Cut


class RecordsCut(NamedTuple):
    """Which rows to read."""

    ledger_id: UUID
    source_id: UUID
    cut: ReadCut


async def records_cut(connection: Connection, ledger_id: UUID, source_id: UUID, cut: ReadCut) -> RecordsCut:
    """Raises NotFound if there is no such source at the cut."""
    await read_stream_at(connection, ledger_id, f"source:{source_id}", cut)
    return RecordsCut(ledger_id, source_id, cut)


async def read_records(pool: Pool, wanted: RecordsCut) -> AsyncIterator[list[RecordRow]]:
    """The rows in the order of their keys, by code points, in pages. No connection is held in between.

    A row is what the last line of its key, in the order of recording, published, of the lines that the cut keeps: what
    the desk does to the statement changes nothing in that.
    """
    after = ""
    while page := await finished(_page(pool, wanted, after)):
        yield [RecordRow(key, Raw(record.encode())) for key, record in page if record is not None]
        after = page[-1][0]


async def _page(pool: Pool, wanted: RecordsCut, after: str) -> list[tuple[str, str | None]]:
    parameters = of_cut(wanted.ledger_id, wanted.cut)
    parameters |= {"source_id": wanted.source_id, "after": after, "limit": _PAGE}
    statement = sql.SQL(_LIST_RECORDS).format(filters=both(kept(wanted.cut)))
    async with of_ledger(pool, wanted.ledger_id) as connection, snapshot(connection, HISTORIES):
        return [(key, row) for key, row in await (await connection.execute(statement, parameters)).fetchall()]


async def view_progress(
    connection: Connection, ledger_id: UUID, source_id: UUID, as_of: AsOf
) -> tuple[ReadCut, Progress]:
    """How far a data set has been published. Raises NotFound if there is no such source at the cut."""
    cut = await resolve_cut(connection, ledger_id, as_of)
    await records_cut(connection, ledger_id, source_id, cut)
    parameters = of_cut(ledger_id, cut) | {"source_id": source_id}
    row = await (await connection.execute(_READ_PROGRESS, parameters)).fetchone()
    assert row
    return cut, Progress(source_id=source_id, last_seq=row[0], last_said_at=row[1], cut=cut.of_ledger())
