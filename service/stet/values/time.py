"""Uncertain times: closed bounds in UTC, to the microsecond, with the wording beside them.

A time may hang on an anchor ("today", "since"): its bounds are then derived from when the anchor was published
or said, and derived again when that is corrected. EDTF (ISO 8601-2, Library of Congress) strings are accepted.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Annotated, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct
from msgspec.structs import replace

from stet.errors import Malformed
from stet.values.text import Prose

Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339, with an offset or Z, in the years 1 to 9998.")]
_MICROSECOND = timedelta(microseconds=1)
_AROUND = timedelta(minutes=15)
"""What "around half past six" is padded by, on each side."""
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC) - _MICROSECOND


class Bounds(NamedTuple):
    """When something was at the earliest and at the latest; None is unbounded."""

    earliest: datetime | None
    latest: datetime | None


UNBOUNDED = Bounds(None, None)


Edtf = Annotated[
    str, Meta(min_length=1, max_length=100, description="An EDTF string, such as 2020-11-09 or 2020-11/..")
]


class Anchor(Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a relative time hangs on: a version of a document, or a statement."""

    relation: Literal["same-day", "before", "after"]
    document_id: UUID | None = None
    version: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    statement_id: UUID | None = None
    time_of_day: (
        Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", description="HH:MM, on a 24-hour clock.")]
        | None
    ) = None
    """HH:MM in the time's zone, on the anchor's day; only with same-day."""


class Time(Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """An uncertain time. Bounds are closed. With an anchor the bounds are derived and may not be given."""

    earliest: Instant | None = None
    latest: Instant | None = None
    best: Instant | None = None
    approximate: bool = False
    edtf: Edtf | None = None
    """Gives the bounds: its days are read in the zone, or else in UTC."""
    verbatim: Prose | None = None
    zone: Annotated[str, Meta(max_length=64, description="An IANA name or an offset such as +04:00.")] | None = None
    anchor: Anchor | None = None

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.earliest, self.latest)


TimeInput = Time | Edtf


def normalise(given: Time | str, field: str) -> Time:
    """The time as it is stored: UTC, checked. Raises Malformed naming the part of `field` that is wrong."""
    if isinstance(given, str):
        return normalise(Time(edtf=given), field)
    if given.edtf:
        return _from_edtf(given, field)
    if not (given.earliest or given.latest or given.best or given.anchor or given.verbatim):
        raise Malformed.at(field, "says nothing: give bounds, an EDTF string, an anchor or the verbatim wording")
    read_zone(given.zone, f"{field}.zone")
    if given.anchor:
        _check_anchor(given, field)
        return given
    earliest, best, latest = (
        to_utc(value, f"{field}.{name}") if (value := getattr(given, name)) else None
        for name in ("earliest", "best", "latest")
    )
    known = [value for value in (earliest, best, latest) if value]
    if known != sorted(known):
        raise Malformed.at(field, "must hold earliest <= best <= latest")
    return replace(given, earliest=earliest, best=best, latest=latest)


def _from_edtf(given: Time, field: str) -> Time:
    from stet.values.edtf import read_edtf

    if given.best or given.anchor:
        raise Malformed.at(f"{field}.edtf", "gives the bounds: it goes neither with best nor with an anchor")
    at = f"{field}.edtf" if given != Time(edtf=given.edtf) else field
    bounds, approximate = read_edtf(given.edtf or "", read_zone(given.zone, f"{field}.zone"), at)
    for name, bound in bounds._asdict().items():
        if getattr(given, name) not in (None, bound):
            raise Malformed.at(f"{field}.{name}", "differs from what the EDTF string gives: give one or the other")
    return replace(given, **bounds._asdict(), approximate=given.approximate or approximate)


def to_utc(value: datetime, field: str) -> datetime:
    """The instant in UTC. Raises Malformed outside the years 1 to 9998, which PostgreSQL and we can both hold."""
    try:
        utc = value.astimezone(UTC)
    except OverflowError:
        utc = None
    if utc is None or utc.year > 9998:
        raise Malformed.at(field, "must lie in the years 1 to 9998, in UTC")
    return utc


