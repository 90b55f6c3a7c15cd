"""EDTF strings (ISO 8601-2, Library of Congress): days, months, years, seasons, decades, intervals of them, and
RFC 3339 instants. An approximate or uncertain string keeps its strict bounds."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from stet.errors import Malformed
from stet.values.time import UNBOUNDED, Bounds, to_utc

_SET_MAX = 5
_NOT_EDTF = (
    "is not an RFC 3339 instant nor an EDTF date with known bounds "
    '(an instant ends in an offset or Z; wording such as "this morning" goes in {"verbatim": "..."})'
)


def read_edtf(text: str, zone: tzinfo, field: str) -> tuple[Bounds, bool]:
    """The bounds of the string, its days read in the zone, and whether it calls itself approximate.

    Raises Malformed for what is not EDTF, or has no bounds in the years 1 to 9998.
    """
    start, slash, end = text.partition("/")
    if not slash:
        return _part(start, zone, field)
    (lower, about_lower), (upper, about_upper) = (
        (UNBOUNDED, False) if part in ("", "..") else _part(part, zone, field) for part in (start, end)
    )
    if lower == upper == UNBOUNDED:
        raise Malformed.at(field, "says nothing: at least one end must be known")
    if lower.earliest and upper.latest and lower.earliest > upper.latest:
        raise Malformed.at(field, "must not end before it starts")
    return Bounds(lower.earliest, upper.latest), about_lower or about_upper


def _part(text: str, zone: tzinfo, field: str) -> tuple[Bounds, bool]:
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", text):
        try:
            instant = to_utc(datetime.fromisoformat(text), field)
        except ValueError as error:
            raise Malformed.at(field, "is not an instant that exists") from error
        return Bounds(instant, instant), False
    # The common forms on their own: the parser takes its time.
    if plain := re.fullmatch(r"(\d{4})(?:-(0[1-9]|1[0-2]))?(?:(?<=-\d\d)-(\d\d))?([~?%]?)", text, re.ASCII):
        year, month, day, qualifier = plain.groups()
        try:
            first = date(int(year), int(month or 1), int(day or 1))
        except ValueError as error:
            raise Malformed.at(field, "is not a day that exists") from error
        last_month = int(month or 12)
        last = date(int(year), last_month, int(day or monthrange(int(year), last_month)[1]))
        return _days(first, last, zone, field), qualifier in ("~", "%")
    if not re.fullmatch(r"[-0-9X~?%.,\[\]{}]+", text) or re.search(r"-[~?%]*(\dX|X\d)", text):
        raise Malformed.at(field, _NOT_EDTF)
    if text.count(",") >= _SET_MAX:
        raise Malformed.at(field, f"lists more than {_SET_MAX} dates: give an interval")
    days = _parsed(text)
    if days is None:
        raise Malformed.at(field, _NOT_EDTF)
    return _days(*days, zone, field), "~" in text or "%" in text


@lru_cache(maxsize=10_000)
def _parsed(text: str) -> tuple[date, date] | None:
    from edtf import parse_edtf

    try:
        parsed = parse_edtf(text)
        first, last = (date(*tuple(bound)[:3]) for bound in (parsed.lower_strict(), parsed.upper_strict()))
    except Exception:  # the parser raises whatever it stumbles over
        return None
    return first, last


def _days(first: date, last: date, zone: tzinfo, field: str) -> Bounds:
    """From the first moment of a day to the last of another, in the zone."""
    try:
        start = datetime.combine(first, time.min, zone)
        end = datetime.combine(last + timedelta(days=1), time.min, zone)
        return Bounds(to_utc(start, field), to_utc(end - timedelta(microseconds=1), field))
    except OverflowError as error:
        raise Malformed.at(field, "must lie in the years 1 to 9998, in UTC") from error
