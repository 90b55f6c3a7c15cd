"""A secret in a file of the data folder that nobody else may read."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def make(file: Path, text: str) -> str:
    """What the file holds: this, if it is the first. Raises OSError."""
    part = _written(file, text)
    try:
        with suppress(FileExistsError):
            os.link(part, file)
        return file.read_text(encoding="ascii")
    finally:
        part.unlink(missing_ok=True)


def replace(file: Path, text: str) -> None:
    """Raises OSError; then the file is what it was."""
    _written(file, text).replace(file)


def _written(file: Path, text: str) -> Path:
    part = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    return part
