"""Takes a projection forward along a log: a batch at a time, each in one transaction with its checkpoint.

A stream that cannot be taken is parked: its position is kept, and all others go on. `retry` takes it from there.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from stet.incident.visibility import TELLING
from stet.projections.log import Rows, batch_of, decode, end_of_append, history_of
from stet.projections.projection import Built, Stuck, follow, step_all
from stet.projections.target import Diverged, OtherRelease, Target, write
from stet.redaction.events import REDACTED
from stet.sql import load

_BEGIN = load("begin_checkpoint")
_HOLD = load("hold_checkpoint")
_MOVE = load("move_checkpoint")
_PARK = load("park_stream")
_ERROR_MAX = 1_000
UNWRITABLE = (
    *(psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded),
    *(TypeError, ValueError, Diverged),
)
"""What is the fault of a row, and of its stream."""
_log = logging.getLogger("stet.projections")


class States:
    """What streams add up to, as far as they were projected; the least used are forgotten."""

    def __init__(self, events: int = 50_000) -> None:
        self._most = events
        self._events = 0
        self._found: OrderedDict[tuple[UUID, str], tuple[int, Any]] = OrderedDict()

    def get(self, ledger_id: UUID, stream: str, version: int) -> tuple[bool, Any]:
        """Whether the state at a version of a stream is known, and the state."""
        kept = self._found.get((ledger_id, stream))
        return (True, kept[1]) if kept and kept[0] == version else (False, None)

    def put(self, ledger_id: UUID, stream: str, version: int, state: Any) -> None:
        """Keeps a state; None: there is none that could be gone on from."""
        self.drop(ledger_id, stream)
        if state is None:
            return
        self._found[ledger_id, stream] = version, state
        self._events += version
        while self._events > self._most and len(self._found) > 1:
            _, (dropped, _) = self._found.popitem(last=False)
            self._events -= dropped

    def drop(self, ledger_id: UUID, stream: str) -> None:
        version, _ = self._found.pop((ledger_id, stream), (0, None))
        self._events -= version


class Taken(NamedTuple):
    """What some events of a stream lead to, as far as they could be taken."""

    state: Any
    version: int
    built: Built
    stuck: tuple[int, str] | None
    """The position that it failed at, and why."""


def advance(connection: psycopg.Connection, target: Target, ledger_id: UUID, states: States, limit: int = 1_000) -> int:
    """Takes one batch, of `limit` positions and the rest of the last append, in a transaction; how many it took.

    0: the checkpoint is at the end of the log. Two at a time wait for each other; neither takes an event twice.
    """
    key = {"projection": target.name, "ledger_id": ledger_id}
    taken: dict[str, Taken] = {}
    with connection.transaction():
        at = hold_checkpoint(connection, target, ledger_id)
        row = connection.execute("SELECT position FROM stet.head WHERE ledger_id = %s", (ledger_id,)).fetchone()
        head = int(row[0]) if row else 0
        if head <= at:
            return 0
        up_to = end_of_append(connection, ledger_id, min(head, at + limit))
        parked = {
            stream
            for (stream,) in connection.execute(
                "SELECT stream FROM stet.parked WHERE projection = %(projection)s AND ledger_id = %(ledger_id)s", key
            )
        }
        batch = batch_of(connection, ledger_id, target.projection.kinds, at, up_to)
        fresh = {stream: rows for stream, rows in batch.items() if stream not in parked}
        taken = _take_all(connection, target, ledger_id, fresh, states)
        _write_all(connection, target, ledger_id, taken, fresh)
        moved = connection.execute(_MOVE, key | {"from": at, "to": up_to}).rowcount
        if moved != 1:
            raise Diverged(f"the checkpoint of {target.name} was moved meanwhile")
    for stream, one in taken.items():
        if one.stuck:
            states.drop(ledger_id, stream)
            _log.error("%s parks %s at position %d: %s", target.name, stream, *one.stuck)
        else:
            states.put(ledger_id, stream, one.version, one.state)
    return up_to - at


def retry(connection: psycopg.Connection, target: Target, ledger_id: UUID, stream: str) -> str | None:
    """Takes a parked stream from where it failed up to the checkpoint, in one transaction.

    The error if it fails again."""
    key = {"projection": target.name, "ledger_id": ledger_id, "stream": stream}
    with connection.transaction():
        at = hold_checkpoint(connection, target, ledger_id)
        row = connection.execute(
            "SELECT position FROM stet.parked WHERE projection = %(projection)s AND ledger_id = %(ledger_id)s"
            " AND stream = %(stream)s FOR UPDATE",
            key,
        ).fetchone()
        if row is None:
            return None
        rows = history_of(connection, ledger_id, stream, at)
        left = {stream: [one for one in rows if one[0] >= row[0]]}
        taken = _take_all(connection, target, ledger_id, left, States())
        connection.execute(
            "DELETE FROM stet.parked WHERE projection = %(projection)s AND ledger_id = %(ledger_id)s"
            " AND stream = %(stream)s",
            key,
        )
        # Parks it again where it fails again.
        _write_all(connection, target, ledger_id, taken, left)
        stuck = taken[stream].stuck
        return stuck[1] if stuck else None


def hold_checkpoint(connection: psycopg.Connection, target: Target, ledger_id: UUID) -> int:
    """The checkpoint of a projection in a log, made if missing; nobody else moves it until the transaction ends.

    Raises OtherRelease where the projection is built by other rules than ours.
    """
    key = {"projection": target.name, "ledger_id": ledger_id}
    row = connection.execute(_HOLD, key).fetchone()
    if row is None:
        connection.execute(_BEGIN, key)
        row = connection.execute(_HOLD, key).fetchone()
    version = connection.execute(
        "SELECT version FROM stet.projection WHERE name = %s", (target.projection.name,)
    ).fetchone()
    if target.suffix == "" and (version is None or version[0] != target.projection.version):
        raise OtherRelease(f"{target.name} is kept by another release: upgrade this one")
    assert row
    return int(row[0])


def _take_all(
    connection: psycopg.Connection, target: Target, ledger_id: UUID, fresh: dict[str, Rows], states: States
) -> dict[str, Taken]:
    taken: dict[str, Taken] = {}
    for stream, rows in fresh.items():
        position, first = rows[0][0], rows[0][2]
        # What was seen of it may change back to its first event: then its state is of no use.
        told = any(row[4] == REDACTED or (target.projection.split and row[4] in TELLING) for row in rows)
        found, state = (True, None) if first == 1 else states.get(ledger_id, stream, first - 1)
        # One stream's history at a time: of many they would be a large part of the log.
        earlier = () if found and not told else history_of(connection, ledger_id, stream, position - 1)
        taken[stream] = take(target, rows, None if told else state, earlier)
    return taken


def take(target: Target, rows: Rows, state: Any = None, earlier: Iterable[tuple[Any, ...]] = ()) -> Taken:
    """What new events of a stream lead to, append by append, until one cannot be taken.

    They follow on a state, or on what went before.
    """
    version, stuck = rows[0][2] - 1, None
    try:
        before, left = decode(earlier), decode(rows)
    except Exception as error:
        return Taken(None, version, Built.nothing(target.projection), (rows[0][0], _said(error)))
    while left:
        try:
            if state is None:
                reached, built = follow(target.projection, before, left)
            else:
                built = Built.nothing(target.projection)
                reached = step_all(target.projection, built, left, state)
        except Exception as error:
            # Without it the audiences may see other things of the events before it: these are taken again.
            at = error.recorded_at if isinstance(error, Stuck) else left[0].recorded_at
            kept = [one for one in left if one.recorded_at < at]
            stuck = left[len(kept)].position, _said(error)
            left = kept
        else:
            return Taken(reached, left[-1].stream_version, built, stuck)
    return Taken(None, version, Built.nothing(target.projection), stuck)


def _write_all(
    connection: psycopg.Connection, target: Target, ledger_id: UUID, taken: dict[str, Taken], fresh: dict[str, Rows]
) -> None:
    """Writes what was taken: together, or, where the database refuses that, stream by stream."""
    together = Built.nothing(target.projection)
    for one in taken.values():
        together.join(one.built)
    try:
        with connection.transaction():
            write(connection, target, ledger_id, together)
    except UNWRITABLE:
        for stream, one in taken.items():
            try:
                with connection.transaction():
                    write(connection, target, ledger_id, one.built)
            except UNWRITABLE as error:
                taken[stream] = one._replace(stuck=(fresh[stream][0][0], _said(error)))
    for stream, one in taken.items():
        if one.stuck:
            park(connection, target, ledger_id, stream, *one.stuck)


def park(
    connection: psycopg.Connection, target: Target, ledger_id: UUID, stream: str, position: int, error: str
) -> None:
    """Sets a stream aside, from a position on."""
    key = {"projection": target.name, "ledger_id": ledger_id, "stream": stream}
    connection.execute(_PARK, key | {"position": position, "error": error.replace("\0", "")})


def _said(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, Stuck) else error
    return f"{type(cause).__name__}: {cause}"[:_ERROR_MAX]
