"""An incident in a list: what its claims come to, in a size that does not grow with their number."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from stet.incident.events import Status
from stet.incident.resolve import Outcome, Resolved, ResolvedStatus, resolve
from stet.incident.state import Incident
from stet.ledger.attributes import BUILT_IN
from stet.values.compare import interval, place_of, time_of

COUNTS = tuple(name for name, attribute in BUILT_IN.items() if attribute.type_ == "count")
PLACES = tuple(name for name, attribute in BUILT_IN.items() if attribute.type_ == "place")
TEXT_MAX = 200
"""The longest text, in characters, that a list shows."""
_OCCURRED, _PLACE = "occurred_at", "place"
ELSEWHERE = {_OCCURRED, *PLACES, *COUNTS}
"""The attributes that have fields of their own."""
_UNLISTED = (b'{"geometry"', b'{"name"', b'{"source_id"', b'{"document_id"')
"""How stored places, sources and documents begin: a geometry has any size, and a name is another stream's."""
_Told = TypeVar("_Told", bound=Resolved | Outcome)


class OccurredSummary(Struct, frozen=True, kw_only=True):
    """When it happened; null is unbounded."""

    earliest: datetime | None
    latest: datetime | None
    best: datetime | None
    approximate: bool
    status: ResolvedStatus


class PlaceSummary(Struct, frozen=True, kw_only=True):
    """The finest place: a disc in WGS 84 degrees and metres, or only a name."""

    attribute: str
    name: str | None
    longitude: float | None
    latitude: float | None
    radius_m: float | None
    status: ResolvedStatus


class CountSummary(Struct, frozen=True, kw_only=True):
    """How many, over all groups: at least `min`, at most `max`; null is unbounded."""

    min: int
    max: int | None
    status: ResolvedStatus


class Summary(Struct, frozen=True, kw_only=True):
    """What a list shows of an incident, and filters it by. A row of incident_history holds one."""

    title: str
    kind: str
    status: Status
    tags: tuple[str, ...]
    occurred: OccurredSummary | None
    place: PlaceSummary | None
    killed: CountSummary | None
    injured: CountSummary | None
    missing: CountSummary | None
    detained: CountSummary | None
    attributes: dict[str, tuple[ResolvedStatus, ...]]
    """The statuses that each attribute has, over all that it is `of`."""
    values: dict[str, Raw]
    """The value of each attribute that has one of nothing in particular and no field above, as in the incident's view:
    counts, quantities, times, booleans, and terms and texts of at most 200 characters."""


class IncidentSummary(Summary, frozen=True, kw_only=True):
    """One incident in a list."""

    incident_id: UUID
    version: int
    opened_at: datetime
    updated_at: datetime


def summary(state: Incident) -> Summary:
    """The incident as a list shows it. said_by is applied already (stet.incident.said)."""
    shown = bare(state)
    families: dict[str, list[Resolved]] = {}
    for one in resolve(state):
        families.setdefault(family_of(one.attribute), []).append(one)
    for family, found in families.items():
        shown = told(shown, family, found)
    return shown


def bare(state: Incident) -> Summary:
    """The incident as a list shows it where nothing resolves."""
    return Summary(
        title=state.title,
        kind=state.kind,
        status=state.status,
        tags=state.tags,
        occurred=None,
        place=None,
        killed=None,
        injured=None,
        missing=None,
        detained=None,
        attributes={},
        values={},
    )


def family_of(attribute: str) -> str:
    """The attributes that a list shows together have one name: all places are one field."""
    return _PLACE if attribute in PLACES else attribute


def names_of(family: str) -> tuple[str, ...]:
    """The attributes of a family."""
    return PLACES if family == _PLACE else (family,)


