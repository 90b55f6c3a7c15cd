"""Under row-level security every statement uses the indexes that it uses without.

PostgreSQL applies the policy of a table first. A condition that it does not know to be leakproof (an operator on words,
a function, coalesce, an expression of another table's columns) it applies to the rows that are left: an index on it
stays unused, and a page of a list reads the whole ledger. Compare a column with a parameter, or with a column of an
inner SELECT that computed the expression; or read through a view of migration 0007.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, cast

import msgspec
import psycopg
import pytest
from bench.plans import Recorder
from psycopg.errors import InsufficientPrivilege
from tests.conftest import Cluster

from stet.database.pool import Connection
from stet.ids import new_id
from stet.incident.similar import likeness
from stet.incident.state import Incident
from stet.incident.summary import OccurredSummary, PlaceSummary, summary
from stet.queries.cut import ReadCut, Said
from stet.queries.filters import IncidentFilter
from stet.queries.incidents import list_incidents
from stet.queries.many import list_opened, list_sources
from stet.queries.similar import candidates, in_full
from stet.queries.statements import StatementFilter, list_all_statements

STATEMENTS = {
    path.name.removesuffix(".sql"): path.read_text(encoding="utf-8")
    for path in files("stet.sql").iterdir()
    if path.name.endswith(".sql")
}
WHOLE = sorted(name for name, text in STATEMENTS.items() if "{" not in text and "COPY" not in text)
"""Those that are not put together when they are run."""
ACROSS = {
    *("count_events", "find_lagging", "find_parked", "list_lags", "list_parked", "read_positions"),
    *("find_due_embargoes", "find_merging", "list_ledgers", "pause_unread"),
}
"""Those that go across ledgers, and are never run by stet_application."""
OTHERWISE = {"find_streams", "read_audit"}
"""Those whose plan for any parameters is another under the policy: of the words of names, and of one ledger's audit."""
ROLES = ("stet_application", "stet_worker", "stet_reader")
LEDGER, ID, AT = new_id(), str(new_id()), datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> str:
    """With so many words that it pays to look them up."""
    url = cluster.migrated()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO stet.name_history (ledger_id, kind, id, from_position, words)
               SELECT %s, 'source', gen_random_uuid(), n, to_tsvector('simple', 'name' || n)
               FROM generate_series(1, 5000) n""",
            (LEDGER,),
        )
        connection.execute(
            """INSERT INTO stet.statement_history
                   (ledger_id, incident_id, statement_id, audience, from_position, statement_position, said_earliest,
                    said_latest, speaker, relays, reporters, attributes, acts, words)
               SELECT %s, gen_random_uuid(), gen_random_uuid(), 'all', 1000 + n, n, now(), now(), gen_random_uuid(),
                      '{}', '{}', '{}', '{}', to_tsvector('simple', 'said' || n)
               FROM generate_series(1, 5000) n""",
            (LEDGER,),
        )
        connection.execute("ANALYZE stet.name_history, stet.statement_history")
    return url


def scans(plan: dict[str, Any]) -> list[tuple[str, ...]]:
    """What a plan looks up: the indexes, each with the columns that it is entered by, and the tables read whole."""
    found: list[tuple[str, ...]] = []
    if "Index Name" in plan:
        # The policy's own condition says the same of the ledger as the statement's.
        condition = re.sub(r"NULLIF\(.*?\)\)::uuid", "", plan.get("Index Cond", ""))
        columns = set(re.findall(r"\b[a-z_]+\b(?= [=<>@]|\)* [=<>@]|, )", condition)) - {"ledger_id"}
        found.append((plan["Index Name"], *sorted(columns)))
    elif "Relation Name" in plan and plan["Node Type"] != "ModifyTable":
        found.append((plan["Node Type"], plan["Relation Name"]))
    for inner in plan.get("Plans", ()):
        found += scans(inner)
    return sorted(found)


def explained(connection: psycopg.Connection, role: str, statement: str, parameters: Any = None) -> Any:
    """What a role's plan of a statement looks up."""
    connection.execute("SELECT set_config('role', %s, false)", (role,))
    try:
        row = connection.execute(b"EXPLAIN (FORMAT JSON, COSTS OFF) " + statement.encode(), parameters).fetchone()
        assert row
        return scans(row[0][0]["Plan"])
    finally:
        connection.execute("RESET ROLE")


@pytest.fixture
def connection(database: str) -> Any:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SELECT set_config('stet.ledger_id', %s, false)", (str(LEDGER),))
        # The tables are empty: where an index can be used, it is.
        connection.execute("SET enable_seqscan = off")
        yield connection


