"""Which fields of a payload may be erased, what they say, and what takes their place.

Free text, names, places, tags, addresses and rows of data sets may be. Ids, types, acts, numbers and enumerations may
not: every fold rests on them. What takes the place of a field is valid there, so a payload stays one of its type.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from math import inf
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Raw

from stet.values.disc import radius_of
from stet.values.place import Place

Kind = Literal["text", "url", "slug", "place", "row", "key"]
TEXTS = frozenset(
    (
        *("title", "name", "headline", "summary", "verbatim", "channel", "note", "reason", "rationale"),
        *("locator", "tool", "rev"),
    )
)
"""The names of the fields that hold text. One name means one thing everywhere."""
URLS = frozenset(("url", "archive_url"))
WORD, SLUG, URL, ROW = "[redacted]", "redacted", "https://redacted.invalid/", "{}"
LONG = 8
"""A text of so many characters is found within others, too; a shorter one only where it is the whole of a field."""
_KEY = re.compile(r"\[redacted [0-9a-f-]{36}( [0-9]+)?\]")
_RADIUS_MAX = 20_100_000.0
_encode, _decode = msgspec.json.encode, msgspec.json.decode


class Field(NamedTuple):
    """A field that may be erased."""

    kind: Kind
    value: Raw
    texts: tuple[str, ...]
    """What it says; (): it was erased already."""


def fields_of(payload: bytes | str) -> dict[str, Field]:
    """All fields of a payload that may be erased, by their JSON Pointers, in order."""
    return dict(_walk(Raw(payload.encode() if isinstance(payload, str) else payload), ""))


def says(field: Field, erased: Collection[str]) -> bool:
    """Whether a field says one of the texts: as a whole, or, if the text is long enough, somewhere in it."""
    return any(one == text or (len(text) >= LONG and text in one) for one in field.texts for text in erased)


def erase(payload: str, pointers: Collection[str], keys: Mapping[str, str]) -> str:
    """The payload without what some of its fields said, all else byte for byte as it was.

    `keys` gives what each key of a row becomes: rows are told apart by them.
    """
    raw, fields = Raw(payload.encode()), fields_of(payload)
    for pointer in pointers:
        raw = _put(raw, pointer.split("/")[1:], _placeholder(fields[pointer], keys))
    return bytes(raw).decode()


def _walk(raw: Raw, pointer: str) -> Iterator[tuple[str, Field]]:
    match bytes(raw).lstrip()[:1]:
        case b"{":
            members = _decode(raw, type=dict[str, Raw])
            for name, value in members.items():
                yield from _member(members, name, value, f"{pointer}/{name}")
        case b"[":
            for n, one in enumerate(_decode(raw, type=list[Raw])):
                yield from _walk(one, f"{pointer}/{n}")


def _member(members: Mapping[str, Raw], name: str, value: Raw, pointer: str) -> Iterator[tuple[str, Field]]:
    text = _text(value)
    if name == "value" and "key" in members:
        if bytes(value) != b"null":  # a row that is taken back is none
            yield pointer, Field("row", value, () if bytes(value) == ROW.encode() else tuple(_said(value)))
    elif name == "value" and "type" in members:
        yield from _claimed(_decode(members["type"], type=str), value, pointer)
    elif name == "tags" and text is None:
        for n, tag in enumerate(_decode(value, type=list[Raw])):
            said = _decode(tag, type=str)
            yield f"{pointer}/{n}", Field("slug", tag, () if said == SLUG else (said,))
    elif text is None:
        yield from _walk(value, pointer)
    elif name == "key":
        yield pointer, Field("key", value, () if _KEY.fullmatch(text) else (text,))
    elif name in TEXTS:
        yield pointer, Field("text", value, () if text == WORD else (text,))
    elif name in URLS:
        yield pointer, Field("url", value, () if text == URL else (text,))


def _claimed(type_: str, value: Raw, pointer: str) -> Iterator[tuple[str, Field]]:
    """What may be erased of the value of a claim or a pin, by its type."""
    match type_:
        case "text" | "term":
            said = _decode(value, type=str)
            yield pointer, Field("text", value, () if said == WORD else (said,))
        case "place":
            place = _decode(value, type=Place)
            gone = place.name == WORD and place.geometry is None and place.verbatim is None
            texts = tuple(text for text in (place.name, place.verbatim) if text)
            # One that is only a geometry says its coordinates.
            yield pointer, Field("place", value, () if gone else texts or (bytes(value).decode(),))
        case "time":
            yield from _walk(value, pointer)


def _text(value: Raw) -> str | None:
    """The string that a value is; None: it is none."""
    return _decode(value, type=str) if bytes(value).lstrip()[:1] == b'"' else None


def _said(row: Raw) -> Iterator[str]:
    """Every string of a row: the names of its columns, and what stands in them; and the row itself."""
    yield bytes(row).decode()
    waiting: list[Any] = [row]
    while waiting:
        one = waiting.pop()
        match bytes(one).lstrip()[:1]:
            case b'"':
                yield _decode(one, type=str)
            case b"{":
                members = _decode(one, type=dict[str, Raw])
                yield from members
                waiting += members.values()
            case b"[":
                waiting += _decode(one, type=list[Raw])


def _placeholder(field: Field, keys: Mapping[str, str]) -> Raw:
    match field.kind:
        case "text":
            return Raw(_encode(WORD))
        case "url":
            return Raw(_encode(URL))
        case "slug":
            return Raw(_encode(SLUG))
        case "row":
            return Raw(ROW.encode())
        case "key":
            return Raw(_encode(keys[_decode(field.value, type=str)]))
        case "place":
            # How large it is stays, where that was said: by it follows what the public is shown.
            radius = radius_of(_decode(field.value, type=Place))
            return Raw(_encode(Place(name=WORD, radius_m=None if radius == inf else min(radius, _RADIUS_MAX))))


def _put(raw: Raw, path: list[str], value: Raw) -> Raw:
    if not path:
        return value
    head, *rest = path
    if bytes(raw).lstrip()[:1] == b"{":
        members = _decode(raw, type=dict[str, Raw])
        members[head] = _put(members[head], rest, value)
        return Raw(_encode(members))
    items = _decode(raw, type=list[Raw])
    items[int(head)] = _put(items[int(head)], rest, value)
    return Raw(_encode(items))
