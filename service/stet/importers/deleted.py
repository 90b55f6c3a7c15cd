"""The list of deleted rows that some data sets give beside their table: a key and a time each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from stet.errors import Malformed
from stet.importers.files import BadLine
from stet.importers.lines import Line
from stet.importers.mapped import BadRow
from stet.importers.mapping import Mapping
from stet.importers.table import Row, read_table


def read_deleted(source: Path | BinaryIO, mapping: Mapping) -> Iterator[Line | BadLine]:
    """Each row of the list as a dated record that deletes its key, in the order of the file.

    Raises Malformed as read_table does, and where the mapping knows of no such list.
    """
    if mapping.deleted is None:
        raise Malformed.at("deleted", "the mapping does not say what its list of deleted rows looks like")
    of_list = replace(
        mapping, title="-", kind="deleted", tags=(), said_at=mapping.deleted, headers=(), optional=(), claims=()
    )
    return _lines(read_table(source, of_list).rows, of_list, mapping.deleted.column)


def _lines(rows: Iterator[Row | BadLine], of_list: Mapping, column: str) -> Iterator[Line | BadLine]:
    for row in rows:
        if isinstance(row, BadLine):
            yield row
            continue
        try:
            mapped = of_list.apply(row.record, row.number)
            if mapped.said_at is None:
                raise BadRow(row.number, f"{column}: is missing, and is when the row was deleted")
        except BadRow as error:
            yield BadLine(row.number, error.reason, row.raw)
            continue
        yield Line(
            number=row.number,
            seq=None,
            t=datetime.fromisoformat(mapped.said_at["latest"]),
            rev=None,
            op="delete",
            key=mapped.key,
            rec=None,
            set=None,
            unset=None,
            raw=row.raw,
        )
