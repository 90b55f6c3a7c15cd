"""What can be asked of a document."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from stet.document.events import Basis, Change, Number
from stet.envelope import Command
from stet.redaction.commands import RedactionCommand
from stet.values.text import Line, Prose, Reason, Sha256, Slug, Url
from stet.values.time import Instant, TimeInput
from stet.values.visibility import UNRESTRICTED, Label, Visibility


class VersionInput(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One version of a document, its publisher's."""

    version: Number
    change: Change
    published_at: TimeInput | None = None
    headline: Line | None = None
    summary: Prose | None = None
    inferred: bool = False


class PublishedAtInput(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a version was published, as the desk judges; null = unknown."""

    version: Number
    published_at: TimeInput | None


class RegisterDocument(Command, frozen=True, kw_only=True):
    """Makes a document known to the ledger."""

    kind: Slug
    title: Line
    url: Url | None = None
    publisher: UUID | None = None
    versions: Annotated[tuple[VersionInput, ...], Meta(min_length=1, max_length=1_000)]
    visibility: Visibility = UNRESTRICTED
    """Who may see it, from the first moment."""


class ReviseDocument(Command, frozen=True, kw_only=True, tag_field="type", tag="document-revised"):
    """The publisher made another version."""

    version: Number
    change: Change
    published_at: TimeInput | None = None
    headline: Line | None = None
    summary: Prose | None = None
    inferred: bool = False
    reason: Reason


class CorrectDocument(Command, frozen=True, kw_only=True, tag_field="type", tag="document-corrected"):
    """The desk corrects its record. Every time that hangs on a corrected version is derived again."""

    title: Line | UnsetType = UNSET
    url: Url | UnsetType | None = UNSET
    versions: Annotated[tuple[PublishedAtInput, ...], Meta(max_length=1_000)] = ()
    basis: Basis
    rationale: Reason


class CaptureDocument(Command, frozen=True, kw_only=True, tag_field="type", tag="document-captured"):
    """A copy of a version was archived. Stet keeps where it is and its hash, not the copy."""

    version: Number
    captured_at: Instant
    sha256: Sha256
    url: Url | None = None
    archive_url: Url | None = None
    tool: Line | None = None
    reason: Reason


class ChangeDocumentVisibility(Command, frozen=True, kw_only=True, tag_field="type", tag="visibility-changed"):
    """Who may see the document, at every cut. What is absent stays; null clears. What cites it goes with it."""

    label: Label | UnsetType = UNSET
    embargo_until: Instant | UnsetType | None = UNSET
    reason: Reason


DeskRevision = ReviseDocument | CorrectDocument | CaptureDocument | ChangeDocumentVisibility
DocumentRevision = DeskRevision | RedactionCommand
DocumentCommand = RegisterDocument | DeskRevision
