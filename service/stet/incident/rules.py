"""The rules by which claims make a value (step 6 of docs/resolution.md). Pure functions over the claims that count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Raw

from stet.incident.claim import RESOLVING, Claim
from stet.incident.statement import Statement
from stet.ledger.attributes import Rule
from stet.values.compare import BEGINNING, END, Interval, canonical, count_of, interval, place_of, time_of
from stet.values.disc import meet
from stet.values.time import Time
from stet.values.value import Count

ADMITTING = ("admit", "concede")
AFFIRMING = ("assert", "confirm", *ADMITTING)


class Voice(NamedTuple):
    """A claim, who made it, its value in the form that is compared, and how new it is."""

    claim: Claim
    statement: Statement
    canonical: bytes
    newness: tuple[datetime, datetime]
    """When it was said: the latest, then the earliest."""


class Chosen(NamedTuple):
    """What a rule makes of the claims: a value, or null for a tie; and which step decided."""

    value: Raw | None
    step: str
    apart: bool = False
    """range, intersect: the claims have no common part."""


def voices_of(statement: Statement) -> list[Voice]:
    """The resolving claims of a statement as the rules see them."""
    at = statement.said_at
    newness = at.latest or statement.said.latest or END, at.earliest or BEGINNING
    return [
        Voice(claim, statement, canonical(claim.type_, claim.value), newness)
        for claim in statement.claims.values()
        if claim.attribute and claim.act in RESOLVING
    ]


def by_value(voices: Iterable[Voice]) -> dict[bytes, list[Voice]]:
    """The claims by the value that they give, in the order of the values' bytes."""
    found: dict[bytes, list[Voice]] = {}
    for one in voices:
        found.setdefault(one.canonical, []).append(one)
    return dict(sorted(found.items()))


def counted(supporting: Sequence[Voice]) -> set[UUID]:
    """The speakers behind a value: who passed on another's claim of it adds nothing, nor does an unknown one beside
    a known one. Implied claims add no speaker. May be empty, where each passed on the other's."""
    known: dict[UUID, bool] = {}
    passed_on: dict[UUID, set[UUID]] = {}
    for _, said, *_ in (explicit := [one for one in supporting if one.claim.scope == "explicit"]):
        known[said.speaker] = known.get(said.speaker, False) or not said.speaker_unknown
    if len(explicit) < 2 and len(supporting) < 2:
        return set(known)
    for _, said, *_ in supporting:
        for hop in said.chain:
            passed_on.setdefault(hop.source_id, set()).add(said.speaker)
    left = {speaker for speaker in known if not passed_on.get(speaker, set()) - {speaker}}
    return {speaker for speaker in left if known[speaker]} or left


def speakers_behind(supporting: Sequence[Voice]) -> int:
    """How many speakers stand behind a value: at least one, if anybody said it."""
    said = any(one.claim.scope == "explicit" for one in supporting)
    return max(len(counted(supporting)), 1) if said else 0


def choose(rule: Rule, voices: Sequence[Voice]) -> Chosen:
    """The value that the claims make: all explicit, of one type, at least one."""
    candidates = by_value(voices)
    match rule:
        case "range" | "intersect":
            return _common_part(voices, candidates)
        case "finest":
            return _finest(candidates)
        case "admission-first":
            admitted = {c: v for c, v in candidates.items() if any(o.claim.act in ADMITTING for o in v)}
            chosen = _majority(admitted or candidates)
            return chosen._replace(step="the admitted value" if len(admitted) == 1 else chosen.step)
        case "majority":
            return _majority(candidates)
        case "graded":
            return _best(candidates, _grade, "the best grade, then the newest")
        case "latest":
            return _best(candidates, lambda one: _newest_first(one.newness), "the newest of all speakers")
        case "all":
            values = [_shown(voices) for voices in candidates.values()]
            return Chosen(Raw(msgspec.json.encode(values)), "every value")


def fits(rule: Rule, value: Raw, one: Voice) -> bool:
    """Whether a claim agrees with the value that was made."""
    type_, claimed = one.claim.type_, one.claim.value
    match rule:
        case "range" | "intersect":
            return interval(type_, value).overlaps(interval(type_, claimed))
        case "finest":
            mine, its = place_of(claimed).disc, place_of(value).disc
            return mine is None or its is None or meet(mine, its)
        case "all":
            return True
        case _:
            return canonical(type_, value) == one.canonical


