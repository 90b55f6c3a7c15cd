"""A statement as it is searched: who, when, about what, in which words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from stet.incident.statement import Statement
from stet.values.compare import END
from stet.values.text import reference_id
from stet.values.value import AttributeType, SourceValue
from stet.values.words import words

_WORDS_BYTES = 600_000


class StatementRow(Struct, frozen=True, kw_only=True):
    """What a row of statement_history holds of one version of a statement's record."""

    statement_id: UUID
    statement_position: int
    """Of the event that recorded it first."""
    said_earliest: datetime | None
    """None: not known."""
    said_latest: datetime
    speaker: UUID
    relays: tuple[UUID, ...]
    reporters: tuple[UUID, ...]
    channel: str | None
    attributes: tuple[str, ...]
    acts: tuple[str, ...]
    retracts: UUID | None
    record_key: str | None
    """The row of a data set that it publishes or takes back."""
    record_seq: int | None
    words: tuple[str, ...]
    """The words of all its texts, and `:ID` for each source that it has to do with."""


def row_of(statement: Statement) -> StatementRow:
    """The row of a statement."""
    claims = statement.claims.values()
    earliest, latest = statement.said
    sources = {statement.speaker, *(hop.source_id for hop in statement.chain)}
    texts = [statement.channel, statement.verbatim]
    for claim in claims:
        texts += [claim.verbatim, claim.note, *_texts_of(claim.type_, claim.value)]
        for reference in (claim.of, claim.toward):
            if reference and (named := reference_id(reference)):
                sources |= {named[1]} if named[0] == "source" else set()
            else:
                texts.append(reference)
        if claim.type_ == "source":
            sources.add(msgspec.json.decode(claim.value, type=SourceValue).source_id)
    return StatementRow(
        statement_id=statement.statement_id,
        statement_position=statement.position,
        said_earliest=earliest,
        said_latest=latest or END,
        speaker=statement.speaker,
        relays=tuple(hop.source_id for hop in statement.chain if hop.role == "relay"),
        reporters=tuple(hop.source_id for hop in statement.chain if hop.role == "reporter"),
        channel=statement.channel,
        attributes=tuple(sorted({claim.attribute for claim in claims if claim.attribute})),
        acts=tuple(sorted({claim.act for claim in claims})),
        retracts=statement.retracts.statement_id if statement.retracts else None,
        record_key=statement.record.key if statement.record else None,
        record_seq=statement.record.seq if statement.record else None,
        words=(*within_bounds(words(*texts)), *sorted(source_lexeme(source_id) for source_id in sources)),
    )


def within_bounds(found: tuple[str, ...]) -> Iterator[str]:
    """As many words as a tsvector holds, which is a megabyte: of a text of that length the last are not found."""
    left = _WORDS_BYTES
    for word in found:
        left -= len(word.encode())
        if left < 0:
            return
        yield word


def source_lexeme(source_id: UUID) -> str:
    """The word by which a source is found in a row; no text has it, nor a word that begins so."""
    return f":{source_id}"


class _Named(Struct, frozen=True):
    """What a value of any type has in words; the rest of it is not read."""

    name: str | None = None
    verbatim: str | None = None


_text, _named = msgspec.json.Decoder(str).decode, msgspec.json.Decoder(_Named).decode


def _texts_of(type_: AttributeType, value: msgspec.Raw) -> tuple[str | None, ...]:
    match type_:
        case "text" | "term":
            return (_text(value),)
        case "place" | "time":
            found = _named(value)
            return found.name, found.verbatim
        case _:
            return ()
