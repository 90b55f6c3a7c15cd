"""The rows of data sets: published, line by line, and read back exactly as published."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Stream
from msgspec import Raw

from stet.database.pool import HISTORIES, Pool, of_ledger, snapshot
from stet.handle import handle
from stet.handle.records import publish_records
from stet.http.access import access_of
from stet.http.answer import answer, kept_for, nothing, permanent, written
from stet.http.body import StetRequest
from stet.http.conditions import context_of, refuse_if_match
from stet.http.formats import MEDIA_TYPES, FormatName, Rendered, negotiate
from stet.http.memento import memento_headers
from stet.http.routes import (
    AcceptDatetime,
    AsOfText,
    IdempotencyKey,
    IfNoneMatch,
    LedgerName,
    SaidByText,
    asked,
    at,
    said,
)
from stet.http.service import service_of
from stet.incident.publish import PublishRecords
from stet.queries.cut import resolve_cut
from stet.queries.mementos import around, negotiated
from stet.queries.records import Progress, RecordRow, RecordsCut, read_records, records_cut, view_progress

_PATH = "/v1/ledgers/{ledger:str}/records"
_ENCODER = msgspec.json.Encoder()
_ROW = msgspec.json.Decoder(dict[str, Raw])


@post(_PATH, operation_id="publishRecords", summary="Publish rows of a data set", tags=["records"])
async def post_records(
    request: StetRequest, ledger: LedgerName, data: JSONBody[PublishRecords], idempotency_key: IdempotencyKey = None
) -> Response[Progress]:
    """Lines of a data set's history, in their order: all are recorded, or none, and the first bad one is named.

    A row that comes for the first time opens an incident; one that comes again is a statement that supersedes the one
    before; one with the value null is a retraction. After it the row may come again.
    """
    refuse_if_match(request)
    service, context = service_of(request), await context_of(request)
    ledger_id = await service.ledger_id(ledger)
    location = f"/v1/ledgers/{ledger}/records/{data.source_id}"
    decide = publish_records(data, location, contributed=access_of(request).contributes)
    outcome = await handle(service.pool, service.log, ledger_id, None, decide, context)
    async with of_ledger(service.pool, ledger_id) as connection:
        cut, shown = await view_progress(connection, ledger_id, data.source_id, at(request, outcome))
    return written(shown, cut.position, cut, status=outcome.status, location=outcome.location)


@get(_PATH, operation_id="listRecords", summary="Read the rows of a data set", tags=["records"])
async def get_records(
    request: StetRequest,
    ledger: LedgerName,
    source: Annotated[UUID, QueryParameter(description="The data set.")],
    as_of: AsOfText = None,
    said_by: SaidByText = None,
    format_: FormatName = None,
    accept_datetime_: AcceptDatetime = None,
) -> Response[RecordRow]:
    """Every row that the data set had at the cut, exactly as it was published, in the order of the keys.

    As NDJSON, or as CSV with the key, as `record_key`, in front of the row's own members. Streamed, at any size.
    """
    service = service_of(request)
    form = negotiate(request, format_, ("ndjson", "csv"))
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection, HISTORIES):
        moment = await negotiated(connection, ledger_id, None, asked(request, as_of, accept_datetime_))
        cut = await resolve_cut(connection, ledger_id, moment, said(said_by))
        wanted = await records_cut(connection, ledger_id, source, cut)
        mementos = await around(connection, ledger_id, None, cut.position, cut.audience)
    headers = memento_headers(request, mementos, asked=cut.as_of is not None, forms=True) | {
        "stet-position": str(cut.position),
        "cache-control": kept_for(cut),
        "content-location": permanent(request, cut, rendered=Rendered(b"", MEDIA_TYPES[form], {"format": form})),
    }
    lines = _ndjson if form == "ndjson" else _csv
    body = nothing if request.scope["state"]["head"] else partial(lines, service.pool, wanted)
    return Stream(body, media_type=MEDIA_TYPES[form], headers=headers)  # type: ignore[return-value]


@get(_PATH + "/{source_id:uuid}", operation_id="getRecordsProgress", summary="See how far it came", tags=["records"])
async def get_progress(
    request: StetRequest,
    ledger: LedgerName,
    source_id: Annotated[UUID, PathParameter(description="The data set.")],
    as_of: AsOfText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Progress]:
    """The highest line number and the latest time that came in: where an interrupted import goes on."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection, HISTORIES):
        cut, shown = await view_progress(connection, ledger_id, source_id, asked(request, as_of))
    return answer(request, shown, cut.position, cut)


async def _ndjson(pool: Pool, wanted: RecordsCut) -> AsyncIterator[bytes]:
    async for page in read_records(pool, wanted):
        yield b"".join(_ENCODER.encode(row) + b"\n" for row in page)


async def _csv(pool: Pool, wanted: RecordsCut) -> AsyncIterator[bytes]:
    """Read twice: the header is all names that occur, in the order in which they do."""
    names: dict[str, None] = {}
    async for page in read_records(pool, wanted):
        for row in page:
            names.update(dict.fromkeys(_ROW.decode(row.record)))
    yield _csv_lines([["record_key", *names]])
    async for page in read_records(pool, wanted):
        found = [(row.key, _ROW.decode(row.record)) for row in page]
        yield _csv_lines([[key, *(_cell(row.get(name)) for name in names)] for key, row in found])


def _csv_lines(rows: list[list[str]]) -> bytes:
    output = io.StringIO()
    csv.writer(output, lineterminator="\r\n").writerows(rows)
    return output.getvalue().encode()


def _cell(value: Raw | None) -> str:
    """A text as it is, a number as it was written, nothing for null. No apostrophes: it is what was published."""
    if value is None or bytes(value) == b"null":
        return ""
    return msgspec.json.decode(value, type=str) if bytes(value).startswith(b'"') else bytes(value).decode()


ROUTES = [post_records, get_records, get_progress]
