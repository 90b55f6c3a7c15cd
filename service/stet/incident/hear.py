"""Steps 1 to 4 of docs/resolution.md: which claims on an attribute count, and what they do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from stet.incident.live import Dropped, why_dropped
from stet.incident.rules import AFFIRMING, Voice
from stet.incident.state import Incident
from stet.incident.statement import Statement
from stet.ledger.attributes import Rule


class Heard(NamedTuple):
    """The claims on an attribute: those that count, by what they do, and why the others do not."""

    affirming: list[Voice]
    """Explicit; purports, if nothing affirms."""
    denying: list[Voice]
    implied: list[Voice]
    dropped: dict[UUID, Dropped]
    purported: bool


def hear(claims: Iterable[Voice], rule: Rule, state: Incident, retracted: Mapping[UUID, list[Statement]]) -> Heard:
    """Steps 1 to 4: the claims that count."""
    dropped: dict[UUID, Dropped] = {}
    live: list[Voice] = []
    for one in claims:
        if reason := why_dropped(one.statement, one.claim.claim_id, state, retracted):
            dropped[one.claim.claim_id] = reason
        else:
            live.append(one)
    newest = live if rule == "all" else _newest(live)
    counting = {one.claim.claim_id for one in newest}
    for one in live:
        if one.claim.claim_id not in counting:
            dropped[one.claim.claim_id] = "older"
    return by_act(newest, dropped)


def by_act(newest: Sequence[Voice], dropped: dict[UUID, Dropped] | None = None) -> Heard:
    """Step 2, of the claims that are left by then. Those that only purport are dropped where others affirm."""
    dropped = {} if dropped is None else dropped
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
