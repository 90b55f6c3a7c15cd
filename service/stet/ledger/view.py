"""What the API shows of a ledger."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct, field

from stet.envelope import Cut
from stet.ledger.attributes import Attribute, Rule
from stet.ledger.state import Ledger
from stet.values.value import AttributeType


class LedgerView(Struct, frozen=True, kw_only=True):
    ledger_id: UUID
    name: str
    version: int
    title: str
    public: bool
    review: bool
    """Whether contributors' statements are held until an editor accepts them."""
    created_at: datetime
    updated_at: datetime
    cut: Cut


class AttributeView(Struct, frozen=True, kw_only=True):
    name: str
    type_: AttributeType = field(name="type")
    rule: Rule
    description: str | None
    terms: tuple[str, ...]
    built_in: bool


def view(state: Ledger, cut: Cut) -> LedgerView:
    """The ledger at the cut. Its version must not be 0."""
    assert state.ledger_id and state.created_at and state.updated_at
    return LedgerView(
        ledger_id=state.ledger_id,
        name=state.name,
        version=state.version,
        title=state.title,
        public=state.public,
        review=state.review,
        created_at=state.created_at,
        updated_at=state.updated_at,
        cut=cut,
    )


def attribute_view(attribute: Attribute) -> AttributeView:
    """One attribute, built in or defined."""
    return AttributeView(
        name=attribute.name,
        type_=attribute.type_,
        rule=attribute.rule,
        description=attribute.description,
        terms=attribute.terms,
        built_in=attribute.built_in,
    )
