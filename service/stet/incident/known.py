"""What a command on an incident mentions, and what is known of that: the bridge between a request and the log."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw, Struct

from stet.document.events import DocumentCorrected, DocumentRegistered
from stet.errors import Merged, UnknownReference
from stet.incident.claim import Citation, Claim
from stet.incident.commands import (
    ClaimInput,
    CorrectStatement,
    PinAttribute,
    RecordStatement,
    RetractStatement,
    StatementFieldsInput,
)
from stet.incident.events import (
    AttributePinned,
    StatementAccepted,
    StatementCorrected,
    StatementFields,
    StatementMovedIn,
    StatementMovedOut,
    StatementRecorded,
    StatementRetracted,
)
from stet.incident.links import IncidentAbsorbed, IncidentLinked, IncidentMerged, MergeReverted
from stet.incident.statement import Statement
from stet.ledger.attributes import Attribute
from stet.source.events import SourceRegistered, SourceRevised
from stet.source.merge import refuse_merged
from stet.values.text import reference_id
from stet.values.time import Anchor, Bounds, Time

_KINDS = ("source", "document", "statement")


class Mentions(Struct, frozen=True, kw_only=True):
    """The ids that something names, by kind."""

    source: set[UUID] = msgspec.field(default_factory=set)
    document: set[UUID] = msgspec.field(default_factory=set)
    statement: set[UUID] = msgspec.field(default_factory=set)
    incident: set[UUID] = msgspec.field(default_factory=set)

    def update(self, other: Mentions) -> None:
        for kind in self.__struct_fields__:
            getattr(self, kind).update(getattr(other, kind))


class Known(Struct, frozen=True, kw_only=True):
    """What the log says about what a command mentions, at the versions that the append will check."""

    attributes: dict[str, Attribute] = {}
    sources: frozenset[UUID] = frozenset()
    unknown: frozenset[UUID] = frozenset()
    """The sources of the kind `unknown`."""
    published: dict[UUID, dict[int, Bounds]] = {}
    """When each version of each document was published."""
    said: dict[UUID, Bounds] = {}
    """When each statement was said."""
    anchors: dict[UUID, UUID] = {}
    """The statement that each statement's said_at hangs on, if any."""
    incidents: frozenset[UUID] = frozenset()
    merged: dict[UUID, UUID] = {}
    """Of the sources and incidents that were merged, which they are by now."""

    def require(self, kind: str, id_: UUID, field: str) -> None:
        """Raises UnknownReference unless there is such a thing.

        Where it is another one by now: Refused for a source, Merged for an incident.
        """
        there = {
            "source": self.sources,
            "document": self.published,
            "statement": self.said,
            "incident": self.incidents,
        }
        if id_ not in there[kind]:
            raise UnknownReference.at(field, f"there is no {kind} {id_}")
        if kind == "source":
            refuse_merged(id_, self.merged.get(id_), field)
        if kind == "incident" and id_ in self.merged:
            raise Merged.into(id_, self.merged[id_], field)

    def require_version(self, document_id: UUID, version: int, field: str) -> Bounds:
        """When the version was published. Raises UnknownReference unless the document has it."""
        self.require("document", document_id, f"{field}.document_id")
        if version not in self.published[document_id]:
            raise UnknownReference.at(f"{field}.version", f"document {document_id} has no version {version}")
        return self.published[document_id][version]


def mentions(command: RecordStatement | CorrectStatement | RetractStatement | PinAttribute) -> Mentions:
    """Everything that a statement, a correction or retraction of one, or a pin names."""
    match command:
        case RetractStatement():
            return _mentions(command, ())
        case PinAttribute():
            found = Mentions()
            _add_reference(found, command.of)
            _add_value(found, command.value)
        case RecordStatement():
            found = _mentions(command, command.claims)
            found.incident.update(claim.incident_id for claim in command.claims if claim.incident_id)
        case CorrectStatement():
            found = _mentions(command.set, command.claims)
            found.incident.update(claim.incident_id for claim in command.claims if claim.incident_id)
    return found


def references(event: object, stream: str) -> set[tuple[str, str]]:
    """What an event makes its stream have to do with others: (target, role), as in the table `reference`.

    A target is `source:ID`, `document:ID`, `statement:ID` or `incident:ID`. The stream `holds` a statement, has times
    that are derived from the target (`hangs`), or only `names` it.
    """
    return {(target, role) for target, role in _references(event) if target != stream}


