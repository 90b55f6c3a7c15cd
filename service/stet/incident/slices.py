"""What a list shows of an incident, for every moment that said_by can name: a step function of said time.

A slice covers the said times from `said_from` up to, but not including, `said_to`. Neighbours differ: equal ones are
one slice. An incident that holds no statement has one slice that starts at END: only reads without said_by see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from stet.incident.live import retractions
from stet.incident.resolve import Group, Key, Resolved, groups, verdict
from stet.incident.state import Incident
from stet.incident.statement import Statement
from stet.incident.summary import Summary, summarise
from stet.values.compare import BEGINNING, END


class Slice(NamedTuple):
    said_from: datetime
    said_to: datetime
    summary: Summary


class Splice(NamedTuple):
    """How one set of slices becomes another: what ends and what begins. All else stays."""

    closed: list[Slice]
    opened: list[Slice]


_HEADER = ("title", "kind", "tags", "status")


def changed_since(before: Incident, after: Incident) -> datetime:
    """The said time before which no slice differs between two states of an incident; END: none differs at all."""
    if before.merged_into or after.merged_into:
        return END if before.merged_into and after.merged_into else BEGINNING
    if before.version == 0 or any(getattr(before, name) != getattr(after, name) for name in _HEADER):
        return BEGINNING
    sides = (before, after), (after, before)
    changed = [
        statement
        for one, other in sides
        for id_, statement in one.statements.items()
        if statement is not other.statements.get(id_)
    ]
    changed += [
        one.statements[cited]
        for one, other in sides
        for pin in one.pins
        if pin not in other.pins
        for cited in pin.cites
        if cited in one.statements
    ]
    return min((_said(statement) for statement in changed), default=END)


def renamed(before: Incident, after: Incident) -> bool:
    """Whether the two states differ in title, kind, tags or status at most, so that all resolves alike."""
    merged = before.merged_into or after.merged_into
    return before.version > 0 and not merged and before.statements == after.statements and before.pins == after.pins


def rename(live: Sequence[Slice], after: Incident) -> Splice:
    """What changes in the live slices, all of which are given, where an incident was renamed."""
    header = {name: getattr(after, name) for name in _HEADER}
    return Splice(list(live), [one._replace(summary=replace(one.summary, **header)) for one in live])


def slices(state: Incident, since: datetime = BEGINNING) -> list[Slice]:
    """The slices of an incident from a said time on; the first is clipped to begin there. A merged one has none."""
    if state.merged_into:
        return []
    steps = list(_steps(state, since))
    if not steps:
        nothing = replace(state, statements={}, pins=())
        steps = [(END, summarise(state, resolved_at(nothing)))]
    merged: list[Slice] = []
    for (said_from, shown), said_to in zip(steps, [*(at for at, _ in steps[1:]), END], strict=True):
        merged = merge(merged, [Slice(said_from, said_to, shown)])
    return merged


def merge(head: list[Slice], tail: Iterable[Slice]) -> list[Slice]:
    """Slices that follow one another, equal neighbours made one."""
    found = list(head)
    for one in tail:
        if found and found[-1].said_to == one.said_from and found[-1].summary == one.summary:
            found[-1] = found[-1]._replace(said_to=one.said_to)
        else:
            found.append(one)
    return found


def splice(live: Sequence[Slice], after: Incident, since: datetime) -> Splice:
    """What changes in the live slices, in order, of which at least those that end at `since` or later are given."""
    reached = [one for one in live if one.said_to >= since]
    before = [one._replace(said_to=min(one.said_to, since)) for one in reached if one.said_from < since]
    # Where nothing had been said yet, the one slice starts at END and ends with the first statement.
    made = merge(before, slices(after, since))
    old, new = ({one.said_from: one for one in some} for some in (reached, made))
    return Splice(
        [one for one in reached if new.get(one.said_from) != one],
        [one for one in made if old.get(one.said_from) != one],
    )


def resolved_at(state: Incident) -> dict[Key, Resolved]:
    """Every attribute that has a live claim or a pin that speaks."""
    retracted = retractions(state)
    found = {key: verdict(group, state, retracted) for key, group in groups(state).items()}
    return {key: one.resolved for key, one in found.items() if one}


def _said(statement: Statement) -> datetime:
    return statement.said.latest or END


def _steps(state: Incident, since: datetime) -> Iterator[tuple[datetime, Summary]]:
    """The summary at `since`, if anything was said by then, and wherever the next statements were said.

    Between two steps only the attributes are resolved again that the new statements touch.
    """
    order = sorted(state.statements.values(), key=_said)
    kept = {one.statement_id: one for one in order if _said(one) <= since}
    every = groups(state)
    later = [one for one in order if _said(one) > since]
    touching = _touching(state, every) if later else {}
    cut = replace(state, statements=kept, pins=())
    found: dict[Key, Resolved] = {}
    if kept:
        _resolve_again(every.keys(), every, cut, found)
        yield since, summarise(state, found)
    for said, arrived in groupby(later, key=_said):
        new = list(arrived)
        kept.update({one.statement_id: one for one in new})
        _resolve_again({key for one in new for key in touching[one.statement_id]}, every, cut, found)
        yield said, summarise(state, found)


def _resolve_again(keys: Iterable[Key], every: dict[Key, Group], cut: Incident, found: dict[Key, Resolved]) -> None:
    retracted = retractions(cut)
    for key in keys:
        group = every[key]
        claims = [one for one in group.claims if one.statement.statement_id in cut.statements]
        pin = group.pin if group.pin and cut.statements.keys() & set(group.pin.cites) else None
        made = verdict(Group(key, claims, pin), cut, retracted) if claims or pin else None
        if made:
            found[key] = made.resolved
        else:
            found.pop(key, None)


def _touching(state: Incident, every: Mapping[Key, Group]) -> dict[UUID, set[Key]]:
    """For each statement the attributes that can change when it comes to be kept; `every` are the state's groups."""
    found: dict[UUID, set[Key]] = {id_: set() for id_ in state.statements}
    for key, group in every.items():
        for one in group.claims:
            found[one.statement.statement_id].add(key)
        for cited in group.pin.cites if group.pin else ():
            found.setdefault(cited, set()).add(key)
    own = {id_: set(keys) for id_, keys in found.items()}
    for id_, said in state.statements.items():
        if said.retracts and said.retracts.statement_id in own:
            found[id_] |= own[said.retracts.statement_id]
        for supersession in said.superseded:
            if supersession.superseded_by in found:
                found[supersession.superseded_by] |= own[id_]
    return found
