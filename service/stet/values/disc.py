"""Discs on the sphere: where a place may be, as a centre and how far from it."""

from __future__ import annotations

from itertools import pairwise
from math import atan2, cos, hypot, inf, pi, radians, sin
from typing import NamedTuple

from stet.values.place import Level, LineString, Place, Point, Polygon, Position

EARTH_RADIUS_M = 6_371_008.8
FARTHEST_M = pi * EARTH_RADIUS_M
"""Half the circumference: no two points are farther apart."""
UNSTATED_M = 1_000.0
"""The radius of a geometry that nothing is said of."""
RADII_M: dict[Level, float] = {
    "exact": 10.0,
    "vicinity": 1_000.0,
    "settlement": 5_000.0,
    "admin2": 50_000.0,
    "admin1": 200_000.0,
    "country": 1_000_000.0,
}


class Disc(NamedTuple):
    """All points at most `radius_m` from a centre."""

    longitude: float
    latitude: float
    radius_m: float


def distance_m(a: Disc, b: Disc) -> float:
    """The great-circle distance of the centres, exact for near and for opposite ones."""
    middle, half = radians(b.latitude + a.latitude) / 2, radians(b.latitude - a.latitude) / 2
    turn = radians(b.longitude - a.longitude) / 2
    # The haversine's chord, and the chord of what is left to the opposite point, each without cancellation.
    chord = hypot(sin(half) * cos(turn), cos(middle) * sin(turn))
    rest = hypot(cos(half) * cos(turn), sin(middle) * sin(turn))
    return 2 * EARTH_RADIUS_M * atan2(chord, rest)


def meet(a: Disc, b: Disc) -> bool:
    """Whether the discs have a point in common."""
    return distance_m(a, b) <= a.radius_m + b.radius_m


def radius_of(place: Place) -> float:
    """How far from its centre the place may be: as stated, or by its level, and the extent of its geometry.

    Infinite where neither a geometry, a radius nor a level says anything.
    """
    extent = 0.0
    if place.geometry is not None:
        vertices = _vertices(place.geometry)
        centre = _at(_centre(vertices))
        extent = max(distance_m(centre, _at(vertex)) for vertex in vertices)
    if place.radius_m is not None:
        stated = place.radius_m
    elif place.level is not None:
        stated = RADII_M[place.level]
    else:
        stated = inf if place.geometry is None else UNSTATED_M
    return stated if stated == inf else min(stated + extent, FARTHEST_M)


def disc_of(place: Place) -> Disc | None:
    """The disc with every vertex of the place's geometry in it; None for a place that is only a name."""
    if place.geometry is None:
        return None
    longitude, latitude = _centre(_vertices(place.geometry))
    return Disc(longitude, latitude, radius_of(place))


def _vertices(geometry: Point | LineString | Polygon) -> tuple[Position, ...]:
    if isinstance(geometry, Point):
        return (geometry.coordinates,)
    if isinstance(geometry, LineString):
        return geometry.coordinates
    return tuple(position for ring in geometry.coordinates for position in ring)


def _at(position: Position) -> Disc:
    return Disc(*position, 0.0)


def _centre(vertices: tuple[Position, ...]) -> Position:
    """The centre of the smallest bounding box, which may cross the antimeridian."""
    latitudes = [latitude for _, latitude in vertices]
    west, width = _arc(sorted({longitude for longitude, _ in vertices}))
    longitude = west + width / 2
    return longitude - 360 if longitude > 180 else longitude, (min(latitudes) + max(latitudes)) / 2


def _arc(longitudes: list[float]) -> tuple[float, float]:
    """The shortest arc over all of the sorted longitudes, as its west end and width: it leaves out the widest gap."""
    west, width = longitudes[0], longitudes[-1] - longitudes[0]
    for before, after in pairwise(longitudes):
        if 360 - (after - before) < width:
            west, width = after, 360 - (after - before)
    return west, width
