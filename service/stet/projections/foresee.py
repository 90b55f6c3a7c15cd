"""The rows of an append, made before it: its positions and times are stand-ins, for which the database puts the true
ones (docs/adr/0030-rows-are-foreseen.md).

A stand-in is greater than whatever is stored, as the true one will be. But a said time may lie in the future: where one
hangs on when something is recorded, the order is not known before, and nothing is foreseen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from stet.database.pool import Connection
from stet.incident.state import Incident
from stet.projections.inline import Made, States, rows_of
from stet.projections.projection import LIVE, Events, Row
from stet.projections.target import as_json, lacking

POSITION = 2**62
"""The stand-in for the position before the append; stet.true_position knows it, too."""
RECORDED_AT = datetime(9999, 1, 1, tzinfo=UTC)
"""That for when its first command is recorded: no time that anybody gives is in that year."""
TABLES = {
    "slices": "incident_history",
    "statements": "statement_history",
    "shown": "shown_history",
    "names": "name_history",
    "restrictions": "restriction_history",
}
"""The parameters of stet.keep_rows, in its order, and their tables."""
_SAID = ("said_from", "said_to", "said_latest")
NOTHING: dict[str, str | None] = {name + end: None for name in TABLES for end in ("_ended", "")}


async def foresee(connection: Connection, ledger_id: UUID, states: States, events: Events) -> Made | None:
    """What a group changes, by events and states of stand-ins; None: it cannot be told before it is appended.

    It is true if every stream has the version that was seen: then the live slices are what they were, too.
    """
    if any(one.guarded for pair in states.values() for one in pair if isinstance(one, Incident)):
        return None
    try:
        made = await rows_of(connection, ledger_id, states, events)
    except msgspec.MsgspecError:
        # Rows of another release: the append finds that out.
        return None
    return None if any(_hangs(row) for row in _rows(made)) else made


def parameters(ledger_id: UUID, made: Made) -> dict[str, str | None]:
    """The rows as stet.keep_rows takes them."""
    found = dict(NOTHING)
    tables = {table.name: built for projection, built in made for table in projection.tables}
    for name, table in TABLES.items():
        for end, rows in ("_ended", tables[table].ended[table]), ("", tables[table].rows(table)):
            if rows:
                found[name + end] = as_json(ledger_id, rows)
    return found


def faults(made: Made, ended: Sequence[int]) -> Iterator[str | None]:
    """What is wrong with the rows, by how many of each table could be ended."""
    counts = dict(zip(TABLES.values(), ended, strict=True))
    for projection, built in made:
        for table in projection.tables:
            yield lacking(table.name, len(built.ended[table.name]), counts[table.name])


def _rows(made: Made) -> Iterator[Row]:
    for projection, built in made:
        for table in projection.tables:
            yield from built.rows(table.name)


def _hangs(row: Row) -> bool:
    """Whether a row holds a stand-in where the database puts nothing else."""
    return row["to_position"] != LIVE or any(_stands_in(row.get(name)) for name in _SAID)


def _stands_in(at: Any) -> bool:
    return isinstance(at, datetime) and at >= RECORDED_AT
