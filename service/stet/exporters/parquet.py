"""The table of current values as Parquet, with typed columns. Needs the extra `stet[parquet]`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import msgspec

from stet.envelope import Cut
from stet.errors import NotAcceptable
from stet.exporters.columns import Column, Kind
from stet.incident.summary import IncidentSummary

_GROUP = 2_000
"""Rows in a row group, which is held until it is written."""


class _Sink(io.RawIOBase):
    """Takes what is written, until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        return self._size

    def taken(self) -> bytes:
        """What was written since it was asked last."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


class Parquet:
    """A writer of Parquet. Raises NotAcceptable where pyarrow is not installed."""

    def __init__(self, columns: Sequence[Column], cut: Cut) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise NotAcceptable("Parquet needs pyarrow: install the extra, stet[parquet]") from error
        types: dict[Kind, Any] = {
            "text": pyarrow.string(),
            "integer": pyarrow.int64(),
            "number": pyarrow.float64(),
            "boolean": pyarrow.bool_(),
            "instant": pyarrow.timestamp("us", tz="UTC"),
            "texts": pyarrow.list_(pyarrow.string()),
        }
        self._columns = columns
        self._arrow = pyarrow
        self._schema = pyarrow.schema(
            [(column.name, types[column.kind]) for column in columns], metadata={"stet.cut": msgspec.json.encode(cut)}
        )
        self._sink = _Sink()
        self._file = pyarrow.parquet.ParquetWriter(self._sink, self._schema)
        self._waiting: list[IncidentSummary] = []

    def begin(self) -> bytes:
        return self._sink.taken()

    def page(self, items: Sequence[IncidentSummary]) -> bytes:
        self._waiting += items
        if len(self._waiting) >= _GROUP:
            self._write()
        return self._sink.taken()

    def end(self) -> bytes:
        if self._waiting:
            self._write()
        self._file.close()
        return self._sink.taken()

    def _write(self) -> None:
        arrays = [
            self._arrow.array([_plain(column, item) for item in self._waiting], type=field.type)
            for column, field in zip(self._columns, self._schema, strict=True)
        ]
        self._file.write_batch(self._arrow.record_batch(arrays, schema=self._schema))
        self._waiting = []


def _plain(column: Column, item: IncidentSummary) -> Any:
    value = column.read(item)
    return str(value) if column.kind == "text" and value is not None else value
