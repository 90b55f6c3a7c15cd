"""Signatures of Standard Webhooks: who knows the secret knows that a message is ours, and of when."""

from __future__ import annotations

import hmac
import os
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

_PREFIX = "whsec_"


def new_secret() -> bytes:
    """A secret that nobody knows yet."""
    return os.urandom(32)


def text_of(secret: bytes) -> str:
    """A secret as it is shown, once."""
    return _PREFIX + b64encode(secret).decode()


def message_id(webhook_id: UUID, stream: str, position: int) -> str:
    """The id of what one append changed of one thing, for one webhook: the same at every attempt and replay."""
    return "msg_" + sha256(f"{webhook_id}:{position}:{stream}".encode()).hexdigest()[:32]


def signed(id_: str, timestamp: int, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """The headers of a message sent at a Unix time, in seconds: one signature for each secret that is still valid."""
    content = f"{id_}.{timestamp}.".encode() + body
    signatures = (b64encode(hmac.digest(secret, content, sha256)).decode() for secret in secrets)
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
