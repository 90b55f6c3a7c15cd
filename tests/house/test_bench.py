"""The benchmark runs: its figures are not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_the_benchmark_gives_its_rows(empty_url: str, tmp_path: Path) -> None:
    """`python -m bench` on any PostgreSQL writes a row for each figure."""
    output = tmp_path / "rows.json"
    small = ["--rounds", "1", "--seconds", "0.2", "--events", "500"]
    command = [sys.executable, "-m", "bench", "--url", empty_url, *small]
    root = Path(__file__).parents[2]
    done = subprocess.run([*command, "--json", str(output)], capture_output=True, text=True, cwd=root, timeout=60)
    assert done.returncode == 0, done.stderr
    rows = json.loads(output.read_text())["rows"]
    names = ["append-1", "append-16", "import", "rebuild", "rebuild-2", "restore", "restore-all"]
    assert [row["name"] for row in rows] == names
    assert all(row["value"] > 0 and row["ratio"] > 0 for row in rows)
