"""Events on their way from a decision to the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from stet.codec import TYPES, AnyEvent
from stet.envelope import Recorded
from stet.ids import new_id
from stet.store.append import NewEvent


def to_events(stream: str, events: Sequence[AnyEvent], causation_id: UUID | None = None) -> list[NewEvent]:
    """Events of one stream with their ids."""
    return [NewEvent(event_id=new_id(), stream=stream, event=event, causation_id=causation_id) for event in events]


def as_recorded(stream: str, events: Sequence[AnyEvent], version: int) -> list[Recorded[Any]]:
    """Events as if they were in the log already, to see what they will lead to within the same append."""
    at, nobody = datetime.now(UTC), new_id()
    return [
        Recorded(0, stream, version + n, nobody, TYPES[type(event)], 1, at, "", nobody, None, event)
        for n, event in enumerate(events, start=1)
    ]
