"""Conditions on rows of the histories. Every fragment is a constant of this file; every value is a parameter."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from psycopg import sql

from stet.database.pool import Connection
from stet.errors import Malformed
from stet.incident.row import source_lexeme
from stet.incident.said import SaidMatch
from stet.queries.cut import ReadCut
from stet.queries.one import source_at
from stet.sql import load
from stet.values.words import terms, tsquery

_FIND_SOURCES = load("find_sources")
SOURCES_MAX = 1_000
"""How many sources a word of a search may name: all of them go into the query, which has to stay small."""
Role = Literal["speaker", "relay", "reporter"]
Match = SaidMatch
Fragments = list[LiteralString]


class IncidentFilter(Struct, frozen=True, kw_only=True):
    """What an incident must be like, at the cut, to be listed. None: it does not matter."""

    kind: str | None = None
    status: str | None = None
    tag: str | None = None
    q: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north; west > east crosses the antimeridian."""
    near: tuple[float, float] | None = None
    """Longitude, latitude."""
    radius: float | None = None
    """Metres around `near`."""
    place_match: Match = "possible"
    occurred_after: datetime | None = None
    occurred_before: datetime | None = None
    occurred_match: Match = "possible"
    source: UUID | None = None
    role: Role | None = None
    attribute: str | None = None
    attribute_status: str | None = None
    killed_min: int | None = None
    killed_max: int | None = None
    injured_min: int | None = None
    injured_max: int | None = None


_SIMPLE: dict[str, LiteralString] = {
    "kind": "h.kind = %(kind)s",
    "status": "h.status = %(status)s",
    "tag": "h.tags @> ARRAY[%(tag)s]",
    "killed_min": "h.killed_min >= %(killed_min)s",
    "killed_max": "h.killed_max <= %(killed_max)s",
    "injured_min": "h.injured_min >= %(injured_min)s",
    "injured_max": "h.injured_max <= %(injured_max)s",
}
_ROLES: dict[Role | None, LiteralString] = {
    "speaker": "s.speaker = %(source)s",
    "relay": "%(source)s = ANY (s.relays)",
    "reporter": "%(source)s = ANY (s.reporters)",
    None: "(s.speaker = %(source)s OR %(source)s = ANY (s.relays) OR %(source)s = ANY (s.reporters))",
}
_KEPT: LiteralString = (
    "s.ledger_id = %(ledger_id)s AND s.audience IN ('all', %(audience)s) "
    "AND s.from_position <= %(position)s AND s.to_position > %(position)s"
)
_SPOKEN: LiteralString = "h.incident_id IN (SELECT s.incident_id FROM stet.statement_history s WHERE "
_WORDED: LiteralString = "h.incident_id IN (SELECT s.incident_id FROM stet.statement_search s WHERE "
_SAID: LiteralString = " AND s.said_latest <= %(said_by)s"
_BOX: LiteralString = "%(west)s, %(south)s, %(east)s, %(north)s"
# Places are looked at closely only where their latitudes, compared at next to no cost, let them match: a degree has
# 111,195 m. The metre keeps what is divided from being too small a number.
_REACH: LiteralString = "(h.radius_m + 1) / 111000"


def at_cut(cut: ReadCut) -> Fragments:
    """The slices of incident_history that a cut shows."""
    fragments: Fragments = ["h.audience IN ('all', %(audience)s)"]
    if cut.live:
        fragments.append("h.to_position = 9223372036854775807")
    else:
        fragments.append("h.from_position <= %(position)s AND h.to_position > %(position)s")
    if cut.said.by is None:
        fragments.append("h.said_to = 'infinity'")
    else:
        fragments.append("h.said_from <= %(said_by)s AND h.said_to > %(said_by)s")
    return fragments


def kept(cut: ReadCut) -> Fragments:
    """The versions of statement_history that a cut keeps."""
    return [_KEPT] + (["s.said_latest <= %(said_by)s"] if cut.said.by else [])


def of_cut(ledger_id: UUID, cut: ReadCut) -> dict[str, Any]:
    """The parameters of the fragments of a cut."""
    return {
        "ledger_id": ledger_id,
        "position": cut.position,
        "recorded_at": cut.recorded_at,
        "said_by": cut.said.by,
        "audience": cut.audience,
    }


def matching(wanted: IncidentFilter, cut: ReadCut) -> tuple[Fragments, dict[str, Any]]:
    """The fragments of a filter, and their parameters but `q`, which `search` makes."""
    fragments, parameters = matching_rows(wanted)
    statement: LiteralString = _KEPT + _SAID if cut.said.by else _KEPT
    if wanted.q is not None:
        fragments.append("(h.words @@ %(q)s::tsquery OR " + _WORDED + statement + " AND s.words @@ %(q)s::tsquery))")
    if wanted.source is not None:
        fragments.append(_SPOKEN + statement + " AND " + spoken(wanted.role) + ")")
    return fragments, parameters


