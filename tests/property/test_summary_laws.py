"""What lists show of an incident, against an oracle written apart from it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from tests.property import oracle, oracle_summary
from tests.property.disputes import LISTED, disputes
from tests.property.oracle_cuts import Events, appends, incidents, moments
from tests.property.oracle_summary import COUNTED, PLACED, Found, least
from tests.strategies import World, histories
from tests.unit import saying

from stet.incident.said import said_by
from stet.incident.state import fold
from stet.incident.summary import Summary, summary

GROUPS = ("only the one of nothing", "it beside groups", "it unknown beside groups", "one group", "several groups")
GREATEST = ("the first is the greatest", "a later one is the greatest", "equal ones")
REACHED = {
    "counts": (*GROUPS, *GREATEST, "several statuses", "a pin", "a contradiction is pinned"),
    "times": (*GROUPS, "several statuses", "a pin"),
    "places": ("several discs", "discs of several radii", "a name beside a disc", "a name alone", "a pin"),
}
"""What the examples of a law must meet, each in five of them at least."""


def plain(shown: Summary) -> dict[str, Any]:
    """The service's summary in the oracle's terms."""
    fields = msgspec.structs.asdict(shown)
    shown = {
        name: msgspec.structs.asdict(value) if isinstance(value, msgspec.Struct) else value
        for name, value in fields.items()
    }
    return shown | {"values": {name: msgspec.json.decode(value) for name, value in shown["values"].items()}}


def check_against_oracle(events: Events) -> None:
    """At every position, at every said_by boundary and just beside it; lists are always `definite`."""
    for prefix in appends(events):
        state, named, told = fold(prefix), oracle_summary.header(prefix), oracle.retell(prefix)
        assert plain(summary(state)) == oracle_summary.listed(named, told)
        for moment in moments(state):
            assert plain(summary(said_by(state, moment))) == oracle_summary.listed(named, told, moment)


def groups_met(found: Found, attribute: str) -> set[str]:
    """What there is to decide about a count or a time."""
    of_it = {of: one for (name, of), one in found.items() if name == attribute}
    valued = [one for of, one in sorted(of_it.items(), key=lambda item: item[0] or "") if one["value"] is not None]
    met = {"a pin"} if any(one["pinned"] for one in valued) else set()
    if any(one["value"].get("inconsistent") for one in valued):
        met.add("a contradiction is pinned")
    if None in of_it and of_it[None] in valued:
        return met | {"it beside groups" if len(valued) > 1 else "only the one of nothing"}
    if valued:
        met |= {"one group" if len(valued) == 1 else "several groups"}
        met |= {"it unknown beside groups"} if None in of_it else set()
    if len({one["status"] for one in valued}) > 1:
        met.add("several statuses")
    return met | (greatest_met([one["value"] for one in valued]) if attribute in COUNTED else set())


def greatest_met(counts: list[dict[str, Any]]) -> set[str]:
    """Where the greatest of several is."""
    if len(counts) < 2:
        return set()
    first, later = least(counts[0]), max(map(least, counts[1:]))
    if first == later:
        return {"equal ones"}
    return {"the first is the greatest" if first > later else "a later one is the greatest"}


def places_met(found: Found) -> set[str]:
    """What there is to decide about places."""
    places = [one for (name, _), one in found.items() if name in PLACED and one["value"] is not None]
    discs = [one for one in places if "geometry" in one["value"]]
    radii = {(one["value"].get("radius_m"), one["value"].get("level")) for one in discs}
    met = {
        "several discs": len(discs) > 1,
        "discs of several radii": len(radii) > 1,
        "a name beside a disc": 0 < len(discs) < len(places),
        "a name alone": bool(places) and not discs,
        "a pin": any(one["pinned"] for one in places),
    }
    return {name for name, is_met in met.items() if is_met}


@settings(max_examples=40)
@given(histories())
def test_a_list_shows_of_a_history_what_the_oracle_says_at_every_cut(world: World) -> None:
    for events in incidents(world):
        check_against_oracle(events)


@settings(max_examples=40)
@given(disputes())
def test_a_list_shows_of_a_dispute_what_the_oracle_says_at_every_cut(events: Events) -> None:
    check_against_oracle(events)


@pytest.mark.parametrize("what", LISTED)
def test_a_list_shows_of_several_groups_what_the_oracle_says_at_every_cut(what: str) -> None:
    """And there is something to decide in them."""
    reached: Counter[str] = Counter()

    @settings(max_examples=60)
    @given(disputes(LISTED[what], least=8, most=16))
    def look(events: Events) -> None:
        check_against_oracle(events)
        met: set[str] = set()
        for prefix in appends(events):
            found = oracle.resolved(oracle.retell(prefix))
            for attribute in ("killed", "injured") if what == "counts" else ("occurred_at",):
                met |= places_met(found) if what == "places" else groups_met(found, attribute)
        reached.update(met)

    look()
    assert {name: reached[name] for name in REACHED[what] if reached[name] < 5} == {}


def test_a_list_shows_a_pinned_contradiction_from_its_least_to_its_greatest() -> None:
    """A contradictory triple counts as a range, whoever says it: the desk, or a data set."""
    contradiction = saying.count(5, 1, inconsistent=True)
    said = saying.told(saying.say("AZ", killed=contradiction))
    pinned = saying.told(saying.say("AZ", killed=2), saying.pin("killed", contradiction, [1]))
    for events in (said, pinned):
        shown = summary(fold(events)).killed
        assert shown
        assert (shown.min, shown.max) == (1, 5)


def test_a_list_shows_every_small_value_once_and_no_other() -> None:
    """Each type of value, under each rule; a text at its limit, and one beyond it; what is of something."""
    listed = {
        "rank": "é" * 200,
        "toll": saying.count(1, 3, best=2),
        "phase": "dusk",
        "seen": False,
        "moment": saying.during(1, 2, verbatim="at dawn"),
        "distance": {"amount": 0.5, "unit": "mile"},
        "intent": "unknown",
    }
    left_out = {
        "weapon": "é" * 201,
        "spot": saying.near(44, 39),
        "report": {"document_id": str(saying.HERE)},
        "blamed": "RU",
        "target_operator": "AZ",
        "cause": "fog",
        "killed": 2,
        "occurred_at": saying.during(1, 2),
        "place": {"name": "the border"},
        "altitude": saying.put("low", of="crew"),
        "light": saying.put("dusk", act="deny"),
    }
    events = saying.told(*(saying.say("AZ", **{name: value}) for name, value in (listed | left_out).items()))
    shown = plain(summary(fold(events)))
    assert shown["values"] == listed
    assert shown == oracle_summary.listed(oracle_summary.header(events), oracle.retell(events))
