"""`python -m bench.quick`: whether a hot path has become much slower, told in less than two minutes.

Each path is compared with work that takes the same parts of the machine: raw INSERTs, a bare route, or what takes the
processor alone. Its ratio must reach a floor, which lies between what it is and half of that. What does not reach it is
measured once more: a disk or a neighbour that slows one side for a moment is not the code.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path

from msgspec import Struct

from bench import report
from bench.frame import database
from bench.quick_paths import Rate, paths
from stet.database.embedded import embedded

_ROUNDS = 7
_SECONDS = 0.3


class Hot(Struct, frozen=True):
    """What must not become slow."""

    floor: float
    """About 0.6 of the ratio that was measured: the noise does not reach it, half of the speed does."""
    within: str
    """`module:name` of a function that the path spends most of its time in: what `--plant` makes slow."""


_SHELL = "stet.http.shell:Shell.__call__"
_APPEND = "stet.store.append:Log._commit"
HOT = {
    "append": Hot(0.155, _APPEND),
    "append-16": Hot(0.18, _APPEND),
    "import": Hot(0.068, "bench.importing:handle"),
    "replay": Hot(0.029, "bench.quick_paths:build"),
    "get": Hot(0.55, _SHELL),
    "get-anew": Hot(0.34, _SHELL),
    "list": Hot(0.105, _SHELL),
    "list-as-of": Hot(0.1, _SHELL),
}


def ratio(path: Rate, base: Rate) -> float:
    """The best of some rounds of the path, to the best of what it is compared with, in turn: noise only ever slows."""
    rounds = [(path(_SECONDS), base(_SECONDS)) for _ in range(_ROUNDS)]
    return max(rate for rate, _ in rounds) / max(rate for _, rate in rounds)


def slow(url: str, names: list[str], plant: str | None) -> list[str]:
    """Prints a line for each path; those that do not reach their floor, measured twice."""
    found = []
    with paths(url, plant) as every:
        for name in names:
            floor, again = HOT[name].floor, ""
            if (reached := ratio(*every[name])) < floor:
                again = f" (at first {reached:.3f})"
                reached = ratio(*every[name])
            if reached < floor:
                found.append(name)
            print(f"{'✗' if reached < floor else '✓'} {name:<11} {reached:.3f} of {floor}{again}", flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.quick", description=__doc__)
    parser.add_argument("--url", help="a PostgreSQL to use; its role makes databases; default: an embedded one")
    parser.add_argument("--only", nargs="+", choices=HOT, default=list(HOT), metavar="PATH", help=", ".join(HOT))
    parser.add_argument("--plant", choices=HOT, metavar="PATH", help="make this one twice as slow: it must be noticed")
    arguments = parser.parse_args()
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="stet-bench-"))
        server = stack.enter_context(nullcontext(arguments.url) if arguments.url else embedded(Path(folder)))
        report.settings_of(server)
        url = stack.enter_context(database(server, "quick", migrated=True))
        found = slow(url, arguments.only, HOT[arguments.plant].within if arguments.plant else None)
    print(f"{time.monotonic() - began:.0f} s")
    if found:
        print(f"too slow: {', '.join(found)}; `make bench` and docs/performance.md say what was", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
