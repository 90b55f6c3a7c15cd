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

        A tombstone is taken whatever its kind: of what is gone nobody may know it any more.
        """
        if self.types and self.types.isdisjoint(change.types):
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


async def read_message(
    connection: Connection, ledger: tuple[UUID, str], stream: str, first_position: int, audience: Audience
) -> ChangeMessage | None:
    """What an append changed of a stream, from its event at `first_position` on; None: nothing may be said of it."""
    ledger_id, name = ledger
    async with snapshot(connection, HISTORIES):
        page = await list_changes(connection, ledger_id, first_position - 1, 1, audience)
    for item in page.items:
        for change in item.changes:
            if f"{change.kind}:{change.id}" == stream and first_position in change.positions:
                data = ChangeData(
                    ledger=name,
                    position=item.position,
                    recorded_at=item.recorded_at,
                    actor=item.actor,
                    change=change,
                )
                return ChangeMessage(type=f"{change.kind}.changed", timestamp=item.recorded_at, data=data)  # type: ignore[arg-type]
    return None
