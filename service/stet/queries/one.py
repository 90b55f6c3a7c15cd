"""One thing at a cut: a ledger, a source, a document, an incident, a statement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from stet.database.pool import Connection
from stet.document import state as document_state
from stet.document.view import DocumentView
from stet.document.view import view as document_view
from stet.envelope import Recorded
from stet.errors import NotFound
from stet.incident import state as incident_state
from stet.incident import timeline
from stet.incident.state import Incident
from stet.incident.view import IncidentView, StatementAnswer, sources_of, statement_answer
from stet.incident.view import view as incident_view
from stet.ledger import state as ledger_state
from stet.ledger.state import Ledger
from stet.ledger.view import LedgerView
from stet.ledger.view import view as ledger_view
from stet.queries.cut import AsOf, ReadCut, resolve_cut
from stet.source import state as source_state
from stet.source.view import SourceView
from stet.source.view import view as source_view
from stet.store.read import read_streams


class IncidentAt(NamedTuple):
    """An incident, the cut that it was read at, its events up to there, and the names at the cut."""

    cut: ReadCut
    events: list[Recorded[Any]]
    state: Incident
    names: dict[UUID, str]


async def ledger_at(connection: Connection, ledger_id: UUID, as_of: AsOf | None) -> tuple[ReadCut, Ledger]:
    """The ledger at the cut. Raises NotFound before it was created."""
    cut, events = await _read(connection, ledger_id, f"ledger:{ledger_id}", as_of)
    return cut, ledger_state.fold(events)


async def view_ledger(connection: Connection, ledger_id: UUID, as_of: AsOf | None) -> tuple[ReadCut, LedgerView]:
    cut, state = await ledger_at(connection, ledger_id, as_of)
    return cut, ledger_view(state, cut.of(state.position, state.updated_at))


async def view_source(
    connection: Connection, ledger_id: UUID, source_id: UUID, as_of: AsOf | None
) -> tuple[ReadCut, SourceView]:
    cut, events = await _read(connection, ledger_id, f"source:{source_id}", as_of)
    state = source_state.fold(events)
    return cut, source_view(state, cut.of(state.position, state.updated_at))


async def view_document(
    connection: Connection, ledger_id: UUID, document_id: UUID, as_of: AsOf | None
) -> tuple[ReadCut, DocumentView]:
    cut, events = await _read(connection, ledger_id, f"document:{document_id}", as_of)
    state = document_state.fold(events)
    return cut, document_view(state, cut.of(state.position, state.updated_at))


async def incident_at(connection: Connection, ledger_id: UUID, incident_id: UUID, as_of: AsOf | None) -> IncidentAt:
    """The incident at the cut. Raises NotFound before it was opened."""
    cut, events = await _read(connection, ledger_id, f"incident:{incident_id}", as_of)
    state = incident_state.fold(events)
    return IncidentAt(cut, events, state, await names_at(connection, ledger_id, sources_of(state), cut.position))


async def view_incident(
    connection: Connection, ledger_id: UUID, incident_id: UUID, as_of: AsOf | None
) -> tuple[ReadCut, IncidentView]:
    at = await incident_at(connection, ledger_id, incident_id, as_of)
    return at.cut, incident_view(at.state, at.names, at.cut.of(at.state.position, at.state.updated_at))


async def view_statement(
    connection: Connection, ledger_id: UUID, statement_id: UUID, as_of: AsOf | None, *, incident_id: UUID
) -> tuple[ReadCut, StatementAnswer]:
    at = await incident_at(connection, ledger_id, incident_id, as_of)
    if statement_id not in at.state.statements:
        raise NotFound(f"the incident has no statement {statement_id} at this cut")
    cut = at.cut.of(at.state.position, at.state.updated_at)
    return at.cut, statement_answer(at.state, statement_id, at.names, cut)


async def view_timeline(
    connection: Connection, ledger_id: UUID, incident_id: UUID, axis: timeline.Axis, as_of: AsOf | None
) -> tuple[ReadCut, timeline.Timeline]:
    at = await incident_at(connection, ledger_id, incident_id, as_of)
    match axis:
        case "recorded":
            items = timeline.recorded_axis(at.events, at.state, at.names)
        case "said":
            items = timeline.said_axis(at.state, at.names)
        case "occurred":
            items = timeline.occurred_axis(at.state, at.names)
    cut = at.cut.of(at.state.position, at.state.updated_at)
    return at.cut, timeline.Timeline(incident_id=incident_id, version=at.state.version, axis=axis, items=items, cut=cut)


async def names_at(
    connection: Connection, ledger_id: UUID, source_ids: Iterable[UUID], position: int
) -> dict[UUID, str]:
    """The names that sources had at a position."""
    streams = await read_streams(connection, ledger_id, [f"source:{id_}" for id_ in source_ids], position)
    return {UUID(stream[7:]): source_state.fold(events).name for stream, events in streams.items() if events}


async def _read(
    connection: Connection, ledger_id: UUID, stream: str, as_of: AsOf | None
) -> tuple[ReadCut, list[Recorded[Any]]]:
    cut = await resolve_cut(connection, ledger_id, as_of)
    events = (await read_streams(connection, ledger_id, (stream,), cut.position))[stream]
    if not events:
        kind, _, id_ = stream.partition(":")
        at = f" as of {cut.as_of}" if cut.as_of else ""
        raise NotFound(f"there is no {kind} {id_}{at}")
    return cut, events
