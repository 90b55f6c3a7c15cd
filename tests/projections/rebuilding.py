"""What the tests of rebuilds ask for, and what they look at."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import psycopg
from tests.projections.test_histories import write_again
from tests.unit import saying

from stet.ids import new_id
from stet.projections.rebuild.job import RebuildRequest, RebuildView, add_rebuild, read_rebuild
from stet.projections.rebuild.run import run_rebuild
from stet.projections.registry import PROJECTIONS, projection_of
from stet.projections.verify import differences


def disputes_in(url: str) -> str:
    """The database, with two ledgers of a dispute each."""
    for n in (1, 2):
        events = saying.told(*(saying.say(who, killed=k) for k, who in enumerate(("AZ", "RU", "AM") * 3)))
        asyncio.run(write_again(url, f"kept-{n}", events))
    return url


def ask(url: str, name: str, **asked: Any) -> UUID:
    rebuild_id = new_id()
    with psycopg.connect(url, autocommit=True) as connection:
        add_rebuild(connection, rebuild_id, name, projection_of(name).version, RebuildRequest(**asked))
    return rebuild_id


def rebuild(url: str, name: str, **asked: Any) -> RebuildView:
    view = run_rebuild(url, ask(url, name, **asked))
    assert view
    return view


def execute(url: str, statement: str, *parameters: Any) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


def verified(url: str, ledger: str = "kept-1") -> list[str]:
    with psycopg.connect(url, autocommit=True) as connection:
        return differences(connection, ledger)


def shape(url: str) -> list[Any]:
    """All that PostgreSQL knows of the tables of projections: columns, indexes, constraints, rights, policies."""
    names = [table.name for one in PROJECTIONS for table in one.tables]
    names += ["incident_search", "name_search", "statement_search"]
    return execute(
        url,
        """SELECT c.relname::text, pg_get_indexdef(c.oid), c.relacl::text, pg_get_userbyid(c.relowner)::text,
                  obj_description(c.oid, 'pg_class'),
                  ARRAY(SELECT (a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attacl,
                                a.attcollation, col_description(c.oid, a.attnum))::text
                        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum),
                  ARRAY(SELECT k.conname || ' ' || pg_get_constraintdef(k.oid)
                        FROM pg_constraint k WHERE k.conrelid = c.oid ORDER BY k.conname),
                  c.relrowsecurity,
                  ARRAY(SELECT (p.polname, p.polcmd, p.polroles::regrole[], pg_get_expr(p.polqual, c.oid))::text
                        FROM pg_policy p WHERE p.polrelid = c.oid ORDER BY p.polname),
                  ARRAY(SELECT DISTINCT d.refobjid::regclass::text
                        FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                        WHERE r.ev_class = c.oid AND d.refobjid <> c.oid AND d.refclassid = 'pg_class'::regclass)
           FROM pg_class c
           WHERE c.relnamespace = 'stet'::regnamespace
             AND (c.relname = ANY (%s) OR c.oid IN (SELECT i.indexrelid FROM pg_index i
                  JOIN pg_class t ON t.oid = i.indrelid WHERE t.relname = ANY (%s)))
           ORDER BY c.relname""",
        names,
        names,
    )


def tables(url: str, suffix: str) -> list[str]:
    found = execute(
        url,
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'stet'::regnamespace AND relkind = 'r'"
        " AND right(relname, 4) = %s ORDER BY relname",
        suffix,
    )
    return [name for (name,) in found]


def phase_of(url: str, rebuild_id: UUID) -> str:
    with psycopg.connect(url) as connection:
        return read_rebuild(connection, rebuild_id).phase
