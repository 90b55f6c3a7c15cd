"""What is sent: what one append changed of one thing, as its webhook's audience may see it when it is sent."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from stet.database.pool import HISTORIES, Connection, snapshot
from stet.envelope import Audience
from stet.queries.changes import Changed, ChangedAppend, list_changes
from stet.sql import load

_KINDS_OF = load("kinds_of")
_APPEND_BEFORE = load("append_before")


class ChangeData(Struct, frozen=True, kw_only=True):
    """What one append changed of one thing."""

    ledger: str
    position: int
    """Of the append's last event."""
    recorded_at: datetime
    actor: str
    change: Changed
    """As in the list of changes."""


class ChangeMessage(Struct, frozen=True, kw_only=True):
    """Something changed."""

    type: Literal["incident.changed", "source.changed", "document.changed", "ledger.changed"]
    timestamp: datetime
    """When it was recorded."""
    data: ChangeData


class PingData(Struct, frozen=True, kw_only=True):
    ledger: str


class PingMessage(Struct, frozen=True, kw_only=True):
    """Somebody asked whether messages arrive. Nothing changed."""

    type: Literal["webhook.test"] = "webhook.test"
    timestamp: datetime
    data: PingData


class Filters(Struct, frozen=True, kw_only=True):
    """What a webhook is told of; what is empty excludes nothing."""

    kinds: frozenset[str]
    incidents: frozenset[UUID]
    types: frozenset[str]

    def take(self, change: Changed, kinds: Collection[str]) -> bool:
        """Whether a change is for this webhook; `kinds` are those that its incident has, or had.

        A tombstone is taken whatever its kind, which nobody may know any more; what is to be taken anew, and names no
        type, whatever the types are.
        """
        if self.types and change.types and self.types.isdisjoint(change.types):
            return False
        if (self.kinds or self.incidents) and change.kind != "incident":
            return False
        if self.incidents and change.id not in self.incidents:
            return False
        return not self.kinds or change.incident is None or not self.kinds.isdisjoint(kinds)


async def kinds_of(
    connection: Connection, ledger_id: UUID, items: Collection[ChangedAppend], audience: Audience
) -> dict[UUID, list[str]]:
    """The kinds that the changed incidents have, or ever had, as far as an audience may know."""
    ids = list({change.id for item in items for change in item.changes if change.kind == "incident"})
    parameters = {"ledger_id": ledger_id, "audience": audience, "ids": ids}
    return dict(await (await connection.execute(_KINDS_OF, parameters)).fetchall()) if ids else {}


def stream_of(change: Changed) -> str:
    """The stream of what changed."""
    return f"{change.kind}:{change.id}"


async def read_message(
    connection: Connection, ledger: tuple[UUID, str], stream: str, position: int, audience: Audience
) -> ChangeMessage | None:
    """What the append that ends at a position changed of a stream; None: nothing may be said of it."""
    ledger_id, name = ledger
    async with snapshot(connection, HISTORIES):
        parameters = {"ledger_id": ledger_id, "position": position - 1}
        before = await (await connection.execute(_APPEND_BEFORE, parameters)).fetchone()
        page = await list_changes(connection, ledger_id, before[0] if before else 0, 1, audience)
    for item in page.items:
        for change in item.changes:
            if item.position == position and stream_of(change) == stream:
                data = ChangeData(
                    ledger=name,
                    position=item.position,
                    recorded_at=item.recorded_at,
                    actor=item.actor,
                    change=change,
                )
                type_ = f"{change.kind}.changed"
                return ChangeMessage(type=type_, timestamp=item.recorded_at, data=data)  # type: ignore[arg-type]
    return None
