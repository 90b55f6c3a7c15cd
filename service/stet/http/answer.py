"""Answers: the body once, with what lets it be cached, compared and cited."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

import msgspec
from litestar import Response

from stet.http.body import StetRequest
from stet.http.conditions import none_matches
from stet.queries.cut import ReadCut

T = TypeVar("T")
_ENCODER = msgspec.json.Encoder()
FOREVER = "private, max-age=31536000, immutable"


def answer(
    request: StetRequest,
    view: T,
    version: int,
    cut: ReadCut | None = None,
    *,
    query: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[T]:
    """A view as the answer to a read: 200, or 304 if the client has it.

    `query` are the parameters, beside as_of, that the permanent address of this answer needs.
    """
    body = _ENCODER.encode(view)
    all_headers = _headers(body, version, cut) | (headers or {})
    if cut is not None and "cursor" not in request.query_params:
        all_headers["content-location"] = permanent(request.url.path, cut, query)
    if none_matches(request.headers.get("if-none-match"), all_headers["etag"]):
        return cast(Response[T], Response(None, status_code=304, headers=all_headers))
    return cast(Response[T], Response(body, media_type="application/json", headers=all_headers))


def written(view: T, version: int, cut: ReadCut, *, status: int, location: str) -> Response[T]:
    """A view as the answer to a write: 201, or 200 if there was nothing to do."""
    body = _ENCODER.encode(view)
    headers = _headers(body, version, cut) | {
        "location": location,
        "content-location": permanent(location, cut),
        "cache-control": "no-store",
    }
    return cast(Response[T], Response(body, status_code=status, media_type="application/json", headers=headers))


def permanent(path: str, cut: ReadCut, query: dict[str, Any] | None = None) -> str:
    """The address that gives what the path gives at this cut, for ever."""
    parameters = {"as_of": f"position:{cut.position}"} | {k: v for k, v in (query or {}).items() if v is not None}
    return f"{path}?{urlencode(parameters, safe=':')}"


def memento(path: str, recorded_at: datetime) -> dict[str, str]:
    """The headers of RFC 7089 for an answer that shows what was known at some time."""
    return {
        "memento-datetime": format_datetime(recorded_at, usegmt=True),
        "link": f'<{path}>; rel="original timegate"',
    }


def _headers(body: bytes, version: int, cut: ReadCut | None) -> dict[str, str]:
    headers = {
        "etag": f'"{version}-{sha256(body).hexdigest()[:16]}"',
        "cache-control": FOREVER if cut and cut.final else "no-cache",
    }
    if cut:
        headers["stet-position"] = str(cut.position)
    return headers
