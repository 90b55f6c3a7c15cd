"""The events of a document's stream. This is the storage format: version with care (docs/adding-an-event.md)."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from stet.envelope import Event
from stet.redaction.events import EVENTS as REDACTIONS
from stet.redaction.events import Redaction
from stet.values.text import Line, Prose, Reason, Sha256, Slug, Url
from stet.values.time import Instant, Time
from stet.values.visibility import Visibility

Number = Annotated[int, Meta(ge=1, le=10_000)]
Change = Annotated[
    Literal["original", "update", "correction", "clarification", "retraction", "headline", "unknown"],
    Meta(description="What the publisher did in this version. An update adds; a correction admits an error."),
]
Basis = Literal["told", "induced", "deduced", "witnessed", "cannot-judge"]


class Version(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One version of a document, its publisher's."""

    version: Number
    change: Change
    published_at: Time | None = None
    headline: Line | None = None
    summary: Prose | None = None
    inferred: bool = False
    """Nobody kept this version: that it existed is concluded from a later one."""


class PublishedAt(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a version was published, as the desk judges; null = unknown."""

    version: Number
    published_at: Time | None


class DocumentRegistered(Event, frozen=True, kw_only=True):
    """The ledger knows a document."""

    kind: Slug
    title: Line
    url: Url | None = None
    publisher: UUID | None = None
    versions: tuple[Version, ...]


class DocumentRevised(Event, frozen=True, kw_only=True):
    """The publisher made another version."""

    version: Version
    reason: Reason


class DocumentCorrected(Event, frozen=True, kw_only=True):
    """The desk corrects its record of the document."""

    title: Line | UnsetType = UNSET
    url: Url | UnsetType | None = UNSET
    publisher: UUID | UnsetType = UNSET
    """The source that the publisher turned out to be."""
    versions: tuple[PublishedAt, ...] = ()
    basis: Basis
    rationale: Reason


class DocumentCaptured(Event, frozen=True, kw_only=True):
    """A copy of a version was archived."""

    version: Number
    captured_at: Instant
    sha256: Sha256
    url: Url | None = None
    archive_url: Url | None = None
    tool: Line | None = None
    reason: Reason


class VisibilityChanged(Event, frozen=True, kw_only=True):
    """The desk says who may see something from then on: also in streams of incidents, of these or of statements."""

    statement_id: UUID | None = None
    """The statement. Absent: the incident or the document itself, by the stream."""
    visibility: Visibility
    reason: Reason


DocumentEvent = (
    DocumentRegistered | DocumentRevised | DocumentCorrected | DocumentCaptured | VisibilityChanged | Redaction
)

EVENTS: dict[str, type[DocumentEvent]] = {
    "document-registered": DocumentRegistered,
    "document-revised": DocumentRevised,
    "document-corrected": DocumentCorrected,
    "document-captured": DocumentCaptured,
    "visibility-changed": VisibilityChanged,
    **REDACTIONS,
}
