"""What an incident's stream adds up to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never
from uuid import UUID

from msgspec import UNSET, Struct
from msgspec.structs import asdict, replace

from stet.envelope import Recorded
from stet.incident.events import (
    Chain,
    Citation,
    Claim,
    IncidentAmended,
    IncidentEvent,
    IncidentLinked,
    IncidentOpened,
    IncidentStatusChanged,
    IncidentUnlinked,
    RecordError,
    Relation,
    SaidAt,
    StatementCorrected,
    StatementRecorded,
    Status,
)
from stet.values.time import Bounds


class Correction(Struct, frozen=True, kw_only=True):
    """That, when and why our record of a statement was corrected."""

    position: int
    recorded_at: datetime
    actor: str
    error: RecordError
    reason: str
    causation_id: UUID | None


class Statement(Struct, frozen=True, kw_only=True):
    """One utterance as recorded, with all corrections applied."""

    statement_id: UUID
    position: int
    stream_version: int
    recorded_at: datetime
    incidents: tuple[UUID, ...]
    speaker: UUID
    chain: Chain
    channel: str | None
    said_at: SaidAt
    verbatim: str | None
    language: str | None
    citation: Citation | None
    claims: dict[UUID, Claim]
    corrections: tuple[Correction, ...] = ()

    @property
    def said(self) -> Bounds:
        """When it was said: at the latest when it was recorded, if nothing else is known."""
        earliest, best, latest = self.said_at.earliest, self.said_at.best, self.said_at.latest
        return Bounds(earliest, latest or max(at for at in (self.recorded_at, best, earliest) if at))


class Link(Struct, frozen=True, order=True):
    incident_id: UUID
    relation: Relation


class Incident(Struct, frozen=True, kw_only=True):
    """An incident at some version of its stream; version 0 is one that does not exist."""

    version: int = 0
    position: int = 0
    incident_id: UUID | None = None
    title: str = ""
    kind: str = ""
    tags: tuple[str, ...] = ()
    status: Status = "open"
    statements: dict[UUID, Statement] = {}
    """In the order of recording. Never changed in place."""
    links: tuple[Link, ...] = ()
    opened_at: datetime | None = None
    updated_at: datetime | None = None


initial = Incident()


def evolve(state: Incident, recorded: Recorded[IncidentEvent]) -> Incident:
    """The incident after one more event. To apply many, use fold: this copies the table of statements."""
    return fold((recorded,), state)


def fold(events: Iterable[Recorded[IncidentEvent]], state: Incident = initial) -> Incident:
    """The incident after all the events, in order; linear in their number."""
    statements = dict(state.statements)
    for recorded in events:
        match recorded.event:
            case StatementRecorded() as event:
                statements[event.statement_id] = _recorded(event, recorded)
            case StatementCorrected() as event:
                statements[event.statement_id] = _corrected(statements[event.statement_id], event, recorded)
            case _ as event:
                state = _evolve_header(state, event, recorded)
        state = replace(
            state,
            version=recorded.stream_version,
            position=recorded.position,
            updated_at=recorded.recorded_at,
        )
    return replace(state, statements=statements)


def _evolve_header(
    state: Incident,
    event: IncidentOpened | IncidentAmended | IncidentStatusChanged | IncidentLinked | IncidentUnlinked,
    recorded: Recorded[IncidentEvent],
) -> Incident:
    match event:
        case IncidentOpened(title=title, kind=kind, tags=tags):
            incident_id = UUID(recorded.stream.partition(":")[2])
            opened_at = recorded.recorded_at
            return replace(state, incident_id=incident_id, title=title, kind=kind, tags=tags, opened_at=opened_at)
        case IncidentAmended():
            return replace(
                state,
                title=state.title if event.title is UNSET else event.title,
                kind=state.kind if event.kind is UNSET else event.kind,
                tags=state.tags if event.tags is UNSET else event.tags,
            )
        case IncidentStatusChanged(status=status):
            return replace(state, status=status)
        case IncidentLinked(incident_id=incident_id, relation=relation):
            return replace(state, links=(*state.links, Link(incident_id, relation)))
        case IncidentUnlinked(incident_id=incident_id, relation=relation):
            gone = Link(incident_id, relation)
            return replace(state, links=tuple(link for link in state.links if link != gone))
        case _ as never:
            assert_never(never)


def _recorded(event: StatementRecorded, recorded: Recorded[IncidentEvent]) -> Statement:
    return Statement(
        statement_id=event.statement_id,
        position=recorded.position,
        stream_version=recorded.stream_version,
        recorded_at=recorded.recorded_at,
        incidents=event.incidents,
        speaker=event.speaker,
        chain=event.chain,
        channel=event.channel,
        said_at=event.said_at,
        verbatim=event.verbatim,
        language=event.language,
        citation=event.citation,
        claims={claim.claim_id: claim for claim in event.claims},
    )


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
