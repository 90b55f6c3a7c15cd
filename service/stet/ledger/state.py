"""What a ledger's own stream adds up to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import assert_never
from uuid import UUID

from msgspec import UNSET, Struct
from msgspec.structs import replace

from stet.envelope import Recorded
from stet.ledger.attributes import BUILT_IN, Attribute
from stet.ledger.events import AttributeDefined, LedgerAmended, LedgerCreated, LedgerEvent, ReleasePublished


class Release(Struct, frozen=True, kw_only=True):
    """A named position of the log."""

    name: str
    note: str | None
    position: int
    resolution: int
    published_at: datetime
    published_by: str
    published_position: int
    """Of the event that made it."""
    version: int
    """Of the ledger's stream, with that event."""


class Ledger(Struct, frozen=True, kw_only=True):
    """A ledger at some version of its stream; version 0 is one that does not exist."""

    version: int = 0
    position: int = 0
    ledger_id: UUID | None = None
    name: str = ""
    title: str = ""
    public: bool = False
    review: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    defined: dict[str, Attribute] = {}
    releases: dict[str, Release] = {}
    """In the order in which they were published, which is that of their positions."""

    @property
    def attributes(self) -> dict[str, Attribute]:
        """Every attribute that a claim may name: the built-in ones and the ledger's own."""
        return BUILT_IN | self.defined


initial = Ledger()


def evolve(state: Ledger, recorded: Recorded[LedgerEvent]) -> Ledger:
    """The ledger after one more event."""
    state = replace(state, version=recorded.stream_version, position=recorded.position, updated_at=recorded.recorded_at)
    match recorded.event:
        case LedgerCreated(name=name, title=title, public=public, review=review):
            ledger_id = UUID(recorded.stream.partition(":")[2])
            return replace(
                state,
                ledger_id=ledger_id,
                name=name,
                title=title,
                public=public,
                review=review,
                created_at=recorded.recorded_at,
            )
        case LedgerAmended() as event:
            return replace(
                state,
                title=state.title if event.title is UNSET else event.title,
                public=state.public if event.public is UNSET else event.public,
                review=state.review if event.review is UNSET else event.review,
            )
        case AttributeDefined() as event:
            attribute = Attribute(
                name=event.name,
                type_=event.type_,
                rule=event.rule,
                description=event.description,
                terms=event.terms,
            )
            return replace(state, defined={**state.defined, event.name: attribute})
        case ReleasePublished() as event:
            release = Release(
                name=event.name,
                note=event.note,
                position=event.position,
                resolution=event.resolution,
                published_at=recorded.recorded_at,
                published_by=recorded.actor,
                published_position=recorded.position,
                version=recorded.stream_version,
            )
            return replace(state, releases={**state.releases, event.name: release})
        case _ as never:
            assert_never(never)


def fold(events: Iterable[Recorded[LedgerEvent]], state: Ledger = initial) -> Ledger:
    """The ledger after all the events, in order."""
    return reduce(evolve, events, state)
