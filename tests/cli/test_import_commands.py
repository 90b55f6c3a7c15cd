"""`stet import records` and `stet import table`, as a user runs them: their words, exit codes and accidents."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.conftest import Cluster, Server, serve, wait_until
from tests.http.asking import id_of, made, read
from tests.importers.running import data_set, rows, stet_import

MAPPING = """
title = "{name|a row}"
kind = "row"
key = ["id"]
source = { name = "The data set" }
attributes = [{ name = "size", type = "quantity", rule = "latest" }]
claims = [{ attribute = "size", type = "quantity", column = "size", unit = "m" }]
"""
T = "2025-01-01T00:00:00Z"
ONCE = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
"""The PostgreSQL makes no difference to these, and they take long."""


def a_line(seq: int, key: str, op: str = "create", **more: object) -> str:
    """A dated record."""
    rec = {} if op == "delete" or "set" in more else {"rec": {"name": f"Row {key}", "size": seq}}
    return json.dumps({"seq": seq, "t": T, "op": op, "key": key, **rec, **more})


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a mapping, a file of dated records and a table."""
    (tmp_path / "mapping.toml").write_text(MAPPING)
    (tmp_path / "rows.jsonl").write_text("\n".join(a_line(n, f"k{n}") for n in range(3)))
    (tmp_path / "rows.csv").write_text("id,name,size\na,A,1\nb,B,2\n")
    return tmp_path


def options(ledger: str, server: Server, *more: str) -> tuple[str, ...]:
    return ("--ledger", id_of(ledger), "--mapping", "mapping.toml", "--url", server.url, *more)


def table_of(client: httpx.Client, ledger: str) -> dict[str, str]:
    return rows(client, ledger, data_set(client, ledger))


@pytest.mark.parametrize("command", ["", "records", "table"])
def test_help(command: str, tmp_path: Path) -> None:
    """Each says what it does, and how it ends."""
    said = stet_import(*command.split(), "--help", cwd=tmp_path)
    if command:
        assert "--ledger" in said
        assert "Exit code 1" in said
        assert "same file twice does nothing" in " ".join(said.split())


def test_what_is_asked_wrong_ends_with_2(server: Server, ledger: str, client: httpx.Client, files: Path) -> None:
    """Each with its word, and before anything is recorded."""
    (files / "empty.jsonl").write_text("")
    (files / "broken.toml").write_text("title = ")
    given = options(ledger, server)
    for arguments, words in (
        (("records", "rows.jsonl"), "Missing option '--ledger'"),
        (("records", "none.jsonl", *given), "there is no file none.jsonl"),
        (("records", "empty.jsonl", *given), "file: is empty"),
        (("records", "rows.jsonl", *given, "--mapping", "none"), "those that ship: acled, ucdp-ged, usgs"),
        (("records", "rows.jsonl", *given, "--mapping", "broken.toml"), "mapping: is not TOML"),
        (("table", "rows.csv", *given), "Missing option '--at'"),
        (("table", "rows.csv", *given, "--at", "soon"), "--at"),
        (("table", "rows.jsonl", *given, "--at", T), "lacks what the mapping reads: id, name, size"),
        (("records", "rows.jsonl", *given, "--ledger", "No Slug"), "path.ledger"),
        (("table", "rows.csv", *given, "--at", T, "--deleted", "rows.csv"), "its list of deleted rows"),
    ):
        assert words in stet_import(*arguments, cwd=files, code=2)
    assert read(client.get(f"{ledger}/incidents"))["items"] == []


def test_a_service_that_is_not_there_ends_with_3(files: Path) -> None:
    arguments = ("--ledger", "l", "--mapping", "mapping.toml", "--url", "http://127.0.0.1:9")
    assert "http://127.0.0.1:9 cannot be reached" in stet_import("records", "rows.jsonl", *arguments, cwd=files, code=3)


def test_a_dry_run_records_nothing(server: Server, client: httpx.Client, files: Path) -> None:
    """It reads the file, and asks no service; a bad row is exit code 1, and so is an unmapped column with --strict."""
    (files / "odd.jsonl").write_text(a_line(1, "a", rec={"name": "A", "size": "big"}) + "\n" + a_line(2, "a", "delete"))
    (files / "more.csv").write_text("id,name,size,colour\na,A,1,red\n")
    given = ("--ledger", "never", "--mapping", "mapping.toml", "--url", "http://127.0.0.1:9", "--dry-run")
    said = stet_import("records", "rows.jsonl", *given, cwd=files)
    assert "3 rows, 3 create, 3 keys, 0 bad" in said
    said = stet_import("records", "odd.jsonl", *given, cwd=files, code=1)
    assert "1 bad" in said
    assert "line 1: size: 'big' is no number" in said
    assert "colour" in stet_import("table", "more.csv", *given, "--at", T, cwd=files)
    assert "colour" in stet_import("table", "more.csv", *given, "--at", T, "--strict", cwd=files, code=1)
    assert not list(files.glob("*rejects*"))


