"""Labels, embargoes and disclosed places through the API: what can be asked, what follows, and who ends what."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from tests.conftest import Cluster, Server, serve, wait_until
from tests.http.asking import NOBODY, a_document, a_source, a_statement, an_incident, made, malformed, problem, read

from stet.codec import recorded
from stet.incident.visibility import shown
from stet.sql import load
from stet.store.read import HEAD
from stet.store.verify import verify

FAR = "2300-01-01T00:00:00Z"
PLAIN: dict[str, Any] = {}
"""The visibility of what everybody may see."""


def restrict(client: httpx.Client, path: str, **change: Any) -> httpx.Response:
    """Changes the visibility of an incident or a document."""
    return client.post(f"{path}/revisions", json={"type": "visibility-changed", "reason": "it must be so", **change})


def types(client: httpx.Client, path: str) -> list[str]:
    """The types of all events of an incident, in order."""
    return [event["type"] for event in read(client.get(f"{path}/revisions"))["items"]]


def hidden(client: httpx.Client, path: str) -> dict[str, bool]:
    """What an incident's stream said last of each thing that is named in it."""
    events = read(client.get(f"{path}/events"))["items"]
    found = [one["payload"] for one in events if one["type"] == "reference-hidden"]
    return {one["target"]: one["hidden"] for one in found}


def test_labels_of_incidents_statements_and_documents(client: httpx.Client, ledger: str) -> None:
    """What is not given stays, null clears, and what changes nothing is not recorded."""
    source, document = a_source(client, ledger), a_document(client, ledger, None)
    incident = an_incident(client, ledger)
    statement = made(client.post(f"{incident}/statements", json=a_statement(source)))["statement_id"]
    assert read(client.get(incident))["visibility"] == PLAIN

    view = made(restrict(client, incident, label="amber"))
    assert view["visibility"] == {"label": "amber"}
    view = made(restrict(client, incident, embargo_until="2300-01-01T04:00:00+04:00"))
    assert view["visibility"] == {"label": "amber", "embargo_until": FAR}
    assert restrict(client, incident, label="amber", embargo_until=FAR).status_code == 200
    view = made(restrict(client, incident, label="clear", embargo_until=None))
    assert view["visibility"] == PLAIN

    view = made(restrict(client, incident, statement_id=statement, label="red"))
    assert [one["visibility"] for one in view["statements"]] == [{"label": "red"}]
    assert read(client.get(f"{incident}/statements/{statement}"))["visibility"] == {"label": "red"}
    assert view["visibility"] == PLAIN

    path = f"{ledger}/documents/{document}"
    assert read(client.get(path))["visibility"] == PLAIN
    assert made(restrict(client, path, label="green"))["visibility"] == {"label": "green"}
    assert restrict(client, path, label="green").status_code == 200
    assert made(restrict(client, path, label="clear", embargo_until=FAR))["visibility"] == {"embargo_until": FAR}


def test_what_is_restricted_from_the_first_moment(client: httpx.Client, ledger: str) -> None:
    """In the append that records it: there is no moment in which it could be seen."""
    source = a_source(client, ledger)
    red = {"visibility": {"label": "red"}}
    document = a_document(client, ledger, None, **red)
    assert read(client.get(f"{ledger}/documents/{document}"))["visibility"] == {"label": "red"}
    disclosed = {"name": "A", "level": "admin1"}
    visibility = {"label": "amber", "disclosed_place": disclosed}
    body = {"title": "It", "kind": "shootdown", "visibility": visibility}
    view = made(client.post(f"{ledger}/incidents", json=body | {"statements": [a_statement(source, **red)]}))
    assert view["visibility"] == visibility
    assert [one["visibility"] for one in view["statements"]] == [{"label": "red"}]
    incident = an_incident(client, ledger)
    cited = a_statement(source, citation={"document_id": document, "version": 1})
    answer = made(client.post(f"{incident}/statements", json=a_statement(source, **red)))
    assert answer["visibility"] == {"label": "red"}
    made(client.post(f"{incident}/statements", json=cited))
    events = read(client.get(f"{incident}/events"))["items"]
    assert [one["type"] for one in events] == [
        "incident-opened",
        *("statement-recorded", "visibility-changed"),
        *("statement-recorded", "reference-hidden"),
    ]
    assert len({one["recorded_at"] for one in events}) == 3
    assert events[-1]["causation_id"] == events[-2]["event_id"]
    assert hidden(client, incident) == {f"document:{document}": True}


