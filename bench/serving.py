"""Servers of one's own, to ask over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

_NO_LIMIT = {"STET_RATE_LIMIT": "1000000", "STET_RATE_BURST": "1000000"}


class Served(Struct):
    """A server on this machine."""

    process: subprocess.Popen[str]
    port: int

    @property
    def cpu(self) -> float:
        """The seconds of a processor that the process has taken."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(url: str, planted: str | None = None) -> Iterator[Served]:
    """`stet serve` of a database, without keys, and without a worker that would work meanwhile.

    `planted`: a function in it that takes twice its time.
    """
    stet = ["bench.planted", planted] if planted else ["stet"]
    command = [sys.executable, "-m", *stet, "serve", "--open", "--port", "0", "--no-worker"]
    with running(command, _environment(url)) as (process, said):
        yield Served(process, int(said.partition("127.0.0.1:")[2].partition("/")[0]))


@contextmanager
def serving_keys(url: str, ledger: str) -> Iterator[tuple[Served, str]]:
    """The same with keys, and the key of a reader of the ledger."""
    stet = [sys.executable, "-m", "stet"]
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(url) | {"STET_DATA": folder, "STET_OWNER_KEY": "o" * 32}
        make = [*stet, "keys", "create", "--name", "Bench", "--scope", "reader", "--ledger", ledger]
        key = subprocess.run(make, env=environment, check=True, capture_output=True, text=True).stdout.split()[-1]
        with running([*stet, "serve", "--port", "0", "--no-worker"], environment) as (process, said):
            yield Served(process, int(said.partition("127.0.0.1:")[2].partition("/")[0])), key


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process until the block ends, and the first line that it prints."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    try:
        assert process.stdout
        yield process, process.stdout.readline()
    finally:
        process.terminate()
        process.wait()


def _environment(url: str) -> dict[str, str]:
    return {**os.environ, **_NO_LIMIT, "STET_DATABASE_URL": url}
