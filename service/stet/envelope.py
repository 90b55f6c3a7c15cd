"""PURE: what stands around an event once it is in the log."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID

import msgspec

Audience = Literal["public", "member"]
"""Whose view it is. A member sees everything; the public, what nobody has restricted."""
E_co = TypeVar("E_co", covariant=True)


# Without gc: there are many of them, and none leads back to itself, so the collector need not look at each.
class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """The payload of an event. Its type is in the envelope; what equals the default is not stored."""


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What somebody asks for: the body of a write."""


class Recorded(msgspec.Struct, Generic[E_co], frozen=True, gc=False):
    """An event of the log. Only the database sets position and recorded_at."""

    position: int
    stream: str
    stream_version: int
    event_id: UUID
    type: str
    schema_version: int
    recorded_at: datetime
    actor: str
    correlation_id: UUID
    causation_id: UUID | None
    event: E_co


class Cut(msgspec.Struct, frozen=True):
    """What a view was made at; echoed in every answer."""

    position: int
    """The last event that the view was made from."""
    recorded_at: datetime | None
    """When that event entered the log; null when the log was empty."""
    as_of: str | None
    """What was asked for, in its canonical form; null = the head."""
    said_by: datetime | None
    """Only what had been said by then is kept; null = everything."""
    said_match: Literal["definite", "possible"] | None
    """With said_by: whether it must have been said by then for certain."""
    final: bool
    """No later event can change this answer: a later append exists, or a position was asked for."""
    resolution: int
    """The version of the rules by which values are resolved."""
    audience: Audience
    """Who it is shown to: `public` leaves out what is restricted today."""
