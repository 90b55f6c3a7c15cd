"""The log itself, event by event as it is stored, in pages that need no memory of what went before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from stet.codec import SCHEMA_VERSIONS, encode
from stet.database.finish import finished
from stet.database.pool import Pool, of_ledger
from stet.envelope import Audience
from stet.queries.shown import Guarded, read_guarded
from stet.redaction.events import Pointer, RedactionGround
from stet.sql import load

_LIST_LOG = load("list_log")
_PAGE = 1_000
V = TypeVar("V", bound="EventView")


class RedactedView(Struct, frozen=True, kw_only=True):
    """That some of an event was erased: docs/redaction.md says what that leaves proven."""

    by: int
    """The position of the last `payload-redacted` of it."""
    ground: RedactionGround
    fields: tuple[Pointer, ...]
    """All that was erased of it, as JSON Pointers into the payload. Empty for who is shown the event in part."""


class EventView(Struct, frozen=True, kw_only=True):
    """An event as it is stored, with what proves it: docs/architecture.md says how."""

    position: int
    stream_version: int
    event_id: UUID
    type: str
    schema_version: int
    recorded_at: datetime
    actor: str
    correlation_id: UUID
    causation_id: UUID | None
    payload: Raw
    """An object; its bytes are those that were hashed, unless there is no salt, or some of it was erased."""
    salt: str | None
    """Null: some of the payload is not for everybody. Of what is left after a redaction, that of its tombstone."""
    payload_digest: str
    """Of the payload as it was recorded."""
    leaf: str
    redacted: RedactedView | None
    """Null: nothing of it was erased."""


class LoggedEvent(EventView, frozen=True, kw_only=True):
    """The same, and in which stream it is."""

    stream: str


class CloudEvent(Struct, frozen=True, kw_only=True):
    """An event in the form of CloudEvents 1.0. What Stet adds are extension attributes."""

    specversion: Literal["1.0"]
    id: UUID
    source: str
    """The ledger, `urn:stet:ledger:ID`."""
    type: str
    """`stet.TYPE.vVERSION`."""
    subject: str
    """The stream."""
    time: datetime
    datacontenttype: Literal["application/json"]
    dataschema: str
    """The `$id` of the schema of the payload."""
    sequence: str
    """The position; the CloudEvents extension `sequence`."""
    streamversion: int
    actor: str
    correlationid: UUID
    causationid: UUID | UnsetType
    payloaddigest: str
    salt: str | UnsetType
    """Absent: some of the data is not for everybody. Of what is left after a redaction, that of its tombstone."""
    leaf: str
    redactedby: int | UnsetType
    """Absent: nothing of it was erased."""
    redactionground: str | UnsetType
    redactedfields: str | UnsetType
    """The JSON Pointers, with a space between two."""
    data: Raw


async def read_log(
    pool: Pool, ledger_id: UUID, after: int, up_to: int, audience: Audience
) -> AsyncIterator[list[LoggedEvent]]:
    """The events after a position up to another, as the audience sees them, in pages of which none is empty.

    No transaction and no connection is held in between.
    """
    while after < up_to:
        page, after = await finished(_page(pool, ledger_id, after, up_to, audience))
        if page:
            yield page


async def _page(
    pool: Pool, ledger_id: UUID, after: int, up_to: int, audience: Audience
) -> tuple[list[LoggedEvent], int]:
    """What the audience sees of the next events, and the position of the last of them."""
    parameters = {"ledger_id": ledger_id, "after": after, "up_to": up_to, "limit": _PAGE}
    async with of_ledger(pool, ledger_id) as connection:
        rows = await (await connection.execute(_LIST_LOG, parameters)).fetchall()
        # After the events: what is restricted in the meantime is left out.
        guarded = await read_guarded(connection, ledger_id, {row[-1] for row in rows}, audience)
    hidden = {stream: one.hidden for stream, one in guarded.items()}
    found = [
        as_seen(LoggedEvent(**event_of(row[:-1]), stream=row[-1]), guarded.get(row[-1]))
        for row in rows
        if row[0] not in hidden.get(row[-1], ())
    ]
    return found, rows[-1][0] if rows else up_to


def event_of(row: tuple[Any, ...]) -> dict[str, Any]:
    """The fields of an EventView, of a row as list_events and list_log give it."""
    *columns, by, ground, fields = row
    columns[9] = Raw(columns[9])
    redacted = by and RedactedView(by=by, ground=ground, fields=msgspec.json.decode(fields, type=tuple[str, ...]))
    return dict(zip(EventView.__struct_fields__, (*columns, redacted), strict=True))


def as_seen(event: V, guarded: Guarded | None) -> V:
    """An event that the public sees, as it sees it. `guarded` is its stream, if less of that is seen than there is."""
    altered = guarded.altered.get(event.position) if guarded else None
    if altered is None:
        return event
    version, redacted = SCHEMA_VERSIONS[event.type], event.redacted and replace(event.redacted, fields=())
    payload = Raw(encode(altered.event))
    return replace(event, payload=payload, schema_version=version, salt=None, redacted=redacted)


def cloud_event(ledger_id: UUID, event: LoggedEvent) -> CloudEvent:
    """The same event as CloudEvents has it."""
    return CloudEvent(
        specversion="1.0",
        id=event.event_id,
        source=f"urn:stet:ledger:{ledger_id}",
        type=f"stet.{event.type}.v{event.schema_version}",
        subject=event.stream,
        time=event.recorded_at,
        datacontenttype="application/json",
        dataschema=f"urn:stet:event:{event.type}:{event.schema_version}",
        sequence=str(event.position),
        streamversion=event.stream_version,
        actor=event.actor,
        correlationid=event.correlation_id,
        causationid=event.causation_id or UNSET,
        payloaddigest=event.payload_digest,
        salt=event.salt or UNSET,
        leaf=event.leaf,
        redactedby=event.redacted.by if event.redacted else UNSET,
        redactionground=event.redacted.ground if event.redacted else UNSET,
        redactedfields=" ".join(event.redacted.fields) if event.redacted else UNSET,
        data=event.payload,
    )
