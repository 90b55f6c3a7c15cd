"""The pepper: without it the stored digests of keys are of no use, so it is never in the database."""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

from stet.database.pool import Connection
from stet.errors import Unavailable
from stet.keys import secret_file
from stet.settings import Settings
from stet.sql import load

_AGREE_ON_PEPPER = load("agree_on_pepper")
_PEPPER_CHECK = load("pepper_check")


def find_pepper(settings: Settings) -> bytes | None:
    """STET_PEPPER, or what the data folder has; None: there is none yet. Raises Unavailable where it cannot be read."""
    if settings.pepper is not None:
        return settings.pepper.encode()
    try:
        return _file(settings).read_text(encoding="ascii").strip().encode() or None
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Unavailable(f"the pepper in {_file(settings)} cannot be read: {_reason(error)}") from error


async def check_pepper(connection: Connection, pepper: bytes | None) -> bool:
    """Whether keys can be made and verified with it. False: there is none, and the database has keys of some pepper.

    Raises Unavailable for another pepper than that of the database's keys.
    """
    row = await (await connection.execute(_PEPPER_CHECK)).fetchone()
    assert row
    known: bytes | None = row[0]
    if pepper is not None and known is not None and not hmac.compare_digest(known, _check_of(pepper)):
        raise _wrong()
    return pepper is not None or known is None


async def agreed_pepper(connection: Connection, settings: Settings) -> bytes:
    """The pepper to make a key with; made where there is none. Others wait until the transaction ends.

    Raises Unavailable where it is not that of the database's other keys, or cannot be written.
    """
    pepper = find_pepper(settings)
    if not await check_pepper(connection, pepper):
        raise Unavailable("the database has keys, and their pepper is not here: set STET_PEPPER, or STET_DATA")
    pepper = pepper or _make(_file(settings))
    row = await (await connection.execute(_AGREE_ON_PEPPER, {"check": _check_of(pepper)})).fetchone()
    if not row or not hmac.compare_digest(row[0], _check_of(pepper)):
        raise _wrong()
    return pepper


def _make(file: Path) -> bytes:
    """A pepper in a file that nobody else may read; whoever is first makes it."""
    try:
        return secret_file.make(file, f"{secrets.token_hex(32)}\n").strip().encode()
    except OSError as error:
        raise Unavailable(f"the pepper cannot be kept in {file}: {_reason(error)}; or set STET_PEPPER") from error


def _check_of(pepper: bytes) -> bytes:
    return hmac.digest(pepper, b"the pepper of this installation", "sha256")


def _wrong() -> Unavailable:
    return Unavailable(
        "this pepper is not the one that the keys in the database were made with: set STET_PEPPER, or STET_DATA, to "
        "what they were made with"
    )


def _file(settings: Settings) -> Path:
    return settings.data / "pepper"


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "it is no text"
