"""The README and some pages of docs/ are run as they stand, against a running service.

If you are here because one of these failed: run the snippet against `make run` by hand. Either the page or the service
is wrong; what a snippet prints stands in the block of text below it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.conftest import OWNER, Cluster, Server, serve

ROOT = Path(__file__).parents[2]
RUN = [
    ROOT / "README.md",
    *(ROOT / f"docs/{n}.md" for n in ("architecture", "duplicates", "feeds", "merging", "proofs")),
]
"""The pages whose shell is run."""
ADDRESS = "http://127.0.0.1:8080"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MASKS = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"), "TIME"),
)


class Snippets(NamedTuple):
    """What a page says to run, and what it says that this prints."""

    script: str
    printed: str


def snippets(path: Path) -> Snippets:
    """The shell of a page as one script, since later blocks use what earlier ones set; without the lines of make."""
    blocks = _BLOCK.findall(path.read_text(encoding="utf-8"))
    shell = [text for language, text in blocks if language == "bash" and not text.startswith("make ")]
    printed = [text for language, text in blocks if language == "text" and not text.startswith(" ")]
    return Snippets("".join(shell), "".join(printed))


def masked(text: str) -> str:
    for pattern, name in _MASKS:
        text = pattern.sub(name, text)
    return text


@pytest.fixture(scope="module")
def reference(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running service as `make run` starts it: with the reference incident in the ledger mi24, and a key."""
    folder = tmp_path_factory.mktemp("pages")
    with serve(cluster.migrated(), folder, "--reference", keyless=False, STET_OWNER_KEY=OWNER) as server:
        yield server


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.name)
def test_snippets_print_what_the_page_says(path: Path, reference: Server, tmp_path: Path) -> None:
    """Verbatim but for the address."""
    script, printed = snippets(path)
    assert ADDRESS in script
    assert printed
    # What the pages name by its path, as seen from a checkout.
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace(ADDRESS, reference.url)],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        env={**os.environ, "STET_KEY": OWNER},  # as the pages tell a reader to export it
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert masked(ran.stdout) == masked(printed)


def test_the_readme_s_make_lines_are_targets() -> None:
    """`make run` loads the reference incident and serves; `make test` runs the tests."""
    blocks = [text for language, text in _BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))]
    lines = [
        line.partition("#")[0].strip() for text in blocks for line in text.splitlines() if line.startswith("make ")
    ]
    assert lines == ["make run", "make test"]
    recipes = {}
    for line in lines:
        made = subprocess.run([*line.split(), "-n"], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
        recipes[line] = made.stdout
    assert "stet serve --reference" in recipes["make run"]
    assert "-m pytest" in recipes["make test"]


def test_every_shell_block_is_run() -> None:
    """No page has shell that nobody runs: other pages have none, or only name commands inline."""
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").glob("*.md")):
        if path not in RUN:
            languages = {language for language, _ in _BLOCK.findall(path.read_text(encoding="utf-8"))}
            assert not languages & {"bash", "sh", "shell", "console"}, path
