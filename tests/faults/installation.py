"""All that runs of Stet on one database: started, struck, started again."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random

import psycopg

from tests.faults.processes import Process, Server, Violation, Worker, command_of, signal_to, wait

HARNESS = "stet faults"
"""The application name of our own connections, which are not cut."""
_EXCUSED_S = 3.0
_PAUSED_S = 3.0
_ORPHAN_S = 20.0
_NAMES = {
    "backends of the rebuild": ("stet rebuild", ""),
    "backends of the worker": ("stet worker",),
    "backends of the server": ("stet", "stet doorbell"),
}


class Installation:
    """A server, workers, and perhaps a `stet rebuild`."""

    def __init__(self, url: str, folder: Path, connection: psycopg.Connection) -> None:
        self._url = url
        self._folder = folder
        self._connection = connection
        self.server = Server(url, folder, works=True)
        self.server.wait_ready()
        self.workers: list[Worker] = []
        self.command: Process | None = None
        """`stet rebuild`, while it runs."""
        self._copiers: set[int] = set()
        """Whose parent was killed: they must end by themselves."""
        self._pauses: list[threading.Thread] = []

    def ensure(self, *, server_works: bool | None = None, workers: int) -> None:
        """Starts what does not run, and ends what is too much. A server of the other kind takes the place of this."""
        old = self.server
        if old.status() is not None or server_works not in (None, old.works):
            old.gone.set()
            old.end()
            fresh = Server(self._url, self._folder, works=old.works if server_works is None else server_works)
        else:
            fresh = old
        self.workers = [one for one in self.workers if one.status() is None]
        for one in self.workers[workers:]:
            one.end()
        self.workers = self.workers[:workers]
        new = [Worker(self._url, self._folder) for _ in range(workers - len(self.workers))]
        self.workers += new
        started: list[Process] = [*new, *([fresh] if fresh is not old else [])]
        for process in started:
            process.wait_ready()
        self.server = fresh

    @property
    def works(self) -> bool:
        """Whether anybody goes on with a rebuild by itself."""
        alive = [one for one in self.workers if one.status() is None]
        return bool(alive) or (self.server.works and self.server.status() is None)

    def rebuild(self, *arguments: str) -> Process:
        """Starts `stet rebuild`."""
        self.command = Process(self._url, self._folder, "rebuild", *arguments)
        return self.command

    def strike(self, victim: str, random: Random) -> str:
        """Kills; says what was there to be killed."""
        if victim == "worker":
            return self._kill(random.sample(self.workers, min(1, len(self.workers))))
        if victim == "server":
            return self._kill([self.server])
        if victim in _NAMES:
            return self._cut(victim, random)
        hosts = self._hosts()
        copiers = {pid: share for host in hosts for pid, share in host.copiers().items()}
        match victim:
            case "one copier":
                return self._signal(random.sample(sorted(copiers), min(1, len(copiers))))
            case "all copiers":
                return self._signal(sorted(copiers))
            case "rebuild and its copiers":
                # The parent first: else it starts them again.
                self._kill(hosts)
                return f"{len(hosts)} process(es) and {self._signal(sorted(copiers))}"
            case "rebuild, a copier paused":
                paused = random.choice(sorted(copiers)) if copiers else None
                if paused and signal_to(paused, signal.SIGSTOP):
                    self._pause(paused, copiers[paused])
        self._copiers |= set(copiers)
        return f"{self._kill(hosts)}, {len(copiers)} copier(s) left"

    def _hosts(self) -> list[Process]:
        """Who may be running the rebuild."""
        if self.command and self.command.status() is None:
            return [self.command]
        running: list[Process] = [one for one in self.workers if one.status() is None]
        return running + ([self.server] if self.server.works and self.server.status() is None else [])

    def _kill(self, processes: list[Process]) -> str:
        for one in processes:
            self._copiers |= set(one.copiers())
        for one in processes:
            one.kill()
        return f"{len(processes)} process(es)"

    def _signal(self, pids: list[int]) -> str:
        if self.command:
            self.command.struck = True
        return f"{sum(signal_to(pid, signal.SIGKILL) for pid in pids)} copier(s)"

    def _cut(self, victim: str, random: Random) -> str:
        """Terminates one connection, or all of a kind."""
        pids = [
            pid
            for (pid,) in self._connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = ANY (%s)"
                " AND backend_type = 'client backend' ORDER BY backend_start",
                (list(_NAMES[victim]),),
            )
        ]
        if pids and random.random() < 0.5:
            pids = [random.choice(pids)]
        if victim == "backends of the server":
            self.server.excused_until = time.monotonic() + _EXCUSED_S
        elif self.command:
            self.command.struck = True
        self._connection.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) pid", (pids,))
        return f"{len(pids)} connection(s)"

    def _pause(self, pid: int, share: int) -> None:
        """Lets a paused copier go on once another has copied something of its share: or, without one, later."""

        def resume() -> None:
            deadline = time.monotonic() + _PAUSED_S
            with suppress(psycopg.Error), psycopg.connect(self._url, autocommit=True, application_name=HARNESS) as own:
                before = _progress(own, share)
                while time.monotonic() < deadline and _progress(own, share) == before:
                    time.sleep(0.005)
            signal_to(pid, signal.SIGCONT)

        self._pauses.append(threading.Thread(target=resume, daemon=True))
        self._pauses[-1].start()

    def check_orphans(self) -> None:
        """Copiers whose parent was killed end by themselves."""
        for thread in self._pauses:
            thread.join()
        self._pauses = []
        for pid in self._copiers:
            wait(partial(_gone, pid), f"copier {pid}, whose parent was killed, to end", _ORPHAN_S)
        self._copiers = set()

    def note_end(self) -> None:
        """Notes that `stet rebuild` has ended, where it has. It fails only if it was struck."""
        if self.command is None or (status := self.command.status()) is None:
            return
        if status != 0 and not self.command.struck:
            raise Violation(f"{self.command.name}: exit code {status}\n{self.command.tail()}")
        self.command = None

    def end(self) -> None:
        """Ends everything."""
        self.server.gone.set()
        for one in [self.server, *self.workers, *([self.command] if self.command else [])]:
            one.end()
        for pid in self._copiers:
            if not _gone(pid):
                signal_to(pid, signal.SIGKILL)
        for thread in self._pauses:
            thread.join()


def _progress(connection: psycopg.Connection, share: int) -> tuple[object, ...] | None:
    return connection.execute(
        "SELECT w.rebuild_id, w.stream, w.finished FROM stet.rebuild_worker w JOIN stet.rebuild r USING (rebuild_id)"
        " WHERE w.worker = %s ORDER BY r.requested_at DESC LIMIT 1",
        (share,),
    ).fetchone()


def _gone(pid: int) -> bool:
    """Whether a copier has ended; its number may be another's by now."""
    return "stet.projections.rebuild.copy" not in command_of(pid)
