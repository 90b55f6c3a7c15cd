"""The service keeps its contract under requests that schemathesis makes from it, of the form it gives and of others."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.conftest import Server
from tests.http.asking import a_document, a_rebuild, a_source, a_statement, a_webhook, an_incident, id_of, made, read
from tests.http.test_openapi import CONTRACT, OPERATIONS

# The service of these tests asks nobody for a key, so a request without one is of the form.
SCHEMA = schemathesis.openapi.from_dict(
    CONTRACT
    | {
        "paths": {
            path: {method: {**operation, "security": []} for method, operation in operations.items()}
            for path, operations in CONTRACT["paths"].items()
        }
    }
)
MODES = {"of-the-form": GenerationMode.POSITIVE, "of-another-form": GenerationMode.NEGATIVE}
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def ids(client: httpx.Client, ledger: str) -> dict[str, str]:
    """One thing of each kind, so that requests get beyond 404."""
    speaker = a_source(client, ledger)
    path = an_incident(client, ledger, statements=[a_statement(speaker)])
    made(client.post(f"{ledger}/attributes", json={"name": "branch", "type": "text", "rule": "all"}))
    made(client.post(f"{ledger}/releases", json={"name": "branch"}))
    key_id = made(client.post("/v1/keys", json={"name": "A key", "scope": "reader"}))["key_id"]
    read(client.put(f"{ledger}/members/{key_id}", json={"role": "reader"}))
    return {
        "key_id": key_id,
        "ledger": id_of(ledger),
        "source_id": speaker,
        "document_id": a_document(client, ledger, "2020-11-09"),
        "incident_id": id_of(path),
        "statement_id": read(client.get(path))["statements"][0]["statement_id"],
        "name": "branch",
        "rebuild_id": a_rebuild(client),
        "webhook_id": a_webhook(client, ledger),
        "form": "ucdp",
    }


# The database makes no difference to what is tested here: one of them is enough.
@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_contract(operation_id: str, mode: str, server: Server, ids: dict[str, str]) -> None:
    """No 5xx, no undocumented status, media type, header or body; what is not of the form is refused."""
    if mode == "of-another-form" and operation_id in ("getHealth", "getReadiness", "listProjections"):
        return  # there is nothing to get wrong
    if OPERATIONS[operation_id][1].startswith("/v1/admin/"):
        ids["name"] = "name_history"
    operation = SCHEMA.find_operation_by_id(operation_id)
    checks = CHECKS + ([negative_data_rejection] if mode == "of-another-form" else [])

    with requests.Session() as session:

        @settings(max_examples=8, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=MODES[mode]), there=st.sampled_from([True, True, False]))
        def run(case: Any, there: bool) -> None:
            if there and case.path_parameters:
                case.path_parameters.update({name: ids[name] for name in case.path_parameters})
            answer = case.call(base_url=server.url, session=session, timeout=30)
            case.validate_response(answer, checks=checks)

        run()
