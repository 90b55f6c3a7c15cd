"""What holds after every history: of folds, of decisions, of views, and of the times that hang on one another."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from functools import reduce
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies import DAWN, LEDGER, MODULES, STATES, World, cut, histories, json, uuid

from stet import codec
from stet.document.commands import CorrectDocument, PublishedAtInput, RegisterDocument, VersionInput
from stet.errors import Cycle, StetError
from stet.handle.incident import open_incident, record_statement
from stet.handle.ledger import change_document, change_ledger, change_source
from stet.handle.revision import revise_incident
from stet.incident import state as incident_state
from stet.incident.claim import Citation
from stet.incident.commands import (
    ClaimInput,
    CorrectStatement,
    OpenIncident,
    RecordStatement,
    StatementFieldsInput,
)
from stet.incident.rederive import rederive
from stet.incident.state import Incident
from stet.incident.statement import Statement
from stet.incident.view import view
from stet.ledger.commands import CreateLedger
from stet.source.commands import RegisterSource
from stet.values.time import Anchor, Time, TimeInput, normalise
from stet.values.value import read_time

many = settings(max_examples=30)
Pair = tuple[datetime | None, datetime | None]


def kind(stream: str) -> str:
    return stream.partition(":")[0]


def encoded(state: object) -> bytes:
    return msgspec.json.encode(state)


# ---- what the histories are ----


def test_the_histories_reach_every_event_type_and_every_hard_case() -> None:
    """Without this the laws below could hold of nothing."""
    seen: Counter[str] = Counter()

    @settings(max_examples=250)
    @given(histories())
    def look(world: World) -> None:
        seen.update(recorded.type for recorded in world.log)
        seen.update(type(refusal).__name__ for refusal in world.refusals)
        homes = {
            id_: {incident for incident, state in world.incidents.items() if id_ in state.statements}
            for id_ in world.statements
        }
        for id_, statement in world.statements.items():
            above = statement.said_at.anchor.statement_id if statement.said_at.anchor else None
            seen["about two incidents"] += len(statement.incidents) > 1
            seen["relayed"] += bool(statement.chain)
            seen["hangs on a statement"] += bool(above)
            seen["hangs on a statement of another incident"] += bool(above) and not homes[id_] & homes[above]
            seen["hangs on a document"] += bool(statement.said_at.anchor and statement.said_at.anchor.document_id)
            seen.update(claim.act for claim in statement.claims.values())
            seen.update(f"type {claim.type_}" for claim in statement.claims.values())
        followed = [recorded.causation_id for recorded in world.log if recorded.causation_id]
        seen["followed a correction"] += len(followed)
        seen["two followed the same correction"] += len(followed) > len(set(followed))

    look()
    acts = {"assert", "admit", "deny", "purport", "promise", "apologise", "demand", "express-concern"}
    types = {"type count", "type time", "type place", "type source", "type quantity", "type text", "type term"}
    hard = {
        "about two incidents",
        "relayed",
        "hangs on a statement",
        "hangs on a statement of another incident",
        "hangs on a document",
        "followed a correction",
        "two followed the same correction",
        "Cycle",
        "type document",
        "type boolean",
    }
    elsewhere = {"redaction-proposed", "payload-redacted"}
    """Drawn by tests/projections/test_redacted.py: they change what is stored."""
    wanted = (set(codec.EVENTS) - elsewhere) | acts | types | hard
    assert sorted(wanted - {name for name, times in seen.items() if times}) == []


# ---- folds and decisions ----


@many
@given(histories(), st.data())
def test_a_fold_can_go_on_from_any_state_that_was_written_down(world: World, data: st.DataObject) -> None:
    for stream, events in world.streams.items():
        at = data.draw(st.integers(0, len(events)))
        module = MODULES[kind(stream)]
        read_back = msgspec.json.decode(encoded(module.fold(events[:at])), type=STATES[kind(stream)])
        assert module.fold(events[at:], read_back) == module.fold(events)
        assert encoded(module.fold(events[at:], read_back)) == encoded(module.fold(events))


@many
@given(histories())
def test_one_event_at_a_time_adds_up_to_the_fold(world: World) -> None:
    for stream, events in world.streams.items():
        module = MODULES[kind(stream)]
        state = reduce(module.evolve, events, module.initial)
        assert state == module.fold(events) == world.states[stream]
        assert state.version == len(events)


@many
@given(histories())
def test_what_is_decided_can_be_stored_and_evolved(world: World) -> None:
    """That evolve takes each event was shown when the world was made; here: its bytes are the event."""
    for recorded, payload in zip(world.log, world.payloads, strict=True):
        assert codec.encode(recorded.event) == payload
        assert codec.decode(recorded.type, recorded.schema_version, payload, recorded.position) == recorded.event
        assert codec.decode(recorded.type, recorded.schema_version, payload.decode(), 1) == recorded.event


@many
@given(histories())
def test_what_was_just_decided_is_nothing_to_do_or_refused(world: World) -> None:
    for (at, decide), end in zip(world.appends, [*(n for n, _ in world.appends[1:]), len(world.log)], strict=True):
        first = world.log[at].type
        if first in {
            *("source-registered", "document-registered", "incident-opened", "statement-recorded"),
            *("statement-retracted", "statement-proposed"),
        }:
            continue  # each of these writes has its own new id
        try:
            again = world.before(end).decide(decide).events
        except StetError:
            continue
        assert list(again) == [], first


@many
@given(histories())
def test_no_state_is_changed_in_place(world: World) -> None:
    for stream, events in world.streams.items():
        module = MODULES[kind(stream)]
        states, snapshots = [module.initial], [encoded(module.initial)]
        for recorded in events:
            states.append(module.evolve(states[-1], recorded))
            snapshots.append(encoded(states[-1]))
        for at, state in enumerate(states):
            module.fold(events[at:], state)
        assert [encoded(state) for state in states] == snapshots
    assert encoded(incident_state.initial) == encoded(Incident())


@many
@given(histories())
def test_a_view_as_of_a_position_does_not_change_when_more_is_recorded(world: World) -> None:
    """Each view is made when its event is the last, and made again from the log as it is in the end."""
    names = {id_: source.name for id_, source in world.of("source").items()}
    then: dict[tuple[str, int], Any] = {}
    states: dict[str, Incident] = {}
    for recorded in world.log:
        if kind(recorded.stream) == "incident":
            states[recorded.stream] = incident_state.evolve(
                states.get(recorded.stream, incident_state.initial), recorded
            )
            for stream, state in states.items():
                then[stream, recorded.position] = (
                    made := view(state, names, cut(recorded.position)),
                    encoded(made),
                )
    for (stream, position), (made, bytes_) in then.items():
        state = incident_state.fold(r for r in world.streams[stream] if r.position <= position)
        now = view(state, names, cut(position))
        assert now == made
        assert encoded(now) == bytes_ == encoded(made)


# ---- statements and their times ----


@many
@given(histories())
def test_a_statement_about_two_incidents_is_the_same_in_both(world: World) -> None:
    for id_, held in world.statements.items():
        homes = world.homes(id_)
        if not held.retracts:  # a third incident may not know of a retraction that it is about two more
            assert {world.survivor(incident_id) for incident_id in held.incidents} == {*homes}
        for incident_id in homes:
            other = world.incidents[incident_id].statements[id_]
            for name in ("said_at", "said", "speaker", "chain", "channel", "verbatim", "language", "citation"):
                assert getattr(other, name) == getattr(held, name), name
            assert other.recorded_at == held.recorded_at
            assert other.claims or other.retracts or other.record
    claims = Counter(claim_id for i in world.incidents.values() for s in i.statements.values() for claim_id in s.claims)
    assert all(times == 1 for times in claims.values())


@many
@given(histories())
def test_a_statement_was_said_by_some_time_and_not_after_it(world: World) -> None:
    for incident in world.incidents.values():
        for shown in view(incident, {}, cut(1)).statements:
            assert shown.said_at.latest is not None
            known = [t for t in (shown.said_at.earliest, shown.said_at.best, shown.said_at.latest) if t]
            assert known == sorted(known)
            for claim in shown.claims:
                if claim.type_ == "time":
                    value = read_time(claim.value)
                    known = [t for t in (value.earliest, value.best, value.latest) if t]
                    assert known == sorted(known)


@many
@given(histories())
def test_all_times_are_those_that_follow_from_what_was_asked(world: World) -> None:
    """However they were reached, by recording, correcting or fan-out: the stored times equal the oracle's."""
    for incident in world.incidents.values():
        for statement in incident.statements.values():
            assert statement.said == said(world, statement.statement_id)
            for claim_id, claim in statement.claims.items():
                if claim.type_ == "time":
                    asked = world.stated[statement.statement_id].values[claim_id]
                    asked = normalise(msgspec.json.decode(asked, type=TimeInput), "value")
                    stored = read_time(claim.value)
                    expected = hung(asked, world) if asked.anchor else asked.bounds
                    assert stored.bounds == expected
                    assert (stored.anchor, stored.verbatim) == (asked.anchor, asked.verbatim)


