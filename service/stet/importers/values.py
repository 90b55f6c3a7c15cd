"""From the cells of a row to the values of its claims, by each type's rule."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, assert_never

from stet.importers.cells import Cells, lookup, one_line
from stet.importers.mapped import BadCell, SourceName, shown
from stet.importers.rules import (
    BooleanClaim,
    ClaimRule,
    CountClaim,
    PlaceClaim,
    PlacePrecision,
    QuantityClaim,
    SourceClaim,
    TermClaim,
    TextClaim,
    TimeClaim,
)
from stet.importers.times import read_when

_COUNT_MAX = 1_000_000_000_000
_AMOUNT_MAX = 1e300


def read_values(rule: ClaimRule, cells: Cells) -> tuple[Any, ...]:
    """What the row claims by the rule, in the form of the API; () where it says nothing. Raises BadCell."""
    match rule:
        case CountClaim():
            value: Any = _count(rule, cells)
        case TimeClaim():
            value = read_when(rule, cells, rule.missing)
        case PlaceClaim():
            value = _place(rule, cells)
        case QuantityClaim(column=column, unit=unit, missing=missing):
            number = cells.number(column, missing)
            value = None if number is None else {"amount": _amount(number, column), "unit": unit}
        case TermClaim():
            value = _term(rule, cells)
        case TextClaim(column=column, missing=missing):
            value = cells.prose(column, missing)
        case BooleanClaim():
            value = _boolean(rule, cells)
        case SourceClaim():
            return _sources(rule, cells)
        case _:
            assert_never(rule)
    return () if value is None else (value,)


def _count(rule: CountClaim, cells: Cells) -> dict[str, Any] | None:
    low, best, high = (
        None if column is None or (number := cells.number(column, rule.missing)) is None else _whole(number, column)
        for column in ((rule.column, None, rule.column) if rule.column else (rule.low, rule.best, rule.high))
    )
    if low is None and best is None and high is None:
        return None
    if rule.zero == "unknown" and not (low or best or high):
        return {"min": 0}
    value: dict[str, Any] = {"min": low or 0}
    value |= {name: number for name, number in (("max", high), ("best", best)) if number is not None}
    known = [number for number in (value["min"], best, high) if number is not None]
    return value if known == sorted(known) else value | {"inconsistent": True}


def _whole(number: Decimal, column: str) -> int:
    if not 0 <= number <= _COUNT_MAX:
        raise BadCell(column, f"{shown(str(number))} is not a count from 0 to {_COUNT_MAX:,}")
    if number != int(number):
        raise BadCell(column, f"{shown(str(number))} is not a whole number")
    return int(number)


def _amount(number: Decimal, column: str) -> float:
    amount = float(number)
    if not abs(amount) <= _AMOUNT_MAX:
        raise BadCell(column, f"{shown(str(number))} is too large a number")
    return amount


def _place(rule: PlaceClaim, cells: Cells) -> dict[str, Any] | None:
    value: dict[str, Any] = {}
    point = _point(rule, cells)
    if point:
        value["geometry"] = {"type": "Point", "coordinates": point}
    names = [name for column in rule.names if (name := cells.line(column, rule.missing))]
    if names:
        value["name"] = one_line(", ".join(names), ", ".join(rule.names))
    if not value:
        return None
    precision = PlacePrecision(level=rule.level)
    if rule.precision and (code := cells.code(rule.precision.column)):
        precision = lookup(rule.precision.codes, code, rule.precision.column)
    return value | {
        name: part for name in ("level", "radius_m", "relation") if (part := getattr(precision, name)) is not None
    }


def _point(rule: PlaceClaim, cells: Cells) -> list[float] | None:
    """Longitude and latitude; both or neither."""
    if rule.latitude is None or rule.longitude is None:
        return None
    point: list[float] = []
    for column, most in ((rule.longitude, 180), (rule.latitude, 90)):
        number = cells.number(column, rule.missing)
        if number is None:
            continue
        if not -most <= number <= most:
            raise BadCell(column, f"{shown(str(number))} is not within -{most} and {most} degrees")
        point.append(float(number))
    if len(point) == 1:
        absent = rule.latitude if cells.number(rule.latitude, rule.missing) is None else rule.longitude
        raise BadCell(absent, "is missing, and a point needs latitude and longitude")
    return point or None


def _term(rule: TermClaim, cells: Cells) -> str | None:
    text = cells.line(rule.column, rule.missing)
    if text is None or (text not in rule.codes and (rule.unknown or ("bad" if rule.codes else "keep")) == "keep"):
        return text
    found: str = lookup(rule.codes, text, rule.column)
    return found


def _boolean(rule: BooleanClaim, cells: Cells) -> bool | None:
    text = cells.code(rule.column, rule.missing)
    if text is None or text in rule.true or text in rule.false:
        return None if text is None else text in rule.true
    raise BadCell(rule.column, f"{shown(text)} is neither {' nor '.join(rule.true + rule.false)}")


def _sources(rule: SourceClaim, cells: Cells) -> tuple[SourceName, ...]:
    """Each name once, in the order of the cell."""
    text = cells.get(rule.column, rule.missing)
    if text is None:
        return ()
    parts = text.split(rule.separator) if rule.separator else [text]
    names = dict.fromkeys(name for part in parts if (name := one_line(part, rule.column)))
    return tuple(SourceName(name, rule.kind) for name in names)
