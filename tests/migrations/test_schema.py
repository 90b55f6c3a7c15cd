"""migrations/schema.sql is what the migrations make of an empty database."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from stet.database.migrate import migrations_folder


def test_schema_is_fresh(tmp_path: Path) -> None:
    """`make schema` would change nothing; the check runs in any folder."""
    command = [sys.executable, "-W", "error", migrations_folder() / "dump.py", "--check"]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_schema_names_no_release_and_no_run() -> None:
    """Nothing in it changes without a migration."""
    text = (migrations_folder() / "schema.sql").read_text(encoding="utf-8")
    assert not re.search(r"^\\(un)?restrict", text, re.MULTILINE), "a key that pg_dump makes anew each time"
    assert "Dumped" not in text
    assert "OWNER TO stet_owner" in text
    assert "GRANT SELECT ON TABLE stet.event TO stet_reader" in text
