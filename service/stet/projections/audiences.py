"""PURE: what each audience sees of an incident, as of some position: visibility is that of there at every cut."""

from __future__ import annotations

from collections.abc import Mapping

from stet.incident.visibility import TELLING, Events, shown

ALL, MEMBER, PUBLIC = "all", "member", "public"
"""Whom a row is for. One that is for all stands for two that would be equal."""
Views = Mapping[str, Events]
"""For each audience that has rows of its own, the events that it sees."""


def views(stream: str, events: Events) -> Views:
    """The audiences of an incident's stream, by all of its events up to a position."""
    if not any(one.type in TELLING for one in events):
        return {ALL: events}
    return {MEMBER: events, PUBLIC: shown(stream, events, "public")}


def goes_on(before: Views, after: Views) -> bool:
    """Whether of the earlier events everybody sees what he saw before: then later ones only end and begin rows.

    No other, and no more of them.
    """
    end = max((events[-1].position for events in before.values() if events), default=0)
    return before.keys() == after.keys() and all(
        list(events) == [one for one in after[audience] if one.position <= end] for audience, events in before.items()
    )
