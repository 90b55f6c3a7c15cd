"""Discs on the sphere."""

from __future__ import annotations

from math import inf, isclose, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import geometries, places

from stet.values.disc import EARTH_RADIUS_M, FARTHEST_M, Disc, disc_of, distance_m, meet, radius_of
from stet.values.place import Geometry, LineString, Place, Point, Polygon, Position

DEGREE_M = EARTH_RADIUS_M * pi / 180
discs = st.builds(Disc, st.floats(-180, 180), st.floats(-90, 90), st.floats(0, 20_100_000))


def at(longitude: float, latitude: float, radius_m: float = 0.0) -> Disc:
    return Disc(longitude, latitude, radius_m)


def line(*positions: Position) -> LineString:
    return LineString(positions)


def vertices(geometry: Geometry) -> list[Position]:
    match geometry:
        case Point():
            return [geometry.coordinates]
        case LineString():
            return list(geometry.coordinates)
        case Polygon():
            return [position for ring in geometry.coordinates for position in ring]


@pytest.mark.parametrize(
    ("a", "b", "degrees"),
    [
        (at(44.85, 39.74), at(44.85, 39.74), 0),
        (at(0, 0), at(1, 0), 1),
        (at(0, 0), at(0, -1), 1),
        (at(179.5, 0), at(-179.5, 0), 1),
        (at(180, 30), at(-180, 30), 0),
        (at(0, 90), at(123, 90), 0),
        (at(0, 89), at(180, 89), 2),
        (at(0, 90), at(77, -90), 180),
        (at(0, 0), at(180, 0), 180),
        (at(10, 20), at(-170, -20), 180),
        (at(10, 20), at(-170, -20 + 1e-5), 180 - 1e-5),
        (at(0, 0), at(90, 45), 90),
    ],
)
def test_distances_that_are_known(a: Disc, b: Disc, degrees: float) -> None:
    assert distance_m(a, b) == pytest.approx(degrees * DEGREE_M, rel=1e-12, abs=1e-6)


def test_the_distance_of_two_cities() -> None:
    """Yerevan to Baku: 450 km and some."""
    assert distance_m(at(44.5152, 40.1872), at(49.8671, 40.4093)) == pytest.approx(454_000, rel=0.01)


def test_discs_meet_that_touch_across_the_antimeridian_or_a_pole() -> None:
    assert meet(at(179, 0, DEGREE_M), at(-179, 0, 1.001 * DEGREE_M))
    assert not meet(at(179, 0, DEGREE_M), at(-179, 0, 0.999 * DEGREE_M))
    assert meet(at(0, 89, DEGREE_M), at(180, 89, 1.001 * DEGREE_M))
    assert meet(at(0, 0, inf), at(180, 0, 0))


@pytest.mark.parametrize(
    ("place", "radius"),
    [
        (Place(name="a"), inf),
        (Place(name="a", level="exact"), 10),
        (Place(name="a", level="vicinity"), 1_000),
        (Place(name="a", level="settlement"), 5_000),
        (Place(name="a", level="admin2"), 50_000),
        (Place(name="a", level="admin1"), 200_000),
        (Place(name="a", level="country"), 1_000_000),
        (Place(name="a", level="country", radius_m=7.0), 7),
        (Place(geometry=Point((1, 2))), 1_000),
        (Place(geometry=Point((1, 2)), level="exact"), 10),
        (Place(geometry=Point((1, 2)), level="exact", radius_m=7.0), 7),
        (Place(geometry=line((0, 0), (2, 0)), level="exact"), DEGREE_M + 10),
        (Place(geometry=line((0, 0), (2, 0)), radius_m=20_000_000.0), FARTHEST_M),
        (Place(geometry=Point((1, 2)), radius_m=20_100_000.0), FARTHEST_M),
    ],
)
def test_the_radius_is_as_stated_or_as_the_level_has_it(place: Place, radius: float) -> None:
    assert radius_of(place) == pytest.approx(radius, rel=1e-12)


@pytest.mark.parametrize(
    ("geometry", "longitude", "latitude"),
    [
        (Point((-180, 12)), -180, 12),
        (Point((44.85, 39.74)), 44.85, 39.74),
        (line((10, 20), (30, 40)), 20, 30),
        (line((179, 1), (-179, 1)), 180, 1),
        (line((-179, 1), (179, 1)), 180, 1),
        (line((170, 0), (-160, 0)), -175, 0),
        (line((160, 0), (-170, 0)), 175, 0),
        (line((180, 0), (-180, 2)), 180, 1),
        (line((-90, 0), (90, 0)), 0, 0),
        (line((-100, 0), (10, 0), (170, 0)), -90, 0),
        (line((0, 90), (10, 80)), 5, 85),
        (Polygon((((0, 0), (4, 0), (4, 2), (0, 0)), ((1, 0.5), (2, 0.5), (2, 1), (1, 0.5)))), 2, 1),
    ],
)
def test_the_centre_is_that_of_the_bounding_box(geometry: Geometry, longitude: float, latitude: float) -> None:
    """Which goes the shorter way round."""
    disc = disc_of(Place(geometry=geometry))
    assert disc
    assert abs(disc.longitude) == abs(longitude) == 180 or disc.longitude == pytest.approx(longitude)
    assert disc.latitude == latitude


def test_a_place_that_is_only_a_name_has_no_disc() -> None:
    assert disc_of(Place(name="Yeraskh", radius_m=5.0)) is None


def test_a_line_across_the_antimeridian_is_short() -> None:
    place = Place(geometry=line((179, 0), (-179, 0)), level="exact")
    assert radius_of(place) == pytest.approx(DEGREE_M + 10)


@given(discs, discs)
def test_a_distance_is_the_same_both_ways(a: Disc, b: Disc) -> None:
    assert distance_m(a, b) == distance_m(b, a)
    assert 0 <= distance_m(a, b) <= FARTHEST_M
    assert meet(a, b) == meet(b, a)


@given(discs, discs, discs)
def test_no_detour_is_shorter(a: Disc, b: Disc, c: Disc) -> None:
    assert distance_m(a, c) <= (distance_m(a, b) + distance_m(b, c)) * (1 + 1e-6) + 1e-6


@given(discs)
def test_a_disc_meets_itself(disc: Disc) -> None:
    assert distance_m(disc, disc) == 0
    assert meet(disc, disc)


@given(geometries)
def test_every_vertex_lies_in_the_disc(geometry: Geometry) -> None:
    disc = disc_of(Place(geometry=geometry, radius_m=0.5))
    assert disc
    assert -180 <= disc.longitude <= 180
    assert -90 <= disc.latitude <= 90
    assert all(distance_m(disc, at(*vertex)) <= disc.radius_m for vertex in vertices(geometry))


@given(places())
def test_the_disc_has_the_radius_of_the_place(place: Place) -> None:
    disc = disc_of(place)
    assert (disc is None) == (place.geometry is None)
    assert disc is None or (isclose(disc.radius_m, radius_of(place)) and disc.radius_m <= FARTHEST_M)
