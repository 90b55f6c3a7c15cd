"""What must hold after a round, seen from the database itself."""

from __future__ import annotations

import os
import subprocess
import sys
from uuid import UUID

import psycopg

from stet.projections.rebuild.job import ENDED
from stet.projections.registry import PROJECTIONS
from stet.projections.target import NEW
from tests.faults.known import Known
from tests.faults.processes import Violation

TABLES = [table.name for projection in PROJECTIONS for table in projection.tables]
_CATALOG = """
WITH live AS (
    SELECT c.* FROM pg_class c WHERE c.relnamespace = 'stet'::regnamespace AND c.relname = ANY (%(tables)s)
)
SELECT format('table %%s: owner %%s, grants %%s, options %%s, %%s, comment %%s', relname, relowner::regrole,
              (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(relacl) a), reloptions, relpersistence,
              obj_description(oid, 'pg_class'))
FROM live
UNION ALL
SELECT format('column %%s.%%s: %%s, not null %%s, default %%s, collation %%s, storage %%s, grants %%s, comment %%s',
              relname, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid),
              nullif(attcollation, 0)::regcollation, attstorage, attacl, col_description(live.oid, attnum))
FROM live JOIN pg_attribute a ON attrelid = live.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
UNION ALL
SELECT format('index %%s: %%s, valid %%s, options %%s', i.relname, pg_get_indexdef(i.oid), indisvalid AND indisready,
              i.reloptions)
FROM live JOIN pg_index ON indrelid = live.oid JOIN pg_class i ON i.oid = indexrelid
UNION ALL
SELECT format('constraint %%s.%%s: %%s, validated %%s', relname, conname, pg_get_constraintdef(o.oid), convalidated)
FROM live JOIN pg_constraint o ON conrelid = live.oid
UNION ALL
SELECT format('trigger %%s.%%s: %%s', relname, tgname, pg_get_triggerdef(t.oid))
FROM live JOIN pg_trigger t ON tgrelid = live.oid AND NOT tgisinternal
ORDER BY 1
"""
_WRITTEN = """
SELECT substring(payload::text FROM '\\[([0-9.]+)\\]') AS key, count(DISTINCT recorded_at), max(position)
FROM stet.event WHERE ledger_id = %s AND position > %s
GROUP BY key
"""


def catalog_of(connection: psycopg.Connection) -> list[str]:
    """The live tables of all projections, as the catalog describes them: columns, indexes, constraints, grants."""
    return [line for (line,) in connection.execute(_CATALOG, {"tables": TABLES})]


def check_catalog(connection: psycopg.Connection, before: list[str]) -> None:
    """The live tables are described as they were at the beginning."""
    now = catalog_of(connection)
    if now != before:
        changed = [f"- {line}" for line in before if line not in now] + [
            f"+ {line}" for line in now if line not in before
        ]
        raise Violation("the live tables are not what they were:\n" + "\n".join(changed))


def check_rebuilds(connection: psycopg.Connection, cancelled: set[UUID]) -> None:
    """Every rebuild has ended as it should, and left nothing behind."""
    for rebuild_id, projection, phase, error in connection.execute(
        "SELECT rebuild_id, projection, phase, error FROM stet.rebuild WHERE phase <> 'done'"
    ):
        if phase != "cancelled" or rebuild_id not in cancelled:
            raise Violation(f"rebuild {rebuild_id} of {projection} is {phase}: {error}")
    left = [
        name
        for (name,) in connection.execute(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'stet'::regnamespace AND relname LIKE %s"
            " UNION ALL SELECT 'checkpoint of ' || projection FROM stet.checkpoint WHERE projection LIKE %s"
            " UNION ALL SELECT 'parked: ' || stream || ', ' || error FROM stet.parked",
            (f"%\\{NEW}", f"%\\{NEW}"),
        )
    ]
    if left:
        raise Violation(f"a rebuild has left behind: {', '.join(left)}")


def unended(connection: psycopg.Connection) -> tuple[UUID, str, str] | None:
    """A rebuild that has not ended: its id, its projection, its phase."""
    return connection.execute(
        "SELECT rebuild_id, projection, phase FROM stet.rebuild WHERE phase <> ALL (%s)", (list(ENDED),)
    ).fetchone()


