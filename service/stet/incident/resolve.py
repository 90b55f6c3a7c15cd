"""Resolution: from contradictory claims to one value per attribute, with who supports it and who does not.

Pure, explainable, versioned. docs/resolution.md gives each step with an example.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from stet.incident.hear import Heard, by_act, hear
from stet.incident.live import NOT_LIVE, retractions
from stet.incident.rules import (
    ADMITTING,
    Chosen,
    Voice,
    choose,
    counted,
    fits,
    opposes,
    speakers_behind,
    voices_of,
)
from stet.incident.state import Incident, Pin
from stet.incident.statement import Interest, Statement
from stet.ledger.attributes import BUILT_IN, Rule
from stet.values.compare import canonical

RESOLUTION = 1
"""The version of these rules. Raising it builds the histories anew."""
ResolvedStatus = Literal["pinned", "unknown", "purported", "admitted", "contested", "corroborated", "single-source"]
Key = tuple[str, str | None]
"""An attribute, and what it is of."""


class PinnedBy(Struct, frozen=True, kw_only=True):
    """The desk's decision that a value rests on."""

    position: int
    recorded_at: datetime
    actor: str
    cites: tuple[UUID, ...]
    rationale: str


class Resolved(Struct, frozen=True, kw_only=True):
    """What the claims on one attribute come to."""

    attribute: str
    of: str | None
    value: Raw | None
    """By the attribute's type; a list of values under the rule `all`; null: unknown, or a tie."""
    status: ResolvedStatus
    rule: Rule
    supporting: tuple[UUID, ...]
    dissenting: tuple[UUID, ...]
    speakers: int
    """How many independent speakers stand behind the value."""
    repeats: int
    """How many supporting claims there are beyond the speakers."""
    pinned_by: PinnedBy | None = None
    interest: Interest | None = None


class Outcome(NamedTuple):
    """What a list shows of one attribute: the same as its `Resolved` says."""

    attribute: str
    of: str | None
    value: Raw | None
    status: ResolvedStatus
    rule: Rule


class Group(NamedTuple):
    """All resolving claims on one attribute at a cut, and the pin on it."""

    key: Key
    claims: Sequence[Voice]
    pin: Pin | None


class Verdict(NamedTuple):
    """A resolved attribute with everything that led to it."""

    resolved: Resolved
    heard: Heard
    step: str


def groups(state: Incident) -> dict[Key, Group]:
    """The resolving claims and pins of an incident by attribute, in the order of their names.

    A pin is silent where none of the statements that it cites is kept.
    """
    claims: dict[Key, list[Voice]] = {}
    for statement in state.statements.values():
        for one in voices_of(statement):
            claims.setdefault((one.claim.attribute or "", one.claim.of), []).append(one)
    pins = {(pin.attribute, pin.of): pin for pin in state.pins if not state.statements.keys().isdisjoint(pin.cites)}
    keys = sorted({*claims, *pins}, key=lambda key: (key[0], key[1] or ""))
    return {key: Group(key, claims.get(key, []), pins.get(key)) for key in keys}


def resolve(state: Incident) -> tuple[Resolved, ...]:
    """Every attribute that a live claim or a pin speaks of. Cut the state by said_by first."""
    return tuple(found.resolved for found in verdicts(state))


def verdicts(state: Incident) -> Iterable[Verdict]:
    """Every attribute with a live claim or a pin, and how it was resolved."""
    retracted = retractions(state)
    return (found for group in groups(state).values() if (found := verdict(group, state, retracted)))


def verdict(group: Group, state: Incident, retracted: dict[UUID, list[Statement]]) -> Verdict | None:
    """How one attribute is resolved; None where no claim on it is live and nothing is pinned."""
    found = judge(group, state, retracted)
    live = any(found.heard.dropped.get(one.claim.claim_id) not in NOT_LIVE for one in group.claims)
    return found if group.pin or live else None


