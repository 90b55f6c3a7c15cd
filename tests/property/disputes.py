"""Streams in which few speakers dispute few attributes: where claims meet, the rules have something to decide."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from tests.strategies import Draw, pick
from tests.unit import saying
from tests.unit.saying import Act, count, during, near, put

from stet.envelope import Recorded

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
ACTS = ("assert", "assert", "assert", "confirm", "admit", "concede", "deny", "purport", "speculate")


def _said(draw: Draw) -> dict[str, Any]:
    speaker = pick(draw, *SPEAKERS)
    others = [name for name in SPEAKERS if name != speaker]
    first = draw(st.integers(0, 9))
    at = pick(draw, "then", first, (first, first + 2), (None, first), (first, None), None)
    via = pick(draw, [], [], [others[0]], ["OUT"] if speaker != "OUT" else ["TASS"], others[:2])
    return {"speaker": speaker, "at": at, "via": via, "unknown": pick(draw, False, False, False, True)}


def _claims(draw: Draw, disputed: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(pick(draw, 1, 1, 2, 3)):
        name = pick(draw, *disputed)
        how = {"act": pick(draw, *ACTS), "scope": pick(draw, "explicit", "explicit", "explicit", "implied")}
        if draw(st.integers(0, 5)) == 0:
            how["of"] = "crew"
        found.setdefault(name, []).append(put(pick(draw, *VALUES[name]), **how))
    return found


def _revision(draw: Draw, statements: dict[int, str], retractions: set[int]) -> Act | None:
    """Something that happens to a statement that is there."""
    spoken = sorted(statements.keys() - retractions)
    n = pick(draw, *spoken)
    match pick(draw, "withdraw", "reinstate", "assess", "assess", "supersede", "correct", "pin", "unpin", "out"):
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
            name = pick(draw, *VALUES)
            return saying.pin(name, pick(draw, *VALUES[name]), [n])
        case "out":
            del statements[n]
            return saying.move_out(n)
    return None


@st.composite
def disputes(draw: Draw, most: int = 14) -> list[Recorded[Any]]:
    """The events of an incident's stream, each an append of its own."""
    disputed = draw(st.permutations(sorted(VALUES)))[:2]
    acts: list[Act] = []
    statements: dict[int, str] = {}
    retractions: set[int] = set()
    recorded = 0
    for _ in range(draw(st.integers(3, most))):
        kind = pick(draw, "say", "say", "say", "say", "retract", "revise", "revise")
        if kind == "say" or not statements.keys() - retractions:
            recorded += 1
            said = _said(draw)
            statements[recorded] = said["speaker"]
            acts.append(saying.say(**said, **_claims(draw, disputed)))
        elif kind == "retract":
            n = pick(draw, *sorted(statements.keys() - retractions))
            recorded += 1
            at = pick(draw, "then", draw(st.integers(0, 9)))
            acts.append(saying.retract(statements[n], n, pick(draw, "", "", f"{n}"), at=at))
            statements[recorded] = statements[n]
            retractions.add(recorded)
        elif made := _revision(draw, statements, retractions):
            acts.append(made)
    return saying.told(*acts)
