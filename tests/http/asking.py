"""How the tests of the API ask, and what every answer must look like."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import httpx
from tests.conftest import wait_until

NOBODY = "0190163d-8694-739b-aea5-966c26f8ad99"
"""An id that nothing has."""
PROBLEM_FIELDS = ["type", "title", "status", "detail", "errors", "request_id"]
_LEAKS = re.compile(r"Traceback|psycopg|SELECT |INSERT |stet\.event|stet\.append|/service/|\.py\b|site-packages", re.I)


def made(answer: httpx.Response) -> dict[str, Any]:
    """The body of an answer to a write that did something."""
    assert answer.status_code == 201, answer.text
    return answer.json()


def read(answer: httpx.Response) -> dict[str, Any]:
    """The body of an answer to a read."""
    assert answer.status_code == 200, answer.text
    return answer.json()


def problem(answer: httpx.Response, code: str, status: int, *fields: str) -> dict[str, Any]:
    """The problem of an answer, checked: its shape, its code, its status, and that it names the fields."""
    body = answer.json()
    assert (body["type"], answer.status_code) == (f"urn:stet:problem:{code}", status), answer.text
    assert list(body) == PROBLEM_FIELDS
    assert body["status"] == answer.status_code
    assert body["title"]
    assert body["detail"]
    assert all(list(error) == ["field", "detail"] and error["detail"] for error in body["errors"])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == body["request_id"]
    assert UUID(body["request_id"])
    assert answer.headers["cache-control"] == "no-store"
    assert not _LEAKS.search(answer.text), answer.text
    named = [error["field"] for error in body["errors"]]
    assert set(fields) <= set(named), f"expected {fields} among {named}: {body['detail']}"
    return body


def malformed(answer: httpx.Response, *fields: str) -> dict[str, Any]:
    """A 400 that names the fields."""
    return problem(answer, "malformed", 400, *fields)


def a_source(client: httpx.Client, ledger: str, name: str = "Ministry", **more: Any) -> str:
    """A registered source; its id."""
    return made(client.post(f"{ledger}/sources", json={"name": name, "kind": "state-body", **more}))["source_id"]


def a_document(client: httpx.Client, ledger: str, *published: str | None, **more: Any) -> str:
    """A registered document with a version for each publication; its id."""
    versions = [
        {"version": n, "change": "original" if n == 1 else "update", **({"published_at": text} if text else {})}
        for n, text in enumerate(published or (None,), start=1)
    ]
    body = {"kind": "article", "title": "An article", "versions": versions, **more}
    return made(client.post(f"{ledger}/documents", json=body))["document_id"]


def an_incident(client: httpx.Client, ledger: str, **more: Any) -> str:
    """The path of an open incident."""
    answer = client.post(f"{ledger}/incidents", json={"title": "Helicopter shot down", "kind": "shootdown", **more})
    made(answer)
    return answer.headers["location"]


def killed(count: int, **more: Any) -> dict[str, Any]:
    """A claim."""
    return {"attribute": "killed", "value": {"min": count, "max": count}, **more}


def a_statement(speaker: str, **more: Any) -> dict[str, Any]:
    """The body of a statement with one claim."""
    return {"speaker": speaker, "claims": [killed(2)], **more}


def correction(statement_id: str, **more: Any) -> dict[str, Any]:
    """The body of a correction."""
    return {
        "type": "statement-corrected",
        "statement_id": statement_id,
        "error": "transcription",
        "reason": "misread",
        **more,
    }


def id_of(location: str) -> str:
    """The id at the end of a path."""
    return location.rpartition("/")[2]


def a_webhook(client: httpx.Client, ledger: str) -> str:
    """A webhook that is paused, so that nothing is sent; its id."""
    answer = client.post(f"{ledger}/webhooks", json={"url": "https://nothing.invalid/"})
    made(answer)
    paused = {"type": "webhook-paused", "reason": "nobody is there"}
    read(client.post(f"{answer.headers['location']}/revisions", json=paused))
    return id_of(answer.headers["location"])


def a_rebuild(client: httpx.Client) -> str:
    """A rebuild that has ended."""
    begun = client.post("/v1/admin/projections/name_history/rebuilds", json={"verify_only": True})
    if begun.status_code == 409:
        return a_rebuild(client)
    path = begun.headers["location"]
    wait_until(lambda: client.get(path).json()["finished_at"] is not None, "it has ended")
    return id_of(path)
