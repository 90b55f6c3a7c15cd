"""Statements of an incident."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from stet.handle.incident import record_statement
from stet.http.access import access_of
from stet.http.body import StetRequest
from stet.http.filters import ATTRIBUTE, bound
from stet.http.formats import FormatName, negotiate, render_statements
from stet.http.paging import CursorText, Limit, digest
from stet.http.routes import (
    AcceptDatetime,
    Asked,
    AsOfText,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    LedgerName,
    Query,
    SaidByText,
    SaidMatchName,
    asked,
    read_one,
    read_page,
    said,
    write,
)
from stet.http.routes.incidents import IncidentId
from stet.ids import new_id
from stet.incident.claim import Act
from stet.incident.commands import RecordStatement
from stet.incident.view import StatementAnswer, StatementView
from stet.queries.incident import view_statement
from stet.queries.many import Page, list_statements
from stet.queries.proposals import list_proposals
from stet.queries.statements import ListedStatement, StatementFilter, StatementSort, list_all_statements

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

    In a ledger that holds what contributors say for review, a contributor only proposes it: it has a `review` then.
    Claims about another incident (`incident_id` of the claim) are recorded there, too, in the same append.
    """
    statement_id = new_id()
    location = f"/v1/ledgers/{ledger}/incidents/{incident_id}/statements/{statement_id}"
    decide = record_statement(data, incident_id, statement_id, location, contributed=access_of(request).contributes)
    view = partial(view_statement, incident_id=incident_id)
    return await write(request, ledger, f"incident:{incident_id}", decide, view)


@get(_PATH, operation_id="listStatements", summary="List an incident's statements", tags=["statements"])
async def get_statements(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    as_of: AsOfText = None,
    said_by: SaidByText = None,
    said_match: SaidMatchName = "definite",
    limit: Limit = 50,
    cursor: CursorText = None,
    accept_datetime_: AcceptDatetime = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[StatementView]]:
    """In the order in which they were recorded, with all corrections of our record applied."""
    rows = partial(list_statements, incident_id=incident_id)
    wanted = Asked(asked(request, as_of, accept_datetime_), limit, cursor, said(said_by, said_match))
    stream = f"incident:{incident_id}"
    return await read_page(request, ledger, f"statements:{incident_id}", rows, wanted, stream=stream)


@get(_PATH + "/{statement_id:uuid}", operation_id="getStatement", summary="Get a statement", tags=["statements"])
async def get_statement(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    statement_id: Annotated[UUID, PathParameter(description="The statement's id.")],
    as_of: AsOfText = None,
    said_by: SaidByText = None,
    said_match: SaidMatchName = "definite",
    if_none_match: IfNoneMatch = None,
) -> Response[StatementAnswer]:
    """One statement of an incident, with the claims that are about this incident."""
    view = partial(view_statement, incident_id=incident_id, said=said(said_by, said_match))
    return await read_one(request, ledger, statement_id, as_of, view)


@get(
    "/v1/ledgers/{ledger:str}/statements",
    operation_id="listAllStatements",
    summary="List statements across incidents",
    tags=["statements"],
)
async def get_all_statements(
    request: StetRequest,
    ledger: LedgerName,
    as_of: AsOfText = None,
    said_by: SaidByText = None,
    speaker: Annotated[UUID | None, QueryParameter(description="By this source.")] = None,
    said_after: Annotated[
        str | None,
        QueryParameter(description="May have been said at or after: an instant, or a date (its beginning, UTC)."),
    ] = None,
    said_before: Annotated[
        str | None,
        QueryParameter(description="May have been said at or before: an instant, or a date (its end, UTC)."),
    ] = None,
    attribute: Annotated[
        str | None, QueryParameter(description="With a claim on it.", pattern=ATTRIBUTE, max_length=60)
    ] = None,
    act: Annotated[Act | None, QueryParameter(description="With a claim of this act.")] = None,
    q: Query = None,
    sort: Annotated[StatementSort, QueryParameter(description="The order; - turns it round.")] = "recorded_at",
    limit: Limit = 50,
    cursor: CursorText = None,
    format_: FormatName = None,
    accept_datetime_: AcceptDatetime = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[ListedStatement]]:
    """Retractions are among them. A statement about two incidents is listed for each, with the claims about it.

    Also as CSV, a row for each claim, and NDJSON, by Accept or `format`.
    """
    form = negotiate(request, format_, ("json", "csv", "ndjson"))
    wanted = StatementFilter(
        speaker=speaker,
        said_after=bound(said_after, "said_after", first=True),
        said_before=bound(said_before, "said_before", first=False),
        attribute=attribute,
        act=act,
        q=q,
    )
    return await read_page(
        request,
        ledger,
        digest("statements", wanted, sort),
        partial(list_all_statements, wanted=wanted, sort=sort),
        Asked(asked(request, as_of, accept_datetime_), limit, cursor, said(said_by)),
        render=lambda page: render_statements(page, form),
    )


@get(
    "/v1/ledgers/{ledger:str}/proposals",
    operation_id="listProposals",
    summary="List the statements that wait for review",
    tags=["statements"],
)
async def get_proposals(
    request: StetRequest,
    ledger: LedgerName,
    as_of: AsOfText = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    accept_datetime_: AcceptDatetime = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[ListedStatement]]:
    """What contributors proposed and nobody has accepted or rejected yet, the oldest first. For members."""
    wanted = Asked(asked(request, as_of, accept_datetime_), limit, cursor)
    return await read_page(request, ledger, "proposals", list_proposals, wanted)


ROUTES = [post_statement, get_statements, get_statement, get_all_statements, get_proposals]
