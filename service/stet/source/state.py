"""What a source's stream adds up to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import assert_never
from uuid import UUID

from msgspec import UNSET, Struct
from msgspec.structs import replace

from stet.envelope import Recorded
from stet.redaction.events import PayloadRedacted, RedactionProposed
from stet.source.events import (
    Alias,
    Reliability,
    SourceEvent,
    SourceKind,
    SourceMerged,
    SourceRegistered,
    SourceRevised,
)

REVISABLE = ("name", "kind", "aliases", "parent", "reliability")


class Source(Struct, frozen=True, kw_only=True):
    """A source at some version of its stream; version 0 is one that does not exist."""

    version: int = 0
    position: int = 0
    source_id: UUID | None = None
    name: str = ""
    kind: SourceKind = "unknown"
    aliases: tuple[Alias, ...] = ()
    parent: UUID | None = None
    reliability: Reliability | None = None
    merged: SourceMerged | None = None
    """The last word on that it is another source."""
    registered_at: datetime | None = None
    updated_at: datetime | None = None


initial = Source()


def evolve(state: Source, recorded: Recorded[SourceEvent]) -> Source:
    """The source after one more event."""
    state = replace(state, version=recorded.stream_version, position=recorded.position, updated_at=recorded.recorded_at)
    match recorded.event:
        case SourceRegistered() as event:
            return replace(
                state,
                source_id=UUID(recorded.stream.partition(":")[2]),
                registered_at=recorded.recorded_at,
                **{name: getattr(event, name) for name in REVISABLE},
            )
        case SourceRevised() as event:
            given = {name: value for name in REVISABLE if (value := getattr(event, name)) is not UNSET}
            return replace(state, **given)
        case SourceMerged() as event:
            return replace(state, merged=event)
        case RedactionProposed() | PayloadRedacted():
            # What was erased is gone from the events themselves.
            return state
        case _ as never:
            assert_never(never)


def fold(events: Iterable[Recorded[SourceEvent]], state: Source = initial) -> Source:
    """The source after all the events, in order."""
    return reduce(evolve, events, state)
