"""Merging incidents, reverting that, and saying beforehand what a merge would do."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from stet.errors import Refused, StetError
from stet.handle import Decision, Reader, as_recorded, to_events
from stet.handle.incident import Decide
from stet.incident.collide import MergePreview, preview
from stet.incident.commands import MergeIncident, RevertMerge
from stet.incident.events import IncidentEvent, StatementMovedOut
from stet.incident.merge import Both, merge, refuse_merge, revert, rows_kept
from stet.incident.state import Incident, fold
from stet.store.append import NewEvent


def merge_incident(command: MergeIncident, incident_id: UUID, location: str) -> Decide:
    """Merges an incident into another, in one append. `location` is that of the survivor."""

    async def decide_(reader: Reader) -> Decision:
        merged = await reader.writable(incident_id)
        into = await reader.writable(command.into, "into")
        both = await _merged(reader, command, merged, into)
        return Decision(location, _in_both(incident_id, command.into, both))

    return decide_


def revert_merge(command: RevertMerge, incident_id: UUID, location: str) -> Decide:
    """Takes a merge back, in one append. Other incidents that hold a statement hear of it if they know it by this."""

    async def decide_(reader: Reader) -> Decision:
        into = await reader.writable(incident_id)
        if all(one.incident_id != command.incident_id for one in into.absorbed):
            raise Refused.at("incident_id", f"incident {command.incident_id} is not merged into this one")
        merged, history = await reader.incident(command.incident_id), await reader.stream(f"incident:{incident_id}")
        both = revert(command, merged, into, history, rows_kept(merged, into, history))
        events = _in_both(command.incident_id, incident_id, both)
        return Decision(location, [*events, *await _elsewhere(reader, both.into, incident_id, command)])

    return decide_


async def preview_merge(reader: Reader, incident_id: UUID, into_id: UUID) -> MergePreview:
    """What merging would change, and which claims collide; or why it would be refused. Writes nothing.

    Raises NotFound, or Merged, for an incident that cannot be merged because it is none by itself.
    """
    command = MergeIncident(into=into_id, reason="a dry run")
    merged, into = await reader.writable(incident_id), await reader.incident(into_id)
    refused, after = None, into
    try:
        await reader.writable(into_id, "into")
        both = await _merged(reader, command, merged, into)
        after = fold(as_recorded(f"incident:{into_id}", both.into, into.version), into)
    except StetError as error:
        refused = str(error)
    return preview(merged, into_id, into, after, refused)


async def _merged(reader: Reader, command: MergeIncident, merged: Incident, into: Incident) -> Both:
    refuse_merge(merged, into)
    named = {id_ for statement in merged.statements.values() for id_ in statement.incidents}
    aliases = {id_ for id_ in sorted(named) if await reader.survivor(id_) == command.into}
    return merge(command, merged, into, aliases)


def _in_both(merged: UUID, into: UUID, both: Both) -> list[NewEvent]:
    return [*_caused(f"incident:{merged}", both.merged), *_caused(f"incident:{into}", both.into)]


def _caused(stream: str, events: Sequence[IncidentEvent]) -> list[NewEvent]:
    """The events of one stream, of which the first is the cause of the others."""
    first = to_events(stream, events[:1])
    return first + to_events(stream, events[1:], first[0].event_id)


async def _elsewhere(reader: Reader, left: Sequence[IncidentEvent], home: UUID, command: RevertMerge) -> list[NewEvent]:
    """What other incidents hear of the statements that leave the survivor: those which know them as about it."""
    away = command.incident_id
    gone = {one.statement_id for one in left if isinstance(one, StatementMovedOut)}
    streams = await reader.holders(sorted(gone)) - {f"incident:{home}", f"incident:{away}"}
    events: list[NewEvent] = []
    for stream, state in (await reader.states(sorted(streams))).items():
        its = [] if state.merged_into else [state.statements[id_] for id_ in gone & state.statements.keys()]
        events += to_events(
            stream,
            [
                StatementMovedOut(
                    statement_id=one.statement_id, from_incident=home, to_incident=away, reason=command.reason
                )
                for one in sorted(its, key=lambda one: one.position)
                if home in one.incidents
            ],
        )
    return events
