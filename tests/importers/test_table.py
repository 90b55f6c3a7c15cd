"""A release of a table: what a row holds, and what is said of a row, or a file, that cannot be read."""

from __future__ import annotations

import csv
import gzip
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.importers.mapping_rows import claim, mapping_of

from stet.errors import Malformed
from stet.importers.check import dry_run
from stet.importers.deleted import read_deleted
from stet.importers.files import LINE_BYTES, BadLine
from stet.importers.lines import Line
from stet.importers.mapping import Mapping, load_mapping
from stet.importers.table import Row, read_table

KILLED = claim('column = "n"', "killed", "count")
PLAIN = mapping_of(KILLED)
SEMICOLONS = mapping_of('[file]\ndelimiter = ";"\n' + KILLED)
LATIN = mapping_of('[file]\nencoding = "latin-1"\n' + KILLED)
HEADLESS = mapping_of('[[headers]]\ncolumns = ["id", "n"]\n[[headers]]\ncolumns = ["x", "n", "id"]\n' + KILLED)


def read(content: bytes, mapping: Mapping = PLAIN) -> list[Row | BadLine]:
    return list(read_table(io.BytesIO(content), mapping).rows)


def cells(content: bytes, mapping: Mapping = PLAIN) -> list[list[str]]:
    """The cells of the rows, of which none is bad."""
    rows = read(content, mapping)
    assert all(isinstance(row, Row) for row in rows), rows
    return [list(row.record.values()) for row in rows if isinstance(row, Row)]


def test_a_row_is_its_cells_by_column_as_they_stand() -> None:
    table = read_table(io.BytesIO(b'id, n ,x\r\n1, 2 ,"a ""b"",\r\nc"\r\n\r\n3,4,\n'), PLAIN)
    assert table.columns == ["id", "n", "x"]
    assert list(table.rows) == [
        Row(2, {"id": "1", "n": " 2 ", "x": 'a "b",\r\nc'}, b'1, 2 ,"a ""b"",\r\nc"'),
        Row(5, {"id": "3", "n": "4", "x": ""}, b"3,4,"),
    ]


@pytest.mark.parametrize(
    ("content", "mapping"),
    [
        (b"id,n\n1,\xc3\xa9\n", PLAIN),
        (b"\xef\xbb\xbfid,n\n1,\xc3\xa9", PLAIN),
        (b"id,n\r\n1,\xc3\xa9\r\n", PLAIN),
        (gzip.compress(b"id,n\n1,\xc3\xa9\n", mtime=0), PLAIN),
        (b"id;n\n1;\xc3\xa9\n", SEMICOLONS),
        (b"id,n\n1,\xe9\n", LATIN),
        (b"1,\xc3\xa9\n", HEADLESS),
        (b"id,n\n1,\xc3\xa9\n", HEADLESS),
    ],
)
def test_forms_of_one_table(content: bytes, mapping: Mapping) -> None:
    assert cells(content, mapping) == [["1", "é"]]


