"""What is asked of the large ledger: lists, and cuts. `bench.asof` times them, and tests explain them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode
from uuid import UUID

import psycopg

from stet.database.pool import Connection
from stet.http.body import StetRequest
from stet.http.filters import incident_filter
from stet.queries.cut import AsOf, ReadCut, Said, resolve_cut
from stet.queries.incidents import list_incidents
from stet.queries.stats import count_incidents

LATER = ("early", "middle", "late")
"""The cuts by as_of: after a tenth, a half and nine tenths of the log."""
_SAID_BY = datetime(2020, 1, 1, tzinfo=UTC)
HISTORY: dict[str, dict[str, str]] = {
    "list": {},
    "newest first": {"sort": "-opened_at"},
    "by title": {"sort": "title"},
    "by occurrence": {"sort": "occurred_at"},
    "kind": {"kind": "shipwreck"},
    "status": {"status": "closed"},
    "tag": {"tag": "tag-9"},
    "rare tag": {"tag": "tag-59"},
    "attribute": {"attribute": "missing"},
    "contested": {"attribute": "killed", "attribute_status": "contested"},
    "pinned": {"attribute": "killed", "attribute_status": "pinned"},
    "occurred": {"occurred_after": "2016-03-01", "occurred_before": "2016-04-01"},
    "killed": {"killed_min": "5", "killed_max": "7"},
    "injured": {"injured_max": "0"},
    "bbox": {"bbox": "0,30,20,50"},
    "city": {"bbox": "10,34,10.5,34.5"},
    "near": {"near": "10,34", "radius": "50000"},
}
"""Filters of the rows of incident_history, by what they are called in the tables."""
SAID: dict[str, dict[str, str]] = {
    "search": {"q": "kaka"},
    "narrow search": {"q": "tenordra"},
    "source": {"source": ""},
}
"""Those of what was said. The source is the one that said most but for two."""
STATS: dict[str, dict[str, str]] = {
    "stats": {"group_by": "kind"},
    "stats by month": {"group_by": "month"},
    "stats by status": {"group_by": "attribute_status", "by_attribute": "killed"},
}


class Ledger(NamedTuple):
    """The large ledger, where its log ends, and what is asked of it: HISTORY, SAID and STATS."""

    id: UUID
    position: int
    questions: dict[str, dict[str, str]]


def ledger_of(url: str) -> Ledger:
    """That of a database which bench.generate has loaded."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT ledger_id, position, (SELECT speaker FROM stet.statement_history GROUP BY 1 ORDER BY count(*) DESC"
            " OFFSET 2 LIMIT 1) FROM stet.ledger JOIN stet.head USING (ledger_id)"
        ).fetchone()
    assert found
    ledger_id, position, source = found
    return Ledger(ledger_id, position, HISTORY | SAID | STATS | {"source": {"source": str(source)}})


def cuts_of(position: int) -> dict[str, dict[str, str]]:
    """The parameters of each cut of a log that ends at a position."""
    later = {
        name: f"position:{max(1, int(position * part))}" for name, part in zip(LATER, (0.1, 0.5, 0.9), strict=True)
    }
    said_by = _SAID_BY.isoformat().replace("+00:00", "Z")
    return {
        "current": {},
        **{name: {"as_of": as_of} for name, as_of in later.items()},
        "said by": {"said_by": said_by},
        "both": {"as_of": later["late"], "said_by": said_by},
    }


async def cut_of(connection: psycopg.AsyncConnection[Any], ledger_id: UUID, asked: dict[str, str]) -> ReadCut:
    """A cut, for members."""
    position = int(asked["as_of"].partition(":")[2]) if "as_of" in asked else None
    as_of = AsOf(asked.get("as_of"), position=position, audience="member")
    said = Said(_SAID_BY) if "said_by" in asked else Said()
    return await resolve_cut(cast(Connection, connection), ledger_id, as_of, said)


async def asked_at(connection: Any, ledger_id: UUID, question: dict[str, str], cut: ReadCut) -> None:
    """Sends the statements of a list, or of statistics, as the service does; it takes no more than execute()."""
    query = {name: value for name, value in question.items() if name not in ("sort", "group_by", "by_attribute")}
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": urlencode(query).encode()}
    wanted = incident_filter(StetRequest(cast(Any, scope)))
    if "group_by" in question:
        group: Any = question["group_by"]
        by = question.get("by_attribute")
        await count_incidents(connection, ledger_id, cut, wanted=wanted, group_by=group, by_attribute=by)
    else:
        sort: Any = question.get("sort", "opened_at")
        await list_incidents(connection, ledger_id, cut, None, 50, wanted=wanted, sort=sort)


async def as_service(url: str, ledger_id: UUID) -> psycopg.AsyncConnection[Any]:
    """A connection that may what one of the service may, and plans as that does, for one ledger."""
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    await connection.execute(
        "SELECT set_config('role', 'stet_application', false), set_config('stet.ledger_id', %s, false),"
        " set_config('timezone', 'UTC', false), set_config('enable_seqscan', 'off', false)",
        (str(ledger_id),),
    )
    return connection
