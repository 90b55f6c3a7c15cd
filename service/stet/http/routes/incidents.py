"""Incidents: opened, revised, and read as of any moment."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter

from stet.errors import NotFound
from stet.handle.incident import open_incident, revise_incident
from stet.http.answer import answer, memento
from stet.http.body import StetRequest
from stet.http.conditions import accept_datetime
from stet.http.paging import CursorText, Limit
from stet.http.routes import (
    AsOfText,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    LedgerName,
    asked,
    read_page,
    write,
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
    incident_id = new_id()
    decide = open_incident(data, incident_id, f"/v1/ledgers/{ledger}/incidents/{incident_id}")
    return await write(request, ledger, None, decide, view_incident)


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
    return await read_page(request, ledger, "incidents", list_incidents, as_of, limit, cursor)


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
    decide = revise_incident(data, incident_id, f"/v1/ledgers/{ledger}/incidents/{incident_id}")
    return await write(request, ledger, f"incident:{incident_id}", decide, view_incident)


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
    rows = partial(list_events, incident_id=incident_id, revisions_only=True)
    return await read_page(request, ledger, f"revisions:{incident_id}", rows, as_of, limit, cursor)


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
    rows = partial(list_events, incident_id=incident_id, revisions_only=False)
    return await read_page(request, ledger, f"events:{incident_id}", rows, as_of, limit, cursor)


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


ROUTES = [
    post_incident,
    get_incidents,
    get_incident,
    post_revision,
    get_revisions,
    get_events,
    get_timeline,
]
