"""Dated records: JSON Lines, each one change of one row of a data set. docs/importing.md has the form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec
from msgspec import Raw, Struct, ValidationError

from stet.errors import Malformed
from stet.importers.cells import CELL_MAX, check_cell, check_key
from stet.importers.files import LINE_BYTES, BadLine, opened, whole_lines
from stet.importers.mapped import BadCell, shown

Op = Literal["create", "update", "delete"]
Fields = dict[str, Raw]
"""The values of a record by column, each in the bytes of the file: 1.10 stays 1.10."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class Line(Struct, frozen=True, kw_only=True):
    """One change: its row was created with `rec`, updated by `rec` or by `set` and `unset`, or deleted."""

    number: int
    """Of the line in the file, from 1."""
    seq: int | None
    """The number that the data set's own log gives it."""
    t: datetime
    """When the data set said so, in UTC."""
    rev: str | None
    op: Op
    key: str
    rec: Fields | None
    set: Fields | None
    unset: tuple[str, ...] | None
    raw: bytes


class _Wire(Struct, frozen=True):
    op: Op
    key: str
    t: str
    seq: int | None = None
    rev: str | None = None
    rec: Fields | None = None
    set: Fields | None = None
    unset: tuple[str, ...] | None = None


_WIRE = msgspec.json.Decoder(_Wire)
_ANY = msgspec.json.Decoder(float_hook=Decimal)
_KNOWN = frozenset(_Wire.__struct_fields__)


def read_lines(source: Path | BinaryIO, warn: Callable[[str], None] = lambda _: None) -> Iterator[Line | BadLine]:
    """Each line of the file, in order; blank ones are passed over. `warn` is told once of each unknown field.

    A line that cannot be read is a BadLine, and the others are read. Raises Malformed where the file cannot be read
    on: it is empty, in UTF-16, or a gzip that is damaged or not complete.
    """
    warned: set[str] = set()
    found = False
    with opened(source) as content:
        for line in whole_lines(content):
            if not line.cut and not line.raw.strip():
                continue
            found = True
            raw = line.raw.rstrip(b"\r\n")
            if line.cut:
                yield BadLine(line.number, f"the line is longer than {LINE_BYTES:,} bytes", raw)
                continue
            try:
                read, unknown = _read(line.number, raw)
            except (Malformed, BadCell) as error:
                yield BadLine(line.number, str(error), raw)
                continue
            for name in sorted(unknown - warned):
                warned.add(name)
                warn(f"line {line.number}: {shown(name)} is not a field of dated records; it is kept with the line")
            yield read
    if not found:
        raise Malformed.at("file", "holds no line but blank ones")


def values_of(fields: Fields) -> dict[str, Any]:
    """The values, for a mapping: numbers with a fraction or an exponent as Decimal."""
    return {column: _ANY.decode(value) for column, value in fields.items()}


def merged(record: Fields, line: Line) -> Fields:
    """The record of a row after an update of it."""
    if line.rec is not None:
        return line.rec
    changed = record | (line.set or {})
    return {column: value for column, value in changed.items() if column not in (line.unset or ())}


def _read(number: int, raw: bytes) -> tuple[Line, set[str]]:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"is not UTF-8: byte {raw[error.start]:#04x} at {error.start + 1}") from error
    if "\0" in text:
        raise Malformed("holds a NUL character")
    try:
        whole = _ANY.decode(raw)
        wire = _WIRE.decode(raw)
    except ValidationError as error:
        raise Malformed(_in_words(str(error))) from error
    except RecursionError as error:
        raise Malformed("is nested too deeply") from error
    except (msgspec.DecodeError, ValueError, ArithmeticError) as error:
        raise Malformed(f"is not JSON: {error}") from error
    # The decoder refuses lone surrogates, and a bare NUL is no JSON.
    if b"\\u0000" in raw or len(raw) > CELL_MAX:
        _check_cells(whole, wire)
    check_key(wire.key, "key")
    if not wire.key.strip():
        raise Malformed("key: is empty")
    _check_parts(wire)
    line = Line(
        number=number,
        seq=wire.seq,
        t=_instant(wire.t),
        rev=wire.rev,
        op=wire.op,
        key=wire.key,
        rec=wire.rec,
        set=wire.set,
        unset=wire.unset,
        raw=raw,
    )
    return line, whole.keys() - _KNOWN if len(whole) > 3 else set()


def _check_parts(wire: _Wire) -> None:
    changes = wire.set is not None or wire.unset is not None
    match wire.op:
        case "create" if wire.rec is None or changes:
            raise Malformed("a create has rec, the whole record, and neither set nor unset")
        case "update" if (wire.rec is not None) == changes:
            raise Malformed("an update has either rec, the whole record, or set and unset, what changed")
        case _:
            pass
    if wire.seq is not None and not 0 <= wire.seq < 2**63:
        raise Malformed("seq: must be from 0 to 9,223,372,036,854,775,807")


def _check_cells(whole: dict[str, Any], wire: _Wire) -> None:
    for name, value in whole.items():
        for column, cell in value.items() if name in ("rec", "set") and value else ((name, value),):
            check_cell(column, cell)
    for name, raw in ((wire.rec or {}) | (wire.set or {})).items():
        if len(raw) > CELL_MAX:
            raise Malformed(f"{shown(name)}: the cell is longer than {CELL_MAX:,} bytes")


def _instant(text: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise Malformed(
            f"t: {shown(text)} is not an RFC 3339 instant, such as 2025-05-04T13:53:46Z, of at most six decimals"
        )
    try:
        at = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Malformed(f"t: {shown(text)} is not an instant that exists in the years 1 to 9998") from error
    if at.year > 9998:
        raise Malformed(f"t: {shown(text)} is not an instant that exists in the years 1 to 9998")
    return at


def _in_words(text: str) -> str:
    detail, _, at = text.partition(" - at `")
    field = at.rstrip("`").removeprefix("$").lstrip(".")
    if detail.startswith("Object missing required field"):
        return f"{detail.split('`')[1]}: is missing"
    return f"{field}: {detail}" if field else detail
