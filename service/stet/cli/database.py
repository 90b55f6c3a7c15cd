"""The database of a command: where it is, and the commands that are about nothing else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from stet.cli.terminal import say
from stet.database.embedded import embedded
from stet.database.migrate import migrate
from stet.errors import CorruptLog, Malformed, NotFound, Unavailable
from stet.settings import Settings


@contextmanager
def database(settings: Settings, *, create: bool = True) -> Iterator[str]:
    """The URL of the migrated database, of STET_DATABASE_URL or of the embedded PostgreSQL, which stops afterwards.

    Without `create`, raises NotFound where there is no embedded database yet: a command that only reads would
    make an empty one, and find nothing wrong with it.
    """
    if settings.database_url:
        migrate(settings.database_url, say)
        yield settings.database_url
    elif not create and not (settings.data / "postgres").is_dir():
        raise NotFound(f"there is no database in {settings.data}: set STET_DATA or STET_DATABASE_URL to where it is")
    else:
        with embedded(settings.data) as url:
            migrate(url, say)
            yield url


@contextmanager
def reading(url: str) -> Iterator[psycopg.Connection]:
    """A connection that may only read. Raises Unavailable."""
    try:
        with psycopg.connect(url) as connection:
            connection.execute("SET ROLE stet_reader")
            connection.commit()
            yield connection
    except psycopg.OperationalError as error:
        raise Unavailable(f"the database cannot be reached: {str(error).partition(chr(10))[0]}") from error


def migrate_here(settings: Settings) -> int:
    """Migrates, and says so."""
    with database(settings):
        say("the database is at the schema of this release")
    return 0


def verify_here(
    settings: Settings, ledger: str | None, checkpoints: Sequence[Path] = (), keys: Sequence[str] = ()
) -> int:
    """Checks the log of every ledger, or of one, its tree, and the histories against it. 1 if something is wrong.

    Raises Malformed for a file that holds no checkpoint, or what is no key.
    """
    from stet.offline import read_keys
    from stet.store.verify import verify

    try:
        saved = [path.read_text(encoding="utf-8") for path in checkpoints]
        public = [key.public for text in keys for key in read_keys(text)]
    except (OSError, ValueError) as error:
        raise Malformed(str(error)) from error
    wrong = 0
    with database(settings, create=False) as url, reading(url) as connection:
        reports = verify(connection, ledger, progress(), saved=saved, keys=public)
        for report in reports:
            print(f"{report.ledger}: {report.events} events, {report.fault or 'sound'}")
            # Of a faulty log nothing follows.
            lines = [] if report.fault else _differences(connection, report.ledger)
            for line in lines:
                print(f"{report.ledger}: {line}")
            wrong += bool(report.fault or lines)
    if not reports:
        print("there is no ledger")
    return 1 if wrong else 0


def _differences(connection: psycopg.Connection, ledger: str) -> list[str]:
    from stet.projections.verify import differences

    try:
        return differences(connection, ledger, progress())
    except CorruptLog as error:
        return [str(error)]


def progress() -> Callable[[str, int, int], None]:
    """Shows how far something is, how fast, and how long it will take: a line that is rewritten on a terminal, a plain
    line every 5 s elsewhere."""
    terminal = sys.stderr.isatty()
    last = time.monotonic()
    began: tuple[str, int, float] = ("", 0, last)

    def show(what: str, done: int, total: int) -> None:
        nonlocal last, began
        now = time.monotonic()
        if what != began[0]:
            began = what, done, now
        finished = done >= total
        if now - last < (0.1 if terminal else 5.0) and not (finished and terminal):
            return
        last = now
        percent = 100 if total == 0 else done * 100 // total
        line = f"{what}: {done:,} of {total:,} events ({percent} %)"
        if (took := now - began[2]) > 0 and done > began[1]:
            rate = (done - began[1]) / took
            line += f", {rate:,.0f}/s" + ("" if finished else f", {(total - done) / rate:,.0f} s left")
        print(
            f"\r\033[K{line}" + ("\n" if finished else "") if terminal else line,
            end="" if terminal else "\n",
            file=sys.stderr,
            flush=True,
        )

    return show