def judge(group: Group, state: Incident, retracted: dict[UUID, list[Statement]]) -> Verdict:
    """Resolves one attribute. `retracted` is what `retractions` gives of the state."""
    rule, pin = rule_of(group), group.pin
    heard = hear(group.claims, rule, state, retracted)
    chosen = _chosen(rule, pin, heard)
    supporting, dissenting = _sides(rule, chosen, heard)
    speakers = speakers_behind(supporting) if chosen.value is not None else 0
    resolved = Resolved(
        attribute=group.key[0],
        of=group.key[1],
        value=chosen.value,
        status="pinned" if pin else _status(rule, chosen, heard, supporting, dissenting),
        rule=rule,
        supporting=tuple(one.claim.claim_id for one in supporting),
        dissenting=tuple(one.claim.claim_id for one in dissenting),
        speakers=speakers,
        repeats=len(supporting) - speakers if chosen.value is not None else 0,
        pinned_by=PinnedBy(
            position=pin.position,
            recorded_at=pin.recorded_at,
            actor=pin.actor,
            cites=pin.cites,
            rationale=pin.rationale,
        )
        if pin
        else None,
        interest=_interest(supporting),
    )
    return Verdict(resolved, heard, chosen.step)


def outcome(key: Key, counting: Sequence[Voice], pin: Pin | None) -> Outcome:
    """What one attribute comes to, by the claims on it that count and the pin that speaks: at least one of them."""
    rule = rule_of(Group(key, counting, pin))
    if pin:
        return Outcome(*key, _pinned(rule, pin), "pinned", rule)
    heard = by_act(counting)
    chosen = _chosen(rule, None, heard)
    return Outcome(*key, chosen.value, _status(rule, chosen, heard, *_sides(rule, chosen, heard)), rule)


def _pinned(rule: Rule, pin: Pin) -> Raw:
    return Raw(msgspec.json.encode([pin.value])) if rule == "all" else pin.value


def _chosen(rule: Rule, pin: Pin | None, heard: Heard) -> Chosen:
    if pin:
        return Chosen(_pinned(rule, pin), "the desk's pin")
    return choose(rule, heard.affirming) if heard.affirming else Chosen(None, "nothing affirms a value")


def rule_of(group: Group) -> Rule:
    """The rule of the group's attribute. One that the ledger defined is stored with its claims and pins."""
    if group.key[0] in BUILT_IN:
        return BUILT_IN[group.key[0]].rule
    rule = group.pin.rule if group.pin else group.claims[0].claim.rule
    assert rule
    return rule


def _sides(rule: Rule, chosen: Chosen, heard: Heard) -> tuple[list[Voice], list[Voice]]:
    """The claims for and against the value, in the order of recording."""
    supporting: list[Voice] = []
    dissenting: list[Voice] = []
    for one in sorted((*heard.affirming, *heard.denying, *heard.implied), key=lambda one: one.statement.position):
        denies = one.claim.act == "deny"
        if chosen.value is None:
            against = denies or bool(heard.affirming)
        elif denies:
            if not opposes(rule, chosen.value, one):
                continue
            against = True
        else:
            hull = chosen.apart and one.claim.scope == "explicit"
            against = not hull and not fits(rule, chosen.value, one)
        (dissenting if against else supporting).append(one)
    return supporting, dissenting


def _status(
    rule: Rule, chosen: Chosen, heard: Heard, supporting: list[Voice], dissenting: list[Voice]
) -> ResolvedStatus:
    """Step 7: the first that fits."""
    if not heard.affirming:
        return "unknown"
    if heard.purported:
        return "purported"
    if chosen.value is None:
        return "contested" if len({one.statement.speaker for one in heard.affirming}) > 1 else "single-source"
    admitted = {one.canonical for one in heard.affirming if one.claim.act in ADMITTING}
    if admitted:
        values = msgspec.json.decode(chosen.value, type=list[Raw]) if rule == "all" else [chosen.value]
        if len(values) == 1 and admitted == {canonical(heard.affirming[0].claim.type_, values[0])}:
            return "admitted"
    behind = {one.statement.speaker for one in supporting if one.claim.scope == "explicit"}
    against = [one for one in dissenting if one.claim.scope == "explicit" and one.statement.speaker not in behind]
    if rule != "all" and (chosen.apart or against):
        return "contested"
    return "corroborated" if speakers_behind(supporting) > 1 else "single-source"


def _interest(supporting: list[Voice]) -> Interest | None:
    speakers = counted(supporting)
    found = {
        one.statement.assessed(one.claim.claim_id).interest
        for one in supporting
        if one.claim.scope == "explicit" and one.statement.speaker in speakers
    }
    return found.pop() if len(found) == 1 else None
