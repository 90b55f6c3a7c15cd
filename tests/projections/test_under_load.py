"""A rebuild while everybody reads and writes through HTTP: no error, nothing missing, and the same to the last row."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.conftest import serve
from tests.projections.rebuilding import verified
from tests.projections.test_histories import append

from stet.database.pool import make_pool
from stet.document.events import VisibilityChanged
from stet.settings import Settings
from stet.store.append import Log
from stet.values.visibility import Visibility

ENDED = ("done", "refused", "failed", "cancelled")
WRITERS, READERS = 3, 2
AMBER, CLEAR = Visibility(label="amber"), Visibility()


class Load:
    """Writers and readers at full speed, until they are told to stop; what they saw."""

    def __init__(self, client: httpx.Client, ledger: str, url: str) -> None:
        self.client = client
        self.url = url
        self.path = f"/v1/ledgers/{ledger}"
        made = self.client.post("/v1/ledgers", json={"name": ledger, "title": "Under load"})
        assert made.status_code == 201
        self.ledger_id = UUID(made.json()["ledger_id"])
        source = self.client.post(f"{self.path}/sources", json={"name": "Witness", "kind": "person"})
        self.speaker = source.json()["source_id"]
        for n in range(30):
            statements = [self.statement(killed, n) for killed in range(20)]
            body = {"title": f"Flood {n}", "kind": "flood", "statements": statements}
            assert self.client.post(f"{self.path}/incidents", json=body).status_code == 201
        self.stopping = threading.Event()
        self.opened: dict[str, int] = {}
        """For each incident, how many statements of it were acknowledged."""
        self.wrong: list[Any] = []
        self.times: dict[str, list[float]] = {"write": [], "list": [], "detail": []}

    def statement(self, killed: int, more: int) -> dict[str, Any]:
        claims = [{"attribute": "killed", "value": {"min": killed, "max": killed + more}}]
        return {"speaker": self.speaker, "claims": claims}

    def run(self, work: Callable[[httpx.Client, int], None], n: int) -> None:
        with httpx.Client(base_url=str(self.client.base_url), timeout=30) as client:
            while not self.stopping.is_set():
                try:
                    work(client, n)
                except (AssertionError, httpx.HTTPError) as error:
                    self.wrong.append(error)
                    return

    def ask(self, client: httpx.Client, kind: str, method: str, path: str, **options: Any) -> Any:
        began = time.perf_counter()
        answer = client.request(method, self.path + path, **options)
        self.times[kind].append(time.perf_counter() - began)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def write(self, client: httpx.Client, n: int) -> None:
        """An incident, then statements of it."""
        opened = self.ask(client, "write", "POST", "/incidents", json={"title": f"Fire {n}", "kind": "fire"})
        id_ = opened["incident_id"]
        self.opened[id_] = 0
        for killed in range(4):
            self.ask(client, "write", "POST", f"/incidents/{id_}/statements", json=self.statement(killed, n))
            self.opened[id_] = killed + 1

    def read(self, client: httpx.Client, n: int) -> None:
        """Every incident that was acknowledged before is listed, with all that was acknowledged of it."""
        known = dict(self.opened)
        seen: dict[str, Any] = {}
        cursor: dict[str, str] = {}
        while True:
            page = self.ask(client, "list", "GET", "/incidents", params={"limit": 1000, **cursor})
            seen |= {item["incident_id"]: item for item in page["items"]}
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        for id_, statements in known.items():
            assert seen[id_]["version"] > statements
        for id_ in list(known)[-3:]:
            detail = self.ask(client, "detail", "GET", f"/incidents/{id_}")
            assert len(detail["statements"]) >= known[id_]

    def hush(self, client: httpx.Client, n: int) -> None:
        """The last incident that was acknowledged is kept from the public, and a statement of it, and neither again."""
        if not self.opened:
            return
        id_ = list(self.opened)[-1]
        said = [one["statement_id"] for one in self.ask(client, "detail", "GET", f"/incidents/{id_}")["statements"]]
        things = [None, *(UUID(statement_id) for statement_id in said[:1])]
        asyncio.run(self._hush(f"incident:{id_}", [(thing, one) for one in (AMBER, CLEAR) for thing in things]))

    async def _hush(self, stream: str, told: list[tuple[UUID | None, Visibility]]) -> None:
        async with make_pool(self.url, Settings(pool_size=2)) as pool:
            for statement_id, visibility in told:
                event = VisibilityChanged(statement_id=statement_id, visibility=visibility, reason="so")
                await append(pool, Log(pool), self.ledger_id, [(stream, event)])

    def report(self) -> str:
        shown = []
        for kind, times in self.times.items():
            ordered = sorted(times)
            middle, late = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))
            shown.append(f"{kind} {len(ordered)} p50 {middle:.1f} ms p99 {late:.1f} ms max {ordered[-1] * 1000:.1f} ms")
        return "; ".join(shown)


@pytest.mark.parametrize("projection", ["incident_history", "source_record"])
def test_a_rebuild_with_two_workers_while_everybody_reads_and_writes(
    url: str, tmp_path: Path, projection: str, record_property: Callable[[str, object], None]
) -> None:
    with serve(url, tmp_path) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        load = Load(client, "loaded", url)
        threads = [threading.Thread(target=load.run, args=(load.write, n)) for n in range(WRITERS)]
        threads += [threading.Thread(target=load.run, args=(load.read, n)) for n in range(READERS)]
        threads.append(threading.Thread(target=load.run, args=(load.hush, 0)))
        for thread in threads:
            thread.start()
        asked = load.client.post(f"/v1/admin/projections/{projection}/rebuilds", json={"workers": 2})
        assert asked.status_code == 202
        phases = []
        while (view := load.client.get(asked.headers["location"]).json())["phase"] not in ENDED:
            phases.append(view["phase"])
            assert not load.wrong
        for thread in threads:
            load.stopping.set()
            thread.join()
        record_property("latencies", load.report())
        print(load.report())
        assert load.wrong == []
        assert (view["phase"], view["differences"]) == ("done", [])
        assert all(digest["live"] == digest["rebuilt"] for digest in view["digests"])
        listed = load.client.get(f"{load.path}/incidents", params={"limit": 1000}).json()["items"]
        assert {item["incident_id"] for item in listed} >= set(load.opened) or len(listed) == 1000
        while any(one["lag_events"] for one in load.client.get("/v1/admin/projections").json()["items"]):
            pass
    assert verified(url, "loaded") == []
