"""A dry run: one pass over a file with a mapping, that records nothing and says what an import would meet."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec
from msgspec import Struct

from stet.importers.files import BadLine
from stet.importers.lines import Fields, Line, merged, read_lines, values_of
from stet.importers.mapped import BadRow, Mapped
from stet.importers.mapping import Mapping
from stet.importers.table import read_table

FIRST_BAD = 20
_COLUMNS_MAX = 1_000
_FIELDS = msgspec.json.Decoder(Fields)
_DELETED = b"null"


class Report(Struct, frozen=True, kw_only=True):
    """What a file holds, and what of it the mapping cannot take."""

    rows: int
    """Lines of dated records, or rows of a table; bad ones included."""
    ops: dict[str, int]
    """Of dated records: how many of each operation."""
    keys: int
    bad: int
    first_bad: tuple[tuple[int, str], ...]
    """The line and the reason of each of the first 20."""
    odd: dict[str, int]
    """What can be taken, but hardly was meant."""
    unmapped: tuple[str, ...]
    unseen: tuple[str, ...]
    """Columns that the mapping reads, and no record has."""
    claims: dict[str, int]
    """How many claims each attribute would get."""
    warnings: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """The report for a terminal."""
        ops = "".join(f", {count:,} {op}" for op, count in sorted(self.ops.items()))
        yield f"{self.rows:,} rows{ops}, {self.keys:,} keys, {self.bad:,} bad"
        yield from (f"  line {line}: {reason}" for line, reason in self.first_bad)
        if self.bad > len(self.first_bad):
            yield f"  and {self.bad - len(self.first_bad):,} more"
        yield from (f"{count:,} {what}" for what, count in self.odd.items())
        yield from (f"warning: {warning}" for warning in self.warnings)
        if self.unmapped:
            yield f"warning: neither mapped nor ignored: {', '.join(self.unmapped)}"
        if self.unseen:
            yield f"warning: read by the mapping, and in no record: {', '.join(self.unseen)}"
        yield from (f"{count:,} claims of {attribute}" for attribute, count in sorted(self.claims.items()))


def dry_run(source: Path | BinaryIO, mapping: Mapping, form: Literal["records", "table"]) -> Report:
    """What an import of the file would meet. Memory does not grow with the file: its rows are kept on disk meanwhile.

    Raises Malformed where the file as a whole cannot be read.
    """
    with closing(_Rows()) as rows:
        run = _Run(mapping, rows)
        if form == "table":
            run.table(source)
        else:
            run.records(source)
        return run.report()


class _Rows:
    """The last state of each row by its key, in a temporary file that the database of it removes."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("CREATE TABLE kept (key TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def get(self, key: str) -> bytes | None:
        found = self._database.execute("SELECT state FROM kept WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def put(self, key: str, state: bytes) -> None:
        self._database.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (key, state))

    def count(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM kept").fetchone()[0])

    def close(self) -> None:
        self._database.close()


class _Run:
    def __init__(self, mapping: Mapping, rows: _Rows) -> None:
        self._mapping = mapping
        self._kept = rows
        self._rows = self._bad = 0
        self._first: list[tuple[int, str]] = []
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in ("ops", "odd", "claims")}
        self._columns: dict[str, None] = {}
        self._warnings: list[str] = []
        self._last: datetime | None = None

    def table(self, source: Path | BinaryIO) -> None:
        table = read_table(source, self._mapping)
        self._see(table.columns)
        for row in table.rows:
            self._rows += 1
            if isinstance(row, BadLine):
                self._refuse(row.number, row.reason)
            elif mapped := self._apply(row.record, row.number, ""):
                if earlier := self._kept.get(mapped.key):
                    self._refuse(row.number, f"the key {mapped.key} is in line {earlier.decode()} already")
                else:
                    self._kept.put(mapped.key, str(row.number).encode())

    def records(self, source: Path | BinaryIO) -> None:
        for line in read_lines(source, self._warnings.append):
            self._rows += 1
            if isinstance(line, BadLine):
                self._refuse(line.number, line.reason)
            else:
                self._counts["ops"][line.op] += 1
                self._line(line)

    def report(self) -> Report:
        return Report(
            rows=self._rows,
            ops=dict(self._counts["ops"]),
            keys=self._kept.count(),
            bad=self._bad,
            first_bad=tuple(self._first),
            odd=dict(self._counts["odd"]),
            unmapped=tuple(self._mapping.unmapped(self._columns)),
            unseen=tuple(self._mapping.missing(self._columns)),
            claims=dict(self._counts["claims"]),
            warnings=tuple(self._warnings),
        )

    def _line(self, line: Line) -> None:
        if self._last and line.t < self._last:
            self._counts["odd"]["lines that are earlier than the line before"] += 1
        self._last = line.t
        state = self._kept.get(line.key)
        there = state is not None and state != _DELETED
        if line.op == "create" and there:
            self._counts["odd"]["creates of a key that is there already"] += 1
        if line.op != "create" and not there:
            self._counts["odd"][f"{line.op}s of a key that is not there"] += 1
        if line.op == "delete":
            self._kept.put(line.key, _DELETED)
            return
        before = _FIELDS.decode(state) if state is not None and there else {}
        record = merged(before, line)
        self._see(record)
        self._apply(values_of(record), line.number, line.key)
        self._kept.put(line.key, msgspec.json.encode(record))

    def _apply(self, record: dict[str, Any], line: int, key: str) -> Mapped | None:
        try:
            mapped = self._mapping.apply(record, line, key)
        except BadRow as error:
            self._refuse(line, error.reason)
            return None
        self._counts["claims"].update(claim.attribute for claim in mapped.claims)
        return mapped

    def _see(self, columns: Any) -> None:
        if len(self._columns) < _COLUMNS_MAX:
            self._columns |= dict.fromkeys(columns)

    def _refuse(self, line: int, reason: str) -> None:
        self._bad += 1
        if len(self._first) < FIRST_BAD:
            self._first.append((line, reason))
