"""Pins: the desk decides what a value is, and says by which statements."""

from __future__ import annotations

from uuid import UUID

from stet.errors import Malformed, Refused, UnknownReference
from stet.incident.commands import PinAttribute, UnpinAttribute
from stet.incident.events import AttributePinned, AttributeUnpinned
from stet.incident.known import Known
from stet.incident.record import OF_KINDS, check_reference, checked_value
from stet.incident.state import Incident
from stet.values.time import Time
from stet.values.value import stored


def pin(command: PinAttribute, state: Incident, known: Known) -> tuple[AttributePinned, ...]:
    """The event that pins an attribute; () if it is pinned just so."""
    attribute = known.attributes.get(command.attribute)
    if attribute is None:
        raise UnknownReference.at("attribute", f"the ledger has no attribute {command.attribute}")
    check_reference(command.of, OF_KINDS, known, "of")
    value = checked_value(attribute.type_, command.value, attribute.terms, known, "value")
    if isinstance(value, Time) and value.anchor:
        raise Refused.at("value.anchor", "would move what the desk decided: give bounds")
    seen: set[UUID] = set()
    for index, statement_id in enumerate(command.cites):
        if statement_id not in state.statements:
            raise UnknownReference.at(f"cites[{index}]", f"the incident has no statement {statement_id}")
        if statement_id in seen:
            raise Malformed.at(f"cites[{index}]", "is cited twice")
        seen.add(statement_id)
    event = AttributePinned(
        attribute=command.attribute,
        type_=attribute.type_,
        rule=None if attribute.built_in else attribute.rule,
        of=command.of,
        value=stored(value),
        cites=command.cites,
        rationale=command.rationale,
    )
    before = state.pin(command.attribute, command.of)
    same = before and all(getattr(before, name) == getattr(event, name) for name in ("value", "cites", "rationale"))
    return () if same else (event,)


def unpin(command: UnpinAttribute, state: Incident) -> tuple[AttributeUnpinned, ...]:
    """The event that takes a pin away. Raises UnknownReference if there is none."""
    if state.pin(command.attribute, command.of) is None:
        of = f" of {command.of}" if command.of else ""
        raise UnknownReference.at("attribute", f"there is no pin on {command.attribute}{of}")
    return (AttributeUnpinned(attribute=command.attribute, of=command.of, reason=command.reason),)
