"""The contract: generated, committed, served, valid; its examples are requests that work."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from litestar import Litestar
from tests.http.asking import a_document, a_source, a_statement, a_webhook, an_incident, id_of, made, problem, read

from stet.http.app import make_litestar
from stet.http.body import decode_body
from stet.http.examples import EXAMPLES
from stet.http.problems import KINDS, type_uri
from stet.settings import Settings

FILE = Path(__file__).parents[2] / "openapi" / "openapi.json"
CONTRACT: dict[str, Any] = json.loads(FILE.read_bytes())
NEGOTIATED = {
    *(
        "listIncidents",
        "listAllStatements",
        "listChanges",
        "listEvents",
        "getTimeMap",
        "getIncidentTimeMap",
        "getCheckpoint",
    ),
    *("listRecords", "exportIncidents", "getAtomFeed"),
}
OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    operation["operationId"]: (method, path, operation)
    for path, operations in CONTRACT["paths"].items()
    for method, operation in operations.items()
}


def is_table(path: str) -> bool:
    """Whether it is not about the log, but about a table beside it, which has no version and no key."""
    return path.startswith(("/v1/admin/", "/v1/keys")) or "/webhooks" in path or "/members" in path


def _stet(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stet", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_committed_document_is_fresh(tmp_path: Path) -> None:
    """Two processes write the same bytes, and they are those of the committed file; --check says the same."""
    runs = [tmp_path / "one.json", tmp_path / "two.json"]
    for path in runs:
        assert _stet("openapi", "--output", str(path)).returncode == 0
    assert runs[0].read_bytes() == runs[1].read_bytes()
    assert runs[0].read_bytes() == FILE.read_bytes(), "run `stet openapi`"
    assert _stet("openapi", "--check", "--output", str(FILE)).returncode == 0
    runs[0].write_bytes(b"{}")
    stale = _stet("openapi", "--check", "--output", str(runs[0]))
    assert (stale.returncode, runs[0].read_bytes()) == (1, b"{}")
    assert "stale" in stale.stderr


def test_the_served_document_is_the_committed_one(client: httpx.Client) -> None:
    """Byte for byte; and the page about it is there, with all of its files."""
    answer = client.get("/openapi.json")
    assert answer.content == FILE.read_bytes()
    assert answer.headers["content-type"] == "application/json"
    assert client.get("/").headers["location"] == "/docs"
    page = client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for address in re.findall(r'(?:src|href)="([^":]+)"', page.text):
        assert client.get(httpx.URL("/docs").join(address).path).status_code == 200, address


def test_it_is_openapi_3_1() -> None:
    """Every schema compiles as JSON Schema 2020-12, every reference leads somewhere, every id is there once."""
    assert CONTRACT["openapi"].startswith("3.1.")
    for name in CONTRACT["components"]["schemas"]:
        jsonschema_rs.meta.validate(CONTRACT["components"]["schemas"][name])
        _validator(f"#/components/schemas/{name}")
    for reference in set(_references(CONTRACT)):
        part: Any = CONTRACT
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
    assert len(OPERATIONS) == sum(len(operations) for operations in CONTRACT["paths"].values())
    for method, path, operation in OPERATIONS.values():
        named = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"]
        assert named == re.findall(r"{(\w+)}", path), (method, path)


def test_every_operation_is_described() -> None:
    """An id, a summary, a description, a tag that exists; described parameters; examples for each body."""
    tags = {tag["name"] for tag in CONTRACT["tags"]}
    for id_, (method, _, operation) in OPERATIONS.items():
        assert operation["summary"] and operation["description"], id_
        assert set(operation["tags"]) <= tags and operation["tags"], id_
        assert all(parameter["description"] for parameter in operation.get("parameters", ())), id_
        if method in ("post", "put"):
            assert operation["requestBody"]["content"]["application/json"]["examples"], id_
    assert EXAMPLES.keys() == {id_ for id_, (method, _, _) in OPERATIONS.items() if method in ("post", "put")}


def test_every_object_of_a_request_is_closed() -> None:
    """What the service refuses as unknown, the contract does not allow."""
    bodies = [operation["requestBody"] for _, _, operation in OPERATIONS.values() if "requestBody" in operation]
    seen: set[str] = set()
    waiting = {reference for body in bodies for reference in _references(body)}
    while waiting - seen:
        name = (waiting - seen).pop()
        seen.add(name)
        schema = CONTRACT["components"]["schemas"][name.rpartition("/")[2]]
        waiting.update(_references(schema))
        assert schema.get("type") != "object" or schema["additionalProperties"] is False, name


def test_every_problem_is_documented() -> None:
    """Each status has its response, each type is among those of a problem."""
    assert {str(kind.status) for kind in KINDS.values()} == CONTRACT["components"]["responses"].keys()
    problem_ = CONTRACT["components"]["schemas"]["Problem"]
    assert problem_["properties"]["type"]["enum"] == [type_uri(code) for code in KINDS]
    for status, response in CONTRACT["components"]["responses"].items():
        content = response["content"]["application/problem+json"]
        _validator(content["schema"]["$ref"]).validate(content["example"])
        assert content["example"]["status"] == int(status)
        assert all(code in response["description"] for code, kind in KINDS.items() if str(kind.status) == status)
    for id_, (method, path, operation) in OPERATIONS.items():
        expected = {"400", "403", "500", "503"} | ({"404"} if "{" in path else set())
        expected |= {"406"} if id_ in NEGOTIATED else set()
        expected |= {"401", "429"} if path.startswith("/v1/") else set()
        expected |= {"409", "413", "415"} if method in ("post", "put") else set()
        # What is asked of the installation, or about keys, has no version and no idempotency key.
        expected |= {"412", "422"} if method == "post" and not is_table(path) else set()
        assert {status for status in operation["responses"] if status >= "400"} == expected, id_


def test_every_operation_says_whether_it_takes_a_key() -> None:
    """A bearer's; nobody's where public ledgers are read, or the service is asked how it is."""
    assert CONTRACT["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    for id_, (method, path, operation) in OPERATIONS.items():
        secret = method != "get" or path.startswith(("/v1/admin/", "/v1/keys", "/v1/audit"))
        secret = secret or path.endswith(("/members", "/audit", "/proposals", "/merge", "/redactions"))
        secret = secret or "/webhooks" in path
        expected = [{"key": []}] if secret else [{}, {"key": []}] if path.startswith("/v1/") else []
        assert operation["security"] == expected, id_


def _examples() -> list[tuple[str, str]]:
    return [(id_, name) for id_, examples in EXAMPLES.items() for name in examples]


@pytest.fixture(scope="module")
def app() -> Litestar:
    return make_litestar(Settings())


@pytest.mark.parametrize(("operation_id", "name"), _examples())
def test_examples_are_of_the_contract(operation_id: str, name: str, app: Litestar) -> None:
    """Each decodes into the type of its route, and fits the schema that the contract gives for it."""
    _, _, operation = OPERATIONS[operation_id]
    content = operation["requestBody"]["content"]["application/json"]
    value = content["examples"][name]["value"]
    assert value == EXAMPLES[operation_id][name]
    handlers = {h.operation_id: h for route in app.routes for h in getattr(route, "route_handlers", ())}
    decode_body(json.dumps(value).encode(), handlers[operation_id].parsed_data_field.annotation)
    _validator(content["schema"]).validate(value)


@pytest.mark.parametrize(("operation_id", "name"), _examples())
def test_examples_are_taken_by_the_service(operation_id: str, name: str, client: httpx.Client, ledger: str) -> None:
    """As they stand they are done, or refused only because the ids in them are of nothing; with ids, they are done."""
    method, path, _ = OPERATIONS[operation_id]
    value = EXAMPLES[operation_id][name]
    source, document = a_source(client, ledger), a_document(client, ledger, None, None)
    said = [a_statement(source), a_statement(source)]
    incident, other = an_incident(client, ledger, statements=said), an_incident(client, ledger)
    ids = {"source_id": source, "document_id": document, "incident_id": id_of(incident), "ledger": id_of(ledger)}
    ids["name"] = "name_history"
    ids["key_id"] = made(client.post("/v1/keys", json={"name": "A key", "scope": "admin"}))["key_id"]
    ids["webhook_id"] = a_webhook(client, ledger)
    answer = client.request(method, path.format(**ids), json=value)
    if is_table(path):
        assert answer.status_code in (200, 201, 202, 409), answer.text  # 409: one is running
        return
    if method == "put":
        read(answer)
        return
    if name == "agree":  # to what an administrator has proposed, and only another can: tests/http/test_redaction.py
        problem(answer, "unknown-reference", 409, "redaction_id")
        return
    if answer.status_code != 201:
        problem(answer, answer.json()["type"].rpartition(":")[2], 409)
    text = json.dumps(value)
    statement, later = (s["statement_id"] for s in read(client.get(incident))["statements"])
    parent = a_source(client, ledger, "Another")
    for last, id_ in (("91", parent), ("92", document), ("93", statement), ("94", id_of(other)), ("95", later)):
        text = text.replace(f"0190163d-8694-739b-aea5-966c26f8ad{last}", id_)
    text = text.replace("caucasus-2020", f"{id_of(ledger)}-example")
    for undone, done in (("reinstate", "withdraw"), ("unpin", "pin")):
        if name == undone:
            first = json.dumps(EXAMPLES[operation_id][done]).replace("0190163d-8694-739b-aea5-966c26f8ad93", statement)
            made(client.post(f"{incident}/revisions", content=first, headers={"Content-Type": "application/json"}))
    if name == "revert":
        there = {"type": "incident-merged", "into": id_of(incident), "reason": "so"}
        made(client.post(f"{other}/revisions", json=there))
    if answer.status_code == 409 or text != json.dumps(value):
        answer = client.request(method, path.format(**ids), json=json.loads(text))
    assert answer.status_code == 201, answer.text
    _, _, operation = OPERATIONS[operation_id]
    _validator(operation["responses"]["201"]["content"]["application/json"]["schema"]).validate(answer.json())


def _validator(schema: Any) -> Any:
    root = {"$ref": schema} if isinstance(schema, str) else schema
    whole = {**root, "components": CONTRACT["components"]}
    return jsonschema_rs.Draft202012Validator(
        whole, validate_formats=True, pattern_options=jsonschema_rs.FancyRegexOptions()
    )


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        if isinstance(part.get("mapping"), dict):
            yield from part["mapping"].values()
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _references(value)
