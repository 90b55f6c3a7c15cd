"""Answers: the body once, with what lets it be cached, compared and cited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import urlencode

import msgspec
from litestar import Response

from stet.http.body import StetRequest
from stet.http.conditions import none_matches
from stet.http.formats import Rendered
from stet.queries.cut import ReadCut

T = TypeVar("T")
_ENCODER = msgspec.json.Encoder()
NO_STORE = {"cache-control": "no-store"}
"""Of answers that hold a secret, or that are true only now."""
_FOREVER = "private, max-age=31536000, immutable"
_OF_THE_CUT = ("as_of", "said_by", "said_match")


def answer(
    request: StetRequest,
    view: T,
    version: int,
    cut: ReadCut | None = None,
    *,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    rendered: Rendered | None = None,
) -> Response[T]:
    """A view as the answer to a read: 200, or 304 if the client has it.

    `query` are the parameters of the permanent address, where the cut's own and those of the request are not enough;
    `rendered` is the body, where it is not JSON.
    """
    made = make(request, view, version, cut, query=query, headers=headers, rendered=rendered)
    return cast(Response[T], respond(request, made))


class Made(NamedTuple):
    """What is sent, unless the client has it."""

    body: bytes
    media_type: str
    headers: dict[str, str]


def make(
    request: StetRequest,
    view: object,
    version: int,
    cut: ReadCut | None = None,
    *,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    rendered: Rendered | None = None,
) -> Made:
    """The body and the headers of the answer to a read; see `answer`."""
    body = rendered.body if rendered else _ENCODER.encode(view)
    all_headers = _headers(body, version, cut) | (headers or {})
    if cut is not None:
        all_headers["content-location"] = permanent(request, cut, query, rendered)
    return Made(body, rendered.media_type if rendered else "application/json", all_headers)


def respond(request: StetRequest, made: Made) -> Response[Any]:
    """200, or 304 if the client has it."""
    if none_matches(request.headers.get("if-none-match"), made.headers["etag"]):
        return Response(None, status_code=304, headers=made.headers)
    return Response(made.body, media_type=made.media_type, headers=made.headers)


def moved(request: StetRequest, address: str, view: object) -> Response[Any]:
    """The answer of something that is another thing: where that is, by the same query, and what it was."""
    query = request.url.query
    headers = {"location": f"{address}?{query}" if query else address, "cache-control": "no-cache"}
    return Response(_ENCODER.encode(view), status_code=308, media_type="application/json", headers=headers)


def written(view: T, version: int, cut: ReadCut, *, status: int, location: str) -> Response[T]:
    """A view as the answer to a write: 201, or 200 if there was nothing to do."""
    body = _ENCODER.encode(view)
    headers = _headers(body, version, cut) | {
        "location": location,
        "content-location": _address(location, cut.permanent),
        "cache-control": "no-store",
    }
    return cast(Response[T], Response(body, status_code=status, media_type="application/json", headers=headers))


def permanent(
    request: StetRequest, cut: ReadCut, query: dict[str, str] | None = None, rendered: Rendered | None = None
) -> str:
    """The address that gives this answer again, byte for byte, for ever. A cursor carries its cut."""
    asked = {name: value for name, value in request.query_params.items() if name not in _OF_THE_CUT}
    parameters = query if query is not None else asked if "cursor" in asked else cut.permanent | asked
    return _address(request.url.path, parameters | (rendered.parameters if rendered else {}))


def _address(path: str, parameters: dict[str, str]) -> str:
    return f"{path}?{urlencode(parameters, safe=':@,')}"


async def nothing() -> AsyncIterator[bytes]:
    """The body of an answer to HEAD, which would be made for nobody."""
    yield b""


def _headers(body: bytes, version: int, cut: ReadCut | None) -> dict[str, str]:
    headers = {
        "etag": f'"{version}-{sha256(body).hexdigest()[:16]}"',
        "cache-control": kept_for(cut) if cut else "no-cache",
    }
    if cut:
        headers["stet-position"] = str(cut.position)
    return headers


def kept_for(cut: ReadCut) -> str:
    """How long an answer may be kept. What the public sees today may be restricted tomorrow: it asks again."""
    return _FOREVER if cut.final and cut.audience == "member" else "no-cache"
