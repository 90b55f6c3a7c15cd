"""Who may do what in a ledger."""

from __future__ import annotations

from litestar import Response, delete, get, put
from litestar.params import JSONBody

from stet.database.pool import of_ledger
from stet.http.access import access_of
from stet.http.answer import NO_STORE
from stet.http.body import StetRequest
from stet.http.paging import Cursor, CursorText, Limit, sign, unsign
from stet.http.routes import LedgerName
from stet.http.routes.keys import AfterEntry, KeyId
from stet.http.service import service_of
from stet.keys.audit import read_audit
from stet.keys.members import read_members, remove_member, set_member
from stet.keys.views import Audit, Members, MemberView, SetMember


@get("/v1/ledgers/{ledger:str}/members", operation_id="listMembers", summary="List the members", tags=["keys"])
async def get_members(
    request: StetRequest, ledger: LedgerName, limit: Limit = 50, cursor: CursorText = None
) -> Response[Members]:
    """By the ids of their keys. The owner of the installation is in no list."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    after = str(unsign(cursor, service.cursor_secret, "members", ledger_id).after) if cursor is not None else ""
    async with of_ledger(service.pool, ledger_id) as connection:
        items, following = await read_members(connection, ledger_id, after, limit)
    text = sign(Cursor("members", ledger_id, None, following), service.cursor_secret) if following else None
    return Response(Members(items, text), headers=NO_STORE)


@put(
    "/v1/ledgers/{ledger:str}/members/{key_id:str}",
    operation_id="setMember",
    summary="Give a key a role",
    tags=["keys"],
    status_code=200,
)
async def put_member(
    request: StetRequest, ledger: LedgerName, key_id: KeyId, data: JSONBody[SetMember]
) -> Response[MemberView]:
    """Makes it a member, or one with another role: at once, in every process."""
    service, access = service_of(request), access_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection:
        shown = await set_member(connection, ledger_id, access.actor, access.role, key_id, data.role)
    return Response(shown, headers=NO_STORE)


@delete(
    "/v1/ledgers/{ledger:str}/members/{key_id:str}",
    operation_id="removeMember",
    summary="Take a key its role",
    tags=["keys"],
    status_code=200,
)
async def delete_member(request: StetRequest, ledger: LedgerName, key_id: KeyId) -> Response[MemberView]:
    """It is no member from here on. Answers with what it was."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection:
        shown = await remove_member(connection, ledger_id, access_of(request).actor, key_id)
    return Response(shown, headers=NO_STORE)


@get("/v1/ledgers/{ledger:str}/audit", operation_id="listLedgerAudit", summary="Read the audit", tags=["keys"])
async def get_ledger_audit(
    request: StetRequest, ledger: LedgerName, limit: Limit = 50, after: AfterEntry = 0
) -> Response[Audit]:
    """What was done to the members of this ledger, in order."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection:
        return Response(await read_audit(connection, ledger_id, after, limit), headers=NO_STORE)


ROUTES = [get_members, put_member, delete_member, get_ledger_audit]
