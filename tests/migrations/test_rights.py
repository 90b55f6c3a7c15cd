"""The least that whoever migrates, and whoever serves, must be allowed."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import Cluster

from stet.database.migrate import migrate
from stet.database.pool import make_pool
from stet.errors import StetError
from stet.settings import Settings

_OURS = ("stet_owner", "stet_application", "stet_reader", "stet_worker")


@pytest.fixture
def login(cluster: Cluster) -> Iterator[str]:
    """A role that can log in and nothing more; gone afterwards, with what it owns."""
    name = f"stet_login_{os.getpid()}"
    with psycopg.connect(cluster.admin_url, autocommit=True) as admin:
        admin.execute(f'CREATE ROLE "{name}" LOGIN')
        yield name
        admin.execute(f'DROP ROLE "{name}"')


def _as(url: str, login: str) -> str:
    """The URL of the database for another login, by way of SET ROLE where the server lets nobody else in."""
    return make_conninfo(url, user=login)


def _forget(url: str, login: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f'REASSIGN OWNED BY "{login}" TO CURRENT_USER')
        admin.execute(f'DROP OWNED BY "{login}"')


def test_an_owner_who_may_act_as_the_roles_migrates(cluster: Cluster, login: str, empty_url: str) -> None:
    """No superuser is needed, and no CREATEROLE once the four roles are there."""
    migrate(cluster.migrated())  # the roles of the server exist from here on
    with psycopg.connect(empty_url, autocommit=True) as admin:
        database = admin.info.dbname
        admin.execute(f'GRANT {", ".join(_OURS)} TO "{login}"')
        admin.execute(f'ALTER DATABASE "{database}" OWNER TO "{login}"')
    try:
        migrate(_as(empty_url, login))
        with psycopg.connect(empty_url) as admin:
            owners = admin.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'stet'").fetchall()
        assert owners == [("stet_owner",)]
    finally:
        _forget(empty_url, login)


def test_an_owner_with_createrole_grants_itself_what_it_lacks(cluster: Cluster, login: str, empty_url: str) -> None:
    """A role that made the four, and was thereby only allowed to grant them, can migrate."""
    with psycopg.connect(empty_url, autocommit=True) as admin:
        database = admin.info.dbname
        version = admin.info.server_version
        migrate(cluster.migrated())
        admin.execute(f'ALTER ROLE "{login}" CREATEROLE')
        admin.execute(f'ALTER DATABASE "{database}" OWNER TO "{login}"')
        if version >= 160000:
            admin.execute(f'GRANT {", ".join(_OURS)} TO "{login}" WITH ADMIN TRUE, SET FALSE, INHERIT FALSE')
    try:
        migrate(_as(empty_url, login))
    finally:
        _forget(empty_url, login)


async def test_a_login_with_the_applications_role_serves_but_cannot_migrate(
    cluster: Cluster, login: str, empty_url: str
) -> None:
    """It starts on a migrated database; on an empty one it says why it cannot."""
    url = cluster.migrated()
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f'GRANT stet_application TO "{login}"')
    migrate(_as(url, login))
    async with make_pool(_as(url, login), Settings(pool_size=2)) as pool, pool.connection() as connection:
        row = await (await connection.execute("SELECT current_user, count(*) FROM stet.event")).fetchone()
        assert row == ("stet_application", 0)
    with pytest.raises(StetError, match="permission denied"):
        migrate(_as(empty_url, login))
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f'REVOKE stet_application FROM "{login}"')


def test_who_served_before_there_were_workers_of_their_own_becomes_one(
    cluster: Cluster, login: str, empty_url: str
) -> None:
    """The migration that takes the worker's rights from stet_application gives the login that has it the other role."""
    migrate(cluster.migrated())
    with psycopg.connect(empty_url, autocommit=True) as admin:
        admin.execute(f'GRANT stet_application TO "{login}"')
        migrate(empty_url)
        admin.execute(f'SET ROLE "{login}"')
        admin.execute("SET ROLE stet_worker")
        assert admin.execute("SELECT count(*) FROM stet.event").fetchone() == (0,)
        admin.execute("RESET ROLE")
        admin.execute(f'REVOKE stet_application, stet_worker FROM "{login}"')
