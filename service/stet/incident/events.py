"""The events of an incident's stream. This is the storage format: version with care (docs/adding-an-event.md).

The stream is self-contained: whatever a statement takes from another stream (the bounds of "today", the type of an
attribute) is resolved when it is recorded and stored here with its origin.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from stet.envelope import Event
from stet.ledger.attributes import Rule
from stet.values.text import AttributeName, Language, Line, Prose, Reason, Reference, Slug
from stet.values.time import Time
from stet.values.value import AttributeType

Tags = Annotated[tuple[Slug, ...], Meta(max_length=100)]
Status = Literal["open", "closed", "withdrawn"]
Relation = Literal["follows", "part-of", "causes", "same-campaign", "related"]
Role = Literal["relay", "reporter"]
Act = Literal[
    "assert",
    "confirm",
    "admit",
    "concede",
    "deny",
    "purport",
    "speculate",
    "predict",
    "opine",
    "promise",
    "offer",
    "apologise",
    "condole",
    "wish",
    "express-concern",
    "commend",
    "demand",
]
RESOLVING: frozenset[str] = frozenset({"assert", "confirm", "admit", "concede", "deny", "purport"})
"""The acts that can bear on an attribute's value; the others are reactions."""
Certainty = Annotated[
    Literal["plain", "approximate", "distanced", "conditional"],
    Meta(description="How the words themselves hedge: distanced = in quotation marks, as it were."),
]
Scope = Annotated[
    Literal["explicit", "implied"],
    Meta(description="Implied: it was not said, but follows; it never makes a value."),
]
RecordError = Literal["transcription", "translation", "normalisation", "attribution", "time", "reference"]


class Hop(Struct, frozen=True, forbid_unknown_fields=True):
    """One who passed a statement on: a relay, or the reporter at the end."""

    source_id: UUID
    role: Role


Chain = Annotated[tuple[Hop, ...], Meta(max_length=20)]


class Citation(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Where it can be checked: a version of a document, and where in it."""

    document_id: UUID
    version: Annotated[int, Meta(ge=1, le=10_000)]
    locator: Line | None = None


class Origin(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where a derived bound was taken from."""

    document_id: UUID | None = None
    version: int | None = None
    statement_id: UUID | None = None


class SaidAt(Time, frozen=True, kw_only=True):
    """When it was said. Without an anchor, `from` names the publication that bounds it above."""

    from_: Origin | None = field(default=None, name="from")


class Claim(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One attribute's value, as said."""

    claim_id: UUID
    attribute: AttributeName | None = None
    type_: AttributeType = field(name="type")
    rule: Rule | None = None
    """The rule of an attribute that the ledger defined; built-in ones have theirs by name."""
    of: Reference | None = None
    value: Raw
    """By the type: an object, a string or a boolean."""
    act: Act = "assert"
    certainty: Certainty = "plain"
    scope: Scope = "explicit"
    toward: Reference | None = None
    verbatim: Prose | None = None
    note: Prose | None = None
    citation: Citation | None = None


class IncidentOpened(Event, frozen=True, kw_only=True):
    """Something happened."""

    title: Line
    kind: Slug
    tags: Tags = ()


class IncidentAmended(Event, frozen=True, kw_only=True):
    title: Line | UnsetType = UNSET
    kind: Slug | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    reason: Reason


class IncidentStatusChanged(Event, frozen=True, kw_only=True):
    status: Status
    reason: Reason


class StatementRecorded(Event, frozen=True, kw_only=True):
    """Somebody said something. Holds the claims about this incident; `incidents` names all that hold the statement."""

    statement_id: UUID
    incidents: tuple[UUID, ...]
    speaker: UUID
    chain: Chain = ()
    channel: Line | None = None
    said_at: SaidAt
    verbatim: Prose | None = None
    language: Language | None = None
    citation: Citation | None = None
    claims: tuple[Claim, ...]


class StatementFields(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a correction sets. What is absent stays; null clears."""

    speaker: UUID | UnsetType = UNSET
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


class IncidentLinked(Event, frozen=True, kw_only=True):
    incident_id: UUID
    relation: Relation
    reason: Reason


class IncidentUnlinked(Event, frozen=True, kw_only=True):
    incident_id: UUID
    relation: Relation
    reason: Reason


IncidentEvent = (
    IncidentOpened
    | IncidentAmended
    | IncidentStatusChanged
    | StatementRecorded
    | StatementCorrected
    | IncidentLinked
    | IncidentUnlinked
)

EVENTS: dict[str, type[IncidentEvent]] = {
    "incident-opened": IncidentOpened,
    "incident-amended": IncidentAmended,
    "incident-status-changed": IncidentStatusChanged,
    "statement-recorded": StatementRecorded,
    "statement-corrected": StatementCorrected,
    "incident-linked": IncidentLinked,
    "incident-unlinked": IncidentUnlinked,
}
