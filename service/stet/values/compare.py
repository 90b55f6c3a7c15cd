"""Comparing values: the form without wording, intervals of counts and times, discs of places."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from stet.values.disc import Disc, disc_of, radius_of
from stet.values.place import Place
from stet.values.time import Time
from stet.values.value import AttributeType, Count

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)
_KEPT = ((1_000, 20_000), (30_000, 1_000), (math.inf, 12))
"""Of values up to so many bytes, what so many came to is remembered."""
_T = TypeVar("_T")


class Interval(NamedTuple):
    """Closed; numbers, or instants."""

    low: Any
    high: Any

    def overlaps(self, other: Interval) -> bool:
        return bool(self.low <= other.high and other.low <= self.high)

    def within(self, other: Interval) -> bool:
        return bool(other.low <= self.low and self.high <= other.high)


class Spread(NamedTuple):
    """How a place compares: its radius, its disc if it has a geometry, its name."""

    radius_m: float
    disc: Disc | None
    name: str | None


def canonical(type_: AttributeType, value: Raw) -> bytes:
    """The value as bytes, without its wording: equal bytes are the same value."""
    match type_:
        case "time":
            return _bare_time(bytes(value))
        case "place":
            return _bare_place(bytes(value))
        case _:
            return bytes(value)


def count_of(value: Raw) -> Count:
    """A stored count."""
    return _count(bytes(value))


def time_of(value: Raw) -> Time:
    """A stored time."""
    return _time(bytes(value))


def place_of(value: Raw) -> Spread:
    """How a stored place compares."""
    return _place(bytes(value))


def interval(type_: AttributeType, value: Raw) -> Interval:
    """From the least to the greatest that the count or time may be; what is unknown is unbounded."""
    return _numbers(bytes(value)) if type_ == "count" else _instants(bytes(value))


def _cached(read: Callable[[bytes], _T]) -> Callable[[bytes], _T]:
    """Remembers what was read of the last values; of long ones only of a few, since a polygon may have megabytes."""
    (short, of_short), *longer = [(length, lru_cache(kept)(read)) for length, kept in _KEPT]

    def remember(value: bytes) -> _T:
        if len(value) <= short:
            return of_short(value)
        return next(cached for length, cached in longer if len(value) <= length)(value)

    return remember


@_cached
def _bare_time(value: bytes) -> bytes:
    return msgspec.json.encode(replace(_time(value), verbatim=None, zone=None, edtf=None, anchor=None))


@_cached
def _bare_place(value: bytes) -> bytes:
    return msgspec.json.encode(replace(msgspec.json.decode(value, type=Place), verbatim=None))


@_cached
def _count(value: bytes) -> Count:
    return msgspec.json.decode(value, type=Count)


@_cached
def _numbers(value: bytes) -> Interval:
    count = _count(value)
    if count.inconsistent:
        known = [n for n in (count.min, count.best, count.max) if n is not None]
        return Interval(min(known), max(known))
    return Interval(count.min, math.inf if count.max is None else count.max)


@_cached
def _instants(value: bytes) -> Interval:
    time = _time(value)
    return Interval(time.earliest or BEGINNING, time.latest or END)


@_cached
def _time(value: bytes) -> Time:
    return msgspec.json.decode(value, type=Time)


@_cached
def _place(value: bytes) -> Spread:
    place = msgspec.json.decode(value, type=Place)
    return Spread(radius_of(place), disc_of(place), place.name)
