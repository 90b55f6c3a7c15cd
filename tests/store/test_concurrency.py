"""Several processes write one ledger at once, and some are killed."""

from __future__ import annotations

import asyncio
import json
import queue
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from tests.conftest import wait_until
from tests.store.writing import an_append, assert_sound, make_ledger, read_all, source

from stet.database.pool import make_pool
from stet.handle import Context, Decision, Outcome, Reader, handle, to_events
from stet.ids import new_id
from stet.settings import Settings
from stet.store.append import Appended, Log
from stet.store.verify import verify

WRITING = Path(__file__).with_name("writing.py")
STREAMS = 6


class Writer:
    """A process with several writers, each on a connection of its own."""

    def __init__(self, url: str, ledger_id: UUID, name: str, *, commands: int, writers: int) -> None:
        arguments = (url, str(ledger_id), name, *map(str, (STREAMS, commands, writers)))
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", WRITING, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.reading = threading.Thread(target=self._read)
        self.reading.start()

    def _read(self) -> None:
        """What is written is taken at once: a full pipe would stop the process."""
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def line(self) -> str:
        """The next line; empty at the end."""
        return self._lines.get(timeout=60)

    def go(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def rest(self) -> list[dict[str, Any]]:
        """What was acknowledged and not read yet, once the process has ended; a line that a kill cut off is none."""
        self.reading.join()
        lines = [self._lines.get() for _ in range(self._lines.qsize())]
        return [json.loads(line) for line in lines if line.endswith("\n")]


@contextmanager
def writing(url: str, ledger_id: UUID, *names: str, commands: int, writers: int) -> Iterator[list[Writer]]:
    """Processes that have connected and begin at the same time."""
    with ExitStack() as stack:
        started = [Writer(url, ledger_id, name, commands=commands, writers=writers) for name in names]
        for writer in started:
            stack.enter_context(writer.process)
            stack.callback(writer.reading.join)
            stack.callback(writer.process.kill)
        for writer in started:
            assert writer.line() == "ready\n"
        for writer in started:
            writer.go()
        yield started


def new_ledger(url: str) -> UUID:
    async def make() -> UUID:
        async with make_pool(url, Settings(pool_size=2)) as pool:
            return await make_ledger(Log(pool))

    return asyncio.run(make())


def faults(url: str) -> list[str | None]:
    with psycopg.connect(url) as connection:
        return [report.fault for report in verify(connection, None)]


def assert_kept(url: str, ledger_id: UUID, acknowledged: list[dict[str, Any]]) -> None:
    """Every acknowledged event is there, at the version for which it was written, and nothing is there half."""
    rows = read_all(url, ledger_id)
    assert_sound(rows)
    stored = {(row.stream, row.stream_version): str(row.event_id) for row in rows}
    assert len(stored) == len(rows)
    ends = {str(row.correlation_id): row.position for row in rows}
    for said in acknowledged:
        assert all(stored[stream, version] == event_id for stream, version, event_id in said["events"])
        assert said["position"] == ends[said["correlation_id"]]
    sizes = Counter(str(row.correlation_id) for row in rows)
    assert all(sizes[said["correlation_id"]] == len(said["events"]) for said in acknowledged)


def test_two_processes_with_eight_connections(url: str) -> None:
    """Nothing is lost, reordered or written twice, and a reader who remembers one position misses nothing."""
    ledger_id = new_ledger(url)
    remembered, seen = 0, []
    with (
        writing(url, ledger_id, "one", "two", commands=40, writers=4) as writers,
        psycopg.connect(url, autocommit=True) as reader,
    ):
        over = False
        while True:
            rows = reader.execute(
                """SELECT position, event_id FROM stet.event
                   WHERE ledger_id = %s AND position > %s ORDER BY position LIMIT 20""",
                (ledger_id, remembered),
            ).fetchall()
            seen += [event_id for _, event_id in rows]
            remembered = rows[-1][0] if rows else remembered
            if over and not rows:
                break
            over = all(writer.process.poll() is not None for writer in writers)
        acknowledged = [said for writer in writers for said in writer.rest()]
        assert [writer.process.wait() for writer in writers] == [0, 0]
    assert len(acknowledged) == 2 * 4 * 40
    assert_kept(url, ledger_id, acknowledged)
    rows_stored = read_all(url, ledger_id)
    assert len(rows_stored) == 1 + sum(len(said["events"]) for said in acknowledged)
    assert seen == [row.event_id for row in rows_stored]
    assert faults(url) == [None]


async def test_every_race_has_one_winner(url: str) -> None:
    """Of eight connections in as many logs that expect one version, one appends; the others are stale."""
    pools = [make_pool(url, Settings(pool_size=1)) for _ in range(8)]
    try:
        for pool in pools:
            await pool.open()
        logs = [Log(pool) for pool in pools]
        ledger_id = await make_ledger(logs[0])
        for version in range(25):
            racing = [an_append({"a:1": version, "b:1": version}, "a:1", "b:1", actor=str(n)) for n in range(8)]
            found: list[Appended] = await asyncio.gather(
                *(log.append(ledger_id, append) for log, append in zip(logs, racing, strict=True))
            )
            assert sorted(appended.outcome for appended in found) == ["appended"] + ["stale"] * 7
            (winner,) = (n for n, appended in enumerate(found) if appended.outcome == "appended")
            assert [row.actor for row in read_all(url, ledger_id, after=1 + 2 * version)] == [str(winner)] * 2
        assert_sound(read_all(url, ledger_id))
    finally:
        for pool in pools:
            await pool.close()


SHARED = f"source:{UUID(int=1)}"


async def test_who_loses_again_and_again_gets_its_turn(url: str) -> None:
    """After three lost races nobody else appends until the command has; the others wait, and lose nothing."""
    async with make_pool(url, Settings(pool_size=4)) as pool:
        log = Log(pool)
        ledger_id = await make_ledger(log)
        rivals: list[asyncio.Task[Appended]] = []

        async def decide(reader: Reader) -> Decision:
            version = len(await reader.stream(SHARED))
            rival = asyncio.create_task(log.append(ledger_id, an_append({SHARED: version}, SHARED)))
            rivals.append(rival)
            done, _ = await asyncio.wait({rival}, timeout=0.3)
            assert bool(done) == (len(rivals) <= 3), "the fourth rival waits"
            return Decision("/", to_events(SHARED, [source("last")]))

        context = Context(actor="patient", correlation_id=new_id(), request_digest=b"")
        outcome = await handle(pool, log, ledger_id, None, decide, context)
        assert [(await rival).outcome for rival in rivals] == ["appended"] * 3 + ["stale"]
    assert outcome.position == 5
    rows = read_all(url, ledger_id)
    assert_sound(rows)
    assert rows[-1].actor == "patient"


async def test_who_lost_takes_turns_with_who_lost_before_him(url: str) -> None:
    """Of many who write to one stream at once each decides twice, three times at most, and not until he wins."""
    many = 12
    async with make_pool(url, Settings(pool_size=4)) as pool:
        log = Log(pool)
        ledger_id = await make_ledger(log)
        decided = [0] * many

        async def write(n: int) -> Outcome:
            async def decide(reader: Reader) -> Decision:
                decided[n] += 1
                await reader.stream(SHARED)
                return Decision("/", to_events(SHARED, [source(f"{n}")]))

            context = Context(actor=f"{n}", correlation_id=new_id(), request_digest=b"")
            return await handle(pool, log, ledger_id, None, decide, context)

        found = await asyncio.gather(*(write(n) for n in range(many)))
        assert sorted(one.position or 0 for one in found) == list(range(2, 2 + many))
        assert max(decided) <= 3
        assert sum(decided) <= 2 * many
    assert_sound(read_all(url, ledger_id))


def test_a_killed_process_leaves_no_half_append(url: str) -> None:
    """It is killed while the database carries out its appends: each is whole or absent, those acknowledged whole."""
    ledger_id = new_ledger(url)
    for round_ in range(2):
        with writing(url, ledger_id, f"killed-{round_}", "survivor", commands=10_000, writers=4) as writers:
            killed, survivor = writers
            acknowledged = [json.loads(killed.line()) for _ in range(30)]
            with psycopg.connect(url) as holder:
                holder.execute("SELECT FROM stet.head WHERE ledger_id = %s FOR UPDATE", (ledger_id,))
                wait_until(lambda: len(appending(url, "Lock")) == 2, "both processes wait in the middle of an append")
                killed.process.send_signal(signal.SIGKILL)
                killed.process.wait()
            acknowledged += killed.rest()
            acknowledged += [json.loads(survivor.line()) for _ in range(30)]
            survivor.process.kill()
            acknowledged += survivor.rest()
        wait_until(lambda: not appending(url), "the database has ended what it had begun")
        assert_kept(url, ledger_id, acknowledged)
        assert faults(url) == [None]


def test_a_killed_append_is_gone_whole(url: str) -> None:
    """When the database's own process is ended in mid-append, nothing of that append stays."""
    ledger_id = new_ledger(url)
    with writing(url, ledger_id, "killed", commands=10_000, writers=4) as (killed,):
        acknowledged = [json.loads(killed.line()) for _ in range(30)]
        with psycopg.connect(url) as holder:
            holder.execute("SELECT FROM stet.head WHERE ledger_id = %s FOR UPDATE", (ledger_id,))
            wait_until(lambda: bool(appending(url, "Lock")), "the process waits in the middle of an append")
            kept = read_all(url, ledger_id)
            killed.process.kill()
            acknowledged += killed.rest()
            with psycopg.connect(url, autocommit=True) as other:
                for pid in appending(url):
                    other.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
    assert read_all(url, ledger_id) == kept
    assert_kept(url, ledger_id, acknowledged)
    assert faults(url) == [None]


def appending(url: str, waiting_for: str | None = None) -> list[int]:
    """The server processes that carry out an append at this moment, or wait in the middle of one."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            """SELECT pid FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
                 AND query LIKE '%%stet.append%%' AND wait_event_type IS NOT DISTINCT FROM
                     coalesce(%s, wait_event_type)""",
            (waiting_for,),
        ).fetchall()
    return [row[0] for row in rows]
