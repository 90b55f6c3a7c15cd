"""The events of an incident's stream. This is the storage format: version with care (docs/adding-an-event.md).

The stream is self-contained: whatever a statement takes from another stream (the bounds of "today", the type of an
attribute, whether its speaker is known) is resolved when it is recorded and stored here with its origin.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from msgspec import UNSET, Raw, Struct, UnsetType, field

from stet.document.events import Basis, VisibilityChanged
from stet.envelope import Event
from stet.incident.claim import Chain, Citation, Claim, Record, SaidAt
from stet.incident.links import (
    IncidentAbsorbed,
    IncidentLinked,
    IncidentMerged,
    IncidentUnlinked,
    MergeReverted,
    Tags,
)
from stet.incident.statement import Credibility, Ground, Interest, Proposed, RecordError, Statement, Verification
from stet.ledger.attributes import Rule
from stet.redaction.events import EVENTS as REDACTIONS
from stet.redaction.events import Redaction
from stet.source.events import Reliability
from stet.values.text import AttributeName, Language, Line, Prose, Reason, Reference, Slug, Target
from stet.values.value import AttributeType

Status = Literal["open", "closed", "withdrawn"]


class IncidentOpened(Event, frozen=True, kw_only=True):
    """Something happened."""

    title: Line
    kind: Slug
    tags: Tags = ()


class IncidentAmended(Event, frozen=True, kw_only=True):
    """The desk changed the title, the kind or the tags."""

    title: Line | UnsetType = UNSET
    kind: Slug | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    reason: Reason


class IncidentStatusChanged(Event, frozen=True, kw_only=True):
    """The desk opened the incident again, closed it, or withdrew it."""

    status: Status
    reason: Reason


class StatementRecorded(Event, frozen=True, kw_only=True):
    """Somebody said something. Holds the claims about this incident; `incidents` names all that hold the statement."""

    statement_id: UUID
    incidents: tuple[UUID, ...]
    speaker: UUID
    speaker_unknown: bool = False
    """The speaker is of the kind `unknown`."""
    chain: Chain = ()
    channel: Line | None = None
    said_at: SaidAt
    verbatim: Prose | None = None
    language: Language | None = None
    citation: Citation | None = None
    record: Record | None = None
    """The row of a data set that it publishes. Absent: it publishes none."""
    claims: tuple[Claim, ...]


class StatementFields(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a correction sets. What is absent stays; null clears."""

    speaker: UUID | UnsetType = UNSET
    speaker_unknown: bool | UnsetType = UNSET
    """Goes with speaker."""
    chain: Chain | UnsetType = UNSET
    channel: Line | UnsetType | None = UNSET
    said_at: SaidAt | UnsetType = UNSET
    verbatim: Prose | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    citation: Citation | UnsetType | None = UNSET


class StatementCorrected(Event, frozen=True, kw_only=True):
    """Our record of the statement was wrong; what was said is not changed by it."""

    statement_id: UUID
    error: RecordError
    set: StatementFields = StatementFields()
    claims: tuple[Claim, ...] = ()
    """Whole claims: a known claim_id is replaced, an unknown one added."""
    remove_claims: tuple[UUID, ...] = ()
    reason: Reason


class StatementRetracted(Event, frozen=True, kw_only=True):
    """The speaker took a statement back, or some of its claims, by another one: the retraction."""

    statement_id: UUID
    """What is taken back."""
    claim_ids: tuple[UUID, ...] = ()
    """Empty: all of its claims."""
    retraction_id: UUID
    """The statement_id of the retraction itself."""
    incidents: tuple[UUID, ...]
    speaker: UUID
    speaker_unknown: bool = False
    chain: Chain = ()
    channel: Line | None = None
    said_at: SaidAt
    verbatim: Prose | None = None
    language: Language | None = None
    citation: Citation | None = None
    record: Record | None = None
    """The row of a data set that it takes back, with the value null. Absent: it takes none back."""
    reason: Reason


class StatementSuperseded(Event, frozen=True, kw_only=True):
    """The speaker's newer statement takes the place of an older one."""

    statement_id: UUID
    superseded_by: UUID
    reason: Reason


class StatementWithdrawn(Event, frozen=True, kw_only=True):
    """The desk set a statement aside. It was said all the same."""

    statement_id: UUID
    ground: Ground
    reason: Reason


class StatementReinstated(Event, frozen=True, kw_only=True):
    """The desk took its withdrawal back."""

    statement_id: UUID
    reason: Reason


