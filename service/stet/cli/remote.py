"""What commands ask of a running service."""

from __future__ import annotations

from typing import Any

import httpx

from stet.errors import Malformed, NotFound, StetError, Unavailable


def ask(client: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    """The answer's JSON. Raises what a problem says: Malformed and NotFound by themselves, else StetError."""
    try:
        answer = client.request(method, path, json=body)
    except httpx.HTTPError as error:
        raise Unavailable(f"{client.base_url} cannot be reached: {error}") from error
    if answer.status_code < 400:
        return answer.json()
    raise problem_of(answer)


def problem_of(answer: httpx.Response) -> StetError:
    """The error that a problem tells of; the body must have been read."""
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, LookupError, TypeError):
        detail = f"{answer.request.url} answered {answer.status_code}, and is no service of ours"
    return {400: Malformed, 404: NotFound}.get(answer.status_code, StetError)(detail)
