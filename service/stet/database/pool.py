"""The pool of connections, each with the application's role and limits."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool

from stet.settings import Settings
from stet.sql import load

_SHOW_LEDGER = load("show_ledger")
_TRUSTED_S = 1.0
HISTORIES = (
    "stet.incident_history, stet.statement_history, stet.name_history, stet.shown_history, stet.restriction_history"
)
"""The tables that lists are read from."""


class Connection(AsyncConnection[tuple[Any, ...]]):
    """A connection that remembers when it was last seen to work, and which ledger it shows."""

    worked_at: float = 0.0
    _shown: str | None = ""
    """The setting that row-level security goes by; None: not known."""

    async def show(self, ledger_id: UUID | None) -> None:
        """Shows stet_application what a ledger holds, and nothing else; None: what none does.

        Not in a transaction or a pipeline: a rollback would take it back, and this would not know.
        """
        wanted = str(ledger_id or "")
        if self._shown == wanted:
            return
        if self.pgconn.transaction_status != TransactionStatus.IDLE or self.pgconn.pipeline_status:
            raise psycopg.ProgrammingError("a connection in use cannot be turned to another ledger")
        self._shown = None  # until the database has said so
        await self.execute(_SHOW_LEDGER, {"ledger_id": wanted, "locally": False})
        self._shown = wanted


class Pool(AsyncConnectionPool[Connection]):
    """Connections for one ledger, or for none: never for that of whoever had them before."""

    @asynccontextmanager
    async def connection(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - as the pool has it
        ledger_id: UUID | None = None,
    ) -> AsyncIterator[Connection]:
        async with super().connection(timeout) as connection:
            await connection.show(ledger_id)
            yield connection


def make_pool(url: str, settings: Settings, *, role: str = "stet_application") -> Pool:
    """A closed pool; open it inside the event loop. A connection from it may only what `role` may."""

    limit = f"{settings.statement_timeout_ms}ms"

    async def configure(connection: Connection) -> None:
        # As statements, not as start-up options: a pooler between us and PostgreSQL may refuse those.
        await connection.execute(
            """SELECT set_config('role', %s, false), set_config('statement_timeout', %s, false),
                      set_config('lock_timeout', %s, false), set_config('timezone', 'UTC', false),
                      set_config('idle_in_transaction_session_timeout', '60s', false),
                      set_config('enable_seqscan', %s, false)""",
            # No request is to read a whole table, whatever statistics say of the tables of another day.
            (role, limit, limit, "off" if role == "stet_application" else "on"),
        )

    return Pool(
        url,
        connection_class=Connection,
        min_size=min(4, settings.pool_size),
        max_size=settings.pool_size,
        open=False,
        timeout=10,
        kwargs={"autocommit": True, "application_name": "stet", "client_encoding": "utf8"},
        configure=configure,
        check=_check,
    )


def as_role(connection: psycopg.Connection, role: str) -> None:
    """Lets a connection do what a role may, and no more; times are UTC."""
    connection.execute("SELECT set_config('role', %s, false), set_config('timezone', 'UTC', false)", (role,))
    connection.commit()


def of_ledger(pool: Pool, ledger_id: UUID) -> AbstractAsyncContextManager[Connection]:
    """A connection for what one ledger holds; it costs a round trip where the last one was for another ledger."""
    return pool.connection(ledger_id=ledger_id)


async def across_ledgers(connection: Connection) -> None:
    """Lets a connection see what all ledgers hold, and do what a worker may, until its transaction ends."""
    await connection.execute("SET LOCAL ROLE stet_worker")


@asynccontextmanager
async def snapshot(connection: Connection, tables: LiteralString = "") -> AsyncIterator[None]:
    """Everything that is read within it is of one moment.

    Tables of projections that are read must be named: else a rebuild may put others in their place between the moment
    and the reading, and of those the moment knows only a part.
    """
    async with connection.pipeline(), connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if tables:
            await connection.execute("LOCK TABLE " + tables + " IN ACCESS SHARE MODE")
        yield


async def _check(connection: Connection) -> None:
    """A round trip for a connection that lay idle: what worked a moment ago is trusted, for half the cost of a read."""
    if time.monotonic() - connection.worked_at > _TRUSTED_S:
        await AsyncConnectionPool.check_connection(connection)
    connection.worked_at = time.monotonic()
