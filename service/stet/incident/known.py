"""What a command on an incident mentions, and what is known of that: the bridge between a request and the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    IncidentAmended,
    IncidentOpened,
    StatementAccepted,
    StatementCorrected,
    StatementFields,
    StatementMovedIn,
    StatementMovedOut,
    StatementRecorded,
    StatementRetracted,
    StatementSuperseded,
)
from stet.incident.links import IncidentAbsorbed, IncidentLinked, IncidentMerged, MergeReverted
from stet.incident.statement import Statement
from stet.ledger.attributes import Attribute
from stet.source.events import SourceRegistered, SourceRevised
from stet.source.merge import refuse_merged
from stet.values.text import reference_id
from stet.values.time import Anchor, Bounds, Time

Named = tuple[str, UUID]
"""The kind of something, and its id."""


class Mentions(Struct, frozen=True, kw_only=True):
    """The ids that something names, by kind."""

    source: set[UUID] = msgspec.field(default_factory=set)
    document: set[UUID] = msgspec.field(default_factory=set)
    statement: set[UUID] = msgspec.field(default_factory=set)
    incident: set[UUID] = msgspec.field(default_factory=set)

    def update(self, other: Mentions) -> None:
        for kind in self.__struct_fields__:
            getattr(self, kind).update(getattr(other, kind))

    def add(self, named: Iterable[Named]) -> None:
        for kind, id_ in named:
            getattr(self, kind).add(id_)


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
    found = Mentions()
    match command:
        case RetractStatement():
            found.add(_mentioned(command, ()))
        case PinAttribute():
            found.add(_of_reference(command.of))
            found.add(_of_values((command.value,)))
        case RecordStatement():
            found.add(_mentioned(command, command.claims))
            found.incident.update(claim.incident_id for claim in command.claims if claim.incident_id)
        case CorrectStatement():
            found.add(_mentioned(command.set, command.claims))
            found.incident.update(claim.incident_id for claim in command.claims if claim.incident_id)
    return found


def references(event: object, stream: str) -> set[tuple[str, str]]:
    """What an event makes its stream have to do with others: (target, role), as in the table `reference`.

    A target is `source:ID`, `document:ID`, `statement:ID` or `incident:ID`. The stream `holds` a statement, has times
    that are derived from the target (`hangs`), or only `names` it.
    """
    return {one for one in _references(event) if one[0] != stream}


def _references(event: object) -> set[tuple[str, str]]:
    match event:
        case StatementRecorded(statement_id=held):
            return {(f"statement:{held}", "holds"), *_roles(event, event.claims), *_incidents(event.incidents)}
        case IncidentOpened() | IncidentAmended() | StatementSuperseded():
            return set()  # as they often are, so they are not compared with all that follow
        case StatementAccepted(statement=accepted):
            return _references(accepted)
        case StatementRetracted(retraction_id=held):
            return {(f"statement:{held}", "holds"), *_roles(event, ()), *_incidents(event.incidents)}
        case StatementMovedIn(statement=statement):
            held, incidents = statement.statement_id, (*statement.incidents, event.from_incident)
            roles = _roles(statement, tuple(statement.claims.values()))
            newer = _names(("statement", one.superseded_by) for one in statement.superseded)
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
            cited = (("statement", id_) for id_ in event.cites)
            return _names((*cited, *_of_reference(event.of), *_of_values((event.value,))))
        case SourceRegistered(parent=source_id) | SourceRevised(parent=source_id):
            return _names([("source", source_id)] if isinstance(source_id, UUID) else ())
        case DocumentRegistered(publisher=source_id) | DocumentCorrected(publisher=source_id):
            return _names([("source", source_id)] if isinstance(source_id, UUID) else ())
        case _:
            return set()


def _incidents(ids: Iterable[UUID]) -> set[tuple[str, str]]:
    return {(f"incident:{id_}", "names") for id_ in ids}


def _names(named: Iterable[Named]) -> set[tuple[str, str]]:
    return {(f"{kind}:{id_}", "names") for kind, id_ in named}


_Body = StatementRecorded | StatementRetracted | StatementFields | Statement


def _roles(body: _Body, claims: Sequence[Claim]) -> set[tuple[str, str]]:
    named, hung = _mentioned(body, claims), set(_hung(body, claims))
    if not hung:
        return _names(named)
    return _names(one for one in named if one not in hung) | {(f"{kind}:{id_}", "hangs") for kind, id_ in hung}


def _hung(body: _Body, claims: Sequence[Claim]) -> Iterator[Named]:
    """What times of a statement are derived from."""
    if body.said_at is not UNSET:
        yield from _of_anchor(body.said_at.anchor)
        if body.said_at.from_ and body.said_at.from_.document_id:
            yield "document", body.said_at.from_.document_id
    if isinstance(body.citation, Citation) and (body.said_at is UNSET or body.said_at.from_):
        yield "document", body.citation.document_id
    yield from _of_values([claim.value for claim in claims if claim.type_ == "time"])


def _mentioned(
    body: RecordStatement | StatementFieldsInput | RetractStatement | _Body,
    claims: Sequence[ClaimInput | Claim],
) -> Iterator[Named]:
    if not isinstance(body, RetractStatement) and body.speaker is not UNSET:
        yield "source", body.speaker
    if body.chain is not UNSET:
        for hop in body.chain:
            yield "source", hop.source_id
    if isinstance(body.citation, Citation):
        yield "document", body.citation.document_id
    if isinstance(body.said_at, Time):
        yield from _of_anchor(body.said_at.anchor)
    for claim in claims:
        if claim.citation:
            yield "document", claim.citation.document_id
        if claim.of:
            yield from _of_reference(claim.of)
        if claim.toward:
            yield from _of_reference(claim.toward)
    yield from _of_values([claim.value for claim in claims])


def _of_anchor(anchor: Anchor | None) -> Iterator[Named]:
    if anchor and anchor.document_id:
        yield "document", anchor.document_id
    if anchor and anchor.statement_id:
        yield "statement", anchor.statement_id


def _of_reference(reference: str | None) -> tuple[Named, ...]:
    named = reference_id(reference) if reference else None
    return (named,) if named else ()


def _of_values(raw: Iterable[Raw]) -> Iterator[Named]:
    """Values are not parsed by type here: what does not fit its type is refused by decide, with its field."""
    values = [bytes(one) for one in raw]
    # Most name nothing, and are not decoded; a field's name may be spelt with escapes.
    text = b"".join(values)
    if b"_id" not in text and b"anchor" not in text and b"\\" not in text:
        return
    for one in values:
        if not one.lstrip().startswith(b"{"):
            continue
        try:
            value = msgspec.json.decode(one, type=_ValueMentions)
        except (msgspec.MsgspecError, RecursionError):
            continue
        if value.source_id:
            yield "source", value.source_id
        if value.document_id:
            yield "document", value.document_id
        yield from _of_anchor(value.anchor)


class _ValueMentions(Struct, frozen=True):
    source_id: UUID | None = None
    document_id: UUID | None = None
    anchor: Anchor | None = None
