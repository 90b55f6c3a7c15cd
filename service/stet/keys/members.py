"""The members of a ledger. Every change is one transaction with its entry in the audit."""

from __future__ import annotations

from uuid import UUID

from stet.database.pool import Connection
from stet.errors import Forbidden, NotFound, Refused
from stet.keys.audit import add_audit
from stet.keys.roles import MemberRole, Role, reaches
from stet.keys.store import hold_key
from stet.keys.views import MemberView
from stet.sql import load

_READ_MEMBERS = load("read_members")
_REMOVE_MEMBER = load("remove_member")
_SET_MEMBER = load("set_member")


async def set_member(
    connection: Connection, ledger_id: UUID, actor: str, own: Role | None, key_id: str, role: MemberRole
) -> MemberView:
    """Gives a key a role in the ledger. `own` is the role of who asks: Forbidden for a higher one.

    Raises NotFound for a key that is none, Refused for one that is revoked, or whose scope is lower than the role.
    """
    if not reaches(own, role):
        raise Forbidden(f"nobody gives a role above his own: that is {own}, not {role}")
    async with connection.transaction():
        key = await hold_key(connection, None, key_id)
        if key.revoked_at:
            raise Refused(f"the key {key_id} was revoked")
        if not reaches(key.scope, role):
            raise Refused.at("role", f"is higher than the scope of the key, {key.scope}: it could not use it")
        before = await _find(connection, ledger_id, key_id)
        if before is None or before.role != role:
            await connection.execute(_SET_MEMBER, {"ledger_id": ledger_id, "key_id": key_id, "role": role})
            detail = {"before": before.role if before else None, "role": role}
            await add_audit(connection, actor, "member-set", key_id, detail, ledger_id)
    return MemberView(key_id=key_id, name=key.name, role=role, scope=key.scope)


async def remove_member(connection: Connection, ledger_id: UUID, actor: str, key_id: str) -> MemberView:
    """Takes a key its role in the ledger; gives what it was. Raises NotFound."""
    async with connection.transaction():
        await hold_key(connection, None, key_id)
        before = await _find(connection, ledger_id, key_id)
        if before is None:
            raise NotFound(f"the key {key_id} is no member of this ledger")
        await connection.execute(_REMOVE_MEMBER, {"ledger_id": ledger_id, "key_id": key_id})
        await add_audit(connection, actor, "member-removed", key_id, {"before": before.role}, ledger_id)
    return before


async def read_members(
    connection: Connection, ledger_id: UUID, after: str, limit: int, key_id: str | None = None
) -> tuple[list[MemberView], str | None]:
    """A page of the members, by the ids of their keys, and the id to go on after."""
    parameters = {"ledger_id": ledger_id, "after": after, "key_id": key_id, "limit": limit + 1}
    rows = await (await connection.execute(_READ_MEMBERS, parameters)).fetchall()
    views = [MemberView(**dict(zip(MemberView.__struct_fields__, row, strict=True))) for row in rows[:limit]]
    return views, views[-1].key_id if len(rows) > limit else None


async def _find(connection: Connection, ledger_id: UUID, key_id: str) -> MemberView | None:
    found, _ = await read_members(connection, ledger_id, "", 1, key_id)
    return found[0] if found else None
