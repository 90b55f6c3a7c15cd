"""The parameters by which incidents are filtered, and what they come to."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from stet.errors import FieldError, Malformed
from stet.http.body import StetRequest
from stet.incident.resolve import ResolvedStatus
from stet.queries.cut import parse_said_by
from stet.queries.filters import IncidentFilter, Match, Role
from stet.queries.incidents import Sort

_SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
ATTRIBUTE = r"^[a-z][a-z0-9_]*$"
_GREATEST = 1_000_000_000_000
_FARTHEST_M = 20_100_000

Kind = Annotated[str | None, QueryParameter(description="Of this kind.", pattern=_SLUG, max_length=100)]
StatusName = Annotated[
    Literal["open", "closed", "withdrawn"] | None, QueryParameter(name="status", description="In this status.")
]
Tag = Annotated[str | None, QueryParameter(description="With this tag.", pattern=_SLUG, max_length=100)]
Bbox = Annotated[
    str | None,
    QueryParameter(
        description="west,south,east,north in degrees; west > east crosses the antimeridian.", max_length=200
    ),
]
Near = Annotated[
    str | None, QueryParameter(description="longitude,latitude in degrees; goes with radius.", max_length=100)
]
Radius = Annotated[float | None, QueryParameter(description="Metres around near.", gt=0, le=_FARTHEST_M)]
PlaceMatch = Annotated[
    Match,
    QueryParameter(description="Places are discs. definite: all of it lies inside; possible: some of it may."),
]
OccurredAfter = Annotated[
    str | None,
    QueryParameter(description="An RFC 3339 instant, or a date (its beginning, UTC); inclusive.", max_length=50),
]
OccurredBefore = Annotated[
    str | None,
    QueryParameter(description="An RFC 3339 instant, or a date (its end, UTC); inclusive.", max_length=50),
]
OccurredMatch = Annotated[
    Match,
    QueryParameter(description="definite: it can have been at no other time; possible: it may have been then."),
]
SourceId = Annotated[UUID | None, QueryParameter(description="With a statement in which this source has a part.")]
RoleName = Annotated[Role | None, QueryParameter(name="role", description="With source: its part.")]
AttributeText = Annotated[
    str | None, QueryParameter(description="On which a claim is live.", pattern=ATTRIBUTE, max_length=60)
]
AttributeStatus = Annotated[
    ResolvedStatus | None, QueryParameter(description="With an attribute (that of `attribute`) of this status.")
]
KilledMin = Annotated[
    int | None, QueryParameter(description="At least so many were killed, by any account.", ge=0, le=_GREATEST)
]
KilledMax = Annotated[
    int | None, QueryParameter(description="At most so many were killed, by any account.", ge=0, le=_GREATEST)
]
InjuredMin = Annotated[
    int | None, QueryParameter(description="At least so many were injured, by any account.", ge=0, le=_GREATEST)
]
InjuredMax = Annotated[
    int | None, QueryParameter(description="At most so many were injured, by any account.", ge=0, le=_GREATEST)
]
SortName = Annotated[Sort, QueryParameter(name="sort", description="The order; - turns it round.")]


def incident_filter(request: StetRequest) -> IncidentFilter:
    """The filter that a request's parameters give; their single values are checked already. Raises Malformed."""
    query = request.query_params
    errors: list[FieldError] = []

    def reject(name: str, detail: str) -> None:
        errors.append(FieldError(f"query.{name}", detail))

    box = _numbers(query.get("bbox"), 4)
    near = _numbers(query.get("near"), 2)
    if "bbox" in query and (box is None or not _is_box(box)):
        reject("bbox", "must be west,south,east,north: longitudes of -180 to 180, south <= north, of -90 to 90")
    if "near" in query and (near is None or abs(near[0]) > 180 or abs(near[1]) > 90):
        reject("near", "must be longitude,latitude: -180 to 180, and -90 to 90")
    if ("near" in query) != ("radius" in query):
        reject("radius", "goes with near, and near with radius")
    if "role" in query and "source" not in query:
        reject("role", "goes with source")
    for name, partners in (
        ("place_match", ("bbox", "near")),
        ("occurred_match", ("occurred_after", "occurred_before")),
    ):
        if name in query and not any(partner in query for partner in partners):
            reject(name, f"goes with {' or '.join(partners)}")
    if errors:
        raise Malformed("; ".join(f"{error.field}: {error.detail}" for error in errors), tuple(errors))
    texts = ("kind", "status", "tag", "q", "role", "attribute", "attribute_status", "place_match", "occurred_match")
    numbers = ("killed_min", "killed_max", "injured_min", "injured_max")
    given: dict[str, Any] = {name: query[name] for name in texts if name in query}
    # As Litestar read them: 2.0 and 2e0 are numbers, too.
    given |= {name: msgspec.convert(query[name], int, strict=False) for name in numbers if name in query}
    return IncidentFilter(
        **given,
        bbox=(box[0], box[1], box[2], box[3]) if box else None,
        near=(near[0], near[1]) if near else None,
        radius=float(query["radius"]) if "radius" in query else None,
        occurred_after=bound(query.get("occurred_after"), "occurred_after", first=True),
        occurred_before=bound(query.get("occurred_before"), "occurred_before", first=False),
        source=UUID(query["source"]) if "source" in query else None,
    )


def _is_box(box: list[float]) -> bool:
    west, south, east, north = box
    return abs(west) <= 180 and abs(east) <= 180 and -90 <= south <= north <= 90


def _numbers(text: str | None, count: int) -> list[float] | None:
    try:
        numbers = [float(part) for part in text.split(",")] if text else []
    except ValueError:
        return None
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else None


def bound(text: str | None, name: str, *, first: bool) -> datetime | None:
    """An instant, or the first or last moment of a date. Raises Malformed."""
    if text is None:
        return None
    instant = parse_said_by(text, f"query.{name}")
    is_date = len(text) == len("2020-11-09")
    return instant - timedelta(days=1, microseconds=-1) if first and is_date else instant.astimezone(UTC)
