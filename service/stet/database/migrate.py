"""Brings a database to the schema of this release. Forward only; safe when many processes start at once."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from stet.errors import StetError, Unavailable
from stet.projections.prepare import prepare, prepare_sql

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 7_203_115_611_904_562
"""The advisory lock that one migrating process holds; any fixed number that nothing else uses."""
_WAIT_S = 120.0


def migrations_folder() -> Path:
    """The folder of the migrations: beside the source in a checkout, inside the package when installed."""
    package = Path(__file__).parents[1]
    installed = package / "_migrations"
    return installed if installed.is_dir() else package.parents[1] / "migrations"


def migrate(url: str, say: Callable[[str], None] = lambda line: None) -> None:
    """Migrates the database to head. Does nothing when it is there. Raises StetError with the reason otherwise.

    The lock is polled, never waited for: a process that waits inside PostgreSQL for the lock would hold a snapshot
    that a concurrent CREATE INDEX waits for, and both would wait for ever.
    """
    try:
        conninfo_to_dict(url)
    except psycopg.Error:  # whose message may quote the password
        raise StetError("the database's URL cannot be read: its form is postgresql://user:password@host/name") from None
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=15, client_encoding="utf8") as lock:
            deadline = time.monotonic() + _WAIT_S
            while not _try_lock(lock):
                if time.monotonic() > deadline:
                    raise Unavailable(f"another process has been migrating this database for {_WAIT_S:.0f} s")
                time.sleep(0.1)
            if not _at_head(lock):
                _upgrade(url, say)
            prepare(url, say)
    except psycopg.OperationalError as error:
        raise Unavailable(f"the database cannot be reached: {_first_line(error)}") from error
    except psycopg.Error as error:
        raise StetError(f"the migration failed and was rolled back: {_first_line(error)}") from error


def migration_sql() -> str:
    """The SQL of all migrations from an empty database to head, for review or to be run by hand."""
    from alembic import command

    output = io.StringIO()
    config = _config()
    config.output_buffer = output
    command.upgrade(config, "head", sql=True)
    return output.getvalue() + prepare_sql()


def _try_lock(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    return row is not None and bool(row[0])


def _at_head(connection: psycopg.Connection) -> bool:
    """Asked without Alembic: to import it and SQLAlchemy takes as long as the rest of a command's start."""
    head = max(path.name[:4] for path in (migrations_folder() / "versions").glob("*.py"))
    table = connection.execute("SELECT to_regclass('stet_migration')").fetchone()
    if table is None or table[0] is None:
        return False
    return connection.execute("SELECT version_num FROM stet_migration").fetchall() == [(head,)]


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(url: str, say: Callable[[str], None]) -> None:
    from alembic import command
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    config = _config()
    script = ScriptDirectory.from_config(config)
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url, client_encoding="utf8"),  # of a database in another encoding, too
        poolclass=NullPool,
    )
    try:
        with engine.connect() as connection:
            known = MigrationContext.configure(connection, opts={"version_table": "stet_migration"})
            revision, head = known.get_current_revision(), script.get_current_head()
            connection.rollback()
            if revision == head:
                return
            if revision is not None and revision not in {r.revision for r in script.walk_revisions()}:
                raise StetError(
                    f"the database is at migration {revision}, which this release does not know: use a later release"
                )
            say(f"migrating the database from {revision or 'empty'} to {head}")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise StetError(f"the migration failed and was rolled back: {_first_line(error.orig)}") from error


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]
