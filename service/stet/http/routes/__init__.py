"""The routes under /v1, by what they are about; here, what they have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response
from litestar.params import HeaderParameter, PathParameter, QueryParameter

from stet.database.pool import HISTORIES, Connection, of_ledger, snapshot
from stet.errors import Malformed
from stet.handle import Decision, Outcome, Reader, handle
from stet.http.access import access_of
from stet.http.answer import answer, written
from stet.http.body import StetRequest
from stet.http.conditions import accept_datetime, context_of, refuse_if_match
from stet.http.formats import Rendered
from stet.http.memento import memento_headers
from stet.http.paging import Cursor, page_cut, sign, unsign
from stet.http.service import service_of
from stet.incident.said import SaidMatch
from stet.queries.cut import ALL_SAID, HEAD, AsOf, ReadCut, Said, parse_as_of, parse_said_by, text_of
from stet.queries.many import Page, Rows
from stet.queries.mementos import around, negotiated


class Versioned(Protocol):
    """A view of one thing."""

    @property
    def version(self) -> int: ...


T = TypeVar("T")
V = TypeVar("V", bound=Versioned)
View = Callable[[Connection, UUID, UUID, AsOf], Awaitable[tuple[ReadCut, V]]]
"""One thing of a ledger, by its id, at a cut."""

AsOfText = Annotated[
    str | None,
    QueryParameter(
        description="What this database said then: an RFC 3339 instant, a date (the end of that day, UTC), "
        "position:N or release:NAME. Absent: what it says by now.",
        max_length=250,
    ),
]
SaidByText = Annotated[
    str | None,
    QueryParameter(
        name="said_by",
        description="What had been said in public by then, as we know by now: an RFC 3339 instant, or a date (the end "
        "of that day, UTC). Absent: everything.",
        max_length=250,
    ),
]
SaidMatchName = Annotated[
    SaidMatch,
    QueryParameter(
        name="said_match",
        description="With said_by: keep what was said by then for certain, or what may have been.",
    ),
]
AcceptDatetime = Annotated[
    str | None,
    HeaderParameter(
        name="Accept-Datetime",
        description="RFC 7089: the state at this HTTP date. as_of goes first.",
    ),
]
Query = Annotated[
    str | None,
    QueryParameter(
        description="Words, in any script: each begins a word of the text, or of a name of a source in it.",
        min_length=1,
        max_length=500,
    ),
]
LedgerName = Annotated[str, PathParameter(description="The ledger's name.", pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match", description='The ETag, or only the version ("7"), that must still be the last; else 412.'
    ),
]
IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="Any text of your own. The same request under the same key is done once, and answered alike.",
    ),
]
IfNoneMatch = Annotated[
    str | None, HeaderParameter(name="If-None-Match", description="ETags that you have: 304 if one is still right.")
]


def asked(
    request: StetRequest, as_of: str | None, accept_datetime_: str | None = None, field: str = "query.as_of"
) -> AsOf:
    """The moment that a read asks for, and for whom."""
    found, instant = HEAD, accept_datetime(accept_datetime_) if as_of is None else None
    if as_of is not None:
        found = parse_as_of(as_of, field)
    elif instant:
        found = AsOf(text_of(instant), instant=instant, negotiated=True)
    return found._replace(audience=access_of(request).audience)


def said(said_by: str | None, said_match: SaidMatch = "definite", field: str = "query.said_by") -> Said:
    """What a read keeps. Raises Malformed for said_match without said_by."""
    if said_by is None:
        if said_match != "definite":
            raise Malformed.at("query.said_match", "goes with said_by")
        return ALL_SAID
    return Said(parse_said_by(said_by, field), said_match)


def at(request: StetRequest, outcome: Outcome) -> AsOf:
    """The cut that the answer to a write shows: right after it."""
    shown = HEAD if outcome.position is None else AsOf(f"position:{outcome.position}", outcome.position)
    return shown._replace(audience=access_of(request).audience)


async def read_one(request: StetRequest, ledger: str, id_: UUID, as_of: str | None, view: View[V]) -> Response[V]:
    """Answers with one thing at a cut."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection):
        cut, shown = await view(connection, ledger_id, id_, asked(request, as_of))
    return answer(request, shown, shown.version, cut)


class Asked(NamedTuple):
    """What a request for a page asks for, beside what the list is of."""

    as_of: AsOf
    limit: int
    cursor: str | None
    said: Said = ALL_SAID


async def read_page(
    request: StetRequest,
    ledger: str,
    what: str,
    rows: Callable[[Connection, UUID, ReadCut, Any, int], Awaitable[Rows[T]]],
    wanted: Asked,
    *,
    stream: str | None = None,
    render: Callable[[Page[T]], Rendered | None] | None = None,
) -> Response[Page[T]]:
    """Answers with a page of the list `what`, and the cursor of the next, which is bound to that list and its cut.

    `stream` is what a list is of that only its events change; `render` gives it in another form than JSON.
    """
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection, HISTORIES):
        before = None
        if wanted.cursor is not None:
            before = unsign(wanted.cursor, service.cursor_secret, what, ledger_id)
        as_of = await negotiated(connection, ledger_id, stream, wanted.as_of)
        cut = await page_cut(connection, ledger_id, as_of, wanted.said, before)
        found = await rows(connection, ledger_id, cut, before.after if before else None, wanted.limit)
        mementos = await around(connection, ledger_id, stream, cut.position, cut.audience)
    following = None
    if found.after is not None:
        following = sign(Cursor(what, ledger_id, cut, found.after), service.cursor_secret)
    page = Page(found.items, following, cut.of_ledger())
    path = f"{request.url.path}?{urlencode({**request.query_params, 'cursor': following})}" if following else None
    headers = memento_headers(request, mementos, asked=cut.as_of is not None, forms=render is not None, following=path)
    return answer(request, page, cut.position, cut, headers=headers, rendered=render(page) if render else None)


async def write(
    request: StetRequest,
    ledger: str,
    subject: str | None,
    decide: Callable[[Reader], Awaitable[Decision]],
    view: View[V],
) -> Response[V]:
    """Carries out a command and answers with what it is about, right after it.

    `subject` is the stream that If-Match speaks of; None for what is yet to be created.
    """
    if subject is None:
        refuse_if_match(request)
    service, context = service_of(request), await context_of(request)
    ledger_id = await service.ledger_id(ledger)
    outcome = await handle(service.pool, service.log, ledger_id, subject, decide, context)
    async with of_ledger(service.pool, ledger_id) as connection:
        id_ = UUID(outcome.location.rpartition("/")[2])
        cut, shown = await view(connection, ledger_id, id_, at(request, outcome))
    return written(shown, shown.version, cut, status=outcome.status, location=outcome.location)
