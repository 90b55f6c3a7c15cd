"""What an answer over HTTP costs: against a bare route of the same framework, and against FastAPI with SQLAlchemy.

All serve the same 1,000 incidents, one process each, to the same client, which is no bottleneck; in turn.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import httpx
import psycopg
from psycopg.types.json import Json

from bench.client import Measured, Plan, Request, follow
from bench.frame import Bench, Row, compared, counted, database, peer_server
from bench.generate import NAME, load
from bench.serving import Served, running, serving, serving_keys

_INCIDENTS = 1_000
_ASKED = 200
"""How many incidents are asked for, in turn."""
_LEDGER = f"/v1/ledgers/{NAME}"
_LIST = f"{_LEDGER}/incidents?limit=50"
_PEER = "fastapi_incidents.py"
_PAGE = 1_000


def run(bench: Bench) -> Iterator[Row]:
    """The rows of HTTP."""
    with database(bench.url, "http") as url, ExitStack() as stack:
        load(url, min(_INCIDENTS, bench.incidents))
        stet = stack.enter_context(serving(url))
        keyed, key = stack.enter_context(serving_keys(url, NAME))
        bodies = _bodies(stet.port)
        _fill_bare(url, bodies)
        bare = Served(*_bare(stack, url))
        asked = list(bodies)[:_ASKED]
        ones = [Request(f"{_LEDGER}/incidents/{id_}") for id_ in asked]
        plans = {
            "bare": (bare, [Request(f"/bodies/{id_}") for id_ in asked]),
            "get": (stet, ones),
            "get with a key": (keyed, [Request(one.path, {"authorization": f"Bearer {key}"}) for one in ones]),
            "get anew": (
                stet,
                [Request(f"{_LEDGER}/incidents/{id_}?said_by=2040-01-01T00:00:00.{{n}}Z") for id_ in asked],
            ),
            "not modified": (stet, _conditional(stet.port, asked)),
            "list": (stet, [Request(_LIST)]),
            "record": (stet, _statements(stet.port, list(bodies)[_ASKED:])),
        }
        if bench.peers:
            fastapi = stack.enter_context(peer_server(_PEER, url))
            assert fastapi.stdout
            peer = Served(fastapi, int(fastapi.stdout.readline()))
            _wait(peer.port)
            _fill_peer(url, bodies, _items(stet.port))
            plans["FastAPI get"] = (peer, [Request(f"/incidents/{id_}") for id_ in asked])
            plans["FastAPI list"] = (peer, [Request("/incidents?limit=50")])
        yield from _rows(_measured(bench, plans))


def _measured(bench: Bench, plans: dict[str, tuple[Served, list[Request]]]) -> dict[str, list[Measured]]:
    """Each plan once in each round, after every request was sent once; a line of each round is printed."""
    found: dict[str, list[Measured]] = {name: [] for name in plans}
    numbers = 0
    for round_ in range(-1, bench.rounds):
        for name, (server, requests) in plans.items():
            before = server.cpu
            how_long = bench.seconds if round_ >= 0 else 0
            one = follow(Plan(server.port, requests, seconds=how_long, first=numbers))
            numbers += len(one.took)
            spent = (server.cpu - before) / max(1, len(one.took)) * 1000
            if round_ >= 0:
                found[name].append(one)
                print(f"http       {name}: {one.rate:,.0f}/s, {spent:.2f} ms of a processor each; {one.latencies()}")
    return found


def _rows(found: dict[str, list[Measured]]) -> Iterator[Row]:
    rates = {name: [one.rate for one in rounds] for name, rounds in found.items()}

    def against(name: str, what: str, value: str, baseline: str, target: float | None = None) -> Row:
        pairs = list(zip(rates[value], rates[baseline], strict=True))
        return compared(name, what, pairs, target=target)

    yield against("http-get", "GET of one incident, to a bare route with its bytes", "get", "bare", 0.7)
    yield against("http-get-keyed", "the same with a key", "get with a key", "bare")
    yield against("http-get-anew", "the same where it was not asked for before", "get anew", "bare")
    yield against("http-conditional", "GET of one that the client has (304), to the bare route", "not modified", "bare")
    if "FastAPI get" in rates:
        yield against("http-get-anew-fastapi", "one not asked for before, to FastAPI", "get anew", "FastAPI get")
        yield against("http-get-fastapi", "GET of one, to FastAPI with SQLAlchemy", "get", "FastAPI get", 1.5)
        yield against("http-list-fastapi", "a page of 50, to FastAPI with SQLAlchemy", "list", "FastAPI list", 1.5)
    yield counted("http-list", "pages of 50 incidents", rates["list"], unit="/s")
    yield counted("http-record", "statements recorded, by 8 clients", rates["record"], unit="/s")


def _bare(stack: ExitStack, url: str) -> tuple[Any, int]:
    process, said = stack.enter_context(running([sys.executable, "-m", "bench.bare", url], dict(os.environ)))
    return process, int(said)


def _client(port: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)


def _wait(port: int) -> None:
    """Until a server that has said its port answers there, whatever it answers."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=10)) as client:
        client.get(f"http://127.0.0.1:{port}/")


