"""The routes under /v1, by what they are about."""

from __future__ import annotations

from typing import Annotated, TypeVar
from uuid import UUID

from litestar.params import HeaderParameter, PathParameter, QueryParameter

from stet.handle import Outcome
from stet.http.paging import Cursor, sign
from stet.http.service import Service
from stet.queries.cut import AsOf, ReadCut, parse_as_of
from stet.queries.many import Page, Rows

T = TypeVar("T")

AsOfText = Annotated[
    str | None,
    QueryParameter(
        description="What this database said then: an RFC 3339 instant, a date (the end of that day, UTC), "
        "position:N or release:NAME. Absent: what it says by now.",
        max_length=250,
        examples=None,
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


def last_segment(location: str) -> UUID:
    """The id at the end of a Location."""
    return UUID(location.rpartition("/")[2])


def to_page(rows: Rows[T], cut: ReadCut, what: str, ledger_id: UUID, service: Service) -> Page[T]:
    """A page with the cursor of the next."""
    following = None
    if rows.after is not None:
        cursor = Cursor(what, ledger_id, cut.position, cut.as_of, cut.final, rows.after)
        following = sign(cursor, service.cursor_secret)
    return Page(rows.items, following, cut.of_ledger())
