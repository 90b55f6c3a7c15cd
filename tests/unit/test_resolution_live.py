"""Which claims count: those that are live at the cut, and of each speaker the newest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.property.oracle import kept, reactions, retell
from tests.strategies import uuid
from tests.unit.resolving import Case, both, case, outcome
from tests.unit.saying import (
    ELSEWHERE,
    HERE,
    MIDNIGHT,
    THERE,
    admit,
    assess,
    claim_ids,
    correct,
    count,
    deny,
    imply,
    instant,
    move_in,
    move_out,
    purport,
    put,
    reinstate,
    retract,
    say,
    statement_id,
    supersede,
    told,
    withdraw,
)

from stet.incident.statement import Assessment, Retracts, Supersession, Withdrawal

ONE = "single-source"
BY = {"position": 9, "recorded_at": MIDNIGHT, "actor": "desk", "reason": "Seen."}
JUDGED = {"basis": "deduced", "rationale": "It is plain.", "position": 9, "recorded_at": MIDNIGHT, "actor": "desk"}
GUN_AND_TWO = say("AZ", weapon="gun", killed=2)

# fmt: off
RETRACTED = [
    case("taken back", [say("AZ", weapon="gun"), retract("AZ", 1)]),
    case("taken back, and said by another", [say("AZ", weapon="gun"), say("RU", weapon="gun"), retract("AZ", 1)],
         "weapon", "gun", ONE, "2", "", 1, 0),
    case("one of two claims taken back", [GUN_AND_TWO, retract("AZ", 1, "1b")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("the other of two claims taken back", [GUN_AND_TWO, retract("AZ", 1, "1a")],
         "killed", count(2, 2), ONE, "1b", "", 1, 0),
    case("each claim taken back by a retraction of its own",
         [GUN_AND_TWO, retract("AZ", 1, "1a"), retract("AZ", 1, "1b")]),
    case("another statement taken back", [say("AZ", weapon="gun"), say("RU", weapon="gun"), retract("RU", 2)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("the retraction is withdrawn", [say("AZ", weapon="gun"), retract("AZ", 1), withdraw(2)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("the retraction is withdrawn and reinstated",
         [say("AZ", weapon="gun"), retract("AZ", 1), withdraw(2), reinstate(2)]),
    case("one of two retractions is withdrawn",
         [say("AZ", weapon="gun"), retract("AZ", 1), retract("AZ", 1), withdraw(2)]),
    case("another said it, as we know now", [say("AZ", weapon="gun"), retract("AZ", 1), correct(1, speaker="RU")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("another took it back, as we know now", [say("AZ", weapon="gun"), retract("AZ", 1), correct(2, speaker="RU")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("another did both, as we know now",
         [say("AZ", weapon="gun"), retract("AZ", 1), correct(1, speaker="RU"), correct(2, speaker="RU")]),
    case("a retraction taken back still takes back", [say("AZ", weapon="gun"), retract("AZ", 1), retract("AZ", 2)]),
    case("what he said before counts again", [say("AZ", weapon="gun"), say("AZ", weapon="mine"), retract("AZ", 2)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("a retraction is no newer statement about anything",
         [say("AZ", weapon="gun"), say("AZ", killed=2), retract("AZ", 2)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("of a claim that was added later, the whole",
         [say("AZ", killed=2), retract("AZ", 1), correct(1, weapon="gun", add=1)]),
    case("of a claim that was added later, not in the list",
         [say("AZ", killed=2), retract("AZ", 1, "1a"), correct(1, weapon="gun", add=1)],
         "weapon", "gun", ONE, "1b", "", 1, 0),
    case("a denial taken back", [say("AZ", weapon="gun"), deny("RU", weapon="gun"), retract("RU", 2)],
         "weapon", "gun", ONE, "1", "", 1, 0),
]
SUPERSEDED = [
    case("replaced", [GUN_AND_TWO, say("AZ", weapon="mine"), supersede(1, 2)],
         "weapon", "mine", ONE, "2", "", 1, 0),
    case("replaced by one that says nothing of it",
         [say("AZ", weapon="gun"), say("AZ", killed=2), supersede(1, 2)],
         "killed", count(2, 2), ONE, "2", "", 1, 0),
    case("falls with the newer", [say("AZ", weapon="gun"), say("AZ", weapon="mine"), supersede(1, 2), withdraw(2)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("stands with the newer reinstated",
         [say("AZ", weapon="gun"), say("AZ", weapon="mine"), supersede(1, 2), withdraw(2), reinstate(2)],
         "weapon", "mine", ONE, "2", "", 1, 0),
    case("stands though the newer was taken back",
         [say("AZ", weapon="gun"), say("AZ", weapon="mine"), supersede(1, 2), retract("AZ", 2)]),
    case("stands though the newer is false",
         [say("AZ", weapon="gun"), say("AZ", weapon="mine"), supersede(1, 2), assess(2, verification="false")]),
    case("stands though the newer was replaced",
         [say("AZ", weapon="gun"), say("AZ", killed=2), say("AZ", killed=3), supersede(1, 2), supersede(2, 3)],
         "killed", count(3, 3), ONE, "3", "", 1, 0),
    case("by two, of which one stands",
         [say("AZ", weapon="gun"), say("AZ", killed=2), say("AZ", killed=3), supersede(1, 2), supersede(1, 3),
          withdraw(3)],
         "killed", count(2, 2), ONE, "2", "", 1, 0),
    case("by another, as we know now",
         [say("AZ", weapon="gun"), say("AZ", weapon="gun"), supersede(1, 2), correct(2, speaker="RU")],
         "weapon", "gun", "corroborated", "1 2", "", 2, 0),
    case("by one that was moved away",
         [say("AZ", weapon="gun"), say("AZ", weapon="mine"), supersede(1, 2), move_out(2)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("by one that he says was said before it",
         [say("AZ", weapon="gun", at=9), say("AZ", weapon="mine", at=8), supersede(1, 2)],
         "weapon", "mine", ONE, "2", "", 1, 0),
]
DESK = [
    case("withdrawn", [say("AZ", weapon="gun"), withdraw(1)]),
    case("withdrawn and reinstated", [say("AZ", weapon="gun"), withdraw(1), reinstate(1)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("withdrawn twice", [say("AZ", weapon="gun"), withdraw(1), reinstate(1), withdraw(1)]),
    case("false", [say("AZ", weapon="gun"), assess(1, verification="false")]),
    case("discounted", [say("AZ", weapon="gun"), assess(1, verification="discounted")]),
    case("not verified", [say("AZ", weapon="gun"), assess(1, verification="unverified")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("one claim false", [GUN_AND_TWO, assess(1, "1b", verification="false")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("false, then verified", [say("AZ", weapon="gun"), assess(1, verification="false"),
                                  assess(1, verification="verified")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("false, then nothing",
         [say("AZ", weapon="gun"), assess(1, verification="false"), assess(1, verification=None)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("false, then graded", [say("AZ", weapon="gun"), assess(1, verification="false"), assess(1, reliability="A")]),
    case("false, but one of its claims is not",
         [GUN_AND_TWO, assess(1, verification="false"), assess(1, "1b", verification="verified")],
         "killed", count(2, 2), ONE, "1b", "", 1, 0),
    case("false, with a claim that was added later",
         [say("AZ", killed=2), assess(1, verification="false"), correct(1, weapon="gun", add=1)]),
    case("a false denial", [say("AZ", weapon="gun"), deny("RU", weapon="gun"), assess(2, verification="false")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("a false admission", [admit("AZ", weapon="gun"), say("RU", weapon="gun"), assess(1, verification="false")],
         "weapon", "gun", ONE, "2", "", 1, 0),
    case("the false one is not his newest",
         [say("AZ", weapon="gun"), say("AZ", weapon="mine"), assess(2, verification="false")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("a false one is nothing that is purported beside",
         [say("AZ", weapon="gun"), purport("RU", weapon="mine"), assess(1, verification="false")],
         "weapon", "mine", "purported", "2", "", 1, 0),

    case("a claim corrected", [say("AZ", weapon="gun"), correct(1, weapon="mine")],
         "weapon", "mine", ONE, "1", "", 1, 0),
    case("a claim's attribute corrected", [say("AZ", weapon="gun"), correct(1, killed=2)],
         "killed", count(2, 2), ONE, "1", "", 1, 0),
    case("a claim's act corrected", [say("AZ", weapon="gun"), correct(1, weapon="gun", how={"act": "deny"})],
         "weapon", None, "unknown", "", "1", 0, 0),
    case("a claim removed", [GUN_AND_TWO, correct(1, remove="1b")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("the speaker corrected", [say("AZ", weapon="gun"), say("RU", weapon="gun"), correct(2, speaker="AZ")],
         "weapon", "gun", ONE, "2", "", 1, 0),
    case("the chain corrected", [say("AZ", weapon="gun"), say("RU", weapon="gun"), correct(2, via=["AZ"])],
         "weapon", "gun", ONE, "1 2", "", 1, 1),
    case("the speaker was unknown",
         [say("AZ", weapon="gun"), say("LOCALS", weapon="gun"), correct(2, speaker="CROWD", unknown=True)],
         "weapon", "gun", ONE, "1 2", "", 1, 1),
    case("said before, as we know now", [say("AZ", weapon="gun"), say("AZ", weapon="mine"), correct(2, at=0)],
         "weapon", "gun", ONE, "1", "", 1, 0),

    case("moved away", [say("AZ", weapon="gun"), move_out(1)]),
    case("moved between two others", [say("AZ", weapon="gun"), move_out(1, ELSEWHERE, THERE)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("moved here", [move_in("AZ", weapon="gun")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("moved here, withdrawn there",
         [move_in("AZ", weapon="gun", carried={"withdrawn": Withdrawal(ground="legal", **BY)})]),
    case("moved here, withdrawn there, reinstated here",
         [move_in("AZ", weapon="gun", carried={"withdrawn": Withdrawal(ground="legal", **BY)}), reinstate(1)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("moved here, found false there",
         [move_in("AZ", weapon="gun", carried={"assessments": (Assessment(verification="false", **JUDGED),)})]),
    case("moved here, found false there, and verified here",
         [move_in("AZ", weapon="gun", carried={"assessments": (Assessment(verification="false", **JUDGED),)}),
          assess(1, verification="verified")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("a retraction moved here",
         [say("AZ", weapon="gun"), move_in("AZ", carried={"retracts": Retracts(statement_id=statement_id(1))})]),
    case("replaced there by one that is here",
         [say("AZ", killed=3),
          move_in("AZ", weapon="gun", carried={"superseded": (Supersession(superseded_by=statement_id(1), **BY),)})],
         "killed", count(3, 3), ONE, "1", "", 1, 0),
    case("replaced there by one that is not here",
         [move_in("AZ", weapon="gun", carried={"superseded": (Supersession(superseded_by=uuid(77), **BY),)})],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("moved away and back", [say("AZ", weapon="gun"), move_out(1), move_in("AZ", back=1, weapon="gun")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("its retraction was here all the time",
         [say("AZ", weapon="gun"), retract("AZ", 1), move_out(1), move_in("AZ", back=1, weapon="gun")]),
]
NEWEST = [
    case("the newer", [say("AZ", weapon="gun"), say("AZ", weapon="mine")],
         "weapon", "mine", ONE, "2", "", 1, 0),
    case("the newer, whenever it was recorded", [say("AZ", weapon="gun", at=9), say("AZ", weapon="mine", at=8)],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("of one end, the one that began later",
         [say("AZ", weapon="gun", at=(4, 9)), say("AZ", weapon="mine", at=(3, 9))],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("of one end, the one whose beginning is known",
         [say("AZ", weapon="gun", at=(4, 9)), say("AZ", weapon="mine", at=(None, 9))],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("of one time, the one recorded later", [say("AZ", weapon="mine", at=9), say("AZ", weapon="gun", at=9)],
         "weapon", "gun", ONE, "2", "", 1, 0),
    case("of one time, one moved here is as old as its recording",
         [say("AZ", weapon="mine", at=9), move_in("AZ", position=1, at=9, weapon="gun")],
         "weapon", "mine", ONE, "1", "", 1, 0),
    case("of one time, one moved here may be younger",
         [say("AZ", weapon="mine", at=9), move_in("AZ", position=99, at=9, weapon="gun")],
         "weapon", "gun", ONE, "2", "", 1, 0),
    case("of one unknown time, the one recorded later",
         [say("AZ", weapon="mine", at=None), say("AZ", weapon="gun", at=None)],
         "weapon", "gun", ONE, "2", "", 1, 0),
    case("he denies what he said", [say("AZ", weapon="gun"), deny("AZ", weapon="gun")],
         "weapon", None, "unknown", "", "2", 0, 0),
    case("he says what he denied", [deny("AZ", weapon="gun"), say("AZ", weapon="gun")],
         "weapon", "gun", ONE, "2", "", 1, 0),
    case("he purports what he said", [say("AZ", weapon="gun"), purport("AZ", weapon="mine")],
         "weapon", "mine", "purported", "2", "", 1, 0),
    case("he purports it and another says it", [say("RU", weapon="gun"), purport("AZ", weapon="mine")],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("he no longer purports what he now denies", [purport("AZ", weapon="gun"), deny("AZ", weapon="gun")],
         "weapon", None, "unknown", "", "2", 0, 0),
    case("what he speculates displaces nothing",
         [say("AZ", weapon="gun"), say("AZ", weapon="mine", how={"act": "opine"})],
         "weapon", "gun", ONE, "1", "", 1, 0),
    case("all of the newest statement", [say("AZ", killed=1), say("AZ", killed=[count(2, 5), count(3, 9)])],
         "killed", count(3, 5), ONE, "2 2b", "", 1, 1),
    case("who relays is not who says", [say("AZ", weapon="gun"), say("RU", weapon="mine", via=["AZ"])],
         "weapon", None, "contested", "", "1 2", 0, 0),

    case("implied later, beside what was said", [say("AZ", weapon="gun"), imply("AZ", weapon="gun")],
         "weapon", "gun", ONE, "1 2", "", 1, 1),
    case("implied otherwise later, beside what was said", [say("AZ", weapon="gun"), imply("AZ", weapon="mine")],
         "weapon", "gun", ONE, "1", "2", 1, 0),
    case("implied before it was said", [imply("AZ", weapon="mine"), say("AZ", weapon="gun")],
         "weapon", "gun", ONE, "2", "", 1, 0),
    case("implied in what was said", [say("AZ", weapon=["gun", put("mine", scope="implied")])],
         "weapon", "gun", ONE, "1", "1b", 1, 0),
    case("implied in what was said, and later too",
         [say("AZ", weapon=["gun", put("mine", scope="implied")]), imply("AZ", weapon="gun")],
         "weapon", "gun", ONE, "1 2", "1b", 1, 1),
    case("implied twice later: the newest",
         [say("AZ", weapon="gun"), imply("AZ", weapon="mine"), imply("AZ", weapon="gun")],
         "weapon", "gun", ONE, "1 3", "", 1, 1),
    case("only implied: the newest", [imply("AZ", weapon="gun"), imply("AZ", weapon="mine")],
         "weapon", None, "unknown", "2", "", 0, 0),
    case("denied by implication later, beside what was said",
         [say("AZ", weapon="gun"), say("AZ", weapon=put("gun", act="deny", scope="implied"))],
         "weapon", "gun", ONE, "1", "2", 1, 0),
]
CUT = [
    case("what is said later is not known", [say("AZ", weapon="gun", at=3), say("RU", weapon="mine", at=5)],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=4),
    case("at the very instant", [say("AZ", weapon="gun", at=3)],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=3),
    case("nothing yet", [say("AZ", weapon="gun", at=3)], said_by=2),
    case("perhaps later", [say("AZ", weapon="gun", at=(1, 3))], said_by=2),
    case("perhaps by then", [say("AZ", weapon="gun", at=(1, 3))],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=2, possible=True),
    case("perhaps by then, at the very instant", [say("AZ", weapon="gun", at=(2, 3))],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=2, possible=True),
    case("not even perhaps", [say("AZ", weapon="gun", at=(2.5, 3))], said_by=2, possible=True),
    case("perhaps at any time before", [say("AZ", weapon="gun", at=(None, 9))],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=2, possible=True),
    case("unknown: by when it was recorded", [say("AZ", weapon="gun", at=None)],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=7),
    case("unknown: not before it was recorded", [say("AZ", weapon="gun", at=None)], said_by=6),
    case("unknown: perhaps long ago", [say("AZ", weapon="gun", at=None)],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=-99, possible=True),
    case("what began after it was recorded was said then", [say("AZ", weapon="gun", at=(8, None))],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=8),
    case("what began after it was recorded was not said before", [say("AZ", weapon="gun", at=(8, None))], said_by=7.9),
    case("not yet taken back", [say("AZ", weapon="gun", at=3), retract("AZ", 1, at=5)],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=4),
    case("taken back by then", [say("AZ", weapon="gun", at=3), retract("AZ", 1, at=5)], said_by=5),
    case("perhaps taken back by then", [say("AZ", weapon="gun", at=3), retract("AZ", 1, at=(1, 5))],
         said_by=4, possible=True),
    case("not yet replaced", [say("AZ", weapon="gun", at=3), say("AZ", weapon="mine", at=5), supersede(1, 2)],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=4),
    case("not yet denied", [say("AZ", weapon="gun", at=3), deny("AZ", weapon="gun", at=5)],
         "weapon", "gun", ONE, "1", "", 1, 0, said_by=4),
    case("what the desk judges is not cut",
         [say("AZ", weapon="gun", at=3), assess(1, verification="false")], said_by=4),
    case("what the desk withdraws is not cut", [say("AZ", weapon="gun", at=3), withdraw(1)], said_by=4),
    case("what the desk corrects is not cut", [say("AZ", weapon="gun", at=3), correct(1, weapon="mine")],
         "weapon", "mine", ONE, "1", "", 1, 0, said_by=3),
]
# fmt: on


@both
@pytest.mark.parametrize("row", [*RETRACTED, *SUPERSEDED])
def test_only_its_speaker_takes_a_statement_back_or_replaces_it(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected


@both
@pytest.mark.parametrize("row", DESK)
def test_what_the_desk_did_to_a_statement_counts_in_its_order(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected


@both
@pytest.mark.parametrize("row", NEWEST)
def test_of_one_speaker_the_newest_counts_and_what_is_implied_displaces_nothing(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected


@both
@pytest.mark.parametrize("row", CUT)
def test_a_cut_keeps_what_had_been_said_by_then(row: Case, reader: str) -> None:
    assert outcome(row, reader) == row.expected


# ---- the oracle alone: what the property tests lean on ----


def test_the_oracle_keeps_the_reactions_that_are_live() -> None:
    acts = [
        say("AZ", weapon=["gun", put("mine", act="speculate")], killed=put(2, act="condole")),
        say("RU", killed=put(2, act="promise")),
        say("AM", killed=put(2, act="demand", scope="implied")),
        say("FR", killed=put(2, act="offer"), at=20),
        say("FR", killed=put(2, act="offer")),
        assess(1, "1c", verification="discounted"),
        retract("RU", 2),
        withdraw(5),
    ]
    assert reactions(retell(told(*acts))) == set(claim_ids("1b 3 4"))
    assert reactions(retell(told(*acts)), instant(10)) == set(claim_ids("1b 3"))
    assert reactions(retell(told(*acts)), instant(2)) == {*claim_ids("1b 2")}


def test_the_oracle_knows_which_incidents_hold_a_statement() -> None:
    events = told(say("AZ", weapon="gun"), move_out(1, ELSEWHERE, THERE))
    assert retell(events).statements[statement_id(1)].incidents == {HERE, THERE}


def test_the_oracle_keeps_all_that_was_recorded_where_no_instant_is_asked_for() -> None:
    events = told(say("AZ", weapon="gun", at=99), say("AZ", weapon="gun", at=None))
    at = events[-1].recorded_at
    everything = retell(events)
    assert kept(everything) == kept(everything, None, "possible") == everything
    assert list(kept(everything, at).statements) == [statement_id(2)]
    assert list(kept(everything, at - timedelta(microseconds=1)).statements) == []