def _items(port: int) -> list[dict[str, Any]]:
    with _client(port) as client:
        items: list[dict[str, Any]] = client.get(f"{_LEDGER}/incidents", params={"limit": _PAGE}).json()["items"]
    return items


def _bodies(port: int) -> dict[UUID, bytes]:
    """The answers to GET of each incident."""
    with _client(port) as client:
        return {
            UUID(item["incident_id"]): client.get(f"{_LEDGER}/incidents/{item['incident_id']}").content
            for item in _items(port)
        }


def _conditional(port: int, asked: list[UUID]) -> list[Request]:
    with _client(port) as client:
        paths = [f"{_LEDGER}/incidents/{id_}" for id_ in asked]
        return [Request(path, {"if-none-match": client.get(path).headers["etag"]}, status=304) for path in paths]


def _statements(port: int, of: list[UUID]) -> list[Request]:
    with _client(port) as client:
        speaker = client.get(f"{_LEDGER}/sources", params={"limit": 1}).json()["items"][0]["source_id"]
    claims = [{"attribute": "killed", "value": {"min": 2, "max": 3}}, {"attribute": "weapon", "value": "a drone"}]
    said = {"speaker": speaker, "said_at": "2024-12-01T00:00:00Z", "verbatim": "statement {n}", "claims": claims}
    body = json.dumps(said)
    return [Request(f"{_LEDGER}/incidents/{id_}/statements", body=body, status=201) for id_ in of]


def _fill_bare(url: str, bodies: dict[UUID, bytes]) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE bare (id uuid PRIMARY KEY, body bytea NOT NULL)")
        connection.cursor().executemany("INSERT INTO bare VALUES (%s, %s)", list(bodies.items()))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE bare")


def _fill_peer(url: str, bodies: dict[UUID, bytes], items: list[dict[str, Any]]) -> None:
    """The same incidents in the tables of the peer, whose server has made them."""
    incidents, sources, statements, claims = [], {}, [], []
    summaries = {item["incident_id"]: item for item in items}
    for id_, body in bodies.items():
        one = json.loads(body)
        plain = [one[name] for name in ("version", "title", "kind", "status")]
        summary = Json(summaries[str(id_)])
        times = one["opened_at"], one["updated_at"]
        incidents.append((id_, *plain, Json(one["tags"]), *times, Json(one["attributes"]), summary))
        for said in one["statements"]:
            speaker, when = said["speaker"], said["said_at"]
            sources[speaker["source_id"]] = speaker["name"]
            words = said["position"], said["channel"], said["verbatim"], when.get("earliest"), when["latest"]
            statements.append((said["statement_id"], id_, speaker["source_id"], *words, said["recorded_at"]))
            claims += [
                (claim["claim_id"], said["statement_id"], claim["attribute"], Json(claim["value"]), claim["act"])
                for claim in said["claims"]
            ]
    with psycopg.connect(url) as connection:
        for table, columns, rows in (
            (
                "incident",
                "id, version, title, kind, status, tags, opened_at, updated_at, attributes, summary",
                incidents,
            ),
            ("source", "id, name", list(sources.items())),
            (
                "statement",
                "id, incident_id, speaker_id, position, channel, verbatim, said_earliest, said_latest, recorded_at",
                statements,
            ),
            ("claim", "id, statement_id, attribute, value, act", claims),
        ):
            values = ", ".join(["%s"] * len(columns.split()))
            connection.cursor().executemany(f"INSERT INTO orm_{table} ({columns}) VALUES ({values})", rows)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
