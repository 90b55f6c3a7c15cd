"""Every word of a database: all rows of all tables of all its schemas, as text."""

from __future__ import annotations

import psycopg
from psycopg import sql


def everything(url: str, text: str) -> list[str]:
    """The tables with a row that holds a text, also in lower case, or as its bytes."""
    found = []
    wanted = [text, text.lower(), text.encode().hex(), text.lower().encode().hex()]
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'm', 't') AND n.nspname NOT IN ('pg_toast', 'information_schema')"
            " ORDER BY 1, 2"
        ).fetchall()
        for schema, name in tables:
            query = sql.SQL("SELECT count(*) FROM {} t WHERE t::text LIKE ANY (%s)").format(
                sql.Identifier(schema, name)
            )
            count = connection.execute(query, ([f"%{one}%" for one in wanted],)).fetchone()
            if count and count[0]:
                found.append(f"{schema}.{name}")
    return found
