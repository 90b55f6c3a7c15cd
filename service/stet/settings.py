"""What the environment sets. Read once, at start; never imported as a global."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """All settings. docs/operations.md lists each; a test compares the two."""

    database_url: str | None = None
    """STET_DATABASE_URL: any PostgreSQL >= 15. Absent: the embedded one in `data`."""
    data: Path = Path(".stet")
    """STET_DATA: the data folder of the embedded PostgreSQL."""
    pool_size: int = 16
    """STET_POOL_SIZE: database connections of one process, at most."""
    body_limit: int = 8 * 1024 * 1024
    """STET_BODY_LIMIT: the largest request body, in bytes."""
    statement_timeout_ms: int = 10_000
    """STET_STATEMENT_TIMEOUT_MS: the longest that one SQL statement of a request may run."""
    send_timeout_ms: int = 30_000
    """STET_SEND_TIMEOUT_MS: how long a feed waits for a client that does not read."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. Raises ValueError naming the variable that cannot be used."""

    def number(name: str, default: int, least: int) -> int:
        text = environment.get(name, "")
        if not text:
            return default
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, not {text!r}")
        return int(text)

    defaults = Settings()
    return Settings(
        database_url=environment.get("STET_DATABASE_URL") or None,
        data=Path(environment.get("STET_DATA") or ".stet"),
        pool_size=number("STET_POOL_SIZE", defaults.pool_size, 2),
        body_limit=number("STET_BODY_LIMIT", defaults.body_limit, 1024),
        statement_timeout_ms=number("STET_STATEMENT_TIMEOUT_MS", defaults.statement_timeout_ms, 100),
        send_timeout_ms=number("STET_SEND_TIMEOUT_MS", defaults.send_timeout_ms, 100),
    )
