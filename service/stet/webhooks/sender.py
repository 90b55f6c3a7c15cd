"""Sends what waits. Of all processes of a database one sends, by an advisory lock, as one leads each projection.

In order for each stream of a webhook: the next message of a stream is sent when the one before has been delivered.
Several streams at once, but few to one receiver, and one to a receiver that fails: nobody waits for another's.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from threading import Thread
from uuid import UUID

import httpx
import msgspec
import psycopg
from psycopg_pool import PoolTimeout

from stet.database.doorbell import POLL_S, Doorbell
from stet.database.pool import Connection, Pool, make_pool, of_ledger
from stet.errors import Malformed
from stet.settings import Settings
from stet.sql import load
from stet.webhooks.address import parse_target
from stet.webhooks.message import ChangeMessage, PingData, PingMessage, read_message
from stet.webhooks.patience import PATIENCE, Patience, space_after, wait_after
from stet.webhooks.queue import Due, enqueue, find_due, forget, live_secrets, record
from stet.webhooks.send import Outcome, make_transport, send
from stet.webhooks.signing import message_id, signed

ROLE = "stet_worker"
"""Who may read what messages are signed with."""
_LEAD = load("lead")
_AT_ONCE = 64
_EACH = 4
_CONNECTIONS = 4
_RECONNECT_S = 1.0
_FORGET_S = 3600.0
_GONE = 410
_ENCODER = msgspec.json.Encoder()
_log = logging.getLogger("stet.webhooks")


class _Receiver:
    """How a receiver does, as far as this process has seen."""

    def __init__(self) -> None:
        self.sending = 0
        self.failures = 0
        """In a row, of whatever streams."""
        self.not_before = 0.0

    def room(self) -> int:
        """How many more may be sent to it at this moment."""
        if time.monotonic() < self.not_before:
            return 0
        return (1 if self.failures else _EACH) - self.sending


class Sender:
    """Sends until it is told to stop."""

    def __init__(self, url: str, settings: Settings, patience: Patience = PATIENCE) -> None:
        self._url = url
        self._settings = settings
        self._patience = patience
        self._receivers: dict[UUID, _Receiver] = {}
        self._sending: dict[tuple[UUID, str], asyncio.Task[None]] = {}
        self._forgot_at = -_FORGET_S
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: asyncio.Task[None] | None = None
        self._stopped = False

    def start(self) -> Thread:
        """Runs in a thread of its own."""
        thread = Thread(target=lambda: asyncio.run(self.run()), name="stet sender", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Makes `run` return soon. What is being sent at this moment is sent again by the next."""
        self._stopped = True
        if self._loop and self._running:
            # A loop that has ended needs no telling.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._running.cancel)

    async def run(self) -> None:
        """Sends until it is stopped. Without the database it tries again, and again."""
        self._loop = asyncio.get_running_loop()
        while not self._stopped:
            self._running = asyncio.create_task(self._run())
            try:
                await self._running
            except asyncio.CancelledError:
                pass
            except (psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("webhooks wait for the database: %s", str(error).partition("\n")[0])
            except Exception:
                _log.exception("the sender of webhooks failed, and tries again")
            if not self._stopped:
                await asyncio.sleep(_RECONNECT_S)

    async def _run(self) -> None:
        lock = await psycopg.AsyncConnection.connect(self._url, autocommit=True, application_name="stet webhooks")
        async with lock:
            while not await _leads(lock):  # noqa: ASYNC110 - nothing tells that another process let it go
                await asyncio.sleep(POLL_S)
            pool = make_pool(self._url, msgspec.structs.replace(self._settings, pool_size=_CONNECTIONS), role=ROLE)
            doorbell = Doorbell(pool, self._url)
            async with pool, make_transport() as transport:
                doorbell.start()
                try:
                    await self._lead(lock, pool, doorbell, transport)
                finally:
                    await self._end()
                    await doorbell.stop()
                    self._receivers.clear()

    async def _lead(
        self, lock: psycopg.AsyncConnection, pool: Pool, doorbell: Doorbell, transport: httpx.AsyncBaseTransport
    ) -> None:
        # The lock is lost only with its connection, and then this raises.
        while await _leads(lock):
            heard = doorbell.next_ring()
            more = await enqueue(pool)
            for due in self._choose(await self._due(pool)):
                self._begin(due, pool, doorbell, transport)
            if time.monotonic() - self._forgot_at >= _FORGET_S:
                await forget(pool)
                self._forgot_at = time.monotonic()
            if not more:
                await doorbell.wait(heard, self._idle_s())

    def _idle_s(self) -> float:
        """How long to wait for a ring: until the poll, or until a receiver may be sent to again."""
        now = time.monotonic()
        waits = [one.not_before - now for one in self._receivers.values() if one.not_before > now]
        return max(0.01, min([POLL_S, *waits]))

    async def _due(self, pool: Pool) -> list[Due]:
        full = {webhook_id for webhook_id, one in self._receivers.items() if one.room() <= 0}
        return await find_due(pool, set(self._sending), full, _EACH) if len(self._sending) < _AT_ONCE else []

    def _choose(self, due: list[Due]) -> Iterator[Due]:
        """As many as there is room for: the first of every receiver goes before the second of any."""
        taken: dict[UUID, int] = {}
        ranked: list[tuple[int, Due]] = []
        for one in due:
            rank = taken[one.webhook_id] = taken.get(one.webhook_id, 0) + 1
            if rank <= self._receivers.setdefault(one.webhook_id, _Receiver()).room():
                ranked.append((rank, one))
        ranked.sort(key=lambda pair: pair[0])
        return (one for _, one in ranked[: _AT_ONCE - len(self._sending)])

    def _begin(self, due: Due, pool: Pool, doorbell: Doorbell, transport: httpx.AsyncBaseTransport) -> None:
        key, receiver = (due.webhook_id, due.stream), self._receivers[due.webhook_id]
        receiver.sending += 1
        task = asyncio.create_task(self._deliver(due, pool, receiver, transport))
        self._sending[key] = task

        def end(task: asyncio.Task[None]) -> None:
            receiver.sending -= 1
            del self._sending[key]
            if not task.cancelled() and (error := task.exception()):
                # It still waits in its table, and is sent again.
                receiver.not_before = time.monotonic() + _RECONNECT_S
                _log.error("a message of webhook %s was not sent", due.webhook_id, exc_info=error)
            doorbell.wake()

        task.add_done_callback(end)

    async def _deliver(self, due: Due, pool: Pool, receiver: _Receiver, transport: httpx.AsyncBaseTransport) -> None:
        async with of_ledger(pool, due.ledger_id) as connection:
            body = await self._body(connection, due)
            secrets = await live_secrets(connection, due)
            if body is None:
                await record(connection, due, "withheld", Outcome(ms=0))
                return
        try:
            target = parse_target(due.url, self._settings.webhook_hosts or ())
        except Malformed as error:
            tried = Outcome(ms=0, error=str(error))
        else:
            id_ = message_id(due.webhook_id, due.stream, due.position)
            tried = await send(transport, target, signed(id_, int(time.time()), body, secrets), body)
        receiver.failures = receiver.failures + 1 if tried.error else 0
        receiver.not_before = time.monotonic() + space_after(receiver.failures, self._patience)
        async with of_ledger(pool, due.ledger_id) as connection:
            if tried.error is None:
                await record(connection, due, "delivered", tried)
                return
            wait, pause = self._judge(due, tried)
            await record(connection, due, "failed", tried, wait, pause)

    async def _body(self, connection: Connection, due: Due) -> bytes | None:
        message: ChangeMessage | PingMessage | None
        if due.is_test:
            message = PingMessage(timestamp=datetime.now(UTC), data=PingData(ledger=due.ledger))
        else:
            ledger = (due.ledger_id, due.ledger)
            message = await read_message(connection, ledger, due.stream, due.position, due.audience)
        return None if message is None else _ENCODER.encode(message)

    def _judge(self, due: Due, tried: Outcome) -> tuple[float | None, str | None]:
        """How long to wait after a failure, and why to pause the webhook, if that is due."""
        if due.is_test:
            return None, None
        if tried.status == _GONE:
            return None, "the receiver answered 410: it is gone"
        chance = random.random()  # noqa: S311 - it spreads waits, and guards nothing
        wait = wait_after(due.attempts + 1, due.tried_for, chance, tried.retry_after, self._patience)
        if wait is None:
            days = self._patience.in_all / 86_400
            return None, f"{due.stream} at position {due.position} failed for {days:g} days: {tried.error}"
        return wait, None

    async def _end(self) -> None:
        """Ends whatever is being sent."""
        tasks = list(self._sending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _leads(lock: psycopg.AsyncConnection) -> bool:
    """Whether this connection sends, or does from this moment on."""
    row = await (await lock.execute(_LEAD, {"name": "webhooks"})).fetchone()
    return bool(row and row[0])
