"""verify: silent about a sound log, and the first fault of any other, by its position."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

import psycopg
import pytest
from tests.conftest import Cluster
from tests.store.exported import events, file_of, redacted
from tests.store.writing import an_append, append_of, event_of, make_ledger, statement

from stet.database.pool import make_pool
from stet.errors import NotFound
from stet.ids import new_id
from stet.settings import Settings
from stet.store.append import Log
from stet.store.log_file import LogFile
from stet.store.restore import restore_log
from stet.store.verify import Report, verify

TABLES = ("event", "head", "reference")
EVENTS = 8
"""1 the ledger; 2, 3 one append to source:a; 4 source:b; 5 an incident; 6 source:a; 7, 8 one append to two streams."""


class Fault(NamedTuple):
    """What a superuser does to the log, and what verify then says."""

    statement: str
    found: str
    checked: int


FAULTS = {
    "a byte of a payload": Fault(
        "UPDATE stet.event SET payload = replace(payload::text, 'source:b', 'source:c')::json WHERE position = 4",
        "position 4: the payload's digest should be ",
        3,
    ),
    "whitespace in a payload": Fault(
        "UPDATE stet.event SET payload = (payload::text || ' ')::json WHERE position = 4",
        "position 4: the payload's digest should be ",
        3,
    ),
    "a salt": Fault("UPDATE stet.event SET salt = salt || '' || '\\x00' WHERE position = 4", "position 4: the salt", 3),
    "another salt": Fault(
        "UPDATE stet.event SET salt = set_byte(salt, 0, get_byte(salt, 0) # 1) WHERE position = 4",
        "position 4: the payload's digest should be ",
        3,
    ),
    "a payload with its digest": Fault(
        """UPDATE stet.event SET payload = '{"name":"x","kind":"outlet"}',
           payload_digest = sha256(salt || '{"name":"x","kind":"outlet"}') WHERE position = 4""",
        "position 4: the leaf should be ",
        3,
    ),
    "an actor": Fault(
        "UPDATE stet.event SET actor = 'Tester' WHERE position = 4", "position 4: the leaf should be ", 3
    ),
    "a type": Fault("UPDATE stet.event SET type = 'source-revised' WHERE position = 4", "position 4: the leaf", 3),
    "a cause": Fault("UPDATE stet.event SET causation_id = event_id WHERE position = 4", "position 4: the leaf", 3),
    "a leaf": Fault(
        "UPDATE stet.event SET leaf = set_byte(leaf, 31, get_byte(leaf, 31) # 1) WHERE position = 8",
        "position 8: the leaf should be ",
        7,
    ),
    "a row": Fault("DELETE FROM stet.event WHERE position = 3", "position 3 is missing: the next is 4", 2),
    "the first row": Fault("DELETE FROM stet.event WHERE position = 1", "position 1 is missing: the next is 2", 0),
    "the last row": Fault("DELETE FROM stet.event WHERE position = 8", "position 8 is missing: the head is at 8", 7),
    "all rows": Fault("TRUNCATE stet.event", "position 1 is missing: the head is at 8", 0),
    "two positions": Fault(
        """UPDATE stet.event SET position = -position WHERE position IN (4, 5);
           UPDATE stet.event SET position = 9 + position WHERE position < 0""",
        "position 4: the leaf should be ",
        3,
    ),
    "two positions of an append": Fault(
        """UPDATE stet.event SET position = -position WHERE position IN (7, 8);
           UPDATE stet.event SET position = 15 + position WHERE position < 0""",
        "position 7: the leaf should be ",
        6,
    ),
    "a time": Fault(
        "UPDATE stet.event SET recorded_at = recorded_at - interval '1 year' WHERE position = 4",
        "position 4 was recorded at ",
        3,
    ),
    "the time of another append": Fault(
        """UPDATE stet.event SET recorded_at = (SELECT recorded_at FROM stet.event WHERE position = 3)
           WHERE position = 4""",
        "position 4 was recorded at the same time as the append in front of it",
        3,
    ),
    "an infinite time": Fault(
        "UPDATE stet.event SET recorded_at = 'infinity' WHERE position = 4", "position 4 was recorded at no instant", 3
    ),
    "the head rolled back": Fault(
        "UPDATE stet.head SET position = 7", "position 8 is beyond the head, which is at 7", 7
    ),
    "the head ahead": Fault("UPDATE stet.head SET position = 9", "position 9 is missing: the head is at 9", 8),
    "the head's time": Fault(
        "UPDATE stet.head SET recorded_at = recorded_at + interval '1 microsecond'", "position 8 was recorded at ", 8
    ),
    "no head": Fault("DELETE FROM stet.head", "the ledger has no head", 0),
    "a version gap": Fault(
        "UPDATE stet.event SET stream_version = 4 WHERE position = 6",
        "position 6: source:a should be at version 3, and is at 4",
        5,
    ),
    "another stream": Fault(
        "UPDATE stet.event SET stream = 'source:z' WHERE position = 3",
        "position 3: source:z should be at version 1, and is at 2",
        2,
    ),
    "a dependant": Fault(
        "DELETE FROM stet.reference WHERE role = 'names'", "position 5: the table reference lacks incident:", 4
    ),
    "a holder": Fault(
        "DELETE FROM stet.reference WHERE role = 'holds'", "position 5: the table reference lacks incident:", 4
    ),
    "a dependant too many": Fault(
        "INSERT INTO stet.reference SELECT ledger_id, 'source:x', stream, role FROM stet.reference"
        " WHERE role = 'holds'",
        "no event up to position 8 gives the table reference incident:1 holds source:x",
        8,
    ),
}
REHASHED = """
UPDATE stet.event SET {change}, payload_digest = sha256(salt || convert_to({payload}, 'UTF8')),
    leaf = stet.leaf(ledger_id, position, stream, stream_version, event_id, {type}, {version}::smallint, recorded_at,
                     actor, correlation_id, causation_id, sha256(salt || convert_to({payload}, 'UTF8')))
