"""Sources that are others: which, and what follows where they are named."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec.structs import replace

from stet.document.events import DocumentCorrected
from stet.document.state import Document
from stet.errors import Malformed
from stet.handle.events import as_recorded, to_events
from stet.incident.about import statement_of
from stet.incident.events import StatementAccepted, StatementMovedIn
from stet.incident.same_source import Into, follow, named_in
from stet.incident.state import Incident, fold
from stet.source.events import SourceRevised
from stet.source.merge import refuse_merged
from stet.source.state import Source
from stet.store.append import NewEvent

if TYPE_CHECKING:
    from stet.handle import Reader

_CARRYING = (StatementMovedIn, StatementAccepted)
"""What brings a statement into a stream with the sources that it named before."""
_GENERATIONS = 100
_MERGED = "a source that this names was merged into another"


async def survivors(reader: Reader, source_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Those of the sources that were merged, and which each is by now, through chains of merges."""
    found: dict[UUID, UUID] = {}
    for source_id, source in (await _sources(reader, source_ids)).items():
        at = source
        while at.merged:
            found[source_id] = at.merged.into
            at = (await _sources(reader, (at.merged.into,)))[at.merged.into]
    return found


async def above(reader: Reader, source_id: UUID | None, field: str) -> tuple[UUID, ...]:
    """A source and its ancestors; () if it is unknown. Raises Refused if it was merged, or has too many of them.

    An ancestor that was merged is the one that it was merged into.
    """
    found: list[UUID] = []
    first = source_id
    while source_id:
        if source_id in (into := await survivors(reader, {source_id})):
            if source_id == first:
                refuse_merged(source_id, into[source_id], field)
            source_id = into[source_id]
        source = (await _sources(reader, (source_id,)))[source_id]
        if source.version == 0 or source_id in found:
            break
        found.append(source_id)
        if len(found) > _GENERATIONS:
            raise Malformed.at(field, f"has more than {_GENERATIONS} ancestors")
        source_id = source.parent
    return tuple(found)


async def followed(reader: Reader, streams: Iterable[str], into: Into, causation_id: UUID) -> list[NewEvent]:
    """The events after which no stream of these names one of the merged sources.

    The reason of the merge is not copied into them: it may name somebody, and may have to be erased.
    """
    unknown = await _unknown(reader, into)
    events: list[NewEvent] = []
    for stream, state in (await reader.states(list(streams))).items():
        events += to_events(stream, _following(state, into, unknown), causation_id)
    return events


async def carried(reader: Reader, events: Sequence[NewEvent]) -> list[NewEvent]:
    """The corrections of statements that an append brings into a stream, where they name sources that were merged."""
    made: list[NewEvent] = []
    for stream in dict.fromkeys(new.stream for new in events if isinstance(new.event, _CARRYING)):
        its = [new for new in events if new.stream == stream]
        brought = {statement_of(new.event): new.event_id for new in its if isinstance(new.event, _CARRYING)}
        state: Incident = (await reader.states((stream,)))[stream]
        after = fold(as_recorded(stream, [new.event for new in its], state.version), state)
        statements = {id_: one for id_, one in after.statements.items() if id_ in brought}
        after = replace(after, statements=statements, pins=())
        into = await survivors(reader, named_in(after))
        made += await _carried(reader, stream, after, into, next(iter(brought.values())))
    return made


async def _carried(reader: Reader, stream: str, state: Incident, into: Into, causation_id: UUID) -> list[NewEvent]:
    return to_events(stream, follow(state, into, await _unknown(reader, into), _MERGED), causation_id) if into else []


def _following(state: Any, into: Into, unknown: Collection[UUID]) -> Sequence[Any]:
    match state:
        case Incident():
            return follow(state, into, unknown, _MERGED)
        case Document(publisher=UUID() as publisher) if publisher in into:
            return [DocumentCorrected(publisher=into[publisher], basis="deduced", rationale=_MERGED)]
        case Source(parent=UUID() as parent, merged=None) if parent in into:
            return [SourceRevised(parent=into[parent], reason=_MERGED)]
        case _:
            return ()


async def _unknown(reader: Reader, into: Into) -> set[UUID]:
    return {id_ for id_, source in (await _sources(reader, set(into.values()))).items() if source.kind == "unknown"}


async def _sources(reader: Reader, source_ids: Collection[UUID]) -> Mapping[UUID, Source]:
    states = await reader.states([f"source:{id_}" for id_ in sorted(source_ids)])
    return {UUID(stream[7:]): source for stream, source in states.items()}
