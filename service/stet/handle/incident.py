"""Writes to incidents: opening one, recording statements, revisions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from msgspec.structs import replace

from stet.errors import NotFound, UnknownReference
from stet.handle import Decision, Reader, as_recorded, to_events
from stet.handle.fan_out import fan_out, load_published, load_statements
from stet.ids import new_id
from stet.incident.commands import CorrectStatement, IncidentRevision, LinkIncident, OpenIncident, RecordStatement
from stet.incident.decide import decide
from stet.incident.events import IncidentEvent, SaidAt
from stet.incident.known import Known, Mentions, mentions
from stet.incident.record import check_correction, incidents_of, split_correction
from stet.incident.rederive import moved
from stet.incident.state import Incident, fold
from stet.ledger import state as ledger_state
from stet.store.append import NewEvent
from stet.values.time import Bounds, Time

Decide = Callable[[Reader], Awaitable[Decision]]


def with_ids(body: RecordStatement, home: UUID) -> RecordStatement:
    """The statement with an id for every claim, and the incident that each is about."""
    claims = tuple(
        replace(claim, claim_id=claim.claim_id or new_id(), incident_id=claim.incident_id or home)
        for claim in body.claims
    )
    return replace(body, claims=claims)


def open_incident(command: OpenIncident, incident_id: UUID, location: str) -> Decide:
    """Opens an incident, with statements that may be about other incidents, too."""
    command = replace(command, statements=tuple(with_ids(body, incident_id) for body in command.statements))
    statement_ids = tuple(new_id() for _ in command.statements)

    async def decide_(reader: Reader) -> Decision:
        found = Mentions()
        for index, body in enumerate(command.statements):
            _require_home(body, incident_id, f"statements[{index}].")
            found.update(mentions(body))
        found.incident.discard(incident_id)
        known = await load_known(reader, found)
        home = fold(await reader.stream(f"incident:{incident_id}"))
        events = to_events(f"incident:{incident_id}", decide(command, home, incident_id, known, statement_ids))
        others: dict[UUID, Incident] = {}
        for index, (body, statement_id) in enumerate(zip(command.statements, statement_ids, strict=True)):
            field = f"statements[{index}]."
            events += await _in_other_incidents(reader, body, incident_id, statement_id, known, others, field)
        return Decision(location, events)

    return decide_


def record_statement(body: RecordStatement, incident_id: UUID, statement_id: UUID, location: str) -> Decide:
    """Records a statement in every incident that it makes claims about."""
    body = with_ids(body, incident_id)

    async def decide_(reader: Reader) -> Decision:
        state = fold(await reader.stream(f"incident:{incident_id}"))
        if state.version == 0:
            raise NotFound(f"there is no incident {incident_id}")
        _require_home(body, incident_id, "")
        known = await load_known(reader, mentions(body))
        events = to_events(f"incident:{incident_id}", decide(body, state, incident_id, known, (statement_id,)))
        events += await _in_other_incidents(reader, body, incident_id, statement_id, known, {}, "")
        return Decision(location, events)

    return decide_


def revise_incident(command: IncidentRevision, incident_id: UUID, location: str) -> Decide:
    """Revises an incident. What hangs on a corrected statement follows, in the same append."""
    if isinstance(command, CorrectStatement):
        return _correct_statement(command, incident_id, location)

    async def decide_(reader: Reader) -> Decision:
        state = fold(await reader.stream(f"incident:{incident_id}"))
        found = Mentions(incident={command.incident_id}) if isinstance(command, LinkIncident) else Mentions()
        known = await load_known(reader, found)
        return Decision(location, to_events(f"incident:{incident_id}", decide(command, state, incident_id, known)))

    return decide_


async def load_known(reader: Reader, found: Mentions) -> Known:
    """What the log knows of everything mentioned."""
    ledger = ledger_state.fold(await reader.stream(f"ledger:{reader.ledger_id}"))
    sources = await reader.streams([f"source:{id_}" for id_ in sorted(found.source)])
    incidents = await reader.streams([f"incident:{id_}" for id_ in sorted(found.incident)])
    statements = await load_statements(reader, found.statement)
    return Known(
        attributes=ledger.attributes,
        sources=frozenset(UUID(stream[7:]) for stream, events in sources.items() if events),
        incidents=frozenset(UUID(stream[9:]) for stream, events in incidents.items() if events),
        published=await load_published(reader, found.document),
        said={id_: statement.said for id_, statement in statements.items()},
    )


def _require_home(body: RecordStatement, incident_id: UUID, field: str) -> None:
    if incident_id not in incidents_of(body):
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
        state = states.get(other) or fold(await reader.stream(stream))
        decided = decide(body, state, other, known, (statement_id,))
        states[other] = fold(as_recorded(stream, decided, state.version), state)
        events += to_events(stream, decided)
    return events


def _correct_statement(command: CorrectStatement, incident_id: UUID, location: str) -> Decide:
    check_correction(command)
    new_claim_ids = [claim.claim_id or new_id() for claim in command.claims]
    command = replace(
        command,
        claims=tuple(replace(claim, claim_id=id_) for claim, id_ in zip(command.claims, new_claim_ids, strict=True)),
    )

    async def decide_(reader: Reader) -> Decision:
        states = await _holders(reader, command.statement_id, incident_id)
        known = await _known_for_correction(reader, command, states)
        after = dict(states)
        events: list[NewEvent] = []
        said: dict[UUID, Bounds] = {}
        for id_, part in split_correction(command, states, incident_id).items():
            decided: Sequence[IncidentEvent] = decide(part, states[id_], id_, known)
            events += to_events(f"incident:{id_}", decided)
            after[id_] = fold(as_recorded(f"incident:{id_}", decided, states[id_].version), states[id_])
            said |= moved(states[id_], after[id_])
        if said:
            events += await fan_out(reader, events[0].event_id, said=said, states=after)
        return Decision(location, events)

    return decide_


async def _holders(reader: Reader, statement_id: UUID, incident_id: UUID) -> dict[UUID, Incident]:
    home = fold(await reader.stream(f"incident:{incident_id}"))
    if home.version == 0:
        raise NotFound(f"there is no incident {incident_id}")
    if statement_id not in home.statements:
        raise UnknownReference.at("statement_id", f"the incident has no statement {statement_id}")
    others = [id_ for id_ in home.statements[statement_id].incidents if id_ != incident_id]
    streams = await reader.streams([f"incident:{id_}" for id_ in others])
    return {incident_id: home} | {id_: fold(streams[f"incident:{id_}"]) for id_ in others}


async def _known_for_correction(reader: Reader, command: CorrectStatement, states: dict[UUID, Incident]) -> Known:
    """What the correction mentions, what the statement mentions already, and all that its anchor hangs on."""
    found = mentions(command)
    statement = next(iter(states.values())).statements[command.statement_id]
    found.source.update((statement.speaker, *(hop.source_id for hop in statement.chain)))
    if statement.citation:
        found.document.add(statement.citation.document_id)
    anchor = statement.said_at.anchor
    if anchor and anchor.document_id:
        found.document.add(anchor.document_id)
    if anchor and anchor.statement_id:
        found.statement.add(anchor.statement_id)
    known = await load_known(reader, found)
    anchors: dict[UUID, UUID] = {}
    wanted = {id_ for id_ in (_anchor_of(command.set.said_at),) if id_}
    while wanted:
        for id_, hung in (await load_statements(reader, wanted)).items():
            if above := _anchor_of(hung.said_at):
                anchors[id_] = above
        wanted = {anchors[id_] for id_ in wanted if id_ in anchors} - anchors.keys()
    return replace(known, anchors=anchors)


def _anchor_of(said_at: object) -> UUID | None:
    return said_at.anchor.statement_id if isinstance(said_at, Time | SaidAt) and said_at.anchor else None
