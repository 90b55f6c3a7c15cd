"""What is held of one attribute, from the live claims about it: the rules of the design, section 4, in plain loops.

Shared with the code that it judges are only the decoding of values and the discs of places; these have their own tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from tests.property.oracle_claims import (
    AFFIRMING,
    NO_BEGINNING,
    NO_END,
    Spoken,
    assessed,
    by_value,
    canonical,
    decoded,
    how_many,
    interval,
    newest_per_speaker,
    speakers_behind,
    value_of,
)

from stet.incident.events import AttributePinned
from stet.ledger.attributes import BUILT_IN
from stet.values.disc import disc_of, meet, radius_of
from stet.values.time import Time
from stet.values.value import Count


@dataclass
class Outcome:
    """What a rule made of the claims that count. Under `all` there may be several values, else there is one at most."""

    values: list[Any]
    shown: Any
    """As JSON; None where there is no value."""
    apart: bool = False
    """The intervals have no common part."""
    tied: list[Spoken] = field(default_factory=list)


def shown(claims: list[Spoken]) -> Any:
    """Of claims with one canonical value, the one to show, as JSON."""
    return msgspec.json.decode(min(bytes(spoken.claim.value) for spoken in claims))


def fits(value: Any, outcome: Outcome, rule: str) -> bool:
    """Whether a claim of the value supports what came out."""
    if rule == "all":
        return True
    (came_out,) = outcome.values
    if rule in ("range", "intersect"):
        (first, last), (begins, ends) = interval(value), interval(came_out)
        return first <= ends and begins <= last
    if rule == "finest":
        one, other = disc_of(value), disc_of(came_out)
        return one is None or other is None or meet(one, other)
    return canonical(value) == canonical(came_out)


def opposes(denied: Any, outcome: Outcome, rule: str) -> bool:
    """Whether a denial of the value speaks against what came out."""
    if any(canonical(denied) == canonical(value) for value in outcome.values):
        return True
    if rule in ("range", "intersect"):
        (first, last), (begins, ends) = interval(denied), interval(outcome.values[0])
        return first <= begins and ends <= last
    if rule == "finest":
        one, other = disc_of(denied), disc_of(outcome.values[0])
        return one is not None and other is not None and meet(one, other)
    return False


# ---- the rules ----


def overlap(claims: list[Spoken]) -> Outcome:
    """`range` and `intersect`: the common part, else the hull."""
    values = [value_of(spoken) for spoken in claims]
    begins, ends = max(interval(value)[0] for value in values), min(interval(value)[1] for value in values)
    apart = begins > ends
    if len(by_value(claims)) == 1 and not getattr(values[0], "inconsistent", False):
        return Outcome([values[0]], shown(claims))
    bests = set()
    for value in values:
        if value.best is not None and begins <= (1, value.best) <= ends:
            bests.add(value.best)
    if apart:
        begins, ends = min(interval(value)[0] for value in values), max(interval(value)[1] for value in values)
    first = None if begins == NO_BEGINNING else begins[1]
    last = None if ends == NO_END else ends[1]
    best = bests.pop() if len(bests) == 1 else None
    if isinstance(values[0], Time):
        about = any(value.approximate for value in values)
        made: Any = Time(earliest=first, latest=last, best=best, approximate=about)
    else:
        made = Count(min=first, max=last, best=best)
    return Outcome([made], msgspec.json.decode(msgspec.json.encode(made)), apart=apart)


def finest(claims: list[Spoken]) -> Outcome:
    """The place of the smallest radius, then of most speakers, then of least bytes."""
    candidates = by_value(claims)
    ranked = []
    for form, theirs in candidates.items():
        ranked.append((radius_of(value_of(theirs[0])), -how_many(theirs), form))
    theirs = candidates[min(ranked)[2]]
    return Outcome([value_of(theirs[0])], shown(theirs))


def majority(claims: list[Spoken]) -> Outcome:
    """The value of most speakers. A tie is none."""
    candidates = list(by_value(claims).values())
    most = max(how_many(theirs) for theirs in candidates)
    winners = [theirs for theirs in candidates if how_many(theirs) == most]
    if len(winners) > 1:
        return Outcome([], None, tied=[spoken for theirs in winners for spoken in theirs])
    return Outcome([value_of(winners[0][0])], shown(winners[0]))


def admission_first(claims: list[Spoken]) -> Outcome:
    """The majority among what is admitted, if anything is."""
    among = []
    for theirs in by_value(claims).values():
        if any(spoken.claim.act in ("admit", "concede") for spoken in theirs):
            among += theirs
    return majority(among or claims)


def first_of(claims: list[Spoken], graded: bool) -> Outcome:
    """`graded` and `latest`: the value of the newest claim of the best grade, or simply of the newest."""
    best: tuple[Any, ...] | None = None
    for form, theirs in by_value(claims).items():
        for spoken in theirs:
            judged = assessed(spoken)
            grade = ("F" if judged["reliability"] is None else judged["reliability"], judged["credibility"] or 6)
            better = best is None or spoken.said.newness > best[1]
            if graded and best is not None:
                better = grade < best[0] or (grade == best[0] and spoken.said.newness > best[1])
            if better:
                best = grade, spoken.said.newness, form
    assert best
    theirs = by_value(claims)[best[2]]
    return Outcome([value_of(theirs[0])], shown(theirs))


def every(claims: list[Spoken]) -> Outcome:
    """`all`: each value once."""
    candidates = list(by_value(claims).values())
    return Outcome([value_of(theirs[0]) for theirs in candidates], [shown(theirs) for theirs in candidates])


def applied(rule: str, claims: list[Spoken]) -> Outcome:
    match rule:
        case "range" | "intersect":
            return overlap(claims)
        case "finest":
            return finest(claims)
        case "admission-first":
            return admission_first(claims)
        case "majority":
            return majority(claims)
        case "graded" | "latest":
            return first_of(claims, rule == "graded")
        case _:
            return every(claims)


# ---- what comes out ----


def settled(claims: list[Spoken], pin: AttributePinned | None) -> dict[str, Any]:
    """What is held of one attribute."""
    slot: Any = pin or claims[0].claim
    rule = slot.rule or BUILT_IN[slot.attribute].rule
    newest = counting = claims if rule == "all" else newest_per_speaker(claims)
    if any(spoken.explicit and spoken.claim.act in AFFIRMING for spoken in newest):
        counting = [spoken for spoken in newest if spoken.claim.act != "purport"]
    makers = [spoken for spoken in counting if spoken.explicit and spoken.claim.act != "deny"]
    if pin:
        json = msgspec.json.decode(pin.value)
        outcome = Outcome([decoded(pin.value, pin.type_)], [json] if rule == "all" else json)
    elif makers:
        outcome = applied(rule, makers)
    else:
        outcome = Outcome([], None)
    supporting, dissenting = [], []
    for spoken in counting:
        denies = spoken.claim.act == "deny"
        if not outcome.values:
            (dissenting if makers or denies else supporting).append(spoken)
        elif denies:
            if opposes(value_of(spoken), outcome, rule):
                dissenting.append(spoken)
        else:
            (supporting if fits(value_of(spoken), outcome, rule) else dissenting).append(spoken)
    speakers = how_many(supporting) if outcome.values else 0
    return {
        "value": outcome.shown,
        "status": "pinned" if pin else status(makers, outcome, supporting, dissenting, rule),
        "supporting": {spoken.claim.claim_id for spoken in supporting},
        "dissenting": {spoken.claim.claim_id for spoken in dissenting},
        "speakers": speakers,
        "repeats": len(supporting) - speakers if outcome.values else 0,
        "pinned": pin is not None,
        "interest": interest(supporting),
        "older": {spoken.claim.claim_id for spoken in claims if spoken not in newest},
        "purported": {spoken.claim.claim_id for spoken in newest if spoken not in counting},
    }


def status(
    makers: list[Spoken], outcome: Outcome, supporting: list[Spoken], dissenting: list[Spoken], rule: str
) -> str:
    """The first that fits, of what is not pinned."""
    if not makers:
        return "unknown"
    if all(spoken.claim.act == "purport" for spoken in makers):
        return "purported"
    admitted = {canonical(value_of(spoken)) for spoken in makers if spoken.claim.act in ("admit", "concede")}
    if admitted == {canonical(value) for value in outcome.values} and len(admitted) == 1:
        return "admitted"
    if not outcome.values:
        return "contested" if len({spoken.said.speaker for spoken in outcome.tied}) > 1 else "single-source"
    behind = {spoken.said.speaker for spoken in supporting if spoken.explicit}
    against = [spoken for spoken in dissenting if spoken.explicit and spoken.said.speaker not in behind]
    if rule != "all" and (outcome.apart or against):
        return "contested"
    return "corroborated" if how_many(supporting) > 1 else "single-source"


def interest(supporting: list[Spoken]) -> str | None:
    """Whom the claims of those who count serve, if all of them serve the same."""
    counted = speakers_behind(supporting)
    found = {
        assessed(spoken)["interest"] for spoken in supporting if spoken.explicit and spoken.said.speaker in counted
    }
    return found.pop() if len(found) == 1 else None
