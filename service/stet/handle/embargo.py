"""What ends an embargo is an event, and a worker appends it when the moment has come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import psycopg

from stet.document.visibility import embargo_ended
from stet.handle import Decision, Reader, to_events
from stet.handle.due import Due, write_due
from stet.sql import load
from stet.store.append import NewEvent
from stet.values.visibility import UNRESTRICTED

_FIND_DUE = load("find_due_embargoes")


def end_due(connection: psycopg.Connection, url: str) -> int:
    """Ends the embargoes that are due, the oldest 1,000 of them; how many of them could not be ended."""
    found = connection.execute(_FIND_DUE).fetchall()
    return write_due(connection, url, [Due(row[0], row[1], end_embargo(*row[1:])) for row in found])


def end_embargo(stream: str, statement_id: UUID | None, until: datetime) -> Callable[[Reader], Awaitable[Decision]]:
    """Ends an embargo wherever it is, unless it was changed meanwhile. What named the thing is shown with it.

    `stream` is the incident, one of those that hold the statement, or the document.
    """

    async def decide(reader: Reader) -> Decision:
        streams = {stream}
        if statement_id:
            streams |= await reader.holders([statement_id])
        elif stream.startswith("incident:"):
            streams |= {f"incident:{id_}" for id_ in await reader.with_merged(UUID(stream[9:]))}
        events: list[NewEvent] = []
        for one, state in (await reader.states(sorted(streams))).items():
            visibility = state.restricted.get(statement_id, UNRESTRICTED) if statement_id else state.visibility
            events += to_events(one, embargo_ended(visibility, until, statement_id))
        return Decision("", events)

    return decide
