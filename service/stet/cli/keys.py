"""`stet keys`: keys, made and ended on the database itself, by whoever may reach it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import click
import msgspec

from stet.cli.database import database
from stet.cli.terminal import run, say, settings_or_exit
from stet.database.pool import Connection, Pool, make_pool, of_ledger
from stet.errors import Malformed, NotFound
from stet.keys.members import set_member
from stet.keys.roles import ROLES, MemberRole, Role
from stet.keys.store import create_key, read_keys, revoke_key, rotate_key
from stet.keys.views import CreateKey, KeyView, MadeKey, RotateKey
from stet.queries.cut import parse_said_by
from stet.settings import Settings
from stet.store.read import find_ledger

T = TypeVar("T")
_ACTOR = "local"
_PAGE = 1000


@click.group("keys")
def keys() -> None:
    """Make, list, rotate and revoke keys, on the database itself: no key is needed."""


@keys.command("create")
@click.option("--name", required=True, help="For those who read the list of keys.")
@click.option("--scope", required=True, type=click.Choice(ROLES), help="The highest role that the key may use.")
@click.option("--ledger", "ledgers", multiple=True, help="Make it a member of this ledger, with the role of its scope.")
@click.option("--expires", help="When it ends: an RFC 3339 instant, or a date (its end); default: never.")
def create(name: str, scope: Role, ledgers: tuple[str, ...], expires: str | None) -> None:
    """Make a key, and print it: this once. The owner of the installation is in no ledger's list of members."""
    settings = settings_or_exit()

    role: MemberRole | None = None if scope == "owner" else scope

    async def act(pool: Pool) -> MadeKey:
        asked = _asked(name, scope, expires)
        ids: list[UUID] = []
        async with pool.connection() as connection:
            for ledger in ledgers:
                if (id_ := await find_ledger(connection, ledger)) is None:
                    raise NotFound(f"there is no ledger {ledger}")
                ids.append(id_)
            made = await create_key(connection, settings, _ACTOR, "owner", asked)
        for id_ in ids:
            assert role
            async with of_ledger(pool, id_) as connection:
                await set_member(connection, id_, _ACTOR, "owner", made.key_id, role)
        return made

    def body() -> None:
        if role is None and ledgers:
            raise Malformed.at("--ledger", "goes with no owner, who may do everything in every ledger as it is")
        _show(_with_pool(settings, act))

    run(body)


def _asked(name: str, scope: Role, expires: str | None) -> CreateKey:
    until = parse_said_by(expires, "--expires") if expires else None
    try:
        return msgspec.convert({"name": name, "scope": scope, "expires_at": until}, CreateKey)
    except msgspec.ValidationError as error:
        raise Malformed.at("--name", "must be one line of at most 500 characters, not blank") from error


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each key.")
def list_(as_json: bool) -> None:
    """List all keys, those that ended, too."""
    settings = settings_or_exit()

    async def act(pool: Pool) -> list[KeyView]:
        found: list[KeyView] = []
        after: str | None = ""
        async with pool.connection() as connection:
            while after is not None:
                page, after = await read_keys(connection, None, after, _PAGE)
                found += page
        return found

    def body() -> None:
        for key in _with_pool(settings, act):
            print(msgspec.json.encode(key).decode() if as_json else _line(key))

    run(body)


@keys.command("rotate")
@click.argument("key_id")
@click.option(
    "--overlap",
    default=86_400,
    show_default=True,
    type=click.IntRange(0, 2_592_000),
    help="For how many seconds the text before is still taken.",
)
def rotate(key_id: str, overlap: int) -> None:
    """Give the key KEY_ID another text, and print it: this once."""
    settings = settings_or_exit()
    asked = RotateKey(overlap_s=overlap)
    run(lambda: _show(_with_connection(settings, lambda one: rotate_key(one, settings, _ACTOR, None, key_id, asked))))


@keys.command("revoke")
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """End the key KEY_ID, at once and for ever."""
    settings = settings_or_exit()
    run(lambda: print(_line(_with_connection(settings, lambda one: revoke_key(one, _ACTOR, None, key_id)))))


def _with_pool(settings: Settings, act: Callable[[Pool], Awaitable[T]]) -> T:
    async def acting(url: str) -> T:
        async with make_pool(url, settings) as pool:
            return await act(pool)

    with database(settings) as url:
        return asyncio.run(acting(url))


def _with_connection(settings: Settings, act: Callable[[Connection], Awaitable[T]]) -> T:
    async def acting(pool: Pool) -> T:
        async with pool.connection() as connection:
            return await act(connection)

    return _with_pool(settings, acting)


def _show(made: MadeKey) -> None:
    say(f"{_line(made)}\nThis is its text. It is shown this once, and stored nowhere:")
    print(made.key)


def _line(key: KeyView) -> str:
    ended = "revoked" if key.revoked_at else "expired" if key.expires_at and key.expires_at <= datetime.now(UTC) else ""
    used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
    until = f", until {key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else ""
    return f"{key.key_id}  {key.scope:<11}  {key.name}{until}, used {used}{', ' + ended if ended else ''}"
