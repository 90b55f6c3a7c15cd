"""Numbers of incidents at a cut, and what their casualties add up to."""

from __future__ import annotations

from typing import Any, Literal, LiteralString
from uuid import UUID

from msgspec import Struct
from psycopg import sql

from stet.database.pool import Connection
from stet.envelope import Cut
from stet.incident.summary import COUNTS
from stet.queries.cut import ReadCut
from stet.queries.filters import IncidentFilter, at_cut, both, by_source_at, kept, matching, of_cut, search
from stet.queries.one import names_at
from stet.sql import load

_COUNT = load("count_incidents")
GROUPS_MAX = 1_000
GroupBy = Literal["kind", "month", "attribute_status", "source"]
_SUMS: dict[str, LiteralString] = {
    "killed": "count(h.killed_min), coalesce(sum(h.killed_min), 0)::bigint, sum(h.killed_max)::bigint, "
    "count(h.killed_min) - count(h.killed_max)",
    "injured": "count(h.injured_min), coalesce(sum(h.injured_min), 0)::bigint, sum(h.injured_max)::bigint, "
    "count(h.injured_min) - count(h.injured_max)",
    "missing": "count(h.missing_min), coalesce(sum(h.missing_min), 0)::bigint, sum(h.missing_max)::bigint, "
    "count(h.missing_min) - count(h.missing_max)",
    "detained": "count(h.detained_min), coalesce(sum(h.detained_min), 0)::bigint, sum(h.detained_max)::bigint, "
    "count(h.detained_min) - count(h.detained_max)",
}
_KEYS: dict[GroupBy, LiteralString] = {
    "kind": "VALUES (h.kind)",
    "month": "VALUES (CASE WHEN to_char(h.occurred_from AT TIME ZONE 'UTC', 'YYYY-MM') "
    "= to_char(h.occurred_to AT TIME ZONE 'UTC', 'YYYY-MM') "
    "THEN to_char(h.occurred_from AT TIME ZONE 'UTC', 'YYYY-MM') END)",
    "attribute_status": "SELECT split_part(entry, '=', 2) FROM unnest(h.statuses) entry "
    "WHERE split_part(entry, '=', 1) = %(by_attribute)s AND entry <> %(by_attribute)s",
}


class Casualties(Struct, frozen=True, kw_only=True):
    """What the counts of some incidents add up to. Where nothing is claimed nothing is added: unknown is not zero."""

    incidents: int
    """How many of them have a count."""
    min: int
    max: int | None
    """Null: at least one of them has no upper bound; also where none has a count."""


class Group(Struct, frozen=True, kw_only=True):
    key: str | None
    """Null: the month is not certain, or not known."""
    name: str | None = None
    """by source: its name."""
    incidents: int
    killed: Casualties
    injured: Casualties
    missing: Casualties
    detained: Casualties


class Stats(Struct, frozen=True, kw_only=True):
    """Incidents by a key. An incident can be in several groups by attribute_status or source, in one otherwise."""

    group_by: GroupBy
    items: list[Group]
    cut: Cut


async def count_incidents(
    connection: Connection,
    ledger_id: UUID,
    cut: ReadCut,
    *,
    wanted: IncidentFilter,
    group_by: GroupBy,
    by_attribute: str | None,
) -> Stats:
    """The largest 1,000 groups of the incidents that match. `by_attribute` goes with attribute_status."""
    wanted = await by_source_at(connection, ledger_id, wanted, cut)
    fragments, parameters = matching(wanted, cut)
    if wanted.q is not None:
        parameters["q"] = await search(connection, ledger_id, cut, wanted.q)
    keys = sql.SQL(_KEYS[group_by]) if group_by != "source" else _speakers(cut)
    statement = sql.SQL(_COUNT).format(
        sums=sql.SQL(", ").join([sql.SQL(part) for part in _SUMS.values()]),
        keys=keys,
        filters=both([*at_cut(cut), *fragments]),
    )
    parameters |= of_cut(ledger_id, cut) | {"limit": GROUPS_MAX, "by_attribute": by_attribute}
    rows = await (await connection.execute(statement, parameters)).fetchall()
    names: dict[UUID, str] = {}
    if group_by == "source":
        names = await names_at(connection, ledger_id, [UUID(row[0]) for row in rows], cut.position)
    return Stats(group_by=group_by, items=[_group(row, names) for row in rows], cut=cut.of_ledger())


def _speakers(cut: ReadCut) -> sql.Composable:
    return sql.SQL("SELECT DISTINCT s.speaker::text FROM stet.statement_history s WHERE {kept}").format(
        kept=both([*kept(cut), "s.incident_id = h.incident_id"])
    )


def _group(row: tuple[Any, ...], names: dict[UUID, str]) -> Group:
    key, incidents, *numbers = row
    casualties = {
        name: Casualties(incidents=known, min=least, max=None if unbounded or not known else greatest)
        for name, (known, least, greatest, unbounded) in zip(
            COUNTS, zip(*[iter(numbers)] * 4, strict=True), strict=True
        )
    }
    return Group(key=key, name=names.get(UUID(key)) if names and key else None, incidents=incidents, **casualties)
