"""Checking the log against itself: density, order, digests, leaves, and the table that is derived from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from msgspec import Struct

from stet.codec import decode
from stet.errors import CorruptLog, NotFound
from stet.incident.known import references
from stet.sql import load
from stet.store.hashing import leaf, payload_digest

_READ_HEADS = load("read_heads")
_READ_LOG = load("read_log")
_READ_REFERENCES = load("read_references")
_BATCH = 1_000

Progress = Callable[[str, int, int], None]
"""Is told the ledger, how many of its events were checked, and how many there are."""


class Report(Struct, frozen=True):
    """What was found in one ledger's log."""

    ledger: str
    events: int
    """How many were checked and found to be right."""
    fault: str | None
    """The first fault, with its position; None: there is none."""


class _Row(NamedTuple):
    position: int
    stream: str
    stream_version: int
    event_id: UUID
    type_: str
    schema_version: int
    recorded_at: Any
    actor: str
    correlation_id: UUID
    causation_id: UUID | None
    payload: str
    salt: bytes
    payload_digest: bytes
    leaf: bytes


class _Fault(Exception):
    """The first thing that is wrong with a log."""


def verify(connection: psycopg.Connection, ledger: str | None, progress: Progress = lambda *_: None) -> list[Report]:
    """Checks the log of one ledger, or of all, as it is at one moment; a report each, up to its first fault.

    The role stet_reader suffices; the connection must not be in a transaction. Memory grows with the number of
    streams and references, not with that of events. Raises NotFound if there is no ledger of that name.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        heads = connection.execute(_READ_HEADS, {"name": ledger}).fetchall()
        if ledger is not None and not heads:
            raise NotFound(f"there is no ledger {ledger}")
        return [_Ledger(connection, *head).report(progress) for head in heads]


class _Ledger:
    """One ledger's log, and what was seen of it so far."""

    def __init__(
        self, connection: psycopg.Connection, ledger_id: UUID, name: str, position: int | None, recorded_at: Any
    ) -> None:
        self._connection = connection
        self._id = ledger_id
        self._name = name
        self._head = (position, recorded_at)
        self._last: _Row | None = None
        self._checked = 0
        self._versions: dict[str, int] = {}
        self._references: dict[bytes, bool] = {}
        """Every row of the table by its digest, and whether an event that gives it was seen."""

    def report(self, progress: Progress) -> Report:
        """Reads the log to its end or to its first fault."""
        total = self._head[0] or 0
        fault = None
        try:
            if self._head[0] is None:
                raise _Fault("the ledger has no head")
            self._references = {_digest(row): False for row in self._rows(_READ_REFERENCES)}
            for row in map(_Row._make, self._rows(_READ_LOG)):
                self._check(row)
                self._last = row
                self._checked += 1
                if self._checked % _BATCH == 0:
                    progress(self._name, self._checked, total)
            self._check_end()
        except (_Fault, CorruptLog) as error:
            fault = str(error)
        except psycopg.DataError as error:  # such as an infinite timestamp
            fault = f"a row after position {self._checked} cannot be read: {str(error).partition(chr(10))[0]}"
        progress(self._name, self._checked, total)
        return Report(self._name, self._checked, fault)

    def _rows(self, statement: Any) -> Iterator[tuple[Any, ...]]:
        # A cursor of the server: the client never holds more than one batch.
        with closing(self._connection.cursor(name="verify")) as cursor:
            cursor.itersize = _BATCH
            cursor.execute(statement, {"ledger_id": self._id})
            yield from cursor

    def _check(self, row: _Row) -> None:
        at = f"position {row.position}"
        if row.position != (expected := self._checked + 1):
            raise _Fault(f"position {expected} is missing: the next is {row.position}")
        if row.position > (self._head[0] or 0):
            raise _Fault(f"{at} is beyond the head, which is at {self._head[0]}")
        self._check_order(row, at)
        if row.stream_version != (version := self._versions.get(row.stream, 0) + 1):
            raise _Fault(f"{at}: {row.stream} should be at version {version}, and is at {row.stream_version}")
        self._versions[row.stream] = version
        self._check_hashes(row, at)
        event = decode(row.type_, row.schema_version, row.payload, row.position)
        for reference in sorted((target, row.stream, role) for target, role in references(event)):
            if (digest := _digest(reference)) not in self._references:
                raise _Fault(f"{at}: the table reference lacks {_words(reference)}")
            self._references[digest] = True

    def _check_order(self, row: _Row, at: str) -> None:
        if (last := self._last) is None:
            return
        if row.recorded_at < last.recorded_at:
            raise _Fault(
                f"{at} was recorded at {row.recorded_at.isoformat()}, before the one in front of it, "
                f"at {last.recorded_at.isoformat()}"
            )
        if row.recorded_at == last.recorded_at and row.correlation_id != last.correlation_id:
            raise _Fault(f"{at} was recorded at the same time as the append in front of it, which is another")

    def _check_hashes(self, row: _Row, at: str) -> None:
        digest = payload_digest(row.salt, row.payload.encode())
        if digest != row.payload_digest:
            raise _Fault(f"{at}: the payload's digest should be {row.payload_digest.hex()}, and is {digest.hex()}")
        computed = leaf(
            ledger_id=self._id,
            position=row.position,
            stream=row.stream,
            stream_version=row.stream_version,
            event_id=row.event_id,
            type_=row.type_,
            schema_version=row.schema_version,
            recorded_at=row.recorded_at,
            actor=row.actor,
            correlation_id=row.correlation_id,
            causation_id=row.causation_id,
            payload_digest=row.payload_digest,
        )
        if computed != row.leaf:
            raise _Fault(f"{at}: the leaf should be {row.leaf.hex()}, and is {computed.hex()}")

    def _check_end(self) -> None:
        position, recorded_at = self._head
        if position != self._checked:
            raise _Fault(f"position {self._checked + 1} is missing: the head is at {position}")
        if self._last and recorded_at != self._last.recorded_at:
            raise _Fault(
                f"position {position} was recorded at {self._last.recorded_at.isoformat()}, "
                f"and the head says at {recorded_at.isoformat() if recorded_at else None}"
            )
        if not all(self._references.values()):
            for row in self._rows(_READ_REFERENCES):
                if not self._references[_digest(row)]:
                    raise _Fault(f"no event up to position {position} gives the table reference {_words(row)}")


def _digest(reference: tuple[Any, ...]) -> bytes:
    return blake2b("\n".join(map(str, reference)).encode(), digest_size=16).digest()


def _words(reference: tuple[Any, ...]) -> str:
    target, stream, role = reference
    return f"{stream} {role} {target}"
