"""Visibility in the tables of projections: what is written anew, how that is compared, what the public reads of it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.projections.rebuilding import ask, execute, verified
from tests.projections.test_histories import append
from tests.store.writing import make_ledger
from tests.unit import saying

from stet.database.pool import as_role, make_pool
from stet.document.events import VisibilityChanged
from stet.envelope import Audience
from stet.projections.advance import States, advance
from stet.projections.rebuild.job import RebuildView
from stet.projections.rebuild.run import run_rebuild
from stet.projections.source_record import PROJECTION
from stet.projections.target import Target
from stet.queries.cut import AsOf
from stet.queries.source_record import SourceRecordView, view_source_record
from stet.settings import Settings
from stet.source.events import SourceRegistered
from stet.store.append import Log
from stet.values.visibility import Visibility

LEDGER = "hushed"
STREAM = f"incident:{saying.HERE}"
FIRST, AMBER, CLEAR = saying.statement_id(1), Visibility(label="amber"), Visibility()


def write(url: str, *events: Any) -> None:
    """The events of the incident, each an append of its own."""

    async def all_of_them() -> None:
        async with make_pool(url, Settings(pool_size=2)) as pool:
            log = Log(pool)
            found = execute(url, "SELECT ledger_id FROM stet.ledger WHERE name = %s", LEDGER)
            for event in events:
                await append(pool, log, found[0][0], [(STREAM, event)])

    asyncio.run(all_of_them())


def says(visibility: Visibility, statement_id: UUID | None = None) -> VisibilityChanged:
    return VisibilityChanged(statement_id=statement_id, visibility=visibility, reason="so")


def work(url: str) -> None:
    """The worker of source_record, to the end of the log."""
    with psycopg.connect(url, autocommit=True) as connection:
        as_role(connection, "stet_worker")
        while advance(connection, Target(PROJECTION), ledger_of(url), States()):
            pass


def ledger_of(url: str) -> UUID:
    found: UUID = execute(url, "SELECT ledger_id FROM stet.ledger WHERE name = %s", LEDGER)[0][0]
    return found


@pytest.fixture
def kept(url: str) -> str:
    """A ledger with a source and an incident of four statements, of three speakers."""

    async def begin() -> None:
        async with make_pool(url, Settings(pool_size=2)) as pool:
            log = Log(pool)
            ledger_id = await make_ledger(log, LEDGER)
            for name, id_ in saying.SOURCES.items():
                await append(pool, log, ledger_id, [(f"source:{id_}", SourceRegistered(name=name, kind="state"))])

    asyncio.run(begin())
    told = saying.told(*(saying.say(who, killed=k + 1) for k, who in enumerate(("AZ", "RU", "AM", "AZ"))))
    write(url, *(one.event for one in told))
    return url


def rows(url: str, table: str) -> list[tuple[str, int]]:
    """How many rows each audience has."""
    return execute(url, f"SELECT audience, count(*)::int FROM stet.{table} GROUP BY audience ORDER BY audience")


def test_each_audience_has_rows_of_its_own_while_their_views_differ(kept: str) -> None:
    assert [audience for audience, _ in rows(kept, "statement_history")] == ["all"]
    write(kept, says(AMBER, FIRST))
    assert rows(kept, "statement_history") == [("member", 4), ("public", 3)]
    write(kept, saying.told(*(saying.say("RU", killed=9) for _ in range(5)))[-1].event)
    assert rows(kept, "statement_history") == [("member", 5), ("public", 4)]
    write(kept, says(AMBER))
    assert rows(kept, "statement_history") == [("member", 5)]
    assert execute(kept, "SELECT count(*)::int FROM stet.shown_history") == [(0,)]
    write(kept, says(CLEAR), says(CLEAR, FIRST))
    # Equal again, but for the last update: of that which says so the public hears nothing.
    assert rows(kept, "statement_history") == [("member", 5), ("public", 5)]
    work(kept)
    assert verified(kept, LEDGER) == []


def test_what_is_restricted_is_found_as_long_as_it_is(kept: str) -> None:
    live = """SELECT statement_id, label, embargo_until IS NULL FROM stet.restriction_history
              WHERE kind = 'incident' AND id = %s AND to_position = 9223372036854775807 ORDER BY statement_id"""
    until = Visibility(label="green", embargo_until=saying.instant(9))
    write(kept, says(AMBER, FIRST), says(until))
    assert execute(kept, live, saying.HERE) == [(UUID(int=0), "green", False), (FIRST, "amber", True)]
    write(kept, says(Visibility(label="green")), says(CLEAR, FIRST))
    assert execute(kept, live, saying.HERE) == [(UUID(int=0), "green", True)]
    write(kept, says(CLEAR))
    assert execute(kept, live, saying.HERE) == []
    assert verified(kept, LEDGER) == []


def rebuild_while(url: str, name: str, meanwhile: list[Any], **asked: Any) -> RebuildView:
    """A rebuild, with something done, each thing once, after it has caught up and before it compares."""
    left = list(meanwhile)

    def tell(view: RebuildView) -> None:
        if view.phase == "comparing":
            while left:
                left.pop(0)()

    view = run_rebuild(url, ask(url, name, **asked), tell=tell)
    assert view
    assert not left
    return view


@pytest.mark.parametrize("verify_only", [False, True])
@pytest.mark.parametrize("name", ["incident_history", "source_record"])
def test_what_is_written_anew_after_the_position_compared_is_no_difference(
    kept: str, name: str, verify_only: bool
) -> None:
    write(kept, says(AMBER, FIRST))
    work(kept)
    view = rebuild_while(kept, name, [lambda: write(kept, says(CLEAR, FIRST))], verify_only=verify_only)
    assert (view.phase, view.error, view.differences) == ("done", None, [])
    work(kept)
    assert verified(kept, LEDGER) == []


@pytest.mark.parametrize("verify_only", [False, True])
@pytest.mark.parametrize("ahead", [False, True], ids=["behind", "ahead"])
def test_a_damaged_row_of_what_was_written_anew_is_found(kept: str, verify_only: bool, ahead: bool) -> None:
    """Of the tables that every append writes, and of those whose worker is behind the rebuild, or ahead of it."""
    write(kept, says(AMBER, FIRST))
    work(kept)
    damage = [
        lambda: write(kept, says(CLEAR, FIRST)),
        lambda: work(kept) if ahead else None,
        lambda: execute(kept, "UPDATE stet.source_record SET said = said + 1"),
        lambda: execute(kept, "UPDATE stet.statement_history SET channel = 'forged'"),
    ]
    for name in ("incident_history", "source_record"):
        view = rebuild_while(kept, name, damage, verify_only=verify_only)
        assert (view.phase, bool(view.differences)) == ("refused", True)
        damage = []
    work(kept)
    assert verified(kept, LEDGER)


async def record(url: str, audience: Audience) -> SourceRecordView:
    async with make_pool(url, Settings(pool_size=2)) as pool:
        _, shown = await view_source_record(pool, ledger_of(url), saying.SOURCES["AZ"], AsOf("", audience=audience))
    return shown


def test_the_record_of_a_source_tells_nothing_that_is_hidden_before_its_worker_has_come(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stet.queries.source_record.WAIT_S", 0)
    work(kept)
    said = {audience: asyncio.run(record(kept, audience)).said for audience in ("member", "public")}
    assert said == {"member": 2, "public": 2}
    write(kept, says(AMBER, FIRST))
    assert asyncio.run(record(kept, "member")).said == 2
    assert asyncio.run(record(kept, "public")).said == 1
    execute(
        kept,
        "INSERT INTO stet.parked (projection, ledger_id, stream, position, error)"
        " SELECT 'source_record', ledger_id, %s, position, '' FROM stet.head",
        STREAM,
    )
    assert (asyncio.run(record(kept, "public")).said, asyncio.run(record(kept, "public")).incidents) == (0, 0)
    execute(kept, "DELETE FROM stet.parked")
    work(kept)
    assert [asyncio.run(record(kept, audience)).said for audience in ("member", "public")] == [2, 1]
    write(kept, says(AMBER))
    assert asyncio.run(record(kept, "public")).incidents == 0
