"""Exports: the incidents of a list as a file, at any cut; and the changes as an Atom feed."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import PathParameter, QueryParameter
from litestar.response import Stream

from stet.database.pool import HISTORIES, of_ledger, snapshot
from stet.exporters.atom import atom, feed_page
from stet.exporters.forms import FORMS, ExportName, export
from stet.exporters.reading import wanted_of
from stet.http.access import access_of
from stet.http.answer import kept_for, nothing, permanent
from stet.http.body import StetRequest
from stet.http.filters import (
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
from stet.http.formats import MEDIA_TYPES
from stet.http.routes import AcceptDatetime, AsOfText, LedgerName, Query, SaidByText, asked, said
from stet.http.service import service_of
from stet.queries.cut import resolve_cut
from stet.queries.mementos import negotiated

_PATH = "/v1/ledgers/{ledger:str}/exports"
FormName = Annotated[ExportName, PathParameter(description="The form of the file: docs/exports.md describes each.")]
Before = Annotated[
    int | None, QueryParameter(ge=1, le=2**62, description="A position: what lies before it. Absent: the newest.")
]
Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="How many events; an append is whole.")]


@get(
    _PATH + "/{form:str}",
    operation_id="exportIncidents",
    summary="Export incidents",
    tags=["incidents"],
)
async def get_export(
    request: StetRequest,
    ledger: LedgerName,
    form: FormName,
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
    accept_datetime_: AcceptDatetime = None,
) -> Response[bytes]:
    """All incidents that the list with these parameters has at the cut, as one file. Streamed, at any size.

    Everything is read at one position: what is appended meanwhile changes nothing.
    """
    service = service_of(request)
    wanted_filter = incident_filter(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection, HISTORIES):
        moment = await negotiated(connection, ledger_id, None, asked(request, as_of, accept_datetime_))
        cut = await resolve_cut(connection, ledger_id, moment, said(said_by))
        wanted = await wanted_of(connection, ledger_id, cut, wanted_filter, sort)
    writer = FORMS[form].writer(wanted)
    headers = {
        "cache-control": kept_for(cut),
        "content-disposition": f'attachment; filename="{ledger}.{FORMS[form].extension}"',
        "content-location": permanent(request, cut),
        "stet-position": str(cut.position),
        "vary": "accept-datetime",
    }
    body = nothing if request.scope["state"]["head"] else partial(export, service.pool, form, writer, wanted)
    return Stream(body, media_type=FORMS[form].media_type, headers=headers)  # type: ignore[return-value]


@get(_PATH + "/atom", operation_id="getAtomFeed", summary="Read the changes as Atom", tags=["feeds"])
async def get_atom(
    request: StetRequest, ledger: LedgerName, before: Before = None, limit: Limit = 100
) -> Response[bytes]:
    """What changed, newest first, as Atom 1.0: an entry for each thing that an append changed; `next` is older."""
    return await answer_atom(request, ledger, before, limit)


async def answer_atom(request: StetRequest, ledger: str, before: int | None, limit: int) -> Response[bytes]:
    """A page of the Atom feed."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection, HISTORIES):
        page = await feed_page(connection, ledger_id, before, limit, access_of(request).audience)
    first = f"/v1/ledgers/{ledger}/exports/atom"
    asked_for = {"before": before, "limit": limit} if before else {"limit": limit}
    links = {"self": f"{first}?{urlencode(asked_for)}", "first": f"{first}?limit={limit}"}
    if page.before:
        links["next"] = f"{first}?before={page.before}&limit={limit}"
    body = atom(ledger_id, ledger, page, links)
    headers = {"cache-control": "no-store", "stet-position": str(page.head), "vary": "accept"}
    return Response(body, media_type=MEDIA_TYPES["atom"], headers=headers)


ROUTES = [get_export, get_atom]
