"""What every request of one process shares."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from stet.database.doorbell import Doorbell
from stet.database.pool import Pool
from stet.errors import NotFound
from stet.http.again import Again
from stet.http.body import StetRequest
from stet.http.door import Door
from stet.http.feed import Feeds
from stet.settings import Settings
from stet.sql import load
from stet.store.append import Log
from stet.store.read import find_ledger

_CURSOR_SECRET = load("cursor_secret")


class Service(Struct, kw_only=True):
    """The pool, the log and what never changes."""

    pool: Pool
    log: Log
    doorbell: Doorbell
    feeds: Feeds
    database_url: str
    settings: Settings
    door: Door
    again: Again
    cursor_secret: bytes = b""
    ledgers: dict[str, UUID] = {}

    async def start(self) -> None:
        """Opens the pool. Raises when the database cannot be reached."""
        await self.pool.open(wait=True, timeout=30)
        async with self.pool.connection() as connection:
            row = await (await connection.execute(_CURSOR_SECRET)).fetchone()
            assert row
            self.cursor_secret = bytes(row[0])
        self.doorbell.start()

    async def stop(self) -> None:
        """Ends what follows the log, and closes the pool."""
        self.feeds.end()
        await self.doorbell.stop()
        await self.pool.close()

    async def ledger_id(self, name: str) -> UUID:
        """The id of a ledger. Raises NotFound. Names are for ever, so what is known stays true."""
        if (known := self.ledgers.get(name)) is None:
            async with self.pool.connection() as connection:
                known = await find_ledger(connection, name)
            if known is None:
                raise NotFound(f"there is no ledger {name}")
            self.ledgers[name] = known
        return known


def service_of(request: StetRequest) -> Service:
    """The service that a request is for."""
    service: Service = request.app.state.service
    return service
