"""What the environment sets. Read once, at start; never imported as a global."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

_SECRET = re.compile(r"[\x21-\x7e]{32,}")
_SIGNING_KEYS = re.compile(r"[0-9a-f]{64}(,[0-9a-f]{64})*")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")
_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?", re.ASCII)


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
    owner_key: str | None = None
    """STET_OWNER_KEY: a key of the owner that is stored nowhere, good for as long as the process runs."""
    pepper: str | None = None
    """STET_PEPPER: what the digests of keys are made with. Absent: the file `pepper` in `data`."""
    signing_key: str | None = None
    """STET_SIGNING_KEY: what checkpoints are signed with, 64 hexadecimal digits; several, by commas, sign each. Absent:
    the file `signing-key` in `data`."""
    rate_limit: int = 200
    """STET_RATE_LIMIT: requests a second of one key, or of one address without a key."""
    rate_burst: int = 1_000
    """STET_RATE_BURST: requests that may come at once, after a while without any."""
    cors_origins: str | None = None
    """STET_CORS_ORIGINS: the origins whose pages may read answers, by spaces. Absent: none."""
    webhook_hosts: tuple[str, ...] | None = None
    """STET_WEBHOOK_HOSTS: to which hosts webhooks may be sent by http, at any address, as `host` or `host:port`."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. Raises ValueError naming the variable that cannot be used."""

    def number(name: str, default: int, least: int) -> int:
        text = environment.get(name, "")
        if not text:
            return default
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, not {text!r}")
        return int(text)

    def secret(name: str) -> str | None:
        text = environment.get(name) or None
        # Not repr(text): it is nobody's business who reads the error.
        if text is not None and not _SECRET.fullmatch(text):
            raise ValueError(f"{name} must be at least 32 characters, all of them visible ASCII")
        return text

    def signing_key(name: str) -> str | None:
        text = environment.get(name) or None
        if text is not None and not _SIGNING_KEYS.fullmatch(text):
            raise ValueError(f"{name} must be 64 hexadecimal digits, or several of those, separated by commas")
        return text

    origins = environment.get("STET_CORS_ORIGINS") or None
    for origin in (origins or "").split():
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"STET_CORS_ORIGINS must be origins such as https://desk.example, not {origin!r}")

    def hosts(name: str) -> tuple[str, ...] | None:
        found = tuple(one for text in environment.get(name, "").split(",") if (one := text.strip().lower()))
        if wrong := [one for one in found if not _HOST.fullmatch(one)]:
            raise ValueError(f"{name} must be host or host:port, separated by commas, not {wrong[0]!r}")
        return found or None

    defaults = Settings()
    return Settings(
        database_url=environment.get("STET_DATABASE_URL") or None,
        data=Path(environment.get("STET_DATA") or ".stet"),
        pool_size=number("STET_POOL_SIZE", defaults.pool_size, 2),
        body_limit=number("STET_BODY_LIMIT", defaults.body_limit, 1024),
        statement_timeout_ms=number("STET_STATEMENT_TIMEOUT_MS", defaults.statement_timeout_ms, 100),
        send_timeout_ms=number("STET_SEND_TIMEOUT_MS", defaults.send_timeout_ms, 100),
        owner_key=secret("STET_OWNER_KEY"),
        pepper=secret("STET_PEPPER"),
        signing_key=signing_key("STET_SIGNING_KEY"),
        rate_limit=number("STET_RATE_LIMIT", defaults.rate_limit, 1),
        rate_burst=number("STET_RATE_BURST", defaults.rate_burst, 1),
        cors_origins=origins,
        webhook_hosts=hosts("STET_WEBHOOK_HOSTS"),
    )
