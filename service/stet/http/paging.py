"""List cursors: signed, and bound to their list and their cut."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Annotated
from uuid import UUID

import msgspec
from litestar.params import QueryParameter
from msgspec import Struct

from stet.database.pool import Connection
from stet.errors import Malformed
from stet.queries.cut import AsOf, ReadCut, parse_as_of, resolve_cut

_SIGNATURE_BYTES = 16

Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="How many items at most, 1 to 1000.")]
CursorText = Annotated[
    str | None, QueryParameter(description="next_cursor of the page before. It carries the cut.", max_length=1000)
]


class Cursor(Struct, frozen=True, array_like=True):
    """Where a list goes on, and what list it is."""

    what: str
    ledger_id: UUID | None
    position: int
    as_of: str | None
    after: int | str


def sign(cursor: Cursor, secret: bytes) -> str:
    """The cursor as text that nobody else can make."""
    body = msgspec.msgpack.encode(cursor)
    return urlsafe_b64encode(_signature(body, secret) + body).decode().rstrip("=")


def unsign(text: str, secret: bytes, what: str, ledger_id: UUID | None) -> Cursor:
    """The cursor of this list. Raises Malformed for any text that this service did not make for it."""
    try:
        signed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        signature, body = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
        if hmac.compare_digest(signature, _signature(body, secret)):
            cursor = msgspec.msgpack.decode(body, type=Cursor)
            if (cursor.what, cursor.ledger_id) == (what, ledger_id):
                return cursor
    except (ValueError, msgspec.MsgspecError):
        pass
    raise Malformed.at("query.cursor", "is not a cursor of this list: use next_cursor as it was given")


async def page_cut(connection: Connection, ledger_id: UUID, as_of: str | None, cursor: Cursor | None) -> ReadCut:
    """The cut of a page: that of the first page, if it is a later one. Raises Malformed if as_of differs from it."""
    asked = parse_as_of(as_of, "query.as_of") if as_of is not None else None
    if cursor is None:
        return await resolve_cut(connection, ledger_id, asked)
    if asked and asked.text not in (cursor.as_of, f"position:{cursor.position}"):
        raise Malformed.at("query.as_of", "differs from the cut of the cursor: leave it away, or start anew")
    return (await resolve_cut(connection, ledger_id, AsOf("", position=cursor.position)))._replace(as_of=cursor.as_of)


def _signature(body: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, body, sha256)[:_SIGNATURE_BYTES]
