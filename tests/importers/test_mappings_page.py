"""docs/mappings.md: its example runs, every key is on it and no other, and every column of what ships."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import fields
from tests.importers.mapping_rows import read_by_the_product

from stet.importers import rules
from stet.importers.mapping import Mapping, load_mapping, read_mapping
from stet.importers.table import Row, read_table
from stet.ledger.commands import DefineAttribute

PAGE = (Path(__file__).parents[2] / "docs" / "mappings.md").read_text(encoding="utf-8")
TABLES: dict[str, Any] = {
    "top": Mapping,
    "source": rules.SourceTable,
    "file": rules.FileForm,
    "headers": rules.Header,
    "kind": rules.CodedKind,
    "tags": rules.TagColumn,
    "said_at": rules.When,
    "attributes": DefineAttribute,
}
CLAIMS: dict[str, Any] = {str(rule.__struct_config__.tag): rule for rule in rules.ClaimRule.__args__}
SHIPPED = {"USGS earthquakes": "usgs", "UCDP GED": "ucdp-ged", "ACLED": "acled"}


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def keys(section: str) -> list[tuple[str, str]]:
    """The first two cells of a section's tables."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| ([a-z_]+) \| `([a-z_]+)` \|", text, re.MULTILINE)


def test_the_example_claims_what_the_page_says() -> None:
    mapping = read_mapping(block("toml").encode())
    rows = [row for row in read_table(io.BytesIO(block("csv").encode()), mapping).rows if isinstance(row, Row)]
    expected = [json.loads(text) for text in re.split(r"\n(?=\{)", block("json").strip())]
    for row, said in zip(rows, expected, strict=True):
        mapped = mapping.apply(row.record, row.number)
        assert read_by_the_product(mapping, mapped)
        assert {claim.attribute: claim.value for claim in mapped.claims} == said["claims"]
        assert (mapped.key, mapped.title) == (said["key"], said["title"])


def test_every_key_is_on_the_page_and_no_other() -> None:
    of_any = {field.encode_name for field in fields(rules.ClaimTable)}
    of_claims = {(tag, field.encode_name) for tag, struct in CLAIMS.items() for field in fields(struct)}
    assert sorted(keys("Every key of a claim")) == sorted(
        {("any", name) for name in of_any} | {(tag, name) for tag, name in of_claims if name not in of_any}
    )
    assert sorted(keys("Every key")) == sorted(
        (table, field.encode_name) for table, struct in TABLES.items() for field in fields(struct)
    )


@pytest.mark.parametrize("section", SHIPPED)
def test_every_column_of_what_ships_is_on_the_page_and_no_other(section: str) -> None:
    """Those that are only kept in the record are said to be."""
    mapping = load_mapping(SHIPPED[section])
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", text, re.MULTILINE)
    documented = {column: becomes for columns, becomes in rows for column in re.findall(r"`(\w+)`", columns)}
    assert set(documented) == {*mapping.columns(), *mapping.ignored}
    assert {column for column, becomes in documented.items() if becomes == "only the record"} == set(mapping.ignored)
    attributes = {claim.attribute for claim in mapping.claims}
    same = "text attributes of the same names"
    named = {name for becomes in documented.values() for name in re.findall(r"`(\w+)`", becomes)}
    named |= {column for column, becomes in documented.items() if becomes.startswith(same)}
    assert attributes <= named


def test_codes_of_precision_are_those_of_the_page() -> None:
    for table in (rules.TimePrecision, rules.PlacePrecision):
        for field in fields(table):
            assert f"`{field.encode_name}`" in PAGE
    windows = msgspec.json.schema(rules.TimePrecision)["$defs"]["TimePrecision"]["properties"]["window"]["enum"]
    assert [name for name in windows if f"`{name}`" not in PAGE] == []
