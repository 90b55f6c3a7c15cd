"""Drawn logs in which the desk also says, again and again, who may see what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from msgspec.structs import replace
from tests.property.oracle_shown import ids_in
from tests.strategies import Draw, pick

from stet.document.events import VisibilityChanged
from stet.envelope import Recorded
from stet.incident.about import statement_of
from stet.incident.events import ReferenceHidden
from stet.values.place import Place, Point
from stet.values.visibility import Visibility

COARSE = Place(geometry=Point((44.0, 39.0)), level="admin2", name="the district")
UNTIL = datetime(2031, 1, 1, tzinfo=UTC)
VISIBILITIES = (
    Visibility(label="amber"),
    Visibility(label="red", embargo_until=UNTIL),
    Visibility(embargo_until=UNTIL),
    Visibility(),
    Visibility(),
)
DISCLOSED = (
    Visibility(disclosed_place=COARSE),
    Visibility(disclosed_place=Place(name="the country", level="country")),
    *(Visibility(), Visibility(label="green")),
)


@st.composite
def restricted(draw: Draw, log: Sequence[Recorded[Any]], most: int = 6) -> list[Recorded[Any]]:
    """The log with events between its own that change who sees an incident, a statement, a document, or what is named.

    Most are appends of their own; some are in the append before.
    """
    groups = [list(its) for _, its in groupby(log, key=lambda one: one.recorded_at)]
    told: dict[int, list[bool]] = {}
    for _ in range(draw(st.integers(1, most))):
        told.setdefault(draw(st.integers(0, len(groups) - 1)), []).append(draw(st.booleans()))
    made: list[Recorded[Any]] = []
    for n, group in enumerate(groups):
        made += group
        for i, apart in enumerate(told.get(n, ())):
            later = timedelta(microseconds=i + 1) if apart else timedelta()
            made += [replace(one, recorded_at=group[-1].recorded_at + later) for one in _telling(draw, made)]
        made[-len(made) :] = sorted(made, key=lambda one: one.recorded_at)
    versions: dict[str, int] = {}
    for position, one in enumerate(made, start=1):
        versions[one.stream] = versions.get(one.stream, 0) + 1
        made[position - 1] = replace(one, position=position, stream_version=versions[one.stream])
    return made


def _telling(draw: Draw, log: Sequence[Recorded[Any]]) -> list[Recorded[Any]]:
    """One thing that the desk says, in every stream that it concerns."""
    streams = sorted({one.stream for one in log if one.stream.startswith(("incident:", "document:"))})
    if not streams:
        return []
    stream = pick(draw, *streams)
    held = sorted({id_ for one in log if one.stream == stream and (id_ := statement_of(one.event))})
    kind = pick(draw, "itself", "place", "statement", "statement", "statement", "named", "named")
    if stream.startswith("document:"):
        return [_recorded(log, stream, VisibilityChanged(visibility=pick(draw, *VISIBILITIES), reason="so"))]
    if kind == "itself" or not held:
        return [_recorded(log, stream, VisibilityChanged(visibility=pick(draw, *VISIBILITIES), reason="so"))]
    if kind == "place":
        return [_recorded(log, stream, VisibilityChanged(visibility=pick(draw, *DISCLOSED), reason="so"))]
    if kind == "statement":
        id_ = pick(draw, *held)
        event = VisibilityChanged(statement_id=id_, visibility=pick(draw, *VISIBILITIES), reason="so")
        holding = {one.stream for one in log if one.stream.startswith("incident:") and statement_of(one.event) == id_}
        return [_recorded(log, its, event) for its in sorted(holding)]
    return _hidden(draw, log, stream)


def _hidden(draw: Draw, log: Sequence[Recorded[Any]], stream: str) -> list[Recorded[Any]]:
    """Something that an incident names is restricted elsewhere, or no more."""
    there = {one.stream for one in log if one.stream.startswith(("incident:", "document:"))}
    there |= {f"statement:{id_}" for one in log if (id_ := statement_of(one.event))}
    named = {id_ for one in log if one.stream == stream for id_ in ids_in(one.event)}
    targets = sorted(target for target in there if target != stream and UUID(target.partition(":")[2]) in named)
    if not targets:
        return []
    event = ReferenceHidden(target=pick(draw, *targets), hidden=pick(draw, True, True, False), reason="so")
    return [_recorded(log, stream, event)]


def _recorded(log: Sequence[Recorded[Any]], stream: str, event: Any) -> Recorded[Any]:
    like = next(one for one in reversed(log) if one.stream == stream)
    type_ = "visibility-changed" if isinstance(event, VisibilityChanged) else "reference-hidden"
    return replace(like, type=type_, schema_version=1, causation_id=None, event=event)
