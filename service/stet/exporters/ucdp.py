"""Incidents as rows of the UCDP Georeferenced Event Dataset. docs/exports.md gives the rules."""

from __future__ import annotations

import math
from typing import Any

from stet.exporters.lossy import Days, Lossy
from stet.values.disc import Disc, disc_of, radius_of
from stet.values.place import Level, LineString, Place
from stet.values.value import Count

_HEADER = """
    id relid year active_year code_status type_of_violence conflict_dset_id conflict_new_id conflict_name
    dyad_dset_id dyad_new_id dyad_name side_a_dset_id side_a_new_id side_a side_b_dset_id side_b_new_id side_b
    number_of_sources source_article source_office source_date source_headline source_original where_prec
    where_coordinates where_description adm_1 adm_2 latitude longitude geom_wkt priogrid_gid country country_id
    region event_clarity date_prec date_start date_end deaths_a deaths_b deaths_civilians deaths_unknown best
    high low gwnoa gwnob
"""
COLUMNS = tuple(_HEADER.split())
NAMED = {
    "date_prec": "date_precision",
    "where_prec": "where_precision",
    "adm_1": "admin1",
    "adm_2": "admin2",
    "source_article": "source_articles",
    "source_office": "reported_by",
}
"""The attributes that hold columns under other names. Any other column is that of the attribute of its own name."""
REGIONS = {name.lower().replace(" ", "-"): name for name in ("Africa", "Americas", "Asia", "Europe", "Middle East")}
"""By the tag that an incident has for it."""
VIOLENCE = {
    "state-based-violence": 1,
    "state-based-conflict": 1,
    "non-state-conflict": 2,
    "non-state-violence": 2,
    "one-sided-violence": 3,
}
SIDES = {
    "deaths_a": "side-a",
    "deaths_b": "side-b",
    "deaths_civilians": "civilians",
    "deaths_unknown": "unknown",
}
"""What `killed` is of in the columns that count one side."""
_MUST = ("conflict_name", "dyad_name", "side_a", "side_b")
_LEVELS: dict[Level, int] = {"exact": 1, "vicinity": 1, "settlement": 1, "admin2": 3, "admin1": 4, "country": 6}
_RADII = ((5_000, 1), (25_000, 2), (50_000, 3), (200_000, 4), (math.inf, 6))
_DAYS = ((1, 1), (6, 2), (7, 3), (31, 4), (math.inf, 5))
_YEAR = 366


def row(one: Lossy) -> dict[str, Any]:
    """The columns that have a value; what they cannot say is among the losses."""
    found: dict[str, Any] = {name: one.plain(name, NAMED.get(name, name)) for name in COLUMNS}
    found |= {"id": one.id}
    found |= _when(one, found)
    found |= _where(one, found)
    found |= _deaths(one)
    kind = VIOLENCE.get(one.one.item.kind)
    found["type_of_violence"] = found["type_of_violence"] or kind
    found["event_clarity"] = found["event_clarity"] or 1
    found["region"] = found["region"] or next((REGIONS[tag] for tag in one.one.item.tags if tag in REGIONS), None)
    if found["type_of_violence"] is None:
        one.lose("not-representable", f"the kind {one.one.item.kind} is no type of violence", "type_of_violence")
    for name in _MUST:
        if found[name] is None:
            one.lose("not-representable", "the record names no such thing", name)
    return found


def _when(one: Lossy, given: dict[str, Any]) -> dict[str, Any]:
    days = one.days("date_start")
    if days is None:
        return {}
    if days.number > _YEAR:
        one.lose("not-representable", f"{days.number} days are more than a year", "date_prec")
    return {
        "year": given["year"] or days.first.year,
        "date_prec": given["date_prec"] or _by_days(days),
        "date_start": f"{days.first} 00:00:00.000",
        "date_end": f"{days.last} 00:00:00.000",
    }


def _by_days(days: Days) -> int:
    return next(code for most, code in _DAYS if days.number <= most)


def _where(one: Lossy, given: dict[str, Any]) -> dict[str, Any]:
    place = one.place()
    if place is None:
        one.lose("not-stated", "no place is known", "where_prec")
        return {}
    found: dict[str, Any] = {
        "where_prec": given["where_prec"] or _precision(one, place),
        "where_coordinates": given["where_coordinates"] or place.name,
        "where_description": given["where_description"] or place.verbatim,
    }
    disc = disc_of(place)
    if disc is None:
        one.lose("not-stated", "the place has a name and no coordinates", "latitude")
        return found
    return found | {
        "latitude": disc.latitude,
        "longitude": disc.longitude,
        "geom_wkt": f"POINT ({disc.longitude} {disc.latitude})",
        "priogrid_gid": given["priogrid_gid"] or _cell(disc),
    }


def _precision(one: Lossy, place: Place) -> int | None:
    if place.relation in ("near", "between", "toward"):
        return 2
    if isinstance(place.geometry, LineString):
        return 5
    if place.level:
        return _LEVELS[place.level]
    if place.geometry is None and place.radius_m is None:
        one.lose("not-stated", "nothing says how precise the place is", "where_prec")
        return None
    return next(code for most, code in _RADII if radius_of(place) <= most)


def _cell(disc: Disc) -> int:
    """The cell of PRIO-GRID: half a degree each way, numbered from the south-west."""
    row_, column = (
        min(math.floor((at + half) * 2), half * 4 - 1) for at, half in ((disc.latitude, 90), (disc.longitude, 180))
    )
    return row_ * 720 + column + 1


def _deaths(one: Lossy) -> dict[str, Any]:
    found: dict[str, Any] = {name: _single(one, name, one.count("killed", of), of) for name, of in SIDES.items()}
    total = one.total("killed", "best")
    key = "killed", None
    if total is None:
        one.lose("not-stated", "how many were killed is not known", "best", key)
        return found
    if total.max is None:
        one.lose("open-count", "nothing says how many at most: high is best", "high", key)
    best = _best(one, "best", total, None)
    high = total.max if total.max is not None else max(best, total.min)
    return found | {"low": total.min, "best": best, "high": high}


def _single(one: Lossy, column: str, count: Count | None, of: str) -> int | None:
    return None if count is None else _best(one, column, count, of)


def _best(one: Lossy, column: str, count: Count, of: str | None) -> int:
    if count.best is not None:
        return count.best
    if count.max != count.min:
        one.lose("no-best", "no best estimate is stated: the least is given", column, ("killed", of))
    return count.min
