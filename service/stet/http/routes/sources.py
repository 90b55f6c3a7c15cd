"""Sources: who speaks, relays or reports."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter

from stet.database.pool import of_ledger, snapshot
from stet.handle.ledger import change_source
from stet.handle.source_merge import merge_source
from stet.http.answer import answer, moved
from stet.http.body import StetRequest
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
    asked,
    read_page,
    write,
)
from stet.http.routes.redactions import redaction
from stet.http.service import service_of
from stet.ids import new_id
from stet.queries.many import Page, list_sources
from stet.queries.one import view_source
from stet.queries.source_record import SourceRecordView, view_source_record
from stet.redaction.commands import RedactionCommand
from stet.source.commands import MergeSource, RegisterSource, SourceRevision
from stet.source.view import SourceView

SourceId = Annotated[UUID, PathParameter(description="The source's id.")]
_PATH = "/v1/ledgers/{ledger:str}/sources"
_ONE = _PATH + "/{source_id:uuid}"


@post(_PATH, operation_id="registerSource", summary="Register a source", tags=["sources"])
async def register_source(
    request: StetRequest, ledger: LedgerName, data: JSONBody[RegisterSource], idempotency_key: IdempotencyKey = None
) -> Response[SourceView]:
    """A person, body, outlet, aggregator, account, data set or unknown."""
    source_id = new_id()
    decide = change_source(data, source_id, f"/v1/ledgers/{ledger}/sources/{source_id}")
    return await write(request, ledger, None, decide, view_source)


@get(_PATH, operation_id="listSources", summary="List the sources", tags=["sources"])
async def get_sources(
    request: StetRequest,
    ledger: LedgerName,
    as_of: AsOfText = None,
    q: Query = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    accept_datetime_: AcceptDatetime = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[SourceView]]:
    """In the order in which they were registered."""
    rows = partial(list_sources, q=q)
    wanted = Asked(asked(request, as_of, accept_datetime_), limit, cursor)
    return await read_page(request, ledger, digest("sources", q), rows, wanted)


@get(_ONE, operation_id="getSource", summary="Get a source", tags=["sources"])
async def get_source(
    request: StetRequest,
    ledger: LedgerName,
    source_id: SourceId,
    as_of: AsOfText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[SourceView]:
    """One source, as of any moment since it was registered. One that is another by then: 308, to that one."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection):
        cut, shown = await view_source(connection, ledger_id, source_id, asked(request, as_of))
    if shown.merge:
        return moved(request, f"/v1/ledgers/{ledger}/sources/{shown.merge.into}", shown)
    return answer(request, shown, shown.version, cut)


@post(_ONE + "/revisions", operation_id="reviseSource", summary="Revise a source", tags=["sources"])
async def revise_source(
    request: StetRequest,
    ledger: LedgerName,
    source_id: SourceId,
    data: JSONBody[SourceRevision],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[SourceView]:
    """Changes what is known of it: its name, kind, aliases, parent, or the reliability that a form starts with; or
    says that it is another source.

    An administrator proposes or confirms that something of it be erased.
    """
    stream, location = f"source:{source_id}", f"/v1/ledgers/{ledger}/sources/{source_id}"
    if isinstance(data, RedactionCommand):
        decide = redaction(request, data, stream, location)
    elif isinstance(data, MergeSource):
        decide = merge_source(data, source_id, location)
    else:
        decide = change_source(data, source_id, location)
    return await write(request, ledger, stream, decide, view_source)


@get(_ONE + "/record", operation_id="getSourceRecord", summary="What became of what a source said", tags=["sources"])
async def get_source_record(
    request: StetRequest,
    ledger: LedgerName,
    source_id: SourceId,
    as_of: AsOfText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[SourceRecordView]:
    """How many statements it made, retracted, superseded, conceded, relayed; how many others contradict.

    Kept by a worker: where that is behind the cut the answer waits a second, and then says at which cut it is.
    """
    service, wanted = service_of(request), asked(request, as_of)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection:
        cut, source = await view_source(connection, ledger_id, source_id, wanted)
    if source.merge:
        return moved(request, f"/v1/ledgers/{ledger}/sources/{source.merge.into}/record", source)
    cut, shown = await view_source_record(service.pool, ledger_id, source_id, wanted)
    # Behind, it is the answer to another question, which has an address of its own.
    query = {"as_of": f"position:{cut.position}"} if shown.cut.final and not cut.final else None
    made = answer(request, shown, cut.position, cut, query=query)
    if shown.parked:
        # There is no address that gives this again: it will be made good.
        made.headers.pop("content-location", None)
    return made


ROUTES = [register_source, get_sources, get_source, get_source_record, revise_source]
