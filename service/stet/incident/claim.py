"""What a statement is made of: hops, citations, times of speech, claims. Part of the storage format."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Raw, Struct, field

from stet.ledger.attributes import Rule
from stet.values.text import AttributeName, Line, Prose, RecordKey, Reference
from stet.values.time import Time
from stet.values.value import AttributeType

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


class Hop(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One who passed a statement on: a relay, or the reporter at the end."""

    source_id: UUID
    role: Role


Chain = Annotated[tuple[Hop, ...], Meta(max_length=20)]


class Citation(Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Where it can be checked: a version of a document, and where in it."""

    document_id: UUID
    version: Annotated[int, Meta(ge=1, le=10_000)]
    locator: Line | None = None


class Origin(Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Where a derived bound was taken from."""

    document_id: UUID | None = None
    version: int | None = None
    statement_id: UUID | None = None


class SaidAt(Time, frozen=True, kw_only=True):
    """When it was said. Without an anchor, `from` names the publication that bounds it above."""

    from_: Origin | None = field(default=None, name="from")


class Record(Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The row of a data set that a statement publishes, or that a retraction takes back."""

    key: RecordKey
    value: Raw
    """The row as published, byte for byte; null in a retraction: there is no such row any more."""
    seq: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    """The number of the line in the data set's own log of changes."""
    rev: Line | None = None
    """What the data set calls the copy that the line is from."""

    @property
    def gone(self) -> bool:
        """Whether the row is taken back."""
        return bytes(self.value) == b"null"


class Claim(Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
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
