"""What becomes of a statement, over HTTP: who may do it, what follows at both times, what is refused by which field."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.http.asking import NOBODY, problem, read
from tests.http.test_lists import Desk, count


@pytest.fixture
def desk(client: httpx.Client) -> Desk:
    """One incident with two statements of the ministry and one of a witness, and another incident."""
    made = Desk(client)
    made.open(
        "Shot down",
        made.said("Ministry", "2020-11-09", killed=count(2, 2), weapon="missile"),
        made.said("Witness", "2020-11-09", killed=count(3, 3)),
    )
    made.open("Captured", made.said("Ministry", "2020-11-08", control="Shusha"), kind="capture")
    return made


def ids(desk: Desk, title: str = "Shot down") -> list[str]:
    return [s["statement_id"] for s in read(view(desk, title))["statements"]]


def view(desk: Desk, title: str = "Shot down", **query: Any) -> httpx.Response:
    return desk.client.get(f"{desk.path}/incidents/{desk.ids[title]}", params=query)


def killed(desk: Desk, **query: Any) -> tuple[Any, str] | None:
    found = [one for one in read(view(desk, **query))["attributes"] if one["attribute"] == "killed"]
    return (found[0]["value"], found[0]["status"]) if found else None


def revise(desk: Desk, type_: str, title: str = "Shot down", **body: Any) -> httpx.Response:
    why = {"rationale": "we judge"} if type_ in ("statement-assessed", "attribute-pinned") else {"reason": "so it is"}
    path = f"{desk.path}/incidents/{desk.ids[title]}/revisions"
    return desk.client.post(path, json={"type": type_, **why, **body})


BOTH, TWO, THREE = (
    ({"min": 2, "max": 3}, "contested"),
    ({"min": 2, "max": 2}, "single-source"),
    (
        {"min": 3, "max": 3},
        "single-source",
    ),
)


def test_a_retraction_counts_from_when_it_was_said(desk: Desk) -> None:
    _, witness = ids(desk)
    before = desk.position
    answer = revise(desk, "statement-retracted", statement_id=witness, said_at="2020-11-20", channel="radio")
    assert answer.status_code == 201
    (retraction,) = [s for s in answer.json()["statements"] if s["retracts"]]
    assert retraction["retracts"] == {"statement_id": witness}
    assert (retraction["speaker"]["name"], retraction["claims"], retraction["channel"]) == ("Witness", [], "radio")
    assert killed(desk) == TWO
    assert killed(desk, said_by="2020-11-19") == BOTH
    assert killed(desk, said_by="2020-11-20") == TWO
    assert killed(desk, as_of=f"position:{before}") == BOTH
    (taken,) = [s for s in read(view(desk))["statements"] if s["statement_id"] == witness]
    assert (taken["retracted_by"], taken["claims"][0]["dropped"]) == ([retraction["statement_id"]], "retracted")


def test_a_retraction_is_corrected_withdrawn_and_reinstated_itself(desk: Desk) -> None:
    _, witness = ids(desk)
    revise(desk, "statement-retracted", statement_id=witness, said_at="2020-11-20")
    retraction = ids(desk)[-1]
    corrected = {"error": "time", "set": {"said_at": "2020-11-10"}}
    assert revise(desk, "statement-corrected", statement_id=retraction, **corrected).status_code == 201
    assert killed(desk, said_by="2020-11-10") == TWO
    assert revise(desk, "statement-withdrawn", statement_id=retraction, ground="fabricated").status_code == 201
    assert killed(desk) == BOTH
    assert revise(desk, "statement-reinstated", statement_id=retraction).status_code == 201
    assert killed(desk) == TWO
    for type_, body in (
        ("statement-retracted", {"said_at": "2020-11-21"}),
        ("statement-assessed", {"verification": "false", "basis": "told"}),
        ("statement-moved-out", {"to_incident": desk.ids["Captured"]}),
        ("statement-superseded", {"superseded_by": witness}),
    ):
        problem(revise(desk, type_, statement_id=retraction, **body), "refused", 409, "statement_id")


def test_some_claims_are_retracted(desk: Desk) -> None:
    ministry, _ = ids(desk)
    (claim, _) = (c["claim_id"] for c in read(view(desk))["statements"][0]["claims"])
    answer = revise(desk, "statement-retracted", statement_id=ministry, claim_ids=[claim], said_at="2020-11-20")
    assert answer.status_code == 201
    assert killed(desk) == THREE
    assert [one["attribute"] for one in answer.json()["attributes"]] == ["killed", "weapon"]


def test_a_statement_that_supersedes_takes_the_other_s_place_until_it_is_withdrawn(desk: Desk) -> None:
    ministry, witness = ids(desk)
    path = f"incidents/{desk.ids['Shot down']}/statements"
    newer = desk.post(path, {**desk.said("Ministry", "2020-11-12", weapon="gun"), "supersedes": ministry})
    assert killed(desk) == THREE
    assert killed(desk, said_by="2020-11-11") == BOTH
    withdrawn = revise(desk, "statement-withdrawn", statement_id=newer["statement_id"], ground="out-of-scope")
    assert withdrawn.status_code == 201
    assert killed(desk) == BOTH
    asked = f"{desk.path}/{path}"
    foreign = {**desk.said("Witness", weapon="gun"), "supersedes": ministry}
    problem(desk.client.post(asked, json=foreign), "refused", 409, "supersedes")
    unknown = {**desk.said("Witness", weapon="gun"), "supersedes": NOBODY}
    problem(desk.client.post(asked, json=unknown), "unknown-reference", 409, "supersedes")
    answer = revise(desk, "statement-superseded", statement_id=newer["statement_id"], superseded_by=ministry)
    problem(answer, "cycle", 409, "superseded_by")
    answer = revise(desk, "statement-superseded", statement_id=witness, superseded_by=ministry)
    problem(answer, "refused", 409, "superseded_by")


def test_no_move_makes_statements_supersede_one_another_in_a_circle(desk: Desk) -> None:
    """Without the one in the middle the last could be superseded by the first: then that cannot come back."""
    path = f"incidents/{desk.ids['Shot down']}/statements"
    first, _ = ids(desk)
    newer_ones = [desk.said("Ministry", day, weapon="gun") for day in ("2020-11-12", "2020-11-13")]
    middle, last = (desk.post(path, newer)["statement_id"] for newer in newer_ones)
    for older, newer in ((first, middle), (middle, last)):
        assert revise(desk, "statement-superseded", statement_id=older, superseded_by=newer).status_code == 201
    away = revise(desk, "statement-moved-out", statement_id=middle, to_incident=desk.ids["Captured"])
    assert away.status_code == 201
    assert revise(desk, "statement-superseded", statement_id=last, superseded_by=first).status_code == 201
    back = {"statement_id": middle, "to_incident": desk.ids["Shot down"]}
    problem(revise(desk, "statement-moved-out", "Captured", **back), "cycle", 409, "to_incident")
    follow = {"to_incident": desk.ids["Captured"]}
    assert revise(desk, "statement-moved-out", statement_id=first, **follow).status_code == 201
    problem(revise(desk, "statement-moved-out", statement_id=last, **follow), "cycle", 409, "to_incident")


def test_a_statement_about_two_incidents_is_revised_in_both(desk: Desk) -> None:
    about_both = desk.said("Agency", "2020-11-09", killed=count(5, 5))
    other = {"attribute": "killed", "value": count(9, 9), "incident_id": desk.ids["Captured"]}
    about_both["claims"].append(other)
    made = desk.post(f"incidents/{desk.ids['Shot down']}/statements", about_both)["statement_id"]
    for type_, body, dropped in (
        ("statement-withdrawn", {"ground": "legal"}, "withdrawn"),
        ("statement-reinstated", {}, None),
        ("statement-assessed", {"verification": "discounted", "basis": "told"}, "discounted"),
        ("statement-assessed", {"verification": None, "basis": "told"}, None),
        ("statement-retracted", {"said_at": "2020-11-10"}, "retracted"),
    ):
        assert revise(desk, type_, statement_id=made, **body).status_code == 201
        for title in ("Shot down", "Captured"):
            (said,) = [s for s in read(view(desk, title))["statements"] if s["statement_id"] == made]
            assert [claim["dropped"] for claim in said["claims"]] == [dropped]


def test_a_moved_statement_takes_all_along_and_leaves_no_trace_of_its_value(desk: Desk) -> None:
    _, witness = ids(desk)
    revise(desk, "statement-assessed", statement_id=witness, reliability="B", basis="told")
    revise(desk, "statement-retracted", statement_id=witness, said_at="2020-11-20")
    before = read(view(desk))["statements"][1:]
    answer = revise(desk, "statement-moved-out", statement_id=witness, to_incident=desk.ids["Captured"])
    assert answer.status_code == 201
    assert killed(desk) == TWO
    known = {said["statement_id"] for said in before}
    moved = [said for said in read(view(desk, "Captured"))["statements"] if said["statement_id"] in known]
    there = {"incidents": [desk.ids["Captured"]]}
    assert moved == [said | there for said in before]
    assert desk.titles("incidents", q="witness") == ["Captured"]
    again = revise(desk, "statement-moved-out", statement_id=witness, to_incident=desk.ids["Captured"])
    problem(again, "unknown-reference", 409, "statement_id")


def test_a_pin_decides_and_is_silent_before_what_it_cites(desk: Desk) -> None:
    path = f"incidents/{desk.ids['Shot down']}/statements"
    cited = desk.post(path, desk.said("Agency", "2020-11-15", cause="error"))["statement_id"]
    pin = {"attribute": "killed", "value": count(3, 3), "cites": [cited]}
    assert revise(desk, "attribute-pinned", **pin).status_code == 201
    assert revise(desk, "attribute-pinned", **pin).status_code == 200
    assert killed(desk) == ({"min": 3, "max": 3}, "pinned")
    assert killed(desk, said_by="2020-11-14") == BOTH
    assert desk.titles(attribute="killed", attribute_status="pinned") == ["Shot down"]
    assert desk.titles(attribute="killed", attribute_status="pinned", said_by="2020-11-14") == []
    assert revise(desk, "attribute-unpinned", attribute="killed").status_code == 201
    assert killed(desk) == BOTH
    problem(revise(desk, "attribute-unpinned", attribute="killed"), "unknown-reference", 409, "attribute")
    anchored = {"anchor": {"statement_id": cited, "relation": "after"}}
    answer = revise(desk, "attribute-pinned", attribute="occurred_at", value=anchored, cites=[cited])
    problem(answer, "refused", 409, "value.anchor")


BAD: list[tuple[str, dict[str, Any], int, str]] = [
    ("statement-retracted", {"statement_id": "{s}"}, 400, "said_at"),
    ("statement-retracted", {"statement_id": "{s}", "said_at": "yesterday"}, 400, "said_at"),
    ("statement-retracted", {"statement_id": "{s}", "said_at": "2020", "claim_ids": [NOBODY]}, 409, "claim_ids[0]"),
    ("statement-retracted", {"statement_id": NOBODY, "said_at": "2020"}, 409, "statement_id"),
    ("statement-retracted", {"statement_id": "{s}", "said_at": "2020", "speaker": "{s}"}, 400, "speaker"),
    ("statement-withdrawn", {"statement_id": "{s}", "ground": "wrong"}, 400, "ground"),
    ("statement-assessed", {"statement_id": "{s}", "basis": "told"}, 400, "reliability"),
    ("statement-assessed", {"statement_id": "{s}", "basis": "told", "credibility": 7}, 400, "credibility"),
    ("statement-assessed", {"statement_id": "{s}", "basis": "told", "reliability": "G"}, 400, "reliability"),
    ("statement-superseded", {"statement_id": "{s}", "superseded_by": NOBODY}, 409, "superseded_by"),
    ("statement-superseded", {"statement_id": "{s}", "superseded_by": "{s}"}, 409, "superseded_by"),
    ("statement-moved-out", {"statement_id": "{s}", "to_incident": NOBODY}, 409, "to_incident"),
    ("statement-moved-out", {"statement_id": "{s}", "to_incident": "{i}"}, 409, "to_incident"),
    ("attribute-pinned", {"attribute": "size", "value": 1, "cites": ["{s}"]}, 409, "attribute"),
    ("attribute-pinned", {"attribute": "killed", "value": "two", "cites": ["{s}"]}, 400, "value"),
    ("attribute-pinned", {"attribute": "killed", "value": {"min": 1}, "cites": []}, 400, "cites"),
    ("attribute-pinned", {"attribute": "killed", "value": {"min": 1}, "cites": [NOBODY]}, 409, "cites[0]"),
    ("attribute-pinned", {"attribute": "killed", "value": {"min": 1}, "cites": ["{s}", "{s}"]}, 400, "cites[1]"),
    ("attribute-pinned", {"attribute": "responsible", "value": {"source_id": NOBODY}, "cites": ["{s}"]}, 409, "value"),
]


@pytest.mark.parametrize(("type_", "body", "status", "field"), BAD)
def test_what_is_wrong_is_named_and_changes_nothing(
    desk: Desk, type_: str, body: dict[str, Any], status: int, field: str
) -> None:
    names = {"{s}": ids(desk)[0], "{i}": desk.ids["Shot down"]}

    def filled(value: Any) -> Any:
        return [filled(item) for item in value] if isinstance(value, list) else names.get(str(value), value)

    before = view(desk)
    answer = revise(desk, type_, **{name: filled(value) for name, value in body.items()})
    assert answer.status_code == status, answer.text
    problem(answer, answer.json()["type"].rpartition(":")[2], status)
    named = [error["field"] for error in answer.json()["errors"]]
    assert any(one.startswith(field) for one in named), named
    assert view(desk).content == before.content