def _references(event: object) -> set[tuple[str, str]]:
    match event:
        case StatementRecorded(statement_id=held):
            return {(f"statement:{held}", "holds"), *_roles(event, event.claims), *_incidents(event.incidents)}
        case StatementAccepted(statement=accepted):
            return _references(accepted)
        case StatementRetracted(retraction_id=held):
            return {(f"statement:{held}", "holds"), *_roles(event, ()), *_incidents(event.incidents)}
        case StatementMovedIn(statement=statement):
            held, incidents = statement.statement_id, (*statement.incidents, event.from_incident)
            roles = _roles(statement, statement.claims.values())
            newer = _named(Mentions(statement={one.superseded_by for one in statement.superseded}))
            return {(f"statement:{held}", "holds"), *roles, *newer, *_incidents(incidents)}
        case StatementMovedOut():
            return _incidents((event.from_incident, event.to_incident))
        case IncidentLinked(incident_id=other) | IncidentMerged(into=other) | MergeReverted(incident_id=other):
            return _incidents((other,))
        case IncidentAbsorbed(incident_id=absorbed, links=links):
            return _incidents((absorbed, *(link.incident_id for link in links)))
        case StatementCorrected():
            return _roles(event.set, event.claims)
        case AttributePinned():
            found = Mentions(statement=set(event.cites))
            _add_reference(found, event.of)
            _add_value(found, event.value)
            return _named(found)
        case SourceRegistered(parent=source_id) | SourceRevised(parent=source_id):
            return _named(Mentions(source={source_id} if isinstance(source_id, UUID) else set()))
        case DocumentRegistered(publisher=source_id) | DocumentCorrected(publisher=source_id):
            return _named(Mentions(source={source_id} if isinstance(source_id, UUID) else set()))
        case _:
            return set()


def _incidents(ids: Iterable[UUID]) -> set[tuple[str, str]]:
    return {(f"incident:{id_}", "names") for id_ in ids}


_Body = StatementRecorded | StatementRetracted | StatementFields | Statement


def _roles(body: _Body, claims: Collection[Claim]) -> set[tuple[str, str]]:
    found, hung = _mentions(body, claims), Mentions()
    if body.said_at is not UNSET:
        _add_anchor(hung, body.said_at.anchor)
        if body.said_at.from_ and body.said_at.from_.document_id:
            hung.document.add(body.said_at.from_.document_id)
    if isinstance(body.citation, Citation) and (body.said_at is UNSET or body.said_at.from_):
        hung.document.add(body.citation.document_id)
    for claim in claims:
        if claim.type_ == "time":
            _add_value(hung, claim.value)
    hangs = {(f"{kind}:{id_}", "hangs") for kind in _KINDS for id_ in getattr(hung, kind)}
    return hangs | {(target, role) for target, role in _named(found) if (target, "hangs") not in hangs}


def _named(found: Mentions) -> set[tuple[str, str]]:
    return {(f"{kind}:{id_}", "names") for kind in (*_KINDS, "incident") for id_ in getattr(found, kind)}


def _mentions(
    body: RecordStatement | StatementFieldsInput | RetractStatement | _Body,
    claims: Iterable[ClaimInput | Claim],
) -> Mentions:
    found = Mentions()
    if not isinstance(body, RetractStatement) and body.speaker is not UNSET:
        found.source.add(body.speaker)
    if body.chain is not UNSET:
        found.source.update(hop.source_id for hop in body.chain)
    if isinstance(body.citation, Citation):
        _add_citation(found, body.citation)
    if isinstance(body.said_at, Time):
        _add_anchor(found, body.said_at.anchor)
    for claim in claims:
        _add_citation(found, claim.citation)
        _add_reference(found, claim.of)
        _add_reference(found, claim.toward)
        _add_value(found, claim.value)
    return found


def _add_citation(found: Mentions, citation: Citation | None) -> None:
    if citation:
        found.document.add(citation.document_id)


def _add_anchor(found: Mentions, anchor: Anchor | None) -> None:
    if anchor and anchor.document_id:
        found.document.add(anchor.document_id)
    if anchor and anchor.statement_id:
        found.statement.add(anchor.statement_id)


def _add_reference(found: Mentions, reference: str | None) -> None:
    if reference and (named := reference_id(reference)):
        getattr(found, named[0]).add(named[1])


def _add_value(found: Mentions, raw: Raw) -> None:
    """Values are not parsed by type here: what does not fit its type is refused by decide, with its field."""
    if not bytes(raw).lstrip().startswith(b"{"):
        return
    try:
        value = msgspec.json.decode(raw, type=_ValueMentions)
    except (msgspec.MsgspecError, RecursionError):
        return
    if value.source_id:
        found.source.add(value.source_id)
    if value.document_id:
        found.document.add(value.document_id)
    _add_anchor(found, value.anchor)


class _ValueMentions(Struct, frozen=True):
    source_id: UUID | None = None
    document_id: UUID | None = None
    anchor: Anchor | None = None
