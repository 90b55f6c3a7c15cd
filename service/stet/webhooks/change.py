"""What is asked of webhooks, done; and how they are."""

from __future__ import annotations

from typing import Any, assert_never
from uuid import UUID

import msgspec

from stet.codec import EVENTS
from stet.database.pool import Connection
from stet.envelope import Audience
from stet.errors import FieldError, Malformed, NotFound, Refused
from stet.ids import new_id
from stet.queries.changes import head_of
from stet.sql import load
from stet.webhooks.address import NotAllowed, addresses_of, parse_target
from stet.webhooks.queue import AttemptOutcome, pause_webhook
from stet.webhooks.signing import message_id, new_secret, text_of
from stet.webhooks.webhook import (
    MOST,
    AmendWebhook,
    AttemptView,
    CreateWebhook,
    PauseWebhook,
    PingView,
    ResumeWebhook,
    ReviseWebhook,
    SecretView,
    Webhooks,
    WebhookSecret,
    WebhookView,
)

_ADD_WEBHOOK = load("add_webhook")
_ADD_SECRET = load("add_webhook_secret")
_AMEND_WEBHOOK = load("amend_webhook")
_LIST_WEBHOOKS = load("list_webhooks")
_LIST_ATTEMPTS = load("list_attempts")
_REPLAY_WEBHOOK = load("replay_webhook")
_RESUME_WEBHOOK = load("resume_webhook")
_ADD_TEST = load("add_test")
_LOOKUP_S = 2.0
_SET = ("url", "description", "kinds", "incidents", "types")


async def check_url(url: str, allowed_hosts: tuple[str, ...]) -> None:
    """Raises Malformed, naming `url`, for what will not be sent to. It is checked again whenever something is sent.

    A name that has no address yet is taken: it may get one.
    """
    target = parse_target(url, allowed_hosts)
    try:
        await addresses_of(target, _LOOKUP_S)
    except NotAllowed as error:
        raise Malformed.at("url", f"nothing is sent there: {error}") from error
    except (OSError, TimeoutError):
        pass


async def add_webhook(
    connection: Connection,
    ledger_id: UUID,
    webhook_id: UUID,
    asked: CreateWebhook,
    created_by: str,
    audience: Audience,
) -> WebhookSecret:
    """A webhook from the end of the log on, and its secret. Its address was checked.

    Raises Malformed for a type of event that there is not, Refused where the ledger has 100 already.
    """
    _check_types(asked.types)
    parameters = _filters(asked) | {
        "ledger_id": ledger_id,
        "webhook_id": webhook_id,
        "url": asked.url,
        "description": asked.description,
        "audience": audience,
        "created_by": created_by,
        "most": MOST,
    }
    if (await connection.execute(_ADD_WEBHOOK, parameters)).rowcount == 0:
        raise Refused(f"a ledger has {MOST} webhooks at most: delete one that is not needed")
    return await add_secret(connection, ledger_id, webhook_id, 0)


async def add_secret(connection: Connection, ledger_id: UUID, webhook_id: UUID, overlap_s: int) -> WebhookSecret:
    """A further secret, for this once to be seen; those before it are valid for so long yet. Raises NotFound."""
    await view_webhook(connection, ledger_id, webhook_id)
    secret = new_secret()
    parameters = {
        "ledger_id": ledger_id,
        "webhook_id": webhook_id,
        "secret_id": new_id(),
        "secret": secret,
        "overlap": overlap_s,
    }
    await connection.execute(_ADD_SECRET, parameters)
    return WebhookSecret(webhook=await view_webhook(connection, ledger_id, webhook_id), secret=text_of(secret))


async def revise_webhook(
    connection: Connection, ledger_id: UUID, webhook_id: UUID, asked: ReviseWebhook, actor: str, audience: Audience
) -> WebhookView:
    """The webhook, paused, resumed or amended. An address was checked. Raises NotFound, Malformed.

    Whoever resumes it answers for it from then on: it sends what he may see.
    """
    key = {"ledger_id": ledger_id, "webhook_id": webhook_id}
    before = await view_webhook(connection, ledger_id, webhook_id)
    match asked:
        case PauseWebhook(reason=reason):
            await pause_webhook(connection, ledger_id, webhook_id, reason)
        case ResumeWebhook():
            await connection.execute(_RESUME_WEBHOOK, key | {"created_by": actor, "audience": audience})
        case AmendWebhook():
            _check_types(asked.types or ())
            given = {name: value for name, value in msgspec.structs.asdict(asked).items() if value is not None}
            merged = CreateWebhook(**{name: given.get(name, getattr(before, name)) for name in _SET})
            changed = _filters(merged) | {"url": merged.url, "description": merged.description}
            await connection.execute(_AMEND_WEBHOOK, key | changed)
        case _:
            assert_never(asked)
    return await view_webhook(connection, ledger_id, webhook_id)


