"""What is hidden in streams that name each other: the least that follows from the labels (docs/adr/0020).

Streams may name each other in a circle. So what has lost its label is doubted first, with all that was hidden because
of it; then whatever still follows from a label is hidden again. Everything else stays as the streams say that it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from stet.envelope import Recorded
from stet.incident.events import StatementMovedIn
from stet.incident.links import IncidentAbsorbed
from stet.incident.visibility import Facts, facts_of, hidden, named_by

Targets = frozenset[str]


class Part(Struct, frozen=True, kw_only=True):
    """A stream of an incident or a document, around an append."""

    before: Facts
    after: Facts
    was_hidden: Targets
    """As far as the stream told before."""
    named: Targets
    """All that it names or holds, itself apart."""

    home: Targets
    """What is decided here, alone or with other streams: the thing itself, and all statements that it ever held."""


Parts = Mapping[str, Part]


def part_of(stream: str, events: Sequence[Recorded[Any]], new: Sequence[Recorded[Any]] = ()) -> Part:
    """A stream, its events before the append, and those that the append adds."""
    before = facts_of(stream, events)
    after = facts_of(stream, [*events, *new]) if new else before
    named = {target for one in (*events, *new) for target in named_in(one.event, stream)}
    return Part(
        before=before,
        after=after,
        was_hidden=hidden(before),
        named=frozenset(named | after.names.keys()),
        home=frozenset((stream, *after.names)),
    )


def named_in(event: Any, stream: str) -> set[str]:
    """All that an event names or holds but sources and its own stream."""
    found = named_by(event, stream)
    if isinstance(event, StatementMovedIn):
        found |= {f"statement:{one.superseded_by}" for one in event.statement.superseded}
    if isinstance(event, IncidentAbsorbed):
        found |= {f"incident:{link.incident_id}" for link in event.links}
    return found - {stream}


def unlabelled(parts: Iterable[Part]) -> Targets:
    """What has no label of its own any more."""
    found: set[str] = set()
    for part in parts:
        found |= part.before.restricted - part.after.restricted
        if part.before.own.restricted and not part.after.own.restricted:
            found |= part.home - part.after.restricted
    return frozenset(found)


def doubtful(parts: Iterable[Part], doubted: Targets) -> Targets:
    """What is doubted, and all that was hidden and has no label of its own, but names something that is doubted."""
    found, parts = set(doubted), [part for part in parts if not part.after.own.restricted]
    grows = True
    while grows:
        more = {
            statement
            for part in parts
            for statement in (part.was_hidden & part.home) - part.after.restricted - found
            if not found.isdisjoint(part.after.names.get(statement, ()))
        }
        found |= more
        grows = bool(more)
    return frozenset(found)


def hidden_in(parts: Iterable[Part], doubted: Targets) -> Targets:
    """What is hidden of all that is decided in one of the streams."""
    parts = list(parts)
    found: set[str] = set()
    grows = True
    while grows:
        before = len(found)
        for part in parts:
            found |= hidden(part.after, (part.after.elsewhere - doubted) | (found & part.named)) & part.home
        grows = len(found) > before
    return frozenset(found)


def heard(parts: Parts, doubted: Targets, found: Targets) -> dict[str, Targets]:
    """What each incident's stream must say that is hidden elsewhere, given what is hidden.

    All of that which it names; of the statements that it shares with others only those that it would show by itself.
    """
    homes = Counter(target for part in parts.values() for target in part.home & found)
    said: dict[str, Targets] = {}
    for stream, part in parts.items():
        if stream.startswith("incident:"):
            kept = part.after.elsewhere - doubted
            says = kept | ((found & part.named) - part.home)
            shared = {target for target in found & part.home if homes[target] > 1}
            said[stream] = says | (shared - hidden(part.after, says))
    return said
