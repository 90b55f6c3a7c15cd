"""Arrays as PostgreSQL reads them. The driver looks at every value for its type, which here is known."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID


def plain(values: Iterable[int | UUID | None]) -> str:
    """An array of what needs no quotes."""
    return "{" + ",".join(["NULL" if one is None else str(one) for one in values]) + "}"


def texts(values: Iterable[str | None]) -> str:
    """An array of texts."""
    return "{" + ",".join(["NULL" if one is None else _quoted(one) for one in values]) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
