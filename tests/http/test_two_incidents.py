"""Statements about two incidents: one statement, in two streams."""

from __future__ import annotations

import itertools

import httpx
from tests.http.asking import NOBODY, problem

CLAIM = {"attribute": "weapon", "value": "missile"}


def _post(client: httpx.Client, path: str, body: object) -> dict:
    answer = client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def _beginning(client: httpx.Client, ledger: str) -> tuple[str, str]:
    source = _post(client, f"{ledger}/sources", {"name": "S", "kind": "person"})["source_id"]
    return source, _post(client, f"{ledger}/incidents", {"title": "B", "kind": "strike"})["incident_id"]


def test_a_statement_opens_no_incident_that_it_says_nothing_about(client: httpx.Client, ledger: str) -> None:
    """It would be held there without a claim, and could never be corrected there."""
    source, other = _beginning(client, ledger)
    body = {"title": "A", "kind": "strike"}
    elsewhere = {"speaker": source, "claims": [CLAIM | {"incident_id": other}]}
    answer = client.post(f"{ledger}/incidents", json=body | {"statements": [elsewhere]})
    assert problem(answer, "unknown-reference", 409)["errors"][0]["field"] == "statements[0].claims"


def test_two_statements_of_one_call_cannot_share_a_claim_id_elsewhere(client: httpx.Client, ledger: str) -> None:
    """Each is judged by what the one before it adds to the other incident."""
    source, other = _beginning(client, ledger)
    claims = [CLAIM, CLAIM | {"incident_id": other, "claim_id": NOBODY}]
    statements = [{"speaker": source, "claims": claims}] * 2
    answer = client.post(f"{ledger}/incidents", json={"title": "A", "kind": "strike", "statements": statements})
    problem(answer, "name-taken", 409)


def test_a_correction_gives_both_incidents_one_event_with_one_meaning(client: httpx.Client, ledger: str) -> None:
    """A date that moves a statement by way of another, in one incident and not in the other, moves it once in each."""
    source, other = _beginning(client, ledger)
    version = {"version": 1, "change": "original", "published_at": "2020-11-20"}
    document = _post(client, f"{ledger}/documents", {"kind": "a", "title": "D", "versions": [version]})["document_id"]
    home = _post(client, f"{ledger}/incidents", {"title": "A", "kind": "strike"})["incident_id"]
    cited = {"document_id": document, "version": 1}
    first = {"speaker": source, "citation": cited, "claims": [CLAIM]}
    first["said_at"] = {"anchor": cited | {"relation": "same-day"}}
    hung_on = _post(client, f"{ledger}/incidents/{home}/statements", first)["statement_id"]
    second = {"speaker": source, "citation": cited, "claims": [CLAIM, CLAIM | {"incident_id": other}]}
    second["said_at"] = {"anchor": {"statement_id": hung_on, "relation": "after"}}
    both = _post(client, f"{ledger}/incidents/{home}/statements", second)["statement_id"]
    dated = {"version": 1, "published_at": "2020-11-22"}
    revision = {"type": "document-corrected", "versions": [dated], "basis": "told", "rationale": "r"}
    _post(client, f"{ledger}/documents/{document}/revisions", revision)
    shown = [client.get(f"{ledger}/incidents/{id_}/statements/{both}").json() for id_ in (home, other)]
    assert [len(view["corrections"]) for view in shown] == [1, 1]
    assert shown[0]["said_at"] == shown[1]["said_at"]
    assert shown[0]["said_at"]["earliest"] == "2020-11-22T00:00:00Z"


def test_a_position_within_an_append_shows_the_whole_of_it(client: httpx.Client, ledger: str) -> None:
    """No cut shows half an append: an incident opened with two statements has both, or is not there."""
    source, _ = _beginning(client, ledger)
    statements = [{"speaker": source, "claims": [CLAIM]}] * 2
    opened = client.post(f"{ledger}/incidents", json={"title": "A", "kind": "strike", "statements": statements})
    last = int(opened.headers["stet-position"])
    path = opened.headers["location"]
    assert client.get(f"{path}?as_of=position:{last - 3}").status_code == 404
    for position in (last - 2, last - 1, last):
        answer = client.get(f"{path}?as_of=position:{position}")
        assert len(answer.json()["statements"]) == 2
        assert answer.headers["stet-position"] == str(last)


def test_a_log_seen_up_to_within_an_append_was_seen_up_to_its_end(client: httpx.Client, ledger: str) -> None:
    """ASKED@N with N inside an append shows the whole of it, and what was the end of the log is not final."""
    source, _ = _beginning(client, ledger)
    statements = [{"speaker": source, "claims": [CLAIM]}] * 2
    opened = client.post(f"{ledger}/incidents", json={"title": "A", "kind": "strike", "statements": statements})
    last = int(opened.headers["stet-position"])
    path = opened.headers["location"]
    _post(client, f"{path}/revisions", {"type": "incident-amended", "title": "B", "reason": "r"})
    for seen, asked in itertools.product((last - 2, last - 1, last), ("head", "9000-01-01")):
        answer = client.get(f"{path}?as_of={asked}@{seen}")
        shown = answer.json()
        assert (len(shown["statements"]), shown["title"], shown["cut"]["final"]) == (2, "A", False)
        assert answer.headers["stet-position"] == str(last)
        assert answer.headers["content-location"].endswith(f"as_of={asked}@{last}")
