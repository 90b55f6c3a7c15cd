"""For those who run it: how the projections are, and rebuilds: asked for, followed, cancelled, refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from tests.conftest import Cluster, Server, serve, wait_until
from tests.http.asking import NOBODY, malformed, problem, read
from tests.http.test_lists import Desk, count

from stet.projections.rebuild.job import ENDED
from stet.projections.registry import PROJECTIONS
from stet.projections.verify import differences

INLINE, LATER = "incident_history", "source_record"
REBUILDS = "/v1/admin/rebuilds"
FIELDS = (
    *("rebuild_id", "projection", "version", "phase", "workers", "verify_only", "accept_differences", "cancel"),
    *("requested_at", "started_at", "finished_at", "events_done", "events_total", "rate", "eta", "parked", "digests"),
    *("differences", "error"),
)


class Place:
    """A service on a database of its own, with a ledger that something is in."""

    def __init__(self, url: str, server: Server, client: httpx.Client) -> None:
        self.url, self.server, self.client = url, server, client
        self.desk = Desk(client)
        for n in range(5):
            self.desk.open(
                f"Incident {n}", self.desk.said("Ministry", killed=count(n)), self.desk.said("Witness", cause="gas")
            )

    def projection(self, name: str) -> dict[str, Any]:
        items = read(self.client.get("/v1/admin/projections"))["items"]
        assert [one["name"] for one in items] == [one.name for one in PROJECTIONS]
        return next(one for one in items if one["name"] == name)

    def current(self) -> bool:
        return bool(self.projection(LATER)["state"] == "current")

    def ask(self, name: str, **body: Any) -> httpx.Response:
        return self.client.post(f"/v1/admin/projections/{name}/rebuilds", json=body)

    def asked(self, name: str, **body: Any) -> str:
        """The address of a rebuild."""
        answer = self.ask(name, **body)
        assert answer.status_code == 202, answer.text
        address: str = answer.headers["location"]
        assert address == f"{REBUILDS}/{answer.json()['rebuild_id']}"
        assert tuple(answer.json()) == FIELDS
        return address

    def ended(self, address: str) -> dict[str, Any]:
        wait_until(lambda: read(self.client.get(address))["phase"] in ENDED, "the rebuild to end", 60)
        return read(self.client.get(address))

    def differences(self) -> list[str]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return differences(connection, self.desk.name)

    def tables(self) -> dict[str, list[Any]]:
        """Every row of every table of a projection; and which tables there are at all."""
        with psycopg.connect(self.url) as connection:
            tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'stet' ORDER BY 1"
            found = {"tables": connection.execute(tables).fetchall()}
            for name in [table.name for one in PROJECTIONS for table in one.tables]:
                rows = f"SELECT t::text, tableoid FROM stet.{name} t ORDER BY 1".encode()
                found[name] = connection.execute(rows).fetchall()
        return found

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            assert connection.execute(statement.encode()).rowcount > 0


@pytest.fixture(scope="module")
def idle(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Without a worker: what is asked for stays queued."""
    url = cluster.migrated()
    with (
        serve(url, tmp_path_factory.mktemp("idle"), "--no-worker") as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        yield Place(url, server, client)


@pytest.fixture(scope="module")
def place(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """With a worker."""
    url = cluster.migrated()
    with (
        serve(url, tmp_path_factory.mktemp("admin")) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        yield Place(url, server, client)


# ---- how they are ----


def test_what_appends_keep_is_never_behind(place: Place, idle: Place) -> None:
    """With a worker, and without."""
    for one in (place, idle):
        shown = one.projection(INLINE)
        version, tables = PROJECTIONS[0].version, [table.name for table in PROJECTIONS[0].tables]
        assert (shown["state"], shown["version"], shown["tables"]) == ("inline", version, tables)
        assert (shown["lag_events"], shown["lag_seconds"], shown["ledgers"]) == (0, 0, [])
        assert (shown["parked"], shown["rebuild"]) == ([], None)


def test_with_a_worker_it_is_soon_current(place: Place) -> None:
    place.desk.open("Another", place.desk.said("Ministry", cause="gas"))
    wait_until(place.current, "the worker to take everything")
    shown = place.projection(LATER)
    (lag,) = shown["ledgers"]
    position = place.desk.position
    at = {"ledger": place.desk.name, "position": position, "head": position, "lag_events": 0, "lag_seconds": 0}
    assert (lag, shown["lag_events"], shown["lag_seconds"]) == (at, 0, 0)
    assert place.client.get("/v1/admin/projections").headers["cache-control"] == "no-store"


def test_without_a_worker_it_is_stopped_and_with_one_that_does_nothing_behind(idle: Place) -> None:
    """It says how far, in events and in time."""
    for state in ("stopped", "behind"):
        with psycopg.connect(idle.url) as connection:
            if state == "behind":  # the lock of who leads
                connection.execute("SELECT pg_advisory_lock(720311563, hashtext(%s))", (LATER,))
            shown = idle.projection(LATER)
        (lag,) = shown["ledgers"]
        assert (shown["state"], lag["position"], lag["head"]) == (state, 0, idle.desk.position)
        assert lag["lag_events"] == shown["lag_events"] == idle.desk.position
        assert lag["lag_seconds"] == shown["lag_seconds"] > 0


# ---- what is refused ----


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"workers": 0}, "workers"),
        ({"workers": 65}, "workers"),
        ({"workers": "x"}, "workers"),
        ({"workers": 1.5}, "workers"),
        ({"workers": None}, "workers"),
        ({"verify_only": 1}, "verify_only"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_begun(idle: Place, body: dict[str, Any], field: str) -> None:
    malformed(idle.ask(LATER, **body), field)
    assert idle.projection(LATER)["rebuild"] is None


def test_what_there_is_not_is_not_found(idle: Place) -> None:
    problem(idle.ask("no_such"), "not-found", 404)
    problem(idle.client.get(f"{REBUILDS}/{NOBODY}"), "not-found", 404)
    problem(idle.client.delete(f"{REBUILDS}/{NOBODY}"), "not-found", 404)
    malformed(idle.client.get(REBUILDS, params={"projection": "no_such"}), "query.projection")
    retries = idle.client.post("/v1/admin/projections/no_such/retries", json={})
    problem(retries, "not-found", 404)


@pytest.mark.parametrize("name", [INLINE, LATER])
def test_there_is_one_at_a_time_and_it_can_be_cancelled(idle: Place, name: str) -> None:
    """A second one is refused by the id of the first. What was cancelled leaves everything as it was."""
    first, before = idle.asked(name), idle.tables()
    running = idle.projection(name)["rebuild"]
    assert running == read(idle.client.get(first))
    assert (running["phase"], running["cancel"], running["workers"], running["digests"]) == ("queued", False, 1, [])
    refused = problem(idle.ask(name, workers=2), "rebuild-running", 409)
    assert running["rebuild_id"] in refused["detail"]
    cancelled = idle.client.delete(first)
    # Nobody has begun it: it has ended with that.
    assert cancelled.status_code == 202
    ended = read(idle.client.get(first))
    assert cancelled.json() == ended
    assert (ended["phase"], ended["cancel"], ended["started_at"]) == ("cancelled", True, None)
    assert idle.tables() == before
    assert idle.client.delete(first).json() == ended, "one that has ended stays as it is"
    assert idle.client.delete(idle.asked(name)).status_code == 202
    assert idle.projection(name)["rebuild"] is None
    assert idle.differences() == []


# ---- what is done ----


@pytest.mark.parametrize(("name", "workers"), [(INLINE, 1), (LATER, 1), (INLINE, 2)])
def test_a_rebuild_is_followed_to_its_end(place: Place, name: str, workers: int) -> None:
    """Its tables are compared, the same, and put in the place of the live ones."""
    wait_until(place.current, "the worker to take everything")
    before = place.tables()
    address = place.asked(name, workers=workers)
    shown = place.ended(address)
    assert (shown["phase"], shown["differences"], shown["error"], shown["parked"]) == ("done", [], None, 0)
    tables = next([table.name for table in one.tables] for one in PROJECTIONS if one.name == name)
    assert [(one["table"], one["rows"]) for one in shown["digests"]] == [(t, len(before[t])) for t in tables]
    assert all(one["live"] == one["rebuilt"] and len(one["live"]) == 64 for one in shown["digests"])
    assert shown["events_done"] == shown["events_total"] > 0
    assert shown["requested_at"] <= shown["started_at"] <= shown["finished_at"]
    after = place.tables()
    for table in tables:
        assert [row for row, _ in after[table]] == [row for row, _ in before[table]]
        assert {oid for _, oid in after[table]}.isdisjoint({oid for _, oid in before[table]}), "it is another table"
    assert place.differences() == []
    listed = read(place.client.get(REBUILDS))["items"]
    assert listed[0] == shown == read(place.client.get(REBUILDS, params={"projection": name}))["items"][0]
    assert place.projection(name)["rebuild"] is None


def test_only_to_compare_leaves_the_tables(place: Place) -> None:
    wait_until(place.current, "the worker to take everything")
    before = place.tables()
    shown = place.ended(place.asked(LATER, verify_only=True))
    assert (shown["phase"], shown["differences"]) == ("done", [])
    assert place.tables() == before


DAMAGES = {
    INLINE: "UPDATE stet.incident_history SET title = 'Planted' WHERE to_position = 9223372036854775807",
    LATER: "UPDATE stet.source_record SET said = said + 7",
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_rows_are_shown_and_repaired_only_if_that_is_asked_for(place: Place, name: str) -> None:
    """Refused, with the rows of both sides, and nothing is touched; then accepted, and right again."""
    wait_until(place.current, "the worker to take everything")
    place.execute(DAMAGES[name])
    damaged = place.tables()
    assert place.differences() != []
    for body in ({}, {"verify_only": True}):
        shown = place.ended(place.asked(name, **body))
        assert shown["phase"] == "refused"
        assert shown["error"] == "the live tables differ from what the log gives"
        assert {one["side"] for one in shown["differences"]} == {"live", "rebuilt"}
        planted = [one for one in shown["differences"] if "Planted" in one["row"]]
        assert all(one["side"] == "live" for one in planted)
        assert bool(planted) == (name == INLINE)
        assert any(one["live"] != one["rebuilt"] for one in shown["digests"])
        assert place.tables() == damaged
    shown = place.ended(place.asked(name, accept_differences=True))
    assert (shown["phase"], shown["error"]) == ("done", None)
    assert {one["side"] for one in shown["differences"]} == {"live", "rebuilt"}, "what was accepted is said"
    assert place.differences() == []
