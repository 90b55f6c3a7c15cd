"""At the size of 100,000 incidents no list reads a history whole, and none is planned otherwise for another cut.

There are 1,000 incidents and 10,000 events here, and the planner is told that every table has a hundred times as many
rows: what it knows of their values is of rows that are there; how many pages they fill it reads off the files, so that
to read one whole looks cheaper than it is. `make bench` asks the same of the whole ledger, by what ANALYZE says.
"""

from __future__ import annotations

import psycopg
import pytest
from bench.generate import load
from bench.plans import Plans, faults, plans_of, read_whole
from bench.questions import HISTORY, LATER, STATS
from tests.conftest import Cluster

_INCIDENTS, _TIMES = 1_000, 100


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> str:
    url = cluster.migrated()
    load(url, _INCIDENTS)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE pg_class SET reltuples = reltuples * %s"
            " WHERE relnamespace = 'stet'::regnamespace AND relkind IN ('r', 'i') AND reltuples > 0",
            (_TIMES,),
        )
    return url


async def test_every_list_goes_by_indexes_whatever_the_cut(database: str) -> None:
    found = faults(await plans_of(database))
    assert not found, "\n".join(found)


async def test_left_free_the_planner_reads_whole_only_what_needs_most_of_it(database: str) -> None:
    """The service's connections forbid it altogether; so that this is not all that keeps the lists from it."""
    found = {name for name, _, _ in read_whole(await plans_of(database, free=True))}
    assert found <= {"search", *STATS}, "a word that most have said, and statistics of everything"


def test_a_fault_is_seen() -> None:
    """A table that is read whole, and a plan that is another for another cut."""
    plans: Plans = {(name, cut): [("incident_history_opened",)] for name in (*HISTORY, *STATS) for cut in LATER}
    assert not faults(plans)
    plans["kind", "late"] = [("incident_history_kind",)]
    plans["search", "current"] = [("statement_history_words", "whole statement_history")]
    assert [fault.split(":")[0] for fault in faults(plans)] == ["search, current", "kind"]
