"""`python -m tests.faults`: rounds of killing, on one database that lives through all of them."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from random import Random

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from stet.database.embedded import embedded
from stet.database.migrate import migrate
from tests.faults.checks import Log, catalog_of, check_all_writes
from tests.faults.installation import HARNESS, Installation
from tests.faults.load import load
from tests.faults.plan import plan_of
from tests.faults.processes import Violation
from tests.faults.round import Round, World


def main() -> int:
    """0: nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="how many (default: 50)")
    parser.add_argument("--seed", type=int, help="of all plans (default: another each time)")
    parser.add_argument("--first", type=int, default=1, metavar="N", help="begin with round N of the seed")
    parser.add_argument("--minutes", type=float, help="begin no round after so many (default: however long it takes)")
    parser.add_argument("--url", help="another PostgreSQL, as a superuser: a database is made there, and dropped")
    asked = parser.parse_args()
    # As an exception, so that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    seed = secrets.randbelow(10**6) if asked.seed is None else asked.seed
    began = time.monotonic()
    print(f"seed {seed}, {asked.rounds} rounds", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="stet-faults-"))
    number, last = 0, asked.first + asked.rounds - 1
    try:
        with _database(asked.url, folder) as url, _world(url, seed, folder) as world:
            for number in range(asked.first, last + 1):
                if asked.minutes and time.monotonic() - began > asked.minutes * 60:
                    print(f"STOPPED before round {number}: {asked.minutes:g} minutes are over, on this machine")
                    break
                _round(world, number)
            check_all_writes(world.connection, world.known)
            for name, count in sorted(world.counts.items()):
                print(f"{count:7,}  {name}")
            print(f"{world.log.events():7,}  events in the log; nothing wrong, {time.monotonic() - began:.0f} s")
    except Exception as error:
        # Of what was not foreseen one must see where.
        print("".join(traceback.format_exception(error)) if not isinstance(error, Violation) else "")
        print(f"VIOLATION in round {number}: {error}", flush=True)
        again = f"python -m tests.faults --seed {seed}"
        print(f"Again: {again} --rounds {number}; that round alone: {again} --first {number} --rounds 1")
        print(f"What all processes said is in {folder}")
        return 1
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder)
    return 0


def _round(world: World, number: int) -> None:
    plan = plan_of(world.seed, number)
    one = Round(world, plan)
    print(f"round {number}: {plan}", end="", flush=True)
    try:
        one.run()
    finally:
        print(f"; killed {'; '.join(one.said) or 'nothing'}", end="", flush=True)
    print(f"; log, projections, rebuilds, catalog, {len(world.known.writes)} writes right; ", end="")
    print(f"{', '.join(one.times)} s", flush=True)


@contextlib.contextmanager
def _world(url: str, seed: int, folder: Path) -> Iterator[World]:
    migrate(url)
    with (
        psycopg.connect(url, autocommit=True, application_name=HARNESS) as connection,
        contextlib.ExitStack() as stack,
    ):
        catalog = catalog_of(connection)
        installation = Installation(url, folder, connection)
        stack.callback(installation.end)
        world = World(url, seed, connection, installation, catalog)
        events = load(installation.server.client, Random(seed), world.known)
        world.log = Log(connection)
        print(f"{events:,} events to begin with", flush=True)
        yield world


@contextlib.contextmanager
def _database(admin: str | None, folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if admin is None:
        with embedded(folder / "data", durable=False) as url:
            yield url
        return
    name = sql.Identifier(f"stet_faults_{os.getpid()}")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(name))
        try:
            yield make_conninfo(admin, dbname=name.as_string(None).strip('"'))
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


if __name__ == "__main__":
    sys.exit(main())
