"""What is around every request: an id, HEAD, the security headers, and one access line."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import msgspec

from stet.http.limits import Left
from stet.ids import new_id

_access = logging.getLogger("stet.access")
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    ),
]


# A browser that has once come by TLS comes by nothing else for a year. Without TLS it would not heed it.
_BY_TLS = (b"strict-transport-security", b"max-age=31536000")


def _of_the_asker(scope: Any, limit: Left | None) -> list[tuple[bytes, bytes]]:
    """What depends on who asks, and how."""
    headers = [_BY_TLS] if scope["scheme"] == "https" else []
    if scope["path"].lstrip("/").startswith("v1/"):
        headers.append((b"vary", b"authorization"))
    if limit:
        headers += [(name.encode(), value.encode()) for name, value in limit.headers().items()]
    return headers


class Shell:
    """Wraps the application. The path is logged, the query is not: it may hold what nobody should read in a log."""

    def __init__(self, app: Any, stopping: Callable[[], None] = lambda: None, send_timeout_s: float = 30.0) -> None:
        self._app = app
        self.stopping = stopping
        """To be called when the process is asked to stop: what is sent for as long as a client listens ends."""
        self._send_timeout_s = send_timeout_s

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, started, status, given_up = new_id(), time.perf_counter(), 500, False
        head = scope["method"] == "HEAD"
        # A copy for the application: the server must go on knowing that no body belongs to this answer.
        inner = {**scope, "method": "GET" if head else scope["method"]}
        inner["state"] = {**scope.get("state", {}), "request_id": request_id, "head": head}

        async def send_with_headers(message: dict[str, Any]) -> None:
            nonlocal status, given_up
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message["headers"], *_SECURITY, (b"x-request-id", str(request_id).encode())]
                headers += _of_the_asker(scope, inner["state"].get("limit"))
                message = {**message, "headers": headers}
            elif head and message["type"] == "http.response.body":
                message = {"type": "http.response.body", "body": b"", "more_body": message["more_body"]}
            if not message.get("more_body"):
                await send(message)
                return
            try:
                await asyncio.wait_for(send(message), self._send_timeout_s)
            except TimeoutError:
                given_up = True
                raise

        try:
            await self._app(inner, receive, send_with_headers)
        except Exception:
            # A client that does not read what it asked for is no fault of ours, and the line below says how long.
            if not given_up:
                raise
        finally:
            line: dict[str, Any] = {
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "ms": round((time.perf_counter() - started) * 1000, 1),
                "request_id": request_id,
            }
            _access.info(msgspec.json.encode(line).decode())
