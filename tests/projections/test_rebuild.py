"""Rebuilds on a real PostgreSQL, by real processes: switched only when right, whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.conftest import Cluster, wait_until
from tests.projections.rebuilding import ask, disputes_in, execute, rebuild, shape, tables, verified

from stet.cli.projections import _rebuild
from stet.errors import Malformed
from stet.projections.rebuild.job import RebuildRequest, RebuildView
from stet.projections.rebuild.run import run_rebuild
from stet.projections.rebuild.tables import drop_tables
from stet.projections.registry import PROJECTIONS, projection_of
from stet.projections.target import NEW, OLD


@pytest.fixture
def kept(url: str) -> str:
    """A database with two ledgers, of a dispute each."""
    return disputes_in(url)


@pytest.mark.parametrize("name", [one.name for one in PROJECTIONS])
def test_a_rebuilt_projection_is_the_same_to_the_last_index(kept: str, name: str) -> None:
    before = shape(kept)
    view = rebuild(kept, name, workers=2)
    assert (view.phase, view.error, view.differences) == ("done", None, [])
    assert view.events_done == view.events_total
    assert all(digest.live == digest.rebuilt for digest in view.digests)
    assert [digest.table for digest in view.digests] == [table.name for table in projection_of(name).tables]
    assert shape(kept) == before
    assert tables(kept, OLD) == sorted(table.name + OLD for table in projection_of(name).tables)
    assert tables(kept, NEW) == []
    assert verified(kept) == verified(kept, "kept-2") == []
    assert rebuild(kept, name).phase == "done"
    with psycopg.connect(kept) as connection:
        assert drop_tables(connection, projection_of(name), OLD)
    assert tables(kept, OLD) == []


def test_a_damaged_row_is_refused_and_named_on_both_sides(kept: str) -> None:
    execute(kept, "UPDATE stet.incident_history SET title = 'Forged' WHERE from_position = 4 AND said_to = 'infinity'")
    damaged = verified(kept)
    assert damaged
    view = rebuild(kept, "incident_history")
    assert view.phase == "refused"
    assert {one.side for one in view.differences} == {"live", "rebuilt"}
    assert any("Forged" in one.row for one in view.differences if one.side == "live")
    assert verified(kept) == damaged
    assert tables(kept, NEW) == tables(kept, OLD) == []
    assert rebuild(kept, "incident_history", verify_only=True).phase == "refused"
    assert rebuild(kept, "incident_history", verify_only=True, accept_differences=True).phase == "refused"
    mended = rebuild(kept, "incident_history", accept_differences=True)
    assert mended.phase == "done"
    assert mended.differences
    assert verified(kept) == []


def test_to_verify_only_leaves_everything_as_it_is(kept: str) -> None:
    oid = execute(kept, "SELECT 'stet.incident_history'::regclass::oid")
    view = rebuild(kept, "incident_history", verify_only=True, workers=2)
    assert view.phase == "done"
    assert all(digest.live == digest.rebuilt for digest in view.digests)
    assert execute(kept, "SELECT 'stet.incident_history'::regclass::oid") == oid
    assert tables(kept, NEW) == tables(kept, OLD) == []


def test_a_cancelled_rebuild_leaves_nothing(kept: str) -> None:
    rebuild_id = ask(kept, "incident_history")
    asked_for = 0

    def stop() -> bool:
        nonlocal asked_for
        asked_for += 1
        if asked_for == 3:
            execute(kept, "UPDATE stet.rebuild SET cancel = true")
        return False

    view = run_rebuild(kept, rebuild_id, stop)
    assert view
    assert view.phase == "cancelled"
    assert tables(kept, NEW) == tables(kept, OLD) == []
    assert execute(kept, "SELECT * FROM stet.checkpoint WHERE right(projection, 4) = '_new'") == []
    assert verified(kept) == []


def test_only_one_process_runs_a_rebuild(kept: str) -> None:
    rebuild_id = ask(kept, "name_history")
    found: list[RebuildView | None] = []

    def stop() -> bool:
        if not found:
            found.append(run_rebuild(kept, rebuild_id))
        return False

    view = run_rebuild(kept, rebuild_id, stop)
    assert view
    assert view.phase == "done"
    assert found == [None]


def test_a_rebuild_of_another_release_fails(kept: str) -> None:
    rebuild_id = ask(kept, "name_history")
    execute(kept, "UPDATE stet.rebuild SET version = version + 1")
    view = run_rebuild(kept, rebuild_id)
    assert view
    assert (view.phase, view.error) == ("failed", "it was begun by another release")


@pytest.fixture
def start(kept: str, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts `stet rebuild`, in a process group of its own."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "stet", "rebuild", "incident_history", "--workers", "2"]
        with (tmp_path / "rebuild.log").open("ab") as log:
            environment = {**os.environ, "STET_DATABASE_URL": kept}
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize("phase", ["copying", "switching"])
def test_a_killed_rebuild_leaves_the_live_view_and_is_gone_on_with(
    kept: str, start: Callable[[], subprocess.Popen[bytes]], phase: str
) -> None:
    """At `switching` somebody reads, so that it cannot have ended. Its copying processes are left to see it."""
    with psycopg.connect(kept) as reader:
        if phase == "switching":
            reader.execute("LOCK TABLE stet.incident_history IN ACCESS SHARE MODE")
        process = start()
        wait_until(lambda: bool(execute(kept, "SELECT 1 FROM stet.rebuild WHERE phase = %s", phase)), f"it is {phase}")
        process.kill()
        process.wait()
        if phase == "switching":
            assert execute(kept, "SELECT phase FROM stet.rebuild") == [(phase,)]
        reader.rollback()
    assert verified(kept) == []
    assert start().wait(60) == 0
    assert execute(kept, "SELECT DISTINCT phase FROM stet.rebuild") == [("done",)]
    assert verified(kept) == verified(kept, "kept-2") == []


def test_a_database_that_was_rebuilt_migrates_as_any_other(cluster: Cluster, kept: str) -> None:
    """The names are those of the migrations, so a later one finds what it changes."""
    rebuild(kept, "incident_history")
    assert shape(kept) == shape(cluster.migrated())


def test_a_rebuild_whose_runner_dies_is_gone_on_with_by_who_watches(
    kept: str, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    """Whoever held its lock is gone without a word: the one that waited runs it."""
    ask(kept, "incident_history")
    with psycopg.connect(kept) as runner:
        runner.execute("SELECT pg_advisory_lock(720311562, hashtext('incident_history'))")
        watching = start()
        waits = (
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'stet rebuild' AND datname = current_database()"
        )
        wait_until(lambda: bool(execute(kept, waits)), "it has asked for the lock")
    assert watching.wait(60) == 0
    assert execute(kept, "SELECT phase FROM stet.rebuild") == [("done",)]


def test_a_rebuild_is_not_gone_on_with_by_other_options(kept: str) -> None:
    """Who asked only to compare never finds the tables switched."""
    ask(kept, "name_history")
    with pytest.raises(Malformed, match="--verify-only"):
        _rebuild(kept, "name_history", RebuildRequest(verify_only=True), lambda view: None)
    assert execute(kept, "SELECT phase FROM stet.rebuild") == [("queued",)]
