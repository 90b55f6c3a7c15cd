"""Incidents: opened, revised, and read as of any moment."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter

from stet.errors import NotFound
from stet.handle import handle
from stet.handle.incident import open_incident, revise_incident
from stet.http.answer import answer, memento, written
from stet.http.body import StetRequest
from stet.http.conditions import accept_datetime, context_of, refuse_if_match
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
from stet.http.service import service_of
from stet.ids import new_id
from stet.incident.commands import IncidentRevision, OpenIncident
from stet.incident.timeline import Axis, Timeline
from stet.incident.view import IncidentSummary, IncidentView
from stet.queries.cut import AsOf
from stet.queries.many import EventView, Page, list_events, list_incidents
from stet.queries.one import view_incident, view_timeline

IncidentId = Annotated[UUID, PathParameter(description="The incident's id.")]
_PATH = "/v1/ledgers/{ledger:str}/incidents"
_ONE = _PATH + "/{incident_id:uuid}"


@post(_PATH, operation_id="openIncident", summary="Open an incident", tags=["incidents"])
async def post_incident(
    request: StetRequest, ledger: LedgerName, data: JSONBody[OpenIncident], idempotency_key: IdempotencyKey = None
) -> Response[IncidentView]:
    """Something happened. With statements in the same call, all of them are recorded, or nothing is."""
    refuse_if_match(request)
    service, context = service_of(request), await context_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
    incident_id = new_id()
    decide = open_incident(data, incident_id, f"/v1/ledgers/{ledger}/incidents/{incident_id}")
    outcome = await handle(service.pool, service.log, ledger_id, None, decide, context)
    async with service.pool.connection() as connection:
        cut, view = await view_incident(connection, ledger_id, last_segment(outcome.location), at(outcome))
    return written(view, view.version, cut, status=outcome.status, location=outcome.location)


@get(_PATH, operation_id="listIncidents", summary="List the incidents", tags=["incidents"])
async def get_incidents(
    request: StetRequest,
    ledger: LedgerName,
    as_of: AsOfText = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[IncidentSummary]]:
    """In the order in which they were opened."""
    service = service_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
        position = unsign(cursor, service.cursor_secret, "incidents", ledger_id) if cursor else None
        cut = await page_cut(connection, ledger_id, as_of, position)
        rows = await list_incidents(connection, ledger_id, cut, int(position.after) if position else 0, limit)
    page = to_page(rows, cut, "incidents", ledger_id, service)
    return answer(request, page, cut.position, cut, query={"limit": limit})


@get(_ONE, operation_id="getIncident", summary="Get an incident", tags=["incidents"])
async def get_incident(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    as_of: AsOfText = None,
    accept_datetime_: Annotated[
        str | None,
        HeaderParameter(
            name="Accept-Datetime",
            description="RFC 7089: the state at this HTTP date; before the incident was opened, its first state. "
            "as_of goes first.",
        ),
    ] = None,
    if_none_match: IfNoneMatch = None,
) -> Response[IncidentView]:
    """One incident and everything that was said about it, as of any position or instant since it was opened."""
    service = service_of(request)
    wanted = asked(as_of)
    instant = accept_datetime(accept_datetime_) if wanted is None else None
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
        if instant:
            wanted = AsOf(instant.isoformat().replace("+00:00", "Z"), instant=instant)
        try:
            cut, view = await view_incident(connection, ledger_id, incident_id, wanted)
        except NotFound:
            if instant is None:
                raise
            _, latest = await view_incident(connection, ledger_id, incident_id, None)
            opened = AsOf(latest.opened_at.isoformat().replace("+00:00", "Z"), instant=latest.opened_at)
            cut, view = await view_incident(connection, ledger_id, incident_id, opened)
    headers = {"vary": "accept-datetime", "link": f'<{request.url.path}>; rel="original timegate"'}
    if wanted:
        headers |= memento(request.url.path, view.updated_at)
    return answer(request, view, view.version, cut, headers=headers)


@post(_ONE + "/revisions", operation_id="reviseIncident", summary="Revise an incident", tags=["incidents"])
async def post_revision(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    data: JSONBody[IncidentRevision],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[IncidentView]:
    """A correction of our record, a change of title, kind, tags or status, a link. Nothing is overwritten by it.

    A corrected said_at moves every time that hangs on the statement, in every incident, in the same append.
    """
    service, context = service_of(request), await context_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
    decide = revise_incident(data, incident_id, f"/v1/ledgers/{ledger}/incidents/{incident_id}")
    outcome = await handle(service.pool, service.log, ledger_id, f"incident:{incident_id}", decide, context)
    async with service.pool.connection() as connection:
        cut, view = await view_incident(connection, ledger_id, incident_id, at(outcome))
    return written(view, view.version, cut, status=outcome.status, location=outcome.location)


@get(_ONE + "/revisions", operation_id="listRevisions", summary="List the revisions", tags=["incidents"])
async def get_revisions(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    as_of: AsOfText = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[EventView]]:
    """Every event after the opening that is not a statement, in the order of the log."""
    return await _events(request, ledger, incident_id, as_of, limit, cursor, "revisions")


@get(_ONE + "/events", operation_id="listIncidentEvents", summary="List an incident's events", tags=["incidents"])
async def get_events(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    as_of: AsOfText = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[EventView]]:
    """As they are stored, each with the salt, digest and leaf that prove it."""
    return await _events(request, ledger, incident_id, as_of, limit, cursor, "events")


@get(_ONE + "/timeline", operation_id="getTimeline", summary="Get an incident's timeline", tags=["incidents"])
async def get_timeline(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    axis: Annotated[
        Axis, QueryParameter(description="By when it happened, when it was said, or when it was recorded.")
    ] = "recorded",
    as_of: AsOfText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Timeline]:
    """One of the three times that are never mixed."""
    service = service_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
        cut, view = await view_timeline(connection, ledger_id, incident_id, axis, asked(as_of))
    return answer(request, view, view.version, cut, query={"axis": axis})


async def _events(
    request: StetRequest, ledger: str, incident_id: UUID, as_of: str | None, limit: int, cursor: str | None, which: str
) -> Response[Page[EventView]]:
    service = service_of(request)
    what = f"{which}:{incident_id}"
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
        position = unsign(cursor, service.cursor_secret, what, ledger_id) if cursor else None
        cut = await page_cut(connection, ledger_id, as_of, position)
        after = int(position.after) if position else 0
        rows = await list_events(connection, ledger_id, incident_id, cut, after, limit, which == "revisions")
    page = to_page(rows, cut, what, ledger_id, service)
    return answer(request, page, cut.position, cut, query={"limit": limit})


ROUTES = [
    post_incident,
    get_incidents,
    get_incident,
    post_revision,
    get_revisions,
    get_events,
    get_timeline,
]
