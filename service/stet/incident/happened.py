"""What events make of one statement."""

from __future__ import annotations

from typing import Any, assert_never

from msgspec import UNSET
from msgspec.structs import asdict, replace

from stet.envelope import Recorded
from stet.incident.events import (
    IncidentEvent,
    StatementAssessed,
    StatementCorrected,
    StatementMovedIn,
    StatementMovedOut,
    StatementRecorded,
    StatementReinstated,
    StatementRetracted,
    StatementRevision,
    StatementSuperseded,
    StatementWithdrawn,
)
from stet.incident.statement import Assessment, Correction, Proposed, Retracts, Statement, Supersession, Withdrawal


def said(event: StatementRecorded | StatementRetracted, recorded: Recorded[IncidentEvent] | Proposed) -> Statement:
    retraction = event if isinstance(event, StatementRetracted) else None
    return Statement(
        statement_id=retraction.retraction_id if retraction else event.statement_id,
        position=recorded.position,
        recorded_at=recorded.recorded_at,
        incidents=event.incidents,
        speaker=event.speaker,
        speaker_unknown=event.speaker_unknown,
        chain=event.chain,
        channel=event.channel,
        said_at=event.said_at,
        verbatim=event.verbatim,
        language=event.language,
        citation=event.citation,
        record=event.record,
        claims={} if isinstance(event, StatementRetracted) else {claim.claim_id: claim for claim in event.claims},
        retracts=Retracts(statement_id=event.statement_id, claim_ids=retraction.claim_ids) if retraction else None,
    )


def revised(
    statement: Statement,
    event: StatementRevision,
    recorded: Recorded[IncidentEvent],
) -> Statement:
    match event:
        case StatementCorrected():
            return _corrected(statement, event, recorded)
        case StatementSuperseded(superseded_by=newer, reason=reason):
            made = Supersession(superseded_by=newer, reason=reason, **by(recorded))
            return replace(statement, superseded=(*statement.superseded, made))
        case StatementWithdrawn(ground=ground, reason=reason):
            return replace(statement, withdrawn=Withdrawal(ground=ground, reason=reason, **by(recorded)))
        case StatementReinstated():
            return replace(statement, withdrawn=None)
        case StatementAssessed():
            fields = asdict(event)
            del fields["statement_id"]
            return replace(statement, assessments=(*statement.assessments, Assessment(**fields, **by(recorded))))
        case StatementMovedOut(from_incident=left, to_incident=entered):
            incidents = tuple(dict.fromkeys(entered if id_ == left else id_ for id_ in statement.incidents))
            return replace(statement, incidents=incidents)
        case StatementMovedIn() | StatementRetracted():
            raise AssertionError("these make a statement")
        case _ as never:
            assert_never(never)


def _corrected(statement: Statement, event: StatementCorrected, recorded: Recorded[IncidentEvent]) -> Statement:
    claims = statement.claims
    if event.claims or event.remove_claims:
        claims = claims | {claim.claim_id: claim for claim in event.claims}
        claims = {claim_id: claim for claim_id, claim in claims.items() if claim_id not in event.remove_claims}
    correction = Correction(
        position=recorded.position,
        recorded_at=recorded.recorded_at,
        actor=recorded.actor,
        error=event.error,
        reason=event.reason,
        causation_id=recorded.causation_id,
    )
    given = {name: value for name, value in asdict(event.set).items() if value is not UNSET}
    return replace(statement, claims=claims, corrections=(*statement.corrections, correction), **given)


def by(recorded: Recorded[IncidentEvent]) -> dict[str, Any]:
    return {"position": recorded.position, "recorded_at": recorded.recorded_at, "actor": recorded.actor}