WHERE position = 4"""
UNREADABLE = {
    "an unknown type": {"change": "type = 'x'", "payload": "payload::text", "type": "'x'", "version": "1"},
    "a later version": {"change": "schema_version = 9", "payload": "payload::text", "type": "type", "version": "9"},
    "another form": {"change": "payload = '{}'", "payload": "'{}'", "type": "type", "version": "1"},
}


async def fill(url: str, name: str) -> UUID:
    """A log that has all that verify looks at; the comment on EVENTS names its positions."""
    async with make_pool(url, Settings(pool_size=2)) as pool:
        log = Log(pool)
        ledger_id = await make_ledger(log, name)
        for append in (
            an_append({"source:a": 0}, "source:a", "source:a"),
            an_append({"source:b": 0}, "source:b"),
            append_of({"incident:1": 0}, [event_of("incident:1", statement(new_id()))]),
            an_append({"source:a": 2}, "source:a"),
            an_append({"source:c": 0, "source:d": 0}, "source:c", "source:d"),
        ):
            assert (await log.append(ledger_id, append)).outcome == "appended"
        return ledger_id


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    """A database with one sound ledger, and a copy of what it holds."""
    url = cluster.migrated()
    asyncio.run(fill(url, "sound"))
    with psycopg.connect(url) as connection:
        for table in TABLES:
            connection.execute(f"CREATE TABLE copy_of_{table} AS TABLE stet.{table}".encode())
    return url


@contextmanager
def planted(url: str, *statements: str) -> Iterator[psycopg.Connection]:
    """A connection to a log that a superuser has changed behind its back; afterwards it is sound again."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE stet.event DISABLE TRIGGER ALL")
        try:
            for statement in statements:
                connection.execute(statement.encode())
            yield connection
        finally:
            for table in TABLES:
                connection.execute(f"DELETE FROM stet.{table}".encode())
                connection.execute(f"INSERT INTO stet.{table} SELECT * FROM copy_of_{table}".encode())


@pytest.fixture(scope="module")
def redacted_url(cluster: Cluster) -> str:
    """A database with a restored log, of which 2 and 5 are redacted by 6 and 7."""
    url = cluster.migrated()
    with psycopg.connect(url, client_encoding="utf8", options="-c timezone=UTC") as connection:
        restore_log(connection, LogFile(io.BytesIO(file_of(redacted(), version=2))))
        connection.execute("CREATE TABLE copy_of_event AS TABLE stet.event")
    return url


