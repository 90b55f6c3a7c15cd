"""Who sets out to append, and with whom."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tests.store.writing import an_append

from stet.store.append import Append
from stet.store.line import Line, Waiting


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def line(loop: asyncio.AbstractEventLoop) -> Line:
    return Line()


def enter(line: Line, loop: asyncio.AbstractEventLoop, *appends: Append) -> None:
    line.waiting += [Waiting(append, loop.create_future()) for append in appends]


def some(count: int, prefix: str = "a") -> list[Append]:
    return [an_append({f"{prefix}:{n}": 0}, f"{prefix}:{n}") for n in range(count)]


def streams(group: list[Waiting]) -> list[str]:
    return [event.stream for waiting in group for event in waiting.append.events]


def test_one_sets_out_at_once(line: Line, loop: asyncio.AbstractEventLoop) -> None:
    enter(line, loop, *some(1))
    assert line.calls_for(0)
    assert streams(line.take()) == ["a:0"]
    assert line.take() == []


def test_a_few_wait_for_the_group_that_is_under_way(line: Line, loop: asyncio.AbstractEventLoop) -> None:
    enter(line, loop, *some(1))
    first = line.take()
    enter(line, loop, *some(5, "b"))
    assert not line.calls_for(1)
    assert line.take() == []
    line.arrived(first)
    assert len(line.take()) == 5


def test_many_set_out_in_two_groups_and_no_more(line: Line, loop: asyncio.AbstractEventLoop) -> None:
    enter(line, loop, *some(17))
    assert line.calls_for(1)
    assert not line.calls_for(2)
    assert [len(line.take()), len(line.take())] == [9, 8]


def test_who_touches_what_is_under_way_waits(line: Line, loop: asyncio.AbstractEventLoop) -> None:
    """He would be judged by what he could not have seen; and an answer under way may be that to his key."""
    enter(line, loop, an_append({"a:0": 0}, "a:0", key="k"))
    first = line.take()
    enter(line, loop, an_append({"a:0": 0, "c:0": 0}, "c:0"), an_append({"d:0": 0}, "d:0", key="k"), *some(6, "b"))
    assert streams(line.take()) == [f"b:{n}" for n in range(6)]
    line.arrived(first)
    enter(line, loop, *some(4, "e"))
    assert streams(line.take())[:2] == ["c:0", "d:0"]


def test_who_was_overtaken_need_not_ask_the_database(line: Line, loop: asyncio.AbstractEventLoop) -> None:
    enter(line, loop, an_append({"a:0": 3}, "a:0", "a:0"))
    group = line.take()
    enter(line, loop, *(an_append({"a:0": seen}, "a:0") for seen in (3, 5, 4)), an_append({"a:0": 3}, "a:0", key="k"))
    assert [one.append.expected for one in line.overtaken(group)] == [{"a:0": 3}, {"a:0": 4}]
    assert [one.append.expected for one in line.waiting] == [{"a:0": 5}, {"a:0": 3}]
