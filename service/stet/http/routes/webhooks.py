"""Webhooks: who is told what changes, and how that goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, delete, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from stet.database.pool import Connection, of_ledger
from stet.http.access import access_of
from stet.http.answer import NO_STORE
from stet.http.body import StetRequest
from stet.http.paging import Cursor, CursorText, Limit, digest, sign, unsign
from stet.http.routes import LedgerName
from stet.http.service import service_of
from stet.ids import new_id
from stet.keys.audit import add_audit
from stet.keys.views import Action
from stet.webhooks.change import (
    add_secret,
    add_webhook,
    check_url,
    delete_webhook,
    list_attempts,
    list_webhooks,
    ping_webhook,
    replay_webhook,
    revise_webhook,
    view_webhook,
)
from stet.webhooks.queue import AttemptOutcome
from stet.webhooks.webhook import (
    AmendWebhook,
    Attempts,
    CreateWebhook,
    PingView,
    PingWebhook,
    ReplayWebhook,
    ReviseWebhook,
    RotateSecret,
    Webhooks,
    WebhookSecret,
    WebhookView,
)

_PATH = "/v1/ledgers/{ledger:str}/webhooks"
_ONE = _PATH + "/{webhook_id:uuid}"
WebhookId = Annotated[UUID, PathParameter(description="The webhook's id.")]
T = TypeVar("T")


@post(_PATH, operation_id="createWebhook", summary="Create a webhook", tags=["webhooks"], status_code=201)
async def post_webhook(
    request: StetRequest, ledger: LedgerName, data: JSONBody[CreateWebhook]
) -> Response[WebhookSecret]:
    """From here on what changes is sent there, signed with the secret of the answer, which is never shown again.

    What is sent is what you may see, at the moment when it is sent.
    """
    await check_url(data.url, service_of(request).settings.webhook_hosts or ())
    access, webhook_id = access_of(request), new_id()
    change = partial(add_webhook, asked=data, created_by=access.actor, audience=access.audience)
    made = await _changed(request, ledger, "webhook-created", data, webhook_id, change)
    location = f"/v1/ledgers/{ledger}/webhooks/{webhook_id}"
    return Response(made, headers=NO_STORE | {"location": location})


@get(_PATH, operation_id="listWebhooks", summary="List the webhooks", tags=["webhooks"])
async def get_webhooks(request: StetRequest, ledger: LedgerName) -> Response[Webhooks]:
    """All of them, and how they are."""
    ledger_id = await service_of(request).ledger_id(ledger)
    async with of_ledger(service_of(request).pool, ledger_id) as connection:
        return Response(await list_webhooks(connection, ledger_id), headers=NO_STORE)


@get(_ONE, operation_id="getWebhook", summary="Get a webhook", tags=["webhooks"])
async def get_webhook(request: StetRequest, ledger: LedgerName, webhook_id: WebhookId) -> Response[WebhookView]:
    """How far it is, what waits, and, if it is paused, why."""
    ledger_id = await service_of(request).ledger_id(ledger)
    async with of_ledger(service_of(request).pool, ledger_id) as connection:
        return Response(await view_webhook(connection, ledger_id, webhook_id), headers=NO_STORE)


@delete(_ONE, operation_id="deleteWebhook", summary="Delete a webhook", tags=["webhooks"], status_code=200)
async def remove_webhook(request: StetRequest, ledger: LedgerName, webhook_id: WebhookId) -> Response[WebhookView]:
    """With its secrets, with what waits, and with its deliveries. Answers with what it was."""
    shown = await _changed(request, ledger, "webhook-deleted", {}, webhook_id, delete_webhook)
    return Response(shown, headers=NO_STORE)


@post(_ONE + "/revisions", operation_id="reviseWebhook", summary="Change a webhook", tags=["webhooks"], status_code=200)
async def post_revision(
    request: StetRequest, ledger: LedgerName, webhook_id: WebhookId, data: JSONBody[ReviseWebhook]
) -> Response[WebhookView]:
    """Pauses it, lets it go on where it stood, or gives it another address or other filters."""
    if isinstance(data, AmendWebhook) and data.url is not None:
        await check_url(data.url, service_of(request).settings.webhook_hosts or ())
    access = access_of(request)
    change = partial(revise_webhook, asked=data, actor=access.actor, audience=access.audience)
    shown = await _changed(request, ledger, "webhook-revised", data, webhook_id, change)
    return Response(shown, headers=NO_STORE)


@post(
    _ONE + "/secrets",
    operation_id="rotateSecret",
    summary="Give a webhook another secret",
    tags=["webhooks"],
    status_code=201,
)
async def post_secret(
    request: StetRequest, ledger: LedgerName, webhook_id: WebhookId, data: JSONBody[RotateSecret]
) -> Response[WebhookSecret]:
    """For a while messages are signed with those before it, too, so that none is lost until the receiver has it."""
    made = await _changed(
        request, ledger, "webhook-secret-added", data, webhook_id, partial(add_secret, overlap_s=data.overlap_s)
    )
    return Response(made, headers=NO_STORE)


@post(
    _ONE + "/replays",
    operation_id="replayWebhook",
    summary="Send again from a position",
    tags=["webhooks"],
    status_code=200,
)
async def post_replay(
    request: StetRequest, ledger: LedgerName, webhook_id: WebhookId, data: JSONBody[ReplayWebhook]
) -> Response[WebhookView]:
    """Everything behind a position is sent, though it was before; a position ahead leaves out what is before it."""
    shown = await _changed(
        request, ledger, "webhook-replayed", data, webhook_id, partial(replay_webhook, after=data.after)
    )
    return Response(shown, headers=NO_STORE)


@post(_ONE + "/tests", operation_id="testWebhook", summary="Send a test", tags=["webhooks"], status_code=202)
async def post_test(
    request: StetRequest, ledger: LedgerName, webhook_id: WebhookId, data: JSONBody[PingWebhook]
) -> Response[PingView]:
    """One message of the type `webhook.test`, tried once: the deliveries say how it went."""
    shown = await _changed(request, ledger, "webhook-tested", {}, webhook_id, ping_webhook)
    return Response(shown, headers=NO_STORE)


@get(_ONE + "/deliveries", operation_id="listDeliveries", summary="How did the deliveries go?", tags=["webhooks"])
async def get_deliveries(
    request: StetRequest,
    ledger: LedgerName,
    webhook_id: WebhookId,
    outcome: Annotated[AttemptOutcome | None, QueryParameter(description="Only attempts that ended so.")] = None,
    limit: Limit = 100,
    cursor: CursorText = None,
) -> Response[Attempts]:
    """Every attempt of the last 30 days, the last first: when, how it ended, how long it took, and what comes."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    what = digest("deliveries", str(webhook_id), outcome)
    before = UUID(unsign(cursor, service.cursor_secret, what, ledger_id).after) if cursor else None
    async with of_ledger(service.pool, ledger_id) as connection:
        items = await list_attempts(connection, ledger_id, webhook_id, outcome, before, limit + 1)
    following = None
    if len(items) > limit:
        items = items[:limit]
        following = sign(Cursor(what, ledger_id, None, str(items[-1].attempt_id)), service.cursor_secret)
    return Response(Attempts(items=items, next_cursor=following), headers=NO_STORE)


async def _changed(
    request: StetRequest,
    ledger: str,
    action: Action,
    asked: Any,
    webhook_id: UUID,
    change: Callable[[Connection, UUID, UUID], Awaitable[T]],
) -> T:
    """What a change of a webhook gives, in a transaction with its entry in the audit; whoever sends is woken."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, connection.transaction():
        made = await change(connection, ledger_id, webhook_id)
        detail = msgspec.to_builtins(asked)
        await add_audit(connection, access_of(request).actor, action, str(webhook_id), detail, ledger_id)
    service.doorbell.ring()
    return made


ROUTES = [
    *(post_webhook, get_webhooks, get_webhook, remove_webhook, post_revision, post_secret, post_replay, post_test),
    get_deliveries,
]
