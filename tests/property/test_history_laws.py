"""What holds of the slices of an incident's history."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from tests.property.disputes import disputes
from tests.property.oracle_cuts import Events, appends, incidents, is_merged, many, moments
from tests.property.rows import rows_at, rows_of, slices_at
from tests.strategies import World, histories

from stet.incident.said import said_by
from stet.incident.state import Incident, fold
from stet.incident.summary import summary

SAID = {"statement-recorded", "statement-retracted", "statement-superseded"}


@many
@given(histories())
def test_slices_lie_side_by_side_and_neighbours_differ(world: World) -> None:
    for events in incidents(world):
        check_slices(events)


@many
@given(disputes())
def test_slices_of_a_dispute_lie_side_by_side_and_neighbours_differ(events: Events) -> None:
    check_slices(events)


def check_slices(events: Events) -> None:
    rows = rows_of(events)["incident_history"]
    for prefix in appends(events):
        position = prefix[-1].position
        if is_merged(prefix):
            assert rows_at(rows, position) == []
            continue
        (last,) = slices_at(rows, position, None)
        live = rows_at(rows, position)
        said = sorted((row for row in live if row["said_from"] != "infinity"), key=lambda row: row["said_from"])
        assert last in (said or live)
        assert len(live) == max(1, len(said))
        for one, following in pairwise(said):
            assert one["said_to"] == following["said_from"]
            assert one["summary"] != following["summary"]


def check_late_statements(events: Events) -> set[str]:
    """After each append by which something was said: all that is shown of before it is as it was. What it came upon."""
    met: set[str] = set()
    rows = rows_of(events)["incident_history"]
    before = Incident()
    for prefix in appends(events):
        state, types = fold(prefix), {recorded.type for recorded in prefix[before.version :]}
        new = state.statements.keys() - before.statements
        if before.version and new and types <= SAID:
            said = min(state.statements[id_].said.latest for id_ in new)
            for moment in moments(state):
                if moment < said:
                    earlier = said_by(before, moment)
                    then, by_now = (slices_at(rows, at, moment) for at in (before.position, state.position))
                    assert [row["summary"] for row in then] == [row["summary"] for row in by_now]
                    assert [row["summary"] for row in by_now] == ([summary(earlier)] if earlier.statements else [])
                    met |= {"something before it"} if earlier.statements else set()
            if any(held.said.latest > said for held in before.statements.values()):
                met |= {"something after it"}
        before = state
    return met


def test_a_late_statement_changes_no_slice_before_it_was_said() -> None:
    """Neither in a history nor in a dispute, and most of them have some that are late."""
    reached: Counter[str] = Counter()

    @settings(max_examples=120)
    @given(histories())
    def look(world: World) -> None:
        reached.update(set().union(*map(check_late_statements, incidents(world))))

    @settings(max_examples=60)
    @given(disputes(least=6))
    def look_closer(events: Events) -> None:
        reached.update(f"{name}, in dispute" for name in check_late_statements(events))

    look()
    look_closer()
    assert reached["something before it"] >= 20
    assert reached["something after it"] >= 12
    assert reached["something before it, in dispute"] >= 50
    assert reached["something after it, in dispute"] >= 50
