"""What can be asked of an incident."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from stet.document.events import Basis
from stet.envelope import Command
from stet.incident.claim import Act, Certainty, Chain, Citation, Record, Scope
from stet.incident.events import Status
from stet.incident.links import Relation, Tags
from stet.incident.statement import Credibility, Ground, Interest, RecordError, Verification
from stet.redaction.commands import RedactionCommand
from stet.source.events import Reliability
from stet.values.place import Place
from stet.values.text import AttributeName, Language, Line, Prose, Reason, Reference, Slug
from stet.values.time import Instant, TimeInput
from stet.values.visibility import UNRESTRICTED, Label, Visibility


class ClaimInput(Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One attribute's value, as said. An act that never resolves (an apology, say) needs no attribute, and a text."""

    claim_id: UUID | None = None
    incident_id: UUID | None = None
    """The incident that it is about; default: the one of the request."""
    attribute: AttributeName | None = None
    of: Reference | None = None
    value: Raw
    act: Act = "assert"
    certainty: Certainty = "plain"
    scope: Scope = "explicit"
    toward: Reference | None = None
    verbatim: Prose | None = None
    note: Prose | None = None
    citation: Citation | None = None


class RecordStatement(Command, frozen=True, kw_only=True):
    """Who said what, through which channel, when, relayed by whom; and the claims in it."""

    speaker: UUID
    chain: Chain = ()
    channel: Line | None = None
    said_at: TimeInput | None = None
    """Unknown: bounded above by the cited publication, else by when it is recorded."""
    verbatim: Prose | None = None
    language: Language | None = None
    citation: Citation | None = None
    supersedes: UUID | None = None
    """An earlier statement of the same speaker, whose place this one takes."""
    record: Record | None = None
    """The row that it publishes, where the speaker is a data set. All its claims are about one incident then."""
    claims: Annotated[tuple[ClaimInput, ...], Meta(max_length=10_000)] = ()
    """At least one, unless it publishes a row."""
    visibility: Visibility = UNRESTRICTED
    """Who may see it, from the first moment."""


class OpenIncident(Command, frozen=True, kw_only=True):
    """Something happened. Everything but title, kind and tags is claimed by statements."""

    title: Line
    kind: Slug
    tags: Tags = ()
    statements: Annotated[tuple[RecordStatement, ...], Meta(max_length=1_000)] = ()
    visibility: Visibility = UNRESTRICTED
    """Who may see it, from the first moment."""


class AmendIncident(Command, frozen=True, kw_only=True, tag_field="type", tag="incident-amended"):
    """Changes title, kind or tags. What is not given stays."""

    title: Line | UnsetType = UNSET
    kind: Slug | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    reason: Reason


class ChangeStatus(Command, frozen=True, kw_only=True, tag_field="type", tag="incident-status-changed"):
    """Opens, closes or withdraws the incident."""

    status: Status
    reason: Reason


