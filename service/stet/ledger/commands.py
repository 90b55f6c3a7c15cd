"""What can be asked of a ledger."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from stet.envelope import Command
from stet.ledger.attributes import Rule
from stet.values.text import AttributeName, Line, Prose, Reason, Slug
from stet.values.value import AttributeType


class CreateLedger(Command, frozen=True, kw_only=True):
    """One independent, totally ordered log with its own sources, documents, incidents and attributes."""

    name: Slug
    title: Line
    public: bool = False
    review: bool = False
    """Whether contributors' statements are held until an editor accepts them."""


class AmendLedger(Command, frozen=True, kw_only=True, tag_field="type", tag="ledger-amended"):
    """Changes the title, whether anybody may read, whether statements are held for review. The name is for ever."""

    title: Line | UnsetType = UNSET
    public: bool | UnsetType = UNSET
    review: bool | UnsetType = UNSET
    reason: Reason


class DefineAttribute(Command, frozen=True, kw_only=True):
    """Adds an attribute. Its type and rule can never change."""

    name: AttributeName
    type_: AttributeType = field(name="type")
    rule: Rule
    description: Prose | None = None
    terms: Annotated[tuple[Line, ...], Meta(max_length=500)] = ()


class PublishRelease(Command, frozen=True, kw_only=True):
    """Names a position of the log, for ever."""

    name: Slug
    note: Prose | None = None
    """What whoever cites it should know."""
    position: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None
    """The last position of the release; null: where the log ends."""


LedgerCommand = CreateLedger | AmendLedger | DefineAttribute | PublishRelease
