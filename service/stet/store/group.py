"""One group of commands, in one transaction: their events, and the rows of the histories that follow from them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from stet.codec import SCHEMA_VERSIONS, TYPES, encode
from stet.database.pool import Connection
from stet.envelope import Recorded
from stet.errors import Unavailable
from stet.incident.known import references
from stet.projections.inline import keep_inline
from stet.projections.registry import PROJECTIONS
from stet.redaction.events import REDACTED
from stet.sql import load
from stet.streams import around

if TYPE_CHECKING:
    from stet.store.append import Append

_APPEND = load("append")
_REDACT = load("redact")
_READ_HEAD = load("read_head")
_HOLD_INLINE = load("hold_inline")
_READ_VERSIONS = load("read_versions")
_INLINE = {one.name: one.version for one in PROJECTIONS if one.inline}


async def append_on(
    connection: Connection, ledger_id: UUID, group: list[Append]
) -> tuple[int, list[int] | None, list[int] | None]:
    """Appends commands, and keeps the inline projections, in the transaction of a connection.

    Gives the position before, and which of the commands, from 1, are stale or repeated. If any is, none was appended.
    Raises what psycopg raises, and Unavailable where the projections are those of another release.
    """
    async with connection.pipeline():
        await hold_inline(connection)
        appended = await connection.execute(_APPEND, _parameters(ledger_id, group))
        head = await connection.execute(_READ_HEAD, {"ledger_id": ledger_id})
        versions = await connection.execute(_READ_VERSIONS)
        row, last, built = await appended.fetchone(), await head.fetchone(), dict(await versions.fetchall())
    assert row and last
    if any(built.get(name) != version for name, version in _INLINE.items()):
        raise Unavailable("another release has rebuilt the projections: restart this one, or upgrade it")
    position, stale, repeated = row
    if not stale and not repeated:
        events = _recorded(group, position, last[0])
        before = {stream: state for append in group for stream, state in append.before.items()}
        erased = [one for append in group for one in append.erased]
        if erased:
            by = {event.stream: event.position for event in events if event.type == REDACTED}
            parameters = {
                "ledger_id": ledger_id,
                "positions": [one.position for one in erased],
                "redacted_by": [by[one.stream] for one in erased],
                "payloads": [one.payload for one in erased],
                "salts": [one.salt for one in erased],
            }
            await connection.execute(_REDACT, parameters)
        states, redacted = around(before, events), {one.stream for one in erased}
        await keep_inline(connection, ledger_id, states, len(events), redacted)
    return position, stale, repeated


async def hold_inline(connection: Connection) -> None:
    """Keeps the tables of the inline projections from being switched until the transaction ends."""
    await connection.execute(_HOLD_INLINE, {"names": list(_INLINE)})


def _recorded(group: list[Append], position: int, last: datetime) -> list[Recorded[Any]]:
    """The events of a group as they were appended after a position; the last of them at `last`."""
    versions = [dict(append.expected) for append in group]
    final = max((n for n, append in enumerate(group) if append.events), default=0)
    found: list[Recorded[Any]] = []
    for n, append in enumerate(group):
        # stet.append gives each command a microsecond of its own.
        recorded_at = last - timedelta(microseconds=final - n)
        for new in append.events:
            position += 1
            versions[n][new.stream] += 1
            found.append(
                Recorded(
                    position,
                    new.stream,
                    versions[n][new.stream],
                    new.event_id,
                    (type_ := TYPES[type(new.event)]),
                    SCHEMA_VERSIONS[type_],
                    recorded_at,
                    append.actor,
                    append.correlation_id,
                    new.causation_id,
                    new.event,
                )
            )
    return found


def _parameters(ledger_id: UUID, group: list[Append]) -> dict[str, Any]:
    numbered = list(enumerate(group, start=1))
    keys = [append.idempotency for append in group]
    checks = [(n, stream, version) for n, append in numbered for stream, version in append.expected.items()]
    fanouts = [(n, target, count) for n, append in numbered for target, count in append.fanned_out.items()]
    events = [(n, event, TYPES[type(event.event)]) for n, append in numbered for event in append.events]
    roles = sorted(
        {
            (target, event.stream, role)
            for append in group
            for event in append.events
            for target, role in references(event.event, event.stream)
        }
    )
    return {
        "ledger_id": ledger_id,
        "ledger_name": group[0].ledger_name,
        "actor": [append.actor for append in group],
        "correlation_id": [append.correlation_id for append in group],
        "key": [key.key if key else None for key in keys],
        "request_digest": [key.request_digest if key else None for key in keys],
        "status": [key.status if key else None for key in keys],
        "location": [key.location if key else None for key in keys],
        "check_command": [n for n, _, _ in checks],
        "check_stream": [stream for _, stream, _ in checks],
        "check_version": [version for _, _, version in checks],
        "fanout_command": [n for n, _, _ in fanouts],
        "fanout_target": [target for _, target, _ in fanouts],
        "fanout_count": [count for _, _, count in fanouts],
        "event_command": [n for n, _, _ in events],
        "stream": [event.stream for _, event, _ in events],
        "event_id": [event.event_id for _, event, _ in events],
        "type": [type_ for _, _, type_ in events],
        "schema_version": [SCHEMA_VERSIONS[type_] for _, _, type_ in events],
        "causation_id": [event.causation_id for _, event, _ in events],
        "payload": [encode(event.event).decode() for _, event, _ in events],
        "reference_target": [target for target, _, _ in roles],
        "reference_stream": [stream for _, stream, _ in roles],
        "reference_role": [role for _, _, role in roles],
    }
