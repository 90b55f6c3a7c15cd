"""Errors as RFC 9457 problem details: one shape for all, one line in docs/errors.md for each type.

What a client may know is in the problem; what only the operator may see (the exception, its cause, SQL) goes to
the log under the same request id.
"""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
import psycopg
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException
from psycopg_pool import PoolTimeout

from stet.errors import (
    CorruptLog,
    Cycle,
    FieldError,
    Forbidden,
    KeyReused,
    Malformed,
    Merged,
    NameTaken,
    NotAcceptable,
    NotFound,
    NotSigned,
    OtherRules,
    RateLimited,
    Refused,
    Running,
    Stale,
    StetError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownReference,
)
from stet.http.body import StetRequest
from stet.http.service import service_of

_log = logging.getLogger("stet")
_INCIDENT = re.compile(r"/incidents/[^/]+")
_ABSENT = re.compile(r"Missing required (\w+) parameter '([^']+)'")
"""What Litestar says of a parameter that must be given; it gives no list of fields then."""


class Kind(NamedTuple):
    status: int
    title: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong. `type` is stable; clients match on it."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError]
    """Every bad field, where the problem has fields."""
    request_id: str


KINDS: dict[str, Kind] = {
    Malformed.code: Kind(400, "The request is malformed"),
    Unauthenticated.code: Kind(401, "It takes a key"),
    Forbidden.code: Kind(403, "Not allowed"),
    NotFound.code: Kind(404, "There is no such thing"),
    "method-not-allowed": Kind(405, "The method is not allowed here"),
    NotAcceptable.code: Kind(406, "Not in that form"),
    Refused.code: Kind(409, "Refused by the rules of the domain"),
    NameTaken.code: Kind(409, "The name is taken"),
    UnknownReference.code: Kind(409, "It names what does not exist"),
    Running.code: Kind(409, "A rebuild has not ended"),
    OtherRules.code: Kind(409, "Made by other rules"),
    Merged.code: Kind(409, "It was merged into another incident"),
    Cycle.code: Kind(409, "It would go round in a circle"),
    Stale.code: Kind(412, "Somebody changed it meanwhile"),
    TooLarge.code: Kind(413, "The request is too large"),
    "unsupported-media-type": Kind(415, "Bodies are JSON"),
    KeyReused.code: Kind(422, "The idempotency key belongs to another request"),
    RateLimited.code: Kind(429, "Too many requests"),
    StetError.code: Kind(500, "Something is wrong with the service"),
    CorruptLog.code: Kind(500, "The log is damaged"),
    Unavailable.code: Kind(503, "The database is not available"),
    NotSigned.code: Kind(503, "It is not signed yet"),
    "timeout": Kind(503, "It took too long"),
}
"""Every problem type of the API, by its code."""
MEDIA_TYPE = "application/problem+json"


def type_uri(code: str) -> str:
    """The stable `type` of a problem. A name, not an address: docs/errors.md has its explanation."""
    return f"urn:stet:problem:{code}"


def problem(request: StetRequest, code: str, detail: str, errors: tuple[FieldError, ...] = ()) -> Response[bytes]:
    """The answer that tells a client of an error."""
    kind, masked = KINDS[code], service_of(request).door.masked
    body = Problem(
        type=type_uri(code),
        title=kind.title,
        status=kind.status,
        detail=masked(detail),
        errors=[FieldError(masked(error.field), masked(error.detail)) for error in errors],
        request_id=str(request.scope["state"].get("request_id", "")),
    )
    headers = {"cache-control": "no-store"}
    if kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = "1"
    if kind.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = 'Bearer realm="stet"'
    return Response(msgspec.json.encode(body), status_code=kind.status, media_type=MEDIA_TYPE, headers=headers)


def _log_failure(request: StetRequest, error: Exception) -> None:
    _log.error("request %s failed", request.scope["state"].get("request_id"), exc_info=error)


