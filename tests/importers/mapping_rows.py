"""What the tests of importers share: mappings from a few lines, and the product's own reading of what they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from stet.importers.mapped import Mapped, SourceName
from stet.importers.mapping import Mapping, read_mapping
from stet.incident.commands import OpenIncident
from stet.ledger.attributes import BUILT_IN
from stet.values.value import Value, parse_value

DATA = Path(__file__).parent / "data"
START = """
key = ["id"]
title = "{id}"
kind = "thing"
"""
SOURCE = """
[source]
name = "The data set"
"""
_ANY_ID = UUID("018f6b1c-0000-7000-8000-000000000001")


def mapping_of(tables: str = "", start: str = START) -> Mapping:
    """A mapping with the tables, and the keys before them."""
    return read_mapping(f"{start}{SOURCE}{tables}".encode())


def claim(body: str, attribute: str, type_: str, rule: str | None = None) -> str:
    """The table of one claim, and of its attribute unless that is built in."""
    defined = f'[[attributes]]\nname = "{attribute}"\ntype = "{type_}"\nrule = "{rule}"\n' if rule else ""
    return f'{defined}[[claims]]\nattribute = "{attribute}"\ntype = "{type_}"\n{body}\n'


def read_by_the_product(mapping: Mapping, mapped: Mapped) -> list[tuple[str, str | None, Value]]:
    """Each claim's attribute, qualifier and value as the API takes it. Fails for what the API would refuse."""
    attributes = {a.name: (a.type_, a.terms) for a in (*BUILT_IN.values(), *mapping.attributes)}
    inputs: list[dict[str, Any]] = []
    values = []
    for one in mapped.claims:
        value = {"source_id": _ANY_ID} if isinstance(one.value, SourceName) else one.value
        type_, terms = attributes[one.attribute]
        values.append(
            (one.attribute, one.of, parse_value(type_, msgspec.Raw(msgspec.json.encode(value)), terms, one.attribute))
        )
        inputs.append(
            {name: getattr(one, name) for name in ("attribute", "of", "act", "certainty", "verbatim", "note")}
        )
        inputs[-1]["value"] = value
    statement: dict[str, Any] = {"speaker": _ANY_ID, "said_at": mapped.said_at, "claims": inputs}
    body = {
        "title": mapped.title,
        "kind": mapped.kind,
        "tags": mapped.tags,
        "statements": [statement] if inputs else [],
    }
    msgspec.json.decode(msgspec.json.encode(body), type=OpenIncident)
    return values
