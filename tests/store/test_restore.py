"""Out of one database and into another: the same log, the same rows, or nothing."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from tests.conftest import CLUSTERS, Cluster, Shared, wait_until
from tests.projections.test_histories import stored, write_again
from tests.store.exported import LEDGER, answers, event, events, file_of, proved, redacted, uuid
from tests.store.writing import an_append, make_ledger
from tests.strategies import World, histories

from stet.database.pool import as_role, make_pool
from stet.errors import CorruptLog, Malformed, NameTaken, NotFound, Refused
from stet.projections.verify import differences
from stet.settings import Settings
from stet.store.append import Log
from stet.store.export import export_log
from stet.store.log_file import LogFile
from stet.store.restore import restore_log
from stet.store.verify import Report, verify

SOUND = file_of(events())
A, B, C = (f"source:{uuid(n)}" for n in (1, 2, 3))


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url, client_encoding="utf8", options="-c timezone=UTC")


def exported(url: str, name: str, up_to: int | None = None) -> bytes:
    """The log as the application's role exports it."""
    written = io.BytesIO()
    with connect(url) as connection:
        as_role(connection, "stet_application")
        export_log(connection, name, written.write, up_to)
    return written.getvalue()


def restore(url: str, data: bytes, at_once: int = 5_000) -> int:
    with connect(url) as connection, mock.patch("stet.store.restore._AT_ONCE", at_once):
        return restore_log(connection, LogFile(io.BytesIO(data)))


def left(url: str) -> int:
    """How many rows there are of any ledger."""
    tables = ("ledger", "head", "event", "reference", "idempotency", "incident_history", "name_history")
    with connect(url) as connection:
        counts = [connection.execute(f"SELECT count(*) FROM stet.{one}".encode()).fetchone() for one in tables]
    return sum(count[0] for count in counts if count)


@pytest.fixture(scope="module")
def there(cluster: Cluster, shared: Shared) -> str:
    """A database to restore to: of another release of PostgreSQL, where this machine has one."""
    other = shared.cluster("local") if "local" in CLUSTERS else cluster
    return other.migrated()


def test_a_restored_log_is_the_same_to_the_last_byte(cluster: Cluster, there: str) -> None:
    """Any history: exported, restored elsewhere and exported again it is the same file; so are the rows of the lists.

    From the other server it comes back just so, in parts of three events."""
    here, back = cluster.migrated(), cluster.migrated()
    names = iter(range(1_000))

    @settings(max_examples=5)
    @given(histories())
    def of_a_history(world: World) -> None:
        name = f"history-{next(names)}"
        asyncio.run(write_again(here, name, world.log))
        first = exported(here, name)
        restore(there, first)
        assert exported(there, name) == first
        restore(back, exported(there, name), at_once=3)
        assert exported(back, name) == first
        with connect(here) as before, connect(there) as between, connect(back) as after:
            rows = stored(before, name)
            assert rows["incident_history"]
            assert stored(between, name) == stored(after, name) == rows
        for url in (there, back):
            with connect(url) as connection:
                assert verify(connection, name) == [Report(name, first.count(b"\n") - 2, None)]
                assert differences(connection, name) == []

    of_a_history()


async def with_answers(url: str, name: str) -> UUID:
    """1 the ledger; 2, 3 one append with a key; 4 another; 5 without a key."""
    async with make_pool(url, Settings(pool_size=2)) as pool:
        log = Log(pool)
        ledger_id = await make_ledger(log, name)
        for append in (
            an_append({A: 0}, A, A, key="k1"),
            an_append({B: 0}, B, key="k2"),
            an_append({B: 1}, B),
        ):
            assert (await log.append(ledger_id, append)).outcome == "appended"
        return ledger_id


async def again(url: str, ledger_id: UUID, key: str) -> str:
    async with make_pool(url, Settings(pool_size=2)) as pool:
        append = an_append({C: 0}, C, key=key)
        return (await Log(pool).append(ledger_id, append)).outcome


