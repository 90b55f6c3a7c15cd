"""A ledger's log, back into a database: copied to tables of its own, then taken by `stet.restore`, which checks all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import LiteralString
from uuid import UUID

import psycopg
from msgspec import UNSET

from stet.codec import AnyEvent
from stet.errors import CorruptLog, NameTaken, Refused
from stet.incident.known import references
from stet.projections.prepare import build_ledger
from stet.projections.projection import Projection
from stet.projections.registry import PROJECTIONS
from stet.sql import load
from stet.store.check import Row
from stet.store.log_file import AnswerRow, LogFile
from stet.store.verify import Progress

_HOLD_INLINE = load("hold_inline")
_FIND_LEDGER = load("find_ledger")
_COPY_EVENTS = load("copy_events")
_COPY_REFERENCES = load("copy_references")
_COPY_ANSWERS = load("copy_answers")
_RESTORE = load("restore_log")
_CHUNK = 10_000
_ROWS_AT_ONCE = 50
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
            connection.execute(_RESTORE, {"ledger_id": log.header.ledger_id, "name": name})
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
    """Copies all that a file has to the tables of stet.begin_restore."""
    id_, name, total = log.header.ledger_id, log.header.name, log.header.position
    events = log.events()
    for done in range(0, total, _CHUNK):
        progress(name, done, total)
        named: set[tuple[str, str, str, str]] = set()
        _copy_to(connection, _COPY_EVENTS, _events(id_, islice(events, _CHUNK), named))
        _copy_to(connection, _COPY_REFERENCES, map(_line, named))
    _copy_to(connection, _COPY_ANSWERS, (_answer(id_, one) for one in log.answers()))
    log.end()
    progress(name, total, total)


def _copy_to(connection: psycopg.Connection, statement: LiteralString, lines: Iterable[str]) -> None:
    left = iter(lines)
    with connection.cursor().copy(statement) as copying:
        while some := "".join(islice(left, _ROWS_AT_ONCE)):
            copying.write(some)


def _events(
    ledger_id: str, events: Iterable[tuple[Row, AnyEvent]], named: set[tuple[str, str, str, str]]
) -> Iterator[str]:
    """The events as rows; what they make their streams have to do with others is added to `named`."""
    for row, event in events:
        named.update((ledger_id, target, row.stream, role) for target, role in references(event, row.stream))
        yield _event(ledger_id, row)


def _event(ledger_id: str, row: Row) -> str:
    # What has no characters to be escaped is not looked at: were it forged, its leaf would be another in the database.
    cause = row.causation_id or "\\N"
    redacted_by = "\\N" if row.redacted_by is UNSET else row.redacted_by
    return (
        f"{ledger_id}\t{row.position}\t{_text(row.stream)}\t{row.stream_version}\t{row.event_id}\t{_text(row.type_)}"
        f"\t{row.schema_version}\t{row.recorded_at}\t{_text(row.actor)}\t{row.correlation_id}\t{cause}"
        f"\t{_text(row.payload)}\t\\\\x{row.salt}\t\\\\x{row.payload_digest}\t\\\\x{row.leaf}\t{redacted_by}\n"
    )


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
