"""Appending to the log, in groups: what is asked for at the same time rides in one transaction.

There is no waiting: an idle log is appended to at once, and what arrives meanwhile is the next group (stet.store.line).
Within a group each command has its own outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, cast
from uuid import UUID

import psycopg
from msgspec import Struct
from psycopg_pool import PoolTimeout

from stet.codec import AnyEvent
from stet.database.pool import Pool, of_ledger
from stet.errors import Malformed, NameTaken, StetError, Unavailable
from stet.store.group import append_on
from stet.store.line import Line, Turn, Waiting
from stet.store.turns import Turns


class NewEvent(Struct, frozen=True, kw_only=True):
    """An event on its way into the log."""

    event_id: UUID
    stream: str
    event: AnyEvent
    causation_id: UUID | None = None


class Erasure(NamedTuple):
    """An event that a redaction in the same append erases, and what is left of its payload, with its own salt."""

    stream: str
    position: int
    payload: str
    salt: bytes


class Idempotency(Struct, frozen=True, kw_only=True):
    """The client's key, the digest of its request, and what it will be answered."""

    key: str
    request_digest: bytes
    status: int
    location: str


class Append(Struct, frozen=True, kw_only=True):
    """One command's events, whole or not at all, if each stream still has the version that was seen.

    Without events it only keeps the answer to its idempotency key.
    """

    actor: str
    correlation_id: UUID
    expected: dict[str, int]
    """The version seen of every stream that was read or is written; 0 = it must not exist."""
    events: tuple[NewEvent, ...]
    before: dict[str, Any] = {}
    """What each stream that is written added up to, at the version seen: its histories follow from that."""
    idempotency: Idempotency | None = None
    fanned_out: dict[str, int] = {}
    """How many rows of dependants were seen of each target that was fanned out from."""
    ledger_name: str | None = None
    """Creates the ledger by this name first."""
    erased: tuple[Erasure, ...] = ()
    """By the payload-redacted among the events, one in each of these streams."""


class Appended(NamedTuple):
    outcome: Literal["appended", "stale", "repeated"]
    position: int | None
    """The head of the log after this append."""


class Log:
    """The way into the log for one process. Several processes may write the same ledger."""

    def __init__(self, pool: Pool, appended: Callable[[], None] = lambda: None) -> None:
        self._pool = pool
        self.appended = appended
        """Is called after every commit."""
        self.turns = Turns()
        """Of those who decide upon what is in it."""
        self._lines: dict[UUID, Line] = {}
        self._committers: dict[UUID, set[asyncio.Task[None]]] = {}

    async def append(self, ledger_id: UUID, append: Append) -> Appended:
        """Appends, durably, or says why not. Raises Unavailable when it cannot be known whether it did."""
        waiting = Waiting(append, asyncio.get_running_loop().create_future())
        line = self._lines.setdefault(ledger_id, Line())
        line.waiting.append(waiting)
        committers = self._committers.setdefault(ledger_id, set())
        if line.calls_for(len(committers)):
            committers.add(asyncio.create_task(self._commit_all(ledger_id, line)))
        return await waiting.outcome

    async def _commit_all(self, ledger_id: UUID, line: Line) -> None:
        group: list[Waiting] = []
        try:
            while group := line.take():
                turn = line.turn()
                try:
                    await self._commit(ledger_id, line, group, turn)
                finally:
                    turn.over()
                line.arrived(group)
        finally:
            # Some are left only if this task was cancelled.
            line.arrived(group)
            for waiting in group:
                waiting.settle(Unavailable("the service is stopping; the change may or may not have been made"))
            committers = self._committers[ledger_id]
            committers.discard(cast("asyncio.Task[None]", asyncio.current_task()))
            if not committers:
                del self._lines[ledger_id], self._committers[ledger_id]
                for waiting in line.waiting:
                    waiting.settle(Unavailable("the service is stopping; the change was not made"))

    async def _commit(self, ledger_id: UUID, line: Line, group: list[Waiting], turn: Turn) -> None:
        """Appends the group. What is stale or repeated is settled and left out, and the others are sent again."""
        while group:
            try:
                appends = [one.append for one in group]
                async with of_ledger(self._pool, ledger_id) as connection:
                    position, stale, repeated = await append_on(connection, ledger_id, appends, turn)
                if not stale and not repeated:
                    for waiting in line.overtaken(group):
                        waiting.settle(Appended("stale", None))
                group = _settle_group(group, position, stale, repeated)
                self.appended()
            except Exception as error:
                turn.over()
                if _rolled_back(error) and len(group) > 1:
                    # One command that PostgreSQL refuses must not take its neighbours with it.
                    for waiting in group:
                        await self._commit(ledger_id, line, [waiting], turn)
                else:
                    for waiting in group:
                        waiting.settle(public(error))
                return


def _settle_group(
    group: list[Waiting], position: int, stale: list[int] | None, repeated: list[int] | None
) -> list[Waiting]:
    """Tells each command its outcome, by what the database said; those that it said nothing of are left."""
    left = []
    for number, waiting in enumerate(group, start=1):
        if number in (repeated or ()):
            waiting.settle(Appended("repeated", None))
        elif number in (stale or ()):
            waiting.settle(Appended("stale", None))
        elif stale or repeated:
            left.append(waiting)
        else:
            position += len(waiting.append.events)
            waiting.settle(Appended("appended", position))
    return left


def _rolled_back(error: Exception) -> bool:
    """Whether it is certain that nothing was appended: PostgreSQL said no, or was never asked."""
    if isinstance(error, psycopg.Error):
        # 08: connection; 57P: the server went away; 58: the system. Without a state there was no answer at all.
        return error.sqlstate is not None and not error.sqlstate.startswith(("08", "57P", "58"))
    return isinstance(error, ValueError)


def public(error: Exception) -> Exception:
    """What the one whose command it was is told of an error of psycopg."""
    told: Exception
    if isinstance(error, psycopg.Error) and error.diag.constraint_name == "ledger_name":
        told = NameTaken.at("name", "there is a ledger of this name already")
    elif isinstance(error, psycopg.DataError | psycopg.errors.ProgramLimitExceeded | ValueError):
        told = Malformed("the database cannot hold a value of this request")
    elif isinstance(error, psycopg.Error | PoolTimeout) and not _rolled_back(error):
        told = Unavailable("the database did not answer; the change may or may not have been made")
    elif isinstance(error, psycopg.IntegrityError | psycopg.ProgrammingError):
        told = StetError("the log refused the append")
    else:
        return error
    told.__cause__ = error
    return told
