"""The functions of discs and boxes, against points of them taken one by one."""

from __future__ import annotations

from collections.abc import Iterator
from math import asin, atan2, cos, degrees, inf, pi, radians, sin
from typing import Any, NamedTuple

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stet.values.disc import EARTH_RADIUS_M, FARTHEST_M, Disc, distance_m

DEGREE_M = EARTH_RADIUS_M * pi / 180
DISTANCE = "SELECT stet.distance_m(%s, %s, %s, %s)"
BOX_DISTANCE = "SELECT stet.box_distance_m(%s, %s, %s, %s, %s, %s)"
DISC_IN_BOX = "SELECT stet.disc_in_box(%s, %s, %s, %s, %s, %s, %s)"
STEPS = 180


class Box(NamedTuple):
    """As a client gives it: from west eastward to east, which is less than west across the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    @property
    def width(self) -> float:
        return self.east - self.west + (360 if self.west > self.east else 0)

    def holds(self, longitude: float, latitude: float, slack: float) -> bool:
        """Whether the point lies in the box, or no more than `slack` degrees outside."""
        eastward = (longitude - self.west + slack) % 360
        return self.south - slack <= latitude <= self.north + slack and eastward <= self.width + 2 * slack

    def edge(self) -> Iterator[tuple[float, float]]:
        """Points of the edge, no more than 2 degrees apart."""
        for step in range(STEPS + 1):
            longitude = self.west + self.width * step / STEPS
            latitude = self.south + (self.north - self.south) * step / STEPS
            yield from ((longitude, self.south), (longitude, self.north), (self.west, latitude), (self.east, latitude))


def ring(longitude: float, latitude: float, radius_m: float) -> Iterator[tuple[float, float]]:
    """Points at a distance from a point, in all directions."""
    phi, reach = radians(latitude), radius_m / EARTH_RADIUS_M
    for step in range(2 * STEPS):
        bearing = 2 * pi * step / (2 * STEPS)
        sine = sin(phi) * cos(reach) + cos(phi) * sin(reach) * cos(bearing)
        other = asin(max(-1.0, min(1.0, sine)))
        turn = atan2(sin(bearing) * sin(reach) * cos(phi), cos(reach) - sin(phi) * sin(other))
        yield longitude + degrees(turn), degrees(other)


def inside(disc: Disc) -> Iterator[tuple[float, float]]:
    """Points of a disc: the centre, the rim, and the surroundings of each pole that it contains."""
    yield disc.longitude, disc.latitude
    radius_m = min(disc.radius_m, FARTHEST_M)
    for part in (0.5, 1.0):
        yield from ring(disc.longitude, disc.latitude, radius_m * part)
    for pole in (90, -90):
        room = radius_m / DEGREE_M - abs(pole - disc.latitude)
        if room > 0:
            yield from ((longitude + 0.5, pole * (1 - room / 2 / 90)) for longitude in range(-180, 180))
            yield 0.0, float(pole)


longitudes = st.integers(-180, 180).map(float) | st.floats(-180, 180)
latitudes = st.integers(-90, 90).map(float) | st.floats(-90, 90)
points = st.tuples(longitudes, latitudes)
_whole = st.just((-180.0, 180.0))
boxes = st.builds(
    lambda sides, ends: Box(sides[0], min(ends), sides[1], max(ends)),
    st.tuples(st.integers(-180, 180).map(float), st.integers(-180, 180).map(float)) | _whole,
    st.tuples(latitudes, latitudes) | st.tuples(latitudes, st.sampled_from([-90.0, 90.0])),
)
radii = st.floats(0, 30_000) | st.floats(0, 3_000_000) | st.floats(0, FARTHEST_M) | st.just(inf)


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as connected:
        yield connected


def ask(connection: psycopg.Connection[Any], query: str, *arguments: float | None) -> Any:
    row = connection.execute(query, arguments).fetchone()
    assert row
    return row[0]


def test_the_distance_is_that_of_the_service(connection: psycopg.Connection[Any]) -> None:
    @given(points, points)
    @settings(max_examples=100)
    @example((0.0, 90.0), (77.0, -90.0))
    @example((10.0, 20.0), (-170.0, -20.0))
    @example((180.0, 5.0), (-180.0, 5.0))
    @example((5e-324, 5e-324), (0.0, 0.0))
    @example((1e-200, 90.0), (0.0, -1e-200))
    def agree(a: tuple[float, float], b: tuple[float, float]) -> None:
        expected = distance_m(Disc(*a, 0), Disc(*b, 0))
        assert ask(connection, DISTANCE, *a, *b) == pytest.approx(expected, rel=1e-12, abs=1e-6)

    agree()


def test_the_distance_to_a_box_is_that_to_its_nearest_point(connection: psycopg.Connection[Any]) -> None:
    """No point of its edge is nearer, and one is hardly farther."""

    @given(points, boxes)
    @settings(max_examples=150)
    @example((0.0, 80.0), Box(179.0, -10.0, -179.0, 85.0))
    @example((0.0, 10.0), Box(170.0, -80.0, -170.0, -20.0))
    @example((100.0, 90.0), Box(0.0, 10.0, 20.0, 90.0))
    @example((0.0, 0.0), Box(180.0, -90.0, -180.0, 90.0))
    @example((5e-324, 5e-324), Box(0.0, -90.0, 0.0, 0.0))
    def nearest(point: tuple[float, float], box: Box) -> None:
        found = ask(connection, BOX_DISTANCE, *point, *box)
        if box.holds(*point, 0):
            assert found == pytest.approx(0, abs=1e-6)
            return
        sampled = min(distance_m(Disc(*point, 0), Disc(*other, 0)) for other in box.edge())
        assert found <= sampled + 1e-6
        # A point of the edge is at most a degree from a sampled one.
        assert found >= sampled - 1.01 * DEGREE_M
        if found > 5 * DEGREE_M:
            assert found >= sampled - 0.2 * DEGREE_M

    nearest()


@pytest.mark.parametrize(
    ("point", "box", "degrees_"),
    [
        ((44.85, 39.74), Box(44.85, 39.74, 44.85, 39.74), 0),
        ((5, 5), Box(0, 0, 10, 10), 0),
        ((-170, 0), Box(170, -5, -170, 5), 0),
        ((123, 12), Box(-180, -90, 180, 90), 0),
        ((123, 90), Box(10, 80, 20, 90), 0),
        ((5, 12), Box(0, 0, 10, 10), 2),
        ((-3, 0), Box(0, -10, 10, 10), 3),
        ((13, 0), Box(0, -10, 10, 10), 3),
        ((0, 0), Box(180, -5, 180, 5), 175),
        ((178, 0), Box(-179, -5, -170, 5), 3),
        ((180, 89), Box(0, 50, 0, 88), 3),
        ((180, -89), Box(0, -85, 0, 50), 6),
        ((123, 90), Box(10, 10, 20, 80), 10),
        ((100, 45), Box(0, -90, 10, 90), 45),
    ],
)
def test_distances_to_boxes_that_are_known(
    connection: psycopg.Connection[Any], point: tuple[float, float], box: Box, degrees_: float
) -> None:
    found = ask(connection, BOX_DISTANCE, *point, *box)
    assert found == pytest.approx(degrees_ * DEGREE_M, rel=1e-12, abs=1e-6)


def test_a_disc_lies_in_a_box_if_all_its_points_do(connection: psycopg.Connection[Any]) -> None:
    """And if it does not, some point of a hardly larger disc lies outside."""

    @given(points, radii, boxes)
    @settings(max_examples=200)
    @example((179.0, 0.0), 100_000.0, Box(170.0, -10.0, -170.0, 10.0))
    @example((0.0, 89.0), 200_000.0, Box(-180.0, 80.0, 180.0, 90.0))
    @example((0.0, 89.0), 200_000.0, Box(-180.0, 80.0, 179.0, 90.0))
    @example((0.0, 0.0), inf, Box(-180.0, -90.0, 180.0, 90.0))
    @example((0.0, 60.0), 3_000_000.0, Box(-100.0, 30.0, 100.0, 90.0))
    @example((5e-324, 0.0), 5e-324, Box(0.0, -1.0, 0.0, 1.0))
    def lies(point: tuple[float, float], radius_m: float, box: Box) -> None:
        if ask(connection, DISC_IN_BOX, *point, radius_m, *box):
            assert all(box.holds(*other, 1e-7) for other in inside(Disc(*point, radius_m)))
        else:
            larger = Disc(*point, radius_m * 1.001 + 1)
            assert not all(box.holds(*other, 0) for other in inside(larger))

    lies()


@pytest.mark.parametrize(
    ("disc", "box", "lies"),
    [
        (Disc(5, 5, 4.9 * DEGREE_M), Box(0, 0, 10, 10), True),
        (Disc(5, 5, 5.1 * DEGREE_M), Box(0, 0, 10, 10), False),
        (Disc(0, 0, 0), Box(0, 0, 0, 0), True),
        (Disc(-180, 0, 0), Box(180, 0, -180, 0), True),
        (Disc(180, 0, DEGREE_M), Box(178, -2, -178, 2), True),
        (Disc(180, 0, DEGREE_M), Box(-178, -2, 178, 2), False),
        (Disc(0, 60, 4 * DEGREE_M), Box(-8.1, 50, 8.1, 70), True),
        (Disc(0, 60, 4 * DEGREE_M), Box(-8, 50, 8, 70), False),
        (Disc(0, 89, 2 * DEGREE_M), Box(-180, 80, 180, 90), True),
        (Disc(0, 89, 2 * DEGREE_M), Box(-180, 80, 180, 89.9), False),
        (Disc(0, 89, 2 * DEGREE_M), Box(-179, 80, 180, 90), False),
        (Disc(0, -90, DEGREE_M), Box(-180, -90, 180, -88), True),
        (Disc(0, 90, 0), Box(-180, 0, 180, 90), True),
        (Disc(0, 0, FARTHEST_M), Box(-180, -90, 180, 90), True),
        (Disc(0, 0, inf), Box(-180, -90, 180, 90), True),
        (Disc(0, 0, inf), Box(-180, -90, 180, 89), False),
        (Disc(0, 0, inf), Box(-180, -90, 179, 90), False),
    ],
)
def test_discs_and_boxes_that_are_known(connection: psycopg.Connection[Any], disc: Disc, box: Box, lies: bool) -> None:
    assert ask(connection, DISC_IN_BOX, *disc, *box) is lies


@pytest.mark.parametrize(("query", "count"), [(DISTANCE, 4), (BOX_DISTANCE, 6), (DISC_IN_BOX, 7)])
def test_of_what_is_not_known_nothing_is_known(connection: psycopg.Connection[Any], query: str, count: int) -> None:
    """NULL in any place gives NULL."""
    query = query.replace("%s", "%s::float8")
    for missing in range(count):
        arguments = [None if index == missing else 1.0 for index in range(count)]
        assert ask(connection, query, *arguments) is None
