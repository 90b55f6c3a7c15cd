"""PURE: how the events of each kind of stream add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stet.document import state as document_state
from stet.envelope import Recorded
from stet.incident import state as incident_state
from stet.ledger import state as ledger_state
from stet.source import state as source_state

_FOLDS: dict[str, Callable[[Iterable[Recorded[Any]], Any], Any]] = {
    "ledger": ledger_state.fold,
    "source": source_state.fold,
    "document": document_state.fold,
    "incident": incident_state.fold,
}
_INITIAL: dict[str, Any] = {
    "ledger": ledger_state.initial,
    "source": source_state.initial,
    "document": document_state.initial,
    "incident": incident_state.initial,
}


def fold(stream: str, events: Iterable[Recorded[Any]], state: Any = None) -> Any:
    """What a stream adds up to after some events, from its beginning or from a state."""
    kind = stream.partition(":")[0]
    return _FOLDS[kind](events, _INITIAL[kind] if state is None else state)


def around(before: Mapping[str, Any], events: Iterable[Recorded[Any]]) -> dict[str, tuple[Any, Any]]:
    """For each stream in `before`, what it added up to before some events and adds up to after them."""
    by_stream: dict[str, list[Recorded[Any]]] = {}
    for recorded in events:
        if recorded.stream in before:
            by_stream.setdefault(recorded.stream, []).append(recorded)
    return {stream: (before[stream], fold(stream, its, before[stream])) for stream, its in by_stream.items()}
