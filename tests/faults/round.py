"""One round: everything runs, something is killed, what it left is gone on with, and all is looked through."""

from __future__ import annotations

import time
from collections import Counter
from random import Random
from uuid import UUID

import psycopg

from stet.projections.rebuild.job import ENDED
from tests.faults.checks import Log, check_catalog, check_rebuilds, lags, unended, verify
from tests.faults.installation import Installation
from tests.faults.known import Known
from tests.faults.load import LEDGERS
from tests.faults.plan import PHASES, Plan, Rebuild, Strike
from tests.faults.processes import Violation, wait
from tests.faults.traffic import Traffic

_PHASE_S, _END_S, _CURRENT_S = 30.0, 60.0, 30.0


class World:
    """What lives through all rounds."""

    def __init__(
        self, url: str, seed: int, connection: psycopg.Connection, installation: Installation, catalog: list[str]
    ) -> None:
        self.url = url
        self.seed = seed
        self.connection = connection
        self.installation = installation
        self.catalog = catalog
        self.known = Known()
        self.log: Log
        self.cancelled: set[UUID] = set()
        self.counts: Counter[str] = Counter()


class Round:
    """A round, by its plan."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world = world
        self._plan = plan
        self._running = world.installation
        self._connection = world.connection
        self._random = Random(f"{world.seed} {plan.number} round")
        self._began = ""
        self._goes_on = plan.rebuild.goes_on if plan.rebuild else ""
        self._traffic = Traffic(
            f"{world.seed} {plan.number}", plan.number, world.known, list(LEDGERS), lambda: self._running.server
        )
        self.said: list[str] = []
        self.times: list[str] = []
        self._since = time.monotonic()

    def run(self) -> None:
        """Raises Violation."""
        plan, running = self._plan, self._running
        running.ensure(server_works=plan.server_works, workers=plan.workers)
        try:
            self._traffic.start()
            if plan.rebuild:
                self._ask(plan.rebuild)
            else:
                self._traffic.fast.set()
            for strike in plan.strikes:
                self._strike(strike)
                # Whoever died is started again, as a supervisor would.
                running.ensure(workers=plan.workers)
                self._traffic.check()
                if plan.rebuild:
                    self._resume(plan.rebuild)
            self._finish()
            self._traffic.stop()
        except BaseException:
            self._traffic.abandon()
            raise
        finally:
            self._world.counts.update(self._traffic.counts)
        self._check()

    def _ask(self, rebuild: Rebuild) -> None:
        self._note_beginning()
        if rebuild.by == "cli":
            self._running.rebuild(*rebuild.arguments)
            return
        body = {"workers": rebuild.processes, "verify_only": rebuild.verify_only}
        answer = self._running.server.client.post(f"/v1/admin/projections/{rebuild.projection}/rebuilds", json=body)
        if answer.status_code != 202:
            raise Violation(f"a rebuild was asked for: {answer.status_code} {answer.text}")

    def _note_beginning(self) -> None:
        """What is asked for from now on is the rebuild of this round."""
        row = self._connection.execute("SELECT now()::text").fetchone()
        assert row
        self._began = row[0]

    def _strike(self, strike: Strike) -> None:
        if strike.phase:
            wanted = PHASES.index(strike.phase)
            wait(lambda: self._phase_number() >= wanted, f"the rebuild to be {strike.phase}", _PHASE_S, 0.003)
        time.sleep(strike.delay)
        phase = self._phase()
        for victim in strike.victims:
            struck = self._running.strike(victim, self._random)
            self.said.append(f"{victim} ({struck})" + (f" while {phase}" if self._plan.rebuild else ""))
            if not struck.startswith("0 process") and not struck.startswith(("0 copier", "0 conn")):
                self._world.counts[f"killed: {victim}"] += 1
                if "rebuild" in victim or "copier" in victim:
                    self._world.counts[f"rebuild struck while: {phase}"] += 1

    def _phase(self) -> str:
        """Of the rebuild of this round."""
        row = self._connection.execute(
            "SELECT phase FROM stet.rebuild WHERE requested_at >= %s ORDER BY requested_at DESC LIMIT 1",
            (self._began or "infinity",),
        ).fetchone()
        return row[0] if row else "not begun"

    def _phase_number(self) -> int:
        """How far it is; past the last phase if it has ended, or if nobody runs it any more."""
        phase = self._phase()
        if phase in PHASES:
            self._traffic.fast.set()
        if phase in ENDED or (self._running.command is None and not self._running.works):
            return len(PHASES)
        self._traffic.check()
        command = self._running.command
        if command and command.status() is not None:
            return len(PHASES)
        return PHASES.index(phase) if phase in PHASES else -1

    def _resume(self, rebuild: Rebuild) -> None:
        """Goes on with what was interrupted, or cancels it."""
        self._running.note_end()
        found = unended(self._connection)
        if found and self._goes_on == "cancel":
            answer = self._running.server.client.delete(f"/v1/admin/rebuilds/{found[0]}")
            if answer.status_code != 202:
                raise Violation(f"a rebuild was cancelled: {answer.status_code} {answer.text}")
            self._world.cancelled.add(found[0])
            if self._running.command:
                self._running.command.struck = True
        if self._running.command is None and (self._goes_on == "cli" or not self._running.works):
            self._go_on()

    def _go_on(self) -> None:
        """`stet rebuild` of what was interrupted; of the same projection again, if it ended or never began."""
        assert self._plan.rebuild
        if unended(self._connection) is None:
            self._note_beginning()
        command = self._running.rebuild(*self._plan.rebuild.arguments)
        command.struck = self._goes_on == "cancel"

    def _finish(self) -> None:
        """Until no rebuild runs."""

        def ended() -> bool:
            self._traffic.check()
            self._running.note_end()
            if self._running.command is not None:
                return False
            found = unended(self._connection)
            if found and not self._running.works:
                self._go_on()
            return found is None

        try:
            wait(ended, "the rebuild to end", _END_S)
        except Violation as error:
            command = self._running.command
            said = f"{command.name} says:\n{command.tail()}" if command else ""
            raise Violation(f"{error}: {unended(self._connection)}\n{said}") from error

    def _check(self) -> None:
        """What must hold now."""
        world, running = self._world, self._running
        running.ensure(workers=max(self._plan.workers, 0 if running.server.works else 1))
        self._timed("ended")
        try:
            wait(lambda: not lags(self._connection), "the projections to be current", _CURRENT_S)
        except Violation as error:
            raise Violation(f"{error}: {', '.join(lags(self._connection))}") from error
        self._timed("current")
        running.check_orphans()
        self._timed("no orphans")
        check_rebuilds(self._connection, world.cancelled)
        check_catalog(self._connection, world.catalog)
        world.log.check(world.known)
        verify(world.url)
        self._timed("verified")

    def _timed(self, what: str) -> None:
        self.times.append(f"{what} {time.monotonic() - self._since:.1f}")
