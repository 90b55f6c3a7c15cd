"""Appending: order, expected versions, groups, idempotency, and what goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.conftest import Cluster, wait_until
from tests.store.writing import an_append, append_of, assert_sound, event_of, make_ledger, read_all, source, statement

from stet.codec import encode
from stet.database.pool import Pool, make_pool
from stet.errors import Malformed, NameTaken, StetError, Unavailable
from stet.ids import new_id
from stet.incident.claim import Citation, Origin, SaidAt
from stet.incident.events import StatementRecorded
from stet.offline import payload_digest
from stet.projections.foresee import NOTHING
from stet.settings import Settings
from stet.sql import load
from stet.store.append import Append, Appended, Log
from stet.store.verify import verify


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    """A database for all tests of this module: each makes a ledger of its own."""
    return cluster.migrated()


@pytest.fixture
async def log(pool: Pool) -> Log:
    return Log(pool)


@pytest.fixture
async def ledger_id(log: Log) -> UUID:
    """A ledger whose log holds one event."""
    return await make_ledger(log)


async def together(log: Log, ledger_id: UUID, *appends: Append) -> list[Appended | BaseException]:
    """All are asked for before the committer first runs, so they meet in one queue."""
    return await asyncio.gather(*(log.append(ledger_id, append) for append in appends), return_exceptions=True)


def outcomes(found: list[Appended | BaseException]) -> list[str]:
    return [appended.outcome if isinstance(appended, Appended) else type(appended).__name__ for appended in found]


@contextlib.contextmanager
def held(url: str, ledger_id: UUID) -> Iterator[None]:
    """Holds the head's lock: whoever appends waits inside the database."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT FROM stet.head WHERE ledger_id = %s FOR UPDATE", (ledger_id,))
        yield
        connection.rollback()


def waiting_backends(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            """SELECT pid FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%stet.append%'"""
        ).fetchall()
    return [row[0] for row in rows]


async def test_positions_are_dense_and_times_belong_to_appends(log: Log, ledger_id: UUID, url: str) -> None:
    """Positions count every event; an append has one time, and each has a later one than that before it."""
    sizes = [3, 1, 2]
    for n, size in enumerate(sizes):
        appended = await log.append(ledger_id, an_append({f"source:{n}": 0}, *[f"source:{n}"] * size))
        assert appended == ("appended", 1 + sum(sizes[: n + 1]))
    grouped = [an_append({f"source:g{n}": 0}, f"source:g{n}", f"source:g{n}") for n in range(5)]
    assert outcomes(await together(log, ledger_id, *grouped)) == ["appended"] * 5
    rows = read_all(url, ledger_id)
    assert_sound(rows)
    assert len({row.recorded_at for row in rows}) == 1 + len(sizes) + len(grouped)
    assert len({row.transaction for row in rows}) == 1 + len(sizes) + 1


async def test_one_append_to_several_streams(log: Log, ledger_id: UUID, url: str) -> None:
    """Events keep their order across streams, and each stream counts its own."""
    appended = await log.append(ledger_id, an_append({"a:1": 0, "b:1": 0}, "a:1", "b:1", "a:1", "b:1", "b:1"))
    assert appended == ("appended", 6)
    found = [(row.stream, row.stream_version) for row in read_all(url, ledger_id, after=1)]
    assert found == [("a:1", 1), ("b:1", 1), ("a:1", 2), ("b:1", 2), ("b:1", 3)]


@pytest.mark.parametrize("seen", [0, 1, 3, 2**62])
async def test_another_version_of_a_written_stream_is_stale(log: Log, ledger_id: UUID, url: str, seen: int) -> None:
    """Too low or too high an expected version appends nothing, so no version is skipped."""
    await log.append(ledger_id, an_append({"a:1": 0}, "a:1", "a:1"))
    assert await log.append(ledger_id, an_append({"a:1": seen}, "a:1")) == ("stale", None)
    assert await log.append(ledger_id, an_append({"a:1": 2}, "a:1")) == ("appended", 4)
    assert_sound(read_all(url, ledger_id))


