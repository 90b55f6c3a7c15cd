"""The events of a redaction: in streams of incidents, sources and documents. This is the storage format."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from stet.envelope import Event
from stet.values.text import Reason, Sha256

RedactionGround = Annotated[
    Literal["personal-data", "safety", "legal", "consent-withdrawn", "other"],
    Meta(description="Why something is erased for good."),
]
Pointer = Annotated[
    str,
    Meta(
        pattern=r"^(/[a-z0-9_-]+)+$(?!\n)",
        max_length=200,
        description="A JSON Pointer (RFC 6901) into the payload, as `/claims/0/note`.",
    ),
]


class Marked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to be erased of one event."""

    position: int
    fields: tuple[Pointer, ...]


class Erased(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was erased of one event, by this redaction and those before it, and the hash of what is left."""

    position: int
    fields: tuple[Pointer, ...]
    tombstone: Sha256
    """SHA-256 of the salt and the bytes of the payload that have taken the place of those that were hashed first."""


class RedactionProposed(Event, frozen=True, kw_only=True):
    """An administrator asks that fields of events of this stream be erased. Never what they say."""

    redaction_id: UUID
    ground: RedactionGround
    events: tuple[Marked, ...]
    reason: Reason


class PayloadRedacted(Event, frozen=True, kw_only=True):
    """Another administrator agreed: these fields of events of this stream were erased, in the same transaction."""

    redaction_id: UUID
    ground: RedactionGround
    events: tuple[Erased, ...]
    reason: Reason


Redaction = RedactionProposed | PayloadRedacted
REDACTED = "payload-redacted"
EVENTS: dict[str, type[Redaction]] = {"redaction-proposed": RedactionProposed, REDACTED: PayloadRedacted}
