"""Answers that were given before, given again for as long as what they were made of has not grown (docs/adr/0031).

The view of an incident is made of the events of some streams, and of nothing else. A stream only grows: a label, a
merge, a redaction are events as well. So how many events those streams have, read from the log at every request, says
whether an answer still stands, whichever process appended. Who asks is found anew at every request, before this.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response
from msgspec import Struct

from stet.database.pool import Connection, Pool, of_ledger
from stet.http.access import access_of
from stet.http.answer import Made
from stet.http.body import StetRequest
from stet.http.conditions import none_matches
from stet.queries.cut import ReadCut
from stet.sql import load

_READ_GROWN = load("read_grown")
_BYTES_MAX = 64 * 1024 * 1024
_BESIDE = 2_000
"""About what is kept of an answer beside its body, in bytes."""
Asked = tuple[str, bytes, str]
"""The path and the query of a request, and whose view it gives."""


class Parts(Struct, frozen=True):
    """What an answer was made of."""

    streams: str
    """Their names, as an array of SQL."""
    events: int
    """How many they had together."""


class _Kept(Struct, frozen=True):
    """An answer, and what it was made of."""

    ledger_id: UUID
    parts: Parts
    etag: str
    body: bytes
    headers: list[tuple[bytes, bytes]]
    """But for those of a position, where that moves with the log."""
    location: tuple[str, str] | None
    """What stands around the end of the log in its permanent address; None: the cut is final."""


class Again:
    """The answers that one process has given lately, no more than a number of bytes of them."""

    def __init__(self, pool: Pool, most: int = _BYTES_MAX) -> None:
        self._pool = pool
        self._most = most
        self._kept: OrderedDict[Asked, _Kept] = OrderedDict()
        self._bytes = 0

    async def find(self, request: StetRequest) -> Response[Any] | None:
        """The answer to the request, if it was given before and still stands. Whoever asks must be admitted."""
        kept = self._kept.get(asked := _asked(request))
        if kept is None or "accept-datetime" in request.headers:
            return None
        async with of_ledger(self._pool, kept.ledger_id) as connection:
            head, events = await _grown(connection, kept.ledger_id, kept.parts.streams)
        if events != kept.parts.events:
            if self._kept.get(asked) is kept:
                self._forget(asked)
            return None
        if asked in self._kept:
            self._kept.move_to_end(asked)
        headers = kept.headers
        if kept.location:
            before, after = kept.location
            location = (b"content-location", f"{before}{head}{after}".encode())
            headers = [*headers, location, (b"stet-position", b"%d" % head)]
        if none_matches(request.headers.get("if-none-match"), kept.etag):
            return _Ready(304, headers, b"")
        length = (b"content-length", b"%d" % len(kept.body))
        return _Ready(200, [*headers, (b"content-type", b"application/json"), length], kept.body)

    def keep(self, request: StetRequest, ledger_id: UUID, cut: ReadCut, parts: Parts, made: Made) -> None:
        """Remembers an answer, unless it is of a moment that is not over yet."""
        if "accept-datetime" in request.headers or (cut.as_of is not None and not cut.final):
            return
        headers, location = dict(made.headers), None
        if not cut.final:
            seen = f"head@{cut.seen}"
            before, _, after = headers.pop("content-location").partition(seen)
            location = f"{before}head@", after
            del headers["stet-position"]
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        kept = _Kept(ledger_id, parts, made.headers["etag"], made.body, raw, location)
        self._forget(asked := _asked(request))
        self._kept[asked] = kept
        self._bytes += len(kept.body) + _BESIDE
        while self._bytes > self._most:
            self._forget(next(iter(self._kept)))

    def _forget(self, asked: Asked) -> None:
        if kept := self._kept.pop(asked, None):
            self._bytes -= len(kept.body) + _BESIDE


async def parts_of(connection: Connection, ledger_id: UUID, streams: Sequence[str]) -> Parts:
    """What an answer is made of that is made from these streams, in the same snapshot as it was."""
    names = "{" + ",".join(streams) + "}"
    _, events = await _grown(connection, ledger_id, names)
    return Parts(names, events)


async def _grown(connection: Connection, ledger_id: UUID, streams: str) -> tuple[int, int]:
    row = await (await connection.execute(_READ_GROWN, {"ledger_id": ledger_id, "streams": streams})).fetchone()
    return row or (0, 0)


def _asked(request: StetRequest) -> Asked:
    return request.scope["path"], request.scope["query_string"], access_of(request).audience


class _Ready(Response[Any]):
    """An answer whose headers and body are bytes already."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self._start = {"type": "http.response.start", "status": status, "headers": headers}
        self._body = {"type": "http.response.body", "body": body, "more_body": False}

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        return self._send

    async def _send(self, scope: Any, receive: Any, send: Any) -> None:
        await send(self._start)
        await send(self._body)
