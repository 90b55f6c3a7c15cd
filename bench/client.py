"""`python -m bench.client`: sends requests over HTTP/1.1 connections that are kept, in a process of its own.

Reads the plan as one line of JSON, writes the times as one. It parses no more of an answer than where it ends, so that
a server is busy long before it is.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import count
from typing import cast

import msgspec
from msgspec import Struct

from bench.frame import Latencies


class Request(Struct, frozen=True):
    """One request. `{n}` in its path or body is another number each time, of six digits for the first million."""

    path: str
    headers: dict[str, str] = {}
    body: str | None = None
    status: int = 200
    """Any other is an error."""


class Plan(Struct, frozen=True):
    port: int
    requests: list[Request]
    """They are taken in turn."""
    connections: int = 8
    seconds: float = 0
    """For how long; each request is sent once at least."""
    first: int = 0
    """The first number that is put into requests."""


class Measured(Struct, frozen=True):
    """What came of a plan."""

    seconds: float
    took: list[tuple[int, float]]
    """Of each answer the number of its request, and the seconds that it took."""

    @property
    def rate(self) -> float:
        return len(self.took) / self.seconds

    def latencies(self, request: int | None = None) -> Latencies:
        return Latencies([took for number, took in self.took if request in (None, number)])


class _Connection(asyncio.Protocol):
    """Sends one request after the other, each when the answer to the last one has come."""

    def __init__(self, plan: Plan, numbers: Sequence[int], following: count[int], until: float) -> None:
        self._plan, self._numbers, self._following, self._until = plan, list(numbers), following, until
        self._sent = 0
        self._buffer = b""
        self._began = 0.0
        self.took: list[tuple[int, float]] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        found = self._buffer.lower().find(b"\r\ncontent-length:", 0, head)
        length = int(self._buffer[found + 17 : self._buffer.index(b"\r\n", found + 2)]) if found >= 0 else 0
        status = int(self._buffer[9:12])
        if status == 304:
            length = 0
        if len(self._buffer) < head + 4 + length:
            return
        request = self._plan.requests[self._number]
        if status != request.status:
            self._fail(f"{request.path}: {self._buffer[:2000].decode(errors='replace')}")
            return
        self.took.append((self._number, time.perf_counter() - self._began))
        self._buffer = self._buffer[head + 4 + length :]
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._fail(f"the connection was lost: {exc}")

    def _send(self) -> None:
        over = self._sent >= len(self._numbers) and time.perf_counter() > self._until
        if over:
            self.done.set_result(None)
            self._transport.close()
            return
        self._number = self._numbers[self._sent % len(self._numbers)]
        self._sent += 1
        request, n = self._plan.requests[self._number], f"{next(self._following):06d}"
        path = request.path.replace("{n}", n)
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        if request.body is None:
            text = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{self._plan.port}\r\n{head}\r\n"
        else:
            body = request.body.replace("{n}", n)
            head += f"content-type: application/json\r\ncontent-length: {len(body.encode())}\r\n"
            text = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{self._plan.port}\r\n{head}\r\n{body}"
        self._began = time.perf_counter()
        self._transport.write(text.encode())

    def _fail(self, why: str) -> None:
        self.done.set_exception(RuntimeError(why))
        self._transport.close()


async def _follow(plan: Plan) -> Measured:
    loop, began, following = asyncio.get_running_loop(), time.perf_counter(), count(plan.first)
    step = min(plan.connections, len(plan.requests))
    made = []
    for n in range(plan.connections if plan.seconds else step):
        # Together they do not ask for one thing at a time.
        own = range(n % step, len(plan.requests), step)
        connection = _Connection(plan, own, following, began + plan.seconds)
        await loop.create_connection(lambda made=connection: made, "127.0.0.1", plan.port)  # type: ignore[misc]
        made.append(connection)
    await asyncio.gather(*(one.done for one in made))
    return Measured(time.perf_counter() - began, [took for one in made for took in one.took])


def follow(plan: Plan) -> Measured:
    """What comes of a plan, followed by a process of its own. Raises RuntimeError where an answer is an error."""
    command = [sys.executable, "-m", "bench.client"]
    done = subprocess.run(command, input=msgspec.json.encode(plan), capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-2500:])
    return msgspec.json.decode(done.stdout, type=Measured)


if __name__ == "__main__":
    found = asyncio.run(_follow(msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)))
    sys.stdout.buffer.write(msgspec.json.encode(found))