class StatementAssessed(Event, frozen=True, kw_only=True):
    """What the desk judges of a statement's claims. What is absent stays; null clears."""

    statement_id: UUID
    claim_ids: tuple[UUID, ...] = ()
    """Empty: every claim of the statement."""
    reliability: Reliability | UnsetType | None = UNSET
    credibility: Credibility | UnsetType | None = UNSET
    verification: Verification | UnsetType | None = UNSET
    interest: Interest | UnsetType | None = UNSET
    basis: Basis
    rationale: Reason


class StatementMovedOut(Event, frozen=True, kw_only=True):
    """What a statement says about one incident belongs to another. In the stream of every incident that held it."""

    statement_id: UUID
    from_incident: UUID
    to_incident: UUID
    reason: Reason


class StatementMovedIn(Event, frozen=True, kw_only=True):
    """A statement came from another incident, with everything that had happened to it."""

    statement: Statement
    from_incident: UUID
    reason: Reason


class AttributePinned(Event, frozen=True, kw_only=True):
    """The desk decided what the value is, whatever the rule gives."""

    attribute: AttributeName
    type_: AttributeType = field(name="type")
    rule: Rule | None = None
    """The rule of an attribute that the ledger defined; built-in ones have theirs by name."""
    of: Reference | None = None
    value: Raw
    cites: tuple[UUID, ...]
    """The statements that it rests on. Where none of them was said yet, it is silent."""
    rationale: Reason


class AttributeUnpinned(Event, frozen=True, kw_only=True):
    """The desk leaves the value to the rule again."""

    attribute: AttributeName
    of: Reference | None = None
    reason: Reason


class StatementProposed(Event, frozen=True, kw_only=True):
    """A contributor's statement that the ledger holds for review. Only members see it, and nothing resolves by it."""

    statement: StatementRecorded
    supersedes: UUID | None = None
    """The statement whose place it takes once it is accepted."""


class StatementAccepted(Event, frozen=True, kw_only=True):
    """A proposed statement is a statement from then on, as it was proposed, and recorded when it was."""

    statement: StatementRecorded
    proposed: Proposed
    reason: Reason


class StatementRejected(Event, frozen=True, kw_only=True):
    """The desk does not take a proposed statement."""

    statement_id: UUID
    reason: Reason


class ReferenceHidden(Event, frozen=True, kw_only=True):
    """What statements or pins here name became restricted elsewhere, or is so no more: they go with it."""

    target: Target
    hidden: bool
    reason: Reason


StatementRevision = (
    StatementCorrected
    | StatementRetracted
    | StatementSuperseded
    | StatementWithdrawn
    | StatementReinstated
    | StatementAssessed
    | StatementMovedOut
    | StatementMovedIn
)
IncidentEvent = (
    IncidentOpened
    | IncidentAmended
    | IncidentStatusChanged
    | StatementRecorded
    | StatementRevision
    | StatementProposed
    | StatementAccepted
    | StatementRejected
    | AttributePinned
    | AttributeUnpinned
    | IncidentLinked
    | IncidentUnlinked
    | IncidentMerged
    | IncidentAbsorbed
    | MergeReverted
    | VisibilityChanged
    | ReferenceHidden
    | Redaction
)

EVENTS: dict[str, type[IncidentEvent]] = {
    "incident-opened": IncidentOpened,
    "incident-amended": IncidentAmended,
    "incident-status-changed": IncidentStatusChanged,
    "statement-recorded": StatementRecorded,
    "statement-corrected": StatementCorrected,
    "statement-retracted": StatementRetracted,
    "statement-superseded": StatementSuperseded,
    "statement-withdrawn": StatementWithdrawn,
    "statement-reinstated": StatementReinstated,
    "statement-assessed": StatementAssessed,
    "statement-moved-out": StatementMovedOut,
    "statement-moved-in": StatementMovedIn,
    "statement-proposed": StatementProposed,
    "statement-accepted": StatementAccepted,
    "statement-rejected": StatementRejected,
    "attribute-pinned": AttributePinned,
    "attribute-unpinned": AttributeUnpinned,
    "incident-linked": IncidentLinked,
    "incident-unlinked": IncidentUnlinked,
    "incident-merged": IncidentMerged,
    "incident-absorbed": IncidentAbsorbed,
    "merge-reverted": MergeReverted,
    "visibility-changed": VisibilityChanged,
    "reference-hidden": ReferenceHidden,
    **REDACTIONS,
}
