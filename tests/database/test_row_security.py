"""Row-level security: who forgets the ledger sees nothing, and who names another one neither."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from tests.conftest import Cluster
from tests.projections.test_histories import write_again
from tests.unit import saying

from stet.database.pool import Pool, across_ledgers, as_role, make_pool, of_ledger, snapshot
from stet.ids import new_id
from stet.projections.advance import States, advance
from stet.projections.source_record import PROJECTION
from stet.projections.target import Target
from stet.settings import Settings

OPEN = {"ledger": "whoever asks for a ledger by its name does not know its id yet; it holds names, and nothing else"}
"""Tables of which everybody may see the rows of all ledgers, and why."""
WHOLE = "SELECT DISTINCT ledger_id FROM stet.event"
"""What a statement reads that forgot its ledger."""


_WEBHOOK = "(ledger_id, webhook_id, url, kinds, incidents, types, audience, created_by, position)"
BESIDE = (
    "INSERT INTO stet.key (key_id, name, scope, created_by) VALUES ('k' || %(n)s, 'k', 'reader', 'local')",
    "INSERT INTO stet.member VALUES (%(ledger)s, 'k' || %(n)s, 'reader')",
    "SELECT stet.add_audit('local', %(ledger)s, 'member-set', 'k', '{}')",
    f"INSERT INTO stet.webhook {_WEBHOOK}"
    " VALUES (%(ledger)s, %(id)s, 'u', '{}', '{}', '{}', 'member', 'local', 0)",
    "INSERT INTO stet.webhook_secret (ledger_id, webhook_id, secret_id, secret)"
    " VALUES (%(ledger)s, %(id)s, %(id)s, '')",
    "INSERT INTO stet.webhook_queue (ledger_id, webhook_id, stream, position) VALUES (%(ledger)s, %(id)s, 's', 1)",
    "INSERT INTO stet.webhook_attempt (ledger_id, webhook_id, attempt_id, stream, position, attempt, outcome, ms)"
    " VALUES (%(ledger)s, %(id)s, %(id)s, 's', 1, 1, 'failed', 1)",
    "INSERT INTO stet.restriction_history (ledger_id, kind, id, statement_id, label, from_position, to_position)"
    " VALUES (%(ledger)s, 'incident', %(id)s, %(id)s, 'red', 1, 2)",
    "INSERT INTO stet.node VALUES (%(ledger)s, 1, 0, sha256(''))",
    "INSERT INTO stet.signed_checkpoint VALUES (%(ledger)s, 1, sha256(''), 'a note')",
    "INSERT INTO stet.shown_history"
    " (ledger_id, incident_id, version, updated_at, opened_at, from_position, to_position)"
    " VALUES (%(ledger)s, %(id)s, 1, now(), now(), 1, 2)",
)
"""A row of each table that no append writes."""


class Two(NamedTuple):
    """A database with two ledgers of a dispute each."""

    url: str
    ids: tuple[UUID, UUID]


@pytest.fixture(scope="module")
def two(cluster: Cluster) -> Two:
    """Shared by this module: nothing here may change it."""
    url = cluster.migrated()
    found = []
    for n in (1, 2):
        events = saying.told(*(saying.say(who, killed=k) for k, who in enumerate(("AZ", "RU", "AM") * n)))
        asyncio.run(write_again(url, f"two-{n}", events))
    with psycopg.connect(url, autocommit=True) as connection:
        found = [id_ for (id_,) in connection.execute("SELECT ledger_id FROM stet.ledger ORDER BY name")]
        as_role(connection, "stet_worker")
        connection.autocommit = True
        for ledger_id in found:
            while advance(connection, Target(PROJECTION), ledger_id, States()):
                pass
    with psycopg.connect(url) as connection:
        for ledger_id in found:
            name = (ledger_id, "source", new_id(), 1, "'a'")
            connection.execute("INSERT INTO stet.name_history VALUES (%s, %s, %s, %s, DEFAULT, %s)", name)
            row = (ledger_id, "actor", "key", b"", 201, "/", 1)
            connection.execute("INSERT INTO stet.idempotency VALUES (%s, %s, %s, %s, %s, %s, %s)", row)
            parked = ("source_record", ledger_id, "incident:x", 1, "an error")
            statement = (
                "INSERT INTO stet.parked (projection, ledger_id, stream, position, error) VALUES (%s, %s, %s, %s, %s)"
            )
            connection.execute(statement, parked)
            for beside in BESIDE:
                connection.execute(beside.encode(), {"ledger": ledger_id, "id": ledger_id, "n": found.index(ledger_id)})
    return Two(url, (found[0], found[1]))


@contextmanager
def session(url: str, role: str, ledger: object = None) -> Iterator[psycopg.Connection]:
    """A session of a role, whose doings are rolled back; `ledger` is what its setting is, if it has one."""
    with psycopg.connect(url) as connection:
        connection.execute(f"SET ROLE {role}".encode())
        if ledger is not None:
            connection.execute("SELECT set_config('stet.ledger_id', %s, false)", (str(ledger),))
        yield connection
        connection.rollback()


def relations(url: str, kind: str = "r", readable_by: str = "stet_owner") -> list[str]:
    """The tables (r) or views (v) of schema stet that have a ledger_id, and that a role may read."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            """SELECT c.relname::text FROM pg_class c
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'ledger_id' AND NOT a.attisdropped
               WHERE c.relnamespace = 'stet'::regnamespace AND c.relkind = %s
                 AND has_table_privilege(%s, c.oid, 'SELECT')
               ORDER BY 1""",
            (kind, readable_by),
        ).fetchall()
    return [name for (name,) in found]


def rows(connection: psycopg.Connection, name: str) -> dict[UUID, int]:
    """How many rows of each ledger a statement sees that names none."""
    statement = sql.SQL("SELECT ledger_id, count(*) FROM {} GROUP BY 1").format(sql.Identifier("stet", name))
    return dict(connection.execute(statement).fetchall())


# ---- tables ----


def test_every_table_of_ledgers_keeps_them_apart(url: str) -> None:
    """A table that is added must say for itself who sees which rows of it."""
    with psycopg.connect(url) as connection:
        guarded = {
            name: set(roles)
            for name, roles in connection.execute(
                """SELECT c.relname::text, array_agg(r.role::regrole::text) FROM pg_class c
                   JOIN pg_policy p ON p.polrelid = c.oid CROSS JOIN unnest(p.polroles) r(role)
                   WHERE c.relnamespace = 'stet'::regnamespace AND c.relrowsecurity GROUP BY 1"""
            )
        }
    wanted = {"stet_application", "stet_worker", "stet_reader"}
    for name in relations(url):
        assert name in OPEN or guarded.get(name) == wanted, (
            f"stet.{name} has a ledger_id, and a statement that forgets it sees the rows of every ledger:"
            f" CALL stet.keep_apart('stet.{name}') where it is made (of projections, grants() does), or say in OPEN why"
        )


def test_who_forgets_its_ledger_sees_nothing_and_who_names_one_sees_no_other(two: Two) -> None:
    """Of each table and view that the application may read."""
    names = [*relations(two.url, "r", "stet_application"), *relations(two.url, "v", "stet_application")]
    assert {"event", "head", "reference", "idempotency", "incident_history", "source_record", "parked"} < set(names)
    for name in names:
        if name in OPEN:
            continue
        with psycopg.connect(two.url) as connection:
            history = name.replace("_search", "_history").replace("first_event", "event")
            everything = rows(connection, history)
            assert set(everything) == set(two.ids), f"nothing is proved by {name}"
        for ledger in (None, "", new_id()):
            with session(two.url, "stet_application", ledger) as connection:
                assert rows(connection, name) == {}, (name, ledger)
        for ledger_id in two.ids:
            with session(two.url, "stet_application", ledger_id) as connection:
                seen = rows(connection, name)
                assert set(seen) == {ledger_id}, name
                assert name == "first_event" or seen == {ledger_id: everything[ledger_id]}, name


def test_views_of_ledgers_are_those_that_are_tested(two: Two) -> None:
    """A view that is not as its owner sees it would need its reader's rights to the table; these need the condition."""
    views = relations(two.url, "v", "stet_application")
    assert views == ["first_event", "incident_search", "name_search", "statement_search"]
    for ledger in (None, ""):
        with session(two.url, "stet_reader", ledger) as connection:
            assert [rows(connection, name) for name in views] == [{}] * len(views)


