"""The hashes of an event, as any stranger can compute them (docs/architecture.md). stet.append computes the same."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from stet.offline import leaf_of


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
    return leaf_of(
        ledger_id,
        position,
        stream,
        stream_version,
        event_id,
        type_,
        schema_version,
        rfc3339(recorded_at),
        actor,
        correlation_id,
        causation_id or "",
        payload_digest.hex(),
    )


def rfc3339(instant: datetime) -> str:
    """An instant as it stands in a leaf: UTC, six decimals, Z."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
