"""Every operation of the contract, as every role, in a ledger of one's own, in another and in a public one.

If you are here because an operation is in no table: give it its least role in http/access.py, and here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import httpx
import pytest
from tests.conftest import OWNER, Cluster, bearing, serve
from tests.http.asking import (
    a_document,
    a_rebuild,
    a_source,
    a_statement,
    a_webhook,
    an_incident,
    id_of,
    made,
    problem,
    read,
)
from tests.http.keyed import a_client, a_key, a_ledger, a_member
from tests.http.test_openapi import OPERATIONS

from stet.http.access import LEAST
from stet.http.examples import EXAMPLES

ROLES = ("none", "reader", "contributor", "editor", "admin", "owner")
"""Each may what those before it may. `none` has no key."""
TABLE: dict[str, str] = {
    "getHealth": "none",
    "getReadiness": "none",
    "listLedgers": "none",
    "createLedger": "owner",
    "getLedger": "read",
    "reviseLedger": "admin",
    "listAttributes": "read",
    "defineAttribute": "admin",
    "getAttribute": "read",
    "listSources": "read",
    "registerSource": "contributor",
    "getSource": "read",
    "getSourceRecord": "read",
    "reviseSource": "editor",
    "listDocuments": "read",
    "registerDocument": "contributor",
    "getDocument": "read",
    "reviseDocument": "editor",
    "listIncidents": "read",
    "openIncident": "contributor",
    "getStats": "read",
    "listRevisions": "read",
    "reviseIncident": "editor",
    "getIncident": "read",
    "getMatrix": "read",
    "explainAttribute": "read",
    "diffIncident": "read",
    "listSimilar": "read",
    "getTimeline": "read",
    "listIncidentEvents": "read",
    "listStatements": "read",
    "recordStatement": "contributor",
    "getStatement": "read",
    "listAllStatements": "read",
    "listReleases": "read",
    "publishRelease": "editor",
    "getRelease": "read",
    "getTimeMap": "read",
    "getIncidentTimeMap": "read",
    "listChanges": "read",
    "listEvents": "read",
    "listRecords": "read",
    "publishRecords": "contributor",
    "getRecordsProgress": "read",
    "exportIncidents": "read",
    "getAtomFeed": "read",
    "getCheckpoint": "read",
    "getInclusionProof": "read",
    "getConsistencyProof": "read",
    "listMembers": "admin",
    "setMember": "admin",
    "removeMember": "admin",
    "listLedgerAudit": "admin",
    "listRedactions": "admin",
    "createKey": "admin",
    "listKeys": "reader",
    "getKey": "reader",
    "revokeKey": "reader",
    "rotateKey": "reader",
    "listProposals": "reader",
    "previewMerge": "reader",
    "createWebhook": "admin",
    "listWebhooks": "admin",
    "getWebhook": "admin",
    "reviseWebhook": "admin",
    "rotateSecret": "admin",
    "replayWebhook": "admin",
    "testWebhook": "admin",
    "listDeliveries": "admin",
    "deleteWebhook": "admin",
    "listAudit": "owner",
    "listProjections": "owner",
    "startRebuild": "owner",
    "retryParked": "owner",
    "listRebuilds": "owner",
    "getRebuild": "owner",
    "cancelRebuild": "owner",
}
"""The least role. `read`: that of a reader, and nobody's in a public ledger."""


class World(NamedTuple):
    """Three ledgers, a client for each role in the first, and one thing of each kind in each ledger."""

    clients: dict[str, httpx.Client]
    ids: dict[str, dict[str, str]]
    """By `own`, `other`, `public`."""


def things(client: httpx.Client, ledger: str, key_id: str) -> dict[str, str]:
    """One thing of each kind, so that an allowed request finds something."""
    speaker = a_source(client, ledger)
    path = an_incident(client, ledger, statements=[a_statement(speaker)])
    made(client.post(f"{ledger}/attributes", json={"name": "branch", "type": "text", "rule": "all"}))
    made(client.post(f"{ledger}/releases", json={"name": "branch"}))
    a_member(client, ledger, key_id, "reader")
    return {
        "ledger": id_of(ledger),
        "source_id": speaker,
        "document_id": a_document(client, ledger, "2020-11-09"),
        "incident_id": id_of(path),
        "statement_id": read(client.get(path))["statements"][0]["statement_id"],
        "name": "branch",
        "form": "ucdp",
        "webhook_id": a_webhook(client, ledger),
        "key_id": key_id,
        "rebuild_id": a_rebuild(client),
    }


# The database makes no difference to what is tested here: one of them is enough.
one_database = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")


