"""What follows in an incident when sources turn out to be others: all that named them names those."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec
from msgspec import Raw
from msgspec.structs import asdict, replace

from stet.incident.claim import Chain, Claim, Hop
from stet.incident.events import AttributePinned, AttributeUnpinned, StatementCorrected, StatementFields
from stet.incident.state import Incident, Pin
from stet.incident.statement import Statement
from stet.values.text import reference_id
from stet.values.value import AttributeType, SourceValue, stored

Into = Mapping[UUID, UUID]
"""The source that each merged one is."""
Following = StatementCorrected | AttributePinned | AttributeUnpinned


def follow(state: Incident, into: Into, unknown: Collection[UUID], reason: str) -> tuple[Following, ...]:
    """The events after which no statement and no pin names a merged source; one a statement.

    `unknown` are the sources of the kind `unknown`. Proposals stay as they were proposed, and follow when accepted.
    """
    corrected = (_correction(one, into, unknown, reason) for one in state.statements.values())
    return (*(event for event in corrected if event), *_pins(state, into, reason))


def named_in(state: Incident) -> set[UUID]:
    """Every source that the statements name."""
    found: set[UUID] = set()
    for statement in state.statements.values():
        found |= {statement.speaker, *(hop.source_id for hop in statement.chain)}
        for claim in statement.claims.values():
            found |= {id_ for one in (claim.of, claim.toward) if (id_ := _source(one))}
            if claim.type_ == "source":
                found.add(msgspec.json.decode(claim.value, type=SourceValue).source_id)
    return found


def chain_of(speaker: UUID, chain: Chain, into: Into) -> Chain:
    """The chain by the merged names: nobody relays himself, and of two hops that are one the first stays."""
    seen, hops = {speaker}, []
    for hop in chain:
        source_id = into.get(hop.source_id, hop.source_id)
        if source_id not in seen:
            hops.append(Hop(source_id, hop.role))
            seen.add(source_id)
    return tuple(hops)


def _correction(statement: Statement, into: Into, unknown: Collection[UUID], reason: str) -> StatementCorrected | None:
    fields = StatementFields()
    speaker = into.get(statement.speaker, statement.speaker)
    if speaker != statement.speaker:
        fields = replace(fields, speaker=speaker)
        if (speaker in unknown) != statement.speaker_unknown:
            fields = replace(fields, speaker_unknown=speaker in unknown)
    if (chain := chain_of(speaker, statement.chain, into)) != statement.chain:
        fields = replace(fields, chain=chain)
    claims = tuple(after for one in statement.claims.values() if (after := _claim(one, into)) != one)
    if fields == StatementFields() and not claims:
        return None
    return StatementCorrected(
        statement_id=statement.statement_id, error="reference", set=fields, claims=claims, reason=reason
    )


def _claim(claim: Claim, into: Into) -> Claim:
    return replace(
        claim,
        of=_reference(claim.of, into),
        toward=_reference(claim.toward, into),
        value=_value(claim.type_, claim.value, into),
    )


def _pins(state: Incident, into: Into, reason: str) -> tuple[Following, ...]:
    """What is pinned of a merged source is pinned of the other, unless the desk has decided on that, too."""
    unpinned: list[Following] = []
    pinned: list[Following] = []
    taken = {(pin.attribute, pin.of) for pin in state.pins}
    for pin in state.pins:
        of, value = _reference(pin.of, into), _value(pin.type_, pin.value, into)
        if of != pin.of:
            unpinned.append(AttributeUnpinned(attribute=pin.attribute, of=pin.of, reason=reason))
            if (pin.attribute, of) in taken:
                continue
            taken.add((pin.attribute, of))
        if (of, value) != (pin.of, pin.value):
            pinned.append(_pinned(pin, of, value))
    return (*unpinned, *pinned)


def _pinned(pin: Pin, of: str | None, value: Raw) -> AttributePinned:
    given = {name: one for name, one in asdict(pin).items() if name in AttributePinned.__struct_fields__}
    return AttributePinned(**given | {"of": of, "value": value})


def _source(reference: str | None) -> UUID | None:
    named = reference_id(reference) if reference else None
    return named[1] if named and named[0] == "source" else None


def _reference(reference: str | None, into: Into) -> str | None:
    source_id = _source(reference)
    return f"source:{into[source_id]}" if source_id and source_id in into else reference


def _value(type_: AttributeType, value: Raw, into: Into) -> Raw:
    if type_ != "source":
        return value
    source_id = msgspec.json.decode(value, type=SourceValue).source_id
    return stored(SourceValue(into[source_id])) if source_id in into else value
