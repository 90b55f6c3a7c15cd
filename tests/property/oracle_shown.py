"""What the public is shown of an incident, worked out from its events by plain loops and the text of what is stored.

What is hidden had never been recorded: the rules are those of docs/visibility.md. Shared with the code that it judges
is only the radius of a place.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw
from msgspec.structs import replace

from stet.document.events import VisibilityChanged
from stet.envelope import Recorded
from stet.incident.events import (
    AttributePinned,
    AttributeUnpinned,
    ReferenceHidden,
    StatementAccepted,
    StatementCorrected,
    StatementMovedIn,
    StatementMovedOut,
    StatementProposed,
    StatementRecorded,
    StatementRejected,
    StatementRetracted,
    StatementSuperseded,
)
from stet.incident.links import IncidentAbsorbed
from stet.values.disc import radius_of
from stet.values.place import Place
from stet.values.visibility import Visibility

Events = list[Recorded[Any]]
MEMBERS_ONLY = (VisibilityChanged, ReferenceHidden, StatementProposed, StatementRejected)
_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def ids_in(event: Any) -> set[UUID]:
    """Every id that stands anywhere in an event. What a statement was superseded by, and the links of what was
    merged, are told apart from it."""
    if isinstance(event, StatementMovedIn):
        event = replace(event, statement=replace(event.statement, superseded=()))
    if isinstance(event, IncidentAbsorbed):
        event = replace(event, links=())
    return {UUID(found.decode()) for found in _ID.findall(msgspec.json.encode(event))}


def today(events: Events) -> tuple[dict[UUID | None, Visibility], set[UUID]]:
    """The visibility that was said last, of the incident (None) and of statements; and what is hidden elsewhere."""
    visibilities: dict[UUID | None, Visibility] = {}
    elsewhere: dict[UUID, bool] = {}
    for recorded in events:
        match recorded.event:
            case VisibilityChanged() as event:
                visibilities[event.statement_id] = event.visibility
            case ReferenceHidden() as event:
                elsewhere[UUID(event.target.partition(":")[2])] = event.hidden
    return visibilities, {id_ for id_, hidden in elsewhere.items() if hidden}


def guarded(events: Events) -> bool:
    """Whether anything ever happened in it of which the public hears nothing."""
    return any(isinstance(one.event, MEMBERS_ONLY) for one in events)


def restricts(visibility: Visibility) -> bool:
    return visibility.label != "clear" or visibility.embargo_until is not None


def told_by(event: Any) -> UUID | None:
    """The statement that an event tells of, if it is about one."""
    match event:
        case StatementRetracted():
            return event.retraction_id
        case StatementMovedIn() | StatementAccepted():
            return event.statement.statement_id
        case StatementSuperseded() | VisibilityChanged() | StatementProposed() | StatementRejected():
            return None
        case _:
            found: UUID | None = getattr(event, "statement_id", None)
            return found


def shown(events: Events) -> Events:
    """The events that the public is shown. All events of the stream are given: visibility is today's."""
    visibilities, gone = today(events)
    own = visibilities.pop(None, Visibility())
    if restricts(own):
        return []
    gone |= {id_ for id_, one in visibilities.items() if id_ and restricts(one)}
    if own.disclosed_place:
        gone |= {id_ for id_ in wordless_of(events, own.disclosed_place) if is_shared(id_, events)}
    for _ in events:
        gone |= {id_ for one in events if (id_ := told_by(one.event)) and ids_in(one.event) & gone}
    kept = [one for one in events if not isinstance(one.event, MEMBERS_ONLY)]
    kept = [one for one in kept if not ids_in(one.event) & gone]
    if own.disclosed_place:
        kept = disclosed(kept, own.disclosed_place)
    kept = without_strange_unpins(kept)
    return [_less_superseded(one, gone) for one in kept]


