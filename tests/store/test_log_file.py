"""An exported log as a file: read as it was written, and whatever is wrong with it is found where it is."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from tests.store.exported import LEDGER, LINES, Event, answers, events, file_of, line, proved, redacted, sealed, uuid

from stet.errors import CorruptLog, Malformed
from stet.store.check import Row
from stet.store.log_file import LINE_MAX, AnswerRow, Header, LogFile, Trailer, Writer

SOUND = file_of(events())
PARTS = SOUND.splitlines(keepends=True)
STARTS = [sum(map(len, PARTS[:n])) for n in range(LINES)]


def read(data: bytes | BinaryIO) -> tuple[Header, list[Row], list[AnswerRow]]:
    log = LogFile(io.BytesIO(data) if isinstance(data, bytes) else data)
    found = log.header, [row for row, _ in log.events()], list(log.answers())
    log.end()
    return found


def fault(data: bytes | BinaryIO) -> str:
    """What is said of a file with a fault."""
    with pytest.raises((CorruptLog, Malformed)) as caught:
        read(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_another_program_writes_is_read_and_written_to_the_same_bytes() -> None:
    """The page says enough: json and hashlib make a file that is read, and that we write like that, byte for byte."""
    header, rows, kept = read(SOUND)
    assert len(PARTS) == LINES
    assert (header.ledger_id, header.name, header.position, header.answers) == (LEDGER, "small", 5, 2)
    assert [row.payload for row in rows] == [event["payload"] for event in events()]
    written = io.BytesIO()
    writer = Writer(written.write)
    writer.sealed(header)
    for row in rows:
        writer.event(row)
    for one in kept:
        writer.sealed(one)
    writer.sealed(Trailer(5, 2))
    assert written.getvalue() == SOUND


@settings(max_examples=400)
@given(st.integers(0, len(SOUND) * 8 - 1))
def test_a_flipped_bit_is_found_in_its_line(bit: int) -> None:
    """Any bit of any byte: the fault is said to be in the line that it is in, and at its position."""
    data = bytearray(SOUND)
    data[bit // 8] ^= 1 << bit % 8
    hit = sum(start <= bit // 8 for start in STARTS)
    said = fault(bytes(data))
    if hit == 1 and "of version" in said:
        return  # of the format, where the bit is in that number
    at = f"line {hit}: " + (f"position {hit - 1}" if 1 < hit <= 6 else "")
    assert at in said or (hit == 1 and "line 1 " in said), (hit, said)


@settings(max_examples=200)
@given(st.integers(0, len(SOUND) - 1))
def test_a_file_that_is_cut_off_anywhere_is_refused(size: int) -> None:
    """Also between two lines, and in front of the last line feed: the position is the first that is not there."""
    said = fault(SOUND[:size])
    whole = SOUND[:size].count(b"\n")
    if size == 0:
        assert "is empty" in said
    elif whole == 0:
        assert "line 1" in said
    elif whole < 6:
        assert said == f"line {whole + 1}: position {whole}: the file is cut off"
    else:
        assert said == f"line {whole + 1}: the file is cut off"


@settings(max_examples=60)
@given(st.integers(1, len(gzip.compress(SOUND)) - 1))
def test_a_packed_file_that_is_cut_off_anywhere_is_refused(size: int) -> None:
    """Wherever it ends, and whatever of it can still be unpacked."""
    with gzip.open(io.BytesIO(gzip.compress(SOUND)[:size])) as cut:
        assert "cut off" in fault(cast(BinaryIO, cut))


def changed(position: int, **fields: Any) -> Callable[[], bytes]:
    """An event with other fields, and with hashes that fit: what somebody makes who knows how."""

    def make() -> bytes:
        rows = events()
        rows[position - 1] = proved(rows[position - 1] | fields)
        return file_of(rows)

    return make


def raw(position: int, change: Callable[[Event], dict[str, Any]]) -> Callable[[], bytes]:
    """A line of an event that is another, in a file whose seals fit."""
    return lambda: file_of([change(one) if one["position"] == position else one for one in events()])


DAMAGED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "the file is empty"),
    "one line feed": (lambda: b"\n", "line 1 is not the header"),
    "another kind of file": (lambda: b'{"type":"FeatureCollection"}\n', "line 1 is not the header"),
    "Latin-1": (
        lambda: SOUND.replace("Ереван".encode(), "Érevan".encode("latin-1")),
        "line 2: position 1: it is not an",
    ),
    "a byte order mark": (lambda: b"\xef\xbb\xbf" + SOUND, "line 1 is not the header"),
    "other line ends": (lambda: SOUND.replace(b"\n", b"\r\n"), "line 1: it is not the header"),
    "packed, without the name": (lambda: gzip.compress(SOUND), "must end in .gz"),
    "a later version": (lambda: file_of(events(), version=3), "it is of version 3 of the format"),
    "a later version than is needed": (
        lambda: file_of(events(), version=2),
        "line 6: position 5: no event is redacted",
    ),
    "no position": (lambda: file_of(events(), position=0), "line 1: a log has at least one event"),
    "a field too many": (lambda: file_of(events(), more=1), "line 1: it is not the header"),
    "two lines swapped": (lambda: b"".join([*PARTS[:3], PARTS[4], PARTS[3], *PARTS[5:]]), "position 3 is missing"),
    "a line missing": (lambda: b"".join([*PARTS[:3], *PARTS[4:]]), "line 4: position 3 is missing: the next is 4"),
    "a line twice": (lambda: b"".join([*PARTS[:4], *PARTS[3:]]), "line 5: position 4 is missing: the next is 3"),
    "a line left empty": (lambda: b"".join([*PARTS[:3], b"\n", *PARTS[3:]]), "line 4: position 3: it is not an event"),
    "an answer missing": (lambda: b"".join([*PARTS[:6], *PARTS[7:]]), "line 7: its digest"),
    "two answers swapped": (lambda: b"".join([*PARTS[:6], PARTS[7], PARTS[6], PARTS[8]]), "line 7: its digest"),
    "something behind it": (lambda: SOUND + b"\n", "line 10: it is behind the end of the log"),
    "two of them": (lambda: SOUND * 2, "line 10: it is behind the end of the log"),
    "spaces": (raw(3, lambda one: one | {"x": 1}), "line 4: position 3: it is not an event"),
    "another order of fields": (raw(3, lambda one: dict(sorted(one.items()))), "for it is spelt in another way"),
    "a number as words": (raw(3, lambda one: one | {"position": "3"}), "line 4: position 3: it is not an event"),
    "a large number": (raw(3, lambda one: one | {"position": 10**30}), "line 4: position 3"),
    "a position beyond": (raw(3, lambda one: one | {"position": 2**62}), "position 3 is missing"),
    "capitals in an id": (
        raw(3, lambda one: one | {"event_id": "01900000-0000-7000-8000-00000000000A"}),
        "line 4: position 3: the leaf should be",
    ),
    "capitals in a salt": (raw(3, lambda one: one | {"salt": "A" * 32}), "line 4: position 3: the salt should be 16"),
    "another payload": (raw(4, lambda one: one | {"payload": "{}"}), "line 5: position 4: the payload's digest"),
    "an event of another ledger": (raw(4, lambda one: proved(one, uuid(9))), "line 5: position 4: the leaf should be"),
    "an unknown type": (changed(4, type="x"), "line 5: event 4 is of type x version 1, which this release does not"),
    "a later form": (changed(4, schema_version=9), "line 5: event 4 is of type source-registered version 9"),
    "an earlier form": (changed(4, schema_version=0), "line 5: event 4 of type source-registered cannot be read"),
    "another form": (changed(4, payload="{}"), "line 5: event 4 of type source-registered cannot be read"),
    "a NUL": (changed(4, actor="a\0b"), "line 5: position 4: its stream, type or actor has a character"),
    "a line feed": (changed(4, actor="a\nb"), "line 5: position 4: its stream, type or actor has a character"),
    "a version gap": (changed(4, stream_version=3), "line 5: position 4: source:"),
    "an earlier time": (changed(4, recorded_at="2020-11-08T06:00:00.000000Z"), "line 5: position 4 was recorded at"),
    "the time of another append": (
        changed(4, recorded_at="2020-11-09T06:00:00.000002Z"),
        "line 5: position 4 was recorded at the same time",
    ),
    "an end at another time": (
        lambda: file_of(events(), recorded_at="2020-11-10T06:00:00.000000Z"),
        "line 6: position 5: line 1 says that the log ends at",
    ),
    "a trailer of another log": (
        lambda: (cut := SOUND[: STARTS[8]]) + sealed(cut, {"events": 6, "answers": 2}),
        "line 9: it counts other lines",
    ),
    "a lone surrogate": (lambda: SOUND.replace(b"Reuters", b"\\ud800"), "line 3: position 2: it is not an event"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_refused_with_the_first_fault(kind: str) -> None:
    """By its line, and by its position where it is in an event."""
    make, said = DAMAGED[kind]
    assert said in fault(make())


def of_redacted(position: int = 0, version: int = 2, up_to: int = 7, **fields: Any) -> Callable[[], bytes]:
    """A file with redacted events, of which one has other fields; its seals fit."""
    return lambda: file_of(
        [one | fields if one["position"] == position else one for one in redacted()[:up_to]], version=version
    )


FORGED: dict[str, tuple[Callable[[], bytes], str]] = {
    "another tombstone": (
        of_redacted(2, payload='{"name":"x","kind":"outlet"}'),
        "line 7: position 2: what 6 left of it",
    ),
    "no tombstone that is read": (of_redacted(2, payload="{}"), "line 3: event 2 of type source-registered cannot"),
    "no redaction": (of_redacted(up_to=5), "line 6: position 2 was redacted by 6, which the log has not"),
    "only one redaction": (of_redacted(up_to=6), "line 7: position 5 was redacted by 7, which the log has not"),
    "by what is no redaction": (of_redacted(2, redacted_by=4), "line 7: position 6: it erased something of position 2"),
    "by that of another stream": (of_redacted(2, redacted_by=7), "line 8: position 2 was redacted by 7, which"),
    "by what is earlier": (of_redacted(2, redacted_by=1), "line 3: position 2: it was redacted by 1, which is no"),
    "with no salt": (of_redacted(2, salt=None), "line 3: position 2: it is not an event"),
    "with less salt": (of_redacted(2, salt="00" * 15), "line 3: position 2: the salt should be 16 bytes"),
    "with another salt": (of_redacted(2, salt="00" * 16), "line 7: position 2: what 6 left of it"),
    "not erased": (
        lambda: file_of([events()[1] if n == 1 else one for n, one in enumerate(redacted())], version=2),
        "line 7: position 6: it erased something of position 2, which is not redacted so",
    ),
    "of the first version": (of_redacted(version=1), "line 3: position 2: it is redacted, and a file of version 1"),
    "another digest": (of_redacted(2, payload_digest="00" * 32), "line 3: position 2: the leaf should be"),
    "a number as words": (of_redacted(2, redacted_by="6"), "line 3: position 2: it is not an event"),
    "null": (of_redacted(3, redacted_by=None), "line 4: position 3: it is not an event"),
}


def test_a_file_with_redacted_events_is_read_and_written_to_the_same_bytes() -> None:
    """What is left of them is that which the redaction in the same file names."""
    data = file_of(redacted(), version=2)
    header, rows, kept = read(data)
    assert [row.redacted_by for row in rows if row.redacted_by is not UNSET] == [6, 7]
    written = io.BytesIO()
    writer = Writer(written.write)
    writer.sealed(header)
    for row in rows:
        writer.event(row)
    for one in kept:
        writer.sealed(one)
    writer.sealed(Trailer(7, 2))
    assert written.getvalue() == data


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_redaction_is_refused(kind: str) -> None:
    """A tombstone that nobody proves, one that is proved by something else, and what should be one."""
    make, said = FORGED[kind]
    assert said in fault(make())


def test_of_two_faults_the_first_is_named() -> None:
    """Whatever the second is: one that is found sooner, or later, by what looks for it."""
    parts = [*PARTS[:2], PARTS[2].replace(b"Reuters", b"reuters"), b"{\n", *PARTS[4:]]
    assert fault(b"".join(parts)).startswith("line 3: position 2: the payload's digest")
    parts = [*PARTS[:2], b"{\n", PARTS[3].replace(b"desk", b"Desk"), *PARTS[4:]]
    assert fault(b"".join(parts)).startswith("line 3: position 2: it is not an event")


def test_a_line_that_does_not_end_is_refused(tmp_path: Path) -> None:
    """Before it fills the memory."""
    path = tmp_path / "long.ndjson"
    path.write_bytes(PARTS[0] + b"{")
    os.truncate(path, LINE_MAX * 4)
    with path.open("rb") as stream:
        assert fault(stream) == f"line 2: position 1: the line is longer than {LINE_MAX:,} bytes"


def test_answers_and_events_may_hold_what_json_can() -> None:
    """Long lines, and any character that the log can have."""
    rows = events()
    rows[4] = proved(
        rows[4] | {"actor": "\x7f\u2028\U0001f600\\N", "payload": '{"title":"' + "x" * 3_000_000 + '","kind":"a"}'}
    )
    kept = [one | {"key": "\u0001\\\t\r\u2028"} for one in answers()[:1]]
    with pytest.raises(CorruptLog, match="line 6: event 5 of type incident-opened cannot be read"):
        read(file_of(rows, kept))
    rows[4] = proved(rows[4] | {"payload": '{"title":"It",' + " " * 3_000_000 + '"kind":"a"}'})
    assert read(file_of(rows, kept))[2][0].key == "\u0001\\\t\r\u2028"
    assert line(rows[4]) in file_of(rows, kept)
