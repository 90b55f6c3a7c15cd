"""What a list costs as of another moment, beside what it costs by now: over HTTP, and in the database alone.

A ledger of 1,000,000 events (bench.generate), and one of 10,000 in a database of its own.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlencode

import psycopg
from psycopg import sql

from bench.client import Plan, Request, follow
from bench.frame import Bench, Latencies, Row, compared, database
from bench.generate import EVENTS_EACH, NAME, load
from bench.plans import faults, plans_of
from bench.questions import HISTORY, LATER, STATS, as_service, asked_at, cut_of, cuts_of, ledger_of
from bench.serving import Served, serving
from stet.sql import load as statement

Times = dict[tuple[str, str], Latencies]
"""By question and cut."""
_LEDGER = f"/v1/ledgers/{NAME}"
_SMALL = 1_000
_LARGE = 100_000
"""From how many incidents on the plans are those that must be: of a small table it is as well to read all of it."""
_LENGTH = 11
"""How many events the incidents have that are asked for one by one."""
_PLAIN = """
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;
CREATE TABLE bench.plain_incident AS
    SELECT ledger_id, incident_id, opened_at, title, title_order, kind, status, tags, occurred_from, occurred_to,
           occurred_order, longitude, latitude, radius_m, killed_min, killed_max, injured_min, injured_max, statuses,
           words, summary
    FROM stet.incident_history
    WHERE to_position = 9223372036854775807 AND said_to = 'infinity' AND audience IN ('all', 'member');
CREATE INDEX ON bench.plain_incident (ledger_id, opened_at, incident_id);
CREATE INDEX ON bench.plain_incident (ledger_id, kind, opened_at, incident_id);
GRANT USAGE ON SCHEMA bench TO stet_application;
GRANT SELECT ON bench.plain_incident TO stet_application;
"""


def run(bench: Bench) -> Iterator[Row]:
    """The rows of reading as of."""
    with database(bench.url, "large") as large, database(bench.url, "small") as small:
        load(large, bench.incidents, lambda words: print(f"as of      {words}"))
        load(small, min(_SMALL, bench.incidents))
        yield from measure(bench, large, small)


def measure(bench: Bench, large: str, small: str) -> Iterator[Row]:
    """The same of two databases that have such a ledger each."""
    with psycopg.connect(large, autocommit=True) as connection:
        connection.execute(_PLAIN)
        connection.execute("VACUUM ANALYZE bench.plain_incident")
    plain = [asyncio.run(_against_plain(large)) for _ in range(bench.rounds)]
    with ExitStack() as stack:
        served = {url: stack.enter_context(serving(url)) for url in (large, small)}
        listed = [_over_http(bench, large, served[large].port) for _ in range(bench.rounds)]
        ones = [(_one(bench, large, served[large]), _one(bench, small, served[small])) for _ in range(bench.rounds)]
    inside = [asyncio.run(_in_database(bench, large)) for _ in range(bench.rounds)]
    _table("over HTTP", listed)
    _table("in the database alone", inside)
    figure = partial(compared, unit="ms", at_most=True)
    what = "a page as of, to the current one: the median of filters"
    later = [_pair(one, LATER) for one in listed]
    yield figure("as-of-list", f"{what}, over HTTP (worst: {_worst(listed)})", later, target=1.3)
    later = [_pair(one, LATER) for one in inside]
    yield figure("as-of-list-database", f"{what}, in the database alone (worst: {_worst(inside)})", later, target=3.0)
    events = f"with {EVENTS_EACH * bench.incidents:,} events in the log, to {EVENTS_EACH * _SMALL:,}"
    yield figure("as-of-one", f"one incident as of a moment, {events}", ones, target=1.2)
    yield figure("current-list-plain", "the current list, to a table of only the current rows", plain, target=1.5)
    for name, cut in (("said-by", "said by"), ("both", "both")):
        yield figure(name, f"a page at the cut `{cut}`, to the current one", [_pair(one, (cut,)) for one in listed])
    for name in ("detail", "search", "bbox", "stats"):
        if (name, "current") not in listed[0]:
            continue
        yield figure(name, "as of, to current, over HTTP", [_pair(one, LATER, (name,)) for one in listed])
    if bench.incidents >= _LARGE:
        _check_plans(large)


def _check_plans(url: str) -> None:
    """Raises where something is read whole, or planned otherwise for another cut."""
    if found := faults(asyncio.run(plans_of(url))):
        raise AssertionError("\n".join(found))


def _pair(times: Times, cuts: tuple[str, ...], questions: tuple[str, ...] = tuple(HISTORY)) -> tuple[float, float]:
    """The p50 in ms at some cuts and by now, of the question that is the median by the ratio of the two."""
    pairs = [
        (statistics.median(times[name, cut].at(0.5) for cut in cuts), times[name, "current"].at(0.5))
        for name in questions
    ]
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]


def _worst(rounds: list[Times]) -> str:
    """The two filters whose pages as of take the most of what the current ones take."""
    ratios = {
        name: statistics.median(later / by_now for later, by_now in (_pair(one, LATER, (name,)) for one in rounds))
        for name in HISTORY
    }
    return ", ".join(f"{name} {ratios[name]:.1f}" for name in sorted(ratios, key=ratios.__getitem__)[-2:])


def _over_http(bench: Bench, url: str, port: int) -> Times:
    """Each question at each cut, in turn, on one connection."""
    ledger = ledger_of(url)
    cuts = cuts_of(ledger.position)
    times: Times = {}
    for name, question in ledger.questions.items():
        path = f"{_LEDGER}/{'stats' if name in STATS else 'incidents'}"
        requests = [Request(f"{path}?{urlencode(question | cut)}") for cut in cuts.values()]
        found = follow(Plan(port, requests, connections=1, seconds=bench.seconds))
        times |= {(name, cut): found.latencies(number) for number, cut in enumerate(cuts)}
    return times | _details(bench, url, port, cuts)


def _details(bench: Bench, url: str, port: int, cuts: dict[str, dict[str, str]]) -> Times:
    """One incident at each cut, made anew each time; of some that were there at the first cut, if any were."""
    with psycopg.connect(url) as connection:
        streams = connection.execute(
            "SELECT stream FROM stet.event WHERE stream LIKE 'incident:%%' AND stream_version = 1 AND position <= %s"
            " ORDER BY stream LIMIT 20",
            (int(cuts[LATER[0]]["as_of"].partition(":")[2]),),
        ).fetchall()
    if not streams:
        return {}
    # Said by a moment that nobody asked for before: none is answered again (docs/adr/0031).
    said = {cut: f"{asked.get('said_by', '2040-01-01T00:00:00Z')[:-1]}.{{n}}Z" for cut, asked in cuts.items()}
    requests = [
        Request(
            f"{_LEDGER}/incidents/{stream[9:]}?{urlencode({k: v for k, v in asked.items() if k == 'as_of'})}"
            f"&said_by={said[cut]}"
        )
        for cut, asked in cuts.items()
        for (stream,) in streams
    ]
    found = follow(Plan(port, requests, connections=1, seconds=bench.seconds))
    each = len(streams)
    return {
        ("detail", cut): Latencies([took for number, took in found.took if number // each == place])
        for place, cut in enumerate(cuts)
    }


def _one(bench: Bench, url: str, server: Served) -> float:
    """The p50 in ms of GET of one incident as of the middle of the log, made anew each time."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT stream, max(position) FROM stet.event WHERE stream LIKE 'incident:%%' GROUP BY stream"
            " HAVING count(*) = %s ORDER BY stream LIMIT 20",
            (_LENGTH,),
        ).fetchall()
    cut = "said_by=2040-01-01T00:00:00.{n}Z"
    requests = [Request(f"{_LEDGER}/incidents/{stream[9:]}?as_of=position:{at}&{cut}") for stream, at in rows]
    return follow(Plan(server.port, requests, connections=1, seconds=bench.seconds)).latencies().at(0.5)


