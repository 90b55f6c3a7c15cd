"""What a command on an incident leads to."""

from __future__ import annotations

from typing import assert_never
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from stet.document.visibility import change, recorded_with
from stet.errors import Malformed, NameTaken, NotFound, Refused, UnknownReference
from stet.incident.commands import (
    AmendIncident,
    AssessStatement,
    ChangeStatus,
    ChangeVisibility,
    CorrectStatement,
    DeskRevision,
    LinkIncident,
    MoveStatement,
    OpenIncident,
    PinAttribute,
    RecordStatement,
    ReinstateStatement,
    RetractStatement,
    StatementRevision,
    SupersedeStatement,
    UnlinkIncident,
    UnpinAttribute,
    WithdrawStatement,
)
from stet.incident.events import IncidentAmended, IncidentEvent, IncidentOpened, IncidentStatusChanged
from stet.incident.known import Known
from stet.incident.links import IncidentLinked, IncidentUnlinked, Link
from stet.incident.pin import pin, unpin
from stet.incident.record import correct, record
from stet.incident.revise import move_out, revise, supersede
from stet.incident.state import Incident
from stet.values.visibility import UNRESTRICTED


def decide(
    command: OpenIncident | RecordStatement | DeskRevision,
    state: Incident,
    incident_id: UUID,
    known: Known,
    statement_ids: tuple[UUID, ...] = (),
) -> tuple[IncidentEvent, ...]:
    """The events of this incident that the command leads to; () = nothing to do.

    `statement_ids` are the ids of the statements that the command records, in order. Raises StetError where the
    rules say no.
    """
    if isinstance(command, OpenIncident):
        return _open(command, state, incident_id, known, statement_ids)
    if state.version == 0:
        raise NotFound(f"there is no incident {incident_id}")
    if isinstance(command, StatementRevision) and command.statement_id not in state.statements:
        raise UnknownReference.at("statement_id", f"the incident has no statement {command.statement_id}")
    match command:
        case RecordStatement():
            return _record(command, state, incident_id, known, statement_ids[0])
        case AmendIncident():
            return _amend(command, state)
        case ChangeStatus(status=status, reason=reason):
            return () if status == state.status else (IncidentStatusChanged(status=status, reason=reason),)
        case CorrectStatement():
            corrected = correct(command, state, incident_id, known)
            return (corrected,) if corrected else ()
        case MoveStatement():
            return move_out(command, state, (incident_id,))
        case PinAttribute():
            return pin(command, state, known)
        case UnpinAttribute():
            return unpin(command, state)
        case ChangeVisibility(statement_id=id_, reason=reason):
            before = state.restricted.get(id_, UNRESTRICTED) if id_ else state.visibility
            return change(before, command, reason, id_, of_incident=id_ is None)
        case LinkIncident() | UnlinkIncident():
            return _link(command, state, incident_id, known)
        case (
            RetractStatement()
            | SupersedeStatement()
            | WithdrawStatement()
            | ReinstateStatement()
            | AssessStatement() as command
        ):
            return revise(command, state, known, statement_ids[0])
        case _ as never:
            assert_never(never)


def _open(
    command: OpenIncident, state: Incident, incident_id: UUID, known: Known, statement_ids: tuple[UUID, ...]
) -> tuple[IncidentEvent, ...]:
    if state.version:
        raise NameTaken(f"there is an incident {incident_id} already")
    opened = IncidentOpened(title=command.title, kind=command.kind, tags=_tags(command.tags))
    restricted = recorded_with(command.visibility, "", of_incident=True)
    return (opened, *restricted, *_statements(command, state, incident_id, known, statement_ids))


def _link(
    command: LinkIncident | UnlinkIncident, state: Incident, incident_id: UUID, known: Known
) -> tuple[IncidentEvent, ...]:
    other, relation, reason = command.incident_id, command.relation, command.reason
    linked = Link(other, relation) in state.links
    if isinstance(command, UnlinkIncident):
        if not linked:
            raise UnknownReference.at("incident_id", f"there is no link {relation} to incident {other}")
        return (IncidentUnlinked(incident_id=other, relation=relation, reason=reason),)
    if other == incident_id:
        raise Refused.at("incident_id", "an incident is not linked to itself")
    known.require("incident", other, "incident_id")
    return () if linked else (IncidentLinked(incident_id=other, relation=relation, reason=reason),)


def _record(
    command: RecordStatement, state: Incident, incident_id: UUID, known: Known, statement_id: UUID
) -> tuple[IncidentEvent, ...]:
    # A data set goes on speaking, whatever the desk thinks of the incident.
    if state.status == "withdrawn" and command.record is None:
        raise Refused("the incident is withdrawn: reopen it before recording statements about it")
    recorded = record(command, state, incident_id, statement_id, known)
    events: tuple[IncidentEvent, ...] = (recorded, *recorded_with(command.visibility, "", statement_id))
    if command.supersedes is None:
        return events
    reason = "it was recorded as taking the place of this one"
    return events + supersede(state, command.supersedes, statement_id, command.speaker, reason, "supersedes")


def _statements(
    command: OpenIncident, state: Incident, incident_id: UUID, known: Known, statement_ids: tuple[UUID, ...]
) -> tuple[IncidentEvent, ...]:
    recorded: list[IncidentEvent] = []
    claim_ids: set[UUID] = set()
    for index, (body, statement_id) in enumerate(zip(command.statements, statement_ids, strict=True)):
        event = record(body, state, incident_id, statement_id, known, f"statements[{index}].")
        for claim in event.claims:
            if claim.claim_id in claim_ids:
                raise Malformed.at(f"statements[{index}].claims", f"claim_id {claim.claim_id} is used twice")
            claim_ids.add(claim.claim_id)
        recorded += [event, *recorded_with(body.visibility, f"statements[{index}].", statement_id)]
    return tuple(recorded)


def _amend(command: AmendIncident, state: Incident) -> tuple[IncidentEvent, ...]:
    if command.title is UNSET and command.kind is UNSET and command.tags is UNSET:
        raise Malformed.at("title", "an amendment must change something: give title, kind or tags")
    event = IncidentAmended(title=command.title, kind=command.kind, tags=command.tags, reason=command.reason)
    if event.tags is not UNSET:
        event = replace(event, tags=_tags(event.tags))
    for name in ("title", "kind", "tags"):
        if getattr(event, name) == getattr(state, name):
            event = replace(event, **{name: UNSET})
    return () if event.title is UNSET and event.kind is UNSET and event.tags is UNSET else (event,)


def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tags))
