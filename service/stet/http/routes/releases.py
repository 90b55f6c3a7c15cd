"""Releases: positions of the log with a name, to be cited by."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter

from stet.database.pool import of_ledger, snapshot
from stet.handle import handle
from stet.handle.ledger import change_ledger
from stet.http.answer import answer, written
from stet.http.body import StetRequest
from stet.http.conditions import context_of
from stet.http.paging import CursorText, Limit
from stet.http.routes import (
    AcceptDatetime,
    Asked,
    AsOfText,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    LedgerName,
    asked,
    at,
    read_page,
)
from stet.http.service import service_of
from stet.ledger.commands import PublishRelease
from stet.ledger.release import ReleaseView
from stet.queries.many import Page
from stet.queries.releases import list_releases, view_release

_PATH = "/v1/ledgers/{ledger:str}/releases"


@post(_PATH, operation_id="publishRelease", summary="Publish a release", tags=["releases"])
async def publish_release(
    request: StetRequest,
    ledger: LedgerName,
    data: JSONBody[PublishRelease],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[ReleaseView]:
    """Gives a position of the log a name, for ever: what `as_of=release:NAME` answers never changes.

    Without a position it is where the log ends when this is decided. It does not lie before the release before.
    If-Match compares the version of the ledger.
    """
    service, context = service_of(request), await context_of(request)
    ledger_id = await service.ledger_id(ledger)
    decide = change_ledger(data, ledger_id, f"/v1/ledgers/{ledger}/releases/{data.name}")
    outcome = await handle(service.pool, service.log, ledger_id, f"ledger:{ledger_id}", decide, context)
    async with of_ledger(service.pool, ledger_id) as connection:
        name = outcome.location.rpartition("/")[2]
        cut, shown = await view_release(connection, ledger_id, name, at(request, outcome))
    return written(shown, shown.version, cut, status=outcome.status, location=outcome.location)


@get(_PATH, operation_id="listReleases", summary="List the releases", tags=["releases"])
async def get_releases(
    request: StetRequest,
    ledger: LedgerName,
    as_of: AsOfText = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    accept_datetime_: AcceptDatetime = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[ReleaseView]]:
    """In the order in which they were published, each with its numbers, and what changed since the one before."""
    wanted = Asked(asked(request, as_of, accept_datetime_), limit, cursor)
    return await read_page(request, ledger, "releases", list_releases, wanted)


@get(_PATH + "/{name:str}", operation_id="getRelease", summary="Get a release", tags=["releases"])
async def get_release(
    request: StetRequest,
    ledger: LedgerName,
    name: Annotated[str, PathParameter(description="The release's name.", pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")],
    as_of: AsOfText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[ReleaseView]:
    """Which position it names, and what there is at it."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection):
        cut, shown = await view_release(connection, ledger_id, name, asked(request, as_of))
    return answer(request, shown, shown.version, cut)


ROUTES = [publish_release, get_releases, get_release]
