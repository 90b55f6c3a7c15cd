"""What the API shows of a source."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from stet.envelope import Cut
from stet.source.events import Alias, Reliability, SourceKind
from stet.source.state import Source


class SourceView(Struct, frozen=True, kw_only=True):
    source_id: UUID
    version: int
    name: str
    kind: SourceKind
    aliases: tuple[Alias, ...]
    parent: UUID | None
    reliability: Reliability | None
    registered_at: datetime
    updated_at: datetime
    cut: Cut


def view(state: Source, cut: Cut) -> SourceView:
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
        registered_at=state.registered_at,
        updated_at=state.updated_at,
        cut=cut,
    )
