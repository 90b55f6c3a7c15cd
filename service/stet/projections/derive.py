"""What the log gives of a stream, as far as a copy of a projection has come: what its rows are compared with."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import psycopg

from stet.errors import CorruptLog
from stet.projections.log import Rows, decode
from stet.projections.projection import Built, Projection, build
from stet.projections.target import Target


class Reached(NamedTuple):
    """How far a copy of a projection is in a log."""

    position: int
    parked: dict[str, int]
    """Streams that are in it up to, but not including, a position."""


def reached(connection: psycopg.Connection, target: Target, ledger_id: UUID) -> Reached:
    """How far a copy is. The live tables of an inline projection are at the end of the log."""
    key = (target.name, ledger_id)
    if target.projection.inline and not target.suffix:
        row = connection.execute("SELECT position FROM stet.head WHERE ledger_id = %s", (ledger_id,)).fetchone()
        return Reached(row[0] if row else 0, {})
    row = connection.execute(
        "SELECT position FROM stet.checkpoint WHERE projection = %s AND ledger_id = %s", key
    ).fetchone()
    parked = connection.execute(
        "SELECT stream, position FROM stet.parked WHERE projection = %s AND ledger_id = %s", key
    ).fetchall()
    return Reached(row[0] if row else 0, dict(parked))


def derive(projection: Projection, stream: str, rows: Rows, at: Reached) -> Built:
    """The rows that a stream gives, of all its stored events. Raises CorruptLog where it cannot be folded."""
    end = min(at.position, at.parked.get(stream, at.position + 1) - 1)
    try:
        return build(projection, decode(row for row in rows if row[0] <= end))
    except (LookupError, ValueError, AssertionError) as error:
        raise CorruptLog(f"the events of {stream} do not follow from one another: {error}") from error
