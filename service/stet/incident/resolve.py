"""Resolution: from contradictory claims to one value per attribute, with who supports it and who does not.

Pure, explainable, versioned. docs/resolution.md gives each step with an example.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from stet.incident.claim import RESOLVING
from stet.incident.live import NOT_LIVE, Dropped, retractions, why_dropped
from stet.incident.rules import (
    ADMITTING,
    AFFIRMING,
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


class Group(NamedTuple):
    """All resolving claims on one attribute at a cut, and the pin on it."""

    key: Key
    claims: list[Voice]
    pin: Pin | None


class Heard(NamedTuple):
    """The claims of a group: those that count, by what they do, and why the others do not."""

    affirming: list[Voice]
    """Explicit; purports, if nothing affirms."""
    denying: list[Voice]
    implied: list[Voice]
    dropped: dict[UUID, Dropped]
    purported: bool


class Verdict(NamedTuple):
    """A resolved attribute with everything that led to it."""

    resolved: Resolved
    heard: Heard
    step: str


def groups(state: Incident) -> dict[Key, Group]:
    """The resolving claims and pins of an incident by attribute, in the order of their names.

    A pin is silent where none of the statements that it cites is kept.
    """
    found: dict[Key, Group] = {}
    for statement in state.statements.values():
        resolving = [claim for claim in statement.claims.values() if claim.attribute and claim.act in RESOLVING]
        for one in voices_of(statement, resolving):
            key = one.claim.attribute or "", one.claim.of
            found.setdefault(key, Group(key, [], None)).claims.append(one)
    for pin in state.pins:
        if state.statements.keys().isdisjoint(pin.cites):
            continue
        key = pin.attribute, pin.of
        found[key] = found.get(key, Group(key, [], None))._replace(pin=pin)
    return dict(sorted(found.items(), key=lambda item: (item[0][0], item[0][1] or "")))


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
    rule = rule_of(group)
    heard = hear(group, rule, state, retracted)
    chosen = choose(rule, heard.affirming) if heard.affirming else Chosen(None, "nothing affirms a value")
    if group.pin:
        value = group.pin.value
        chosen = Chosen(Raw(msgspec.json.encode([value])) if rule == "all" else value, "the desk's pin")
    supporting, dissenting = _sides(rule, chosen, heard)
    speakers = speakers_behind(supporting) if chosen.value is not None else 0
    pin = group.pin
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


def rule_of(group: Group) -> Rule:
    """The rule of the group's attribute. One that the ledger defined is stored with its claims and pins."""
    if group.key[0] in BUILT_IN:
        return BUILT_IN[group.key[0]].rule
    rule = group.pin.rule if group.pin else group.claims[0].claim.rule
    assert rule
    return rule


def hear(group: Group, rule: Rule, state: Incident, retracted: dict[UUID, list[Statement]]) -> Heard:
    """Steps 1 to 4: the claims that count."""
    dropped: dict[UUID, Dropped] = {}
    live: list[Voice] = []
    for one in group.claims:
        if reason := why_dropped(one.statement, one.claim.claim_id, state, retracted):
            dropped[one.claim.claim_id] = reason
        else:
            live.append(one)
    newest = live if rule == "all" else _newest(live)
    counting = {one.claim.claim_id for one in newest}
    for one in live:
        if one.claim.claim_id not in counting:
            dropped[one.claim.claim_id] = "older"
    explicit = [one for one in newest if one.claim.scope == "explicit"]
    implied = [one for one in newest if one.claim.scope == "implied"]
    affirming = [one for one in explicit if one.claim.act in AFFIRMING]
    purports = [one for one in newest if one.claim.act == "purport"]
    if affirming:
        implied = [one for one in implied if one.claim.act != "purport"]
        for one in purports:
            dropped[one.claim.claim_id] = "purported"
    denying = [one for one in explicit if one.claim.act == "deny"]
    purporting = [one for one in purports if one.claim.scope == "explicit"]
    return Heard(affirming or purporting, denying, implied, dropped, purported=bool(purporting) and not affirming)


def _newest(live: list[Voice]) -> list[Voice]:
    """Of one speaker only the newest statement. One that only implies a value does not displace one that says it."""
    said: dict[UUID, tuple[Any, ...]] = {}
    implied: dict[UUID, tuple[Any, ...]] = {}
    for one in live:
        latest = said if one.claim.scope == "explicit" else implied
        order = _order(one)
        latest[one.statement.speaker] = max(latest.get(one.statement.speaker, order), order)
    kept = []
    for one in live:
        order, speaker = _order(one), one.statement.speaker
        spoke = said.get(speaker)
        if order == spoke or (
            one.claim.scope == "implied" and order == implied[speaker] and (spoke is None or order > spoke)
        ):
            kept.append(one)
    return kept


def _order(one: Voice) -> tuple[Any, ...]:
    return (*one.newness, one.statement.position)


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