async def test_another_version_of_a_stream_that_was_only_read_is_stale(log: Log, ledger_id: UUID, url: str) -> None:
    """What a decision rests on is checked like what it writes; reading leaves no trace."""
    await log.append(ledger_id, an_append({"read:1": 0}, "read:1"))
    assert (await log.append(ledger_id, an_append({"a:1": 0, "read:1": 0}, "a:1"))).outcome == "stale"
    assert (await log.append(ledger_id, an_append({"a:1": 0, "none:1": 1}, "a:1"))).outcome == "stale"
    assert (await log.append(ledger_id, an_append({"a:1": 0, "read:1": 1, "none:1": 0}, "a:1"))).outcome == "appended"
    assert [row.stream for row in read_all(url, ledger_id, after=1)] == ["read:1", "a:1"]


async def test_a_stale_command_does_not_fail_its_neighbours(log: Log, ledger_id: UUID, url: str) -> None:
    """Within a group each command has its own outcome, and the positions close up."""
    group = [an_append({f"a:{n}": 7 if n in (1, 4) else 0}, f"a:{n}", f"a:{n}") for n in range(5)]
    found = await together(log, ledger_id, *group)
    assert found == [("appended", 3), ("stale", None), ("appended", 5), ("appended", 7), ("stale", None)]
    rows = read_all(url, ledger_id)
    assert_sound(rows)
    assert len({row.transaction for row in rows[1:]}) == 1


async def test_a_refused_command_does_not_fail_its_neighbours(log: Log, ledger_id: UUID, url: str) -> None:
    """What PostgreSQL, or the way to it, cannot take is refused alone."""
    group = [
        an_append({"a:0": 0}, "a:0"),
        an_append({}, "a:1"),  # refused by stet.append: no version is expected
        an_append({"a:2": 0}, "a:2", actor="nul \0"),
        an_append({"a:3": 0}, "a:3", actor="lone surrogate \ud800"),
        append_of({"a:4": 0}, [event_of("a:4", source("lone surrogate \ud800"))]),
        an_append({"a:5": 2**63}, "a:5"),
        an_append({"a:6": 0}, "a:6"),
    ]
    found = await together(log, ledger_id, *group)
    assert outcomes(found) == ["appended", *["Malformed"] * 5, "appended"]
    assert all(isinstance(error, Malformed) and error.__cause__ for error in found[1:6])
    rows = read_all(url, ledger_id)
    assert_sound(rows)
    assert [row.stream for row in rows[1:]] == ["a:0", "a:6"]


async def test_members_that_touch_each_other_are_deferred_in_order(log: Log, ledger_id: UUID, url: str) -> None:
    """Who read or writes what one before it writes rides in a later group, and is judged by what it then finds."""
    group = [
        an_append({"a:1": 0}, "a:1"),
        an_append({"a:1": 1}, "a:1"),
        an_append({"b:1": 0}, "b:1"),
        an_append({"a:1": 2, "c:1": 0}, "c:1"),
        an_append({"a:1": 0}, "a:1"),
    ]
    found = await together(log, ledger_id, *group)
    assert found == [("appended", 2), ("appended", 4), ("appended", 3), ("appended", 5), ("stale", None)]
    rows = read_all(url, ledger_id, after=1)
    assert [(row.stream, row.stream_version) for row in rows] == [("a:1", 1), ("b:1", 1), ("a:1", 2), ("c:1", 1)]
    first, with_first, second, third = (row.transaction for row in rows)
    assert first == with_first
    assert len({first, second, third}) == 3


async def test_what_one_group_cannot_hold_waits_for_the_next(log: Log, ledger_id: UUID, url: str) -> None:
    """A group is bounded; the order in which it was asked stays."""
    found = await together(log, ledger_id, *(an_append({f"a:{n}": 0}, f"a:{n}") for n in range(300)))
    assert found == [("appended", n + 2) for n in range(300)]
    rows = read_all(url, ledger_id, after=1)
    assert [row.stream for row in rows] == [f"a:{n}" for n in range(300)]
    assert len({row.transaction for row in rows}) == 2


