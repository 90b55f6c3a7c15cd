"""The text of a key, `stet_ID_SECRET_CHECKSUM`, and what is kept of it."""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b32encode
from zlib import crc32

_KEY = re.compile(r"(stet_([a-z2-7]{16})_[a-z2-7]{32})_([a-z2-7]{7})")
_LIKE_A_KEY = re.compile(r"stet_[a-z2-7]{16}_\w+", re.IGNORECASE)


def new_key_id() -> str:
    """An id that no other key has: 80 random bits."""
    return _base32(secrets.token_bytes(10))


def new_key(key_id: str) -> str:
    """A text for the key, with 160 random bits that nobody else can know."""
    text = f"stet_{key_id}_{_base32(secrets.token_bytes(20))}"
    return f"{text}_{_checksum(text)}"


def key_id_of(text: str) -> str | None:
    """The id of the key that this is the text of; None: it is the text of none, and nobody need be asked."""
    found = _KEY.fullmatch(text)
    return found[2] if found and found[3] == _checksum(found[1]) else None


def digest_of(text: str, pepper: bytes) -> bytes:
    """What is stored of a key: of no use to who has the database but not the pepper."""
    return hmac.digest(pepper, text.encode(), "sha256")


def masked(text: str) -> str:
    """A text for others to read, without what looks like a key in it: the id may stay, the secret not."""
    return _LIKE_A_KEY.sub(lambda found: f"{found[0][:21]}_***", text)


def _checksum(text: str) -> str:
    return _base32(crc32(text.encode()).to_bytes(4, "big"))


def _base32(data: bytes) -> str:
    return b32encode(data).decode().rstrip("=").lower()