@pytest.mark.parametrize("name", WHOLE)
def test_a_statement_uses_the_same_indexes_for_every_role(connection: psycopg.Connection, name: str) -> None:
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)", STATEMENTS[name])))
    text = re.sub(r"%\((\w+)\)[sbt]", lambda found: f"${names.index(found[1]) + 1}", STATEMENTS[name])
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.execute(f"PREPARE planned AS {text.replace('%%', '%')}".encode())
    execute = "EXECUTE planned" + (f"({', '.join(['NULL'] * len(names))})" if names else "")
    free = explained(connection, "none", execute)
    for role in ROLES[name in ACROSS | OTHERWISE :]:
        try:
            assert explained(connection, role, execute) == free, role
        except InsufficientPrivilege:
            continue


# What a member reads. Some of the public's lists look whole incidents up, and are planned otherwise under policies.
_NOW = ReadCut(7, AT, None, final=False, seen=7, live=True, audience="member")
CUTS = {
    "current": _NOW,
    "as of": ReadCut(7, AT, "position:7", final=True, seen=9, audience="member"),
    "said by": _NOW._replace(said=Said(AT, "definite")),
}
KEYS = {"opened_at": AT.isoformat(), "occurred_at": AT.isoformat(), "updated_at": "7", "title": "t"}
ONE = likeness(
    new_id(),
    AT,
    msgspec.structs.replace(
        summary(Incident(title="A helicopter")),
        occurred=OccurredSummary(earliest=AT, latest=AT, best=AT, approximate=False, status="contested"),
        place=PlaceSummary(
            attribute="place", name=None, longitude=44.8, latitude=39.7, radius_m=10.0, status="contested"
        ),
    ),
    (),
    (),
)
Read = Callable[[Connection, ReadCut], Awaitable[Any]]
LISTS: dict[str, Read] = {
    **{
        f"incidents {sign}{sort}{after}": lambda c, cut, s=sign + sort, a=(key, ID) if after else None: list_incidents(  # type: ignore[misc]
            c, LEDGER, cut, a, 5, wanted=IncidentFilter(), sort=s
        )
        for sort, key in KEYS.items()
        for sign in ("", "-")
        for after in ("", ", a later page")
    },
    "incidents of a kind": lambda c, cut: list_incidents(
        c, LEDGER, cut, (AT.isoformat(), ID), 5, wanted=IncidentFilter(kind="k"), sort="opened_at"
    ),
    "incidents with a word": lambda c, cut: list_incidents(
        c, LEDGER, cut, None, 5, wanted=IncidentFilter(q="word"), sort="opened_at"
    ),
    "incidents of a speaker": lambda c, cut: list_incidents(
        c, LEDGER, cut, None, 5, wanted=IncidentFilter(source=new_id(), role="speaker"), sort="opened_at"
    ),
    "statements": lambda c, cut: list_all_statements(
        c, LEDGER, cut, ("7", ID, ID), 5, wanted=StatementFilter(), sort="-recorded_at"
    ),
    "statements of a speaker": lambda c, cut: list_all_statements(
        c, LEDGER, cut, None, 5, wanted=StatementFilter(speaker=new_id(), said_after=AT), sort="said_at"
    ),
    "statements with a word": lambda c, cut: list_all_statements(
        c, LEDGER, cut, None, 5, wanted=StatementFilter(q="word"), sort="said_at"
    ),
    "sources": lambda c, cut: list_sources(c, LEDGER, cut, 3, 5),
    "sources with a word": lambda c, cut: list_sources(c, LEDGER, cut, 3, 5, q="word"),
    "incidents like one": lambda c, cut: candidates(c, LEDGER, cut, ONE),
    "what was said of incidents like one": lambda c, cut: in_full(c, LEDGER, cut, [ONE]),
    "incidents of the log": lambda c, cut: list_opened(c, LEDGER, cut, 3, 5),
}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", LISTS)
async def test_a_list_uses_the_same_indexes(database: str, connection: psycopg.Connection, name: str, cut: str) -> None:
    """Now, as of a position, and by what had been said."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as reading:
        recorder = Recorder(reading)
        await LISTS[name](cast(Connection, recorder), CUTS[cut])
    for statement, parameters in recorder.seen:
        text = statement if isinstance(statement, str) else statement.as_string(connection)
        free = explained(connection, "none", text, parameters)
        assert free and not any(one[0] == "Seq Scan" for one in free)
        assert explained(connection, "stet_application", text, parameters) == free, text


def test_an_index_that_is_lost_is_seen(connection: psycopg.Connection) -> None:
    """The tests above would fail: a function of a column, and an operator on words."""
    for statement in (
        "SELECT FROM stet.event WHERE ledger_id = %s AND stream_version = 1 AND split_part(stream, ':', 1) = 'x'",
        "SELECT FROM stet.name_history WHERE ledger_id = %s AND words @@ 'word'::tsquery",
    ):
        seen = [explained(connection, role, statement, (LEDGER,)) for role in ("none", "stet_application")]
        assert seen[0] != seen[1], statement
