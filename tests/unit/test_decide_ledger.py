"""What commands on a ledger lead to."""

from __future__ import annotations

import pytest
from msgspec import UNSET
from tests.strategies import LEDGER, cut
from tests.unit.recording import record

from stet.errors import Malformed, NameTaken, NotFound, Refused, StetError
from stet.incident.resolve import RESOLUTION
from stet.ledger.attributes import BUILT_IN, RULES, rule_fits
from stet.ledger.commands import AmendLedger, CreateLedger, DefineAttribute, LedgerCommand, PublishRelease
from stet.ledger.decide import decide
from stet.ledger.events import AttributeDefined, LedgerAmended, LedgerCreated, ReleasePublished
from stet.ledger.state import Ledger, fold, initial
from stet.ledger.view import attribute_view, view

CREATED = LedgerCreated(name="karabakh", title="Karabakh")
RANK = AttributeDefined(name="rank", type_="term", rule="majority", terms=("low", "high"))


def given(*events: object) -> Ledger:
    return fold(record(f"ledger:{LEDGER}", *events))


def refusal(command: LedgerCommand, state: Ledger, error: type[StetError]) -> list[str]:
    with pytest.raises(StetError) as caught:
        decide(command, state)
    assert type(caught.value) is error
    return [bad.field for bad in caught.value.errors]


def test_given_nothing_when_created_then_there_is_a_ledger() -> None:
    assert decide(CreateLedger(name="karabakh", title="Karabakh"), initial) == (CREATED,)
    assert decide(CreateLedger(name="a", title="A", public=True), initial) == (
        LedgerCreated(name="a", title="A", public=True),
    )


def test_given_a_ledger_when_created_again_then_its_name_is_taken() -> None:
    assert refusal(CreateLedger(name="karabakh", title="Other"), given(CREATED), NameTaken) == ["name"]


@pytest.mark.parametrize(
    "command",
    [
        AmendLedger(title="X", reason="r"),
        DefineAttribute(name="rank", type_="text", rule="all"),
        PublishRelease(name="first"),
    ],
)
def test_given_nothing_when_changed_then_it_is_not_found(command: LedgerCommand) -> None:
    assert refusal(command, initial, NotFound) == []


def test_given_a_ledger_when_amended_then_only_what_changes_is_recorded() -> None:
    command = AmendLedger(title="Karabakh", public=True, reason="we publish")
    assert decide(command, given(CREATED)) == (LedgerAmended(public=True, reason="we publish"),)
    command = AmendLedger(title="Artsakh", reason="renamed")
    assert decide(command, given(CREATED)) == (LedgerAmended(title="Artsakh", reason="renamed"),)


def test_given_a_ledger_when_amended_to_what_it_is_then_nothing_happens() -> None:
    assert decide(AmendLedger(title="Karabakh", public=False, reason="r"), given(CREATED)) == ()


def test_given_a_ledger_when_an_amendment_gives_nothing_then_it_is_malformed() -> None:
    assert refusal(AmendLedger(reason="r"), given(CREATED), Malformed) == ["title"]


def test_given_a_ledger_when_an_attribute_is_defined_then_claims_can_name_it() -> None:
    command = DefineAttribute(name="rank", type_="term", rule="majority", terms=("low", "high"))
    assert decide(command, given(CREATED)) == (RANK,)
    state = given(CREATED, RANK)
    assert state.attributes["rank"].terms == ("low", "high")
    assert state.attributes.keys() == BUILT_IN.keys() | {"rank"}


def test_given_an_attribute_when_defined_again_then_its_name_is_taken() -> None:
    """Even in the same words: its type and rule can never change."""
    state = given(CREATED, RANK)
    command = DefineAttribute(name="rank", type_="term", rule="majority", terms=("low", "high"))
    assert refusal(command, state, NameTaken) == ["name"]
    assert refusal(DefineAttribute(name="killed", type_="text", rule="all"), state, NameTaken) == ["name"]


@pytest.mark.parametrize(("rule", "type_"), [("range", "text"), ("intersect", "place"), ("finest", "count")])
def test_when_a_rule_does_not_fit_the_type_then_the_attribute_is_malformed(rule: str, type_: str) -> None:
    command = DefineAttribute(name="rank", type_=type_, rule=rule)
    assert refusal(command, given(CREATED), Malformed) == ["rule"]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_fits_some_type(rule: str) -> None:
    assert [type_ for type_ in ("count", "time", "place", "text") if rule_fits(type_, rule)]


@pytest.mark.parametrize(("type_", "terms"), [("text", ("low",)), ("term", ("low", "high", "low"))])
def test_when_terms_are_out_of_place_or_repeated_then_the_attribute_is_malformed(
    type_: str, terms: tuple[str, ...]
) -> None:
    command = DefineAttribute(name="rank", type_=type_, rule="all", terms=terms)
    assert refusal(command, given(CREATED), Malformed) == ["terms"]


def test_given_a_ledger_when_a_release_is_published_then_it_holds_the_position_and_the_rules() -> None:
    command = PublishRelease(name="spring", note="reviewed")
    published = ReleasePublished(name="spring", note="reviewed", position=7, resolution=RESOLUTION)
    assert decide(command, given(CREATED), 7) == (published,)
    release = given(CREATED, published).releases["spring"]
    assert (release.note, release.position, release.resolution, release.version) == ("reviewed", 7, RESOLUTION, 2)


def test_given_a_release_when_its_name_is_used_again_then_it_is_taken() -> None:
    """Even for the same position: what is cited has been made once, by somebody, at some time."""
    state = given(CREATED, ReleasePublished(name="spring", position=1, resolution=1))
    assert refusal(PublishRelease(name="spring"), state, NameTaken) == ["name"]


def test_given_a_release_when_one_of_an_earlier_position_is_published_then_it_is_refused() -> None:
    """Each release has a release before it, which has nothing that it has not. The same position is no earlier one."""
    state = given(CREATED, ReleasePublished(name="spring", position=5, resolution=1))
    with pytest.raises(Refused, match="spring, 5"):
        decide(PublishRelease(name="summer", position=4), state, 4)
    (event,) = decide(PublishRelease(name="summer"), state, 5)
    assert isinstance(event, ReleasePublished)
    assert event.position == 5


def test_each_built_in_attribute_has_a_rule_that_fits_its_type() -> None:
    assert all(rule_fits(attribute.type_, attribute.rule) and attribute.built_in for attribute in BUILT_IN.values())
    assert all(name == attribute.name for name, attribute in BUILT_IN.items())


def test_the_view_shows_the_ledger_as_amended() -> None:
    state = given(CREATED, LedgerAmended(title="Artsakh", reason="r"), LedgerAmended(public=True, reason="r"), RANK)
    shown = view(state, cut(4))
    assert (shown.name, shown.title, shown.public, shown.version) == ("karabakh", "Artsakh", True, 4)
    assert shown.created_at < shown.updated_at
    assert attribute_view(state.attributes["rank"]).terms == ("low", "high")
    assert LedgerAmended(reason="r").title is UNSET
