"""Importing a release of a table: what differs from the rows that the data set had (docs/importing.md)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from stet.importers.files import BadLine
from stet.importers.lines import Line
from stet.importers.mapped import BadRow
from stet.importers.mapping import Mapping
from stet.importers.publisher import Publisher, instant, record_of
from stet.importers.state import State
from stet.importers.table import Row


def import_release(
    rows: Iterable[Row | BadLine],
    deleted: Iterable[Line | BadLine],
    mapping: Mapping,
    state: State,
    out: Publisher,
    at: datetime,
    *,
    partial: bool,
) -> None:
    """Publishes each row that is new or differs, takes back those of the list `deleted` that the release lacks, each at
    its own time, and, unless the release is partial, the others that it lacks.

    `state` has the rows of the data set as the service has them. Where a row could not be read, which may be any, none
    is taken back for being absent.
    """
    unread = _import_rows(rows, mapping, state, out, at)
    _import_deleted(deleted, state, out)
    if partial:
        return
    if unread:
        out.counts["unreadable rows, so no row that the release lacks was taken back"] = unread
        return
    for key in state.missing():
        out.gone(0, key.encode(), record_of(key, b"null"), instant(at))
        out.counts["rows taken back"] += 1
    out.flush()


def _import_rows(rows: Iterable[Row | BadLine], mapping: Mapping, state: State, out: Publisher, at: datetime) -> int:
    """How many rows could not be read: nobody knows which they are."""
    unread = 0
    for row in rows:
        if isinstance(row, BadLine):
            unread += 1
            out.rejects.add(row.number, row.reason, row.raw)
            continue
        content = msgspec.json.encode(row.record)
        try:
            key = mapping.key_of(row.record, row.number)
        except BadRow as error:
            unread += 1
            out.rejects.add(row.number, error.reason, row.raw)
            continue
        if came := state.came(key, row.number, content):
            line, same = came
            if same:
                out.counts["repeated rows, skipped"] += 1
            else:
                out.rejects.add(row.number, f"key: {key} came already, in line {line}, with other cells", row.raw)
            continue
        _publish(key, row, content, mapping, state, out, at)
    out.flush()
    return unread


def _import_deleted(lines: Iterable[Line | BadLine], state: State, out: Publisher) -> None:
    for line in lines:
        if isinstance(line, BadLine):
            out.rejects.add(line.number, line.reason, line.raw)
        elif state.has_come(line.key):
            out.counts["deleted rows that the release has: they stay"] += 1
        elif state.get(line.key) is None:
            out.counts["deleted rows that were not there"] += 1
        else:
            state.drop(line.key)
            out.gone(line.number, line.raw, record_of(line.key, b"null"), instant(line.t))
            out.counts["rows taken back"] += 1
    out.flush()


def _publish(key: str, row: Row, content: bytes, mapping: Mapping, state: State, out: Publisher, at: datetime) -> None:
    before = state.get(key)
    if before is not None and (before == content or _cells(before) == row.record):
        out.counts["rows that are as they were"] += 1
        return
    try:
        mapped = mapping.apply(row.record, row.number)
    except BadRow as error:
        out.rejects.add(row.number, error.reason, row.raw)
        return
    out.row(row.number, row.raw, record_of(key, content), mapped, instant(at))
    out.counts["rows published" if before is None else "rows replaced"] += 1


def _cells(record: bytes) -> Any:
    """The columns may have another order in this release."""
    return msgspec.json.decode(record)