def test_strict_refuses_a_column_that_is_not_in_the_mapping(
    server: Server, client: httpx.Client, ledger: str, files: Path
) -> None:
    """Without it there is a warning, once, and the column is kept in the record."""
    (files / "more.jsonl").write_text("\n".join(a_line(n, f"k{n}", rec={"colour": "red"}) for n in range(3)))
    (files / "more.csv").write_text("id,name,size,colour\na,A,1,red\n")
    given = options(ledger, server)
    for arguments in (("records", "more.jsonl", *given), ("table", "more.csv", *given, "--at", T)):
        said = stet_import(*arguments, "--strict", cwd=files, code=2)
        assert "--strict: the mapping neither reads nor ignores colour" in said
    assert read(client.get(f"{ledger}/sources"))["items"] == []
    said = stet_import("records", "more.jsonl", *given, cwd=files)
    assert said.count("the column colour is not in the mapping") == 1
    assert set(table_of(client, ledger).values()) == {'{"colour":"red"}'}


def test_what_cannot_come_in_is_kept_in_a_file(server: Server, client: httpx.Client, ledger: str, files: Path) -> None:
    """Line, reason, content; everything else comes in; a second run adds nothing to the file, and goes on failing only
    for what it reads again."""
    bad = [
        "{not json}",
        a_line(4, "none", "delete"),
        a_line(5, "none", "update", set={"size": 1}),
        a_line(6, "k9", rec={"name": "x", "size": "big"}),
        json.dumps({"t": T, "op": "create", "key": "k9", "rec": {}}),
        a_line(1, "k7"),
    ]
    lines = [a_line(1, "k1"), *bad, a_line(9, "k2"), a_line(9, "k2"), a_line(8, "k3")]
    (files / "odd.jsonl").write_text("\n".join(lines))
    said = stet_import("records", "odd.jsonl", *options(ledger, server), cwd=files, code=1)
    assert "7 could not come in: see odd.jsonl.rejects.jsonl" in said
    assert "2 rows published\n" in said
    assert "1 repeated lines, skipped\n" in said
    file = files / "odd.jsonl.rejects.jsonl"
    rejects = [json.loads(line) for line in file.read_text().splitlines()]
    assert [one["line"] for one in rejects] == [2, 3, 4, 5, 6, 7, 10]
    assert [one["content"] for one in rejects] == [*bad, lines[-1]]
    for one, words in zip(
        rejects,
        (
            "is not JSON",
            "key: the data set has no row none to delete",
            "key: the data set has no row none to update, and the line has no rec, only what changed",
            "size: 'big' is no number",
            "seq: is missing",
            "seq: 1 came already, in another line",
            "seq: 8 comes behind 9",
        ),
        strict=True,
    ):
        assert words in one["reason"]
    before = file.read_bytes()
    again = stet_import("records", "odd.jsonl", *options(ledger, server), cwd=files, code=1)
    assert "could not come in" in again
    assert "rows published" not in again
    assert file.read_bytes() == before
    assert list(table_of(client, ledger)) == ["k1", "k2"]


def test_what_the_service_refuses_is_a_reject_and_its_neighbours_come_in(
    server: Server, client: httpx.Client, ledger: str, files: Path
) -> None:
    """A number beyond what a record holds: the reason names the field."""
    lines = [a_line(1, "a"), a_line(2, "b"), a_line(2**53 + 2, "c")]
    (files / "odd.jsonl").write_text("\n".join(lines))
    stet_import("records", "odd.jsonl", *options(ledger, server), "--rejects", "bad", cwd=files, code=1)
    (reject,) = [json.loads(line) for line in (files / "bad").read_text().splitlines()]
    assert reject["line"] == 3
    assert reject["reason"].startswith("record.seq: ")
    assert list(table_of(client, ledger)) == ["a", "b"]


def test_a_file_for_rejects_that_cannot_be_used(server: Server, ledger: str, files: Path) -> None:
    """It is not overwritten: of another kind, or in no folder."""
    (files / "odd.jsonl").write_text("{}\n" + a_line(1, "a"))
    (files / "foreign").write_text("dear diary\n")
    given = options(ledger, server)
    said = stet_import("records", "odd.jsonl", *given, "--rejects", "foreign", cwd=files, code=2)
    assert "--rejects: foreign cannot be read as a file of rejects" in said
    assert (files / "foreign").read_text() == "dear diary\n"
    said = stet_import("records", "odd.jsonl", *given, "--rejects", "none/bad", cwd=files, code=2)
    assert "--rejects: none/bad cannot be written" in said


