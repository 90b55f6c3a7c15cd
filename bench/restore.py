"""What it costs to restore an exported log, against a raw COPY of the same rows into a table with the same two keys."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from stet.database.migrate import migrate
from stet.store.export import export_log
from stet.store.log_file import LogFile
from stet.store.restore import restore_log

_RAW = """
CREATE TABLE raw_event (LIKE stet.event);
ALTER TABLE raw_event ADD PRIMARY KEY (ledger_id, position), ADD UNIQUE (ledger_id, stream, stream_version)
"""


@contextmanager
def another(url: str) -> Iterator[str]:
    """A migrated database beside that of the URL, which is dropped afterwards."""
    name = f"{conninfo_to_dict(url)['dbname']}_restored"
    made = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name))
    dropped = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(dropped)
        connection.execute(made)
        try:
            beside = make_conninfo(url, dbname=name)
            migrate(beside)
            yield beside
        finally:
            connection.execute(dropped)


def raw_copy(url: str, rows: list[bytes]) -> float:
    """The seconds that one COPY of the rows takes."""
    with psycopg.connect(url) as connection:
        connection.execute(_RAW)
        connection.commit()
        began = time.perf_counter()
        with connection.cursor().copy("COPY raw_event FROM STDIN") as copying:
            for at in range(0, len(rows), 50):
                copying.write(b"".join(rows[at : at + 50]))
        connection.commit()
        took = time.perf_counter() - began
        connection.execute("DROP TABLE raw_event")
    return took


def restore(url: str, exported: bytes) -> tuple[float, float]:
    """The seconds until the log is taken, and until it is committed with the rows of its projections."""
    taken: list[float] = []

    def told(what: str, done: int, total: int) -> None:
        if ", " in what and not taken:
            taken.append(time.perf_counter())

    with psycopg.connect(url, client_encoding="utf8") as connection:
        began = time.perf_counter()
        restore_log(connection, LogFile(io.BytesIO(exported)), told)
        return taken[0] - began, time.perf_counter() - began


def run(url: str, ledger_id: UUID, rounds: int) -> list[dict[str, Any]]:
    """The rows of the table."""
    exported = io.BytesIO()
    with psycopg.connect(url, client_encoding="utf8") as connection:
        began = time.perf_counter()
        header = export_log(connection, f"bench-{ledger_id}", exported.write)
        took = time.perf_counter() - began
        with connection.cursor().copy(
            "COPY (SELECT * FROM stet.event WHERE ledger_id = %s ORDER BY position) TO STDOUT", (ledger_id,)
        ) as copying:
            rows = [bytes(row) for row in copying]
    events = header.position
    print(f"export     {events:,} events: {events / took:,.0f}/s, {len(exported.getvalue()) / events:,.0f} bytes each")
    raw: list[float] = []
    logs: list[float] = []
    whole: list[float] = []
    for _ in range(rounds):
        with another(url) as beside:
            raw.append(events / raw_copy(beside, rows))
            log, all_ = restore(beside, exported.getvalue())
        logs.append(events / log)
        whole.append(events / all_)
    figures = []
    for name, found in (("restore", logs), ("restore-all", whole)):
        ratio = statistics.median(a / b for a, b in zip(found, raw, strict=True))
        value, base = statistics.median(found), statistics.median(raw)
        print(f"{name:<11} {value:,.0f} events/s   raw COPY {base:,.0f}/s   ratio {ratio:.2f}")
        figures.append({"name": name, "value": value, "baseline": base, "ratio": ratio, "rounds": rounds})
    return figures
