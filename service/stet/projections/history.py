"""What an append changes in the histories: incidents by slice, statements by version, names of sources and documents.

Pure: from the states before and after, and the live slices of the incident. docs/architecture.md has the law that
every row obeys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from stet.document.state import Document
from stet.envelope import Recorded
from stet.incident.row import StatementRow, row_of
from stet.incident.slices import Slice, Splice, changed_since, rename, renamed, splice
from stet.incident.state import Incident
from stet.incident.state import fold as fold_incident
from stet.source.state import Source
from stet.values.compare import END
from stet.values.words import words

AUDIENCE = "all"
"""Until there is visibility, members and the public are shown the same rows."""


class IncidentRow(NamedTuple):
    """One slice of an incident, for the positions from one up to, but not including, another; None: it is live."""

    incident_id: UUID
    opened_at: datetime
    from_position: int
    to_position: int | None
    slice: Slice


class SpokenRow(NamedTuple):
    """One version of a statement's record in one incident."""

    incident_id: UUID
    from_position: int
    to_position: int | None
    statement: StatementRow


class Change(NamedTuple):
    """What an append changes of one incident."""

    incident_id: UUID
    opened_at: datetime
    position: int
    slices: Splice
    ended: list[UUID]
    """The statements whose version ends."""
    began: list[StatementRow]


class NameRow(NamedTuple):
    """What a source or a document is called from a position on."""

    kind: str
    id: UUID
    position: int
    words: tuple[str, ...]


def since_of(before: Incident, after: Incident) -> datetime | None:
    """From which said time on the live slices are needed to tell what changes; None: none of them does."""
    since = changed_since(before, after)
    return None if since == END else since


def change_of(before: Incident, after: Incident, live: Sequence[Slice], since: datetime | None) -> Change:
    """What leads from one state of an incident to another. `live` are the slices that end at `since` or later."""
    assert after.incident_id and after.opened_at
    ended: list[UUID] = []
    began: list[StatementRow] = []
    for id_ in before.statements.keys() | after.statements.keys():
        old, new = before.statements.get(id_), after.statements.get(id_)
        if old is new:
            continue
        was, is_ = (row_of(one) if one else None for one in (old, new))
        if was != is_:
            ended += [id_] if was else []
            began += [is_] if is_ else []
    return Change(
        incident_id=after.incident_id,
        opened_at=after.opened_at,
        position=after.position,
        slices=_slices(before, after, live, since),
        ended=sorted(ended),
        began=sorted(began, key=lambda row: row.statement_position),
    )


def _slices(before: Incident, after: Incident, live: Sequence[Slice], since: datetime | None) -> Splice:
    if since is None:
        return Splice([], [])
    return rename(live, after) if renamed(before, after) else splice(live, after, since)


def rows_of(events: Iterable[Recorded[Any]]) -> tuple[list[IncidentRow], list[SpokenRow]]:
    """All rows that an incident's stream makes, from its first event to its last, append by append."""
    state = Incident()
    slices: dict[datetime, IncidentRow] = {}
    spoken: dict[UUID, SpokenRow] = {}
    past: list[IncidentRow] = []
    unspoken: list[SpokenRow] = []
    for _, append in groupby(events, key=lambda recorded: recorded.recorded_at):
        before, state = state, fold_incident(append, state)
        live = [slices[said_from].slice for said_from in sorted(slices)]
        change = change_of(before, state, live, since_of(before, state))
        past += [slices.pop(one.said_from)._replace(to_position=change.position) for one in change.slices.closed]
        for one in change.slices.opened:
            row = IncidentRow(change.incident_id, change.opened_at, change.position, None, one)
            slices[one.said_from] = row
        unspoken += [spoken.pop(id_)._replace(to_position=change.position) for id_ in change.ended]
        for began in change.began:
            spoken[began.statement_id] = SpokenRow(change.incident_id, change.position, None, began)
    return [*past, *slices.values()], [*unspoken, *spoken.values()]


def names_of(state: Source | Document) -> tuple[str, ...]:
    """The words by which a source or a document is found."""
    if isinstance(state, Source):
        return words(state.name, *(alias.name for alias in state.aliases))
    return words(state.title, *(version.headline for version in state.versions.values()))
