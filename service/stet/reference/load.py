"""Loads the reference incident through the HTTP API, as any client would."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from stet.errors import StetError
from stet.reference import desk, later, mi24

_TIMEOUT_S = 30
_ID = re.compile(r"\{([A-Za-z0-9_.]+)\}")
DESK = "the desk acts"
"""The step after which the views must say what the reference demands; what follows became known later."""


class Loaded(msgspec.Struct):
    """What was recorded: the ids by key, and the ledger position after each step."""

    ledger: str
    ids: dict[str, str] = {}
    positions: dict[str, int] = {}


def load_reference(url: str, ledger: str, say: Callable[[str], None], key: str | None = None) -> Loaded:
    """Records the article in a ledger of this name, step by step. Loading again finds every step done and adds nothing.

    Raises StetError with the service's own words if it refuses a step.
    """
    loaded = Loaded(ledger)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S) as client:
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
        revisions = f"{root}/incidents/{loaded.ids['I1']}/revisions"
        for key in mi24.LATE_EARLIEST:
            _post(client, loaded, f"earliest of {key}", revisions, mi24.not_before_it_happened(key))
        _name_claims(client, loaded, root)
        for step, body in desk.ASSESSMENTS:
            _post(client, loaded, step, revisions, body)
        loaded.positions[DESK] = loaded.positions[desk.ASSESSMENTS[-1][0]]
        _load_later(client, loaded, root)
    say(f"the reference incident is in ledger {ledger}: {root}/incidents/{loaded.ids['I1']}")
    return loaded


def _load_later(client: httpx.Client, loaded: Loaded, root: str) -> None:
    for key, body in later.SOURCES.items():
        _record(client, loaded, key, f"{root}/sources", body)
    for key, body in later.DOCUMENTS.items():
        _record(client, loaded, key, f"{root}/documents", body)
    for key, path, body in later.STEPS:
        put = _record if path == "statements" else _post
        put(client, loaded, key, f"{root}/incidents/{loaded.ids['I1']}/{path}", body)


def _name_claims(client: httpx.Client, loaded: Loaded, root: str) -> None:
    """The claims by statement and attribute: `s1.altitude`; further ones on the same as `s0.background.1`."""
    for key, incident, _ in mi24.V1_STATEMENTS + mi24.V2_STATEMENTS:
        path = f"{root}/incidents/{loaded.ids[incident]}/statements/{loaded.ids[key]}"
        seen: Counter[str] = Counter()
        for claim in _answered(client.get(path), 200, f"the claims of {key}").json()["claims"]:
            name = f"{key}.{claim['attribute']}"
            loaded.ids[f"{name}.{seen[name]}" if seen[name] else name] = claim["claim_id"]
            seen[name] += 1


def _record(client: httpx.Client, loaded: Loaded, key: str, path: str, body: Any) -> None:
    answer = _post(client, loaded, key, path, body)
    loaded.ids[key] = answer.headers["location"].rpartition("/")[2]


def _post(client: httpx.Client, loaded: Loaded, step: str, path: str, body: Any) -> httpx.Response:
    try:
        key = f"mi24/{step}".replace(" ", "-")
        answer = client.post(path, json=_filled(body, loaded.ids), headers={"Idempotency-Key": key})
    except httpx.HTTPError as error:
        raise StetError(f"{step}: the service at {client.base_url} does not answer: {error}") from error
    _answered(answer, 201, step)
    loaded.positions[step] = int(answer.headers["stet-position"])
    return answer


def _answered(answer: httpx.Response, status: int, step: str) -> httpx.Response:
    if answer.status_code != status:
        raise StetError(f"{step}: the service answered {answer.status_code}: {answer.text[:500]}")
    return answer


def _filled(body: Any, ids: dict[str, str]) -> Any:
    match body:
        case dict():
            return {name: _filled(value, ids) for name, value in body.items()}
        case list():
            return [_filled(item, ids) for item in body]
        case str() if "{" in body:
            return _ID.sub(lambda found: ids[found[1]], body)
        case _:
            return body
