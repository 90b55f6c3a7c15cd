"""Releases of tables: a real one and vintages made from it, and a small one with times and a list of deleted rows."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from tests.conftest import Cluster, Server, serve
from tests.http.asking import id_of, read
from tests.importers.running import DATA, data_set, items, rows, stet_import

from stet.importers.mapping import load_mapping

FILE = DATA / "ged231-car.csv.gz"
Cells = dict[str, str]
Table = dict[str, Cells]
FIRST, SECOND, THIRD = "2023-06-01T00:00:00Z", "2024-06-01T00:00:00Z", "2025-06-01T00:00:00Z"

# Once: what is tested is what an import makes of a file, and other tests run the same statements on every PostgreSQL.
pytestmark = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")


def table_of(text: str, key: str) -> Table:
    """The rows of a CSV by key."""
    return {row[key]: row for row in csv.DictReader(io.StringIO(text, newline=""))}


def published() -> Table:
    return table_of(gzip.decompress(FILE.read_bytes()).decode(), "id")


def vintages() -> list[Table]:
    """The release, and two made from it: rows dropped, figures changed; some brought back, some as they first were."""
    first = published()
    keys = list(first)
    second = {key: row for n, (key, row) in enumerate(first.items()) if n % 7 != 3}
    for key in keys[::11]:
        if key in second:
            second[key] = second[key] | {"best": "4", "high": "9", "low": "2"}
    third = dict(second)
    for key in keys[3::14]:
        third[key] = first[key] | {"side_b": "Unknown armed group"}
    for key in keys[::22]:
        third[key] = first[key]
    return [first, second, third]


def write(path: Path, table: Table) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(next(iter(table.values()))))
        writer.writeheader()
        writer.writerows(table.values())
    return path


class Imported(NamedTuple):
    client: httpx.Client
    source: str
    said: list[str]
    positions: list[int]

    def csv(self, **cut: str) -> Table:
        """The rows at a cut, read as CSV, by their keys."""
        params = {"source": self.source, "format": "csv", **cut}
        answer = self.client.get("/v1/ledgers/ged/records", params=params)
        assert answer.headers["content-type"].startswith("text/csv"), answer.text
        found = table_of(answer.text, "record_key")
        return {key: {name: cell for name, cell in row.items() if name != "record_key"} for key, row in found.items()}


@pytest.fixture(scope="module")
def imported(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    """The release, the release again, and its two later vintages."""
    folder = tmp_path_factory.mktemp("ged")
    files = [(FILE, FIRST), (FILE, FIRST)]
    files += [
        (write(folder / f"{at[:4]}.csv", table), at) for table, at in zip(vintages()[1:], (SECOND, THIRD), strict=True)
    ]
    with (
        serve(cluster.migrated(), folder, "--no-worker") as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        said, positions = [], []
        for file, at in files:
            options = ("--ledger", "ged", "--mapping", "ucdp-ged", "--at", at, "--url", server.url)
            said.append(stet_import("table", file, *options, cwd=folder))
            positions.append(int(client.get("/v1/ledgers/ged/incidents?limit=1").headers["stet-position"]))
        yield Imported(client, data_set(client, "/v1/ledgers/ged"), said, positions)


def test_every_row_came_in_once(imported: Imported) -> None:
    """The same file again does nothing."""
    assert "1,848 rows published\n" in imported.said[0]
    assert "could not come in" not in "".join(imported.said)
    assert "column" not in imported.said[0], "every column is mapped or ignored"
    assert imported.said[1].splitlines() == ["the data set has 1,848 rows", "1,848 rows that are as they were"]
    assert imported.positions[0] == imported.positions[1]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_vintage_is_given_back(number: int, imported: Imported) -> None:
    """By what had been said, by what had been recorded, and by both; row for row, and cell for cell."""
    said_by = {"said_by": (FIRST, SECOND, THIRD)[number]}
    as_of = {"as_of": f"position:{imported.positions[1:][number]}"}
    expected = vintages()[number]
    for cut in (said_by, as_of, said_by | {"as_of": f"position:{imported.positions[-1]}"}):
        found = imported.csv(**cut)
        assert found == expected, cut
        assert [list(row) for row in found.values()] == [list(row) for row in expected.values()][: len(found)]


@pytest.mark.parametrize("number", [0, 2])
def test_an_export_gives_every_mapped_column_back(number: int, imported: Imported) -> None:
    """Through the claims, and not by the rows that are kept beside them. Each row has its own id again."""
    as_of = f"position:{imported.positions[(0, 1, 3)[number]]}"
    answer = imported.client.get("/v1/ledgers/ged/exports/ucdp", params={"as_of": as_of}, timeout=120)
    assert answer.status_code == 200, answer.text
    table, found = vintages()[number], table_of(answer.text, "id")
    assert found.keys() >= table.keys()
    columns = [name for name in load_mapping("ucdp-ged").columns() if name != "source_office"]
    assert len(columns) >= 25
    differing = {
        (name, table[key][name], found[key][name])
        for key in table
        for name in columns
        if comparable(found[key][name]) != comparable(table[key][name])
    }
    assert not differing
    # Of an office that is named twice in a cell there is one claim.
    for key, row in table.items():
        offices = dict.fromkeys(part.strip() for part in row["source_office"].split(";") if part.strip())
        assert [part for part in found[key]["source_office"].split(";") if part] == list(offices)


def comparable(cell: str) -> Decimal | str:
    """Numbers are equal however they are written."""
    try:
        return Decimal(cell)
    except ArithmeticError:
        return " ".join(cell.split())


def test_what_a_release_changed_is_counted(imported: Imported) -> None:
    """Rows that came, that differ, and that are gone."""
    first, second, third = vintages()
    for said, old, new in ((imported.said[2], first, second), (imported.said[3], second, third)):
        came, gone = len(new.keys() - old.keys()), len(old.keys() - new.keys())
        differ = sum(new[key] != old[key] for key in new.keys() & old.keys())
        for count, what in ((came, "rows published"), (differ, "rows replaced"), (gone, "rows taken back")):
            assert (f"{count:,} {what}" in said) == (count > 0), said


def test_figures_are_as_the_release_has_them(imported: Imported) -> None:
    """Low, best and high of every row; the twenty that contradict themselves are flagged, and not changed."""
    cut = {"as_of": f"position:{imported.positions[0]}"}
    found: dict[str, dict[str, Any]] = {}
    for statement in items(imported.client, "/v1/ledgers/ged/statements", attribute="killed", **cut):
        for claim in statement["claims"]:
            if claim["attribute"] == "killed" and claim["of"] is None:
                found[statement["record"]["key"]] = claim["value"]
    expected = {}
    for key, row in published().items():
        low, best, high = (int(row[name]) for name in ("low", "best", "high"))
        contradict = {} if low <= best <= high else {"inconsistent": True}
        expected[key] = {"min": low, "max": high, "best": best, **contradict}
    assert found == expected
    assert sum(value.get("inconsistent", False) for value in found.values()) == 20


def test_a_contradictory_triple_resolves_to_its_least_and_greatest(imported: Imported) -> None:
    """In the list, at the first release."""
    contradictory = {
        key: sorted(int(row[name]) for name in ("low", "best", "high"))
        for key, row in published().items()
        if not int(row["low"]) <= int(row["best"]) <= int(row["high"])
    }
    cut = {"as_of": f"position:{imported.positions[0]}"}
    incidents = {
        one["record"]["key"]: one["incident_id"]
        for one in items(imported.client, "/v1/ledgers/ged/statements", **cut)
        if one["record"]["key"] in contradictory
    }
    listed = {one["incident_id"]: one["killed"] for one in items(imported.client, "/v1/ledgers/ged/incidents", **cut)}
    for key, figures in contradictory.items():
        shown = listed[incidents[key]]
        assert (shown["min"], shown["max"]) == (figures[0], figures[-1]), key


ACLED = re.findall(
    r"\S+",
    """
    event_id_cnty event_date year time_precision disorder_type event_type sub_event_type actor1 assoc_actor_1 inter1
    actor2 assoc_actor_2 inter2 interaction civilian_targeting iso region country admin1 admin2 admin3 location
    latitude longitude geo_precision source source_scale notes fatalities tags timestamp
    """,
)
T1, T2 = 1605000000, 1606000000
"""2020-11-10T09:20:00Z and 2020-11-21T23:06:40Z."""


def an_event(key: str, **cells: Any) -> Cells:
    """A made-up row of 31 columns."""
    known = {
        "event_id_cnty": key,
        "event_date": "2020-11-09",
        "year": 2020,
        "time_precision": 1,
        "event_type": "Battles",
        "sub_event_type": "Armed clash",
        "actor1": "Forces of X",
        "country": "X",
        "location": "Yeraskh",
        "latitude": "39.7400",
        "longitude": "44.8100",
        "geo_precision": 2,
        "source": "First Agency; Second Agency",
        "fatalities": 0,
        "timestamp": T1,
    }
    return {name: str((known | cells).get(name, "")) for name in ACLED}


def test_acled(server: Server, client: httpx.Client, ledger: str, tmp_path: Path) -> None:
    """0 deaths say nothing, times are as near as their code, sources are split, `timestamp` is when it was said."""
    events = [
        an_event("XXX1", fatalities=2),
        an_event("XXX2", time_precision=2),
        an_event("XXX3", time_precision=3, event_type="Riots", geo_precision=3),
    ]
    file = write(tmp_path / "acled.csv", {row["event_id_cnty"]: row for row in events})
    options = ("--ledger", id_of(ledger), "--mapping", "acled", "--url", server.url)
    stet_import("table", file, *options, "--at", "2020-11-20", cwd=tmp_path)
    source = data_set(client, ledger)
    names = {one["source_id"]: one["name"] for one in items(client, f"{ledger}/sources")}
    claimed = {}
    for one in items(client, f"{ledger}/statements"):
        assert (one["said_at"]["earliest"], one["said_at"]["latest"]) == ("2020-11-10T09:20:00Z",) * 2
        claims = {claim["attribute"]: claim["value"] for claim in one["claims"]}
        reported = [names[c["value"]["source_id"]] for c in one["claims"] if c["attribute"] == "reported_by"]
        assert sorted(reported) == ["First Agency", "Second Agency"]
        claimed[one["record"]["key"]] = (
            claims.get("killed"),
            claims["occurred_at"]["earliest"][:10],
            claims["occurred_at"]["latest"][:10],
            claims["occurred_at"].get("approximate", False),
        )
    assert claimed["XXX1"] == ({"min": 2, "max": 2}, "2020-11-09", "2020-11-09", False)
    assert claimed["XXX2"][0] == {"min": 0}, "unknown, or none"
    assert claimed["XXX2"][1] < "2020-11-09" < claimed["XXX2"][2]
    assert claimed["XXX2"][3]
    assert claimed["XXX3"][1:] == ("2020-11-01", "2020-11-30", True)
    assert rows(client, ledger, source, said_by="2020-11-10T09:19:59Z") == {}
    assert len(rows(client, ledger, source, said_by="2020-11-10T09:20:00Z")) == 3

    # A part of the next release, and the list of what is deleted.
    part = {row["event_id_cnty"]: row for row in (an_event("XXX2", fatalities=7, timestamp=T2), an_event("XXX4"))}
    deleted = tmp_path / "deleted.csv"
    deleted.write_text(f"event_id_cnty,deleted_timestamp\nXXX3,{T2 + 60}\nXXX9,{T2}\n")
    args = (*options, "--at", "2020-11-30", "--partial", "--deleted", deleted)
    said = stet_import("table", write(tmp_path / "part.csv", part), *args, cwd=tmp_path)
    assert "1 deleted rows that were not there" in said
    assert list(rows(client, ledger, source)) == ["XXX1", "XXX2", "XXX4"]
    # XXX4 says of itself that it was said on the 10th, though it is in a later release only.
    assert list(rows(client, ledger, source, said_by="2020-11-21T23:07:39Z")) == ["XXX1", "XXX2", "XXX3", "XXX4"]
    assert list(rows(client, ledger, source, said_by="2020-11-21T23:07:40Z")) == ["XXX1", "XXX2", "XXX4"]
    before = rows(client, ledger, source, said_by="2020-11-21T23:06:39Z")["XXX2"]
    after = rows(client, ledger, source, said_by="2020-11-21T23:06:40Z")["XXX2"]
    assert '"fatalities":"0"' in before
    assert '"fatalities":"7"' in after
    said = stet_import("table", tmp_path / "part.csv", *args, cwd=tmp_path)
    assert "rows published" not in said
    assert "rows taken back" not in said
    # The whole of a release without XXX1 takes it back.
    stet_import("table", tmp_path / "part.csv", *options, "--at", "2020-12-31", cwd=tmp_path)
    assert list(rows(client, ledger, source)) == ["XXX2", "XXX4"]
    assert list(rows(client, ledger, source, said_by="2020-12-30")) == ["XXX1", "XXX2", "XXX4"]


def test_a_row_that_changes_and_changes_back_at_one_time(
    server: Server, client: httpx.Client, ledger: str, tmp_path: Path
) -> None:
    """Three releases of one day, the third like the first: the last of them counts."""
    options = ("--ledger", id_of(ledger), "--mapping", "acled", "--url", server.url, "--at", "2020-11-20")
    for fatalities in (1, 2, 1):
        release = write(tmp_path / "release.csv", {"A": an_event("A", fatalities=fatalities)})
        said = stet_import("table", release, *options, cwd=tmp_path)
        assert "1 rows published" in said or "1 rows replaced" in said
        assert f'"fatalities":"{fatalities}"' in rows(client, ledger, data_set(client, ledger))["A"]


def test_a_list_of_deleted_rows_beside_a_whole_release(
    server: Server, client: httpx.Client, ledger: str, tmp_path: Path
) -> None:
    """A row is taken back once, at the time of the list; a row that the release has stays; again, nothing is done."""
    options = ("--ledger", id_of(ledger), "--mapping", "acled", "--url", server.url)
    first = write(tmp_path / "first.csv", {key: an_event(key) for key in ("A", "B", "C")})
    stet_import("table", first, *options, "--at", "2020-11-20", cwd=tmp_path)
    second = write(tmp_path / "second.csv", {key: an_event(key) for key in ("A", "D")})
    deleted = tmp_path / "deleted.csv"
    deleted.write_text("event_id_cnty\nB\n")
    said = stet_import("table", second, *options, "--at", "2020-12-20", "--deleted", deleted, cwd=tmp_path, code=2)
    assert "lacks what the mapping reads: deleted_timestamp" in said
    assert "".join(rows(client, ledger, data_set(client, ledger))) == "ABC", "nothing of the release is recorded"
    gone = 1606262400  # 2020-11-25T00:00:00Z
    deleted.write_text(f"event_id_cnty,deleted_timestamp\nB,{gone}\nD,{gone}\nA,{gone}\nE,soon\nZ,{gone}\n")
    options = (*options, "--at", "2020-12-20", "--deleted", deleted, "--rejects", "rejects")
    said = stet_import("table", second, *options, cwd=tmp_path, code=1)
    assert "2 rows taken back\n" in said
    assert "2 deleted rows that the release has: they stay\n" in said
    assert "1 deleted rows that were not there\n" in said
    (rejected,) = (tmp_path / "rejects").read_text().splitlines()
    assert "deleted_timestamp: 'soon'" in rejected
    source = data_set(client, ledger)
    for day, keys in (("2020-11-24", "ABCD"), ("2020-11-25T00:00:00Z", "ACD"), ("2020-12-21", "AD")):
        assert "".join(rows(client, ledger, source, said_by=day)) == keys
    again = stet_import("table", second, *options, cwd=tmp_path, code=1)
    assert "taken back" not in again
    assert "published" not in again


def test_a_release_before_the_last_is_refused(
    server: Server, client: httpx.Client, ledger: str, tmp_path: Path
) -> None:
    """Releases come in the order in which they were published; nothing is recorded."""
    file = write(tmp_path / "acled.csv", {"XXX1": an_event("XXX1", timestamp="")})
    options = ("--ledger", id_of(ledger), "--mapping", "acled", "--url", server.url)
    stet_import("table", file, *options, "--at", "2020-11-20T00:00:00Z", cwd=tmp_path)
    head = read(client.get(f"{ledger}/records/{data_set(client, ledger)}"))["cut"]["position"]
    said = stet_import("table", file, *options, "--at", "2020-11-19T23:59:59Z", cwd=tmp_path, code=2)
    assert "--at: the data set has said something at 2020-11-20T00:00:00+00:00: releases come in order" in said
    assert read(client.get(f"{ledger}/records/{data_set(client, ledger)}"))["cut"]["position"] == head
