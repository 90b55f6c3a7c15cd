"""`graded`, `latest` and `all`: the best claim, the newest, and every value."""

from __future__ import annotations

import pytest
from tests.unit.resolving import Case, both, case, outcome
from tests.unit.saying import admit, assess, correct, count, deny, imply, near, purport, put, say, source

ONE = "single-source"

# fmt: off
GRADED = [
    case("one says it", [say("AZ", rank="high")],
         "rank", "high", ONE, "1", "", 1, 0),
    case("ungraded: the newest", [say("AZ", rank="high"), say("RU", rank="low")],
         "rank", "low", "contested", "2", "1", 1, 0),
    case("ungraded: the newest, whenever it was recorded", [say("AZ", rank="high", at=5), say("RU", rank="low", at=4)],
         "rank", "high", "contested", "1", "2", 1, 0),
    case("graded before ungraded", [say("AZ", rank="high"), say("RU", rank="low"), assess(1, reliability="E")],
         "rank", "high", "contested", "1", "2", 1, 0),
    case("A before B",
         [say("AZ", rank="high"), say("RU", rank="low"), assess(1, reliability="A"), assess(2, reliability="B")],
         "rank", "high", "contested", "1", "2", 1, 0),
    case("reliability before credibility",
         [say("AZ", rank="high"), say("RU", rank="low"), assess(1, reliability="A"),
          assess(2, reliability="B", credibility=1)],
         "rank", "high", "contested", "1", "2", 1, 0),
    case("of one reliability, the more credible",
         [say("AZ", rank="high"), say("RU", rank="low"), assess(1, reliability="B", credibility=2),
          assess(2, reliability="B", credibility=3)],
         "rank", "high", "contested", "1", "2", 1, 0),
    case("credible, though of no known reliability",
         [say("AZ", rank="high"), say("RU", rank="low"), assess(1, credibility=5)],
         "rank", "high", "contested", "1", "2", 1, 0),
    case("F6 is as good as ungraded",
         [say("AZ", rank="high"), say("RU", rank="low"), assess(1, reliability="F", credibility=6)],
         "rank", "low", "contested", "2", "1", 1, 0),
    case("a grade taken back",
         [say("AZ", rank="high"), say("RU", rank="low"), assess(1, reliability="A"), assess(1, reliability=None)],
         "rank", "low", "contested", "2", "1", 1, 0),
    case("a later assessment of something else leaves the grade",
         [say("AZ", rank="high"), say("RU", rank="low"), assess(1, reliability="A"),
          assess(1, verification="in-progress")],
         "rank", "high", "contested", "1", "2", 1, 0),
    case("a grade of one claim only",
         [say("AZ", rank=["high", "middle"]), say("RU", rank="low"), assess(1, "1b", reliability="A")],
         "rank", "middle", "contested", "1b", "1 2", 1, 0),
    case("as good and as new: the first by bytes", [say("AZ", rank="low", at=3), say("RU", rank="high", at=3)],
         "rank", "high", "contested", "2", "1", 1, 0),
    case("the best of a value's claims counts",
         [say("AZ", rank="high"), say("RU", rank="high"), say("AM", rank="low"), assess(1, reliability="C")],
         "rank", "high", "contested", "1 2", "3", 2, 0),
    case("the newest among the best claims, not of the value",
         [say("AZ", rank="high"), say("RU", rank="low"), say("AM", rank="high"), assess(1, reliability="A"),
          assess(2, reliability="A")],
         "rank", "low", "contested", "2", "1 3", 1, 0),
    case("of as good ones not the one of more speakers",
         [say("AZ", rank="high"), say("RU", rank="high"), say("AM", rank="low")],
         "rank", "low", "contested", "3", "1 2", 1, 0),
    case("an implied claim of the best grade",
         [say("AZ", rank="high"), imply("RU", rank="low"), assess(2, reliability="A", credibility=1)],
         "rank", "high", ONE, "1", "2", 1, 0),
    case("a denial of the best grade",
         [say("AZ", rank="high"), deny("RU", rank="high"), assess(2, reliability="A", credibility=1)],
         "rank", "high", "contested", "1", "2", 1, 0),
    case("the best is admitted", [admit("AZ", rank="high"), say("RU", rank="low"), assess(1, reliability="A")],
         "rank", "high", "admitted", "1", "2", 1, 0),
    case("counts are compared, not joined",
         [say("AZ", toll=count(1, 5)), say("RU", toll=count(2, 4)), assess(1, reliability="A")],
         "toll", count(1, 5), "contested", "1", "2", 1, 0),
    case("an inconsistent count is shown as given", [say("AZ", toll=count(5, 3, inconsistent=True))],
         "toll", count(5, 3, inconsistent=True), ONE, "1", "", 1, 0),
]
LATEST = [
    case("the newest", [say("AZ", phase="on"), say("RU", phase="off")],
         "phase", "off", "contested", "2", "1", 1, 0),
    case("the newest, whenever it was recorded", [say("AZ", phase="on", at=9), say("RU", phase="off", at=8)],
         "phase", "on", "contested", "1", "2", 1, 0),
    case("the newest by the end, not the beginning",
         [say("AZ", phase="on", at=(1, 9)), say("RU", phase="off", at=(7, 8))],
         "phase", "on", "contested", "1", "2", 1, 0),
    case("of one end, the one that began later", [say("AZ", phase="on", at=(4, 9)), say("RU", phase="off", at=(3, 9))],
         "phase", "on", "contested", "1", "2", 1, 0),
    case("of one end, the one whose beginning is known",
         [say("AZ", phase="on", at=(4, 9)), say("RU", phase="off", at=(None, 9))],
         "phase", "on", "contested", "1", "2", 1, 0),
    case("said by the time it was recorded, after six", [say("AZ", phase="on", at=None), say("RU", phase="off", at=6)],
         "phase", "on", "contested", "1", "2", 1, 0),
    case("said by the time it was recorded, before seven",
         [say("AZ", phase="on", at=None), say("RU", phase="off", at=7)],
         "phase", "off", "contested", "2", "1", 1, 0),
    case("said at the latest when it began, if that is after it was recorded",
         [say("AZ", phase="on", at=(8, None)), say("RU", phase="off", at=7.5)],
         "phase", "on", "contested", "1", "2", 1, 0),
    case("as new: the first by bytes, not as recorded", [say("AZ", phase="on", at=3), say("RU", phase="off", at=3)],
         "phase", "off", "contested", "2", "1", 1, 0),
    case("as new: the first by bytes, in the other order", [say("AZ", phase="off", at=3), say("RU", phase="on", at=3)],
         "phase", "off", "contested", "1", "2", 1, 0),
    case("the newest of one speaker only", [say("AZ", phase="on"), say("AZ", phase="off")],
         "phase", "off", ONE, "2", "", 1, 0),
    case("an implied one is not the newest", [say("AZ", phase="on"), imply("RU", phase="off")],
         "phase", "on", ONE, "1", "2", 1, 0),
    case("a denial makes nothing newer", [say("AZ", phase="on"), say("RU", phase="off"), deny("AM", phase="off")],
         "phase", "off", "contested", "2", "1 3", 1, 0),
    case("our record of when was wrong", [say("AZ", phase="on"), say("RU", phase="off"), correct(1, at=11)],
         "phase", "on", "contested", "1", "2", 1, 0),
    case("two say the newest", [say("AZ", phase="on"), say("RU", phase="off"), say("AM", phase="on")],
         "phase", "on", "contested", "1 3", "2", 2, 0),
    case("purported: the newest", [purport("AZ", phase="on"), purport("RU", phase="off")],
         "phase", "off", "purported", "2", "1", 1, 0),
]
ALL = [
    case("one says it", [say("AZ", cause="error")],
         "cause", ["error"], ONE, "1", "", 1, 0),
    case("every value, by bytes", [say("AZ", cause="fog"), say("RU", cause="error")],
         "cause", ["error", "fog"], "corroborated", "1 2", "", 2, 0),
    case("each value once", [say("AZ", cause="fog"), say("RU", cause="error"), say("AM", cause="fog")],
         "cause", ["error", "fog"], "corroborated", "1 2 3", "", 3, 0),
    case("what he said before stays", [say("AZ", cause="fog"), say("AZ", cause="error")],
         "cause", ["error", "fog"], ONE, "1 2", "", 1, 1),
    case("what he implied before stays", [imply("AZ", cause="fog"), say("AZ", cause="error")],
         "cause", ["error"], ONE, "1 2", "", 1, 1),
    case("who relays another value is not counted beside him",
         [say("AZ", cause="fog"), say("RU", cause="error", via=["AZ"])],
         "cause", ["error", "fog"], ONE, "1 2", "", 1, 1),
    case("denied, but never contested", [say("AZ", cause="fog"), say("RU", cause="error"), deny("AM", cause="fog")],
         "cause", ["error", "fog"], "corroborated", "1 2", "3", 2, 0),
    case("the only value denied", [say("AZ", cause="fog"), deny("RU", cause="fog")],
         "cause", ["fog"], ONE, "1", "2", 1, 0),
    case("denied, what nobody says", [say("AZ", cause="fog"), deny("RU", cause="error")],
         "cause", ["fog"], ONE, "1", "", 1, 0),
    case("first said, then denied", [say("AZ", cause="fog"), deny("AZ", cause="fog")],
         "cause", ["fog"], ONE, "1", "2", 1, 0),
    case("an implied value is not among them", [say("AZ", cause="fog"), imply("RU", cause="error")],
         "cause", ["fog"], ONE, "1 2", "", 1, 1),
    case("only implied", [imply("AZ", cause="fog")],
         "cause", None, "unknown", "1", "", 0, 0),
    case("only denied", [deny("AZ", cause="fog")],
         "cause", None, "unknown", "", "1", 0, 0),
    case("admitted, if there is one value", [admit("AZ", cause="fog"), say("RU", cause="fog")],
         "cause", ["fog"], "admitted", "1 2", "", 2, 0),
    case("one of two admitted", [admit("AZ", cause="fog"), say("RU", cause="error")],
         "cause", ["error", "fog"], "corroborated", "1 2", "", 2, 0),
    case("two admitted", [admit("AZ", cause=["fog", "error"])],
         "cause", ["error", "fog"], ONE, "1 1b", "", 1, 1),
    case("purported", [purport("AZ", cause="fog"), purport("RU", cause="error")],
         "cause", ["error", "fog"], "purported", "1 2", "", 2, 0),
    case("what is purported beside what is said", [purport("AZ", cause="fog"), say("RU", cause="error")],
         "cause", ["error"], ONE, "2", "", 1, 0),
    case("purported, then said", [say("AZ", cause=[put("fog", act="purport"), "error"])],
         "cause", ["error"], ONE, "1b", "", 1, 0),
    case("sources, by their ids", [say("RU", blamed="RU"), say("AM", blamed="AZ")],
         "blamed", [source("AZ"), source("RU")], "corroborated", "1 2", "", 2, 0),
    case("places, each in its first wording by bytes",
         [say("AZ", spots=near(44, 39, verbatim="there")), say("RU", spots=near(43, 39)),
          say("AM", spots=near(44, 39, verbatim="here"))],
         "spots", [near(43, 39), near(44, 39, verbatim="here")], "corroborated", "1 2 3", "", 3, 0),
]
# fmt: on


@both
@pytest.mark.parametrize("row", GRADED)
def test_the_best_grade_comes_before_the_newest(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected


@both
@pytest.mark.parametrize("row", LATEST)
def test_the_latest_is_what_was_said_last(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected


@both
@pytest.mark.parametrize("row", ALL)
def test_all_is_every_value_and_never_contested(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected
