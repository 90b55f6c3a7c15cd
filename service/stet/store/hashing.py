"""The hashes of an event, as any stranger can compute them (docs/architecture.md). stet.append computes the same."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID


def payload_digest(salt: bytes, payload: bytes) -> bytes:
    """SHA-256 of the 16-byte salt and the payload's bytes."""
    return sha256(salt + payload).digest()


def leaf(
    *,
    ledger_id: UUID,
    position: int,
    stream: str,
    stream_version: int,
    event_id: UUID,
    type_: str,
    schema_version: int,
    recorded_at: datetime,
    actor: str,
    correlation_id: UUID,
    causation_id: UUID | None,
    payload_digest: bytes,
) -> bytes:
    """SHA-256 of 0x00 (the leaf prefix of RFC 6962) and the envelope's lines."""
    lines = (
        "stet-event-1",
        str(ledger_id),
        str(position),
        stream,
        str(stream_version),
        str(event_id),
        type_,
        str(schema_version),
        recorded_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
        actor,
        str(correlation_id),
        "" if causation_id is None else str(causation_id),
        payload_digest.hex(),
    )
    return sha256(b"\x00" + "\n".join(lines).encode()).digest()
