"""What an append costs, with one writer and with many, against raw INSERTs and against other event stores.

`append-N` is that of the log: an event of which no history has a row (a source is revised, but not its name). In
`append-N-history` an incident is opened: its rows are kept in the same transaction, which nothing that it is compared
with does. Both are what the service runs: durable, ordered, hashed, with the expected version checked.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from uuid import UUID

import psycopg
import uvloop
from psycopg.conninfo import conninfo_to_dict

from bench.appending import APPENDS, RAW, Rate, appends, raw_inserts, revisions
from bench.frame import Bench, Latencies, Row, compared, database, new_ledger, peer

_FEW, _MANY = 1, 16


def run(bench: Bench) -> Iterator[Row]:
    """The rows of appending."""
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute(RAW)
    yield from _side_by_side(bench)
    yield from _by_writers(bench)
    yield from _by_ledgers(bench)


def _side_by_side(bench: Bench) -> Iterator[Row]:
    ledger_id = uvloop.run(new_ledger(bench.url))
    found: dict[tuple[str, int], list[Rate]] = {}
    with ExitStack() as stack:
        peers = _peers(bench, stack)
        for _ in range(bench.rounds):
            for writers in (_FEW, _MANY):
                for name, (of, url) in peers.items():
                    found.setdefault((name, writers), []).append(of(url, writers))
                found.setdefault(("raw", writers), []).append(
                    uvloop.run(raw_inserts(bench.url, writers, bench.seconds))
                )
                for which in APPENDS:
                    rate = uvloop.run(appends(bench.url, [ledger_id], writers, bench.seconds, which))
                    found.setdefault((which, writers), []).append(rate)
    for (name, writers), rates in found.items():
        _tell(f"{name}, {writers} writers", rates)
    pairs = (("log", ""), ("history", "-history"))
    for kind, end in pairs:
        target = None if end else 0.7
        if ("pyeventsourcing", _FEW) in found:
            rounds = _rates(found[kind, _FEW], found["pyeventsourcing", _FEW])
            yield compared(f"append-1{end}", "an append by one writer; of pyeventsourcing", rounds, target=target)
        rounds = _rates(found[kind, _FEW], found["raw", _FEW])
        yield compared(f"append-1{end}-raw", "an append by one writer; a raw INSERT", rounds)
    for kind, end in pairs:
        rounds = _rates(found[kind, _MANY], found["raw", _MANY])
        what = "appends by 16 writers; raw unordered INSERTs on 16 connections"
        yield compared(f"append-16{end}", what, rounds, target=None if end else 0.8)
        if peers:
            best = [max(rates) for rates in zip(*(_rate_of(found[name, _MANY]) for name in peers), strict=True)]
            rounds = list(zip(_rate_of(found[kind, _MANY]), best, strict=True))
            what = f"appends by 16 writers; the best of {' and '.join(peers)}"
            yield compared(f"append-16-peers{end}", what, rounds, target=None if end else 3.0)
        rounds = [(many.p99, few.p50) for many, few in zip(found[kind, _MANY], found[kind, _FEW], strict=True)]
        what = "p99 of an append at 16 writers; p50 at one"
        target = None if end else 3.0
        yield compared(f"append-16-p99{end}", what, rounds, target=target, at_most=True, unit="ms")


def _by_writers(bench: Bench) -> Iterator[Row]:
    """How it goes on with more writers, and with all of them at one incident."""
    ledger_id = uvloop.run(new_ledger(bench.url))
    found: dict[str, list[Rate]] = {}
    for _ in range(bench.rounds):
        for writers in (_MANY, 64, 256):
            rate = uvloop.run(appends(bench.url, [ledger_id], writers, bench.seconds, "log"))
            found.setdefault(str(writers), []).append(rate)
        for name, hot in ("apart", False), ("hot", True):
            rate = uvloop.run(revisions(bench.url, ledger_id, _MANY, bench.seconds, hot=hot))
            found.setdefault(name, []).append(rate)
    for name, rates in found.items():
        _tell(f"{name} writers" if name.isdigit() else f"16 writers, {name}", rates)
    for many in ("64", "256"):
        yield compared(f"append-{many}", f"appends by {many} writers; by 16", _rates(found[many], found[str(_MANY)]))
    what = "revisions of one incident by 16 writers who decide again when they lose; of 16 incidents"
    yield compared("append-hot", what, _rates(found["hot"], found["apart"]))


def _by_ledgers(bench: Bench) -> Iterator[Row]:
    """Two processes on one ledger, and one on eight, each with 16 writers in all."""
    ledger_ids = [uvloop.run(new_ledger(bench.url)) for _ in range(8)]
    found: dict[str, list[Rate]] = {}
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as processes:
        for _ in range(bench.rounds):
            one = appends(bench.url, ledger_ids[:1], _MANY, bench.seconds, "log")
            found.setdefault("one", []).append(uvloop.run(one))
            eight = appends(bench.url, ledger_ids, _MANY, bench.seconds, "log")
            found.setdefault("eight", []).append(uvloop.run(eight))
            halves = [
                processes.submit(_in_a_process, bench.url, str(ledger_ids[0]), _MANY // 2, bench.seconds)
                for _ in range(2)
            ]
            found.setdefault("two", []).append(Rate.sum([half.result() for half in halves]))
    told = {"one": "one process, one ledger", "two": "two processes, one ledger", "eight": "one process, eight ledgers"}
    for name, what in told.items():
        _tell(what, found[name])
    what = "appends of two processes with 8 writers each to one ledger; of one with 16"
    yield compared("append-two-processes", what, _rates(found["two"], found["one"]))
    what = "appends by 16 writers to eight ledgers; to one"
    yield compared("append-eight-ledgers", what, _rates(found["eight"], found["one"]))


def _in_a_process(url: str, ledger_id: str, writers: int, seconds: float) -> Rate:
    return uvloop.run(appends(url, [UUID(ledger_id)], writers, seconds, "log"))


Of = Callable[[str, int], Rate]


def _peers(bench: Bench, stack: ExitStack) -> dict[str, tuple[Of, str]]:
    """What is installed of the others: what measures it, and the URL of a database of its own."""
    scripts = {"pyeventsourcing": "eventsourcing_append.py"} if bench.peers else {}
    scripts |= {"emmett": "emmett/append.mjs"} if bench.emmett else {}
    found: dict[str, tuple[Of, str]] = {}
    for name, script in scripts.items():

        def of(url: str, writers: int, script: str = script) -> Rate:
            said = peer(script, url, str(writers), str(bench.seconds))
            return Rate(said["rate"], said["p50"], said["p99"], [])

        found[name] = (of, _as_url(stack.enter_context(database(bench.url, name))))
    return found


def _as_url(conninfo: str) -> str:
    """The same as every driver takes it; the host may be the folder of a socket."""
    where = conninfo_to_dict(conninfo)
    user = f"{where['user']}:{where['password']}" if where.get("password") else where["user"]
    place = f"host={where.get('host', '127.0.0.1')}&port={where.get('port', 5432)}"
    return f"postgresql://{user}@/{where['dbname']}?{place}"


def _rate_of(rates: Sequence[Rate]) -> list[float]:
    return [one.rate for one in rates]


def _rates(values: Sequence[Rate], baselines: Sequence[Rate]) -> list[tuple[float, float]]:
    return list(zip(_rate_of(values), _rate_of(baselines), strict=True))


def _tell(what: str, rates: Sequence[Rate]) -> None:
    told = sorted(_rate_of(rates))
    print(f"  {what}: {told[len(told) // 2]:,.0f}/s [{told[0]:,.0f} .. {told[-1]:,.0f}]")
    if every := [one for rate in rates for one in rate.took]:
        latencies = Latencies(every)
        print(f"    {latencies}\n    {latencies.histogram()}")
    else:
        middle = sorted(rates, key=lambda rate: rate.p50)[len(rates) // 2]
        print(f"    p50 {middle.p50:.2f} ms, p99 {middle.p99:.2f} ms")
