"""What the API shows of an incident, and its three timelines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.strategies import DAWN, cut, json, uuid
from tests.unit.recording import record

from stet.incident.events import (
    Citation,
    Claim,
    Hop,
    IncidentAmended,
    IncidentLinked,
    IncidentOpened,
    IncidentStatusChanged,
    SaidAt,
    StatementCorrected,
    StatementFields,
    StatementRecorded,
)
from stet.incident.state import Incident, fold
from stet.incident.timeline import occurred_axis, recorded_axis, said_axis
from stet.incident.view import sources_of, statement_answer, statement_view, summary, view
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
    assert (shown.attributes, shown.reactions, shown.merged_into) == ((), (), None)


def test_the_summary_counts_the_statements() -> None:
    shown = summary(given(statement(S1), statement(S2)))
    assert (shown.incident_id, shown.version, shown.title, shown.statements) == (I1, 3, "Mi-24 shot down", 2)


def test_a_statement_shows_speaker_and_chain_by_the_names_at_the_cut() -> None:
    state = given(statement(S1, chain=(Hop(OUT, "reporter"),), channel="a statement", language="az"))
    shown = statement_view(state.statements[S1], NAMES)
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
    (shown,) = statement_view(given(statement(S1, full)).statements[S1], NAMES).claims
    for name in ("claim_id", "attribute", "of", "act", "certainty", "scope", "toward", "verbatim", "note", "citation"):
        assert getattr(shown, name) == getattr(full, name), name
    assert msgspec.json.decode(msgspec.json.encode(shown))["type"] == "text"
    assert bytes(shown.value) == b'"missile"'


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
    shown = statement_view(given(statement(S1, said_at=said_at)).statements[S1], NAMES)
    assert shown.said_at == msgspec.structs.replace(said_at, latest=latest)


def test_corrections_of_our_record_are_applied_and_listed() -> None:
    corrected = StatementCorrected(
        statement_id=S1, error="attribution", set=StatementFields(speaker=OUT, channel=None), reason="it was OUT"
    )
    shown = statement_view(given(statement(S1, channel="Telegram"), corrected).statements[S1], NAMES)
    assert (shown.speaker.source_id, shown.channel) == (OUT, None)
    assert [(c.error, c.reason, c.position, c.actor) for c in shown.corrections] == [
        ("attribution", "it was OUT", 3, "desk")
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
    entries = recorded_axis(events, fold(events), NAMES)
    assert [(e.speaker is not None, bool(e.acts)) for e in entries] == [(False, False), (True, True), (False, False)]
    assert [(e.position, e.type, e.statement_id, e.reason, e.actor) for e in entries] == [
        (1, "incident-opened", None, None, "desk"),
        (2, "statement-recorded", S1, None, "desk"),
        (3, "incident-amended", None, "unclear yet", "desk"),
    ]


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


def test_the_said_axis_shows_the_same_time_as_the_statement() -> None:
    """Also where nothing bounds it above."""
    state = given(statement(S1))
    (entry,) = said_axis(state, NAMES)
    assert entry.said_at == statement_view(state.statements[S1], NAMES).said_at


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
