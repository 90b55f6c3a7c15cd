"""What every measurement here has in common: interleaved rounds, ratios, and the table that they are told in."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
from msgspec import Struct
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from stet.database.migrate import migrate
from stet.database.pool import make_pool
from stet.ids import new_id
from stet.ledger.events import LedgerCreated
from stet.settings import Settings
from stet.store.append import Append, Log, NewEvent

PEERS = Path(__file__).parent / "peers"
PYTHON = PEERS / ".venv" / "bin" / "python"
_EMMETT = PEERS / "emmett" / "node_modules" / "@event-driven-io"


class Bench(Struct, frozen=True, kw_only=True):
    """How much is measured, and where."""

    url: str
    """Of a database that is migrated and has nothing else in it, on a server that keeps its promises (fsync on)."""
    rounds: int
    seconds: float
    """How long each figure of a rate is taken in each round."""
    events: int
    """How many events a rebuild folds, a restore brings, and about how many an import makes."""
    incidents: int
    """Of the ledger that questions are asked of; each has about ten events."""

    @property
    def peers(self) -> bool:
        """Whether the peers written in Python are there; `make bench` installs them."""
        return PYTHON.exists()

    @property
    def emmett(self) -> bool:
        """Whether Emmett is there; it takes Node.js."""
        return _EMMETT.exists()


class Row(Struct, frozen=True, kw_only=True):
    """One figure. Only the ratio means anything on another machine."""

    name: str
    what: str
    """What is compared, in one line: the value, then the baseline."""
    unit: str
    value: float
    baseline: float | None
    ratio: float | None
    least: float | None
    """The least and the greatest ratio of a round."""
    most: float | None
    target: float | None
    at_most: bool
    """The ratio should not exceed the target; else it should reach it."""
    met: bool | None
    rounds: int


def compared(
    name: str,
    what: str,
    rounds: Sequence[tuple[float, float]],
    *,
    target: float | None = None,
    at_most: bool = False,
    unit: str = "/s",
) -> Row:
    """The row of a figure: of each round its value and its baseline, the median of their ratios."""
    ratios = [value / baseline for value, baseline in rounds]
    ratio = statistics.median(ratios)
    met = None if target is None else ratio <= target if at_most else ratio >= target
    return Row(
        name=name,
        what=what,
        unit=unit,
        value=statistics.median(value for value, _ in rounds),
        baseline=statistics.median(baseline for _, baseline in rounds),
        ratio=ratio,
        least=min(ratios),
        most=max(ratios),
        target=target,
        at_most=at_most,
        met=met,
        rounds=len(rounds),
    )


def counted(name: str, what: str, values: Sequence[float], *, unit: str) -> Row:
    """The row of a figure that is compared with nothing: the median of the rounds."""
    return Row(
        name=name,
        what=what,
        unit=unit,
        value=statistics.median(values),
        baseline=None,
        ratio=None,
        least=None,
        most=None,
        target=None,
        at_most=False,
        met=None,
        rounds=len(values),
    )


class Latencies(Struct):
    """How long each of many requests took, in seconds."""

    took: list[float]

    def at(self, share: float) -> float:
        """The time in ms within which a share of them, from 0 to 1, was done."""
        took = sorted(self.took)
        return took[min(len(took) - 1, int(len(took) * share))] * 1000

    def __str__(self) -> str:
        return f"p50 {self.at(0.5):.2f} ms, p99 {self.at(0.99):.2f} ms, n {len(self.took):,}"

    def histogram(self) -> str:
        """The share of each doubling of the time, in one line."""
        bounds = [0.25 * 2**n for n in range(14)]
        shares = []
        for low, high in zip([0.0, *bounds], [*bounds, float("inf")], strict=True):
            count = sum(low <= one * 1000 < high for one in self.took)
            if count:
                shares.append(f"<{high:g} ms {100 * count / len(self.took):.0f}%")
        return "  ".join(shares)


@contextmanager
def database(url: str, name: str, *, migrated: bool = False) -> Iterator[str]:
    """The URL of a database beside that of another, made for the while; with Stet's tables in it, if so asked."""
    whole = f"{conninfo_to_dict(url)['dbname']}_{name}"
    made = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(whole))
    dropped = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(whole))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(dropped)
        connection.execute(made)
        try:
            beside = make_conninfo(url, dbname=whole)
            if migrated:
                migrate(beside)
            yield beside
        finally:
            connection.execute(dropped)


async def new_ledger(url: str) -> UUID:
    """A ledger without anything in it, called bench-ID."""
    ledger_id = new_id()
    stream = f"ledger:{ledger_id}"
    created = NewEvent(event_id=new_id(), stream=stream, event=LedgerCreated(name=f"bench-{ledger_id}", title="Bench"))
    async with make_pool(url, Settings(pool_size=2)) as pool:
        append = Append(
            actor="bench",
            correlation_id=new_id(),
            expected={stream: 0},
            events=(created,),
            ledger_name=f"bench-{ledger_id}",
        )
        assert (await Log(pool).append(ledger_id, append)).outcome == "appended"
    return ledger_id


def peer(script: str, *arguments: str) -> dict[str, float]:
    """What a script in bench/peers says in its last line, a JSON object of numbers. A `.mjs` is run by Node.js."""
    command = ["node"] if script.endswith(".mjs") else [str(PYTHON)]
    done = subprocess.run(
        [*command, str(PEERS / script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
    )
    if done.returncode:
        raise RuntimeError(f"{script} failed: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def peer_server(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A script in bench/peers that serves until it is ended; what it prints can be read from it."""
    process = subprocess.Popen([str(PYTHON), str(PEERS / script), *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def timed(what: Callable[[], object]) -> float:
    """The seconds that a call takes."""
    began = time.perf_counter()
    what()
    return time.perf_counter() - began
