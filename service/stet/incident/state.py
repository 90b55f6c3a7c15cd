"""What an incident's stream adds up to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never
from uuid import UUID

from msgspec import UNSET, Raw, Struct
from msgspec.structs import asdict, replace

from stet.document.events import VisibilityChanged
from stet.envelope import Recorded
from stet.incident.events import (
    AttributePinned,
    AttributeUnpinned,
    IncidentAmended,
    IncidentEvent,
    IncidentOpened,
    IncidentStatusChanged,
    ReferenceHidden,
    StatementAccepted,
    StatementMovedIn,
    StatementMovedOut,
    StatementProposed,
    StatementRecorded,
    StatementRejected,
    StatementRetracted,
    Status,
)
from stet.incident.happened import by, revised, said
from stet.incident.links import IncidentAbsorbed, IncidentLinked, IncidentMerged, IncidentUnlinked, Link, MergeReverted
from stet.incident.statement import Proposed, Statement
from stet.ledger.attributes import Rule
from stet.redaction.events import PayloadRedacted, RedactionProposed
from stet.values.value import AttributeType
from stet.values.visibility import UNRESTRICTED, Visibility


class Pin(Struct, frozen=True, kw_only=True):
    """A value that the desk decided on."""

    attribute: str
    of: str | None
    type_: AttributeType
    rule: Rule | None
    value: Raw
    cites: tuple[UUID, ...]
    rationale: str
    position: int
    recorded_at: datetime
    actor: str


class Absorbed(Struct, frozen=True, kw_only=True):
    """An incident that was merged into this one, as it was then."""

    incident_id: UUID
    title: str
    kind: str
    tags: tuple[str, ...]
    links: tuple[Link, ...]
    reason: str
    position: int
    recorded_at: datetime
    actor: str


class Proposal(Struct, frozen=True, kw_only=True):
    """A statement that is held for review."""

    statement: Statement
    recorded: StatementRecorded
    """What becomes a statement if it is accepted."""
    supersedes: UUID | None
    proposed: Proposed
    rejected: str | None = None
    """Why it was rejected; None: it waits."""


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
    """In the order of recording; retractions are among them. Never changed in place."""
    proposals: dict[UUID, Proposal] = {}
    """Those that wait, and those that were rejected. Never changed in place."""
    pins: tuple[Pin, ...] = ()
    """One for each (attribute, of), in that order."""
    links: tuple[Link, ...] = ()
    merged_into: UUID | None = None
    """Where its statements are by now: it keeps them here as they were, for a revert."""
    absorbed: tuple[Absorbed, ...] = ()
    owners: dict[UUID, frozenset[UUID]] = {}
    """Of each statement that a merge brought and that nobody moved since, the incidents that take it when the merges
    are reverted: this one, if it held it itself, and those absorbed. Never changed in place."""
    visibility: Visibility = UNRESTRICTED
    restricted: dict[UUID, Visibility] = {}
    """Of each statement that it holds or held, and that has a label or an embargo. Never changed in place."""
    hidden: frozenset[str] = frozenset()
    """What is restricted elsewhere and named here."""
    guarded: bool = False
    """Whether it has events that only members see, if only those which say who may see something."""
    opened_at: datetime | None = None
    updated_at: datetime | None = None

    def pin(self, attribute: str, of: str | None) -> Pin | None:
        """The pin on an attribute."""
        return next((pin for pin in self.pins if (pin.attribute, pin.of) == (attribute, of)), None)


HeaderEvent = (
    IncidentOpened
    | IncidentAmended
    | IncidentStatusChanged
    | IncidentLinked
    | IncidentUnlinked
    | AttributePinned
    | AttributeUnpinned
    | IncidentMerged
    | IncidentAbsorbed
    | MergeReverted
    | VisibilityChanged
    | ReferenceHidden
    | RedactionProposed
)
"""What happens to the incident and not to one of its statements."""
initial = Incident()


def evolve(state: Incident, recorded: Recorded[IncidentEvent]) -> Incident:
    """The incident after one more event. To apply many, use fold: this copies the table of statements."""
    return fold((recorded,), state)


def fold(events: Iterable[Recorded[IncidentEvent]], state: Incident = initial) -> Incident:
    """The incident after all the events, in order; linear in their number."""
    statements, proposals, owners = dict(state.statements), dict(state.proposals), dict(state.owners)
    return fold_in_place(events, replace(state, statements=statements, proposals=proposals, owners=owners))


def fold_in_place(events: Iterable[Recorded[IncidentEvent]], state: Incident) -> Incident:
    """The same, in the tables of the state, which must be nobody else's: what was folded before costs nothing."""
    statements, proposals, owners = state.statements, state.proposals, state.owners
    unordered = False
    recorded = None
    for recorded in events:
        match recorded.event:
            case StatementRecorded() | StatementRetracted() as event:
                made = said(event, recorded)
                statements[made.statement_id] = made
            case StatementMovedIn(statement=statement, from_incident=left):
                if any(one.incident_id == left for one in state.absorbed):
                    assert state.incident_id
                    own = frozenset((state.incident_id,) if statement.statement_id in statements else ())
                    owners[statement.statement_id] = owners.get(statement.statement_id, own) | {left}
                statements[statement.statement_id] = statement
                unordered = True
            case StatementAccepted(statement=accepted, proposed=proposed):
                statements[accepted.statement_id] = said(accepted, proposed)
                proposals.pop(accepted.statement_id, None)
                unordered = True
            case StatementProposed() as event:
                proposals[event.statement.statement_id] = _proposal(event, recorded)
                state = replace(state, guarded=True)
            case StatementRejected(statement_id=id_, reason=why):
                proposals[id_] = replace(proposals[id_], rejected=why)
            case StatementMovedOut() as event if f"incident:{event.from_incident}" == recorded.stream:
                del statements[event.statement_id]
                owners.pop(event.statement_id, None)
            case event if isinstance(event, HeaderEvent):
                state = _evolve_header(state, event, recorded)
                if isinstance(event, MergeReverted):
                    owners = _without(owners, event.incident_id, state.incident_id)
            case PayloadRedacted():
                # What was erased is gone from the events themselves.
                pass
            case event:
                statements[event.statement_id] = revised(statements[event.statement_id], event, recorded)
    if recorded is None:
        return state
    if unordered:
        statements = dict(sorted(statements.items(), key=lambda item: item[1].position))
    return replace(
        state,
        version=recorded.stream_version,
        position=recorded.position,
        updated_at=recorded.recorded_at,
        statements=statements,
        proposals=proposals,
        owners=owners,
    )


