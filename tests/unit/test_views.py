"""What the API shows of an incident, and its three timelines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.strategies import DAWN, cut, json, uuid
from tests.unit.recording import record

from stet.incident.claim import Citation, Claim, Hop, SaidAt
from stet.incident.events import (
    IncidentAmended,
    IncidentOpened,
    IncidentStatusChanged,
    StatementAssessed,
    StatementCorrected,
    StatementFields,
    StatementMovedIn,
    StatementMovedOut,
    StatementRecorded,
    StatementReinstated,
    StatementRetracted,
    StatementSuperseded,
    StatementWithdrawn,
)
from stet.incident.links import IncidentLinked
from stet.incident.said import said_by, unsaid
from stet.incident.state import Incident, fold
from stet.incident.statement import Assessed, Retracts
from stet.incident.summary import CountSummary, OccurredSummary, PlaceSummary, summary
from stet.incident.timeline import occurred_axis, recorded_axis, said_axis
from stet.incident.view import StatementView, sources_of, statement_answer, statement_views, view
from stet.values.time import Time

I1, I2, AZMFA, OUT, D1 = (uuid(n) for n in range(1, 6))
S1, S2, S3, S4 = (uuid(n) for n in range(11, 15))
NAMES = {AZMFA: "Ministry of Foreign Affairs"}
MORNING, NOON = datetime(2020, 11, 9, 8, tzinfo=UTC), datetime(2020, 11, 9, 12, tzinfo=UTC)
OPENED = IncidentOpened(title="Mi-24 shot down", kind="shootdown", tags=("air",))


def claim(n: int, **more: Any) -> Claim:
    given: dict[str, Any] = {"attribute": "weapon", "type_": "text", "value": json("missile")}
    return Claim(claim_id=uuid(100 + n), **{**given, **more})


def when(n: int, **time: Any) -> Claim:
    return claim(n, attribute="occurred_at", type_="time", value=json(Time(**time)))


def statement(statement_id: UUID, *claims: Claim, said_at: SaidAt | None = None, **more: Any) -> StatementRecorded:
    return StatementRecorded(
        statement_id=statement_id,
        incidents=(I1,),
        speaker=AZMFA,
        said_at=said_at or SaidAt(),
        claims=claims or (claim(int(statement_id) % 100),),
        **more,
    )


def given(*events: object) -> Incident:
    return fold(record(f"incident:{I1}", OPENED, *events))


def shown_of(state: Incident, statement_id: UUID = S1) -> StatementView:
    """One statement as the view of the incident shows it."""
    (shown,) = statement_views(state, NAMES, [state.statements[statement_id]])
    return shown


# ---- views ----


def test_the_view_of_an_incident_is_its_header_statements_and_links() -> None:
    state = given(
        statement(S1),
        IncidentAmended(title="Mi-24 downed", reason="r"),
        IncidentStatusChanged(status="closed", reason="r"),
        IncidentLinked(incident_id=I2, relation="follows", reason="r"),
        statement(S2),
    )
    shown = view(state, NAMES, cut(6))
    assert (shown.incident_id, shown.version, shown.title, shown.kind) == (I1, 6, "Mi-24 downed", "shootdown")
    assert (shown.status, shown.tags, shown.cut) == ("closed", ("air",), cut(6))
    assert [s.statement_id for s in shown.statements] == [S1, S2]
    assert [(link.incident_id, link.relation) for link in shown.links] == [(I2, "follows")]
    assert (shown.opened_at, shown.updated_at) == (DAWN + timedelta(minutes=1), DAWN + timedelta(minutes=6))
    assert (shown.reactions, shown.merged_into) == ((), None)
    (weapon,) = shown.attributes
    assert (weapon.attribute, weapon.of, bytes(weapon.value or b"")) == ("weapon", None, b'"missile"')
    assert (weapon.status, weapon.rule, weapon.speakers) == ("single-source", "majority", 1)
    assert weapon.supporting == (shown.statements[1].claims[0].claim_id,), (
        "of one speaker only the newest statement counts"
    )


def test_the_reactions_are_the_live_claims_whose_acts_resolve_nothing() -> None:
    """An apology resolves nothing, and is shown with who made it, when and of what."""
    sorry = claim(1, attribute=None, act="apologise", value=json("we are sorry"), toward=f"source:{OUT}")
    guess = claim(2, act="speculate", of="crew", note="a guess")
    state = given(statement(S1, sorry, guess, claim(3), chain=(Hop(OUT, "reporter"),), said_at=SaidAt(latest=NOON)))
    first, second = view(state, NAMES, cut(2)).reactions
    assert (first.claim_id, first.statement_id, first.act, first.attribute) == (uuid(101), S1, "apologise", None)
    assert (bytes(first.value), first.toward) == (b'"we are sorry"', f"source:{OUT}")
    assert (first.speaker.name, first.chain[0].source_id) == ("Ministry of Foreign Affairs", OUT)
    assert first.said_at == SaidAt(latest=NOON)
    assert (second.claim_id, second.act, second.attribute, second.of) == (uuid(102), "speculate", "weapon", "crew")
    assert second.note == "a guess"
    withdrawn = StatementWithdrawn(statement_id=S1, ground="duplicate", reason="r")
    after = fold(record(f"incident:{I1}", withdrawn, after=2), state)
    assert view(after, NAMES, cut(3)).reactions == ()


def test_the_summary_is_what_the_claims_come_to() -> None:
    """Title, kind, tags and status; when, where and how many; and the status of each attribute."""
    place = json({"name": "Yeraskh", "geometry": {"type": "Point", "coordinates": [44.8, 39.7]}, "radius_m": 5000})
    shown = summary(
        given(
            statement(S1, when(1, earliest=MORNING, latest=NOON), claim(2)),
            statement(S2, claim(3, attribute="crash_place", type_="place", value=place)),
            statement(S3, claim(4, attribute="killed", type_="count", of="crew", value=json({"min": 2, "max": 2}))),
            statement(S4, claim(5, attribute="killed", type_="count", of="guards", value=json({"min": 1}))),
        )
    )
    assert (shown.title, shown.kind, shown.status, shown.tags) == ("Mi-24 shot down", "shootdown", "open", ("air",))
    assert shown.occurred == OccurredSummary(
        earliest=MORNING, latest=NOON, best=None, approximate=False, status="single-source"
    )
    assert shown.place == PlaceSummary(
        attribute="crash_place", name="Yeraskh", longitude=44.8, latitude=39.7, radius_m=5000, status="single-source"
    )
    # Over several groups: at least the greatest of them, with no upper bound.
    assert shown.killed == CountSummary(min=2, max=None, status="single-source")
    assert (shown.injured, shown.missing, shown.detained) == (None, None, None)
    assert shown.attributes == dict.fromkeys(("crash_place", "killed", "occurred_at", "weapon"), ("single-source",))


def test_the_summary_does_not_grow_with_the_statements() -> None:
    """Nor does it count them."""
    state = given(statement(S1))
    assert summary(fold(record(f"incident:{I1}", statement(S2), after=2), state)) == summary(state)


def test_a_statement_shows_speaker_and_chain_by_the_names_at_the_cut() -> None:
    state = given(statement(S1, chain=(Hop(OUT, "reporter"),), channel="a statement", language="az"))
    shown = shown_of(state)
    assert (shown.speaker.source_id, shown.speaker.name) == (AZMFA, "Ministry of Foreign Affairs")
    assert [(hop.source_id, hop.name, hop.role) for hop in shown.chain] == [(OUT, None, "reporter")]
    assert (shown.channel, shown.language, shown.position) == ("a statement", "az", 2)
    assert sources_of(state) == {AZMFA, OUT}


def test_a_claim_shows_its_value_as_stored_and_all_that_was_said_with_it() -> None:
    full = claim(
        1,
        of="crew",
        act="admit",
        certainty="distanced",
        scope="implied",
        toward=f"source:{OUT}",
        verbatim="“missile”",
        note="the caption",
        citation=Citation(document_id=D1, version=2, locator="caption"),
    )
    (shown,) = shown_of(given(statement(S1, full))).claims
    for name in ("claim_id", "attribute", "of", "act", "certainty", "scope", "toward", "verbatim", "note", "citation"):
        assert getattr(shown, name) == getattr(full, name), name
    assert msgspec.json.decode(msgspec.json.encode(shown))["type"] == "text"
    assert bytes(shown.value) == b'"missile"'
    assert (shown.dropped, shown.assessed) == (None, None)


@pytest.mark.parametrize(
    ("said_at", "latest"),
    [
        (SaidAt(), DAWN + timedelta(minutes=2)),
        (SaidAt(earliest=NOON), NOON),
        (SaidAt(best=NOON), NOON),
        (SaidAt(earliest=MORNING, latest=NOON), NOON),
        (SaidAt(earliest=DAWN), DAWN + timedelta(minutes=2)),
    ],
)
def test_what_nothing_bounds_above_was_said_by_the_time_that_it_was_recorded(said_at: SaidAt, latest: datetime) -> None:
    shown = shown_of(given(statement(S1, said_at=said_at)))
    assert shown.said_at == msgspec.structs.replace(said_at, latest=latest)


def test_corrections_of_our_record_are_applied_and_listed() -> None:
    corrected = StatementCorrected(
        statement_id=S1, error="attribution", set=StatementFields(speaker=OUT, channel=None), reason="it was OUT"
    )
    shown = shown_of(given(statement(S1, channel="Telegram"), corrected))
    assert (shown.speaker.source_id, shown.channel) == (OUT, None)
    assert [(c.error, c.reason, c.position, c.actor) for c in shown.corrections] == [
        ("attribution", "it was OUT", 3, "desk")
    ]


def retraction(*claim_ids: UUID, retraction_id: UUID = S2) -> StatementRetracted:
    return StatementRetracted(
        statement_id=S1,
        claim_ids=claim_ids,
        retraction_id=retraction_id,
        incidents=(I1,),
        speaker=AZMFA,
        said_at=SaidAt(latest=NOON),
        reason="they deleted it",
    )


def test_a_retraction_is_a_statement_that_takes_back_another_or_some_of_its_claims() -> None:
    state = given(statement(S1, claim(1), claim(2, attribute="target")), retraction(uuid(101)))
    taken_back, made = shown_of(state), shown_of(state, S2)
    assert (made.retracts, made.claims) == (Retracts(statement_id=S1, claim_ids=(uuid(101),)), ())
    assert (made.position, made.speaker.source_id, made.said_at) == (3, AZMFA, SaidAt(latest=NOON))
    assert (taken_back.retracts, taken_back.retracted_by, made.retracted_by) == (None, (S2,), ())
    assert [shown.dropped for shown in taken_back.claims] == ["retracted", None]
    withdrawn = StatementWithdrawn(statement_id=S2, ground="fabricated", reason="r")
    after = shown_of(fold(record(f"incident:{I1}", withdrawn, after=3), state))
    assert (after.retracted_by, [shown.dropped for shown in after.claims]) == ((), [None, None])


def test_a_superseded_statement_names_what_takes_its_place_until_that_is_withdrawn() -> None:
    superseded = StatementSuperseded(statement_id=S1, superseded_by=S2, reason="r")
    state = given(statement(S1), statement(S2), superseded)
    older, newer = shown_of(state), shown_of(state, S2)
    assert (older.superseded_by, older.claims[0].dropped) == ((S2,), "superseded")
    assert (newer.superseded_by, newer.claims[0].dropped) == ((), None)
    withdrawn = StatementWithdrawn(statement_id=S2, ground="duplicate", reason="r")
    after = shown_of(fold(record(f"incident:{I1}", withdrawn, after=4), state))
    assert (after.superseded_by, after.claims[0].dropped) == ((), None)


def test_a_withdrawn_statement_shows_why_by_whom_and_when_until_it_is_reinstated() -> None:
    withdrawn = StatementWithdrawn(statement_id=S1, ground="out-of-scope", reason="another war")
    state = given(statement(S1), withdrawn)
    shown = shown_of(state)
    assert shown.withdrawn
    assert (shown.withdrawn.ground, shown.withdrawn.reason) == ("out-of-scope", "another war")
    assert (shown.withdrawn.position, shown.withdrawn.actor) == (3, "desk")
    assert shown.withdrawn.recorded_at == DAWN + timedelta(minutes=3)
    assert shown.claims[0].dropped == "withdrawn"
    after = shown_of(fold(record(f"incident:{I1}", StatementReinstated(statement_id=S1, reason="r"), after=3), state))
    assert (after.withdrawn, after.claims[0].dropped) == (None, None)


def test_assessments_are_listed_and_each_claim_shows_what_they_come_to() -> None:
    """What an assessment does not give stays; what it gives as null is cleared."""
    first = StatementAssessed(
        statement_id=S1, reliability="B", credibility=2, basis="deduced", rationale="known to be exact"
    )
    second = StatementAssessed(
        statement_id=S1,
        claim_ids=(uuid(102),),
        credibility=None,
        verification="false",
        basis="witnessed",
        rationale="the film shows it",
    )
    shown = shown_of(given(statement(S1, claim(1), claim(2, attribute="target")), first, second))
    assert [(a.position, a.actor, a.basis, a.rationale) for a in shown.assessments] == [
        (3, "desk", "deduced", "known to be exact"),
        (4, "desk", "witnessed", "the film shows it"),
    ]
    assert [(one.dropped, one.assessed) for one in shown.claims] == [
        (None, Assessed(reliability="B", credibility=2)),
        ("false", Assessed(reliability="B", verification="false")),
    ]


def test_one_statement_is_answered_with_its_incident_and_cut() -> None:
    state = given(statement(S1), statement(S2))
    answer = statement_answer(state, S2, NAMES, cut(3))
    assert (answer.statement_id, answer.incident_id, answer.version, answer.cut) == (S2, I1, 3, cut(3))
    with pytest.raises(KeyError):
        statement_answer(state, S3, NAMES, cut(3))


# ---- timelines ----


def test_the_recorded_axis_is_every_event_as_we_recorded_it() -> None:
    amended = IncidentAmended(title="Downed", reason="unclear yet")
    events = record(f"incident:{I1}", OPENED, statement(S1), amended)
    entries = recorded_axis(events, fold(events), (), NAMES)
    assert [(e.speaker is not None, bool(e.acts)) for e in entries] == [(False, False), (True, True), (False, False)]
    assert [(e.position, e.type, e.statement_id, e.reason, e.actor) for e in entries] == [
        (1, "incident-opened", None, None, "desk"),
        (2, "statement-recorded", S1, None, "desk"),
        (3, "incident-amended", None, "unclear yet", "desk"),
    ]


def test_the_recorded_axis_leaves_out_what_is_about_a_statement_that_had_not_been_said() -> None:
    events = record(
        f"incident:{I1}",
        OPENED,
        statement(S1, said_at=SaidAt(latest=MORNING)),
        statement(S3, said_at=SaidAt(latest=NOON)),
        retraction(),
        StatementCorrected(statement_id=S3, error="time", set=StatementFields(channel="tv"), reason="r"),
        IncidentAmended(title="Downed", reason="unclear yet"),
    )
    entries = recorded_axis(events, said_by(fold(events), MORNING), unsaid(events, MORNING), NAMES)
    assert [(e.position, e.statement_id) for e in entries] == [(1, None), (2, S1), (6, None)]


def test_the_recorded_axis_leaves_out_an_unsaid_statement_that_was_moved_away_and_back() -> None:
    """At each moment of its moves; and by the time that it was corrected to before it left."""
    earlier = StatementFields(said_at=SaidAt(latest=MORNING))
    out = StatementMovedOut(statement_id=S1, from_incident=I1, to_incident=I2, reason="r")
    before = record(f"incident:{I1}", OPENED, statement(S1, said_at=SaidAt(latest=NOON)), out)
    moved = fold(before[:2]).statements[S1]
    back = StatementMovedIn(statement=moved, from_incident=I2, reason="r")
    corrected = StatementCorrected(statement_id=S1, error="time", set=earlier, reason="r")
    events = [*before, *record(f"incident:{I1}", back, corrected, out, after=3)]
    for cut_at, shown in ((2, [1]), (3, [1]), (4, [1]), (5, [1, 2, 3, 4, 5]), (6, [1, 2, 3, 4, 5, 6])):
        up_to = events[:cut_at]
        entries = recorded_axis(up_to, said_by(fold(up_to), MORNING), unsaid(up_to, MORNING), NAMES)
        assert [entry.position for entry in entries] == shown, cut_at
    assert unsaid(events[:3], None) == set()


def test_the_recorded_axis_leaves_out_a_supersession_by_what_had_not_been_said() -> None:
    events = record(
        f"incident:{I1}",
        OPENED,
        statement(S1, said_at=SaidAt(latest=MORNING)),
        statement(S2, said_at=SaidAt(latest=NOON)),
        StatementSuperseded(statement_id=S1, superseded_by=S2, reason="r"),
    )
    for by, shown in ((MORNING, [1, 2]), (NOON, [1, 2, 3, 4])):
        entries = recorded_axis(events, said_by(fold(events), by), unsaid(events, by), NAMES)
        assert [entry.position for entry in entries] == shown


def test_the_said_axis_is_by_earliest_then_latest_then_as_recorded() -> None:
    state = given(
        statement(S1, said_at=SaidAt(earliest=NOON, latest=NOON)),
        statement(S2, said_at=SaidAt(earliest=MORNING, latest=NOON)),
        statement(S3, said_at=SaidAt(earliest=MORNING, latest=MORNING)),
        statement(S4, said_at=SaidAt(latest=NOON)),
        statement(uuid(15), said_at=SaidAt(earliest=NOON, latest=NOON)),
    )
    assert [entry.statement_id for entry in said_axis(state, NAMES)] == [S4, S3, S2, S1, uuid(15)]


def test_an_entry_of_the_said_axis_names_speaker_acts_and_attributes_once() -> None:
    claims = (claim(1), claim(2, act="admit"), claim(3), claim(4, attribute=None, act="apologise"))
    (entry,) = said_axis(given(statement(S1, *claims)), NAMES)
    assert entry.speaker
    assert (entry.speaker.name, entry.acts) == ("Ministry of Foreign Affairs", ("assert", "admit", "apologise"))
    assert entry.attributes == ("weapon",)


def test_the_said_axis_has_the_retractions_with_what_they_take_back() -> None:
    entries = said_axis(given(statement(S1, said_at=SaidAt(latest=MORNING)), retraction()), NAMES)
    assert [(e.statement_id, e.retracts, e.acts) for e in entries] == [(S1, None, ("assert",)), (S2, S1, ())]


def test_the_said_axis_shows_the_same_time_as_the_statement() -> None:
    """Also where nothing bounds it above."""
    state = given(statement(S1))
    (entry,) = said_axis(state, NAMES)
    assert entry.said_at == shown_of(state).said_at


def test_the_occurred_axis_is_every_claimed_time_and_contradictions_stand_side_by_side() -> None:
    state = given(
        statement(S1, when(1, earliest=NOON, latest=NOON), claim(2), when(3, verbatim="once")),
        statement(S2, when(4, earliest=MORNING, latest=NOON), when(5, earliest=MORNING, latest=MORNING)),
        statement(S3, when(6, latest=MORNING)),
        statement(S4, when(7, earliest=NOON, latest=NOON)),
    )
    entries = occurred_axis(state, NAMES)
    assert [entry.claim_id for entry in entries] == [uuid(100 + n) for n in (6, 3, 5, 4, 1, 7)]
    assert entries[0].time == Time(latest=MORNING)
    assert (entries[0].attributes, entries[0].acts) == (("occurred_at",), ("assert",))
    assert entries[0].speaker
    assert entries[0].speaker.name == "Ministry of Foreign Affairs"
    assert {entry.dropped for entry in entries} == {None}


def test_the_occurred_axis_says_of_what_each_time_is_and_why_one_does_not_count() -> None:
    earlier = claim(2, attribute="occurred_at", type_="time", of="crew", value=json(Time(latest=MORNING)))
    times = (when(1, earliest=NOON, latest=NOON), earlier)
    entries = occurred_axis(given(statement(S1, *times), retraction(uuid(102))), NAMES)
    assert [(e.of, e.dropped) for e in entries] == [("crew", "retracted"), (None, None)]
