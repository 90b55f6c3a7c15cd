"""Are two copies of a projection the same at a position? By one digest of all rows; where it differs, by the rows.

Where visibility changed, or may have, or something was redacted, rows were written anew since, back to the first: of
such streams each copy is compared with what the log gives as far as the copy has come. One that has not come to a
redaction is compared when it has.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256
from uuid import UUID

import psycopg
from msgspec import Struct
from psycopg import sql

from stet.projections.derive import derive, reached
from stet.projections.log import history_of, unsettled
from stet.projections.projection import Projection, id_of
from stet.projections.target import NEW, Target, columns_of, object_at, row_at
from stet.projections.target import compare as compare_with
from stet.sql import load

_DIGEST = load("digest_rows")
_DIFFER = load("differ_rows")
_FIND_REWRITTEN = load("find_rewritten")
_FIND_TOUCHED = load("find_touched")
_READ_POSITIONS = load("read_positions")
SHOWN_MAX = 20


class Digest(Struct, frozen=True, kw_only=True):
    """What was compared of one table by digest, over all ledgers."""

    table: str
    rows: int
    """Of the live table."""
    live: str
    """SHA-256 over the digests of all of its rows, in hexadecimal."""
    rebuilt: str


class Difference(Struct, frozen=True, kw_only=True):
    """A row that only one side has: of the live tables, or of those that were built from the log."""

    table: str
    ledger_id: UUID
    side: str
    """`live` or `rebuilt`."""
    row: str


Rewritten = dict[UUID, list[str]]
"""By ledger: streams whose rows may have been written anew since a position."""


def digest_of(
    connection: psycopg.Connection, projection: Projection, suffix: str, positions: dict[UUID, int], apart: Rewritten
) -> dict[str, tuple[int, str]]:
    """For each table, how many rows it has at these positions of the ledgers, and the digest of all of them.

    The rows of the streams `apart` are left out."""
    found: dict[str, tuple[int, str]] = {}
    for table in projection.tables:
        statement = sql.SQL(_DIGEST).format(
            table=Target(projection, suffix).table(table),
            row=row_at(columns_of(connection, table)),
            id=sql.Identifier(table.id),
        )
        count, whole = 0, sha256()
        for ledger_id in sorted(positions):
            ids = [id_of(stream) for stream in apart.get(ledger_id, [])]
            parameters = {"ledger_id": ledger_id, "position": positions[ledger_id], "apart": ids}
            row = connection.execute(statement, parameters).fetchone()
            assert row
            count += row[0]
            whole.update(f"{ledger_id} {row[0]} {row[1]}\n".encode())
        found[table.name] = (count, whole.hexdigest())
    return found


def compare(
    connection: psycopg.Connection, projection: Projection, positions: dict[UUID, int]
) -> tuple[list[Digest], list[Difference]]:
    """The digests of both sides at these positions, and the first rows that differ, if any do. In one snapshot."""
    apart = {id_: rewritten(connection, projection, id_, position) for id_, position in positions.items()}
    live, rebuilt = (digest_of(connection, projection, suffix, positions, apart) for suffix in ("", NEW))
    digests = [
        Digest(table=name, rows=count, live=digest, rebuilt=rebuilt[name][1]) for name, (count, digest) in live.items()
    ]
    differ = any(one.live != one.rebuilt for one in digests)
    found: list[Difference] = []
    for ledger_id, position in sorted(positions.items()):
        found += differences(connection, projection, ledger_id, position, apart[ledger_id]) if differ else []
        found += beside_log(connection, projection, ledger_id, apart[ledger_id])
        if len(found) >= SHOWN_MAX:
            break
    return digests, found[:SHOWN_MAX]


def rewritten(connection: psycopg.Connection, projection: Projection, ledger_id: UUID, position: int) -> list[str]:
    """The streams whose rows up to a position may have been written anew since."""
    parameters = {"ledger_id": ledger_id, "position": position, "kinds": list(projection.kinds)}
    parameters["split"] = projection.split
    return [stream for (stream,) in connection.execute(_FIND_REWRITTEN, parameters)]


def beside_log(
    connection: psycopg.Connection, projection: Projection, ledger_id: UUID, streams: Collection[str]
) -> list[Difference]:
    """The rows of some streams in which a copy differs from what the log gives up to where the copy is."""
    found: list[Difference] = []
    for target in (Target(projection), Target(projection, NEW)):
        at = reached(connection, target, ledger_id)
        left_out = unsettled(connection, ledger_id, at.position)
        for stream in streams:
            if stream in left_out:
                continue
            built = derive(projection, stream, history_of(connection, ledger_id, stream, at.position), at)
            for table, lacking, row in compare_with(connection, target, ledger_id, [id_of(stream)], built, SHOWN_MAX):
                # What a copy lacks is what the log gives: that is the other side's.
                side = "live" if lacking == bool(target.suffix) else "rebuilt"
                found.append(Difference(table=table, ledger_id=ledger_id, side=side, row=row))
    return found


def differences(
    connection: psycopg.Connection,
    projection: Projection,
    ledger_id: UUID,
    position: int,
    apart: Collection[str] = (),
    streams: Collection[str] | None = None,
) -> list[Difference]:
    """The first rows of each side that the other lacks at a position; only of some streams, if they are given.

    The rows of the streams `apart` are left out."""
    found: list[Difference] = []
    ids = None if streams is None else [id_of(stream) for stream in streams]
    left_out = [id_of(stream) for stream in apart]
    for table in projection.tables:
        some = sql.SQL("AND h.{} = ANY (%(ids)s::uuid[])" if ids is not None else "").format(sql.Identifier(table.id))
        statement = sql.SQL(_DIFFER).format(
            table=Target(projection).table(table),
            other=Target(projection, NEW).table(table),
            object=object_at(columns_of(connection, table)),
            some=some,
            id=sql.Identifier(table.id),
        )
        parameters = {"ledger_id": ledger_id, "position": position, "ids": ids, "apart": left_out}
        parameters["limit"] = SHOWN_MAX // 2
        found += [
            Difference(table=table.name, ledger_id=ledger_id, side="live" if live else "rebuilt", row=row)
            for live, row in connection.execute(statement, parameters)
        ]
    return found


def tail_differences(
    connection: psycopg.Connection, projection: Projection, compared: dict[UUID, int], positions: dict[UUID, int]
) -> list[Difference]:
    """What differs at these positions of the streams that were written to after the positions compared."""
    found: list[Difference] = []
    for ledger_id, position in positions.items():
        parameters = {"ledger_id": ledger_id, "after": compared.get(ledger_id, 0), "up_to": position}
        touched = connection.execute(_FIND_TOUCHED, parameters | {"kinds": list(projection.kinds)}).fetchall()
        apart = rewritten(connection, projection, ledger_id, position)
        if touched:
            streams = [stream for (stream,) in touched]
            found += differences(connection, projection, ledger_id, position, apart, streams)
        found += beside_log(connection, projection, ledger_id, apart)
    return found


def positions_of(connection: psycopg.Connection, projection: Projection) -> dict[UUID, int]:
    """For each ledger, a position that both the live tables and the new ones have reached."""
    parameters = {
        "target": Target(projection, NEW).name,
        "name": projection.name,
        "inline": projection.inline,
    }
    return dict(connection.execute(_READ_POSITIONS, parameters).fetchall())
