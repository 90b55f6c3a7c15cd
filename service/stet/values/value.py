"""The value of a claim, by its attribute's type."""

from __future__ import annotations

from typing import Annotated, Any, Literal, assert_never
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct, ValidationError

from stet.errors import FieldError, Malformed
from stet.values.explain import explain
from stet.values.place import Place, check_place
from stet.values.text import Line, Prose
from stet.values.time import Time, TimeInput, normalise

AttributeType = Literal["count", "time", "place", "source", "term", "text", "quantity", "document", "boolean"]
Number = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]


class Count(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """How many: at least `min`, at most `max`. Zero must be claimed; a missing max is unbounded."""

    min: Number
    max: Number | None = None
    best: Number | None = None
    inconsistent: bool = False
    """A contradictory triple of a data set, kept as published."""


class SourceValue(Struct, frozen=True, forbid_unknown_fields=True):
    source_id: UUID


class DocumentValue(Struct, frozen=True, forbid_unknown_fields=True):
    document_id: UUID


class Quantity(Struct, frozen=True, forbid_unknown_fields=True):
    """An amount and its unit, as claimed: 60 and mile, say."""

    amount: Annotated[float, Meta(ge=-1e300, le=1e300)]
    unit: Annotated[str, Meta(pattern=r"^\S+( \S+)*$(?!\n)", max_length=40, description="A unit, in words.")]


Value = Count | Time | Place | SourceValue | DocumentValue | Quantity | str | bool


_SHAPES: dict[AttributeType, str] = {
    "count": 'a count, such as {"min": 2, "max": 3}',
    "time": 'a time, such as {"earliest": "2020-11-09T14:15:00Z", "latest": "2020-11-09T14:45:00Z"} or "2020-11-09"',
    "place": 'a place, such as {"name": "Yeraskh", "relation": "near"}',
    "source": 'a source, {"source_id": "..."} with its id',
    "document": 'a document, {"document_id": "..."} with its id',
    "quantity": 'a quantity, such as {"amount": 60, "unit": "mile"}',
    "term": "a term, as a string",
    "text": "a text, as a string",
    "boolean": "true or false",
}


def parse_value(type_: AttributeType, raw: Raw, terms: tuple[str, ...], field: str) -> Value:
    """The value of a claim as given. Raises Malformed naming the part of `field` that does not fit the type."""
    value: Value
    match type_:
        case "count":
            count: Count = _decode(raw, Count, type_, field)
            _check_count(count, field)
            value = count
        case "time":
            value = normalise(_decode(raw, TimeInput, type_, field), field)
        case "place":
            place: Place = _decode(raw, Place, type_, field)
            check_place(place, field)
            value = place
        case "source":
            value = _decode(raw, SourceValue, type_, field)
        case "document":
            value = _decode(raw, DocumentValue, type_, field)
        case "quantity":
            value = _decode(raw, Quantity, type_, field)
        case "term":
            value = _decode(raw, Line, type_, field)
            if terms and value not in terms:
                raise Malformed.at(field, f"must be one of {', '.join(terms)}")
        case "text":
            value = _decode(raw, Prose, type_, field)
        case "boolean":
            value = _decode(raw, bool, type_, field)
        case _:
            assert_never(type_)
    return value


def stored(value: Value) -> Raw:
    """The value's canonical bytes."""
    return Raw(msgspec.json.encode(value))


def read_time(raw: Raw) -> Time:
    """A stored time."""
    return msgspec.json.decode(raw, type=Time)


def _decode(raw: Raw, type_: Any, shape: AttributeType, field: str) -> Any:
    try:
        return msgspec.json.decode(raw, type=type_)
    except ValidationError as error:
        errors = explain(error, raw, type_, field)
        if errors[0].field == field and errors[0].detail.startswith("Expected"):
            errors = [FieldError(field, f"must be {_SHAPES[shape]}")]
        raise Malformed("; ".join(f"{e.field}: {e.detail}" for e in errors), tuple(errors)) from error


def _check_count(count: Count, field: str) -> None:
    known = [value for value in (count.min, count.best, count.max) if value is not None]
    if known != sorted(known) and not count.inconsistent:
        raise Malformed.at(
            field, "must hold min <= best <= max (or say inconsistent: true to keep a data set's triple)"
        )
    if known == sorted(known) and count.inconsistent:
        raise Malformed.at(f"{field}.inconsistent", "is for contradictory bounds, and these do not contradict")
