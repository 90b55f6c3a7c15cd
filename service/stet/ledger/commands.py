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


class AmendLedger(Command, frozen=True, kw_only=True, tag_field="type", tag="ledger-amended"):
    """Changes the title, or whether anybody may read. The name is for ever."""

    title: Line | UnsetType = UNSET
    public: bool | UnsetType = UNSET
    reason: Reason


class DefineAttribute(Command, frozen=True, kw_only=True):
    """Adds an attribute. Its type and rule can never change."""

    name: AttributeName
    type_: AttributeType = field(name="type")
    rule: Rule
    description: Prose | None = None
    terms: Annotated[tuple[Line, ...], Meta(max_length=500)] = ()


LedgerCommand = CreateLedger | AmendLedger | DefineAttribute