def intersect(a: Bounds, b: Bounds) -> Bounds | None:
    """The common part of two closed intervals; None if there is none."""
    earliest = max((x for x in (a.earliest, b.earliest) if x), default=None)
    latest = min((x for x in (a.latest, b.latest) if x), default=None)
    return None if earliest and latest and earliest > latest else Bounds(earliest, latest)


def resolve(given: Time, origin: Bounds) -> Time:
    """An anchored time with its bounds derived from when its anchor was; any other time as it is."""
    anchor = given.anchor
    if anchor is None:
        return given
    best = None
    match anchor.relation:
        case "before":
            bounds = Bounds(None, origin.latest)
        case "after":
            bounds = Bounds(origin.earliest, None)
        case "same-day":
            zone = read_zone(given.zone, "zone")
            first, last = (None if bound is None else _local_day(bound, zone) for bound in origin)
            if anchor.time_of_day is None:
                bounds = Bounds(
                    None if first is None else _shift(_at(first, time.min, zone), timedelta()),
                    None if last is None else _shift(_at(last + 1, time.min, zone), -_MICROSECOND),
                )
            else:
                bounds, best = _time_of_day(given, anchor.time_of_day, first, last, zone)
    return replace(given, earliest=bounds.earliest, latest=bounds.latest, best=best)


def _time_of_day(
    given: Time, text: str, first: int | None, last: int | None, zone: tzinfo
) -> tuple[Bounds, datetime | None]:
    """What the clock showed once, twice or never (where clocks were changed) is any of the instants it may mean."""
    clock = time.fromisoformat(text)
    before = _AROUND if given.approximate else timedelta()
    after = _AROUND if given.approximate else timedelta(minutes=1) - _MICROSECOND
    starts, ends = (
        set() if day is None else {_at(day, clock.replace(fold=fold), zone) for fold in (0, 1)} for day in (first, last)
    )
    bounds = Bounds(_shift(min(starts), -before) if starts else None, _shift(max(ends), after) if ends else None)
    only = starts | ends if starts and ends else set()
    return bounds, _shift(only.pop(), timedelta()) if len(only) == 1 else None


def _local_day(instant: datetime, zone: tzinfo) -> int:
    """The ordinal of the day; 0 is the day before the first of year 1."""
    try:
        return instant.astimezone(zone).toordinal()
    except OverflowError:  # the first hours of year 1, west of Greenwich
        return 0


def _at(day: int, clock: time, zone: tzinfo) -> datetime:
    try:
        return datetime.combine(date.fromordinal(day), clock, zone).astimezone(UTC)
    except (OverflowError, ValueError):
        return _FIRST


def _shift(instant: datetime, by: timedelta) -> datetime:
    """The instant, earlier or later, within the years 1 to 9998."""
    try:
        return min(max(instant + by, _FIRST), _LAST)
    except OverflowError:
        return _FIRST


def _check_anchor(given: Time, field: str) -> None:
    anchor = given.anchor
    assert anchor is not None
    if given.earliest or given.latest or given.best:
        raise Malformed.at(field, "an anchored time takes its bounds from its anchor: give one or the other")
    if (anchor.document_id is None) == (anchor.statement_id is None):
        raise Malformed.at(f"{field}.anchor", "must name either document_id and version, or statement_id")
    if (anchor.document_id is None) != (anchor.version is None):
        raise Malformed.at(f"{field}.anchor.version", "goes with document_id")
    if anchor.time_of_day and anchor.relation != "same-day":
        raise Malformed.at(f"{field}.anchor.time_of_day", "goes with the relation same-day")


def read_zone(name: str | None, field: str) -> tzinfo:
    """The zone of an IANA name or an offset; None is UTC. Raises Malformed for anything else."""
    if name is None:
        return UTC
    if offset := re.fullmatch(r"([+-])(0[0-9]|1[0-4]):([0-5][0-9])", name):
        sign, hours, minutes = offset.groups()
        return timezone((1 if sign == "+" else -1) * timedelta(hours=int(hours), minutes=int(minutes)))
    try:
        if not re.fullmatch(r"[A-Za-z0-9+_-]+(/[A-Za-z0-9+_-]+)*", name):
            raise ValueError(name)
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise Malformed.at(field, "must be an IANA time zone or an offset from -14:00 to +14:00") from error
