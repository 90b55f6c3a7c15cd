"""Keys, and the audit of what was done to them. A key is shown itself and those that it made; the owner, all."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, delete, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from stet.database.pool import across_ledgers
from stet.errors import Forbidden
from stet.http.access import access_of
from stet.http.answer import NO_STORE
from stet.http.body import StetRequest
from stet.http.paging import Cursor, CursorText, Limit, sign, unsign
from stet.http.service import service_of
from stet.keys.audit import read_audit
from stet.keys.store import create_key, read_key, read_keys, revoke_key, rotate_key
from stet.keys.views import Audit, CreateKey, Keys, KeyView, MadeKey, RotateKey

KeyId = Annotated[str, PathParameter(description="The key's id.", pattern="^[a-z2-7]{16}$")]
AfterEntry = Annotated[
    int, QueryParameter(name="after", ge=0, le=2**62, description="A position of the audit: what is behind it.")
]


@post("/v1/keys", operation_id="createKey", summary="Make a key", tags=["keys"])
async def post_key(request: StetRequest, data: JSONBody[CreateKey]) -> Response[MadeKey]:
    """Its text is in this answer, and nowhere else. It may not do more than the key that makes it."""
    service, access = service_of(request), access_of(request)
    async with service.pool.connection() as connection:
        shown = await create_key(connection, service.settings, access.actor, access.role, data)
    return Response(shown, headers=NO_STORE | {"location": f"/v1/keys/{shown.key_id}"})


@get("/v1/keys", operation_id="listKeys", summary="List the keys", tags=["keys"])
async def get_keys(request: StetRequest, limit: Limit = 50, cursor: CursorText = None) -> Response[Keys]:
    """By their ids, those that were revoked, too."""
    service, access = service_of(request), access_of(request)
    after = str(unsign(cursor, service.cursor_secret, "keys", None).after) if cursor is not None else ""
    async with service.pool.connection() as connection:
        items, following = await read_keys(connection, access.asker, after, limit)
    text = sign(Cursor("keys", None, None, following), service.cursor_secret) if following else None
    return Response(Keys(items, text), headers=NO_STORE)


@get("/v1/keys/{key_id:str}", operation_id="getKey", summary="Get a key", tags=["keys"])
async def get_key(request: StetRequest, key_id: KeyId) -> Response[KeyView]:
    """What it may, who made it, when it was last used."""
    async with service_of(request).pool.connection() as connection:
        return Response(await read_key(connection, access_of(request).asker, key_id), headers=NO_STORE)


@delete("/v1/keys/{key_id:str}", operation_id="revokeKey", summary="Revoke a key", tags=["keys"], status_code=200)
async def delete_key(request: StetRequest, key_id: KeyId) -> Response[KeyView]:
    """At once, in every process, and for ever. What it has recorded stays."""
    access = access_of(request)
    async with service_of(request).pool.connection() as connection:
        shown = await revoke_key(connection, access.actor, access.asker, key_id)
    return Response(shown, headers=NO_STORE)


@post("/v1/keys/{key_id:str}/rotations", operation_id="rotateKey", summary="Rotate a key", tags=["keys"])
async def post_rotation(request: StetRequest, key_id: KeyId, data: JSONBody[RotateKey]) -> Response[MadeKey]:
    """Gives it another text, shown in this answer only. A key rotates itself; the owner, any.

    Who made a key cannot, or he would come by what others have since let it do.
    """
    service, access = service_of(request), access_of(request)
    async with service.pool.connection() as connection:
        shown = await read_key(connection, access.asker, key_id)
        if access.asker not in (None, shown.key_id):
            raise Forbidden("this takes the role owner: a key rotates no key but itself")
        made = await rotate_key(connection, service.settings, access.actor, access.asker, key_id, data)
    return Response(made, headers=NO_STORE | {"location": f"/v1/keys/{key_id}"})


@get("/v1/audit", operation_id="listAudit", summary="Read the audit", tags=["keys"])
async def get_audit(request: StetRequest, limit: Limit = 50, after: AfterEntry = 0) -> Response[Audit]:
    """What was done to keys, and to the members of all ledgers, in order."""
    async with service_of(request).pool.connection() as connection, connection.transaction():
        await across_ledgers(connection)
        return Response(await read_audit(connection, None, after, limit), headers=NO_STORE)


ROUTES = [post_key, get_keys, get_key, delete_key, post_rotation, get_audit]
