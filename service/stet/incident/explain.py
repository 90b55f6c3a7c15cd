"""Why an attribute has the value that it has: the rule, each candidate, what was dropped, which step decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Raw, Struct, field

from stet.envelope import Cut
from stet.incident.claim import Act, Certainty, Claim, SaidAt, Scope
from stet.incident.live import Dropped, retractions
from stet.incident.resolve import Resolved, Verdict, groups, judge
from stet.incident.rules import Voice, by_value, speakers_behind
from stet.incident.state import Incident
from stet.incident.statement import Assessed, Statement
from stet.incident.view import HopView, Names, SpeakerView, chain_view, said_at_view, speaker_view
from stet.ledger.attributes import Attribute
from stet.values.value import AttributeType


class HeardClaim(Struct, frozen=True, kw_only=True):
    """A claim with what bears on its weight."""

    claim_id: UUID
    statement_id: UUID
    speaker: SpeakerView
    speaker_unknown: bool
    chain: tuple[HopView, ...]
    said_at: SaidAt
    act: Act
    scope: Scope
    certainty: Certainty
    value: Raw
    assessed: Assessed


class DroppedClaim(HeardClaim, frozen=True, kw_only=True):
    why: Dropped


class Candidate(Struct, frozen=True, kw_only=True):
    """One value that was claimed, and who stands behind it."""

    value: Raw
    speakers: int
    claims: tuple[HeardClaim, ...]


class Explained(Struct, frozen=True, kw_only=True):
    """One (attribute, of)."""

    result: Resolved
    decided_by: str
    """The step that decided."""
    candidates: tuple[Candidate, ...]
    denials: tuple[HeardClaim, ...]
    implied: tuple[HeardClaim, ...]
    dropped: tuple[DroppedClaim, ...]


class Explanation(Struct, frozen=True, kw_only=True):
    """An attribute of an incident at a cut; nothing in `items`: no claim has been made on it."""

    incident_id: UUID
    version: int
    attribute: str
    type_: AttributeType = field(name="type")
    items: tuple[Explained, ...]
    cut: Cut


def explain(state: Incident, attribute: Attribute, of: str | None, names: Names, cut: Cut) -> Explanation:
    """How the attribute was resolved, for each thing that it is `of`, or for one. said_by is applied already."""
    assert state.incident_id
    retracted = retractions(state)
    items = tuple(
        _explained(judge(group, state, retracted), group.claims, names)
        for (name, its_of), group in groups(state).items()
        if name == attribute.name and of in (None, its_of)
    )
    return Explanation(
        incident_id=state.incident_id,
        version=state.version,
        attribute=attribute.name,
        type_=attribute.type_,
        items=items,
        cut=cut,
    )


def _explained(verdict: Verdict, claims: Sequence[Voice], names: Names) -> Explained:
    heard = verdict.heard
    return Explained(
        result=verdict.resolved,
        decided_by=verdict.step,
        candidates=tuple(
            Candidate(
                value=voices[0].claim.value,
                speakers=speakers_behind(voices),
                claims=tuple(_heard(one.claim, one.statement, names) for one in voices),
            )
            for voices in by_value(heard.affirming).values()
        ),
        denials=tuple(_heard(one.claim, one.statement, names) for one in heard.denying),
        implied=tuple(_heard(one.claim, one.statement, names) for one in heard.implied),
        dropped=tuple(
            DroppedClaim(**_fields(claim, said, names), why=heard.dropped[claim.claim_id])
            for claim, said, *_ in claims
            if claim.claim_id in heard.dropped
        ),
    )


def _heard(claim: Claim, said: Statement, names: Names) -> HeardClaim:
    return HeardClaim(**_fields(claim, said, names))


def _fields(claim: Claim, said: Statement, names: Names) -> dict[str, Any]:
    return {
        "claim_id": claim.claim_id,
        "statement_id": said.statement_id,
        "speaker": speaker_view(said, names),
        "speaker_unknown": said.speaker_unknown,
        "chain": chain_view(said, names),
        "said_at": said_at_view(said),
        "act": claim.act,
        "scope": claim.scope,
        "certainty": claim.certainty,
        "value": claim.value,
        "assessed": said.assessed(claim.claim_id),
    }
