"""What a row comes to by a mapping, and what is said of one that comes to nothing."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from stet.incident.claim import Act, Certainty
from stet.source.events import SourceKind

_SHOWN = 60


class BadRow(Exception):
    """A row that the mapping cannot take: its line, and why, naming the column."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


class BadCell(Exception):
    """A cell that the mapping cannot take."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(f"{column}: {why}")


class SourceName(Struct, frozen=True):
    """A source that a row names. The importer registers it, and claims its id."""

    name: str
    kind: SourceKind


class MappedClaim(Struct, frozen=True, kw_only=True):
    """One claim of a row, in the form of the API's ClaimInput."""

    attribute: str
    of: str | None
    value: Any
    """Ready for JSON; of an attribute of type source, a SourceName."""
    act: Act
    certainty: Certainty
    verbatim: str | None
    note: str | None


class Mapped(Struct, frozen=True, kw_only=True):
    """One row as an incident, and what its data set says of it."""

    key: str
    """Empty where neither the columns nor the line gave one."""
    title: str
    kind: str
    tags: tuple[str, ...]
    said_at: dict[str, Any] | None
    claims: tuple[MappedClaim, ...]


def shown(text: str) -> str:
    """The text in quotation marks, shortened, with what cannot be printed as escapes."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
