"""The routes under /v1, by what they are about; here, what they have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol, TypeVar
from uuid import UUID

from litestar import Response
from litestar.params import HeaderParameter, PathParameter, QueryParameter

from stet.database.pool import Connection
from stet.handle import Decision, Outcome, Reader, handle
from stet.http.answer import answer, written
from stet.http.body import StetRequest
from stet.http.conditions import context_of, refuse_if_match
from stet.http.paging import Cursor, page_cut, sign, unsign
from stet.http.service import service_of
from stet.queries.cut import AsOf, ReadCut, parse_as_of
from stet.queries.many import Page, Rows


class Versioned(Protocol):
    """A view of one thing."""

    @property
    def version(self) -> int: ...


T = TypeVar("T")
V = TypeVar("V", bound=Versioned)
View = Callable[[Connection, UUID, UUID, AsOf | None], Awaitable[tuple[ReadCut, V]]]
"""One thing of a ledger, by its id, at a cut."""

AsOfText = Annotated[
    str | None,
    QueryParameter(
        description="What this database said then: an RFC 3339 instant, a date (the end of that day, UTC), "
        "position:N or release:NAME. Absent: what it says by now.",
        max_length=250,
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


def asked(as_of: str | None) -> AsOf | None:
    """What a read asks for."""
    return None if as_of is None else parse_as_of(as_of, "query.as_of")


def at(outcome: Outcome) -> AsOf | None:
    """The cut that the answer to a write shows: right after it."""
    return None if outcome.position is None else AsOf(f"position:{outcome.position}", outcome.position)


async def read_one(request: StetRequest, ledger: str, id_: UUID, as_of: str | None, view: View[V]) -> Response[V]:
    """Answers with one thing at a cut."""
    service = service_of(request)
    async with service.pool.connection() as connection:
        cut, shown = await view(connection, await service.ledger_id(connection, ledger), id_, asked(as_of))
    return answer(request, shown, shown.version, cut)


async def read_page(
    request: StetRequest,
    ledger: str,
    what: str,
    rows: Callable[[Connection, UUID, ReadCut, int, int], Awaitable[Rows[T]]],
    as_of: str | None,
    limit: int,
    cursor: str | None,
) -> Response[Page[T]]:
    """Answers with a page of the list `what`, and the cursor of the next, which is bound to that list and its cut."""
    service = service_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
        before = unsign(cursor, service.cursor_secret, what, ledger_id) if cursor is not None else None
        cut = await page_cut(connection, ledger_id, as_of, before)
        found = await rows(connection, ledger_id, cut, int(before.after) if before else 0, limit)
    following = None
    if found.after is not None:
        next_cursor = Cursor(what, ledger_id, cut.position, cut.as_of, found.after)
        following = sign(next_cursor, service.cursor_secret)
    page = Page(found.items, following, cut.of_ledger())
    return answer(request, page, cut.position, cut, query={"limit": limit})


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
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
    outcome = await handle(service.pool, service.log, ledger_id, subject, decide, context)
    async with service.pool.connection() as connection:
        id_ = UUID(outcome.location.rpartition("/")[2])
        cut, shown = await view(connection, ledger_id, id_, at(outcome))
    return written(shown, shown.version, cut, status=outcome.status, location=outcome.location)
