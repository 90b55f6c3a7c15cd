"""A ledger's log, out of the database: `stet.store.log_file` says how it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from stet.errors import CorruptLog, Malformed, NotFound
from stet.offline import Fault
from stet.sql import load
from stet.store.check import Checker, row_of
from stet.store.hashing import rfc3339
from stet.store.log_file import REDACTED_VERSION, VERSION, AnswerRow, Header, Trailer, Writer
from stet.store.verify import Progress

_FIND_LEDGER = load("find_ledger")
_SHOW_LEDGER = load("show_ledger")
_READ_HEADS = load("read_heads")
_READ_LOG = load("read_log")
_READ_ANSWERS = load("read_answers")
_COUNT_ANSWERS = load("count_answers")
_FIND_BEYOND = load("find_redaction_beyond")
_APPEND_END = load("append_end")
_BATCH = 1_000


def export_log(
    connection: psycopg.Connection,
    ledger: str,
    write: Callable[[bytes], object],
    up_to: int | None = None,
    progress: Progress = lambda *_: None,
) -> Header:
    """Writes the log of a ledger as of one moment, to its head or to the end of the append that a position is in.

    The role stet_application suffices; the connection must not be in a transaction. Memory grows with the number of
    streams, not with that of events. What is written to its end can be restored: every event is checked on the way.
    Raises NotFound, Malformed where the log ends before the position or something before it was redacted after it,
    CorruptLog, and what `write` raises.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        header = _header(connection, ledger, up_to)
        of_log = {"ledger_id": UUID(header.ledger_id), "up_to": header.position}
        writer = Writer(write)
        writer.sealed(header)
        checker = Checker(header.ledger_id)
        for columns in _rows(connection, _READ_LOG, of_log):
            row = row_of(columns)
            try:
                checker.check(row)
            except Fault as fault:
                raise CorruptLog(str(fault)) from fault
            writer.event(row)
            if row.position % _BATCH == 0 or row.position == header.position:
                progress(ledger, row.position, header.position)
        if checker.checked != header.position:
            raise CorruptLog(f"position {checker.checked + 1} is missing: the head is at {header.position}")
        _end(checker)
        for columns in _rows(connection, _READ_ANSWERS, of_log):
            writer.sealed(AnswerRow(*columns))
        writer.sealed(Trailer(header.position, header.answers))
        return header


def _header(connection: psycopg.Connection, ledger: str, up_to: int | None) -> Header:
    known = connection.execute(_FIND_LEDGER, {"name": ledger}).fetchone()
    if known is None:
        raise NotFound(f"there is no ledger {ledger}")
    connection.execute(_SHOW_LEDGER, {"ledger_id": str(known[0]), "locally": True})
    found = connection.execute(_READ_HEADS, {"name": ledger}).fetchone()
    assert found
    ledger_id, name, head, _ = found
    if up_to is not None and up_to > (head or 0):
        raise Malformed(f"the log of {ledger} ends at position {head}")
    # Never half an append.
    at = {"ledger_id": ledger_id, "position": up_to or head}
    end = connection.execute(_APPEND_END, at).fetchone()
    if end is None:
        raise CorruptLog(f"position {up_to or head} is missing")
    position, recorded_at = end
    beyond = connection.execute(_FIND_BEYOND, {"ledger_id": ledger_id, "up_to": position}).fetchone()
    assert beyond
    first, by, redacted = beyond
    if first:
        raise Malformed(f"position {first} was redacted by {by}, which proves what is left of it: export up to there")
    counted = connection.execute(_COUNT_ANSWERS, {"ledger_id": ledger_id, "up_to": position}).fetchone()
    assert counted
    return Header(
        version=REDACTED_VERSION if redacted else VERSION,
        ledger_id=str(ledger_id),
        name=name,
        position=position,
        recorded_at=rfc3339(recorded_at),
        answers=counted[0],
    )


def _end(checker: Checker) -> None:
    try:
        checker.end()
    except Fault as fault:
        raise CorruptLog(str(fault)) from fault


def _rows(
    connection: psycopg.Connection, statement: LiteralString, parameters: dict[str, Any]
) -> Iterator[tuple[Any, ...]]:
    # A cursor of the server: the client never holds more than one batch.
    with closing(connection.cursor(name="export")) as cursor:
        cursor.itersize = _BATCH
        cursor.execute(statement, parameters)
        yield from cursor
