"""`stet export log`, `stet import log`: a ledger's log as a file, to keep and to restore."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import psycopg

from stet.cli.database import database, progress
from stet.cli.terminal import say
from stet.database.pool import as_role
from stet.errors import CorruptLog, Malformed, StetError, Unavailable
from stet.settings import Settings
from stet.store.export import export_log
from stet.store.log_file import LogFile
from stet.store.restore import restore_log

_STANDARD = Path("-")


def export_here(settings: Settings, ledger: str, output: Path, up_to: int | None) -> int:
    """Writes the log of a ledger. 1 if it has a fault: it is named, and what was written cannot be restored."""
    with database(settings, create=False) as url, _connected(url) as connection:
        as_role(connection, "stet_application")
        try:
            with _writing(output) as stream:
                header = export_log(connection, ledger, stream.write, up_to, progress())
        except OSError as error:
            raise StetError(f"{output} cannot be written: {error.strerror or error}") from error
        except CorruptLog as error:
            say(f"stet: the log of {ledger}: {error}")
            return 1
    say(f"wrote {header.position:,} events of {ledger}, up to {header.recorded_at}")
    return 0


def import_here(settings: Settings, file: Path) -> int:
    """Restores a ledger from its log. 1 if the file has a fault: it is named, and nothing is written."""
    try:
        with _reading(file) as stream:
            log = LogFile(stream)
            with database(settings) as url, _connected(url) as connection:
                restore_log(connection, log, progress())
    except Malformed as error:
        raise Malformed(f"{file}: {error}") from error
    except CorruptLog as error:
        say(f"stet: {file}: {error}")
        say("nothing was restored")
        return 1
    say(f"restored {log.header.position:,} events of {log.header.name}, up to {log.header.recorded_at}")
    return 0


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(url, client_encoding="utf8", application_name="stet") as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise Unavailable(f"the database went away: {str(error).partition(chr(10))[0]}") from error


@contextmanager
def _writing(output: Path) -> Iterator[BinaryIO]:
    """Where a log is written to. A file has its name only when it is whole, and on the disk."""
    if output == _STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if output.exists() and not output.is_file():
        raise Malformed(f"{output} is not a file")
    part = output.with_name(output.name + ".part")
    try:
        with part.open("wb") as file:
            if output.suffix == ".gz":
                # Without a time and a name, so that the same log gives the same bytes.
                with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
                    yield cast(BinaryIO, packed)
            else:
                yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _reading(file: Path) -> Iterator[BinaryIO]:
    if file == _STANDARD:
        yield sys.stdin.buffer
        return
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            yield cast(BinaryIO, stream)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise Malformed(error.strerror or str(error)) from error
