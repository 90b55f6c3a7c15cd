"""Uncertain places."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from tests.strategies import places

from stet.errors import Malformed
from stet.values.place import Place, check_place
from stet.values.value import parse_value

SQUARE = "[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]"


def read(text: str) -> Place:
    place = parse_value("place", msgspec.Raw(text.encode()), (), "p")
    assert isinstance(place, Place)
    return place


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Yeraskh"}',
        '{"name": "Yeraskh", "level": "settlement", "relation": "near", "verbatim": "near the village of Yeraskh"}',
        '{"geometry": {"type": "Point", "coordinates": [44.85, 39.74]}, "radius_m": 5000}',
        '{"geometry": {"type": "Point", "coordinates": [-180, -90]}}',
        '{"geometry": {"type": "Point", "coordinates": [180.0, 90.0]}, "radius_m": 20100000}',
        '{"geometry": {"type": "LineString", "coordinates": [[179, 1], [-179, 1]]}}',
        f'{{"geometry": {{"type": "Polygon", "coordinates": [{SQUARE}]}}}}',
    ],
)
def test_a_place_is_a_name_or_a_geometry(text: str) -> None:
    assert msgspec.json.decode(msgspec.json.encode(read(text)), type=Place) == read(text)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{}", "p"),
        ('{"verbatim": "somewhere", "radius_m": 10}', "p"),
        ('{"name": " "}', "p.name"),
        ('{"name": "a\\nb"}', "p.name"),
        ('{"name": "Yeraskh", "radius_m": 0}', "p.radius_m"),
        ('{"name": "Yeraskh", "radius_m": 20100001}', "p.radius_m"),
        ('{"name": "Yeraskh", "level": "village"}', "p.level"),
        ('{"name": "Yeraskh", "relation": "above"}', "p.relation"),
        ('{"geometry": {"type": "Point", "coordinates": [181, 0]}}', "p.geometry.coordinates[0]"),
        ('{"geometry": {"type": "Point", "coordinates": [0, -90.5]}}', "p.geometry.coordinates[1]"),
        ('{"geometry": {"type": "Point", "coordinates": [0, 0, 0]}}', "p.geometry.coordinates"),
        ('{"geometry": {"type": "Circle", "coordinates": [0, 0]}}', "p.geometry.type"),
        ('{"geometry": {"coordinates": [0, 0]}}', "p.geometry.type"),
        ('{"geometry": {"type": "LineString", "coordinates": [[0, 0]]}}', "p.geometry.coordinates"),
        ('{"geometry": {"type": "Polygon", "coordinates": []}}', "p.geometry.coordinates"),
        (
            '{"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]}}',
            "p.geometry.coordinates[0]",
        ),
        (
            f'{{"geometry": {{"type": "Polygon", "coordinates": [{SQUARE}, [[0, 0], [1, 0], [1, 1], [0, 1]]]}}}}',
            "p.geometry.coordinates[1]",
        ),
    ],
)
def test_any_other_place_is_refused_by_its_field(text: str, field: str) -> None:
    with pytest.raises(Malformed) as refusal:
        read(text)
    assert [error.field for error in refusal.value.errors] == [field]


@given(places())
def test_every_place_that_is_drawn_is_one(place: Place) -> None:
    check_place(place, "p")
