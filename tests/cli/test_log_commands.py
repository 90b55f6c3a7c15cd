"""`stet export log` and `stet import log`, as a user runs them; and what the API answers before and after."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest
from click.testing import CliRunner, Result
from tests.conftest import Cluster, serve, wait_until
from tests.store.exported import event, events, file_of, uuid

from stet.cli.main import main

# Both servers of databases are used in tests/store/test_restore.py: here one of them is enough.
pytestmark = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")


def stet(url: str, *arguments: object, stdin: bytes = b"") -> Result:
    runner = CliRunner(env={"STET_DATABASE_URL": url})
    return runner.invoke(main, [str(one) for one in arguments], input=io.BytesIO(stdin), catch_exceptions=False)


def ledgers(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM stet.ledger ORDER BY name").fetchall()]


CUTS = ("", "as_of=position:30", "as_of=position:55&said_by=2020-12-31")
ONE = ("", "/matrix")
LISTS = ("incidents?limit=1000", "statements?limit=1000", "stats", "sources?limit=1000", "documents?limit=1000")


def seen(database_url: str, folder: Path, *options: str) -> dict[str, tuple[int, str | None, str | None, bytes]]:
    """What the API answers at every kind of cut: status, ETag, position, and the bytes."""
    found = {}
    with serve(database_url, folder, *options) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        ledger = "/v1/ledgers/mi24"
        incidents = [one["incident_id"] for one in client.get(f"{ledger}/incidents?limit=1000").json()["items"]]
        assert incidents
        paths = ["", "/changes?after=0&limit=1000", "/attributes"]
        paths += [f"/incidents/{one}/events?limit=1000" for one in incidents]
        for cut in CUTS:
            for path in (*(f"incidents/{one}{view}" for one in incidents for view in ONE), *LISTS):
                paths.append(f"/{path}{('&' if '?' in path else '?') + cut if cut else ''}")
        for path in paths:
            answer = client.get(ledger + path)
            headers = answer.headers
            # What is not there is a problem, which bears the id of the request.
            content = answer.content if answer.is_success else b""
            found[path] = answer.status_code, headers.get("etag"), headers.get("stet-position"), content
    return found


def test_the_api_answers_after_a_restore_as_before(cluster: Cluster, tmp_path: Path) -> None:
    """The reference incident, exported and restored: the same bytes and ETags at every kind of cut."""
    here, there = cluster.migrated(), cluster.migrated()
    before = seen(here, tmp_path, "--reference")
    assert sum(status == 200 for status, *_ in before.values()) > len(before) / 2
    file = tmp_path / "mi24.ndjson.gz"
    assert stet(here, "export", "log", "--ledger", "mi24", "--output", file).exit_code == 0
    made = stet(there, "import", "log", file)
    assert (made.exit_code, made.stderr.splitlines()[-1][:23]) == (0, "restored 74 events of m")
    after = seen(there, tmp_path)
    assert [path for path in before if before[path] != after[path]] == []
    assert "mi24: 74 events, sound" in stet(there, "verify").stdout


def test_files_pipes_and_packed_files_hold_the_same(cluster: Cluster, tmp_path: Path) -> None:
    """Through stdin and stdout, too; a packed file is the same file each time."""
    url = cluster.migrated()
    sound = file_of(events())
    assert stet(url, "import", "log", "-", stdin=sound).exit_code == 0
    assert stet(url, "export", "log", "--ledger", "small").stdout_bytes == sound
    plain, packed, again = (tmp_path / name for name in ("a.ndjson", "a.ndjson.gz", "b.gz"))
    for path in (plain, packed, again):
        assert stet(url, "export", "log", "--ledger", "small", "--output", path).exit_code == 0
    assert plain.read_bytes() == gzip.decompress(packed.read_bytes()) == sound
    assert packed.read_bytes() == again.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ndjson", "a.ndjson.gz", "b.gz"]
    short = stet(url, "export", "log", "--ledger", "small", "--up-to", 2).stdout_bytes
    assert short == file_of(events()[:3], [{**one} for one in ANSWERS])


ANSWERS = [
    {
        "actor": "a",
        "key": "k\t1",
        "request_digest": "ab" * 32,
        "status": 201,
        "location": "/é",
        "position": 2,
    }
]


def test_each_thing_that_cannot_be_restored_has_its_words(cluster: Cluster, tmp_path: Path) -> None:
    """1: the file has a fault. 2: it is none. 3: the ledger is there. And nothing is restored."""
    url = cluster.migrated()
    sound = file_of(events())
    lines = sound.splitlines(keepends=True)
    files = {
        "cut.ndjson": (sound[:2000], 1, "cut.ndjson: line 4: position 3: the file is cut off\nnothing was restored"),
        "half.gz": (gzip.compress(sound)[:900], 1, "the packed file is damaged or cut off"),
        "swapped.ndjson": (b"".join([*lines[:2], lines[3], lines[2], *lines[4:]]), 1, "line 3: position 2 is missing"),
        "empty.ndjson": (b"", 2, "the file is empty"),
        "other.ndjson": (b"hello\n", 2, "it is no exported log"),
        "plain.gz": (sound, 1, "Not a gzipped file"),
        "packed.ndjson": (gzip.compress(sound), 2, "its name must end in .gz"),
        "later.ndjson": (file_of(events(), version=3), 2, "of version 3 of the format"),
    }
    for name, (data, code, said) in files.items():
        (tmp_path / name).write_bytes(data)
        made = stet(url, "import", "log", tmp_path / name)
        assert (made.exit_code, said in made.stderr) == (code, True), (name, made.exit_code, made.stderr)
    for path, said in ((tmp_path, "Is a directory"), (tmp_path / "none", "No such file")):
        made = stet(url, "import", "log", path)
        assert (made.exit_code, said in made.stderr) == (2, True)
    assert ledgers(url) == []
    assert stet(url, "import", "log", "-", stdin=sound).exit_code == 0
    made = stet(url, "import", "log", "-", stdin=sound)
    assert (made.exit_code, "there is a ledger small" in made.stderr) == (3, True)
    for arguments, code, said in (
        (("--ledger", "none"), 2, "there is no ledger none"),
        (("--ledger", "small", "--up-to", 6), 2, "ends at position 5"),
        (("--ledger", "small", "--output", tmp_path), 2, "is not a file"),
        (("--ledger", "small", "--output", tmp_path / "none" / "x"), 3, "cannot be written: No such file"),
    ):
        made = stet(url, "export", "log", *arguments)
        assert (made.exit_code, said in made.stderr) == (code, True), made.stderr


def test_a_killed_import_leaves_nothing(cluster: Cluster) -> None:
    """kill -9 when half of the file is in the database: no row is left, and the next import restores all."""
    url = cluster.migrated()
    more = [
        event(n, f"source:{uuid(1000 + n)}", 1, n, '{"name":"%s","kind":"outlet"}' % ("x" * 150))
        for n in range(6, 12_000)
    ]
    sound = file_of([*events(), *more])
    process = subprocess.Popen(
        [sys.executable, "-m", "stet", "import", "log", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "STET_DATABASE_URL": url},
    )
    assert process.stdin
    process.stdin.write(sound[: len(sound) // 2])
    process.stdin.flush()
    with psycopg.connect(url, autocommit=True) as connection:
        # It has taken a part, which is of 5,000 events, and waits for more.
        copying = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'stet[.]restore'"
        )

        def others() -> int:
            row = connection.execute(copying.encode() + b" AND pid <> pg_backend_pid()").fetchone()
            return int(row[0]) if row else 0

        wait_until(lambda: others() == 1, "the import copies")
        process.kill()
        process.wait()
        process.stdin.close()
        wait_until(lambda: others() == 0, "the database has rolled back")
        assert ledgers(url) == []
    assert stet(url, "import", "log", "-", stdin=sound).exit_code == 0
    assert stet(url, "export", "log", "--ledger", "small").stdout_bytes == sound
