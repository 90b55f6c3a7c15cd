"""Contributors' drafts: statements that are held until the desk takes them, or does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from stet.errors import NameTaken, Refused, UnknownReference
from stet.incident.commands import AcceptStatement, RejectStatement
from stet.incident.events import (
    IncidentEvent,
    StatementAccepted,
    StatementProposed,
    StatementRecorded,
    StatementRejected,
    StatementSuperseded,
)
from stet.incident.revise import supersede
from stet.incident.state import Incident, Proposal

_WHY = "it was proposed as taking the place of this one"


class Review(Struct, frozen=True, kw_only=True):
    """Where a statement that was proposed stands."""

    status: Literal["pending", "rejected"]
    proposed_by: str
    reason: str | None
    """Why it was rejected."""


def held(events: Iterable[Any]) -> tuple[Any, ...]:
    """The same events, but statements are only proposed, and supersede nothing yet."""
    found: list[Any] = []
    for event in events:
        match event:
            case StatementRecorded():
                found.append(StatementProposed(statement=event))
            case StatementSuperseded(statement_id=older):
                at = max(n for n, one in enumerate(found) if isinstance(one, StatementProposed))
                found[at] = StatementProposed(statement=found[at].statement, supersedes=older)
            case _:
                found.append(event)
    return tuple(found)


def review(
    command: AcceptStatement | RejectStatement, state: Incident, speaker: UUID | None = None
) -> tuple[IncidentEvent, ...]:
    """The events in one of the incidents that a proposed statement is about; () = it was done before.

    `speaker` is who its speaker is by now, if he was merged into another source.
    """
    id_, accepting = command.statement_id, isinstance(command, AcceptStatement)
    proposal = state.proposals.get(id_)
    if proposal is None and id_ not in state.statements:
        raise UnknownReference.at("statement_id", f"the incident has no proposed statement {id_}")
    if proposal is None:
        if accepting:
            return ()
        raise Refused.at("statement_id", "is a statement of the incident: withdraw it")
    if not accepting:
        return () if proposal.rejected else (StatementRejected(statement_id=id_, reason=command.reason),)
    if proposal.rejected:
        raise Refused.at("statement_id", "was rejected: it has to be proposed again")
    if state.status == "withdrawn":
        raise Refused("the incident is withdrawn: reopen it before accepting statements about it")
    _require_free(proposal, state)
    accepted = StatementAccepted(statement=proposal.recorded, proposed=proposal.proposed, reason=command.reason)
    if proposal.supersedes is None:
        return (accepted,)
    speaker = speaker or proposal.recorded.speaker
    return (accepted, *supersede(state, proposal.supersedes, id_, speaker, _WHY, "statement_id"))


def incidents_of(state: Incident, statement_id: UUID) -> tuple[UUID, ...]:
    """The incidents that a proposed or an accepted statement is about."""
    if proposal := state.proposals.get(statement_id):
        return proposal.recorded.incidents
    return state.statements[statement_id].incidents if statement_id in state.statements else ()


def _require_free(proposal: Proposal, state: Incident) -> None:
    taken = {claim_id for statement in state.statements.values() for claim_id in statement.claims}
    if clash := taken & proposal.statement.claims.keys():
        raise NameTaken.at("statement_id", f"has a claim {min(clash)}, which is one of another statement by now")
