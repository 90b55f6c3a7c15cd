"""What waits to be sent, in tables: whoever sends may die at any moment, and the next goes on.

Nothing is ever sent less than once. It is sent again if who sent it died before it was written down.
"""

from __future__ import annotations

from itertools import groupby
from typing import Literal, NamedTuple
from uuid import UUID

from stet.database.pool import HISTORIES, Connection, Pool, of_ledger, snapshot
from stet.envelope import Audience
from stet.ids import new_id
from stet.queries.changes import list_changes
from stet.sql import load
from stet.webhooks.message import Filters, kinds_of, stream_of
from stet.webhooks.send import Outcome

_FIND_UNTOLD = load("find_untold")
_ENQUEUE = load("enqueue")
_FIND_DUE = load("find_due")
_LIVE_SECRETS = load("live_secrets")
_ADD_ATTEMPT = load("add_attempt")
_PUT_OFF = load("put_off")
_END_WAITING = load("end_waiting")
_PAUSE_WEBHOOK = load("pause_webhook")
_PAUSE_UNREAD = load("pause_unread")
_FORGET_ATTEMPTS = load("forget_attempts")
_FORGET_SECRETS = load("forget_secrets")
UNKEYED = ("local", "owner")
"""Who has no key in the database: see stet.http.door."""
_PAGE = 500
_MOST_WAITING = 5_000
"""For one webhook: whoever fails for long makes the log wait, not this table grow."""

AttemptOutcome = Literal["delivered", "failed", "withheld"]


class Due(NamedTuple):
    """A message whose time has come. The first of its stream that waits."""

    ledger_id: UUID
    ledger: str
    webhook_id: UUID
    url: str
    audience: Audience
    stream: str
    position: int
    """Of the last event of the append."""
    queued: UUID
    """Tells it from the same message, asked for again."""
    attempts: int
    tried_for: float
    """Seconds since the first attempt."""

    @property
    def is_test(self) -> bool:
        return self.stream.startswith("test:")


async def enqueue(pool: Pool) -> bool:
    """Takes a page of the log of each webhook that is behind. Whether there is more.

    First it pauses those of whoever may not read the ledger any more.
    """
    async with pool.connection() as connection:
        await connection.execute(_PAUSE_UNREAD, {"unkeyed": list(UNKEYED)})
        rows = await (await connection.execute(_FIND_UNTOLD, {"most": _MOST_WAITING})).fetchall()
    more = False
    for (ledger_id, position, audience), webhooks in groupby(rows, key=lambda row: row[:3]):
        told = {
            row[3]: Filters(kinds=frozenset(row[4]), incidents=frozenset(row[5]), types=frozenset(row[6]))
            for row in webhooks
        }
        more = await _enqueue(pool, ledger_id, position, audience, told) or more
    return more


async def _enqueue(
    pool: Pool, ledger_id: UUID, position: int, audience: Audience, webhooks: dict[UUID, Filters]
) -> bool:
    async with of_ledger(pool, ledger_id) as connection:
        async with snapshot(connection, HISTORIES):
            page = await list_changes(connection, ledger_id, position, _PAGE, audience)
            asked = any(filters.kinds for filters in webhooks.values())
            kinds = await kinds_of(connection, ledger_id, page.items, audience) if asked else {}
        for webhook_id, filters in webhooks.items():
            taken = [
                (stream_of(change), item.position)
                for item in page.items
                for change in item.changes
                if filters.take(change, kinds.get(change.id, ()))
            ]
            parameters = {
                "ledger_id": ledger_id,
                "webhook_id": webhook_id,
                "position": position,
                "next": page.next_after,
                "streams": [stream for stream, _ in taken],
                "positions": [last for _, last in taken],
            }
            await connection.execute(_ENQUEUE, parameters)
    return page.next_after < page.head


async def find_due(pool: Pool, busy: set[tuple[UUID, str]], full: set[UUID], each: int) -> list[Due]:
    """What is due, `each` of a webhook at most; nothing of `busy` streams and `full` webhooks."""
    parameters = {
        "busy_webhooks": [webhook_id for webhook_id, _ in busy],
        "busy_streams": [stream for _, stream in busy],
        "full": list(full),
        "each": each,
    }
    async with pool.connection() as connection:
        return [Due(*row) for row in await (await connection.execute(_FIND_DUE, parameters)).fetchall()]


async def live_secrets(connection: Connection, due: Due) -> list[bytes]:
    """What the message is signed with, the newest first."""
    rows = await (await connection.execute(_LIVE_SECRETS, _key(due))).fetchall()
    return [bytes(secret) for (secret,) in rows]


async def record(
    connection: Connection,
    due: Due,
    outcome: AttemptOutcome,
    tried: Outcome,
    wait: float | None = None,
    pause: str | None = None,
) -> None:
    """Writes down how an attempt went: it waits no more, or for `wait` seconds; `pause` is why its webhook pauses."""
    known = _key(due) | {"stream": due.stream, "position": due.position, "queued": due.queued, "wait": wait}
    attempt = {
        "attempt_id": new_id(),
        "attempt": due.attempts + 1,
        "outcome": outcome,
        "status": tried.status,
        "ms": tried.ms,
        "error": tried.error,
        "excerpt": tried.excerpt,
    }
    async with connection.transaction():
        await connection.execute(_ADD_ATTEMPT, known | attempt)
        if outcome == "failed" and not due.is_test:
            await connection.execute(_PUT_OFF, known | {"wait": wait or 0})
        else:
            await connection.execute(_END_WAITING, known)
        if pause:
            await pause_webhook(connection, due.ledger_id, due.webhook_id, pause)


async def pause_webhook(connection: Connection, ledger_id: UUID, webhook_id: UUID, reason: str) -> None:
    """Nothing more is sent until somebody resumes it. One that is paused stays as it is."""
    await connection.execute(_PAUSE_WEBHOOK, {"ledger_id": ledger_id, "webhook_id": webhook_id, "reason": reason})


async def forget(pool: Pool) -> None:
    """Takes away what is kept for a while only: attempts of more than 30 days ago, expired secrets."""
    async with pool.connection() as connection:
        await connection.execute(_FORGET_ATTEMPTS)
        await connection.execute(_FORGET_SECRETS)


def _key(due: Due) -> dict[str, UUID]:
    return {"ledger_id": due.ledger_id, "webhook_id": due.webhook_id}
