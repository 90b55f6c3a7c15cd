"""What is held of an incident, worked out from its events by plain loops: slow, and written apart from the service.

It is the text of the design, sections 2 to 4, and nothing else: no state is kept between two questions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET
from tests.property.oracle_claims import ASSESSED, RESOLVING, Key, Said, Spoken, assessed
from tests.property.oracle_rules import settled

from stet.envelope import Recorded
from stet.incident.events import (
    AttributePinned,
    AttributeUnpinned,
    StatementAccepted,
    StatementAssessed,
    StatementCorrected,
    StatementMovedIn,
    StatementMovedOut,
    StatementRecorded,
    StatementReinstated,
    StatementRetracted,
    StatementSuperseded,
    StatementWithdrawn,
)


@dataclass
class Told:
    """All that the events told: the statements, and the pins that hold."""

    statements: dict[UUID, Said] = field(default_factory=dict)
    pins: dict[Key, AttributePinned] = field(default_factory=dict)


# ---- what was told ----


def retell(events: Iterable[Recorded[Any]]) -> Told:
    """The statements and pins after the events of one incident's stream."""
    told = Told()
    for recorded in events:
        _hear(told, recorded, UUID(recorded.stream.partition(":")[2]))
    return told


def _hear(told: Told, recorded: Recorded[Any], incident_id: UUID) -> None:  # noqa: C901
    """One more event."""
    event, statements = recorded.event, told.statements
    match event:
        case StatementRecorded():
            statements[event.statement_id] = _said(event, event.statement_id, recorded)
            statements[event.statement_id].claims = {claim.claim_id: claim for claim in event.claims}
        case StatementAccepted(statement=accepted):
            statements[accepted.statement_id] = _said(accepted, accepted.statement_id, event.proposed)
            statements[accepted.statement_id].claims = {claim.claim_id: claim for claim in accepted.claims}
        case StatementRetracted():
            statements[event.retraction_id] = _said(event, event.retraction_id, recorded)
            statements[event.retraction_id].retracts = (event.statement_id, event.claim_ids)
        case StatementCorrected():
            said = statements[event.statement_id]
            for name in ("speaker", "speaker_unknown", "said_at"):
                if getattr(event.set, name) is not UNSET:
                    setattr(said, name, getattr(event.set, name))
            if event.set.chain is not UNSET:
                said.chain = [hop.source_id for hop in event.set.chain]
            for claim in event.claims:
                said.claims[claim.claim_id] = claim
            for claim_id in event.remove_claims:
                del said.claims[claim_id]
        case StatementSuperseded():
            statements[event.statement_id].superseded_by.append(event.superseded_by)
        case StatementWithdrawn() | StatementReinstated():
            statements[event.statement_id].withdrawn = isinstance(event, StatementWithdrawn)
        case StatementAssessed():
            statements[event.statement_id].assessments.append((event.claim_ids, _judged(event)))
        case StatementMovedOut():
            if event.from_incident == incident_id:
                del statements[event.statement_id]
            else:
                incidents = statements[event.statement_id].incidents
                incidents.discard(event.from_incident)
                incidents.add(event.to_incident)
        case StatementMovedIn(statement=moved):
            said = _said(moved, moved.statement_id, moved)
            said.claims = dict(moved.claims)
            said.retracts = moved.retracts and (moved.retracts.statement_id, moved.retracts.claim_ids)
            said.superseded_by = [by.superseded_by for by in moved.superseded]
            said.withdrawn = moved.withdrawn is not None
            said.assessments = [(assessment.claim_ids, _judged(assessment)) for assessment in moved.assessments]
            statements[moved.statement_id] = said
        case AttributePinned():
            told.pins[event.attribute, event.of] = event
        case AttributeUnpinned():
            del told.pins[event.attribute, event.of]


def _said(event: Any, statement_id: UUID, recorded: Any) -> Said:
    return Said(
        statement_id=statement_id,
        position=recorded.position,
        recorded_at=recorded.recorded_at,
        incidents=set(event.incidents),
        speaker=event.speaker,
        speaker_unknown=event.speaker_unknown,
        chain=[hop.source_id for hop in event.chain],
        said_at=event.said_at,
    )


def _judged(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in ASSESSED if getattr(event, name) is not UNSET}


# ---- the cut by what was said, and what is live in it ----


def kept(told: Told, said_by: datetime | None = None, match: str | None = "definite") -> Told:
    """What had been said by an instant: for certain, or possibly. The pins stay: whether they speak is seen later."""
    statements = {}
    for id_, said in told.statements.items():
        if match == "possible":
            early_enough = said_by is None or said.said_at.earliest is None or said.said_at.earliest <= said_by
        else:
            early_enough = said_by is None or said.latest <= said_by
        if early_enough:
            statements[id_] = said
    return replace(told, statements=statements)


def why_not_live(now: Told, spoken: Spoken) -> str | None:
    """Why a claim does not count at all; None for a live one."""
    said, claim_id = spoken.said, spoken.claim.claim_id
    if said.withdrawn:
        return "withdrawn"
    for other in now.statements.values():
        if other.retracts and other.retracts[0] == said.statement_id and not other.withdrawn:
            covers = not other.retracts[1] or claim_id in other.retracts[1]
            if covers and other.speaker == said.speaker:
                return "retracted"
    for newer_id in said.superseded_by:
        newer = now.statements.get(newer_id)
        if newer is not None and not newer.withdrawn and newer.speaker == said.speaker:
            return "superseded"
    verification = assessed(spoken)["verification"]
    return verification if verification in ("false", "discounted") else None


def reactions(told: Told, said_by: datetime | None = None, match: str | None = "definite") -> set[UUID]:
    """The live claims that never resolve anything."""
    now, found = kept(told, said_by, match), set()
    for said in now.statements.values():
        for claim_id, claim in said.claims.items():
            if claim.act not in RESOLVING and why_not_live(now, Spoken(said, claim)) is None:
                found.add(claim_id)
    return found


def resolved(told: Told, said_by: datetime | None = None, match: str | None = "definite") -> dict[Key, dict[str, Any]]:
    """What is held of every attribute that anything live, or a pin, speaks of."""
    now = kept(told, said_by, match)
    groups: dict[Key, list[Spoken]] = {}
    pins: dict[Key, AttributePinned] = {}
    for said in now.statements.values():
        for claim in said.claims.values():
            if claim.act in RESOLVING and claim.attribute and why_not_live(now, Spoken(said, claim)) is None:
                groups.setdefault((claim.attribute, claim.of), []).append(Spoken(said, claim))
    for key, pin in now.pins.items():
        if any(cited in now.statements for cited in pin.cites):
            groups.setdefault(key, [])
            pins[key] = pin
    return {key: settled(claims, pins.get(key)) for key, claims in sorted(groups.items(), key=_listed)}


def _listed(group: tuple[Key, Any]) -> tuple[str, str]:
    (attribute, of), _ = group
    return attribute, of or ""
