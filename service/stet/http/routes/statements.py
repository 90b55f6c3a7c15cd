"""Statements of an incident."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter

from stet.handle import handle
from stet.handle.incident import record_statement
from stet.http.answer import answer, written
from stet.http.body import StetRequest
from stet.http.conditions import context_of
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
from stet.http.routes.incidents import IncidentId
from stet.http.service import service_of
from stet.ids import new_id
from stet.incident.commands import RecordStatement
from stet.incident.view import StatementAnswer, StatementView
from stet.queries.many import Page, list_statements
from stet.queries.one import view_statement

_PATH = "/v1/ledgers/{ledger:str}/incidents/{incident_id:uuid}/statements"


@post(_PATH, operation_id="recordStatement", summary="Record a statement", tags=["statements"])
async def post_statement(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    data: JSONBody[RecordStatement],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[StatementAnswer]:
    """Who said what, through which channel, when, relayed by whom, with the claims in it.

    Claims about another incident (`incident_id` of the claim) are recorded there, too, in the same append.
    """
    service, context = service_of(request), await context_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
    statement_id = new_id()
    location = f"/v1/ledgers/{ledger}/incidents/{incident_id}/statements/{statement_id}"
    decide = record_statement(data, incident_id, statement_id, location)
    outcome = await handle(service.pool, service.log, ledger_id, f"incident:{incident_id}", decide, context)
    async with service.pool.connection() as connection:
        recorded = last_segment(outcome.location)
        cut, view = await view_statement(connection, ledger_id, incident_id, recorded, at(outcome))
    return written(view, view.version, cut, status=outcome.status, location=outcome.location)


@get(_PATH, operation_id="listStatements", summary="List the statements", tags=["statements"])
async def get_statements(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    as_of: AsOfText = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[StatementView]]:
    """In the order in which they were recorded, with all corrections of our record applied."""
    service = service_of(request)
    what = f"statements:{incident_id}"
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
        position = unsign(cursor, service.cursor_secret, what, ledger_id) if cursor else None
        cut = await page_cut(connection, ledger_id, as_of, position)
        after = int(position.after) if position else 0
        rows = await list_statements(connection, ledger_id, incident_id, cut, after, limit)
    page = to_page(rows, cut, what, ledger_id, service)
    return answer(request, page, cut.position, cut, query={"limit": limit})


@get(_PATH + "/{statement_id:uuid}", operation_id="getStatement", summary="Get a statement", tags=["statements"])
async def get_statement(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    statement_id: Annotated[UUID, PathParameter(description="The statement's id.")],
    as_of: AsOfText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[StatementAnswer]:
    """One statement of an incident, with the claims that are about this incident."""
    service = service_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
        cut, view = await view_statement(connection, ledger_id, incident_id, statement_id, asked(as_of))
    return answer(request, view, view.version, cut)


ROUTES = [post_statement, get_statements, get_statement]
