"""Whatever happens to a projection on its way: at its checkpoint, all along, it is what the log gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Cluster
from tests.projections.driving import Driven, Dying, few_ledgers_each, in_this_process
from tests.property.restricting import restricted
from tests.strategies import World, histories
from tests.unit import saying

from stet.document.events import VisibilityChanged
from stet.envelope import Recorded
from stet.projections import advance as advancing
from stet.projections.rebuild import copy as copying
from stet.projections.rebuild import run as running
from stet.values.visibility import Visibility

STEPS = ("write", "write", "work", "work", "work_at_once", "crash", "poison", "mend", "rebuild", "rebuild_inline")
plans = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 12)), min_size=4, max_size=14)
_names = iter(range(1_000_000))


@pytest.fixture(autouse=True)
def rebuilds_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "copy_all", in_this_process)
    monkeypatch.setattr(copying, "_CHUNK_EVENTS", 3)


def drive(url: str, log: Sequence[Recorded[Any]], plan: list[tuple[str, int]]) -> None:
    driven = Driven(url, f"driven-{next(_names)}", log)
    driven.check()
    for step, n in plan:
        getattr(driven, step)(n)
        driven.check()
    driven.finish()


def test_whatever_happens_the_rows_are_what_the_log_gives(cluster: Cluster) -> None:
    urls = few_ledgers_each(cluster)

    @settings(max_examples=15)
    @given(histories(), plans)
    def whatever(world: World, plan: list[tuple[str, int]]) -> None:
        drive(next(urls), world.log, plan)

    @settings(max_examples=15)
    @given(histories(), plans, st.data())
    def whatever_is_restricted(world: World, plan: list[tuple[str, int]], data: st.DataObject) -> None:
        drive(next(urls), data.draw(restricted(world.log)), plan)

    whatever()
    whatever_is_restricted()


def disputed() -> list[Recorded[Any]]:
    """One incident of six statements, that contradict each other."""
    return saying.told(*(saying.say(who, killed=n) for n, who in enumerate(("AZ", "RU", "AM") * 2)))


def hushed() -> list[Recorded[Any]]:
    """The same, while the first statement is hidden and shown again, and then the incident."""
    first = saying.statement_id(1)
    hushing = [
        VisibilityChanged(statement_id=first, visibility=Visibility(label="amber"), reason="so"),
        VisibilityChanged(statement_id=first, visibility=Visibility(), reason="so"),
        VisibilityChanged(visibility=Visibility(label="red"), reason="so"),
    ]
    acts: list[Any] = []
    for n, who in enumerate(("AZ", "RU", "AM") * 2):
        acts.append(saying.say(who, killed=n))
        acts += [lambda telling, event=event: event for event in hushing[n - 1 : n] if n]
    return saying.told(*acts)


def skip_one_event(monkeypatch: pytest.MonkeyPatch) -> None:
    batch_of = advancing.batch_of
    monkeypatch.setattr(
        advancing, "batch_of", lambda *args: {stream: rows[:-1] or rows for stream, rows in batch_of(*args).items()}
    )


def apply_one_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advancing, "_MOVE", advancing._MOVE.replace("position = %(to)s", "position = %(to)s - 1"))


def pass_what_is_not_projected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advancing, "_MOVE", advancing._MOVE.replace("position = %(to)s", "position = %(to)s + 1"))


def forget_what_was_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advancing, "park", lambda *args: None)


def switch_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it has caught up; the checkpoint stays where the worker had brought it."""
    monkeypatch.setattr(running, "advance", lambda *args: 0)
    monkeypatch.setattr(running._Run, "_switch_checkpoints", lambda self: None)


PLANNED: dict[Any, list[tuple[str, int]]] = {
    skip_one_event: [("write", 9), ("work", 12)],
    apply_one_twice: [("write", 3), ("work", 12), ("write", 9), ("work", 12), ("work", 12)],
    pass_what_is_not_projected: [("write", 3), ("work", 12)],
    forget_what_was_parked: [("write", 3), ("poison", 0), ("work", 12)],
    switch_too_early: [("write", 3), ("work", 12), ("rebuild", 1), ("write", 9), ("work", 12), ("rebuild", 99)],
}


@pytest.mark.parametrize("fault", PLANNED, ids=lambda fault: fault.__name__)
def test_a_planted_fault_is_seen(url: str, fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    drive(url, disputed(), PLANNED[fault])
    fault(monkeypatch)
    with pytest.raises((AssertionError, psycopg.Error)):
        drive(url, disputed(), PLANNED[fault])


def test_a_crash_at_every_statement_of_a_batch_loses_nothing(url: str) -> None:
    for n in range(14):
        drive(url, disputed(), [("write", 4), ("crash", n), ("write", 9), ("crash", n), ("work", 12)])
        drive(url, hushed(), [("write", 4), ("crash", n), ("write", 9), ("crash", n), ("work", 12)])


def test_a_rebuild_that_is_stopped_everywhere_is_gone_on_with(cluster: Cluster) -> None:
    urls = few_ledgers_each(cluster)
    for n in range(8):
        for log in (disputed(), hushed()):
            plan = [("write", 3), ("work", 12), ("rebuild", n), ("write", 2), ("rebuild", n), ("write", 9)]
            drive(next(urls), log, plan)
            drive(next(urls), log, [("rebuild_inline" if step == "rebuild" else step, n) for step, n in plan])


def test_a_rebuild_that_dies_at_any_statement_is_gone_on_with(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is lost after the first statement, the second, and so on, until it comes through."""
    driven = Driven(url, "dying", disputed())
    driven.write(4)
    for n in range(12):
        driven.work(n)
    connect, died = psycopg.connect, 0

    def dying(*args: Any, **options: Any) -> Any:
        if options.get("application_name") != "stet rebuild" or not options.get("autocommit"):
            return connect(*args, **options)
        connection = Dying.connect(*args, **options)
        connection.left = died
        return connection

    monkeypatch.setattr(running.psycopg, "connect", dying)
    while True:
        try:
            driven.rebuild(1 << 30)
        except psycopg.OperationalError:
            died += 1
            if died % 20 == 0:
                driven.write(1)
            driven.check()
            continue
        break
    assert died > 40
    monkeypatch.undo()
    driven.finish()
