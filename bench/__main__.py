"""`python -m bench`: what Stet's paths cost, each against something that everybody can measure, on one server.

Rounds are interleaved; each figure is the median of them, with the least and the greatest. Only the ratios mean
anything: the machine's other work moves both sides.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

from msgspec.structs import replace

from bench import report
from bench.frame import Bench, Row, database
from stet.database.embedded import embedded

AREAS = {
    "append": "bench.append",
    "replay": "bench.replay",
    "import": "bench.importing",
    "restore": "bench.restore",
    "as-of": "bench.asof",
    "http": "bench.http",
    "size": "bench.size",
    "parts": "bench.parts",
}
"""The modules; each has `run(bench)`, which gives rows."""


def run(bench: Bench, areas: list[str]) -> tuple[list[Row], list[str]]:
    """The rows of some areas, each in a database of its own, and the areas that failed."""
    rows: list[Row] = []
    failed = []
    for name in areas:
        print(f"\n== {name}", flush=True)
        try:
            with database(bench.url, "bench", migrated=True) as url:
                for row in import_module(AREAS[name]).run(replace(bench, url=url)):
                    rows.append(row)
                    print(report.lines([row])[-1], flush=True)
        except Exception:
            # What the other areas took half an hour to measure is not lost.
            traceback.print_exc()
            failed.append(name)
    return rows, failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--url", help="a PostgreSQL to use; its role makes databases; default: an embedded one")
    parser.add_argument("--only", nargs="+", choices=AREAS, default=list(AREAS), metavar="AREA", help=", ".join(AREAS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each rate in each round")
    parser.add_argument("--events", type=int, default=20_000, help="how many are folded, imported, restored")
    parser.add_argument("--incidents", type=int, default=100_000, help="in the ledger that is asked questions")
    parser.add_argument("--json", type=Path, help="where to write the rows; default: bench/results.json if all is run")
    arguments = parser.parse_args()
    output = arguments.json or (report.RESULTS if arguments.only == list(AREAS) else None)
    with (
        tempfile.TemporaryDirectory(prefix="stet-bench-") as folder,
        nullcontext(arguments.url) if arguments.url else embedded(Path(folder)) as url,
    ):
        print(report.machine(), report.settings_of(url))
        bench = Bench(
            url=url,
            rounds=arguments.rounds,
            seconds=arguments.seconds,
            events=arguments.events,
            incidents=arguments.incidents,
        )
        rows, failed = run(bench, arguments.only)
        print("", *report.lines(rows), sep="\n")
        if output:
            report.write(output, url, rows)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
