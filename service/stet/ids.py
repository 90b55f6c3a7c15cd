"""Ids: UUIDv7 (RFC 9562), so that what is made later sorts later."""

from __future__ import annotations

import os
import time
from uuid import UUID


def new_id() -> UUID:
    """A UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    random = int.from_bytes(os.urandom(10), "big")
    value = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random >> 68 & 0xFFF) << 64  # version, 12 random bits
    value |= 0b10 << 62 | random & (1 << 62) - 1  # variant, 62 random bits
    return UUID(int=value)
