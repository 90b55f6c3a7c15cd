"""What holds of the rows of each audience, whatever the desk restricts, and whenever."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.projections.oracle_record import FIELDS, records
from tests.property import oracle, oracle_shown, oracle_summary
from tests.property.disputes import LISTED, disputes
from tests.property.oracle_cuts import Events, appends, is_merged, moments
from tests.property.restricting import COARSE, restricted
from tests.property.rows import rows_at, rows_of, slices_at
from tests.property.test_projection_laws import check_from_anywhere
from tests.property.test_summary_laws import plain
from tests.strategies import World, histories
from tests.unit import saying

from stet.document.events import VisibilityChanged
from stet.incident.row import row_of
from stet.incident.state import fold
from stet.incident.statement import Retracts
from stet.incident.visibility import shown
from stet.projections import history, restriction, source_record
from stet.projections.projection import build
from stet.projections.record import encode_statement
from stet.values.visibility import Visibility

AUDIENCES = ("member", "public")


def incidents_of(events: Events) -> dict[str, Events]:
    """The streams of the incidents of a drawn log."""
    found: dict[str, Events] = {}
    for one in events:
        found.setdefault(one.stream, []).append(one)
    return {stream: its for stream, its in found.items() if stream.startswith("incident:")}


def check_rows(events: Events) -> set[str]:
    """At every position and said time, for both: the rows say what the oracles say of the events that they see."""
    rows = rows_of(events)
    guarded, public = oracle_shown.guarded(events), oracle_shown.shown(events)
    whose = {row["audience"] for table in ("incident_history", "statement_history") for row in rows[table]}
    assert whose <= ({"member", "public"} if guarded else {"all"})
    bounds = moments(fold(events))
    for audience, seen in (("member", events), ("public", public if guarded else events)):
        for prefix in appends(events):
            position = prefix[-1].position
            by_then = [one for one in seen if one.position <= position]
            slices = slices_at(rows["incident_history"], position, None, audience)
            spoken = rows_at(rows["statement_history"], position, audience)
            last = rows_at(rows["shown_history"], position, audience)
            if not by_then or is_merged(by_then):
                assert slices == spoken == []
                assert audience == "member" or last == []
                continue
            told, named = oracle.retell(by_then), oracle_summary.header(by_then)
            assert [plain(one["summary"]) for one in slices] == [oracle_summary.listed(named, told)]
            for moment in bounds:
                found = slices_at(rows["incident_history"], position, moment, audience)
                kept = any(said.latest <= moment for said in told.statements.values())
                wanted = [oracle_summary.listed(named, told, moment)] if kept else []
                assert [plain(one["summary"]) for one in found] == wanted
            check_statements(spoken, by_then, set(told.statements))
            if audience == "public" and guarded:
                (row,) = last
                assert (row["version"], row["updated_at"]) == (by_then[-1].stream_version, by_then[-1].recorded_at)
                assert row["opened_at"] == by_then[0].recorded_at
    assert guarded or not rows["shown_history"]
    return met(events, public, guarded)


def check_statements(rows: list[Any], seen: Events, held: set[UUID]) -> None:
    state = fold(seen)
    assert {row["statement_id"] for row in rows} == held
    assert len(rows) == len(held)
    for row in rows:
        said = encode_statement(UUID(seen[0].stream[9:]), row_of(state.statements[row["statement_id"]]))
        assert {name: row[name] for name in said} == said


def check_records(events: Events) -> None:
    """The records of sources, of both audiences, at every position."""
    built = build(source_record.PROJECTION, events)
    rows = built.rows("source_record")
    public = oracle_shown.shown(events) if oracle_shown.guarded(events) else events
    for audience, seen in (("member", events), ("public", public)):
        for prefix in appends(events):
            position = prefix[-1].position
            found = rows_at(rows, position, audience)
            kept = {row["source_id"]: tuple(row[name] for name in FIELDS) for row in found}
            assert len(kept) == len(found)
            assert kept == records([one for one in seen if one.position <= position])


def check_restrictions(events: Events) -> None:
    """At every position what the desk has restricted by then."""
    rows = build(restriction.PROJECTION, events).rows("restriction_history")
    for prefix in appends(events):
        said: dict[Any, Any] = {}
        for one in prefix:
            if isinstance(one.event, VisibilityChanged):
                said[one.event.statement_id or UUID(int=0)] = one.event.visibility
        wanted = {id_: (one.label, one.embargo_until) for id_, one in said.items() if oracle_shown.restricts(one)}
        found = rows_at(rows, prefix[-1].position)
        assert {row["statement_id"]: (row["label"], row["embargo_until"]) for row in found} == wanted


def met(events: Events, public: Events, guarded: bool) -> set[str]:
    """What a law has met in a stream."""
    state = fold(events)
    found = {"guarded" if guarded else "open"}
    found |= {"nothing is shown"} if guarded and not public else set()
    clear = state.visibility == Visibility() and not state.restricted and not state.hidden
    found |= {"open again"} if guarded and clear else set()
    if guarded and public:
        left = fold(public).statements
        found |= {"a statement is hidden"} if left.keys() != state.statements.keys() else set()
        found |= (
            {"a place is coarse"} if any(state.statements[id_].claims != left[id_].claims for id_ in left) else set()
        )
        found |= {"it goes with another"} if left.keys() != state.statements.keys() - state.restricted.keys() else set()
    return found


def test_the_public_is_shown_what_the_oracle_shows() -> None:
    """And what it is shown folds, at every position."""
    reached: Counter[str] = Counter()

    def check(events: Events) -> None:
        for stream, its in incidents_of(events).items():
            wanted = oracle_shown.shown(its) if oracle_shown.guarded(its) else None
            found = shown(stream, its, "public")
            if wanted is not None:
                assert found == wanted
            fold(found)
            reached.update(met(its, found, oracle_shown.guarded(its)))

    @settings(max_examples=150)
    @given(histories(), st.data())
    def of_a_history(world: World, data: st.DataObject) -> None:
        check(data.draw(restricted(world.log)))

    @settings(max_examples=50)
    @given(disputes(LISTED["places"]), st.data())
    def of_a_dispute(events: Events, data: st.DataObject) -> None:
        check(data.draw(restricted(events)))

    of_a_history()
    of_a_dispute()
    assert all(reached[name] >= 20 for name in ("guarded", "open", "nothing is shown", "a statement is hidden"))
    assert all(reached[name] >= 5 for name in ("open again", "a place is coarse", "it goes with another")), reached


@settings(max_examples=25)
@given(histories(), st.data())
def test_the_law_of_the_histories_for_both_audiences(world: World, data: st.DataObject) -> None:
    for its in incidents_of(data.draw(restricted(world.log))).values():
        check_rows(its)
        check_records(its)
        check_restrictions(its)


@settings(max_examples=25)
@given(disputes(LISTED["places"]), st.data())
def test_the_law_of_the_histories_of_a_dispute_for_both_audiences(events: Events, data: st.DataObject) -> None:
    its = data.draw(restricted(events))
    check_rows(its)
    check_records(its)
    check_restrictions(its)


@settings(max_examples=25)
@given(histories(), st.data())
def test_a_projection_goes_on_from_anywhere_whatever_is_restricted(world: World, data: st.DataObject) -> None:
    for its in incidents_of(data.draw(restricted(world.log))).values():
        for one in (history.PROJECTION, restriction.PROJECTION, source_record.PROJECTION):
            check_from_anywhere(one, its)


@pytest.mark.parametrize("visibility", [Visibility(label="red"), Visibility(disclosed_place=COARSE)])
def test_a_retraction_that_was_moved_along_goes_with_what_it_takes_back(visibility: Visibility) -> None:
    """The words of a retraction tell as much as those of what it takes back."""
    exact = saying.near(44.5, 39.5, level="exact")
    retracts = {"retracts": Retracts(statement_id=saying.statement_id(1)), "verbatim": "it was not at the well"}
    restricting = VisibilityChanged(
        statement_id=saying.statement_id(1) if visibility.restricted else None, visibility=visibility, reason="so"
    )
    events = saying.told(
        saying.move_in("AZ", place=exact), saying.move_in("AZ", carried=retracts), lambda telling: restricting
    )
    found = shown(events[0].stream, events, "public")
    assert found == oracle_shown.shown(events)
    assert b"the well" not in msgspec.json.encode(found)
    assert len(found) == 1, "the words of what was moved are those of another incident, too"