class StatementFieldsInput(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a correction sets. What is absent stays; null clears."""

    speaker: UUID | UnsetType = UNSET
    chain: Chain | UnsetType = UNSET
    channel: Line | UnsetType | None = UNSET
    said_at: TimeInput | UnsetType | None = UNSET
    verbatim: Prose | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    citation: Citation | UnsetType | None = UNSET


class CorrectStatement(Command, frozen=True, kw_only=True, tag_field="type", tag="statement-corrected"):
    """Our record of a statement was wrong. Not for what its speaker, or its publisher, got wrong.

    In `set`, what is absent stays. Each of `claims` is given whole: it replaces the claim of its claim_id, or is
    added.
    """

    statement_id: UUID
    error: RecordError
    set: StatementFieldsInput = StatementFieldsInput()
    claims: Annotated[tuple[ClaimInput, ...], Meta(max_length=10_000)] = ()
    remove_claims: Annotated[tuple[UUID, ...], Meta(max_length=10_000)] = ()
    reason: Reason


ClaimIds = Annotated[
    tuple[UUID, ...], Meta(max_length=10_000, description="Only these of its claims; empty: all of them.")
]


class RetractStatement(Command, frozen=True, kw_only=True, tag_field="type", tag="statement-retracted"):
    """Its speaker took a statement back, or some of its claims. Somebody else who says it is not so denies it.

    The retraction is a statement itself: it can be corrected, or withdrawn, under its own statement_id.
    """

    statement_id: UUID
    claim_ids: ClaimIds = ()
    chain: Chain = ()
    channel: Line | None = None
    said_at: TimeInput
    verbatim: Prose | None = None
    language: Language | None = None
    citation: Citation | None = None
    record: Record | None = None
    """With the value null: the row that it takes back. Absent: that of the statement, if the whole of it goes."""
    reason: Reason


class SupersedeStatement(Command, frozen=True, kw_only=True, tag_field="type", tag="statement-superseded"):
    """A newer statement of the same speaker takes the place of an older one."""

    statement_id: UUID
    superseded_by: UUID
    reason: Reason


class WithdrawStatement(Command, frozen=True, kw_only=True, tag_field="type", tag="statement-withdrawn"):
    """The desk sets a statement aside. It stays in the record, and counts for nothing."""

    statement_id: UUID
    ground: Ground
    reason: Reason


class ReinstateStatement(Command, frozen=True, kw_only=True, tag_field="type", tag="statement-reinstated"):
    """The desk takes its withdrawal of a statement back."""

    statement_id: UUID
    reason: Reason


class AssessStatement(Command, frozen=True, kw_only=True, tag_field="type", tag="statement-assessed"):
    """What the desk judges of a statement's claims. What is absent stays; null clears."""

    statement_id: UUID
    claim_ids: ClaimIds = ()
    reliability: Reliability | UnsetType | None = UNSET
    credibility: Credibility | UnsetType | None = UNSET
    verification: Verification | UnsetType | None = UNSET
    interest: Interest | UnsetType | None = UNSET
    basis: Basis
    rationale: Reason


class MoveStatement(Command, frozen=True, kw_only=True, tag_field="type", tag="statement-moved-out"):
    """What a statement says of this incident belongs to another. Its retractions go with it."""

    statement_id: UUID
    to_incident: UUID
    reason: Reason


class AcceptStatement(Command, frozen=True, kw_only=True, tag_field="type", tag="statement-accepted"):
    """Takes a statement that was proposed. It is recorded as of when it was proposed."""

    statement_id: UUID
    reason: Reason


class RejectStatement(Command, frozen=True, kw_only=True, tag_field="type", tag="statement-rejected"):
    """Does not take a statement that was proposed. It stays in the log, and members can read it."""

    statement_id: UUID
    reason: Reason


class PinAttribute(Command, frozen=True, kw_only=True, tag_field="type", tag="attribute-pinned"):
    """The desk decides the value, whatever the rule gives, by the statements that it cites."""

    attribute: AttributeName
    of: Reference | None = None
    value: Raw
    cites: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=1_000)]
    rationale: Reason


class UnpinAttribute(Command, frozen=True, kw_only=True, tag_field="type", tag="attribute-unpinned"):
    """The desk leaves the value to the rule again."""

    attribute: AttributeName
    of: Reference | None = None
    reason: Reason


class LinkIncident(Command, frozen=True, kw_only=True, tag_field="type", tag="incident-linked"):
    """Says how this incident relates to another."""

    incident_id: UUID
    relation: Relation
    reason: Reason


class UnlinkIncident(Command, frozen=True, kw_only=True, tag_field="type", tag="incident-unlinked"):
    """Takes a link back."""

    incident_id: UUID
    relation: Relation
    reason: Reason


class MergeIncident(Command, frozen=True, kw_only=True, tag_field="type", tag="incident-merged"):
    """The incident is the same as another: its statements are that one's from then on, and so is its address."""

    into: UUID
    reason: Reason


class RevertMerge(Command, frozen=True, kw_only=True, tag_field="type", tag="merge-reverted"):
    """An incident that was merged into this one is not the same: each has its own statements again."""

    incident_id: UUID
    """The one that was merged into this one."""
    reason: Reason


class ChangeVisibility(Command, frozen=True, kw_only=True, tag_field="type", tag="visibility-changed"):
    """Who may see the incident, or one of its statements, at every cut. What is absent stays; null clears.

    What names it goes with it, in all incidents, in the same append.
    """

    statement_id: UUID | None = None
    """The statement, in whatever incidents it is. Absent: the incident."""
    label: Label | UnsetType = UNSET
    embargo_until: Instant | UnsetType | None = UNSET
    disclosed_place: Place | UnsetType | None = UNSET
    """Of an incident only: the public is shown no finer place than this. It must say how large it is."""
    reason: Reason


StatementRevision = (
    CorrectStatement
    | RetractStatement
    | SupersedeStatement
    | WithdrawStatement
    | ReinstateStatement
    | AssessStatement
    | MoveStatement
)
DeskRevision = (
    AmendIncident
    | ChangeStatus
    | StatementRevision
    | PinAttribute
    | UnpinAttribute
    | LinkIncident
    | UnlinkIncident
    | ChangeVisibility
)
Revision = DeskRevision | AcceptStatement | RejectStatement | MergeIncident | RevertMerge
IncidentRevision = Revision | RedactionCommand
