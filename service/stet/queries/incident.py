"""One incident at a cut, in each of its views. Each folds the stream: read, cut, resolve."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from stet.database.pool import Connection
from stet.envelope import Cut, Recorded
from stet.errors import Malformed, Merged, NotFound
from stet.incident import state as incident_state
from stet.incident import timeline
from stet.incident.diff import Diff, Side, diff
from stet.incident.explain import Explanation, explain
from stet.incident.matrix import Matrix, matrix
from stet.incident.said import said_by, unsaid
from stet.incident.state import Incident
from stet.incident.view import IncidentView, StatementAnswer, sources_of, statement_answer, view
from stet.queries.cut import ALL_SAID, AsOf, ReadCut, Said, resolve_cut
from stet.queries.one import ledger_at, names_at, read_stream_at
from stet.queries.shown import read_shown


class IncidentAt(NamedTuple):
    """An incident, the cut that it was read at, its events up to there, and the names at the cut."""

    cut: ReadCut
    events: list[Recorded[Any]]
    whole: Incident
    """With every statement that was recorded."""
    state: Incident
    """With those that the cut keeps."""
    names: dict[UUID, str]

    @property
    def own_cut(self) -> Cut:
        """The cut, as an answer about the incident echoes it."""
        return self.cut.of(self.whole.position, self.whole.updated_at)

    @property
    def streams(self) -> list[str]:
        """Those that it was read from."""
        return [f"incident:{self.whole.incident_id}", *(f"source:{id_}" for id_ in sources_of(self.state))]


async def incident_at(
    connection: Connection, ledger_id: UUID, incident_id: UUID, as_of: AsOf, said: Said = ALL_SAID
) -> IncidentAt:
    """The incident at the cut. Raises NotFound before it was opened."""
    return await incident_of(connection, ledger_id, incident_id, await resolve_cut(connection, ledger_id, as_of, said))


async def incident_of(connection: Connection, ledger_id: UUID, incident_id: UUID, cut: ReadCut) -> IncidentAt:
    """The incident at a cut that is resolved already. Raises NotFound before it was opened, Merged where it was merged.

    Merged names the survivor at the cut.
    """
    at = await incident_itself(connection, ledger_id, incident_id, cut)
    survivor, into = incident_id, at.whole.merged_into
    if into is None:
        return at
    while into:
        survivor, stream = into, f"incident:{into}"
        events = (await read_shown(connection, ledger_id, (stream,), cut.audience, cut.position))[stream]
        if not events:
            # Whoever may not see what it is by now is not told of it.
            raise NotFound(f"there is no incident {incident_id}")
        into = incident_state.fold(events).merged_into
    raise Merged.into(incident_id, survivor)


async def incident_itself(connection: Connection, ledger_id: UUID, incident_id: UUID, cut: ReadCut) -> IncidentAt:
    """The same, but a merged incident as what it was when it was merged."""
    events = await read_stream_at(connection, ledger_id, f"incident:{incident_id}", cut)
    whole = incident_state.fold(events)
    state = said_by(whole, cut.said.by, cut.said.match)
    names = await names_at(connection, ledger_id, sources_of(state), cut.position)
    return IncidentAt(cut, events, whole, state, names)


async def view_incident(
    connection: Connection, ledger_id: UUID, incident_id: UUID, as_of: AsOf, *, said: Said = ALL_SAID
) -> tuple[ReadCut, IncidentView]:
    at = await incident_at(connection, ledger_id, incident_id, as_of, said)
    return at.cut, view(at.state, at.names, at.own_cut)


async def view_statement(
    connection: Connection,
    ledger_id: UUID,
    statement_id: UUID,
    as_of: AsOf,
    *,
    incident_id: UUID,
    said: Said = ALL_SAID,
) -> tuple[ReadCut, StatementAnswer]:
    at = await incident_at(connection, ledger_id, incident_id, as_of, said)
    if statement_id not in at.state.statements and statement_id not in at.state.proposals:
        raise NotFound(f"the incident has no statement {statement_id} at this cut")
    return at.cut, statement_answer(at.state, statement_id, at.names, at.own_cut)


async def view_timeline(
    connection: Connection,
    ledger_id: UUID,
    incident_id: UUID,
    as_of: AsOf,
    *,
    axis: timeline.Axis,
    said: Said = ALL_SAID,
) -> tuple[ReadCut, timeline.Timeline]:
    at = await incident_at(connection, ledger_id, incident_id, as_of, said)
    match axis:
        case "recorded":
            hidden = unsaid(at.events, said.by, said.match)
            items = timeline.recorded_axis(at.events, at.state, hidden, at.names)
        case "said":
            items = timeline.said_axis(at.state, at.names)
        case "occurred":
            items = timeline.occurred_axis(at.state, at.names)
    shown = timeline.Timeline(incident_id=incident_id, version=at.state.version, axis=axis, items=items, cut=at.own_cut)
    return at.cut, shown


async def view_matrix(
    connection: Connection, ledger_id: UUID, incident_id: UUID, as_of: AsOf, *, said: Said = ALL_SAID
) -> tuple[ReadCut, Matrix]:
    at = await incident_at(connection, ledger_id, incident_id, as_of, said)
    return at.cut, matrix(at.state, at.names, at.own_cut)


async def view_explanation(
    connection: Connection,
    ledger_id: UUID,
    incident_id: UUID,
    as_of: AsOf,
    *,
    name: str,
    of: str | None,
    said: Said = ALL_SAID,
) -> tuple[ReadCut, Explanation]:
    at = await incident_at(connection, ledger_id, incident_id, as_of, said)
    _, ledger = await ledger_at(connection, ledger_id, AsOf("", position=at.cut.position, audience=at.cut.audience))
    attribute = ledger.attributes.get(name)
    if attribute is None:
        raise NotFound(f"the ledger has no attribute {name}")
    return at.cut, explain(at.state, attribute, of, at.names, at.own_cut)


async def view_diff(
    connection: Connection, ledger_id: UUID, incident_id: UUID, before: ReadCut, after: ReadCut
) -> Diff:
    """What leads from one cut to the other. Raises Malformed if that is the earlier, NotFound before it was opened."""
    if before.position > after.position:
        raise Malformed.at("query.from", f"is position {before.position}, after that of `to`, {after.position}")
    new = await incident_of(connection, ledger_id, incident_id, after)
    old = await incident_itself(connection, ledger_id, incident_id, before)
    return diff(Side(old.state, old.own_cut), Side(new.state, new.own_cut), new.events)
