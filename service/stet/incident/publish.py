"""PURE: the rows of a data set as statements: a row published is said, replaced by the next, or taken back."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta

from stet.envelope import Command, Recorded
from stet.errors import Malformed, UnknownReference
from stet.incident.claim import Chain, Citation, Record, SaidAt
from stet.incident.commands import ClaimInput, RecordStatement, RetractStatement
from stet.incident.events import IncidentAmended
from stet.incident.links import Tags
from stet.incident.state import Incident
from stet.incident.statement import Statement
from stet.values.text import Language, Line, Prose, Slug
from stet.values.time import TimeInput

_HEADER = ("title", "kind", "tags")
_FOLLOWS = "the data set's row says so"


class RecordLine(Command, frozen=True, kw_only=True):
    """One line of a data set's history: from `said_at` on its row is this, or, with the value null, there is none."""

    record: Record
    said_at: TimeInput
    title: Line | None = None
    """Of the incident; this and `kind` are needed unless the row is taken back."""
    kind: Slug | None = None
    tags: Tags = ()
    chain: Chain = ()
    channel: Line | None = None
    verbatim: Prose | None = None
    language: Language | None = None
    citation: Citation | None = None
    claims: Annotated[tuple[ClaimInput, ...], Meta(max_length=10_000)] = ()


class PublishRecords(Command, frozen=True, kw_only=True):
    """Lines of the history of a data set, in their order: recorded all, or none of them."""

    source_id: UUID
    """The data set: the speaker of every line."""
    lines: Annotated[tuple[RecordLine, ...], Meta(min_length=1, max_length=1_000)]


def incident_of_row(ledger_id: UUID, source_id: UUID, key: str) -> UUID:
    """The incident that a row of a data set opens: the same for ever, whoever publishes it first (docs/adr/0018).

    A UUIDv8 of RFC 9562: 122 bits of a SHA-256.
    """
    digest = sha256(b"stet-row-1\0" + ledger_id.bytes + source_id.bytes + key.encode()).digest()
    value = int.from_bytes(digest[:16], "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    return UUID(int=value & ~(0b11 << 62) | 0b10 << 62)


def last_line(state: Incident, source_id: UUID, key: str) -> Statement | None:
    """The statement or retraction that spoke last of a data set's row, in the order of recording."""
    for statement in reversed(state.statements.values()):
        if statement.speaker == source_id and statement.record and statement.record.key == key:
            return statement
    return None


def check_line(line: RecordLine) -> None:
    """Raises Malformed for a row without title or kind, and for a row taken back that says more than that."""
    for index, claim in enumerate(line.claims):
        if claim.incident_id:
            raise Malformed.at(f"claims[{index}].incident_id", "is not to be given: the row has its incident")
    if line.record.gone:
        for name in ("title", "kind", "tags", "verbatim", "claims"):
            if getattr(line, name):
                raise Malformed.at(name, "says something of a row that is taken back: record.value is null")
    else:
        for name in ("title", "kind"):
            if getattr(line, name) is None:
                raise Malformed.at(name, "is missing")


def to_statement(line: RecordLine, source_id: UUID, last: Statement | None) -> RecordStatement:
    """The statement of a row that is published, given the line that spoke of it last in the incident."""
    return RecordStatement(
        speaker=source_id,
        chain=line.chain,
        channel=line.channel,
        said_at=line.said_at,
        verbatim=line.verbatim,
        language=line.language,
        citation=line.citation,
        supersedes=last.statement_id if last and not last.retracts else None,
        record=line.record,
        claims=line.claims,
    )


def to_retraction(line: RecordLine, last: Statement | None) -> RetractStatement:
    """The retraction of a row. Raises UnknownReference where there is none."""
    if last is None or last.retracts:
        raise UnknownReference.at("record.key", f"the data set has no row {line.record.key} to take back")
    return RetractStatement(
        statement_id=last.statement_id,
        chain=line.chain,
        channel=line.channel,
        said_at=line.said_at,
        language=line.language,
        citation=line.citation,
        record=line.record,
        reason="the row is gone from the data set",
    )


def said_already(line: RecordLine, last: Statement | None, said_at: SaidAt) -> bool:
    """Whether the line that spoke last is this one: a repetition, which adds nothing."""
    return last is not None and (last.record, last.said_at) == (line.record, said_at)


def amendment(line: RecordLine, state: Incident, by_desk: frozenset[str]) -> IncidentAmended | None:
    """The title, kind and tags follow the row, but for those that the desk has set; None: they are as the row says."""
    said = {"title": line.title, "kind": line.kind, "tags": tuple(dict.fromkeys(line.tags))}
    given: dict[str, Any] = {
        name: value for name, value in said.items() if name not in by_desk and value != getattr(state, name)
    }
    return IncidentAmended(**given, reason=_FOLLOWS) if given else None


def set_by_desk(events: Iterable[Recorded[Any]]) -> frozenset[str]:
    """Which of title, kind and tags the desk has set: by an amendment that no row is the cause of."""
    return frozenset(
        name
        for recorded in events
        if isinstance(recorded.event, IncidentAmended) and recorded.causation_id is None
        for name in _HEADER
        if getattr(recorded.event, name) is not UNSET
    )
