"""Ledgers and their attributes."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Struct
from msgspec.structs import asdict

from stet.database.pool import of_ledger, snapshot
from stet.envelope import Cut
from stet.errors import NameTaken, NotFound
from stet.handle import Context, Outcome, handle
from stet.handle.ledger import change_ledger
from stet.http.access import access_of
from stet.http.answer import answer, written
from stet.http.body import StetRequest
from stet.http.conditions import context_of, refuse_if_match
from stet.http.memento import memento_headers
from stet.http.paging import Cursor, CursorText, Limit, sign, unsign
from stet.http.routes import AcceptDatetime, AsOfText, IdempotencyKey, IfMatch, IfNoneMatch, LedgerName, asked, at
from stet.http.service import Service, service_of
from stet.ids import new_id
from stet.ledger.attributes import Attribute
from stet.ledger.commands import AmendLedger, CreateLedger, DefineAttribute, LedgerCommand
from stet.ledger.view import AttributeView, LedgerView, attribute_view
from stet.queries.many import Ledgers, list_ledgers
from stet.queries.mementos import around, negotiated
from stet.queries.one import ledger_at, view_ledger
from stet.store.read import find_ledger


class Attributes(Struct, frozen=True):
    """Every attribute that a claim in this ledger may name."""

    items: list[AttributeView]
    cut: Cut


class AttributeAnswer(AttributeView, frozen=True, kw_only=True):
    """One attribute at a cut."""

    cut: Cut


@post("/v1/ledgers", operation_id="createLedger", summary="Create a ledger", tags=["ledgers"])
async def create_ledger(
    request: StetRequest, data: JSONBody[CreateLedger], idempotency_key: IdempotencyKey = None
) -> Response[LedgerView]:
    """One independent, totally ordered log with its own sources, documents, incidents and attributes."""
    refuse_if_match(request)
    service, context = service_of(request), await context_of(request)
    try:
        outcome = await _create(service, data, context)
    except NameTaken:
        # Perhaps by this very request, sent twice at the same time.
        outcome = await _create(service, data, context)
    return await _show(request, service, data.name, outcome)


@get("/v1/ledgers", operation_id="listLedgers", summary="List the ledgers", tags=["ledgers"])
async def get_ledgers(
    request: StetRequest, limit: Limit = 50, cursor: CursorText = None, if_none_match: IfNoneMatch = None
) -> Response[Ledgers]:
    """Those that the key may read, by name; without one, those that are public."""
    service, access = service_of(request), access_of(request)
    after = unsign(cursor, service.cursor_secret, "ledgers", None).after if cursor is not None else ""
    items, following = await list_ledgers(service.pool, str(after), limit, access.actor, access.role)
    text = sign(Cursor("ledgers", None, None, following), service.cursor_secret) if following else None
    return answer(request, Ledgers(items, text), 0)


@get("/v1/ledgers/{ledger:str}", operation_id="getLedger", summary="Get a ledger", tags=["ledgers"])
async def get_ledger(
    request: StetRequest, ledger: LedgerName, as_of: AsOfText = None, if_none_match: IfNoneMatch = None
) -> Response[LedgerView]:
    """One ledger, as of any moment since it was created."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection:
        cut, view = await view_ledger(connection, ledger_id, asked(request, as_of))
    return answer(request, view, view.version, cut)


