"""Revisions of incidents and of the statements that they hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from stet.errors import UnknownReference
from stet.handle import Decision, Reader, as_recorded, to_events
from stet.handle.fan_out import fan_out, load_published, load_statements
from stet.handle.incident import Decide, load_known
from stet.handle.merge import merge_incident, revert_merge
from stet.handle.same_source import survivors
from stet.ids import new_id
from stet.incident.claim import SaidAt
from stet.incident.commands import (
    AcceptStatement,
    AmendIncident,
    AssessStatement,
    ChangeStatus,
    ChangeVisibility,
    CorrectStatement,
    LinkIncident,
    MergeIncident,
    MoveStatement,
    PinAttribute,
    RejectStatement,
    RetractStatement,
    RevertMerge,
    Revision,
    SupersedeStatement,
    UnlinkIncident,
    UnpinAttribute,
)
from stet.incident.decide import decide
from stet.incident.events import IncidentEvent
from stet.incident.known import Known, Mentions, mentions
from stet.incident.record import check_correction, split_correction
from stet.incident.rederive import corrections, moved, origins_of, rederive
from stet.incident.review import incidents_of, review
from stet.incident.revise import Revise, check_claim_ids, move_in, move_out
from stet.incident.state import Incident, fold
from stet.store.append import NewEvent
from stet.values.time import Bounds, Time
from stet.values.visibility import refuse_past


def revise_incident(command: Revision, incident_id: UUID, location: str) -> Decide:
    """Revises an incident. What hangs on a corrected statement follows, in the same append."""
    match command:
        case CorrectStatement():
            return _correct_statement(command, incident_id, location)
        case AcceptStatement() | RejectStatement():
            return _review_statement(command, incident_id, location)
        case MoveStatement():
            return _move_statement(command, incident_id, location)
        case MergeIncident():
            return merge_incident(command, incident_id, f"{location.rpartition('/')[0]}/{command.into}")
        case RevertMerge():
            return revert_merge(command, incident_id, location)
        case ChangeVisibility():
            return _change_visibility(command, incident_id, location)
        case AmendIncident() | ChangeStatus() | PinAttribute() | UnpinAttribute() | LinkIncident() | UnlinkIncident():
            return _revise_one(command, incident_id, location)
        case _:
            return _revise_statement(command, incident_id, location)


def _revise_one(
    command: AmendIncident | ChangeStatus | PinAttribute | UnpinAttribute | LinkIncident | UnlinkIncident,
    incident_id: UUID,
    location: str,
) -> Decide:
    async def decide_(reader: Reader) -> Decision:
        state = await reader.writable(incident_id)
        found = Mentions()
        if isinstance(command, PinAttribute):
            found = mentions(command)
        elif isinstance(command, LinkIncident):
            found.incident.add(command.incident_id)
        known = await load_known(reader, found)
        return Decision(location, to_events(f"incident:{incident_id}", decide(command, state, incident_id, known)))

    return decide_


def _revise_statement(command: Revise, incident_id: UUID, location: str) -> Decide:
    """What is said or judged of a statement as a whole goes to every incident that holds it."""
    retraction_id = new_id()

    async def decide_(reader: Reader) -> Decision:
        states = await _holders(reader, command.statement_id, incident_id)
        home, found = states[incident_id], Mentions()
        match command:
            case RetractStatement():
                check_claim_ids(command, states)
                found = mentions(command)
            case AssessStatement():
                check_claim_ids(command, states)
            case SupersedeStatement(superseded_by=newer) if newer not in home.statements:
                raise UnknownReference.at("superseded_by", f"the incident has no statement {newer}")
        known = await load_known(reader, found)
        events: list[NewEvent] = []
        for id_, state in states.items():
            events += to_events(f"incident:{id_}", decide(command, state, id_, known, (retraction_id,)))
        return Decision(location, events)

    return decide_


def _move_statement(command: MoveStatement, incident_id: UUID, location: str) -> Decide:
    async def decide_(reader: Reader) -> Decision:
        states = await _holders(reader, command.statement_id, incident_id)
        entered = await reader.writable(command.to_incident, "to_incident")
        moved_in = move_in(command, states[incident_id], incident_id, entered)
        home = set(await reader.with_merged(incident_id))
        events: list[NewEvent] = []
        for id_, state in states.items():
            events += to_events(f"incident:{id_}", move_out(command, state, home))
        return Decision(location, [*events, *to_events(f"incident:{command.to_incident}", moved_in)])

    return decide_


def _review_statement(command: AcceptStatement | RejectStatement, incident_id: UUID, location: str) -> Decide:
    """In every incident that the proposed statement is about. What its times hang on may have been corrected since."""

    async def decide_(reader: Reader) -> Decision:
        home = await reader.writable(incident_id)
        events: list[NewEvent] = []
        for id_ in dict.fromkeys((incident_id, *incidents_of(home, command.statement_id))):
            stream, state = f"incident:{id_}", await reader.incident(id_)
            decided = review(command, state, await _speaker(reader, state, command.statement_id))
            events += to_events(stream, decided)
            if decided and isinstance(command, AcceptStatement):
                after = fold(as_recorded(stream, decided, state.version), state)
                events += to_events(stream, await _brought_up(reader, after, command.statement_id))
        return Decision(location, events)

    return decide_


async def _speaker(reader: Reader, state: Incident, statement_id: UUID) -> UUID | None:
    """Who the speaker of a proposed statement is by now, if he was merged into another source."""
    proposal = state.proposals.get(statement_id)
    speaker = proposal and proposal.recorded.speaker
    return (await survivors(reader, {speaker})).get(speaker) if speaker else None


async def _brought_up(reader: Reader, state: Incident, statement_id: UUID) -> Sequence[IncidentEvent]:
    """The correction of an accepted statement whose times hang on something that was corrected since."""
    alone = replace(state, statements={statement_id: state.statements[statement_id]})
    documents, statements = origins_of(state.statements[statement_id])
    said = {id_: statement.said for id_, statement in (await load_statements(reader, statements)).items()}
    known = Known(published=await load_published(reader, documents), said=said)
    return corrections(alone, rederive(alone, documents | statements, known), "what this hangs on was corrected")


def _change_visibility(command: ChangeVisibility, incident_id: UUID, location: str) -> Decide:
    """A statement's goes to every incident that ever held it: it is hidden wherever it was.

    An incident's goes to those that were merged into it: they are never shown beside what hides it.
    """

    async def decide_(reader: Reader) -> Decision:
        refuse_past(command.embargo_until, datetime.now(UTC), "embargo_until")
        home = await reader.writable(incident_id)
        states = {f"incident:{incident_id}": home}
        if command.statement_id is None:
            states |= await reader.states([f"incident:{id_}" for id_ in await reader.with_merged(incident_id)])
        else:
            if command.statement_id not in home.statements:
                raise UnknownReference.at("statement_id", f"the incident has no statement {command.statement_id}")
            states |= await reader.states(sorted(await reader.holders([command.statement_id])))
        events: list[NewEvent] = []
        for stream, state in states.items():
            events += to_events(stream, decide(command, state, incident_id, Known()))
        return Decision(location, events)

    return decide_


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
    """The incidents that hold a statement. One that does not know of a merge names it by another id: so none is asked
    where they are."""
    home = await reader.writable(incident_id)
    if statement_id not in home.statements:
        raise UnknownReference.at("statement_id", f"the incident has no statement {statement_id}")
    if home.statements[statement_id].incidents == (incident_id,):
        return {incident_id: home}
    states = await reader.states(sorted(await reader.holders([statement_id])))
    others = {UUID(stream[9:]): state for stream, state in states.items() if not state.merged_into}
    return {incident_id: home} | {id_: state for id_, state in others.items() if statement_id in state.statements}


async def _known_for_correction(reader: Reader, command: CorrectStatement, states: dict[UUID, Incident]) -> Known:
    """What the correction mentions, what the statement mentions already, and all that its anchor hangs on."""
    found = mentions(command)
    statement = next(iter(states.values())).statements[command.statement_id]
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
