"""The tables of a rebuild: made beside the live ones, indexed, put in their place, dropped."""

from __future__ import annotations

import re

import psycopg
from psycopg import sql

from stet.projections.projection import Projection, Table
from stet.projections.target import NEW, OLD

_INDEX = re.compile(r"CREATE (UNIQUE )?INDEX \S+ ON (?:ONLY )?\S+ (.*)", re.DOTALL)


def grants(projection: Projection, name: str) -> sql.Composed:
    """What the roles may do with a table of a projection, and which rows they see.

    A row is added, and ended, and never otherwise changed: by who appends where the projection is inline, else by the
    worker. All rows of a stream are removed where they are written anew: what is seen of it is other than before, or it
    was redacted. Nothing of this is in the table's definition, so every table that is made needs it.
    """
    writer = sql.Identifier("stet_application" if projection.inline else "stet_worker")
    return sql.SQL(
        "GRANT SELECT ON {0} TO stet_application, stet_reader, stet_worker;"
        " GRANT INSERT, DELETE, UPDATE (to_position) ON {0} TO {1}; CALL stet.keep_apart({2});"
    ).format(sql.Identifier("stet", name), writer, sql.Literal(f"stet.{name}"))


def make_tables(connection: psycopg.Connection, projection: Projection) -> None:
    """Empty tables like the live ones, without indexes."""
    drop_tables(connection, projection, NEW)
    for table in projection.tables:
        live, new = (sql.Identifier("stet", table.name + suffix) for suffix in ("", NEW))
        # What fills it syncs less often: autovacuum is on for it once it is live, too.
        connection.execute(
            sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)").format(
                new, live
            )
        )
        comment = connection.execute(
            "SELECT obj_description(%s::regclass, 'pg_class')", (f"stet.{table.name}",)
        ).fetchone()
        if comment and comment[0]:
            connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(new, sql.Literal(comment[0])))
        connection.execute(grants(projection, table.name + NEW))


def index_tables(connection: psycopg.Connection, projection: Projection) -> None:
    """Gives the new tables the indexes of the live ones, and statistics."""
    connection.execute("SET LOCAL maintenance_work_mem = '128MB'")
    for table in projection.tables:
        new = sql.Identifier("stet", table.name + NEW)
        for name, definition, primary in _indexes(connection, table):
            found = _INDEX.fullmatch(definition)
            assert found, definition
            connection.execute(
                sql.SQL("CREATE {}INDEX {} ON {} {}").format(
                    sql.SQL("UNIQUE " if found[1] else ""),
                    sql.Identifier(name + NEW),
                    new,
                    # PostgreSQL's own words for an index of ours.
                    sql.SQL(found[2]),
                )
            )
            if primary:
                connection.execute(
                    sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY USING INDEX {}").format(
                        new, sql.Identifier(name + NEW), sql.Identifier(name + NEW)
                    )
                )
        connection.execute(sql.SQL("ANALYZE {}").format(new))


def lock_tables(connection: psycopg.Connection, projection: Projection) -> None:
    """Waits for whoever reads the live tables, and keeps others out until the transaction ends."""
    tables = [sql.Identifier("stet", table.name) for table in projection.tables]
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.SQL(", ").join(tables)))


def switch_tables(connection: psycopg.Connection, projection: Projection) -> None:
    """Puts the new tables in the place of the live ones, which are kept under names that end in `_old`."""
    for table in projection.tables:
        indexes = [name for name, _, _ in _indexes(connection, table)]
        for old, new in (("", OLD), (NEW, "")):
            connection.execute(
                sql.SQL("ALTER TABLE {} RENAME TO {}").format(
                    sql.Identifier("stet", table.name + old), sql.Identifier(table.name + new)
                )
            )
            for name in indexes:
                # A primary key's constraint is renamed with its index.
                connection.execute(
                    sql.SQL("ALTER INDEX {} RENAME TO {}").format(
                        sql.Identifier("stet", name + old), sql.Identifier(name + new)
                    )
                )
    connection.execute("CALL stet.make_searches()")


def drop_tables(connection: psycopg.Connection, projection: Projection, suffix: str) -> bool:
    """Drops the tables of a rebuild, or of what it replaced. Whether there were any."""
    assert suffix in (NEW, OLD)
    there = False
    for table in projection.tables:
        name = f"stet.{table.name}{suffix}"
        row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (name,)).fetchone()
        there = there or bool(row and row[0])
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("stet", table.name + suffix)))
    return there


def _indexes(connection: psycopg.Connection, table: Table) -> list[tuple[str, str, bool]]:
    return connection.execute(
        "SELECT c.relname::text, pg_get_indexdef(i.indexrelid), i.indisprimary"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = %s::regclass ORDER BY c.relname",
        (f"stet.{table.name}",),
    ).fetchall()
