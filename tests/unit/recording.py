"""Events as the log would give them back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.strategies import DAWN, uuid

from stet.codec import TYPES
from stet.envelope import Recorded


def record(stream: str, *events: Any, after: int = 0) -> list[Recorded[Any]]:
    """The events of one stream, each an append of its own, a minute apart; the first has version `after` + 1."""
    return [
        Recorded(
            position=n,
            stream=stream,
            stream_version=n,
            event_id=uuid(0x9000 + n),
            type=TYPES[type(event)],
            schema_version=1,
            recorded_at=DAWN + timedelta(minutes=n),
            actor="desk",
            correlation_id=uuid(0x8000),
            causation_id=None,
            event=event,
        )
        for n, event in enumerate(events, start=after + 1)
    ]
