"""The moments at which something changed: what RFC 7089 calls its mementos. Each is an append, never half of one."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from stet.database.pool import Connection
from stet.envelope import Audience
from stet.errors import NotFound
from stet.queries.changes import head_of
from stet.queries.cut import AsOf, text_of
from stet.queries.shown import read_guarded
from stet.sql import load

_MEMENTOS_OF_LOG = load("mementos_of_log")
_MEMENTOS_OF_STREAM = load("mementos_of_stream")
_AROUND_IN_LOG = load("around_in_log")
_AROUND_IN_STREAM = load("around_in_stream")
_APPEND_ENDS = load("append_ends")


class Memento(NamedTuple):
    """One append."""

    position: int
    """Its last in the log: `as_of=position:N` gives what this memento is of."""
    recorded_at: datetime


class Around(NamedTuple):
    """Where a cut stands among the mementos."""

    first: Memento | None = None
    prev: Memento | None = None
    shown: Memento | None = None
    next: Memento | None = None
    last: Memento | None = None


async def around(
    connection: Connection, ledger_id: UUID, stream: str | None, position: int, audience: Audience
) -> Around:
    """The mementos of a stream, or of the whole log, around the cut at a position, as far as the audience sees them."""
    if (seen := await _seen(connection, ledger_id, stream, audience)) is not None:
        return _around(seen, position)
    parameters = {"ledger_id": ledger_id, "stream": stream, "position": position}
    cursor = await connection.execute(_AROUND_IN_STREAM if stream else _AROUND_IN_LOG, parameters)
    return Around(**{relation: Memento(at, recorded_at) for relation, at, recorded_at in await cursor.fetchall()})


async def list_mementos(
    connection: Connection, ledger_id: UUID, stream: str | None, after: int, limit: int, audience: Audience
) -> list[Memento]:
    """The mementos of a stream, or of the whole log, after a position, as far as the audience sees them.

    Raises NotFound where there is no such.
    """
    head = await head_of(connection, ledger_id, after)
    if (seen := await _seen(connection, ledger_id, stream, audience)) is not None:
        found = [memento for memento in seen if memento.position > after][:limit]
    else:
        parameters = {"ledger_id": ledger_id, "stream": stream, "after": after, "limit": limit}
        cursor = await connection.execute(_MEMENTOS_OF_STREAM if stream else _MEMENTOS_OF_LOG, parameters)
        found = [Memento(*row) for row in await cursor.fetchall()]
    if not found and stream and (await around(connection, ledger_id, stream, head, audience)).shown is None:
        raise NotFound(f"there is no {stream.replace(':', ' ')}")
    return found


async def negotiated(connection: Connection, ledger_id: UUID, stream: str | None, as_of: AsOf) -> AsOf:
    """What to read for what was asked: for an Accept-Datetime before the first memento that is the first."""
    if not as_of.negotiated or as_of.instant is None:
        return as_of
    first = (await around(connection, ledger_id, stream, 0, as_of.audience)).first
    if first is None or first.recorded_at <= as_of.instant:
        return as_of
    return AsOf(text_of(first.recorded_at), instant=first.recorded_at, audience=as_of.audience)


async def _seen(
    connection: Connection, ledger_id: UUID, stream: str | None, audience: Audience
) -> list[Memento] | None:
    """The appends to a stream that the audience sees something of; None: all of them, or it is about the whole log."""
    guarded = await read_guarded(connection, ledger_id, (stream,) if stream else (), audience)
    if stream is None or stream not in guarded:
        return None
    moments = list(dict.fromkeys(one.recorded_at for one in guarded[stream].shown))
    cursor = await connection.execute(_APPEND_ENDS, {"ledger_id": ledger_id, "moments": moments})
    return [Memento(*row) for row in await cursor.fetchall()]


def _around(seen: list[Memento], position: int) -> Around:
    if not seen:
        return Around()
    until = bisect_right(seen, position, key=lambda memento: memento.position)
    if not until:
        return Around(first=seen[0], last=seen[-1])
    return Around(
        first=seen[0],
        prev=seen[until - 2] if until > 1 else None,
        shown=seen[until - 1],
        next=seen[until] if until < len(seen) else None,
        last=seen[-1],
    )
