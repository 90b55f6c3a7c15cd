"""How often one may ask."""

from __future__ import annotations

import pytest

from stet.http.limits import Left, Limits


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_then_the_rate(clock: Clock) -> None:
    """As many at once as the burst, then as many as the time since has given."""
    limits = Limits(2, 10, clock)
    assert [limits.take("a").remaining for _ in range(10)] == list(range(9, -1, -1))
    assert limits.take("a") == Left(allowed=False, remaining=0, reset_s=5, burst=10, window_s=5)
    clock.at += 1.0
    assert [limits.take("a").allowed for _ in range(3)] == [True, True, False]
    clock.at += 1000.0
    assert limits.take("a").remaining == 9, "nobody saves more than the burst"


def test_what_was_refused_costs_nothing(clock: Clock) -> None:
    """Who goes on asking too often is still let in at the rate."""
    limits = Limits(1, 1, clock)
    assert limits.take("a").allowed
    for _ in range(10):
        clock.at += 0.0625
        assert not limits.take("a").allowed
    clock.at += 0.5
    assert limits.take("a").allowed


def test_each_for_itself(clock: Clock) -> None:
    """One who asks too often is no harm to another."""
    limits = Limits(1, 1, clock)
    assert limits.take("a").allowed
    assert not limits.take("a").allowed
    assert limits.take("b").allowed


def test_it_remembers_so_many(clock: Clock) -> None:
    """However many addresses ask, memory does not grow without end; who asked last is remembered."""
    limits = Limits(1, 1, clock)
    for number in range(10_000):
        limits.take(f"address {number}")
    assert not limits.take("address 0").allowed
    limits.take("one more")
    assert not limits.take("address 0").allowed
    assert limits.take("address 1").allowed


def test_the_headers_are_of_the_draft() -> None:
    """Structured fields: a name, and parameters."""
    left = Left(allowed=True, remaining=7, reset_s=3, burst=10, window_s=5)
    assert left.headers() == {"ratelimit-policy": '"requests";q=10;w=5', "ratelimit": '"requests";r=7;t=3'}
