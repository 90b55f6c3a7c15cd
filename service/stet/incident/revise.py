"""What becomes of a statement after it was recorded: taken back, replaced, set aside, judged, moved."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import assert_never
from uuid import UUID

from msgspec import UNSET, Raw
from msgspec.structs import replace

from stet.document.events import VisibilityChanged
from stet.errors import Cycle, Malformed, NameTaken, Refused, UnknownReference
from stet.incident.claim import Record
from stet.incident.commands import (
    AssessStatement,
    MoveStatement,
    ReinstateStatement,
    RetractStatement,
    SupersedeStatement,
    WithdrawStatement,
)
from stet.incident.events import (
    StatementAssessed,
    StatementMovedIn,
    StatementMovedOut,
    StatementReinstated,
    StatementRetracted,
    StatementRevision,
    StatementSuperseded,
    StatementWithdrawn,
)
from stet.incident.known import Known
from stet.incident.publish import last_line
from stet.incident.record import check_speakers, refuse_doubled
from stet.incident.state import Incident
from stet.incident.statement import ASSESSED, Statement
from stet.incident.times import derive_said_at
from stet.values.visibility import UNRESTRICTED

Revise = RetractStatement | SupersedeStatement | WithdrawStatement | ReinstateStatement | AssessStatement


def revise(command: Revise, state: Incident, known: Known, retraction_id: UUID) -> tuple[StatementRevision, ...]:
    """The event in one of the incidents that hold the statement; () = nothing to do."""
    statement = state.statements[command.statement_id]
    if statement.retracts and not isinstance(command, WithdrawStatement | ReinstateStatement):
        raise Refused.at("statement_id", "is a retraction, which can be corrected, withdrawn and reinstated only")
    match command:
        case RetractStatement():
            return (_retract(command, statement, state, known, retraction_id),)
        case SupersedeStatement(superseded_by=newer_id, reason=reason):
            newer = state.statements.get(newer_id)
            if newer is None:  # it says nothing of this incident
                return ()
            if newer.retracts:
                raise Refused.at("superseded_by", "is a retraction, which supersedes nothing")
            return supersede(state, statement.statement_id, newer_id, newer.speaker, reason, "superseded_by")
        case WithdrawStatement(ground=ground, reason=reason):
            if statement.withdrawn and statement.withdrawn.ground == ground:
                return ()
            return (StatementWithdrawn(statement_id=statement.statement_id, ground=ground, reason=reason),)
        case ReinstateStatement(reason=reason):
            if not statement.withdrawn:
                return ()
            return (StatementReinstated(statement_id=statement.statement_id, reason=reason),)
        case AssessStatement():
            return _assess(command, statement)
        case _ as never:
            assert_never(never)


def check_claim_ids(command: RetractStatement | AssessStatement, holders: Mapping[UUID, Incident]) -> None:
    """Raises unless each of the claim_ids is a claim of the statement, about any of its incidents, named once."""
    held = {id_ for state in holders.values() for id_ in state.statements[command.statement_id].claims}
    for index, claim_id in enumerate(command.claim_ids):
        if claim_id not in held:
            raise UnknownReference.at(f"claim_ids[{index}]", f"the statement has no claim {claim_id}")
        if claim_id in command.claim_ids[:index]:
            raise Malformed.at(f"claim_ids[{index}]", "is named twice")
    if isinstance(command, AssessStatement) and all(getattr(command, name) is UNSET for name in ASSESSED):
        raise Malformed.at("reliability", f"an assessment must judge something: give one of {', '.join(ASSESSED)}")


def supersede(
    state: Incident, statement_id: UUID, newer_id: UUID, speaker: UUID, reason: str, field: str
) -> tuple[StatementSuperseded, ...]:
    """The event in an incident: `newer_id`, of the speaker, takes the place of the statement.

    () where the incident does not hold the older statement, or where it is so already.
    """
    older = state.statements.get(statement_id)
    if older is None or any(supersession.superseded_by == newer_id for supersession in older.superseded):
        return ()
    if older.retracts:
        raise Refused.at(field, "is a retraction, which nothing supersedes")
    if older.speaker != speaker:
        raise Refused.at(field, "only a statement of the same speaker supersedes it; another's denies it")
    if statement_id in _superseding(state, newer_id):
        raise Cycle.at(field, "a statement cannot supersede itself, nor one that supersedes it")
    return (StatementSuperseded(statement_id=statement_id, superseded_by=newer_id, reason=reason),)


def move_out(command: MoveStatement, state: Incident, home: Collection[UUID]) -> tuple[StatementMovedOut, ...]:
    """The events in an incident that holds the statement: what it says about `home` is about another incident.

    `home` are all ids that lead to it: an incident that did not hear of a merge knows it by another.
    """
    return tuple(
        StatementMovedOut(
            statement_id=moved.statement_id, from_incident=left, to_incident=command.to_incident, reason=command.reason
        )
        for moved in _with_retractions(state, command.statement_id)
        for left in moved.incidents
        if left in home
    )


def move_in(
    command: MoveStatement, state: Incident, home: UUID, entered: Incident
) -> tuple[StatementMovedIn | VisibilityChanged, ...]:
    """The events in the incident that it is moved to: with it go the labels. Raises where it cannot take it."""
    to_incident = command.to_incident
    if state.statements[command.statement_id].retracts:
        raise Refused.at("statement_id", "is a retraction: it goes where the statement goes that it takes back")
    if to_incident == home:
        raise Refused.at("to_incident", "is where the statement is already")
    if entered.version == 0:
        raise UnknownReference.at("to_incident", f"there is no incident {to_incident}")
    if entered.status == "withdrawn":
        raise Refused.at("to_incident", "is withdrawn: reopen it before moving statements there")
    if command.statement_id in entered.statements:
        raise Refused.at("to_incident", "holds this statement already, by other claims")
    taken = {claim_id for statement in entered.statements.values() for claim_id in statement.claims}
    if clash := taken & state.statements[command.statement_id].claims.keys():
        raise NameTaken.at("to_incident", f"has a claim {min(clash)} of its own already")
    if _supersedes_itself(state.statements[command.statement_id], entered):
        raise Cycle.at("to_incident", "holds a statement that supersedes this one and that this one supersedes")
    events: list[StatementMovedIn | VisibilityChanged] = []
    for moved in _with_retractions(state, command.statement_id):
        incidents = tuple(to_incident if incident == home else incident for incident in moved.incidents)
        statement = replace(moved, incidents=incidents)
        events.append(StatementMovedIn(statement=statement, from_incident=home, reason=command.reason))
        visibility = state.restricted.get(moved.statement_id, UNRESTRICTED)
        if visibility != entered.restricted.get(moved.statement_id, UNRESTRICTED):
            events.append(
                VisibilityChanged(statement_id=moved.statement_id, visibility=visibility, reason=command.reason)
            )
    return tuple(events)


def _with_retractions(state: Incident, statement_id: UUID) -> list[Statement]:
    found = [said for said in state.statements.values() if said.retracts and said.retracts.statement_id == statement_id]
    return [state.statements[statement_id], *found]


def _supersedes_itself(moved: Statement, entered: Incident) -> bool:
    """Whether the statement would supersede itself, by way of others, in the incident that it is moved to."""
    newer = [supersession.superseded_by for supersession in moved.superseded]
    return any(moved.statement_id in _superseding(entered, id_) for id_ in newer)


def _superseding(state: Incident, statement_id: UUID) -> set[UUID]:
    """The statement, and all that supersede it, directly or by way of others."""
    found: set[UUID] = set()
    waiting = [statement_id]
    while waiting:
        if (at := waiting.pop()) not in found:
            found.add(at)
            if at in state.statements:
                waiting += [supersession.superseded_by for supersession in state.statements[at].superseded]
    return found


def supersessions_cycle(statements: Mapping[UUID, Statement]) -> bool:
    """Whether any statement supersedes itself by way of others."""
    done: set[UUID] = set()
    for start in statements:
        path: dict[UUID, Iterator[UUID]] = {}
        at: UUID | None = start
        while at is not None:
            if at not in path:
                newer = () if at in done or at not in statements else statements[at].superseded
                path[at] = iter([one.superseded_by for one in newer])
            following = next(path[at], None)
            if following in path:
                return True
            if following is None:
                done.add(at)
                del path[at]
                following = next(reversed(path), None)
            at = following
    return False


def _retract(
    command: RetractStatement, statement: Statement, state: Incident, known: Known, retraction_id: UUID
) -> StatementRetracted:
    check_speakers(UNSET, command.chain, known, "")
    refuse_doubled(statement.speaker, command.chain, "")
    return StatementRetracted(
        statement_id=statement.statement_id,
        claim_ids=command.claim_ids,
        retraction_id=retraction_id,
        incidents=statement.incidents,
        speaker=statement.speaker,
        speaker_unknown=statement.speaker_unknown,
        chain=command.chain,
        channel=command.channel,
        said_at=derive_said_at(command.said_at, command.citation, known, ""),
        verbatim=command.verbatim,
        language=command.language,
        citation=command.citation,
        record=_row_taken_back(command, statement, state),
        reason=command.reason,
    )


def _row_taken_back(command: RetractStatement, statement: Statement, state: Incident) -> Record | None:
    """The row that goes with a statement, if the whole of it does, and it spoke last of the row."""
    published, given = statement.record, command.record
    last = published and last_line(state, statement.speaker, published.key) == statement
    if given is None:
        return Record(key=published.key, value=Raw(b"null")) if published and last and not command.claim_ids else None
    if published is None:
        raise Refused.at("record", "the statement publishes no row")
    if command.claim_ids:
        raise Refused.at("record", "a row is taken back with the whole statement, not with some of its claims")
    if given.key != published.key:
        raise Refused.at("record.key", "is not that of the row that the statement publishes")
    if not given.gone:
        raise Malformed.at("record.value", "must be null in a retraction")
    if not last:
        raise Refused.at("record", "a later line spoke of the row: retract that one")
    return given


def _assess(command: AssessStatement, statement: Statement) -> tuple[StatementAssessed, ...]:
    judged = {name: getattr(command, name) for name in (*ASSESSED, "claim_ids", "basis", "rationale")}
    if statement.assessments and all(
        getattr(statement.assessments[-1], name) == value for name, value in judged.items()
    ):
        return ()
    return (StatementAssessed(statement_id=statement.statement_id, **judged),)