async def test_kept_answers_travel(url: str, cluster: Cluster) -> None:
    """A write that is retried after a restore happens once, still; and the restored log goes on."""
    ledger_id = await with_answers(url, "answers")
    elsewhere = cluster.migrated()
    restore(elsewhere, exported(url, "answers"))
    assert await again(elsewhere, ledger_id, "k1") == "repeated"
    assert await again(elsewhere, ledger_id, "k3") == "appended"
    with connect(elsewhere) as connection:
        assert verify(connection, None) == [Report("answers", 6, None)]


async def test_an_export_ends_with_a_whole_append(url: str, cluster: Cluster) -> None:
    """Of a position within an append it has all of that; answers of later writes it has not."""
    await with_answers(url, "short")
    short = exported(url, "short", 2)
    assert short == exported(url, "short", 3)
    assert short.count(b"\n") == 1 + 3 + 1 + 1
    elsewhere = cluster.migrated()
    assert restore(elsewhere, short) == 3
    assert exported(elsewhere, "short") == short
    with pytest.raises(Malformed, match="the log of short ends at position 5"):
        exported(url, "short", 6)
    with pytest.raises(NotFound, match="there is no ledger nowhere"):
        exported(url, "nowhere")


async def test_a_damaged_log_is_not_exported_as_if_it_were_sound(url: str) -> None:
    """The fault is named, as `stet verify` names it."""
    await with_answers(url, "damaged")
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE stet.event DISABLE TRIGGER ALL")
        connection.execute("UPDATE stet.event SET actor = 'x' WHERE position = 4")
    with pytest.raises(CorruptLog, match="position 4: the leaf should be"):
        exported(url, "damaged")


def test_what_another_program_wrote_is_restored_once(url: str) -> None:
    """A second time is refused, under whatever name or id; nothing is added to the ledger that is there."""
    assert restore(url, SOUND) == 5
    rows = left(url)
    assert exported(url, "small") == SOUND
    for data in (SOUND, file_of(events()[:3], []), file_of(events("other"), name="other")):
        with pytest.raises(NameTaken):
            restore(url, data)
    assert left(url) == rows


def test_of_two_restores_at_once_one_wins(url: str) -> None:
    """The other waits for it, is refused, and leaves nothing."""
    with connect(url) as first, connect(url) as watching, ThreadPoolExecutor(1) as pool:
        watching.autocommit = True
        with first.transaction():
            restore_log(first, LogFile(io.BytesIO(SOUND)))
            second = pool.submit(restore, url, SOUND)
            waits = b"SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%stet.restore(%'"
            wait_until(lambda: bool(watching.execute(waits).fetchall()), "the second restore waits")
        with pytest.raises(NameTaken, match="is there"):
            second.result()
    assert exported(url, "small") == SOUND


DAMAGED = {
    "cut off in the events": SOUND[:1500],
    "cut off in front of the trailer": b"".join(SOUND.splitlines(keepends=True)[:-1]),
    "a leaf": SOUND.replace(events()[3]["leaf"].encode(), b"0" * 64),
    "the name": file_of(events("another")),
    "no ledger at the beginning": file_of([proved(events()[1] | {"position": 1})], []),
    "an id that is none": file_of([*events()[:4], proved(events()[4] | {"event_id": "x"})]),
    "another ledger's id that is none": file_of([proved(one, "x") for one in events()], ledger_id="x"),
    "a position beyond all": file_of([*events()[:4], events()[4] | {"redacted_by": 2**63}], version=2),
    "a tab in an id": file_of([*events()[:4], proved(events()[4] | {"event_id": f"{uuid(7)}\tx"})]),
    "an id in capitals": file_of([*events()[:4], proved(events()[4] | {"event_id": uuid(7)[:-1] + "A"})]),
    "an instant that is none": file_of([*events()[:4], proved(events()[4] | {"recorded_at": "2020-13-01T00:00:00Z"})]),
    "a stream that is no thing": file_of([*events()[:4], proved(events()[4] | {"stream": "incident:x"})]),
    "an answer to a write that is not there": file_of(events(), [answers()[0] | {"position": 6}]),
    "an answer twice": file_of(events(), answers()[:1] * 2),
    "an answer with a NUL": file_of(events(), [answers()[0] | {"key": "\0"}]),
    "an answer of a large number": file_of(events(), [answers()[0] | {"status": 10**9}]),
}


