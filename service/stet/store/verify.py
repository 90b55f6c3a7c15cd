"""Checking the log against itself: density, order, digests, leaves, the table that is derived from it, and its tree."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from hashlib import blake2b
from typing import Any
from uuid import UUID

import psycopg
from msgspec import Struct

from stet.errors import CorruptLog, NotFound
from stet.incident.known import references
from stet.offline import Fault
from stet.proofs.check import TreeChecker
from stet.proofs.keys import origin_of, read_keys
from stet.sql import load
from stet.store.check import Checker, Row, row_of
from stet.store.hashing import rfc3339
from stet.store.read import HEAD

_READ_HEADS = load("read_heads")
_READ_LOG = load("read_log")
_READ_REFERENCES = load("read_references")
_READ_NODE_LEVELS = load("read_node_levels")
_READ_LEVEL = load("read_level")
_READ_SIGNED = load("read_signed")
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


def verify(
    connection: psycopg.Connection,
    ledger: str | None,
    progress: Progress = lambda *_: None,
    *,
    saved: Sequence[str] = (),
    keys: Sequence[bytes] = (),
) -> list[Report]:
    """Checks the log of one ledger, or of all, as it is at one moment; a report each, up to its first fault.

    `saved` are checkpoints that somebody kept elsewhere; `keys` the public keys that may have signed, by default those
    that the database knows. The role stet_reader suffices; the connection must not be in a transaction. Memory grows
    with the number of streams and references, not with that of events. Raises NotFound if there is no ledger of that
    name, or none that a saved checkpoint is of.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        heads = connection.execute(_READ_HEADS, {"name": ledger}).fetchall()
        if ledger is not None and not heads:
            raise NotFound(f"there is no ledger {ledger}")
        notes: dict[str, list[str]] = {origin_of(head[0]): [] for head in heads}
        for note in saved:
            if (origin := note.partition("\n")[0]) not in notes:
                raise NotFound(f"there is no ledger of which {origin[:80]} is a checkpoint")
            notes[origin].append(note)
        signers = keys or [*read_keys(connection)]
        return [_Ledger(connection, *head).report(progress, notes[origin_of(head[0])], signers) for head in heads]


class _Ledger:
    """One ledger's log, and what was seen of it so far."""

    def __init__(
        self, connection: psycopg.Connection, ledger_id: UUID, name: str, position: int | None, recorded_at: Any
    ) -> None:
        self._connection = connection
        self._id = ledger_id
        self._name = name
        self._head = (position, recorded_at)
        self._checker = Checker(str(ledger_id))
        self._checked = 0
        self._cursors = 0
        self._references: dict[bytes, bool] = {}
        """Every row of the table by its digest, and whether an event that gives it was seen."""

    def report(self, progress: Progress, saved: Sequence[str], keys: Sequence[bytes]) -> Report:
        """Reads the log to its end or to its first fault."""
        total = self._head[0] or 0
        fault = None
        try:
            with ExitStack() as stack:
                self._read(stack, progress, saved, keys)
        except (Fault, CorruptLog) as error:
            fault = str(error)
        progress(self._name, self._checked, total)
        return Report(self._name, self._checked, fault)

    def _read(self, stack: ExitStack, progress: Progress, saved: Sequence[str], keys: Sequence[bytes]) -> None:
        if self._head[0] is None:
            raise Fault("the ledger has no head")
        tree = self._tree(stack, saved, keys)
        self._references = {_digest(row): False for row in self._rows(_READ_REFERENCES)}
        for row in self._rows(_READ_LOG):
            tree.add(bytes.fromhex(self._check(row).leaf))
            if self._checked % _BATCH == 0:
                progress(self._name, self._checked, self._head[0])
        self._check_end()
        tree.end()

    def _tree(self, stack: ExitStack, saved: Sequence[str], keys: Sequence[bytes]) -> TreeChecker:
        def rows(statement: Any, **more: Any) -> Iterator[tuple[Any, ...]]:
            return stack.enter_context(closing(self._rows(statement, **more)))

        found = self._connection.execute(_READ_NODE_LEVELS, {"ledger_id": self._id}).fetchone()
        nodes = [rows(_READ_LEVEL, level=level + 1) for level in range(found[0] if found else 0)]
        return TreeChecker(origin_of(self._id), nodes, rows(_READ_SIGNED), keys, saved)

    def _rows(self, statement: Any, **more: Any) -> Generator[tuple[Any, ...], None, None]:
        # A cursor of the server: the client never holds more than one batch.
        self._cursors += 1
        with closing(self._connection.cursor(name=f"verify_{self._cursors}")) as cursor:
            cursor.itersize = _BATCH
            cursor.execute(statement, {"ledger_id": self._id, "up_to": HEAD} | more)
            yield from cursor

    def _check(self, columns: tuple[Any, ...]) -> Row:
        row = row_of(columns)
        if columns[6] is None:  # what the database writes of an infinite time
            raise Fault(f"position {row.position} was recorded at no instant")
        if self._checked >= (self._head[0] or 0):
            raise Fault(f"position {row.position} is beyond the head, which is at {self._head[0]}")
        event = self._checker.check(row)
        for reference in sorted((target, row.stream, role) for target, role in references(event, row.stream)):
            if (digest := _digest(reference)) not in self._references:
                raise Fault(f"position {row.position}: the table reference lacks {_words(reference)}")
            self._references[digest] = True
        self._checked += 1
        return row

    def _check_end(self) -> None:
        position, recorded_at = self._head
        last = self._checker.last
        if position != self._checked:
            raise Fault(f"position {self._checked + 1} is missing: the head is at {position}")
        if last and (head := rfc3339(recorded_at) if recorded_at else None) != last.recorded_at:
            raise Fault(f"position {position} was recorded at {last.recorded_at}, and the head says at {head}")
        self._checker.end()
        if not all(self._references.values()):
            for row in self._rows(_READ_REFERENCES):
                if not self._references[_digest(row)]:
                    raise Fault(f"no event up to position {position} gives the table reference {_words(row)}")


def _digest(reference: tuple[Any, ...]) -> bytes:
    return blake2b("\n".join(map(str, reference)).encode(), digest_size=16).digest()


def _words(reference: tuple[Any, ...]) -> str:
    target, stream, role = reference
    return f"{stream} {role} {target}"
