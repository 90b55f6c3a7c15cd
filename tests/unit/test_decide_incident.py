"""What commands on an incident lead to: opening, amending, its status, its links."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from msgspec import UNSET
from tests.strategies import json, uuid
from tests.unit.recording import record

from stet.errors import Malformed, NameTaken, NotFound, Refused, StetError, UnknownReference
from stet.incident.claim import Citation, Claim, SaidAt
from stet.incident.commands import (
    AmendIncident,
    ChangeStatus,
    ClaimInput,
    CorrectStatement,
    IncidentRevision,
    LinkIncident,
    OpenIncident,
    RecordStatement,
    UnlinkIncident,
)
from stet.incident.decide import decide
from stet.incident.events import IncidentAmended, IncidentOpened, IncidentStatusChanged, StatementRecorded
from stet.incident.known import Known
from stet.incident.links import IncidentLinked, IncidentUnlinked
from stet.incident.state import Incident, Link, fold, initial
from stet.ledger.attributes import BUILT_IN

I1, I2, I3, AZ, S1, S2, C1, C2 = (uuid(n) for n in range(1, 9))
KNOWN = Known(attributes=BUILT_IN, sources=frozenset({AZ}), incidents=frozenset({I2, I3}))
OPENED = IncidentOpened(title="Mi-24 shot down", kind="shootdown", tags=("air",))


def given(*events: object) -> Incident:
    return fold(record(f"incident:{I1}", *events))


def when(command: OpenIncident | RecordStatement | IncidentRevision, state: Incident, *ids: UUID) -> tuple[Any, ...]:
    return decide(command, state, I1, KNOWN, ids)


def refusal(command: Any, state: Incident, error: type[StetError], *ids: UUID) -> list[str]:
    with pytest.raises(StetError) as caught:
        when(command, state, *ids)
    assert type(caught.value) is error
    return [bad.field for bad in caught.value.errors]


def weapon(claim_id: UUID, incident_id: UUID = I1) -> ClaimInput:
    return ClaimInput(claim_id=claim_id, incident_id=incident_id, attribute="weapon", value=json("missile"))


# ---- opening ----


def test_given_nothing_when_opened_then_there_is_an_incident() -> None:
    command = OpenIncident(title="Mi-24 shot down", kind="shootdown", tags=("air", "air"))
    assert when(command, initial) == (OPENED,)
    state = given(OPENED)
    assert (state.incident_id, state.status, state.version) == (I1, "open", 1)


def test_given_nothing_when_opened_with_statements_then_they_follow_in_order() -> None:
    bodies = (RecordStatement(speaker=AZ, claims=(weapon(C1),)), RecordStatement(speaker=AZ, claims=(weapon(C2),)))
    command = OpenIncident(title="Mi-24 shot down", kind="shootdown", statements=bodies)
    opened, *recorded = when(command, initial, S1, S2)
    assert type(opened) is IncidentOpened
    claim = Claim(claim_id=C1, attribute="weapon", type_="text", value=json("missile"))
    assert recorded[0] == StatementRecorded(
        statement_id=S1, incidents=(I1,), speaker=AZ, said_at=SaidAt(), claims=(claim,)
    )
    assert recorded[1].statement_id == S2


def test_when_two_statements_of_an_opening_use_one_claim_id_then_it_is_malformed() -> None:
    body = RecordStatement(speaker=AZ, claims=(weapon(C1),))
    command = OpenIncident(title="It", kind="shootdown", statements=(body, body))
    assert refusal(command, initial, Malformed, S1, S2) == ["statements[1].claims"]


def test_when_a_statement_of_an_opening_is_refused_then_its_field_is_named_from_the_root() -> None:
    good, bad = (RecordStatement(speaker=id_, claims=(weapon(C1),)) for id_ in (AZ, I1))
    command = OpenIncident(title="It", kind="shootdown", statements=(good, bad))
    assert refusal(command, initial, UnknownReference, S1, S2) == ["statements[1].speaker"]
    bad = RecordStatement(speaker=AZ, citation=Citation(document_id=I1, version=1), claims=(weapon(C1),))
    command = OpenIncident(title="It", kind="shootdown", statements=(good, bad))
    assert refusal(command, initial, UnknownReference, S1, S2) == ["statements[1].citation.document_id"]


# ---- the header ----

BODY = RecordStatement(speaker=AZ, claims=(weapon(C1),))


@pytest.mark.parametrize(
    "command",
    [
        BODY,
        AmendIncident(title="X", reason="r"),
        ChangeStatus(status="closed", reason="r"),
        LinkIncident(incident_id=I2, relation="follows", reason="r"),
        UnlinkIncident(incident_id=I2, relation="follows", reason="r"),
        CorrectStatement(statement_id=S1, error="time", reason="r"),
    ],
)
def test_given_nothing_when_revised_then_it_is_not_found(command: Any) -> None:
    assert refusal(command, initial, NotFound, S1) == []


def test_given_an_incident_when_amended_then_only_what_changes_is_recorded() -> None:
    command = AmendIncident(title="Mi-24 shot down", kind="crash", tags=("air", "air"), reason="unclear yet")
    assert when(command, given(OPENED)) == (IncidentAmended(kind="crash", reason="unclear yet"),)
    command = AmendIncident(title="Downed", tags=("b", "a", "b"), reason="r")
    assert when(command, given(OPENED)) == (IncidentAmended(title="Downed", tags=("b", "a"), reason="r"),)
    after = given(OPENED, *when(command, given(OPENED)))
    assert (after.title, after.kind, after.tags) == ("Downed", "shootdown", ("b", "a"))


def test_given_an_incident_when_its_tags_are_taken_away_then_it_has_none() -> None:
    (event,) = when(AmendIncident(tags=(), reason="r"), given(OPENED))
    assert event.title is UNSET
    assert given(OPENED, event).tags == ()


def test_given_an_incident_when_amended_to_what_it_is_then_nothing_happens() -> None:
    command = AmendIncident(title="Mi-24 shot down", kind="shootdown", tags=("air",), reason="r")
    assert when(command, given(OPENED)) == ()


def test_given_an_incident_when_an_amendment_gives_nothing_then_it_is_malformed() -> None:
    assert refusal(AmendIncident(reason="r"), given(OPENED), Malformed) == ["title"]


def test_given_an_incident_when_its_status_changes_then_that_is_recorded_once() -> None:
    closed = IncidentStatusChanged(status="closed", reason="over")
    assert when(ChangeStatus(status="open", reason="r"), given(OPENED)) == ()
    assert when(ChangeStatus(status="closed", reason="over"), given(OPENED)) == (closed,)
    assert when(ChangeStatus(status="closed", reason="again"), given(OPENED, closed)) == ()
    assert given(OPENED, closed, IncidentStatusChanged(status="open", reason="not over")).status == "open"


def test_given_a_withdrawn_incident_when_a_statement_is_recorded_then_it_is_refused() -> None:
    withdrawn = IncidentStatusChanged(status="withdrawn", reason="a hoax")
    assert refusal(BODY, given(OPENED, withdrawn), Refused, S1) == []
    closed = IncidentStatusChanged(status="closed", reason="over")
    assert len(when(BODY, given(OPENED, withdrawn, closed), S1)) == 1


# ---- links ----


def test_given_two_incidents_when_linked_then_that_is_recorded_once() -> None:
    command = LinkIncident(incident_id=I2, relation="follows", reason="r")
    linked = IncidentLinked(incident_id=I2, relation="follows", reason="r")
    assert when(command, given(OPENED)) == (linked,)
    assert when(command, given(OPENED, linked)) == ()
    assert given(OPENED, linked).links == (Link(I2, "follows"),)


def test_given_a_link_when_the_relation_differs_then_it_is_another() -> None:
    linked = IncidentLinked(incident_id=I2, relation="follows", reason="r")
    (event,) = when(LinkIncident(incident_id=I2, relation="causes", reason="r"), given(OPENED, linked))
    assert given(OPENED, linked, event).links == (Link(I2, "follows"), Link(I2, "causes"))


def test_when_an_incident_would_be_linked_to_itself_then_it_is_refused() -> None:
    command = LinkIncident(incident_id=I1, relation="follows", reason="r")
    assert refusal(command, given(OPENED), Refused) == ["incident_id"]


def test_when_an_incident_would_be_linked_to_an_unknown_one_then_the_reference_is_refused() -> None:
    command = LinkIncident(incident_id=S1, relation="follows", reason="r")
    assert refusal(command, given(OPENED), UnknownReference) == ["incident_id"]


def test_given_a_link_when_taken_back_then_only_it_is_gone() -> None:
    links = [IncidentLinked(incident_id=id_, relation="follows", reason="r") for id_ in (I2, I3)]
    command = UnlinkIncident(incident_id=I2, relation="follows", reason="wrong")
    unlinked = IncidentUnlinked(incident_id=I2, relation="follows", reason="wrong")
    assert when(command, given(OPENED, *links)) == (unlinked,)
    assert given(OPENED, *links, unlinked).links == (Link(I3, "follows"),)


def test_given_no_such_link_when_taken_back_then_the_reference_is_refused() -> None:
    linked = IncidentLinked(incident_id=I2, relation="follows", reason="r")
    for command in (
        UnlinkIncident(incident_id=I3, relation="follows", reason="r"),
        UnlinkIncident(incident_id=I2, relation="causes", reason="r"),
    ):
        assert refusal(command, given(OPENED, linked), UnknownReference) == ["incident_id"]


def test_given_a_statement_when_its_claim_id_is_used_again_then_it_is_taken() -> None:
    (recorded,) = when(BODY, given(OPENED), S1)
    assert refusal(BODY, given(OPENED, recorded), NameTaken, S2) == ["claims[0].claim_id"]
