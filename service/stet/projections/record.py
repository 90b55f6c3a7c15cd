"""PURE: rows of the histories by their columns, as JSON and COPY take them."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from msgspec.structs import asdict

from stet.incident.row import StatementRow
from stet.incident.slices import Slice
from stet.incident.summary import COUNTS, CountSummary, OccurredSummary
from stet.projections.projection import Row
from stet.values.compare import END
from stet.values.words import words

_ORDERED = 250


def instant(at: datetime) -> datetime | str:
    """A bound as PostgreSQL takes it: what is beyond every year is infinite."""
    return "infinity" if at == END else at


def tsvector(found: tuple[str, ...]) -> str:
    """Words as the text of a tsvector without positions."""
    return " ".join("'" + word.replace("\\", "\\\\").replace("'", "''") + "'" for word in found)


def encode_slice(incident_id: UUID, opened_at: datetime, one: Slice) -> Row:
    """A row of incident_history."""
    shown = one.summary
    title_order, found = _named(shown.title, shown.kind, shown.tags)
    fields: dict[str, Any] = {
        "incident_id": incident_id,
        "said_from": instant(one.said_from),
        "said_to": instant(one.said_to),
        "opened_at": opened_at,
        "title": shown.title,
        "title_order": title_order,
        "kind": shown.kind,
        "status": shown.status,
        "tags": shown.tags,
        "statuses": [
            entry for name, its in shown.attributes.items() for entry in (name, *(f"{name}={one}" for one in its))
        ],
        "words": found,
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


@lru_cache(100)
def _named(title: str, kind: str, tags: tuple[str, ...]) -> tuple[str, str]:
    """How a title is ordered, and the words of an incident: the same in all of its slices."""
    # Of bounded length: it stands in an index, and case folding makes some texts longer.
    return re.sub(r"\W+", " ", title.casefold()).strip()[:_ORDERED], tsvector(words(title, kind, *tags))


def _occurred(occurred: OccurredSummary | None) -> dict[str, Any]:
    if occurred is None:
        return {}
    return {
        "occurred_from": occurred.earliest or "-infinity",
        "occurred_to": occurred.latest or "infinity",
        "occurred_order": occurred.best or occurred.earliest or occurred.latest,
    }


def encode_statement(incident_id: UUID, shown: StatementRow) -> Row:
    """A row of statement_history."""
    return asdict(shown) | {
        "incident_id": incident_id,
        "said_earliest": shown.said_earliest or "-infinity",
        "said_latest": instant(shown.said_latest),
        "words": tsvector(shown.words),
    }
