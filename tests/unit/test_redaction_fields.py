"""Every string of every event is one that a redaction can erase, or is in the list of those that it cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec import inspect

from stet.codec import EVENTS, TYPES, decode
from stet.envelope import Recorded
from stet.incident.events import StatementMovedOut
from stet.incident.links import MergeReverted
from stet.ledger.events import EVENTS as LEDGER_EVENTS
from stet.redaction.commands import MarkedInput, ProposeRedaction
from stet.redaction.decide import Stored, plan, propose, statements_named
from stet.redaction.fields import LONG, TEXTS, URLS, erase, fields_of, says
from stet.values.disc import radius_of
from stet.values.place import Place

GOLDEN = Path(__file__).parents[1] / "golden" / "events"
STAYS = {
    "kind": "a slug by which lists are filtered",
    "attribute": "the name of a slot",
    "of": "a slug, or an id, by which claims are told apart",
    "toward": "a slug, or an id",
    "target": "an id",
    "language": "a tag",
    "script": "a code",
    "zone": "the name of a time zone",
    "edtf": "a time",
    "time_of_day": "a time",
    "sha256": "a hash",
    "tombstone": "a hash",
    "reached": "a hash",
    "fields": "pointers: names of fields, numbers and ids",
    "actor": "the id of a key",
}
"""The names of the strings that are never erased, and what they are."""
RAW = {"value"}
"""Fields whose form depends on another: the value of a claim, of a pin, of a row."""
K1 = UUID(int=1)


def strings_of(type_: inspect.Type, name: str = "") -> Iterator[str]:
    """The names of the fields that hold any string, or raw JSON, of a type."""
    match type_:
        case inspect.Metadata(type=inner):
            yield from strings_of(inner, name)
        case inspect.StrType() | inspect.RawType():
            yield name
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from strings_of(field.type, field.encode_name)
        case inspect.UnionType(types=types):
            for one in types:
                yield from strings_of(one, name)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            yield from strings_of(item, name)
        case inspect.DictType(key_type=key, value_type=value):
            yield from strings_of(key, name)
            yield from strings_of(value, name)
        case _:
            assert not isinstance(type_, inspect.AnyType | inspect.TypedDictType | inspect.DataclassType), name


@pytest.mark.parametrize("tag", sorted(EVENTS.keys() - LEDGER_EVENTS.keys()))
def test_every_string_is_in_one_list(tag: str) -> None:
    """If you are here because a field is in none: may it hold what somebody said, or his name? Then fields.py."""
    found = set(strings_of(inspect.type_info(EVENTS[tag])))
    erasable = TEXTS | URLS | RAW | {"tags", "key"}
    assert found <= erasable | STAYS.keys()
    assert not erasable & STAYS.keys()


def test_no_name_is_listed_in_vain() -> None:
    found = {
        name for tag in EVENTS.keys() - LEDGER_EVENTS.keys() for name in strings_of(inspect.type_info(EVENTS[tag]))
    }
    assert found == TEXTS | URLS | RAW | {"tags", "key"} | STAYS.keys()


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.json")), ids=lambda file: file.stem)
def test_what_is_left_is_an_event_of_its_type(file: Path) -> None:
    """Whatever is erased of it: it is read, nothing else of it changes, and nothing more can be erased."""
    type_, version, *_ = file.stem.split(".")
    payload = file.read_text().removesuffix("\n")
    if type_ in LEDGER_EVENTS:
        return
    fields = fields_of(payload)
    keys = {field.texts[0]: f"[redacted {K1}]" for field in fields.values() if field.kind == "key"}
    for pointers in (*((pointer,) for pointer in fields), tuple(fields)):
        left = erase(payload, pointers, keys)
        decode(type_, int(version[1:]), left, 1)
        after = fields_of(left)
        assert [pointer for pointer, field in after.items() if not field.texts] == list(pointers)
        assert list(after) == list(fields)
        assert differing(json.loads(payload), json.loads(left)) == set(pointers)


def differing(old: Any, new: Any, at: str = "") -> set[str]:
    """Where two payloads differ: at the fields that may be erased, as a whole."""
    if old == new:
        return set()
    inner = at.rpartition("/")[2]
    if isinstance(old, dict) and isinstance(new, dict) and (inner != "value" or ("name" not in new and new)):
        return {found for name in old for found in differing(old[name], new.get(name), f"{at}/{name}")}
    if isinstance(old, list) and isinstance(new, list):
        return {found for n, one in enumerate(old) for found in differing(one, new[n], f"{at}/{n}")}
    return {at}


@pytest.mark.parametrize(
    "place",
    [
        Place(name="x", level="country"),
        Place(name="x", radius_m=12.5),
        msgspec.json.decode(b'{"geometry":{"type":"Point","coordinates":[44.8,39.8]}}', type=Place),
        msgspec.json.decode(
            b'{"geometry":{"type":"LineString","coordinates":[[0,0],[1,1]]},"level":"exact"}', type=Place
        ),
        Place(name="x"),
    ],
)
def test_how_large_a_place_is_stays(place: Place) -> None:
    """By it follows what the public is shown where a place is disclosed: a redaction changes nothing of that."""
    payload = msgspec.json.encode({"type": "place", "value": place}).decode()
    left = msgspec.json.decode(erase(payload, ["/value"], {}))["value"]
    assert left.keys() <= {"name", "radius_m"}
    assert left["name"] == "[redacted]"
    assert radius_of(msgspec.convert(left, Place)) == radius_of(place)


def test_a_row_is_erased_whole_and_all_else_stays_byte_for_byte() -> None:
    """Numbers that no other program writes so, and spaces, are as they were."""
    payload = '{"record":{"key":"k","value":{"a": 1.10, "b":"Ann Lee Smith"}},"verbatim":"x","n":[1e400, 10 ]}'
    assert erase(payload, ["/verbatim"], {}) == payload.replace('"x"', '"[redacted]"')
    assert '"value":{}' in erase(payload, ["/record/value"], {})
    [row] = [field for pointer, field in fields_of(payload).items() if pointer == "/record/value"]
    assert says(row, ["Ann Lee Smith"])
    assert says(row, ["Lee Smith"])
    assert not says(row, ["Lee"])
    assert says(row, ["b"])


def test_a_short_text_is_found_only_as_a_whole() -> None:
    stream = "incident:x"
    texts = ("Ann", "by Ann", "A longer name", "of A longer name", "A LONGER NAME")
    stored = [
        Stored(stream, n, n, "incident-amended", json.dumps({"title": text, "reason": "so"}))
        for n, text in enumerate(texts, start=1)
    ]
    assert len("A longer name") >= LONG > len("Ann")
    command = ProposeRedaction(
        ground="legal", events=(MarkedInput(stream_version=1, fields=("/title",)),), reason="because"
    )
    assert plan(propose(command, stored, K1), stream, {stream: stored}) == {stream: {1: ("/title",)}}
    command = ProposeRedaction(
        ground="legal", events=(MarkedInput(stream_version=3, fields=("/title",)),), reason="because"
    )
    assert plan(propose(command, stored, K1), stream, {stream: stored}) == {stream: {3: ("/title",), 4: ("/title",)}}


def test_who_holds_a_statement_of_which_something_is_erased_is_looked_at_too() -> None:
    """Who hears of a revert is told by what it causes: events about statements, in the streams that hold these."""
    reverted = MergeReverted(incident_id=uuid(2), reason="so")
    moved = StatementMovedOut(statement_id=uuid(3), from_incident=uuid(1), to_incident=uuid(2), reason="so")
    other = StatementMovedOut(statement_id=uuid(4), from_incident=uuid(1), to_incident=uuid(2), reason="not so")
    events = {"x": [stored_as("x", 1, reverted), stored_as("x", 2, moved), stored_as("x", 3, other)]}
    wanted = {"x": {1: ("/reason",), 2: ("/reason",)}}
    assert statements_named(wanted, events) == ({uuid(3)}, set())


def stored_as(stream: str, position: int, event: Any) -> Recorded[Any]:
    at = datetime(2020, 11, 9, tzinfo=UTC)
    return Recorded(position, stream, position, uuid(90 + position), TYPES[type(event)], 1, at, "desk", K1, None, event)


def uuid(n: int) -> UUID:
    return UUID(int=n)
