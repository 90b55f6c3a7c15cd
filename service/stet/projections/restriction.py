"""PURE: what only members see by a label or an embargo of its own: incidents, statements in them, documents."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from stet.document.events import VisibilityChanged
from stet.document.state import Document
from stet.incident.state import Incident
from stet.projections.projection import Change, Events, Projection, Table, id_of, kind_of
from stet.values.visibility import Visibility

ITSELF = UUID(int=0)
"""In the place of a statement's id: the incident or the document itself."""
Restricted = Mapping[UUID, Visibility]
"""What is restricted of one stream, by the id of the statement."""
_RESTRICTIONS = Table(name="restriction_history", key=("kind", "id", "statement_id"), id="id", kind="h.kind")


def step(state: Restricted | None, append: Events) -> tuple[Restricted, tuple[Change, ...]]:
    """What is restricted after an append, and what of that is other than before."""
    before = state or {}
    said = {
        one.event.statement_id or ITSELF: one.event.visibility
        for one in append
        if isinstance(one.event, VisibilityChanged)
    }
    after = {id_: one for id_, one in {**before, **said}.items() if one.restricted}
    return after, change_of(append[0].stream, before, after)


def restricted_of(state: Incident | Document) -> Restricted:
    """What an incident or a document says is restricted."""
    found = dict(state.restricted) if isinstance(state, Incident) else {}
    return {id_: one for id_, one in {**found, ITSELF: state.visibility}.items() if one.restricted}


def change_of(stream: str, before: Restricted, after: Restricted) -> tuple[Change, ...]:
    """What leads from what was restricted to what is."""
    if before == after:
        return ()
    kind, id_ = kind_of(stream), id_of(stream)
    was, is_ = (
        {thing: {"label": one.label, "embargo_until": one.embargo_until} for thing, one in restricted.items()}
        for restricted in (before, after)
    )
    ended = [(kind, id_, thing) for thing in sorted(was) if was[thing] != is_.get(thing)]
    begun = [
        {"kind": kind, "id": id_, "statement_id": thing} | is_[thing]
        for thing in sorted(is_)
        if is_[thing] != was.get(thing)
    ]
    return (Change(_RESTRICTIONS, ended, begun),)


PROJECTION = Projection(
    name="restriction_history",
    version=1,
    inline=True,
    kinds=("incident", "document"),
    tables=(_RESTRICTIONS,),
    step=step,
)
