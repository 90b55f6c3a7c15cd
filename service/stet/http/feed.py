"""The feed of changes, live: server-sent events, one an append, for as many clients as there are.

Those who are at the end of the log share one reading of what is new; who is behind reads pages of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import NamedTuple
from uuid import UUID

import msgspec

from stet.database.doorbell import POLL_S, Doorbell
from stet.database.finish import finished
from stet.database.pool import HISTORIES, Pool, of_ledger, snapshot
from stet.envelope import Audience
from stet.queries.changes import ChangedAppend, list_changes
from stet.redaction.events import REDACTED

HEARTBEAT_S = 15.0
"""How long a client hears nothing at most."""
_PAGE = 500
_KEPT_BYTES = 4_000_000
_ENCODER = msgspec.json.Encoder()


class _Message(NamedTuple):
    before: int
    """The position that it goes on behind."""
    position: int
    text: bytes
    """Empty: nothing of what lies between the two is shown."""
    anew: bool = False
    """What was shown before it may be hidden by now."""


class _Tail:
    """The last messages of one ledger's feed, for one audience."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.messages: deque[_Message] = deque()
        self._bytes = 0
        self.followers = 0
        self.end: int | None = None
        """The position that the last message ends at; None: nobody has read yet."""
        self.lock = asyncio.Lock()
        self.read_at = 0.0
        self.rings = -1

    def add(self, fresh: list[_Message]) -> None:
        """Keeps the new messages, and forgets the first ones where there are too many, or too large ones."""
        self.messages.extend(fresh)
        self._bytes += sum(len(one.text) for one in fresh)
        while self._bytes > _KEPT_BYTES:
            self._bytes -= len(self.messages.popleft().text)

    def begin(self, position: int) -> None:
        """Forgets all messages: the next goes on behind this position."""
        self.messages.clear()
        self._bytes = 0
        self.end, self.rings = position, -1

    def after(self, position: int) -> list[_Message]:
        """The messages behind a position, if it is the end of one of them; else []."""
        found = [one for one in self.messages if one.before >= position]
        return found if found and found[0].before == position else []


class Feeds:
    """The feeds of all ledgers, for one process."""

    def __init__(self, pool: Pool, doorbell: Doorbell) -> None:
        self._pool = pool
        self._doorbell = doorbell
        self._tails: dict[tuple[UUID, Audience], _Tail] = {}
        self._ended = False

    def end(self) -> None:
        """Ends every feed."""
        self._ended = True
        self._doorbell.wake()

    async def follow(self, ledger_id: UUID, after: int, audience: Audience) -> AsyncGenerator[bytes, None]:
        """What changed after a position, and then whatever changes, until the process stops.

        The position was reached: see `head_of`. A comment goes out at once, and whenever nothing else did for 15 s.
        """
        tail = self._tails.setdefault((ledger_id, audience), _Tail(audience))
        tail.followers += 1
        try:
            async for message in self._follow(tail, ledger_id, after):
                yield message
        finally:
            tail.followers -= 1
            if not tail.followers:
                self._tails.pop((ledger_id, audience), None)

    async def _follow(self, tail: _Tail, ledger_id: UUID, after: int) -> AsyncIterator[bytes]:
        yield b": this is the feed\n\n"
        sent = time.monotonic()
        while not self._ended:
            heard = self._doorbell.next_ring()
            messages = await self._next(tail, ledger_id, after)
            for message in messages:
                after = message.position
                if not message.text:
                    continue
                yield message.text
                sent = time.monotonic()
                if self._ended:
                    return
            if messages:
                continue
            if time.monotonic() - sent >= HEARTBEAT_S:
                yield b": still here\n\n"
                sent = time.monotonic()
            await self._doorbell.wait(heard)

    async def _next(self, tail: _Tail, ledger_id: UUID, after: int) -> list[_Message]:
        if found := tail.after(after):
            return found
        if tail.end is not None and after < tail.end:
            return await finished(self._read(ledger_id, after, tail.audience))
        async with tail.lock:
            if tail.end is None or after > tail.end:
                # Whoever is ahead takes the tail along: who left it there may be far behind, or gone.
                tail.begin(after)
            if after == tail.end:
                rings = self._doorbell.rings
                if tail.rings == rings and time.monotonic() - tail.read_at < POLL_S:
                    return []
                fresh = await finished(self._read(ledger_id, after, tail.audience))
                if any(message.anew for message in fresh):
                    tail.begin(after)
                tail.add(fresh)
                tail.end = fresh[-1].position if fresh else after
                tail.rings, tail.read_at = rings, time.monotonic()
                return fresh
        return tail.after(after)

    async def _read(self, ledger_id: UUID, after: int, audience: Audience) -> list[_Message]:
        async with of_ledger(self._pool, ledger_id) as connection, snapshot(connection, HISTORIES):
            page = await list_changes(connection, ledger_id, after, _PAGE, audience)
        found = []
        for item in page.items:
            # What was kept of it may say what is hidden, or erased.
            anew = any(not one.types or REDACTED in one.types for one in item.changes)
            found.append(_Message(after, item.position, _event(item), anew))
            after = item.position
        if page.next_after > after:
            found.append(_Message(after, page.next_after, b""))
        return found


def _event(item: ChangedAppend) -> bytes:
    return b"id: %d\nevent: append\ndata: %s\n\n" % (item.position, _ENCODER.encode(item))
