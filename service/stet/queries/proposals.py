"""Statements that wait for review, across incidents."""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import asdict

from stet.database.pool import Connection
from stet.incident import state as incident_state
from stet.incident.view import proposal_view, sources_of
from stet.queries.cut import ReadCut
from stet.queries.many import Rows
from stet.queries.one import names_at
from stet.queries.statements import ListedStatement
from stet.sql import load
from stet.store.read import read_streams

_LIST = load("list_proposals")


async def list_proposals(
    connection: Connection, ledger_id: UUID, cut: ReadCut, after: int | None, limit: int
) -> Rows[ListedStatement]:
    """Some of those that waited at the cut, in the order in which they were proposed. Only for members."""
    if cut.audience != "member":
        return Rows([], None)
    parameters = {"ledger_id": ledger_id, "after": after or 0, "up_to": cut.position, "limit": limit + 1}
    rows = await (await connection.execute(_LIST, parameters)).fetchall()
    page = rows[:limit]
    streams = await read_streams(connection, ledger_id, {stream for _, stream, _ in page}, cut.position)
    states = {stream: incident_state.fold(events) for stream, events in streams.items()}
    named = {source_id for state in states.values() for source_id in sources_of(state)}
    names = await names_at(connection, ledger_id, named, cut.position)
    found = []
    for _, stream, statement_id in page:
        state = states[stream]
        shown = proposal_view(state, names, state.proposals[statement_id])
        found.append(ListedStatement(**asdict(shown), incident_id=UUID(stream[9:])))
    return Rows(found, page[-1][0] if len(rows) > limit else None)
