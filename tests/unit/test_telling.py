"""SQL and the index of it list the types of the events that only members see: as the code has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.http.never import MEMBERS_ONLY

from stet.incident.visibility import TELLING

ROOT = Path(__file__).parents[2]
_LIST = re.compile(r"IN \(([^()]*'visibility-changed'[^()]*)\)|ANY \(ARRAY\[([^\]]*'visibility-changed'[^\]]*)\]")


def lists_of(text: str) -> list[frozenset[str]]:
    """Every list of types in it that names a change of visibility."""
    return [frozenset(re.findall(r"'([a-z-]+)'", one or other)) for one, other in _LIST.findall(text)]


def test_only_members_see_them() -> None:
    assert set(MEMBERS_ONLY) == TELLING


@pytest.mark.parametrize(
    "file",
    [
        *(f"service/stet/sql/{name}.sql" for name in ("find_guarded", "list_guarded", "find_late", "find_rewritten")),
        "migrations/schema.sql",
    ],
)
def test_sql_lists_the_types_that_only_members_see(file: str) -> None:
    listed = lists_of((ROOT / file).read_text())
    assert listed
    assert set(listed) == {TELLING}
