"""Whoever lost a race for a stream takes turns with the others of this process: each would lose to all before him."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary


class Turns:
    """The turns at the streams that are fought over."""

    def __init__(self) -> None:
        # As long as somebody takes turns, or waits for his.
        self._locks: WeakValueDictionary[tuple[UUID, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def at(self, ledger_id: UUID, stream: str | None, *, lost: bool) -> AsyncIterator[None]:
        """One's turn at a stream: at once, unless he lost a race for it, or another who did has the turn."""
        lock = self._locks.get((ledger_id, stream)) if stream else None
        if lock is None and stream and lost:
            lock = self._locks.setdefault((ledger_id, stream), asyncio.Lock())
        if lock is None:
            yield
            return
        async with lock:
            yield
