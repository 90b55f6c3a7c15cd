"""What the API shows of an incident: a pure function of its events up to the cut, and of the names at the cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Raw, Struct, field
from msgspec.structs import asdict, replace

from stet.envelope import Cut
from stet.incident.claim import RESOLVING, Act, Certainty, Citation, Claim, Record, Role, SaidAt, Scope
from stet.incident.events import Status
from stet.incident.links import Relation
from stet.incident.live import Dropped, retractions, superseding, why_dropped
from stet.incident.resolve import Resolved, resolve
from stet.incident.review import Review
from stet.incident.state import Absorbed, Incident, Proposal
from stet.incident.statement import (
    UNASSESSED,
    Assessed,
    Assessment,
    Correction,
    Retracts,
    Statement,
    Withdrawal,
)
from stet.values.value import AttributeType
from stet.values.visibility import UNRESTRICTED, Visibility


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
    dropped: Dropped | None
    """Why it is not live; null: it is."""
    assessed: Assessed | None
    """What the desk's assessments of it come to."""


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
    record: Record | None
    """The row of a data set that it publishes, byte for byte, or, with the value null, takes back."""
    claims: tuple[ClaimView, ...]
    retracts: Retracts | None
    """What it takes back, if it is a retraction; one makes no claims."""
    retracted_by: tuple[UUID, ...]
    superseded_by: tuple[UUID, ...]
    withdrawn: Withdrawal | None
    assessments: tuple[Assessment, ...]
    corrections: tuple[Correction, ...]
    review: Review | None
    """Of a statement that was proposed, and not accepted: only members see it, and nothing resolves by it."""
    visibility: Visibility
    """Who may see it. A statement may be hidden by what it names or is about, too."""


class LinkView(Struct, frozen=True, kw_only=True):
    incident_id: UUID
    relation: Relation


class Reaction(Struct, frozen=True, kw_only=True):
    """A claim of an act that resolves nothing: an apology, a promise, a guess."""

    claim_id: UUID
    statement_id: UUID
    act: Act
    speaker: SpeakerView
    chain: tuple[HopView, ...]
    said_at: SaidAt
    attribute: str | None
    of: str | None
    value: Raw
    toward: str | None
    certainty: Certainty
    verbatim: str | None
    note: str | None


class IncidentView(Struct, frozen=True, kw_only=True):
    """One incident at a cut."""

    incident_id: UUID
    version: int
    title: str
    kind: str
    status: Status
    tags: tuple[str, ...]
    attributes: tuple[Resolved, ...]
    reactions: tuple[Reaction, ...]
    statements: tuple[StatementView, ...]
    proposals: tuple[StatementView, ...]
    """Statements that wait for review. Only members see them, and nothing resolves by them."""
    links: tuple[LinkView, ...]
    merged_into: UUID | None = None
    absorbed: tuple[Absorbed, ...]
    """The incidents that were merged into it: their statements are among its own."""
    visibility: Visibility
    """Who may see it; the public is shown the default of what it may see."""
    opened_at: datetime
    updated_at: datetime
    cut: Cut


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
        for statement in (*state.statements.values(), *(one.statement for one in state.proposals.values()))
        for source_id in (statement.speaker, *(hop.source_id for hop in statement.chain))
    }


def view(state: Incident, names: Names, cut: Cut) -> IncidentView:
    """The incident at the cut. Its version must not be 0; said_by is applied already (stet.incident.said)."""
    assert state.incident_id and state.opened_at and state.updated_at
    return IncidentView(
        incident_id=state.incident_id,
        version=state.version,
        title=state.title,
        kind=state.kind,
        status=state.status,
        tags=state.tags,
        attributes=resolve(state),
        reactions=reactions(state, names),
        statements=tuple(statement_views(state, names, state.statements.values())),
        proposals=tuple(proposal_view(state, names, one) for one in state.proposals.values() if not one.rejected),
        links=tuple(LinkView(incident_id=link.incident_id, relation=link.relation) for link in state.links),
        merged_into=state.merged_into,
        absorbed=state.absorbed,
        visibility=state.visibility,
        opened_at=state.opened_at,
        updated_at=state.updated_at,
        cut=cut,
    )


