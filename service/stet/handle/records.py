"""Publishing rows of a data set: many lines, each decided upon what those before it led to, in one append."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ParamSpec, TypeVar
from uuid import UUID

from stet.errors import FieldError, Refused, StetError
from stet.handle import Decision, Reader, as_recorded, to_events
from stet.handle.incident import load_known, with_ids
from stet.ids import new_id
from stet.incident.commands import OpenIncident
from stet.incident.decide import decide
from stet.incident.known import Known, Mentions, mentions
from stet.incident.publish import (
    PublishRecords,
    RecordLine,
    amendment,
    check_line,
    incident_of_row,
    last_line,
    said_already,
    set_by_desk,
    to_retraction,
    to_statement,
)
from stet.incident.state import Incident, fold
from stet.incident.times import derive_said_at
from stet.sql import load
from stet.store.append import NewEvent

P = ParamSpec("P")
T = TypeVar("T")
_FIND_ROWS = load("find_rows")
_BREATH = 20
"""After so many lines others have their turn: deciding is work, and this is the loop of all requests."""


def publish_records(
    command: PublishRecords, location: str, *, contributed: bool = False
) -> Callable[[Reader], Awaitable[Decision]]:
    """Records lines of a data set: a row opens an incident, or is a statement or retraction in the one that it has.

    `contributed`: by a contributor; refused where the ledger holds what contributors say for review.
    """
    source_id = command.source_id

    async def decide_(reader: Reader) -> Decision:
        if contributed and (await reader.ledger()).review:
            raise Refused("this ledger holds what contributors say for review: rows are published by editors")
        for index, line in enumerate(command.lines):
            _at(index, check_line, line)
        where = await _incidents(reader, source_id, command.lines)
        known = await _known(reader, source_id, command.lines)
        known.require("source", source_id, "source_id")
        states = {id_: await reader.incident(id_) for id_ in where.values()}
        by_desk = {id_: set_by_desk(await reader.stream(f"incident:{id_}")) for id_ in where.values()}
        events: list[NewEvent] = []
        for index, line in enumerate(command.lines):
            if index % _BREATH == 0:
                await asyncio.sleep(0)
            id_ = where[line.record.key]
            decided = _at(index, _decide_line, line, reader.ledger_id, source_id, id_, states[id_], known, by_desk[id_])
            recorded = as_recorded(f"incident:{id_}", [new.event for new in decided], states[id_].version)
            states[id_] = fold(recorded, states[id_])
            events += decided
        return Decision(location, events)

    return decide_


def _decide_line(
    line: RecordLine,
    ledger_id: UUID,
    source_id: UUID,
    incident_id: UUID,
    state: Incident,
    known: Known,
    by_desk: frozenset[str],
) -> list[NewEvent]:
    last = last_line(state, source_id, line.record.key)
    # A numbered line is never a repetition, and most lines have a number.
    if line.record.seq is None and said_already(line, last, derive_said_at(line.said_at, line.citation, known, "")):
        return []
    stream, statement_id = f"incident:{incident_id}", new_id()
    if line.record.gone:
        retraction = to_retraction(line, last)
        return to_events(stream, decide(retraction, state, incident_id, known, (statement_id,)))
    body = with_ids(to_statement(line, source_id, last), incident_id)
    if state.version == 0:
        assert line.title and line.kind
        opening = OpenIncident(title=line.title, kind=line.kind, tags=line.tags, statements=(body,))
        return to_events(stream, decide(opening, state, incident_id, known, (statement_id,)))
    events = to_events(stream, decide(body, state, incident_id, known, (statement_id,)))
    # Of an incident that something else opened, title, kind and tags are not the row's.
    opened = incident_of_row(ledger_id, source_id, line.record.key) == incident_id
    if opened and (amended := amendment(line, state, by_desk)):
        events += to_events(stream, [amended], causation_id=events[0].event_id)
    return events


async def _incidents(reader: Reader, source_id: UUID, lines: Sequence[RecordLine]) -> dict[str, UUID]:
    """The incident of each row: the one that it opens, unless the desk has moved or merged it into another."""
    keys = list(dict.fromkeys(line.record.key for line in lines))
    parameters = {"ledger_id": reader.ledger_id, "source_id": source_id, "keys": keys}
    found = dict(await (await reader.connection.execute(_FIND_ROWS, parameters)).fetchall())
    where = {key: found.get(key) or incident_of_row(reader.ledger_id, source_id, key) for key in keys}
    await reader.states([f"incident:{id_}" for id_ in where.values()])
    return {key: await reader.survivor(id_) for key, id_ in where.items()}


async def _known(reader: Reader, source_id: UUID, lines: Sequence[RecordLine]) -> Known:
    found = Mentions(source={source_id})
    for line in lines:
        found.update(mentions(to_statement(line, source_id, None)))
    found.incident.clear()
    return await load_known(reader, found)


def _at(index: int, check: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same, but an error names the line that it is of."""
    try:
        return check(*args, **kwargs)
    except StetError as error:
        field = f"lines[{index}]"
        # A row that opens an incident is its first statement: the body has no field of that name.
        named = [FieldError(f"{field}.{one.field.removeprefix('statements[0].')}", one.detail) for one in error.errors]
        errors = tuple(named) or (FieldError(field, str(error)),)
        raise type(error)("; ".join(f"{one.field}: {one.detail}" for one in errors), errors) from error
