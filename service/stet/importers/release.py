"""Importing a release of a table: what differs from the rows that the data set had (docs/importing.md)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from stet.errors import Malformed
from stet.importers.files import BadLine
from stet.importers.mapped import BadRow
from stet.importers.mapping import Mapping
from stet.importers.publisher import Publisher, instant, record_of
from stet.importers.state import State
from stet.importers.table import Row

_DELETED_AT = ("deleted_timestamp", "deleted_at")


def import_release(
    rows: Iterable[Row | BadLine], mapping: Mapping, state: State, out: Publisher, at: datetime, *, partial: bool
) -> None:
    """Publishes each row that is new or differs, and takes back those that the release lacks, unless it is partial.

    `state` has the rows of the data set as the service has them. Where a row could not be read, which may be any, none
    is taken back.
    """
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
            out.rejects.add(row.number, error.reason, content)
            continue
        if came := state.came(key, row.number, content):
            line, same = came
            if same:
                out.counts["repeated rows, skipped"] += 1
            else:
                out.rejects.add(row.number, f"key: {key} came already, in line {line}, with other cells", content)
            continue
        _publish(key, row, content, mapping, state, out, at)
    out.flush()
    if partial:
        return
    if unread:
        out.counts["unreadable rows, so no row that the release lacks was taken back"] = unread
        return
    for key in state.missing():
        out.gone(0, key.encode(), record_of(key, b"null"), instant(at))
        out.counts["rows taken back"] += 1
    out.flush()


def import_deleted(rows: Iterable[Row | BadLine], mapping: Mapping, state: State, out: Publisher, at: datetime) -> None:
    """Takes back the rows of a list of deleted ones, each at its `deleted_timestamp` or `deleted_at`, else `at`."""
    for row in rows:
        if isinstance(row, BadLine):
            out.rejects.add(row.number, row.reason, row.raw)
            continue
        content = msgspec.json.encode(row.record)
        try:
            key = mapping.key_of(row.record, row.number)
            said_at = _deleted_at(row, at)
        except BadRow as error:
            out.rejects.add(row.number, error.reason, content)
            continue
        if state.get(key) is None:
            out.counts["deleted rows that were not there"] += 1
            continue
        state.drop(key)
        out.gone(row.number, content, record_of(key, b"null"), said_at)
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
        out.rejects.add(row.number, error.reason, content)
        return
    out.row(row.number, content, record_of(key, content), mapped, instant(at))
    out.counts["rows published" if before is None else "rows replaced"] += 1


def _cells(record: bytes) -> Any:
    """The columns may have another order in this release."""
    return msgspec.json.decode(record)


def _deleted_at(row: Row, at: datetime) -> str:
    for name in _DELETED_AT:
        if text := row.record.get(name, "").strip():
            try:
                seconds = int(text) if text.isascii() and text.isdigit() else None
                return instant(datetime.fromtimestamp(seconds, at.tzinfo) if seconds is not None else _moment(text))
            except (ValueError, OverflowError, OSError, Malformed) as error:
                what = f"{name}: {text[:60]!r} is neither seconds since 1970 nor an RFC 3339 instant"
                raise BadRow(row.number, what) from error
    return instant(at)


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("it has no zone")
    return found
