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
from stet.source.state import Source
from stet.source.view import SourceMerge, SourceView
from stet.source.view import view as source_view
from stet.sql import load
from stet.store.read import read_streams

_COUNT_FOLLOWING = load("count_following")


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
    merge = await _merge_of(connection, ledger_id, state, cut) if state.merged else None
    return cut, source_view(state, cut.of(state.position, state.updated_at), merge)


async def source_at(connection: Connection, ledger_id: UUID, source_id: UUID, position: int) -> UUID:
    """Which source it is at a position, through chains of merges: mostly itself."""
    while True:
        stream = f"source:{source_id}"
        state = source_state.fold((await read_streams(connection, ledger_id, [stream], position))[stream])
        if state.merged is None:
            return source_id
        source_id = state.merged.into


async def _merge_of(connection: Connection, ledger_id: UUID, state: Source, cut: ReadCut) -> SourceMerge:
    assert state.merged and state.source_id
    into = await source_at(connection, ledger_id, state.merged.into, cut.position)
    if cut.audience != "member":
        return SourceMerge(into=into, remaining=None)
    if state.merged.reached is None:
        return SourceMerge(into=into, remaining=0)
    parameters = {"ledger_id": ledger_id, "target": f"source:{state.source_id}", "reached": state.merged.reached}
    row = await (await connection.execute(_COUNT_FOLLOWING, parameters)).fetchone()
    return SourceMerge(into=into, remaining=row[0] if row else 0)


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
