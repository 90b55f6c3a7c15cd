"""The events of a ledger's own stream. This is the storage format: version with care (docs/adding-an-event.md)."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from stet.envelope import Event
from stet.ledger.attributes import Rule
from stet.values.text import AttributeName, Line, Prose, Reason, Slug
from stet.values.value import AttributeType


class LedgerCreated(Event, frozen=True, kw_only=True):
    """A ledger came to be. Its name never changes."""

    name: Slug
    title: Line
    public: bool = False
    review: bool = False
    """Whether contributors' statements are held until an editor accepts them."""


class LedgerAmended(Event, frozen=True, kw_only=True):
    """Its title, whether anybody may read it, or whether statements are held for review, changed."""

    title: Line | UnsetType = UNSET
    public: bool | UnsetType = UNSET
    review: bool | UnsetType = UNSET
    reason: Reason


class AttributeDefined(Event, frozen=True, kw_only=True):
    """The ledger has one more attribute. Its type and rule never change: another rule is another attribute."""

    name: AttributeName
    type_: AttributeType = field(name="type")
    rule: Rule
    description: Prose | None = None
    terms: tuple[Line, ...] = ()


class ReleasePublished(Event, frozen=True, kw_only=True):
    """A position of the log has a name from then on, to be cited by. It is never another position."""

    name: Slug
    note: Prose | None = None
    position: Annotated[int, Meta(ge=1)]
    """The last of the release: the end of an append before this event."""
    resolution: Annotated[int, Meta(ge=1)]
    """The version of the rules that its values were resolved by."""


LedgerEvent = LedgerCreated | LedgerAmended | AttributeDefined | ReleasePublished

EVENTS: dict[str, type[LedgerEvent]] = {
    "ledger-created": LedgerCreated,
    "ledger-amended": LedgerAmended,
    "attribute-defined": AttributeDefined,
    "release-published": ReleasePublished,
}
