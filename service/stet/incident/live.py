"""Which claims are live at a cut, and why the others are not (step 1 of docs/resolution.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from stet.incident.state import Incident
from stet.incident.statement import Statement

Dropped = Literal["withdrawn", "retracted", "superseded", "false", "discounted", "older", "purported"]
"""Why a claim does not count."""
NOT_LIVE: frozenset[Dropped | None] = frozenset({"withdrawn", "retracted", "superseded", "false", "discounted"})
"""The reasons that make a claim not live; the others come from the rules."""


def retractions(state: Incident) -> dict[UUID, list[Statement]]:
    """For each statement the retractions of it that stand: its speaker's own, and not withdrawn by the desk."""
    found: dict[UUID, list[Statement]] = {}
    for said in state.statements.values():
        if said.retracts and not said.withdrawn:
            taken_back = state.statements.get(said.retracts.statement_id)
            if taken_back and taken_back.speaker == said.speaker:
                found.setdefault(taken_back.statement_id, []).append(said)
    return found


def superseding(statement: Statement, state: Incident) -> tuple[UUID, ...]:
    """The statements that take its place: its speaker's own, and not withdrawn by the desk."""
    newer = (state.statements.get(supersession.superseded_by) for supersession in statement.superseded)
    return tuple(n.statement_id for n in newer if n and not n.withdrawn and n.speaker == statement.speaker)


def why_dropped(
    statement: Statement, claim_id: UUID, state: Incident, retracted: Mapping[UUID, list[Statement]]
) -> Dropped | None:
    """Why a claim of the statement is not live; None: it is. `retracted` is what `retractions` gives."""
    if statement.withdrawn:
        return "withdrawn"
    for retraction in retracted.get(statement.statement_id, ()):
        assert retraction.retracts
        if not retraction.retracts.claim_ids or claim_id in retraction.retracts.claim_ids:
            return "retracted"
    if statement.superseded and superseding(statement, state):
        return "superseded"
    match statement.assessed(claim_id).verification:
        case "false" | "discounted" as judged:
            return judged
    return None
