"""What is kept of an incident from append to append is what the whole of it gives; so is what comes of a part of it."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given, settings
from tests.property import plain_slices
from tests.property.disputes import LISTED, disputes
from tests.property.oracle_cuts import Events, incidents
from tests.strategies import World, histories

from stet.incident.slices import Slice, reach, splice
from stet.incident.standing import Standing
from stet.incident.state import Incident, fold
from stet.projections.history import Sliced, changed_of, step, touched_by
from stet.projections.projection import appends
from stet.values.compare import END


def check_steps(events: Events) -> set[str]:
    """After each append; and what it came upon."""
    met: set[str] = set()
    sliced: Sliced | None = None
    before, live = Incident(), list[Slice]()
    for append in appends(events):
        after = fold(append, before)
        apart = sliced.copy() if sliced else None
        _, again = step(apart, append)
        sliced, changes = step(sliced, append)
        assert encoded(again) == encoded(changes)
        assert sliced.incident == after
        assert sliced.live == plain_slices.slices(after)

        changed = changed_of({id_: before.statements.get(id_) for id_ in touched_by(append)}, after)
        assert {id_ for id_, (old, new) in changed.items() if old != new} == others(before, after)
        standing = Standing.of(before, after, changed)
        reached = reach(before, after, changed, standing)
        since, until = reached.since, reached.until
        tail = [one for one in live if since and one.said_to >= since and one.said_from <= until]
        closed, opened = splice(tail, reached, standing)
        met |= {"a part of the slices"} if 0 < len(tail) < len(live) else set()
        met |= {"none of them"} if live and not tail else set()
        met |= {"slices before and after"} if closed and tail and opened and closed[-1].said_to < END else set()
        kept = {one.said_from: one for one in live if one not in closed} | {one.said_from: one for one in opened}
        assert len(kept) == len(live) - len(closed) + len(opened)
        assert [kept[said_from] for said_from in sorted(kept)] == sliced.live
        before, live = after, list(sliced.live)
    return met


def others(before: Incident, after: Incident) -> set[UUID]:
    """The statements that are not the same in two states."""
    ids = before.statements.keys() | after.statements.keys()
    return {id_ for id_ in ids if before.statements.get(id_) != after.statements.get(id_)}


def encoded(changes: Any) -> bytes:
    return msgspec.json.encode([change[1:] for change in changes])


def test_step_by_step_it_comes_to_what_the_whole_gives() -> None:
    """In histories and in disputes, whatever is appended; and much of it needs only a part of what there is."""
    reached: Counter[str] = Counter()

    @settings(max_examples=60)
    @given(histories())
    def look(world: World) -> None:
        for events in incidents(world):
            reached.update(check_steps(events))

    @settings(max_examples=60)
    @given(disputes(least=6))
    def look_closer(events: Events) -> None:
        reached.update(check_steps(events))

    look()
    look_closer()
    assert min(reached[name] for name in ("a part of the slices", "none of them", "slices before and after")) >= 20


def test_so_it_does_where_several_groups_are_one_field() -> None:
    for what in LISTED.values():

        @settings(max_examples=25)
        @given(disputes(what, least=8, most=16))
        def look(events: Events) -> None:
            check_steps(events)

        look()
