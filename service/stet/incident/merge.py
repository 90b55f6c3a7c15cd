"""Two incidents that are the same become one, and two again if they were not (docs/merging.md).

The merged incident keeps its statements as they were; the other one is given copies. So a revert finds on one side what
was, on the other what became of it, and gives each incident what is its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from stet.document.events import VisibilityChanged
from stet.envelope import Recorded
from stet.errors import Cycle, NameTaken, Refused
from stet.incident.commands import MergeIncident, RevertMerge
from stet.incident.events import IncidentEvent, StatementMovedIn, StatementMovedOut
from stet.incident.links import IncidentAbsorbed, IncidentMerged, MergeReverted
from stet.incident.revise import supersessions_cycle
from stet.incident.state import Incident, fold
from stet.incident.statement import Statement
from stet.values.visibility import UNRESTRICTED


class Both(NamedTuple):
    """The events in the stream of the merged incident, and in that of the one that it was merged into.

    Of each stream the first event is the cause of the others.
    """

    merged: tuple[IncidentEvent, ...]
    into: tuple[IncidentEvent, ...]


def merge(command: MergeIncident, merged: Incident, into: Incident, aliases: Collection[UUID]) -> Both:
    """Merges one incident into another, neither of which is merged.

    `aliases` are the ids that lead to the survivor: in statements it stands for them. Raises Refused where the two
    cannot be one.
    """
    refuse_merge(merged, into)
    assert merged.incident_id and into.incident_id
    absorbed = IncidentAbsorbed(
        incident_id=merged.incident_id,
        title=merged.title,
        kind=merged.kind,
        tags=merged.tags,
        links=merged.links,
        reason=command.reason,
    )
    arrived: list[IncidentEvent] = []
    for statement in merged.statements.values():
        united = _united(statement, into, {merged.incident_id, *aliases})
        arrived += _moved_in(united, merged, into, command.reason)
    if supersessions_cycle(into.statements | {one.statement.statement_id: one.statement for one in _moves(arrived)}):
        raise Cycle.at("into", "of the statements of the two, some would supersede themselves")
    return Both((IncidentMerged(into=into.incident_id, reason=command.reason),), (absorbed, *arrived))


def refuse_merge(merged: Incident, into: Incident) -> None:
    """Raises Refused where the two cannot be one as they are."""
    if merged.incident_id == into.incident_id:
        raise Cycle.at("into", "is the incident itself")
    if into.status == "withdrawn":
        raise Refused.at("into", "is withdrawn: reopen it before merging into it")
    if merged.visibility != into.visibility:
        # Else the one would tell what the other hides.
        raise Refused.at("into", "is not restricted alike: give both the same label, embargo_until and disclosed_place")
    if any(not one.rejected for one in merged.proposals.values()):
        raise Refused("statements wait for review: accept or reject them before merging the incident")
    own = {claim_id: id_ for id_, statement in into.statements.items() for claim_id in statement.claims}
    for statement in merged.statements.values():
        if clash := statement.claims.keys() & own.keys():
            raise NameTaken.at("into", f"has a claim {min(clash)} of its own already")


def revert(
    command: RevertMerge, merged: Incident, into: Incident, history: Sequence[Recorded[Any]], kept: Collection[UUID]
) -> Both:
    """Gives each of the two what is its own, as it is by now.

    `history` is the stream of the survivor; `kept` are the rows' statements that go with the merged incident. Raises
    Refused if it was not merged into this one.
    """
    assert merged.incident_id and into.incident_id
    parting = _Parting(merged, into, history, kept)
    away, home = merged.incident_id, into.incident_id
    left: list[IncidentEvent] = []
    arrived: list[IncidentEvent] = []
    for id_, statement in into.statements.items():
        owners = parting.owners(statement)
        if away not in owners:
            continue
        own = parting.own(statement, stays=owners != {away})
        if own != merged.statements.get(id_):
            arrived += _moved_in(own, into, merged, command.reason)
        if owners == {away}:
            left.append(_moved_out(id_, home, away, command.reason))
        else:
            rest = parting.rest(statement)
            left.append(StatementMovedIn(statement=rest, from_incident=away, reason=command.reason))
    returned = {id_ for id_, statement in into.statements.items() if away in parting.owners(statement)}
    for id_ in merged.statements:
        if id_ not in returned:
            arrived.append(_moved_out(id_, away, _gone_to(id_, history, home), command.reason))
    return Both(
        (MergeReverted(incident_id=home, reason=command.reason), *arrived),
        (MergeReverted(incident_id=away, reason=command.reason), *left),
    )


def rows_kept(merged: Incident, into: Incident, history: Sequence[Recorded[Any]]) -> frozenset[UUID]:
    """The statements that speak, since the merge, of rows of data sets that the merged incident is of.

    A row has one incident: its lines stay together.
    """
    assert merged.incident_id
    before, _, _ = _around(history, merged.incident_id)
    brought = [into.statements[id_] for id_, its in into.owners.items() if merged.incident_id in its]
    rows = _rows(brought) - _rows(before.statements.values())
    later = into.statements.keys() - into.owners.keys() - before.statements.keys()
    return frozenset(id_ for id_ in later if _rows([into.statements[id_]]) & rows)


class _Parting:
    """What belongs to whom when a merge is reverted."""

    def __init__(
        self, merged: Incident, into: Incident, history: Sequence[Recorded[Any]], kept: Collection[UUID]
    ) -> None:
        assert merged.incident_id and into.incident_id
        self.merged, self.into, self.kept = merged, into, kept
        self.away, self.home = merged.incident_id, into.incident_id
        self.before, self.united, self.at = _around(history, self.away)

    def owners(self, statement: Statement) -> frozenset[UUID]:
        """Whose a statement is. A retraction is of those whose statement it takes back."""
        id_ = statement.statement_id
        if statement.retracts and statement.retracts.statement_id in self.into.statements:
            id_ = statement.retracts.statement_id
        if id_ in self.kept:
            return frozenset((self.away,))
        return self.into.owners.get(id_, frozenset((self.home,)))

    def own(self, statement: Statement, *, stays: bool) -> Statement:
        """The statement as the merged incident has it from then on."""
        was, united = (side.get(statement.statement_id) for side in (self.merged.statements, self.united))
        if was is None or united is None:
            incidents = _with(statement.incidents, self.home, self.away, stays)
            return replace(statement, incidents=incidents)
        # A source that is another one by now is corrected in both streams: the correction goes back, and counts once.
        was = replace(was, corrections=tuple(one for one in was.corrections if one.position < self.at))
        claims = {id_: statement.claims[id_] for id_ in was.claims if id_ in statement.claims}
        if not stays:
            claims |= statement.claims
        same = statement.incidents == united.incidents
        incidents = was.incidents if same else _with(statement.incidents, self.home, self.away, stays)
        return _since(statement, united, was, claims, incidents)

    def rest(self, statement: Statement) -> Statement:
        """The statement as the survivor keeps it: without the claims that the merged incident takes."""
        was, united = (side.get(statement.statement_id) for side in (self.before.statements, self.united))
        taken = self.merged.statements.get(statement.statement_id)
        claims = {id_: claim for id_, claim in statement.claims.items() if not taken or id_ not in taken.claims}
        if was is None or united is None:
            return replace(statement, claims=claims, incidents=_with(statement.incidents, self.home, self.away, True))
        same = statement.incidents == united.incidents
        incidents = was.incidents if same else _with(statement.incidents, self.home, self.away, True)
        return _since(statement, united, was, claims, incidents)


def _since(
    statement: Statement, united: Statement, was: Statement, claims: dict[UUID, Any], incidents: tuple[UUID, ...]
) -> Statement:
    """A statement with what happened before the merge as one incident has it, and what happened since."""
    return replace(
        statement,
        position=was.position,
        recorded_at=was.recorded_at,
        claims=claims,
        incidents=incidents,
        corrections=was.corrections + statement.corrections[len(united.corrections) :],
        superseded=was.superseded + statement.superseded[len(united.superseded) :],
        assessments=was.assessments + statement.assessments[len(united.assessments) :],
        withdrawn=was.withdrawn if statement.withdrawn == united.withdrawn else statement.withdrawn,
    )


def _with(incidents: tuple[UUID, ...], home: UUID, away: UUID, stays: bool) -> tuple[UUID, ...]:
    others = tuple(away if id_ == home and not stays else id_ for id_ in incidents)
    return tuple(dict.fromkeys((*others, away)))


def _united(statement: Statement, into: Incident, gone: Collection[UUID]) -> Statement:
    """A statement as the survivor has it: about it instead of the ids in `gone`; with its own claims, if it has any."""
    home = into.incident_id
    assert home
    held = into.statements.get(statement.statement_id)
    base = held or statement
    incidents = tuple(dict.fromkeys(home if id_ in gone else id_ for id_ in base.incidents))
    if held is None:
        return replace(statement, incidents=incidents)
    known = {one.superseded_by for one in held.superseded}
    newer = tuple(one for one in statement.superseded if one.superseded_by not in known)
    claims = held.claims | statement.claims
    return replace(held, incidents=incidents, claims=claims, superseded=held.superseded + newer)


def _moved_in(statement: Statement, left: Incident, entered: Incident, reason: str) -> list[IncidentEvent]:
    """The events by which a statement comes from one incident into another: its label comes with it."""
    assert left.incident_id
    id_ = statement.statement_id
    events: list[IncidentEvent] = [StatementMovedIn(statement=statement, from_incident=left.incident_id, reason=reason)]
    visibility = left.restricted.get(id_, UNRESTRICTED)
    if visibility != entered.restricted.get(id_, UNRESTRICTED):
        events.append(VisibilityChanged(statement_id=id_, visibility=visibility, reason=reason))
    return events


def _moved_out(id_: UUID, left: UUID, entered: UUID, reason: str) -> StatementMovedOut:
    return StatementMovedOut(statement_id=id_, from_incident=left, to_incident=entered, reason=reason)


def _moves(events: Sequence[IncidentEvent]) -> list[StatementMovedIn]:
    return [one for one in events if isinstance(one, StatementMovedIn)]


def _around(history: Sequence[Recorded[Any]], away: UUID) -> tuple[Incident, dict[UUID, Statement], int]:
    """The survivor before the merge, the statements as they came to it, and where. Raises Refused if there was none."""
    merges = [
        n for n, one in enumerate(history) if isinstance(one.event, IncidentAbsorbed) and one.event.incident_id == away
    ]
    if not merges:
        raise Refused.at("incident_id", f"incident {away} was not merged into this one")
    moved = (one.event for one in history[merges[-1] :] if one.recorded_at == history[merges[-1]].recorded_at)
    united = {one.statement.statement_id: one.statement for one in moved if isinstance(one, StatementMovedIn)}
    return fold(history[: merges[-1]]), united, history[merges[-1]].position


def _rows(statements: Any) -> set[tuple[UUID, str]]:
    return {(one.speaker, one.record.key) for one in statements if one.record}


def _gone_to(id_: UUID, history: Sequence[Recorded[Any]], home: UUID) -> UUID:
    """Where a statement was moved to from the survivor last; where it is there again, the survivor itself."""
    for recorded in reversed(history):
        event = recorded.event
        if isinstance(event, StatementMovedOut) and (event.statement_id, event.from_incident) == (id_, home):
            return event.to_incident
        if isinstance(event, StatementMovedIn) and event.statement.statement_id == id_:
            return home
    return home
