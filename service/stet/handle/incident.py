"""Writes to incidents: opening one, recording statements about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from stet.errors import Malformed, Refused, UnknownReference
from stet.handle import Decision, Reader, as_recorded, to_events
from stet.handle.fan_out import load_published, load_statements
from stet.handle.same_source import survivors
from stet.ids import new_id
from stet.incident.commands import (
    OpenIncident,
    RecordStatement,
)
from stet.incident.decide import decide
from stet.incident.events import StatementRecorded
from stet.incident.known import Known, Mentions, mentions
from stet.incident.record import incidents_of
from stet.incident.review import held
from stet.incident.state import Incident, fold
from stet.store.append import NewEvent
from stet.values.visibility import refuse_past

Decide = Callable[[Reader], Awaitable[Decision]]


def with_ids(body: RecordStatement, home: UUID) -> RecordStatement:
    """The statement with an id for every claim, and the incident that each is about."""
    claims = tuple(
        replace(claim, claim_id=claim.claim_id or new_id(), incident_id=claim.incident_id or home)
        for claim in body.claims
    )
    return replace(body, claims=claims)


def open_incident(command: OpenIncident, incident_id: UUID, location: str, *, contributed: bool = False) -> Decide:
    """Opens an incident, with statements that may be about other incidents, too.

    `contributed`: by a contributor, whose statements the ledger may hold for review.
    """
    command = replace(command, statements=tuple(with_ids(body, incident_id) for body in command.statements))
    statement_ids = tuple(new_id() for _ in command.statements)

    async def decide_(reader: Reader) -> Decision:
        found, now = Mentions(), datetime.now(UTC)
        refuse_past(command.visibility.embargo_until, now, "visibility.embargo_until")
        for index, body in enumerate(command.statements):
            _require_home(body, incident_id, f"statements[{index}].")
            refuse_past(body.visibility.embargo_until, now, f"statements[{index}].visibility.embargo_until")
            if body.supersedes:
                field = f"statements[{index}].supersedes"
                raise UnknownReference.at(field, "an incident that is yet to be opened has no earlier statement")
            found.update(mentions(body))
        found.incident.discard(incident_id)
        known = await load_known(reader, found)
        home = await reader.incident(incident_id)
        events = to_events(f"incident:{incident_id}", decide(command, home, incident_id, known, statement_ids))
        others: dict[UUID, Incident] = {}
        for index, (body, statement_id) in enumerate(zip(command.statements, statement_ids, strict=True)):
            field = f"statements[{index}]."
            events += await _in_other_incidents(reader, body, incident_id, statement_id, known, others, field)
        return Decision(location, await _perhaps_held(reader, events, contributed))

    return decide_


def record_statement(
    body: RecordStatement, incident_id: UUID, statement_id: UUID, location: str, *, contributed: bool = False
) -> Decide:
    """Records a statement in every incident that it makes claims about.

    `contributed`: by a contributor, whose statements the ledger may hold for review.
    """
    body = with_ids(body, incident_id)

    async def decide_(reader: Reader) -> Decision:
        state = await reader.writable(incident_id)
        _require_home(body, incident_id, "")
        refuse_past(body.visibility.embargo_until, datetime.now(UTC), "visibility.embargo_until")
        if body.supersedes and body.supersedes not in state.statements:
            raise UnknownReference.at("supersedes", f"the incident has no statement {body.supersedes}")
        known = await load_known(reader, mentions(body))
        events = to_events(f"incident:{incident_id}", decide(body, state, incident_id, known, (statement_id,)))
        events += await _in_other_incidents(reader, body, incident_id, statement_id, known, {}, "")
        return Decision(location, await _perhaps_held(reader, events, contributed))

    return decide_


async def load_known(reader: Reader, found: Mentions) -> Known:
    """What the log knows of everything mentioned."""
    ledger = await reader.ledger()
    sources = (await reader.states([f"source:{id_}" for id_ in sorted(found.source)])).values()
    incidents = {id_: await reader.incident(id_) for id_ in sorted(found.incident)}
    statements = await load_statements(reader, found.statement)
    return Known(
        attributes=ledger.attributes,
        sources=frozenset(source.source_id for source in sources if source.version),
        unknown=frozenset(source.source_id for source in sources if source.kind == "unknown" and source.version),
        incidents=frozenset(id_ for id_, state in incidents.items() if state.version),
        merged=await survivors(reader, found.source)
        | {id_: await reader.survivor(id_) for id_, state in incidents.items() if state.merged_into},
        published=await load_published(reader, found.document),
        said={id_: statement.said for id_, statement in statements.items()},
    )


async def _perhaps_held(reader: Reader, events: list[NewEvent], contributed: bool) -> list[NewEvent]:
    """The events, or, where the ledger holds what contributors say, proposals of the same."""
    if not contributed or not (await reader.ledger()).review:
        return events
    if any(isinstance(new.event, StatementRecorded) and new.event.record for new in events):
        raise Refused.at("record", "this ledger holds what contributors say for review: rows are published by editors")
    found: list[NewEvent] = []
    for stream in dict.fromkeys(event.stream for event in events):
        found += to_events(stream, held(event.event for event in events if event.stream == stream))
    return found


def _require_home(body: RecordStatement, incident_id: UUID, field: str) -> None:
    if not body.claims and not body.record:
        raise Malformed.at(f"{field}claims", "at least one is needed: a statement that says nothing is none")
    if body.record and any(other != incident_id for other in incidents_of(body)):
        raise Refused.at(f"{field}claims", "what a row says is about the incident of the request alone")
    if body.claims and incident_id not in incidents_of(body):
        raise UnknownReference.at(f"{field}claims", "at least one claim must be about the incident of the request")


async def _in_other_incidents(
    reader: Reader,
    body: RecordStatement,
    home: UUID,
    statement_id: UUID,
    known: Known,
    states: dict[UUID, Incident],
    field: str,
) -> list[NewEvent]:
    """The events in other incidents that the statement is about; `states` are those, as they are so far."""
    events: list[NewEvent] = []
    for other in incidents_of(body):
        if other == home:
            continue
        index = next(n for n, claim in enumerate(body.claims) if claim.incident_id == other)
        known.require("incident", other, f"{field}claims[{index}].incident_id")
        stream = f"incident:{other}"
        state = states.get(other) or await reader.incident(other)
        decided = decide(body, state, other, known, (statement_id,))
        states[other] = fold(as_recorded(stream, decided, state.version), state)
        events += to_events(stream, decided)
    return events
