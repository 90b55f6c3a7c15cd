"""Old events are read for ever: an example of every type and version, as it was stored."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.strategies import DAWN, LEDGER, uuid

from stet import codec
from stet.codec import EVENTS, SCHEMA_VERSIONS, UPCASTERS, decode, encode, recorded
from stet.errors import CorruptLog
from stet.incident.events import StatementRecorded
from stet.ledger.events import LedgerCreated

FOLDER = Path(__file__).parent / "events"
FILES = sorted(FOLDER.glob("*.json"))


def payload(file: Path) -> bytes:
    """The stored bytes: the file without its last line feed."""
    return file.read_bytes().removesuffix(b"\n")


def named(file: Path) -> tuple[str, int]:
    found = re.fullmatch(r"([a-z-]+)\.v([0-9]+)(\.[a-z]+)?\.json", file.name)
    assert found, f"{file.name} is not called TYPE.vN.json or TYPE.vN.FIELD.json"
    return found[1], int(found[2])


def newer(type_: str, monkeypatch: pytest.MonkeyPatch, **upcasters: Any) -> None:
    """Makes this release one that writes version 2 of the type."""
    monkeypatch.setitem(SCHEMA_VERSIONS, type_, 2)
    for upcaster in upcasters.values():
        monkeypatch.setitem(UPCASTERS, (type_, 1), upcaster)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_stored_example_is_read_and_written_again_to_the_same_bytes(file: Path) -> None:
    type_, version = named(file)
    event = decode(type_, version, payload(file), 1)
    assert type(event) is EVENTS[type_]
    if version == SCHEMA_VERSIONS[type_]:
        assert encode(event) == payload(file)


def test_there_is_an_example_of_every_type_and_version_and_no_other() -> None:
    """Fails for a new type, or a raised version, until its example is added (docs/adding-an-event.md)."""
    expected = {(type_, version) for type_, last in SCHEMA_VERSIONS.items() for version in range(1, last + 1)}
    assert {named(file) for file in FILES} == expected
    assert set(SCHEMA_VERSIONS) == set(EVENTS)


@pytest.mark.parametrize("type_", SCHEMA_VERSIONS)
def test_the_examples_show_every_field(type_: str) -> None:
    """So that no field can be renamed, or change its form, unnoticed. What was added has an example of its own."""
    files = [file for file in FILES if named(file) == (type_, SCHEMA_VERSIONS[type_])]
    fields = {field.encode_name for field in msgspec.structs.fields(EVENTS[type_])}
    assert {name for file in files for name in msgspec.json.decode(payload(file))} == fields


def test_every_older_version_has_an_upcaster() -> None:
    older = {(type_, version) for type_, last in SCHEMA_VERSIONS.items() for version in range(1, last)}
    assert set(UPCASTERS) == older


def test_an_older_event_is_read_as_the_version_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    newer("ledger-created", monkeypatch, one=lambda old: {**old, "title": old["title"].upper()})
    event = decode("ledger-created", 1, b'{"name":"a","title":"old"}', 1)
    assert event == LedgerCreated(name="a", title="OLD")
    assert decode("ledger-created", 2, b'{"name":"a","title":"new"}', 1) == LedgerCreated(name="a", title="new")


def test_an_older_event_keeps_the_values_of_its_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are raw JSON within the event."""
    text = payload(FOLDER / "statement-recorded.v1.json")
    newer("statement-recorded", monkeypatch, one=lambda old: {**old, "channel": "upcast"})
    event = decode("statement-recorded", 1, text, 1)
    assert event == msgspec.structs.replace(codec.decode("statement-recorded", 2, text, 1), channel="upcast")
    assert isinstance(event, StatementRecorded)


@pytest.mark.parametrize(
    ("type_", "version", "text"),
    [
        ("ledger-burned", 1, b"{}"),
        ("ledger-created", 2, b'{"name":"a","title":"A"}'),
        ("ledger-created", 0, b'{"name":"a","title":"A"}'),
        ("ledger-created", 1, b'{"name":"a"}'),
        ("ledger-created", 1, b'{"name":"a","title":"A","colour":"red"}'),
        ("ledger-created", 1, b'{"name":'),
        ("ledger-created", 1, b'{"name":"a","title":"\xff"}'),
    ],
)
def test_what_this_release_cannot_read_is_a_corrupt_log_at_its_position(type_: str, version: int, text: bytes) -> None:
    with pytest.raises(CorruptLog, match=r"\bevent 4711\b"):
        decode(type_, version, text, 4711)


def test_what_an_upcaster_stumbles_over_is_a_corrupt_log_at_its_position(monkeypatch: pytest.MonkeyPatch) -> None:
    newer("ledger-created", monkeypatch, one=lambda old: {**old, "title": old["headline"]})
    with pytest.raises(CorruptLog, match=r"\bevent 4711\b"):
        decode("ledger-created", 1, b'{"name":"a","title":"A"}', 4711)


def test_a_row_of_the_log_is_its_envelope_and_its_event() -> None:
    stream, id_ = f"ledger:{LEDGER}", uuid(1)
    row = (7, stream, 3, id_, "ledger-created", 1, DAWN, "desk", id_, None, '{"name":"a","title":"A"}')
    made = recorded(row)
    assert (made.position, made.stream, made.stream_version, made.recorded_at) == (7, stream, 3, DAWN)
    assert (made.actor, made.correlation_id, made.causation_id) == ("desk", id_, None)
    assert made.event == LedgerCreated(name="a", title="A")
    with pytest.raises(CorruptLog, match=r"\bevent 7\b"):
        recorded((*row[:5], 9, *row[6:]))
