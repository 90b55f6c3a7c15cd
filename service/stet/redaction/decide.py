"""What a command of a redaction leads to: what is erased, where, and what is left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Raw

from stet.envelope import Recorded
from stet.errors import Malformed, Refused, UnknownReference
from stet.incident.about import statement_of
from stet.incident.links import IncidentAbsorbed, IncidentMerged, MergeReverted
from stet.redaction.commands import ConfirmRedaction, ProposeRedaction
from stet.redaction.events import Erased, Marked, PayloadRedacted, RedactionProposed
from stet.redaction.fields import Field, erase, fields_of, says
from stet.source.events import SourceMerged


class Stored(NamedTuple):
    """An event as it is stored."""

    stream: str
    position: int
    stream_version: int
    type: str
    payload: str


Streams = Mapping[str, Sequence[Stored]]
Plan = dict[str, dict[int, tuple[str, ...]]]
"""By stream and position: the fields that are erased."""


class Redacted(NamedTuple):
    """What a redaction comes to in one stream."""

    event: PayloadRedacted
    left: dict[int, tuple[str, bytes]]
    """What is left of each payload, and its salt, by its position."""


def propose(command: ProposeRedaction, stored: Sequence[Stored], redaction_id: UUID) -> RedactionProposed:
    """The proposal.

    Raises UnknownReference for an event that is not there, Malformed for a field that cannot be erased, and Refused for
    what was erased already.
    """
    by_version = {one.stream_version: one for one in stored}
    marked: dict[int, Marked] = {}
    for index, given in enumerate(command.events):
        at = f"events[{index}]"
        if (one := by_version.get(given.stream_version)) is None:
            raise UnknownReference.at(f"{at}.stream_version", f"the stream has no event {given.stream_version}")
        if one.position in marked:
            raise Malformed.at(f"{at}.stream_version", "is named twice")
        fields = fields_of(one.payload)
        left = [pointer for pointer, field in fields.items() if field.texts]
        for n, pointer in enumerate(given.fields):
            if pointer not in fields:
                can = ", ".join(fields) or "none"
                raise Malformed.at(f"{at}.fields[{n}]", f"cannot be erased; of this event these can be: {can}")
            if pointer not in left:
                raise Refused.at(f"{at}.fields[{n}]", "was erased already")
        if not left:
            raise Refused.at(at, "has nothing that can be erased, or no more")
        wanted = tuple(pointer for pointer in left if not given.fields or pointer in given.fields)
        marked[one.position] = Marked(position=one.position, fields=wanted)
    events = tuple(marked[position] for position in sorted(marked))
    return RedactionProposed(redaction_id=redaction_id, ground=command.ground, events=events, reason=command.reason)


def proposal_of(redaction_id: UUID, events: Iterable[Recorded[Any]]) -> Recorded[RedactionProposed] | None:
    """The proposal of a redaction among the events of a stream."""
    for one in events:
        if isinstance(one.event, RedactionProposed) and one.event.redaction_id == redaction_id:
            return one
    return None


def statements_named(wanted: Plan, streams: Mapping[str, Iterable[Recorded[Any]]]) -> tuple[set[UUID], set[str]]:
    """The statements that the events of a plan are about, and the incidents that these events name for them."""
    statements: set[UUID] = set()
    named: set[str] = set()
    for one in (one for stream, its in wanted.items() for one in streams[stream] if one.position in its):
        body = getattr(one.event, "statement", one.event)
        ids = {statement_of(one.event), getattr(body, "statement_id", None)}
        statements |= {id_ for id_ in ids if id_}
        named |= {f"incident:{id_}" for id_ in getattr(body, "incidents", ())}
    return statements, named


def merges_of(events: Iterable[Recorded[Any]]) -> set[str]:
    """The streams with which one was merged, by its own events: the one has what the other said of itself."""
    found: set[str] = set()
    for one in events:
        match one.event:
            case IncidentMerged(into=other) | IncidentAbsorbed(incident_id=other) | MergeReverted(incident_id=other):
                found.add(f"incident:{other}")
            case SourceMerged(into=other):
                found.add(f"source:{other}")
    return found


def plan(proposal: RedactionProposed, home: str, streams: Streams) -> Plan:
    """Everything that a proposal erases: the fields that it names in its own stream, and the same text in all of the
    streams."""
    fields = {one.position: fields_of(one.payload) for its in streams.values() for one in its}
    named = {one.position: set(one.fields) for one in proposal.events}
    texts = {
        # A row is one text: what stands in a column of it may stand anywhere.
        text
        for position, pointers in named.items()
        for pointer in pointers
        if (field := fields[position].get(pointer))
        for text in (field.texts[:1] if field.kind == "row" else field.texts)
    }
    found: Plan = {}
    for stream, its in streams.items():
        for one in its:
            own = named.get(one.position, ()) if stream == home else ()
            pointers = tuple(
                pointer
                for pointer, field in fields[one.position].items()
                if field.texts and (pointer in own or says(field, texts))
            )
            if pointers:
                found.setdefault(stream, {})[one.position] = pointers
    return found


def confirm(
    command: ConfirmRedaction,
    proposal: Recorded[RedactionProposed],
    actor: str,
    streams: Streams,
    new_salt: Callable[[], bytes],
) -> dict[str, Redacted]:
    """What the redaction comes to, stream by stream, that of the proposal first; {}: all of it was erased already.

    `new_salt` makes 16 random bytes: without them what is hidden of a payload that is left, or is erased of it later,
    could be guessed by its hash.
    Raises Refused where the actor proposed it himself, and where his reason says what is erased.
    """
    if proposal.actor == actor:
        raise Refused("who proposed a redaction cannot confirm it: that is for another administrator")
    home = proposal.stream
    wanted = plan(proposal.event, home, streams)
    stored = {one.position: one for its in streams.values() for one in its}
    fields = {position: fields_of(stored[position].payload) for its in wanted.values() for position in its}
    _refuse_telling(command.reason, wanted, fields)
    keys: dict[str, str] = {}
    for its in wanted.values():
        for position, pointers in its.items():
            for key in (one.texts[0] for one in map(fields[position].__getitem__, pointers) if one.kind == "key"):
                number = f" {len(keys) + 1}" if keys else ""
                keys.setdefault(key, f"[redacted {command.redaction_id}{number}]")
    found: dict[str, Redacted] = {}
    for stream in sorted(wanted, key=lambda one: (one != home, one)):
        left = {
            position: (erase(stored[position].payload, its, keys), new_salt())
            for position, its in wanted[stream].items()
        }
        event = PayloadRedacted(
            redaction_id=command.redaction_id,
            ground=proposal.event.ground,
            events=tuple(_erased(position, *one) for position, one in left.items()),
            reason=command.reason,
        )
        found[stream] = Redacted(event, left)
    return found


def _erased(position: int, payload: str, salt: bytes) -> Erased:
    """All that is gone of a payload, whichever redaction erased it."""
    fields = tuple(pointer for pointer, field in fields_of(payload).items() if not field.texts)
    return Erased(position=position, fields=fields, tombstone=sha256(salt + payload.encode()).hexdigest())


def _refuse_telling(reason: str, wanted: Plan, fields: Mapping[int, Mapping[str, Field]]) -> None:
    texts: Collection[str] = {
        text
        for its in wanted.values()
        for position, pointers in its.items()
        for pointer in pointers
        for text in fields[position][pointer].texts
    }
    if says(Field("text", Raw(b""), (reason,)), texts):
        raise Refused.at("reason", "says what is erased: it stays in the log, so say it in other words")
