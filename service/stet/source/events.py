"""The events of a source's stream. This is the storage format: version with care (docs/adding-an-event.md)."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from stet.envelope import Event
from stet.redaction.events import EVENTS as REDACTIONS
from stet.redaction.events import Redaction
from stet.values.text import Language, Line, Reason, Script, Sha256

SourceKind = Literal[
    "person",
    "organisation",
    "state-body",
    "state",
    "de-facto-authority",
    "intergovernmental",
    "outlet",
    "aggregator",
    "account",
    "unit",
    "data-set",
    "unknown",
]
Reliability = Annotated[
    Literal["A", "B", "C", "D", "E", "F"],
    Meta(description="The Admiralty grade of a source, A (completely reliable) to F (cannot be judged)."),
]


class Alias(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Another name, or another spelling, in its language and script."""

    name: Line
    language: Language | None = None
    script: Script | None = None


Aliases = Annotated[tuple[Alias, ...], Meta(max_length=200)]


class SourceRegistered(Event, frozen=True, kw_only=True):
    """The ledger knows a source. Its default reliability only pre-fills a form: it never enters resolution."""

    name: Line
    kind: SourceKind
    aliases: Aliases = ()
    parent: UUID | None = None
    reliability: Reliability | None = None


class SourceRevised(Event, frozen=True, kw_only=True):
    """What is known of the source changed."""

    name: Line | UnsetType = UNSET
    kind: SourceKind | UnsetType = UNSET
    aliases: Aliases | UnsetType = UNSET
    parent: UUID | UnsetType | None = UNSET
    reliability: Reliability | UnsetType | None = UNSET
    reason: Reason


class SourceMerged(Event, frozen=True, kw_only=True):
    """The source is another one, for ever: what named it names that one. Comes again for each further part of that."""

    into: UUID
    reached: Sha256 | None = None
    """How far the streams that name it have followed, in the order of the SHA-256 of their names. Absent: all have."""
    reason: Reason


SourceEvent = SourceRegistered | SourceRevised | SourceMerged | Redaction

EVENTS: dict[str, type[SourceEvent]] = {
    "source-registered": SourceRegistered,
    "source-revised": SourceRevised,
    "source-merged": SourceMerged,
    **REDACTIONS,
}
