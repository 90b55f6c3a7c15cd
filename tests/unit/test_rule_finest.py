"""`finest`: the smallest disc, and which discs meet it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.resolving import Case, both, case, outcome
from tests.unit.saying import admit, deny, imply, near, purport, put, say

ONE = "single-source"
RADII = {
    "exact": 10,
    "vicinity": 1_000,
    "settlement": 5_000,
    "admin2": 50_000,
    "admin1": 200_000,
    "country": 1_000_000,
}
BORDER = near(44.85, 39.74)
BESIDE = near(44.86, 39.74)
"""860 m east of the border."""
AFAR = near(45.85, 39.74)
"""85 km east of it."""
VILLAGE = near(44.84, 39.75, name="Yeraskh", level="settlement")


def drawn(kind: str, coordinates: list[Any], **more: Any) -> dict[str, Any]:
    return {"geometry": {"type": kind, "coordinates": coordinates}, **more}


LINE = drawn("LineString", [[44.0, 39.0], [44.0, 40.0]])
"""One degree of a meridian: from its middle to its ends 55 597 m, and the 1 000 m of what is not stated."""
ACROSS = drawn("LineString", [[179.5, 0.0], [-179.5, 0.0]])
"""One degree of the equator, across the antimeridian."""
SQUARE = drawn("Polygon", [[[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]])
"""From its middle to a corner: 78 626 m at the equator, less in the north."""

# fmt: off
FINEST = [
    case("one says it", [say("AZ", place=BORDER)],
         "place", BORDER, ONE, "1", "", 1, 0),
    case("a name", [say("AZ", place={"name": "Yeraskh"})],
         "place", {"name": "Yeraskh"}, ONE, "1", "", 1, 0),
    case("the smaller disc", [say("AZ", place=VILLAGE), say("RU", place=near(44.85, 39.74, radius_m=100.0))],
         "place", near(44.85, 39.74, radius_m=100.0), "corroborated", "1 2", "", 2, 0),
    case("discs that do not meet", [say("AZ", place=BORDER), say("RU", place=near(45.85, 39.74, radius_m=2000.0))],
         "place", BORDER, "contested", "1", "2", 1, 0),
    case("the smaller disc, though two say the larger",
         [say("AZ", place=AFAR), say("RU", place=AFAR), say("AM", place=near(44.85, 39.74, level="exact"))],
         "place", near(44.85, 39.74, level="exact"), "contested", "3", "1 2", 1, 0),
    case("of two as small, the one of more speakers",
         [say("AZ", place=BORDER), say("RU", place=BESIDE), say("AM", place=BESIDE)],
         "place", BESIDE, "corroborated", "1 2 3", "", 3, 0),
    case("of two as small, the one of more speakers, not of more claims",
         [say("AZ", place=BORDER), say("RU", place=BORDER), say("AM", place=BESIDE),
          say("TASS", place=BESIDE, via=["AM"])],
         "place", BORDER, "corroborated", "1 2 3 4", "", 3, 1),
    case("of two as small, the first by bytes", [say("AZ", place=BESIDE), say("RU", place=BORDER)],
         "place", BORDER, "corroborated", "1 2", "", 2, 0),
    case("of two as small, the first by bytes, in the other order", [say("AZ", place=BORDER), say("RU", place=BESIDE)],
         "place", BORDER, "corroborated", "1 2", "", 2, 0),
    case("as small and far from each other", [say("AZ", place=AFAR), say("RU", place=BORDER)],
         "place", BORDER, "contested", "2", "1", 1, 0),
    case("two of one speaker are not contested", [say("AZ", place=[AFAR, BORDER])],
         "place", BORDER, ONE, "1b", "1", 1, 0),
    case("a radius before a level",
         [say("AZ", place=near(44.86, 39.74, level="country", radius_m=5.0)),
          say("RU", place=near(44.85, 39.74, level="exact"))],
         "place", near(44.86, 39.74, level="country", radius_m=5.0), "contested", "1", "2", 1, 0),

    case("one degree of the equator, just too far",
         [say("AZ", place=near(0, 0, radius_m=100_000.0)), say("RU", place=near(1, 0, radius_m=11_194.0))],
         "place", near(1, 0, radius_m=11_194.0), "contested", "2", "1", 1, 0),
    case("one degree of the equator, just near enough",
         [say("AZ", place=near(0, 0, radius_m=100_000.0)), say("RU", place=near(1, 0, radius_m=11_196.0))],
         "place", near(1, 0, radius_m=11_196.0), "corroborated", "1 2", "", 2, 0),
    case("across the antimeridian",
         [say("AZ", place=near(179.99, 0)), say("RU", place=near(-179.99, 0, radius_m=2_000.0))],
         "place", near(179.99, 0), "corroborated", "1 2", "", 2, 0),
    case("across the antimeridian, but too far",
         [say("AZ", place=near(179.9, 0)), say("RU", place=near(-179.9, 0, radius_m=2_000.0))],
         "place", near(179.9, 0), "contested", "1", "2", 1, 0),
    case("the antimeridian from both sides", [say("AZ", place=near(180, 0)), say("RU", place=near(-180, 0))],
         "place", near(-180, 0), "corroborated", "1 2", "", 2, 0),
    case("across a pole", [say("AZ", place=near(0, 89.995)), say("RU", place=near(180, 89.995, radius_m=1_200.0))],
         "place", near(0, 89.995), "corroborated", "1 2", "", 2, 0),

    case("a name fits everything", [say("AZ", place={"name": "Yeraskh"}), say("RU", place=BORDER)],
         "place", BORDER, "corroborated", "1 2", "", 2, 0),
    case("a name with a level may be the finest",
         [say("AZ", place={"name": "Yeraskh", "level": "exact"}), say("RU", place=BORDER), say("AM", place=AFAR)],
         "place", {"name": "Yeraskh", "level": "exact"}, "corroborated", "1 2 3", "", 3, 0),
    case("a name is wider than any disc", [say("AZ", place={"name": "A"}), say("RU", place=near(0, 0, radius_m=2e7))],
         "place", near(0, 0, radius_m=2e7), "corroborated", "1 2", "", 2, 0),
    case("two names", [say("AZ", place={"name": "Yeraskh"}), say("RU", place={"name": "Ararat"})],
         "place", {"name": "Ararat"}, "corroborated", "1 2", "", 2, 0),
    case("two names, one said by two",
         [say("AZ", place={"name": "Yeraskh"}), say("RU", place={"name": "Ararat"}),
          say("AM", place={"name": "Yeraskh"})],
         "place", {"name": "Yeraskh"}, "corroborated", "1 2 3", "", 3, 0),

    case("a line is as wide as it is long: a smaller disc",
         [say("AZ", place=LINE), say("RU", place=near(44, 39.5, radius_m=56_590.0))],
         "place", near(44, 39.5, radius_m=56_590.0), "corroborated", "1 2", "", 2, 0),
    case("a line is as wide as it is long: a larger disc",
         [say("AZ", place=LINE), say("RU", place=near(44, 39.5, radius_m=56_605.0))],
         "place", LINE, "corroborated", "1 2", "", 2, 0),
    case("a stated radius goes around all of the line",
         [say("AZ", place={**LINE, "radius_m": 10.0}), say("RU", place=near(44, 39.5, radius_m=55_600.0))],
         "place", near(44, 39.5, radius_m=55_600.0), "corroborated", "1 2", "", 2, 0),
    case("a line across the antimeridian is short",
         [say("AZ", place=ACROSS), say("RU", place=near(180, 0, radius_m=56_605.0))],
         "place", ACROSS, "corroborated", "1 2", "", 2, 0),
    case("a line across the antimeridian is not around the world",
         [say("AZ", place=ACROSS), say("RU", place=near(0, 0, radius_m=100_000.0))],
         "place", ACROSS, "contested", "1", "2", 1, 0),
    case("a polygon reaches to its farthest corner: a smaller disc",
         [say("AZ", place=SQUARE), say("RU", place=near(0.5, 0.5, radius_m=79_600.0))],
         "place", near(0.5, 0.5, radius_m=79_600.0), "corroborated", "1 2", "", 2, 0),
    case("a polygon reaches to its farthest corner: a larger disc",
         [say("AZ", place=SQUARE), say("RU", place=near(0.5, 0.5, radius_m=79_640.0))],
         "place", SQUARE, "corroborated", "1 2", "", 2, 0),

    case("the same in two wordings",
         [say("AZ", place={**BORDER, "verbatim": "the border"}), say("RU", place={**BORDER, "verbatim": "a border"})],
         "place", {**BORDER, "verbatim": "a border"}, "corroborated", "1 2", "", 2, 0),
    case("the same with a wording and without",
         [say("AZ", place=BORDER), say("RU", place={**BORDER, "verbatim": "the border"})],
         "place", {**BORDER, "verbatim": "the border"}, "corroborated", "1 2", "", 2, 0),

    case("an implied one is never the value",
         [say("AZ", place=BORDER), imply("RU", place=near(44.85, 39.74, level="exact"))],
         "place", BORDER, ONE, "1 2", "", 1, 1),
    case("an implied one afar does not contest", [say("AZ", place=BORDER), imply("RU", place=AFAR)],
         "place", BORDER, ONE, "1", "2", 1, 0),
    case("an implied one adds no speaker to a value",
         [say("AZ", place=BORDER), say("RU", place=BESIDE), imply("AM", place=BESIDE)],
         "place", BORDER, "corroborated", "1 2 3", "", 2, 1),

    case("denied", [say("AZ", place=BORDER), deny("RU", place=BORDER)],
         "place", BORDER, "contested", "1", "2", 1, 0),
    case("denied nearby", [say("AZ", place=BORDER), deny("RU", place=BESIDE)],
         "place", BORDER, "contested", "1", "2", 1, 0),
    case("denied afar", [say("AZ", place=BORDER), deny("RU", place=AFAR)],
         "place", BORDER, ONE, "1", "", 1, 0),
    case("a point where a name is denied", [say("AZ", place=BORDER), deny("RU", place={"name": "Yeraskh"})],
         "place", BORDER, ONE, "1", "", 1, 0),
    case("a name where a point is denied", [say("AZ", place={"name": "Yeraskh"}), deny("RU", place=BORDER)],
         "place", {"name": "Yeraskh"}, ONE, "1", "", 1, 0),
    case("a name denied", [say("AZ", place={"name": "Yeraskh"}),
                           deny("RU", place={"name": "Yeraskh", "verbatim": "not there"})],
         "place", {"name": "Yeraskh"}, "contested", "1", "2", 1, 0),
    case("denied by one who says it too", [say("AZ", place=[BORDER, put(BESIDE, act="deny")])],
         "place", BORDER, ONE, "1", "1b", 1, 0),
    case("denied by implication", [say("AZ", place=BORDER), say("RU", place=put(BORDER, act="deny", scope="implied"))],
         "place", BORDER, ONE, "1", "2", 1, 0),
    case("only denied", [deny("AZ", place=BORDER)],
         "place", None, "unknown", "", "1", 0, 0),

    case("the finest is admitted", [admit("AZ", place=near(44.85, 39.74, level="exact")), say("RU", place=AFAR)],
         "place", near(44.85, 39.74, level="exact"), "admitted", "1", "2", 1, 0),
    case("what is admitted is not the finest", [admit("AZ", place=VILLAGE), say("RU", place=BORDER)],
         "place", BORDER, "corroborated", "1 2", "", 2, 0),
    case("purported", [purport("AZ", place=VILLAGE), purport("RU", place=BORDER)],
         "place", BORDER, "purported", "1 2", "", 2, 0),
    case("purported, discs that do not meet", [purport("AZ", place=AFAR), purport("RU", place=BORDER)],
         "place", BORDER, "purported", "2", "1", 1, 0),
]
LEVELS = [
    row
    for level, radius in RADII.items()
    for row in (
        case(f"{level} is finer than a metre more",
             [say("AZ", place=near(0, 0, radius_m=radius + 1.0)), say("RU", place=near(0.0001, 0, level=level))],
             "place", near(0.0001, 0, level=level), "corroborated", "1 2", "", 2, 0),
        case(f"{level} is coarser than a metre less",
             [say("AZ", place=near(0, 0, level=level)), say("RU", place=near(0.0001, 0, radius_m=radius - 1.0))],
             "place", near(0.0001, 0, radius_m=radius - 1.0), "corroborated", "1 2", "", 2, 0),
    )
]
UNSTATED = [
    case("a point of which nothing is said is finer than 1001 m",
         [say("AZ", place=near(0, 0, radius_m=1001.0)), say("RU", place=near(0.0001, 0))],
         "place", near(0.0001, 0), "corroborated", "1 2", "", 2, 0),
    case("a point of which nothing is said is coarser than 999 m",
         [say("AZ", place=near(0, 0)), say("RU", place=near(0.0001, 0, radius_m=999.0))],
         "place", near(0.0001, 0, radius_m=999.0), "corroborated", "1 2", "", 2, 0),
]
# fmt: on


@both
@pytest.mark.parametrize("row", FINEST)
def test_the_finest_is_the_smallest_disc_and_dissent_does_not_meet_it(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected


@both
@pytest.mark.parametrize("row", [*LEVELS, *UNSTATED])
def test_a_level_has_its_radius(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected
