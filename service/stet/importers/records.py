"""Importing dated records: the history of a table, line by line (docs/importing.md has the rules)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from stet.importers.files import BadLine
from stet.importers.lines import Fields, Line, merged, values_of
from stet.importers.mapped import BadRow
from stet.importers.mapping import Mapping
from stet.importers.publisher import Publisher, instant, record_of
from stet.importers.state import State

_FIELDS = msgspec.json.Decoder(Fields)


class Gone(Exception):
    """Why a line cannot be applied."""


def import_records(
    lines: Iterable[Line | BadLine],
    mapping: Mapping,
    state: State,
    out: Publisher,
    last_seq: int | None,
    warn: Callable[[str], None],
) -> None:
    """Publishes lines behind `last_seq`, in their order; those up to it only bring the state to where they left it.

    Of `state` it needs the rows of the data set as the service has them, and leaves those after the last line.
    """
    highest, latest = -1, None
    warned: set[str] = set()
    for line in lines:
        if isinstance(line, BadLine):
            out.rejects.add(line.number, line.reason, line.raw)
            continue
        if line.seq is None:
            why = "seq: is missing: an import that is broken off goes on behind the last line that came in"
            out.rejects.add(line.number, why, line.raw)
            continue
        repeated = state.number(line.seq, line.raw)
        if repeated:
            out.counts["repeated lines, skipped"] += 1
            continue
        if repeated is False or line.seq < highest:
            why = "came already, in another line" if repeated is False else f"comes behind {highest}"
            out.rejects.add(line.number, f"seq: {line.seq} {why}: lines are numbered in their order", line.raw)
            continue
        highest = line.seq
        came = last_seq is not None and line.seq <= last_seq
        if not came:
            latest = _in_order(line, latest, out)
        try:
            _publish(line, mapping, state, out, came=came)
        except BadRow as error:
            if not came:
                out.rejects.add(line.number, error.reason, line.raw)
        except Gone as error:
            if not came:
                out.rejects.add(line.number, str(error), line.raw)
        _warn_unmapped(line, mapping, warned, warn)
    out.flush()


def _in_order(line: Line, latest: datetime | None, out: Publisher) -> datetime:
    """Counts a time that is earlier than one before it: it is said then all the same, and recorded in its place."""
    if latest and line.t < latest:
        out.counts["lines with an earlier time than one before them"] += 1
        return latest
    return line.t


def _publish(line: Line, mapping: Mapping, state: State, out: Publisher, *, came: bool) -> None:
    before = state.get(line.key)
    if line.op == "delete":
        if before is None:
            raise Gone(f"key: the data set has no row {line.key} to delete")
        state.drop(line.key)
        if not came:
            out.gone(line.number, line.raw, record_of(line.key, b"null", line.seq, line.rev), instant(line.t))
            out.counts["rows taken back"] += 1
        return
    if before is None and line.rec is None:
        raise Gone(f"key: the data set has no row {line.key} to update, and the line has no rec, only what changed")
    fields = merged(_FIELDS.decode(before) if before else {}, line)
    record = msgspec.json.encode(fields)
    state.put(line.key, record)
    if came:
        out.counts["lines that came in before, skipped"] += 1
        return
    mapped = mapping.apply(values_of(fields), line.number, line.key)
    out.row(line.number, line.raw, record_of(line.key, record, line.seq, line.rev), mapped, instant(line.t))
    out.counts["rows published" if before is None else "rows replaced"] += 1
    if (line.op == "update") != (before is not None):
        known = "of rows that were there already" if before is not None else "of rows that were not there"
        out.counts[f"{line.op}s {known}, taken as if they were not"] += 1


def _warn_unmapped(line: Line, mapping: Mapping, warned: set[str], warn: Callable[[str], None]) -> None:
    names = {**(line.rec or {}), **(line.set or {})}
    for name in mapping.unmapped([name for name in names if name not in warned]):
        warned.add(name)
        warn(f"line {line.number}: the column {name} is not in the mapping; it is only kept in the record")