REDACTED = {
    "another tombstone": (
        """UPDATE stet.event SET payload = '{"name":"x","kind":"outlet"}' WHERE position = 2""",
        "position 2: what 6 left of it should have the digest ",
    ),
    "what it was": (
        f"""UPDATE stet.event SET payload = '{events()[1]["payload"]}', salt = '\\x{events()[1]["salt"]}',
            redacted_by = NULL WHERE position = 2""",
        "position 6: it erased something of position 2, which is not redacted so",
    ),
    "another salt": (
        "UPDATE stet.event SET salt = set_byte(salt, 0, 1) WHERE position = 2",
        "position 2: what 6 left of it should have the digest ",
    ),
    "by another": ("UPDATE stet.event SET redacted_by = 7 WHERE position = 2", "position 2 was redacted by 7, which"),
    "one more": (
        "UPDATE stet.event SET redacted_by = 6 WHERE position = 3",
        "position 3 was redacted by 6, which the log has not, or which says nothing of it",
    ),
}


@pytest.mark.parametrize("fault", REDACTED)
def test_a_fault_of_what_is_redacted_is_found(redacted_url: str, fault: str) -> None:
    """What is left of an event is that which its redaction names, and what should be erased is."""
    statement, found = REDACTED[fault]
    with psycopg.connect(redacted_url) as connection:
        connection.execute("ALTER TABLE stet.event DISABLE TRIGGER ALL")
        connection.execute(statement.encode())
        connection.commit()
        try:
            [report] = verify(connection, None)
        finally:
            connection.rollback()
            connection.execute("DELETE FROM stet.event")
            connection.execute("INSERT INTO stet.event SELECT * FROM copy_of_event")
            connection.commit()
    assert report.fault
    assert report.fault.startswith(found)


def test_a_sound_log(url: str) -> None:
    """Nothing is found, all is counted, and whoever watches sees the end."""
    told: list[tuple[str, int, int]] = []
    with psycopg.connect(url) as connection:
        found = verify(connection, "sound", lambda *progress: told.append(progress))
    assert found == [Report("sound", EVENTS, None)]
    assert told == [("sound", EVENTS, EVENTS)]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_where_it_is(url: str, fault: str) -> None:
    """Whatever is changed behind the log's back is found, and its position is named."""
    with planted(url, FAULTS[fault].statement) as connection:
        (report,) = verify(connection, None)
    assert report.fault
    assert report.fault.startswith(FAULTS[fault].found)
    assert "\n" not in report.fault
    assert report.events == FAULTS[fault].checked


@pytest.mark.parametrize("unreadable", UNREADABLE)
def test_an_event_that_cannot_be_read_is_a_fault(url: str, unreadable: str) -> None:
    """Even where every hash is right."""
    with planted(url, REHASHED.format(**UNREADABLE[unreadable])) as connection:
        (report,) = verify(connection, None)
    assert report.fault
    assert report.fault.startswith("event 4 of type ") or report.fault.startswith("event 4 is of type ")
    assert report.events == 3


def test_one_ledger_s_fault_is_not_another_s(url: str) -> None:
    """Each ledger has a report of its own, in the order of their names; an empty log is sound."""
    with planted(
        url,
        FAULTS["an actor"].statement,
        "INSERT INTO stet.ledger VALUES ('00000000-0000-0000-0000-000000000001', 'empty')",
        "INSERT INTO stet.head VALUES ('00000000-0000-0000-0000-000000000001', 0, '-infinity')",
    ) as connection:
        empty, sound = verify(connection, None)
        assert verify(connection, "empty") == [empty]
        connection.execute("DELETE FROM stet.ledger WHERE name = 'empty'")
    assert empty == Report("empty", 0, None)
    assert sound.events == 3


def test_an_unknown_ledger(url: str) -> None:
    """A name that no ledger has is an error, not a clean bill."""
    with psycopg.connect(url) as connection, pytest.raises(NotFound, match="there is no ledger nowhere"):
        verify(connection, "nowhere")


def test_a_long_log_is_read_in_batches_and_watched(cluster: Cluster) -> None:
    """Progress is told as it goes, to the end; the session's time zone makes no difference."""
    url = cluster.migrated()
    told: list[tuple[str, int, int]] = []
    with psycopg.connect(url) as connection:
        connection.execute("SET TIME ZONE 'Asia/Kolkata'")
        connection.commit()
        asyncio.run(fill_long(url, 2_500))
        assert verify(connection, None, lambda *progress: told.append(progress)) == [Report("long", 2_501, None)]
    assert told == [("long", done, 2_501) for done in (1_000, 2_000, 2_501)]


async def fill_long(url: str, events: int) -> None:
    async with make_pool(url, Settings(pool_size=2)) as pool:
        log = Log(pool)
        ledger_id = await make_ledger(log, "long")
        await log.append(ledger_id, an_append({"source:a": 0}, *["source:a"] * events))
