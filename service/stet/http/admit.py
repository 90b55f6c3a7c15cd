"""The one place where it is decided who may ask what. Every request under /v1 passes it, before anything is read."""

from __future__ import annotations

import hmac
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import NamedTuple
from uuid import UUID

from stet.database.finish import finished
from stet.database.pool import Connection, of_ledger
from stet.envelope import Audience
from stet.errors import Forbidden, NotFound, RateLimited, Unauthenticated
from stet.http.access import EVERYBODY, LEAST, NOBODY, Access, access_of
from stet.http.body import StetRequest
from stet.http.door import Door
from stet.http.service import Service, service_of
from stet.keys.roles import Role, lesser, reaches
from stet.keys.text import digest_of, key_id_of
from stet.sql import load

_ASK_KEY = load("ask_key")
_NOTE_USE = load("note_use")
_NO_DIGEST = bytes(32)


class _Found(NamedTuple):
    """What the database says of a key and of a ledger."""

    scope: Role | None
    expired: bool | None
    revoked: bool
    unused: bool
    """It was not used in this minute."""
    digests: list[bytes] | None
    live: list[bool] | None
    role: Role | None
    public: bool


async def admit(request: StetRequest) -> None:
    """Finds who asks, and counts the request. Raises what keeps him from what he asks for.

    Unauthenticated without a key, or with a bad one; NotFound for a ledger that he may not read, as for one that is
    not there; Forbidden for what takes a higher role; RateLimited.
    """
    if not request.scope["path"].startswith("/v1/") or request.method == "OPTIONS":
        return
    service = service_of(request)
    if service.door.keyless:
        request.scope["state"]["access"] = EVERYBODY
        _check_role(request, EVERYBODY, public=False)
        return
    address = request.client.host if request.client else ""
    try:
        access, public = await _identify(request, service)
    except Unauthenticated:
        if not service.door.failures.take(address).allowed:
            raise RateLimited("too many bad keys from this address: wait", service.door.failures.wait_s) from None
        raise
    left = service.door.requests.take(f"address {address}" if access is NOBODY else access.actor)
    request.scope["state"]["limit"] = left
    if not left.allowed:
        raise RateLimited("too many requests: wait", service.door.requests.wait_s)
    _check_role(request, access, public=public)
    request.scope["state"]["access"] = access


async def while_admitted(request: StetRequest, pieces: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """An answer that goes on and on, for as long as whoever asked may read it as he did at first."""
    service, before = service_of(request), access_of(request)
    async with aclosing(pieces):
        async for piece in pieces:
            if not service.door.keyless:
                try:
                    access, public = await finished(_identify(request, service))
                    _check_role(request, access, public=public)
                except (Unauthenticated, NotFound, Forbidden):
                    return
                if access.audience != before.audience:
                    return
            yield piece


async def _identify(request: StetRequest, service: Service) -> tuple[Access, bool]:
    """Who asks, and whether anybody may read the ledger that he asks for. Raises Unauthenticated for a bad key."""
    text = _bearer(request)
    access = service.door.owner_of(text) if text is not None else None
    if access:
        return access, False
    key_id = key_id_of(text) if text is not None else None
    if text is not None and key_id is None:
        raise Unauthenticated(
            "this is no key: it is stet_, an id, a secret and a checksum, and something in it is wrong"
        )
    ledger_id = await _ledger_id(service, request.path_params.get("ledger"))
    if ledger_id is None and key_id is None:
        return NOBODY, False
    if ledger_id is None:
        async with service.pool.connection() as connection:
            found = await _ask(connection, service.door, key_id, text, None)
    else:
        async with of_ledger(service.pool, ledger_id) as connection:
            found = await _ask(connection, service.door, key_id, text, ledger_id)
    if key_id is None or found.scope is None:
        return NOBODY, found.public
    role: Role | None = found.scope
    if "ledger" in request.path_params and found.scope != "owner":
        role = lesser(found.role, found.scope) if found.role else None
    audience: Audience = "member" if role and ledger_id else "public"
    return Access(actor=key_id, audience=audience, role=role), found.public


def _bearer(request: StetRequest) -> str | None:
    """The key that the request shows; None: it shows none."""
    given = request.headers.getall("authorization", [])
    if not given:
        return None
    scheme, _, text = given[0].strip().partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not text.isascii():
        raise Unauthenticated("the header Authorization must be Bearer and a key")
    return text.strip()


async def _ledger_id(service: Service, name: str | None) -> UUID | None:
    if name is None:
        return None
    try:
        return await service.ledger_id(name)
    except NotFound:
        return None


async def _ask(
    connection: Connection, door: Door, key_id: str | None, text: str | None, ledger_id: UUID | None
) -> _Found:
    """Raises Unauthenticated for a bad key: for one that is not there by the same words and work as for a wrong one."""
    row = await (await connection.execute(_ASK_KEY, {"key_id": key_id, "ledger_id": ledger_id})).fetchone()
    assert row
    found = _Found(*row)
    if text is None:
        return found
    digest = digest_of(text, door.pepper())
    live = None
    # Two comparisons, whether there are two texts, one, or no such key.
    for kept, taken in zip(
        [*(found.digests or ()), _NO_DIGEST, _NO_DIGEST][:2], [*(found.live or ()), False, False], strict=False
    ):
        if hmac.compare_digest(kept, digest):
            live = taken
    if live is None:
        raise Unauthenticated("there is no such key")
    if found.revoked:
        raise Unauthenticated("this key was revoked")
    if found.expired:
        raise Unauthenticated("this key has expired")
    if not live:
        raise Unauthenticated("this key was given another text, and the time of this one is over")
    if found.unused:
        await connection.execute(_NOTE_USE, {"key_id": key_id})
    return found


def _check_role(request: StetRequest, access: Access, *, public: bool) -> None:
    """Raises what keeps him who asks from this operation."""
    ledger = request.path_params.get("ledger")
    if ledger is not None and access.role is None and not public:
        raise NotFound(f"there is no ledger {ledger}")
    least = LEAST.get(str(request.route_handler.operation_id))
    if least is None:
        raise Forbidden("nobody has said who may do this: that is an error of this service")
    if least == "anybody" or (least == "public" and (public or access.role)):
        return
    if access is NOBODY:
        raise Unauthenticated("this takes a key: send it as Authorization: Bearer KEY")
    require_role(request, access, "reader" if least == "public" else least)


def require_role(request: StetRequest, access: Access, least: Role) -> None:
    """Raises Forbidden for whoever has less than a role: also for what only some of an operation's bodies take."""
    if not reaches(access.role, least):
        ledger = request.path_params.get("ledger")
        where = f" in the ledger {ledger}" if ledger is not None else ""
        raise Forbidden(f"this takes the role {least}{where}; the key has {access.role or 'none'}")
