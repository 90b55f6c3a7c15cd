"""An incident along one of its three times: when it happened, when it was said, when it was recorded."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from stet.envelope import Cut, Recorded
from stet.incident.about import reason_of, statement_of
from stet.incident.claim import Act, SaidAt
from stet.incident.events import IncidentEvent
from stet.incident.live import Dropped, retractions, why_dropped
from stet.incident.state import Incident
from stet.incident.statement import Statement
from stet.incident.view import Names, SpeakerView, said_at_view, speaker_view
from stet.values.time import Bounds, Time
from stet.values.value import read_time

Axis = Literal["occurred", "said", "recorded"]
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)


class Entry(Struct, frozen=True, kw_only=True):
    """One thing on the timeline. Which fields are set depends on the axis."""

    position: int
    recorded_at: datetime
    type: str | None = None
    """recorded: the type of the event."""
    actor: str | None = None
    reason: str | None = None
    statement_id: UUID | None = None
    speaker: SpeakerView | None = None
    said_at: SaidAt | None = None
    acts: tuple[Act, ...] = ()
    attributes: tuple[str, ...] = ()
    claim_id: UUID | None = None
    """occurred: the claim that gives the time."""
    of: str | None = None
    time: Time | None = None
    """occurred: the time as claimed."""
    dropped: Dropped | None = None
    """occurred: why the claim is not live; null: it is."""
    retracts: UUID | None = None
    """said: the statement that this one takes back."""


class Timeline(Struct, frozen=True, kw_only=True):
    incident_id: UUID
    version: int
    axis: Axis
    items: tuple[Entry, ...]
    cut: Cut


def recorded_axis(
    events: Iterable[Recorded[IncidentEvent]], state: Incident, hidden: Container[UUID], names: Names
) -> tuple[Entry, ...]:
    """Every event of the stream, as we recorded it; with the statement that it is about, as that is by the cut.

    Events about `hidden` statements are left out, and supersessions by them: those that had not been said.
    """
    entries = []
    for recorded in events:
        about = statement_of(recorded.event)
        if about in hidden or getattr(recorded.event, "superseded_by", None) in hidden:
            continue
        statement = state.statements.get(about) if about else None
        entries.append(
            Entry(
                position=recorded.position,
                recorded_at=recorded.recorded_at,
                type=recorded.type,
                actor=recorded.actor,
                reason=reason_of(recorded.event),
                statement_id=about,
                speaker=speaker_view(statement, names) if statement else None,
                acts=_acts(statement) if statement else (),
                attributes=_attributes(statement) if statement else (),
            )
        )
    return tuple(entries)


def said_axis(state: Incident, names: Names) -> tuple[Entry, ...]:
    """Every statement, by when it was said: at the earliest, then at the latest, then as recorded."""
    return tuple(
        Entry(
            position=statement.position,
            recorded_at=statement.recorded_at,
            statement_id=statement.statement_id,
            speaker=speaker_view(statement, names),
            said_at=said_at_view(statement),
            acts=_acts(statement),
            attributes=_attributes(statement),
            retracts=statement.retracts.statement_id if statement.retracts else None,
        )
        for statement in sorted(state.statements.values(), key=lambda statement: _order(statement.said, statement))
    )


def occurred_axis(state: Incident, names: Names) -> tuple[Entry, ...]:
    """Every time that somebody claimed, by what it says: contradictions stand side by side."""
    retracted = retractions(state)
    entries = [
        (
            _order(time.bounds, statement),
            Entry(
                position=statement.position,
                recorded_at=statement.recorded_at,
                statement_id=statement.statement_id,
                speaker=speaker_view(statement, names),
                acts=(claim.act,),
                attributes=(claim.attribute,) if claim.attribute else (),
                claim_id=claim.claim_id,
                of=claim.of,
                time=time,
                dropped=why_dropped(statement, claim.claim_id, state, retracted),
            ),
        )
        for statement in state.statements.values()
        for claim in statement.claims.values()
        if claim.type_ == "time"
        for time in (read_time(claim.value),)
    ]
    return tuple(entry for _, entry in sorted(entries, key=lambda pair: pair[0]))


def _acts(statement: Statement) -> tuple[Act, ...]:
    return tuple(dict.fromkeys(claim.act for claim in statement.claims.values()))


def _attributes(statement: Statement) -> tuple[str, ...]:
    return tuple(dict.fromkeys(claim.attribute for claim in statement.claims.values() if claim.attribute))


def _order(bounds: Bounds, statement: Statement) -> tuple[datetime, datetime, int]:
    return bounds.earliest or _BEGINNING, bounds.latest or _END, statement.position
