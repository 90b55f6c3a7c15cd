"""Are the projections what the log gives? Every stream is folded again, and its rows compared with the stored ones."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
from psycopg import sql

from stet.projections.derive import Reached, derive, reached
from stet.projections.log import streams_of, unsettled
from stet.projections.projection import Built, Projection, id_of
from stet.projections.registry import PROJECTIONS
from stet.projections.target import Target, compare
from stet.sql import load
from stet.store.verify import Progress

_FIND_STRAYS = load("find_strays")
_READ_HEADS = load("read_heads")
SHOWN_MAX = 20
_BATCH = 500


def differences(connection: psycopg.Connection, ledger: str, progress: Progress = lambda *_: None) -> list[str]:
    """The first 20 rows of a ledger's projections that are not what its log gives, each as a line; [] if all are.

    Of one moment, each projection up to where it is; the connection must not be in a transaction. A parked stream is a
    difference, too. Raises CorruptLog if a stream cannot be folded.
    """
    found: list[str] = []
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # Before the moment is chosen: a rebuild puts other tables in their place.
        tables = [Target(one).table(table) for one in PROJECTIONS for table in one.tables]
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.SQL(", ").join(tables)))
        connection.execute("SET LOCAL timezone = 'UTC'")
        ledger_id, *_ = connection.execute(_READ_HEADS, {"name": ledger}).fetchall()[0]
        for projection in PROJECTIONS:
            if len(found) < SHOWN_MAX:
                found += _differences(connection, projection, ledger, ledger_id, progress)
    return found[:SHOWN_MAX]


def _differences(
    connection: psycopg.Connection, projection: Projection, ledger: str, ledger_id: UUID, progress: Progress
) -> list[str]:
    at = reached(connection, Target(projection), ledger_id)
    found = [
        f"{projection.name} has parked {stream} at position {position}"
        for stream, position in sorted(at.parked.items())
    ]
    done = 0
    for ids, built, events in _batches(connection, projection, ledger_id, at):
        for name, lacking, row_ in compare(connection, Target(projection), ledger_id, ids, built, SHOWN_MAX):
            found.append(f"{name} {'lacks' if lacking else 'has, beyond the log,'} {row_}")
        done += events
        progress(f"{ledger}, {projection.name}", done, at.position)
        if len(found) >= SHOWN_MAX:
            break
    for table in projection.tables:
        statement = sql.SQL(_FIND_STRAYS).format(
            table=Target(projection).table(table), id=sql.Identifier(table.id), kind=sql.SQL(table.kind)
        )
        strays = connection.execute(statement, {"ledger_id": ledger_id, "limit": SHOWN_MAX}).fetchall()
        found += [f"{table.name} has, beyond the log, rows of {id_}" for (id_,) in strays]
    return found


def _batches(
    connection: psycopg.Connection, projection: Projection, ledger_id: UUID, at: Reached
) -> Iterator[tuple[list[UUID], Built, int]]:
    """Some streams' ids, what is built of them, and how many events they have."""
    ids: list[UUID] = []
    waiting, events = Built.nothing(projection), 0
    left_out = unsettled(connection, ledger_id, at.position)
    for stream, rows in streams_of(connection, ledger_id, projection.kinds, up_to=at.position):
        if stream in left_out:
            continue
        events += len(rows)
        waiting.join(derive(projection, stream, rows, at))
        ids.append(id_of(stream))
        if len(waiting) >= _BATCH:
            yield ids, waiting, events
            ids, waiting, events = [], Built.nothing(projection), 0
    yield ids, waiting, events