@pytest.mark.parametrize("damaged", DAMAGED)
def test_of_a_damaged_file_nothing_is_restored(there: str, damaged: str) -> None:
    """Whoever finds the fault, the reader of the file or the database."""
    before = left(there)
    with pytest.raises((CorruptLog, NameTaken)) as caught:
        restore(there, DAMAGED[damaged])
    assert caught.type is CorruptLog
    assert "\n" not in str(caught.value)
    assert left(there) == before


# ---- the function itself: what is copied to its tables is not taken on trust ----

COLUMNS = ("ledger_id", *events()[0], "redacted_by")
FORGED: dict[str, tuple[dict[str, Any], str]] = {
    "a position": ({"position": 6}, "position 6: the positions are not 1, 2, 3 up to it"),
    "another ledger": ({"ledger_id": uuid(9)}, "position 5: it is of another ledger"),
    "an earlier time": ({"recorded_at": "2019-11-09T06:00:00Z"}, "position 5: it was recorded before the one"),
    "no time": ({"recorded_at": "infinity"}, "position 5: it was recorded before the one"),
    "the time of another append": (
        {"recorded_at": events()[3]["recorded_at"]},
        "position 5: it was recorded at the same time",
    ),
    "a version": ({"stream_version": 2}, "position 5: the versions of its stream are not 1, 2, 3"),
    "a payload": ({"payload": "{}"}, "position 5: its payload is not that of its digest"),
    "a salt": ({"salt": "00" * 16}, "position 5: its payload is not that of its digest"),
    "an actor": ({"actor": "x"}, "position 5: its payload is not that of its digest, or its envelope"),
    "a leaf": ({"leaf": "00" * 32}, "position 5: its payload is not that of its digest, or its envelope"),
}


def call(connection: psycopg.Connection, *parts: list[dict[str, Any]], name: str = "small") -> None:
    """What an admin could do with the function by hand."""
    connection.execute("SELECT stet.begin_restore()")
    for n, part in enumerate(parts, 1):
        take(connection, part, name, n < len(parts))


def take(connection: psycopg.Connection, rows: list[dict[str, Any]], name: str, more: bool) -> None:
    columns = ", ".join(COLUMNS)
    with connection.cursor().copy(f"COPY pg_temp.restored_event ({columns}) FROM STDIN".encode()) as copying:
        for row in rows:
            values = {one: row.get(one, LEDGER if one == "ledger_id" else None) for one in COLUMNS}
            hashes = ("salt", "payload_digest", "leaf")
            values |= {one: "\\x" + values[one] for one in hashes if values[one] is not None}
            copying.write_row(values.values())
    connection.execute("SELECT stet.restore(%s, %s, %s)", (LEDGER, name, more))


@pytest.mark.parametrize("begun", [0, 1, 4])
@pytest.mark.parametrize("forged", FORGED)
def test_the_function_finds_what_is_forged(there: str, forged: str, begun: int) -> None:
    """The position, and what is wrong with it, whoever copied it, and in whatever parts."""
    fields, said = FORGED[forged]
    rows = [*events()[:4], events()[4] | fields]
    with connect(there) as connection:
        connection.execute("SET ROLE stet_owner")
        with pytest.raises(psycopg.DataError, match=said):
            call(connection, *([rows[:begun]] if begun else []), rows[begun:])


def test_the_function_finds_what_is_forged_behind_a_part(there: str) -> None:
    """What was taken before is where the next part begins: at its position, and at the version of each stream."""
    rows = events()
    gap = rows[3] | {"stream_version": 3}
    again = rows[3] | {"stream_version": 1}
    with connect(there) as connection:
        connection.execute("SET ROLE stet_owner")
        for part in ([gap], [again], [rows[2]], [rows[4]], rows):
            with pytest.raises(psycopg.DataError, match="not 1, 2, 3 up to it"), connection.transaction():
                call(connection, rows[:3], part)


