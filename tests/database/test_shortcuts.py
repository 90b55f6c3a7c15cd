"""What lists do to be fast changes nothing of what they list."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any, cast

import psycopg
import pytest
from bench.generate import load
from bench.questions import Ledger, as_service, cut_of, cuts_of, ledger_of
from psycopg import sql
from tests.conftest import Cluster

from stet.database.pool import Connection
from stet.queries import few
from stet.queries.filters import IncidentFilter, both, matching_rows
from stet.queries.incidents import list_incidents


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> tuple[str, Ledger]:
    url = cluster.migrated()
    load(url, 200)
    return url, ledger_of(url)


async def test_few_that_are_looked_up_are_those_that_are_met(
    database: tuple[str, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By words, by a source in each role, and by both, in each order, at each cut, page by page."""
    url, ledger = database
    source = ledger.questions["source"]["source"]
    asked = [IncidentFilter(q="kaka"), IncidentFilter(q="roka po", kind="airstrike")]
    asked += [IncidentFilter(source=cast(Any, source), role=role) for role in (None, "speaker", "reporter", "relay")]
    asked += [IncidentFilter(source=cast(Any, source), q="ka")]
    pages = 0
    async with await as_service(url, ledger.id) as opened:
        connection = cast(Connection, opened)
        for cut in cuts_of(ledger.position).values():
            at = await cut_of(connection, ledger.id, cut)
            for wanted, sort in product(asked, ("opened_at", "-opened_at", "title", "-occurred_at", "updated_at")):
                after: Any = None
                while True:
                    found = []
                    for most in (1_000, 0):
                        monkeypatch.setattr(few, "FEW", most)
                        order: Any = sort
                        found.append(
                            await list_incidents(connection, ledger.id, at, after, 20, wanted=wanted, sort=order)
                        )
                    assert found[0] == found[1], (wanted, sort, cut)
                    after, pages = found[0].after, pages + 1
                    if after is None:
                        break
    assert pages > 7 * 5 * 6


async def test_the_latitudes_that_are_compared_first_leave_nothing_out(database: tuple[str, Ledger]) -> None:
    """Of boxes and circles of all sizes, also about the poles."""
    url, ledger = database
    rng, matched = Random(8), 0
    parameters = {"ledger_id": ledger.id}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE stet.incident_history SET latitude = 89.9 - latitude / 1000 WHERE latitude > 50")
        for _ in range(150):
            south, west = rng.uniform(-90, 90), rng.uniform(-180, 180)
            north, east = min(90.0, south + rng.choice((0.0, 0.5, 5, 90))), rng.uniform(-180, 180)
            for wanted in (
                IncidentFilter(bbox=(west, south, east, north)),
                IncidentFilter(bbox=(west, south, east, north), place_match="definite"),
                IncidentFilter(near=(west, south), radius=10 ** rng.uniform(-3, 7)),
                IncidentFilter(near=(west, south), radius=10 ** rng.uniform(-3, 7), place_match="definite"),
            ):
                fragments, given = matching_rows(wanted)
                exact = [one for one in fragments if one.startswith("stet.")]
                assert len(exact) == 1
                assert len(fragments) == 2
                counts = [
                    connection.execute(
                        sql.SQL("SELECT count(*) FROM stet.incident_history h WHERE {}").format(both(conditions)),
                        parameters | given,
                    ).fetchone()
                    for conditions in (fragments, exact)
                ]
                assert counts[0] == counts[1], wanted
                matched += cast(Any, counts[0])[0]
    assert matched > 1_000
