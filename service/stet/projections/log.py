"""Reading the log for projections: stream by stream, or batch by batch. Synchronous: apart from all requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg

from stet.codec import recorded
from stet.envelope import Recorded
from stet.sql import load

_READ_KIND_STREAMS = load("read_kind_streams")
_READ_BATCH = load("read_batch")
_READ_STREAMS = load("read_streams")
_APPEND_END = load("append_end")
_FIND_UNSETTLED = load("find_unsettled")
_ITERATION = 2_000

Rows = list[tuple[Any, ...]]
"""Events as they are stored. Decoding them may fail, stream by stream."""


def decode(rows: Iterable[tuple[Any, ...]]) -> list[Recorded[Any]]:
    """The events of stored rows. Raises CorruptLog where this release cannot read one."""
    return [recorded(row) for row in rows]


def streams_of(
    connection: psycopg.Connection,
    ledger_id: UUID,
    kinds: Sequence[str],
    *,
    up_to: int,
    after: str = "",
    share: tuple[int, int] = (0, 1),
) -> Iterator[tuple[str, Rows]]:
    """The stored events of each stream of some kinds, up to a position; needs a transaction.

    Only of streams after one by name, and of one share (n of m) of the streams by their hash.
    """
    # The kinds in the order of the names of their streams, so that `after` covers whole kinds.
    for kind in sorted(kinds):
        with closing(connection.cursor(name=f"streams_{kind}")) as cursor:
            cursor.itersize = _ITERATION
            parameters = {"ledger_id": ledger_id, "kind": kind, "up_to": up_to, "after": after}
            cursor.execute(_READ_KIND_STREAMS, parameters | {"share": share[0], "shares": share[1]})
            for stream, rows in groupby(cursor, key=lambda row: str(row[1])):
                yield stream, list(rows)


def batch_of(
    connection: psycopg.Connection, ledger_id: UUID, kinds: Sequence[str], after: int, up_to: int
) -> dict[str, Rows]:
    """The stored events of some kinds of streams in a range of positions, by stream."""
    found: dict[str, Rows] = {}
    parameters = {"ledger_id": ledger_id, "kinds": list(kinds), "after": after, "up_to": up_to}
    for row in connection.execute(_READ_BATCH, parameters):
        found.setdefault(row[1], []).append(row)
    return found


def history_of(connection: psycopg.Connection, ledger_id: UUID, stream: str, up_to: int) -> Rows:
    """The stored events of a stream up to a position."""
    return connection.execute(_READ_STREAMS, {"ledger_id": ledger_id, "streams": [stream], "up_to": up_to}).fetchall()


def unsettled(connection: psycopg.Connection, ledger_id: UUID, position: int) -> set[str]:
    """The streams that were redacted after a position. What is that far has, of them, rows of what was erased since."""
    found = connection.execute(_FIND_UNSETTLED, {"ledger_id": ledger_id, "position": position})
    return {stream for (stream,) in found}


def end_of_append(connection: psycopg.Connection, ledger_id: UUID, position: int) -> int:
    """The last position of the append that an event belongs to."""
    row = connection.execute(_APPEND_END, {"ledger_id": ledger_id, "position": position}).fetchone()
    assert row
    return int(row[0])
