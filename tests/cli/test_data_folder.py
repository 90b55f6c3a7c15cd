"""Commands on the embedded database of a data folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.test_commands import stet


def _environment(data: Path) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "STET_DATABASE_URL"} | {"STET_DATA": str(data)}


@pytest.mark.parametrize("command", [["verify"], ["replay", "--ledger", "mi24"]])
def test_a_command_that_reads_makes_no_database(tmp_path: Path, command: list[str]) -> None:
    """In the wrong folder it says so: an empty database would be found sound."""
    done = stet(*command, STET_DATA=str(tmp_path / "nowhere"), STET_DATABASE_URL="")
    assert done.returncode == 2
    assert "there is no database in" in done.stderr
    assert not (tmp_path / "nowhere").exists()


def test_verify_says_that_there_is_nothing_to_verify(tmp_path: Path) -> None:
    """A migrated database without a ledger is sound, and said to be empty."""
    environment = {"STET_DATA": str(tmp_path), "STET_DATABASE_URL": ""}
    assert stet("migrate", **environment).returncode == 0
    done = stet("verify", **environment)
    assert (done.returncode, done.stdout) == (0, "there is no ledger\n")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_service_that_is_stopped_stops_its_database(tmp_path: Path, stop: signal.Signals) -> None:
    """Both signals end `stet serve` with 0, and PostgreSQL with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "stet", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(tmp_path),
    )
    assert process.stdout
    assert process.stdout.readline().startswith("Stet is ready at ")
    assert (tmp_path / "postgres" / "postmaster.pid").exists()
    process.send_signal(stop)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Stet has stopped" in said
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()
