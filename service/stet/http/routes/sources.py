"""Sources: who speaks, relays or reports."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter

from stet.handle import Outcome, handle
from stet.handle.ledger import change_source
from stet.http.answer import answer, written
from stet.http.body import StetRequest
from stet.http.conditions import context_of, refuse_if_match
from stet.http.paging import CursorText, Limit, page_cut, unsign
from stet.http.routes import (
    AsOfText,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    LedgerName,
    asked,
    at,
    last_segment,
    to_page,
)
from stet.http.service import Service, service_of
from stet.ids import new_id
from stet.queries.many import Page, list_sources
from stet.queries.one import view_source
from stet.source.commands import RegisterSource, ReviseSource
from stet.source.view import SourceView

SourceId = Annotated[UUID, PathParameter(description="The source's id.")]


@post("/v1/ledgers/{ledger:str}/sources", operation_id="registerSource", summary="Register a source", tags=["sources"])
async def register_source(
    request: StetRequest, ledger: LedgerName, data: JSONBody[RegisterSource], idempotency_key: IdempotencyKey = None
) -> Response[SourceView]:
    """A person, body, outlet, aggregator, account, data set or unknown."""
    refuse_if_match(request)
    return await _change(request, ledger, data, new_id())


@get("/v1/ledgers/{ledger:str}/sources", operation_id="listSources", summary="List the sources", tags=["sources"])
async def get_sources(
    request: StetRequest,
    ledger: LedgerName,
    as_of: AsOfText = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[SourceView]]:
    """In the order in which they were registered."""
    service = service_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
        position = unsign(cursor, service.cursor_secret, "sources", ledger_id) if cursor else None
        cut = await page_cut(connection, ledger_id, as_of, position)
        rows = await list_sources(connection, ledger_id, cut, int(position.after) if position else 0, limit)
    page = to_page(rows, cut, "sources", ledger_id, service)
    return answer(request, page, cut.position, cut, query={"limit": limit})


@get(
    "/v1/ledgers/{ledger:str}/sources/{source_id:uuid}",
    operation_id="getSource",
    summary="Get a source",
    tags=["sources"],
)
async def get_source(
    request: StetRequest,
    ledger: LedgerName,
    source_id: SourceId,
    as_of: AsOfText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[SourceView]:
    """One source, as of any moment since it was registered."""
    service = service_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
        cut, view = await view_source(connection, ledger_id, source_id, asked(as_of))
    return answer(request, view, view.version, cut)


@post(
    "/v1/ledgers/{ledger:str}/sources/{source_id:uuid}/revisions",
    operation_id="reviseSource",
    summary="Revise a source",
    tags=["sources"],
)
async def revise_source(
    request: StetRequest,
    ledger: LedgerName,
    source_id: SourceId,
    data: JSONBody[ReviseSource],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[SourceView]:
    """Changes what is known of it: its name, kind, aliases, parent, or the reliability that a form starts with."""
    return await _change(request, ledger, data, source_id)


async def _change(
    request: StetRequest, ledger: str, command: RegisterSource | ReviseSource, source_id: UUID
) -> Response[SourceView]:
    service, context = service_of(request), await context_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
    decide = change_source(command, source_id, f"/v1/ledgers/{ledger}/sources/{source_id}")
    outcome = await handle(service.pool, service.log, ledger_id, f"source:{source_id}", decide, context)
    return await _show(service, ledger_id, outcome)


async def _show(service: Service, ledger_id: UUID, outcome: Outcome) -> Response[SourceView]:
    async with service.pool.connection() as connection:
        cut, view = await view_source(connection, ledger_id, last_segment(outcome.location), at(outcome))
    return written(view, view.version, cut, status=outcome.status, location=outcome.location)


ROUTES = [register_source, get_sources, get_source, revise_source]
