"""Migrating: once, whoever starts first, or not at all and with the reason."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import psycopg
import pytest
from tests.conftest import Cluster

from stet.database.cluster import find_home
from stet.database.migrate import migrate, migration_sql, migrations_folder
from stet.errors import StetError, Unavailable

VERSIONS = migrations_folder() / "versions"
MIGRATING = """
import sys
from stet.database.migrate import migrate
print("ready", flush=True)
sys.stdin.readline()
migrate(sys.argv[1], print)
"""


@pytest.fixture(scope="module")
def dump() -> ModuleType:
    """migrations/dump.py, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("dump", migrations_folder() / "dump.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def revision(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT version_num FROM stet_migration").fetchall()]


def test_four_processes_at_once(empty_url: str) -> None:
    """All succeed, one of them migrates, and the others find it done."""
    with ExitStack() as stack:
        processes = [
            subprocess.Popen(
                [sys.executable, "-W", "error", "-c", MIGRATING, empty_url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for process in processes:
            stack.enter_context(process)
            stack.callback(process.kill)
        for process in processes:
            assert process.stdout and process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sorted(said)[:3] == [""] * 3
    assert sorted(said)[3] == f"migrating the database from empty to {head()}\n"
    assert revision(empty_url) == [head()]


def test_a_second_run_does_nothing(url: str) -> None:
    """Not even a transaction that writes."""

    def last_transaction() -> int:
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute("SELECT max(xmin::text::bigint) FROM pg_class").fetchone()
        assert row
        return int(row[0])

    before, said = last_transaction(), list[str]()
    migrate(url, said.append)
    assert said == []
    assert last_transaction() == before
    assert revision(url) == [head()]


def test_offline_sql_makes_the_same_schema(cluster: Cluster, dump: ModuleType, tmp_path: Path) -> None:
    """What `stet migrate --sql` prints can be run by hand instead."""
    pg_dump = find_home(tmp_path).install / "bin" / "pg_dump"

    def schema(url: str) -> str:
        # Some builds of PostgreSQL stamp columns with a number of their own.
        return re.sub(r"^ALTER TABLE .* SET \(pg_attver=\d+\);\n", "", dump.dump(url, pg_dump), flags=re.MULTILINE)

    by_hand = cluster.create()
    with psycopg.connect(by_hand, autocommit=True) as connection:
        connection.execute(migration_sql().encode())
    assert schema(by_hand) == schema(cluster.migrated())
    assert revision(by_hand) == [head()]


def test_the_sql_comes_through_verbatim(url: str) -> None:
    """Neither `:name` nor `%` is taken for a parameter, online or offline."""
    text = (VERSIONS / "0001_event_log.sql").read_text(encoding="utf-8")
    all_ = "".join(path.read_text(encoding="utf-8") for path in sorted(VERSIONS.glob("*.sql")))
    # A later migration may put another body in the place of an earlier one.
    made = re.findall(r"CREATE (?:OR REPLACE )?FUNCTION (stet\.\w+)\(.*?AS \$\$(.*?)\$\$;", all_, re.DOTALL)
    bodies = dict(made).items()
    assert {name for name, _ in bodies} >= {"stet.append", "stet.leaf", "stet.refuse_change", "stet.refuse_forgery"}
    assert any("%" in body for _, body in bodies)
    assert any("::" in body and "HH24:MI:SS" in body for _, body in bodies)
    with psycopg.connect(url) as connection:
        for name, body in bodies:
            row = connection.execute("SELECT prosrc FROM pg_proc WHERE oid = %s::regproc", (name,)).fetchone()
            assert row == (body,)
    assert text in migration_sql()


def head() -> str:
    return max(path.name[:4] for path in VERSIONS.glob("*.py"))


def test_there_is_one_line_of_revisions() -> None:
    """Each revision follows the one before it, has its SQL beside it, and there is no other SQL."""
    scripts = sorted(VERSIONS.glob("*.py"))
    assert [path.stem for path in scripts] == sorted(path.stem for path in VERSIONS.glob("*.sql"))
    before = "None"
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        number = path.name[:4]
        assert re.findall(r"^revision = (.*)$", text, re.MULTILINE) == [f'"{number}"']
        assert re.findall(r"^down_revision = (.*)$", text, re.MULTILINE) == [before]
        assert "def downgrade" not in text
        before = f'"{number}"'


def test_a_database_of_a_later_release_is_refused(url: str) -> None:
    """Its migration is named, and nothing is changed."""
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE stet_migration SET version_num = '9999'")
    with pytest.raises(StetError, match="at migration 9999, which this release does not know: use a later release"):
        migrate(url)
    assert revision(url) == ["9999"]


@pytest.mark.parametrize(
    "url",
    ["postgresql://somebody:s3cret@127.0.0.1:1/stet", "postgresql://somebody:s3cret@no-such-host.invalid/stet"],
)
def test_an_unreachable_database(url: str) -> None:
    """One line says where it was looked for, without the password."""
    with pytest.raises(Unavailable, match=r"the database cannot be reached: .*(127\.0\.0\.1|no-such-host)") as error:
        migrate(url)
    assert "\n" not in str(error.value)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("url", ["postgresql://u:s3cret%zz@h/x", "postgresql://u:s3cret word@h/x", "host=h s3cret x"])
def test_a_url_that_cannot_be_read(url: str) -> None:
    """The message gives the form, and nothing of the URL, which may hold a password."""
    with pytest.raises(StetError, match=r"cannot be read: its form is postgresql://") as error:
        migrate(url)
    assert "s3cret" not in str(error.value)
    assert error.value.__cause__ is None


@pytest.fixture
def ascii_url(cluster: Cluster) -> Iterator[str]:
    """A database in another encoding than UTF8."""
    url = cluster.create()
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}"'.encode())
        connection.execute(
            f"""CREATE DATABASE "{name}" ENCODING 'SQL_ASCII' TEMPLATE template0
                LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'""".encode()
        )
    return url


def test_another_encoding_is_refused(ascii_url: str) -> None:
    """The message names it, and nothing is left behind."""
    with pytest.raises(StetError, match="the database must be encoded in UTF8, not SQL_ASCII") as error:
        migrate(ascii_url)
    assert "\n" not in str(error.value)
    with psycopg.connect(ascii_url, client_encoding="utf8") as connection:
        found = connection.execute("SELECT to_regnamespace('stet') IS NULL, to_regclass('stet_migration') IS NULL")
        assert found.fetchone() == (True, True)


def test_a_migration_that_fails_leaves_nothing(empty_url: str) -> None:
    """It is rolled back whole, the reason is named, and the next run succeeds."""
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA stet")
        with pytest.raises(StetError, match='was rolled back: schema "stet" already exists'):
            migrate(empty_url)
        assert connection.execute("SELECT to_regclass('stet_migration')").fetchone() == (None,)
        connection.execute("DROP SCHEMA stet")
    migrate(empty_url)
    assert revision(empty_url) == [head()]
