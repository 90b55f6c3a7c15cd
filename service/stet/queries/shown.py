"""Streams as an audience sees them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from stet.database.pool import Connection
from stet.envelope import Audience, Recorded
from stet.incident.visibility import shown
from stet.store.read import HEAD, read_streams


async def read_shown(
    connection: Connection, ledger_id: UUID, streams: Collection[str], audience: Audience, up_to: int = HEAD
) -> dict[str, list[Recorded[Any]]]:
    """The events of each stream up to a position, as the audience sees them; [] for a stream that it does not see.

    For the public all of a stream is read: what is restricted today is so at every cut.
    """
    if audience == "member":
        return await read_streams(connection, ledger_id, streams, up_to)
    whole = await read_streams(connection, ledger_id, streams)
    return {
        stream: [one for one in shown(stream, events, audience) if one.position <= up_to]
        for stream, events in whole.items()
    }
