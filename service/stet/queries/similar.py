"""The incidents that may be the same as one, at any cut."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from psycopg import sql

from stet.database.pool import Connection
from stet.envelope import Cut
from stet.incident.row import row_of
from stet.incident.similar import Likeness, SimilarIncident, compare, likeness, ranked, score_of
from stet.incident.summary import OccurredSummary, Summary, summary
from stet.queries.cut import AsOf, ReadCut, Said
from stet.queries.filters import at_cut, both, kept, of_cut
from stet.queries.incident import incident_at
from stet.sql import load
from stet.values.words import exactly, words

_FIND = load("find_similar")
_READ_SAID = load("read_said")
_SUMMARY = msgspec.json.Decoder(Summary)
NEAR = timedelta(days=7)
"""Whose best or earliest time is so far from this one's is not looked at."""
NEAR_M = 50_000.0
"""Whose place has its centre so far from this one's is not looked at."""
_DEGREES = 0.5
"""More than these metres along a meridian."""
MOST = 1_000
"""So many that happened next before it, after it, north and south of it, and so many by the title."""
COMPARED = 200
"""So many are compared by what was said, too: those that are most alike without."""


class Similar(Struct, frozen=True, kw_only=True):
    """The incidents that may be the same as one, the most alike first."""

    incident_id: UUID
    version: int
    items: list[SimilarIncident]
    cut: Cut


async def view_similar(
    connection: Connection, ledger_id: UUID, incident_id: UUID, as_of: AsOf, *, said: Said, limit: int, min_score: float
) -> tuple[ReadCut, Similar]:
    """Those that are alike at the cut. The connection must be in a snapshot that holds the histories.

    Raises NotFound before the incident was opened.
    """
    at = await incident_at(connection, ledger_id, incident_id, as_of, said)
    assert at.state.opened_at
    rows = [row_of(statement) for statement in at.state.statements.values()]
    spoken = {word for row in rows for word in row.words if not word.startswith(":")}
    one = likeness(incident_id, at.state.opened_at, summary(at.state), spoken, {row.speaker for row in rows})
    others = await candidates(connection, ledger_id, at.cut, one)
    items = ranked(one, await in_full(connection, ledger_id, at.cut, others), min_score, limit)
    return at.cut, Similar(incident_id=incident_id, version=at.state.version, items=items, cut=at.cut.of_ledger())


async def candidates(connection: Connection, ledger_id: UUID, cut: ReadCut, one: Likeness) -> list[Likeness]:
    """Those that are looked at, as they are without what was said: the most alike, 200 at most."""
    occurred, place = _order(one.summary.occurred), one.summary.place
    parameters: dict[str, Any] = of_cut(ledger_id, cut) | {
        "occurred": occurred,
        "since": _moved(occurred, -NEAR),
        "until": _moved(occurred, NEAR),
        "longitude": place and place.longitude,
        "latitude": place and place.latitude,
        "degrees": _DEGREES,
        "near_m": NEAR_M,
        "words": exactly(words(one.summary.title)),
        "most": MOST,
    }
    cursor = await connection.execute(sql.SQL(_FIND).format(filters=both(at_cut(cut))), parameters)
    found = {row[0]: likeness(row[0], row[1], _SUMMARY.decode(row[2]), (), ()) for row in await cursor.fetchall()}
    found.pop(one.incident_id, None)
    alike = likeness(one.incident_id, one.opened_at, one.summary, (), ())
    scored = [(-score_of(compare(alike, other)), other.opened_at, other.incident_id) for other in found.values()]
    return [found[id_] for _, _, id_ in sorted(scored)[:COMPARED]]


async def in_full(connection: Connection, ledger_id: UUID, cut: ReadCut, others: list[Likeness]) -> list[Likeness]:
    """The same with what was said, and who said it."""
    parameters = of_cut(ledger_id, cut) | {"incident_ids": [other.incident_id for other in others]}
    cursor = await connection.execute(sql.SQL(_READ_SAID).format(kept=both(kept(cut))), parameters)
    spoken = {row[0]: (row[1] or (), row[2] or ()) for row in await cursor.fetchall()}
    return [likeness(one.incident_id, one.opened_at, one.summary, *spoken[one.incident_id]) for one in others]


def _order(occurred: OccurredSummary | None) -> datetime | None:
    return (occurred.best or occurred.earliest or occurred.latest) if occurred else None


def _moved(at: datetime | None, by: timedelta) -> datetime | None:
    """A moment moved, as far as there are any."""
    try:
        return at + by if at else None
    except OverflowError:
        return at
