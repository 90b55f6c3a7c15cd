"""What a document's stream adds up to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import assert_never
from uuid import UUID

from msgspec import UNSET, Struct
from msgspec.structs import replace

from stet.document.events import (
    DocumentCaptured,
    DocumentCorrected,
    DocumentEvent,
    DocumentRegistered,
    DocumentRevised,
    Version,
    VisibilityChanged,
)
from stet.envelope import Recorded
from stet.redaction.events import PayloadRedacted, RedactionProposed
from stet.values.time import UNBOUNDED, Bounds
from stet.values.visibility import UNRESTRICTED, Visibility


class Document(Struct, frozen=True, kw_only=True):
    """A document at some version of its stream (`version`; not to be confused with its publisher's `versions`)."""

    version: int = 0
    position: int = 0
    document_id: UUID | None = None
    kind: str = ""
    title: str = ""
    url: str | None = None
    publisher: UUID | None = None
    versions: dict[int, Version] = {}
    captures: tuple[DocumentCaptured, ...] = ()
    visibility: Visibility = UNRESTRICTED
    registered_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def published(self) -> dict[int, Bounds]:
        """When each version was published; unbounded = unknown."""
        return {n: v.published_at.bounds if v.published_at else UNBOUNDED for n, v in self.versions.items()}


initial = Document()


def evolve(state: Document, recorded: Recorded[DocumentEvent]) -> Document:
    """The document after one more event."""
    state = replace(state, version=recorded.stream_version, position=recorded.position, updated_at=recorded.recorded_at)
    match recorded.event:
        case DocumentRegistered() as event:
            return replace(
                state,
                document_id=UUID(recorded.stream.partition(":")[2]),
                kind=event.kind,
                title=event.title,
                url=event.url,
                publisher=event.publisher,
                versions={version.version: version for version in event.versions},
                registered_at=recorded.recorded_at,
            )
        case DocumentRevised(version=version):
            return replace(state, versions={**state.versions, version.version: version})
        case DocumentCorrected() as event:
            versions = dict(state.versions)
            for changed in event.versions:
                versions[changed.version] = replace(versions[changed.version], published_at=changed.published_at)
            return replace(
                state,
                title=state.title if event.title is UNSET else event.title,
                url=state.url if event.url is UNSET else event.url,
                publisher=state.publisher if event.publisher is UNSET else event.publisher,
                versions=versions,
            )
        case DocumentCaptured() as event:
            return replace(state, captures=(*state.captures, event))
        case VisibilityChanged(visibility=visibility):
            return replace(state, visibility=visibility)
        case RedactionProposed() | PayloadRedacted():
            # What was erased is gone from the events themselves.
            return state
        case _ as never:
            assert_never(never)


def fold(events: Iterable[Recorded[DocumentEvent]], state: Document = initial) -> Document:
    """The document after all the events, in order."""
    return reduce(evolve, events, state)
