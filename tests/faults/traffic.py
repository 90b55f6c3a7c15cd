"""Who writes and reads while others are killed, and what they hold the service to.

A write is sent again under its key until it is answered. A request may fail only while the server is dead, or its
connections to the database were cut a moment ago.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import httpx

from tests.faults.known import Acknowledged, Known, Request
from tests.faults.processes import Server, Violation
from tests.faults.reading import READS, Ask
from tests.faults.writing import Writer

_WRITERS, _READERS = 3, 2
_FULL_SPEED = 30
"""So many writes of each writer follow each other at once, from when it matters on; all others are apart: the log must
not grow so long that its check takes the time of the killing."""
_APART_S = 0.3
_BETWEEN_READS_S = 0.03


class Traffic:
    """The clients of a round."""

    def __init__(self, seed: str, number: int, known: Known, ledgers: list[str], server: Callable[[], Server]) -> None:
        self._known = known
        self._server = server
        self._stopping = threading.Event()
        self.fast = threading.Event()
        """Set when it matters: from the beginning, or, where something is rebuilt, once that has begun."""
        self._failed: list[BaseException] = []
        self.counts: Counter[str] = Counter()
        self._threads = [
            self._thread(self._write, Writer(f"{seed} {n}", number, n, known, ledgers)) for n in range(_WRITERS)
        ]
        self._threads += [self._thread(self._read, Random(f"{seed} reader {n}")) for n in range(_READERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def check(self) -> None:
        """Raises what a client has found."""
        if self._failed:
            raise self._failed[0]

    def stop(self) -> None:
        """Ends when every write was answered. The server must run."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)
            self.check()
            if thread.is_alive():
                raise Violation("a client waits for its answer since 60 s")

    def abandon(self) -> None:
        """Without waiting for answers."""
        self._stopping.set()
        self._failed.append(Violation("abandoned"))

    def _thread(self, work: Callable[[Any], None], of: Any) -> threading.Thread:
        return threading.Thread(target=self._guarded, args=(work, of), daemon=True)

    def _guarded(self, work: Callable[[Any], None], of: Any) -> None:
        try:
            work(of)
        except BaseException as error:
            self._failed.append(error)

    def _write(self, writer: Writer) -> None:
        random, left = writer.random, _FULL_SPEED
        while not self._stopping.is_set():
            request, noted = writer.next()
            noted(self._answered(request))
            if random.random() < 0.05:
                again = random.choice(list(self._known.writes.values()))
                self._answered(again.request)
                self.counts["repeated"] += 1
            if self.fast.is_set() and left:
                left -= 1
            else:
                self._stopping.wait(_APART_S)

    def _answered(self, request: Request) -> Acknowledged:
        """Sends it until it is answered, each time under the same key."""
        while True:
            answer = self._ask("POST", request.path, json=request.body, headers={"Idempotency-Key": request.key})
            if answer is not None:
                self.counts["writes"] += 1
                return self._known.add(request, answer)
            self.counts["sent again"] += 1
            if self._failed:
                raise Violation("abandoned")
            time.sleep(0.02)

    def _read(self, random: Random) -> None:
        ask: Ask = lambda path, **parameters: self._ask("GET", path, params=parameters)  # noqa: E731
        while not self._stopping.is_set():
            random.choice(READS)(random, self._known, ask)
            self.counts["reads"] += 1
            self._stopping.wait(_BETWEEN_READS_S)

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """An answer. None: there was none, and it is plain why."""
        server, began = self._server(), time.monotonic()
        if server.gone.is_set():
            time.sleep(0.05)
            return None
        try:
            answer = server.client.request(method, path, **more)
        except httpx.TransportError as error:
            # The death of the server is noted before it is killed.
            if not server.gone.is_set():
                took = time.monotonic() - began
                raise Violation(
                    f"{method} {path}: {error!r} after {took:.1f} s, and nobody killed the server"
                ) from error
            return None
        if answer.status_code == 503 and began < server.excused_until:
            self.counts["503 excused"] += 1
            return None
        if answer.status_code >= 500:
            raise Violation(f"{method} {path} {more}: {answer.status_code} {answer.text}\n{server.tail()}")
        return answer