def said(world: World, statement_id: UUID) -> Pair:
    """When a statement was said, from what was asked of it and of what it hangs on: the rules in plain words."""
    stated = world.stated[statement_id]
    asked = None if stated.said_at is None else normalise(stated.said_at, "said_at")
    published = None
    if stated.citation:
        published = world.documents[stated.citation.document_id].published[stated.citation.version][1]
    earliest, best, latest = (asked.earliest, asked.best, asked.latest) if asked else (None, None, None)
    derived = latest is None
    if asked and asked.anchor:
        earliest, latest = hung(asked, world)
        derived = True
    not_before = best or earliest
    # What a document reports was said before it came out, unless what is known says otherwise.
    if derived and published and (not_before is None or not_before <= published):
        latest = published if latest is None else min(latest, published)
    if latest is None:
        known = [t for t in (world.statements[statement_id].recorded_at, earliest, best) if t]
        latest = max(known)
    return earliest, latest


def hung(asked: Time, world: World) -> Pair:
    """The bounds of a time that hangs on something."""
    anchor = asked.anchor
    assert anchor
    if anchor.statement_id:
        first, last = said(world, anchor.statement_id)
    else:
        first, last = world.documents[anchor.document_id].published[anchor.version]
    if anchor.relation == "before":
        return None, last
    if anchor.relation == "after":
        return first, None
    if asked.zone and asked.zone[0] in "+-":
        zone = datetime.fromisoformat(f"2020-01-01T00:00:00{asked.zone}").tzinfo
    else:
        zone = ZoneInfo(asked.zone or "UTC")
    starts, ends = [], []
    clock = time.fromisoformat(anchor.time_of_day or "00:00")
    length = timedelta(minutes=1) if anchor.time_of_day else timedelta(days=1)
    for at, into in ((first, starts), (last, ends)):
        if at:
            naive = datetime.combine(at.astimezone(zone).date(), clock)
            into.append(naive.replace(tzinfo=zone).astimezone(UTC))
            into.append((naive + length).replace(tzinfo=zone).astimezone(UTC) - timedelta(microseconds=1))
    about = timedelta(minutes=15) if anchor.time_of_day and asked.approximate else None
    if about:
        return (starts[0] - about if starts else None), (ends[0] + about if ends else None)
    return (starts[0] if starts else None), (ends[1] if ends else None)


