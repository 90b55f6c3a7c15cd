"""What is said of a value: its status, who is behind it, whom it serves, and what the desk pinned."""

from __future__ import annotations

from typing import Any

import pytest
from tests.strategies import uuid
from tests.unit.resolving import Case, Row, both, case, outcome
from tests.unit.saying import (
    MIDNIGHT,
    Act,
    admit,
    assess,
    correct,
    count,
    deny,
    during,
    imply,
    move_in,
    move_out,
    near,
    pin,
    purport,
    put,
    retract,
    say,
    source,
    told,
    unpin,
    withdraw,
)

from stet.incident.resolve import resolve
from stet.incident.state import fold
from stet.incident.statement import Assessment

ONE = "single-source"
CREW = f"document:{uuid(5)}"
SELF, AGAINST = "self-serving", "against-interest"
SERVES = Assessment(
    interest=SELF, basis="deduced", rationale="It is plain.", position=9, recorded_at=MIDNIGHT, actor="desk"
)
GUN, MINE = {"weapon": "gun"}, {"weapon": "mine"}


def locals_say(speaker: str = "LOCALS", **more: Any) -> Act:
    return say(speaker, unknown=True, **more)


# fmt: off
STATUS = [
    case("pinned before admitted", [admit("AZ", **GUN), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "1", "", 1, 0),
    case("pinned before unknown", [deny("AZ", **GUN), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "", "1", 0, 0),
    case("unknown before contested", [deny("AZ", **GUN), deny("RU", **MINE)],
         "weapon", None, "unknown", "", "1 2", 0, 0),
    case("unknown, though an admission is implied", [say("AZ", weapon=put("gun", act="admit", scope="implied"))],
         "weapon", None, "unknown", "1", "", 0, 0),
    case("unknown, though something is purported by implication",
         [say("AZ", weapon=put("gun", act="purport", scope="implied"))],
         "weapon", None, "unknown", "1", "", 0, 0),
    case("purported before contested", [purport("AZ", **GUN), deny("RU", **GUN)],
         "weapon", "gun", "purported", "1", "2", 1, 0),
    case("purported before corroborated", [purport("AZ", **GUN), purport("RU", **GUN)],
         "weapon", "gun", "purported", "1 2", "", 2, 0),
    case("purported, and implied otherwise", [purport("AZ", **GUN), imply("RU", **MINE)],
         "weapon", "gun", "purported", "1", "2", 1, 0),
    case("admitted before contested",
         [admit("AZ", **GUN), say("RU", **GUN), say("AM", **MINE), deny("FR", **GUN)],
         "weapon", "gun", "admitted", "1 2", "3 4", 2, 0),
    case("a tie is not admitted", [admit("AZ", **GUN), say("RU", **MINE)],
         "weapon", None, "contested", "", "1 2", 0, 0),
    case("admitted before corroborated", [admit("AZ", **GUN), say("RU", **GUN)],
         "weapon", "gun", "admitted", "1 2", "", 2, 0),
    case("admitted by two", [admit("AZ", **GUN), admit("RU", **GUN)],
         "weapon", "gun", "admitted", "1 2", "", 2, 0),
    case("what two admit differently is not admitted", [admit("AZ", **GUN), admit("RU", **MINE), say("AM", **GUN)],
         "weapon", "gun", "contested", "1 3", "2", 2, 0),
    case("what is admitted is not the value",
         [admit("AZ", **GUN), say("RU", **MINE), say("AM", **MINE)],
         "weapon", "mine", "contested", "2 3", "1", 2, 0),
    case("an admission taken back",
         [admit("AZ", **GUN), say("RU", **GUN), retract("AZ", 1)],
         "weapon", "gun", ONE, "2", "", 1, 0),
    case("contested before corroborated", [say("AZ", **GUN), say("RU", **GUN), deny("AM", **GUN)],
         "weapon", "gun", "contested", "1 2", "3", 2, 0),
    case("contested by one who relays it", [say("AZ", via=["RU"], **GUN), deny("RU", **GUN)],
         "weapon", "gun", "contested", "1", "2", 1, 0),
    case("contested by one who is unknown", [say("AZ", **GUN), say("LOCALS", unknown=True, how={"act": "deny"}, **GUN)],
         "weapon", "gun", "contested", "1", "2", 1, 0),
    case("not contested by one who says it, though he is not counted",
         [say("RU", weapon=["gun", put("gun", act="deny")]), say("AZ", via=["RU"], **GUN)],
         "weapon", "gun", ONE, "1 2", "1b", 1, 1),
]
SPEAKERS = [
    case("a relay of another is not counted beside him", [say("AZ", via=["RU"], **GUN), say("RU", **GUN)],
         "weapon", "gun", ONE, "1 2", "", 1, 1),
    case("a reporter neither", [say("AZ", via=["OUT"], **GUN), say("OUT", **GUN)],
         "weapon", "gun", ONE, "1 2", "", 1, 1),
    case("nor any other in the chain", [say("AZ", via=["TASS", "RU", "OUT"], **GUN), say("RU", **GUN)],
         "weapon", "gun", ONE, "1 2", "", 1, 1),
    case("nor the relay of what is only implied", [imply("AZ", via=["RU"], **GUN), say("RU", **GUN), say("AM", **GUN)],
         "weapon", "gun", ONE, "1 2 3", "", 1, 2),
    case("the relay of what does not support it is",
         [imply("AZ", via=["RU"], **MINE), say("RU", **GUN), say("AM", **GUN)],
         "weapon", "gun", "corroborated", "2 3", "1", 2, 0),
    case("the relay of a denial is", [deny("AZ", via=["RU"], **GUN), say("RU", **GUN), say("AM", **GUN)],
         "weapon", "gun", "contested", "2 3", "1", 2, 0),
    case("the relay of what was taken back is",
         [say("AZ", via=["RU"], **GUN), retract("AZ", 1), say("RU", **GUN), say("AM", **GUN)],
         "weapon", "gun", "corroborated", "3 4", "", 2, 0),
    case("who passes on his own word is counted", [say("AZ", via=["AZ"], **GUN), say("RU", **GUN)],
         "weapon", "gun", "corroborated", "1 2", "", 2, 0),
    case("two that pass each other on are one", [say("AZ", via=["RU"], **GUN), say("RU", via=["AZ"], **GUN)],
         "weapon", "gun", ONE, "1 2", "", 1, 1),
    case("one relay of two speakers", [say("AZ", via=["OUT"], **GUN), say("RU", via=["OUT"], **GUN)],
         "weapon", "gun", "corroborated", "1 2", "", 2, 0),
    case("a relay who is relayed", [say("AZ", via=["RU"], **GUN), say("RU", via=["AM"], **GUN), say("AM", **GUN)],
         "weapon", "gun", ONE, "1 2 3", "", 1, 2),
    case("the relay of another part of the common part",
         [say("AZ", via=["RU"], killed=count(1, 5)), say("RU", killed=count(2, 9))],
         "killed", count(2, 5), ONE, "1 2", "", 1, 1),
    case("an unknown one beside a known one", [locals_say(**GUN), say("AZ", **GUN)],
         "weapon", "gun", ONE, "1 2", "", 1, 1),
    case("an unknown one alone", [locals_say(**GUN)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("two unknown ones", [locals_say(**GUN), locals_say("CROWD", **GUN)],
         "weapon", "gun", "corroborated", "1 2", "", 2, 0),
    case("two unknown ones beside two known ones",
         [locals_say(**GUN), say("AZ", **GUN), locals_say("CROWD", **GUN), say("RU", **GUN)],
         "weapon", "gun", "corroborated", "1 2 3 4", "", 2, 2),
    case("an unknown one beside one who only relays another unknown one",
         [say("LOCALS", unknown=True, via=["AZ"], **GUN), say("AZ", **GUN), locals_say("CROWD", **GUN)],
         "weapon", "gun", "corroborated", "1 2 3", "", 2, 1),
    case("an unknown one beside a known one who implies", [locals_say(**GUN), imply("AZ", **GUN)],
         "weapon", "gun", ONE, "1 2", "", 1, 1),
    case("once unknown and once not is known",
         [locals_say(cause="fog"), say("LOCALS", cause="ice"), say("AZ", cause="fog")],
         "cause", ["fog", "ice"], "corroborated", "1 2 3", "", 2, 1),
    case("repeats of one speaker", [say("AZ", cause="fog"), say("AZ", cause="fog"), say("AZ", cause="fog")],
         "cause", ["fog"], ONE, "1 2 3", "", 1, 2),
    case("repeats by implication", [say("AZ", **GUN), imply("RU", **GUN), imply("AM", **GUN)],
         "weapon", "gun", ONE, "1 2 3", "", 1, 2),
]
INTEREST = [
    case("none said", [say("AZ", **GUN)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("of one", [say("AZ", **GUN), assess(1, interest=SELF)],
         "weapon", "gun", ONE, "1", "", 1, 0, interest=SELF),
    case("shared", [admit("AZ", **GUN), say("RU", **GUN), assess(1, interest=AGAINST), assess(2, interest=AGAINST)],
         "weapon", "gun", "admitted", "1 2", "", 2, 0, interest=AGAINST),
    case("different", [say("AZ", **GUN), say("RU", **GUN), assess(1, interest=AGAINST), assess(2, interest=SELF)],
         "weapon", "gun", "corroborated", "1 2", "", 2, 0),
    case("of one and not of the other", [say("AZ", **GUN), say("RU", **GUN), assess(1, interest=SELF)],
         "weapon", "gun", "corroborated", "1 2", "", 2, 0),
    case("cleared", [say("AZ", **GUN), assess(1, interest=SELF), assess(1, interest=None)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("of another claim only", [say("AZ", weapon=["gun", put("mine", act="deny")]), assess(1, "1b", interest=SELF)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("not of what is implied", [say("AZ", **GUN), imply("RU", **GUN), assess(1, interest=SELF)],
         "weapon", "gun", ONE, "1 2", "", 1, 1, interest=SELF),
    case("not of what dissents",
         [say("AZ", **GUN), deny("RU", **GUN), assess(1, interest=SELF), assess(2, interest=AGAINST)],
         "weapon", "gun", "contested", "1", "2", 1, 0, interest=SELF),
    case("not of one who relays another",
         [say("AZ", via=["RU"], **GUN), say("RU", **GUN), assess(1, interest=SELF), assess(2, interest=AGAINST)],
         "weapon", "gun", ONE, "1 2", "", 1, 1, interest=SELF),
    case("not of the unknown beside the known", [locals_say(**GUN), say("AZ", **GUN), assess(2, interest=SELF)],
         "weapon", "gun", ONE, "1 2", "", 1, 1, interest=SELF),
    case("of none who is counted", [say("AZ", via=["RU"], **GUN), say("RU", **GUN), assess(2, interest=SELF)],
         "weapon", "gun", ONE, "1 2", "", 1, 1),
    case("of all claims of the counted", [say("AZ", cause=["fog", "ice"]), assess(1, "1b", interest=SELF)],
         "cause", ["fog", "ice"], ONE, "1 1b", "", 1, 1),
    case("of a tie there is none", [say("AZ", weapon=["gun", "mine"]), assess(1, interest=SELF)],
         "weapon", None, ONE, "", "1 1b", 0, 0),
    case("of what is only implied there is none", [imply("AZ", **GUN), assess(1, interest=SELF)],
         "weapon", None, "unknown", "1", "", 0, 0),
    case("of what is pinned", [say("AZ", **GUN), assess(1, interest=SELF), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "1", "", 1, 0, interest=SELF),
    case("came with the statement from another incident", [move_in("AZ", carried={"assessments": (SERVES,)}, **GUN)],
         "weapon", "gun", ONE, "1", "", 1, 0, interest=SELF),
]
PINS = [
    case("another value than is said", [say("AZ", **GUN), pin("weapon", "mine", [1])],
         "weapon", "mine", "pinned", "", "1", 0, 0),
    case("one of two values", [say("AZ", **GUN), say("RU", **MINE), pin("weapon", "gun", [2])],
         "weapon", "gun", "pinned", "1", "2", 1, 0),
    case("of what nobody speaks of", [say("AZ", killed=2), withdraw(1), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "", "", 0, 0),
    case("citing what is withdrawn", [say("AZ", **GUN), withdraw(1), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "", "", 0, 0),
    case("citing what is not here", [say("AZ", **GUN), pin("weapon", "mine", [7])],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("citing what was moved away", [say("AZ", **GUN), say("RU", **GUN), pin("weapon", "mine", [1]), move_out(1)],
         "weapon", "gun", ONE, "2", "", 1, 0),
    case("citing a retraction", [say("AZ", **GUN), retract("AZ", 1), pin("weapon", "mine", [2])],
         "weapon", "mine", "pinned", "", "", 0, 0),
    case("silent before any of what it cites",
         [say("AZ", at=3, **GUN), say("RU", at=5, **GUN), pin("weapon", "mine", [2])],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=4),
    case("speaking with one of what it cites",
         [say("AZ", at=3, **GUN), say("RU", at=5, **GUN), pin("weapon", "mine", [2, 1])],
         "weapon", "mine", "pinned", "", "1", 0, 0, said_by=4),
    case("speaking perhaps", [say("AZ", at=(3, 5), **GUN), pin("weapon", "mine", [1])],
         "weapon", "mine", "pinned", "", "1", 0, 0, said_by=4, possible=True),
    case("silent, and nothing else", [say("AZ", at=5, killed=2), pin("weapon", "gun", [1])], said_by=4),
    case("pinned anew", [say("AZ", **GUN), pin("weapon", "mine", [1]), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "1", "", 1, 0),
    case("pinned anew, and silent", [say("AZ", at=3, **GUN), say("RU", at=5, **GUN), pin("weapon", "mine", [1]),
                                     pin("weapon", "gun", [2])],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=4),
    case("unpinned", [say("AZ", **GUN), pin("weapon", "mine", [1]), unpin("weapon")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("pinned after it was unpinned",
         [say("AZ", **GUN), pin("weapon", "mine", [1]), unpin("weapon"), pin("weapon", "mine", [1])],
         "weapon", "mine", "pinned", "", "1", 0, 0),
    case("whatever is corrected", [say("AZ", **GUN), pin("weapon", "gun", [1]), correct(1, weapon="mine")],
         "weapon", "gun", "pinned", "", "1", 0, 0),

    case("with what is implied", [imply("AZ", **GUN), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "1", "", 0, 1),
    case("with what is implied otherwise", [imply("AZ", **MINE), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "", "1", 0, 0),
    case("denied, and something else denied", [deny("AZ", **GUN), deny("RU", **MINE), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "", "1", 0, 0),
    case("purported", [purport("AZ", **GUN), purport("RU", **MINE), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "1", "2", 1, 0),
    case("purported beside what is said", [purport("AZ", **GUN), say("RU", **MINE), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "", "2", 0, 0),
    case("the newest of each speaker", [say("AZ", **GUN), say("AZ", **MINE), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "", "2", 0, 0),
    case("the speakers of those who agree",
         [say("AZ", via=["RU"], **GUN), say("RU", **GUN), locals_say(**GUN), pin("weapon", "gun", [1])],
         "weapon", "gun", "pinned", "1 2 3", "", 1, 2),

    case("a count, with those that overlap",
         [say("AZ", killed=count(1, 3)), say("RU", killed=7), deny("AM", killed=count(0, 9)), deny("FR", killed=2),
          pin("killed", count(2, 4), [1])],
         "killed", count(2, 4), "pinned", "1", "2 3", 1, 0),
    case("a time, with those that overlap",
         [say("AZ", occurred_at=during(14, 15)), say("RU", occurred_at=during(16, None)),
          pin("occurred_at", during(13, 14, verbatim="after one"), [1])],
         "occurred_at", during(13, 14, verbatim="after one"), "pinned", "1", "2", 1, 0),
    case("a place, with those that meet it",
         [say("AZ", place=near(44.85, 39.74, level="exact")), say("RU", place=near(45.85, 39.74)),
          say("AM", place={"name": "Yeraskh"}), pin("place", near(44.86, 39.74), [1])],
         "place", near(44.86, 39.74), "pinned", "1 3", "2", 2, 0),
    case("a source", [admit("AZ", responsible="AZ"), say("RU", responsible="AM"), pin("responsible", "AM", [1])],
         "responsible", source("AM"), "pinned", "2", "1", 1, 0),
    case("one cause, which all fit",
         [say("AZ", cause="fog"), say("RU", cause="ice"), deny("AM", cause="ice"), deny("FR", cause="fog"),
          pin("cause", "ice", [1])],
         "cause", ["ice"], "pinned", "1 2", "3", 2, 0),
    case("by the newest", [say("AZ", phase="on"), say("RU", phase="off"), pin("phase", "on", [1])],
         "phase", "on", "pinned", "1", "2", 1, 0),
    case("of a part only", [say("AZ", weapon=put("gun", of="crew")), pin("weapon", "mine", [1], of="crew")],
         "weapon", "mine", "pinned", "", "1", 0, 0, of="crew"),
]
# fmt: on


@both
@pytest.mark.parametrize("row", STATUS)
def test_the_status_is_the_first_that_fits(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected


@both
@pytest.mark.parametrize("row", SPEAKERS)
def test_who_passes_on_or_is_unknown_adds_no_speaker(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected


@both
@pytest.mark.parametrize("row", INTEREST)
def test_an_interest_is_shown_where_all_who_are_counted_share_it(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected


@both
@pytest.mark.parametrize("row", PINS)
def test_a_pin_holds_where_what_it_cites_was_said(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected


# ---- several attributes ----


@both
def test_each_attribute_and_each_part_is_resolved_by_itself(reader: str) -> None:
    acts = [
        say("AZ", weapon=["gun", put("mine", of="crew")], killed=2),
        say("AZ", weapon=put("knife", of=CREW), killed=put(1, of="crew", act="deny")),
        say("RU", weapon=put("gun", of="crew"), injured=put(3, act="offer")),
        pin("killed", 3, [1]),
    ]
    assert outcome(case("several", acts).values[0], reader) == {
        ("killed", None): Row(count(3, 3), "pinned", "", "1c", 0, 0),
        ("killed", "crew"): Row(None, "unknown", "", "2b", 0, 0),
        ("weapon", None): Row("gun", ONE, "1", "", 1, 0),
        ("weapon", "crew"): Row(None, "contested", "", "1b 3", 0, 0),
        ("weapon", CREW): Row("knife", ONE, "2", "", 1, 0),
    }


def test_attributes_are_listed_in_order_with_their_rules() -> None:
    values = {
        "weapon": ["gun", put("mine", of="crew")],
        "phase": "on",
        "killed": 2,
        "cause": "fog",
        "place": near(1, 2),
    }
    resolved = resolve(fold(told(say("AZ", **values), pin("toll", 3, [1]))))
    assert [(one.attribute, one.of, one.rule) for one in resolved] == [
        ("cause", None, "all"),
        ("killed", None, "range"),
        ("phase", None, "latest"),
        ("place", None, "finest"),
        ("toll", None, "graded"),
        ("weapon", None, "majority"),
        ("weapon", "crew", "majority"),
    ]
