"""What a list must show of an incident, from what the oracle resolves: the design, section 6, and docs/resolution.md.

Shared with the code that it judges are only the decoding and the discs of places; these have their own tests.

The pages leave open, and this takes: groups are those that have a value. An incident that occurred in several groups
occurred between the first and the last of their bounds, at no best time, and in the status that all of them have, or
else contested. A count of several groups has the status of the group with the greatest min. Where radii or counts are
equal, the first by attribute and then by group is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET
from tests.property.oracle import Told, resolved
from tests.property.oracle_claims import Key

from stet.envelope import Recorded
from stet.incident.events import IncidentAmended, IncidentOpened, IncidentStatusChanged
from stet.values.disc import disc_of, radius_of
from stet.values.place import Place

COUNTED = ("killed", "injured", "missing", "detained")
PLACED = ("crash_place", "engagement_place", "flight_place", "place")
SHAPES = (
    str,
    bool,
    {"min"},
    {"amount", "unit"},
    {"earliest"},
    {"latest"},
    {"best"},
    {"edtf"},
    {"anchor"},
    {"verbatim"},
)
"""What a text or term, a boolean, a count, a quantity and a time are."""
Found = dict[Key, dict[str, Any]]


def header(events: Iterable[Recorded[Any]]) -> dict[str, Any]:
    """What the desk calls the incident. Nothing that was said changes it, and no said_by cuts it."""
    shown: dict[str, Any] = {"status": "open"}
    for recorded in events:
        match recorded.event:
            case IncidentOpened(title=title, kind=kind, tags=tags):
                shown |= {"title": title, "kind": kind, "tags": tags}
            case IncidentAmended(title=title, kind=kind, tags=tags):
                given = {"title": title, "kind": kind, "tags": tags}
                shown |= {name: value for name, value in given.items() if value is not UNSET}
            case IncidentStatusChanged(status=status):
                shown["status"] = status
    return shown


def listed(named: dict[str, Any], told: Told, said_by: datetime | None = None) -> dict[str, Any]:
    """All that a list shows, field by field."""
    found = resolved(told, said_by)
    shown: dict[str, Any] = dict(named)
    for attribute in COUNTED:
        shown[attribute] = counted(of_groups(found, attribute))
    shown["occurred"] = occurred(of_groups(found, "occurred_at"))
    shown["place"] = placed(found)
    statuses: dict[str, set[str]] = {}
    for (attribute, _), one in found.items():
        statuses.setdefault(attribute, set()).add(one["status"])
    shown["attributes"] = {attribute: tuple(sorted(theirs)) for attribute, theirs in statuses.items()}
    shown["values"] = {
        attribute: one["value"] for (attribute, of), one in found.items() if of is None and plain(attribute, one)
    }
    return shown


def plain(attribute: str, one: dict[str, Any]) -> bool:
    """Whether a list shows the value as it is: one that is small, and that no field of its own shows."""
    value = one["value"]
    if attribute in (*COUNTED, *PLACED, "occurred_at") or isinstance(value, list) or value is None:
        return False
    if isinstance(value, dict):
        return "geometry" not in value and any(isinstance(shape, set) and shape <= value.keys() for shape in SHAPES)
    return len(value) <= 200 if isinstance(value, str) else isinstance(value, bool)


def of_groups(found: Found, attribute: str) -> list[dict[str, Any]]:
    """What was resolved of nothing in particular alone, or else of each group, by its name. Unknown is not zero."""
    whole = found.get((attribute, None))
    if whole is not None and whole["value"] is not None:
        return [whole]
    names = [of for name, of in found if name == attribute and of is not None]
    return [found[attribute, of] for of in sorted(names) if found[attribute, of]["value"] is not None]


def least(count: dict[str, Any]) -> int:
    """A contradictory triple counts as the range from its least to its greatest."""
    low: int = count["min"]
    return min(count.get("best", low), count.get("max", low), low) if count.get("inconsistent") else low


def most(count: dict[str, Any]) -> int | None:
    """The greatest that it may be; None is unbounded."""
    high: int | None = count.get("max")
    if count.get("inconsistent"):
        low: int = count["min"]
        return max(count.get("best", low), count.get("max", low), low)
    return high


def counted(groups: list[dict[str, Any]]) -> dict[str, Any] | None:
    """One of nothing in particular, or the only group, as it is; of several at least the greatest, at most unknown."""
    if len(groups) == 0:
        return None
    if len(groups) == 1:
        return {"min": least(groups[0]["value"]), "max": most(groups[0]["value"]), "status": groups[0]["status"]}
    greatest = groups[0]
    for group in groups[1:]:
        if least(group["value"]) > least(greatest["value"]):
            greatest = group
    return {"min": least(greatest["value"]), "max": None, "status": greatest["status"]}


def occurred(groups: list[dict[str, Any]]) -> dict[str, Any] | None:
    """When it happened. What one of several groups leaves open is open."""
    if len(groups) == 0:
        return None
    times = {name: [_instant(group["value"].get(name)) for group in groups] for name in ("earliest", "latest", "best")}
    statuses = {group["status"] for group in groups}
    return {
        "earliest": _unless_open(min, times["earliest"]),
        "latest": _unless_open(max, times["latest"]),
        "best": times["best"][0] if len(groups) == 1 else None,
        "approximate": any(group["value"].get("approximate", False) for group in groups),
        "status": statuses.pop() if len(statuses) == 1 else "contested",
    }


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _unless_open(pick: Any, bounds: list[datetime | None]) -> Any:
    return None if None in bounds else pick(bounds)


def placed(found: Found) -> dict[str, Any] | None:
    """The smallest disc of all places; where none of them has a geometry, the name that is narrowest."""
    mapped, named = [], []
    for (attribute, of), one in found.items():
        if attribute in PLACED and one["value"] is not None:
            place = msgspec.convert(one["value"], Place)
            ranked = radius_of(place), attribute, of or "", one["status"], place
            (named if disc_of(place) is None else mapped).append(ranked)
    if not mapped and not named:
        return None
    _, attribute, _, status, place = min(mapped or named, key=lambda one: one[:3])
    disc = disc_of(place)
    shown = {"attribute": attribute, "name": place.name, "status": status}
    if disc is None:
        return {**shown, "longitude": None, "latitude": None, "radius_m": None}
    return {**shown, "longitude": disc.longitude, "latitude": disc.latitude, "radius_m": disc.radius_m}
