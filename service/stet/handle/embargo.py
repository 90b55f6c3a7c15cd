"""What ends an embargo is an event, and a worker appends it when the moment has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from stet.database.doorbell import CHANNEL
from stet.database.pool import make_pool
from stet.document.visibility import embargo_ended
from stet.errors import StetError
from stet.handle import Context, Decision, Reader, handle, to_events
from stet.ids import new_id
from stet.settings import Settings
from stet.sql import load
from stet.store.append import Log, NewEvent
from stet.values.visibility import UNRESTRICTED

_FIND_DUE = load("find_due_embargoes")
ACTOR = "stet"
"""Who ends embargoes."""
_log = logging.getLogger("stet.worker")


class Due(NamedTuple):
    """An embargo whose moment has come."""

    ledger_id: UUID
    stream: str
    """The incident, one of those that hold the statement, or the document."""
    statement_id: UUID | None
    until: datetime


def end_due(connection: psycopg.Connection, url: str) -> int:
    """Ends the embargoes that are due, the oldest 1,000 of them; how many of them could not be ended.

    Several may do so at once: whoever comes later finds nothing to do.
    """
    due = [Due(*row) for row in connection.execute(_FIND_DUE).fetchall()]
    if not due:
        return 0
    failed = asyncio.run(_end(url, due))
    connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
    return failed


def end_embargo(due: Due) -> Callable[[Reader], Awaitable[Decision]]:
    """Ends an embargo wherever it is, unless it was changed meanwhile. What named the thing is shown with it."""

    async def decide(reader: Reader) -> Decision:
        streams = {due.stream}
        if due.statement_id:
            streams |= await reader.holders([due.statement_id])
        events: list[NewEvent] = []
        for stream, state in (await reader.states(sorted(streams))).items():
            visibility = state.restricted.get(due.statement_id, UNRESTRICTED) if due.statement_id else state.visibility
            events += to_events(stream, embargo_ended(visibility, due.until, due.statement_id))
        return Decision("", events)

    return decide


async def _end(url: str, due: Sequence[Due]) -> int:
    """Each as a command of its own, by the same way as all others."""
    pool = make_pool(url, Settings(pool_size=2))
    await pool.open()
    failed = 0
    try:
        log = Log(pool)
        for one in due:
            context = Context(actor=ACTOR, correlation_id=new_id(), request_digest=b"")
            try:
                await handle(pool, log, one.ledger_id, None, end_embargo(one), context)
            except (StetError, psycopg.Error) as error:
                failed += 1
                _log.error("the embargo on %s of ledger %s cannot be ended: %s", one.stream, one.ledger_id, error)
    finally:
        await pool.close()
    return failed
