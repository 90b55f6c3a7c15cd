"""How PostgreSQL goes about what is asked of a ledger: what each statement looks up, and what it reads whole."""

from __future__ import annotations

from typing import Any

import psycopg

from bench.questions import HISTORY, LATER, STATS, as_service, asked_at, cut_of, cuts_of, ledger_of

Plans = dict[tuple[str, str], list[tuple[str, ...]]]
"""By question and cut: of each statement the indexes that it goes by, or `whole TABLE`."""
_TABLES = ("incident_history", "statement_history", "shown_history", "event")


async def plans_of(url: str, *, free: bool = False) -> Plans:
    """The plans of every question at every cut of the ledger, as the service has them.

    `free`: as the planner would have them that may read tables whole, which the service's connections forbid.
    """
    plans: Plans = {}
    ledger = ledger_of(url)
    async with await as_service(url, ledger.id) as connection:
        if free:
            await connection.execute("SET enable_seqscan = on")
        cuts = {name: await cut_of(connection, ledger.id, cut) for name, cut in cuts_of(ledger.position).items()}
        for name, question in ledger.questions.items():
            for label, cut in cuts.items():
                recorder = Recorder(connection)
                await asked_at(recorder, ledger.id, question, cut)
                plans[name, label] = [await _explained(connection, *one) for one in recorder.seen]
    return plans


def read_whole(plans: Plans) -> list[tuple[str, str, str]]:
    """The question, the cut and the table, wherever one is read whole."""
    return [
        (name, cut, scan)
        for (name, cut), statements in plans.items()
        for scans in statements
        for scan in scans
        if scan.startswith("whole") and scan.endswith(_TABLES)
    ]


def faults(plans: Plans) -> list[str]:
    """What should not be: a table that is read whole, or a plan that changes with the cut."""
    found = [f"{name}, {cut}: {scan}" for name, cut, scan in read_whole(plans)]
    for name in (*HISTORY, *STATS):
        different = {tuple(plans[name, cut]) for cut in LATER}
        if len(different) > 1:
            found.append(f"{name}: planned otherwise for another cut: {different}")
    return found


class Recorder:
    """A connection that remembers what is executed."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        self.seen: list[tuple[Any, Any]] = []

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        self.seen.append((statement, parameters))
        return await self._connection.execute(statement, parameters)


async def _explained(connection: psycopg.AsyncConnection[Any], statement: Any, parameters: Any) -> tuple[str, ...]:
    text = statement if isinstance(statement, str) else statement.as_string(connection)
    cursor = await connection.execute(b"EXPLAIN (FORMAT JSON) " + text.encode(), parameters)
    row = await cursor.fetchone()
    assert row
    return tuple(sorted(_scans(row[0][0]["Plan"])))


def _scans(plan: dict[str, Any]) -> list[str]:
    scans = [scan for inner in plan.get("Plans", ()) for scan in _scans(inner)]
    if "Index Name" in plan:
        scans.append(plan["Index Name"])
    elif plan["Node Type"] == "Seq Scan":
        scans.append(f"whole {plan['Relation Name']}")
    return scans