def _less_superseded(one: Recorded[Any], gone: set[UUID]) -> Recorded[Any]:
    if isinstance(one.event, IncidentAbsorbed):
        clear = tuple(link for link in one.event.links if link.incident_id not in gone)
        return replace(one, event=replace(one.event, links=clear))
    if not isinstance(one.event, StatementMovedIn):
        return one
    statement = one.event.statement
    left = tuple(by for by in statement.superseded if by.superseded_by not in gone)
    return replace(one, event=replace(one.event, statement=replace(statement, superseded=left)))


def without_strange_unpins(events: Events) -> Events:
    """Nobody takes back a pin that nobody saw."""
    held: list[Any] = []
    kept = []
    for one in events:
        match one.event:
            case AttributePinned(attribute=attribute, of=of):
                held.append((attribute, of))
            case AttributeUnpinned(attribute=attribute, of=of):
                if (attribute, of) not in held:
                    continue
                held = [pin for pin in held if pin != (attribute, of)]
        kept.append(one)
    return kept


# ---- no finer place than the one that is disclosed ----


def finer(claim: Any, disclosed_place: Place) -> bool:
    if claim.type_ != "place":
        return False
    place = msgspec.json.decode(claim.value, type=Place)
    if place.geometry is None and place.radius_m is None and place.level is None:
        return True
    return radius_of(place) < radius_of(disclosed_place)


def claims_of(event: Any) -> list[Any]:
    match event:
        case StatementRecorded() | StatementCorrected():
            return list(event.claims)
        case StatementAccepted():
            return list(event.statement.claims)
        case StatementMovedIn():
            return list(event.statement.claims.values())
        case AttributePinned():
            return [event]
        case _:
            return []


def wordless_of(events: Events, place: Place) -> set[UUID]:
    """The statements that tell a finer place."""
    found = set()
    for one in events:
        if (id_ := told_by(one.event)) and any(finer(claim, place) for claim in claims_of(one.event)):
            found.add(id_)
    return found


def is_shared(id_: UUID, events: Events) -> bool:
    """Whether a statement was at any time about several incidents, or in another: its words are the same there."""
    if any(isinstance(one.event, StatementMovedIn | StatementMovedOut) and told_by(one.event) == id_ for one in events):
        return True
    its = [getattr(one.event, "statement", one.event) for one in events if told_by(one.event) == id_]
    return any(len(getattr(one, "incidents", ())) > 1 for one in its)


def disclosed(events: Events, place: Place) -> Events:
    """With the place that is disclosed for each that is finer, and without the words of statements that have one."""
    wordless = wordless_of(events, place)
    kept = [one for one in events if not (isinstance(one.event, AttributePinned) and finer(one.event, place))]
    return [replace(one, event=_less_words(one.event, wordless, place)) for one in kept]


def _less_words(event: Any, wordless: set[UUID], place: Place) -> Any:
    def less(claim: Any) -> Any:
        value = Raw(msgspec.json.encode(place)) if finer(claim, place) else claim.value
        return replace(claim, value=value, verbatim=None, note=None)

    match event:
        case StatementRecorded() if event.statement_id in wordless:
            return replace(event, claims=tuple(map(less, event.claims)), verbatim=None, record=None)
        case StatementAccepted(statement=accepted) if accepted.statement_id in wordless:
            return replace(event, statement=_less_words(accepted, wordless, place))
        case StatementRetracted() if wordless & {event.statement_id, event.retraction_id}:
            return replace(event, verbatim=None, record=None)
        case StatementCorrected() if event.statement_id in wordless:
            return replace(event, claims=tuple(map(less, event.claims)), set=replace(event.set, verbatim=UNSET))
        case StatementMovedIn(statement=moved):
            about = {moved.statement_id, moved.retracts.statement_id if moved.retracts else None}
            if about & wordless:
                claims = {id_: less(claim) for id_, claim in moved.claims.items()}
                return replace(event, statement=replace(moved, claims=claims, verbatim=None, record=None))
    return event
