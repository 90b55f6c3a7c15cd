"""Runs a rebuild, phase by phase. Each can be killed at any moment, and is gone on with by whoever runs it next."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql

from stet.database.pool import as_role
from stet.errors import StetError
from stet.projections.advance import States, advance
from stet.projections.rebuild.compare import Difference, Digest, compare, positions_of, tail_differences
from stet.projections.rebuild.job import ENDED, RebuildView, read_rebuild
from stet.projections.rebuild.row import Ended, RebuildRow, Stopped
from stet.projections.rebuild.tables import drop_tables, index_tables, lock_tables, make_tables, switch_tables
from stet.projections.rebuild.workers import copy_all
from stet.projections.registry import projection_of
from stet.projections.target import NEW, OLD, Target
from stet.sql import load

_BEGIN_REBUILD = load("begin_rebuild")
_COUNT_EVENTS = load("count_events")
_FIND_LAGGING = load("find_lagging")
_HOLD_PROJECTION = load("hold_projection")
_CLASS = 720311562
"""The class of the advisory locks of those who run a rebuild; the other half is a hash of the projection's name."""
_TAIL_EVENTS = 200
_APPENDS_TIMEOUT, _READERS_TIMEOUT = "500ms", "100ms"
"""How long the switch waits for appends under way, and then for each table: others wait behind it as long."""
_PAUSE_S, _PAUSE_MAX_S = 0.2, 5.0
"""How long it leaves everybody alone where it has waited in vain: twice as long each time."""
_TRANSIENT = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.SerializationFailure,
)


def run_rebuild(
    url: str,
    rebuild_id: UUID,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[RebuildView], None] = lambda view: None,
) -> RebuildView | None:
    """Runs a rebuild to its end, from where it is. None: another process runs it, or `stop` said so.

    `tell` is told how far it is, a few times a second. The login of the URL must be one that may become stet_owner.
    """
    with psycopg.connect(url, autocommit=True, application_name="stet rebuild") as connection:
        as_role(connection, "stet_owner")
        view = read_rebuild(connection, rebuild_id)
        got = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_CLASS, view.projection)).fetchone()
        if not got or not got[0]:
            return None
        try:
            _Run(url, connection, RebuildRow(connection, rebuild_id, stop, tell)).all_phases()
        except Stopped:
            return None
        return read_rebuild(connection, rebuild_id)