def told(shown: Summary, family: str, found: Sequence[Resolved | Outcome]) -> Summary:
    """The summary with what a family of attributes comes to instead: all of it, in the order of (attribute, of)."""
    names = names_of(family)
    by_name: dict[str, list[Resolved | Outcome]] = {}
    for one in found:
        by_name.setdefault(one.attribute, []).append(one)
    statuses = {name: tuple(sorted({one.status for one in its})) for name, its in by_name.items()}
    fields: dict[str, Any] = {"attributes": _put(shown.attributes, names, statuses)}
    if family == _OCCURRED:
        fields["occurred"] = _occurred(found)
    elif family == _PLACE:
        fields["place"] = _place(found)
    elif family in COUNTS:
        fields[family] = _count(found)
    else:
        # What is of nothing in particular comes first.
        listed = found and found[0].of is None and found[0].rule != "all" and _is_listed(found[0].value)
        fields["values"] = _put(shown.values, names, {family: found[0].value} if listed else {})
    return replace(shown, **fields)


def _put(shown: dict[str, Any], names: Collection[str], found: dict[str, Any]) -> dict[str, Any]:
    """What is shown by name with other entries for some of the names, in the order of all."""
    if all(shown.get(name) == found.get(name) for name in names):
        return shown
    others = {name: value for name, value in shown.items() if name not in names}
    return dict(sorted((others | found).items()))


def _is_listed(raw: Raw | None) -> bool:
    if raw is None:
        return False
    value = bytes(raw)
    if value.startswith(b'"'):
        return len(value) <= TEXT_MAX or len(msgspec.json.decode(value, type=str)) <= TEXT_MAX
    return not value.startswith(_UNLISTED)


def _of_all(found: Sequence[Resolved | Outcome]) -> list[Resolved | Outcome]:
    """The one that is of nothing in particular, if it has a value; else all that have one."""
    valued = [one for one in found if one.value is not None]
    return [one for one in valued if one.of is None] or valued


def _worst(found: Sequence[Resolved | Outcome]) -> ResolvedStatus:
    return found[0].status if len({one.status for one in found}) == 1 else "contested"


def _count(found: Sequence[Resolved | Outcome]) -> CountSummary | None:
    groups = _of_all(found)
    if not groups:
        return None
    ranges = [interval("count", one.value) for one in groups if one.value is not None]
    if len(ranges) == 1:
        most = None if ranges[0].high == math.inf else ranges[0].high
        return CountSummary(min=ranges[0].low, max=most, status=groups[0].status)
    greatest = max(zip((one.low for one in ranges), groups, strict=True), key=lambda pair: pair[0])
    return CountSummary(min=greatest[0], max=None, status=greatest[1].status)


def _occurred(found: Sequence[Resolved | Outcome]) -> OccurredSummary | None:
    groups = _of_all(found)
    if not groups:
        return None
    times = [time_of(one.value) for one in groups if one.value is not None]
    earliest = [time.earliest for time in times if time.earliest]
    latest = [time.latest for time in times if time.latest]
    return OccurredSummary(
        earliest=min(earliest) if len(earliest) == len(times) else None,
        latest=max(latest) if len(latest) == len(times) else None,
        best=times[0].best if len(times) == 1 else None,
        approximate=any(time.approximate for time in times),
        status=_worst(groups),
    )


def finest(found: Iterable[_Told]) -> _Told | None:
    """The smallest disc of all places that have one: a name alone is on no map. Of equal ones the first by name."""
    places = ((one, place_of(one.value)) for one in found if one.attribute in PLACES and one.value is not None)
    ranked = (((place.disc is None, place.radius_m, one.attribute, one.of or ""), one) for one, place in places)
    return min(ranked, key=lambda pair: pair[0], default=(None, None))[1]


def _place(found: Iterable[Resolved | Outcome]) -> PlaceSummary | None:
    one = finest(found)
    if one is None or one.value is None:
        return None
    spread = place_of(one.value)
    return PlaceSummary(
        attribute=one.attribute,
        name=spread.name,
        longitude=spread.disc.longitude if spread.disc else None,
        latitude=spread.disc.latitude if spread.disc else None,
        radius_m=spread.disc.radius_m if spread.disc else None,
        status=one.status,
    )
