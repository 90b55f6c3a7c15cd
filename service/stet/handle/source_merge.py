"""Merging a source into another: what names it follows, at once, or where that is much, part by part."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import psycopg
from msgspec.structs import replace

from stet.errors import Refused
from stet.handle import Decision, Reader, to_events
from stet.handle.due import Due, write_due
from stet.handle.same_source import above, followed, survivors
from stet.source.commands import MergeSource
from stet.source.decide import decide
from stet.source.events import SourceMerged
from stet.source.merge import turn_of, with_names
from stet.source.state import Source
from stet.sql import load
from stet.store.append import NewEvent
from stet.store.read import Role

Decide = Callable[[Reader], Awaitable[Decision]]
_FIND_MERGING = load("find_merging")
_NAMING: tuple[Role, ...] = ("names",)
_STREAMS = 1_000
"""So many streams follow in one append."""


def merge_source(command: MergeSource, source_id: UUID, location: str) -> Decide:
    """Merges a source into another, whose names it brings along. The first 1,000 streams that name it follow."""

    async def decide_(reader: Reader) -> Decision:
        state, into = await _source(reader, source_id), await _source(reader, command.into)
        decided = decide(command, state, source_id, await above(reader, command.into, "into"))
        if not decided:
            return Decision(location, [])
        if await reader.publishes(source_id):
            raise Refused.at("into", "the source has published rows of a data set, whose keys are its own")
        merged, streams = await _part(reader, source_id, SourceMerged(into=command.into, reason=command.reason))
        events = to_events(f"source:{source_id}", [merged])
        cause = events[0].event_id
        events += to_events(f"source:{command.into}", with_names(state, into, command.reason), cause)
        events += await followed(reader, streams, {source_id: command.into}, cause)
        return Decision(location, events)

    return decide_


def go_on(source_id: UUID) -> Decide:
    """The next 1,000 streams that name a merged source follow; nothing, if none is left."""

    async def decide_(reader: Reader) -> Decision:
        last = (await _source(reader, source_id)).merged
        if last is None or last.reached is None:
            return Decision("", [])
        merged, streams = await _part(reader, source_id, last)
        events: list[NewEvent] = to_events(f"source:{source_id}", [merged])
        into = await survivors(reader, {source_id})
        return Decision("", [*events, *await followed(reader, streams, into, events[0].event_id)])

    return decide_


def end_merges(connection: psycopg.Connection, url: str) -> tuple[int, int]:
    """Goes on with the merges that are not at their ends, by one part each: how many of those, how many failed."""
    found = connection.execute(_FIND_MERGING).fetchall()
    due = [Due(ledger_id, stream, go_on(UUID(stream[7:]))) for ledger_id, stream in found]
    return len(due), write_due(connection, url, due)


async def _part(reader: Reader, source_id: UUID, last: SourceMerged) -> tuple[SourceMerged, Sequence[str]]:
    """The next streams that follow, and the event that says how far this goes."""
    named = await reader.dependants([f"source:{source_id}"], _NAMING)
    left = sorted((stream for stream in named if turn_of(stream) > (last.reached or "")), key=turn_of)
    now, more = left[:_STREAMS], left[_STREAMS:]
    return replace(last, reached=turn_of(now[-1]) if more else None), now


async def _source(reader: Reader, source_id: UUID) -> Source:
    stream = f"source:{source_id}"
    state: Source = (await reader.states((stream,)))[stream]
    return state
