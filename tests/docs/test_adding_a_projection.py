"""docs/adding-a-projection.md, followed to the letter: one file, one line, and it is kept, verified and rebuilt."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.conftest import wait_until

from stet.database.migrate import migrations_folder

# The database makes no difference to what is tested here: one of them is enough.
pytestmark = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/adding-a-projection.md").read_text(encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the service with what the page says added to it."""
    package = tmp_path / "service" / "stet"
    shutil.copytree(ROOT / "service/stet", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(migrations_folder(), tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (line,) = re.findall(r"^\+(.*\n)", PAGE, re.MULTILINE)
    folder, name = re.findall(r"A module in `service/stet/(\w+/)`, here `(\w+\.py)`", PAGE)[0]
    (package / folder / name).write_text(code, encoding="utf-8")
    registry = package / "projections/registry.py"
    module = line.strip().partition(".")[0]
    text = registry.read_text(encoding="utf-8")
    text = text.replace("    source_record.PROJECTION,\n", f"    source_record.PROJECTION,\n{line}")
    text = text.replace("import history, names,", f"import history, {module}, names,")
    registry.write_text(text, encoding="utf-8")
    return tmp_path


def stet(copy: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy / "service"), "STET_DATABASE_URL": url}
    command = [sys.executable, "-m", "stet", *arguments]
    return subprocess.run(command, env=environment, cwd=copy, capture_output=True, text=True, timeout=60, check=False)


def test_one_file_and_one_line_make_a_projection(copy: Path, url: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(copy / "service"), "STET_DATABASE_URL": url}
    command = [sys.executable, "-m", "stet", "serve", "--open", "--port", "0", "--reference"]
    with (copy / "log").open("w") as log:
        serving = subprocess.Popen(command, env=environment, cwd=copy, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert serving.stdout
        address = serving.stdout.readline().split()[4].rstrip("/")
        with httpx.Client(base_url=address, timeout=30) as client:
            incidents = client.get("/v1/ledgers/mi24/incidents").json()["items"]
            path = "/v1/ledgers/mi24/incidents"
            views = [client.get(f"{path}/{one['incident_id']}").json() for one in incidents]
            held = {view["incident_id"]: len(view["statements"]) for view in views}

            def kept() -> bool:
                found = {one["name"]: one for one in client.get("/v1/admin/projections").json()["items"]}
                return bool(found["incident_size"]["state"] == "current")

            wait_until(kept, "the worker has filled it")
    finally:
        serving.terminate()
        serving.wait(20)
        serving.stdout.close()  # type: ignore[union-attr]
    with psycopg.connect(url) as connection:
        shown = connection.execute(
            "SELECT incident_id::text, statements FROM stet.incident_size WHERE to_position = 9223372036854775807"
        ).fetchall()
    assert {id_: count for id_, count in shown if count} == {id_: count for id_, count in held.items() if count}
    listed = json.loads(stet(copy, url, "projections", "--json").stdout)
    assert "incident_size" in [one["name"] for one in listed["items"]]
    assert stet(copy, url, "verify").returncode == 0
    rebuilt = stet(copy, url, "rebuild", "incident_size")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "incident_size: switched" in rebuilt.stdout
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE stet.incident_size SET statements = statements + 1 WHERE statements > 1")
    assert stet(copy, url, "verify").returncode == 1
    assert stet(copy, url, "rebuild", "incident_size").returncode == 1
