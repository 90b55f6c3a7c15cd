"""Lines on their way to a service: in chunks, each recorded whole or not at all; what is refused goes to a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from stet.errors import Malformed
from stet.importers.mapped import Mapped, MappedClaim, SourceName
from stet.importers.service import Service

_LINES, _BYTES = 200, 1_000_000


class Reject(Struct, frozen=True):
    """A line that did not come in: a line of the rejects file."""

    line: int
    reason: str
    content: str


class Rejects:
    """The file of the lines that did not come in. It is only made if there is one, and grows by what it lacks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._known: set[tuple[int, str]] = set()
        self._file: IO[bytes] | None = None
        try:
            if path.exists():
                with path.open("rb") as file:
                    found = (msgspec.json.decode(line, type=Reject) for line in file)
                    self._known = {(one.line, one.reason) for one in found}
        except (OSError, msgspec.MsgspecError) as error:
            what = f"{path} cannot be read as a file of rejects ({error}): name another, or remove it"
            raise Malformed.at("--rejects", what) from error

    def add(self, line: int, reason: str, content: bytes) -> None:
        """Adds a line, unless an earlier run has."""
        self.count += 1
        if (line, reason) in self._known:
            return
        self._known.add((line, reason))
        try:
            self._file = self._file or self.path.open("ab")
            text = content.decode("utf-8", "backslashreplace")
            self._file.write(msgspec.json.encode(Reject(line, reason, text)) + b"\n")
            self._file.flush()
        except OSError as error:
            raise Malformed.at("--rejects", f"{self.path} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        if self._file:
            self._file.close()


class _Waiting(NamedTuple):
    number: int
    content: bytes
    body: bytes


class Publisher:
    """Sends lines in their order."""

    def __init__(
        self, service: Service, source_id: UUID, rejects: Rejects, done: Callable[[int], None], since: int | None
    ) -> None:
        self.counts: Counter[str] = Counter()
        """How many lines of each sort came in."""
        self.rejects = rejects
        self._service = service
        self._source_id = source_id
        self._since = since
        self._waiting: list[_Waiting] = []
        self._bytes = 0
        self._done = done

    def row(
        self, number: int, content: bytes, record: dict[str, Any], mapped: Mapped, said_at: str | dict[str, Any]
    ) -> None:
        """Publishes a row."""
        body = {
            "record": record,
            "said_at": mapped.said_at or said_at,
            "title": mapped.title,
            "kind": mapped.kind,
            "tags": mapped.tags,
            "claims": [self._claim(claim) for claim in mapped.claims],
        }
        self._send(number, content, body)

    def gone(self, number: int, content: bytes, record: dict[str, Any], said_at: str | dict[str, Any]) -> None:
        """Takes a row back."""
        self._send(number, content, {"record": record | {"value": None}, "said_at": said_at})

    def flush(self) -> None:
        """Sends what is waiting; then it is recorded, or among the rejects."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        if waiting:
            self._publish(waiting)
            self._done(waiting[-1].number)

    def _publish(self, lines: list[_Waiting]) -> None:
        while lines:
            refused = self._service.publish(self._source_id, [one.body for one in lines], self._since)
            if refused is None:
                return
            bad = lines[refused.line]
            self.rejects.add(bad.number, refused.reason, bad.content)
            # What stands before the bad one is right, and need not be looked at again and again.
            self._publish(lines[: refused.line])
            lines = lines[refused.line + 1 :]

    def _send(self, number: int, content: bytes, body: dict[str, Any]) -> None:
        encoded = msgspec.json.encode(body)
        if self._bytes + len(encoded) > _BYTES:
            self.flush()
        self._waiting.append(_Waiting(number, content, encoded))
        self._bytes += len(encoded)
        if len(self._waiting) >= _LINES:
            self.flush()

    def _claim(self, claim: MappedClaim) -> dict[str, Any]:
        value = claim.value
        if isinstance(value, SourceName):
            value = {"source_id": self._service.source_named(value)}
        given = {name: getattr(claim, name) for name in claim.__struct_fields__ if name != "value"}
        return {name: one for name, one in given.items() if one is not None} | {"value": value}


def record_of(key: str, value: bytes, seq: int | None = None, rev: str | None = None) -> dict[str, Any]:
    """The record of a line, as the API takes it."""
    made: dict[str, Any] = {"key": key, "value": Raw(value)}
    return made | ({} if seq is None else {"seq": seq}) | ({} if rev is None else {"rev": rev})


def instant(at: datetime) -> str:
    """A moment as the API takes it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
