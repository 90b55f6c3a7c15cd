"""A release of a table: CSV, plain or gzipped, read row by row with nothing guessed."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from stet.errors import Malformed
from stet.importers.cells import check_cell
from stet.importers.files import LINE_BYTES, BadLine, Whole, opened, whole_lines
from stet.importers.mapped import BadCell, shown
from stet.importers.mapping import Mapping

csv.field_size_limit(LINE_BYTES)
_MARKS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


class Row(Struct, frozen=True):
    """One row: the number of the line that it starts in, and its cells by column, as they stand."""

    number: int
    record: dict[str, str]


class Table(Struct, frozen=True):
    """A table: its columns, and its rows, which are read as they are asked for, once."""

    columns: list[str]
    rows: Iterator[Row | BadLine]


def read_table(source: Path | BinaryIO, mapping: Mapping) -> Table:
    """The table of a file, in the form that the mapping declares.

    A row that cannot be read is a BadLine, and the others are read. Raises Malformed where the file as a whole
    cannot be what the mapping is for: it is empty or has no row, lacks a column, is in another encoding or has
    another delimiter, is a gzip that is damaged or not complete, or a quotation mark is never closed. What comes up
    only further on is raised by `rows`.
    """
    reading = _read(source, mapping)
    first = next(reading)
    assert isinstance(first, list)
    return Table(first, _rows(reading))


def _rows(reading: Iterator[list[str] | Row | BadLine]) -> Iterator[Row | BadLine]:
    for row in reading:
        assert not isinstance(row, list)
        yield row


def _read(source: Path | BinaryIO, mapping: Mapping) -> Iterator[list[str] | Row | BadLine]:
    """The columns, then the rows."""
    if not mapping.key:
        raise Malformed.at("key", "the mapping must name the columns that tell the rows of a table apart")
    with opened(source) as content:
        lines = _Lines(whole_lines(content), mapping.file.encoding)
        records = _records(lines, mapping.file.delimiter)
        start = next(records, None)
        if start is None:
            raise Malformed.at("file", "holds no line but blank ones")
        if isinstance(start, BadLine):
            raise Malformed.at("file", f"line {start.number}: {start.reason}")
        columns, is_header = _columns(start[1], mapping)
        yield columns
        found = False
        for record in records if is_header else chain([start], records):
            found = True
            yield record if isinstance(record, BadLine) else _row(record, columns)
        if not found:
            raise Malformed.at("file", "has a header, and no row")


_Record = tuple[int, list[str], bytes]
"""The line it starts in, its cells, its bytes."""


class _Lines:
    """The lines as text for the csv module, and the bytes of those that it took for the record at hand."""

    def __init__(self, lines: Iterator[Whole], encoding: str) -> None:
        self._lines = lines
        self._encoding = encoding
        self.number = 0
        self._taken: list[bytes] = []
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            if not self._taken:
                self.number = line.number
            self._taken.append(line.raw)
            self._size += len(line.raw)
            if line.cut or self._size > LINE_BYTES:
                what = "is a row, or a quotation mark that is never closed," if len(self._taken) > 1 else "is a line"
                raise Malformed.at("file", f"line {self.number} {what} of more than {LINE_BYTES:,} bytes")
            yield self._decoded(line)

    def take(self) -> tuple[int, bytes]:
        """The first line, and the bytes, of what was read since the last call."""
        taken, self._taken, self._size = b"".join(self._taken), [], 0
        return self.number, taken.rstrip(b"\r\n")

    def _decoded(self, line: Whole) -> str:
        try:
            return line.raw.decode(self._encoding)
        except UnicodeDecodeError as error:
            byte = f"byte {line.raw[error.start]:#04x} at {error.start + 1}"
            what = f"line {line.number} is not {self._encoding} ({byte})"
            hint = ': if it is Latin-1, say encoding = "latin-1" in [file] of the mapping'
            raise Malformed.at("file", what + hint if self._encoding == "utf-8" else what) from error


def _records(lines: _Lines, delimiter: str) -> Iterator[_Record | BadLine]:
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number, raw = lines.take()
            if "unexpected end of data" in str(error):
                raise Malformed.at("file", f"line {number}: a quotation mark is never closed") from error
            broken = "new-line character" in str(error)
            what = "it holds a line break outside quotation marks" if broken else str(error)
            yield BadLine(number, f"is not CSV: {what}", raw)
            continue
        number, raw = lines.take()
        if cells:
            yield number, cells, raw


def _row(record: _Record, columns: list[str]) -> Row | BadLine:
    number, cells, raw = record
    if len(cells) != len(columns):
        return BadLine(number, f"has {len(cells)} cells, but there are {len(columns)} columns", raw)
    row = dict(zip(columns, cells, strict=True))
    try:
        for column, cell in row.items():
            check_cell(column, cell)
    except BadCell as error:
        return BadLine(number, str(error), raw)
    return Row(number, row)


def _columns(first: list[str], mapping: Mapping) -> tuple[list[str], bool]:
    """The columns, and whether the first row is the one that names them."""
    names = [cell.strip() for cell in first]
    lacking = mapping.missing(names)
    by_count = next((header for header in mapping.headers if len(header.columns) == len(names)), None)
    if by_count and len(lacking) == len(mapping.missing(())):
        return list(by_count.columns), False
    _check_header(names, lacking, mapping)
    return names, True


def _check_header(names: list[str], lacking: list[str], mapping: Mapping) -> None:
    declared = mapping.file.delimiter
    if lacking:
        marks = Counter({mark: sum(name.count(mark) for name in names) for mark in _MARKS if mark != declared})
        mark, count = marks.most_common(1)[0]
        if count and count >= len(names):
            what = f"seems to be separated by {_MARKS[mark]}: say delimiter = {_toml(mark)} in [file] of the mapping"
            raise Malformed.at("file", what)
        counts = ", ".join(str(len(header.columns)) for header in mapping.headers)
        hint = f"; a file without a header has {counts} columns, this one {len(names)}" if counts else ""
        raise Malformed.at("file", f"lacks what the mapping reads: {', '.join(lacking)}{hint}")
    if twice := [shown(name) for name, count in Counter(names).items() if count > 1]:
        raise Malformed.at("file", f"names {', '.join(twice)} more than once in its header")
    try:
        for name in names:
            check_cell(name, "")
    except BadCell as error:
        raise Malformed.at("file", f"header: {error}") from error


def _toml(mark: str) -> str:
    return '"\\t"' if mark == "\t" else f'"{mark}"'