async def test_the_function_itself_refuses_members_that_touch_each_other(ledger_id: UUID, url: str) -> None:
    """Even a caller that does not part them gets no lost update: the later ones are named, and nothing is done."""
    with psycopg.connect(url) as connection:
        commands = [("{}", "a:1", 0), ("{}", "a:1", 0), ("{}", "a:1", 1)]
        position, stale, repeated = call_append(connection, ledger_id, commands)
        assert (position, sorted(stale or ()), repeated) == (1, [2, 3], None)
    assert len(read_all(url, ledger_id)) == 1


async def test_an_idempotency_key_appends_once(log: Log, ledger_id: UUID, url: str) -> None:
    """The answer is kept in the same transaction as the events; the key then repeats, even when also stale."""
    assert await log.append(ledger_id, an_append({"a:1": 0}, "a:1", key="k")) == ("appended", 2)
    assert await log.append(ledger_id, an_append({"a:1": 1}, "a:1", key="k")) == ("repeated", None)
    assert await log.append(ledger_id, an_append({"a:1": 0}, "a:1", key="k")) == ("repeated", None)
    assert await log.append(ledger_id, an_append({"a:1": 0}, "a:1", key="other")) == ("stale", None)
    assert await log.append(ledger_id, an_append({"b:1": 0}, "b:1", key="k", actor="other")) == ("appended", 3)
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            """SELECT i.actor, i.key, i.request_digest, i.status, i.location, i.position
               FROM stet.idempotency i JOIN stet.event e USING (ledger_id, position)
               WHERE i.xmin = e.xmin AND ledger_id = %s ORDER BY i.position""",
            (ledger_id,),
        ).fetchall()
    assert rows == [("tester", "k", b"digest", 201, "/k", 2), ("other", "k", b"digest", 201, "/k", 3)]


async def test_the_same_key_twice_at_once(log: Log, ledger_id: UUID, url: str) -> None:
    """A request that is sent again before the first was answered happens once."""
    group = [an_append({f"a:{n}": 0}, f"a:{n}", key="k") for n in range(3)]
    assert outcomes(await together(log, ledger_id, *group)) == ["appended", "repeated", "repeated"]
    assert len(read_all(url, ledger_id)) == 2


async def test_an_append_without_events_keeps_its_answer(log: Log, ledger_id: UUID, url: str) -> None:
    """A command that had nothing to do is checked like any other, and its key then repeats at its position."""
    nothing = an_append({"c:0": 0}, key="k")
    found = await together(log, ledger_id, an_append({"a:0": 0}, "a:0"), an_append({"b:0": 0}, "b:0"), nothing)
    assert found == [("appended", 2), ("appended", 3), ("appended", 3)]
    assert await log.append(ledger_id, an_append({"a:0": 0}, key="other")) == ("stale", None)
    assert await log.append(ledger_id, an_append({"a:0": 1}, key="other")) == ("appended", 3)
    assert await log.append(ledger_id, nothing) == ("repeated", None)
    assert len(read_all(url, ledger_id)) == 3
    with psycopg.connect(url) as connection:
        assert [report.fault for report in verify(connection, str(ledger_id))] == [None]


async def test_a_key_belongs_to_its_ledger(log: Log, ledger_id: UUID) -> None:
    """The same key in another ledger is another key."""
    other = await make_ledger(log)
    for id_ in (ledger_id, other):
        assert (await log.append(id_, an_append({"a:1": 0}, "a:1", key="k"))).outcome == "appended"


