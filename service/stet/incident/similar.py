"""How alike two incidents are: whether they may be one event that was recorded twice (docs/duplicates.md).

The score is the mean of the parts that are known of both, by their weights. What is not known of either counts neither
for nor against. What is known only vaguely weighs less where it agrees: that two things happened in one year says
little. Where it does not agree, that is certain.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec import Struct

from stet.incident.events import Status
from stet.incident.summary import CountSummary, OccurredSummary, PlaceSummary, Summary
from stet.values.disc import Disc, distance_m
from stet.values.words import words

What = Literal["time", "place", "text", "kind", "sources", "casualties"]
WEIGHTS: dict[What, float] = {
    "time": 0.3,
    "place": 0.3,
    "text": 0.2,
    "kind": 0.1,
    "sources": 0.1,
    "casualties": 0.1,
}
APART = timedelta(days=3)
"""So far apart two times have nothing to do with each other; and bounds as wide weigh in full."""
APART_M = 50_000.0
"""The same of places, and of their radii."""
_SHORT = 2
"""Words of so few letters say nothing; figures do, and the signs of scripts that have no other words."""
_NAMED = 8


class Likeness(Struct, frozen=True, kw_only=True):
    """What of an incident is compared."""

    incident_id: UUID
    opened_at: datetime
    summary: Summary
    words: frozenset[str]
    """Of its title and of what was said."""
    speakers: frozenset[UUID]


class Because(Struct, frozen=True, kw_only=True):
    """One part of a score."""

    what: What
    score: float
    """0 to 1."""
    weight: float
    """What it counts for among the parts."""
    detail: str


class SimilarIncident(Struct, frozen=True, kw_only=True):
    """An incident that may be the same, and why."""

    incident_id: UUID
    title: str
    kind: str
    status: Status
    occurred: OccurredSummary | None
    place: PlaceSummary | None
    opened_at: datetime
    score: float
    because: tuple[Because, ...]


def likeness(
    incident_id: UUID, opened_at: datetime, summary: Summary, said: Collection[str], speakers: Collection[UUID]
) -> Likeness:
    """What is compared, given the words and the speakers of the statements."""
    found = telling({*words(summary.title), *said})
    return Likeness(
        incident_id=incident_id, opened_at=opened_at, summary=summary, words=found, speakers=frozenset(speakers)
    )


def telling(found: Iterable[str]) -> frozenset[str]:
    """The words that say something."""
    return frozenset(word for word in found if len(word) > _SHORT or not word.isascii() or word.isdigit())


def ranked(one: Likeness, others: Iterable[Likeness], min_score: float, limit: int) -> list[SimilarIncident]:
    """Those most like it, the most alike first; of equal ones that which was opened first."""
    scored = [_similar(one, other) for other in others if other.incident_id != one.incident_id]
    found = [item for item in scored if item.score >= min_score]
    return sorted(found, key=lambda item: (-item.score, item.opened_at, item.incident_id))[:limit]


def compare(one: Likeness, other: Likeness) -> tuple[Because, ...]:
    """The parts that are known of both."""
    a, b = one.summary, other.summary
    parts = (
        _time(a.occurred, b.occurred),
        _place(a.place, b.place),
        _text(one, other),
        _kind(a.kind, b.kind),
        _sources(one.speakers, other.speakers),
        _casualties(a, b),
    )
    return tuple(part for part in parts if part)


def score_of(because: Collection[Because]) -> float:
    """What the parts come to: 0 to 1."""
    weight = math.fsum(part.weight for part in because)
    return round(math.fsum(part.score * part.weight for part in because) / weight, 6) if weight else 0.0


def _similar(one: Likeness, other: Likeness) -> SimilarIncident:
    because, shown = compare(one, other), other.summary
    return SimilarIncident(
        incident_id=other.incident_id,
        title=shown.title,
        kind=shown.kind,
        status=shown.status,
        occurred=shown.occurred,
        place=shown.place,
        opened_at=other.opened_at,
        score=score_of(because),
        because=because,
    )


def _part(what: What, score: float, detail: str, precision: float = 1.0) -> Because:
    return Because(what=what, score=round(score, 6), weight=round(WEIGHTS[what] * precision, 6), detail=detail)


def _time(a: OccurredSummary | None, b: OccurredSummary | None) -> Because | None:
    if a is None or b is None or not (a.earliest and a.latest and b.earliest and b.latest):
        return None
    apart = max(a.earliest - b.latest, b.earliest - a.latest, timedelta())
    if apart:
        return _part("time", max(0.0, 1 - apart / APART), f"at least {_duration(apart)} apart")
    longest = max(a.latest - a.earliest, b.latest - b.earliest)
    detail = f"the bounds meet, and are {_duration(longest)} wide"
    return _part("time", 1.0, detail, APART / max(longest, APART))


def _place(a: PlaceSummary | None, b: PlaceSummary | None) -> Because | None:
    one, other = _disc(a), _disc(b)
    if one is None or other is None:
        return None
    between = distance_m(one, other)
    apart, radius = between - one.radius_m - other.radius_m, max(one.radius_m, other.radius_m)
    if apart > 0:
        return _part("place", max(0.0, 1 - apart / APART_M), f"at least {_kilometres(apart)} apart")
    detail = f"the centres are {_kilometres(between)} apart, each within {_kilometres(radius)}"
    return _part("place", 1.0, detail, APART_M / max(radius, APART_M))


def _disc(place: PlaceSummary | None) -> Disc | None:
    if place is None or place.longitude is None or place.latitude is None or place.radius_m is None:
        return None
    return Disc(place.longitude, place.latitude, place.radius_m)


def _text(one: Likeness, other: Likeness) -> Because | None:
    """By the titles, or by all words, whichever are more alike: what was said of one event is said at any length."""
    titles = telling(words(one.summary.title)), telling(words(other.summary.title))
    shared = sorted(one.words & other.words, key=lambda word: (-len(word), word))
    if not one.words or not other.words:
        return None
    score = max(_dice(*titles), _dice(one.words, other.words))
    named = ", ".join(shared[:_NAMED]) + (", …" if len(shared) > _NAMED else "")
    return _part("text", score, f"{len(shared)} words in common" + (f": {named}" if named else ""))


def _dice(a: frozenset[str], b: frozenset[str]) -> float:
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


def _kind(a: str, b: str) -> Because:
    return _part("kind", float(a == b), f"both are {a}" if a == b else f"{a}, and {b}")


def _sources(a: frozenset[UUID], b: frozenset[UUID]) -> Because | None:
    if not a or not b:
        return None
    detail = f"{len(a & b)} of {len(a | b)} speakers in common"
    return _part("sources", len(a & b) / len(a | b), detail)


def _casualties(a: Summary, b: Summary) -> Because | None:
    """By the killed and injured that are counted of both."""
    pairs = [(name, getattr(a, name), getattr(b, name)) for name in ("killed", "injured")]
    known = [(name, one, other) for name, one, other in pairs if one and other]
    if not known:
        return None
    detail = "; ".join(f"{name} {_range(one)}, and {_range(other)}" for name, one, other in known)
    return _part("casualties", min(_nearness(one, other) for _, one, other in known), detail)


def _nearness(a: CountSummary, b: CountSummary) -> float:
    """1 where the ranges meet, else how the nearest numbers compare."""
    low, high = sorted((a, b), key=lambda count: count.min)
    if low.max is None or low.max >= high.min:
        return 1.0
    return (low.max + 1) / (high.min + 1)


def _range(count: CountSummary) -> str:
    if count.max is None:
        return f"{count.min} or more"
    return str(count.min) if count.min == count.max else f"{count.min} to {count.max}"


def _duration(time: timedelta) -> str:
    for name, length in (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1))):
        if time >= 2 * length:
            return f"{time // length} {name}"
    return "a moment"


def _kilometres(metres: float) -> str:
    return f"{metres:.0f} m" if metres < 1_000 else f"{metres / 1_000:.1f} km"
