"""PURE: what an append changes in the histories of an incident: its slices, the versions of its statements, and, where
the public is not shown all of it, the last event that it sees.

docs/architecture.md has the law that every row obeys.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from stet.incident.resolve import RESOLUTION
from stet.incident.row import row_of
from stet.incident.slices import Slice, Splice, changed_since, rename, renamed, splice
from stet.incident.state import Incident
from stet.incident.state import fold as fold_incident
from stet.projections.audiences import PUBLIC
from stet.projections.projection import Change, Events, Projection, Table
from stet.projections.record import encode_slice, encode_statement, instant
from stet.values.compare import END

_VERSION = RESOLUTION + 3
"""Raised with the rules of resolution, and whenever the same incident is shown by another row."""
_KIND = "'incident'"
_SLICES = Table(name="incident_history", key=("incident_id", "said_from"), id="incident_id", kind=_KIND)
_SPOKEN = Table(name="statement_history", key=("incident_id", "statement_id"), id="incident_id", kind=_KIND)
_SEEN = Table(name="shown_history", key=("incident_id",), id="incident_id", kind=_KIND, only=PUBLIC)


class Sliced(NamedTuple):
    """An incident and its live slices, in order."""

    incident: Incident
    live: tuple[Slice, ...]


def step(state: Sliced | None, append: Events) -> tuple[Sliced, tuple[Change, ...]]:
    """The incident after an append, and what it changes."""
    before, live = state or (Incident(), ())
    after = fold_incident(append, before)
    found = splice_of(before, after, live, since_of(before, after))
    kept = {one.said_from: one for one in live}
    for one in found.closed:
        del kept[one.said_from]
    kept |= {one.said_from: one for one in found.opened}
    return Sliced(after, tuple(kept[said_from] for said_from in sorted(kept))), changes_of(before, after, found)


def since_of(before: Incident, after: Incident) -> datetime | None:
    """From which said time on the live slices are needed to tell what changes; None: none of them does."""
    since = changed_since(before, after)
    return None if since == END else since


def splice_of(before: Incident, after: Incident, live: Sequence[Slice], since: datetime | None) -> Splice:
    """What changes in the live slices, of which at least those that end at `since` or later are given."""
    if since is None:
        return Splice([], [])
    return rename(live, after) if renamed(before, after) else splice(live, after, since)


def changes_of(before: Incident, after: Incident, found: Splice) -> tuple[Change, ...]:
    """What leads from one state of an incident to another, given what changes in its slices."""
    assert after.incident_id and after.opened_at
    id_, opened_at = after.incident_id, after.opened_at
    ended = [(id_, instant(one.said_from)) for one in found.closed]
    begun = [encode_slice(id_, opened_at, one) for one in found.opened]
    silenced, spoken = [], []
    # Of a merged incident nothing is listed: all that it holds is listed of the one that it was merged into.
    was_listed, is_listed = before.version > 0 and not before.merged_into, not after.merged_into
    said_before, said_after = (one.statements if not one.merged_into else {} for one in (before, after))
    for statement_id in said_before.keys() | said_after.keys():
        old, new = said_before.get(statement_id), said_after.get(statement_id)
        if old is new:
            continue
        was, is_ = (row_of(one) if one else None for one in (old, new))
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
    split=True,
)
