"""The moments at which something changed: what RFC 7089 calls its mementos. Each is an append, never half of one."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from stet.database.pool import Connection
from stet.errors import NotFound
from stet.queries.changes import head_of
from stet.queries.cut import AsOf, text_of
from stet.sql import load

_MEMENTOS_OF_LOG = load("mementos_of_log")
_MEMENTOS_OF_STREAM = load("mementos_of_stream")
_AROUND_IN_LOG = load("around_in_log")
_AROUND_IN_STREAM = load("around_in_stream")


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


async def around(connection: Connection, ledger_id: UUID, stream: str | None, position: int) -> Around:
    """The mementos of a stream, or of the whole log, around the cut at a position."""
    parameters = {"ledger_id": ledger_id, "stream": stream, "position": position}
    cursor = await connection.execute(_AROUND_IN_STREAM if stream else _AROUND_IN_LOG, parameters)
    return Around(**{relation: Memento(at, recorded_at) for relation, at, recorded_at in await cursor.fetchall()})


async def list_mementos(
    connection: Connection, ledger_id: UUID, stream: str | None, after: int, limit: int
) -> list[Memento]:
    """The mementos of a stream, or of the whole log, after a position. Raises NotFound where there is no such."""
    head = await head_of(connection, ledger_id, after)
    parameters = {"ledger_id": ledger_id, "stream": stream, "after": after, "limit": limit}
    cursor = await connection.execute(_MEMENTOS_OF_STREAM if stream else _MEMENTOS_OF_LOG, parameters)
    found = [Memento(*row) for row in await cursor.fetchall()]
    if not found and stream and (await around(connection, ledger_id, stream, head)).shown is None:
        raise NotFound(f"there is no {stream.replace(':', ' ')}")
    return found


async def negotiated(connection: Connection, ledger_id: UUID, stream: str | None, as_of: AsOf) -> AsOf:
    """What to read for what was asked: for an Accept-Datetime before the first memento that is the first."""
    if not as_of.negotiated or as_of.instant is None:
        return as_of
    first = (await around(connection, ledger_id, stream, 0)).first
    if first is None or first.recorded_at <= as_of.instant:
        return as_of
    return AsOf(text_of(first.recorded_at), instant=first.recorded_at, audience=as_of.audience)
