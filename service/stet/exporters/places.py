"""Incidents as features of GeoJSON, with the times of the Linked Places Format."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from stet.incident.resolve import ResolvedStatus
from stet.incident.summary import IncidentSummary, OccurredSummary

CERTAINTY: dict[ResolvedStatus, str] = {
    "pinned": "certain",
    "admitted": "certain",
    "corroborated": "certain",
    "single-source": "less-certain",
    "purported": "uncertain",
    "contested": "uncertain",
    "unknown": "uncertain",
}
"""The words of the Linked Places Format for how a value stands."""
_WIDTHS = (
    ("second", timedelta(seconds=1)),
    ("minute", timedelta(minutes=1)),
    ("hour", timedelta(hours=1)),
    ("day", timedelta(days=1)),
    ("week", timedelta(days=7)),
    ("month", timedelta(days=31)),
    ("year", timedelta(days=366)),
)


def feature(item: IncidentSummary) -> dict[str, Any]:
    """The incident as a feature: the centre of its finest place, how far from it, when, and all that the list shows."""
    place = item.place
    located = place is not None and place.longitude is not None
    return {
        "type": "Feature",
        "id": item.incident_id,
        "geometry": {"type": "Point", "coordinates": [place.longitude, place.latitude]} if place and located else None,
        "where": {"radius_m": place.radius_m, "certainty": CERTAINTY[place.status]} if place else None,
        "when": _when(item.occurred) if item.occurred else None,
        "properties": item,
    }


def _when(occurred: OccurredSummary) -> dict[str, Any]:
    """It began and ended within the same bounds: nothing says how long it went on."""
    bounds = {name: at for name, at in (("earliest", occurred.earliest), ("latest", occurred.latest)) if at is not None}
    return {
        "timespans": [{"start": bounds, "end": bounds}],
        "precision": precision(occurred.earliest, occurred.latest),
        "approximate": occurred.approximate,
        "certainty": CERTAINTY[occurred.status],
    }


def precision(earliest: datetime | None, latest: datetime | None) -> str:
    """The shortest of the usual spans that holds both bounds; `longer`, or `open` where one is missing."""
    if earliest is None or latest is None:
        return "open"
    width = latest - earliest
    return next((name for name, longest in _WIDTHS if width <= longest), "longer")