@pytest.fixture(scope="module")
def world(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A service that takes keys."""
    folder = tmp_path_factory.mktemp("roles")
    with ExitStack() as stack:
        server = stack.enter_context(serve(cluster.migrated(), folder, keyless=False, STET_OWNER_KEY=OWNER))
        root = stack.enter_context(bearing(server, OWNER))
        own, other = a_ledger(root, "own"), a_ledger(root, "other")
        public = a_ledger(root, "public", public=True)
        clients = {"none": stack.enter_context(httpx.Client(base_url=server.url, timeout=30))}
        for role in ROLES[1:-1]:
            clients[role] = stack.enter_context(a_client(server, root, own, role))
        clients["owner"] = stack.enter_context(bearing(server, a_key(root, "owner")["key"]))
        victim = a_key(root, "reader")["key_id"]
        ids = {id_of(ledger): things(root, ledger, victim) for ledger in (own, other, public)}
        yield World(clients, ids)


def test_every_operation_is_in_the_table() -> None:
    """In this one, and in that of the service; they say the same."""
    assert TABLE.keys() == OPERATIONS.keys()
    same = {"read": "public", "none": "anybody"}
    expected = {id_: same.get(least, least) for id_, least in TABLE.items()}
    assert expected == LEAST | {"getHealth": "anybody", "getReadiness": "anybody"}


def expected_status(operation_id: str, role: str, where: str) -> set[int] | None:
    """The statuses of a refusal; None: the request is let in."""
    least, path = TABLE[operation_id], OPERATIONS[operation_id][1]
    if "{ledger}" in path and role != "owner":
        member = where == "own" and role != "none"
        if not member and where != "public":
            return {404}
        if least == "read" or (member and ROLES.index(role) >= ROLES.index(least)):
            return None
    elif least in ("none", "read") or ROLES.index(role) >= ROLES.index(least):
        return None
    return {401} if role == "none" else {403}


@one_database
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_who_may(operation_id: str, world: World) -> None:
    """As every role, in every kind of ledger: let in, or refused by the right status and in the right words."""
    method, template, _ = OPERATIONS[operation_id]
    for where in ("own", "other", "public") if "{ledger}" in template else ("own",):
        for role in ROLES:
            ids = world.ids[where] | ({"name": "name_history"} if template.startswith("/v1/admin/") else {})
            body = next(iter(EXAMPLES.get(operation_id, {"": {}}).values()))
            more = {"json": body} if "requestBody" in OPERATIONS[operation_id][2] else {}
            answer = world.clients[role].request(method, template.format(**ids), **more)
            check(answer, expected_status(operation_id, role, where), TABLE[operation_id], ids["ledger"])


def check(answer: httpx.Response, refused: set[int] | None, least: str, ledger: str) -> None:
    asked = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:300]}"
    if refused is None:
        assert answer.status_code not in (401, 403), asked
        assert answer.status_code < 500, asked
        assert answer.status_code != 404 or not answer.json()["detail"].startswith("there is no ledger"), asked
    elif refused == {404}:
        body = problem(answer, "not-found", 404)
        assert body["detail"] == f"there is no ledger {ledger}", asked
    elif refused == {401}:
        problem(answer, "unauthenticated", 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    else:
        assert f"the role {least}" in problem(answer, "forbidden", 403)["detail"], asked


@one_database
@pytest.mark.parametrize("role", ROLES[:-1])
def test_a_ledger_that_one_may_not_read_is_like_one_that_is_not_there(role: str, world: World) -> None:
    """The same status, headers and words, but for its name, whatever is asked."""
    for path in ("", "/incidents", "/sources?q=x", "/incidents?wrong=1", "/members", "/nothing"):
        answers: list[Any] = []
        for name in ("other", "never"):
            answer = world.clients[role].get(f"/v1/ledgers/{name}{path}")
            own = ("x-request-id", "date", "ratelimit", "content-length")
            headers = {k: v for k, v in answer.headers.items() if k not in own}
            body = answer.json() | {"request_id": ""}
            answers.append((answer.status_code, headers, str(body).replace(name, "NAME")))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404


@one_database
def test_the_list_of_ledgers_has_those_that_one_may_read(world: World) -> None:
    """Page by page, too; nothing tells how many others there are."""
    for role in ROLES:
        readable = {"none": ["public"], "owner": ["other", "own", "public"]}.get(role, ["own", "public"])
        client, found, cursor = world.clients[role], [], {}
        while True:
            page = read(client.get("/v1/ledgers", params={"limit": 1} | cursor))
            found += [ledger["name"] for ledger in page["items"] if ledger["name"] != "caucasus-2020"]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert found == readable, role


@one_database
def test_an_operation_in_no_table_is_refused(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Also to the owner: that is how it is noticed."""
    folder = tmp_path_factory.mktemp("nobody")
    (folder / "sitecustomize.py").write_text("from stet.http.access import LEAST\ndel LEAST['listSources']\n")
    environment = {"STET_OWNER_KEY": OWNER, "PYTHONPATH": str(folder)}
    with serve(cluster.migrated(), folder, keyless=False, **environment) as server, bearing(server, OWNER) as owner:
        path = a_ledger(owner, "l")
        problem(owner.get(f"{path}/sources"), "forbidden", 403)
        assert read(owner.get(f"{path}/documents"))["items"] == []
