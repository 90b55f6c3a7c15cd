"""Every problem type, provoked through a running service. That docs/errors.md explains each is tested elsewhere."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from tests.conftest import OWNER, Cluster, Server, bearing, serve
from tests.http.asking import NOBODY, a_document, a_source, a_statement, an_incident, id_of, made, problem

from stet.http.problems import KINDS

EPOCH = "2020-11-09T00:00:00Z"
JSON = {"Content-Type": "application/json"}
PROVOKED: dict[str, Callable[[httpx.Client, str], httpx.Response]] = {
    "malformed": lambda client, ledger: client.post(f"{ledger}/sources", json={"name": 1, "kind": "person"}),
    "not-found": lambda client, ledger: client.get(f"{ledger}/incidents/{NOBODY}"),
    "forbidden": lambda client, ledger: client.get(ledger, headers={"Host": "rebound.example"}),
    "not-acceptable": lambda client, ledger: client.get(f"{ledger}/incidents", headers={"Accept": "image/png"}),
    "rebuild-running": lambda client, ledger: [
        client.post("/v1/admin/projections/name_history/rebuilds", json={}) for _ in range(2)
    ][1],
    "method-not-allowed": lambda client, ledger: client.delete(f"{ledger}/incidents/{NOBODY}"),
    "refused": lambda client, ledger: client.post(
        f"{(path := an_incident(client, ledger))}/revisions",
        json={"type": "incident-linked", "incident_id": id_of(path), "relation": "follows", "reason": "itself"},
    ),
    "name-taken": lambda client, ledger: client.post("/v1/ledgers", json={"name": id_of(ledger), "title": "Again"}),
    "unknown-reference": lambda client, ledger: client.post(
        f"{an_incident(client, ledger)}/statements", json=a_statement(NOBODY)
    ),
    "merged": lambda client, ledger: [
        client.post(
            f"{(path := an_incident(client, ledger))}/revisions",
            json={"type": "incident-merged", "into": id_of(an_incident(client, ledger)), "reason": "the same"},
        ),
        client.post(f"{path}/revisions", json={"type": "incident-amended", "title": "X", "reason": "late"}),
    ][1],
    "cycle": lambda client, ledger: client.post(
        f"{ledger}/sources/{(own := a_source(client, ledger))}/revisions",
        json={"type": "source-revised", "parent": own, "reason": "its own parent"},
    ),
    "stale": lambda client, ledger: client.post(
        f"{ledger}/revisions",
        json={"type": "ledger-amended", "title": "Never", "reason": "never"},
        headers={"If-Match": '"99"'},
    ),
    "too-large": lambda client, ledger: client.post(
        f"{ledger}/sources", content=b" " * (8 * 1024 * 1024 + 1), headers=JSON
    ),
    "unsupported-media-type": lambda client, ledger: client.post(
        f"{ledger}/sources", content=b"name=x", headers={"Content-Type": "application/x-www-form-urlencoded"}
    ),
    "idempotency-key-reused": lambda client, ledger: [
        client.post(f"{ledger}/sources", json={"name": name, "kind": "person"}, headers={"Idempotency-Key": "once"})
        for name in ("A", "B")
    ][1],
}
BROKEN = {"not-signed", "internal", "corrupt-log", "unavailable", "timeout", "other-rules"}
"""What takes a service whose database is broken, slow, or of another release, or that nobody signs for
(tests/http/test_proofs.py). Each of the others has a test of its own below."""
KEYED = {"unauthenticated", "rate-limited"}
"""What takes a service with keys. Both have a test of their own below."""


def test_every_problem_type_has_a_test_here() -> None:
    """A type that nothing here provokes fails this."""
    assert PROVOKED.keys() | BROKEN | KEYED == KINDS.keys()
    assert PROVOKED.keys().isdisjoint(BROKEN | KEYED)


@pytest.mark.parametrize("code", PROVOKED)
def test_problem(code: str, client: httpx.Client, ledger: str) -> None:
    """It has its status, its title and the one shape of all problems."""
    body = problem(PROVOKED[code](client, ledger), code, KINDS[code].status)
    assert body["title"] == KINDS[code].title


def test_a_method_that_is_not_possible_names_those_that_are(client: httpx.Client, ledger: str) -> None:
    """405 comes with Allow."""
    answer = client.delete(f"{ledger}/incidents")
    problem(answer, "method-not-allowed", 405)
    assert {"GET", "POST"} <= set(re.split(r",\s*", answer.headers["allow"]))


def test_what_is_at_no_address_is_a_problem_too(client: httpx.Client) -> None:
    """404 has the one shape wherever it comes from: no route, no file, an id of the wrong form."""
    for path in ("/nowhere", "/v1", "/docs/../../etc/passwd", "/docs/none.js", "/v1/ledgers/none/incidents/not-an-id"):
        problem(client.get(path), "not-found", 404)


@pytest.fixture
def own(cluster: Cluster, tmp_path: Path) -> Iterator[tuple[httpx.Client, str, Server]]:
    """A service on a database of its own, which may be broken; the database's URL, as the superuser."""
    url = cluster.migrated()
    settings = {"STET_STATEMENT_TIMEOUT_MS": "500", "STET_POOL_SIZE": "4"}
    with serve(url, tmp_path, **settings) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        made(client.post("/v1/ledgers", json={"name": "l", "title": "L"}))
        yield client, url, server


