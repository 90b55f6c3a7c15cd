"""The processes of Stet that are started and killed: each in a session of its own, with its log in a file."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx

_numbers = itertools.count(1)
_READY_S = 60.0
_ADDRESS = re.compile(r"Stet is ready at (\S+?)/? \(")


class Violation(Exception):
    """Something that must never be."""


class Process:
    """`stet` with some arguments."""

    ready = ""
    """What it says when it is ready."""

    def __init__(self, url: str, folder: Path, *arguments: str) -> None:
        self.name = "stet " + " ".join(arguments)
        self.log = folder / f"{next(_numbers):03}-{arguments[0]}.log"
        self.struck = False
        """Whether it was killed, or something of it: it may fail from now on."""
        with self.log.open("wb") as output:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "stet", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "STET_DATABASE_URL": url},
                start_new_session=True,
            )
        self.pid = self._popen.pid

    def wait_ready(self) -> None:
        """Until it says that it is ready."""
        wait(lambda: self.ready in self.said() or self.status() is not None, f"{self.name} to be ready", _READY_S)
        if self.status() is not None:
            raise Violation(f"{self.name} did not start:\n{self.tail()}")

    def status(self) -> int | None:
        """Its exit status; None: it runs."""
        return self._popen.poll()

    def said(self) -> str:
        """All that it said."""
        return self.log.read_text(errors="replace")

    def tail(self) -> str:
        """The last of what it said."""
        return self.said()[-3_000:]

    def copiers(self) -> dict[int, int]:
        """Its processes that copy a share of a rebuild: the share of each process id."""
        found = {}
        for pid in children_of(self.pid):
            words = command_of(pid)
            if "stet.projections.rebuild.copy" in words:
                found[pid] = int(words[-1])
        return found

    def kill(self) -> None:
        """`kill -9`. What it started lives on."""
        self.struck = True
        self._popen.kill()
        self._popen.wait()

    def end(self) -> None:
        """Ends it, and all that it started."""
        if self.status() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._popen.wait()


class Worker(Process):
    """`stet worker`."""

    ready = "The worker is ready"

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder, "worker")


class Server(Process):
    """`stet serve`, and who asks it. The next one has another address, so a connection is never to a dead one."""

    ready = "Stet is ready at"

    def __init__(self, url: str, folder: Path, *, works: bool) -> None:
        super().__init__(url, folder, "serve", "--open", "--port", "0", *([] if works else ["--no-worker"]))
        self.works = works
        self.gone = threading.Event()
        """It was killed, or is about to be."""
        self.excused_until = 0.0
        """Until when it may answer 503: backends of it were terminated."""

    def wait_ready(self) -> None:
        super().wait_ready()
        found = _ADDRESS.search(self.said())
        assert found
        self.client = httpx.Client(base_url=found[1], timeout=30)

    def kill(self) -> None:
        self.gone.set()
        super().kill()


def children_of(pid: int) -> list[int]:
    """The ids of the processes that one has started, and that run."""
    return [child for child, parent, _ in _processes() if parent == pid]


def command_of(pid: int) -> list[str]:
    """What a process was started with; [] if it is gone."""
    return next((words for one, _, words in _processes() if one == pid), [])


def _processes() -> Iterator[tuple[int, int, list[str]]]:
    """All that run on this machine: id, parent, command."""
    if not Path("/proc/self/stat").exists():
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
        for line in listed.stdout.splitlines():
            pid, parent, *words = line.split()
            yield int(pid), int(parent), words
        return
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # Its name is in parentheses, and may hold anything; after it the state and the parent.
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                yield int(folder.name), int(parent), (folder / "cmdline").read_text().split("\0")[:-1]


def signal_to(pid: int, number: signal.Signals) -> bool:
    """Sends a signal to a copier; whether it was there still."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def wait(condition: Callable[[], bool], what: str, patience: float, poll: float = 0.02) -> None:
    """Until the condition holds. Raises Violation when it does not in time."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise Violation(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(poll)
