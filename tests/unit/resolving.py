"""Tables of what must come out, and their two readers: the oracle of the property tests, and the service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
import pytest
from tests.property.oracle import resolved, retell
from tests.unit.saying import Act, claim_id, instant, told

from stet.incident.resolve import resolve
from stet.incident.said import said_by
from stet.incident.state import fold

both = pytest.mark.parametrize("reader", ["oracle", "service"])
Key = tuple[str, str | None]
NAMES = {claim_id(f"{n}{letter}"): f"{n}{letter}".removesuffix("a") for n in range(1, 20) for letter in "abcdefgh"}


class Row(NamedTuple):
    """What is held of an attribute. The claims are in words: "1 2b"."""

    value: Any
    status: str
    supporting: str
    dissenting: str
    speakers: int
    repeats: int
    interest: str | None = None


@dataclass
class Case:
    """A stream, a cut by what was said, and all that is held at it."""

    acts: tuple[Act, ...]
    expected: dict[Key, Row]
    said_by: datetime | None
    match: Literal["definite", "possible"]


def case(
    name: str,
    acts: Iterable[Act],
    attribute: str = "",
    *row: Any,
    of: str | None = None,
    interest: str | None = None,
    said_by: float | None = None,
    possible: bool = False,
) -> Any:
    """A row of a table: what was said; of one attribute its value, status, supporting, dissenting, speakers, repeats.

    Without a row nothing is held of anything.
    """
    expected = {(attribute, of): Row(*row, interest=interest)} if row else {}
    by = None if said_by is None else instant(said_by)
    return pytest.param(Case(tuple(acts), expected, by, "possible" if possible else "definite"), id=name)


def outcome(made: Case, reader: str) -> dict[Key, Row]:
    """What the reader holds of the case's stream."""
    events = told(*made.acts)
    rows: dict[Key, Row] = {}
    if reader == "oracle":
        for key, found in resolved(retell(events), made.said_by, made.match).items():
            assert found["pinned"] == (found["status"] == "pinned")
            rows[key] = _row(found)
        return rows
    for one in resolve(said_by(fold(events), made.said_by, made.match)):
        assert (one.pinned_by is not None) == (one.status == "pinned")
        value = None if one.value is None else msgspec.json.decode(one.value)
        rows[one.attribute, one.of] = _row({**msgspec.structs.asdict(one), "value": value})
    return rows


def _row(found: dict[str, Any]) -> Row:
    lists = {name: _names(found[name]) for name in ("supporting", "dissenting")}
    return Row(**{name: lists.get(name, found[name]) for name in Row._fields})


def _names(ids: Iterable[UUID]) -> str:
    return " ".join(sorted((NAMES[id_] for id_ in ids), key=lambda name: (int(name.rstrip("bcdefgh")), name)))
