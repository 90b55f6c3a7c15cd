"""Rows that are made before the append: where they can be, that they are the same, and what a stale append leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace
from tests.projections.test_histories import append, compare
from tests.store.writing import append_of, event_of, make_ledger
from tests.unit import saying

from stet.codec import AnyEvent
from stet.database.pool import Pool
from stet.document.events import VisibilityChanged
from stet.ids import new_id
from stet.incident.claim import SaidAt
from stet.incident.state import Incident
from stet.projections.foresee import TABLES, foresee
from stet.projections.registry import PROJECTIONS
from stet.store import group
from stet.store.append import Log
from stet.values.visibility import Visibility

FUTURE = datetime(2199, 1, 1, tzinfo=UTC)
WITHOUT_A_TIME: dict[str, SaidAt] = {
    "no time at all": SaidAt(),
    "no latest": SaidAt(earliest=datetime(2020, 11, 9, tzinfo=UTC)),
}


def test_every_table_of_an_inline_projection_is_kept() -> None:
    """stet.keep_rows writes those that it names: a table that is not among them would stay without rows."""
    assert sorted(TABLES.values()) == sorted(table.name for one in PROJECTIONS if one.inline for table in one.tables)


@pytest.fixture
def foretold(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each append whether its rows were foreseen."""
    found: list[bool] = []

    async def spied(*arguments: Any) -> Any:
        made = await foresee(*arguments)
        found.append(made is not None)
        return made

    monkeypatch.setattr(group, "foresee", spied)
    return found


def told(*acts: Any) -> list[AnyEvent]:
    return [one.event for one in saying.told(*acts)]


@pytest.mark.parametrize("said", WITHOUT_A_TIME)
async def test_what_hangs_on_when_it_is_recorded_is_not_foreseen(
    pool: Pool, url: str, foretold: list[bool], said: str
) -> None:
    """A statement without a time is said before one of the future, and a stand-in would come after it."""
    log = Log(pool)
    ledger_id = await make_ledger(log, "hangs")
    times = (SaidAt(latest=FUTURE), WITHOUT_A_TIME[said], SaidAt(latest=saying.instant(3)))
    opened, *statements = told(*(saying.say(speaker, killed=n) for n, speaker in enumerate(("AZ", "RU", "AM"))))
    stream = f"incident:{new_id()}"
    foretold.clear()
    await append(pool, log, ledger_id, [(stream, opened)])
    for statement, at in zip(statements, times, strict=True):
        await append(pool, log, ledger_id, [(stream, replace(statement, said_at=at))])
    assert foretold == [True, True, False, True]
    compare(url, "hangs")


async def test_what_an_audience_does_not_see_is_not_foreseen(pool: Pool, url: str, foretold: list[bool]) -> None:
    log = Log(pool)
    ledger_id = await make_ledger(log, "hidden")
    opened, statement = told(saying.say("AZ", killed=1))
    stream = f"incident:{new_id()}"
    hidden = VisibilityChanged(statement_id=None, visibility=Visibility(label="red"), reason="so")
    foretold.clear()
    for event in (opened, hidden, statement):
        await append(pool, log, ledger_id, [(stream, event)])
    assert foretold == [True, False, False]
    compare(url, "hidden")


async def test_a_stale_append_leaves_no_rows(pool: Pool, url: str, foretold: list[bool]) -> None:
    log = Log(pool)
    ledger_id = await make_ledger(log, "stale")
    stream = f"incident:{new_id()}"
    opened, *_ = told(saying.say("AZ", killed=1))
    foretold.clear()
    appends = [
        append_of({stream: 0, f"source:{n}": n}, [event_of(stream, opened)], before={stream: Incident()})
        for n in (1, 0)
    ]
    assert (await log.append(ledger_id, appends[0])).outcome == "stale"
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM stet.incident_history").fetchone() == (0,)
    assert (await log.append(ledger_id, appends[1])).outcome == "appended"
    assert foretold == [True, True]
    compare(url, "stale")
