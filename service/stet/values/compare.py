"""Comparing values: the form without wording, intervals of counts and times, discs of places."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from stet.values.disc import Disc, disc_of, radius_of
from stet.values.place import Place
from stet.values.time import Time
from stet.values.value import AttributeType, Count

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)
_CACHED = 100_000


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
    return _canonical(type_, bytes(value))


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
    if type_ == "count":
        count = count_of(value)
        if count.inconsistent:
            known = [n for n in (count.min, count.best, count.max) if n is not None]
            return Interval(min(known), max(known))
        return Interval(count.min, math.inf if count.max is None else count.max)
    time = time_of(value)
    return Interval(time.earliest or BEGINNING, time.latest or END)


@lru_cache(_CACHED)
def _canonical(type_: AttributeType, value: bytes) -> bytes:
    match type_:
        case "time":
            return msgspec.json.encode(replace(_time(value), verbatim=None, zone=None, edtf=None, anchor=None))
        case "place":
            return msgspec.json.encode(replace(msgspec.json.decode(value, type=Place), verbatim=None))
        case _:
            return value


@lru_cache(_CACHED)
def _count(value: bytes) -> Count:
    return msgspec.json.decode(value, type=Count)


@lru_cache(_CACHED)
def _time(value: bytes) -> Time:
    return msgspec.json.decode(value, type=Time)


@lru_cache(_CACHED)
def _place(value: bytes) -> Spread:
    place = msgspec.json.decode(value, type=Place)
    return Spread(radius_of(place), disc_of(place), place.name)
