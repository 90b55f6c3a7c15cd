"""Statements across incidents, at a cut."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, LiteralString
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict
from psycopg import sql

from stet.database.pool import Connection
from stet.incident import state as incident_state
from stet.incident.claim import Act
from stet.incident.said import said_by
from stet.incident.view import StatementView, sources_of, statement_views
from stet.queries.cut import ReadCut
from stet.queries.filters import both, kept, of_cut, search
from stet.queries.many import Rows
from stet.queries.one import names_at, source_at
from stet.queries.shown import read_shown
from stet.sql import load

_LIST = load("list_statements")
StatementSort = Literal["recorded_at", "-recorded_at", "said_at", "-said_at"]
StatementAfter = tuple[str, str, str]
"""The sort key, statement and incident of the last one of the page before."""


class StatementFilter(Struct, frozen=True, kw_only=True):
    """What a statement must be like to be listed. None: it does not matter."""

    speaker: UUID | None = None
    said_after: datetime | None = None
    said_before: datetime | None = None
    attribute: str | None = None
    act: Act | None = None
    q: str | None = None


class ListedStatement(StatementView, frozen=True, kw_only=True):
    """A statement with its claims about one incident."""

    incident_id: UUID


_CONDITIONS: dict[str, LiteralString] = {
    "speaker": "s.speaker = %(speaker)s",
    # Possibly: a statement whose time is uncertain is listed wherever it may belong.
    "said_after": "s.said_latest >= %(said_after)s",
    "said_before": "s.said_earliest <= %(said_before)s",
    "attribute": "s.attributes @> ARRAY[%(attribute)s]",
    "act": "s.acts @> ARRAY[%(act)s]",
    "q": "s.words @@ %(q)s::tsquery",
}
_KEYS: dict[str, tuple[LiteralString, LiteralString]] = {
    "recorded_at": ("s.statement_position", "bigint"),
    "said_at": ("s.said_latest", "timestamptz"),
}


async def list_all_statements(
    connection: Connection,
    ledger_id: UUID,
    cut: ReadCut,
    after: StatementAfter | None,
    limit: int,
    *,
    wanted: StatementFilter,
    sort: StatementSort,
) -> Rows[ListedStatement]:
    """Some statements that match at the cut. The connection must be in a snapshot that holds the cut."""
    parameters = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
    fragments = [*kept(cut), *(fragment for name, fragment in _CONDITIONS.items() if parameters[name] is not None)]
    if wanted.speaker is not None:
        parameters["speaker"] = await source_at(connection, ledger_id, wanted.speaker, cut.position)
    if wanted.q is not None:
        parameters["q"] = await search(connection, ledger_id, cut, wanted.q)
    key, type_ = _KEYS[sort.removeprefix("-")]
    beyond: LiteralString = " < " if sort.startswith("-") else " > "
    if after:
        parameters |= dict(zip(("after_key", "after_statement", "after_incident"), after, strict=True))
        before = "(%(after_key)s::" + type_ + ", %(after_statement)s::uuid, %(after_incident)s::uuid)"
        fragments.append("(" + key + ", s.statement_id, s.incident_id)" + beyond + before)
    statement = sql.SQL(_LIST).format(
        table=sql.Identifier("stet", "statement_search" if wanted.q is not None else "statement_history"),
        key=sql.SQL(key),
        filters=both(fragments),
        direction=sql.SQL("DESC") if sort.startswith("-") else sql.SQL("ASC"),
    )
    cursor = await connection.execute(statement, parameters | of_cut(ledger_id, cut) | {"limit": limit + 1})
    rows = await cursor.fetchall()
    more = (rows[limit - 1][2], str(rows[limit - 1][1]), str(rows[limit - 1][0])) if len(rows) > limit else None
    return Rows(await _shown(connection, ledger_id, cut, [(row[0], row[1]) for row in rows[:limit]]), more)


async def _shown(
    connection: Connection, ledger_id: UUID, cut: ReadCut, page: list[tuple[UUID, UUID]]
) -> list[ListedStatement]:
    wanted = [f"incident:{id_}" for id_, _ in page]
    streams = await read_shown(connection, ledger_id, wanted, cut.audience, cut.position)
    states = {
        UUID(stream[9:]): said_by(incident_state.fold(events), cut.said.by, cut.said.match)
        for stream, events in streams.items()
    }
    sources = {source_id for state in states.values() for source_id in sources_of(state)}
    names = await names_at(connection, ledger_id, sources, cut.position)
    found = []
    for incident_id, statement_id in page:
        state = states[incident_id]
        (shown,) = statement_views(state, names, [state.statements[statement_id]])
        found.append(ListedStatement(**asdict(shown), incident_id=incident_id))
    return found
