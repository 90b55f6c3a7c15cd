"""Keeps the asynchronous projections up with the log, ends embargoes, and runs the rebuilds that are asked for.

Of all workers of a database one leads each projection, by an advisory lock of its connection: when it dies, PostgreSQL
gives the lock to the next that asks. That saves work only; what keeps a projection right is its checkpoint.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from uuid import UUID

import psycopg

from stet.database.attend import attend
from stet.database.doorbell import POLL_S
from stet.handle.embargo import end_due
from stet.handle.source_merge import end_merges
from stet.projections.advance import States, advance
from stet.projections.projection import Projection
from stet.projections.rebuild.job import ENDED
from stet.projections.rebuild.run import run_rebuild
from stet.projections.registry import PROJECTIONS
from stet.projections.target import OtherRelease, Target
from stet.sql import load

_FIND_LAGGING = load("find_lagging")
_LEAD = load("lead")
_INTERRUPTED_S, _FORBIDDEN_S = 5.0, 600.0
_GRACE_S = 10.0
"""How long a rebuild that is in the middle of something, such as an index, is waited for."""
_log = logging.getLogger("stet.worker")


class Worker:
    """A worker, until it is told to stop."""

    def __init__(self, url: str, stop: Event | None = None) -> None:
        self._url = url
        self._stop = stop or Event()
        self._states = {one.name: States() for one in PROJECTIONS}
        self._rebuilding: Thread | None = None
        self._rebuild_at = 0.0
        """Not before this is another rebuild begun."""
        self._embargoes_at = 0.0
        self._merges_at = 0.0
        """Not before this are embargoes ended."""

    def start(self) -> Thread:
        """Runs in a thread of its own."""
        thread = Thread(target=self.run, name="stet worker", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Makes `run` return, within a second; a rebuild is gone on with by the next worker."""
        self._stop.set()

    def run(self) -> None:
        """Works until it is stopped."""
        attend(self._url, "stet worker", self._once, self._stop)
        if self._rebuilding:
            self._rebuilding.join(_GRACE_S)

    def _once(self, connection: psycopg.Connection) -> bool:
        """A batch of each ledger that is behind, for those projections that this worker leads. Whether more is left.

        In turn, so that nobody waits for the end of another's backlog: no ledger, no projection and no rebuild.
        """
        left = leads = False
        for projection in PROJECTIONS:
            if not projection.inline and self._leads(connection, projection):
                leads, left = True, self._take(connection, projection) or left
        if leads:
            self._end_embargoes(connection)
            left = self._end_merges(connection) or left
        self._rebuild(connection)
        return left

    def _take(self, connection: psycopg.Connection, projection: Projection) -> bool:
        target, states = Target(projection), self._states[projection.name]
        behind = connection.execute(_FIND_LAGGING, {"projection": target.name}).fetchall()
        try:
            taken = [
                advance(connection, target, ledger_id, states) for (ledger_id,) in behind if not self._stop.is_set()
            ]
        except OtherRelease as error:
            _log.warning("%s", error)
            return False
        return any(taken)

    def _leads(self, connection: psycopg.Connection, projection: Projection) -> bool:
        """Whether this worker leads the projection, or does from this moment on."""
        row = connection.execute(_LEAD, {"name": projection.name}).fetchone()
        return bool(row and row[0])

    def _end_embargoes(self, connection: psycopg.Connection) -> None:
        """Ends those that are due; those that cannot be ended are tried again after a while."""
        if time.monotonic() >= self._embargoes_at:
            failed = end_due(connection, self._url)
            self._embargoes_at = time.monotonic() + _INTERRUPTED_S if failed else 0.0

    def _end_merges(self, connection: psycopg.Connection) -> bool:
        """Takes those that are not at their ends on by a part; whether there may be more to do at once."""
        if time.monotonic() < self._merges_at:
            return False
        found, failed = end_merges(connection, self._url)
        self._merges_at = time.monotonic() + _INTERRUPTED_S if failed else 0.0
        return found > failed

    def _rebuild(self, connection: psycopg.Connection) -> None:
        """Runs the rebuilds that are waited for, or that nobody goes on with, one after the other."""
        if time.monotonic() < self._rebuild_at or (self._rebuilding and self._rebuilding.is_alive()):
            return
        waiting = connection.execute(
            "SELECT rebuild_id FROM stet.rebuild WHERE phase <> ALL (%s) ORDER BY requested_at", (list(ENDED),)
        ).fetchall()
        if waiting:
            ids = [rebuild_id for (rebuild_id,) in waiting]
            self._rebuilding = Thread(target=self._run_rebuilds, args=(ids,), name="stet rebuild", daemon=True)
            self._rebuilding.start()

    def _run_rebuilds(self, rebuild_ids: list[UUID]) -> None:
        for rebuild_id in rebuild_ids:
            wait = 0.0
            try:
                if run_rebuild(self._url, rebuild_id, self._stop.is_set, _told(rebuild_id)) is None:
                    wait = POLL_S  # another process runs it
            except psycopg.errors.InsufficientPrivilege:
                _log.error("rebuild %s waits for a worker whose login may become stet_owner", rebuild_id)
                wait = _FORBIDDEN_S
            except Exception:
                _log.exception("rebuild %s was interrupted, and will be gone on with", rebuild_id)
                wait = _INTERRUPTED_S
            self._rebuild_at = max(self._rebuild_at, time.monotonic() + wait)


def _told(rebuild_id: UUID) -> Callable[..., None]:
    phases: list[str] = []

    def tell(view: object) -> None:
        phase = getattr(view, "phase", "")
        if phase not in phases:
            phases.append(phase)
            _log.info("rebuild %s: %s", rebuild_id, phase)

    return tell