def test_timeout(own: tuple[httpx.Client, str, Server]) -> None:
    """A read and a write that wait longer than the statement timeout are given up, and the service lives on."""
    client, url, _ = own
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE stet.event IN ACCESS EXCLUSIVE MODE")
        answer = client.get("/v1/ledgers/l")
        problem(answer, "timeout", 503)
        assert answer.headers["retry-after"] == "1"
        problem(client.post("/v1/ledgers/l/sources", json={"name": "x", "kind": "person"}), "timeout", 503)
    assert client.get("/v1/ledgers/l").status_code == 200


def test_timeout_when_the_append_itself_waits_too_long(own: tuple[httpx.Client, str, Server]) -> None:
    """An append that the lock of the head keeps waiting is given up: nothing was written, and it can be repeated."""
    client, url, _ = own
    body, headers = {"name": "x", "kind": "person"}, {"Idempotency-Key": "again"}
    with psycopg.connect(url) as connection:
        connection.execute("SELECT FROM stet.head FOR UPDATE")
        assert client.get("/v1/ledgers/l").status_code == 200
        answer = client.post("/v1/ledgers/l/sources", json=body, headers=headers)
        problem(answer, "timeout", 503)
        assert answer.headers["retry-after"] == "1"
    made(client.post("/v1/ledgers/l/sources", json=body, headers=headers))
    assert len(client.get("/v1/ledgers/l/sources").json()["items"]) == 1


