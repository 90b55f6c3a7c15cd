"""Drives projections through everything that may happen to them, and says what must hold after each step."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg
from msgspec.structs import replace
from tests.conftest import Cluster
from tests.projections.oracle_record import records
from tests.projections.test_histories import append
from tests.property import oracle_shown
from tests.store.writing import make_ledger

from stet.database.pool import as_role, make_pool
from stet.envelope import Recorded
from stet.ids import new_id
from stet.projections.advance import States, advance, retry
from stet.projections.log import decode, streams_of
from stet.projections.projection import LIVE, Events
from stet.projections.rebuild import run as running
from stet.projections.rebuild.copy import copy_share
from stet.projections.rebuild.job import ENDED, RebuildRequest, add_rebuild, read_rebuild, running_rebuild
from stet.projections.registry import projection_of
from stet.projections.source_record import PROJECTION
from stet.projections.target import Target
from stet.projections.verify import differences
from stet.settings import Settings
from stet.store.append import Log


def audiences(events: list[Recorded[Any]]) -> dict[str, list[Recorded[Any]]]:
    """What of an incident each audience sees."""
    public = oracle_shown.shown(events) if oracle_shown.guarded(events) else events
    return {"member": events, "public": public}


def few_ledgers_each(cluster: Cluster) -> Iterator[str]:
    """URLs of migrated databases, each four times: a rebuild takes all ledgers of its database, and there are some."""
    while True:
        url = cluster.migrated()
        yield from [url] * 4


class Dying(psycopg.Connection[Any]):
    """A connection that is lost in the middle of something: after some statements."""

    left = 1 << 60

    def execute(self, *args: Any, **options: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            self.close()
            raise psycopg.OperationalError("the connection is lost")
        return super().execute(*args, **options)


class Driven:
    """A ledger that a drawn log is written to bit by bit, and two workers that project it."""

    def __init__(self, url: str, name: str, log: Sequence[Recorded[Any]]) -> None:
        self.url = url
        self.name = name
        self.waiting = [
            [(one.stream, one.event) for one in its if not one.stream.startswith("ledger:")]
            for _, its in groupby(log, key=lambda one: one.recorded_at)
        ]
        self.waiting = [events for events in self.waiting if events]
        self.poisoned: set[str] = set()
        self.target = Target(replace(PROJECTION, step=self._step))
        self.workers = [States(40), States()]
        self.ledger_id = asyncio.run(self._make(name))

    async def _make(self, name: str) -> UUID:
        async with make_pool(self.url, Settings(pool_size=2)) as pool:
            return await make_ledger(Log(pool), name)

    def _step(self, state: Any, events: Events) -> Any:
        if events[0].stream in self.poisoned:
            raise ValueError("this cannot be taken")
        return PROJECTION.step(state, events)

    def connect(self, kind: type[psycopg.Connection[Any]] = psycopg.Connection) -> psycopg.Connection[Any]:
        connection = kind.connect(self.url, autocommit=True)
        as_role(connection, "stet_worker")
        return connection

    # ---- what may happen ----

    def write(self, n: int) -> None:
        """The next appends of the log."""

        async def all_of_them() -> None:
            async with make_pool(self.url, Settings(pool_size=2)) as pool:
                log = Log(pool)
                for events in self.waiting[:n]:
                    await append(pool, log, self.ledger_id, events)

        asyncio.run(all_of_them())
        del self.waiting[:n]

    def work(self, n: int) -> None:
        """One batch of one of the workers."""
        with self.connect() as connection:
            advance(connection, self.target, self.ledger_id, self.workers[n % 2], limit=1 + n)

    def work_at_once(self, n: int) -> None:
        """Both workers at the same time."""

        def work(states: States) -> None:
            with self.connect() as connection:
                advance(connection, self.target, self.ledger_id, states, limit=1 + n)

        threads = [threading.Thread(target=work, args=(states,)) for states in self.workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def crash(self, n: int) -> None:
        """A batch whose connection is lost after some statements."""
        connection = self.connect(Dying)
        assert isinstance(connection, Dying)
        connection.left = n
        try:
            advance(connection, self.target, self.ledger_id, self.workers[n % 2])
        except psycopg.OperationalError:
            assert connection.closed
        finally:
            connection.close()

    def poison(self, n: int) -> None:
        """An incident that cannot be taken until it is mended."""
        streams = sorted(self.stored())
        if streams:
            self.poisoned.add(streams[n % len(streams)])

    def mend(self, n: int) -> None:
        self.poisoned.clear()
        with self.connect() as connection:
            for stream in self.parked():
                assert retry(connection, self.target, self.ledger_id, stream) is None
        assert not self.parked()

    def rebuild(self, n: int, name: str = PROJECTION.name) -> None:
        """A rebuild, or what is left of one, up to where it is stopped, in this process."""
        with self.connect() as connection:
            rebuild_id = running_rebuild(connection, name)
            if rebuild_id is None:
                asked = RebuildRequest(workers=1 + n % 2, accept_differences=bool(self.parked()))
                rebuild_id = new_id()
                add_rebuild(connection, rebuild_id, name, projection_of(name).version, asked)
        asked_for = 0

        def stop() -> bool:
            nonlocal asked_for
            asked_for += 1
            return asked_for > n

        if not self.poisoned:
            running.run_rebuild(self.url, rebuild_id, stop)
            with self.connect() as connection:
                view = read_rebuild(connection, rebuild_id)
            # What is parked since it was asked for differs from the live rows, and nobody has accepted that.
            refused = view.phase == "refused" and bool(self.parked())
            assert view.phase not in ENDED or view.phase == "done" or refused, view

    def rebuild_inline(self, n: int) -> None:
        self.rebuild(n, "incident_history")

    # ---- what must hold ----

    def stored(self) -> dict[str, Events]:
        """The incidents of the log, as it is."""
        with psycopg.connect(self.url) as connection:
            found = streams_of(connection, self.ledger_id, ("incident",), up_to=LIVE)
            return {stream: decode(rows) for stream, rows in found}

    def checkpoint(self) -> int:
        return int(self._rows("SELECT position FROM stet.checkpoint WHERE projection = 'source_record'", (0,))[0][0])

    def parked(self) -> dict[str, int]:
        return dict(self._rows("SELECT stream, position FROM stet.parked WHERE projection = 'source_record'"))

    def _rows(self, statement: str, *default: Any) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            found = connection.execute(f"{statement} AND ledger_id = %s".encode(), (self.ledger_id,)).fetchall()
        return found or list(default)

    def check(self) -> None:
        """At each position up to the checkpoint the rows say what the oracle says; beyond it there is none."""
        at, parked = self.checkpoint(), self.parked()
        rows = self._rows(
            "SELECT incident_id, source_id, from_position, to_position, said, retracted, superseded, contradicted,"
            " conceded, relayed, audience FROM stet.source_record WHERE true"
        )
        assert all(row[2] <= at and (row[3] <= at or row[3] == LIVE) for row in rows)
        assert parked.keys() <= self.poisoned
        for stream, events in self.stored().items():
            its = [row for row in rows if row[0] == UUID(stream[9:])]
            end = min(at, parked.get(stream, LIVE) - 1)
            taken = [one for one in events if one.position <= end]
            assert all(row[2] <= end for row in its)
            for audience, seen in audiences(taken).items():
                mine = [row for row in its if row[10] in ("all", audience)]
                for position in {one.recorded_at: one.position for one in taken}.values():
                    shown = {row[1]: row[4:10] for row in mine if row[2] <= position < row[3]}
                    wanted = records([one for one in seen if one.position <= position])
                    assert shown == wanted, (stream, audience, position)

    def finish(self) -> None:
        """All is written, mended and taken; what a rebuild began is done."""
        self.write(len(self.waiting))
        self.poisoned.clear()
        with self.connect() as connection:
            for name in (PROJECTION.name, "incident_history"):
                if running_rebuild(connection, name):
                    self.rebuild(1 << 30, name)
            while advance(connection, self.target, self.ledger_id, self.workers[0]):
                pass
        self.mend(0)
        self.check()
        with psycopg.connect(self.url, autocommit=True) as connection:
            assert differences(connection, self.name) == []
        kept = self.whole()
        with psycopg.connect(self.url, autocommit=True) as connection:
            for table in ("source_record", "checkpoint", "parked"):
                connection.execute(f"DELETE FROM stet.{table} WHERE ledger_id = %s".encode(), (self.ledger_id,))
            while advance(connection, self.target, self.ledger_id, States()):
                pass
        assert self.whole() == kept

    def whole(self) -> list[Any]:
        return sorted(self._rows("SELECT r::text FROM stet.source_record r WHERE true"))


def in_this_process(url: str, rebuild_id: UUID, shares: list[int], going: Callable[[], bool]) -> None:
    """Stands for the processes of a rebuild's workers."""
    for share in shares:
        going()
        copy_share(url, rebuild_id, share, os.getppid())
