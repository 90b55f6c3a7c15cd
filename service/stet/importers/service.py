"""What an import asks of a running service, over its API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import msgspec
from msgspec import Raw, Struct

from stet.cli.remote import ask, problem_of
from stet.errors import Malformed, NotFound, Unavailable
from stet.importers.mapped import SourceName
from stet.importers.mapping import Mapping
from stet.ledger.attributes import BUILT_IN

_PAUSES_S = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Between tries of a request that nobody answered. It carries a key, so it is done once."""
_PAGE = 1_000


class Row(Struct, frozen=True):
    """A row of the data set, as the service gives it."""

    key: str
    record: Raw


class Refused(NamedTuple):
    """Which of the lines the service refused, and why. None of them was recorded."""

    line: int
    reason: str


class Progress(NamedTuple):
    """How far a data set came, and as of which position."""

    last_seq: int | None
    """The highest number of a line."""
    last_said_at: datetime | None
    """The latest time at which it said something."""
    position: int


class Service:
    """One ledger of a running service."""

    def __init__(self, client: httpx.Client, ledger: str) -> None:
        self._client = client
        self._ledger = ledger
        self._path = f"/v1/ledgers/{ledger}"
        self._sources: dict[str, str] = {}

    def prepare(self, mapping: Mapping, say: Callable[[str], None]) -> UUID:
        """Makes what the mapping needs and the ledger lacks, the ledger among it; the id of the data set.

        Raises Malformed where the ledger has an attribute of the same name and another type or rule.
        """
        try:
            ask(self._client, "GET", self._path)
        except NotFound:
            ask(self._client, "POST", "/v1/ledgers", {"name": self._ledger, "title": self._ledger})
            say(f"made the ledger {self._ledger}")
        self._define(mapping, say)
        for source in self._items("sources"):
            for name in (source["name"], *(alias["name"] for alias in source["aliases"])):
                self._sources.setdefault(name, source["source_id"])
        known = self._sources.get(mapping.source.name)
        if known:
            return UUID(known)
        aliases = [{"name": name} for name in mapping.source.aliases]
        return UUID(self._register({"name": mapping.source.name, "kind": mapping.source.kind, "aliases": aliases}))

    def source_named(self, source: SourceName) -> str:
        """The id of the source of a name or alias; registered if there is none."""
        return self._sources.get(source.name) or self._register({"name": source.name, "kind": source.kind})

    def progress(self, source_id: UUID) -> Progress:
        """How far the data set came."""
        found = ask(self._client, "GET", f"{self._path}/records/{source_id}")
        last = found["last_said_at"]
        return Progress(found["last_seq"], datetime.fromisoformat(last) if last else None, found["cut"]["position"])

    def rows(self, source_id: UUID) -> Iterator[Row]:
        """The rows of the data set as they are, streamed."""
        decoder = msgspec.json.Decoder(Row)
        try:
            with self._client.stream("GET", f"{self._path}/records", params={"source": str(source_id)}) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise problem_of(answer)
                rest = b""
                for piece in answer.iter_bytes():
                    # Not iter_lines: a text may hold what it takes for the end of a line.
                    *lines, rest = (rest + piece).split(b"\n")
                    yield from map(decoder.decode, lines)
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._client.base_url} broke off: {error}") from error

    def publish(self, source_id: UUID, lines: Sequence[bytes], since: int | None) -> Refused | None:
        """Publishes encoded lines, all or none; None: they are recorded.

        Sending the same again does nothing, unless it is `since` another position: the rows of a table that changes
        and changes back are sent in the same words twice. Numbered lines need no position: no two are alike.
        """
        body = b'{"source_id":"' + str(source_id).encode() + b'","lines":[' + b",".join(lines) + b"]}"
        answer = self._post(f"{self._path}/records", body, f"since {since} ".encode())
        if answer.status_code < 400:
            return None
        if answer.status_code == 413 and len(lines) > 1:
            half = len(lines) // 2
            if refused := self.publish(source_id, lines[:half], since):
                return refused
            refused = self.publish(source_id, lines[half:], since)
            return refused and refused._replace(line=refused.line + half)
        if answer.status_code == 413:
            return Refused(0, "is larger than the service takes")
        if answer.status_code not in (400, 409):
            raise problem_of(answer)
        error = answer.json()["errors"][0]
        head, _, field = error["field"].removeprefix("lines[").partition("]")
        if not head.isdigit():
            raise problem_of(answer)
        return Refused(int(head), f"{field.removeprefix('.')}: {error['detail']}" if field else error["detail"])

    def _post(self, path: str, body: bytes, meant: bytes = b"") -> httpx.Response:
        headers = {"content-type": "application/json", "idempotency-key": sha256(meant + body).hexdigest()}
        for pause in _PAUSES_S:
            time.sleep(pause)
            try:
                answer = self._client.post(path, content=body, headers=headers)
            except httpx.TransportError as error:
                failure: Exception = error
                continue
            if answer.status_code != 503:
                return answer
            failure = problem_of(answer)
        raise Unavailable(f"{self._client.base_url} does not answer: {failure}; the next import goes on") from failure

    def _register(self, body: dict[str, Any]) -> str:
        answer = self._post(f"{self._path}/sources", msgspec.json.encode(body))
        if answer.status_code >= 400:
            raise problem_of(answer)
        source_id: str = answer.json()["source_id"]
        self._sources[body["name"]] = source_id
        return source_id

    def _define(self, mapping: Mapping, say: Callable[[str], None]) -> None:
        there = {
            one["name"]: (one["type"], one["rule"])
            for one in ask(self._client, "GET", f"{self._path}/attributes")["items"]
        }
        for index, attribute in enumerate(mapping.attributes):
            if attribute.name in BUILT_IN:
                continue
            if attribute.name not in there:
                ask(self._client, "POST", f"{self._path}/attributes", msgspec.to_builtins(attribute))
                say(f"defined the attribute {attribute.name}")
            elif there[attribute.name] != (attribute.type_, attribute.rule):
                type_, rule = there[attribute.name]
                what = f"the ledger's {attribute.name} is of type {type_} and rule {rule}: name it otherwise"
                raise Malformed.at(f"attributes[{index}]", what)

    def _items(self, what: str) -> Iterator[dict[str, Any]]:
        cursor = ""
        while True:
            page = ask(self._client, "GET", f"{self._path}/{what}?limit={_PAGE}{cursor}")
            yield from page["items"]
            if not page["next_cursor"]:
                return
            cursor = f"&cursor={page['next_cursor']}"
