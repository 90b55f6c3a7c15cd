"""The tables of a mapping's TOML: which columns make which claim, and how their text is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from stet.incident.claim import Act
from stet.incident.claim import Certainty as CertaintyWord
from stet.source.events import SourceKind
from stet.values.place import Level
from stet.values.text import AttributeName, Line, Slug

PLACEHOLDER = re.compile(r"\{([^{}|]+)(?:\|([^{}|]*))?\}")
"""In a title: {column} or {column|what stands there when it is missing}."""
Column = Annotated[str, Meta(min_length=1, max_length=200, description="The name of a column.")]
Code = Annotated[str, Meta(min_length=1, max_length=200)]
Mark = Annotated[str, Meta(min_length=1, max_length=1, description="One character.")]
Missing = Annotated[tuple[str, ...], Meta(max_length=100)]
Window = Literal["given", "day", "week", "month", "year"]
Formats = Annotated[
    tuple[Annotated[str, Meta(min_length=2, max_length=100)], ...],
    Meta(
        min_length=1,
        max_length=10,
        description="date, date-time, epoch-s, epoch-ms, edtf, or a pattern of strptime; tried in order.",
    ),
]
Zone = Annotated[str, Meta(description="Of days, and of times without an offset: an IANA name or an offset.")]


class _Table(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A table of the TOML: it has no other keys than those of its fields."""


class SourceTable(_Table, frozen=True, kw_only=True):
    """The data set, as the source that speaks."""

    name: Line
    kind: SourceKind = "data-set"
    aliases: tuple[Line, ...] = ()


class FileForm(_Table, frozen=True, kw_only=True):
    """How the file writes its table. The delimiter and the encoding are of CSV only."""

    delimiter: Mark = ","
    encoding: Literal["utf-8", "latin-1", "windows-1252"] = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Mark | None = None


class Header(_Table, frozen=True, kw_only=True):
    """The columns of a file that has no header of its own; chosen by their number."""

    columns: Annotated[tuple[Column, ...], Meta(min_length=1, max_length=10_000)]


class CodedKind(_Table, frozen=True, kw_only=True):
    """The kind of the incident by a column's codes."""

    column: Column
    codes: dict[Code, Slug]
    default: Slug | None = None
    """Of an unknown or missing code; without it such a row is bad."""


class TagColumn(_Table, frozen=True, kw_only=True):
    """Tags from a column: each part in lower case, its words joined by hyphens."""

    column: Column
    separator: Line | None = None


class CertaintyTable(_Table, frozen=True, kw_only=True):
    """How the data set hedges, by a column's codes."""

    column: Column
    codes: dict[Code, CertaintyWord]


class TimePrecision(_Table, frozen=True, kw_only=True):
    """What one code of precision makes of a date: the window that the date stands for."""

    window: Window = "given"
    approximate: bool = False


class PlacePrecision(_Table, frozen=True, kw_only=True):
    """What one code of precision makes of a place."""

    level: Level | None = None
    radius_m: Annotated[float, Meta(gt=0, le=20_100_000)] | None = None
    relation: Literal["at", "near", "between", "toward"] | None = None


class TimePrecisions(_Table, frozen=True, kw_only=True):
    column: Column
    codes: dict[Code, TimePrecision]


class PlacePrecisions(_Table, frozen=True, kw_only=True):
    column: Column
    codes: dict[Code, PlacePrecision]


class When(_Table, frozen=True, kw_only=True):
    """A time from a column, or from one where it starts and one where it ends."""

    column: Column
    end: Column | None = None
    formats: Formats = ("date",)
    zone: Zone | None = None
    precision: TimePrecisions | None = None

    def columns(self) -> Iterator[str]:
        """Every column that it reads."""
        return _of_time(self)


class ClaimTable(_Table, frozen=True, kw_only=True, tag_field="type"):
    """What claims of every type have."""

    attribute: AttributeName
    of: Slug | None = None
    act: Act = "assert"
    certainty: CertaintyTable | CertaintyWord = "plain"
    verbatim: Column | None = None
    note: Column | None = None
    missing: Missing = ()
    """Further values that say nothing, beside the mapping's own."""

    def columns(self) -> Iterator[str]:
        """Every column that it reads."""
        yield from (column for column in (self.verbatim, self.note) if column)
        if isinstance(self.certainty, CertaintyTable):
            yield self.certainty.column


class OneColumn(ClaimTable, frozen=True, kw_only=True):
    column: Column

    def columns(self) -> Iterator[str]:
        """Every column that it reads."""
        yield self.column
        yield from super().columns()


class CountClaim(ClaimTable, frozen=True, kw_only=True, tag="count"):
    """How many: from one column, or from low, best, high."""

    column: Column | None = None
    low: Column | None = None
    best: Column | None = None
    high: Column | None = None
    zero: Literal["value", "unknown"] = "value"
    """What 0 says: none, or that nothing is known: at least 0."""

    def columns(self) -> Iterator[str]:
        """Every column that it reads."""
        yield from (column for column in (self.column, self.low, self.best, self.high) if column)
        yield from super().columns()


class TimeClaim(OneColumn, frozen=True, kw_only=True, tag="time"):
    """When: the keys of a `When`, beside those of every claim."""

    end: Column | None = None
    formats: Formats = ("date",)
    zone: Zone | None = None
    precision: TimePrecisions | None = None

    def columns(self) -> Iterator[str]:
        """Every column that it reads."""
        yield from _of_time(self)
        yield from super().columns()


class PlaceClaim(ClaimTable, frozen=True, kw_only=True, tag="place"):
    """Where: a point, or names, or both."""

    latitude: Column | None = None
    longitude: Column | None = None
    names: tuple[Column, ...] = ()
    """Joined by commas, those that are not missing."""
    level: Level | None = None
    precision: PlacePrecisions | None = None

    def columns(self) -> Iterator[str]:
        """Every column that it reads."""
        yield from (column for column in (self.latitude, self.longitude) if column)
        yield from self.names
        if self.precision:
            yield self.precision.column
        yield from super().columns()


class QuantityClaim(OneColumn, frozen=True, kw_only=True, tag="quantity"):
    """An amount of a unit."""

    unit: Annotated[str, Meta(pattern=r"^\S+( \S+)*$(?!\n)", max_length=40, description="A unit, in words.")]


class TermClaim(OneColumn, frozen=True, kw_only=True, tag="term"):
    """A word of a vocabulary, translated by its code."""

    codes: dict[Code, Line] = {}
    unknown: Literal["bad", "keep"] | None = None
    """What a code makes that is not among `codes`: a bad row, or itself. Default: bad where there are codes."""


class TextClaim(OneColumn, frozen=True, kw_only=True, tag="text"):
    """Text, as it stands."""


class BooleanClaim(OneColumn, frozen=True, kw_only=True, tag="boolean"):
    """Yes or no."""

    true: Annotated[tuple[Code, ...], Meta(min_length=1)] = ("true", "1")
    false: Annotated[tuple[Code, ...], Meta(min_length=1)] = ("false", "0")


class SourceClaim(OneColumn, frozen=True, kw_only=True, tag="source"):
    """Sources that the row names, each a claim of its own."""

    kind: SourceKind
    separator: Line | None = None


ClaimRule = CountClaim | TimeClaim | PlaceClaim | QuantityClaim | TermClaim | TextClaim | BooleanClaim | SourceClaim


def _of_time(when: When | TimeClaim) -> Iterator[str]:
    yield when.column
    if when.end:
        yield when.end
    if when.precision:
        yield when.precision.column
