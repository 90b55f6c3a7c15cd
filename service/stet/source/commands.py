"""What can be asked of a source."""

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET, UnsetType

from stet.envelope import Command
from stet.redaction.commands import RedactionCommand
from stet.source.events import Aliases, Reliability, SourceKind
from stet.values.text import Line, Reason


class RegisterSource(Command, frozen=True, kw_only=True):
    """Makes a source known to the ledger."""

    name: Line
    kind: SourceKind
    aliases: Aliases = ()
    parent: UUID | None = None
    reliability: Reliability | None = None


class ReviseSource(Command, frozen=True, kw_only=True, tag_field="type", tag="source-revised"):
    """Changes what is known of a source. What is not given stays; null clears."""

    name: Line | UnsetType = UNSET
    kind: SourceKind | UnsetType = UNSET
    aliases: Aliases | UnsetType = UNSET
    parent: UUID | UnsetType | None = UNSET
    reliability: Reliability | UnsetType | None = UNSET
    reason: Reason


class MergeSource(Command, frozen=True, kw_only=True, tag_field="type", tag="source-merged"):
    """Says that the source is another one. Everything that names it will name that one. It cannot be taken back."""

    into: UUID
    reason: Reason


SourceRevision = ReviseSource | MergeSource | RedactionCommand
SourceCommand = RegisterSource | ReviseSource | MergeSource
