"""`stet demo`, its third part: an answer that is saved, and checked by one file without the server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from stet import offline
from stet.cli.demo_readers import Mark
from stet.reference.answers import Answers, View


def show_proof(answers: Answers) -> list[Mark]:
    """Saves the incident with its proof, and checks it as a stranger does; and once more with a word changed."""
    saved = answers.incident(proof="true")
    with tempfile.TemporaryDirectory(prefix="stet-proof-") as folder:
        shutil.copy(offline.__file__, folder)
        code, said = checked(Path(folder), saved)
        print("\nThe incident, saved with its proof, and checked without the server")
        print("".join(f"  {line}\n" for line in said.splitlines()), end="")
        last = saved["proof"]["events"][-1]
        last["actor"] += "?"
        forged, found = checked(Path(folder), saved)
        print(f"  with another actor at position {last['position']}: {found.splitlines()[-1]}")
    return [
        Mark("a saved answer is proven by one file, without the server", code == 0 and "\nproven: " in said),
        Mark(
            "one with a changed word is refused, and the position named", forged == 1 and str(last["position"]) in found
        ),
    ]


def checked(folder: Path, saved: View) -> tuple[int, str]:
    """The exit code of the one file for an answer, and what it says; the folder has only these two."""
    (folder / "answer.json").write_text(json.dumps(saved), encoding="utf-8")
    command = [sys.executable, "-I", "offline.py", "answer.json", "--key", saved["proof"]["keys"][0]]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)  # noqa: S603
    return done.returncode, done.stdout + done.stderr
