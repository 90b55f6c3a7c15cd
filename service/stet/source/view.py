"""What the API shows of a source."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from stet.envelope import Cut
from stet.source.events import Alias, Reliability, SourceKind
from stet.source.state import Source


class SourceMerge(Struct, frozen=True, kw_only=True):
    """That the source is another one."""

    into: UUID
    """Which it is at the cut, also where that one was merged itself."""
    remaining: int | None
    """How many streams still name it, and will follow. Members only: null for the public."""


class SourceView(Struct, frozen=True, kw_only=True):
    source_id: UUID
    version: int
    name: str
    kind: SourceKind
    aliases: tuple[Alias, ...]
    parent: UUID | None
    reliability: Reliability | None
    merge: SourceMerge | None
    """Null: it is itself."""
    registered_at: datetime
    updated_at: datetime
    cut: Cut


def view(state: Source, cut: Cut, merge: SourceMerge | None = None) -> SourceView:
    """The source at the cut. Its version must not be 0."""
    assert state.source_id and state.registered_at and state.updated_at
    return SourceView(
        source_id=state.source_id,
        version=state.version,
        name=state.name,
        kind=state.kind,
        aliases=state.aliases,
        parent=state.parent,
        reliability=state.reliability,
        merge=merge,
        registered_at=state.registered_at,
        updated_at=state.updated_at,
        cut=cut,
    )
