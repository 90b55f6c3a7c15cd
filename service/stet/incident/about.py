"""What an event of an incident is about, and why the desk did it."""

from __future__ import annotations

from uuid import UUID

from stet.incident.events import (
    AttributePinned,
    IncidentEvent,
    StatementAccepted,
    StatementAssessed,
    StatementMovedIn,
    StatementProposed,
    StatementRetracted,
)


def statement_of(event: IncidentEvent) -> UUID | None:
    """The statement that an event records or revises, if it is about one. A retraction is its own statement."""
    match event:
        case StatementRetracted(retraction_id=id_):
            return id_
        case StatementMovedIn(statement=statement):
            return statement.statement_id
        case StatementProposed(statement=recorded) | StatementAccepted(statement=recorded):
            return recorded.statement_id
        case _:
            return getattr(event, "statement_id", None)


def reason_of(event: IncidentEvent) -> str | None:
    """Why the desk did it; None for what only records."""
    match event:
        case StatementAssessed(rationale=why) | AttributePinned(rationale=why):
            return why
        case _:
            return getattr(event, "reason", None)
