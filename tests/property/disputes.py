"""Streams in which few speakers dispute few attributes: where claims meet, the rules have something to decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from tests.strategies import Draw, pick
from tests.unit import saying
from tests.unit.saying import Act, count, during, near, put

from stet.envelope import Recorded
from stet.incident.events import IncidentAmended, IncidentStatusChanged

SPEAKERS = ("AZ", "RU", "AM", "OUT")
VALUES: dict[str, tuple[Any, ...]] = {
    "killed": (1, 2, count(1), count(1, 3), count(2, 5, best=4), count(5, 1, inconsistent=True), 0),
    "occurred_at": (during(1, 3), during(2, 5, best=saying.hour(3)), during(None, 2), during(6, None), during(6, 7)),
    "place": (
        near(44, 39, level="settlement"),
        near(44.01, 39, level="exact"),
        near(179.99, 0, level="vicinity"),
        near(-179.99, 0, level="admin1"),
        {"name": "the border"},
    ),
    "responsible": ("AZ", "RU"),
    "intent": ("accidental", "deliberate"),
    "rank": ("high", "low"),
    "phase": ("dawn", "dusk"),
    "cause": ("fog", "error"),
}


@dataclass(frozen=True)
class Subject:
    """What a stream is about: attributes with their values, how many it disputes, what claims are of, what befalls."""

    values: dict[str, tuple[Any, ...]]
    disputed: int
    parts: tuple[str | None, ...]
    revisions: tuple[str, ...]
    hours: int = 9
    """Within which all is said."""


REVISIONS = ("withdraw", "reinstate", "assess", "assess", "supersede", "correct", "pin", "out")
ANYTHING = Subject(VALUES, 2, (None, None, None, None, None, "crew"), REVISIONS)
_CALLED = {
    "counts": {
        "killed": (
            0,
            1,
            3,
            count(1, 3),
            count(2),
            count(5, 1, inconsistent=True),
            count(5, 3, best=1, inconsistent=True),
        ),
        "injured": (2, 7, count(2, 9), count(1, 8, best=9, inconsistent=True)),
    },
    "times": {"occurred_at": (*VALUES["occurred_at"], during(1, 6, approximate=True)), "intent": VALUES["intent"]},
    "places": {
        "place": (near(44, 39, level="settlement"), near(179.99, 0, radius_m=10, name="a post"), {"name": "a border"}),
        "crash_place": (near(44.01, 39, level="exact"), {"name": "a pass", "level": "exact"}, {"name": "a village"}),
        "flight_place": ({"name": "a pass", "level": "exact"}, near(44, 39, level="admin1")),
    },
}
LISTED = {
    name: Subject(values, 2, (None, *["crew", "passengers"] * 2), (*REVISIONS, "pin", "pin", "pin", "rename"))
    for name, values in _CALLED.items()
}
"""What lists show, of two groups more often than of nothing in particular."""
TIED = Subject(
    {
        "occurred_at": (during(1, 3), during(1, 3, verbatim="before dawn"), during(1, 3, verbatim="early")),
        "place": (near(44, 39), near(44, 39, verbatim="at the post"), near(-44, 39), near(-44, 39, verbatim="there")),
        **{name: VALUES[name] for name in ("rank", "phase", "intent")},
    },
    2,
    (None,),
    REVISIONS,
    hours=1,
)
"""Values, grades and times that are often equal, put in several ways."""
ACTS = ("assert", "assert", "assert", "confirm", "admit", "concede", "deny", "purport", "speculate")


def _said(draw: Draw, hours: int) -> dict[str, Any]:
    speaker = pick(draw, *SPEAKERS)
    others = [name for name in SPEAKERS if name != speaker]
    first = draw(st.integers(0, hours))
    at = pick(draw, "then", first, (first, first + 2), (None, first), (first, None), None)
    via = pick(draw, [], [], [others[0]], ["OUT"] if speaker != "OUT" else ["TASS"], others[:2])
    return {"speaker": speaker, "at": at, "via": via, "unknown": pick(draw, False, False, False, True)}


def _claims(draw: Draw, disputed: list[str], about: Subject) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(pick(draw, 1, 1, 2, 3)):
        name = pick(draw, *disputed)
        how = {"act": pick(draw, *ACTS), "scope": pick(draw, "explicit", "explicit", "explicit", "implied")}
        if of := pick(draw, *about.parts):
            how["of"] = of
        found.setdefault(name, []).append(put(pick(draw, *about.values[name]), **how))
    return found


def _revision(draw: Draw, statements: dict[int, str], retractions: set[int], about: Subject) -> Act:
    """Something that happens to a statement that is there, or to what the desk calls the incident."""
    spoken = sorted(statements.keys() - retractions)
    n = pick(draw, *spoken)
    match pick(draw, *about.revisions):
        case "withdraw":
            return saying.withdraw(pick(draw, *sorted(statements)))
        case "reinstate":
            return saying.reinstate(pick(draw, *sorted(statements)))
        case "assess":
            judged = {
                name: pick(draw, *options)
                for name, options in {
                    "reliability": ("A", "C", None),
                    "credibility": (1, 4, None),
                    "verification": ("verified", "false", "discounted", "discounted"),
                    "interest": ("self-serving", "against-interest", None),
                }.items()
                if draw(st.booleans())
            }
            return saying.assess(n, pick(draw, "", f"{n}"), **judged)
        case "supersede":
            return saying.supersede(n, pick(draw, *spoken))
        case "correct":
            at = draw(st.integers(0, 9))
            return saying.correct(n, **pick(draw, {"speaker": pick(draw, *SPEAKERS)}, {"at": at}, {"at": (None, at)}))
        case "pin":
            name = pick(draw, *about.values)
            return saying.pin(name, pick(draw, *about.values[name]), [n], pick(draw, *about.parts))
        case "rename":
            amended = IncidentAmended(title="Shot down by mistake", tags=("error", "border"), reason="Better.")
            closed = IncidentStatusChanged(status="closed", reason="All is known.")
            event = pick(draw, amended, closed)
            return lambda telling: event
        case _:
            del statements[n]
            return saying.move_out(n)


@st.composite
def disputes(draw: Draw, about: Subject = ANYTHING, least: int = 3, most: int = 14) -> list[Recorded[Any]]:
    """The events of an incident's stream, each an append of its own."""
    disputed = draw(st.permutations(sorted(about.values)))[: about.disputed]
    acts: list[Act] = []
    statements: dict[int, str] = {}
    retractions: set[int] = set()
    recorded = 0
    for _ in range(draw(st.integers(least, most))):
        kind = pick(draw, "say", "say", "say", "say", "retract", "revise", "revise")
        if kind == "say" or not statements.keys() - retractions:
            recorded += 1
            said = _said(draw, about.hours)
            statements[recorded] = said["speaker"]
            acts.append(saying.say(**said, **_claims(draw, disputed, about)))
        elif kind == "retract":
            n = pick(draw, *sorted(statements.keys() - retractions))
            recorded += 1
            at = pick(draw, "then", draw(st.integers(0, 9)))
            acts.append(saying.retract(statements[n], n, pick(draw, "", "", f"{n}"), at=at))
            statements[recorded] = statements[n]
            retractions.add(recorded)
        else:
            acts.append(_revision(draw, statements, retractions, about))
    return saying.told(*acts)
