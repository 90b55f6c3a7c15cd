"""Streams as an audience sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from stet.database.pool import Connection
from stet.envelope import Audience, Recorded
from stet.incident.visibility import shown
from stet.sql import load
from stet.store.read import HEAD, read_streams

_FIND_GUARDED = load("find_guarded")
_LIST_GUARDED = load("list_guarded")
_KINDS = ("incident:", "document:", "source:")
_STREAMS = 200


class Guarded(NamedTuple):
    """A stream that says something about who may see what, up to the head."""

    events: list[Recorded[Any]]
    """All of them."""
    shown: list[Recorded[Any]]
    """Those that the public sees, as it sees them; none: it sees nothing of it."""
    hidden: frozenset[int]
    """The positions of what the public does not see."""
    altered: dict[int, Recorded[Any]]
    """By their positions the events that the public sees in part."""


async def read_guarded(
    connection: Connection, ledger_id: UUID, streams: Collection[str], audience: Audience
) -> dict[str, Guarded]:
    """Those of some streams of which the audience may see less than there is."""
    asked = [stream for stream in streams if stream.startswith(_KINDS)]
    if audience == "member" or not asked:
        return {}
    cursor = await connection.execute(_FIND_GUARDED, {"ledger_id": ledger_id, "streams": asked})
    return await _read(connection, ledger_id, [stream for (stream,) in await cursor.fetchall()])


async def every_guarded(connection: Connection, ledger_id: UUID) -> AsyncIterator[Guarded]:
    """All such streams of a log."""
    after = ""
    while True:
        parameters = {"ledger_id": ledger_id, "after": after, "limit": _STREAMS}
        streams = [stream for (stream,) in await (await connection.execute(_LIST_GUARDED, parameters)).fetchall()]
        for found in (await _read(connection, ledger_id, streams)).values():
            yield found
        if len(streams) < _STREAMS:
            return
        after = streams[-1]


async def read_shown(
    connection: Connection, ledger_id: UUID, streams: Collection[str], audience: Audience, up_to: int = HEAD
) -> dict[str, list[Recorded[Any]]]:
    """The events of each stream up to a position, as the audience sees them; [] for a stream that it does not see.

    Of what is guarded all is read: what is restricted today is so at every cut.
    """
    guarded = await read_guarded(connection, ledger_id, streams, audience)
    plain = [stream for stream in streams if stream not in guarded]
    found = await read_streams(connection, ledger_id, plain, up_to)
    found |= {stream: [event for event in one.shown if event.position <= up_to] for stream, one in guarded.items()}
    return {stream: shown(stream, found[stream], audience) for stream in streams}


def hidden_in(guarded: Mapping[str, Guarded]) -> list[int]:
    """The positions of everything in some streams that the public does not see."""
    return sorted(position for one in guarded.values() for position in one.hidden)


async def _read(connection: Connection, ledger_id: UUID, streams: Collection[str]) -> dict[str, Guarded]:
    whole = await read_streams(connection, ledger_id, streams)
    return {stream: _guarded(stream, events) for stream, events in whole.items()}


def _guarded(stream: str, events: list[Recorded[Any]]) -> Guarded:
    seen, stored = shown(stream, events, "public"), {one.position: one for one in events}
    altered = {one.position: one for one in seen if one is not stored[one.position]}
    return Guarded(events, seen, frozenset(stored.keys() - {one.position for one in seen}), altered)
