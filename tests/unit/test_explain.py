"""What is said of a wrong request: every bad field, in words that say what would do."""

from __future__ import annotations

import msgspec
import pytest

from stet.errors import Malformed
from stet.http.body import decode_body
from stet.incident.commands import IncidentRevision, RecordStatement
from stet.source.commands import RegisterSource
from stet.values.time import normalise
from stet.values.value import parse_value


def faults(body: str, type_: object) -> dict[str, str]:
    with pytest.raises(Malformed) as caught:
        decode_body(body.encode(), type_)
    return {error.field: error.detail for error in caught.value.errors}


def test_every_bad_field_is_named_at_once() -> None:
    """Unknown, missing and wrong fields, at every depth."""
    body = '{"speaker": 1, "x": 0, "chain": [{"role": "friend"}], "claims": [{"value": 1, "act": "say", "of": "A B"}]}'
    assert set(faults(body, RecordStatement)) == {
        "speaker", "x", "chain[0].source_id", "chain[0].role", "claims[0].act", "claims[0].of",
    }  # fmt: skip


def test_a_wrong_word_of_a_vocabulary_is_told_the_right_ones() -> None:
    """An enumeration lists its members."""
    found = faults('{"name": "N", "kind": "newspaper"}', RegisterSource)
    assert found["kind"].startswith("must be one of person, organisation, ")


def test_a_wrong_form_is_told_in_words() -> None:
    """No regular expression reaches a person."""
    found = faults('{"name": "two\\nlines", "kind": "person", "aliases": [{"name": ""}]}', RegisterSource)
    assert found == {
        "name": "is not of the form: One line, not blank.",
        "aliases[0].name": "is not of the form: One line, not blank.",
    }


@pytest.mark.parametrize("body", ["{}", '{"type": "incident-amend", "reason": "r"}'])
def test_a_revision_without_its_type_is_told_the_types(body: str) -> None:
    """Nothing is said of the fields of types that were not asked for."""
    found = faults(body, IncidentRevision)
    assert list(found) == ["type"]
    assert "one of incident-amended, " in found["type"]


@pytest.mark.parametrize(
    ("type_", "value", "words"),
    [
        ("count", "30", 'a count, such as {"min": 2'),
        ("source", '"AZ"', "with its id"),
        ("quantity", '"2 t"', "a quantity"),
    ],
)
def test_a_value_of_the_wrong_shape_is_shown_the_right_one(type_: str, value: str, words: str) -> None:
    """The attribute's type is named, with an example."""
    with pytest.raises(Malformed, match="claims") as caught:
        parse_value(type_, msgspec.Raw(value.encode()), (), "claims[0].value")
    assert words in caught.value.errors[0].detail


@pytest.mark.parametrize("text", ["this morning", "2020-08-05T10:00:00", "08/05/2020"])
def test_what_is_no_time_is_told_how_to_say_it(text: str) -> None:
    """The words say that an offset is missing, and where wording goes."""
    with pytest.raises(Malformed, match="verbatim"):
        normalise(text, "said_at")
