"""What a request says about versions and repetition: If-Match, If-None-Match, Idempotency-Key, Accept-Datetime."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import sha256

from stet.errors import Malformed, Stale
from stet.handle import Context
from stet.http.access import access_of
from stet.http.body import StetRequest

_VERSION = re.compile(r'"(\d{1,18})(?:-[0-9a-f]+)?"', re.ASCII)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


async def context_of(request: StetRequest) -> Context:
    """Who asks, and on what conditions. Raises Malformed for a header that cannot be read."""
    if_match = request.headers.get("if-match")
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Malformed.at("header.Idempotency-Key", "must be 1 to 255 visible ASCII characters")
    asked = f"{request.method}\n{request.url.path}\n".encode()
    return Context(
        actor=access_of(request).actor,
        correlation_id=request.scope["state"]["request_id"],
        request_digest=sha256(asked + await request.body()).digest(),
        idempotency_key=key,
        if_match=_version(if_match),
    )


def _version(if_match: str | None) -> int | None:
    """The version that If-Match names; null = any. Only the part of the ETag before the dash is compared."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _VERSION.fullmatch(if_match.strip())
    if not found:
        raise Malformed.at("header.If-Match", 'must be one ETag as it was given, such as "7-0123abcd", or "7", or *')
    return int(found[1])


def refuse_if_match(request: StetRequest) -> None:
    """For what is yet to be created: there is no version that If-Match could name. Raises Stale."""
    if "if-match" in request.headers:
        raise Stale("If-Match names a version, and what this request creates has none")


def none_matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has this representation already (weak comparison, RFC 9110 13.1.2)."""
    if if_none_match is None:
        return False
    given = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return if_none_match.strip() == "*" or etag in given


def accept_datetime(text: str | None) -> datetime | None:
    """The instant of an Accept-Datetime header (RFC 7089): the end of its second, since it knows no finer."""
    if text is None:
        return None
    try:
        parsed = datetime.strptime(text.partition(", ")[2], "%d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError as error:
        raise Malformed.at("header.Accept-Datetime", "must be a date such as Mon, 09 Nov 2020 14:30:00 GMT") from error
    if parsed.year > 9998:
        raise Malformed.at("header.Accept-Datetime", "must lie in the years 1 to 9998")
    return parsed.replace(microsecond=999_999)
