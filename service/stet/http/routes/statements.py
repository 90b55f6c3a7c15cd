"""Statements of an incident."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter

from stet.handle.incident import record_statement
from stet.http.body import StetRequest
from stet.http.paging import CursorText, Limit
from stet.http.routes import (
    AsOfText,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    LedgerName,
    read_one,
    read_page,
    write,
)
from stet.http.routes.incidents import IncidentId
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
    statement_id = new_id()
    location = f"/v1/ledgers/{ledger}/incidents/{incident_id}/statements/{statement_id}"
    decide = record_statement(data, incident_id, statement_id, location)
    view = partial(view_statement, incident_id=incident_id)
    return await write(request, ledger, f"incident:{incident_id}", decide, view)


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
    rows = partial(list_statements, incident_id=incident_id)
    return await read_page(request, ledger, f"statements:{incident_id}", rows, as_of, limit, cursor)


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
    view = partial(view_statement, incident_id=incident_id)
    return await read_one(request, ledger, statement_id, as_of, view)


ROUTES = [post_statement, get_statements, get_statement]
