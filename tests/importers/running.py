"""How the tests of imports run them, and read back what came in."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from click.testing import CliRunner
from tests.http.asking import read

from stet.cli.main import main

DATA = Path(__file__).parent / "data"


def stet_import(*arguments: str | Path, cwd: Path, code: int = 0, **environment: str) -> str:
    """Runs `stet import` in a folder to its end; all that it said. Its exit code is the one that is expected."""
    with contextlib.chdir(cwd):
        done = CliRunner().invoke(main, ["import", *map(str, arguments)], env=environment, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def data_set(client: httpx.Client, ledger: str) -> str:
    """The id of the ledger's only data set."""
    (one,) = [one for one in read(client.get(f"{ledger}/sources?limit=1000"))["items"] if one["kind"] == "data-set"]
    return one["source_id"]


def rows(client: httpx.Client, ledger: str, source: str, **cut: str) -> dict[str, str]:
    """The rows of a data set at a cut, as text, by key; their keys come in order."""
    answer = client.get(f"{ledger}/records", params={"source": source, **cut})
    assert answer.status_code == 200, answer.text
    found = {}
    for line in answer.content.decode().split("\n")[:-1]:
        head, _, record = line.partition(',"record":')
        found[json.loads(head + "}")["key"]] = record[:-1]
    assert list(found) == sorted(found)
    return found


def items(client: httpx.Client, path: str, **params: str) -> Iterator[dict[str, Any]]:
    """All items of a list."""
    cursor: dict[str, str] = {}
    while True:
        page = read(client.get(path, params={"limit": "1000", **params, **cursor}))
        yield from page["items"]
        if not page["next_cursor"]:
            return
        cursor = {"cursor": page["next_cursor"]}
