"""What the API shows of an incident: a pure function of its events up to the cut, and of the names at the cut."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Raw, Struct, field
from msgspec.structs import asdict, replace

from stet.envelope import Cut
from stet.incident.events import Act, Certainty, Citation, Claim, Relation, Role, SaidAt, Scope, Status
from stet.incident.state import Correction, Incident, Statement
from stet.values.value import AttributeType


class SpeakerView(Struct, frozen=True, kw_only=True):
    """A source, by the name that it had at the cut."""

    source_id: UUID
    name: str | None


class HopView(Struct, frozen=True, kw_only=True):
    source_id: UUID
    name: str | None
    role: Role


class ClaimView(Struct, frozen=True, kw_only=True):
    claim_id: UUID
    attribute: str | None
    type_: AttributeType = field(name="type")
    of: str | None
    value: Raw
    act: Act
    certainty: Certainty
    scope: Scope
    toward: str | None
    verbatim: str | None
    note: str | None
    citation: Citation | None


class StatementView(Struct, frozen=True, kw_only=True):
    """One utterance: who said what, through which channel, when, relayed by whom."""

    statement_id: UUID
    position: int
    recorded_at: datetime
    incidents: tuple[UUID, ...]
    speaker: SpeakerView
    chain: tuple[HopView, ...]
    channel: str | None
    said_at: SaidAt
    """If nothing bounds it above, `latest` is when it was recorded."""
    verbatim: str | None
    language: str | None
    citation: Citation | None
    claims: tuple[ClaimView, ...]
    corrections: tuple[Correction, ...]


class LinkView(Struct, frozen=True, kw_only=True):
    incident_id: UUID
    relation: Relation


class IncidentView(Struct, frozen=True, kw_only=True):
    """One incident at a cut."""

    incident_id: UUID
    version: int
    title: str
    kind: str
    status: Status
    tags: tuple[str, ...]
    attributes: tuple[()] = ()
    reactions: tuple[()] = ()
    statements: tuple[StatementView, ...]
    links: tuple[LinkView, ...]
    merged_into: UUID | None = None
    opened_at: datetime
    updated_at: datetime
    cut: Cut


class IncidentSummary(Struct, frozen=True, kw_only=True):
    """One incident in a list."""

    incident_id: UUID
    version: int
    title: str
    kind: str
    status: Status
    tags: tuple[str, ...]
    statements: int
    opened_at: datetime
    updated_at: datetime


class StatementAnswer(StatementView, frozen=True, kw_only=True):
    """A statement, and the incident and cut that it was read at."""

    incident_id: UUID
    version: int
    cut: Cut


Names = Mapping[UUID, str]


def sources_of(state: Incident) -> set[UUID]:
    """The sources whose names the view needs."""
    return {
        source_id
        for statement in state.statements.values()
        for source_id in (statement.speaker, *(hop.source_id for hop in statement.chain))
    }


def view(state: Incident, names: Names, cut: Cut) -> IncidentView:
    """The incident at the cut. Its version must not be 0."""
    assert state.incident_id and state.opened_at and state.updated_at
    return IncidentView(
        incident_id=state.incident_id,
        version=state.version,
        title=state.title,
        kind=state.kind,
        status=state.status,
        tags=state.tags,
        statements=tuple(statement_view(statement, names) for statement in state.statements.values()),
        links=tuple(LinkView(incident_id=link.incident_id, relation=link.relation) for link in state.links),
        opened_at=state.opened_at,
        updated_at=state.updated_at,
        cut=cut,
    )


def summary(state: Incident) -> IncidentSummary:
    """The incident in a list. Its version must not be 0."""
    assert state.incident_id and state.opened_at and state.updated_at
    return IncidentSummary(
        incident_id=state.incident_id,
        version=state.version,
        title=state.title,
        kind=state.kind,
        status=state.status,
        tags=state.tags,
        statements=len(state.statements),
        opened_at=state.opened_at,
        updated_at=state.updated_at,
    )


def statement_view(statement: Statement, names: Names) -> StatementView:
    """One statement, with all corrections of our record applied and listed."""
    return StatementView(
        statement_id=statement.statement_id,
        position=statement.position,
        recorded_at=statement.recorded_at,
        incidents=statement.incidents,
        speaker=speaker_view(statement, names),
        chain=tuple(
            HopView(source_id=hop.source_id, name=names.get(hop.source_id), role=hop.role) for hop in statement.chain
        ),
        channel=statement.channel,
        said_at=said_at_view(statement),
        verbatim=statement.verbatim,
        language=statement.language,
        citation=statement.citation,
        claims=tuple(_claim_view(claim) for claim in statement.claims.values()),
        corrections=statement.corrections,
    )


def statement_answer(state: Incident, statement_id: UUID, names: Names, cut: Cut) -> StatementAnswer:
    """One statement on its own. Raises KeyError if the incident does not hold it."""
    assert state.incident_id
    shown = statement_view(state.statements[statement_id], names)
    return StatementAnswer(**asdict(shown), incident_id=state.incident_id, version=state.version, cut=cut)


def said_at_view(statement: Statement) -> SaidAt:
    """When it was said. If nothing bounds it above, `latest` is when it was recorded."""
    return replace(statement.said_at, latest=statement.said.latest)


def speaker_view(statement: Statement, names: Names) -> SpeakerView:
    """Who said it."""
    return SpeakerView(source_id=statement.speaker, name=names.get(statement.speaker))


def _claim_view(claim: Claim) -> ClaimView:
    return ClaimView(
        claim_id=claim.claim_id,
        attribute=claim.attribute,
        type_=claim.type_,
        of=claim.of,
        value=claim.value,
        act=claim.act,
        certainty=claim.certainty,
        scope=claim.scope,
        toward=claim.toward,
        verbatim=claim.verbatim,
        note=claim.note,
        citation=claim.citation,
    )
