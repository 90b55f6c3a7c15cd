"""The histories on a real PostgreSQL: kept by appends, filled from the log, compared with it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.disputes import disputes
from tests.property.restricting import restricted
from tests.store.writing import make_ledger
from tests.strategies import World, histories
from tests.unit import saying

from stet.codec import AnyEvent
from stet.database.migrate import migrate
from stet.database.pool import Pool, make_pool
from stet.envelope import Recorded
from stet.handle import Context, Decision, Reader, handle
from stet.ids import new_id
from stet.projections.prepare import prepare
from stet.projections.verify import differences
from stet.settings import Settings
from stet.store.append import Log, NewEvent

TABLES = ("incident_history", "statement_history", "shown_history", "restriction_history", "name_history")
INLINE = ("incident_history", "name_history", "restriction_history")
few = settings(max_examples=6)


async def append(pool: Pool, log: Log, ledger_id: UUID, events: Sequence[tuple[str, AnyEvent]]) -> int:
    """One append of these events, as the write path makes it; the position after it."""

    async def decide(reader: Reader) -> Decision:
        await reader.streams({stream for stream, _ in events})
        return Decision("/", [NewEvent(event_id=new_id(), stream=stream, event=event) for stream, event in events])

    context = Context(actor="tester", correlation_id=new_id(), request_digest=b"")
    outcome = await handle(pool, log, ledger_id, None, decide, context)
    assert outcome.position
    return outcome.position


async def write_again(url: str, name: str, log_: Sequence[Recorded[Any]]) -> None:
    """The events of a drawn history in a ledger of their own, append by append."""
    async with make_pool(url, Settings(pool_size=2)) as pool:
        log = Log(pool)
        ledger_id = await make_ledger(log, name)
        for _, its in groupby(log_, key=lambda recorded: recorded.recorded_at):
            events = [(one.stream, one.event) for one in its if not one.stream.startswith("ledger:")]
            if events:
                await append(pool, log, ledger_id, events)


def stored(connection: psycopg.Connection, ledger: str) -> dict[str, list[Any]]:
    """All rows of a ledger's histories, as text."""
    return {
        table: connection.execute(
            f"SELECT h::text FROM stet.{table} h JOIN stet.ledger l USING (ledger_id) WHERE l.name = %s"
            ' ORDER BY h::text COLLATE "C"'.encode(),
            (ledger,),
        ).fetchall()
        for table in TABLES
    }


def compare(url: str, ledger: str) -> None:
    """The kept rows are what the log gives, and what building them anew gives."""
    with psycopg.connect(url, autocommit=True) as connection:
        assert differences(connection, ledger) == []
        kept = stored(connection, ledger)
        connection.execute("DELETE FROM stet.projection")
    prepare(url, lambda line: None)
    with psycopg.connect(url, autocommit=True) as connection:
        assert stored(connection, ledger) == kept
    assert kept["incident_history"]


def test_what_appends_keep_is_what_a_rebuild_gives(url: str) -> None:
    names = iter(range(1_000))

    @few
    @given(histories())
    def of_a_history(world: World) -> None:
        name = f"history-{next(names)}"
        asyncio.run(write_again(url, name, world.log))
        compare(url, name)

    @few
    @given(disputes())
    def of_a_dispute(events: list[Recorded[Any]]) -> None:
        name = f"dispute-{next(names)}"
        asyncio.run(write_again(url, name, events))
        compare(url, name)

    @few
    @given(histories(), st.data())
    def of_what_is_restricted(world: World, data: st.DataObject) -> None:
        name = f"restricted-{next(names)}"
        asyncio.run(write_again(url, name, data.draw(restricted(world.log))))
        compare(url, name)

    of_a_history()
    of_a_dispute()
    of_what_is_restricted()


