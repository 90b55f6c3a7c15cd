"""What differs between two cuts of an incident, and what it costs to say so."""

from __future__ import annotations

import sys
from typing import Any

from tests.strategies import cut
from tests.unit.saying import move_out, retract, say, statement_id, supersede, told, withdraw

from stet.incident.diff import Diff, Side, diff
from stet.incident.state import fold


def compared(*acts: Any) -> Diff:
    """From the opening to the end."""
    events = told(*acts)
    return diff(Side(fold(events[:1]), cut(1)), Side(fold(events), cut(len(events))), events)


def calls_to_compare(n: int) -> int:
    """How many calls it takes to compare an incident before and after n statements, one in two of them superseded."""
    said = [say("AZ", weapon=f"gun {k}") for k in range(n)]
    events = told(*said, *(supersede(k, k + 1) for k in range(1, n, 2)))
    sides = Side(fold(events[:1]), cut(1)), Side(fold(events), cut(len(events)))
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        diff(*sides, events)
    finally:
        sys.setprofile(before)
    return calls


def test_the_work_grows_with_the_incident_and_not_with_its_square() -> None:
    """Ten times the statements are about ten times the calls, and not a hundred."""
    calls_to_compare(10)
    assert calls_to_compare(400) < 13 * calls_to_compare(40)


def test_a_change_is_caused_by_what_was_said_taken_back_replaced_and_set_aside() -> None:
    said = [say("AZ", weapon="gun"), say("AZ", weapon="mine"), say("RU", weapon="bomb"), say("RU", killed=2)]
    found = compared(*said, supersede(1, 2), retract("RU", 3), withdraw(4))
    (weapon,) = found.attributes
    causes = [(cause.type, cause.statement_id) for cause in weapon.causes]
    recorded = [("statement-recorded", statement_id(n)) for n in (1, 2, 3)]
    later = [("statement-superseded", statement_id(1)), ("statement-retracted", statement_id(5))]
    assert causes == [*recorded, *later]


def test_a_statement_that_was_moved_away_was_not_said_between_the_cuts() -> None:
    """The move alone is why it is gone: that it was recorded, before the first cut, is no cause of the difference."""
    events = told(say("AZ", killed=2), say("RU", killed=3), move_out(1))
    before = events[:-1]
    found = diff(Side(fold(before), cut(before[-1].position)), Side(fold(events), cut(events[-1].position)), events)
    assert found.statements.removed == (statement_id(1),)
    assert [(cause.type, cause.because) for cause in found.events] == [("statement-moved-out", "recorded")]
