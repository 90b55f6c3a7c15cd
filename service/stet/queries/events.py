"""The log itself, event by event as it is stored, in pages that need no memory of what went before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import UNSET, Raw, Struct, UnsetType

from stet.database.finish import finished
from stet.database.pool import Pool, of_ledger
from stet.sql import load

_LIST_LOG = load("list_log")
_PAGE = 1_000


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
    """An object; its bytes are those that were hashed."""
    salt: str
    payload_digest: str
    leaf: str


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
    salt: str
    leaf: str
    data: Raw


async def read_log(pool: Pool, ledger_id: UUID, after: int, up_to: int) -> AsyncIterator[list[LoggedEvent]]:
    """The events after a position up to another, in pages. No transaction and no connection is held in between."""
    while after < up_to:
        page = await finished(_page(pool, ledger_id, after, up_to))
        if not page:
            return
        yield page
        after = page[-1].position


async def _page(pool: Pool, ledger_id: UUID, after: int, up_to: int) -> list[LoggedEvent]:
    parameters = {"ledger_id": ledger_id, "after": after, "up_to": up_to, "limit": _PAGE}
    async with of_ledger(pool, ledger_id) as connection:
        rows = await (await connection.execute(_LIST_LOG, parameters)).fetchall()
    names = LoggedEvent.__struct_fields__
    return [LoggedEvent(**dict(zip(names, (*row[:9], Raw(row[9]), *row[10:]), strict=True))) for row in rows]


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
        salt=event.salt,
        leaf=event.leaf,
        data=event.payload,
    )