async def test_another_number_of_dependants_is_stale(log: Log, ledger_id: UUID, url: str) -> None:
    """A fan-out that missed a dependant, because it came meanwhile, is not made."""
    document = new_id()
    target = f"document:{document}"

    async def correct(seen: int, stream: str) -> str:
        return (await log.append(ledger_id, an_append({stream: 0}, stream, fanned_out={target: seen}))).outcome

    assert await correct(1, "a:1") == "stale"
    assert await correct(0, "a:1") == "appended"
    for n in range(2):
        stream = f"incident:{n}"
        await log.append(ledger_id, append_of({stream: 0}, [event_of(stream, hanging(document))]))
    assert [await correct(seen, "a:2") for seen in (0, 1, 3, 2)] == ["stale", "stale", "stale", "appended"]
    stream = "incident:0"  # depends on it already: no other row
    await log.append(ledger_id, append_of({stream: 1}, [event_of(stream, hanging(document))]))
    assert await correct(2, "a:3") == "appended"
    with psycopg.connect(url) as connection:
        assert [report.fault for report in verify(connection, str(ledger_id))] == [None]


async def test_a_fan_out_rides_alone(log: Log, ledger_id: UUID, url: str) -> None:
    """A neighbour's new dependant would be invisible to it, so it has none."""
    document = new_id()
    found = await together(
        log,
        ledger_id,
        append_of({"incident:1": 0}, [event_of("incident:1", hanging(document))]),
        an_append({"a:1": 0}, "a:1", fanned_out={f"document:{document}": 0}),
        an_append({"a:2": 0}, "a:2", fanned_out={f"document:{document}": 1}),
        an_append({"a:3": 0}, "a:3"),
    )
    assert outcomes(found) == ["appended", "stale", "appended", "appended"]
    assert len({row.transaction for row in read_all(url, ledger_id, after=1)}) == 3


async def test_a_name_is_taken_once(log: Log, ledger_id: UUID, url: str) -> None:
    """A second ledger of the name is refused, and nothing of it stays."""
    again = new_id()
    with pytest.raises(NameTaken):
        await log.append(again, an_append({f"ledger:{again}": 0}, f"ledger:{again}", ledger_name=str(ledger_id)))
    assert read_all(url, again) == []
    with pytest.raises(StetError, match="refused"):  # and no append makes a ledger by the way
        await log.append(again, an_append({"a:1": 0}, "a:1"))


async def test_payloads_are_stored_as_they_were_encoded(log: Log, ledger_id: UUID, url: str) -> None:
    """Not one byte of a payload changes on its way in."""
    events = [source("Ղարաբաղ"), source('quo"te \\ back / slash \u2028'), statement(new_id()), source("\x7f😀")]
    for n, event in enumerate(events):
        await log.append(ledger_id, append_of({f"a:{n}": 0}, [event_of(f"a:{n}", event)]))
    assert [row.payload.encode() for row in read_all(url, ledger_id, after=1)] == [encode(event) for event in events]


async def test_even_unusual_json_is_stored_as_it_was_given(ledger_id: UUID, url: str) -> None:
    """Whitespace, the order of keys, repeated keys and escapes are kept, and hashed as they are."""
    payloads = [
        '{"b" : 1,\n\t"a":1.0e0 , "a": [ ] }',
        ' {"\\u00e9":"é\\/"}\r\n',
        '"x"',
        "{}",
        '{"n":12345678901234567890.0}',
    ]
    with psycopg.connect(url) as connection:
        commands = [(payload, f"a:{n}", 0) for n, payload in enumerate(payloads)]
        assert call_append(connection, ledger_id, commands) == (1, None, None)
        connection.commit()
        rows = connection.execute(
            """SELECT payload::text, salt, payload_digest FROM stet.event
               WHERE ledger_id = %s AND position > 1 ORDER BY position""",
            (ledger_id,),
        ).fetchall()
    assert [payload for payload, _, _ in rows] == payloads
    assert all(digest == payload_digest(salt, payload.encode()) for payload, salt, digest in rows)
    assert len({salt for _, salt, _ in rows}) == len(rows)
    assert {len(salt) for _, salt, _ in rows} == {16}


