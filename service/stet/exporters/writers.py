"""How pages of incidents become the bytes of a file: a writer is given them in order, and keeps none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from stet.exporters.columns import (
    Column,
    claim_rows,
    csv_head,
    csv_rows,
)
from stet.exporters.lossy import LOSS_COLUMNS, Lossy
from stet.exporters.places import feature
from stet.exporters.reading import Folded
from stet.incident.summary import IncidentSummary
from stet.incident.view import statement_views
from stet.queries.statements import ListedStatement

_ENCODER = msgspec.json.Encoder()


class Writer(Protocol):
    """The bytes of a file, one after the other: `begin`, `page` for each page, `end`."""

    def begin(self) -> bytes: ...
    def page(self, items: Sequence[Any]) -> bytes: ...
    def end(self) -> bytes: ...


class Table(Struct, frozen=True):
    """A CSV, a line for an item."""

    columns: Sequence[Column]

    def begin(self) -> bytes:
        return csv_head(self.columns)

    def page(self, items: Sequence[Any]) -> bytes:
        return csv_rows(items, self.columns)

    def end(self) -> bytes:
        return b""


class Claims(Table, frozen=True):
    """A CSV of the statements of folded incidents, a line for a claim."""

    def page(self, items: Sequence[Folded]) -> bytes:
        return csv_rows(claim_rows(said for one in items for said in _statements(one)), self.columns)


class Lines(Struct, frozen=True):
    """NDJSON."""

    def begin(self) -> bytes:
        return b""

    def page(self, items: Sequence[IncidentSummary]) -> bytes:
        return b"".join(_ENCODER.encode(item) + b"\n" for item in items)

    def end(self) -> bytes:
        return b""


class Features(Struct):
    """A FeatureCollection of GeoJSON, with the cut that it was made at."""

    cut: Any
    first: bool = True

    def begin(self) -> bytes:
        return b'{"type":"FeatureCollection","cut":' + _ENCODER.encode(self.cut) + b',"features":['

    def page(self, items: Sequence[IncidentSummary]) -> bytes:
        separator, self.first = b"" if self.first else b",\n", False
        return separator + b",\n".join(_ENCODER.encode(feature(item)) for item in items)

    def end(self) -> bytes:
        return b"]}\n"


class Coded(Struct, frozen=True):
    """A CSV of rows that lose something, or of what they lose."""

    names: Sequence[str]
    make: Callable[[Lossy], dict[str, Any]]
    losses: bool

    def begin(self) -> bytes:
        return csv_head(self._columns())

    def page(self, items: Sequence[Folded]) -> bytes:
        found = [Lossy(one) for one in items]
        rows = [dict.fromkeys(self.names) | self.make(one) for one in found]
        if not self.losses:
            return csv_rows(rows, self._columns())
        for one in found:
            one.rest()
        return csv_rows([loss for one in found for loss in one.losses], LOSS_COLUMNS)

    def end(self) -> bytes:
        return b""

    def _columns(self) -> Sequence[Column]:
        return LOSS_COLUMNS if self.losses else [Column(name, "number", itemgetter(name)) for name in self.names]


def _statements(one: Folded) -> list[ListedStatement]:
    shown = statement_views(one.state, one.names, one.state.statements.values())
    return [ListedStatement(**msgspec.structs.asdict(said), incident_id=one.item.incident_id) for said in shown]
