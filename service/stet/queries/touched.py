"""Which attributes the events of an append bear on: no other can have another value than before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, LiteralString, NamedTuple
from uuid import UUID

from msgspec import UNSET

from stet.database.pool import Connection
from stet.envelope import Audience, Recorded
from stet.incident.about import statement_of
from stet.incident.events import (
    AttributePinned,
    AttributeUnpinned,
    StatementAccepted,
    StatementCorrected,
    StatementMovedIn,
    StatementMovedOut,
    StatementRecorded,
    StatementReinstated,
    StatementSuperseded,
    StatementWithdrawn,
)
from stet.redaction.events import PayloadRedacted
from stet.sql import load
from stet.store.read import read_streams

_ATTRIBUTES_OF = load("attributes_of")
_SWAYED_BY = load("swayed_by")


class Part(NamedTuple):
    """What an append changed of one stream, as an audience sees it."""

    stream: str
    change: Literal["created", "changed", "removed"]
    events: list[Recorded[Any]]
    """Those in the append; []: it is to be taken anew."""
    position: int
    """Of the last of them, or of those that are not seen."""
    last: Recorded[Any] | None
    """The last event of the stream that is seen by then; None: none is."""

    @property
    def kind(self) -> str:
        return self.stream.partition(":")[0]

    @property
    def id(self) -> UUID:
        return UUID(self.stream.partition(":")[2])


async def touched_by(
    connection: Connection, ledger_id: UUID, parts: Sequence[Part], audience: Audience, hidden: Sequence[int]
) -> dict[tuple[UUID, int], set[str]]:
    """The attributes that the events of each incident in each append bear on. `hidden` are positions not to look at."""
    found = {(part.id, part.position): {name for one in part.events for name in _named(one.event)} for part in parts}
    for part, names in await _redacted(connection, ledger_id, parts):
        found[part.id, part.position] |= names
    spoken = {(part.id, id_, part.position) for part in parts for one in part.events for id_ in _statements(one.event)}
    swaying = {
        (part.id, id_, part.position)
        for part in parts
        for one in part.events
        if _sways(one.event)
        for id_ in _statements(one.event)
    }
    swayed = await _of(connection, ledger_id, _SWAYED_BY, swaying, audience, hidden)
    for incident_id, position, statement_id, attribute in swayed:
        if statement_id:
            spoken.add((incident_id, statement_id, position))
        else:
            found[incident_id, position].add(attribute)
    for incident_id, position, names in await _of(connection, ledger_id, _ATTRIBUTES_OF, spoken, audience, hidden):
        found[incident_id, position].update(names)
    return found


async def _redacted(connection: Connection, ledger_id: UUID, parts: Sequence[Part]) -> list[tuple[Part, set[str]]]:
    """Of each part with a redaction the attributes that are named by what it redacts."""
    found = []
    for part in parts:
        redactions = [one.event for one in part.events if isinstance(one.event, PayloadRedacted)]
        positions = {erased.position for event in redactions for erased in event.events}
        streams = await read_streams(connection, ledger_id, [part.stream] if positions else ())
        events = [one.event for its in streams.values() for one in its if one.position in positions]
        found.append((part, {name for event in events for name in _named(event)}))
    return found


def _named(event: Any) -> Iterator[str]:
    """The attributes that an event names itself."""
    match event:
        case StatementAccepted(statement=accepted):
            yield from _named(accepted)
        case StatementRecorded(claims=claims) | StatementCorrected(claims=claims):
            yield from (claim.attribute for claim in claims if claim.attribute)
        case StatementMovedIn(statement=statement):
            yield from (claim.attribute for claim in statement.claims.values() if claim.attribute)
        case AttributePinned(attribute=attribute) | AttributeUnpinned(attribute=attribute):
            yield attribute


def _statements(event: Any) -> set[UUID]:
    """The statements that an event speaks of."""
    found = {statement_of(event), getattr(event, "statement_id", None)}
    if isinstance(event, StatementSuperseded):
        found.add(event.superseded_by)
    return {id_ for id_ in found if id_}


def _sways(event: Any) -> bool:
    """Whether, because of what happens to its statement, others may count that did not, or the other way round."""
    match event:
        case StatementWithdrawn() | StatementReinstated() | StatementMovedOut() | StatementMovedIn():
            return True
        case StatementCorrected(set=fields):
            return fields.speaker is not UNSET
        case _:
            return False


async def _of(
    connection: Connection,
    ledger_id: UUID,
    statement: LiteralString,
    wanted: set[tuple[UUID, UUID, int]],
    audience: Audience,
    hidden: Sequence[int],
) -> list[tuple[Any, ...]]:
    """What a statement of SQL finds of some statements of incidents at positions."""
    parameters = {
        "ledger_id": ledger_id,
        "audience": audience,
        "incident_ids": [incident_id for incident_id, _, _ in wanted],
        "statement_ids": [statement_id for _, statement_id, _ in wanted],
        "positions": [position for _, _, position in wanted],
        "hidden": hidden,
    }
    return await (await connection.execute(statement, parameters)).fetchall() if wanted else []