class _Run:
    def __init__(self, url: str, connection: psycopg.Connection, row: RebuildRow) -> None:
        self._url = url
        self._connection = connection
        self._row = row
        self._projection = projection_of(row.view.projection)
        self._target = Target(self._projection, NEW)
        self._states = States()

    def all_phases(self) -> None:
        """From the phase that it is in to the end."""
        try:
            if self._row.view.phase in ENDED:
                return
            if self._row.view.version != self._projection.version:
                raise Ended("failed", error="it was begun by another release")
            self._row.going()
            if self._row.view.phase == "queued":
                self._begin()
            if self._row.view.phase == "copying":
                self._copy()
            if self._row.view.phase == "indexing":
                self._index()
            self._catch_up()
            self._compare_and_switch()
        except Ended as ended:
            self._end(ended)
        except Stopped:
            raise
        except (StetError, psycopg.DatabaseError) as error:
            if isinstance(error, _TRANSIENT) or self._connection.broken:
                raise
            self._end(Ended("failed", error=str(error).partition("\n")[0]))

    def _begin(self) -> None:
        """The empty tables, and the position of each log up to which its streams are copied."""
        with self._connection.transaction():
            make_tables(self._connection, self._projection)
            parameters = {
                "target": self._target.name,
                "rebuild_id": self._row.view.rebuild_id,
                "workers": self._row.view.workers,
            }
            self._connection.execute("DELETE FROM stet.checkpoint WHERE projection = %s", (self._target.name,))
            self._connection.execute("DELETE FROM stet.parked WHERE projection = %s", (self._target.name,))
            self._connection.execute(_BEGIN_REBUILD, parameters)
            total = self._connection.execute(
                _COUNT_EVENTS, {"target": self._target.name, "kinds": list(self._projection.kinds)}
            ).fetchone()
            assert total
            self._row.enter("copying", events_total=total[0], started_at="now")

    def _copy(self) -> None:
        left = self._connection.execute(
            "SELECT worker FROM stet.rebuild_worker WHERE rebuild_id = %s AND NOT finished ORDER BY worker",
            (self._row.view.rebuild_id,),
        ).fetchall()
        copy_all(self._url, self._row.view.rebuild_id, [worker for (worker,) in left], self._row.going)
        self._row.enter("indexing", copied_at="now")

    def _index(self) -> None:
        with self._connection.transaction():
            index_tables(self._connection, self._projection)
            self._row.enter("catching-up")

    def _catch_up(self) -> None:
        """Takes what was appended meanwhile, until little is left: while others write, never nothing."""
        self._row.enter("catching-up")
        while self._advance(_TAIL_EVENTS) > _TAIL_EVENTS:
            pass

    def _advance(self, least: int) -> int:
        """Takes what was appended, ledger by ledger, until a batch has fewer events than that; how many it took."""
        total = 0
        for (ledger_id,) in self._connection.execute(_FIND_LAGGING, {"projection": self._target.name}).fetchall():
            taken = least
            while taken >= least and (taken := advance(self._connection, self._target, ledger_id, self._states)):
                self._row.going()
                total += taken
        return total

    def _compare_and_switch(self) -> None:
        self._row.enter("comparing")
        with self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            positions = positions_of(self._connection, self._projection)
            digests, found = compare(self._connection, self._projection, positions)
        self._row.note(digests=_json(digests), differences=_json(found))
        differ = bool(found) or any(one.live != one.rebuilt for one in digests)
        if differ and (self._row.view.verify_only or not self._row.view.accept_differences):
            raise Ended("refused", error="the live tables differ from what the log gives")
        if self._row.view.verify_only:
            raise Ended("done")
        if self._projection.inline and (parked := self._parked()):
            raise Ended("failed", error=f"{parked} streams could not be folded: an append needs all of its projection")
        self._row.enter("switching")
        with self._connection.transaction():
            drop_tables(self._connection, self._projection, OLD)
        pause = _PAUSE_S
        while True:
            # Outside of any lock, so that little is left to do within it.
            positions = self._compare_tail(None if differ else positions)
            try:
                self._switch(None if differ else positions)
                return
            except psycopg.errors.LockNotAvailable:
                # Somebody reads for long. Meanwhile nobody waits behind us.
                self._sleep(pause)
                pause = min(2 * pause, _PAUSE_MAX_S)

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._row.going()
            time.sleep(0.1)

    def _compare_tail(self, compared: dict[UUID, int] | None) -> dict[UUID, int]:
        """Takes what was appended since, and compares it; up to where that is. Ends the rebuild where it differs."""
        while True:
            self._row.going()
            self._advance(_TAIL_EVENTS)
            with self._connection.transaction():
                self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                positions = positions_of(self._connection, self._projection)
                if compared is None:
                    return positions
                self._refuse(compared, positions)
            tail = sum(position - compared.get(ledger_id, 0) for ledger_id, position in positions.items())
            compared = positions
            if tail <= _TAIL_EVENTS:
                return compared

    def _refuse(self, compared: dict[UUID, int], positions: dict[UUID, int]) -> None:
        """Ends the rebuild where rows differ that were written after what was compared."""
        if found := tail_differences(self._connection, self._projection, compared, positions):
            raise Ended("refused", differences=_json(found), error="rows differ that were written meanwhile")

    def _switch(self, compared: dict[UUID, int] | None) -> None:
        """In one transaction: no append under way, the last events taken and compared, the tables in their place."""
        with self._connection.transaction():
            self._connection.execute("SELECT set_config('lock_timeout', %s, true)", (_APPENDS_TIMEOUT,))
            if self._projection.inline:
                self._connection.execute(_HOLD_PROJECTION, {"name": self._projection.name})
            else:
                self._connection.execute(
                    "SELECT FROM stet.checkpoint WHERE projection = %s ORDER BY ledger_id FOR UPDATE",
                    (self._projection.name,),
                )
            self._connection.execute("SELECT set_config('lock_timeout', %s, true)", (_READERS_TIMEOUT,))
            lock_tables(self._connection, self._projection)
            self._advance(1)
            if compared is not None:
                self._refuse(compared, positions_of(self._connection, self._projection))
            switch_tables(self._connection, self._projection)
            parked = self._parked()
            self._switch_checkpoints()
            self._row.enter("done", finished_at="now", parked=parked)
            self._connection.execute(
                "UPDATE stet.projection SET version = %s WHERE name = %s",
                (self._projection.version, self._projection.name),
            )

    def _switch_checkpoints(self) -> None:
        """What was kept of the rebuild becomes that of the projection; one that is inline is always at the end."""
        for kept in ("checkpoint", "parked"):
            table = sql.Identifier("stet", kept)
            gone = [self._projection.name, *([self._target.name] if self._projection.inline else [])]
            self._connection.execute(sql.SQL("DELETE FROM {} WHERE projection = ANY (%s)").format(table), (gone,))
            self._connection.execute(
                sql.SQL("UPDATE {} SET projection = %s WHERE projection = %s").format(table),
                (self._projection.name, self._target.name),
            )

    def _parked(self) -> int:
        row = self._connection.execute(
            "SELECT count(*) FROM stet.parked WHERE projection = %s", (self._target.name,)
        ).fetchone()
        return int(row[0]) if row else 0

    def _end(self, ended: Ended) -> None:
        """Leaves the live tables as they are, and nothing else."""
        with self._connection.transaction():
            parked = self._parked()
            drop_tables(self._connection, self._projection, NEW)
            for kept in ("checkpoint", "parked"):
                table = sql.Identifier("stet", kept)
                statement = sql.SQL("DELETE FROM {} WHERE projection = %s").format(table)
                self._connection.execute(statement, (self._target.name,))
            self._row.enter(ended.phase, finished_at="now", parked=parked, **ended.columns)


def _json(items: list[Digest] | list[Difference]) -> str:
    return msgspec.json.encode(items).decode()
