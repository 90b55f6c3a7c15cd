"""Loads the reference incident through the HTTP API, as any client would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from stet.errors import StetError
from stet.reference import mi24

_TIMEOUT_S = 30


class Loaded(msgspec.Struct):
    """What was recorded: the ids by key, and the ledger position after each step."""

    ledger: str
    ids: dict[str, str] = {}
    positions: dict[str, int] = {}


def load_reference(url: str, ledger: str, say: Callable[[str], None]) -> Loaded:
    """Records the article in a ledger of this name, step by step. Loading again finds every step done and adds nothing.

    Raises StetError with the service's own words if it refuses a step.
    """
    loaded = Loaded(ledger)
    with httpx.Client(base_url=url, timeout=_TIMEOUT_S) as client:
        root = f"/v1/ledgers/{ledger}"
        _post(client, loaded, "ledger", "/v1/ledgers", {"name": ledger, "title": "The reference incident"})
        for key, body in mi24.SOURCES.items():
            _record(client, loaded, key, f"{root}/sources", body)
        for key, body in mi24.DOCUMENTS.items():
            _record(client, loaded, key, f"{root}/documents", body)
        for key, body in mi24.INCIDENTS.items():
            _record(client, loaded, key, f"{root}/incidents", body)
        for key, incident, body in mi24.V1_STATEMENTS:
            _record(client, loaded, key, f"{root}/incidents/{loaded.ids[incident]}/statements", body)
        article = f"{root}/documents/{loaded.ids['D1']}/revisions"
        _post(client, loaded, "D1 v2", article, mi24.UPDATE)
        for key, incident, body in mi24.V2_STATEMENTS:
            _record(client, loaded, key, f"{root}/incidents/{loaded.ids[incident]}/statements", body)
        _post(client, loaded, "D on D1", article, mi24.PUBLISHED)
        for key in mi24.LATE_EARLIEST:
            path = f"{root}/incidents/{loaded.ids['I1']}/revisions"
            _post(client, loaded, f"earliest of {key}", path, mi24.not_before_it_happened(key))
    say(f"the reference incident is in ledger {ledger}: {root}/incidents/{loaded.ids['I1']}")
    return loaded


def _record(client: httpx.Client, loaded: Loaded, key: str, path: str, body: Any) -> None:
    answer = _post(client, loaded, key, path, body)
    loaded.ids[key] = answer.headers["location"].rpartition("/")[2]


def _post(client: httpx.Client, loaded: Loaded, step: str, path: str, body: Any) -> httpx.Response:
    try:
        key = f"mi24/{step}".replace(" ", "-")
        answer = client.post(path, json=_filled(body, loaded.ids), headers={"Idempotency-Key": key})
    except httpx.HTTPError as error:
        raise StetError(f"{step}: the service at {client.base_url} does not answer: {error}") from error
    if answer.status_code != 201:
        raise StetError(f"{step}: the service answered {answer.status_code}: {answer.text[:500]}")
    loaded.positions[step] = int(answer.headers["stet-position"])
    return answer


def _filled(body: Any, ids: dict[str, str]) -> Any:
    match body:
        case dict():
            return {name: _filled(value, ids) for name, value in body.items()}
        case list():
            return [_filled(item, ids) for item in body]
        case str() if "{" in body:
            return body.format_map(ids)
        case _:
            return body
