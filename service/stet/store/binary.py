"""Events in the binary form of COPY, which costs PostgreSQL half of what text does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct

from msgspec import UNSET

from stet.store.check import Row

BEGIN, END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
"""What stands in front of the rows, and behind them."""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Each field is its length, and its bytes; each row, the number of its fields in front of them.
_ledger_position_stream = Struct("!hi16siqi").pack
_version_id_type = Struct("!iqi16si").pack
_schema_time_actor = Struct("!ihiqi").pack
_ids = Struct("!i16si16si").pack
_id = Struct("!i16sii").pack
_hashes_redacted = Struct("!i16si32si32siq").pack
_hashes = Struct("!i16si32si32si").pack


def event_of(ledger_id: str, row: Row) -> bytes:
    """A row for copy_events.sql. Raises ValueError or struct.error where a field is not what its column takes.

    What is spelt in another way than PostgreSQL does becomes the same value: its leaf will not be that of its words.
    """
    stream, type_, actor, payload = row.stream.encode(), row.type_.encode(), row.actor.encode(), row.payload.encode()
    correlation, size = _uuid(row.correlation_id), len(payload)
    if row.causation_id is None:
        ids = _id(16, correlation, -1, size)
    else:
        ids = _ids(16, correlation, 16, _uuid(row.causation_id), size)
    hashes = (16, _hex(row.salt), 32, _hex(row.payload_digest), 32, _hex(row.leaf))
    return b"".join(
        (
            _ledger_position_stream(16, 16, _uuid(ledger_id), 8, row.position, len(stream)),
            stream,
            _version_id_type(8, row.stream_version, 16, _uuid(row.event_id), len(type_)),
            type_,
            _schema_time_actor(2, row.schema_version, 8, _instant(row.recorded_at), len(actor)),
            actor,
            ids,
            payload,
            _hashes(*hashes, -1) if row.redacted_by is UNSET else _hashes_redacted(*hashes, 8, row.redacted_by),
        )
    )


_hex = bytes.fromhex


def _uuid(words: str) -> bytes:
    return _hex(words.replace("-", ""))


@lru_cache(1)
def _instant(words: str) -> int:
    """All events of one append have the same."""
    return (datetime.fromisoformat(words).astimezone(UTC) - _EPOCH) // _MICROSECOND
