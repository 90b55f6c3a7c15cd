"""A ledger's log, back into a database: copied to tables of its own, then taken by `stet.restore`, which checks all."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import LiteralString
from uuid import UUID

import psycopg

from stet.codec import AnyEvent
from stet.errors import CorruptLog, NameTaken, Refused
from stet.incident.known import references
from stet.projections.prepare import build_ledger
from stet.projections.projection import Projection
from stet.projections.registry import PROJECTIONS
from stet.sql import load
from stet.store.binary import BEGIN, END, event_of
from stet.store.check import Row
from stet.store.log_file import AnswerRow, LogFile
from stet.store.verify import Progress

_HOLD_INLINE = load("hold_inline")
_FIND_LEDGER = load("find_ledger")
_COPY_EVENTS = load("copy_events")
_COPY_REFERENCES = load("copy_references")
_COPY_ANSWERS = load("copy_answers")
_RESTORE = load("restore_log")
_AT_ONCE, _BYTES = 5_000, 8 * 1024 * 1024
"""A part is full when it has so many events, or more than so many bytes."""
_INLINE = [one for one in PROJECTIONS if one.inline]


def restore_log(connection: psycopg.Connection, log: LogFile, progress: Progress = lambda *_: None) -> int:
    """Restores a ledger that is not there, with the rows of its inline projections; the number of its events.

    In one transaction: before it is committed nobody sees anything, and what is interrupted leaves nothing. The login
    must be one that may become stet_owner; the connection must not be in a transaction. Raises Malformed and CorruptLog
    as LogFile does, NameTaken where the ledger is there, and Refused where the login may not.
    """
    name = log.header.name
    try:
        with connection.transaction():
            connection.execute("SET LOCAL ROLE stet_owner")
            if connection.execute(_FIND_LEDGER, {"name": name}).fetchone():
                raise NameTaken(f"there is a ledger {name}: a log is restored only where its ledger is not")
            connection.execute(_HOLD_INLINE, {"names": [one.name for one in _INLINE]})
            connection.execute("SELECT stet.begin_restore()")
            _copy(connection, log, progress)
            for projection in _INLINE:
                _build(connection, projection, log, progress)
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused("a log is restored by a login that may become stet_owner: the one that migrates") from error
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        if error.diag.constraint_name in ("ledger_pk", "ledger_name"):
            raise NameTaken(f"the ledger {name}, or another of its id, is there") from error
        raise CorruptLog(f"the database refuses it: {str(error).partition(chr(10))[0]}") from error
    return log.header.position


def _build(connection: psycopg.Connection, projection: Projection, log: LogFile, progress: Progress) -> None:
    what, total, done = f"{log.header.name}, {projection.name}", log.header.position, 0

    def taken(events: int) -> None:
        nonlocal done
        done += events
        progress(what, done, total)

    progress(what, 0, total)
    build_ledger(connection, projection, UUID(log.header.ledger_id), taken)
    progress(what, total, total)


def _copy(connection: psycopg.Connection, log: LogFile, progress: Progress) -> None:
    """Copies all that a file has to the tables of stet.begin_restore, and has it taken."""
    id_, name, total = log.header.ledger_id, log.header.name, log.header.position
    events, done = log.events(), 0
    rows, named = _some(id_, events)
    while rows:
        progress(name, done, total)
        _copy_to(connection, _COPY_EVENTS, (b"".join((BEGIN, *rows, END)),))
        _copy_to(connection, _COPY_REFERENCES, ("".join(named).encode(),))
        done += len(rows)
        # The database checks and takes these while the next are read.
        with connection.pipeline():
            connection.execute(_RESTORE, {"ledger_id": id_, "name": name, "more": True})
            rows, named = _some(id_, events)
    _copy_to(connection, _COPY_ANSWERS, (_answer(id_, one).encode() for one in log.answers()))
    log.end()
    connection.execute(_RESTORE, {"ledger_id": id_, "name": name, "more": False})
    progress(name, total, total)


def _some(ledger_id: str, events: Iterator[tuple[Row, AnyEvent]]) -> tuple[list[bytes], set[str]]:
    """The next events as rows, and what they make their streams have to do with others."""
    rows: list[bytes] = []
    named: set[str] = set()
    size = 0
    for row, event in islice(events, _AT_ONCE):
        for target, role in references(event, row.stream):
            named.add(f"{ledger_id}\t{target}\t{_text(row.stream)}\t{role}\n")
        try:
            rows.append(event_of(ledger_id, row))
        except (ValueError, struct.error) as error:
            raise CorruptLog(f"position {row.position}: no such event can be stored: {error}") from error
        if (size := size + len(rows[-1])) > _BYTES:
            break
    return rows, named


def _copy_to(connection: psycopg.Connection, statement: LiteralString, data: Iterable[bytes]) -> None:
    with connection.cursor().copy(statement) as copying:
        for some in data:
            copying.write(some)


def _answer(ledger_id: str, row: AnswerRow) -> str:
    digest = "\\x" + row.request_digest
    return _line((ledger_id, row.actor, row.key, digest, str(row.status), row.location, str(row.position)))


def _line(values: Iterable[str]) -> str:
    """A row in the text form of COPY."""
    return "\t".join(map(_text, values)) + "\n"


def _text(value: str) -> str:
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if value.isprintable():
        return value
    return value.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
