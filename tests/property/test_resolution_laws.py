"""What holds of resolution, of both times and of the histories, after every history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import encode
from msgspec.structs import replace
from tests.property import oracle
from tests.property.disputes import disputes
from tests.property.oracle_cuts import Events, appends, incidents, is_merged, many, moments, told
from tests.property.rows import rows_at, rows_of, slices_at
from tests.strategies import World, cut, histories
from tests.unit import saying

from stet.handle.revision import revise_incident
from stet.incident.commands import (
    MoveStatement,
    PinAttribute,
    ReinstateStatement,
    UnpinAttribute,
    WithdrawStatement,
)
from stet.incident.live import Dropped
from stet.incident.resolve import ResolvedStatus, resolve, verdicts
from stet.incident.row import row_of
from stet.incident.said import said_by
from stet.incident.state import fold
from stet.incident.summary import summary
from stet.incident.view import reactions, view
from stet.incident.visibility import TELLING
from stet.ledger.attributes import Rule
from stet.projections.audiences import ALL, MEMBER
from stet.projections.projection import LIVE, Row
from stet.projections.record import encode_statement

# ---- resolution, against the oracle ----


def check_against_oracle(events: Events) -> None:
    """At every position, at every said_by boundary and just beside it, definite and possible."""
    for prefix in appends(events):
        state, facts = fold(prefix), oracle.retell(prefix)
        assert told(state) == oracle.resolved(facts)
        for moment in moments(state):
            for match in ("definite", "possible"):
                kept = said_by(state, moment, match)
                assert told(kept) == oracle.resolved(facts, moment, match)
                assert {one.claim_id for one in reactions(kept, {})} == oracle.reactions(facts, moment, match)


@many
@given(histories())
def test_every_attribute_of_a_history_resolves_as_the_oracle_says_at_every_cut(world: World) -> None:
    for events in incidents(world):
        check_against_oracle(events)


@settings(max_examples=100)
@given(disputes())
def test_every_disputed_attribute_resolves_as_the_oracle_says_at_every_cut(events: Events) -> None:
    check_against_oracle(events)


def test_the_disputes_reach_every_status_rule_and_reason() -> None:
    """Without this the law above could hold of nothing."""
    seen: Counter[str] = Counter()

    @settings(max_examples=400)
    @given(disputes())
    def look(events: Events) -> None:
        for one, heard, step in verdicts(fold(events)):
            seen.update([one.status, one.rule, *heard.dropped.values()])
            seen["dissent"] += bool(one.dissenting)
            seen["interest"] += bool(one.interest)
            seen["tie"] += step.startswith("a tie")
            seen["no common part"] += step.startswith("no common part")

    look()
    wanted = {*get_args(ResolvedStatus), *get_args(Rule), *get_args(Dropped), "dissent", "interest", "tie"}
    assert sorted(wanted - seen.keys() | {name for name, times in seen.items() if not times}) == []


@many
@given(histories(), st.data())
def test_what_is_kept_for_certain_is_kept_possibly(world: World, data: st.DataObject) -> None:
    for state in world.incidents.values():
        for moment in moments(state):
            definite, possible = (said_by(state, moment, match).statements for match in ("definite", "possible"))
            assert definite.keys() <= possible.keys() <= state.statements.keys()


@many
@given(histories())
def test_unknown_never_becomes_zero_and_a_value_has_somebody_behind_it(world: World) -> None:
    for state in world.incidents.values():
        for one in resolve(state):
            if one.status == "unknown":
                assert one.value is None
                assert one.speakers == 0
            elif one.value is not None and one.status != "pinned":
                assert one.speakers >= 1
                assert one.speakers + one.repeats == len(one.supporting)
            if one.rule == "range" and one.value is not None and msgspec.json.decode(one.value).get("max") == 0:
                claimed = [c for said in state.statements.values() for c in said.claims.values()]
                zero = any(c.attribute == one.attribute and b'"min":0' in bytes(c.value) for c in claimed)
                assert zero or one.status == "pinned"


# ---- there and back ----


def seen(world: World) -> dict[UUID, bytes]:
    """Every incident as it is shown, but for its version and the time of its last event."""
    shown = {}
    for id_, state in world.incidents.items():
        made = view(replace(state, updated_at=state.opened_at, version=0), {}, cut(1))
        shown[id_] = msgspec.json.encode(made)
    return shown


def there_and_back(world: World, incident_id: UUID, there: Any, back: Callable[[], tuple[UUID, Any]]) -> None:
    before = seen(world)
    assert world.write(lambda: revise_incident(there, incident_id, "")), world.refusals[-1]
    assert seen(world) != before
    home, command = back()
    assert world.write(lambda: revise_incident(command, home, "")), world.refusals[-1]
    assert seen(world) == before


@many
@given(histories(), st.data())
def test_to_withdraw_and_reinstate_changes_nothing(world: World, data: st.DataObject) -> None:
    standing = sorted(id_ for id_, said in world.statements.items() if not said.withdrawn)
    if standing:
        id_ = data.draw(st.sampled_from(standing))
        home = world.homes(id_)[0]
        there = WithdrawStatement(statement_id=id_, ground="duplicate", reason="entered twice")
        there_and_back(world, home, there, lambda: (home, ReinstateStatement(statement_id=id_, reason="it was not")))


@many
@given(histories(), st.data())
def test_to_pin_and_unpin_changes_nothing(world: World, data: st.DataObject) -> None:
    free = [
        (incident_id, said, claim)
        for incident_id, state in world.incidents.items()
        for said in state.statements.values()
        for claim in said.claims.values()
        if claim.attribute and claim.type_ != "time" and state.pin(claim.attribute, claim.of) is None
    ]
    if free:
        home, said, claim = data.draw(st.sampled_from(free))
        there = PinAttribute(
            attribute=claim.attribute, of=claim.of, value=claim.value, cites=(said.statement_id,), rationale="we judge"
        )
        back = UnpinAttribute(attribute=claim.attribute, of=claim.of, reason="we do not")
        there_and_back(world, home, there, lambda: (home, back))


Way = tuple[UUID, UUID, UUID]


def ways_to_move(world: World) -> tuple[list[Way], list[Way]]:
    """A statement, from where, to where; and those among them to which something was done."""
    entered = {id_ for id_, state in world.incidents.items() if state.status != "withdrawn"}
    retracted = {said.retracts.statement_id for said in world.statements.values() if said.retracts}
    ways, eventful = [], []
    for id_, said in sorted(world.statements.items()):
        if not said.retracts:
            homes = entered & {*world.homes(id_)}
            others = entered - homes
            found = [(id_, home, other) for home in sorted(homes) for other in sorted(others)]
            ways += found
            if said.withdrawn or said.assessments or said.superseded or id_ in retracted:
                eventful += found
    return ways, eventful


def test_to_move_a_statement_there_and_back_changes_nothing() -> None:
    """Of an incident to another that does not hold it, with all that became of it."""
    reached: Counter[str] = Counter()

    @settings(max_examples=40)
    @given(histories(), st.data())
    def look(world: World, data: st.DataObject) -> None:
        ways, eventful = ways_to_move(world)
        if ways:
            id_, home, other = data.draw(st.sampled_from(eventful or ways))
            there = MoveStatement(statement_id=id_, to_incident=other, reason="it is about that")

            def back() -> tuple[UUID, MoveStatement]:
                for left in world.incidents[home].statements.values():
                    assert id_ not in (left.statement_id, left.retracts and left.retracts.statement_id)
                return other, MoveStatement(statement_id=id_, to_incident=home, reason="it is not")

            there_and_back(world, home, there, back)
            reached.update(["moved", "with what became of it"] if eventful else ["moved"])

    look()
    assert reached["moved"] >= 25
    assert reached["with what became of it"] >= 8


# ---- the histories ----


@many
@given(histories())
def test_the_law_of_incident_history(world: World) -> None:
    """One row at each cut, the summary of the incident there; none where nothing had been said."""
    for events in incidents(world):
        rows = rows_of(events)["incident_history"]
        for prefix in appends(events):
            state, position = fold(prefix), prefix[-1].position
            if is_merged(prefix):
                assert rows_at(rows, position) == []
                continue
            (row,) = slices_at(rows, position, None)
            assert row["summary"] == summary(state)
            assert row["opened_at"] == state.opened_at
            for moment in moments(fold(events)):
                kept = said_by(state, moment)
                found = slices_at(rows, position, moment)
                assert [one["summary"] for one in found] == ([summary(kept)] if kept.statements else [])


@many
@given(histories())
def test_the_law_of_statement_history(world: World) -> None:
    """At each position a row for each statement that the incident holds, as its record is by then."""
    for events in incidents(world):
        rows = rows_of(events)["statement_history"]
        for prefix in appends(events):
            state, position = fold(prefix), prefix[-1].position
            live = rows_at(rows, position)
            assert len(live) == (0 if is_merged(prefix) else len(state.statements))
            for row in live:
                said = encode_statement(state.incident_id or UUID(int=0), row_of(state.statements[row["statement_id"]]))
                assert {name: row[name] for name in said} == said


@many
@given(histories())
def test_later_events_change_no_row_at_an_earlier_position(world: World) -> None:
    """None of what members see; and of what the public sees none, where nothing was ever restricted."""

    def ended(row: Row, position: int) -> Row:
        return row | {"to_position": LIVE} if row["to_position"] > position else row

    def of_members(rows: list[Row]) -> list[bytes]:
        return sorted(encode(row | {"audience": ""}) for row in rows if row.get("audience") in (ALL, MEMBER))

    for events in incidents(world):
        everything, restricted = rows_of(events), any(one.type in TELLING for one in events)
        for prefix in appends(events):
            position = prefix[-1].position
            for table, then in rows_of(prefix).items():
                by_now = [ended(row, position) for row in everything[table] if row["from_position"] <= position]
                assert of_members(then) == of_members(by_now)
                if not restricted:
                    assert sorted(map(encode, then)) == sorted(map(encode, by_now))


@pytest.mark.parametrize("statements", [3, 30])
def test_rows_per_statement_are_constant_when_said_at_does_not_decrease(statements: int) -> None:
    """One slice ends, and two begin; one row of the statement."""
    events = saying.told(*(saying.say(("AZ", "RU", "AM")[n % 3], killed=n) for n in range(statements)))
    rows = rows_of(events)
    slices, spoken = rows["incident_history"], rows["statement_history"]
    position = events[-1].position
    assert len([row for row in slices if row["from_position"] == position]) == 2
    assert len([row for row in slices if row["to_position"] == position]) == 1
    assert len(slices) == 2 * statements
    assert len(spoken) == statements
