"""What a list shows of an incident, for every moment that said_by can name: a step function of said time.

A slice covers the said times from `said_from` up to, but not including, `said_to`. Neighbours differ: equal ones are
one slice. An incident that holds no statement has one slice that starts at END: only reads without said_by see it.
A merged one has none.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from msgspec.structs import replace

from stet.incident.resolve import Outcome
from stet.incident.spoken import Span
from stet.incident.standing import Changed, Standing
from stet.incident.state import Incident
from stet.incident.summary import Summary, bare, told
from stet.values.compare import BEGINNING, END


class Slice(NamedTuple):
    said_from: datetime
    said_to: datetime
    summary: Summary


class Splice(NamedTuple):
    """How one set of slices becomes another: what ends and what begins. All else stays."""

    closed: list[Slice]
    opened: list[Slice]


class Reach(NamedTuple):
    """For which said times an append can change the slices of an incident."""

    before: Incident
    after: Incident
    began: datetime | None
    """When the first statement was said that the incident held before; None: it held none."""
    spans: Mapping[str, Sequence[Span]]
    """By family of attributes, where it may come to something else."""
    since: datetime | None
    """From when on the live slices are needed to tell what changes; None: none of them does."""
    until: datetime = END
    """Those that begin later are not needed."""


_HEADER = ("title", "kind", "tags", "status")


def reach(before: Incident, after: Incident, changed: Changed, standing: Standing) -> Reach:
    """Takes to `standing` what an append changes of an incident."""
    began = standing.begins
    spans = standing.change(after, changed)
    if after.merged_into:
        return Reach(before, after, began, {}, None if before.merged_into else BEGINNING)
    if before.merged_into or before.version == 0:
        return Reach(before, after, None, {one: [(BEGINNING, END)] for one in standing.families()}, BEGINNING)
    bounds = _bounds(spans, began, standing.begins)
    if _renamed(before, after) or not bounds:
        return Reach(before, after, began, spans, BEGINNING if _renamed(before, after) else None)
    return Reach(before, after, began, spans, min(bounds), max(bounds))


def splice(live: list[Slice], reached: Reach, standing: Standing) -> Splice:
    """What changes in the live slices, in order, of which at least those from `since` until `until` are given.

    They become what they are after it.
    """
    if reached.since is None:
        return Splice([], [])
    if reached.after.merged_into:
        closed = list(live)
        live.clear()
        return Splice(closed, [])
    was = list(live)
    if _renamed(reached.before, reached.after):
        header = {name: getattr(reached.after, name) for name in _HEADER}
        live[:] = [one._replace(summary=replace(one.summary, **header)) for one in live]
        _lay(live, reached, standing)
        return _difference(was, live)
    return _difference(*_lay(live, reached, standing))


def _renamed(before: Incident, after: Incident) -> bool:
    return before.version > 0 and any(getattr(before, name) != getattr(after, name) for name in _HEADER)


def _difference(old: Iterable[Slice], new: Iterable[Slice]) -> Splice:
    was, is_ = ({one.said_from: one for one in some} for some in (old, new))
    return Splice(
        [one for one in was.values() if is_.get(one.said_from) != one],
        [one for one in is_.values() if was.get(one.said_from) != one],
    )


def _lay(live: list[Slice], reached: Reach, standing: Standing) -> tuple[list[Slice], list[Slice]]:
    """Puts what the spans come to in the place of what was there; both."""
    began, begins = reached.began, standing.begins
    bounds = _bounds(reached.spans, began, begins)
    if not live:
        bounds.append(END)
    if not bounds:
        return [], []
    # With its neighbours, since they may be equal to what comes to be beside them.
    first = bisect_left(live, min(bounds), key=lambda one: one.said_to)
    last = bisect_right(live, max(bounds), key=lambda one: one.said_from)
    old = live[first:last]
    if begins is None:
        made = [Slice(END, END, bare(reached.after))]
    else:
        made = _laid(_extended(old, began, begins, reached.after), reached.spans, standing)
    live[first:last] = made
    return old, made


def _bounds(spans: Mapping[str, Sequence[Span]], began: datetime | None, begins: datetime | None) -> list[datetime]:
    """Where what is laid over the slices begins and ends."""
    found = [at for its in spans.values() for span in its for at in span]
    return found if began == begins else [*found, began or END, begins or END]


def _extended(old: list[Slice], began: datetime | None, begins: datetime, after: Incident) -> list[Slice]:
    """The slices from where the first statement was said on: nothing resolves where there were none."""
    kept = [one._replace(said_from=max(one.said_from, begins)) for one in old if began and one.said_to > begins]
    if began is None or begins < began:
        return [Slice(begins, began or END, bare(after)), *kept]
    return kept


def _laid(base: Iterable[Slice], spans: Mapping[str, Sequence[Span]], standing: Standing) -> list[Slice]:
    """The slices with what the families of attributes come to within their spans; neighbours that are equal are one."""
    made: list[Slice] = []
    points = _points(spans, standing)
    at = 0
    laid: dict[str, list[Outcome]] = {}
    for one in base:
        said_from = one.said_from
        while at < len(points) and points[at][0] < one.said_to:
            said, (starts, ends) = points[at]
            if said > said_from:
                _put(made, Slice(said_from, said, _told(one.summary, laid)))
                said_from = said
            for family in ends:
                del laid[family]
            laid |= {family: standing.told(family, said) for family in starts}
            at += 1
        _put(made, Slice(said_from, one.said_to, _told(one.summary, laid)))
    return made


def _told(shown: Summary, laid: Mapping[str, Sequence[Outcome]]) -> Summary:
    for family, found in laid.items():
        shown = told(shown, family, found)
    return shown


def _put(made: list[Slice], one: Slice) -> None:
    if made and made[-1].said_to == one.said_from and made[-1].summary == one.summary:
        made[-1] = made[-1]._replace(said_to=one.said_to)
    else:
        made.append(one)


Point = tuple[datetime, tuple[set[str], set[str]]]
"""A said time, the families of attributes that may come to something else from then on, and those whose span ends."""


def _points(spans: Mapping[str, Sequence[Span]], standing: Standing) -> list[Point]:
    found: dict[datetime, tuple[set[str], set[str]]] = {}
    for family, its in spans.items():
        for start, end in _united(its):
            found.setdefault(start, (set(), set()))[0].add(family)
            found.setdefault(end, (set(), set()))[1].add(family)
            for said in standing.steps(family, start, end):
                found.setdefault(said, (set(), set()))[0].add(family)
    return sorted(found.items(), key=itemgetter(0))


def _united(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those that meet made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found
