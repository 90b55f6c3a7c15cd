"""What a statement says on one attribute, and what of it counts among all that its speaker has said on it.

A speaker's entries on an attribute are a list in the order of `ORDER`: the newest last.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from stet.incident.resolve import Key
from stet.incident.rules import Voice, voices_of
from stet.incident.statement import Statement
from stet.ledger.attributes import BUILT_IN
from stet.values.compare import BEGINNING, END

Span = tuple[datetime, datetime]
"""From a said time up to, but not including, another."""


class Spoken(NamedTuple):
    """The claims of one statement on one attribute that are live at any time."""

    order: tuple[datetime, datetime, int]
    """When it was said, at the latest and at the earliest, and its position: the newest of a speaker counts."""
    voices: tuple[Voice, ...]
    falls: tuple[datetime, ...]
    """For each, when it is taken back or superseded; END: it is not."""

    @property
    def speaker(self) -> UUID:
        return self.voices[0].statement.speaker

    def live(self, at: datetime) -> list[Voice]:
        """The claims that are live at a said time."""
        return [one for one, falls in zip(self.voices, self.falls, strict=True) if at < falls]

    def until(self, *, explicit: bool) -> datetime:
        """When the last of its claims falls, or of those that are explicit; BEGINNING: it has none."""
        pairs = zip(self.voices, self.falls, strict=True)
        return max((at for one, at in pairs if not explicit or one.claim.scope == "explicit"), default=BEGINNING)

    def displaces(self, key: Key) -> bool:
        """Whether nothing that the speaker said before it on the attribute ever counts."""
        return self.until(explicit=True) == END and not _all_count(key, self)


ORDER = itemgetter(0)


def said_of(statement: Statement) -> datetime:
    """When it was said, at the latest."""
    return statement.said_at.latest or statement.said.latest or END


def newness(statement: Statement) -> tuple[datetime, datetime, int]:
    """By which the newest of a speaker is known."""
    return said_of(statement), statement.said_at.earliest or BEGINNING, statement.position


def says(statement: Statement, taken_back: Sequence[Statement], newer: Sequence[Statement]) -> dict[Key, Spoken]:
    """What a statement says, by attribute, given the retractions of it, and the statements that supersede it."""
    if statement.withdrawn:
        return {}
    superseded = min((said_of(one) for one in newer), default=END)
    found: dict[Key, list[tuple[Voice, datetime]]] = {}
    for voice in voices_of(statement):
        id_, falls = voice.claim.claim_id, superseded
        for one in taken_back:
            if one.retracts and (not one.retracts.claim_ids or id_ in one.retracts.claim_ids):
                falls = min(falls, said_of(one))
        if voice.newness[0] < falls and statement.assessed(id_).verification not in ("false", "discounted"):
            found.setdefault((voice.claim.attribute or "", voice.claim.of), []).append((voice, falls))
    return {key: Spoken(newness(statement), *zip(*its, strict=True)) for key, its in found.items()}


def counting(key: Key, entries: Sequence[Spoken], at: datetime) -> list[Voice]:
    """The claims of a speaker that count at a said time: those of the newest statement that is live, or, under the rule
    `all`, of each. One that only implies a value does not displace one that says it."""
    end = len(entries) if entries[-1].order[0] <= at else bisect_right(entries, at, key=_said)
    if _all_count(key, entries[0]):
        return [one for entry in entries[:end] for one in entry.live(at)]
    found: list[Voice] = []
    for n in range(end - 1, -1, -1):
        live = entries[n].live(at)
        says_it = any(one.claim.scope == "explicit" for one in live)
        if says_it or not found:
            found += live
        if says_it:
            break
    return found


def spans(key: Key, entries: Sequence[Spoken], entry: Spoken) -> list[Span]:
    """The said times at which one of a speaker's entries can count: no newer one of his stands there."""
    at, until = entry.order[0], entry.until(explicit=False)
    if _all_count(key, entry):
        return [(at, until)]
    says_it = entry.until(explicit=True) > BEGINNING
    found: list[Span] = []
    for n in range(bisect_right(entries, entry.order, key=ORDER), len(entries)):
        if at >= until:
            break
        newer = entries[n]
        covers = newer.until(explicit=says_it)
        if covers <= at:
            continue
        if newer.order[0] > at:
            found.append((at, min(newer.order[0], until)))
        at = covers
    return [*found, (at, until)] if at < until else found


def differ_since(old: Spoken | None, new: Spoken | None) -> datetime:
    """From when on one may count otherwise than the other; END: never."""
    if old is None or new is None or old.order != new.order or len(old.voices) != len(new.voices):
        return BEGINNING
    if not all(map(_same, old.voices, new.voices)):
        return BEGINNING
    return min((min(was, is_) for was, is_ in zip(old.falls, new.falls, strict=True) if was != is_), default=END)


def _same(old: Voice, new: Voice) -> bool:
    """Whether no rule can tell one claim from the other."""
    return old.claim is new.claim and (old.statement is new.statement or _heard(old) == _heard(new))


def _heard(one: Voice) -> tuple[object, ...]:
    said = one.statement
    return said.speaker, said.speaker_unknown, said.chain, said.assessments


def _all_count(key: Key, entry: Spoken) -> bool:
    built_in = BUILT_IN.get(key[0])
    return (built_in.rule if built_in else entry.voices[0].claim.rule) == "all"


def _said(entry: Spoken) -> datetime:
    return entry.order[0]
