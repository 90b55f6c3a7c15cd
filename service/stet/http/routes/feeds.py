"""Feeds: what changed, and the log itself."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from stet.database.pool import HISTORIES, of_ledger, snapshot
from stet.errors import Malformed
from stet.http.access import access_of
from stet.http.admit import while_admitted
from stet.http.answer import NO_STORE, nothing
from stet.http.body import StetRequest
from stet.http.formats import FormatName, negotiate
from stet.http.routes import LedgerName
from stet.http.routes.exports import answer_atom
from stet.http.service import service_of
from stet.queries.changes import Changes, head_of, list_changes
from stet.queries.events import LoggedEvent, cloud_event, read_log

After = Annotated[
    int, QueryParameter(ge=0, le=2**62, description="A position: what is behind it. 0: from the beginning.")
]
LastEventId = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID",
        description="The id of the last event that was seen; it goes before `after`.",
    ),
]
_POSITION = re.compile(r"0|[1-9]\d{0,17}", re.ASCII)
_ENCODER = msgspec.json.Encoder()


@get("/v1/ledgers/{ledger:str}/changes", operation_id="listChanges", summary="Follow what changes", tags=["feeds"])
async def get_changes(
    request: StetRequest,
    ledger: LedgerName,
    after: After = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=1000, description="How many events; an append is whole.")] = 100,
    last_event_id_: LastEventId = None,
    format_: FormatName = None,
) -> Response[Changes]:
    """What changed after a position, append by append: from 0 on it adds up to the current lists.

    As `text/event-stream` it goes on for as long as the client listens: an event an append, its `id` the position.
    As Atom: the newest first, with links to the older.
    """
    service = service_of(request)
    form = negotiate(request, format_, ("json", "sse", "atom"))
    if form == "atom":
        if "after" in request.query_params:
            raise Malformed.at("query.after", "does not go with Atom, which begins with the newest")
        return await answer_atom(request, ledger, None, limit)  # type: ignore[return-value]
    if form == "sse" and last_event_id_ is not None:
        after = _last(last_event_id_)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection, HISTORIES):
        if form == "json":
            page = await list_changes(connection, ledger_id, after, limit, access_of(request).audience)
            headers = NO_STORE | {"stet-position": str(page.head), "vary": "accept"}
            if page.next_after < page.head:
                headers["link"] = f'<{request.url.path}?after={page.next_after}&limit={limit}>; rel="next"'
            return Response(page, headers=headers)
        await head_of(connection, ledger_id, after)
    feed = (
        nothing()
        if request.scope["state"]["head"]
        else while_admitted(request, service.feeds.follow(ledger_id, after, access_of(request).audience))
    )
    # X-Accel-Buffering: proxies that understand it pass each event on at once.
    headers = NO_STORE | {"x-accel-buffering": "no", "vary": "accept"}
    return Stream(lambda: feed, media_type="text/event-stream", headers=headers)  # type: ignore[return-value]


@get("/v1/ledgers/{ledger:str}/events", operation_id="listEvents", summary="Read the log", tags=["feeds"])
async def get_log(
    request: StetRequest, ledger: LedgerName, after: After = 0, format_: FormatName = None
) -> Response[LoggedEvent]:
    """Every event after a position as it is stored, with what proves it: as NDJSON, one a line, up to the head.

    Or as an array of CloudEvents 1.0. Streamed, at any size.
    """
    service = service_of(request)
    form = negotiate(request, format_, ("ndjson", "cloudevents"))
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection):
        head = await head_of(connection, ledger_id, after)
    lines = _ndjson if form == "ndjson" else _cloudevents
    media_type = "application/x-ndjson" if form == "ndjson" else "application/cloudevents-batch+json"
    headers = NO_STORE | {"stet-position": str(head), "vary": "accept"}
    pages = read_log(service.pool, ledger_id, after, head, access_of(request).audience)
    body = nothing if request.scope["state"]["head"] else partial(lines, ledger_id, pages)
    return Stream(body, media_type=media_type, headers=headers)  # type: ignore[return-value]


async def _ndjson(_: UUID, pages: AsyncIterator[list[LoggedEvent]]) -> AsyncIterator[bytes]:
    async for page in pages:
        yield b"".join(_ENCODER.encode(event) + b"\n" for event in page)


async def _cloudevents(ledger_id: UUID, pages: AsyncIterator[list[LoggedEvent]]) -> AsyncIterator[bytes]:
    before = b"["
    async for page in pages:
        yield before + b",".join(_ENCODER.encode(cloud_event(ledger_id, event)) for event in page)
        before = b","
    yield b"[]" if before == b"[" else b"]"


def _last(text: str) -> int:
    if not _POSITION.fullmatch(text):
        raise Malformed.at("header.Last-Event-ID", f"must be the id of an event of this stream, not {text[:50]!r}")
    return int(text)


ROUTES = [get_changes, get_log]