def test_what_cannot_be_asked(client: httpx.Client, ledger: str) -> None:
    source, document = a_source(client, ledger), a_document(client, ledger, None)
    incident = an_incident(client, ledger)
    statement = made(client.post(f"{incident}/statements", json=a_statement(source)))["statement_id"]
    before = types(client, incident)
    past, path = "2020-11-09T12:00:00Z", f"{ledger}/documents/{document}"
    for asked in (incident, path):
        malformed(restrict(client, asked), "label")
        malformed(restrict(client, asked, label="secret"), "label")
        malformed(restrict(client, asked, label=None), "label")
        malformed(restrict(client, asked, embargo_until="2300-01-01"), "embargo_until")
        malformed(restrict(client, asked, embargo_until="9999-01-01T00:00:00Z"), "embargo_until")
        problem(restrict(client, asked, embargo_until=past), "refused", 409, "embargo_until")
        malformed(restrict(client, asked, colour="red"), "colour")
    malformed(restrict(client, path, disclosed_place={"name": "A", "level": "admin1"}), "disclosed_place")
    malformed(restrict(client, path, statement_id=statement, label="red"), "statement_id")
    malformed(restrict(client, incident, statement_id=statement), "label")
    on_statement = restrict(client, incident, statement_id=statement, disclosed_place={"name": "A", "level": "admin1"})
    malformed(on_statement, "disclosed_place")
    malformed(restrict(client, incident, disclosed_place={"name": "A"}), "disclosed_place")
    malformed(restrict(client, incident, disclosed_place={"radius_m": 5}), "disclosed_place")
    problem(restrict(client, incident, statement_id=NOBODY, label="red"), "unknown-reference", 409, "statement_id")
    problem(restrict(client, f"{ledger}/incidents/{NOBODY}", label="red"), "not-found", 404)
    problem(restrict(client, f"{ledger}/documents/{NOBODY}", label="red"), "not-found", 404)
    body = {"title": "It", "kind": "shootdown"}
    late, place = (
        {"visibility": {"embargo_until": past}},
        {"visibility": {"disclosed_place": {"name": "A", "radius_m": 9}}},
    )
    field = "visibility.embargo_until"
    problem(client.post(f"{ledger}/incidents", json=body | late), "refused", 409, field)
    with_one = body | {"statements": [a_statement(source, **late)]}
    problem(client.post(f"{ledger}/incidents", json=with_one), "refused", 409, f"statements[0].{field}")
    problem(client.post(f"{incident}/statements", json=a_statement(source, **late)), "refused", 409, field)
    versions = [{"version": 1, "change": "original"}]
    article = {"kind": "article", "title": "It", "versions": versions}
    problem(client.post(f"{ledger}/documents", json=article | late), "refused", 409, field)
    field = "visibility.disclosed_place"
    malformed(client.post(f"{incident}/statements", json=a_statement(source, **place)), field)
    malformed(client.post(f"{ledger}/documents", json=article | place), field)
    assert types(client, incident) == before


def test_an_answer_that_was_kept_is_given_after_the_embargo(client: httpx.Client, ledger: str) -> None:
    """Who repeats his request is answered as before, even where its embargo has passed meanwhile."""
    path = an_incident(client, ledger)
    until = (datetime.now(UTC) + timedelta(seconds=0.4)).isoformat()
    change = {"type": "visibility-changed", "reason": "soon", "embargo_until": until}
    answers = [client.post(f"{path}/revisions", json=change, headers={"idempotency-key": "once"})]
    wait_until(lambda: datetime.now(UTC).isoformat() > until, "the embargo to pass")
    answers.append(client.post(f"{path}/revisions", json=change, headers={"idempotency-key": "once"}))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].headers["location"] == answers[1].headers["location"]


