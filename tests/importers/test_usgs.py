"""The whole history of a real feed: 16,184 dated lines in, and the table as it was at any moment out."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import httpx
import pytest
from tests.conftest import Cluster, serve
from tests.http.asking import read
from tests.importers.running import DATA, data_set, items, rows, stet_import

FOLDER = DATA / "usgs"
LEDGER = "/v1/ledgers/quakes"
LINES = [json.loads(line) for line in gzip.decompress((FOLDER / "revlog.jsonl.gz").read_bytes()).splitlines()]
CHECKPOINTS = json.loads((FOLDER / "checkpoints-selected.json").read_text())
FIRST, LAST = (datetime.fromisoformat(LINES[n]["t"]) for n in (0, -1))

# Once, on the embedded PostgreSQL: it is the largest import of the tests, and says nothing of the server's version.
pytestmark = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")


class Imported(NamedTuple):
    client: httpx.Client
    source: str
    said: str
    keys: dict[str, str]
    """The key of the row that each incident is about."""


@pytest.fixture(scope="module")
def imported(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    """The file, imported through a running service."""
    folder = tmp_path_factory.mktemp("usgs")
    with (
        serve(cluster.migrated(), folder, "--no-worker") as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        options = ("--ledger", "quakes", "--mapping", "usgs", "--url", server.url)
        said = stet_import("records", FOLDER / "revlog.jsonl.gz", *options, cwd=folder)
        keys = {one["incident_id"]: one["record"]["key"] for one in items(client, f"{LEDGER}/statements")}
        yield Imported(client, data_set(client, LEDGER), said, keys)


def replay(until: datetime, lines: list[dict[str, Any]] = LINES) -> dict[str, dict[str, Any] | None]:
    """The table at a moment, by a plain replay of the lines; None: the row was there, and is gone."""
    table: dict[str, dict[str, Any] | None] = {}
    for line in lines:
        if datetime.fromisoformat(line["t"]) > until:
            continue
        if line["op"] == "delete":
            table[line["key"]] = None
        elif line["op"] == "create":
            table[line["key"]] = line["rec"]
        else:
            changed = {**(table[line["key"]] or {}), **line["set"]}
            table[line["key"]] = {name: value for name, value in changed.items() if name not in line["unset"]}
    return table


def listed(imported: Imported, **cut: str) -> dict[str, tuple[Any, ...]]:
    """Magnitude and place of each incident in a list, by the key of its row."""
    found = {}
    for item in items(imported.client, f"{LEDGER}/incidents", **cut):
        magnitude, place = item["values"].get("magnitude"), item["place"]
        assert magnitude is None or magnitude["unit"] == "M"
        found[imported.keys[item["incident_id"]]] = (
            magnitude and magnitude["amount"],
            place and (place["name"], place["longitude"], place["latitude"]),
        )
    return found


def expected(table: dict[str, dict[str, Any] | None]) -> dict[str, tuple[Any, ...]]:
    """What the list must show of a table. A row that is gone has an incident of which nothing is claimed."""
    return {
        key: (row["mag"], (row["place"], row["lon"], row["lat"])) if row else (None, None) for key, row in table.items()
    }


def test_every_line_came_in(imported: Imported) -> None:
    """They are counted by what became of them."""
    assert "9,350 rows published\n5,371 rows replaced\n1,463 rows taken back\n" in imported.said
    assert read(imported.client.get(f"{LEDGER}/records/{imported.source}"))["last_seq"] == len(LINES)
    assert len(set(imported.keys.values())) == len(set(imported.keys)) == 8460


@pytest.mark.parametrize("checkpoint", CHECKPOINTS, ids=lambda one: one["t"])
def test_the_rows_said_by_a_checkpoint_are_those_of_the_feed(imported: Imported, checkpoint: dict[str, Any]) -> None:
    """Their number and their hash, which were taken from the feed's own copy."""
    found = rows(imported.client, LEDGER, imported.source, said_by=checkpoint["t"])
    table = {key: json.loads(record) for key, record in found.items()}
    shown = {key: row for key, row in table.items() if row["time"] >= checkpoint["window_start"]}
    canonical = json.dumps(shown, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert (len(shown), sha256(canonical.encode()).hexdigest()) == (checkpoint["records"], checkpoint["sha256"])


def test_lists_at_random_moments_are_what_a_replay_gives(imported: Imported) -> None:
    """Magnitude and place of every incident, at 20 moments between the first line and the last."""
    random_ = random.Random(5)
    for _ in range(20):
        moment = FIRST + (LAST - FIRST) * random_.random()
        assert listed(imported, said_by=moment.isoformat().replace("+00:00", "Z")) == expected(replay(moment)), moment


def test_the_second_before_a_line_does_not_have_it(imported: Imported) -> None:
    """The bound of `said_by` is closed, and to the microsecond."""
    moment = datetime.fromisoformat(CHECKPOINTS[1]["t"])
    for at in (moment, moment - timedelta(microseconds=1)):
        found = rows(imported.client, LEDGER, imported.source, said_by=at.isoformat().replace("+00:00", "Z"))
        there = {key: row for key, row in replay(at).items() if row}
        assert {key: json.loads(record) for key, record in found.items()} == there


def test_as_of_a_position_are_the_lines_that_had_come_in(imported: Imported) -> None:
    """Rows and lists at a position, and at a position and a moment together."""
    head = int(imported.client.get(f"{LEDGER}/incidents?limit=1").headers["stet-position"])
    for position in (head // 7, head // 2):
        cut = {"as_of": f"position:{position}"}
        came = read(imported.client.get(f"{LEDGER}/records/{imported.source}", params=cut))["last_seq"]
        assert 0 < came < len(LINES)
        for moment in (LAST, FIRST + (datetime.fromisoformat(LINES[came - 1]["t"]) - FIRST) / 2):
            both = cut | {"said_by": moment.isoformat().replace("+00:00", "Z")}
            table = replay(moment, LINES[:came])
            assert listed(imported, **both) == expected(table)
            found = rows(imported.client, LEDGER, imported.source, **both)
            assert {key: json.loads(row) for key, row in found.items()} == {key: r for key, r in table.items() if r}


def test_the_title_of_an_incident_is_that_of_the_last_line(imported: Imported) -> None:
    """It follows the row; titles are of the record, and no `said_by` cuts them."""
    table = replay(datetime.max.replace(tzinfo=UTC))
    for item in items(imported.client, f"{LEDGER}/incidents"):
        if row := table[imported.keys[item["incident_id"]]]:
            magnitude = "?" if row["mag"] is None else row["mag"]
            assert item["title"] == " ".join(f"M {magnitude} - {row['place']}".split())
