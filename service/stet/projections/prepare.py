"""When the database is migrated: the tables of projections that are missing, or of other rules, are made anew."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import psycopg
from psycopg import sql

from stet.projections.derive import Reached, derive
from stet.projections.log import streams_of
from stet.projections.projection import LIVE, Built, Projection
from stet.projections.rebuild.job import ENDED
from stet.projections.rebuild.tables import drop_tables, grants
from stet.projections.registry import PROJECTIONS
from stet.projections.target import NEW, Target, write

_ROWS = 5_000
_ALL = Reached(LIVE, {})


def prepare(url: str, say: Callable[[str], None]) -> None:
    """Does nothing where every projection was built by the rules of this release.

    An inline one is built while nobody appends; any other is emptied, and its worker builds it.
    """
    with psycopg.connect(url) as connection:
        built: dict[str, int] = dict(connection.execute("SELECT name, version FROM stet.projection").fetchall())
        stale = [one for one in PROJECTIONS if built.get(one.name) != one.version]
        if not stale:
            return
        connection.execute("SET LOCAL ROLE stet_owner")
        # In the order of an append: first the heads, so that no append is under way, then what it writes.
        connection.execute("LOCK TABLE stet.head IN EXCLUSIVE MODE")
        for projection in stale:
            _empty(connection, projection)
            if projection.inline:
                _build(connection, projection, say)
            connection.execute(
                "INSERT INTO stet.projection (name, version) VALUES (%(name)s, %(version)s)"
                " ON CONFLICT (name) DO UPDATE SET version = excluded.version",
                {"name": projection.name, "version": projection.version},
            )


def prepare_sql() -> str:
    """What `prepare` does to an empty database, as SQL: the tables of projections that no migration makes."""
    lines = []
    for projection in PROJECTIONS:
        made = [(table.name, table.ddl) for table in projection.tables if table.ddl]
        for name, ddl in made:
            lines += [ddl.strip(), grants(projection, name).as_string(None)]
        if made:
            version = sql.SQL("INSERT INTO stet.projection (name, version) VALUES ({}, {});").format(
                sql.Literal(projection.name), sql.Literal(projection.version)
            )
            lines.append(version.as_string(None))
    return "\nBEGIN;\n\nSET LOCAL ROLE stet_owner;\n" + "\n".join(lines) + "\n\nCOMMIT;\n"


def _empty(connection: psycopg.Connection, projection: Projection) -> None:
    """The projection as of an empty log. A rebuild by other rules, if there is one, has failed."""
    drop_tables(connection, projection, NEW)
    names = [projection.name, projection.name + NEW]
    connection.execute("DELETE FROM stet.checkpoint WHERE projection = ANY (%s)", (names,))
    connection.execute("DELETE FROM stet.parked WHERE projection = ANY (%s)", (names,))
    connection.execute(
        "UPDATE stet.rebuild SET phase = 'failed', finished_at = now(), error = 'the release was changed'"
        " WHERE projection = %s AND phase <> ALL (%s)",
        (projection.name, list(ENDED)),
    )
    for table in projection.tables:
        name = sql.Identifier("stet", table.name)
        if table.ddl is None:
            connection.execute(sql.SQL("TRUNCATE {}").format(name))
        else:
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
            connection.execute(table.ddl)
            connection.execute(grants(projection, table.name))


def _build(connection: psycopg.Connection, projection: Projection, say: Callable[[str], None]) -> None:
    for ledger_id, name, events in connection.execute(
        "SELECT l.ledger_id, l.name, h.position FROM stet.ledger l JOIN stet.head h USING (ledger_id) ORDER BY l.name"
    ).fetchall():
        say(f"building {projection.name} of ledger {name}: {events:,} events")
        build_ledger(connection, projection, ledger_id)


def build_ledger(
    connection: psycopg.Connection,
    projection: Projection,
    ledger_id: UUID,
    taken: Callable[[int], None] = lambda events: None,
) -> None:
    """Writes all rows of a ledger that has none; `taken` is told of each stream how many events it has.

    Raises CorruptLog where a stream cannot be folded.
    """
    waiting = Built.nothing(projection)
    for stream, rows in streams_of(connection, ledger_id, projection.kinds, up_to=LIVE):
        waiting.join(derive(projection, stream, rows, _ALL))
        taken(len(rows))
        if len(waiting) >= _ROWS:
            write(connection, Target(projection), ledger_id, waiting)
            waiting = Built.nothing(projection)
    write(connection, Target(projection), ledger_id, waiting)
