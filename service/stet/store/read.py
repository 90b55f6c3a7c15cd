"""Reading the log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, NamedTuple
from uuid import UUID

from stet.codec import recorded
from stet.database.pool import Connection
from stet.envelope import Recorded
from stet.redaction.decide import Stored
from stet.sql import load

_READ_STREAMS = load("read_streams")
_READ_STORED = load("read_stored")
_READ_DEPENDANTS = load("read_dependants")
_FIND_LEDGER = load("find_ledger")
_FIND_ANSWER = load("find_answer")

HEAD = 2**63 - 1
"""A position that lies beyond every log."""


Role = Literal["holds", "hangs", "names"]
"""What a stream has to do with a target: see stet.incident.known.references."""


class Answer(NamedTuple):
    """What a write was answered; with its position the body can be made again."""

    request_digest: bytes
    status: int
    location: str
    position: int


async def read_streams(
    connection: Connection, ledger_id: UUID, streams: Collection[str], up_to: int = HEAD
) -> dict[str, list[Recorded[Any]]]:
    """The events of each stream up to a position, in order; [] for a stream that does not exist."""
    found: dict[str, list[Recorded[Any]]] = {stream: [] for stream in streams}
    if found:
        cursor = await connection.execute(
            _READ_STREAMS, {"ledger_id": ledger_id, "streams": list(found), "up_to": up_to}
        )
        for row in await cursor.fetchall():
            found[row[1]].append(recorded(row))
    return found


async def read_stored(
    connection: Connection, ledger_id: UUID, streams: Collection[str], up_to: int = HEAD
) -> dict[str, list[Stored]]:
    """The events of each stream up to a position as they are stored; [] for a stream that does not exist."""
    found: dict[str, list[Stored]] = {stream: [] for stream in streams}
    cursor = await connection.execute(_READ_STORED, {"ledger_id": ledger_id, "streams": list(found), "up_to": up_to})
    for row in await cursor.fetchall():
        found[row[0]].append(Stored(*row))
    return found


async def read_dependants(
    connection: Connection, ledger_id: UUID, targets: Collection[str], role: Role | None = None
) -> list[tuple[str, str, Role]]:
    """The (target, stream, role) of all streams that stand in the role, or in any, to one of the targets."""
    parameters = {"ledger_id": ledger_id, "targets": list(targets), "role": role}
    cursor = await connection.execute(_READ_DEPENDANTS, parameters)
    return [(target, stream, role) for target, stream, role in await cursor.fetchall()]


async def find_ledger(connection: Connection, name: str) -> UUID | None:
    """The id of the ledger of that name."""
    cursor = await connection.execute(_FIND_LEDGER, {"name": name})
    row = await cursor.fetchone()
    return row[0] if row else None


async def find_answer(connection: Connection, ledger_id: UUID, actor: str, key: str) -> Answer | None:
    """What was answered to the write with this idempotency key."""
    cursor = await connection.execute(_FIND_ANSWER, {"ledger_id": ledger_id, "actor": actor, "key": key})
    row = await cursor.fetchone()
    return Answer(*row) if row else None
