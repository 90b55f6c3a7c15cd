"""What a command on a document leads to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import assert_never
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from stet.document.commands import (
    CaptureDocument,
    ChangeDocumentVisibility,
    CorrectDocument,
    DocumentCommand,
    RegisterDocument,
    ReviseDocument,
    VersionInput,
)
from stet.document.events import (
    DocumentCaptured,
    DocumentCorrected,
    DocumentEvent,
    DocumentRegistered,
    DocumentRevised,
    PublishedAt,
    Version,
)
from stet.document.state import Document
from stet.document.visibility import change, recorded_with
from stet.errors import Malformed, NameTaken, NotFound, Refused, UnknownReference
from stet.values.time import Time, TimeInput, normalise, to_utc


def decide(
    command: DocumentCommand, state: Document, document_id: UUID, *, publisher_known: bool = True
) -> tuple[DocumentEvent, ...]:
    """The events that the command leads to; () = nothing to do. Raises StetError where the rules say no."""
    if not isinstance(command, RegisterDocument) and state.version == 0:
        raise NotFound(f"there is no document {document_id}")
    match command:
        case RegisterDocument():
            if state.version:
                raise NameTaken(f"there is a document {document_id} already")
            registered = _register(command, publisher_known)
            return (registered, *recorded_with(command.visibility, ""))
        case ReviseDocument():
            last = max(state.versions)
            if command.version <= last:
                raise Refused.at("version", f"must follow version {last}, the last known")
            return (DocumentRevised(version=_version(command, ""), reason=command.reason),)
        case CorrectDocument():
            return _correct(command, state)
        case ChangeDocumentVisibility(reason=reason):
            return change(state.visibility, command, reason)
        case CaptureDocument():
            _require_version(command.version, state, "version")
            captured_at = to_utc(command.captured_at, "captured_at")
            event = DocumentCaptured(
                version=command.version,
                captured_at=captured_at,
                sha256=command.sha256,
                url=command.url,
                archive_url=command.archive_url,
                tool=command.tool,
                reason=command.reason,
            )
            return () if any(replace(old, reason=event.reason) == event for old in state.captures) else (event,)
        case _ as never:
            assert_never(never)


def _register(command: RegisterDocument, publisher_known: bool) -> DocumentRegistered:
    if not publisher_known:
        raise UnknownReference.at("publisher", f"there is no source {command.publisher}")
    _require_increasing([version.version for version in command.versions])
    return DocumentRegistered(
        kind=command.kind,
        title=command.title,
        url=command.url,
        publisher=command.publisher,
        versions=tuple(_version(version, f"versions[{i}].") for i, version in enumerate(command.versions)),
    )


def _correct(command: CorrectDocument, state: Document) -> tuple[DocumentEvent, ...]:
    if command.title is UNSET and command.url is UNSET and not command.versions:
        raise Malformed.at("versions", "a correction must change something: give title, url or versions")
    _require_increasing([version.version for version in command.versions])
    changed = []
    for index, given in enumerate(command.versions):
        _require_version(given.version, state, f"versions[{index}].version")
        published_at = _published_at(given.published_at, f"versions[{index}].published_at")
        if published_at != state.versions[given.version].published_at:
            changed.append(PublishedAt(version=given.version, published_at=published_at))
    event = DocumentCorrected(
        title=UNSET if command.title == state.title else command.title,
        url=UNSET if command.url == state.url else command.url,
        versions=tuple(changed),
        basis=command.basis,
        rationale=command.rationale,
    )
    return () if event.title is UNSET and event.url is UNSET and not changed else (event,)


def _version(given: VersionInput | ReviseDocument, field: str) -> Version:
    return Version(
        version=given.version,
        change=given.change,
        published_at=_published_at(given.published_at, f"{field}published_at"),
        headline=given.headline,
        summary=given.summary,
        inferred=given.inferred,
    )


def _published_at(given: TimeInput | None, field: str) -> Time | None:
    if given is None:
        return None
    time = normalise(given, field)
    if time.anchor:
        raise Malformed.at(f"{field}.anchor", "other times hang on a publication; it cannot hang on another itself")
    return time


def _require_version(version: int, state: Document, field: str) -> None:
    if version not in state.versions:
        raise UnknownReference.at(field, f"the document has no version {version}")


def _require_increasing(versions: Sequence[int]) -> None:
    for index, (before, after) in enumerate(pairwise(versions), start=1):
        if after <= before:
            raise Malformed.at(f"versions[{index}].version", "must be greater than the one before")
