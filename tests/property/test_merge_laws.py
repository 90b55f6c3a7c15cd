"""What holds of merges and their reverts: nothing is lost or there twice, and what is taken back leaves no trace."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.property.oracle_cuts import many
from tests.strategies import LEDGER, World, change_status, cut, histories, json, merge_one, move_one, revert_one, uuid

from stet.errors import Cycle, Merged, Refused, StetError, UnknownReference
from stet.handle.incident import open_incident, record_statement
from stet.handle.ledger import change_ledger, change_source
from stet.handle.merge import preview_merge
from stet.handle.revision import revise_incident
from stet.incident import state as incident_state
from stet.incident.commands import (
    AmendIncident,
    AssessStatement,
    ChangeVisibility,
    ClaimInput,
    CorrectStatement,
    LinkIncident,
    MergeIncident,
    MoveStatement,
    OpenIncident,
    RecordStatement,
    RetractStatement,
    RevertMerge,
    StatementFieldsInput,
    SupersedeStatement,
    WithdrawStatement,
)
from stet.incident.resolve import resolve
from stet.incident.state import Incident
from stet.incident.view import view
from stet.incident.visibility import shown
from stet.ledger.commands import CreateLedger
from stet.source.commands import RegisterSource

AZ, A, B, C, D = uuid(1), uuid(2), uuid(3), uuid(4), uuid(5)
S1, S2, S3, S4 = uuid(11), uuid(12), uuid(13), uuid(14)


def as_shown(state: Incident) -> bytes:
    """An incident, but for its version and the time of its last event."""
    return msgspec.json.encode(view(replace(state, updated_at=state.opened_at, version=0), {}, cut(1)))


def to_public(world: World, incident_id: UUID) -> bytes | None:
    stream = f"incident:{incident_id}"
    events = shown(stream, world.streams[stream], "public")
    return as_shown(incident_state.fold(events)) if events else None


def ways_to_merge(world: World) -> list[tuple[UUID, UUID]]:
    """Those that are not refused."""
    found = []
    for away in sorted(world.incidents):
        for home in sorted(world.incidents):
            try:
                world.decide(revise_incident(MergeIncident(into=home, reason="the same"), away, ""))
            except StetError:
                continue
            found.append((away, home))
    return found


def test_to_merge_and_revert_changes_nothing() -> None:
    """Of no incident: neither for members, nor, unless a place is disclosed, for the public."""
    reached: Counter[str] = Counter()

    @settings(max_examples=120)
    @given(histories(), st.data())
    def look(world: World, data: st.DataObject) -> None:
        ways = ways_to_merge(world)
        if not ways:
            return
        away, home = data.draw(st.sampled_from(ways))
        before = {id_: as_shown(state) for id_, state in world.of("incident").items()}
        public = {id_: to_public(world, id_) for id_ in before}
        one, other = (world.incidents[id_] for id_ in (away, home))
        reached["merged"] += 1
        reached["shared"] += bool(one.statements.keys() & other.statements.keys())
        reached["with a third"] += any(len(said.incidents) > 2 for said in one.statements.values())
        reached["after another merge"] += bool(one.absorbed or other.absorbed)
        reached["something is hidden"] += one.guarded or other.guarded
        world.must(lambda: revise_incident(MergeIncident(into=home, reason="the same"), away, ""))
        world.must(lambda: revise_incident(RevertMerge(incident_id=away, reason="not the same"), home, ""))
        assert {id_: as_shown(state) for id_, state in world.of("incident").items()} == before
        if not any(state.visibility.disclosed_place for state in world.of("incident").values()):
            assert {id_: to_public(world, id_) for id_ in before} == public

    look()
    assert reached["merged"] >= 50
    assert reached["shared"] >= 15, reached
    assert reached["after another merge"] >= 5, reached
    assert reached["something is hidden"] >= 15, reached


STEPS = (merge_one, merge_one, merge_one, revert_one, revert_one, move_one, move_one, change_status)


class Merging(NamedTuple):
    world: World
    claims: list[Counter[UUID]]

    def __repr__(self) -> str:
        return repr(self.world)


@st.composite
def merging(draw: Any) -> Merging:
    """A history that ends in merges, reverts and moves, and how often each claim was where after each of these."""
    world: World = draw(histories())
    found = [claims(world)]
    for step in draw(st.lists(st.sampled_from(STEPS), max_size=12)):
        if world.statements:
            step(draw, world)
            found.append(claims(world))
    return Merging(world, found)


@settings(max_examples=60)
@given(merging())
def test_no_claim_is_lost_or_doubled_by_merges_reverts_and_moves(made: Merging) -> None:
    """Every claim that was there is in one incident, and its statement says so there."""
    world, found = made
    for before, after in pairwise(found):
        assert before.keys() <= after.keys()
        assert set(after.values()) <= {1}
    for id_, state in world.incidents.items():
        for said in state.statements.values():
            assert id_ in said.incidents
            assert said.claims or said.retracts or said.record
            if said.retracts:
                assert said.retracts.statement_id in state.statements


def claims(world: World) -> Counter[UUID]:
    """How often each claim is in an incident that is no other by now."""
    return Counter(
        claim_id for state in world.incidents.values() for said in state.statements.values() for claim_id in said.claims
    )


@many
@given(histories())
def test_a_merged_incident_and_its_survivor_are_restricted_alike(world: World) -> None:
    """So the one never tells what the other hides."""
    for id_, state in world.of("incident").items():
        if state.merged_into:
            assert state.visibility == world.states[f"incident:{world.survivor(id_)}"].visibility
        for absorbed in state.absorbed:
            assert world.states[f"incident:{absorbed.incident_id}"].merged_into == id_


@many
@given(histories(), st.data())
def test_a_dry_run_says_what_the_merge_then_does(world: World, data: st.DataObject) -> None:
    away, home = (data.draw(st.sampled_from(sorted(world.incidents))) for _ in range(2))
    found = previewed(world, away, home)
    before = {(one.attribute, one.of): one for one in resolve(world.incidents[home])}
    statements = world.incidents[home].statements.keys()
    if not world.write(lambda: revise_incident(MergeIncident(into=home, reason="the same"), away, "")):
        assert found.refused == str(world.refusals[-1])
        assert found.attributes == ()
        return
    after = {(one.attribute, one.of): one for one in resolve(world.incidents[home])}
    assert found.refused is None
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert {(one.attribute, one.of): (one.before, one.after) for one in found.attributes} == {
        key: (before.get(key), after.get(key)) for key in changed
    }
    merged = world.states[f"incident:{away}"]
    assert found.statements == len(merged.statements)
    assert set(found.shared) == merged.statements.keys() & statements


def previewed(world: World, away: UUID, home: UUID) -> Any:
    from tests.strategies import Drawn

    coroutine = preview_merge(Drawn(world), away, home)
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("a decision waited for something that is not there")


# ---- by hand ----


@pytest.fixture
def world() -> World:
    """A ledger with a source and four incidents."""
    made = World()
    made.must(lambda: change_ledger(CreateLedger(name="test", title="Test"), LEDGER, ""))
    made.must(lambda: change_source(RegisterSource(name="AZ", kind="state"), AZ, ""))
    for id_ in (A, B, C, D):
        made.must(lambda id_=id_: open_incident(OpenIncident(title="It", kind="shootdown"), id_, ""))
    return made


def say(world: World, statement_id: UUID, *about: UUID, **more: Any) -> None:
    claimed = tuple(ClaimInput(incident_id=id_, attribute="weapon", value=json("missile")) for id_ in about)
    body = RecordStatement(speaker=AZ, claims=claimed, **more)
    world.must(lambda: record_statement(body, about[0], statement_id, ""))


def revise(world: World, incident_id: UUID, command: Any) -> list[Any]:
    return list(world.must(lambda: revise_incident(command, incident_id, "/incidents/x")).events)


def merge(world: World, away: UUID, home: UUID) -> None:
    revise(world, away, MergeIncident(into=home, reason="the same"))


def revert(world: World, away: UUID, home: UUID) -> None:
    revise(world, home, RevertMerge(incident_id=away, reason="not the same"))


def refused(world: World, incident_id: UUID, command: Any) -> StetError:
    with pytest.raises(StetError) as refusal:
        world.decide(revise_incident(command, incident_id, ""))
    return refusal.value


def held(world: World, incident_id: UUID) -> set[UUID]:
    return set(world.states[f"incident:{incident_id}"].statements)


def test_what_is_done_to_a_statement_meanwhile_goes_back_with_it(world: World) -> None:
    say(world, S1, A)
    merge(world, A, B)
    say(world, S2, B)
    correct = StatementFieldsInput(channel="radio")
    revise(world, B, CorrectStatement(statement_id=S1, error="transcription", set=correct, reason="so"))
    revise(world, B, AssessStatement(statement_id=S1, credibility=2, basis="deduced", rationale="so"))
    retracted = revise(world, B, RetractStatement(statement_id=S1, said_at="2020-11-11", reason="so"))
    revert(world, A, B)
    assert held(world, A) == {S1, retracted[0].event.retraction_id}
    assert held(world, B) == {S2}
    state = world.incidents[A]
    assert state.statements[S1].channel == "radio"
    assert [one.credibility for one in state.statements[S1].assessments] == [2]
    assert state.statements[retracted[0].event.retraction_id].incidents == (A,)


def test_a_statement_that_was_moved_on_meanwhile_stays_where_it_is(world: World) -> None:
    say(world, S1, A)
    say(world, S2, A)
    merge(world, A, B)
    revise(world, B, MoveStatement(statement_id=S1, to_incident=C, reason="so"))
    revise(world, B, MoveStatement(statement_id=S2, to_incident=C, reason="so"))
    revise(world, C, MoveStatement(statement_id=S2, to_incident=B, reason="so"))
    revert(world, A, B)
    assert (held(world, A), held(world, B), held(world, C)) == (set(), {S2}, {S1})


def test_a_statement_of_both_is_one_and_then_each_has_its_own_claims_again(world: World) -> None:
    say(world, S1, A, B, C)
    mine = dict(world.incidents[A].statements[S1].claims)
    merge(world, A, B)
    united = world.incidents[B].statements[S1]
    assert united.incidents == (B, C)
    assert len(united.claims) == 2
    added = ClaimInput(claim_id=uuid(99), attribute="cause", value=json("fog"))
    revise(world, B, CorrectStatement(statement_id=S1, error="transcription", claims=(added,), reason="so"))
    revert(world, A, B)
    assert world.incidents[A].statements[S1].claims == mine
    assert uuid(99) in world.incidents[B].statements[S1].claims
    for id_ in (A, B, C):
        assert world.incidents[id_].statements[S1].incidents == (A, B, C)


def test_a_third_incident_that_shares_a_statement_reaches_the_survivor_through_a_chain(world: World) -> None:
    """It is written nothing by the merges. What is said of the statement there reaches whoever has it by now."""
    say(world, S1, A, D)
    before = len(world.streams[f"incident:{D}"])
    merge(world, A, B)
    merge(world, B, C)
    assert len(world.streams[f"incident:{D}"]) == before
    events = revise(world, D, WithdrawStatement(statement_id=S1, ground="duplicate", reason="so"))
    assert {new.stream for new in events} == {f"incident:{C}", f"incident:{D}"}
    revert(world, B, C)
    revert(world, A, B)
    assert world.incidents[A].statements[S1].withdrawn
    assert world.incidents[A].statements[S1].incidents == (A, D)


def test_a_third_incident_hears_where_a_statement_of_the_merged_one_was_moved(world: World) -> None:
    say(world, S1, A, D)
    merge(world, A, B)
    revise(world, B, MoveStatement(statement_id=S1, to_incident=C, reason="so"))
    assert world.incidents[D].statements[S1].incidents == (C, D)
    revert(world, A, B)
    assert held(world, A) == set()


def test_what_was_merged_twice_belongs_to_whom_it_came_from_last(world: World) -> None:
    """A is of B; its statement is moved to C, and that becomes B, too."""
    say(world, S1, A)
    merge(world, A, B)
    revise(world, B, MoveStatement(statement_id=S1, to_incident=C, reason="so"))
    merge(world, C, B)
    revert(world, A, B)
    assert held(world, A) == set()
    revert(world, C, B)
    assert held(world, C) == {S1}


def test_two_merged_incidents_that_share_a_statement_each_get_their_claims(world: World) -> None:
    say(world, S1, A, C)
    merge(world, A, B)
    merge(world, C, B)
    assert len(world.incidents[B].statements[S1].claims) == 2
    revert(world, A, B)
    assert (len(world.incidents[A].statements[S1].claims), len(world.incidents[B].statements[S1].claims)) == (1, 1)
    revert(world, C, B)
    assert held(world, B) == set()
    assert set(world.incidents[C].statements[S1].incidents) == {A, C}


def test_a_supersession_across_the_two_falls_away_with_the_merge(world: World) -> None:
    say(world, S1, A)
    say(world, S2, B)
    merge(world, A, B)
    revise(world, B, SupersedeStatement(statement_id=S1, superseded_by=S2, reason="so"))
    assert view(world.incidents[B], {}, cut(1)).statements[0].superseded_by == (S2,)
    revert(world, A, B)
    assert view(world.incidents[A], {}, cut(1)).statements[0].superseded_by == ()


def test_what_is_refused_names_the_field_and_the_survivor(world: World) -> None:
    assert isinstance(refused(world, A, MergeIncident(into=A, reason="so")), Cycle)
    assert isinstance(refused(world, A, MergeIncident(into=uuid(77), reason="so")), UnknownReference)
    assert "not merged" in str(refused(world, A, RevertMerge(incident_id=B, reason="so")))
    merge(world, A, B)
    merge(world, B, C)
    for incident_id, command, field in (
        (A, AmendIncident(title="X", reason="so"), None),
        (B, RevertMerge(incident_id=A, reason="so"), None),
        (A, MergeIncident(into=D, reason="so"), None),
        (D, MergeIncident(into=A, reason="so"), "into"),
        (C, MergeIncident(into=A, reason="so"), "into"),
        (D, LinkIncident(incident_id=A, relation="follows", reason="so"), "incident_id"),
    ):
        refusal = refused(world, incident_id, command)
        assert isinstance(refusal, Merged)
        assert refusal.survivor == C
        assert [error.field for error in refusal.errors] == ([field] if field else [])
    claim = ClaimInput(incident_id=A, attribute="weapon", value=json("gun"))
    mine = replace(claim, incident_id=D)
    with pytest.raises(Merged, match=r"claims\[1\].incident_id"):
        world.decide(record_statement(RecordStatement(speaker=AZ, claims=(mine, claim)), D, S1, ""))
    with pytest.raises(Merged):
        world.decide(record_statement(RecordStatement(speaker=AZ, claims=(claim,)), A, S1, ""))


def test_two_that_are_restricted_differently_are_not_merged(world: World) -> None:
    revise(world, A, ChangeVisibility(label="red", reason="so"))
    assert isinstance(refused(world, A, MergeIncident(into=B, reason="so")), Refused)
    revise(world, B, ChangeVisibility(label="red", reason="so"))
    merge(world, A, B)
    events = revise(world, B, ChangeVisibility(label="clear", reason="so"))
    assert {new.stream for new in events if type(new.event).__name__ == "VisibilityChanged"} == {
        f"incident:{A}",
        f"incident:{B}",
    }


def test_a_label_goes_with_a_statement_and_comes_back(world: World) -> None:
    say(world, S1, A)
    revise(world, A, ChangeVisibility(statement_id=S1, label="red", reason="so"))
    merge(world, A, B)
    assert world.incidents[B].restricted[S1].label == "red"
    revise(world, B, ChangeVisibility(statement_id=S1, label="clear", reason="so"))
    revert(world, A, B)
    assert world.incidents[A].restricted == {}