async def _in_database(bench: Bench, url: str) -> Times:
    """Each question at each cut, in turn, as long as over HTTP."""
    ledger = ledger_of(url)
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    async with await as_service(url, ledger.id) as connection:
        cuts = {name: await cut_of(connection, ledger.id, cut) for name, cut in cuts_of(ledger.position).items()}
        for name, question in ledger.questions.items():
            until = time.perf_counter() + bench.seconds / 2
            while time.perf_counter() < until or (name, "both") not in taken:
                for label, cut in cuts.items():
                    began = time.perf_counter()
                    await asked_at(connection, ledger.id, question, cut)
                    taken[name, label].append(time.perf_counter() - began)
    return {key: Latencies(values) for key, values in taken.items()}


async def _against_plain(url: str) -> tuple[float, float]:
    """The p50 in ms of the current list, and of the same query on a table without ranges."""
    ledger = ledger_of(url)
    ours: list[float] = []
    plain: list[float] = []
    text = sql.SQL(statement("list_incidents").replace("stet.incident_search", "bench.plain_incident"))
    query = text.format(key=sql.SQL("h.opened_at"), filters=sql.SQL("true"), direction=sql.SQL("ASC"))
    async with await as_service(url, ledger.id) as connection:
        cut = await cut_of(connection, ledger.id, {})
        for _ in range(100):
            began = time.perf_counter()
            await asked_at(_Only(connection), ledger.id, {}, cut)
            ours.append(time.perf_counter() - began)
            began = time.perf_counter()
            await connection.execute(query, {"ledger_id": ledger.id, "limit": 51, "position": ledger.position})
            plain.append(time.perf_counter() - began)
    return Latencies(ours).at(0.5), Latencies(plain).at(0.5)


class _NoRows:
    async def fetchall(self) -> list[tuple[object, ...]]:
        return []


class _Only:
    """A connection whose rows are not decoded: what is timed is the database."""

    def __init__(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        self._connection = connection

    async def execute(self, query: sql.Composed, parameters: dict[str, object]) -> _NoRows:
        await self._connection.execute(query, parameters)
        return _NoRows()


def _table(what: str, rounds: list[Times]) -> None:
    """Prints p50 and p99 of all questions at all cuts."""
    cuts = list(dict.fromkeys(cut for _, cut in rounds[0]))
    print(f"as of      {what}, ms: p50 / p99")
    print(f"{'':18}" + "".join(f"{cut:>18}" for cut in cuts))
    for name in dict.fromkeys(question for question, _ in rounds[0]):
        cells = [Latencies([took for times in rounds for took in times[name, cut].took]) for cut in cuts]
        print(f"{name:18}" + "".join(f"{one.at(0.5):>9.1f} /{one.at(0.99):>7.1f}" for one in cells))