def _without(owners: dict[UUID, frozenset[UUID]], reverted: UUID, own: UUID | None) -> dict[UUID, frozenset[UUID]]:
    """The owners after a revert. What is this incident's alone needs none."""
    left = {statement_id: its - {reverted} for statement_id, its in owners.items()}
    return {statement_id: its for statement_id, its in left.items() if its - {own}}


def _evolve_header(state: Incident, event: HeaderEvent, recorded: Recorded[IncidentEvent]) -> Incident:
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
        case IncidentLinked() | IncidentUnlinked():
            return replace(state, links=_links(state, event))
        case AttributePinned() | AttributeUnpinned():
            return replace(state, pins=_pins(state, event, recorded))
        case IncidentMerged(into=into):
            return replace(state, merged_into=into)
        case IncidentAbsorbed():
            return replace(state, absorbed=(*state.absorbed, Absorbed(**asdict(event), **by(recorded))))
        case MergeReverted(incident_id=id_) if state.merged_into == id_:
            return replace(state, merged_into=None)
        case MergeReverted(incident_id=id_):
            return replace(state, absorbed=tuple(one for one in state.absorbed if one.incident_id != id_))
        case VisibilityChanged() | ReferenceHidden():
            return replace(_evolve_visibility(state, event), guarded=True)
        case RedactionProposed():
            return replace(state, guarded=True)
        case _ as never:
            assert_never(never)


def _evolve_visibility(state: Incident, event: VisibilityChanged | ReferenceHidden) -> Incident:
    if isinstance(event, ReferenceHidden):
        elsewhere = state.hidden | {event.target} if event.hidden else state.hidden - {event.target}
        return replace(state, hidden=elsewhere)
    if event.statement_id is None:
        return replace(state, visibility=event.visibility)
    restricted = {id_: one for id_, one in state.restricted.items() if id_ != event.statement_id}
    if event.visibility != UNRESTRICTED:
        restricted[event.statement_id] = event.visibility
    return replace(state, restricted=restricted)


def _links(state: Incident, event: IncidentLinked | IncidentUnlinked) -> tuple[Link, ...]:
    link = Link(event.incident_id, event.relation)
    others = tuple(other for other in state.links if other != link)
    return (*others, link) if isinstance(event, IncidentLinked) else others


def _pins(
    state: Incident, event: AttributePinned | AttributeUnpinned, recorded: Recorded[IncidentEvent]
) -> tuple[Pin, ...]:
    others = [pin for pin in state.pins if (pin.attribute, pin.of) != (event.attribute, event.of)]
    if isinstance(event, AttributePinned):
        others.append(Pin(**asdict(event), **by(recorded)))
    return tuple(sorted(others, key=lambda pin: (pin.attribute, pin.of or "")))


def _proposal(event: StatementProposed, recorded: Recorded[IncidentEvent]) -> Proposal:
    return Proposal(
        statement=said(event.statement, recorded),
        recorded=event.statement,
        supersedes=event.supersedes,
        proposed=Proposed(position=recorded.position, recorded_at=recorded.recorded_at, actor=recorded.actor),
    )