def spoken(role: Role | None) -> LiteralString:
    """The condition that `source` has the role in a statement; None: any."""
    return _ROLES[role]


def matching_rows(wanted: IncidentFilter) -> tuple[Fragments, dict[str, Any]]:
    """The fragments of what a filter says of the rows of incident_history alone, and its parameters."""
    parameters = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
    fragments = [fragment for name, fragment in _SIMPLE.items() if parameters[name] is not None]
    if wanted.attribute_status is None:
        fragments += ["h.statuses @> ARRAY[%(attribute)s]"] if wanted.attribute else []
    elif wanted.attribute:
        fragments.append("h.statuses @> ARRAY[%(attribute)s || '=' || %(attribute_status)s]")
    else:
        fragments.append(
            "EXISTS (SELECT FROM unnest(h.statuses) entry WHERE split_part(entry, '=', 2) = %(attribute_status)s)"
        )
    fragments += _places(wanted, parameters)
    fragments += _occurred(wanted)
    return fragments, parameters


def _places(wanted: IncidentFilter, parameters: dict[str, Any]) -> Fragments:
    fragments: Fragments = []
    if wanted.bbox:
        parameters |= dict(zip(("west", "south", "east", "north"), wanted.bbox, strict=True))
        if wanted.place_match == "definite":
            fragments.append("h.latitude >= %(south)s AND h.latitude <= %(north)s")
            fragments.append("stet.disc_in_box(h.longitude, h.latitude, h.radius_m, " + _BOX + ")")
        else:
            fragments.append("h.latitude >= %(south)s - " + _REACH + " AND h.latitude <= %(north)s + " + _REACH)
            fragments.append("stet.box_distance_m(h.longitude, h.latitude, " + _BOX + ") <= h.radius_m")
    if wanted.near:
        parameters |= {"near_longitude": wanted.near[0], "near_latitude": wanted.near[1]}
        fragments.append("abs(h.latitude - %(near_latitude)s) <= (h.radius_m + %(radius)s + 1) / 111000")
        distance: LiteralString = "stet.distance_m(h.longitude, h.latitude, %(near_longitude)s, %(near_latitude)s)"
        if wanted.place_match == "definite":
            fragments.append(distance + " + h.radius_m <= %(radius)s")
        else:
            fragments.append(distance + " <= h.radius_m + %(radius)s")
    return fragments


def _occurred(wanted: IncidentFilter) -> Fragments:
    definite = wanted.occurred_match == "definite"
    fragments: Fragments = []
    if wanted.occurred_after or wanted.occurred_before:
        # Of an unknown time, or of one of which only the wording is known, it is null.
        fragments.append("h.occurred_order IS NOT NULL")
    if wanted.occurred_after:
        after: LiteralString = "h.occurred_from" if definite else "h.occurred_to"
        fragments.append(after + " >= %(occurred_after)s")
    if wanted.occurred_before:
        before: LiteralString = "h.occurred_to" if definite else "h.occurred_from"
        fragments.append(before + " <= %(occurred_before)s")
    return fragments


async def by_source_at(connection: Connection, ledger_id: UUID, wanted: IncidentFilter, cut: ReadCut) -> IncidentFilter:
    """The filter by what its source is at the cut: one that was merged is the other by then."""
    if wanted.source is None:
        return wanted
    return replace(wanted, source=await source_at(connection, ledger_id, wanted.source, cut.position))


async def search(connection: Connection, ledger_id: UUID, cut: ReadCut, q: str) -> str:
    """The tsquery of a search: each word begins a word of the text, or of a name, at the cut, of a source in it.

    Raises Malformed for a text without words, and for a word that the names of more than 1,000 sources have.
    """
    wanted = terms(q)
    parameters = {
        "ledger_id": ledger_id,
        "position": cut.position,
        "terms": list(wanted),
        "queries": [tsquery([(term, ())]) for term in wanted],
        "limit": SOURCES_MAX + 1,
    }
    found: dict[str, list[str]] = {term: [] for term in wanted}
    for term, source_id in await (await connection.execute(_FIND_SOURCES, parameters)).fetchall():
        found[term].append(source_lexeme(source_id))
        if len(found[term]) > SOURCES_MAX:
            many = f"the names of more than {SOURCES_MAX:,} sources"
            raise Malformed.at("query.q", f"is too wide: {term} begins a word in {many}; give more of it, or another")
    return tsquery(list(found.items()))


def both(fragments: Fragments) -> sql.Composable:
    """All fragments, as one condition."""
    return sql.SQL(" AND ").join([sql.SQL(fragment) for fragment in fragments])
