"""What can be asked of a redaction: of incidents, sources and documents, with their revisions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from stet.envelope import Command
from stet.redaction.events import Pointer, RedactionGround
from stet.values.text import Reason


class MarkedInput(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What is to be erased of one event."""

    stream_version: Annotated[int, Meta(ge=1)]
    """The event, by its number in the stream."""
    fields: Annotated[tuple[Pointer, ...], Meta(max_length=1_000)] = ()
    """Empty: all that can be erased of it."""


class ProposeRedaction(Command, frozen=True, kw_only=True, tag_field="type", tag="redaction-proposed"):
    """Asks that fields of events be erased, for good. Another administrator must agree. Takes the role admin."""

    ground: RedactionGround
    events: Annotated[tuple[MarkedInput, ...], Meta(min_length=1, max_length=1_000)]
    reason: Reason


class ConfirmRedaction(Command, frozen=True, kw_only=True, tag_field="type", tag="payload-redacted"):
    """Agrees to a redaction that another administrator proposed: what it names is erased at once. Takes the role admin.

    The same text is erased wherever else it stands in the stream, and in the incidents that hold the same statements.
    """

    redaction_id: UUID
    reason: Reason


RedactionCommand = ProposeRedaction | ConfirmRedaction
