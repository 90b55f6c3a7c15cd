"""Incidents as rows of an ACLED export. docs/exports.md gives the rules."""

from __future__ import annotations

import math
from typing import Any

from stet.exporters.lossy import Days, Lossy
from stet.incident.rules import AFFIRMING
from stet.values.compare import interval
from stet.values.disc import disc_of, radius_of
from stet.values.place import Level, Place

_HEADER = """
    event_id_cnty event_date year time_precision disorder_type event_type sub_event_type actor1 assoc_actor_1
    inter1 actor2 assoc_actor_2 inter2 interaction civilian_targeting iso region country admin1 admin2 admin3
    location latitude longitude geo_precision source source_scale notes fatalities tags timestamp
"""
COLUMNS = tuple(_HEADER.split())
_LEVELS: dict[Level, int] = {"exact": 1, "vicinity": 1, "settlement": 1, "admin2": 2, "admin1": 3, "country": 3}
_RADII = ((5_000, 1), (50_000, 2), (math.inf, 3))
_DAYS = ((1, 1), (7, 2), (math.inf, 3))
_MONTH = 31


def row(one: Lossy) -> dict[str, Any]:
    """The columns that have a value; what they cannot say is among the losses."""
    found: dict[str, Any] = {name: one.plain(name) for name in COLUMNS}
    found |= {"event_id_cnty": one.id}
    found |= _when(one, found)
    found |= _where(one, found)
    found |= _actors(one, found)
    found |= _said(one, found)
    found["fatalities"] = _fatalities(one)
    found["tags"] = found["tags"] or "; ".join(one.one.item.tags) or None
    for name in ("event_type", "sub_event_type"):
        if found[name] is None:
            one.lose("not-representable", "the type of an event is a judgement of the desk, and never guessed", name)
    return found


def _when(one: Lossy, given: dict[str, Any]) -> dict[str, Any]:
    days = one.days("event_date")
    if days is None:
        return {}
    if days.number > _MONTH:
        one.lose("not-representable", f"{days.number} days are more than a month", "time_precision")
    date = given["event_date"] or days.middle.isoformat()
    return {
        "event_date": date,
        "year": given["year"] or days.middle.year,
        "time_precision": given["time_precision"] or _by_days(days),
    }


def _by_days(days: Days) -> int:
    return next(code for most, code in _DAYS if days.number <= most)


def _where(one: Lossy, given: dict[str, Any]) -> dict[str, Any]:
    place = one.place()
    if place is None:
        one.lose("not-stated", "no place is known", "location")
        return {}
    found = {
        "location": given["location"] or place.name,
        "geo_precision": given["geo_precision"] or _precision(one, place),
    }
    disc = disc_of(place)
    if disc is None:
        one.lose("not-stated", "the place has a name and no coordinates", "latitude")
        return found
    return found | {"latitude": disc.latitude, "longitude": disc.longitude}


def _precision(one: Lossy, place: Place) -> int | None:
    if place.relation in ("near", "between", "toward"):
        return 2
    if place.level:
        return _LEVELS[place.level]
    if place.geometry is None and place.radius_m is None:
        one.lose("not-stated", "nothing says how precise the place is", "geo_precision")
        return None
    return next(code for most, code in _RADII if radius_of(place) <= most)


def _actors(one: Lossy, given: dict[str, Any]) -> dict[str, Any]:
    sides = [given[name] or one.plain(side) for name, side in (("actor1", "side_a"), ("actor2", "side_b"))]
    if sides == [None, None]:
        sides = [one.plain("responsible"), one.plain("target_operator")]
        if None not in sides:
            one.lose("direction", "who was responsible, and who was hit, is not said by actor1 and actor2", "actor1")
    return dict(zip(("actor1", "actor2"), sides, strict=True))


def _said(one: Lossy, given: dict[str, Any]) -> dict[str, Any]:
    """Who reported it, who had said it, and when that was said last."""
    live = one.live
    speakers = dict.fromkeys(said.speaker.name or str(said.speaker.source_id) for said in live)
    reporters = dict.fromkeys(hop.name or str(hop.source_id) for said in live for hop in said.chain[-1:])
    source = given["source"] or one.plain("reported_by", join="; ") or "; ".join(reporters or speakers) or None
    notes = f"{one.one.item.title}. Said by {'; '.join(speakers)}." if speakers else one.one.item.title
    latest = [said.said_at.latest for said in live if said.said_at.latest]
    return {
        "source": source,
        "notes": given["notes"] or notes,
        "timestamp": given["timestamp"] or (int(max(latest).timestamp()) if latest else None),
    }


def _fatalities(one: Lossy) -> int:
    """The lowest count that anybody gives who counts; 0 where nobody does."""
    key = "killed", None
    total = one.total("killed", "fatalities")
    found = one.one.resolved.get(key)
    heard = {*found.supporting, *found.dissenting} if found else set()
    counts = [
        interval("count", claim.value)
        for said in one.one.state.statements.values()
        for claim in said.claims.values()
        if claim.claim_id in heard and claim.act in AFFIRMING and claim.scope == "explicit"
    ]
    if total is None and not counts:
        one.lose("not-stated", "how many were killed is not known: 0 is given", "fatalities", key)
        return 0
    least = min((count.low for count in counts), default=total.min if total else 0)
    if any(count != (least, least) for count in counts):
        one.lose("no-best", "the lowest of several counts is given", "fatalities", key)
    return int(least)
