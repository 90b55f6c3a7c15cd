"""The tables that a projection is written to: the live ones, or those of a rebuild beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql

from stet.errors import StetError
from stet.projections.projection import LIVE, Built, Projection, Row, Table
from stet.sql import load

_BEGIN = load("begin_rows")
_DROP = load("drop_rows")
_END = load("end_rows")
_COMPARE = load("compare_rows")
NEW, OLD = "_new", "_old"
"""What the names of the tables of a rebuild end in, and those of the tables that it replaced."""


class Diverged(StetError):
    """The rows of a projection are not those that its log led to."""


class OtherRelease(StetError):
    """The projection is kept by the rules of another release."""


class Target(NamedTuple):
    """A projection, and which tables of it."""

    projection: Projection
    suffix: str = ""

    @property
    def name(self) -> str:
        """Under which its checkpoint and its parked streams are kept."""
        return self.projection.name + self.suffix

    def table(self, table: Table) -> sql.Identifier:
        return sql.Identifier("stet", table.name + self.suffix)


class Write(NamedTuple):
    """One statement that writes rows of a table, and how many it must write."""

    table: str
    statement: sql.Composed
    parameters: dict[str, Any]
    rows: int | None
    """None: any number."""


def writes(target: Target, ledger_id: UUID, built: Built) -> Iterator[Write]:
    """What writes all that was built: first what is gone, then what ends, then what begins."""
    for table in target.projection.tables:
        if built.replaced:
            statement = sql.SQL(_DROP).format(table=target.table(table), id=sql.Identifier(table.id))
            yield Write(table.name, statement, {"ledger_id": ledger_id, "ids": built.replaced}, None)
    for table in target.projection.tables:
        if ended := built.ended[table.name]:
            columns = [name for name in ended[0] if name != "to_position"]
            same = sql.SQL(" AND ").join(sql.SQL("h.{0} = r.{0}").format(sql.Identifier(name)) for name in columns)
            statement = sql.SQL(_END).format(table=target.table(table), same=same)
            parameters = {"ledger_id": ledger_id, "rows": as_json(ledger_id, ended)}
            yield Write(table.name, statement, parameters, len(ended))
    for table in target.projection.tables:
        if begun := built.rows(table.name):
            statement = sql.SQL(_BEGIN).format(table=target.table(table))
            yield Write(table.name, statement, {"rows": as_json(ledger_id, begun)}, len(begun))


def write(connection: psycopg.Connection, target: Target, ledger_id: UUID, built: Built) -> None:
    """Writes all that was built, in the transaction of the connection. Raises Diverged where a row is not there."""
    for one in writes(target, ledger_id, built):
        if fault := fault_of(one, connection.execute(one.statement, one.parameters).rowcount):
            raise Diverged(fault)


def fault_of(one: Write, count: int) -> str | None:
    """What is wrong if a statement has written `count` rows; None: nothing."""
    return None if one.rows is None else lacking(one.table, one.rows, count)


def lacking(table: str, rows: int, count: int) -> str | None:
    """What is wrong if `count` of so many rows were written; None: nothing."""
    return None if rows == count else f"{table} is not what its log gives: {count} of {rows} rows could be written"


def compare(
    connection: psycopg.Connection, target: Target, ledger_id: UUID, ids: list[UUID], built: Built, limit: int
) -> Iterator[tuple[str, bool, str]]:
    """The rows in which some streams' stored rows differ from all that were built of them: (table, lacking, row)."""
    for table in target.projection.tables:
        statement = sql.SQL(_COMPARE).format(table=target.table(table), id=sql.Identifier(table.id))
        wanted = as_json(ledger_id, built.rows(table.name))
        parameters = {"ledger_id": ledger_id, "ids": ids, "rows": wanted, "limit": limit}
        for lacking, row in connection.execute(statement, parameters):
            yield table.name, lacking, row


def columns_of(connection: psycopg.Connection, table: Table) -> list[str]:
    """The columns of a projection's table, in order."""
    found = connection.execute(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum",
        (f"stet.{table.name}",),
    )
    return [name for (name,) in found]


def row_at(columns: Iterable[str]) -> sql.Composed:
    """SQL for a whole row `h` as it was at `position`: what ended later had not ended."""
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(map(_column_at, columns)))


def object_at(columns: Iterable[str]) -> sql.Composed:
    """The same as a JSON object, for people."""
    pairs = [sql.SQL("{}, {}").format(sql.Literal(column), _column_at(column)) for column in columns]
    return sql.SQL("json_build_object({})").format(sql.SQL(", ").join(pairs))


def _column_at(column: str) -> sql.Composed:
    if column == "to_position":
        shown = "CASE WHEN h.to_position > %(position)s THEN {} ELSE h.to_position END"
        return sql.SQL(shown).format(sql.Literal(LIVE))
    return sql.SQL("h.{}").format(sql.Identifier(column))


def as_json(ledger_id: UUID, rows: Iterable[Row]) -> str:
    """Rows as a parameter."""
    return msgspec.json.encode([row | {"ledger_id": ledger_id} for row in rows]).decode()