async def test_a_clock_that_goes_backwards(log: Log, ledger_id: UUID, url: str) -> None:
    """Where the head was recorded in what is now the future, time goes on from there."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "UPDATE stet.head SET recorded_at = now() + interval '1 day' WHERE ledger_id = %s RETURNING recorded_at",
            (ledger_id,),
        )
        (future,) = row.fetchone() or (None,)
    await together(log, ledger_id, *(an_append({f"a:{n}": 0}, f"a:{n}", f"a:{n}") for n in range(3)))
    rows = read_all(url, ledger_id)
    assert_sound(rows)
    assert [(row.recorded_at - future) // timedelta(microseconds=1) for row in rows[1:]] == [1, 1, 2, 2, 3, 3]


async def test_an_instant_never_cuts_an_append(log: Log, url: str) -> None:
    """At any instant the log is whole appends, from the first on."""
    resolve = load("resolve_cut")

    @given(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=6), min_size=1, max_size=4))
    @example([[4, 4, 4], [1], [2, 3]])
    @settings(max_examples=12)
    def cut(groups: list[list[int]]) -> None:
        ledger_id, rows = runner(written(groups))
        ends = [a.position for a, b in pairwise(rows) if a.correlation_id != b.correlation_id] + [rows[-1].position]
        edges = sorted({row.recorded_at + timedelta(microseconds=d) for row in rows for d in (-1, 0, 1)})
        with psycopg.connect(url) as connection:
            for instant in (datetime(1, 1, 1, tzinfo=UTC), *edges, datetime(9998, 1, 1, tzinfo=UTC)):
                seen = [row.position for row in rows if row.recorded_at <= instant]
                assert seen == list(range(1, len(seen) + 1))
                assert not seen or seen[-1] in ends
                found = connection.execute(
                    resolve, {"ledger_id": ledger_id, "instant": instant, "seen": None}
                ).fetchone()
                assert found
                assert found[2] == (seen[-1] if seen else None)

    async def written(groups: list[list[int]]) -> tuple[UUID, list[Any]]:
        ledger_id = await make_ledger(log)
        for g, group in enumerate(groups):
            await together(
                log, ledger_id, *(an_append({f"a:{g}-{n}": 0}, *[f"a:{g}-{n}"] * size) for n, size in enumerate(group))
            )
        return ledger_id, read_all(url, ledger_id)

    loop = asyncio.get_running_loop()

    def runner(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    await asyncio.to_thread(cut)


async def test_a_waiter_that_leaves_before_the_commit(log: Log, ledger_id: UUID, url: str) -> None:
    """Its event is appended with the group that it had joined, and its neighbours get their outcomes."""
    tasks = [asyncio.create_task(log.append(ledger_id, an_append({f"a:{n}": 0}, f"a:{n}"))) for n in range(3)]
    await asyncio.sleep(0)  # each has joined the queue; the committer has not yet run
    tasks[1].cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes(found) == ["appended", "CancelledError", "appended"]
    rows = read_all(url, ledger_id, after=1)
    assert [row.stream for row in rows] == ["a:0", "a:1", "a:2"]
    assert len({row.transaction for row in rows}) == 1


async def test_a_waiter_that_leaves_during_the_commit(log: Log, ledger_id: UUID, url: str) -> None:
    """The commit goes on without it, and the log takes the next append."""
    with held(url, ledger_id):
        tasks = [asyncio.create_task(log.append(ledger_id, an_append({f"a:{n}": 0}, f"a:{n}"))) for n in range(2)]
        await asyncio.to_thread(wait_until, lambda: bool(waiting_backends(url)), "the append waits for the lock")
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
    assert (await tasks[1]).outcome == "appended"
    assert (await log.append(ledger_id, an_append({"a:2": 0}, "a:2"))).outcome == "appended"
    assert [row.stream for row in read_all(url, ledger_id, after=1)] == ["a:0", "a:1", "a:2"]


async def test_a_connection_that_breaks_is_unavailable(log: Log, ledger_id: UUID, url: str) -> None:
    """Everybody in the group is told that it cannot be known; what waited behind it goes on, as does the log."""
    with held(url, ledger_id):
        tasks = [asyncio.create_task(log.append(ledger_id, an_append({f"a:{n}": 0}, f"a:{n}"))) for n in range(2)]
        await asyncio.to_thread(wait_until, lambda: bool(waiting_backends(url)), "the append waits for the lock")
        behind = asyncio.create_task(log.append(ledger_id, an_append({"b:1": 0}, "b:1")))
        with psycopg.connect(url, autocommit=True) as connection:
            for pid in waiting_backends(url):
                connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        found = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes(found) == ["Unavailable", "Unavailable"]
    assert (await behind).outcome == "appended"
    assert [row.stream for row in read_all(url, ledger_id, after=1)] == ["b:1"]


@pytest.fixture
def own_url(cluster: Cluster) -> str:
    """A database that only this test uses."""
    return cluster.migrated()


async def test_a_database_that_goes_away_is_unavailable(own_url: str) -> None:
    """Without a database an append says so, once it has waited for the pool."""
    async with make_pool(own_url, Settings(pool_size=2)) as pool:
        pool.timeout = 0.3  # seconds that it waits for a connection
        await _lose_the_database(Log(pool), own_url)


async def _lose_the_database(log: Log, url: str) -> None:
    ledger_id = await make_ledger(log)
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, autocommit=True, dbname="postgres") as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        found = await together(log, ledger_id, an_append({"a:1": 0}, "a:1"), an_append({"a:2": 0}, "a:2"))
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
    assert outcomes(found) == ["Unavailable", "Unavailable"]
    assert all(isinstance(error, Unavailable) and "may or may not" in str(error) for error in found)
    assert len(read_all(url, ledger_id)) == 1


async def test_a_service_that_stops_tells_those_who_wait(log: Log, ledger_id: UUID, url: str) -> None:
    """A committer that is cancelled leaves nobody waiting for ever."""
    with held(url, ledger_id):
        first = asyncio.create_task(log.append(ledger_id, an_append({"a:1": 0}, "a:1")))
        await asyncio.to_thread(wait_until, lambda: bool(waiting_backends(url)), "the append waits for the lock")
        behind = asyncio.create_task(log.append(ledger_id, an_append({"a:2": 0}, "a:2")))
        await asyncio.sleep(0)  # it has joined the queue
        (committer,) = (task for task in asyncio.all_tasks() if "_commit_all" in repr(task.get_coro()))
        committer.cancel()
        found = await asyncio.gather(first, behind, committer, return_exceptions=True)
    assert outcomes(found) == ["Unavailable", "Unavailable", "CancelledError"]
    assert "was not made" in str(found[1])
    assert_sound(read_all(url, ledger_id))


def call_append(
    connection: psycopg.Connection, ledger_id: UUID, commands: list[tuple[str, str, int]]
) -> tuple[int, list[int] | None, list[int] | None]:
    """Calls stet.append itself, with commands of one event each: its payload, its stream, the expected version.

    The position before, and which commands are stale or repeated.
    """
    numbers = list(range(1, len(commands) + 1))
    absent = [None] * len(commands)
    parameters = {
        "ledger_id": ledger_id,
        "ledger_name": None,
        "actor": ["tester"] * len(commands),
        "correlation_id": [new_id() for _ in commands],
        **dict.fromkeys(("key", "request_digest", "status", "location"), absent),
        "check_command": numbers,
        "check_stream": [stream for _, stream, _ in commands],
        "check_version": [version for _, _, version in commands],
        **{name: [] for name in ("fanout_command", "fanout_target", "fanout_count")},
        "event_command": numbers,
        "stream": [stream for _, stream, _ in commands],
        "event_id": [new_id() for _ in commands],
        "type": ["source-registered"] * len(commands),
        "schema_version": [1] * len(commands),
        "causation_id": absent,
        "payload": [payload for payload, _, _ in commands],
        **{name: [] for name in ("reference_target", "reference_stream", "reference_role", "held", "versions")},
        **NOTHING,
        "foreseen": False,
    }
    row = connection.execute(load("append"), parameters).fetchone()
    assert row is not None
    return row[:3]


def hanging(document: UUID) -> StatementRecorded:
    """A statement whose time hangs on the publication of a document."""
    recorded = statement(new_id())
    cited = Citation(document_id=document, version=1)
    return replace(recorded, citation=cited, said_at=SaidAt(from_=Origin(document_id=document, version=1)))
