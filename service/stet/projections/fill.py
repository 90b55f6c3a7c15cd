"""Fills the histories from the log, where they were built by other rules than those of this release, or never."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg

from stet.codec import recorded
from stet.envelope import Recorded
from stet.incident.resolve import RESOLUTION
from stet.projections.history import AUDIENCE, NameRow, names_of, rows_of
from stet.projections.record import OPEN, encode_incident, encode_name, encode_statement, rows
from stet.sql import load
from stet.streams import fold

_READ_KIND_STREAMS = load("read_kind_streams")
VERSIONS = {"incident_history": RESOLUTION, "statement_history": 1, "name_history": 1}
"""By which version of its rules each is built. Raising one builds all anew at the next start."""
_BATCH = 1_000


def fill(url: str, say: Callable[[str], None]) -> None:
    """Builds the histories anew if they are not those of this release. Nobody appends meanwhile."""
    with psycopg.connect(url) as connection:
        built: dict[str, int] = dict(connection.execute("SELECT name, version FROM stet.projection").fetchall())
        if built == VERSIONS:
            return
        connection.execute("SET LOCAL ROLE stet_owner")
        # In the order of an append: first the heads, so that no append is under way, then what it writes.
        connection.execute("LOCK TABLE stet.head IN EXCLUSIVE MODE")
        for table in VERSIONS:
            connection.execute(psycopg.sql.SQL("TRUNCATE {}").format(psycopg.sql.Identifier("stet", table)))
        connection.execute("DELETE FROM stet.projection")
        for ledger_id, name, events in connection.execute(
            "SELECT l.ledger_id, l.name, h.position FROM stet.ledger l JOIN stet.head h USING (ledger_id)"
        ).fetchall():
            say(f"building the histories of ledger {name}: {events:,} events")
            _fill_ledger(connection, ledger_id)
        for table, version in VERSIONS.items():
            connection.execute("INSERT INTO stet.projection (name, version) VALUES (%s, %s)", (table, version))


def streams_of(connection: psycopg.Connection, ledger_id: UUID, kind: str) -> Iterator[list[Recorded[Any]]]:
    """The events of each stream of a kind, a stream at a time; needs a transaction."""
    with closing(connection.cursor(name=f"streams_{kind}")) as cursor:
        cursor.itersize = _BATCH
        cursor.execute(_READ_KIND_STREAMS, {"ledger_id": ledger_id, "kind": kind})
        for _, events in groupby(map(recorded, cursor), key=lambda one: one.stream):
            yield list(events)


def names_from(events: list[Recorded[Any]]) -> list[tuple[NameRow, int | None]]:
    """What a source or a document was called, and up to which position."""
    found: list[tuple[NameRow, int | None]] = []
    state = None
    for stream, append in groupby(events, key=lambda one: (one.stream, one.recorded_at)):
        state = fold(stream[0], append, state)
        made = names_of(state)
        if not found or found[-1][0].words != made:
            if found:
                found[-1] = (found[-1][0], state.position)
            kind, _, id_ = stream[0].partition(":")
            found.append((NameRow(kind, UUID(id_), state.position, made), None))
    return found


def _fill_ledger(connection: psycopg.Connection, ledger_id: UUID) -> None:
    writer = _Writer(connection, ledger_id)
    for events in streams_of(connection, ledger_id, "incident"):
        slices, spoken = rows_of(events)
        writer.add("incident_history", [encode_incident(row) for row in slices])
        writer.add("statement_history", [encode_statement(row) for row in spoken])
    for kind in ("source", "document"):
        for events in streams_of(connection, ledger_id, kind):
            writer.add("name_history", [encode_name(row, to_position) for row, to_position in names_from(events)])
    writer.flush()


class _Writer:
    """Adds rows in batches."""

    def __init__(self, connection: psycopg.Connection, ledger_id: UUID) -> None:
        self._connection = connection
        self._ledger_id = ledger_id
        self._waiting: dict[str, list[dict[str, Any]]] = {table: [] for table in OPEN}

    def add(self, table: str, encoded: list[dict[str, Any]]) -> None:
        self._waiting[table] += encoded
        if len(self._waiting[table]) >= _BATCH:
            self._write(table)

    def flush(self) -> None:
        for table, waiting in self._waiting.items():
            if waiting:
                self._write(table)

    def _write(self, table: str) -> None:
        parameters = {"ledger_id": self._ledger_id, "audience": AUDIENCE, "rows": rows(self._waiting[table])}
        self._connection.execute(OPEN[table], parameters)
        self._waiting[table] = []