def on_stet_error(request: StetRequest, error: StetError) -> Response[bytes]:
    if KINDS[error.code].status >= 500:
        _log_failure(request, error)
    answer = problem(request, error.code, str(error), error.errors)
    if isinstance(error, RateLimited):
        answer.headers["retry-after"] = str(error.retry_after_s)
    return answer


def on_merged(request: StetRequest, error: Merged) -> Response[bytes]:
    """A read is sent to the survivor, with all that it asked for. A write is not: it was meant for what was there."""
    if request.method != "GET":
        return on_stet_error(request, error)
    path = _INCIDENT.sub(f"/incidents/{error.survivor}", request.url.path, count=1)
    query = request.url.query
    # A merge can be reverted, and who may see the survivor is as of today.
    headers = {"location": f"{path}?{query}" if query else path, "cache-control": "no-store"}
    return Response(b"", status_code=HTTPStatus.PERMANENT_REDIRECT, media_type="text/plain", headers=headers)


def on_validation(request: StetRequest, error: ValidationException) -> Response[bytes]:
    found: Any = error.extra if isinstance(error.extra, list) else []
    errors = tuple(
        FieldError(
            f"{_place(item.get('source'))}.{_name(request, item['key'])}" if "key" in item else "request",
            item["message"],
        )
        for item in found
    )
    if any(item.get("key") == "data" and item["message"] == "'data'" for item in found):
        errors = (FieldError("body", "is missing: this request needs a JSON body"),)
    if absent := _ABSENT.match(error.detail):
        errors = (FieldError(f"{absent[1]}.{absent[2]}", "is missing"),)
    detail = "; ".join(f"{e.field}: {e.detail}" for e in errors) or "the request cannot be read"
    return problem(request, Malformed.code, detail, errors)


def _place(source: Any) -> str:
    """`query`, `header`, `path`: Litestar gives a name, or a member of an enumeration."""
    return str(getattr(source, "value", source or "request"))


def _name(request: StetRequest, key: str) -> str:
    """What a client calls a parameter: Litestar gives the name that it has in Python."""
    parameter = request.route_handler.parsed_fn_signature.parameters.get(key)
    return getattr(parameter and parameter.kwarg_definition, "name", None) or key


def on_http_exception(request: StetRequest, error: HTTPException) -> Response[bytes]:
    match error.status_code:
        case 404:
            # Also a path parameter that is not of its type: an id that cannot exist.
            return problem(request, NotFound.code, "there is nothing at this address")
        case 405:
            answer = problem(request, "method-not-allowed", f"{request.method} is not possible here")
            answer.headers.update(error.headers or {})
            return answer
        case 413:
            limit = service_of(request).settings.body_limit
            return problem(
                request, TooLarge.code, f"the body is larger than the {limit:,} bytes that this service takes"
            )
        case 400:
            return problem(request, Malformed.code, "the request cannot be read")
        case _:
            _log_failure(request, error)
            return problem(request, StetError.code, "the service failed; the request id finds it in its log")


def on_database_error(request: StetRequest, error: Exception) -> Response[bytes]:
    if isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable):
        return problem(request, "timeout", "the database took longer than this service allows")
    _log_failure(request, error)
    if isinstance(error, psycopg.OperationalError | PoolTimeout):
        return problem(request, Unavailable.code, "the database is not available")
    return problem(request, StetError.code, "the service failed; the request id finds it in its log")


def on_any(request: StetRequest, error: Exception) -> Response[bytes]:
    _log_failure(request, error)
    return problem(request, StetError.code, "the service failed; the request id finds it in its log")


HANDLERS: dict[Any, Any] = {
    Merged: on_merged,
    StetError: on_stet_error,
    ValidationException: on_validation,
    HTTPException: on_http_exception,
    psycopg.Error: on_database_error,
    PoolTimeout: on_database_error,
    Exception: on_any,
}
