"""Contributors' drafts over HTTP: what waits for review, who sees it, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import httpx
import pytest
from tests.conftest import OWNER, Cluster, bearing, serve
from tests.http.asking import a_document, a_source, a_statement, an_incident, killed, made, problem, read
from tests.http.keyed import a_client, a_ledger

ROLES = ("reader", "contributor", "editor")


class Desk(NamedTuple):
    """A public ledger that holds what contributors say, and a client for each who reads it."""

    ledger: str
    speaker: str
    owner: httpx.Client
    clients: dict[str, httpx.Client]


@pytest.fixture(scope="module")
def desk(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("review")
        server = stack.enter_context(serve(cluster.migrated(), folder, keyless=False, STET_OWNER_KEY=OWNER))
        owner = stack.enter_context(bearing(server, OWNER))
        ledger = a_ledger(owner, "desk", public=True, review=True)
        clients = {role: stack.enter_context(a_client(server, owner, ledger, role)) for role in ROLES}
        clients["anybody"] = stack.enter_context(httpx.Client(base_url=server.url, timeout=30))
        yield Desk(ledger, a_source(owner, ledger), owner, clients)


def propose(desk: Desk, path: str, count: int = 2, **more: object) -> str:
    """The address of a statement that a contributor proposed."""
    body = a_statement(desk.speaker, claims=[killed(count)], **more)
    answer = desk.clients["contributor"].post(f"{path}/statements", json=body)
    assert made(answer)["review"]["status"] == "pending"
    return answer.headers["location"]


def decide(desk: Desk, path: str, statement: str, what: str, reason: str = "checked") -> httpx.Response:
    body = {"type": f"statement-{what}", "statement_id": statement.rpartition("/")[2], "reason": reason}
    return desk.clients["editor"].post(f"{path}/revisions", json=body)


def test_what_a_contributor_says_waits_for_review(desk: Desk) -> None:
    """It resolves nothing. What an editor says does not wait."""
    path = an_incident(desk.owner, desk.ledger)
    statement = propose(desk, path)
    view = read(desk.owner.get(path))
    assert (view["statements"], view["attributes"]) == ([], [])
    assert [one["statement_id"] for one in view["proposals"]] == [statement.rpartition("/")[2]]
    waiting = read(desk.owner.get(f"{desk.ledger}/proposals"))["items"]
    assert (waiting[-1]["statement_id"], waiting[-1]["incident_id"]) == (
        statement.rpartition("/")[2],
        path.rpartition("/")[2],
    )
    direct = made(desk.clients["editor"].post(f"{path}/statements", json=a_statement(desk.speaker)))
    assert direct["review"] is None


def test_a_reader_and_the_public_see_what_they_may_of_a_proposal(desk: Desk) -> None:
    """Members see it; for anybody else it was never there, wherever he looks, and whatever becomes of it."""
    path = an_incident(desk.owner, desk.ledger)
    before = {at: desk.clients["anybody"].get(at).json() for at in (path, f"{path}/events", f"{path}/revisions")}
    statement = propose(desk, path, verbatim="zzproposed")
    assert read(desk.clients["reader"].get(statement))["review"]["status"] == "pending"
    problem(desk.clients["anybody"].get(statement), "not-found", 404)
    problem(desk.clients["anybody"].get(f"{desk.ledger}/proposals"), "unauthenticated", 401)
    read_(decide(desk, path, statement, "rejected", "zzproposed"))
    for at, body in before.items():
        answer = desk.clients["anybody"].get(at)
        shown = answer.json()
        for one in (shown, body):
            one["cut"] = None
        assert shown == body, at
    for at in ("changes", "events", "statements", "incidents", "exports/claims"):
        assert "zzproposed" not in desk.clients["anybody"].get(f"{desk.ledger}/{at}").text, at
    assert read(desk.clients["reader"].get(statement))["review"]["reason"] == "zzproposed"
    assert read(desk.owner.get(path))["proposals"] == []


def read_(answer: httpx.Response) -> dict[str, object]:
    """The body of an answer to a write, whether it did something or not."""
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def test_an_editor_accepts_and_rejects(desk: Desk) -> None:
    """An accepted statement keeps its said_at and recorded_at, and counts from its acceptance on."""
    path = an_incident(desk.owner, desk.ledger)
    statement = propose(desk, path, 2, said_at="2020-11-09T14:00:00Z")
    was = read(desk.clients["reader"].get(statement))
    cut = read(desk.owner.get(path))["cut"]["position"]
    accepted = made(decide(desk, path, statement, "accepted"))
    (now,) = accepted["statements"]
    assert (now["recorded_at"], now["said_at"], now["position"]) == (
        was["recorded_at"],
        was["said_at"],
        was["position"],
    )
    assert now["review"] is None
    assert accepted["attributes"][0]["value"] == {"min": 2, "max": 2}
    assert read(desk.owner.get(path, params={"as_of": f"position:{cut}"}))["statements"] == []
    assert len(read(desk.clients["anybody"].get(path))["statements"]) == 1
    assert decide(desk, path, statement, "accepted").status_code == 200, "it is done already"
    problem(decide(desk, path, statement, "rejected"), "refused", 409, "statement_id")
    other = propose(desk, path)
    read_(decide(desk, path, other, "rejected"))
    problem(decide(desk, path, other, "accepted"), "refused", 409, "statement_id")
    problem(decide(desk, path, desk.speaker, "accepted"), "unknown-reference", 409, "statement_id")


def test_a_contributor_decides_nothing(desk: Desk) -> None:
    path = an_incident(desk.owner, desk.ledger)
    statement = propose(desk, path)
    body = {"type": "statement-accepted", "statement_id": statement.rpartition("/")[2], "reason": "mine"}
    found = problem(desk.clients["contributor"].post(f"{path}/revisions", json=body), "forbidden", 403)
    assert "editor" in found["detail"]


def test_a_proposal_about_two_incidents_is_one(desk: Desk) -> None:
    """It waits once, and is accepted in both."""
    path, other = an_incident(desk.owner, desk.ledger), an_incident(desk.owner, desk.ledger)
    about = [killed(1), killed(3, incident_id=other.rpartition("/")[2])]
    answer = desk.clients["contributor"].post(f"{path}/statements", json=a_statement(desk.speaker, claims=about))
    statement = made(answer)["statement_id"]
    waiting = [one["statement_id"] for one in read(desk.owner.get(f"{desk.ledger}/proposals"))["items"]]
    assert waiting.count(statement) == 1
    made(decide(desk, other, statement, "accepted"))
    for at in (path, other):
        assert [one["statement_id"] for one in read(desk.owner.get(at))["statements"]] == [statement]


def test_what_a_proposal_hangs_on_may_be_corrected_while_it_waits(desk: Desk) -> None:
    """Accepted, its times are those that the corrected document gives."""
    path = an_incident(desk.owner, desk.ledger)
    document = a_document(desk.owner, desk.ledger, "2020-11-09")
    statement = propose(desk, path, citation={"document_id": document, "version": 1})
    moved = {"version": 1, "published_at": "2020-11-08"}
    body = {"type": "document-corrected", "versions": [moved], "basis": "told", "rationale": "its publisher said so"}
    made(desk.clients["editor"].post(f"{desk.ledger}/documents/{document}/revisions", json=body))
    (now,) = made(decide(desk, path, statement, "accepted"))["statements"]
    assert now["said_at"]["latest"] == "2020-11-08T23:59:59.999999Z"
    assert [one["error"] for one in now["corrections"]] == ["reference"]


def test_a_contributor_publishes_no_rows_where_statements_are_held(desk: Desk) -> None:
    source = made(desk.owner.post(f"{desk.ledger}/sources", json={"name": "A data set", "kind": "data-set"}))
    line = {"record": {"key": "1", "value": {"a": 1}}, "said_at": "2020-11-09", "title": "It", "kind": "shelling"}
    body = {"source_id": source["source_id"], "lines": [line]}
    refused = problem(desk.clients["contributor"].post(f"{desk.ledger}/records", json=body), "refused", 409)
    assert "review" in refused["detail"]
    made(desk.clients["editor"].post(f"{desk.ledger}/records", json=body))


def test_what_waits_is_read_page_by_page_at_one_cut(desk: Desk) -> None:
    path = an_incident(desk.owner, desk.ledger)
    proposed = [propose(desk, path).rpartition("/")[2] for _ in range(3)]
    first = read(desk.clients["reader"].get(f"{desk.ledger}/proposals", params={"limit": 1}))
    made(decide(desk, path, f"/{proposed[1]}", "accepted"))
    found, cursor = [one["statement_id"] for one in first["items"]], first["next_cursor"]
    while cursor:
        page = read(desk.clients["reader"].get(f"{desk.ledger}/proposals", params={"cursor": cursor, "limit": 1}))
        found, cursor = [*found, *(one["statement_id"] for one in page["items"])], page["next_cursor"]
    assert [id_ for id_ in found if id_ in proposed] == proposed


def test_a_proposal_whose_speaker_was_merged_is_of_the_other_once_it_is_accepted(desk: Desk) -> None:
    """Also where it takes the place of what that one said."""
    one, other = a_source(desk.owner, desk.ledger, "One"), a_source(desk.owner, desk.ledger, "Other")
    path = an_incident(desk.owner, desk.ledger, statements=[a_statement(one)])
    (first,) = read(desk.owner.get(path))["statements"]
    body = a_statement(one, claims=[killed(3)], supersedes=first["statement_id"])
    statement = desk.clients["contributor"].post(f"{path}/statements", json=body).headers["location"]
    merging = {"type": "source-merged", "into": other, "reason": "registered twice"}
    made(desk.clients["editor"].post(f"{desk.ledger}/sources/{one}/revisions", json=merging))
    problem(
        desk.clients["contributor"].post(f"{desk.ledger}/sources/{other}/revisions", json=merging), "forbidden", 403
    )
    assert read(desk.owner.get(statement))["speaker"]["source_id"] == one, "it stays as it was proposed"
    made(decide(desk, path, statement, "accepted"))
    view = read(desk.clients["anybody"].get(path))
    assert {said["speaker"]["source_id"] for said in view["statements"]} == {other}
    (value,) = view["attributes"]
    assert (value["value"]["min"], value["speakers"]) == (3, 1)
    moved = desk.clients["anybody"].get(f"{desk.ledger}/sources/{one}")
    assert (moved.status_code, moved.json()["merge"]) == (308, {"into": other, "remaining": None})
