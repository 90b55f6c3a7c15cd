"""PURE: what an append changes in the histories of an incident: its slices, the versions of its statements, and, where
the public is not shown all of it, the last event that it sees.

docs/architecture.md has the law that every row obeys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from stet.envelope import Recorded
from stet.incident.about import statement_of
from stet.incident.resolve import RESOLUTION
from stet.incident.row import row_of
from stet.incident.slices import Slice, Splice, reach, splice
from stet.incident.standing import Changed, Standing
from stet.incident.state import Incident, fold_in_place
from stet.incident.state import fold as fold_incident
from stet.incident.statement import Statement
from stet.projections.audiences import PUBLIC
from stet.projections.projection import Change, Events, Projection, Table
from stet.projections.record import encode_slice, encode_statement, instant

_VERSION = RESOLUTION + 3
"""Raised with the rules of resolution, and whenever the same incident is shown by another row."""
_KIND = "'incident'"
_SLICES = Table(name="incident_history", key=("incident_id", "said_from"), id="incident_id", kind=_KIND)
_SPOKEN = Table(name="statement_history", key=("incident_id", "statement_id"), id="incident_id", kind=_KIND)
_SEEN = Table(name="shown_history", key=("incident_id",), id="incident_id", kind=_KIND, only=PUBLIC)


class Sliced(Struct):
    """An incident, what stands in it, and its live slices, in order. A step changes it."""

    incident: Incident
    standing: Standing
    live: list[Slice]

    def copy(self) -> Sliced:
        """One that changes apart from this."""
        return Sliced(fold_incident((), self.incident), self.standing.copy(), list(self.live))


def step(state: Sliced | None, append: Events) -> tuple[Sliced, tuple[Change, ...]]:
    """The incident after an append, and what it changes."""
    sliced = state or Sliced(Incident(), Standing(), [])
    before, held = sliced.incident, sliced.incident.statements
    was = {id_: held.get(id_) for id_ in touched_by(append)}
    sliced.incident = after = fold_in_place(append, before)
    changed = changed_of(was, after)
    reached = reach(before, after, changed, sliced.standing)
    found = splice(sliced.live, reached, sliced.standing)
    return sliced, changes_of(before, after, changed, found)


def touched_by(append: Iterable[Recorded[Any]]) -> set[UUID]:
    """The statements that some events may make others of, or remove."""
    return {id_ for one in append if (id_ := statement_of(one.event))}


def changed_of(was: Mapping[UUID, Statement | None], after: Incident) -> Changed:
    """Of some statements as they were, those that are others."""
    pairs = {id_: (old, after.statements.get(id_)) for id_, old in was.items()}
    return {id_: (old, new) for id_, (old, new) in pairs.items() if old is not new}


def changes_of(before: Incident, after: Incident, changed: Changed, found: Splice) -> tuple[Change, ...]:
    """What leads from one state of an incident to another, given which statements and slices change.

    Of what is not `changed` the two hold the same; the earlier one's own statements may be those of the later by now.
    """
    assert after.incident_id and after.opened_at
    id_, opened_at = after.incident_id, after.opened_at
    ended = [(id_, instant(one.said_from)) for one in found.closed]
    begun = [encode_slice(id_, opened_at, one) for one in found.opened]
    silenced, spoken = [], []
    # Of a merged incident nothing is listed: all that it holds is listed of the one that it was merged into.
    was_listed, is_listed = before.version > 0 and not before.merged_into, not after.merged_into
    if bool(before.merged_into) != bool(after.merged_into):
        changed = {one: (held, held) for one, held in after.statements.items()} | dict(changed)
    for statement_id, (old, new) in changed.items():
        was = row_of(old) if old and not before.merged_into else None
        is_ = row_of(new) if new and not after.merged_into else None
        if was != is_:
            silenced += [(id_, statement_id)] if was else []
            spoken += [is_] if is_ else []
    spoken.sort(key=lambda row: row.statement_position)
    seen = {"incident_id": id_, "version": after.version, "updated_at": after.updated_at, "opened_at": opened_at}
    return (
        Change(_SLICES, ended, begun),
        Change(_SPOKEN, sorted(silenced), [encode_statement(id_, row) for row in spoken]),
        Change(_SEEN, [(id_,)] if was_listed else [], [seen] if is_listed else []),
    )


PROJECTION = Projection(
    name="incident_history",
    version=_VERSION,
    inline=True,
    kinds=("incident",),
    tables=(_SLICES, _SPOKEN, _SEEN),
    step=step,
    copy=Sliced.copy,
    split=True,
)
