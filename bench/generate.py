"""`python -m bench.generate FILE`: the log of a large ledger, always the same bytes for the same number of incidents.

Ten simulated years of a monitor's work, as an exported log that `stet import log` takes: about ten events an incident,
most of them soon after it was opened, some of them years later. `bench.lives` has what happens to one.
"""

from __future__ import annotations

import argparse
import heapq
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from uuid import UUID

import psycopg

from bench.lives import Append, World, life, uuid_at
from stet.codec import SCHEMA_VERSIONS, TYPES, AnyEvent, encode
from stet.database.migrate import migrate
from stet.document.events import DocumentRegistered, Version
from stet.ledger.events import LedgerAmended, LedgerCreated
from stet.offline import leaf_of
from stet.source.events import SourceRegistered
from stet.store.check import Row
from stet.store.hashing import rfc3339
from stet.store.log_file import Header, LogFile, Trailer, Writer
from stet.store.restore import restore_log

EVENTS_EACH = 10
NAME = "monitor"
_BEGAN, _YEAR = datetime(2015, 1, 1, tzinfo=UTC), timedelta(days=365.25)
ENDED = _BEGAN + 10 * _YEAR
_OPENING = 9 * _YEAR
"""Incidents are opened for nine years, and revised for ten."""
_SOURCES, _DOCUMENTS = 400, 200
_SEED = 20201109


class _Log:
    """Gives positions, versions, ids and hashes to what is appended, as the database does."""

    def __init__(self, rng: Random) -> None:
        self.ledger_id = uuid_at(rng, _BEGAN)
        self.position = 0
        self._rng = rng
        self._versions: dict[str, int] = {}
        self._at = _BEGAN

    def rows(self, append: Append) -> Iterator[Row]:
        """The rows of one append."""
        self._at = max(append.at, self._at + timedelta(microseconds=1))
        recorded_at, correlation = rfc3339(self._at), str(uuid_at(self._rng, self._at))
        for event in append.events:
            yield self._row(append.stream, event, recorded_at, append.actor, correlation)

    def _row(self, stream: str, event: AnyEvent, recorded_at: str, actor: str, correlation: str) -> Row:
        self.position += 1
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        type_ = TYPES[type(event)]
        payload, salt = encode(event), self._rng.randbytes(16)
        digest = sha256(salt + payload).hexdigest()
        words = (self.position, stream, version, str(uuid_at(self._rng, self._at)), type_, SCHEMA_VERSIONS[type_])
        leaf = leaf_of(self.ledger_id, *words, recorded_at, actor, correlation, "", digest).hex()
        return Row(*words, recorded_at, actor, correlation, None, payload.decode(), salt.hex(), digest, leaf)


def write_log(
    incidents: int, write: Callable[[bytes], object], said: Callable[[int], None] = lambda position: None
) -> None:
    """Writes the log of so many incidents, of exactly ten times as many events. Memory grows with the incidents."""
    rng, last = Random(_SEED), EVENTS_EACH * incidents
    log, writer = _Log(rng), Writer(write)
    header = Header(ledger_id=str(log.ledger_id), name=NAME, position=last, recorded_at=rfc3339(ENDED), answers=0)
    writer.sealed(header)
    for append in _appends(rng, log.ledger_id, incidents):
        if log.position + len(append.events) >= last:
            break
        for row in log.rows(append):
            writer.event(row)
        if log.position % 10_000 == 0:
            said(log.position)
    # The header names the last moment: it is known before there is a log.
    told = tuple(LedgerAmended(title="Ten years", reason="the last day") for _ in range(last - log.position))
    for row in log.rows(Append(ENDED, f"ledger:{log.ledger_id}", told, "desk")):
        writer.event(row)
    assert log.position == last, "too little has happened"
    writer.sealed(Trailer(last, 0))


def _appends(rng: Random, ledger_id: UUID, incidents: int) -> Iterator[Append]:
    """All that happens, in the order of time."""
    created = LedgerCreated(name=NAME, title="A monitor", public=True)
    yield Append(_BEGAN, f"ledger:{ledger_id}", (created,), "owner")
    world = World(
        rng, [uuid_at(rng, _BEGAN) for _ in range(_SOURCES)], [uuid_at(rng, _BEGAN) for _ in range(_DOCUMENTS)]
    )
    for n, id_ in enumerate(world.sources):
        registered = SourceRegistered(name=f"{world.name(n)} {n}", kind="outlet" if n % 3 else "state-body")
        yield Append(_BEGAN, f"source:{id_}", (registered,), "desk")
    for n, id_ in enumerate(world.documents):
        versions = (Version(version=1, change="original"),)
        document = DocumentRegistered(kind="article", title=f"{world.name(n)} report {n}", versions=versions)
        yield Append(_BEGAN, f"document:{id_}", (document,), "desk")
    waiting: list[tuple[datetime, int, Append, Iterator[Append]]] = []
    for n in range(incidents):
        opened_at = _BEGAN + _OPENING * ((n + rng.random()) / incidents)
        while waiting and waiting[0][0] < opened_at:
            yield from _next(waiting)
        lived = life(world, n, opened_at, ENDED)
        first = next(lived)
        heapq.heappush(waiting, (first.at, n, first, lived))
    while waiting:
        yield from _next(waiting)


def _next(waiting: list[tuple[datetime, int, Append, Iterator[Append]]]) -> Iterator[Append]:
    _, n, append, lived = waiting[0]
    yield append
    following = next(lived, None)
    if following:
        heapq.heapreplace(waiting, (following.at, n, following, lived))
    else:
        heapq.heappop(waiting)


def load(url: str, incidents: int, say: Callable[[str], None] = lambda words: None) -> UUID:
    """Migrates the database, restores such a log into it, and lets the planner know: the ledger's id."""
    migrate(url)
    with tempfile.TemporaryFile() as file:
        write_log(incidents, file.write)
        say(f"generated {EVENTS_EACH * incidents:,} events, {file.tell() / 1e6:,.0f} MB")
        file.seek(0)
        with psycopg.connect(url, client_encoding="utf8") as connection:
            log = LogFile(file)
            restore_log(connection, log)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    say("restored, with the rows of the histories")
    return UUID(log.header.ledger_id)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.generate", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--incidents", type=int, default=100_000)
    arguments = parser.parse_args()
    with arguments.file.open("wb") as file:
        write_log(arguments.incidents, file.write, lambda position: print(f"{position:,}", end="\r", file=sys.stderr))


if __name__ == "__main__":
    main()
