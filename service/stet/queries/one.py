"""One thing at a cut: a ledger, a source, a document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from stet.database.pool import Connection
from stet.document import state as document_state
from stet.document.view import DocumentView
from stet.document.view import view as document_view
from stet.envelope import Recorded
from stet.errors import NotFound
from stet.ledger import state as ledger_state
from stet.ledger.state import Ledger
from stet.ledger.view import LedgerView
from stet.ledger.view import view as ledger_view
from stet.queries.cut import AsOf, ReadCut, resolve_cut
from stet.queries.shown import read_shown
from stet.source import state as source_state
from stet.source.view import SourceView
from stet.source.view import view as source_view
from stet.store.read import read_streams


async def ledger_at(connection: Connection, ledger_id: UUID, as_of: AsOf) -> tuple[ReadCut, Ledger]:
    """The ledger at the cut. Raises NotFound before it was created."""
    cut, events = await read_stream(connection, ledger_id, f"ledger:{ledger_id}", as_of)
    return cut, ledger_state.fold(events)


async def view_ledger(connection: Connection, ledger_id: UUID, as_of: AsOf) -> tuple[ReadCut, LedgerView]:
    cut, state = await ledger_at(connection, ledger_id, as_of)
    return cut, ledger_view(state, cut.of(state.position, state.updated_at))


async def view_source(
    connection: Connection, ledger_id: UUID, source_id: UUID, as_of: AsOf
) -> tuple[ReadCut, SourceView]:
    cut, events = await read_stream(connection, ledger_id, f"source:{source_id}", as_of)
    state = source_state.fold(events)
    return cut, source_view(state, cut.of(state.position, state.updated_at))


async def view_document(
    connection: Connection, ledger_id: UUID, document_id: UUID, as_of: AsOf
) -> tuple[ReadCut, DocumentView]:
    cut, events = await read_stream(connection, ledger_id, f"document:{document_id}", as_of)
    state = document_state.fold(events)
    return cut, document_view(state, cut.of(state.position, state.updated_at))


async def names_at(
    connection: Connection, ledger_id: UUID, source_ids: Iterable[UUID], position: int
) -> dict[UUID, str]:
    """The names that sources had at a position."""
    streams = await read_streams(connection, ledger_id, [f"source:{id_}" for id_ in source_ids], position)
    return {UUID(stream[7:]): source_state.fold(events).name for stream, events in streams.items() if events}


async def read_stream(
    connection: Connection, ledger_id: UUID, stream: str, as_of: AsOf
) -> tuple[ReadCut, list[Recorded[Any]]]:
    """The cut, and the events of a stream up to it. Raises NotFound if there is none."""
    cut = await resolve_cut(connection, ledger_id, as_of)
    return cut, await read_stream_at(connection, ledger_id, stream, cut)


async def read_stream_at(connection: Connection, ledger_id: UUID, stream: str, cut: ReadCut) -> list[Recorded[Any]]:
    """The events of a stream up to a cut, as its audience sees them. Raises NotFound if there is none."""
    events = (await read_shown(connection, ledger_id, (stream,), cut.audience, cut.position))[stream]
    if not events:
        kind, _, id_ = stream.partition(":")
        at = f" as of {cut.as_of}" if cut.as_of else ""
        raise NotFound(f"there is no {kind} {id_}{at}")
    return events
