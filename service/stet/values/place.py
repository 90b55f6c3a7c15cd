"""Uncertain places: a name, a GeoJSON geometry, or both, with how near they are meant."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from stet.errors import Malformed
from stet.values.text import Line, Prose

Degrees = Annotated[float, Meta(ge=-180, le=180)]
Position = tuple[Degrees, Annotated[float, Meta(ge=-90, le=90)]]
"""Longitude, latitude: WGS 84 degrees, in the order of RFC 7946."""
Ring = Annotated[tuple[Position, ...], Meta(min_length=4, max_length=10_000)]


class Point(Struct, frozen=True, gc=False, forbid_unknown_fields=True, tag="Point"):
    coordinates: Position


class LineString(Struct, frozen=True, gc=False, forbid_unknown_fields=True, tag="LineString"):
    coordinates: Annotated[tuple[Position, ...], Meta(min_length=2, max_length=10_000)]


class Polygon(Struct, frozen=True, gc=False, forbid_unknown_fields=True, tag="Polygon"):
    coordinates: Annotated[tuple[Ring, ...], Meta(min_length=1, max_length=100)]


Geometry = Point | LineString | Polygon
Level = Literal["exact", "vicinity", "settlement", "admin2", "admin1", "country"]


class Place(Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """An uncertain place: a disc around its geometry, or only a name."""

    geometry: Geometry | None = None
    name: Line | None = None
    radius_m: Annotated[float, Meta(gt=0, le=20_100_000)] | None = None
    level: Level | None = None
    relation: Literal["at", "near", "between", "toward"] | None = None
    verbatim: Prose | None = None


def check_place(place: Place, field: str) -> None:
    """Raises Malformed where the parts contradict each other."""
    if place.geometry is None and place.name is None:
        raise Malformed.at(field, "must have a geometry or a name")
    if isinstance(place.geometry, Polygon):
        for index, ring in enumerate(place.geometry.coordinates):
            if ring[0] != ring[-1]:
                raise Malformed.at(
                    f"{field}.geometry.coordinates[{index}]", "must be a closed ring: first position = last"
                )
