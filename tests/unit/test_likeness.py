"""How alike two incidents are: each part by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.strategies import uuid

from stet.incident.similar import Because, Likeness, compare, likeness, ranked, score_of, telling
from stet.incident.state import Incident
from stet.incident.summary import CountSummary, OccurredSummary, PlaceSummary, Summary, summary

NOON = datetime(2020, 11, 9, 12, tzinfo=UTC)
NOTHING = replace(summary(Incident(title="Mi-24 shot down", kind="shootdown")))


def one(n: int = 1, said: Any = (), speakers: Any = (), **fields: Any) -> Likeness:
    shown: Summary = replace(NOTHING, **fields)
    return likeness(uuid(n), NOON + timedelta(hours=n), shown, said, speakers)


def when(hours: float = 0, wide: timedelta | None = timedelta(0)) -> OccurredSummary:
    start = NOON + timedelta(hours=hours)
    latest = None if wide is None else start + wide
    return OccurredSummary(earliest=start, latest=latest, best=None, approximate=False, status="single-source")


def where(longitude: float, radius_m: float | None = 10.0) -> PlaceSummary:
    return PlaceSummary(
        attribute="place",
        name=None,
        longitude=None if radius_m is None else longitude,
        latitude=None if radius_m is None else 0.0,
        radius_m=radius_m,
        status="single-source",
    )


def many(low: int, high: int | None) -> CountSummary:
    return CountSummary(min=low, max=high, status="single-source")


def part(what: str, a: Likeness, b: Likeness) -> Because | None:
    assert compare(a, b) == compare(a, b)
    there, back = ([found for found in compare(*pair) if found.what == what] for pair in ((a, b), (b, a)))
    assert [(found.score, found.weight) for found in there] == [(found.score, found.weight) for found in back]
    return there[0] if there else None


def numbers(what: str, a: Likeness, b: Likeness) -> tuple[float, float] | None:
    found = part(what, a, b)
    return (found.score, found.weight) if found else None


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (when(), when(), (1.0, 0.3)),
        (when(), when(36), (0.5, 0.3)),
        (when(), when(72), (0.0, 0.3)),
        (when(), when(720), (0.0, 0.3)),
        (when(0, timedelta(days=6)), when(24), (1.0, 0.15)),
        (when(0, timedelta(days=30)), when(24, timedelta(days=1)), (1.0, 0.03)),
        (when(0, timedelta(days=30)), when(-36), (0.5, 0.3)),
        (when(0, None), when(), None),
        (None, when(), None),
    ],
)
def test_time(a: Any, b: Any, expected: Any) -> None:
    assert numbers("time", one(occurred=a), one(2, occurred=b)) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (where(0), where(0), (1.0, 0.3)),
        (where(0), where(10), (0.0, 0.3)),
        (where(0, 100_000.0), where(0), (1.0, 0.15)),
        (where(0), where(0, None), None),
        (where(0), None, None),
    ],
)
def test_place(a: Any, b: Any, expected: Any) -> None:
    assert numbers("place", one(place=a), one(2, place=b)) == expected


def test_places_that_are_half_as_far_apart_as_counts_are_half_alike() -> None:
    found = numbers("place", one(place=where(0)), one(2, place=where(0.22503)))
    assert found == pytest.approx((0.5, 0.3), abs=0.001)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([many(2, 2)], [many(2, 3)], 1.0),
        ([many(1, 1)], [many(3, 3)], 0.5),
        ([many(0, 0)], [many(9, None)], 0.1),
        ([many(5, None)], [many(9, 9)], 1.0),
        ([many(2, 2), many(0, 0)], [many(2, 2), many(1, 1)], 0.5),
        ([many(2, 2), None], [None, many(1, 1)], None),
    ],
)
def test_casualties(a: Any, b: Any, expected: Any) -> None:
    sides = [one(n, **dict(zip(("killed", "injured"), counts, strict=False))) for n, counts in enumerate((a, b))]
    assert numbers("casualties", *sides) == (None if expected is None else (expected, 0.1))


def test_text_is_that_of_the_titles_or_of_everything() -> None:
    assert numbers("text", one(), one(2, said=["a", "thousand", "other", "words"])) == (1.0, 0.2)
    assert numbers("text", one(said=["gun", "crew"]), one(2, title="Helicopter", said=["gun", "crew"])) == (0.5, 0.2)
    assert numbers("text", one(title="!"), one(2)) is None
    assert telling(["mi", "24", "shot", "of", "在", "7", "né"]) == {"24", "shot", "在", "7", "né"}


def test_sources_and_kind() -> None:
    assert numbers("sources", one(speakers=[uuid(1), uuid(2)]), one(2, speakers=[uuid(2)])) == (0.5, 0.1)
    assert numbers("sources", one(), one(2, speakers=[uuid(2)])) is None
    assert numbers("kind", one(), one(2)) == (1.0, 0.1)
    assert numbers("kind", one(), one(2, kind="capture")) == (0.0, 0.1)


def test_what_is_unknown_counts_neither_for_nor_against() -> None:
    assert score_of(compare(one(), one(2))) == 1.0
    assert score_of(compare(one(occurred=when()), one(2))) == 1.0
    apart = score_of(compare(one(occurred=when()), one(2, occurred=when(720))))
    assert apart == pytest.approx(0.5)
    assert score_of(()) == 0.0


def test_the_most_alike_come_first_and_of_equal_ones_the_older() -> None:
    others = [one(4, kind="capture"), one(3), one(2), one(1)]
    found = ranked(one(1), others, 0.0, 10)
    assert [item.incident_id for item in found] == [uuid(2), uuid(3), uuid(4)]
    assert [item.incident_id for item in ranked(one(1), others, 0.9, 1)] == [uuid(2)]


def test_the_reasons_are_in_words() -> None:
    a = one(occurred=when(), place=where(0), killed=many(2, 2), speakers=[uuid(1)])
    b = one(2, occurred=when(5), place=where(1), killed=many(3, None), speakers=[uuid(2)], kind="capture")
    assert {found.what: found.detail for found in compare(a, b)} == {
        "time": "at least 5 hours apart",
        "place": "at least 111.2 km apart",
        "text": "3 words in common: down, shot, 24",
        "kind": "shootdown, and capture",
        "sources": "0 of 2 speakers in common",
        "casualties": "killed 2, and 3 or more",
    }
