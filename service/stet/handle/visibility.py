"""What other streams must hear of an append: that something which they name is hidden from the public, or shown again.

Every write comes by here. Where nothing is restricted it costs a look at streams that were read anyway.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from stet.codec import TYPES, AnyEvent
from stet.document.events import VisibilityChanged
from stet.envelope import Recorded
from stet.errors import Refused
from stet.handle.events import as_recorded, to_events
from stet.incident.about import statement_of
from stet.incident.events import ReferenceHidden, StatementAccepted, StatementRecorded, StatementRetracted
from stet.incident.spread import Part, doubtful, heard, hidden_in, named_in, part_of, unlabelled
from stet.store.append import NewEvent
from stet.store.read import Role

if TYPE_CHECKING:
    from stet.handle import Reader

_STREAMS = 1_000
_RESTRICTING = {TYPES[VisibilityChanged], TYPES[ReferenceHidden]}
_ROLES: tuple[Role, ...] = ("holds", "hangs", "names")
_HIDDEN, _SHOWN = "what is named here was restricted", "what is named here is restricted no more"

Written = Mapping[str, Sequence[AnyEvent]]


async def spread(reader: Reader, events: Sequence[NewEvent]) -> list[NewEvent]:
    """The `reference-hidden` events that belong into the append of these events, in whatever streams.

    Raises Refused where more than 1,000 incidents would have to hide something. What is restricted can always be shown
    again, whatever has come to name it.
    """
    written: dict[str, list[AnyEvent]] = {}
    for new in events:
        if new.stream.startswith(("incident:", "document:")):
            written.setdefault(new.stream, []).append(new.event)
    read = await reader.streams([*written, *await _homes(reader, written)])
    if not any(isinstance(new.event, VisibilityChanged) for new in events) and not any(map(_guarded, read.values())):
        return []
    parts, said = await _settle(reader, written, read)
    made: list[NewEvent] = []
    hiding = 0
    for stream in sorted(said):
        before = parts[stream].after.elsewhere
        more, less = sorted(said[stream] - before), sorted(before - said[stream])
        its: list[AnyEvent] = [ReferenceHidden(target=target, hidden=True, reason=_HIDDEN) for target in more]
        its += [ReferenceHidden(target=target, hidden=False, reason=_SHOWN) for target in less]
        made += to_events(stream, its, events[0].event_id)
        hiding += bool(more)
    _refuse_beyond(hiding)
    return made


async def _settle(
    reader: Reader, written: Written, read: Mapping[str, Sequence[Recorded[Any]]]
) -> tuple[dict[str, Part], dict[str, frozenset[str]]]:
    """The streams that the append may bear on, and what each must say that is hidden elsewhere."""
    parts: dict[str, Part] = {}

    async def add(streams: Collection[str]) -> None:
        for stream, its in (await reader.streams([one for one in streams if one not in parts])).items():
            parts[stream] = part_of(stream, its, as_recorded(stream, written.get(stream, ()), len(its)))

    await add(read)
    doubted = unlabelled(parts.values())
    asked: set[str] = set()
    while frontier := doubted - asked:
        asked |= frontier
        await add(sorted(await reader.dependants(sorted(frontier), _ROLES)))
        doubted = doubtful(parts.values(), doubted)
    while True:
        found = hidden_in(parts.values(), doubted)
        before = {target for part in parts.values() for target in part.was_hidden & part.home}
        frontier = found - before - asked
        if not frontier:
            return parts, heard(parts, doubted, found)
        asked |= frontier
        naming = await reader.dependants(sorted(frontier), _ROLES)
        _refuse_beyond(len(naming - parts.keys()))
        await add(sorted(naming))


def _refuse_beyond(streams: int) -> None:
    if streams > _STREAMS:
        raise Refused(f"{streams} incidents name what this would hide; one append reaches {_STREAMS} at most")


async def _homes(reader: Reader, written: Written) -> list[str]:
    """The streams which decide whether something is hidden that the events name, and that the written do not know."""
    streams: set[str] = set()
    statements: set[str] = set()
    for stream, events in written.items():
        for event in events:
            named = named_in(event, stream)
            if isinstance(event, StatementRecorded | StatementAccepted | StatementRetracted):
                named.discard(f"statement:{statement_of(event)}")  # nobody knows it yet
            statements |= (its := {target for target in named if target.startswith("statement:")})
            streams |= named - its
        if statements and stream.startswith("incident:"):
            # What a stream holds it knows all about.
            statements -= {f"statement:{id_}" for id_ in (await reader.states((stream,)))[stream].statements}
    streams |= await reader.holders(_ids(statements))
    return sorted(streams - written.keys())


def _ids(targets: Iterable[str]) -> list[UUID]:
    return [UUID(target.partition(":")[2]) for target in sorted(targets)]


def _guarded(events: Sequence[Recorded[Any]]) -> bool:
    """Whether anything was ever restricted in a stream."""
    return any(one.type in _RESTRICTING for one in events)
