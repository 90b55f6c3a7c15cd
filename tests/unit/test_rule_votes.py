"""`majority` and `admission-first`: the value of most speakers, and what is admitted before it."""

from __future__ import annotations

import pytest
from tests.unit.resolving import Case, both, case, outcome
from tests.unit.saying import admit, deny, during, imply, near, purport, put, say, source

ONE, TIE = "single-source", None
MILE, KM = ({"amount": 60, "unit": unit} for unit in ("mile", "km"))
PAPERS = [{"document_id": f"01900000-0000-7000-8000-00000000000{n}"} for n in range(3)]
DAY = {"earliest": "2020-11-09T00:00:00Z", "latest": "2020-11-09T23:59:59.999999Z"}

# fmt: off
MAJORITY = [
    case("one says it", [say("AZ", weapon="missile")],
         "weapon", "missile", ONE, "1", "", 1, 0),
    case("two say the same", [say("AZ", weapon="missile"), say("RU", weapon="missile")],
         "weapon", "missile", "corroborated", "1 2", "", 2, 0),
    case("two against one", [say("AZ", weapon="missile"), say("RU", weapon="gun"), say("AM", weapon="missile")],
         "weapon", "missile", "contested", "1 3", "2", 2, 0),
    case("another letter is another text", [say("AZ", weapon="missile"), say("RU", weapon="Missile")],
         "weapon", TIE, "contested", "", "1 2", 0, 0),
    case("one against one", [say("AZ", weapon="missile"), say("RU", weapon="gun")],
         "weapon", TIE, "contested", "", "1 2", 0, 0),
    case("two against two and one",
         [say("AZ", weapon="missile"), say("RU", weapon="missile"), say("AM", weapon="gun"), say("FR", weapon="gun"),
          say("TASS", weapon="mine")],
         "weapon", TIE, "contested", "", "1 2 3 4 5", 0, 0),
    case("one against himself", [say("AZ", weapon=["missile", "gun"])],
         "weapon", TIE, ONE, "", "1 1b", 0, 0),
    case("one against himself, and one with him", [say("AZ", weapon=["missile", "gun"]), say("RU", weapon="missile")],
         "weapon", "missile", "corroborated", "1 2", "1b", 2, 0),
    case("one twice in a statement", [say("AZ", weapon=["missile", "missile"])],
         "weapon", "missile", ONE, "1 1b", "", 1, 1),
    case("a tie takes along what is implied and denied",
         [say("AZ", weapon="missile"), say("RU", weapon="gun"), imply("AM", weapon="gun"), deny("FR", weapon="mine")],
         "weapon", TIE, "contested", "", "1 2 3 4", 0, 0),
    case("what is implied breaks no tie",
         [say("AZ", weapon="gun"), say("RU", weapon="mine"), imply("AM", weapon="gun")],
         "weapon", TIE, "contested", "", "1 2 3", 0, 0),
    case("what is denied breaks no tie", [say("AZ", weapon="gun"), say("RU", weapon="mine"), deny("AM", weapon="gun")],
         "weapon", TIE, "contested", "", "1 2 3", 0, 0),
    case("who relays another has no vote beside him",
         [say("AZ", weapon="gun"), say("TASS", weapon="gun", via=["AZ"]), say("RU", weapon="mine")],
         "weapon", TIE, "contested", "", "1 2 3", 0, 0),
    case("who relays another value keeps his vote",
         [say("AZ", weapon="gun"), say("RU", weapon="mine", via=["AZ"]), say("AM", weapon="gun")],
         "weapon", "gun", "contested", "1 3", "2", 2, 0),
    case("who is unknown has no vote beside the known",
         [say("AZ", weapon="gun"), say("LOCALS", weapon="gun", unknown=True), say("RU", weapon="mine")],
         "weapon", TIE, "contested", "", "1 2 3", 0, 0),
    case("who is unknown has a vote among the unknown",
         [say("CROWD", weapon="gun", unknown=True), say("LOCALS", weapon="gun", unknown=True),
          say("RU", weapon="mine")],
         "weapon", "gun", "contested", "1 2", "3", 2, 0),
    case("an implied other does not contest", [say("AZ", weapon="gun"), imply("RU", weapon="mine")],
         "weapon", "gun", ONE, "1", "2", 1, 0),
    case("only implied", [imply("AZ", weapon="gun"), imply("RU", weapon="mine")],
         "weapon", None, "unknown", "1 2", "", 0, 0),

    case("denied", [say("AZ", weapon="gun"), deny("RU", weapon="gun")],
         "weapon", "gun", "contested", "1", "2", 1, 0),
    case("denied, what nobody says", [say("AZ", weapon="gun"), deny("RU", weapon="mine")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("denied, what fewer say",
         [say("AZ", weapon="gun"), say("RU", weapon="gun"), say("AM", weapon="mine"), deny("FR", weapon="mine")],
         "weapon", "gun", "contested", "1 2", "3", 2, 0),
    case("one says one thing and denies another", [say("AZ", weapon=["gun", put("mine", act="deny")])],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("only denied", [deny("AZ", weapon="gun"), deny("RU", weapon="mine")],
         "weapon", None, "unknown", "", "1 2", 0, 0),
    case("denied, and implied", [deny("AZ", weapon="gun"), imply("RU", weapon="gun")],
         "weapon", None, "unknown", "2", "1", 0, 0),

    case("purported against purported", [purport("AZ", weapon="gun"), purport("RU", weapon="mine")],
         "weapon", TIE, "purported", "", "1 2", 0, 0),
    case("two purport, one otherwise",
         [purport("AZ", weapon="gun"), purport("RU", weapon="mine"), purport("AM", weapon="gun")],
         "weapon", "gun", "purported", "1 3", "2", 2, 0),
    case("two purport, one says", [purport("AZ", weapon="gun"), purport("RU", weapon="gun"), say("AM", weapon="mine")],
         "weapon", "mine", ONE, "3", "", 1, 0),
    case("an admission has one vote", [admit("AZ", weapon="gun"), say("RU", weapon="mine"), say("AM", weapon="mine")],
         "weapon", "mine", "contested", "2 3", "1", 2, 0),
    case("admitted", [admit("AZ", weapon="gun"), say("RU", weapon="gun"), say("AM", weapon="mine")],
         "weapon", "gun", "admitted", "1 2", "3", 2, 0),

    case("a term", [say("AZ", intent="accidental"), say("RU", intent="accidental"), say("AM", intent="deliberate")],
         "intent", "accidental", "contested", "1 2", "3", 2, 0),
    case("amounts written differently",
         [say("AZ", distance=MILE), say("RU", distance={"amount": 60.0, "unit": "mile"})],
         "distance", {"amount": 60.0, "unit": "mile"}, "corroborated", "1 2", "", 2, 0),
    case("amounts in other units", [say("AZ", distance=MILE), say("RU", distance=KM)],
         "distance", TIE, "contested", "", "1 2", 0, 0),
    case("false is a value", [say("AZ", seen=False), say("RU", seen=False), say("AM", seen=True)],
         "seen", False, "contested", "1 2", "3", 2, 0),
    case("documents", [say("AZ", report=PAPERS[1]), say("RU", report=PAPERS[2]), say("AM", report=PAPERS[2])],
         "report", PAPERS[2], "contested", "2 3", "1", 2, 0),
    case("times, wording and zone aside, the first by bytes",
         [say("AZ", moment=during(14, 15, zone="+04:00")), say("RU", moment=during(14, 15, verbatim="two"))],
         "moment", during(14, 15, verbatim="two"), "corroborated", "1 2", "", 2, 0),
    case("times, EDTF aside", [say("AZ", moment={"edtf": "2020-11-09"}), say("RU", moment=DAY)],
         "moment", {**DAY, "edtf": "2020-11-09"}, "corroborated", "1 2", "", 2, 0),
    case("times that are about", [say("AZ", moment=during(14, 15, approximate=True)), say("RU", moment=during(14, 15))],
         "moment", TIE, "contested", "", "1 2", 0, 0),
    case("places, wording aside",
         [say("AZ", spot=near(44, 39, verbatim="there")), say("RU", spot=near(44, 39, verbatim="here"))],
         "spot", near(44, 39, verbatim="here"), "corroborated", "1 2", "", 2, 0),
    case("places that meet are not the same",
         [say("AZ", spot=near(44, 39)), say("RU", spot=near(44, 39, name="Border"))],
         "spot", TIE, "contested", "", "1 2", 0, 0),
]
AZ, RU, AM = source("AZ"), source("RU"), source("AM")
ADMISSION = [
    case("one says it", [say("RU", responsible="AZ")],
         "responsible", AZ, ONE, "1", "", 1, 0),
    case("nobody admits", [say("RU", responsible="AZ"), say("AZ", responsible="AM"), say("FR", responsible="AZ")],
         "responsible", AZ, "contested", "1 3", "2", 2, 0),
    case("nobody admits, and they are as many", [say("RU", responsible="AZ"), say("AZ", responsible="AM")],
         "responsible", TIE, "contested", "", "1 2", 0, 0),
    case("one admits", [admit("AZ", responsible="AZ")],
         "responsible", AZ, "admitted", "1", "", 1, 0),
    case("one concedes", [say("AZ", responsible="AZ", how={"act": "concede"}), say("RU", responsible="AM")],
         "responsible", AZ, "admitted", "1", "2", 1, 0),
    case("one confirms, which is not admitting",
         [say("AZ", responsible="AZ", how={"act": "confirm"}), say("RU", responsible="AM"),
          say("FR", responsible="AM")],
         "responsible", AM, "contested", "2 3", "1", 2, 0),
    case("one admits, against many",
         [say("RU", responsible="AM"), say("FR", responsible="AM"), admit("AZ", responsible="AZ")],
         "responsible", AZ, "admitted", "3", "1 2", 1, 0),
    case("one admits, and another says so",
         [admit("AZ", responsible="AZ"), say("RU", responsible="AZ"), say("FR", responsible="AM")],
         "responsible", AZ, "admitted", "1 2", "3", 2, 0),
    case("one admits, and it is denied", [admit("AZ", responsible="AZ"), deny("RU", responsible="AZ")],
         "responsible", AZ, "admitted", "1", "2", 1, 0),
    case("two admit: most speakers, those who only say it too",
         [admit("AZ", responsible="AZ"), admit("RU", responsible="RU"), say("FR", responsible="AZ"),
          say("AM", responsible="AM"), say("TASS", responsible="AM"), say("OUT", responsible="AM")],
         "responsible", AZ, "contested", "1 3", "2 4 5 6", 2, 0),
    case("two admit, and they are as many", [admit("AZ", responsible="AZ"), admit("RU", responsible="RU")],
         "responsible", TIE, "contested", "", "1 2", 0, 0),
    case("two admit, as many, and more say a third",
         [admit("AZ", responsible="AZ"), admit("RU", responsible="RU"), say("FR", responsible="AM"),
          say("TASS", responsible="AM")],
         "responsible", TIE, "contested", "", "1 2 3 4", 0, 0),
    case("one admits for two", [admit("AZ", responsible=["AZ", "RU"])],
         "responsible", TIE, ONE, "", "1 1b", 0, 0),
    case("one admits one of two that he names", [say("AZ", responsible=[put("AZ", act="admit"), "RU"])],
         "responsible", AZ, "admitted", "1", "1b", 1, 0),
    case("an implied admission",
         [say("RU", responsible="AM"), say("AZ", responsible=put("AZ", act="admit", scope="implied"))],
         "responsible", AM, ONE, "1", "2", 1, 0),
    case("an admission that he no longer stands by", [admit("AZ", responsible="AZ"), say("AZ", responsible="AM")],
         "responsible", AM, ONE, "2", "", 1, 0),
    case("purported against purported", [purport("RU", responsible="AZ"), purport("AZ", responsible="AM")],
         "responsible", TIE, "purported", "", "1 2", 0, 0),
    case("an admission beside what is purported",
         [purport("RU", responsible="AM"), purport("FR", responsible="AM"), admit("AZ", responsible="AZ")],
         "responsible", AZ, "admitted", "3", "", 1, 0),
    case("only denied", [deny("AZ", responsible="AZ")],
         "responsible", None, "unknown", "", "1", 0, 0),
]
# fmt: on


@both
@pytest.mark.parametrize("row", MAJORITY)
def test_a_majority_is_of_speakers_and_a_tie_is_no_value(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected


@both
@pytest.mark.parametrize("row", ADMISSION)
def test_what_is_admitted_comes_before_the_majority(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected
