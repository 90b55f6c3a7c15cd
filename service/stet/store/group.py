"""One group of commands, in one transaction, mostly in one statement: their events, and the rows of the histories."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from stet.codec import SCHEMA_VERSIONS, TYPES, encode
from stet.database.arrays import plain, texts
from stet.database.pool import Connection
from stet.envelope import Recorded
from stet.errors import Unavailable
from stet.incident.known import references
from stet.projections.foresee import NOTHING, POSITION, RECORDED_AT, faults, foresee, parameters
from stet.projections.inline import Made, keep_inline, tell
from stet.projections.registry import PROJECTIONS
from stet.redaction.events import REDACTED
from stet.sql import load
from stet.streams import around

if TYPE_CHECKING:
    from stet.store.append import Append
    from stet.store.line import Turn

_APPEND = load("append")
_REDACT = load("redact")
_HOLD_INLINE = load("hold_inline")
_INLINE = {one.name: one.version for one in PROJECTIONS if one.inline}
_HELD = {"held": texts(_INLINE), "versions": plain(_INLINE.values())}


async def append_on(
    connection: Connection, ledger_id: UUID, group: list[Append], turn: Turn
) -> tuple[int, list[int] | None, list[int] | None]:
    """Appends commands, and keeps the inline projections: all of it, or nothing.

    What can be made ready is, before its turn.
    Gives the position before, and which of the commands, from 1, are stale or repeated. If any is, none was appended.
    Raises what psycopg raises, and Unavailable where the projections are those of another release.
    """
    made = None
    if not any(append.erased for append in group):
        events = _recorded(group, POSITION, RECORDED_AT)
        made = await foresee(connection, ledger_id, around(_before(group), events), events)
    if made is None:
        async with turn, connection.transaction():
            return await _append_then_keep(connection, ledger_id, group)
    asked = _asked(ledger_id, group, made)
    async with turn:
        row = await _append(connection, asked)
    if row.ended is not None:
        tell(made, sum(len(append.events) for append in group), faults(made, row.ended))
    return row.position, row.stale, row.repeated


async def hold_inline(connection: Connection) -> None:
    """Keeps the tables of the inline projections from being switched until the transaction ends."""
    await connection.execute(_HOLD_INLINE, {"names": list(_INLINE)})


class _Answer(NamedTuple):
    position: int
    stale: list[int] | None
    repeated: list[int] | None
    recorded_at: datetime
    """When the first of the commands was recorded; the others follow by a microsecond each."""
    ended: list[int] | None
    """How many rows of each table ended; None: none was to be kept."""


def _asked(ledger_id: UUID, group: list[Append], made: Made | None) -> dict[str, Any]:
    rows = NOTHING if made is None else parameters(ledger_id, made)
    return _parameters(ledger_id, group) | rows | {"foreseen": made is not None} | _HELD


async def _append(connection: Connection, asked: dict[str, Any]) -> _Answer:
    cursor = await connection.execute(_APPEND, asked)
    row = await cursor.fetchone()
    if row is None:
        raise Unavailable("another release has rebuilt the projections: restart this one, or upgrade it")
    return _Answer(*row)


async def _append_then_keep(
    connection: Connection, ledger_id: UUID, group: list[Append]
) -> tuple[int, list[int] | None, list[int] | None]:
    """The same where the rows hang on when, or where, the events are appended."""
    row = await _append(connection, _asked(ledger_id, group, None))
    if not row.stale and not row.repeated:
        events = _recorded(group, row.position, row.recorded_at)
        erased = [one for append in group for one in append.erased]
        if erased:
            by = {event.stream: event.position for event in events if event.type == REDACTED}
            redacted = {
                "ledger_id": ledger_id,
                "positions": [one.position for one in erased],
                "redacted_by": [by[one.stream] for one in erased],
                "payloads": [one.payload for one in erased],
                "salts": [one.salt for one in erased],
            }
            await connection.execute(_REDACT, redacted)
        states = around(_before(group), events)
        await keep_inline(connection, ledger_id, states, events, {one.stream for one in erased})
    return row.position, row.stale, row.repeated


def _before(group: list[Append]) -> dict[str, Any]:
    return {stream: state for append in group for stream, state in append.before.items()}


def _recorded(group: list[Append], position: int, first: datetime) -> list[Recorded[Any]]:
    """The events of a group as they are appended after a position; the first command at `first`."""
    versions = [dict(append.expected) for append in group]
    found: list[Recorded[Any]] = []
    for n, append in enumerate(group):
        # stet.append gives each command a microsecond of its own.
        recorded_at = first + timedelta(microseconds=n)
        for new in append.events:
            position += 1
            versions[n][new.stream] = versions[n].get(new.stream, 0) + 1
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
        "actor": texts(append.actor for append in group),
        "correlation_id": plain(append.correlation_id for append in group),
        "key": texts(key.key if key else None for key in keys),
        "request_digest": texts(f"\\x{key.request_digest.hex()}" if key else None for key in keys),
        "status": plain(key.status if key else None for key in keys),
        "location": texts(key.location if key else None for key in keys),
        "check_command": plain(n for n, _, _ in checks),
        "check_stream": texts(stream for _, stream, _ in checks),
        "check_version": plain(version for _, _, version in checks),
        "fanout_command": plain(n for n, _, _ in fanouts),
        "fanout_target": texts(target for _, target, _ in fanouts),
        "fanout_count": plain(count for _, _, count in fanouts),
        "event_command": plain(n for n, _, _ in events),
        "stream": texts(event.stream for _, event, _ in events),
        "event_id": plain(event.event_id for _, event, _ in events),
        "type": texts(type_ for _, _, type_ in events),
        "schema_version": plain(SCHEMA_VERSIONS[type_] for _, _, type_ in events),
        "causation_id": plain(event.causation_id for _, event, _ in events),
        "payload": texts(encode(event.event).decode() for _, event, _ in events),
        "reference_target": texts(target for target, _, _ in roles),
        "reference_stream": texts(stream for _, stream, _ in roles),
        "reference_role": texts(role for _, _, role in roles),
    }
