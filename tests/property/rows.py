"""The rows that an incident's events make in its histories, and those that a list reads at a cut."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tests.property.oracle_cuts import Events

from stet.projections import history
from stet.projections.projection import Row, build


def rows_of(events: Events) -> dict[str, list[Row]]:
    """All rows, by table."""
    built = build(history.PROJECTION, events)
    assert not any(built.ended.values())
    return {table.name: built.rows(table.name) for table in history.PROJECTION.tables}


def rows_at(rows: Iterable[Row], position: int, audience: str = "member") -> list[Row]:
    """The rows that hold at a position, and that an audience is shown."""
    mine = [row for row in rows if row.get("audience", audience) in ("all", audience)]
    return [row for row in mine if row["from_position"] <= position < row["to_position"]]


def slices_at(rows: Iterable[Row], position: int, moment: datetime | None, audience: str = "member") -> list[Row]:
    """The slices of incident_history that a list reads at a position and a said time."""
    return [row for row in rows_at(rows, position, audience) if _covers(row, moment)]


def _covers(row: Row, moment: datetime | None) -> bool:
    begins, ends = row["said_from"], row["said_to"]
    if moment is None or begins == "infinity":
        return moment is None and ends == "infinity"
    return bool(begins <= moment) and (ends == "infinity" or bool(moment < ends))
