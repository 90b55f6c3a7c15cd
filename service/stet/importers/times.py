"""Times of a row: a column's text, or a start and an end, as closed bounds in UTC."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from stet.errors import Malformed
from stet.importers.cells import Cells, exact, lookup
from stet.importers.mapped import BadCell, shown
from stet.importers.rules import TimeClaim, TimePrecision, When, Window
from stet.values.edtf import read_edtf
from stet.values.time import Bounds, read_zone, to_utc

FORMATS = ("date", "date-time", "epoch-s", "epoch-ms", "edtf")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FAR = Decimal(10) ** 16
Found = tuple[datetime | None, datetime | None, bool]
"""Bounds, and whether the text calls itself approximate."""
_GIVEN = TimePrecision()
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]00:00(?::00(?:\.0{1,6})?)?)?")
_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,6})?)? ?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)


def read_when(when: When | TimeClaim, cells: Cells, missing: tuple[str, ...] = ()) -> dict[str, Any] | None:
    """The time, ready for JSON; None where the row gives none. Raises BadCell for one that cannot be."""
    zone = _zone(when.zone)
    start, end = (cells.code(column, missing) if column else None for column in (when.column, when.end))
    if start is None and end is None:
        return None
    earliest, latest, approximate = None, None, False
    if start is not None:
        earliest, latest, approximate = _read(start, when.formats, zone, when.column)
    if end is not None and when.end:
        (_, latest, about), before = _read(end, when.formats, zone, when.end), earliest
        approximate |= about
        if before and latest and latest < before:
            raise BadCell(when.end, f"{shown(end)} is before the start, {shown(start or '')}")
    precision = _precision(when, cells)
    if precision.window != "given":
        earliest, latest = _window(precision.window, earliest, latest, zone, when.column)
    value: dict[str, Any] = {name: _iso(at) for name, at in (("earliest", earliest), ("latest", latest)) if at}
    if approximate or precision.approximate:
        value["approximate"] = True
    if when.zone:
        value["zone"] = when.zone
    return value


def check_format(name: str) -> str | None:
    """What is wrong with the name of a format; None if nothing is."""
    if name in FORMATS:
        return None
    if "%" not in name:
        return f"must be one of {', '.join(FORMATS)}, or a pattern such as %d %B %Y"
    text = datetime(2001, 11, 22, 3, 44, 55, tzinfo=UTC).strftime(name)
    try:
        read = datetime.strptime(text, name)  # noqa: DTZ007 - only whether the pattern says a day
    except ValueError:
        return "is not a pattern that strptime reads"
    return None if (read.year, read.month, read.day) == (2001, 11, 22) else "must say year, month and day"


def _precision(when: When | TimeClaim, cells: Cells) -> TimePrecision:
    table = when.precision
    code = cells.code(table.column) if table else None
    if table is None or code is None:
        return _GIVEN
    found: TimePrecision = lookup(table.codes, code, table.column)
    return found


def _read(text: str, formats: tuple[str, ...], zone: tzinfo | None, column: str) -> Found:
    why = f"is not of the form {' or '.join(formats)}"
    for name in formats:
        try:
            if found := _by_format(text, name, zone, column):
                return found
        except Malformed as error:
            why = error.errors[0].detail
        except (ValueError, OverflowError):
            why = "is not a time that exists"
    raise BadCell(column, f"{shown(text)} {why}")


def _by_format(text: str, name: str, zone: tzinfo | None, column: str) -> Found | None:
    """The bounds of the text, and whether it calls itself approximate; None if it is not of the format."""
    match name:
        case "date":
            return _date(text, zone, column)
        case "date-time":
            return _date_time(text, zone, column)
        case "epoch-s" | "epoch-ms":
            return _epoch(text, 1_000_000 if name == "epoch-s" else 1_000, column)
        case "edtf":
            return _edtf(text, zone, column)
        case pattern:
            return _by_pattern(text, pattern, zone, column)


def _date(text: str, zone: tzinfo | None, column: str) -> Found | None:
    found = _DATE.fullmatch(text)
    if not found:
        return None
    day = date.fromisoformat(found[1])
    return (*_days(day, day, zone, column), False)


def _by_pattern(text: str, pattern: str, zone: tzinfo | None, column: str) -> Found | None:
    try:
        at = datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is the mapping's
    except ValueError:
        return None
    if "%H" not in pattern and "%I" not in pattern:
        return (*_days(at.date(), at.date(), zone, column), False)
    return (*_instants(at, zone, column), False)


def _date_time(text: str, zone: tzinfo | None, column: str) -> Found | None:
    found = _DATE_TIME.fullmatch(text)
    if not found:
        return None
    day, minute, second, offset = found.groups()
    at = datetime.fromisoformat(f"{day}T{minute}{second or ':00'}{offset or ''}")
    earliest, latest = _instants(at, zone, column)
    return earliest, latest if second else latest + timedelta(minutes=1) - _MICROSECOND, False


def _instants(at: datetime, zone: tzinfo | None, column: str) -> tuple[datetime, datetime]:
    """What a clock's reading may mean: two instants in the hour that it shows twice."""
    if at.tzinfo:
        instant = to_utc(at, column)
        return instant, instant
    if zone is None:
        raise Malformed.at(column, "has no offset, and the mapping declares no zone")
    earliest, latest = sorted(to_utc(at.replace(tzinfo=zone, fold=fold), column) for fold in (0, 1))
    return earliest, latest


def _epoch(text: str, unit: int, column: str) -> Found | None:
    number = exact(text)
    if number is None:
        return None
    if abs(number) > _FAR:
        raise OverflowError(text)
    at = to_utc(_EPOCH + timedelta(microseconds=int(number * unit)), column)
    return at, at, False


@lru_cache(maxsize=1_000)
def _edtf(text: str, zone: tzinfo | None, column: str) -> Found:
    if len(text) > 100:
        raise ValueError(text)
    bounds, approximate = read_edtf(text, zone or UTC, column)
    return *bounds, approximate


def _days(first: date, last: date, zone: tzinfo | None, column: str) -> tuple[datetime, datetime]:
    start = datetime.combine(first, time.min, zone or UTC)
    end = datetime.combine(last + timedelta(days=1), time.min, zone or UTC)
    return to_utc(start, column), to_utc(end - _MICROSECOND, column)


def _window(
    window: Window, earliest: datetime | None, latest: datetime | None, zone: tzinfo | None, column: str
) -> tuple[datetime | None, datetime | None]:
    """The days that the dates stand for; a week is three days to each side."""
    at = Bounds(earliest or latest, latest or earliest)
    assert at.earliest and at.latest
    try:
        first, last = (bound.astimezone(zone or UTC).date() for bound in (at.earliest, at.latest))
        match window:
            case "week":
                first, last = first - timedelta(days=3), last + timedelta(days=3)
            case "month":
                first, last = first.replace(day=1), last.replace(day=monthrange(last.year, last.month)[1])
            case "year":
                first, last = first.replace(month=1, day=1), last.replace(month=12, day=31)
            case _:
                pass
        return _days(first, last, zone, column)
    except (OverflowError, Malformed) as error:
        raise BadCell(column, "must lie in the years 1 to 9998, in UTC") from error


@lru_cache(maxsize=100)
def _zone(name: str | None) -> tzinfo | None:
    return read_zone(name, "zone") if name else None


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
