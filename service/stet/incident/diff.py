"""What differs between two cuts of an incident, by which events, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Raw, Struct, field

from stet.document.events import VisibilityChanged
from stet.envelope import Cut, Recorded
from stet.incident.about import reason_of, statement_of
from stet.incident.claim import Claim
from stet.incident.events import (
    AttributePinned,
    AttributeUnpinned,
    IncidentEvent,
    StatementAccepted,
    StatementCorrected,
    StatementMovedIn,
    StatementMovedOut,
)
from stet.incident.resolve import Key, Resolved, resolve
from stet.incident.state import Incident
from stet.incident.statement import Statement

FIELDS = ("title", "kind", "status", "tags", "links", "absorbed", "visibility")


class Cause(Struct, frozen=True, kw_only=True):
    """An event that made a difference, and how: it was recorded between the cuts, or what it records was said then."""

    because: Literal["recorded", "said"]
    position: int
    event_id: UUID
    type: str
    actor: str
    recorded_at: datetime
    reason: str | None
    statement_id: UUID | None


class FieldChange(Struct, frozen=True, kw_only=True):
    field: str
    before: Raw
    after: Raw
    causes: tuple[Cause, ...]


class AttributeChange(Struct, frozen=True, kw_only=True):
    """An attribute that resolves differently; null: no live claim, nor a pin, spoke of it."""

    attribute: str
    of: str | None
    before: Resolved | None
    after: Resolved | None
    causes: tuple[Cause, ...]


class StatementChanges(Struct, frozen=True, kw_only=True):
    added: tuple[UUID, ...]
    removed: tuple[UUID, ...]
    changed: tuple[UUID, ...]


class Diff(Struct, frozen=True, kw_only=True):
    incident_id: UUID
    version: int
    from_: Cut = field(name="from")
    to: Cut
    fields: tuple[FieldChange, ...]
    attributes: tuple[AttributeChange, ...]
    statements: StatementChanges
    events: tuple[Cause, ...]
    """Everything that was recorded between the cuts, or that records what was said between them."""


class Side(NamedTuple):
    """An incident at one of the two cuts; said_by is applied to `state`."""

    state: Incident
    cut: Cut


def diff(before: Side, after: Side, events: Sequence[Recorded[IncidentEvent]]) -> Diff:
    """What leads from one cut to another, which is not earlier. `events` are those up to the later one."""
    assert after.state.incident_id
    old, new = before.state, after.state
    since = [recorded.event for recorded in events if recorded.position > before.cut.position]
    arrivals = (StatementMovedOut, StatementMovedIn, StatementAccepted)
    moved = {statement_of(event) for event in since if isinstance(event, arrivals)}
    # What came or went by a move, or was accepted, was not said between the cuts: that is why.
    said_differs = (old.statements.keys() ^ new.statements.keys()) - moved
    causes = [
        (recorded, _cause(recorded, "recorded" if is_new else "said"))
        for recorded in events
        if (is_new := recorded.position > before.cut.position) or statement_of(recorded.event) in said_differs
    ]
    causes_of: dict[Key, list[Cause]] = {}
    touching = _touching((old, new))
    for recorded, cause in causes:
        for key in _touched(recorded.event, touching):
            causes_of.setdefault(key, []).append(cause)
    resolved = ({(one.attribute, one.of): one for one in resolve(state)} for state in (old, new))
    was, is_ = resolved
    return Diff(
        incident_id=after.state.incident_id,
        version=new.version,
        from_=before.cut,
        to=after.cut,
        fields=tuple(_field_changes(old, new, causes)),
        attributes=tuple(
            AttributeChange(
                attribute=key[0],
                of=key[1],
                before=was.get(key),
                after=is_.get(key),
                causes=tuple(causes_of.get(key, ())),
            )
            for key in sorted(was.keys() | is_.keys(), key=lambda key: (key[0], key[1] or ""))
            if was.get(key) != is_.get(key)
        ),
        statements=StatementChanges(
            added=tuple(id_ for id_ in new.statements if id_ not in old.statements),
            removed=tuple(id_ for id_ in old.statements if id_ not in new.statements),
            changed=tuple(
                id_
                for id_, said in new.statements.items()
                if id_ in old.statements
                and (said != old.statements[id_] or new.restricted.get(id_) != old.restricted.get(id_))
            ),
        ),
        events=tuple(cause for _, cause in causes),
    )


def _cause(recorded: Recorded[IncidentEvent], because: Literal["recorded", "said"]) -> Cause:
    return Cause(
        because=because,
        position=recorded.position,
        event_id=recorded.event_id,
        type=recorded.type,
        actor=recorded.actor,
        recorded_at=recorded.recorded_at,
        reason=reason_of(recorded.event),
        statement_id=statement_of(recorded.event),
    )


def _field_changes(
    old: Incident, new: Incident, causes: Iterable[tuple[Recorded[IncidentEvent], Cause]]
) -> Iterator[FieldChange]:
    types = {
        "status": ("incident-status-changed",),
        "links": ("incident-linked", "incident-unlinked"),
        "absorbed": ("incident-absorbed", "merge-reverted"),
        "visibility": ("visibility-changed",),
    }
    for name in FIELDS:
        was, is_ = getattr(old, name), getattr(new, name)
        if was != is_:
            wanted = types.get(name, ("incident-amended",))
            yield FieldChange(
                field=name,
                before=_raw(was),
                after=_raw(is_),
                causes=tuple(cause for _, cause in causes if cause.type in wanted and cause.statement_id is None),
            )


def _raw(value: Any) -> Raw:
    return Raw(msgspec.json.encode(value))


def _touched(event: IncidentEvent, touching: Mapping[UUID, set[Key]]) -> set[Key]:
    """The attributes that an event can have changed; `touching` is what `_touching` gives."""
    if isinstance(event, AttributePinned | AttributeUnpinned):
        return {(event.attribute, event.of)}
    if isinstance(event, VisibilityChanged):  # who may see it is no reason for what it comes to
        return set()
    about = statement_of(event)
    keys = touching.get(about, set()) if about else set()
    if isinstance(event, StatementCorrected):
        return keys | _keys(event.claims)
    moved = getattr(event, "statement", None)
    return keys | _keys(moved.claims.values()) if isinstance(moved, Statement) else keys


def _touching(states: tuple[Incident, Incident]) -> dict[UUID, set[Key]]:
    """For each statement the attributes that can change with it, on either side.

    Its own, those of what it takes back or replaces, those of the pins that cite it.
    """
    found: dict[UUID, set[Key]] = {id_: set() for state in states for id_ in state.statements}
    for state in states:
        for id_, said in state.statements.items():
            own = _keys(said.claims.values())
            found[id_] |= own
            for supersession in said.superseded:
                if supersession.superseded_by in found:
                    found[supersession.superseded_by] |= own
        for pin in state.pins:
            for cited in found.keys() & set(pin.cites):
                found[cited].add((pin.attribute, pin.of))
    for id_, said in (pair for state in states for pair in state.statements.items()):
        for state in states:
            if said.retracts and (taken_back := state.statements.get(said.retracts.statement_id)):
                found[id_] |= _keys(taken_back.claims.values())
    return found


def _keys(claims: Iterable[Claim]) -> set[Key]:
    return {(claim.attribute, claim.of) for claim in claims if claim.attribute}