def lags(connection: psycopg.Connection) -> list[str]:
    """Which projections are not at the end of which log."""
    names = [one.name for one in PROJECTIONS if not one.inline]
    return [
        line
        for (line,) in connection.execute(
            "SELECT format('%%s of %%s is at %%s of %%s', p.projection, l.name, c.position, h.position)"
            " FROM unnest(%s::text[]) p(projection) CROSS JOIN stet.head h JOIN stet.ledger l USING (ledger_id)"
            " LEFT JOIN stet.checkpoint c ON c.projection = p.projection AND c.ledger_id = h.ledger_id"
            " WHERE coalesce(c.position, 0) <> h.position",
            (names,),
        )
    ]


class Log:
    """The log, read on from where the round before ended."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._read = {
            name: (ledger_id, position)
            for ledger_id, name, position in connection.execute(
                "SELECT l.ledger_id, l.name, h.position FROM stet.ledger l JOIN stet.head h USING (ledger_id)"
            )
        }
        self._seen: set[str] = set()

    def events(self) -> int:
        """How many there are."""
        return sum(position for _, position in self._read.values())

    def check(self, known: Known) -> None:
        """Positions are dense; what was acknowledged is there, once, and nothing else is."""
        found: dict[str, tuple[str, int, int]] = {}
        for ledger, (ledger_id, after) in self._read.items():
            row = self._connection.execute(
                "SELECT h.position, (SELECT count(*) FROM stet.event e WHERE e.ledger_id = h.ledger_id),"
                " (SELECT max(position) FROM stet.event e WHERE e.ledger_id = h.ledger_id)"
                " FROM stet.head h WHERE h.ledger_id = %s",
                (ledger_id,),
            ).fetchone()
            assert row
            if len(set(row)) != 1:
                raise Violation(f"{ledger}: the head is at {row[0]}, there are {row[1]} events up to {row[2]}")
            for key, appends, position in self._connection.execute(_WRITTEN, (ledger_id, after)).fetchall():
                if key in found or key in self._seen:
                    raise Violation(f"{key} is in the log twice, in {ledger} and elsewhere or before")
                found[key] = ledger, appends, position
            self._read[ledger] = ledger_id, row[0]
        self._compare(known, found)
        self._seen |= found.keys()

    def _compare(self, known: Known, found: dict[str, tuple[str, int, int]]) -> None:
        writes = {key: made for key, made in known.writes.items() if key not in self._seen}
        if found.keys() != writes.keys():
            raise Violation(
                f"acknowledged and not in the log: {sorted(writes.keys() - found.keys())}; "
                f"in the log and not acknowledged: {sorted(found.keys() - writes.keys(), key=str)}"
            )
        for key, made in writes.items():
            ledger, appends, position = found[key]
            if (ledger, appends, position) != (made.request.ledger, 1, made.position):
                raise Violation(f"{key} is in {ledger} in {appends} appends up to {position}; acknowledged was {made}")
        answers: dict[str, str] = dict(
            self._connection.execute(
                "SELECT key, location || ' ' || position FROM stet.idempotency WHERE key <> ALL (%s)",
                (list(self._seen),),
            ).fetchall()
        )
        if answers != {key: f"{made.location} {made.position}" for key, made in writes.items()}:
            raise Violation("the kept answers are not those that were given")


def check_all_writes(connection: psycopg.Connection, known: Known) -> None:
    """At the end, over all rounds: what was acknowledged is at its position still."""
    rows = connection.execute(
        "SELECT substring(e.payload::text FROM '\\[([0-9.]+)\\]'), l.name, max(e.position)"
        " FROM stet.event e JOIN stet.ledger l USING (ledger_id) GROUP BY 1, 2"
    ).fetchall()
    found = {key: (ledger, position) for key, ledger, position in rows if key}
    if found != {key: (made.request.ledger, made.position) for key, made in known.writes.items()}:
        raise Violation("the log is not what was acknowledged")


def verify(url: str) -> None:
    """`stet verify`. Raises Violation unless it finds nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "stet", "verify"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "STET_DATABASE_URL": url},
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise Violation(f"stet verify: exit code {done.returncode}\n{done.stdout}{done.stderr[-2_000:]}")
