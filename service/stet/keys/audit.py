"""The audit of keys, members and webhooks: written in the transaction of each change, never changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Raw

from stet.database.pool import Connection
from stet.keys.views import Action, Audit, AuditEntry
from stet.sql import load

_ADD_AUDIT = load("add_audit")
_READ_AUDIT = load("read_audit")


async def add_audit(
    connection: Connection,
    actor: str,
    action: Action,
    subject: str,
    detail: dict[str, Any],
    ledger_id: UUID | None = None,
) -> None:
    """One more entry. `detail` may hold nothing secret."""
    entry = {"actor": actor, "ledger_id": ledger_id, "action": action, "subject": subject}
    await connection.execute(_ADD_AUDIT, entry | {"detail": msgspec.json.encode(detail).decode()})


async def read_audit(connection: Connection, ledger_id: UUID | None, after: int, limit: int) -> Audit:
    """Entries after a position: all, or those about one ledger."""
    cursor = await connection.execute(_READ_AUDIT, {"ledger_id": ledger_id, "after": after, "limit": limit + 1})
    items = [
        AuditEntry(**dict(zip(AuditEntry.__struct_fields__, (*row[:-1], Raw(row[-1].encode())), strict=True)))
        for row in await cursor.fetchall()
    ]
    page = items[:limit]
    return Audit(page, page[-1].position if len(items) > limit else None)