@post("/v1/ledgers/{ledger:str}/revisions", operation_id="reviseLedger", summary="Revise a ledger", tags=["ledgers"])
async def revise_ledger(
    request: StetRequest,
    ledger: LedgerName,
    data: JSONBody[AmendLedger],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[LedgerView]:
    """Changes its title, or whether anybody may read it. Its name is for ever."""
    service = service_of(request)
    outcome = await _change(request, service, ledger, data, f"/v1/ledgers/{ledger}")
    return await _show(request, service, ledger, outcome)


@post(
    "/v1/ledgers/{ledger:str}/attributes",
    operation_id="defineAttribute",
    summary="Define an attribute",
    tags=["attributes"],
)
async def define_attribute(
    request: StetRequest,
    ledger: LedgerName,
    data: JSONBody[DefineAttribute],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[AttributeAnswer]:
    """Adds a typed slot with a resolution rule. Neither can change later: another rule is another attribute."""
    service = service_of(request)
    outcome = await _change(request, service, ledger, data, f"/v1/ledgers/{ledger}/attributes/{data.name}")
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection:
        cut, state = await ledger_at(connection, ledger_id, at(request, outcome))
    shown = _attribute(state.attributes[outcome.location.rpartition("/")[2]], cut.of(state.position, state.updated_at))
    return written(shown, state.version, cut, status=outcome.status, location=outcome.location)


@get(
    "/v1/ledgers/{ledger:str}/attributes",
    operation_id="listAttributes",
    summary="List the attributes",
    tags=["attributes"],
)
async def get_attributes(
    request: StetRequest,
    ledger: LedgerName,
    as_of: AsOfText = None,
    accept_datetime_: AcceptDatetime = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Attributes]:
    """The built-in ones, then those that the ledger defined."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection):
        moment = await negotiated(connection, ledger_id, None, asked(request, as_of, accept_datetime_))
        cut, state = await ledger_at(connection, ledger_id, moment)
        mementos = await around(connection, ledger_id, None, cut.position, cut.audience)
    headers = memento_headers(request, mementos, asked=cut.as_of is not None)
    items = [attribute_view(attribute) for attribute in state.attributes.values()]
    shown = Attributes(items, cut.of(state.position, state.updated_at))
    return answer(request, shown, state.version, cut, headers=headers)


@get(
    "/v1/ledgers/{ledger:str}/attributes/{name:str}",
    operation_id="getAttribute",
    summary="Get an attribute",
    tags=["attributes"],
)
async def get_attribute(
    request: StetRequest,
    ledger: LedgerName,
    name: Annotated[str, PathParameter(description="The attribute's name.", pattern="^[a-z][a-z0-9_]*$")],
    as_of: AsOfText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[AttributeAnswer]:
    """One attribute, built in or defined by the ledger."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection:
        cut, state = await ledger_at(connection, ledger_id, asked(request, as_of))
    if name not in state.attributes:
        raise NotFound(f"the ledger has no attribute {name}")
    shown = _attribute(state.attributes[name], cut.of(state.position, state.updated_at))
    return answer(request, shown, state.version, cut)


async def _create(service: Service, data: CreateLedger, context: Context) -> Outcome:
    async with service.pool.connection() as connection:
        # A name that exists leads to the ledger that has it, whose idempotency keys may hold this request.
        known = await find_ledger(connection, data.name)
    ledger_id = known or new_id()
    decide = change_ledger(data, ledger_id, f"/v1/ledgers/{data.name}")
    name = None if known else data.name
    return await handle(service.pool, service.log, ledger_id, None, decide, context, name)


async def _change(
    request: StetRequest, service: Service, ledger: str, command: LedgerCommand, location: str
) -> Outcome:
    context = await context_of(request)
    ledger_id = await service.ledger_id(ledger)
    decide = change_ledger(command, ledger_id, location)
    return await handle(service.pool, service.log, ledger_id, f"ledger:{ledger_id}", decide, context)


async def _show(request: StetRequest, service: Service, ledger: str, outcome: Outcome) -> Response[LedgerView]:
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection:
        cut, view = await view_ledger(connection, ledger_id, at(request, outcome))
    return written(view, view.version, cut, status=outcome.status, location=outcome.location)


def _attribute(attribute: Attribute, cut: Cut) -> AttributeAnswer:
    return AttributeAnswer(**asdict(attribute_view(attribute)), cut=cut)


ROUTES = [
    create_ledger,
    get_ledgers,
    get_ledger,
    revise_ledger,
    define_attribute,
    get_attributes,
    get_attribute,
]
