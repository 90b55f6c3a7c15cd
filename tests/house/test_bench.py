"""The benchmark runs: its figures are not judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from bench.generate import load, write_log


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
