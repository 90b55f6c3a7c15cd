"""What commands on a document lead to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from tests.strategies import cut, uuid
from tests.unit.recording import record

from stet.document.commands import (
    CaptureDocument,
    CorrectDocument,
    DocumentCommand,
    PublishedAtInput,
    RegisterDocument,
    ReviseDocument,
    VersionInput,
)
from stet.document.decide import decide
from stet.document.events import (
    DocumentCaptured,
    DocumentCorrected,
    DocumentRegistered,
    DocumentRevised,
    PublishedAt,
    Version,
)
from stet.document.state import Document, fold, initial
from stet.document.view import view
from stet.errors import Malformed, NotFound, Refused, StetError, UnknownReference
from stet.values.time import UNBOUNDED, Anchor, Time, normalise

D1, OUT = uuid(1), uuid(2)
DAY = normalise("2020-11-09", "t")
REGISTERED = DocumentRegistered(
    kind="article",
    title="Mi-24 shot down",
    url="https://example.org/1",
    versions=(Version(version=1, change="original", inferred=True), Version(version=2, change="update")),
)
CAPTURE = CaptureDocument(
    version=2,
    captured_at=datetime(2020, 11, 10, 12, tzinfo=UTC),
    sha256="a1" * 32,
    archive_url="https://archive.example.org/1",
    reason="kept",
)


def given(*events: object) -> Document:
    return fold(record(f"document:{D1}", *events))


def when(command: DocumentCommand, state: Document, **more: bool) -> tuple[Any, ...]:
    return decide(command, state, D1, **more)


def refusal(command: DocumentCommand, state: Document, error: type[StetError], **more: bool) -> list[str]:
    with pytest.raises(StetError) as caught:
        when(command, state, **more)
    assert type(caught.value) is error
    return [bad.field for bad in caught.value.errors]


def register(*versions: VersionInput) -> RegisterDocument:
    return RegisterDocument(kind="article", title="Mi-24 shot down", url="https://example.org/1", versions=versions)


def correct(**given_: Any) -> CorrectDocument:
    return CorrectDocument(**given_, basis="deduced", rationale="the article says today")


ONE = VersionInput(version=1, change="original", inferred=True)
TWO = VersionInput(version=2, change="update")


def test_given_nothing_when_registered_then_there_is_a_document() -> None:
    assert when(register(ONE, TWO), initial) == (REGISTERED,)


def test_when_a_version_is_dated_then_its_bounds_are_recorded() -> None:
    (event,) = when(register(replace(ONE, published_at="2020-11-09")), initial)
    assert event.versions[0].published_at == DAY


@pytest.mark.parametrize("numbers", [(1, 1), (2, 1), (1, 3, 2)])
def test_when_versions_do_not_increase_then_the_document_is_malformed(numbers: tuple[int, ...]) -> None:
    versions = [VersionInput(version=n, change="original") for n in numbers]
    assert refusal(register(*versions), initial, Malformed) == [f"versions[{len(numbers) - 1}].version"]


def test_when_its_publisher_is_unknown_then_the_reference_is_refused() -> None:
    command = replace(register(ONE), publisher=OUT)
    assert refusal(command, initial, UnknownReference, publisher_known=False) == ["publisher"]
    (event,) = when(command, initial)
    assert event.publisher == OUT


def test_a_publication_is_dated_by_bounds_and_hangs_on_nothing() -> None:
    hung = Time(anchor=Anchor(relation="same-day", document_id=D1, version=1))
    command = register(ONE, replace(TWO, published_at=hung))
    assert refusal(command, initial, Malformed) == ["versions[1].published_at.anchor"]
    revise = ReviseDocument(version=3, change="update", published_at=hung, reason="r")
    assert refusal(revise, given(REGISTERED), Malformed) == ["published_at.anchor"]
    assert refusal(register(replace(ONE, published_at="junk")), initial, Malformed) == ["versions[0].published_at"]


@pytest.mark.parametrize("command", [ReviseDocument(version=3, change="update", reason="r"), correct(), CAPTURE])
def test_given_nothing_when_changed_then_it_is_not_found(command: DocumentCommand) -> None:
    assert refusal(command, initial, NotFound) == []


def test_given_a_document_when_its_publisher_revises_it_then_it_has_another_version() -> None:
    command = ReviseDocument(version=5, change="correction", headline="CORRECTED", reason="seen today")
    (event,) = when(command, given(REGISTERED))
    assert event == DocumentRevised(
        version=Version(version=5, change="correction", headline="CORRECTED"), reason="seen today"
    )
    assert list(given(REGISTERED, event).versions) == [1, 2, 5]


@pytest.mark.parametrize("version", [1, 2])
def test_given_a_document_when_a_version_does_not_follow_the_last_then_it_is_refused(version: int) -> None:
    command = ReviseDocument(version=version, change="update", reason="r")
    assert refusal(command, given(REGISTERED), Refused) == ["version"]


def test_given_a_document_when_the_desk_dates_it_then_only_what_changes_is_recorded() -> None:
    versions = (
        PublishedAtInput(version=1, published_at=None),
        PublishedAtInput(version=2, published_at="2020-11-09"),
    )
    (event,) = when(correct(title="Mi-24 shot down", versions=versions), given(REGISTERED))
    assert event == DocumentCorrected(
        versions=(PublishedAt(version=2, published_at=DAY),), basis="deduced", rationale="the article says today"
    )
    assert given(REGISTERED, event).published == {1: UNBOUNDED, 2: DAY.bounds}


def test_given_a_document_when_its_url_is_cleared_then_it_has_none() -> None:
    (event,) = when(correct(url=None, title="Downed"), given(REGISTERED))
    after = given(REGISTERED, event)
    assert (after.title, after.url, after.versions) == ("Downed", None, given(REGISTERED).versions)


def test_given_a_document_when_corrected_to_what_it_is_then_nothing_happens() -> None:
    same = correct(
        title="Mi-24 shot down",
        url="https://example.org/1",
        versions=(PublishedAtInput(version=2, published_at=None),),
    )
    assert when(same, given(REGISTERED)) == ()


def test_given_a_document_when_a_correction_gives_nothing_then_it_is_malformed() -> None:
    assert refusal(correct(), given(REGISTERED), Malformed) == ["versions"]


@pytest.mark.parametrize(
    ("numbers", "error", "field"),
    [((2, 1), Malformed, "versions[1].version"), ((1, 3), UnknownReference, "versions[1].version")],
)
def test_given_a_document_when_a_correction_dates_what_is_not_there_then_it_is_refused(
    numbers: tuple[int, ...], error: type[StetError], field: str
) -> None:
    versions = tuple(PublishedAtInput(version=n, published_at=None) for n in numbers)
    assert refusal(correct(versions=versions), given(REGISTERED), error) == [field]


def test_given_a_document_when_a_copy_is_archived_then_it_is_recorded_once() -> None:
    (event,) = when(CAPTURE, given(REGISTERED))
    assert event == DocumentCaptured(
        version=2,
        captured_at=CAPTURE.captured_at,
        sha256=CAPTURE.sha256,
        archive_url=CAPTURE.archive_url,
        reason="kept",
    )
    state = given(REGISTERED, event)
    assert state.captures == (event,)
    assert when(replace(CAPTURE, reason="kept, again"), state) == ()
    assert len(when(replace(CAPTURE, sha256="b2" * 32), state)) == 1


def test_given_a_document_when_a_copy_is_of_an_unknown_version_or_time_then_it_is_refused() -> None:
    state = given(REGISTERED)
    assert refusal(replace(CAPTURE, version=3), state, UnknownReference) == ["version"]
    late = datetime(9999, 6, 1, tzinfo=UTC)
    assert refusal(replace(CAPTURE, captured_at=late), state, Malformed) == ["captured_at"]


def test_the_view_shows_the_document_as_corrected() -> None:
    events = when(correct(versions=(PublishedAtInput(version=2, published_at="2020-11-09"),)), given(REGISTERED))
    shown = view(given(REGISTERED, *events), cut(2))
    assert (shown.document_id, shown.version, shown.kind) == (D1, 2, "article")
    assert [version.published_at for version in shown.versions] == [None, DAY]
    assert shown.registered_at < shown.updated_at
