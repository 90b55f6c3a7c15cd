"""The service, asked within this process: for commands that need what it answers, and no port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from stet.errors import Unavailable
from stet.http.app import create_app
from stet.http.door import Door
from stet.settings import Settings

_WAITING = 2
"""How many pieces of an answer wait for their reader."""


@asynccontextmanager
async def service_here(database_url: str, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service of its own, without a port. Raises Unavailable where the service does not start."""
    app = create_app(database_url, settings, Door(settings, keyless=True))
    told: asyncio.Queue[Any] = asyncio.Queue()
    heard: asyncio.Queue[Any] = asyncio.Queue()
    lifespan = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    running = asyncio.create_task(app(lifespan, told.get, heard.put))
    await told.put({"type": "lifespan.startup"})
    begun = await heard.get()
    if begun["type"] != "lifespan.startup.complete":
        raise Unavailable(f"the service did not start: {begun.get('message', '')[-500:].strip()}")
    try:
        async with httpx.AsyncClient(transport=_Here(app), base_url="http://localhost", timeout=None) as client:  # noqa: S113
            yield client
    finally:
        await told.put({"type": "lifespan.shutdown"})
        await running


class _Here(httpx.AsyncBaseTransport):
    """Gives an answer piece by piece as the application makes it: httpx's own transport first holds all of it."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        messages: asyncio.Queue[Any] = asyncio.Queue(_WAITING)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.url.path,
            "raw_path": request.url.raw_path.partition(b"?")[0],
            "query_string": request.url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": ("127.0.0.1", 0),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        asked = False

        async def receive() -> Any:
            nonlocal asked
            if asked:
                await asyncio.Event().wait()
            asked = True
            return {"type": "http.request", "body": await request.aread(), "more_body": False}

        async def answer() -> None:
            try:
                await self._app(scope, receive, messages.put)
            except Exception as error:
                await messages.put(error)

        task = asyncio.create_task(answer())
        begun = await messages.get()
        if isinstance(begun, Exception):
            raise httpx.ReadError(str(begun)) from begun
        return httpx.Response(begun["status"], headers=begun["headers"], stream=_Body(messages, task))


class _Body(httpx.AsyncByteStream):
    def __init__(self, messages: asyncio.Queue[Any], task: asyncio.Task[None]) -> None:
        self._messages = messages
        self._task = task

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._messages.get()
            if isinstance(message, Exception):
                raise httpx.ReadError(str(message)) from message
            yield message["body"]
            more = message.get("more_body", False)

    async def aclose(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
