"""Tables of incidents and of claims: their columns, with what a cell holds, and how they are written as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Raw

from stet.incident.summary import COUNTS, ELSEWHERE
from stet.ledger.attributes import Attribute
from stet.values.time import Time
from stet.values.value import AttributeType, Count, Quantity

Kind = Literal["text", "integer", "number", "boolean", "instant", "texts", "json"]
"""What the cells of a column hold, beside nothing."""


class Column(NamedTuple):
    name: str
    kind: Kind
    read: Callable[[Any], Any]


_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]\d+(\.\d+)?", re.ASCII)
_LISTED: dict[AttributeType, Any] = {
    "count": Count,
    "quantity": Quantity,
    "time": Time,
    "term": str,
    "text": str,
    "boolean": bool,
}
"""The types of value that a list shows, and how they are read."""
_FIELDS: dict[AttributeType, tuple[tuple[str, Kind, str], ...]] = {
    "count": ((".min", "integer", "min"), (".max", "integer", "max"), (".best", "integer", "best")),
    "quantity": (("", "number", "amount"), (".unit", "text", "unit")),
    "time": ((".earliest", "instant", "earliest"), (".latest", "instant", "latest"), (".best", "instant", "best")),
}
"""The columns of an attribute whose values have parts: what follows its name, and the part."""


def csv_head(columns: Sequence[Column]) -> bytes:
    """The first line: the names of the columns."""
    return _csv([[column.name for column in columns]])


def csv_rows(items: Iterable[Any], columns: Sequence[Column]) -> bytes:
    """A line for each item, by RFC 4180: a text as it is, instants in RFC 3339, what has parts as JSON.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    return _csv([cell(column.kind, column.read(item)) for column in columns] for item in items)


def cell(kind: Kind, value: Any) -> Any:
    """A value as a cell of a CSV."""
    match kind:
        case "texts" if value is not None:
            value = " ".join(value)
        case "json" if value is not None:
            encoded = msgspec.json.encode(value)
            value = msgspec.json.decode(encoded) if encoded.startswith(b'"') else encoded.decode()
        case "instant" if value is not None:
            value = msgspec.json.decode(msgspec.json.encode(value))
        case "boolean" if value is not None:
            value = "true" if value else "false"
        case "number" if isinstance(value, str) and _NUMBER.fullmatch(value):
            return value
        case "text" if value is not None:
            value = str(value)
    return guarded(value) if isinstance(value, str) else value


def guarded(text: str) -> str:
    """The text, such that a spreadsheet takes it for one."""
    return f"'{text}" if text.startswith(_BEGINS_FORMULA) else text


def _csv(rows: Iterable[Iterable[Any]]) -> bytes:
    output = io.StringIO()
    csv.writer(output, lineterminator="\r\n").writerows(rows)
    return output.getvalue().encode()


def attribute_columns(attributes: Iterable[Attribute]) -> tuple[Column, ...]:
    """Columns for the attributes whose values lists show, in their order; `values.NAME` where NAME is taken."""
    taken = {column.name for column in INCIDENT_COLUMNS}
    return tuple(
        column
        for one in attributes
        if one.type_ in _LISTED and one.rule != "all" and one.name not in ELSEWHERE
        for column in _columns_of(one, f"values.{one.name}" if one.name in taken else one.name)
    )


def _columns_of(one: Attribute, name: str) -> Iterator[Column]:
    decoder = msgspec.json.Decoder(_LISTED[one.type_])

    def value(item: Any) -> Any:
        raw: Raw | None = item.values.get(one.name)
        return None if raw is None else decoder.decode(raw)

    if one.type_ not in _FIELDS:
        yield Column(name, "boolean" if one.type_ == "boolean" else "text", value)
        return
    for suffix, kind, part in _FIELDS[one.type_]:
        yield Column(name + suffix, kind, _part_of(value, part))


def _part_of(read: Callable[[Any], Any], part: str) -> Callable[[Any], Any]:
    return lambda item: getattr(read(item), part, None)


def _of(whole: str, **kinds: Kind) -> Iterator[Column]:
    for part, kind in kinds.items():
        yield Column(f"{whole}_{part}", kind, _part_of(attrgetter(whole), part))


def _field(name: str, kind: Kind) -> Column:
    return Column(name, kind, attrgetter(name))


INCIDENT_COLUMNS: tuple[Column, ...] = (
    _field("incident_id", "text"),
    _field("version", "integer"),
    *(_field(name, "text") for name in ("title", "kind", "status")),
    _field("tags", "texts"),
    *_of("occurred", earliest="instant", latest="instant", best="instant", approximate="boolean", status="text"),
    *_of("place", attribute="text", name="text"),
    *_of("place", longitude="number", latitude="number", radius_m="number", status="text"),
    *(column for name in COUNTS for column in _of(name, min="integer", max="integer", status="text")),
    Column("attributes", "texts", lambda item: [f"{name}={'|'.join(its)}" for name, its in item.attributes.items()]),
    _field("opened_at", "instant"),
    _field("updated_at", "instant"),
)
"""Of an incident in a list, but for its values."""
VALUES = _field("values", "json")
CLAIM_COLUMNS: tuple[Column, ...] = (
    Column("incident_id", "text", lambda row: row[0].incident_id),
    Column("statement_id", "text", lambda row: row[0].statement_id),
    Column("claim_id", "text", lambda row: row[1] and row[1].claim_id),
    Column("speaker_id", "text", lambda row: row[0].speaker.source_id),
    Column("speaker", "text", lambda row: row[0].speaker.name),
    Column("chain", "text", lambda row: " > ".join(hop.name or str(hop.source_id) for hop in row[0].chain)),
    Column("channel", "text", lambda row: row[0].channel),
    Column("said_earliest", "instant", lambda row: row[0].said_at.earliest),
    Column("said_latest", "instant", lambda row: row[0].said_at.latest),
    Column("attribute", "text", lambda row: row[1] and row[1].attribute),
    Column("of", "text", lambda row: row[1] and row[1].of),
    Column("act", "text", lambda row: row[1].act if row[1] else "retract" if row[0].retracts else None),
    Column("scope", "text", lambda row: row[1] and row[1].scope),
    Column("certainty", "text", lambda row: row[1] and row[1].certainty),
    Column("value", "json", lambda row: row[1] and row[1].value),
    Column("verbatim", "text", lambda row: row[1].verbatim if row[1] else row[0].verbatim),
    Column("dropped", "text", lambda row: row[1] and row[1].dropped),
    Column("retracts", "text", lambda row: row[0].retracts and row[0].retracts.statement_id),
)
"""Of a statement and one of its claims, or None: a retraction makes none."""


def claim_rows(statements: Iterable[Any]) -> list[tuple[Any, Any]]:
    """What CLAIM_COLUMNS read: a row for each claim, and one for a retraction."""
    return [(said, claim) for said in statements for claim in (said.claims or (None,))]
