"""What commands on a source lead to."""

from __future__ import annotations

from uuid import UUID

import pytest
from tests.strategies import cut, uuid
from tests.unit.recording import record

from stet.errors import Cycle, Malformed, NotFound, Refused, StetError, UnknownReference
from stet.source.commands import MergeSource, RegisterSource, ReviseSource, SourceCommand
from stet.source.decide import decide
from stet.source.events import Alias, SourceMerged, SourceRegistered, SourceRevised
from stet.source.state import Source, fold, initial
from stet.source.view import view

AZMFA, AZ, EARTH = uuid(1), uuid(2), uuid(3)
REGISTERED = SourceRegistered(name="AZMFA", kind="state-body", parent=AZ, reliability="B")


def given(*events: object) -> Source:
    return fold(record(f"source:{AZMFA}", *events))


def refusal(command: SourceCommand, state: Source, ancestors: tuple[UUID, ...], error: type[StetError]) -> list[str]:
    with pytest.raises(StetError) as caught:
        decide(command, state, AZMFA, ancestors)
    assert type(caught.value) is error
    return [bad.field for bad in caught.value.errors]


def test_given_nothing_when_registered_then_there_is_a_source() -> None:
    aliases = (Alias(name="МИД Азербайджана", language="ru", script="Cyrl"),)
    command = RegisterSource(name="AZMFA", kind="state-body", aliases=aliases, reliability="B")
    assert decide(command, initial, AZMFA, ()) == (
        SourceRegistered(name="AZMFA", kind="state-body", aliases=aliases, reliability="B"),
    )


def test_given_its_parent_when_registered_then_it_belongs_to_it() -> None:
    command = RegisterSource(name="AZMFA", kind="state-body", parent=AZ, reliability="B")
    assert decide(command, initial, AZMFA, (AZ, EARTH)) == (REGISTERED,)


def test_when_the_parent_is_unknown_then_the_reference_is_refused() -> None:
    command = RegisterSource(name="AZMFA", kind="state-body", parent=AZ)
    assert refusal(command, initial, (), UnknownReference) == ["parent"]
    assert refusal(ReviseSource(parent=AZ, reason="r"), given(REGISTERED), (), UnknownReference) == ["parent"]


def test_given_nothing_when_revised_then_it_is_not_found() -> None:
    assert refusal(ReviseSource(name="X", reason="r"), initial, (), NotFound) == []


def test_given_a_source_when_revised_then_only_what_changes_is_recorded() -> None:
    command = ReviseSource(name="AZMFA", kind="state", parent=None, reliability="A", reason="seen")
    expected = SourceRevised(kind="state", parent=None, reliability="A", reason="seen")
    assert decide(command, given(REGISTERED), AZMFA, ()) == (expected,)
    after = given(REGISTERED, expected)
    assert (after.name, after.kind, after.parent, after.reliability) == ("AZMFA", "state", None, "A")


def test_given_a_source_when_revised_to_what_it_is_then_nothing_happens() -> None:
    command = ReviseSource(name="AZMFA", aliases=(), parent=AZ, reason="r")
    assert decide(command, given(REGISTERED), AZMFA, (AZ,)) == ()


def test_given_a_source_when_a_revision_gives_nothing_then_it_is_malformed() -> None:
    assert refusal(ReviseSource(reason="r"), given(REGISTERED), (), Malformed) == ["reason"]


@pytest.mark.parametrize("ancestors", [(AZMFA,), (AZ, AZMFA), (AZ, EARTH, AZMFA)])
def test_when_it_would_be_its_own_ancestor_then_the_cycle_is_refused(ancestors: tuple[UUID, ...]) -> None:
    assert refusal(ReviseSource(parent=ancestors[0], reason="r"), given(REGISTERED), ancestors, Cycle) == ["parent"]


def test_the_view_shows_the_source_as_revised() -> None:
    shown = view(given(REGISTERED, SourceRevised(aliases=(Alias(name="MFA"),), reason="r")), cut(2))
    assert (shown.source_id, shown.version, shown.name, shown.aliases) == (AZMFA, 2, "AZMFA", (Alias(name="MFA"),))
    assert shown.registered_at < shown.updated_at


MERGE, MERGED = MergeSource(into=EARTH, reason="twice"), SourceMerged(into=EARTH, reason="twice")


def test_a_source_is_merged_once_and_for_ever() -> None:
    assert decide(MERGE, given(REGISTERED), AZMFA, (EARTH,)) == (MERGED,)
    assert decide(MERGE, given(REGISTERED, MERGED), AZMFA, (EARTH,)) == ()
    assert refusal(MergeSource(into=AZ, reason="r"), given(REGISTERED, MERGED), (AZ,), Refused) == []
    assert refusal(ReviseSource(name="N", reason="r"), given(REGISTERED, MERGED), (), Refused) == []


def test_a_source_is_merged_into_another_that_is_known_and_not_below_it() -> None:
    assert refusal(MERGE, given(REGISTERED), (), UnknownReference) == ["into"]
    assert refusal(MERGE, given(REGISTERED), (EARTH, AZ, AZMFA), Cycle) == ["into"]
    assert refusal(MergeSource(into=AZMFA, reason="r"), given(REGISTERED), (AZMFA, AZ), Refused) == ["into"]
    assert refusal(MERGE, initial, (EARTH,), NotFound) == []
