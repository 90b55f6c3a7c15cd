"""Plain lists, in the order of the log, a page at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar
from uuid import UUID

from msgspec import Struct

from stet.database.pool import Connection, Pool, across_ledgers, of_ledger
from stet.document import state as document_state
from stet.document.view import DocumentView
from stet.document.view import view as document_view
from stet.envelope import Cut, Recorded
from stet.incident.view import StatementView, statement_views
from stet.keys.roles import Role
from stet.ledger.view import LedgerView
from stet.queries.cut import AsOf, ReadCut
from stet.queries.events import EventView, as_seen, event_of
from stet.queries.incident import incident_itself, incident_of
from stet.queries.one import view_ledger
from stet.queries.shown import hidden_in, read_guarded, read_shown
from stet.source import state as source_state
from stet.source.view import SourceView
from stet.source.view import view as source_view
from stet.sql import load
from stet.values.words import terms, tsquery

_LIST_STREAMS = load("list_streams")
_FIND_STREAMS = load("find_streams")
_LIST_EVENTS = load("list_events")
_LIST_LEDGERS = load("list_ledgers")

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """One page of a list. `next_cursor` gives the next one, at the same cut; null = this is the last."""

    items: list[T]
    next_cursor: str | None
    cut: Cut


class Ledgers(Struct, frozen=True):
    """The ledgers, by name. They share no log, so each item has its own cut."""

    items: list[LedgerView]
    next_cursor: str | None


class Rows(Struct, Generic[T], frozen=True):
    """Some items of a list and where the next begins; None = there are no more."""

    items: list[T]
    after: Any


async def list_sources(
    connection: Connection, ledger_id: UUID, cut: ReadCut, after: int | None, limit: int, *, q: str | None = None
) -> Rows[SourceView]:
    def show(events: list[Recorded[Any]]) -> SourceView:
        state = source_state.fold(events)
        return source_view(state, cut.of(state.position, state.updated_at))

    return await _list_streams(connection, ledger_id, "source", show, cut, after, limit, q)


async def list_documents(
    connection: Connection, ledger_id: UUID, cut: ReadCut, after: int | None, limit: int, *, q: str | None = None
) -> Rows[DocumentView]:
    def show(events: list[Recorded[Any]]) -> DocumentView:
        state = document_state.fold(events)
        return document_view(state, cut.of(state.position, state.updated_at))

    return await _list_streams(connection, ledger_id, "document", show, cut, after, limit, q)


async def list_opened(
    connection: Connection, ledger_id: UUID, cut: ReadCut, after: int | None, limit: int
) -> Rows[UUID]:
    """The incidents that the log opened up to the cut, in that order; from the log alone."""
    parameters = {"ledger_id": ledger_id, "kind": "incident", "after": after or 0, "up_to": cut.position}
    parameters |= {"audience": cut.audience}
    rows = await (await connection.execute(_LIST_STREAMS, parameters | {"limit": limit + 1})).fetchall()
    page = rows[:limit]
    return Rows([UUID(stream[9:]) for stream, _ in page], page[-1][1] if len(rows) > limit else None)


async def list_statements(
    connection: Connection, ledger_id: UUID, cut: ReadCut, after: int | None, limit: int, *, incident_id: UUID
) -> Rows[StatementView]:
    at = await incident_of(connection, ledger_id, incident_id, cut)
    later = [statement for statement in at.state.statements.values() if statement.position > (after or 0)]
    page = later[:limit]
    more = page[-1].position if len(later) > limit else None
    return Rows(list(statement_views(at.state, at.names, page)), more)


async def list_events(
    connection: Connection,
    ledger_id: UUID,
    cut: ReadCut,
    after: int | None,
    limit: int,
    *,
    incident_id: UUID,
    revisions_only: bool = False,
) -> Rows[EventView]:
    stream = f"incident:{incident_id}"
    if revisions_only:
        await incident_of(connection, ledger_id, incident_id, cut)
    guarded = await read_guarded(connection, ledger_id, (stream,), cut.audience)
    cursor = await connection.execute(
        _LIST_EVENTS,
        {
            "ledger_id": ledger_id,
            "stream": stream,
            "after": after or 0,
            "up_to": cut.position,
            "left_out": ["incident-opened", "statement-recorded"] if revisions_only else [],
            "hidden": hidden_in(guarded),
            "limit": limit + 1,
        },
    )
    items = [as_seen(EventView(**event_of(row)), guarded.get(stream)) for row in await cursor.fetchall()]
    if not items and not after:
        await incident_itself(connection, ledger_id, incident_id, cut)
    page = items[:limit]
    return Rows(page, page[-1].stream_version if len(items) > limit else None)


async def list_ledgers(
    pool: Pool, after: str, limit: int, key_id: str, scope: Role | None
) -> tuple[list[LedgerView], str | None]:
    """The ledgers after a name that a key may read, and the name to go on after. The owner reads all."""
    views: list[LedgerView] = []
    while True:
        async with pool.connection() as connection, connection.transaction():
            await across_ledgers(connection)
            cursor = await connection.execute(_LIST_LEDGERS, {"after": after, "limit": limit + 1, "key_id": key_id})
            rows = await cursor.fetchall()
        for ledger_id, name, role in rows:
            member = role is not None or scope == "owner"
            async with of_ledger(pool, ledger_id) as connection:
                _, view = await view_ledger(connection, ledger_id, AsOf(audience="member" if member else "public"))
            if member or view.public:
                views.append(view)
            if len(views) > limit:
                return views[:limit], views[limit - 1].name
            after = name
        if len(rows) <= limit:
            return views, None


async def _list_streams(
    connection: Connection,
    ledger_id: UUID,
    kind: str,
    show: Callable[[list[Recorded[Any]]], T],
    cut: ReadCut,
    after: int | None,
    limit: int,
    q: str | None,
) -> Rows[T]:
    parameters = {"ledger_id": ledger_id, "kind": kind, "after": after or 0, "up_to": cut.position, "limit": limit + 1}
    parameters |= {"audience": cut.audience}
    if q is None:
        cursor = await connection.execute(_LIST_STREAMS, parameters)
    else:
        found = tsquery([(term, ()) for term in terms(q)])
        cursor = await connection.execute(_FIND_STREAMS, parameters | {"q": found})
    rows = await cursor.fetchall()
    page = rows[:limit]
    streams = await read_shown(connection, ledger_id, [stream for stream, _ in page], cut.audience, cut.position)
    return Rows([show(streams[stream]) for stream, _ in page], page[-1][1] if len(rows) > limit else None)