@pytest.mark.parametrize("role", ["stet_worker", "stet_reader"])
def test_who_works_across_ledgers_sees_all(two: Two, role: str) -> None:
    for name in relations(two.url, "r", role):
        with psycopg.connect(two.url) as connection:
            everything = rows(connection, name)
        with session(two.url, role) as connection:
            assert rows(connection, name) == everything, name


@pytest.mark.parametrize("name", ["incident_history", "statement_history", "name_history"])
def test_rows_of_another_ledger_are_neither_written_nor_ended(two: Two, name: str) -> None:
    own, other = two.ids
    table = sql.Identifier("stet", name)
    with psycopg.connect(two.url) as connection:
        statement = sql.SQL("SELECT json_agg(h)::text FROM {} h WHERE ledger_id = %s").format(table)
        (theirs,) = connection.execute(statement, (other,)).fetchone() or ("",)
    added = sql.SQL("INSERT INTO {0} SELECT r.* FROM json_populate_recordset(NULL::{0}, %s::json) r").format(table)
    with (
        session(two.url, "stet_application", own) as connection,
        pytest.raises(InsufficientPrivilege, match="row-level"),
    ):
        connection.execute(added, (theirs,))
    with session(two.url, "stet_application", own) as connection:
        ended = sql.SQL("UPDATE {} SET to_position = to_position").format(table)
        assert connection.execute(ended).rowcount == rows(connection, name)[own]


