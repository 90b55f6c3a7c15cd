"""One worker of a rebuild: its share of the streams, folded from the log, and copied beside the live tables.

A process of its own. It commits a chunk together with the name of the last stream in it, so that it can be killed at
any moment and go on; a second worker of the same share ends at its first commit.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql

from stet.database.pool import as_role
from stet.projections.advance import UNWRITABLE, Taken, park, take
from stet.projections.log import streams_of
from stet.projections.registry import projection_of
from stet.projections.target import NEW, Target, columns_of
from stet.sql import load

_CHUNK_EVENTS = 5_000
_FINISH_CHUNK = load("finish_chunk")
_READ_SHARE = load("read_share")


def copy_share(url: str, rebuild_id: UUID, worker: int, parent: int) -> None:
    """Copies what is left of a share, for as long as the parent process lives. Raises what psycopg raises."""
    with psycopg.connect(url, application_name="stet rebuild") as reading, psycopg.connect(url) as writing:
        as_role(reading, "stet_owner")
        as_role(writing, "stet_owner")
        row = writing.execute(_READ_SHARE, {"rebuild_id": rebuild_id, "worker": worker}).fetchone()
        assert row
        name, shares, ledger_id, stream, finished = row
        if finished:
            return
        target = Target(projection_of(name), NEW)
        writing.commit()
        chunk = _Chunk(writing, target, rebuild_id, worker, (ledger_id, stream))
        bases = writing.execute(
            "SELECT ledger_id, position FROM stet.checkpoint WHERE projection = %s ORDER BY ledger_id", (target.name,)
        ).fetchall()
        writing.commit()
        for base_id, position in bases:
            if ledger_id and base_id < ledger_id:
                continue
            after = stream if base_id == ledger_id else ""
            kinds = target.projection.kinds
            for found, rows in streams_of(
                reading, base_id, kinds, up_to=position, after=after or "", share=(worker, shares)
            ):
                chunk.add(base_id, found, rows)
                if os.getppid() != parent:
                    return  # whoever started this is gone, and will start another
            chunk.flush()
        chunk.finish()


class _Chunk:
    """Streams that are written together."""

    def __init__(
        self,
        connection: psycopg.Connection,
        target: Target,
        rebuild_id: UUID,
        worker: int,
        done: tuple[UUID | None, str | None],
    ) -> None:
        self._connection = connection
        self._target = target
        self._key = {"rebuild_id": rebuild_id, "worker": worker}
        self._done = done
        self._columns = {table.name: columns_of(connection, table) for table in target.projection.tables}
        self._reset()

    def _reset(self) -> None:
        self._taken: dict[str, tuple[int, Taken]] = {}
        self._events = 0
        self._next = self._done

    def add(self, ledger_id: UUID, stream: str, rows: list[tuple[Any, ...]]) -> None:
        """Folds a stream; writes the chunk where it is large enough."""
        self._taken[stream] = rows[0][0], take(self._target, rows)
        self._events += len(rows)
        self._next = ledger_id, stream
        if self._events >= _CHUNK_EVENTS:
            self.flush()

    def flush(self) -> None:
        """Writes the chunk, and how far the worker is."""
        ledger_id = self._next[0]
        if not self._events or ledger_id is None:
            return
        with self._connection.transaction():
            try:
                with self._connection.transaction():
                    self._copy(ledger_id, [taken for _, taken in self._taken.values()])
            except UNWRITABLE:
                self._copy_each(ledger_id)
            for stream, (_, taken) in self._taken.items():
                if taken.stuck:
                    park(self._connection, self._target, ledger_id, stream, *taken.stuck)
            self._move(finished=False)
        self._done = self._next
        self._reset()

    def finish(self) -> None:
        """Says that nothing is left."""
        with self._connection.transaction():
            self._move(finished=True)

    def _move(self, *, finished: bool) -> None:
        (before_id, before), (after_id, after) = self._done, self._next
        parameters = self._key | {"before_id": before_id, "before": before, "ledger_id": after_id, "stream": after}
        parameters |= {"events": self._events, "finished": finished}
        if self._connection.execute(_FINISH_CHUNK, parameters).rowcount != 1:
            raise RuntimeError("another process copies this share, or the rebuild has ended")

    def _copy_each(self, ledger_id: UUID) -> None:
        """Stream by stream: one whose rows the database refuses is parked."""
        for stream, (position, taken) in self._taken.items():
            try:
                with self._connection.transaction():
                    self._copy(ledger_id, [taken])
            except UNWRITABLE as error:
                self._taken[stream] = position, taken._replace(stuck=(position, str(error)))

    def _copy(self, ledger_id: UUID, taken: list[Taken]) -> None:
        for table in self._target.projection.tables:
            columns = self._columns[table.name]
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                self._target.table(table), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            with self._connection.cursor().copy(statement) as copying:
                for one in taken:
                    for row in one.built.rows(table.name):
                        values = [row.get(column) for column in columns]
                        values[0] = ledger_id
                        copying.write_row([_FORMS[type(value)](value) for value in values])


class _Forms(dict[type, Callable[[Any], Any]]):
    """By type, what makes of a value what COPY takes: an array by its literal, an object as JSON."""

    def __missing__(self, type_: type) -> Callable[[Any], Any]:
        if issubclass(type_, tuple):
            self[type_] = _array
        else:
            self[type_] = _json if issubclass(type_, msgspec.Struct | dict) else _same
        return self[type_]


def _array(values: tuple[Any, ...]) -> str:
    quoted = (str(one).replace("\\", "\\\\").replace('"', '\\"') for one in values)
    return "{" + ",".join(f'"{one}"' for one in quoted) + "}"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _same(value: Any) -> Any:
    return value


_FORMS = _Forms()


if __name__ == "__main__":
    # What is folded is given up whole, chunk by chunk: looking for circles in it again and again finds none.
    gc.freeze()
    gc.set_threshold(200_000)
    # Whoever started it ends it; the interrupt of a terminal reaches both.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    copy_share(os.environ["STET_DATABASE_URL"], UUID(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