def reactions(state: Incident, names: Names) -> tuple[Reaction, ...]:
    """The live claims whose acts never resolve, in the order of recording."""
    retracted = retractions(state)
    return tuple(
        Reaction(
            claim_id=claim.claim_id,
            statement_id=statement.statement_id,
            act=claim.act,
            speaker=speaker_view(statement, names),
            chain=chain_view(statement, names),
            said_at=said_at_view(statement),
            attribute=claim.attribute,
            of=claim.of,
            value=claim.value,
            toward=claim.toward,
            certainty=claim.certainty,
            verbatim=claim.verbatim,
            note=claim.note,
        )
        for statement in state.statements.values()
        for claim in statement.claims.values()
        if claim.act not in RESOLVING and not why_dropped(statement, claim.claim_id, state, retracted)
    )


def statement_views(state: Incident, names: Names, statements: Iterable[Statement]) -> Iterable[StatementView]:
    """Statements of the incident, with all corrections of our record applied and listed."""
    retracted = retractions(state)
    for statement in statements:
        yield StatementView(
            statement_id=statement.statement_id,
            position=statement.position,
            recorded_at=statement.recorded_at,
            incidents=statement.incidents,
            speaker=speaker_view(statement, names),
            chain=chain_view(statement, names),
            channel=statement.channel,
            said_at=said_at_view(statement),
            verbatim=statement.verbatim,
            language=statement.language,
            citation=statement.citation,
            record=statement.record,
            claims=tuple(
                _claim_view(claim, statement, why_dropped(statement, claim.claim_id, state, retracted))
                for claim in statement.claims.values()
            ),
            retracts=statement.retracts,
            retracted_by=tuple(said.statement_id for said in retracted.get(statement.statement_id, ())),
            superseded_by=superseding(statement, state),
            withdrawn=statement.withdrawn,
            assessments=statement.assessments,
            corrections=statement.corrections,
            review=None,
            visibility=state.restricted.get(statement.statement_id, UNRESTRICTED),
        )


def proposal_view(state: Incident, names: Names, proposal: Proposal) -> StatementView:
    """A statement that was proposed, and what became of that."""
    (shown,) = statement_views(state, names, [proposal.statement])
    review = Review(
        status="rejected" if proposal.rejected else "pending",
        proposed_by=proposal.proposed.actor,
        reason=proposal.rejected,
    )
    return replace(shown, review=review)


def statement_answer(state: Incident, statement_id: UUID, names: Names, cut: Cut) -> StatementAnswer:
    """One statement on its own, or a proposed one. Raises KeyError if the incident does not hold it."""
    assert state.incident_id
    if proposal := state.proposals.get(statement_id):
        shown = proposal_view(state, names, proposal)
    else:
        (shown,) = statement_views(state, names, [state.statements[statement_id]])
    return StatementAnswer(**asdict(shown), incident_id=state.incident_id, version=state.version, cut=cut)


def said_at_view(statement: Statement) -> SaidAt:
    """When it was said. If nothing bounds it above, `latest` is when it was recorded."""
    return replace(statement.said_at, latest=statement.said.latest)


def speaker_view(statement: Statement, names: Names) -> SpeakerView:
    """Who said it."""
    return SpeakerView(source_id=statement.speaker, name=names.get(statement.speaker))


def chain_view(statement: Statement, names: Names) -> tuple[HopView, ...]:
    """Who passed it on."""
    return tuple(
        HopView(source_id=hop.source_id, name=names.get(hop.source_id), role=hop.role) for hop in statement.chain
    )


def _claim_view(claim: Claim, statement: Statement, dropped: Dropped | None) -> ClaimView:
    assessed = statement.assessed(claim.claim_id)
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
        dropped=dropped,
        assessed=None if assessed == UNASSESSED else assessed,
    )
