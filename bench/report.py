"""The table of what was measured: for people, for programs, and as a picture."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import psycopg
from msgspec import Struct

from bench.frame import PEERS, PYTHON, Row

RESULTS = Path(__file__).parent / "results.json"


class Results(Struct, frozen=True, kw_only=True):
    """What one run has measured, and on what."""

    machine: str
    settings: dict[str, str]
    """Of the PostgreSQL, the same for all that is compared."""
    rows: list[Row]


def settings_of(url: str) -> dict[str, str]:
    """What the figures of a server depend on. Raises ValueError where it does not keep what it acknowledges."""
    names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
    with psycopg.connect(url) as connection:
        found = {name: connection.execute(f"SHOW {name}".encode()).fetchone() for name in names}
    settings = {name: str(row[0]) for name, row in found.items() if row}
    if (settings["fsync"], settings["synchronous_commit"]) != ("on", "on"):
        raise ValueError("fsync and synchronous_commit must be on: nothing else is measured")
    return settings


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def lines(rows: Iterable[Row]) -> list[str]:
    """The table, in Markdown."""
    found = [
        "| name | figure | compared with | ratio (least to most) | target | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        met = {True: "met", False: "**not met**", None: ""}[row.met]
        target = "" if row.target is None else f"{'at most' if row.at_most else 'at least'} {row.target:g}"
        ratio = "" if row.ratio is None else f"{row.ratio:.3g} ({row.least:.3g} to {row.most:.3g})"
        base = "" if row.baseline is None else f"{_figure(row.baseline, row.unit)}"
        found.append(f"| {row.name} | {_figure(row.value, row.unit)} | {base} | {ratio} | {target} | {met} |")
    return found


def _figure(value: float, unit: str) -> str:
    digits = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{digits}{unit}" if unit.startswith(("/", "%")) else f"{digits} {unit}"


def write(path: Path, url: str, rows: Sequence[Row]) -> None:
    """Writes the rows with what they were measured on, and beside them the picture, if the peers are installed."""
    results = Results(machine=machine(), settings=settings_of(url), rows=list(rows))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
    if PYTHON.exists():
        subprocess.run([str(PYTHON), str(PEERS / "plot.py"), str(path), str(path.with_suffix(".png"))], check=True)
    else:
        print("no plot: `make bench` installs what draws it", file=sys.stderr)


def read(path: Path = RESULTS) -> Results:
    return msgspec.json.decode(path.read_bytes(), type=Results)
