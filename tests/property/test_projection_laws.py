"""What a projection's steps add up to."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from msgspec.json import encode
from tests.property.disputes import disputes
from tests.property.oracle_cuts import Events, appends, incidents, many
from tests.strategies import World, histories

from stet.incident.visibility import TELLING
from stet.projections import history, names, restriction, source_record
from stet.projections.projection import LIVE, Built, Change, Projection, Table, build, follow, step_all
from stet.projections.registry import PROJECTIONS

ROOMS = Table(name="rooms", key=("room",), id="house", kind="'house'")
EMPTY = Projection(name="rooms", version=1, inline=False, kinds=("house",), tables=(ROOMS,), step=lambda s, e: (s, ()))


def built(*changes: tuple[int, list[Any], list[Any]]) -> Built:
    found = Built.nothing(EMPTY)
    for position, ended, begun in changes:
        found.add(
            [Change(ROOMS, [(room,) for room in ended], [{"room": room, "at": position} for room in begun])], position
        )
    return found


def test_a_row_that_begins_lives_from_its_append_on() -> None:
    found = built((3, [], ["a"]))
    assert found.rows("rooms") == [{"room": "a", "at": 3, "from_position": 3, "to_position": LIVE}]
    assert len(found) == 1


def test_a_row_that_begins_and_ends_is_of_the_past() -> None:
    found = built((3, [], ["a"]), (5, ["a"], ["a"]))
    assert [(row["at"], row["from_position"], row["to_position"]) for row in found.rows("rooms")] == [
        (3, 3, 5),
        (5, 5, LIVE),
    ]
    assert found.ended["rooms"] == []


def test_a_row_of_before_is_ended_by_its_key() -> None:
    assert built((5, ["a"], [])).ended["rooms"] == [{"room": "a", "to_position": 5}]


def test_names_of_projections_and_of_tables_are_distinct_and_short() -> None:
    """`_new` and `_old` are appended to the names of tables and indexes; PostgreSQL cuts names at 63 bytes."""
    tables = [table.name for one in PROJECTIONS for table in one.tables]
    assert len(set(tables)) == len(tables)
    assert len({one.name for one in PROJECTIONS}) == len(PROJECTIONS)
    assert all(len(name) <= 40 for name in tables)


def check_from_anywhere(projection: Projection, events: Events) -> None:
    """Going on from anywhere, and from any state that there is, gives the rows that the whole stream gives."""
    whole = build(projection, events)
    for prefix in appends(events):
        state, before = follow(projection, (), prefix)
        rest = events[len(prefix) :]
        _, after = follow(projection, prefix, rest)
        check_joined(projection, before, after, whole)
        if state is not None and not any(one.type in TELLING for one in rest):
            after = Built.nothing(projection)
            step_all(projection, after, rest, state)
            check_joined(projection, before, after, whole)


def check_joined(projection: Projection, before: Built, after: Built, whole: Built) -> None:
    for table in projection.tables:
        columns = (*table.key, *(["audience"] if projection.split and not table.only else []))
        ended = {tuple(row[name] for name in columns): row["to_position"] for row in after.ended[table.name]}
        kept = [] if after.replaced else [*before.live[table.name].values()]
        joined = [
            row | {"to_position": ended.get(tuple(row[name] for name in columns), row["to_position"])} for row in kept
        ]
        joined += [*([] if after.replaced else before.past[table.name]), *after.rows(table.name)]
        assert sorted(map(encode, joined)) == sorted(map(encode, whole.rows(table.name)))


@many
@given(histories())
def test_a_projection_goes_on_from_any_state(world: World) -> None:
    for events in incidents(world):
        for one in (history.PROJECTION, restriction.PROJECTION, source_record.PROJECTION):
            check_from_anywhere(one, events)
    for stream, events in world.streams.items():
        if stream.startswith(("source:", "document:")):
            check_from_anywhere(names.PROJECTION, events)


@many
@given(disputes())
def test_a_projection_of_a_dispute_goes_on_from_any_state(events: Events) -> None:
    for one in (history.PROJECTION, source_record.PROJECTION):
        check_from_anywhere(one, events)
