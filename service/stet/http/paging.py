"""List cursors: signed, and bound to their list and their cut."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar.params import QueryParameter
from msgspec import Struct

from stet.database.pool import Connection
from stet.errors import Malformed
from stet.queries.cut import ALL_SAID, AsOf, ReadCut, Said, resolve_cut

_SIGNATURE_BYTES = 16

Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="How many items at most, 1 to 1000.")]
CursorText = Annotated[
    str | None, QueryParameter(description="next_cursor of the page before. It carries the cut.", max_length=2000)
]


class Cursor(Struct, frozen=True, array_like=True):
    """Where a list goes on, and what list it is."""

    what: str
    """The list, its filters and its order."""
    ledger_id: UUID | None
    cut: ReadCut | None
    after: Any


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
    raise Malformed.at(
        "query.cursor",
        "is not a cursor of this list with these filters: use next_cursor as it was given, and change nothing else",
    )


async def page_cut(connection: Connection, ledger_id: UUID, as_of: AsOf, said: Said, cursor: Cursor | None) -> ReadCut:
    """The cut of a page: that of the first page, if it is a later one. Raises Malformed if another is asked for."""
    if cursor is None:
        return await resolve_cut(connection, ledger_id, as_of, said)
    cut = cursor.cut
    assert cut
    if cut.audience != as_of.audience:
        raise Malformed.at("query.cursor", "is of somebody who may see other things: start anew")
    same = (cut.as_of, None), (cut.as_of, cut.seen), (f"position:{cut.position}", None)
    if as_of.some_time and (as_of.text, as_of.seen) not in same:
        raise Malformed.at("query.as_of", "differs from the cut of the cursor: leave it away, or start anew")
    if said not in (ALL_SAID, cut.said):
        raise Malformed.at("query.said_by", "differs from the cut of the cursor: leave it away, or start anew")
    return cut._replace(live=False)


def digest(what: str, *parts: Any) -> str:
    """A list by its name, its filters and its order."""
    return f"{what}:{sha256(msgspec.json.encode(parts)).hexdigest()[:16]}"


def _signature(body: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, body, sha256)[:_SIGNATURE_BYTES]
