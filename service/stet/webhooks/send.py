"""One attempt: a request to an address that was checked, and what came of it. It follows nothing and keeps nothing."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Mapping

import certifi
import httpx
from msgspec import Struct

from stet import __version__
from stet.webhooks.address import NotAllowed, Target, addresses_of, look_up

WITHIN_S = 10.0
"""How long an attempt takes at most: the name, the connection, the request and the answer."""
_CONNECT_S = 4.0
_BODY_S = 2.0
_READ_BYTES = 64 * 1024
_EXCERPT = 200
_ADDRESSES = 4
_HEADERS = {
    "user-agent": f"Stet/{__version__}",
    "content-type": "application/json",
    "accept": "*/*",
    "accept-encoding": "identity",
    "connection": "close",
}


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of an attempt."""

    ms: int
    status: int | None = None
    error: str | None = None
    """Why it was not delivered; None: it was."""
    excerpt: str | None = None
    """How an answer began that said no."""
    retry_after: float = 0.0
    """What the answer asked for, in seconds."""


def make_transport(trusted: ssl.SSLContext | None = None) -> httpx.AsyncHTTPTransport:
    """What sends. No proxy, no redirect, no cookie; no connection is used twice, for the next host may have another
    name at the same address."""
    if trusted is None:
        trusted = ssl.create_default_context()
        trusted.load_verify_locations(certifi.where())
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(verify=trusted, trust_env=False, limits=limits)


async def send(
    transport: httpx.AsyncBaseTransport,
    target: Target,
    headers: Mapping[str, str],
    body: bytes,
    *,
    within_s: float = WITHIN_S,
    lookup: Callable[[str, int], list[str]] = look_up,
) -> Outcome:
    """Sends a message, once. Never raises for what the receiver does."""
    began = time.monotonic()

    def ms() -> int:
        return round((time.monotonic() - began) * 1000)

    try:
        async with asyncio.timeout(within_s):
            addresses = await addresses_of(target, within_s, lookup)
            answer = await _post(transport, target, addresses, {**_HEADERS, **headers}, body)
    except TimeoutError:
        return Outcome(ms=ms(), error=f"there was no answer within {within_s:g} s")
    except NotAllowed as error:
        return Outcome(ms=ms(), error=str(error))
    except httpx.HTTPError as error:
        return Outcome(ms=ms(), error=_one_line(f"{type(error).__name__}: {error}"))
    except OSError:
        return Outcome(ms=ms(), error="its host has no address")
    took = ms()
    text = ""
    try:
        with contextlib.suppress(TimeoutError, httpx.HTTPError):
            async with asyncio.timeout(_BODY_S):
                text = await _begin(answer)
    finally:
        await answer.aclose()
    return _judge(answer, text, took)


async def _post(
    transport: httpx.AsyncBaseTransport, target: Target, addresses: list[str], headers: dict[str, str], body: bytes
) -> httpx.Response:
    """The answer of the first address that takes a connection; its body has not been read."""
    timeout = {"connect": _CONNECT_S, "read": WITHIN_S, "write": WITHIN_S, "pool": WITHIN_S}
    chosen = addresses[:_ADDRESSES]
    for number, address in enumerate(chosen, start=1):
        request = httpx.Request(
            "POST",
            target.url.copy_with(host=address, port=target.port),
            headers={**headers, "host": target.authority},
            content=body,
            extensions={"timeout": timeout, "sni_hostname": target.host},
        )
        try:
            return await transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if number == len(chosen):
                raise
    raise OSError("there is no address")


async def _begin(answer: httpx.Response) -> str:
    """How the body begins. It is read to its end, so that the receiver is not cut off, or to the limit."""
    read, kept = 0, b""
    async for chunk in answer.aiter_raw():
        read += len(chunk)
        kept = (kept + chunk)[: 4 * _EXCERPT] if len(kept) < 4 * _EXCERPT else kept
        if read >= _READ_BYTES:
            break
    return kept.decode("utf-8", "replace")


def _judge(answer: httpx.Response, text: str, ms: int) -> Outcome:
    status = answer.status_code
    if 200 <= status < 300:
        return Outcome(ms=ms, status=status)
    wait = answer.headers.get("retry-after", "")
    return Outcome(
        ms=ms,
        status=status,
        error="it answered with a redirect, which is not followed" if 300 <= status < 400 else f"it answered {status}",
        excerpt=_one_line(text)[:_EXCERPT] or None,
        retry_after=float(wait) if wait.isascii() and wait.isdigit() and len(wait) < 9 else 0.0,
    )


def _one_line(text: str) -> str:
    """A text as a table and a log can hold it."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:500]
