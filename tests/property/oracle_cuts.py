"""The cuts at which the laws ask, after each append and at each said time; and the service's answer in their terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
from hypothesis import settings
from tests.strategies import World

from stet.envelope import Recorded
from stet.incident.resolve import verdicts
from stet.incident.state import Incident

many = settings(max_examples=25)
TICK = timedelta(microseconds=1)
Events = list[Recorded[Any]]


def incidents(world: World) -> Iterable[Events]:
    """The streams of a history's incidents."""
    return [events for stream, events in world.streams.items() if stream.startswith("incident:")]


def appends(events: Events) -> Iterator[Events]:
    """What each append leaves of a stream: all its events up to there."""
    seen: Events = []
    for _, append in groupby(events, key=lambda recorded: recorded.recorded_at):
        seen = [*seen, *append]
        yield seen


def is_merged(events: Iterable[Recorded[Any]]) -> bool:
    """Whether the incident is another one by then, so that no list has it."""
    into: Any = None
    for recorded in events:
        if recorded.type == "incident-merged":
            into = recorded.event.into
        elif recorded.type == "merge-reverted" and recorded.event.incident_id == into:
            into = None
    return into is not None


def moments(state: Incident) -> list[datetime]:
    """Every said time at which something changes, and just beside it."""
    bounds = {bound for said in state.statements.values() for bound in said.said if bound}
    return sorted({at for bound in bounds for at in (bound - TICK, bound, bound + TICK) if at.year < 9999})


def told(state: Incident) -> dict[Any, dict[str, Any]]:
    """What the service resolves, in the oracle's terms."""
    found = {}
    for one, heard, _ in verdicts(state):
        found[one.attribute, one.of] = {
            "value": None if one.value is None else msgspec.json.decode(one.value),
            "status": one.status,
            "supporting": set(one.supporting),
            "dissenting": set(one.dissenting),
            "speakers": one.speakers,
            "repeats": one.repeats,
            "pinned": one.pinned_by is not None,
            "interest": one.interest,
            "older": {id_ for id_, why in heard.dropped.items() if why == "older"},
            "purported": {id_ for id_, why in heard.dropped.items() if why == "purported"},
        }
    return found
