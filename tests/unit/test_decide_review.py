"""Contributors' drafts: proposed, accepted, rejected."""

from __future__ import annotations

from typing import Any

import pytest
from tests.strategies import json, uuid
from tests.unit.recording import record

from stet.document.events import VisibilityChanged
from stet.errors import NameTaken, Refused, UnknownReference
from stet.incident.claim import Claim, SaidAt
from stet.incident.commands import AcceptStatement, RejectStatement
from stet.incident.events import (
    IncidentOpened,
    IncidentStatusChanged,
    StatementAccepted,
    StatementProposed,
    StatementRecorded,
    StatementRejected,
    StatementSuperseded,
)
from stet.incident.resolve import resolve
from stet.incident.review import held, review
from stet.incident.state import Incident, fold
from stet.incident.visibility import shown
from stet.values.visibility import Visibility

I1, AZ, S1, S2, C1, C2 = (uuid(n) for n in range(1, 7))
STREAM = f"incident:{I1}"
ACCEPT = AcceptStatement(statement_id=S1, reason="checked")
REJECT = RejectStatement(statement_id=S1, reason="not what was said")


def said(statement_id: Any = S1, claim_id: Any = C1, killed: int = 2) -> StatementRecorded:
    claim = Claim(claim_id=claim_id, attribute="killed", type_="count", value=json({"min": killed}))
    return StatementRecorded(statement_id=statement_id, incidents=(I1,), speaker=AZ, said_at=SaidAt(), claims=(claim,))


OPENED = IncidentOpened(title="It", kind="shootdown")
PROPOSED = StatementProposed(statement=said())


def given(*events: Any) -> Incident:
    return fold(record(STREAM, OPENED, *events))


def test_what_is_held_is_proposed_and_supersedes_nothing_yet() -> None:
    newer = StatementSuperseded(statement_id=S2, superseded_by=S1, reason="newer")
    assert held((OPENED, said(), newer)) == (OPENED, StatementProposed(statement=said(), supersedes=S2))
    label = VisibilityChanged(statement_id=S1, visibility=Visibility(label="red"), reason="asked for")
    assert held((said(), label, newer)) == (StatementProposed(statement=said(), supersedes=S2), label)


def test_a_proposal_is_no_statement_and_resolves_nothing() -> None:
    state = given(PROPOSED)
    assert not state.statements
    assert list(state.proposals) == [S1]
    assert resolve(state) == ()


def test_an_accepted_statement_is_as_it_was_proposed_and_recorded_when_it_was() -> None:
    state = given(PROPOSED, said(S2, C2, 3))
    (accepted,) = review(ACCEPT, state)
    assert isinstance(accepted, StatementAccepted)
    assert accepted.statement == said()
    events = record(STREAM, OPENED, PROPOSED, said(S2, C2, 3), accepted)
    after = fold(events)
    assert not after.proposals
    assert list(after.statements) == [S1, S2], "in the order of recording"
    assert after.statements[S1].recorded_at == events[1].recorded_at
    assert after.statements[S1].position == events[1].position


def test_the_public_sees_no_proposal_and_an_accepted_one_from_its_acceptance_on() -> None:
    (accepted,) = review(ACCEPT, given(PROPOSED))
    events = record(STREAM, OPENED, PROPOSED, accepted)
    public = shown(STREAM, events, "public")
    assert [one.event for one in public] == [OPENED, accepted]
    assert fold(public).statements == fold(events).statements
    rejected = record(STREAM, OPENED, PROPOSED, StatementRejected(statement_id=S1, reason="no"))
    assert [one.event for one in shown(STREAM, rejected, "public")] == [OPENED]
    assert shown(STREAM, rejected, "member") == rejected


def test_an_accepted_statement_supersedes_what_it_was_proposed_to() -> None:
    state = given(said(S2, C2), StatementProposed(statement=said(), supersedes=S2))
    _, superseded = review(ACCEPT, state)
    assert isinstance(superseded, StatementSuperseded)
    assert (superseded.statement_id, superseded.superseded_by) == (S2, S1)


def test_what_was_done_is_not_done_again() -> None:
    accepted = review(ACCEPT, given(PROPOSED))
    assert review(ACCEPT, given(PROPOSED, *accepted)) == ()
    rejected = review(REJECT, given(PROPOSED))
    assert rejected == (StatementRejected(statement_id=S1, reason=REJECT.reason),)
    assert review(REJECT, given(PROPOSED, *rejected)) == ()


def test_what_cannot_be_reviewed_is_refused() -> None:
    rejected = StatementRejected(statement_id=S1, reason="no")
    withdrawn = IncidentStatusChanged(status="withdrawn", reason="twice")
    with pytest.raises(UnknownReference, match="no proposed statement"):
        review(ACCEPT, given())
    with pytest.raises(Refused, match="rejected"):
        review(ACCEPT, given(PROPOSED, rejected))
    with pytest.raises(Refused, match="withdraw it"):
        review(REJECT, given(PROPOSED, *review(ACCEPT, given(PROPOSED))))
    with pytest.raises(Refused, match="reopen"):
        review(ACCEPT, given(PROPOSED, withdrawn))
    with pytest.raises(NameTaken, match=str(C1)):
        review(ACCEPT, given(PROPOSED, said(S2, C1)))
