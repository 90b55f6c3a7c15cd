"""Tells everybody who follows the log that something was appended: soon, but not surely. A poll is the truth.

Not inside the append's transaction: a NOTIFY there takes a lock that all databases share, held over the commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

import psycopg
from psycopg_pool import PoolTimeout

from stet.database.pool import Pool

CHANNEL = "stet_log"
"""What is notified."""
POLL_S = 1.0
"""How long one sleeps at most who hears nothing."""
_COALESCE_S = 0.02
_log = logging.getLogger("stet")


class Doorbell:
    """Rings after appends, however many there are, fifty times a second at most; and lets others wait for a ring."""

    def __init__(self, pool: Pool, url: str) -> None:
        self._pool = pool
        self._url = url
        self._appended = asyncio.Event()
        self._heard = asyncio.Event()
        self.rings = 0
        """How often it was heard."""
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to ring and to listen."""
        self._tasks = [asyncio.create_task(self._ring_all()), asyncio.create_task(self._listen())]

    async def stop(self) -> None:
        """Ends both; who waits is woken."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self.wake()

    def ring(self) -> None:
        """Something was appended."""
        self._appended.set()

    def next_ring(self) -> asyncio.Event:
        """What is set when somebody, of whatever process, rings after this."""
        return self._heard

    async def wait(self, ring: asyncio.Event, timeout_s: float = POLL_S) -> None:
        """Until that ring, or until the time has passed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ring.wait(), timeout_s)

    async def _ring_all(self) -> None:
        while True:
            await self._appended.wait()
            self._appended.clear()
            try:
                async with self._pool.connection() as connection:
                    await connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
            except (psycopg.Error, PoolTimeout) as error:
                _log.warning("the doorbell was not rung: %s", str(error).partition("\n")[0])
            await asyncio.sleep(_COALESCE_S)

    async def _listen(self) -> None:
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, application_name="stet doorbell"
                )
                async with connection:
                    await connection.execute(f"LISTEN {CHANNEL}".encode())
                    async for _ in connection.notifies():
                        self.wake()
            except psycopg.Error as error:
                _log.warning("the doorbell is not heard: %s", str(error).partition("\n")[0])
            await asyncio.sleep(POLL_S)

    def wake(self) -> None:
        """Wakes all who wait in this process; who waits after this waits for the next ring."""
        self.rings += 1
        heard, self._heard = self._heard, asyncio.Event()
        heard.set()
