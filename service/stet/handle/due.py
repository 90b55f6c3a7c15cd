"""What nobody asks for, and a worker appends when it is due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from uuid import UUID

import psycopg

from stet.database.doorbell import CHANNEL
from stet.database.pool import make_pool
from stet.errors import StetError
from stet.handle import Context, Decision, Reader, handle
from stet.ids import new_id
from stet.settings import Settings
from stet.store.append import Log

ACTOR = "stet"
"""Who appends it."""
_log = logging.getLogger("stet.worker")


class Due(NamedTuple):
    """A write that is due."""

    ledger_id: UUID
    stream: str
    """What it is about."""
    decide: Callable[[Reader], Awaitable[Decision]]


def write_due(connection: psycopg.Connection, url: str, due: Sequence[Due]) -> int:
    """Appends what is due, and rings the bell; how much of it could not be appended.

    Several may do so at once: whoever comes later finds nothing to do.
    """
    if not due:
        return 0
    failed = asyncio.run(_write(url, due))
    connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
    return failed


async def _write(url: str, due: Sequence[Due]) -> int:
    """Each as a command of its own, by the same way as all others."""
    pool = make_pool(url, Settings(pool_size=2))
    await pool.open()
    failed = 0
    try:
        log = Log(pool)
        for one in due:
            context = Context(actor=ACTOR, correlation_id=new_id(), request_digest=b"")
            try:
                await handle(pool, log, one.ledger_id, None, one.decide, context)
            except (StetError, psycopg.Error) as error:
                failed += 1
                _log.error("what is due on %s of ledger %s cannot be appended: %s", one.stream, one.ledger_id, error)
    finally:
        await pool.close()
    return failed
