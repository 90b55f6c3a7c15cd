"""The benchmark runs: its figures are not judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from bench import report
from bench.generate import load, write_log

ROOT = Path(__file__).parents[2]
ROWS = {
    "append": ["append-1-raw", "append-16", "append-16-p99", "append-64", "append-256", "append-hot"],
    "replay": ["replay-flat", "replay-random", "rebuild", "rebuild-2"],
    "import": ["import"],
    "restore": ["restore", "restore-all"],
    "as-of": ["as-of-list", "as-of-list-database", "as-of-one", "current-list-plain"],
    "http": ["http-get", "http-conditional", "http-list", "http-record"],
    "size": ["size-event", "size-histories"],
    "parts": ["part-round-trip", "part-fsync"],
}
"""Of each area the rows that it gives without any of the peers, or some of them."""


@pytest.mark.parametrize("area", ROWS)
def test_the_benchmark_gives_its_rows(area: str, empty_url: str, tmp_path: Path) -> None:
    """`python -m bench` on any PostgreSQL writes a row for each figure."""
    output = tmp_path / "rows.json"
    small = ["--rounds", "1", "--seconds", "0.3", "--events", "300", "--incidents", "300"]
    command = [sys.executable, "-m", "bench", "--url", empty_url, "--only", area, *small, "--json", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(output.read_text())["rows"]}
    assert not set(ROWS[area]) - set(rows)
    assert all(row["value"] > 0 and row["rounds"] > 0 for row in rows.values() if not row["name"].startswith("part-"))
    assert all((row["met"] is None) == (row["target"] is None) for row in rows.values())


def test_a_path_that_became_half_as_fast_is_noticed(empty_url: str) -> None:
    """One is made so on purpose: `make bench-quick` fails, and names it. Without that, it passes."""
    for plant, status in ([], 0), (["--plant", "replay"], 1):
        command = [sys.executable, "-m", "bench.quick", "--url", empty_url, "--only", "replay", *plant]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
        assert done.returncode == status, f"{done.stdout}\n{done.stderr}"
        assert ("too slow: replay" in done.stderr) == bool(plant)


def test_a_generated_log_is_always_the_same_and_sound(empty_url: str) -> None:
    """Each event of it is one that this release reads and folds, and the histories are what it gives."""
    written = [sha256(), sha256()]
    for one in written:
        write_log(200, one.update)
    assert written[0].digest() == written[1].digest()
    load(empty_url, 200)
    environment = {**os.environ, "STET_DATABASE_URL": empty_url}
    done = subprocess.run(
        [sys.executable, "-m", "stet", "verify"], capture_output=True, text=True, env=environment, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "monitor: 2000 events, sound\n"), done.stderr


def test_the_table_of_performance_is_what_was_measured() -> None:
    """docs/performance.md tells what bench/results.json holds, row for row."""
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8").splitlines()
    table = report.lines(report.read().rows)
    began = page.index(table[0])
    assert page[began : began + len(table) + 1] == [*table, ""]
