"""Between the log's bytes and the typed events. Old events are read for ever: each stored (type, schema_version)
has a decoder here, and a golden example in tests/golden/events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from stet.document.events import EVENTS as DOCUMENT_EVENTS
from stet.document.events import DocumentEvent
from stet.envelope import Recorded
from stet.errors import CorruptLog
from stet.incident.events import EVENTS as INCIDENT_EVENTS
from stet.incident.events import IncidentEvent
from stet.ledger.events import EVENTS as LEDGER_EVENTS
from stet.ledger.events import LedgerEvent
from stet.source.events import EVENTS as SOURCE_EVENTS
from stet.source.events import SourceEvent

AnyEvent = LedgerEvent | SourceEvent | DocumentEvent | IncidentEvent

EVENTS: dict[str, type[AnyEvent]] = {**LEDGER_EVENTS, **SOURCE_EVENTS, **DOCUMENT_EVENTS, **INCIDENT_EVENTS}
TYPES: dict[type[AnyEvent], str] = {struct: tag for tag, struct in EVENTS.items()}
SCHEMA_VERSIONS: dict[str, int] = dict.fromkeys(EVENTS, 1) | {"statement-recorded": 2, "statement-corrected": 2}
"""The version in which each type is written."""
UPCASTERS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {
    # Version 2 says whether the speaker is unknown. Version 1 did not, and is read as if he were known.
    ("statement-recorded", 1): lambda payload: payload,
    ("statement-corrected", 1): lambda payload: payload,
}
"""For each (type, older version): from its payload to that of the next version."""

_ENCODER = msgspec.json.Encoder()
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    tag: msgspec.json.Decoder(type=struct) for tag, struct in EVENTS.items()
}


def encode(event: AnyEvent) -> bytes:
    """The payload as it is stored and hashed."""
    return _ENCODER.encode(event)


def decode(type_: str, schema_version: int, payload: bytes | str, position: int) -> Any:
    """The event of a stored payload. Raises CorruptLog naming the position if this release cannot read it."""
    decoder = _DECODERS.get(type_)
    if decoder is None or schema_version > SCHEMA_VERSIONS[type_]:
        raise CorruptLog(
            f"event {position} is of type {type_} version {schema_version}, which this release does not know"
        )
    try:
        if schema_version == SCHEMA_VERSIONS[type_]:
            return decoder.decode(payload)
        raw = msgspec.json.decode(payload)
        for version in range(schema_version, SCHEMA_VERSIONS[type_]):
            raw = UPCASTERS[type_, version](raw)
        return decoder.decode(_ENCODER.encode(raw))
    except (msgspec.MsgspecError, ValueError, LookupError, TypeError) as error:
        raise CorruptLog(f"event {position} of type {type_} cannot be read: {error}") from error


def recorded(row: tuple[Any, ...]) -> Recorded[Any]:
    """An event of the log from its columns, in the order of the fields of Recorded; the payload last."""
    position, stream, version, event_id, type_, schema_version, recorded_at, actor, correlation, causation, payload = (
        row
    )
    event = decode(type_, schema_version, payload, position)
    return Recorded(
        position,
        stream,
        version,
        event_id,
        type_,
        schema_version,
        recorded_at,
        actor,
        correlation,
        causation,
        event,
    )
