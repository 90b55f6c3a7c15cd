"""`stet projections`, `rebuild`, `retry`: how they are, what is parked, and what mends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.conftest import Server, serve, wait_until

# The database makes no difference to what is tested here: one of them is enough.
pytestmark = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")


@pytest.fixture
def server(url: str, tmp_path: Path) -> Iterator[Server]:
    with serve(url, tmp_path, "--reference") as running:
        with httpx.Client(base_url=running.url, timeout=30) as client:
            wait_until(lambda: state(client) == "current", "the worker is done")
        yield running


def state(client: httpx.Client) -> str:
    found = {one["name"]: one["state"] for one in client.get("/v1/admin/projections").json()["items"]}
    return str(found["source_record"])


def stet(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stet", *arguments]
    environment = {**os.environ, "STET_DATABASE_URL": url}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_a_stream_is_parked_and_taken_again(server: Server, url: str) -> None:
    """A row that is gone: what should end it cannot. The others go on, and once it is back it is taken."""
    with httpx.Client(base_url=server.url, timeout=30) as client:
        path = "/v1/ledgers/mi24/incidents"
        crash = next(one for one in client.get(path).json()["items"] if "Mi-24" in one["title"])["incident_id"]
        said = client.get(f"{path}/{crash}").json()["statements"][0]
        gone = f"source_record WHERE source_id = '{said['speaker']['source_id']}' AND incident_id = '{crash}'"
        execute(url, f"CREATE TABLE kept AS SELECT * FROM stet.{gone}; DELETE FROM stet.{gone}")
        body = {"type": "statement-withdrawn", "statement_id": said["statement_id"]}
        body |= {"ground": "duplicate", "reason": "said twice"}
        assert client.post(f"{path}/{crash}/revisions", json=body).status_code == 201
        wait_until(lambda: state(client) == "parked", "the stream is parked")
        opened = client.post(path, json={"title": "Another", "kind": "fire"})
        assert opened.status_code == 201
        record = f"/v1/ledgers/mi24/sources/{said['speaker']['source_id']}/record"
        lacking = client.get(record, params={"as_of": "position:75"})
        assert (lacking.json()["parked"], lacking.json()["cut"]["final"]) == (1, False)
        assert lacking.headers["cache-control"] == "no-cache"
        assert "content-location" not in lacking.headers
        shown = stet(url, "projections")
        assert shown.returncode == 1
        assert f"incident:{crash}" in shown.stdout
        assert "Diverged" in shown.stdout
        verified = stet(url, "verify")
        assert verified.returncode == 1
        assert f"mi24: source_record has parked incident:{crash}" in verified.stdout
        again = stet(url, "retry", "source_record")
        assert again.returncode == 1
        assert "Diverged" in again.stdout
        execute(url, "INSERT INTO stet.source_record SELECT * FROM kept")
        other = client.post("/v1/admin/projections/source_record/retries", json={"stream": "incident:other"})
        assert other.json() == {"items": []}
        assert state(client) == "parked"
    mended = stet(url, "retry", "source_record", "--url", server.url, "--ledger", "mi24")
    assert (mended.returncode, mended.stdout) == (0, f"mi24: incident:{crash}: taken\n")
    assert stet(url, "retry", "source_record").stdout == "nothing is parked\n"
    assert stet(url, "verify").returncode == 0
    assert stet(url, "projections").returncode == 0


@pytest.mark.parametrize("remote", [False, True], ids=["here", "--url"])
def test_a_rebuild_shows_its_phases_and_the_digests(server: Server, url: str, remote: bool) -> None:
    options = ["--url", server.url] if remote else []
    rebuilt = stet(url, "rebuild", "incident_history", "--workers", "2", *options)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert [line.partition(":")[0] for line in rebuilt.stdout.splitlines()] == [
        "incident_history",
        "statement_history",
        "shown_history",
        "incident_history",
    ]
    assert " = rebuilt " in rebuilt.stdout
    assert "switched" in rebuilt.stdout
    phases = [line.split()[0] for line in rebuilt.stderr.splitlines()]
    assert phases[-1] == "done"
    dropped = stet(url, "rebuild", "incident_history", "--drop-old")
    assert dropped.stdout == "incident_history: dropped the old tables\n"
    assert (
        stet(url, "rebuild", "incident_history", "--drop-old").stdout == "incident_history: there are no old tables\n"
    )


def test_a_refused_rebuild_prints_the_rows_of_both_sides(server: Server, url: str) -> None:
    execute(url, "UPDATE stet.name_history SET words = '''forged'''")
    refused = stet(url, "rebuild", "name_history")
    assert refused.returncode == 1
    assert "only live: name_history {" in refused.stdout
    assert "only rebuilt: name_history {" in refused.stdout
    assert "name_history: refused: the live tables differ from what the log gives" in refused.stdout
    assert stet(url, "rebuild", "name_history", "--verify-only", "--url", server.url).returncode == 1
    assert stet(url, "rebuild", "name_history", "--accept-differences").returncode == 0
    assert stet(url, "verify").returncode == 0


def test_the_states_as_json(server: Server, url: str) -> None:
    here, there = stet(url, "projections", "--json"), stet(url, "projections", "--json", "--url", server.url)
    for shown in (here, there):
        found = {one["name"]: one["state"] for one in json.loads(shown.stdout)["items"]}
        inline = dict.fromkeys(("incident_history", "name_history", "restriction_history"), "inline")
        assert found == {**inline, "source_record": "current"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rebuild", "nothing"], "there is no projection nothing: there are incident_history"),
        (["retry", "nothing"], "there is no projection nothing: there are incident_history"),
        (["rebuild", "name_history", "--workers", "0"], "0 is not in the range 1<=x<=64"),
        (["rebuild", "name_history", "--drop-old", "--verify-only"], "--drop-old goes with no other option"),
        (["projections", "--url", "http://127.0.0.1:9"], "cannot be reached"),
    ],
)
def test_what_cannot_be_asked(url: str, arguments: list[str], said: str) -> None:
    refused = stet(url, *arguments)
    assert refused.returncode in (2, 3)
    assert said in refused.stderr