def opposes(rule: Rule, value: Raw, denial: Voice) -> bool:
    """Whether a denial denies the value that was made."""
    type_, denied = denial.claim.type_, denial.claim.value
    match rule:
        case "range" | "intersect":
            return interval(type_, value).within(interval(type_, denied))
        case "finest":
            mine, its = place_of(denied).disc, place_of(value).disc
            return meet(mine, its) if mine and its else canonical(type_, value) == denial.canonical
        case "all":
            return denial.canonical in {canonical(type_, item) for item in msgspec.json.decode(value, type=list[Raw])}
        case _:
            return canonical(type_, value) == denial.canonical


def _shown(voices: Sequence[Voice]) -> Raw:
    """One value with its wording: of several wordings the least, so that the order of recording decides nothing."""
    return Raw(min(bytes(one.claim.value) for one in voices))


def _common_part(voices: Sequence[Voice], candidates: dict[bytes, list[Voice]]) -> Chosen:
    type_ = voices[0].claim.type_
    if len(candidates) == 1 and not (type_ == "count" and count_of(voices[0].claim.value).inconsistent):
        return Chosen(_shown(voices), "the only value")
    intervals = [interval(type_, one.claim.value) for one in voices]
    common = Interval(max(i.low for i in intervals), min(i.high for i in intervals))
    if apart := common.low > common.high:
        common = Interval(min(i.low for i in intervals), max(i.high for i in intervals))
    made: Any
    if type_ == "count":
        bests = {count_of(one.claim.value).best for one in voices} - {None}
        best = _only(bests, common) if not apart else None
        high = None if common.high == float("inf") else common.high
        made = Count(min=common.low, max=high, best=best)
    else:
        times = [time_of(one.claim.value) for one in voices]
        made = Time(
            earliest=None if common.low == BEGINNING else common.low,
            latest=None if common.high == END else common.high,
            best=_only({time.best for time in times} - {None}, common) if not apart else None,
            approximate=any(time.approximate for time in times),
        )
    step = "no common part: from the least to the greatest" if apart else "the common part"
    return Chosen(Raw(msgspec.json.encode(made)), step, apart)


def _only(bests: set[Any], common: Interval) -> Any:
    within = [best for best in bests if common.low <= best <= common.high]
    return within[0] if len(within) == 1 else None


def _finest(candidates: dict[bytes, list[Voice]]) -> Chosen:
    ranked = sorted(
        candidates.values(),
        key=lambda voices: (place_of(voices[0].claim.value).radius_m, -speakers_behind(voices), voices[0].canonical),
    )
    step = "the only value" if len(ranked) == 1 else "the smallest radius, then the most speakers"
    return Chosen(_shown(ranked[0]), step)


def _majority(candidates: dict[bytes, list[Voice]]) -> Chosen:
    if len(candidates) == 1:
        (voices,) = candidates.values()
        return Chosen(_shown(voices), "the only value")
    numbers = {key: speakers_behind(voices) for key, voices in candidates.items()}
    most = max(numbers.values())
    first, *others = [key for key, number in numbers.items() if number == most]
    if others:
        return Chosen(None, f"a tie: {len(others) + 1} values with {most} speakers each")
    return Chosen(_shown(candidates[first]), "the most speakers")


def _best(candidates: dict[bytes, list[Voice]], key: Any, step: str) -> Chosen:
    ranked = sorted(candidates.values(), key=lambda voices: (min(key(one) for one in voices), voices[0].canonical))
    return Chosen(_shown(ranked[0]), "the only value" if len(ranked) == 1 else step)


def _grade(one: Voice) -> tuple[Any, ...]:
    assessed = one.statement.assessed(one.claim.claim_id)
    return assessed.reliability or "F", assessed.credibility or 6, _newest_first(one.newness)


def _newest_first(newness: tuple[datetime, datetime]) -> tuple[Any, Any]:
    return END - newness[0], END - newness[1]
