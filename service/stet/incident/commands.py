"""What can be asked of an incident."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from stet.envelope import Command
from stet.incident.events import Act, Certainty, Chain, Citation, RecordError, Relation, Scope, Status, Tags
from stet.values.text import AttributeName, Language, Line, Prose, Reason, Reference, Slug
from stet.values.time import TimeInput


class ClaimInput(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
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
    claims: Annotated[tuple[ClaimInput, ...], Meta(min_length=1, max_length=10_000)]


class OpenIncident(Command, frozen=True, kw_only=True):
    """Something happened. Everything but title, kind and tags is claimed by statements."""

    title: Line
    kind: Slug
    tags: Tags = ()
    statements: Annotated[tuple[RecordStatement, ...], Meta(max_length=1_000)] = ()


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


IncidentRevision = AmendIncident | ChangeStatus | CorrectStatement | LinkIncident | UnlinkIncident
