"""The keys that sign checkpoints: in STET_SIGNING_KEY, or in the file `signing-key`. Never in the database, or a log.

Each is the 32 bytes of a private key of Ed25519, in hexadecimal. All that are here sign: during a rotation there are
two. The database knows the public keys, so that no process signs by a key that nobody has heard of.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stet.errors import Unavailable
from stet.keys import secret_file
from stet.offline import Checkpoint, Key
from stet.settings import Settings
from stet.sql import load

_READ_SIGNING_KEYS = load("read_signing_keys")
_ADD_SIGNING_KEYS = load("add_signing_keys")
_END_SIGNING_KEYS = load("end_signing_keys")
_LINE = re.compile(r"[0-9a-f]{64}")


class SigningKey:
    """A private key. Its text tells nothing."""

    def __init__(self, text: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, text: bytes) -> bytes:
        return self._key.sign(text)


def origin_of(ledger_id: UUID) -> str:
    """What the checkpoints of a ledger are of, and the name of the keys that sign them."""
    return f"stet/{ledger_id}"


def vkey(ledger_id: UUID, public: bytes) -> str:
    """A public key as it signs the checkpoints of a ledger."""
    return str(Key(origin_of(ledger_id), public))


def signed_note(checkpoint: Checkpoint, keys: Sequence[SigningKey]) -> str:
    """A checkpoint as a C2SP signed note, with a signature of each key."""
    text = str(checkpoint)
    lines = []
    for key in keys:
        signature = Key(checkpoint.origin, key.public).id + key.sign(text.encode())
        lines.append(f"— {checkpoint.origin} {base64.b64encode(signature).decode()}\n")
    return f"{text}\n{''.join(lines)}"


def find_keys(settings: Settings) -> list[SigningKey]:
    """Those that are here, the oldest first. Raises Unavailable where they cannot be read."""
    if settings.signing_key is not None:
        return [SigningKey(text) for text in settings.signing_key.split(",")]
    return [SigningKey(text) for text in _lines(settings)]


def agreed_keys(connection: psycopg.Connection, settings: Settings) -> list[SigningKey]:
    """The keys to sign with, which the database knows from here on; the first is made where none ever signed.

    The role is stet_worker. One that was retired does not sign again. Raises Unavailable where the database knows keys
    that sign, and none of them is here; and where the first cannot be kept.
    """
    known = read_keys(connection)
    held = find_keys(settings)
    if not held and not known:
        held = _make(settings)
    ours = [key for key in held if known.get(key.public, True)]
    signing = {public for public, live in known.items() if live}
    if not ours or (signing and signing.isdisjoint(key.public for key in ours)):
        raise Unavailable(
            "the key that signs the checkpoints is not here: set STET_SIGNING_KEY, or STET_DATA, to where it is; "
            "if it is lost, see `stet signing-key`"
        )
    if new := [key.public for key in ours if key.public not in known]:
        connection.execute(_ADD_SIGNING_KEYS, {"public_keys": new})
    return ours


def read_keys(connection: psycopg.Connection) -> dict[bytes, bool]:
    """Every public key that ever signed, and whether it still does; the newest first."""
    return {bytes(key): until is None for key, until in connection.execute(_READ_SIGNING_KEYS).fetchall()}


def rotate(settings: Settings) -> None:
    """Makes the next key, which signs beside the others. Raises Unavailable where keys are not kept in the file."""
    _replace(settings, [*_lines(settings), secrets.token_hex(32)])


def retire(connection: psycopg.Connection, settings: Settings) -> None:
    """Ends all keys but the newest that is here; the role is stet_worker.

    Raises Unavailable if there is none, or if it was retired itself.
    """
    held = find_keys(settings)
    if not held:
        raise Unavailable("there is no signing key here")
    if not read_keys(connection).get(held[-1].public, True):
        raise Unavailable("the newest signing key here is retired: no key would be left that signs")
    if settings.signing_key is None:
        _replace(settings, _lines(settings)[-1:])
    connection.execute(_ADD_SIGNING_KEYS, {"public_keys": [held[-1].public]})
    connection.execute(_END_SIGNING_KEYS, {"left": [held[-1].public]})


def _make(settings: Settings) -> list[SigningKey]:
    file = _file(settings)
    try:
        secret_file.make(file, f"{secrets.token_hex(32)}\n")
    except OSError as error:
        raise Unavailable(
            f"the signing key cannot be kept in {file}: {error.strerror or 'it is no text'}; or set STET_SIGNING_KEY"
        ) from error
    return find_keys(settings)


def _replace(settings: Settings, lines: Sequence[str]) -> None:
    if settings.signing_key is not None:
        raise Unavailable("the signing keys are those of STET_SIGNING_KEY: change them there")
    try:
        secret_file.replace(_file(settings), "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise Unavailable(f"the signing keys cannot be kept in {_file(settings)}: {error.strerror}") from error


def _lines(settings: Settings) -> list[str]:
    file = _file(settings)
    try:
        lines = file.read_text(encoding="ascii").split()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is no text"
        raise Unavailable(f"the signing keys in {file} cannot be read: {reason}") from error
    if not all(_LINE.fullmatch(line) for line in lines):
        raise Unavailable(f"the signing keys in {file} cannot be read: each is 64 hexadecimal digits in a line")
    return lines


def _file(settings: Settings) -> Path:
    return settings.data / "signing-key"