def test_unavailable_when_the_database_is_gone(own: tuple[httpx.Client, str, Server], cluster: Cluster) -> None:
    """Without its database the service answers 503 to reads, writes and /readyz, and 200 to /healthz."""
    client, url, server = own
    made(client.post("/v1/ledgers/l/sources", json={"name": "x", "kind": "person"}))
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(str(name))))
    answers: dict[str, httpx.Response] = {}

    def ask(what: str, method: str, path: str, **more: Any) -> None:
        answers[what] = httpx.request(method, f"{server.url}{path}", timeout=30, **more)

    asked = [
        ("ready", "GET", "/readyz", {}),
        ("read", "GET", "/v1/ledgers/l/sources", {}),
        ("write", "POST", "/v1/ledgers/l/sources", {"json": {"name": "y", "kind": "person"}}),
    ]
    threads = [threading.Thread(target=ask, args=(*a[:3],), kwargs=a[3]) for a in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers.values():
        problem(answer, "unavailable", 503)
        assert str(name) not in answer.text
    assert len(answers) == 3
    assert client.get("/healthz").status_code == 200


def test_corrupt_log(own: tuple[httpx.Client, str, Server]) -> None:
    """An event that cannot be read damages what it is part of, and nothing else; its content is not shown."""
    client, url, server = own
    source = a_source(client, "/v1/ledgers/l")
    path = an_incident(client, "/v1/ledgers/l")
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE stet.event DISABLE TRIGGER USER")
        connection.execute(
            "INSERT INTO stet.event SELECT ledger_id, position + 1, stream, stream_version + 1, gen_random_uuid(), "
            "'incident-amended', 1, recorded_at + interval '1 microsecond', actor, correlation_id, NULL, "
            """'{"title": "planted-secret", "reason": 7}', salt, payload_digest, leaf FROM stet.event """
            "WHERE stream LIKE 'incident:%'"
        )
        connection.execute(
            "UPDATE stet.head h SET position = e.position, recorded_at = e.recorded_at "
            "FROM (SELECT max(position) AS position, max(recorded_at) AS recorded_at FROM stet.event) e"
        )
        connection.execute("ALTER TABLE stet.event ENABLE ALWAYS TRIGGER event_refuse_change")
        connection.execute("ALTER TABLE stet.event ENABLE ALWAYS TRIGGER event_refuse_forgery")
    body = problem(client.get(path), "corrupt-log", 500)
    assert "planted-secret" not in client.get(path).text
    problem(client.post(f"{path}/statements", json=a_statement(source)), "corrupt-log", 500)
    listed = client.get("/v1/ledgers/l/incidents")  # from the history, which the planted event never reached
    assert listed.status_code == 200
    assert "planted-secret" not in listed.text
    assert client.get(f"/v1/ledgers/l/sources/{source}").status_code == 200
    assert client.get(path, params={"as_of": "position:3"}).status_code == 200
    assert body["request_id"] in server.log.read_text(), "the operator finds the cause by the request id"


def test_other_rules(own: tuple[httpx.Client, str, Server]) -> None:
    """A release of other rules is not answered by these: the reader is told, and how to get the same events."""
    client, url, _ = own
    path = an_incident(client, "/v1/ledgers/l")
    made(client.post("/v1/ledgers/l/releases", json={"name": "spring"}))
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE stet.event DISABLE TRIGGER USER")
        connection.execute(
            """UPDATE stet.event SET payload = replace(payload::text, '"resolution":1', '"resolution":2')::json"""
        )
        connection.execute("ALTER TABLE stet.event ENABLE ALWAYS TRIGGER event_refuse_change")
    body = problem(client.get(path, params={"as_of": "release:spring"}), "other-rules", 409)
    assert "version 2" in body["detail"]
    assert "as_of=position:2" in body["detail"]
    assert client.get(path, params={"as_of": "position:2"}).status_code == 200
    assert client.get("/v1/ledgers/l/releases/spring").json()["resolution"] == 2


def test_internal(own: tuple[httpx.Client, str, Server]) -> None:
    """What nobody thought of (here: a table that somebody took away) says only that the service failed."""
    client, url, server = own
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE stet.event RENAME TO event_of_yore")
    body = problem(client.get("/v1/ledgers/l/incidents"), "internal", 500)
    problem(client.post("/v1/ledgers/l/sources", json={"name": "x", "kind": "person"}), "internal", 500)
    problem(client.get("/v1/ledgers/l"), "internal", 500)
    assert "event" not in body["detail"]
    assert "UndefinedTable" in server.log.read_text()
    assert body["request_id"] in server.log.read_text()


def test_unauthenticated_and_rate_limited(url: str, tmp_path: Path) -> None:
    """Without a key, and with one too often."""
    settings = {"STET_OWNER_KEY": OWNER, "STET_RATE_LIMIT": "1", "STET_RATE_BURST": "1"}
    with serve(url, tmp_path, keyless=False, **settings) as server, bearing(server, OWNER) as owner:
        body = problem(httpx.post(f"{server.url}/v1/ledgers", json={"name": "l", "title": "L"}), "unauthenticated", 401)
        assert body["title"] == KINDS["unauthenticated"].title
        answers = [owner.get("/v1/ledgers") for _ in range(30)]
        refused = next(answer for answer in answers if answer.status_code != 200)
        assert problem(refused, "rate-limited", 429)["title"] == KINDS["rate-limited"].title


def test_documents_may_be_named_in_problems_but_not_what_they_hold(client: httpx.Client, ledger: str) -> None:
    """A 409 names the field and the id that was asked for."""
    document = a_document(client, ledger, None)
    citation = {"document_id": document, "version": 7}
    body = a_statement(a_source(client, ledger), citation=citation)
    answer = client.post(f"{an_incident(client, ledger)}/statements", json=body)
    assert document in problem(answer, "unknown-reference", 409, "citation.version")["detail"]
