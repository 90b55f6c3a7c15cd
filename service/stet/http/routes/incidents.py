"""Incidents: opened, revised, listed and counted at any cut."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from stet.database.pool import HISTORIES, of_ledger, snapshot
from stet.errors import Malformed
from stet.handle.incident import open_incident
from stet.handle.revision import revise_incident
from stet.http.access import access_of
from stet.http.answer import answer
from stet.http.body import StetRequest
from stet.http.filters import (
    ATTRIBUTE,
    AttributeStatus,
    AttributeText,
    Bbox,
    InjuredMax,
    InjuredMin,
    KilledMax,
    KilledMin,
    Kind,
    Near,
    OccurredAfter,
    OccurredBefore,
    OccurredMatch,
    PlaceMatch,
    Radius,
    RoleName,
    SortName,
    SourceId,
    StatusName,
    Tag,
    incident_filter,
)
from stet.http.formats import FormatName, negotiate, render_incidents
from stet.http.memento import memento_headers
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
    asked,
    read_page,
    said,
    write,
)
from stet.http.routes.redactions import redaction
from stet.http.service import service_of
from stet.ids import new_id
from stet.incident.commands import IncidentRevision, OpenIncident
from stet.incident.summary import IncidentSummary
from stet.incident.view import IncidentView
from stet.queries.cut import resolve_cut
from stet.queries.incident import view_incident
from stet.queries.incidents import list_incidents
from stet.queries.many import Page
from stet.queries.mementos import around, negotiated
from stet.queries.stats import GroupBy, Stats, count_incidents
from stet.redaction.commands import RedactionCommand

IncidentId = Annotated[UUID, PathParameter(description="The incident's id.")]
_PATH = "/v1/ledgers/{ledger:str}/incidents"
_ONE = _PATH + "/{incident_id:uuid}"


@post(_PATH, operation_id="openIncident", summary="Open an incident", tags=["incidents"])
async def post_incident(
    request: StetRequest, ledger: LedgerName, data: JSONBody[OpenIncident], idempotency_key: IdempotencyKey = None
) -> Response[IncidentView]:
    """Something happened. With statements in the same call, all of them are recorded, or nothing is."""
    incident_id = new_id()
    location = f"/v1/ledgers/{ledger}/incidents/{incident_id}"
    decide = open_incident(data, incident_id, location, contributed=access_of(request).contributes)
    return await write(request, ledger, None, decide, view_incident)


@get(_PATH, operation_id="listIncidents", summary="List the incidents", tags=["incidents"])
async def get_incidents(
    request: StetRequest,
    ledger: LedgerName,
    as_of: AsOfText = None,
    said_by: SaidByText = None,
    kind: Kind = None,
    status: StatusName = None,
    tag: Tag = None,
    q: Query = None,
    bbox: Bbox = None,
    near: Near = None,
    radius: Radius = None,
    place_match: PlaceMatch = "possible",
    occurred_after: OccurredAfter = None,
    occurred_before: OccurredBefore = None,
    occurred_match: OccurredMatch = "possible",
    source: SourceId = None,
    role: RoleName = None,
    attribute: AttributeText = None,
    attribute_status: AttributeStatus = None,
    killed_min: KilledMin = None,
    killed_max: KilledMax = None,
    injured_min: InjuredMin = None,
    injured_max: InjuredMax = None,
    sort: SortName = "opened_at",
    limit: Limit = 50,
    cursor: CursorText = None,
    format_: FormatName = None,
    accept_datetime_: AcceptDatetime = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[IncidentSummary]]:
    """Incidents as they were known at the cut. With said_by, those of which nothing had been said are left out.

    Also as CSV, GeoJSON and NDJSON, by Accept or `format`.
    """
    form = negotiate(request, format_, ("json", "geojson", "csv", "ndjson"))
    wanted = incident_filter(request)
    return await read_page(
        request,
        ledger,
        digest("incidents", wanted, sort),
        partial(list_incidents, wanted=wanted, sort=sort),
        Asked(asked(request, as_of, accept_datetime_), limit, cursor, said(said_by)),
        render=lambda page: render_incidents(page, form),
    )


@get("/v1/ledgers/{ledger:str}/stats", operation_id="getStats", summary="Count incidents", tags=["incidents"])
async def get_stats(
    request: StetRequest,
    ledger: LedgerName,
    group_by: Annotated[
        GroupBy,
        QueryParameter(
            description="By kind, by the month in which it occurred, by the status of an attribute, by speaker."
        ),
    ] = "kind",
    by_attribute: Annotated[
        str | None,
        QueryParameter(
            description="With group_by=attribute_status: of which attribute.", pattern=ATTRIBUTE, max_length=60
        ),
    ] = None,
    as_of: AsOfText = None,
    said_by: SaidByText = None,
    kind: Kind = None,
    status: StatusName = None,
    tag: Tag = None,
    q: Query = None,
    bbox: Bbox = None,
    near: Near = None,
    radius: Radius = None,
    place_match: PlaceMatch = "possible",
    occurred_after: OccurredAfter = None,
    occurred_before: OccurredBefore = None,
    occurred_match: OccurredMatch = "possible",
    source: SourceId = None,
    role: RoleName = None,
    attribute: AttributeText = None,
    attribute_status: AttributeStatus = None,
    killed_min: KilledMin = None,
    killed_max: KilledMax = None,
    injured_min: InjuredMin = None,
    injured_max: InjuredMax = None,
    accept_datetime_: AcceptDatetime = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Stats]:
    """How many incidents match, and what their casualties add up to, at the cut. The largest 1,000 groups."""
    if (group_by == "attribute_status") != (by_attribute is not None):
        raise Malformed.at("query.by_attribute", "goes with group_by=attribute_status, and that with it")
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection, HISTORIES):
        moment = await negotiated(connection, ledger_id, None, asked(request, as_of, accept_datetime_))
        cut = await resolve_cut(connection, ledger_id, moment, said(said_by))
        wanted = incident_filter(request)
        stats = await count_incidents(
            connection, ledger_id, cut, wanted=wanted, group_by=group_by, by_attribute=by_attribute
        )
        mementos = await around(connection, ledger_id, None, cut.position, cut.audience)
    headers = memento_headers(request, mementos, asked=cut.as_of is not None)
    return answer(request, stats, cut.position, cut, headers=headers)


@post(_ONE + "/revisions", operation_id="reviseIncident", summary="Revise an incident", tags=["incidents"])
async def post_revision(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    data: JSONBody[IncidentRevision],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[IncidentView]:
    """A correction of our record, a change of title, kind, tags or status, a link, a merge. Nothing is overwritten.

    A corrected said_at moves every time that hangs on the statement, in every incident, in the same append. An
    administrator proposes or confirms that something be erased.
    """
    stream, location = f"incident:{incident_id}", f"/v1/ledgers/{ledger}/incidents/{incident_id}"
    if isinstance(data, RedactionCommand):
        decide = redaction(request, data, stream, location)
    else:
        decide = revise_incident(data, incident_id, location)
    return await write(request, ledger, stream, decide, view_incident)


ROUTES = [post_incident, get_incidents, get_stats, post_revision]
