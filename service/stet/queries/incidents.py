"""Incidents at a cut: a page of them, in one of four orders."""

from __future__ import annotations

from typing import Any, Literal, LiteralString
from uuid import UUID

import msgspec
from msgspec.structs import asdict, replace
from psycopg import sql

from stet.database.pool import Connection
from stet.incident.summary import IncidentSummary, Summary
from stet.queries.cut import ReadCut
from stet.queries.few import said_of
from stet.queries.filters import Fragments, IncidentFilter, at_cut, both, by_source_at, matching_rows, of_cut, search
from stet.queries.many import Rows
from stet.sql import load

_LIST = load("list_incidents")
_LIST_BY_UPDATE = load("list_incidents_by_update")
_LIST_SHOWN_BY_UPDATE = load("list_shown_by_update")
_SHOWN_AT = load("shown_at")
_SUMMARY = msgspec.json.Decoder(Summary)
Sort = Literal["opened_at", "-opened_at", "updated_at", "-updated_at", "occurred_at", "-occurred_at", "title", "-title"]
After = tuple[str, str]
"""The sort key and the id of the last incident of the page before."""
_KEYS: dict[str, LiteralString] = {
    "opened_at": "h.opened_at",
    "title": "h.title_order",
    # What happened at an unknown time comes last, either way.
    "occurred_at": "coalesce(h.occurred_order, 'infinity')",
    "-occurred_at": "coalesce(h.occurred_order, '-infinity')",
}


async def list_incidents(
    connection: Connection,
    ledger_id: UUID,
    cut: ReadCut,
    after: After | None,
    limit: int,
    *,
    wanted: IncidentFilter,
    sort: Sort,
) -> Rows[IncidentSummary]:
    """Some incidents that match at the cut. The connection must be in a snapshot that holds the cut."""
    wanted = await by_source_at(connection, ledger_id, wanted, cut)
    fragments, parameters = matching_rows(wanted)
    if wanted.q is not None:
        parameters["q"] = await search(connection, ledger_id, cut, wanted.q)
    parameters |= of_cut(ledger_id, cut) | {"limit": limit + 1}
    said, few = await said_of(connection, ledger_id, cut, wanted, parameters)
    fragments = [*at_cut(cut), *fragments, *said]
    if after:
        parameters |= {"after_key": after[0], "after_id": after[1]}
    cursor = await connection.execute(_statement(sort, fragments, after, cut, few=few), parameters)
    rows = await cursor.fetchall()
    more = (rows[limit - 1][5], str(rows[limit - 1][0])) if len(rows) > limit else None
    page = [_summary(row) for row in rows[:limit]]
    return Rows(page if cut.audience == "member" else await _as_shown(connection, ledger_id, cut, page), more)


async def _as_shown(
    connection: Connection, ledger_id: UUID, cut: ReadCut, page: list[IncidentSummary]
) -> list[IncidentSummary]:
    """The items with the versions and times of the last events that the public sees."""
    ids = [item.incident_id for item in page]
    parameters = {"ledger_id": ledger_id, "incident_ids": ids, "position": cut.position}
    rows = await (await connection.execute(_SHOWN_AT, parameters)).fetchall()
    last = {incident_id: {"version": version, "updated_at": updated_at} for incident_id, version, updated_at in rows}
    return [replace(item, **last.get(item.incident_id, {})) for item in page]


def _statement(sort: Sort, fragments: Fragments, after: After | None, cut: ReadCut, *, few: bool) -> sql.Composed:
    name = sort.removeprefix("-")
    descending = sort.startswith("-")
    direction = sql.SQL("DESC") if descending else sql.SQL("ASC")
    beyond: LiteralString = " < " if descending else " > "
    if name == "updated_at":
        paged: Fragments = ["e.position" + beyond + "%(after_key)s::bigint"] if after else []
        by_update = _LIST_BY_UPDATE if cut.audience == "member" else _LIST_SHOWN_BY_UPDATE
        return sql.SQL(by_update).format(filters=both([*fragments, *paged]), direction=direction)
    key = _KEYS.get(sort) or _KEYS[name]
    type_: LiteralString = "text" if name == "title" else "timestamptz"
    paged = (
        ["(" + key + ", h.incident_id)" + beyond + "(%(after_key)s::" + type_ + ", %(after_id)s::uuid)"]
        if after
        else []
    )
    if sort == "-opened_at" and not cut.live:
        # What was opened after the cut is not in it: there is no need to walk past that.
        paged.append("h.opened_at <= %(recorded_at)s")
    filters = both([*fragments, *paged])
    # In no index's order: few are looked up, and sorted.
    return sql.SQL(_LIST).format(
        key=sql.SQL("(SELECT " + key + ")" if few else key), filters=filters, direction=direction
    )


def _summary(row: tuple[Any, ...]) -> IncidentSummary:
    incident_id, opened_at, summary, version, updated_at, _ = row
    return IncidentSummary(
        **asdict(_SUMMARY.decode(summary)),
        incident_id=incident_id,
        version=version,
        opened_at=opened_at,
        updated_at=updated_at,
    )
