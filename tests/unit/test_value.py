"""The values of claims, by the type of their attribute."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from tests.strategies import VALUES, json, uuid

from stet.errors import Malformed
from stet.values.compare import canonical, place_of, time_of
from stet.values.place import Place
from stet.values.time import Time
from stet.values.value import Count, DocumentValue, Quantity, SourceValue, parse_value, read_time, stored

ID = "01900000-0000-7000-8000-000000000001"


def parse(type_: Any, text: str, *terms: str) -> Any:
    return parse_value(type_, Raw(text.encode()), terms, "v")


def refusal(type_: Any, text: str, *terms: str) -> str:
    with pytest.raises(Malformed) as caught:
        parse(type_, text, *terms)
    return caught.value.errors[0].field


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("count", '{"min": 0}', Count(min=0)),
        ("count", '{"min": 1, "best": 2, "max": 3}', Count(min=1, best=2, max=3)),
        ("count", '{"min": 2, "best": 2, "max": 2}', Count(min=2, best=2, max=2)),
        (
            "count",
            '{"min": 5, "best": 2, "max": 9, "inconsistent": true}',
            Count(min=5, best=2, max=9, inconsistent=True),
        ),
        ("count", '{"min": 5, "max": 2, "inconsistent": true}', Count(min=5, max=2, inconsistent=True)),
        ("time", '{"verbatim": "today"}', Time(verbatim="today")),
        ("source", f'{{"source_id": "{ID}"}}', SourceValue(uuid(1))),
        ("document", f'{{"document_id": "{ID}"}}', DocumentValue(uuid(1))),
        ("quantity", '{"amount": 60, "unit": "mile"}', Quantity(60, "mile")),
        ("quantity", '{"amount": -1e300, "unit": "km per h"}', Quantity(-1e300, "km per h")),
        ("term", '"accidental"', "accidental"),
        ("text", '"two\\nlines"', "two\nlines"),
        ("boolean", "true", True),
        ("boolean", "false", False),
    ],
)
def test_a_value_is_read_by_its_type(type_: str, text: str, value: object) -> None:
    assert parse(type_, text) == value


@pytest.mark.parametrize(
    ("type_", "text", "field"),
    [
        ("count", '{"max": 3}', "v.min"),
        ("count", '{"min": -1}', "v.min"),
        ("count", '{"min": 1.5}', "v.min"),
        ("count", '{"min": "1"}', "v.min"),
        ("count", '{"min": 1000000000001}', "v.min"),
        ("count", '{"min": 3, "max": 2}', "v"),
        ("count", '{"min": 3, "best": 2}', "v"),
        ("count", '{"min": 1, "best": 4, "max": 3}', "v"),
        ("count", '{"min": 1, "inconsistent": true}', "v.inconsistent"),
        ("count", '{"min": 1, "best": 2, "max": 3, "inconsistent": true}', "v.inconsistent"),
        ("count", '{"min": 1, "of": "crew"}', "v.of"),
        ("count", "2", "v"),
        ("time", "{}", "v"),
        ("time", "2020", "v"),
        ("time", '"garbage"', "v"),
        ("time", '{"earliest": "2020-11-09T14:30:00"}', "v.earliest"),
        ("time", '{"verbatim": "today", "zone": "Yerevan"}', "v.zone"),
        ("source", f'"{ID}"', "v"),
        ("source", '{"source_id": "AZ"}', "v.source_id"),
        ("source", f'{{"document_id": "{ID}"}}', "v.document_id"),
        ("document", f'{{"document_id": "{ID}", "version": 1}}', "v.version"),
        ("quantity", '{"amount": 1e301, "unit": "mile"}', "v.amount"),
        ("quantity", '{"amount": 1e999, "unit": "mile"}', "v.amount"),
        ("quantity", '{"amount": 1, "unit": ""}', "v.unit"),
        ("quantity", '{"amount": 1, "unit": " mile"}', "v.unit"),
        ("quantity", '{"amount": 1}', "v.unit"),
        ("term", '""', "v"),
        ("term", '"two\\nlines"', "v"),
        ("text", '" "', "v"),
        ("text", "null", "v"),
        ("text", '{"a": 1}', "v"),
        ("boolean", '"true"', "v"),
        ("boolean", "1", "v"),
    ],
)
def test_what_does_not_fit_the_type_is_refused_by_its_field(type_: str, text: str, field: str) -> None:
    assert refusal(type_, text) == field


def test_a_term_is_one_of_the_vocabulary_where_there_is_one() -> None:
    assert parse("term", '"low"', "low", "high") == "low"
    assert refusal("term", '"middle"', "low", "high") == "v"


@given(st.data(), st.sampled_from(sorted(VALUES)))
def test_what_is_stored_is_read_back_and_stored_the_same(data: st.DataObject, type_: Any) -> None:
    value = parse_value(type_, json(data.draw(VALUES[type_])), (), "v")
    assert parse_value(type_, stored(value), (), "v") == value
    assert stored(parse_value(type_, stored(value), (), "v")) == stored(value)
    if isinstance(value, Time):
        assert read_time(stored(value)) == value


def test_what_equals_the_default_is_not_stored() -> None:
    assert bytes(stored(Count(min=2))) == b'{"min":2}'
    assert bytes(stored(Time(verbatim="today", approximate=False))) == b'{"verbatim":"today"}'
    assert msgspec.json.decode(stored(True)) is True


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (time_of, Time(verbatim="x")),
        (place_of, Place(name="n", verbatim="x")),
        (partial(canonical, "time"), Time(verbatim="x")),
        (partial(canonical, "place"), Place(name="n", verbatim="x")),
    ],
)
def test_of_long_values_only_the_last_few_are_remembered(read: Any, value: Any) -> None:
    """A polygon may have megabytes: a number of values alone is no bound."""
    short = bytes(stored(value))
    first = read(Raw(short))
    long = [short + b" " * (40_000 + n) for n in range(13)]
    kept = [read(Raw(one)) for one in long]
    assert read(Raw(long[-1])) is kept[-1]
    assert read(Raw(long[0])) is not kept[0]
    assert read(Raw(long[0])) == kept[0]
    assert read(Raw(short)) is first