def test_columns_without_a_header_are_chosen_by_their_number() -> None:
    table = read_table(io.BytesIO(b"a,2,1\nb,3,2\n"), HEADLESS)
    assert table.columns == ["x", "n", "id"]
    assert [row.record["id"] for row in table.rows if isinstance(row, Row)] == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "mapping", "why"),
    [
        (b"", PLAIN, "file: is empty"),
        (b"\n\n", PLAIN, "file: holds no line but blank ones"),
        (b"id,n\n", PLAIN, "file: has a header, and no row"),
        (b"id;n\n1;2\n", PLAIN, 'file: seems to be separated by a semicolon: say delimiter = ";" in [file]'),
        (b"id\tn\n1\t2\n", PLAIN, 'file: seems to be separated by a tab: say delimiter = "\\t" in [file]'),
        (b"id,n\n1,2\n", SEMICOLONS, 'file: seems to be separated by a comma: say delimiter = ","'),
        (b"id,m\n1,2\n", PLAIN, "file: lacks what the mapping reads: n"),
        (
            b"1,2,3,4\n",
            HEADLESS,
            "lacks what the mapping reads: id, n; a file without a header has 2, 3 columns, this one 4",
        ),
        (b"id,n,n\n1,2,3\n", PLAIN, "file: names 'n' more than once in its header"),
        (b"id,n,a\0\n1,2,3\n", PLAIN, "file: header: 'a\\x00': its name holds a NUL character"),
        (
            b"id,n\n1,2\n2,\xe9\n",
            PLAIN,
            'line 3 is not utf-8 (byte 0xe9 at 3): if it is Latin-1, say encoding = "latin-1"',
        ),
        ("id,n\n1,2\n".encode("utf-16"), PLAIN, "file: is in UTF-16: save it as UTF-8"),
        (b'id,n\n1,2\n2,"3\n4,5\n', PLAIN, "file: line 3: a quotation mark is never closed"),
        (b'"id"x,n\n1,2\n', PLAIN, "file: line 1: is not CSV"),
        (b"id,n\n1," + b"x" * LINE_BYTES, PLAIN, "file: line 2 is a line of more than 16,777,216 bytes"),
        (
            b'id,n\n1,"' + (b"x" * 1_000 + b",\n") * 17_000,
            PLAIN,
            "line 2 is a row, or a quotation mark that is never closed, of more",
        ),
        (gzip.compress(b"id,n\n" + b"1,2\n" * 9, mtime=0)[:-10], PLAIN, "the file is not complete"),
        (b"id,n\n1,2\n", mapping_of(start='title = "x"\nkind = "x"'), "key: the mapping must name the columns"),
    ],
    ids=lambda value: repr(value)[:60] if isinstance(value, bytes) else "",
)
def test_a_file_that_cannot_be_meant_is_refused_with_the_reason(content: bytes, mapping: Mapping, why: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(content, mapping)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b"2", "has 1 cells, but there are 2 columns"),
        (b"2,3,", "has 3 cells, but there are 2 columns"),
        (b'2,"3"4', "is not CSV: ',' expected after '\"'"),
        (b"2,3\r4,5", "is not CSV: it holds a line break outside quotation marks"),
        (b"2,a\0b", "'n': the cell holds a NUL character"),
        (b"2," + b"x" * 10_000_000, "n: the cell is longer than 1,000,000 characters"),
        (b'2,"' + (b"x" * 99 + b"\n") * 20_000 + b'"', "n: the cell is longer than 1,000,000 characters"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_row_that_cannot_be_read_is_kept_with_the_reason(row: bytes, why: str) -> None:
    """And those around it are read."""
    first, bad, last = read(b"id,n\n1,1\n" + row + b"\n9,9\n")
    assert isinstance(bad, BadLine)
    assert (bad.number, bad.raw) == (3, row)
    assert why in bad.reason
    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert last.number == 4 + row.count(b"\n")


def test_a_list_of_deleted_rows_is_read_as_records_that_delete() -> None:
    content = b"deleted_timestamp,event_id_cnty\n1605000000,XXX1\nsoon,XXX2\n,XXX3\n1605000001,\n1\n1605000002,XXX4\n"
    lines = list(read_deleted(io.BytesIO(content), load_mapping("acled")))
    assert [(line.number, line.op, line.key, line.t.isoformat()) for line in lines if isinstance(line, Line)] == [
        (2, "delete", "XXX1", "2020-11-10T09:20:00+00:00"),
        (7, "delete", "XXX4", "2020-11-10T09:20:02+00:00"),
    ]
    assert [(line.number, line.reason) for line in lines if isinstance(line, BadLine)] == [
        (3, "deleted_timestamp: 'soon' is not of the form epoch-s"),
        (4, "deleted_timestamp: is missing, and is when the row was deleted"),
        (5, "event_id_cnty: is missing, and is the row's key"),
        (6, "has 1 cells, but there are 2 columns"),
    ]
    with pytest.raises(Malformed, match="file: lacks what the mapping reads: event_id_cnty, deleted_timestamp"):
        list(read_deleted(io.BytesIO(b"a,b\n1,2\n"), load_mapping("acled")))
    with pytest.raises(Malformed, match="deleted: the mapping does not say"):
        list(read_deleted(io.BytesIO(content), load_mapping("usgs")))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    peaks = []
    for rows in (500, 6_000):
        with path.open("w", encoding="utf-8") as file:
            file.write("id,n\n")
            file.writelines(f"{number},3\n" for number in range(rows))
        tracemalloc.start()
        assert dry_run(path, PLAIN, "table").keys == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000


def test_a_dry_run_counts_and_names_the_first_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"id,n,extra\n1,2,\n1,3,\n2,many,\n" + b"3\n" * 25)
    report = dry_run(path, PLAIN, "table")
    assert (report.rows, report.keys, report.bad, report.unmapped) == (28, 1, 27, ("extra",))
    assert report.first_bad[:3] == (
        (3, "the key 1 is in line 2 already"),
        (4, "n: 'many' is no number"),
        (5, "has 1 cells, but there are 3 columns"),
    )
    assert len(report.first_bad) == 20
    assert report.claims == {"killed": 2}
    assert list(report.lines())[-3:] == [
        "  and 7 more",
        "warning: neither mapped nor ignored: extra",
        "2 claims of killed",
    ]


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(st.lists(st.tuples(_TEXT.filter(str.strip), _TEXT), min_size=1), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_a_program_writes_is_read_as_it_was(rows: list[tuple[str, str]], end: str, header: bool) -> None:
    """With or without a header, whatever the cells hold."""
    out = io.StringIO(newline="")
    bare = any("\r" in cell for row in rows for cell in row)  # Python's writer leaves it bare in a file of LF
    writer = csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL if bare else csv.QUOTE_MINIMAL)
    writer.writerows([("id", "n"), *rows] if header else rows)
    content = out.getvalue().encode()
    if not header and (content.startswith(b"\xef\xbb\xbf") or {"id", "n"} & {cell.strip() for cell in rows[0]}):
        return
    assert cells(content, HEADLESS) == [list(row) for row in rows]


@given(st.binary(max_size=300), st.sampled_from([PLAIN, SEMICOLONS, LATIN, HEADLESS]), st.booleans())
@example(b'1,"', HEADLESS, True)
@example(b"1,2\r3,4", HEADLESS, False)
def test_no_bytes_crash_the_reader(content: bytes, mapping: Mapping, head: bool) -> None:
    """Each row is read, is bad, or the file is refused."""
    try:
        rows = read((b"id,n\n" if head and mapping is not SEMICOLONS else b"") + content, mapping)
    except Malformed:
        return
    for row in rows:
        assert row.number > 0
        assert isinstance(row, BadLine) or {"id", "n"} <= row.record.keys()