@many
@given(histories())
def test_deriving_again_finds_nothing_that_is_left_to_do(world: World) -> None:
    origins = {*world.documents, *world.statements}
    for incident in world.incidents.values():
        assert rederive(incident, origins, world.known()) == incident


@many
@given(histories())
def test_anchors_form_no_cycle(world: World) -> None:
    statements = world.statements
    for statement_id in statements:
        seen: list[UUID] = []
        at: UUID | None = statement_id
        while at:
            assert at not in seen
            seen.append(at)
            anchor = statements[at].said_at.anchor
            at = anchor.statement_id if anchor else None


@many
@given(histories())
def test_what_follows_a_correction_names_the_event_that_caused_it(world: World) -> None:
    by_id = {recorded.event_id: recorded for recorded in world.log}
    for recorded in world.log:
        if recorded.causation_id:
            cause = by_id[recorded.causation_id]
            assert cause.position < recorded.position
            assert cause.recorded_at == recorded.recorded_at
            if recorded.type == "reference-hidden":
                continue  # what any event can lead to: it names what is hidden
            if cause.type in {"incident-absorbed", "merge-reverted"}:
                assert recorded.type in {"statement-moved-in", "statement-moved-out", "visibility-changed"}
            elif recorded.type == "statement-corrected":
                assert recorded.event.error == "reference"
                carrying = {"source-merged", "statement-moved-in", "statement-accepted"}
                assert cause.type in {"document-corrected", "statement-corrected"} | carrying
            else:
                assert cause.type == "source-merged"
                assert recorded.type in {
                    *("attribute-pinned", "attribute-unpinned", "source-revised", "document-corrected"),
                }


# ---- histories by hand ----