def test_a_diff_says_what_became_of_the_visibility(client: httpx.Client, ledger: str) -> None:
    source, incident = a_source(client, ledger), an_incident(client, ledger)
    first = made(client.post(f"{incident}/statements", json=a_statement(source)))
    made(restrict(client, incident, statement_id=first["statement_id"], label="red"))
    made(restrict(client, incident, label="amber"))
    asked = {"from": f"position:{first['position']}"}
    diff = read(client.get(f"{incident}/diff", params=asked))
    (change,) = diff["fields"]
    assert (change["field"], change["before"], change["after"]) == ("visibility", {}, {"label": "amber"})
    assert [cause["statement_id"] for cause in change["causes"]] == [None]
    assert diff["statements"] == {"added": [], "removed": [], "changed": [first["statement_id"]]}
    assert diff["attributes"] == []
    assert [cause["type"] for cause in diff["events"]] == ["visibility-changed"] * 2
    items = read(client.get(f"{incident}/timeline", params={"axis": "recorded"}))["items"]
    assert [one["type"] for one in items][-2:] == ["visibility-changed"] * 2


def test_what_names_a_restricted_thing_hears_of_it_in_the_same_append(client: httpx.Client, ledger: str) -> None:
    """Through two incidents; and that it may be seen again."""
    source, document = a_source(client, ledger), a_document(client, ledger, None)
    one, two, three = (an_incident(client, ledger) for _ in range(3))
    cited = a_statement(source, citation={"document_id": document, "version": 1})
    said = made(client.post(f"{one}/statements", json=cited))["statement_id"]
    hung = a_statement(source, said_at={"anchor": {"statement_id": said, "relation": "after"}})
    later = made(client.post(f"{two}/statements", json=hung))["statement_id"]
    about = hung | {"said_at": None, "claims": [{**hung["claims"][0], "of": f"statement:{later}"}]}
    made(client.post(f"{three}/statements", json=about))
    answer = restrict(client, f"{ledger}/documents/{document}", label="red")
    expected = {one: f"document:{document}", two: f"statement:{said}", three: f"statement:{later}"}
    for is_hidden in (True, False):
        assert all(hidden(client, path) == {target: is_hidden} for path, target in expected.items())
        ends = {read(client.get(path))["cut"]["recorded_at"] for path in expected}
        assert ends == {made(answer)["updated_at"]}
        answer = restrict(client, f"{ledger}/documents/{document}", label="clear")


# ---- what happens at the same time ----


@pytest.fixture
def two(cluster: Cluster, tmp_path: Path) -> Iterator[tuple[str, httpx.Client, httpx.Client]]:
    """A database, and two processes that serve it."""
    url = cluster.migrated()
    with (
        serve(url, tmp_path) as one,
        serve(url, tmp_path) as other,
        httpx.Client(base_url=one.url, timeout=30) as a,
        httpx.Client(base_url=other.url, timeout=30) as b,
    ):
        made(a.post("/v1/ledgers", json={"name": "l", "title": "L"}))
        yield url, a, b


def public_types(url: str, path: str) -> list[str]:
    """The types of the events of an incident that the public sees."""
    stream = f"incident:{path.rpartition('/')[2]}"
    with psycopg.connect(url) as connection:
        (ledger_id,) = connection.execute("SELECT ledger_id FROM stet.ledger").fetchone() or ("",)
        parameters = {"ledger_id": ledger_id, "streams": [stream], "up_to": HEAD}
        rows = connection.execute(load("read_streams"), parameters).fetchall()
    return [one.type for one in shown(stream, [recorded(row) for row in rows], "public")]


