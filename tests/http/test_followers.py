"""Those who follow a ledger, within one process: what they share, what they hear in silence, how they leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from tests.store.writing import an_append, make_ledger

from stet.database.doorbell import Doorbell
from stet.database.pool import Connection, Pool
from stet.http import feed as feed_module
from stet.http.feed import Feeds
from stet.store.append import Log


@pytest.fixture
async def doorbell(pool: Pool, url: str) -> AsyncIterator[Doorbell]:
    made = Doorbell(pool, url)
    made.start()
    yield made
    await made.stop()


async def test_a_comment_comes_where_nothing_else_does(
    pool: Pool, doorbell: Doorbell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and then whenever the time has passed; an append comes in between; the end is the end."""
    monkeypatch.setattr(feed_module, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(feed_module, "POLL_S", 0.01)
    monkeypatch.setattr(Doorbell.wait, "__defaults__", (0.01,))
    log, feeds = Log(pool), Feeds(pool, doorbell)
    ledger_id = await make_ledger(log)
    feed = feeds.follow(ledger_id, 1, "member")
    heard = [await anext(feed) for _ in range(3)]
    assert heard == [b": this is the feed\n\n", *[b": still here\n\n"] * 2]
    await log.append(ledger_id, an_append({"source:" + str(UUID(int=7)): 0}, "source:" + str(UUID(int=7))))
    while (text := await anext(feed)) == heard[-1]:
        pass
    assert text.startswith(b"id: 2\nevent: append\ndata: {")
    assert await anext(feed) == heard[-1]
    feeds.end()
    assert [text async for text in feed] == []


async def test_those_at_the_end_of_the_log_share_one_reading(
    pool: Pool, doorbell: Doorbell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where somebody who began at the beginning has gone before he came there."""
    readings = 0

    async def counted(*arguments: Any) -> Any:
        nonlocal readings
        readings += 1
        return await list_changes(*arguments)

    list_changes = feed_module.list_changes
    monkeypatch.setattr(feed_module, "list_changes", counted)
    monkeypatch.setattr(feed_module, "_PAGE", 1)
    log = Log(pool, doorbell.ring)
    feeds, ledger_id = Feeds(pool, doorbell), await make_ledger(log)
    streams = [f"source:{UUID(int=n)}" for n in range(1, 11)]
    for stream in streams[:-1]:
        await log.append(ledger_id, an_append({stream: 0}, stream))
    gone = feeds.follow(ledger_id, 0, "member")
    assert [(await anext(gone))[:2] for _ in range(3)] == [b": ", b"id", b"id"]
    await gone.aclose()
    followers = [feeds.follow(ledger_id, 10, "member") for _ in range(50)]
    assert [await anext(one) for one in followers] == [b": this is the feed\n\n"] * 50
    waiting = [asyncio.ensure_future(anext(one)) for one in followers]
    readings = 0
    await log.append(ledger_id, an_append({streams[-1]: 0}, streams[-1]))
    assert {(await one)[:6] for one in waiting} == {b"id: 11"}
    assert readings < 10
    for one in followers:
        await one.aclose()


async def test_who_goes_away_while_something_is_read_leaves_the_connection_sound(
    pool: Pool, doorbell: Doorbell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He is cancelled again and again until he has ended; what he had begun on the connection comes to its end."""
    began = asyncio.Event()

    async def slow(connection: Connection, *arguments: Any) -> Any:
        await connection.execute("SELECT pg_sleep(0.3)")
        began.set()
        return await list_changes(connection, *arguments)

    list_changes = feed_module.list_changes
    monkeypatch.setattr(feed_module, "list_changes", slow)
    ledger_id = await make_ledger(Log(pool))
    feed = Feeds(pool, doorbell).follow(ledger_id, 0, "member")
    await anext(feed)
    reading = asyncio.ensure_future(anext(feed))
    await began.wait()
    while not reading.done():
        reading.cancel()
        await asyncio.sleep(0)
    async with asyncio.timeout(30):
        while (stats := pool.get_stats())["pool_available"] < stats["pool_size"]:
            await asyncio.sleep(0.01)
    assert (stats.get("returns_bad", 0), stats.get("connections_lost", 0)) == (0, 0)