async def test_no_event_is_ever_seen_without_its_rows(pool: Pool, url: str) -> None:
    """In every snapshot, while others append: each incident has its live row, each statement its own."""
    log = Log(pool)
    ledger_id = await make_ledger(log, "watched")
    done = False

    async def write(n: int) -> None:
        stream = f"incident:{new_id()}"
        for event in saying.told(*(saying.say("AZ", killed=k) for k in range(8))):
            await append(pool, log, ledger_id, [(stream, event.event)])

    def watch() -> int:
        snapshots = 0
        with psycopg.connect(url) as connection:
            while not done:
                with connection.transaction():
                    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    row = connection.execute(
                        """SELECT (SELECT count(*) FROM stet.event WHERE type = 'incident-opened'),
                                  (SELECT count(*) FROM stet.incident_history
                                   WHERE to_position = 9223372036854775807 AND said_to = 'infinity'),
                                  (SELECT count(*) FROM stet.event WHERE type = 'statement-recorded'),
                                  (SELECT count(*) FROM stet.statement_history)"""
                    ).fetchone()
                assert row
                assert (row[0], row[2]) == (row[1], row[3])
                snapshots += 1
        return snapshots

    watching = asyncio.create_task(asyncio.to_thread(watch))
    await asyncio.gather(*(write(n) for n in range(12)))
    done = True
    assert await watching > 3
    with psycopg.connect(url) as connection:
        assert differences(connection, "watched") == []


FAULTS = {
    "a title": ("UPDATE stet.incident_history SET title = 'Other'", "incident_history lacks"),
    "a summary": ("""UPDATE stet.incident_history SET summary = '{"title": "x"}'""", "incident_history lacks"),
    "a slice's bound": (
        "UPDATE stet.incident_history SET said_from = said_from - interval '1 day' WHERE said_from < 'infinity'",
        "incident_history lacks",
    ),
    "a position": ("UPDATE stet.statement_history SET from_position = 1", "statement_history lacks"),
    "a word": ("UPDATE stet.statement_history SET words = ''", "statement_history lacks"),
    "a row too few": ("DELETE FROM stet.statement_history", "statement_history lacks"),
    "a row too many": (
        """INSERT INTO stet.name_history (ledger_id, kind, id, from_position, words)
           SELECT ledger_id, 'source', '00000000-0000-0000-0000-000000000001', 1, '' FROM stet.ledger""",
        "name_history has, beyond the log, rows of 00000000-0000-0000-0000-000000000001",
    ),
}


@pytest.fixture(scope="module")
def kept_url(cluster: Any) -> str:
    """A database with one ledger, whose histories are right."""
    url = cluster.migrated()
    asyncio.run(write_again(url, "kept", saying.told(saying.say("AZ", killed=2), saying.say("RU", killed=3))))
    return str(url)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_changed_row_is_found_and_named(kept_url: str, fault: str) -> None:
    statement, named = FAULTS[fault]
    with psycopg.connect(kept_url, autocommit=True) as connection:
        assert differences(connection, "kept") == []
        connection.execute(statement.encode())
        try:
            found = differences(connection, "kept")
        finally:
            connection.execute("DELETE FROM stet.projection")
            prepare(kept_url, lambda line: None)
    assert any(line.startswith(named) for line in found), found


def test_histories_of_other_rules_are_built_anew_by_who_migrates(url: str) -> None:
    asyncio.run(write_again(url, "old", saying.told(saying.say("AZ", killed=2))))
    with psycopg.connect(url) as connection:
        before = stored(connection, "old")
        connection.execute("UPDATE stet.projection SET version = version - 1")
        connection.execute("DELETE FROM stet.incident_history")
    said: list[str] = []
    migrate(url, said.append)
    migrate(url, said.append)
    assert said == [f"building {name} of ledger old: 3 events" for name in INLINE]
    with psycopg.connect(url) as connection:
        assert stored(connection, "old") == before


async def test_the_rows_of_each_append_are_logged_and_few(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    """However many statements there are: one slice ends and two begin, and one row of the statement."""
    log = Log(pool)
    ledger_id = await make_ledger(log, "counted")
    stream = f"incident:{new_id()}"
    caplog.set_level(logging.INFO, "stet.projections")
    for event in saying.told(*(saying.say("AZ", killed=n) for n in range(20))):
        await append(pool, log, ledger_id, [(stream, event.event)])
    lines = [json.loads(record.message) for record in caplog.records if record.name == "stet.projections"]
    written = [line["rows"] for line in lines if line["events"] == 1]
    assert [rows["incident_history"] for rows in written[-20:]] == [[1, 1]] + [[1, 2]] * 19
    assert [rows["statement_history"] for rows in written[-20:]] == [[0, 1]] * 20