def test_a_document_is_restricted_while_another_process_cites_it(two: tuple[str, httpx.Client, httpx.Client]) -> None:
    """Whatever comes first, the statement ends hidden; and where it is shown again meanwhile, it ends shown."""
    url, a, b = two
    source = a_source(a, "/v1/ledgers/l")
    orders = set()
    for n in range(40):
        document = a_document(a, "/v1/ledgers/l", None)
        incident = an_incident(a, "/v1/ledgers/l")
        body = a_statement(source, citation={"document_id": document, "version": 1})
        label = "red"
        if n % 2:
            made(restrict(a, f"/v1/ledgers/l/documents/{document}", label="red"))
            label = "clear"
        barrier = threading.Barrier(2)
        answers: dict[str, httpx.Response] = {}

        def cite(incident: str = incident, body: Any = body, barrier: Any = barrier, answers: Any = answers) -> None:
            barrier.wait()
            answers["cite"] = b.post(f"{incident}/statements", json=body)

        thread = threading.Thread(target=cite)
        thread.start()
        barrier.wait()
        answers["restrict"] = restrict(a, f"/v1/ledgers/l/documents/{document}", label=label)
        thread.join()
        cited, restricted = (int(made(answers[which])["cut"]["position"]) for which in ("cite", "restrict"))
        orders.add((label, cited < restricted))
        expected = ["incident-opened"] if label == "red" else ["incident-opened", "statement-recorded"]
        assert public_types(url, incident) == expected, orders
    with psycopg.connect(url) as connection:
        assert [report.fault for report in verify(connection, None)] == [None]


# ---- embargoes ----


def test_an_embargo_ends_by_an_event_once_for_all_that_named_it(two: tuple[str, httpx.Client, httpx.Client]) -> None:
    """Both processes have a worker. It ends soon after its moment, never before, and nobody else ends it again."""
    url, client, _ = two
    ledger = "/v1/ledgers/l"
    source, document = a_source(client, ledger), a_document(client, ledger, None)
    incident = an_incident(client, ledger)
    cited = a_statement(source, citation={"document_id": document, "version": 1})
    made(client.post(f"{incident}/statements", json=cited))
    until = datetime.now(UTC) + timedelta(seconds=1.5)
    soon = {"embargo_until": until.isoformat()}
    made(restrict(client, f"{ledger}/documents/{document}", **soon))
    statement = made(client.post(f"{incident}/statements", json=a_statement(source, visibility=soon)))
    made(restrict(client, incident, label="green", **soon))
    put_off = an_incident(client, ledger)
    made(restrict(client, put_off, **soon))
    made(restrict(client, put_off, embargo_until=FAR))
    paths = {incident: {"label": "green"}, f"{ledger}/documents/{document}": PLAIN}

    def ended() -> bool:
        return all(read(client.get(path))["visibility"] == left for path, left in paths.items())

    wait_until(ended, "the embargoes to end")
    path = f"{incident}/statements/{statement['statement_id']}"
    wait_until(lambda: read(client.get(path))["visibility"] == PLAIN, "the embargo on the statement to end")
    assert hidden(client, incident) == {f"document:{document}": False}
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT recorded_at, payload ->> 'reason' FROM stet.event "
            "WHERE actor = 'stet' AND type = 'visibility-changed'"
        ).fetchall()
    with psycopg.connect(url) as connection:
        assert [report.fault for report in verify(connection, None)] == [None]
    assert len(rows) == 3
    assert {reason for _, reason in rows} == {"the embargo ended"}
    assert all(until <= recorded_at < until + timedelta(seconds=5) for recorded_at, _ in rows)
    assert read(client.get(put_off))["visibility"] == {"embargo_until": FAR}


def test_an_embargo_that_passed_while_nobody_worked_ends_when_somebody_does(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.migrated()

    def incident_of(server: Server, id_: UUID | str) -> dict[str, Any]:
        return read(httpx.get(f"{server.url}/v1/ledgers/l/incidents/{id_}", timeout=30))

    with serve(url, tmp_path, "--no-worker") as server, httpx.Client(base_url=server.url, timeout=30) as client:
        made(client.post("/v1/ledgers", json={"name": "l", "title": "L"}))
        incident = an_incident(client, "/v1/ledgers/l").rpartition("/")[2]
        until = datetime.now(UTC) + timedelta(seconds=0.3)
        made(restrict(client, f"/v1/ledgers/l/incidents/{incident}", embargo_until=until.isoformat()))
        wait_until(lambda: datetime.now(UTC) > until, "the embargo to pass")
        assert "embargo_until" in incident_of(server, incident)["visibility"], "it ends by an event only"
    with serve(url, tmp_path) as server:
        wait_until(lambda: incident_of(server, incident)["visibility"] == PLAIN, "the embargo to end")
