"""Dated records: what a line says, and what is said of a line, or a file, that cannot be read."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stet.errors import Malformed
from stet.importers.check import dry_run
from stet.importers.files import LINE_BYTES, BadLine
from stet.importers.lines import Line, merged, read_lines, values_of
from stet.importers.mapping import read_mapping

CREATE = {"seq": 1, "t": "2025-05-04T13:53:46Z", "rev": "a5", "op": "create", "key": "k", "rec": {"a": 1}}
UPDATE = CREATE | {"op": "update", "rec": None, "set": {"a": 2}, "unset": ["b"]}
ONLY = read_mapping(b'title = "{a|?}"\nkind = "thing"\n[source]\nname = "x"')


def read(content: bytes) -> list[Line | BadLine]:
    return list(read_lines(io.BytesIO(content)))


def text(**changes: Any) -> bytes:
    """The line of a create with changes; what is None is left out."""
    return json.dumps({name: value for name, value in (CREATE | changes).items() if value is not None}).encode()


def only(content: bytes) -> Line:
    (line,) = read(content)
    assert isinstance(line, Line), line
    return line


def reason(content: bytes) -> str:
    """Why the one line is bad; its bytes are kept."""
    (line,) = read(content)
    assert isinstance(line, BadLine), line
    assert line.raw == content.rstrip(b"\r\n")[:LINE_BYTES]
    return line.reason


def test_a_line_says_what_changed_and_keeps_every_number_as_it_is_written() -> None:
    start = b'{"seq":7,"t":"2025-05-04T15:53:46.250+02:00","op":"create","key":"k","rec":'
    raw = start + b'{"m":1.10,"n":1E5,"s":"\\u00e9","o":{"x":[1.0]}}}'
    line = only(raw + b"\r\n")
    assert (line.number, line.seq, line.op, line.key, line.rev, line.raw) == (1, 7, "create", "k", None, raw)
    assert line.t == datetime(2025, 5, 4, 13, 53, 46, 250_000, UTC)
    assert line.rec is not None
    assert {name: bytes(value) for name, value in line.rec.items()} == {
        "m": b"1.10",
        "n": b"1E5",
        "s": b'"\\u00e9"',
        "o": b'{"x":[1.0]}',
    }
    assert msgspec.json.encode(line.rec) == b'{"m":1.10,"n":1E5,"s":"\\u00e9","o":{"x":[1.0]}}'
    assert {name: str(value) for name, value in values_of(line.rec).items()} | {"o": ""} == {
        "m": "1.10",
        "n": "1E+5",
        "s": "é",
        "o": "",
    }


def test_an_update_sets_and_unsets_or_gives_the_whole_record() -> None:
    before = only(text(rec={"a": 1, "b": 2, "c": 3})).rec
    assert before is not None
    after = merged(before, only(text(op="update", rec=None, set={"a": 9}, unset=["b", "z"])))
    assert values_of(after) == {"a": 9, "c": 3}
    assert values_of(merged(before, only(text(op="update", rec={"d": 1})))) == {"d": 1}
    assert values_of(merged(before, only(text(op="update", rec=None, unset=["a"])))) == {"b": 2, "c": 3}


def test_a_byte_order_mark_carriage_returns_blank_lines_and_gzip_change_nothing() -> None:
    plain = text() + b"\n" + text(op="delete", rec=None)
    assert [line.raw for line in read(plain)] == plain.split(b"\n")
    odd = b"\xef\xbb\xbf" + text() + b"\r\n\r\n  \n" + text(op="delete", rec=None) + b"\r\n"
    for content in (odd, gzip.compress(odd, mtime=0), gzip.compress(odd[:9]) + gzip.compress(odd[9:])):
        assert [(line.number, line.raw) for line in read(content)] == [
            (1, plain.split(b"\n")[0]),
            (4, plain.split(b"\n")[1]),
        ]


def test_an_unknown_field_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(b"\n".join([text(again=True)] * 3 + [text(again=False, note="x")]))
    warned: list[str] = []
    assert all(isinstance(line, Line) for line in read_lines(path, warned.append))
    assert warned == [
        "line 1: 'again' is not a field of dated records; it is kept with the line",
        "line 4: 'note' is not a field of dated records; it is kept with the line",
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "is not JSON: Input data was truncated"),
        (b"[1]", "Expected `object`, got `array`"),
        (b'"x"', "Expected `object`, got `str`"),
        (text(key=None), "key: is missing"),
        (text(t=None), "t: is missing"),
        (text(op=None), "op: is missing"),
        (text(op="upsert"), "op: Invalid enum value 'upsert'"),
        (text(key=5), "key: Expected `str`, got `int`"),
        (text(key=" "), "key: is empty"),
        (text(key="x" * 501), "is no key: it must be one line of at most 500 characters"),
        (text(key="a\nb"), "is no key"),
        (text(seq="1"), "seq: Expected `int | null`, got `str`"),
        (text(seq=-1), "seq: must be from 0 to"),
        (text(seq=2**63), "seq: must be from 0 to"),
        (text(rec=[]), "rec: Expected `object | null`, got `array`"),
        (text(rec=None), "a create has rec, the whole record, and neither set nor unset"),
        (text(set={}), "a create has rec, the whole record, and neither set nor unset"),
        (text(op="update", rec=None), "an update has either rec, the whole record, or set and unset, what changed"),
        (text(op="update", set={}), "an update has either rec, the whole record, or set and unset, what changed"),
        (text(unset="b", rec=None, op="update"), "unset: Expected `array | null`, got `str`"),
        (text(t="2025-05-04"), "t: '2025-05-04' is not an RFC 3339 instant"),
        (text(t="2025-05-04T13:53:46"), "is not an RFC 3339 instant"),
        (text(t="2025-05-04T13:53:46.1234567Z"), "of at most six decimals"),
        (text(t="2025-02-30T13:53:46Z"), "t: '2025-02-30T13:53:46Z' is not an instant that exists"),
        (text(t="0000-05-04T13:53:46Z"), "is not an instant that exists in the years 1 to 9998"),
        (text(t="9999-05-04T13:53:46Z"), "is not an instant that exists in the years 1 to 9998"),
        (text(t="0001-01-01T00:00:00+05:00"), "is not an instant that exists in the years 1 to 9998"),
        (text(t=5), "t: Expected `str`, got `int`"),
        (text(rec={"a": "x\0"}), "'a': the cell holds a NUL character"),
        (text(rec={"a\0": 1}), "'a\\x00': its name holds a NUL character"),
        (text(key="\0"), "'key': the cell holds a NUL character"),
        (text(extra="\0"), "'extra': the cell holds a NUL character"),
        (text()[:-3] + b"\0}}", "holds a NUL character"),
        (text(rec={"a": "\ud800"}), "is not JSON"),
        (text(rec={"a": "é"}).replace(b"\\u00e9", b"\xe9"), "is not UTF-8: byte 0xe9 at 96"),
        (text(rec={"a": "x" * 10_000_000}), "a: the cell is longer than 1,000,000 characters"),
        (text(rec={"a": [1] * 400_000}), "'a': the cell is longer than 1,000,000 bytes"),
        (b'{"a": ' * 50_000, "is nested too deeply"),
        (b"x" * (LINE_BYTES + 5), "the line is longer than 16,777,216 bytes"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_line_that_cannot_be_read_is_kept_with_the_reason(content: bytes, why: str) -> None:
    assert why in reason(content)
    good = text() + b"\n"
    kinds = [type(line) for line in read(good + content + b"\n" + good)]
    assert kinds == [Line, BadLine, Line]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "file: is empty"),
        (b"\xef\xbb\xbf", "file: holds no line but blank ones"),
        (b"\n\n \n", "file: holds no line but blank ones"),
        (gzip.compress(b"", mtime=0), "file: is empty"),
        ("é".encode("utf-16"), "file: is in UTF-16: save it as UTF-8"),
        (gzip.compress(text() * 99, mtime=0)[:-20], "file: the gzip ends after line 0: the file is not complete"),
        (gzip.compress(text(), mtime=0)[:-8] + b"12345678", "file: cannot be read on after line 0: crc check failed"),
        (b"\x1f\x8bnot really", "file: cannot be read on after line 0: "),
    ],
)
def test_a_file_that_cannot_be_read_on_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(content)
    assert why in str(refused.value)


def test_half_a_gzip_gives_its_lines_and_then_the_fault() -> None:
    lines = [text(key=f"k{number}") for number in range(5_000)]
    found = []
    with pytest.raises(Malformed, match=r"the gzip ends after line \d{3,}: the file is not complete"):
        found.extend(read_lines(io.BytesIO(gzip.compress(b"\n".join(lines), mtime=0)[:-6_000])))  # type: ignore[arg-type]


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"absent.jsonl cannot be read: no such file or directory"):
        list(read_lines(tmp_path / "absent.jsonl"))
    with pytest.raises(Malformed, match=r"is a directory"):
        list(read_lines(tmp_path))


@given(st.binary(max_size=300), st.booleans())
@example(b"\x1f\x8b", False)
@example(b'{"t":1e99999999999999999999}', False)
@example(b'{"t":' + b"9" * 5_000 + b"}", False)
def test_no_bytes_crash_the_reader(content: bytes, zipped: bool) -> None:
    """Each line is read, is bad, or the file is refused."""
    try:
        lines = read(gzip.compress(content, mtime=0) if zipped else content)
    except Malformed:
        return
    assert len(lines) == sum(1 for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.fixed_dictionaries(
        {"t": st.just("2025-05-04T13:53:46Z") | _JSON, "key": st.text(max_size=3) | _JSON},
        optional={
            "seq": st.integers() | _JSON,
            "op": st.sampled_from(["create", "update", "delete"]) | _JSON,
            "rec": st.dictionaries(st.sampled_from("ab"), _JSON) | _JSON,
            "set": st.dictionaries(st.sampled_from("ab"), _JSON),
            "unset": st.lists(st.sampled_from("ab")),
            "x": _JSON,
        },
    )
)
def test_a_line_is_read_as_it_is_written_or_is_bad(document: dict[str, Any]) -> None:
    raw = json.dumps(document).encode()
    (line,) = read(raw)
    if isinstance(line, BadLine):
        return
    assert (line.op, line.key, line.seq) == (document["op"], document["key"], document.get("seq"))
    for name in ("rec", "set"):
        fields = getattr(line, name)
        assert (fields and msgspec.json.decode(msgspec.json.encode(fields))) == (
            document.get(name) and msgspec.json.decode(json.dumps(document[name]))
        )


def test_a_dry_run_replays_the_records_and_counts_what_is_odd(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(
        b"\n".join(
            [
                text(rec={"a": 1}),
                text(op="update", rec=None, set={"b": 1}),
                text(op="create", t="2025-05-03T00:00:00Z"),
                text(op="update", key="absent", rec=None, set={"c": 1}),
                text(op="delete", rec=None),
                text(op="delete", rec=None),
                b"{",
                text(rec={"a": [1]}),
                text(rec={"a": 5}),
            ]
        )
    )
    report = dry_run(path, ONLY, "records")
    assert (report.rows, report.keys, report.bad) == (9, 2, 2)
    assert report.ops == {"create": 4, "update": 2, "delete": 2}
    assert [line for line, _ in report.first_bad] == [7, 8]
    assert report.odd == {
        "creates of a key that is there already": 2,
        "lines that are earlier than the line before": 1,
        "updates of a key that is not there": 1,
        "deletes of a key that is not there": 1,
    }
    assert report.unmapped == ("b", "c")
    assert list(report.lines())[:3] == [
        "9 rows, 4 create, 2 delete, 2 update, 2 keys, 2 bad",
        "  line 7: is not JSON: Input data was truncated",
        "  line 8: a: holds a list or an object, not one value",
    ]
