"""TimeMaps (RFC 7089): at which moments an incident, or a list, changed."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import QueryParameter

from stet.database.pool import of_ledger, snapshot
from stet.http.access import access_of
from stet.http.answer import answer
from stet.http.body import StetRequest
from stet.http.formats import MEDIA_TYPES, FormatName, Rendered, negotiate
from stet.http.memento import OF_INCIDENT, OF_LEDGER, MementoView, TimeMap, address, as_links, original
from stet.http.paging import Limit
from stet.http.routes import IfNoneMatch, LedgerName
from stet.http.routes.incidents import IncidentId
from stet.http.service import service_of
from stet.queries.mementos import list_mementos

After = Annotated[
    int, QueryParameter(ge=0, le=2**63 - 1, description="A position: what follows it. 0: from the beginning.")
]


@get(
    "/v1/ledgers/{ledger:str}/timemap",
    operation_id="getTimeMap",
    summary="Get the TimeMap of a list",
    tags=["mementos"],
)
async def get_timemap(
    request: StetRequest,
    ledger: LedgerName,
    of: Annotated[
        str,
        QueryParameter(
            description="Which list, as its address goes on behind the ledger's, without as_of and cursor.",
            pattern=OF_LEDGER,
            max_length=2000,
        ),
    ] = "incidents",
    after: After = 0,
    limit: Limit = 1000,
    format_: FormatName = None,
    if_none_match: IfNoneMatch = None,
) -> Response[TimeMap]:
    """RFC 7089: a memento for each append to the ledger, whether it changed this list or another.

    As link-format, or as JSON, by Accept or `format`.
    """
    return await _timemap(request, ledger, None, original(f"/v1/ledgers/{ledger}", of), after, limit, format_)


@get(
    "/v1/ledgers/{ledger:str}/incidents/{incident_id:uuid}/timemap",
    operation_id="getIncidentTimeMap",
    summary="Get the TimeMap of an incident",
    tags=["mementos"],
)
async def get_incident_timemap(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    of: Annotated[
        str,
        QueryParameter(
            description="Which list of the incident, as its address goes on behind the incident's, without as_of and "
            "cursor. Absent: the incident itself.",
            pattern=OF_INCIDENT,
            max_length=2000,
        ),
    ] = "",
    after: After = 0,
    limit: Limit = 1000,
    format_: FormatName = None,
    if_none_match: IfNoneMatch = None,
) -> Response[TimeMap]:
    """RFC 7089: a memento for each append to the incident. As link-format, or as JSON, by Accept or `format`."""
    base = f"/v1/ledgers/{ledger}/incidents/{incident_id}"
    return await _timemap(request, ledger, f"incident:{incident_id}", original(base, of), after, limit, format_)


async def _timemap(
    request: StetRequest, ledger: str, stream: str | None, of: str, after: int, limit: int, format_: FormatName
) -> Response[TimeMap]:
    service, form = service_of(request), negotiate(request, format_, ("link", "json"))
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection):
        found = await list_mementos(connection, ledger_id, stream, after, limit + 1, access_of(request).audience)
    page, following = found[:limit], found[limit] if len(found) > limit else None
    next_ = _page(request, page[-1].position) if following else None
    items = [
        MementoView(uri=address(of, memento), position=memento.position, recorded_at=memento.recorded_at)
        for memento in page
    ]
    shown = TimeMap(original=of, items=items, next=next_)
    rendered = None
    if form == "link":
        body = as_links(shown, _page(request, after), following and following.recorded_at, first=after == 0)
        rendered = Rendered(body, MEDIA_TYPES["link"], {})
    headers = {"vary": "accept", "link": f'<{of}>; rel="original timegate"'}
    return answer(request, shown, page[-1].position if page else after, headers=headers, rendered=rendered)


def _page(request: StetRequest, after: int) -> str:
    """The address of this TimeMap from a position on."""
    asked = {name: value for name, value in request.query_params.items() if name != "after"}
    query = urlencode(asked | ({"after": str(after)} if after else {}))
    return f"{request.url.path}{f'?{query}' if query else ''}"


ROUTES = [get_timemap, get_incident_timemap]
