"""How much room events take with all that is kept of them, against the same rows in a plain table with one key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

import psycopg

from bench.frame import Bench, Row, compared, new_ledger
from bench.importing import lines_for, publish

_RAW = """
CREATE TABLE stet.raw_event AS SELECT ledger_id, position, stream, stream_version, event_id, type, recorded_at, actor,
    correlation_id, payload FROM stet.event;
ALTER TABLE stet.raw_event ADD PRIMARY KEY (ledger_id, position)
"""
_SIZES = """
SELECT c.relname::text, pg_table_size(c.oid),
    ARRAY(SELECT (i.indexrelid::regclass::text, pg_relation_size(i.indexrelid))::text
          FROM pg_index i WHERE i.indrelid = c.oid ORDER BY pg_relation_size(i.indexrelid) DESC)
FROM pg_class c WHERE c.relnamespace = 'stet'::regnamespace AND c.relkind = 'r'
ORDER BY pg_total_relation_size(c.oid) DESC
"""


class Size(NamedTuple):
    """What a table takes, in bytes."""

    table: int
    indexes: dict[str, int]

    @property
    def whole(self) -> int:
        return self.table + sum(self.indexes.values())


def sizes(connection: psycopg.Connection) -> dict[str, Size]:
    """Of each table, the largest first."""
    found = {}
    for name, table, indexes in connection.execute(_SIZES):
        pairs = [one.strip("()").rsplit(",", 1) for one in indexes]
        found[name] = Size(table, {index.removeprefix("stet."): int(size) for index, size in pairs})
    return found


def run(bench: Bench) -> Iterator[Row]:
    """`size-event`: the log and its indexes; `size-histories`: the histories, and what they are to the log."""
    ledger_id = asyncio.run(new_ledger(bench.url))
    asyncio.run(publish(bench.url, ledger_id, lines_for(bench.events)))
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute(_RAW)
        # What an index holds for searches is written behind the rows; then it is where it stays.
        connection.execute("VACUUM")
        found = sizes(connection)
        row = connection.execute(
            "SELECT count(*), pg_total_relation_size('stet.raw_event'), avg(octet_length(payload::text))"
            " FROM stet.event"
        ).fetchone()
    assert row
    events, raw, payload = row
    print(f"           {events:,} events, payloads of {payload:,.0f} bytes; bytes of each event:")
    for name, size in found.items():
        if name == "raw_event" or size.whole < raw / 50:
            continue
        print(f"           {size.whole / events:7,.0f} {name}: table {size.table / events:,.0f}", end="")
        print("".join(f", {index} {one / events:,.0f}" for index, one in size.indexes.items() if one / events >= 1))
    histories = sum(size.whole for name, size in found.items() if name.endswith("_history"))
    each = found["event"].whole / events
    yield compared("size-event", "the log; the same rows with one key", [(each, raw / events)], unit="bytes")
    yield compared("size-histories", "the histories; the log", [(histories / events, each)], unit="bytes")
