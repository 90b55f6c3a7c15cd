"""Rows of the histories as the database takes them: one JSON array a table."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from msgspec.structs import asdict

from stet.incident.summary import COUNTS, CountSummary, OccurredSummary
from stet.projections.history import IncidentRow, NameRow, SpokenRow
from stet.sql import load
from stet.values.compare import END
from stet.values.words import words

_ORDERED = 250

CLOSE: dict[str, LiteralString] = {
    name: load(f"close_{name}") for name in ("incident_history", "statement_history", "name_history")
}
OPEN: dict[str, LiteralString] = {
    name: load(f"open_{name}") for name in ("incident_history", "statement_history", "name_history")
}
"""By table: what ends live rows, and what adds rows."""


def instant(at: datetime) -> datetime | str:
    """A bound as PostgreSQL takes it: what is beyond every year is infinite."""
    return "infinity" if at == END else at


def encode_incident(row: IncidentRow) -> dict[str, Any]:
    """A row of incident_history."""
    shown = row.slice.summary
    fields: dict[str, Any] = {
        "incident_id": row.incident_id,
        "from_position": row.from_position,
        "to_position": row.to_position,
        "said_from": instant(row.slice.said_from),
        "said_to": instant(row.slice.said_to),
        "opened_at": row.opened_at,
        "title": shown.title,
        # Of bounded length: it stands in an index, and case folding makes some texts longer.
        "title_order": re.sub(r"\W+", " ", shown.title.casefold()).strip()[:_ORDERED],
        "kind": shown.kind,
        "status": shown.status,
        "tags": shown.tags,
        "statuses": [
            entry for name, found in shown.attributes.items() for entry in (name, *(f"{name}={one}" for one in found))
        ],
        "words": words(shown.title, shown.kind, *shown.tags),
        "summary": shown,
    }
    fields |= _occurred(shown.occurred)
    if shown.place:
        fields |= {name: getattr(shown.place, name) for name in ("longitude", "latitude", "radius_m")}
    for name in COUNTS:
        count: CountSummary | None = getattr(shown, name)
        if count:
            fields |= {f"{name}_min": count.min, f"{name}_max": count.max}
    return fields


def _occurred(occurred: OccurredSummary | None) -> dict[str, Any]:
    if occurred is None:
        return {}
    return {
        "occurred_from": occurred.earliest or "-infinity",
        "occurred_to": occurred.latest or "infinity",
        "occurred_order": occurred.best or occurred.earliest or occurred.latest,
    }


def encode_statement(row: SpokenRow) -> dict[str, Any]:
    """A row of statement_history."""
    shown = row.statement
    return asdict(shown) | {
        "incident_id": row.incident_id,
        "from_position": row.from_position,
        "to_position": row.to_position,
        "said_earliest": shown.said_earliest or "-infinity",
        "said_latest": instant(shown.said_latest),
    }


def encode_name(row: NameRow, to_position: int | None = None) -> dict[str, Any]:
    """A row of name_history."""
    return {
        "kind": row.kind,
        "id": row.id,
        "from_position": row.position,
        "to_position": to_position,
        "words": row.words,
    }


def rows(encoded: list[dict[str, Any]]) -> str:
    """Rows as the parameter of a statement that adds or ends them."""
    return msgspec.json.encode(encoded).decode()