FORGED_REDACTION: dict[str, tuple[int, dict[str, Any], str]] = {
    "another tombstone": (
        2,
        {"payload": '{"name":"x","kind":"outlet"}'},
        "position 2: it is not redacted as its stream",
    ),
    "by that of another stream": (2, {"redacted_by": 7}, "position 2: it is not redacted as its stream says"),
    "by what is no redaction": (2, {"redacted_by": 4}, "position 2: it is not redacted as its stream says"),
    "not erased": (2, events()[1] | {"redacted_by": None}, "position 2: it is not redacted as its stream says"),
    "another salt": (2, {"salt": "00" * 16}, "position 2: it is not redacted as its stream says"),
    "a short salt": (2, {"salt": "00" * 15}, "position 2: its payload is not that of its digest"),
    "a redaction of nothing": (3, {"redacted_by": 6}, "position 3: it is not redacted as its stream says"),
    "another digest": (2, {"payload_digest": "00" * 32}, "position 2: its payload is not that of its digest"),
}


@pytest.mark.parametrize("begun", [1, 5])
@pytest.mark.parametrize("forged", FORGED_REDACTION)
def test_the_function_finds_what_is_forged_in_the_name_of_a_redaction(there: str, forged: str, begun: int) -> None:
    """Whoever has copied it; also where the redaction is in another part than what it has erased."""
    position, fields, said = FORGED_REDACTION[forged]
    with connect(there) as connection:
        connection.execute("SET ROLE stet_owner")
        rows = [one | fields if one["position"] == position else one for one in redacted()]
        with pytest.raises(psycopg.DataError, match=said):
            call(connection, rows[:begun], rows[begun:])


def test_a_log_with_redacted_events_is_restored(url: str) -> None:
    """As it was, with what proves what is left of them."""
    data = file_of(redacted(), version=2)
    assert restore(url, data, at_once=5) == 7
    assert exported(url, "small") == data
    with pytest.raises(Malformed, match="position 2 was redacted by 6, which proves what is left of it"):
        exported(url, "small", 5)
    with connect(url) as connection:
        assert verify(connection, "small") == [Report("small", 7, None)]
        assert differences(connection, "small") == []


def test_the_function_takes_what_is_right_and_only_where_nothing_is(there: str) -> None:
    """The same rows are taken where the ledger is not, and refused where it is, or under another name, or none."""
    with connect(there) as connection:
        connection.execute("SET ROLE stet_owner")
        with (
            pytest.raises(psycopg.DataError, match="position 1: it does not create the ledger"),
            connection.transaction(),
        ):
            call(connection, events(), name="another")
        with (
            pytest.raises(psycopg.DataError, match="position 1: it does not create the ledger"),
            connection.transaction(),
        ):
            call(connection, [])
        with connection.transaction():
            call(connection, events())
            more = [*events(), event(6, f"source:{uuid(50)}", 3, 5, '{"name":"x","kind":"outlet"}')]
            with pytest.raises(psycopg.errors.UniqueViolation), connection.transaction():
                take(connection, more[5:], "small", False)
            with pytest.raises(psycopg.errors.UniqueViolation), connection.transaction():
                call(connection, more)
        connection.rollback()


@pytest.mark.parametrize("role", ["stet_application", "stet_reader"])
def test_neither_application_nor_reader_restores(there: str, role: str) -> None:
    """Not by the functions, not with tables of its own making, and not by the command."""
    fake = "CREATE TEMP TABLE restored_event AS SELECT * FROM stet.event"
    for statement in ("SELECT stet.begin_restore()", f"SELECT stet.restore('{LEDGER}', 'small')"):
        with connect(there) as connection:
            connection.execute(f"SET SESSION AUTHORIZATION {role}".encode())
            connection.execute(fake)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    with connect(there) as connection:
        connection.execute(f"SET SESSION AUTHORIZATION {role}".encode())
        connection.commit()
        with pytest.raises(Refused, match="a login that may become stet_owner"):
            restore_log(connection, LogFile(io.BytesIO(SOUND)))