def test_an_attribute_of_the_same_name_and_another_type(
    server: Server, client: httpx.Client, ledger: str, files: Path
) -> None:
    """The import says so, and records nothing."""
    made(client.post(f"{ledger}/attributes", json={"name": "size", "type": "text", "rule": "latest"}))
    said = stet_import("records", "rows.jsonl", *options(ledger, server), cwd=files, code=2)
    assert "attributes[0]: the ledger's size is of type text and rule latest: name it otherwise" in said
    assert read(client.get(f"{ledger}/incidents"))["items"] == []


def test_a_ledger_is_made_where_there_is_none(server: Server, client: httpx.Client, ledger: str, files: Path) -> None:
    """Both forms, one after the other, into one data set."""
    ledger = f"{ledger}-made"
    assert f"made the ledger {id_of(ledger)}" in stet_import(
        "records", "rows.jsonl", *options(ledger, server), cwd=files
    )
    assert list(table_of(client, ledger)) == ["k0", "k1", "k2"]
    said = stet_import("table", "rows.csv", *options(ledger, server), "--at", T, cwd=files)
    assert "2 rows published\n3 rows taken back\n" in said
    assert list(table_of(client, ledger)) == ["a", "b"]


def test_without_an_address_it_starts_a_service_of_its_own(tmp_path: Path, files: Path) -> None:
    """On STET_DATA, with an embedded PostgreSQL; both are gone afterwards, and what came in is there."""
    environment = {name: value for name, value in os.environ.items() if name != "STET_DATABASE_URL"}
    environment["STET_DATA"] = str(tmp_path / "data")
    arguments = ("--ledger", "own", "--mapping", "mapping.toml")
    for words in ("3 rows published", "3 lines that came in before, skipped"):
        done = subprocess.run(
            [sys.executable, "-m", "stet", "import", "records", "rows.jsonl", *arguments],
            env=environment,
            cwd=files,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert words in done.stdout
        assert not list((tmp_path / "data").rglob("postmaster.pid"))


def begin(ledger: str, server: Server, files: Path) -> subprocess.Popen[bytes]:
    """An import of 2,000 lines that is under way."""
    (files / "many.jsonl").write_text("\n".join(a_line(n, f"k{n % 700}") for n in range(2000)))
    arguments = ("records", "many.jsonl", *options(ledger, server))
    return subprocess.Popen(
        [sys.executable, "-m", "stet", "import", *arguments],
        cwd=files,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def has_begun(client: httpx.Client, ledger: str) -> bool:
    sources = client.get(f"{ledger}/sources").json().get("items", [])
    last = client.get(f"{ledger}/records/{sources[0]['source_id']}").json()["last_seq"] if sources else None
    return last is not None


def check_many(client: httpx.Client, ledger: str) -> None:
    """All of its rows, each line once."""
    found = {key: json.loads(row)["size"] for key, row in table_of(client, ledger).items()}
    assert found == {f"k{n % 700}": n for n in range(2000)}
    events = 0
    for incident in read(client.get(f"{ledger}/incidents?limit=1000"))["items"]:
        events += incident["version"]
    assert events == 700 + 2000 + 1300, "an opening, a statement for each line, what each superseded"


@ONCE
def test_an_import_that_is_killed_is_gone_on_with(
    server: Server, client: httpx.Client, ledger: str, files: Path
) -> None:
    """kill -9 in the middle; the next one goes on behind the last line that came in."""
    process = begin(ledger, server, files)
    wait_until(lambda: has_begun(client, ledger), "the first chunk", 60)
    process.kill()
    process.communicate()
    said = stet_import("records", "many.jsonl", *options(ledger, server), cwd=files)
    assert "this goes on behind it" in said
    assert "lines that came in before, skipped" in said
    check_many(client, ledger)


@ONCE
def test_a_service_that_goes_away_in_the_middle(cluster: Cluster, files: Path) -> None:
    """The import gives up with exit code 3, after some tries, and says that the next one goes on."""
    url, ledger = cluster.migrated(), "/v1/ledgers/l"
    with serve(url, files, "--no-worker") as server, httpx.Client(base_url=server.url, timeout=30) as client:
        process = begin(ledger, server, files)
        wait_until(lambda: has_begun(client, ledger), "the first chunk", 60)
        server.process.kill()
        said = process.communicate(timeout=60)[0].decode()
        assert process.returncode == 3, said
        assert "does not answer" in said
        assert "the next import goes on" in said
        assert "Traceback" not in said
    with serve(url, files, "--no-worker") as server, httpx.Client(base_url=server.url, timeout=30) as client:
        stet_import("records", "many.jsonl", *options(ledger, server), cwd=files)
        check_many(client, ledger)
