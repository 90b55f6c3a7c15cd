"""Statements: from what was asked to what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import replace

from stet.errors import Malformed, NameTaken, Refused, UnknownReference
from stet.incident.claim import RESOLVING, Chain, Claim, SaidAt
from stet.incident.commands import ClaimInput, CorrectStatement, RecordStatement, StatementFieldsInput
from stet.incident.events import StatementCorrected, StatementFields, StatementRecorded
from stet.incident.known import Known
from stet.incident.state import Incident
from stet.incident.statement import Statement
from stet.incident.times import as_given, derive_said_at, derive_time, refuse_cycle
from stet.ledger.attributes import Rule
from stet.values.text import reference_id, require_kind
from stet.values.time import Time
from stet.values.value import AttributeType, DocumentValue, SourceValue, Value, parse_value, stored

OF_KINDS = ("source", "document", "statement")


def incidents_of(body: RecordStatement) -> tuple[UUID, ...]:
    """The incidents that a statement makes claims about, in the order in which it does."""
    return tuple(dict.fromkeys(claim.incident_id for claim in body.claims if claim.incident_id))


def record(
    body: RecordStatement,
    state: Incident,
    incident_id: UUID,
    statement_id: UUID,
    known: Known,
    field: str = "",
) -> StatementRecorded:
    """The event that records the part of a statement that is about this incident. Its claims have their ids."""
    check_speakers(body.speaker, body.chain, known, field)
    refuse_doubled(body.speaker, body.chain, field)
    if body.record and not bytes(body.record.value).startswith(b"{"):
        raise Malformed.at(f"{field}record.value", "must be an object: the row, by the names of its columns")
    taken = _claim_ids(state)
    seen: set[UUID | None] = set()
    claims = []
    for index, given in enumerate(body.claims):
        if given.claim_id in seen or given.claim_id in taken:
            raise NameTaken.at(f"{field}claims[{index}].claim_id", f"{given.claim_id} is a claim already")
        seen.add(given.claim_id)
        if given.incident_id == incident_id:
            claims.append(_claim(given, known, f"{field}claims[{index}]"))
    return StatementRecorded(
        statement_id=statement_id,
        incidents=incidents_of(body) or (incident_id,),
        speaker=body.speaker,
        speaker_unknown=body.speaker in known.unknown,
        chain=body.chain,
        channel=body.channel,
        said_at=derive_said_at(body.said_at, body.citation, known, field),
        verbatim=body.verbatim,
        language=body.language,
        citation=body.citation,
        record=body.record,
        claims=tuple(claims),
    )


def split_correction(
    command: CorrectStatement, holders: Mapping[UUID, Incident], home: UUID
) -> dict[UUID, CorrectStatement]:
    """The part of a correction for each incident that holds the statement. A claim stays with its incident."""
    where = {
        claim_id: incident_id
        for incident_id, state in holders.items()
        for claim_id in state.statements[command.statement_id].claims
    }
    placed = []
    for index, claim in enumerate(command.claims):
        at = where.get(claim.claim_id) if claim.claim_id else None
        if at and claim.incident_id and claim.incident_id != at:
            raise Refused.at(
                f"claims[{index}].incident_id",
                f"the claim is about incident {at}; a correction does not move it",
            )
        about = at or claim.incident_id or home
        if about not in holders:
            raise UnknownReference.at(f"claims[{index}].incident_id", f"incident {about} does not hold this statement")
        placed.append(replace(claim, incident_id=about))
    for index, claim_id in enumerate(command.remove_claims):
        if claim_id not in where:
            raise UnknownReference.at(f"remove_claims[{index}]", f"the statement has no claim {claim_id}")
    return {
        incident_id: replace(
            command,
            claims=tuple(placed),
            remove_claims=tuple(claim_id for claim_id in command.remove_claims if where[claim_id] == incident_id),
        )
        for incident_id in holders
    }


def correct(command: CorrectStatement, state: Incident, incident_id: UUID, known: Known) -> StatementCorrected | None:
    """The event that corrects our record of a statement in this incident; None if that changes nothing."""
    given = command.set
    statement = state.statements[command.statement_id]
    taken = _claim_ids(state) - statement.claims.keys()
    speaker = statement.speaker if given.speaker is UNSET else given.speaker
    chain = statement.chain if given.chain is UNSET else given.chain
    citation = statement.citation if given.citation is UNSET else given.citation
    # What stands there already may name a source that was merged, and what follows from that has not come here yet.
    check_speakers(given.speaker, given.chain, known, "set.")
    refuse_doubled(speaker, chain, "set.")
    fields: dict[str, Any] = {
        name: value
        for name in ("speaker", "chain", "channel", "verbatim", "language", "citation")
        if (value := getattr(given, name)) is not UNSET and value != getattr(statement, name)
    }
    if "speaker" in fields:
        fields |= _of_another_speaker(statement, speaker, known)
    if given.said_at is not UNSET or "citation" in fields:
        stated = as_given(statement.said_at) if given.said_at is UNSET else given.said_at
        said_at: SaidAt = derive_said_at(stated, citation, known, "set.")
        refuse_cycle(statement.statement_id, said_at, known, "set.said_at")
        if said_at != statement.said_at:
            fields["said_at"] = said_at
            if said_at.from_ and citation:
                fields["citation"] = citation  # again, if need be: the event says what its bound was taken from
    claims = []
    for index, claim in enumerate(command.claims):
        if claim.claim_id in taken:
            raise NameTaken.at(f"claims[{index}].claim_id", f"{claim.claim_id} is a claim of another statement")
        if claim.incident_id == incident_id:
            made = _claim(claim, known, f"claims[{index}]")
            if made != statement.claims.get(made.claim_id):
                claims.append(made)
    for index, claim_id in enumerate(command.remove_claims):
        if claim_id not in statement.claims:
            raise UnknownReference.at(f"remove_claims[{index}]", f"the statement has no claim {claim_id}")
    if statement.retracts and command.claims:
        raise Refused.at("claims", "a retraction makes no claims")
    remaining = (statement.claims.keys() | {claim.claim_id for claim in claims}) - set(command.remove_claims)
    if not remaining and not statement.retracts and not statement.record:
        raise Refused.at("remove_claims", "a statement keeps at least one claim about each incident that holds it")
    if not fields and not claims and not command.remove_claims:
        return None
    return StatementCorrected(
        statement_id=statement.statement_id,
        error=command.error,
        set=StatementFields(**fields),
        claims=tuple(claims),
        remove_claims=command.remove_claims,
        reason=command.reason,
    )


def _of_another_speaker(statement: Statement, speaker: UUID, known: Known) -> dict[str, Any]:
    if statement.record:
        raise Refused.at("set.speaker", "the statement publishes, or takes back, a row of its speaker's data set")
    unknown = speaker in known.unknown
    return {} if unknown == statement.speaker_unknown else {"speaker_unknown": unknown}


def check_correction(command: CorrectStatement) -> None:
    """Raises Malformed if a correction asks for nothing, names a claim twice, or both sets and removes it."""
    if command.set == StatementFieldsInput() and not command.claims and not command.remove_claims:
        raise Malformed.at("set", "a correction must change something: give set, claims or remove_claims")
    seen = set(command.remove_claims)
    for index, claim in enumerate(command.claims):
        if claim.claim_id in seen:
            raise Malformed.at(f"claims[{index}].claim_id", "is named twice in this correction")
        if claim.claim_id:
            seen.add(claim.claim_id)


def _claim_ids(state: Incident) -> set[UUID]:
    return {claim_id for statement in state.statements.values() for claim_id in statement.claims}


def check_speakers(speaker: UUID | UnsetType, chain: Chain | UnsetType, known: Known, field: str) -> None:
    """Raises UnknownReference or Refused unless all that are given are sources of the ledger, and not merged."""
    if speaker is not UNSET:
        known.require("source", speaker, f"{field}speaker")
    for index, hop in enumerate(() if chain is UNSET else chain):
        known.require("source", hop.source_id, f"{field}chain[{index}].source_id")


def refuse_doubled(speaker: UUID, chain: Chain, field: str) -> None:
    """Raises Refused unless each of them is there once."""
    seen = {speaker}
    for index, hop in enumerate(chain):
        if hop.source_id in seen:
            raise Refused.at(f"{field}chain[{index}].source_id", "is in the chain already: nobody relays himself")
        seen.add(hop.source_id)


def _claim(given: ClaimInput, known: Known, field: str) -> Claim:
    type_: AttributeType = "text"
    rule: Rule | None = None
    terms: tuple[str, ...] = ()
    if given.attribute is None:
        if given.act in RESOLVING:
            raise Malformed.at(
                f"{field}.attribute", f"the act {given.act} needs one (a claim is given whole, in a correction, too)"
            )
    else:
        attribute = known.attributes.get(given.attribute)
        if attribute is None:
            raise UnknownReference.at(f"{field}.attribute", f"the ledger has no attribute {given.attribute}")
        type_, rule, terms = attribute.type_, None if attribute.built_in else attribute.rule, attribute.terms
    check_reference(given.of, OF_KINDS, known, f"{field}.of")
    check_reference(given.toward, (*OF_KINDS, "incident"), known, f"{field}.toward")
    if given.citation:
        known.require_version(given.citation.document_id, given.citation.version, f"{field}.citation")
    value = checked_value(type_, given.value, terms, known, f"{field}.value")
    assert given.claim_id
    return Claim(
        claim_id=given.claim_id,
        attribute=given.attribute,
        type_=type_,
        rule=rule,
        of=given.of,
        value=stored(value),
        act=given.act,
        certainty=given.certainty,
        scope=given.scope,
        toward=given.toward,
        verbatim=given.verbatim,
        note=given.note,
        citation=given.citation,
    )


def check_reference(reference: str | None, kinds: tuple[str, ...], known: Known, field: str) -> None:
    """Raises Malformed or UnknownReference unless it is absent, a slug, or names something of one of the kinds."""
    require_kind(reference, kinds, field)
    if reference and (named := reference_id(reference)):
        known.require(*named, field)


def checked_value(type_: AttributeType, raw: Raw, terms: tuple[str, ...], known: Known, field: str) -> Value:
    """A value of the type, its times derived; whatever it names exists. Raises Malformed or UnknownReference."""
    value = parse_value(type_, raw, terms, field)
    match value:
        case Time():
            return derive_time(value, known, field)
        case SourceValue(source_id=source_id):
            known.require("source", source_id, f"{field}.source_id")
        case DocumentValue(document_id=document_id):
            known.require("document", document_id, f"{field}.document_id")
    return value
