"""What it costs to restore an exported log, against a raw COPY of the same rows into a table with the same two keys."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import psycopg

from bench.frame import Bench, Row, compared, database
from bench.importing import alone, memory
from stet.codec import SCHEMA_VERSIONS, TYPES, AnyEvent, encode
from stet.ids import new_id
from stet.incident.claim import Claim, SaidAt
from stet.incident.events import IncidentOpened, StatementRecorded
from stet.ledger.events import LedgerCreated
from stet.offline import leaf_of, payload_digest
from stet.store.check import Row as Stored
from stet.store.export import export_log
from stet.store.hashing import rfc3339
from stet.store.log_file import Header, LogFile, Trailer, Writer
from stet.store.restore import restore_log

_NAME = "restored"
_STATEMENTS = 9
_BEGAN = datetime(2020, 11, 9, 14, 30, tzinfo=UTC)
_RAW = """
CREATE TABLE raw_event (LIKE stet.event);
ALTER TABLE raw_event ADD PRIMARY KEY (ledger_id, position), ADD UNIQUE (ledger_id, stream, stream_version)
"""


def events_of(ledger_id: UUID, count: int) -> Iterator[tuple[str, int, AnyEvent]]:
    """A ledger's first event, and incidents of ten events each: nine statements of three speakers, in order."""
    yield f"ledger:{ledger_id}", 1, LedgerCreated(name=_NAME, title="Restored")
    speakers = [new_id() for _ in range(3)]
    for n in range(count // (1 + _STATEMENTS)):
        id_ = new_id()
        yield f"incident:{id_}", 1, IncidentOpened(title=f"Incident {n}", kind="shootdown", tags=("a", "b"))
        for k in range(_STATEMENTS):
            value = msgspec.Raw(msgspec.json.encode({"min": k, "max": k + n % 5}))
            at = _BEGAN + timedelta(minutes=n, hours=k)
            said = StatementRecorded(
                statement_id=new_id(),
                incidents=(id_,),
                speaker=speakers[k % 3],
                said_at=SaidAt(earliest=at, latest=at),
                verbatim="x" * 200,
                claims=(Claim(claim_id=new_id(), attribute="killed", type_="count", value=value),),
            )
            yield f"incident:{id_}", 2 + k, said


def write_log(path: Path, count: int) -> int:
    """An exported log of about so many events, an append each; how many it has."""
    ledger_id = new_id()
    events = 1 + count // (1 + _STATEMENTS) * (1 + _STATEMENTS)
    end = rfc3339(_BEGAN + timedelta(microseconds=events))
    with path.open("wb") as file:
        writer = Writer(file.write)
        writer.sealed(Header(ledger_id=str(ledger_id), name=_NAME, position=events, recorded_at=end, answers=0))
        for position, (stream, version, event) in enumerate(events_of(ledger_id, count), 1):
            payload, salt, type_ = encode(event), bytes(16), TYPES[type(event)]
            digest = payload_digest(salt, payload).hex()
            at = rfc3339(_BEGAN + timedelta(microseconds=position))
            words = (
                position,
                stream,
                version,
                str(new_id()),
                type_,
                SCHEMA_VERSIONS[type_],
                at,
                "bench",
                str(new_id()),
            )
            leaf = leaf_of(ledger_id, *words, "", digest).hex()
            writer.event(Stored(*words, None, payload.decode(), salt.hex(), digest, leaf))
        writer.sealed(Trailer(events, 0))
    return events


def restore(url: str, path: Path) -> tuple[float, float, int]:
    """The seconds until the log is taken, and until it is committed with its projections; the most memory, in bytes."""
    taken: list[float] = []

    def told(what: str, done: int, total: int) -> None:
        if ", " in what and not taken:
            taken.append(time.perf_counter())

    with path.open("rb") as file, psycopg.connect(url, client_encoding="utf8") as connection:
        began = time.perf_counter()
        restore_log(connection, LogFile(file), told)
        return taken[0] - began, time.perf_counter() - began, memory()


def raw_copy(url: str, path: Path) -> float:
    """The seconds that one COPY of rows takes, which are in a file in its text form."""
    with psycopg.connect(url) as connection, path.open("rb") as file:
        connection.execute(_RAW)
        connection.commit()
        began = time.perf_counter()
        with connection.cursor().copy("COPY raw_event FROM STDIN") as copying:
            while some := file.read(50_000):
                copying.write(some)
        connection.commit()
        took = time.perf_counter() - began
        connection.execute("DROP TABLE raw_event")
    return took


def write_rows(url: str, path: Path) -> None:
    """The rows of the log, in the text form of COPY."""
    with psycopg.connect(url) as connection, path.open("wb") as file:
        ordered = "COPY (SELECT * FROM stet.event ORDER BY position) TO STDOUT"
        with connection.cursor().copy(ordered) as copying:
            for some in copying:
                file.write(some)


def export(url: str, write: Callable[[bytes], object]) -> float:
    """The seconds of an export."""
    with psycopg.connect(url, client_encoding="utf8") as connection:
        began = time.perf_counter()
        export_log(connection, _NAME, write)
        return time.perf_counter() - began


def run(bench: Bench) -> Iterator[Row]:
    """`restore`: the log alone; `restore-all`: with the rows of the lists."""
    with tempfile.TemporaryDirectory(prefix="stet-bench-") as folder:
        log, rows = Path(folder, "log"), Path(folder, "rows")
        events = write_log(log, bench.events)
        raw, logs, whole, exports, most = [], [], [], [], 0
        with database(bench.url, "restored", migrated=True) as url:
            alone(restore, url, log)
            write_rows(url, rows)
        for _ in range(bench.rounds):
            with database(bench.url, "restored", migrated=True) as url:
                raw.append(events / raw_copy(url, rows))
                took, took_all, used = alone(restore, url, log)
                logs.append(events / took)
                whole.append(events / took_all)
                exports.append(events / export(url, lambda data: None))
                most = max(most, used)
        yield compared("restore", "the log alone; raw COPY of its rows", [*zip(logs, raw, strict=True)], target=0.5)
        yield compared("restore-all", "with the rows of the lists; raw COPY", [*zip(whole, raw, strict=True)])
        each = log.stat().st_size / events
        print(f"           {events:,} events of {each:,.0f} bytes, at most {most / 1e6:,.0f} MB of memory")
        print(f"           export: {statistics.median(exports):,.0f} events/s")
