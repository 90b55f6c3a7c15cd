"""The laws of the common part of closed intervals of time."""

from __future__ import annotations

from hypothesis import given
from tests.strategies import bounds, instants

from stet.values.time import UNBOUNDED, Bounds, intersect


def meet(a: Bounds | None, b: Bounds | None) -> Bounds | None:
    """`intersect`, where nothing in common stays nothing in common."""
    return None if a is None or b is None else intersect(a, b)


@given(bounds(), bounds())
def test_the_order_of_two_intervals_does_not_matter(a: Bounds, b: Bounds) -> None:
    assert intersect(a, b) == intersect(b, a)


@given(bounds(), bounds(), bounds())
def test_the_grouping_of_three_intervals_does_not_matter(a: Bounds, b: Bounds, c: Bounds) -> None:
    assert meet(meet(a, b), c) == meet(a, meet(b, c))


@given(bounds())
def test_an_interval_has_itself_in_common_with_itself(a: Bounds) -> None:
    assert intersect(a, a) == a


@given(bounds())
def test_what_is_unbounded_is_neutral(a: Bounds) -> None:
    assert intersect(a, UNBOUNDED) == a == intersect(UNBOUNDED, a)


@given(bounds(), bounds())
def test_the_common_part_lies_in_both(a: Bounds, b: Bounds) -> None:
    both = intersect(a, b)
    if both:
        assert intersect(both, a) == both == intersect(both, b)


@given(bounds(), bounds(), instants())
def test_an_instant_lies_in_the_common_part_exactly_if_it_lies_in_both(a: Bounds, b: Bounds, at: object) -> None:
    point = Bounds(at, at)
    assert (meet(intersect(a, b), point) is None) == (intersect(a, point) is None or intersect(b, point) is None)
