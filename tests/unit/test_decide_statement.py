"""What recording and correcting statements leads to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import UNSET, Raw
from msgspec.structs import replace
from tests.strategies import json, uuid
from tests.unit.recording import record

from stet.errors import Cycle, Malformed, NameTaken, Refused, StetError, UnknownReference
from stet.incident.claim import Citation, Hop, Origin, SaidAt
from stet.incident.commands import ClaimInput, CorrectStatement, RecordStatement, StatementFieldsInput
from stet.incident.decide import decide
from stet.incident.events import IncidentOpened, StatementCorrected, StatementFields, StatementRecorded
from stet.incident.known import Known, Mentions, mentions, references
from stet.incident.record import check_correction, incidents_of, split_correction
from stet.incident.rederive import corrections, hangs_on, moved, origins_of, rederive
from stet.incident.state import Incident, fold
from stet.ledger.attributes import BUILT_IN, Attribute
from stet.values.time import UNBOUNDED, Anchor, Bounds, Time
from stet.values.value import read_time

I1, I2, S0, S1, S2, AZ, RU, OUT, D1 = (uuid(n) for n in range(1, 10))
C1, C2, C3, NOBODY = (uuid(n) for n in range(11, 15))
MORNING, EVENING = (datetime(2020, 11, 9, hour, tzinfo=UTC) for hour in (8, 20))
SAID = Bounds(MORNING, MORNING + timedelta(hours=1))
KNOWN = Known(
    attributes={**BUILT_IN, "rank": Attribute(name="rank", type_="term", rule="graded", terms=("low", "high"))},
    sources=frozenset({AZ, RU, OUT}),
    published={D1: {1: UNBOUNDED, 2: Bounds(MORNING, EVENING)}},
    said={S0: SAID, S1: UNBOUNDED},
    incidents=frozenset({I1, I2}),
)
OPENED = IncidentOpened(title="Mi-24 shot down", kind="shootdown")


def claim(attribute: str | None = "weapon", value: object = "missile", **more: Any) -> ClaimInput:
    given_: dict[str, Any] = {"claim_id": C1, "incident_id": I1, "attribute": attribute, "value": json(value)}
    return ClaimInput(**{**given_, **more})


def say(*claims: ClaimInput, **more: Any) -> RecordStatement:
    return RecordStatement(**{"speaker": AZ, **more}, claims=claims or (claim(),))


def given(*events: object) -> Incident:
    return fold(record(f"incident:{I1}", OPENED, *events))


def when(command: Any, state: Incident | None = None, known: Known = KNOWN) -> Any:
    """The one event that the command leads to."""
    (event,) = decide(command, state or given(), I1, known, (S1,))
    return event


def refusal(command: Any, error: type[StetError], state: Incident | None = None, known: Known = KNOWN) -> list[str]:
    with pytest.raises(StetError) as caught:
        decide(command, state or given(), I1, known, (S2,))
    assert type(caught.value) is error
    return [bad.field for bad in caught.value.errors]


def on(relation: Any, **what: Any) -> Time:
    return Time(anchor=Anchor(relation=relation, **what))


# ---- recording ----


def test_when_a_statement_is_about_two_incidents_then_each_holds_its_own_claims() -> None:
    body = say(claim(claim_id=C1, incident_id=I2), claim(claim_id=C2), verbatim="by mistake", language="az")
    assert incidents_of(body) == (I2, I1)
    event = when(body)
    assert event.incidents == (I2, I1)
    assert [made.claim_id for made in event.claims] == [C2]
    assert (event.speaker, event.verbatim, event.language) == (AZ, "by mistake", "az")


def test_when_a_claim_names_an_attribute_then_its_type_and_own_rule_are_stored_with_it() -> None:
    builtin, own = when(say(claim("killed", {"min": 2}), claim("rank", "low", claim_id=C2))).claims
    assert (builtin.type_, builtin.rule) == ("count", None)
    assert (own.type_, own.rule) == ("term", "graded")


@pytest.mark.parametrize("act", ["apologise", "condole", "offer", "promise", "speculate", "demand"])
def test_an_act_that_never_resolves_needs_no_attribute(act: str) -> None:
    (made,) = when(say(claim(None, "our condolences", act=act))).claims
    assert (made.attribute, made.type_, made.act) == (None, "text", act)


@pytest.mark.parametrize("act", ["assert", "confirm", "admit", "concede", "deny", "purport"])
def test_an_act_that_resolves_needs_an_attribute(act: str) -> None:
    assert refusal(say(claim(None, "x", act=act)), Malformed) == ["claims[0].attribute"]


def test_the_value_is_stored_in_its_canonical_bytes() -> None:
    (made,) = when(say(replace(claim("killed"), value=Raw(b'{ "min" : 2 }')))).claims
    assert bytes(made.value) == b'{"min":2}'


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        (say(speaker=NOBODY), UnknownReference, "speaker"),
        (say(chain=(Hop(NOBODY, "relay"),)), UnknownReference, "chain[0].source_id"),
        (say(chain=(Hop(OUT, "relay"), Hop(AZ, "reporter"))), Refused, "chain[1].source_id"),
        (say(chain=(Hop(OUT, "relay"), Hop(OUT, "reporter"))), Refused, "chain[1].source_id"),
        (say(claim("colour")), UnknownReference, "claims[0].attribute"),
        (say(claim(), claim("colour", claim_id=C2)), UnknownReference, "claims[1].attribute"),
        (say(claim(), claim()), NameTaken, "claims[1].claim_id"),
        (say(claim("killed", {"min": -1})), Malformed, "claims[0].value.min"),
        (say(claim("rank", "middle")), Malformed, "claims[0].value"),
        (say(claim("responsible", {"source_id": str(NOBODY)})), UnknownReference, "claims[0].value.source_id"),
        (say(claim(of=f"incident:{I1}")), Malformed, "claims[0].of"),
        (say(claim(of=f"source:{NOBODY}")), UnknownReference, "claims[0].of"),
        (say(claim(of=f"document:{NOBODY}")), UnknownReference, "claims[0].of"),
        (say(claim(of=f"statement:{NOBODY}")), UnknownReference, "claims[0].of"),
        (say(claim(toward=f"incident:{NOBODY}")), UnknownReference, "claims[0].toward"),
        (
            say(claim(citation=Citation(document_id=D1, version=3))),
            UnknownReference,
            "claims[0].citation.version",
        ),
        (
            say(claim("occurred_at", on("after", statement_id=NOBODY))),
            UnknownReference,
            "claims[0].value.anchor.statement_id",
        ),
        (say(citation=Citation(document_id=NOBODY, version=1)), UnknownReference, "citation.document_id"),
        (say(citation=Citation(document_id=D1, version=3)), UnknownReference, "citation.version"),
        (say(said_at="junk"), Malformed, "said_at"),
        (say(said_at=on("after", document_id=NOBODY, version=1)), UnknownReference, "said_at.anchor.document_id"),
        (say(said_at=on("after", document_id=D1, version=3)), UnknownReference, "said_at.anchor.version"),
    ],
)
def test_what_a_statement_gets_wrong_is_refused_by_its_field(
    body: RecordStatement, error: type[StetError], field: str
) -> None:
    assert refusal(body, error) == [field]


def test_a_document_as_a_value_must_exist() -> None:
    known = replace(KNOWN, attributes={"film": Attribute(name="film", type_="document", rule="all")})
    assert when(say(claim("film", {"document_id": str(D1)})), known=known).claims
    bad = say(claim("film", {"document_id": str(NOBODY)}))
    assert refusal(bad, UnknownReference, known=known) == ["claims[0].value.document_id"]


@pytest.mark.parametrize("reference", ["crew", f"source:{AZ}", f"document:{D1}", f"statement:{S0}"])
def test_what_a_claim_is_of_may_be_a_word_or_what_is_known(reference: str) -> None:
    (made,) = when(say(claim(of=reference, toward=reference))).claims
    assert (made.of, made.toward) == (reference, reference)
    assert when(say(claim(toward=f"incident:{I2}"))).claims


# ---- when it was said ----

CITED = Citation(document_id=D1, version=2)
UNDATED = Citation(document_id=D1, version=1)
FROM_CITED = Origin(document_id=D1, version=2)


@pytest.mark.parametrize(
    ("said_at", "citation", "stored"),
    [
        (None, None, SaidAt()),
        (None, CITED, SaidAt(latest=EVENING, from_=FROM_CITED)),
        (None, UNDATED, SaidAt(from_=Origin(document_id=D1, version=1))),
        (Time(earliest=MORNING), CITED, SaidAt(earliest=MORNING, latest=EVENING, from_=FROM_CITED)),
        (
            Time(earliest=EVENING + timedelta(hours=1)),
            CITED,
            SaidAt(earliest=EVENING + timedelta(hours=1), from_=FROM_CITED),
        ),
        (Time(best=MORNING), CITED, SaidAt(best=MORNING, latest=EVENING, from_=FROM_CITED)),
        (
            Time(best=EVENING + timedelta(hours=1)),
            CITED,
            SaidAt(best=EVENING + timedelta(hours=1), from_=FROM_CITED),
        ),
        (Time(latest=MORNING), CITED, SaidAt(latest=MORNING)),
        (Time(latest=EVENING + timedelta(hours=1)), CITED, SaidAt(latest=EVENING + timedelta(hours=1))),
        (Time(verbatim="lately"), CITED, SaidAt(verbatim="lately", latest=EVENING, from_=FROM_CITED)),
        (
            on("after", statement_id=S0),
            CITED,
            SaidAt(
                anchor=on("after", statement_id=S0).anchor,
                earliest=SAID.earliest,
                latest=EVENING,
                from_=Origin(statement_id=S0),
            ),
        ),
        (
            on("before", statement_id=S0),
            CITED,
            SaidAt(anchor=on("before", statement_id=S0).anchor, latest=SAID.latest, from_=Origin(statement_id=S0)),
        ),
        (
            on("same-day", document_id=D1, version=2),
            None,
            SaidAt(
                anchor=on("same-day", document_id=D1, version=2).anchor,
                earliest=datetime(2020, 11, 9, tzinfo=UTC),
                latest=datetime(2020, 11, 9, 23, 59, 59, 999999, tzinfo=UTC),
                from_=FROM_CITED,
            ),
        ),
        (
            on("same-day", document_id=D1, version=1),
            UNDATED,
            SaidAt(anchor=on("same-day", document_id=D1, version=1).anchor, from_=Origin(document_id=D1, version=1)),
        ),
    ],
)
def test_when_it_was_said_is_bounded_by_what_it_hangs_on_and_by_what_reports_it(
    said_at: Time | None, citation: Citation | None, stored: SaidAt
) -> None:
    assert when(say(said_at=said_at, citation=citation)).said_at == stored


def test_around_a_time_of_day_never_ends_before_its_best() -> None:
    """A document that came out at 14:20 reports a statement of "around half past two"."""
    out = MORNING.replace(hour=14, minute=20)
    known = replace(KNOWN, published={D1: {2: Bounds(MORNING, out)}})
    anchor = Anchor(relation="same-day", document_id=D1, version=2, time_of_day="14:30")
    said_at = when(say(said_at=Time(anchor=anchor, approximate=True), citation=CITED), known=known).said_at
    assert said_at.earliest <= said_at.best <= said_at.latest


def test_unknown_is_bounded_by_when_it_was_recorded() -> None:
    state = given(when(say()))
    assert state.statements[S1].said == Bounds(None, state.updated_at)
    later = state.updated_at + timedelta(days=1)
    for said_at in (Time(earliest=later), Time(best=later)):
        assert given(when(say(said_at=said_at))).statements[S1].said.latest == later


# ---- correcting ----


def correction(*claims: ClaimInput, remove: tuple[UUID, ...] = (), **set_: Any) -> CorrectStatement:
    return CorrectStatement(
        statement_id=S1,
        error="transcription",
        set=StatementFieldsInput(**set_),
        claims=claims,
        remove_claims=remove,
        reason="misread",
    )


def recorded(*claims: ClaimInput, **more: Any) -> Incident:
    return given(when(say(*claims, **more)))


def test_given_a_statement_when_corrected_then_only_what_changes_is_recorded() -> None:
    state = recorded(verbatim="by mistake", channel="Telegram")
    event = when(correction(speaker=RU, verbatim="by mistake", channel=None), state)
    assert event == StatementCorrected(
        statement_id=S1,
        error="transcription",
        set=StatementFields(speaker=RU, channel=None),
        reason="misread",
    )
    after = fold(record(f"incident:{I1}", event, after=2), state).statements[S1]
    assert (after.speaker, after.verbatim, after.channel) == (RU, "by mistake", None)
    assert [(c.error, c.reason, c.position, c.actor) for c in after.corrections] == [
        ("transcription", "misread", 3, "desk")
    ]


@pytest.mark.parametrize(
    "command",
    [
        correction(),
        correction(speaker=AZ, chain=(Hop(OUT, "reporter"),), verbatim=None, said_at=None, citation=CITED),
        correction(claim()),
        correction(said_at=None),
    ],
)
def test_given_a_statement_when_corrected_to_what_it_is_then_nothing_happens(command: CorrectStatement) -> None:
    state = recorded(chain=(Hop(OUT, "reporter"),), citation=CITED)
    assert decide(command, state, I1, KNOWN) == ()


def test_given_a_statement_when_claims_are_set_added_and_removed_then_the_others_stay() -> None:
    state = recorded(claim(), claim("target", "Mi-24", claim_id=C2))
    event = when(correction(claim(value="rocket"), claim("killed", {"min": 2}, claim_id=C3), remove=(C2,)), state)
    assert [made.claim_id for made in event.claims] == [C1, C3]
    after = fold(record(f"incident:{I1}", event, after=2), state).statements[S1].claims
    assert list(after) == [C1, C3]
    assert bytes(after[C1].value) == b'"rocket"'


def test_given_a_citation_when_it_is_corrected_then_an_unknown_time_is_bounded_by_the_new_one() -> None:
    state = recorded(citation=UNDATED)
    event = when(correction(citation=CITED), state)
    assert event.set == StatementFields(citation=CITED, said_at=SaidAt(latest=EVENING, from_=FROM_CITED))
    state = recorded(citation=CITED)
    assert when(correction(citation=None), state).set == StatementFields(citation=None, said_at=SaidAt())


def test_given_a_stated_time_when_the_citation_is_corrected_then_the_time_stays() -> None:
    state = recorded(citation=UNDATED, said_at=Time(earliest=MORNING, latest=MORNING))
    event = when(correction(citation=replace(UNDATED, locator="last paragraph")), state)
    assert event.set.said_at is UNSET


@pytest.mark.parametrize(
    ("command", "error", "field"),
    [
        (correction(speaker=NOBODY), UnknownReference, "set.speaker"),
        (correction(chain=(Hop(AZ, "relay"),)), Refused, "set.chain[0].source_id"),
        (correction(speaker=OUT, chain=(Hop(OUT, "relay"),)), Refused, "set.chain[0].source_id"),
        (correction(said_at="junk"), Malformed, "set.said_at"),
        (correction(said_at=on("after", statement_id=S1)), Cycle, "set.said_at.anchor.statement_id"),
        (correction(said_at=on("after", statement_id=S0)), Cycle, "set.said_at.anchor.statement_id"),
        (correction(citation=Citation(document_id=D1, version=9)), UnknownReference, "set.citation.version"),
        (correction(claim("colour")), UnknownReference, "claims[0].attribute"),
        (correction(remove=(C1,)), Refused, "remove_claims"),
        (replace(correction(speaker=RU), statement_id=S2), UnknownReference, "statement_id"),
    ],
)
def test_what_a_correction_gets_wrong_is_refused_by_its_field(
    command: CorrectStatement, error: type[StetError], field: str
) -> None:
    known = replace(KNOWN, anchors={S0: S2, S2: S1})
    assert refusal(command, error, recorded(), known) == [field]


def test_given_two_statements_when_a_correction_uses_a_claim_id_of_the_other_then_it_is_taken() -> None:
    (other,) = decide(say(claim(claim_id=C2)), given(), I1, KNOWN, (S2,))
    state = fold(record(f"incident:{I1}", other, after=2), recorded())
    assert refusal(correction(claim(claim_id=C2)), NameTaken, state) == ["claims[0].claim_id"]


def test_anchors_that_form_a_cycle_elsewhere_are_no_endless_loop() -> None:
    known = replace(KNOWN, anchors={S0: S2, S2: S0})
    assert when(correction(said_at=on("after", statement_id=S0)), recorded(), known).set.said_at is not UNSET


def test_when_a_correction_names_a_claim_twice_then_it_is_malformed() -> None:
    for claims, removed in (((claim(), claim()), ()), ((claim(claim_id=C2), claim()), (C1,))):
        with pytest.raises(Malformed) as caught:
            check_correction(correction(*claims, remove=removed))
        assert [bad.field for bad in caught.value.errors] == ["claims[1].claim_id"]
    check_correction(correction(claim(), claim(claim_id=C2), remove=(C3,)))


def test_two_claims_that_a_correction_adds_need_no_ids() -> None:
    check_correction(correction(claim(claim_id=None), claim(claim_id=None)))


def test_when_a_correction_asks_for_nothing_then_it_is_malformed() -> None:
    with pytest.raises(Malformed) as caught:
        check_correction(correction())
    assert [bad.field for bad in caught.value.errors] == ["set"]


# ---- corrections of statements about two incidents ----


def holders() -> dict[UUID, Incident]:
    """A statement with C1 about I1 and C2 about I2."""
    body = say(claim(), claim(claim_id=C2, incident_id=I2))
    return {id_: fold(record(f"incident:{id_}", OPENED, *decide(body, given(), id_, KNOWN, (S1,)))) for id_ in (I1, I2)}


def test_a_correction_is_split_by_where_its_claims_are() -> None:
    new, known = claim(claim_id=C3, incident_id=None), claim(claim_id=C2, incident_id=None)
    parts = split_correction(correction(new, known, remove=(C1,), speaker=RU), holders(), I1)
    assert {id_: part.remove_claims for id_, part in parts.items()} == {I1: (C1,), I2: ()}
    for part in parts.values():
        assert [placed.incident_id for placed in part.claims] == [I1, I2]
        assert part.set.speaker == RU
    (event,) = decide(parts[I2], holders()[I2], I2, KNOWN)
    assert event.claims == ()
    assert event.set.speaker == RU


@pytest.mark.parametrize(
    ("command", "error", "field"),
    [
        (correction(claim(incident_id=I2)), Refused, "claims[0].incident_id"),
        (correction(claim(claim_id=C3, incident_id=NOBODY)), UnknownReference, "claims[0].incident_id"),
        (correction(remove=(C1, C3)), UnknownReference, "remove_claims[1]"),
    ],
)
def test_a_correction_does_not_move_claims_nor_remove_what_is_not_there(
    command: CorrectStatement, error: type[StetError], field: str
) -> None:
    with pytest.raises(StetError) as caught:
        split_correction(command, holders(), I1)
    assert type(caught.value) is error
    assert [bad.field for bad in caught.value.errors] == [field]


# ---- what a statement names, and what hangs on what ----


def test_everything_that_a_statement_names_is_mentioned() -> None:
    body = say(
        claim("responsible", {"source_id": str(RU)}, of=f"document:{D1}", toward=f"incident:{I2}"),
        claim("occurred_at", on("after", statement_id=S0), claim_id=C2, citation=Citation(document_id=C3, version=1)),
        claim("film", {"document_id": str(NOBODY)}, claim_id=C3),
        chain=(Hop(OUT, "reporter"),),
        said_at=on("same-day", document_id=I2, version=1),
        citation=CITED,
    )
    found = mentions(body)
    assert found == Mentions(source={AZ, RU, OUT}, document={D1, C3, NOBODY, I2}, statement={S0}, incident={I1, I2})


@pytest.mark.parametrize(
    "raw", [b'{"source_id": 1}', b'{"anchor": {"relation": "x"}}', b'{"source_id"', b"[1]", b'"{}"', b"{" * 5000]
)
def test_a_value_of_the_wrong_form_mentions_nothing(raw: bytes) -> None:
    assert mentions(say(replace(claim(), value=Raw(raw)))) == Mentions(source={AZ}, incident={I1})


def test_a_stream_holds_its_statements_hangs_on_their_origins_and_names_the_rest() -> None:
    event = when(say(claim("occurred_at", on("after", statement_id=S0)), citation=CITED))
    assert references(event, f"incident:{I1}") == {
        (f"source:{AZ}", "names"),
        (f"document:{D1}", "hangs"),
        (f"statement:{S0}", "hangs"),
        (f"statement:{S1}", "holds"),
    }
    known_time = when(say(claim(), citation=CITED, said_at="2020-11-09"))
    assert (f"document:{D1}", "names") in references(known_time, f"incident:{I1}")
    corrected = when(correction(said_at=on("after", statement_id=S0)), recorded())
    assert references(corrected, f"incident:{I1}") == {(f"statement:{S0}", "hangs")}
    assert references(OPENED, f"incident:{I1}") == set()


def test_a_correction_names_the_publication_that_bounds_the_time_from_then_on() -> None:
    cited = recorded(said_at="2020-11-09", citation=CITED)
    hung = when(correction(said_at=on("after", statement_id=S0)), cited)
    assert {(f"document:{D1}", "hangs"), (f"statement:{S0}", "hangs")} <= references(hung, f"incident:{I1}")


def rederived(state: Incident, origins: set[UUID], known: Known, reason: str) -> tuple[StatementCorrected, ...]:
    return corrections(state, rederive(state, origins, known), reason)


def test_a_statement_hangs_on_its_anchors_and_on_its_citation_where_that_bounds_it() -> None:
    state = recorded(claim("occurred_at", on("after", statement_id=S0)), citation=CITED)
    statement = state.statements[S1]
    assert origins_of(statement) == ({D1}, {S0})
    assert hangs_on(statement, {D1})
    assert hangs_on(statement, {S0})
    assert not hangs_on(statement, {S2})
    assert not hangs_on(recorded(citation=CITED, said_at="2020-11-08").statements[S1], {D1})


def test_given_a_corrected_publication_when_derived_again_then_times_follow_as_events() -> None:
    state = recorded(claim("occurred_at", on("before", document_id=D1, version=2)), citation=CITED)
    later = EVENING + timedelta(days=1)
    known = replace(KNOWN, published={D1: {2: Bounds(MORNING, later)}})
    (event,) = rederived(state, {D1}, known, "dated")
    assert (event.error, event.reason) == ("reference", "dated")
    assert event.set == StatementFields(said_at=SaidAt(latest=later, from_=FROM_CITED))
    assert read_time(event.claims[0].value).latest == later
    after = fold(record(f"incident:{I1}", event, after=2), state)
    assert moved(state, after) == {S1: Bounds(None, later)}
    assert rederived(after, {D1}, known, "dated") == ()


def test_given_statements_that_hang_on_one_another_when_one_moves_then_all_follow() -> None:
    (first,) = decide(say(citation=CITED), given(), I1, KNOWN, (S0,))
    (second,) = decide(say(claim(claim_id=C2), said_at=on("before", statement_id=S0)), given(), I1, KNOWN, (S1,))
    later = EVENING + timedelta(days=1)
    known = replace(KNOWN, published={D1: {2: Bounds(MORNING, later)}}, said={})
    # In the order of recording, and in the other.
    for state in (given(first, second), given(second, first)):
        events = rederived(state, {D1}, known, "dated")
        assert {event.statement_id: event.set.said_at.latest for event in events} == {S0: later, S1: later}


def test_given_a_claim_only_when_derived_again_then_when_it_was_said_stays() -> None:
    state = recorded(claim("occurred_at", on("after", statement_id=S0)), claim(claim_id=C2), said_at="2020-11-08")
    known = replace(KNOWN, said={S0: Bounds(EVENING, None)})
    (event,) = rederived(state, {S0}, known, "moved")
    assert event.set == StatementFields()
    assert [made.claim_id for made in event.claims] == [C1]
    assert moved(state, fold(record(f"incident:{I1}", event, after=2), state)) == {}


def test_given_an_origin_that_changes_nothing_when_derived_again_then_nothing_happens() -> None:
    assert rederived(recorded(citation=CITED), {D1, S0}, KNOWN, "r") == ()
    assert isinstance(when(say()), StatementRecorded)
