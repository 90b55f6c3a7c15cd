"""Are the histories what the log gives? Every stream is folded again, and its rows compared with the stored ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from stet.envelope import Recorded
from stet.errors import CorruptLog
from stet.projections.fill import names_from, streams_of
from stet.projections.history import AUDIENCE, rows_of
from stet.projections.record import encode_incident, encode_name, encode_statement, rows
from stet.sql import load
from stet.store.verify import Progress

_COMPARE: dict[str, LiteralString] = {
    name: load(f"compare_{name}") for name in ("incident_history", "statement_history", "name_history")
}
_FIND_STRAYS = load("find_strays")
_READ_HEADS = load("read_heads")
SHOWN_MAX = 20
_BATCH = 500

Rows = dict[str, list[dict[str, Any]]]


def differences(connection: psycopg.Connection, ledger: str, progress: Progress = lambda *_: None) -> list[str]:
    """The first 20 rows of a ledger's histories that are not what its log gives, each as a line; [] if all are.

    Of one moment; the connection must not be in a transaction. Raises CorruptLog if a stream cannot be folded.
    """
    found: list[str] = []
    done = 0
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        ledger_id, _, total, _ = connection.execute(_READ_HEADS, {"name": ledger}).fetchall()[0]
        for ids, wanted, events in _batches(connection, ledger_id):
            for table, compare in _COMPARE.items():
                parameters = {"ledger_id": ledger_id, "audience": AUDIENCE, "ids": ids, "rows": rows(wanted[table])}
                for lacking, row in connection.execute(compare, parameters):
                    found.append(f"{table} {'lacks' if lacking else 'has, beyond the log,'} {row}")
            done += events
            progress(f"{ledger}, histories", done, total)
            if len(found) >= SHOWN_MAX:
                break
        strays = connection.execute(_FIND_STRAYS, {"ledger_id": ledger_id, "limit": SHOWN_MAX}).fetchall()
    found += [f"{table} has, beyond the log, rows of {id_}" for table, id_ in strays]
    return found[:SHOWN_MAX]


def _batches(connection: psycopg.Connection, ledger_id: UUID) -> Iterator[tuple[list[UUID], Rows, int]]:
    """Some streams' ids, the rows that they give, and how many events they have."""
    ids: list[UUID] = []
    wanted: Rows = {table: [] for table in _COMPARE}
    events = 0
    for kind in ("incident", "source", "document"):
        for stream in streams_of(connection, ledger_id, kind):
            events += len(stream)
            try:
                _add(wanted, kind, stream)
            except (LookupError, ValueError, AssertionError) as error:
                raise CorruptLog(
                    f"the events of {stream[0].stream} do not follow from one another: {error!r}"
                ) from error
            ids.append(UUID(stream[0].stream.partition(":")[2]))
            if sum(map(len, wanted.values())) >= _BATCH:
                yield ids, wanted, events
                ids, wanted, events = [], {table: [] for table in _COMPARE}, 0
    yield ids, wanted, events


def _add(wanted: Rows, kind: str, stream: list[Recorded[Any]]) -> None:
    if kind == "incident":
        slices, spoken = rows_of(stream)
        wanted["incident_history"] += [encode_incident(row) for row in slices]
        wanted["statement_history"] += [encode_statement(row) for row in spoken]
    else:
        wanted["name_history"] += [encode_name(row, to_position) for row, to_position in names_from(stream)]