AZ, DOCUMENT, I1, I2 = uuid(1), uuid(2), uuid(3), uuid(4)
NOON = datetime(2020, 11, 9, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    """A ledger with one source, one document that was published at an unknown time, and two incidents."""
    made = World()
    article = RegisterDocument(kind="article", title="It", versions=(VersionInput(version=1, change="original"),))
    made.must(lambda: change_ledger(CreateLedger(name="test", title="Test"), LEDGER, ""))
    made.must(lambda: change_source(RegisterSource(name="AZ", kind="state"), AZ, ""))
    made.must(lambda: change_document(article, DOCUMENT, ""))
    for id_ in (I1, I2):
        made.must(lambda id_=id_: open_incident(OpenIncident(title="It", kind="shootdown"), id_, ""))
    return made


def say(
    world: World,
    statement_id: UUID,
    incident_id: UUID,
    said_at: TimeInput | None,
    *others: UUID,
    citation: Citation | None = None,
) -> Statement:
    """A statement with one claim about each of the incidents."""
    claims = tuple(
        ClaimInput(incident_id=id_, attribute="weapon", value=json("missile")) for id_ in (incident_id, *others)
    )
    body = RecordStatement(speaker=AZ, said_at=said_at, citation=citation, claims=claims)
    world.must(lambda: record_statement(body, incident_id, statement_id, ""))
    return world.statements[statement_id]


def on(statement_id: UUID, relation: str = "after") -> Time:
    return Time(anchor=Anchor(relation=relation, statement_id=statement_id))  # type: ignore[arg-type]


def correct(
    world: World, incident_id: UUID, statement_id: UUID, said_at: TimeInput | None, *claims: ClaimInput
) -> None:
    command = CorrectStatement(
        statement_id=statement_id,
        error="time",
        set=StatementFieldsInput(said_at=said_at),
        claims=claims,
        reason="misread",
    )
    world.must(lambda: revise_incident(command, incident_id, ""))


def test_a_correction_runs_through_a_chain_of_statements_in_several_incidents(world: World) -> None:
    ids = [uuid(n) for n in range(10, 16)]
    say(world, ids[0], I1, Time(earliest=NOON, latest=NOON))
    for n, (above, id_) in enumerate(pairwise(ids)):
        say(world, id_, (I2, I1)[n % 2], on(above))
    correct(world, I1, ids[0], Time(earliest=NOON + HOUR, latest=NOON + HOUR))
    assert [world.statements[id_].said.earliest for id_ in ids] == [NOON + HOUR] * len(ids)


def test_a_document_that_is_dated_last_dates_what_hangs_on_it_in_every_incident(world: World) -> None:
    say(world, uuid(10), I1, Time(anchor=Anchor(relation="same-day", document_id=DOCUMENT, version=1)), I2)
    say(world, uuid(11), I2, on(uuid(10)))
    command = CorrectDocument(
        versions=(PublishedAtInput(version=1, published_at="2020-11-09"),), basis="deduced", rationale="the desk"
    )
    world.must(lambda: change_document(command, DOCUMENT, ""))
    midnight = NOON - 12 * HOUR
    assert world.incidents[I1].statements[uuid(10)].said.earliest == midnight
    assert world.incidents[I2].statements[uuid(10)].said.earliest == midnight
    assert world.statements[uuid(11)].said.earliest == midnight


def test_a_claim_added_by_the_correction_that_moves_its_anchor_hangs_on_where_that_moves_to(world: World) -> None:
    """A hangs on nothing, B (of the other incident) on A; A is moved, and gets a claim that hangs on B."""
    say(world, uuid(10), I1, Time(earliest=NOON, latest=NOON))
    say(world, uuid(11), I2, on(uuid(10)))
    claim = ClaimInput(attribute="occurred_at", value=json(on(uuid(11))))
    correct(world, I1, uuid(10), Time(earliest=NOON + HOUR, latest=NOON + HOUR), claim)
    *_, made = world.incidents[I1].statements[uuid(10)].claims.values()
    assert read_time(made.value).earliest == NOON + HOUR


def test_a_claim_that_hangs_on_its_own_statement_moves_with_it(world: World) -> None:
    """And in the same correction, too."""
    say(world, uuid(10), I1, Time(earliest=NOON, latest=NOON))
    claim = ClaimInput(claim_id=uuid(20), attribute="occurred_at", value=json(on(uuid(10), "before")))
    for hours in (1, 2):
        correct(world, I1, uuid(10), Time(earliest=NOON, latest=NOON + hours * HOUR), *([claim] if hours == 1 else []))
        moved = world.incidents[I1].statements[uuid(10)].claims[uuid(20)]
        assert read_time(moved.value).latest == NOON + hours * HOUR


def test_a_statement_cannot_be_made_to_hang_on_what_hangs_on_it_in_another_incident(world: World) -> None:
    say(world, uuid(10), I1, None)
    say(world, uuid(11), I2, on(uuid(10)))
    say(world, uuid(12), I1, on(uuid(11)))
    with pytest.raises(Cycle) as refusal:
        correct(world, I1, uuid(10), on(uuid(12)))
    assert [error.field for error in refusal.value.errors] == ["set.said_at.anchor.statement_id"]


def test_a_statement_that_says_nothing_of_its_time_was_said_by_the_time_it_was_recorded(world: World) -> None:
    assert say(world, uuid(10), I1, None).said == (None, world.log[-1].recorded_at)
    assert world.log[-1].recorded_at == DAWN + timedelta(minutes=40) * len(world.appends)
