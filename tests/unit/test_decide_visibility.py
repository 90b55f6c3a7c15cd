"""What commands on who may see something lead to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec import UNSET
from tests.strategies import uuid
from tests.unit.recording import record

from stet.document.commands import ChangeDocumentVisibility, RegisterDocument, VersionInput
from stet.document.decide import decide as decide_document
from stet.document.events import VisibilityChanged
from stet.document.state import fold as fold_document
from stet.document.visibility import embargo_ended
from stet.errors import Malformed, NotFound, Refused
from stet.incident.about import reason_of, statement_of
from stet.incident.commands import ChangeVisibility, OpenIncident
from stet.incident.decide import decide
from stet.incident.events import IncidentOpened, ReferenceHidden
from stet.incident.known import Known, references
from stet.incident.state import Incident, fold
from stet.values.place import Place, Point, Polygon
from stet.values.visibility import UNRESTRICTED, Visibility, refuse_past

I1, S1, D1 = uuid(1), uuid(2), uuid(3)
LATE = datetime(2300, 1, 1, tzinfo=UTC)
PROVINCE = Place(name="Ararat", level="admin1")
OPENED = IncidentOpened(title="It", kind="shootdown")


def given(*events: object) -> Incident:
    return fold(record(f"incident:{I1}", OPENED, *events))


def when(state: Incident, **change: Any) -> tuple[Any, ...]:
    return decide(ChangeVisibility(reason="so", **change), state, I1, Known())


def changed(visibility: Visibility, statement_id: Any = None) -> VisibilityChanged:
    return VisibilityChanged(statement_id=statement_id, visibility=visibility, reason="so")


def test_a_change_holds_what_it_leads_to_as_a_whole() -> None:
    assert when(given(), label="red") == (changed(Visibility(label="red")),)
    state = given(changed(Visibility(label="red", disclosed_place=PROVINCE)))
    there = LATE.astimezone(timezone(timedelta(hours=4)))
    (event,) = when(state, embargo_until=there)
    assert event == changed(Visibility(label="red", embargo_until=LATE, disclosed_place=PROVINCE))
    assert event.visibility.embargo_until.tzinfo is UTC
    assert when(state, label="clear", disclosed_place=None) == (changed(UNRESTRICTED),)


def test_what_changes_nothing_is_nothing_to_do() -> None:
    assert when(given(), label="clear", embargo_until=None, disclosed_place=None) == ()
    state = given(changed(Visibility(label="red", embargo_until=LATE)))
    assert when(state, label="red") == when(state, embargo_until=LATE) == ()


def test_a_statement_has_its_own() -> None:
    state = given(changed(Visibility(label="amber")))
    (event,) = when(state, statement_id=S1, embargo_until=LATE)
    assert event == changed(Visibility(embargo_until=LATE), S1)
    state = given(event)
    assert (state.visibility, state.restricted) == (UNRESTRICTED, {S1: event.visibility})
    assert when(state, statement_id=S1, embargo_until=None) == (changed(UNRESTRICTED, S1),)
    assert given(event, changed(UNRESTRICTED, S1)).restricted == {}
    assert (statement_of(event), reason_of(event)) == (S1, "so")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, "label"),
        ({"statement_id": S1}, "label"),
        ({"statement_id": S1, "disclosed_place": PROVINCE}, "disclosed_place"),
        ({"statement_id": S1, "label": "red", "disclosed_place": None}, "disclosed_place"),
        ({"disclosed_place": Place(radius_m=5.0)}, "disclosed_place"),
        ({"disclosed_place": Place(name="Ararat")}, "disclosed_place"),
        (
            {"disclosed_place": Place(geometry=Polygon(coordinates=(((0, 0), (0, 1), (1, 1), (1, 0)),)))},
            "disclosed_place.geometry.coordinates[0]",
        ),
        ({"embargo_until": datetime(9999, 1, 1, tzinfo=UTC)}, "embargo_until"),
    ],
)
def test_what_cannot_be_asked_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Malformed) as caught:
        when(given(), **change)
    assert [error.field for error in caught.value.errors] == [field]


@pytest.mark.parametrize(
    "place", [PROVINCE, Place(name="Ararat", radius_m=9_000.0), Place(geometry=Point(coordinates=(44.5, 39.8)))]
)
def test_a_disclosed_place_says_how_large_it_is(place: Place) -> None:
    assert when(given(), disclosed_place=place) == (changed(Visibility(disclosed_place=place)),)


def test_an_embargo_ends_in_the_future() -> None:
    refuse_past(UNSET, LATE, "f")
    refuse_past(None, LATE, "f")
    refuse_past(LATE + timedelta(microseconds=1), LATE, "f")
    with pytest.raises(Refused) as caught:
        refuse_past(LATE, LATE, "visibility.embargo_until")
    assert [error.field for error in caught.value.errors] == ["visibility.embargo_until"]


def test_the_end_of_an_embargo_leaves_the_rest() -> None:
    before = Visibility(label="green", embargo_until=LATE, disclosed_place=PROVINCE)
    (event,) = embargo_ended(before, LATE)
    assert event.visibility == Visibility(label="green", disclosed_place=PROVINCE)
    assert embargo_ended(before, LATE - timedelta(microseconds=1)) == embargo_ended(UNRESTRICTED, LATE) == ()
    assert embargo_ended(UNRESTRICTED, None) == ()


def test_what_is_not_there_has_no_visibility() -> None:
    with pytest.raises(NotFound):
        decide(ChangeVisibility(label="red", reason="so"), Incident(), I1, Known())


def test_an_incident_is_opened_restricted() -> None:
    command = OpenIncident(title="It", kind="shootdown", visibility=Visibility(label="red", disclosed_place=PROVINCE))
    first, second = decide(command, Incident(), I1, Known())
    assert first == OPENED
    assert second == VisibilityChanged(visibility=command.visibility, reason="recorded so")


def test_documents() -> None:
    body = RegisterDocument(kind="article", title="It", versions=(VersionInput(version=1, change="original"),))
    stream = f"document:{D1}"
    state = fold_document(record(stream, *decide_document(body, fold_document([]), D1)))

    def change(**fields: Any) -> tuple[Any, ...]:
        return decide_document(ChangeDocumentVisibility(reason="so", **fields), state, D1)

    assert change(label="green", embargo_until=LATE) == (changed(Visibility(label="green", embargo_until=LATE)),)
    assert change(label="clear") == ()
    with pytest.raises(Malformed) as caught:
        change()
    assert [error.field for error in caught.value.errors] == ["label"]
    red = RegisterDocument(kind=body.kind, title="It", versions=body.versions, visibility=Visibility(label="red"))
    *_, event = decide_document(red, fold_document([]), D1)
    assert event == VisibilityChanged(visibility=Visibility(label="red"), reason="recorded so")
    placed = RegisterDocument(
        kind="article", title="It", versions=body.versions, visibility=Visibility(disclosed_place=PROVINCE)
    )
    with pytest.raises(Malformed) as caught:
        decide_document(placed, fold_document([]), D1)
    assert [error.field for error in caught.value.errors] == ["visibility.disclosed_place"]


def test_what_is_said_of_elsewhere_is_kept_until_it_is_taken_back() -> None:
    target = f"document:{D1}"
    hidden = ReferenceHidden(target=target, hidden=True, reason="so")
    state = given(hidden)
    assert (state.hidden, state.guarded) == ({target}, True)
    state = given(hidden, ReferenceHidden(target=target, hidden=False, reason="so"))
    assert (state.hidden, state.guarded) == (frozenset(), True), "guarded for good: the public has its own last update"
    assert references(hidden, f"incident:{I1}") == set()
