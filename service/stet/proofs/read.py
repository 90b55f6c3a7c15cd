"""The stored hashes that proofs are made of: a few hundred, however long the log is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from stet.database.pool import Connection
from stet.errors import CorruptLog
from stet.proofs.shape import Hashes, Part, Span, spans_of
from stet.sql import load

_READ_LEAVES = load("read_leaves")
_READ_NODES = load("read_nodes")


async def read_hashes(connection: Connection, ledger_id: UUID, parts: Iterable[Part]) -> Hashes:
    """What the parts are made of. What is not stored raises CorruptLog when it is asked for."""
    found: dict[tuple[int, int], bytes] = {}
    for statement, parameters in _asked(ledger_id, parts):
        found.update(_hashes(await (await connection.execute(statement, parameters)).fetchall()))
    return _of(found)


def hashes_of(connection: psycopg.Connection, ledger_id: UUID, parts: Iterable[Part]) -> Hashes:
    """The same, for who does not serve."""
    found: dict[tuple[int, int], bytes] = {}
    for statement, parameters in _asked(ledger_id, parts):
        found.update(_hashes(connection.execute(statement, parameters).fetchall()))
    return _of(found)


def leaves_of(connection: psycopg.Connection, ledger_id: UUID, first: int, end: int) -> list[bytes]:
    """The leaves from an index up to another. Raises CorruptLog where one is missing."""
    span = Span(0, first, end)
    rows = connection.execute(_READ_LEAVES, {"ledger_id": ledger_id, "firsts": [first], "ends": [end]}).fetchall()
    return list(_of(dict(_hashes(rows)))(span))


def _asked(ledger_id: UUID, parts: Iterable[Part]) -> Iterator[tuple[LiteralString, dict[str, Any]]]:
    spans = sorted({span for part in parts for span in spans_of(part)})
    for statement, chosen in (
        (_READ_LEAVES, [span for span in spans if span.level == 0]),
        (_READ_NODES, [span for span in spans if span.level > 0]),
    ):
        if chosen:
            levels, firsts, ends = zip(*chosen, strict=True)
            parameters = {"ledger_id": ledger_id, "firsts": list(firsts), "ends": list(ends)}
            yield statement, parameters | ({"levels": list(levels)} if statement is _READ_NODES else {})


def _hashes(rows: Iterable[tuple[int, int, bytes]]) -> Iterator[tuple[tuple[int, int], bytes]]:
    for level, index, hash_ in rows:
        yield (level, index), bytes(hash_)


def _of(found: dict[tuple[int, int], bytes]) -> Hashes:
    def hashes(span: Span) -> Sequence[bytes]:
        try:
            return [found[span.level, index] for index in range(span.first, span.end)]
        except KeyError as error:
            level, index = error.args[0]
            what = f"node {index} of level {level}" if level else f"position {index + 1}"
            raise CorruptLog(f"the tree cannot be made: {what} is missing") from error

    return hashes
