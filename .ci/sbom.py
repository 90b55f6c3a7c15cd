"""Writes the bill of materials of an installation: each package of requirements.txt, at its version, with its hashes.

uv writes it from a lock file, which names registries and so is not committed: it is made here, held to the same pins,
and thrown away. Ends with 1 where the bill and requirements.txt differ.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", re.MULTILINE)
UV = Path(sys.executable).with_name("uv")


def main(output: Path) -> int:
    pins = set(PIN.findall((ROOT / "requirements.txt").read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        held = ", ".join(f'"{name}=={version}"' for name, version in sorted(pins))
        project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        (at / "pyproject.toml").write_text(
            project.replace("[tool.uv]\n", f"[tool.uv]\nconstraint-dependencies = [{held}]\n"), encoding="utf-8"
        )
        (at / "README.md").write_bytes((ROOT / "README.md").read_bytes())
        subprocess.run([UV, "lock", "--quiet"], cwd=at, check=True)
        asked = ["export", "--quiet", "--frozen", "--no-default-groups", "--format", "cyclonedx1.5"]
        made = subprocess.run([UV, *asked], cwd=at, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    bill = json.loads(made.stdout)
    listed = {(one["name"], one["version"]) for one in bill["components"]}
    if listed != pins:
        print(f"the bill of materials and requirements.txt differ in {sorted(listed ^ pins)}", file=sys.stderr)
        return 1
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(made.stdout)
    print(f"{output}: {len(listed)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
