"""What happens while a rebuild puts its tables in the place of the live ones: nothing is missed, by nobody."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import psycopg
import pytest
from tests.conftest import wait_until
from tests.projections.driving import in_this_process
from tests.projections.rebuilding import ask, disputes_in, execute, phase_of, rebuild, verified
from tests.projections.test_histories import append, write_again
from tests.store.writing import make_ledger
from tests.unit import saying

from stet.database.pool import HISTORIES, make_pool, snapshot
from stet.projections.rebuild import run as running
from stet.projections.rebuild.run import run_rebuild
from stet.settings import Settings
from stet.store.append import Log


@pytest.fixture
def kept(url: str) -> str:
    """A database with two ledgers, of a dispute each."""
    return disputes_in(url)


def late_append(url: str, monkeypatch: pytest.MonkeyPatch) -> threading.Thread:
    """An append that begins when the last events were taken, and before the tables are switched."""
    switch_tables = running.switch_tables
    begun = threading.Event()

    async def write() -> None:
        async with make_pool(url, Settings(pool_size=2)) as pool:
            log = Log(pool)
            ledger_id = await make_ledger(log, "late")
            begun.set()
            for event in saying.told(saying.say("AZ", killed=1)):
                await append(pool, log, ledger_id, [(event.stream, event.event)])

    late = threading.Thread(target=lambda: asyncio.run(write()))

    def switch(*args: Any) -> None:
        late.start()
        waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        wait_until(lambda: not late.is_alive() or bool(execute(url, waits)), "the append waits, or is done")
        switch_tables(*args)

    monkeypatch.setattr(running, "switch_tables", switch)
    return late


def test_an_append_during_the_switch_lands_in_the_new_tables(kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    late = late_append(kept, monkeypatch)
    assert rebuild(kept, "incident_history").phase == "done"
    late.join(30)
    assert execute(kept, "SELECT count(*) FROM stet.incident_history h JOIN stet.ledger l USING (ledger_id)"
                         " WHERE l.name = 'late'") != [(0,)]  # fmt: skip
    assert verified(kept, "late") == []


def test_a_switch_that_does_not_wait_for_appends_is_seen(kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault that the locks are for: a late append is forgotten."""
    monkeypatch.setattr(running, "_HOLD_PROJECTION", "SELECT %(name)s::text")
    monkeypatch.setattr(running, "lock_tables", lambda *args: None)
    late = late_append(kept, monkeypatch)
    assert rebuild(kept, "incident_history").phase == "done"
    late.join(30)
    assert verified(kept, "late") != []


def test_a_switch_before_all_is_caught_up_is_seen(kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rebuild_id = ask(kept, "incident_history")
    monkeypatch.setattr(running, "copy_all", in_this_process)
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > 1

    assert run_rebuild(kept, rebuild_id, stop) is None
    asyncio.run(write_again(kept, "meanwhile", saying.told(saying.say("AZ", killed=2))))
    monkeypatch.setattr(running, "advance", lambda *args: 0)
    view = run_rebuild(kept, rebuild_id)
    assert view
    assert view.phase == "done"
    assert verified(kept, "meanwhile") != []


def test_a_reader_of_one_moment_misses_nothing_while_tables_are_switched(kept: str) -> None:
    """A snapshot that began before the switch reads the tables of its moment; the switch waits for it."""
    count = "SELECT count(*) FROM stet.incident_history"
    before = execute(kept, count)
    rebuild_id = ask(kept, "incident_history")
    with psycopg.connect(kept) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        reader.execute(f"LOCK TABLE {HISTORIES} IN ACCESS SHARE MODE".encode())
        reader.execute("SELECT 1")
        thread = threading.Thread(target=run_rebuild, args=(kept, rebuild_id))
        thread.start()
        wait_until(lambda: phase_of(kept, rebuild_id) == "switching", "it wants to switch")
        assert reader.execute(count.encode()).fetchall() == before
        assert phase_of(kept, rebuild_id) == "switching"
        reader.rollback()
    thread.join(30)
    assert phase_of(kept, rebuild_id) == "done"
    assert execute(kept, count) == before


def test_a_snapshot_of_the_service_misses_nothing_while_tables_are_switched(kept: str) -> None:
    """One that names what it reads keeps those tables; begun before the switch, it reads what was there then."""
    rebuild_id = ask(kept, "incident_history")
    count = "SELECT count(*) FROM stet.incident_history WHERE to_position = 9223372036854775807"
    (before,) = execute(kept, count)

    async def read() -> None:
        async with make_pool(kept, Settings(pool_size=2), role="stet_reader") as pool, pool.connection() as connection:
            async with snapshot(connection, HISTORIES):
                await (await connection.execute("SELECT 1")).fetchone()
                # Later than the moment of the snapshot: of new tables it would see these rows, and no others.
                await asyncio.to_thread(
                    asyncio.run, write_again(kept, "meanwhile", saying.told(saying.say("AZ", killed=1)))
                )
                thread = threading.Thread(target=run_rebuild, args=(kept, rebuild_id))
                thread.start()
                await asyncio.to_thread(
                    wait_until, lambda: phase_of(kept, rebuild_id) in ("switching", "done"), "it wants to switch"
                )
                await asyncio.to_thread(thread.join, 1)
                found = await (await connection.execute(count.encode())).fetchone()
                assert found == before
            await asyncio.to_thread(thread.join, 30)

    asyncio.run(read())
    assert phase_of(kept, rebuild_id) == "done"
    assert verified(kept, "meanwhile") == []


def test_who_writes_is_not_kept_waiting_by_who_reads_for_long(kept: str) -> None:
    """The switch that waits for a reader leaves everybody alone most of the time: appends go on."""
    rebuild_id = ask(kept, "incident_history")
    with psycopg.connect(kept) as reader:
        reader.execute("LOCK TABLE stet.incident_history IN ACCESS SHARE MODE")
        thread = threading.Thread(target=run_rebuild, args=(kept, rebuild_id))
        thread.start()
        wait_until(lambda: phase_of(kept, rebuild_id) == "switching", "it wants to switch")
        asyncio.run(write_again(kept, "meanwhile", saying.told(*(saying.say("AZ", killed=n) for n in range(20)))))
        assert phase_of(kept, rebuild_id) == "switching"
        reader.rollback()
    thread.join(30)
    assert phase_of(kept, rebuild_id) == "done"
    assert verified(kept, "meanwhile") == []
