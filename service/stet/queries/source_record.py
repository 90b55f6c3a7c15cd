"""The record of a source at a cut, from a projection that may be behind the log."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

from msgspec.structs import astuple

from stet.database.pool import Connection, Pool, of_ledger, snapshot
from stet.envelope import Audience, Cut
from stet.incident.state import fold
from stet.projections.source_record import PROJECTION, SourceRecord, records_of
from stet.queries.cut import AsOf, ReadCut, resolve_cut
from stet.queries.one import read_stream
from stet.queries.shown import read_shown
from stet.sql import load

_FIND_LATE = load("find_late")
_READ_CHECKPOINT = load("read_checkpoint")
_READ_SOURCE_RECORD = load("read_source_record")
WAIT_S = 1.0
"""How long an answer waits for a projection that is behind."""
_POLL_S = 0.02
_TABLES = "stet.source_record, stet.restriction_history"


class SourceRecordView(SourceRecord, frozen=True, kw_only=True):
    """What a source said, and what became of it, over all incidents. Numbers of statements."""

    source_id: UUID
    incidents: int
    """In how many incidents it spoke, relayed or reported."""
    parked: int
    """How many incidents of the ledger could not be taken up to the cut: what is said in them may be missing."""
    cut: Cut


async def view_source_record(
    pool: Pool, ledger_id: UUID, source_id: UUID, as_of: AsOf
) -> tuple[ReadCut, SourceRecordView]:
    """The record of a source. Where the projection is behind the cut it waits a second, and then is given as of where
    the projection is, and the cut of the view says so; the first cut is then not final, since the answer to what was
    asked will be another. Raises NotFound where there is no such source at the cut.
    """
    until = time.monotonic() + WAIT_S
    while True:
        async with of_ledger(pool, ledger_id) as connection, snapshot(connection, _TABLES):
            cut, events = await read_stream(connection, ledger_id, f"source:{source_id}", as_of)
            # Before anybody could name it nothing is counted, wherever the projection is.
            checkpoint = await _checkpoint(connection, ledger_id)
            reached = max(checkpoint, events[0].position)
            if reached >= cut.position or time.monotonic() > until:
                at = cut if reached >= cut.position else await _at(connection, ledger_id, reached, cut.audience)
                shown = await _read(connection, ledger_id, source_id, at, checkpoint)
                return at._replace(final=shown.cut.final and at is cut), shown
        await asyncio.sleep(_POLL_S)


async def _checkpoint(connection: Connection, ledger_id: UUID) -> int:
    parameters = {"projection": PROJECTION.name, "ledger_id": ledger_id}
    row = await (await connection.execute(_READ_CHECKPOINT, parameters)).fetchone()
    return int(row[0]) if row else 0


async def _at(connection: Connection, ledger_id: UUID, reached: int, audience: Audience) -> ReadCut:
    return await resolve_cut(connection, ledger_id, AsOf(f"position:{reached}", reached, audience=audience))


async def _read(
    connection: Connection, ledger_id: UUID, source_id: UUID, cut: ReadCut, checkpoint: int
) -> SourceRecordView:
    late: dict[str, bool] = {}
    if cut.audience == "public":
        parameters = {"ledger_id": ledger_id, "source_id": source_id, "reached": checkpoint}
        late = dict(await (await connection.execute(_FIND_LATE, parameters)).fetchall())
    parameters = {"ledger_id": ledger_id, "source_id": source_id, "position": cut.position, "audience": cut.audience}
    parameters["apart"] = [UUID(stream.partition(":")[2]) for stream in late]
    row = await (await connection.execute(_READ_SOURCE_RECORD, parameters)).fetchone()
    assert row
    numbers = list(row[:7])
    # Who may see something is today's, and so never as far behind as the projection.
    taken = [stream for stream, parked in late.items() if not parked]
    for events in (await read_shown(connection, ledger_id, taken, cut.audience, cut.position)).values():
        if record := records_of(fold(events)).get(source_id):
            numbers = [one + more for one, more in zip(numbers, (1, *astuple(record)), strict=True)]
    return SourceRecordView(
        source_id=source_id,
        incidents=numbers[0],
        parked=row[7],
        # What is parked is taken some day, and belongs to this cut.
        cut=cut._replace(final=cut.final and not row[7]).of_ledger(),
        **dict(zip(SourceRecord.__struct_fields__, numbers[1:], strict=True)),
    )