def test_the_application_moves_no_checkpoint_and_asks_for_no_rebuild(two: Two) -> None:
    for statement in (
        "UPDATE stet.checkpoint SET position = 0",
        "DELETE FROM stet.parked",
        "SELECT differences FROM stet.rebuild",
        "SELECT FROM stet.rebuild_worker",
        "UPDATE stet.source_record SET to_position = 1",
    ):
        with session(two.url, "stet_application", two.ids[0]) as connection, pytest.raises(InsufficientPrivilege):
            connection.execute(statement.encode())


# ---- connections ----


async def seen_by(connection: Any) -> list[UUID]:
    return [id_ for (id_,) in await (await connection.execute(WHOLE)).fetchall()]


async def taken_by_turns(pool: Pool, two: Two) -> None:
    """Each sees its own, whoever had the connection before."""
    first, second = two.ids
    for wanted in (first, first, None, second, None, None, first, second):
        async with pool.connection(ledger_id=wanted) as connection:
            assert await seen_by(connection) == ([wanted] if wanted else [])


async def test_a_connection_shows_nothing_of_who_had_it_before(two: Two) -> None:
    async with make_pool(two.url, Settings(pool_size=1)) as pool:
        await taken_by_turns(pool, two)


class Broken(Exception):
    pass


async def _break_off(connection: Any, how: str) -> None:
    """Uses a connection in a way that ends in a rollback."""
    if how == "pipeline":
        async with connection.pipeline():
            await connection.execute("SELECT 1")
            await connection.execute("SELECT 1 / 0")
    elif how == "snapshot":
        async with snapshot(connection):
            await connection.execute("SELECT 1")
            raise Broken
    elif how == "rollback":
        async with connection.transaction():
            await connection.execute("SELECT 1")
            raise psycopg.Rollback
    elif how == "swallowed":
        async with connection.transaction():
            try:
                await connection.execute("SELECT 1 / 0")
            except psycopg.Error:
                return
    else:
        await connection.execute("SELECT 1 / 0")


@pytest.mark.parametrize("how", ["statement", "pipeline", "snapshot", "rollback", "swallowed"])
async def test_what_is_remembered_is_what_is_set_after_a_rollback(two: Two, how: str) -> None:
    async with make_pool(two.url, Settings(pool_size=1)) as pool:
        for ledger_id in (*two.ids, *two.ids):
            try:
                async with of_ledger(pool, ledger_id) as connection:
                    await _break_off(connection, how)
            except (psycopg.Error, Broken):
                pass
            async with of_ledger(pool, ledger_id) as connection:
                assert await seen_by(connection) == [ledger_id]
            await taken_by_turns(pool, two)


async def test_a_connection_in_use_is_not_turned_to_another_ledger(two: Two) -> None:
    """A rollback would turn it back, and nobody would know."""
    first, second = two.ids
    async with make_pool(two.url, Settings(pool_size=2)) as pool, of_ledger(pool, first) as connection:
        async with connection.transaction():
            await connection.execute("SELECT 1")
            with pytest.raises(psycopg.ProgrammingError, match="another ledger"):
                await connection.show(second)
        async with connection.pipeline():
            with pytest.raises(psycopg.ProgrammingError, match="another ledger"):
                await connection.show(second)
        assert await seen_by(connection) == [first]


async def test_a_connection_for_the_same_ledger_asks_the_database_nothing(two: Two) -> None:
    async with make_pool(two.url, Settings(pool_size=1)) as pool:
        async with of_ledger(pool, two.ids[0]) as connection:
            pid = connection.info.backend_pid
            await connection.execute("SELECT 'the last of before'")
        async with of_ledger(pool, two.ids[0]) as connection:
            assert connection.info.backend_pid == pid
            with psycopg.connect(two.url) as watching:
                last = watching.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone()
            assert last == ("SELECT 'the last of before'",)


async def test_who_goes_across_ledgers_does_so_until_its_transaction_ends(two: Two) -> None:
    async with make_pool(two.url, Settings(pool_size=2)) as pool, pool.connection() as connection:
        async with snapshot(connection):
            await across_ledgers(connection)
            assert sorted(await seen_by(connection)) == sorted(two.ids)
        assert await seen_by(connection) == []


async def test_two_ledgers_at_once_on_two_connections_never_see_each_other(two: Two) -> None:
    """Also where those who read are cancelled at any point, as streams are."""
    async with make_pool(two.url, Settings(pool_size=2)) as pool:

        async def read(n: int) -> None:
            wanted = (*two.ids, None)[n % 3]
            async with pool.connection(ledger_id=wanted) as connection:
                if n % 2:
                    async with snapshot(connection):
                        assert await seen_by(connection) == ([wanted] if wanted else [])
                else:
                    assert await seen_by(connection) == ([wanted] if wanted else [])

        tasks = [asyncio.create_task(read(n)) for n in range(240)]
        for n, task in enumerate(tasks):
            if n % 7 == 0:
                for _ in range(n % 5):
                    await asyncio.sleep(0)
                task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(one) for one in ended} <= {type(None), asyncio.CancelledError}
    assert sum(one is None for one in ended) >= 200
