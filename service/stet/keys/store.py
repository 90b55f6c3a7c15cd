"""Keys in the database. Every change is one transaction with its entry in the audit."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import asdict

from stet.database.pool import Connection
from stet.errors import Forbidden, Malformed, NotFound, Refused
from stet.keys.audit import add_audit
from stet.keys.pepper import agreed_pepper
from stet.keys.roles import Role, reaches
from stet.keys.text import digest_of, new_key, new_key_id
from stet.keys.views import CreateKey, KeyView, MadeKey, RotateKey
from stet.settings import Settings
from stet.sql import load

_ADD_KEY = load("add_key")
_ADD_SECRET = load("add_secret")
_ANY_KEY = load("any_key")
_DROP_SECRETS = load("drop_secrets")
_END_SECRETS = load("end_secrets")
_END_OF_KEY = load("end_of_key")
_HOLD_KEY = load("hold_key")
_READ_KEYS = load("read_keys")
_REVOKE_KEY = load("revoke_key")


async def create_key(
    connection: Connection, settings: Settings, actor: str, own: Role | None, asked: CreateKey
) -> MadeKey:
    """Makes a key. `own` is the highest role of who asks: Forbidden for a key that may more."""
    if not reaches(own, asked.scope):
        raise Forbidden(f"a key makes no key that may more than itself: its scope is {own}, not {asked.scope}")
    if asked.expires_at is not None and not datetime.now(UTC) < asked.expires_at < datetime(9999, 1, 1, tzinfo=UTC):
        raise Malformed.at("expires_at", "must lie in the future, before the year 9999")
    async with connection.transaction():
        ends = await _end_of(connection, actor)
        if ends is not None and (asked.expires_at is None or asked.expires_at > ends):
            raise Forbidden(f"a key makes no key that outlives it: give expires_at, until {ends.isoformat()} at most")
        return await _create(connection, settings, actor, asked)


async def first_key(connection: Connection, settings: Settings) -> str | None:
    """The text of an owner key, where no key was ever made; else None. Of processes that start at once one makes it."""
    async with connection.transaction():
        if await any_key(connection):
            return None
        await agreed_pepper(connection, settings)
        # Whoever else began has waited for the pepper, and is seen from here on.
        if await any_key(connection):
            return None
        return (await _create(connection, settings, "local", CreateKey(name="owner", scope="owner"))).key


async def any_key(connection: Connection) -> bool:
    """Whether a key was ever made."""
    row = await (await connection.execute(_ANY_KEY)).fetchone()
    return bool(row and row[0])


async def rotate_key(
    connection: Connection, settings: Settings, actor: str, asker: str | None, key_id: str, asked: RotateKey
) -> MadeKey:
    """Gives the key another text; the one before is taken for a while yet, and none before that.

    Raises NotFound, or Refused for a key that was revoked or has expired.
    """
    async with connection.transaction():
        known = await hold_key(connection, asker, key_id)
        if known.revoked_at or (known.expires_at and known.expires_at <= datetime.now(UTC)):
            raise Refused(f"the key {key_id} {'was revoked' if known.revoked_at else 'has expired'}: make another")
        pepper = await agreed_pepper(connection, settings)
        text = new_key(key_id)
        await connection.execute(_DROP_SECRETS, {"key_id": key_id})
        await connection.execute(_END_SECRETS, {"key_id": key_id, "overlap_s": asked.overlap_s})
        await connection.execute(_ADD_SECRET, {"key_id": key_id, "digest": digest_of(text, pepper)})
        await add_audit(connection, actor, "key-rotated", key_id, {"overlap_s": asked.overlap_s})
        return MadeKey(**asdict(await read_key(connection, asker, key_id)), key=text)


async def revoke_key(connection: Connection, actor: str, asker: str | None, key_id: str) -> KeyView:
    """Ends the key, at once and for ever. One that was revoked stays as it is. Raises NotFound."""
    async with connection.transaction():
        known = await hold_key(connection, asker, key_id)
        if known.revoked_at is None:
            await connection.execute(_REVOKE_KEY, {"key_id": key_id})
            await add_audit(connection, actor, "key-revoked", key_id, {})
        return await read_key(connection, asker, key_id)


async def read_key(connection: Connection, asker: str | None, key_id: str) -> KeyView:
    """One key, if the asker is it or made it; None asks for any. Raises NotFound."""
    found, _ = await read_keys(connection, asker, "", 1, key_id)
    if not found:
        raise NotFound(f"there is no key {key_id}")
    return found[0]


async def read_keys(
    connection: Connection, asker: str | None, after: str, limit: int, key_id: str | None = None
) -> tuple[list[KeyView], str | None]:
    """A page of the keys that the asker may know of, by id, and the id to go on after."""
    parameters = {"asker": asker, "after": after, "key_id": key_id, "limit": limit + 1}
    rows = await (await connection.execute(_READ_KEYS, parameters)).fetchall()
    views = [KeyView(**dict(zip(KeyView.__struct_fields__, row, strict=True))) for row in rows[:limit]]
    return views, views[-1].key_id if len(rows) > limit else None


async def _create(connection: Connection, settings: Settings, actor: str, asked: CreateKey) -> MadeKey:
    pepper, key_id = await agreed_pepper(connection, settings), new_key_id()
    text = new_key(key_id)
    await connection.execute(_ADD_KEY, asdict(asked) | {"key_id": key_id, "created_by": actor})
    await connection.execute(_ADD_SECRET, {"key_id": key_id, "digest": digest_of(text, pepper)})
    detail = {"name": asked.name, "scope": asked.scope, "expires_at": asked.expires_at}
    await add_audit(connection, actor, "key-created", key_id, detail)
    return MadeKey(**asdict(await read_key(connection, None, key_id)), key=text)


async def _end_of(connection: Connection, key_id: str) -> datetime | None:
    """When a key ends by itself; None: never, or it is none of the database's."""
    row = await (await connection.execute(_END_OF_KEY, {"key_id": key_id})).fetchone()
    end: datetime | None = row[0] if row else None
    return end


async def hold_key(connection: Connection, asker: str | None, key_id: str) -> KeyView:
    """A key that nobody else changes until the transaction ends. Raises NotFound."""
    await connection.execute(_HOLD_KEY, {"key_id": key_id})
    return await read_key(connection, asker, key_id)
