"""What the API shows of a document."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from stet.document.events import DocumentCaptured, Version
from stet.document.state import Document
from stet.envelope import Cut
from stet.values.visibility import Visibility


class DocumentView(Struct, frozen=True, kw_only=True):
    document_id: UUID
    version: int
    """The version of our record; `versions` are the publisher's."""
    kind: str
    title: str
    url: str | None
    publisher: UUID | None
    versions: tuple[Version, ...]
    captures: tuple[DocumentCaptured, ...]
    visibility: Visibility
    registered_at: datetime
    updated_at: datetime
    cut: Cut


def view(state: Document, cut: Cut) -> DocumentView:
    """The document at the cut. Its version must not be 0."""
    assert state.document_id and state.registered_at and state.updated_at
    return DocumentView(
        document_id=state.document_id,
        version=state.version,
        kind=state.kind,
        title=state.title,
        url=state.url,
        publisher=state.publisher,
        versions=tuple(state.versions.values()),
        captures=state.captures,
        visibility=state.visibility,
        registered_at=state.registered_at,
        updated_at=state.updated_at,
        cut=cut,
    )