async def replay_webhook(connection: Connection, ledger_id: UUID, webhook_id: UUID, after: int) -> WebhookView:
    """The webhook, which goes on behind a position. Raises NotFound, also where the log has not reached it."""
    await view_webhook(connection, ledger_id, webhook_id)
    await head_of(connection, ledger_id, after)
    await connection.execute(_REPLAY_WEBHOOK, {"ledger_id": ledger_id, "webhook_id": webhook_id, "after": after})
    return await view_webhook(connection, ledger_id, webhook_id)


async def ping_webhook(connection: Connection, ledger_id: UUID, webhook_id: UUID) -> PingView:
    """Lets a message that tells of nothing wait. Raises NotFound, and Refused for a webhook that is paused."""
    if (await view_webhook(connection, ledger_id, webhook_id)).state == "paused":
        raise Refused("the webhook is paused, so nothing is sent: resume it first")
    stream = f"test:{new_id()}"
    await connection.execute(_ADD_TEST, {"ledger_id": ledger_id, "webhook_id": webhook_id, "stream": stream})
    return PingView(message_id=message_id(webhook_id, stream, 0))


async def delete_webhook(connection: Connection, ledger_id: UUID, webhook_id: UUID) -> WebhookView:
    """The webhook as it was, with its secrets, what waits, and its deliveries gone. Raises NotFound."""
    shown = await view_webhook(connection, ledger_id, webhook_id)
    key = {"ledger_id": ledger_id, "webhook_id": webhook_id}
    await connection.execute(
        "DELETE FROM stet.webhook WHERE ledger_id = %(ledger_id)s AND webhook_id = %(webhook_id)s", key
    )
    return shown


async def view_webhook(connection: Connection, ledger_id: UUID, webhook_id: UUID) -> WebhookView:
    """A webhook. Raises NotFound."""
    found = await _views(connection, ledger_id, webhook_id)
    if not found:
        raise NotFound(f"there is no webhook {webhook_id}")
    return found[0]


async def list_webhooks(connection: Connection, ledger_id: UUID) -> Webhooks:
    """All webhooks of a ledger."""
    return Webhooks(await _views(connection, ledger_id, None))


async def list_attempts(
    connection: Connection,
    ledger_id: UUID,
    webhook_id: UUID,
    outcome: AttemptOutcome | None,
    before: UUID | None,
    limit: int,
) -> list[AttemptView]:
    """Attempts before one, the last first. Raises NotFound where there is no such webhook."""
    await view_webhook(connection, ledger_id, webhook_id)
    parameters = {
        "ledger_id": ledger_id,
        "webhook_id": webhook_id,
        "outcome": outcome,
        "before": before,
        "limit": limit,
    }
    rows = await (await connection.execute(_LIST_ATTEMPTS, parameters)).fetchall()
    return [
        AttemptView(
            attempt_id=row[0],
            message_id=message_id(webhook_id, row[1], row[2]),
            stream=row[1],
            position=row[2],
            attempt=row[3],
            tried_at=row[4],
            outcome=row[5],
            status=row[6],
            ms=row[7],
            error=row[8],
            excerpt=row[9],
            next_try_at=row[10],
        )
        for row in rows
    ]


async def _views(connection: Connection, ledger_id: UUID, webhook_id: UUID | None) -> list[WebhookView]:
    parameters = {"ledger_id": ledger_id, "webhook_id": webhook_id}
    rows = await (await connection.execute(_LIST_WEBHOOKS, parameters)).fetchall()
    return [_view(row) for row in rows]


def _view(row: tuple[Any, ...]) -> WebhookView:
    return WebhookView(
        webhook_id=row[0],
        url=row[1],
        description=row[2],
        kinds=tuple(row[3]),
        incidents=tuple(row[4]),
        types=tuple(row[5]),
        audience=row[6],
        created_by=row[7],
        created_at=row[8],
        state="paused" if row[9] else "active",
        paused_at=row[9],
        paused_reason=row[10],
        position=row[11],
        head=row[12],
        waiting=row[13],
        failing_since=row[14],
        secrets=tuple(msgspec.json.decode(row[15] or "[]", type=list[SecretView])),
    )


def _filters(asked: CreateWebhook) -> dict[str, Any]:
    return {"kinds": list(asked.kinds), "incidents": list(asked.incidents), "types": list(asked.types)}


def _check_types(types: tuple[str, ...]) -> None:
    errors = [
        FieldError(f"types[{n}]", "is not a type of event") for n, type_ in enumerate(types) if type_ not in EVENTS
    ]
    if errors:
        raise Malformed("; ".join(f"{error.field}: {error.detail}" for error in errors), tuple(errors))
