"""Incidents for an export, page by page: each page is read by itself at one position of the log.

So no connection is held while a slow client takes one, and what is appended meanwhile changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from stet.database.finish import finished
from stet.database.pool import HISTORIES, Connection, Pool, of_ledger, snapshot
from stet.incident import state as incident_state
from stet.incident.resolve import Key, Resolved, resolve
from stet.incident.said import said_by
from stet.incident.state import Incident
from stet.incident.summary import IncidentSummary
from stet.incident.view import sources_of
from stet.ledger import state as ledger_state
from stet.ledger.attributes import Attribute
from stet.queries.cut import ReadCut
from stet.queries.filters import IncidentFilter, search
from stet.queries.incidents import After, Sort, list_incidents
from stet.queries.many import Rows
from stet.queries.one import names_at
from stet.queries.shown import read_shown
from stet.store.read import read_streams
from stet.values.value import SourceValue

SUMMARIES, FOLDED = 500, 50
"""Incidents in a page: of rows of their history, and of whole streams."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What an export is of."""

    ledger_id: UUID
    attributes: dict[str, Attribute]
    """Those that the ledger has at the cut."""
    cut: ReadCut
    filter: IncidentFilter
    sort: Sort


async def wanted_of(
    connection: Connection, ledger_id: UUID, cut: ReadCut, filter_: IncidentFilter, sort: Sort
) -> Wanted:
    """What is to be exported. Raises Malformed for a search that cannot be made, before anything is."""
    if filter_.q is not None:
        await search(connection, ledger_id, cut, filter_.q)
    stream = f"ledger:{ledger_id}"
    events = await read_streams(connection, ledger_id, (stream,), cut.position)
    attributes = ledger_state.fold(events[stream]).attributes
    return Wanted(ledger_id=ledger_id, attributes=attributes, cut=cut, filter=filter_, sort=sort)


class Folded(Struct, frozen=True, kw_only=True, dict=True):
    """An incident with all that was said about it, as the cut keeps it."""

    item: IncidentSummary
    state: Incident
    names: dict[UUID, str]
    """Of the sources that speak, relay, report, or are named as a value."""

    @cached_property
    def resolved(self) -> dict[Key, Resolved]:
        """What its attributes come to."""
        return {(one.attribute, one.of): one for one in resolve(self.state)}


async def summaries(pool: Pool, wanted: Wanted) -> AsyncIterator[list[IncidentSummary]]:
    """The incidents of the list, as it shows them; none of the pages is empty."""
    after: After | None = None
    while True:
        page = await finished(_read(pool, wanted, after, SUMMARIES))
        if page.items:
            yield page.items
        if (after := page.after) is None:
            return


async def folded(pool: Pool, wanted: Wanted) -> AsyncIterator[list[Folded]]:
    """The same incidents, with all that was said about them."""
    after: After | None = None
    while True:
        page = await finished(_read_folded(pool, wanted, after))
        if page.items:
            yield page.items
        if (after := page.after) is None:
            return


async def _read(pool: Pool, wanted: Wanted, after: After | None, limit: int) -> Rows[IncidentSummary]:
    async with of_ledger(pool, wanted.ledger_id) as connection, snapshot(connection, HISTORIES):
        return await _list(connection, wanted, after, limit)


async def _list(connection: Connection, wanted: Wanted, after: After | None, limit: int) -> Rows[IncidentSummary]:
    # What was the end of the log for the first page may not be for the next.
    cut = wanted.cut._replace(live=False)
    return await list_incidents(connection, wanted.ledger_id, cut, after, limit, wanted=wanted.filter, sort=wanted.sort)


async def _read_folded(pool: Pool, wanted: Wanted, after: After | None) -> Rows[Folded]:
    async with of_ledger(pool, wanted.ledger_id) as connection, snapshot(connection, HISTORIES):
        page = await _list(connection, wanted, after, FOLDED)
        position, said = wanted.cut.position, wanted.cut.said
        streams = [f"incident:{item.incident_id}" for item in page.items]
        events = await read_shown(connection, wanted.ledger_id, streams, wanted.cut.audience, position)
        states = [said_by(incident_state.fold(events[stream]), said.by, said.match) for stream in streams]
        named = {source_id for state in states for source_id in (*sources_of(state), *_valued(state))}
        names = await names_at(connection, wanted.ledger_id, named, position)
    found = [Folded(item=item, state=state, names=names) for item, state in zip(page.items, states, strict=True)]
    return Rows(found, page.after)


def _valued(state: Incident) -> set[UUID]:
    """The sources that claims have as their values."""
    return {
        _source_of(claim.value)
        for statement in state.statements.values()
        for claim in statement.claims.values()
        if claim.type_ == "source"
    } | {_source_of(pin.value) for pin in state.pins if pin.type_ == "source"}


def _source_of(value: Any) -> UUID:
    """The source that a stored value names."""
    return msgspec.json.decode(value, type=SourceValue).source_id
