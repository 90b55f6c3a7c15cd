"""What the public sees of an incident: its events, less those of what is restricted today (docs/visibility.md).

What names a restricted thing goes with it: a statement that cites a restricted document, hangs on a restricted
statement or is also about a restricted incident is hidden as a whole, and so is a pin or a link that names one. A
stream knows what is restricted elsewhere by its own events (`reference-hidden`), so what the public sees follows from
the stream alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, assert_never
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw, Struct
from msgspec.structs import replace

from stet.document.events import VisibilityChanged
from stet.envelope import Audience, Recorded
from stet.incident.about import statement_of
from stet.incident.claim import Claim
from stet.incident.events import (
    EVENTS,
    AttributePinned,
    AttributeUnpinned,
    IncidentAmended,
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
from stet.incident.known import references
from stet.incident.links import IncidentAbsorbed, IncidentUnlinked
from stet.incident.statement import Statement
from stet.redaction.events import PayloadRedacted, RedactionProposed
from stet.values.disc import radius_of
from stet.values.place import Place
from stet.values.visibility import UNRESTRICTED, Visibility

_MEMBERS_ONLY = (VisibilityChanged, ReferenceHidden, StatementProposed, StatementRejected, RedactionProposed)
"""A proposal that was accepted is a statement, and its event says all of it again."""
TELLING = frozenset(type_ for type_, kind in EVENTS.items() if issubclass(kind, _MEMBERS_ONLY))
"""The types of the events that only members see: who may see something, contributors' drafts, and where a secret is."""
Events = Sequence[Recorded[Any]]


class Facts(Struct, frozen=True, kw_only=True):
    """What a stream says about who may see what, at its end."""

    stream: str
    own: Visibility
    """Of the incident or the document itself."""
    restricted: frozenset[str]
    """Its statements that are hidden by themselves, `statement:ID`: those with a label or an embargo of their own, and,
    where a place is disclosed, those that tell a finer one and are about other incidents, too: their words are the same
    everywhere."""
    elsewhere: frozenset[str]
    """What is restricted elsewhere and named here."""
    names: dict[str, frozenset[str]]
    """For each statement that it ever held everything that was ever named with it, itself apart."""


def facts_of(stream: str, events: Events) -> Facts:
    """Of an incident's or a document's events up to the head."""
    own = UNRESTRICTED
    labels: dict[str, Visibility] = {}
    elsewhere: set[str] = set()
    names: dict[str, set[str]] = {}
    for recorded in events:
        match recorded.event:
            case VisibilityChanged(statement_id=None, visibility=own):
                pass
            case VisibilityChanged(statement_id=id_, visibility=visibility):
                labels[f"statement:{id_}"] = visibility
            case ReferenceHidden(target=target, hidden=hidden):
                (elsewhere.add if hidden else elsewhere.discard)(target)
            case StatementSuperseded():
                # Each of the two was recorded without the other: only this hangs on both.
                pass
            case event if statement_id := statement_of(event):
                statement = f"statement:{statement_id}"
                names.setdefault(statement, set()).update(named_by(event, stream) - {statement})
    restricted = {target for target, visibility in labels.items() if visibility.restricted}
    if own.disclosed_place:
        telling = _withheld(events, own.disclosed_place) & _shared(events)
        restricted |= {f"statement:{id_}" for id_ in telling}
    return Facts(
        stream=stream,
        own=own,
        restricted=frozenset(restricted),
        elsewhere=frozenset(elsewhere),
        names={statement: frozenset(found) for statement, found in names.items()},
    )


def named_by(event: Any, stream: str) -> set[str]:
    """Everything that an event names but sources and its own stream: `incident:ID`, `document:ID`, `statement:ID`."""
    if isinstance(event, StatementMovedIn):
        # It was recorded without those that came to take its place: one of them that is hidden only falls away.
        event = replace(event, statement=replace(event.statement, superseded=()))
    if isinstance(event, IncidentAbsorbed):
        # One of the links that is hidden only falls away, too.
        event = replace(event, links=())
    found = {target for target, _ in references(event, stream) if not target.startswith("source:")}
    ids = _told_of(event)
    if isinstance(event, StatementSuperseded):
        ids.add(event.superseded_by)
    if isinstance(event, IncidentUnlinked):
        found.add(f"incident:{event.incident_id}")
    return found | {f"statement:{id_}" for id_ in ids if id_}


def _told_of(event: Any) -> set[UUID | None]:
    """The statement that an event is about, and the one that this takes back."""
    ids = {statement_of(event), getattr(event, "statement_id", None)}
    if isinstance(event, StatementMovedIn) and event.statement.retracts:
        ids.add(event.statement.retracts.statement_id)
    return ids


def hidden(facts: Facts, elsewhere: frozenset[str] | None = None) -> frozenset[str]:
    """All targets that are hidden from the public as far as the stream tells: its own, and those named in it.

    `elsewhere` stands for what the stream itself says of others.
    """
    found = {*facts.restricted, *(facts.elsewhere if elsewhere is None else elsewhere)}
    if facts.own.restricted:
        found |= {facts.stream, *facts.names}
    grows = True
    while grows:
        more = {statement for statement, names in facts.names.items() if statement not in found and names & found}
        found |= more
        grows = bool(more)
    return frozenset(found)


def shown(stream: str, events: Events, audience: Audience) -> list[Recorded[Any]]:
    """The events of a stream as an audience sees them. They must reach to the head: visibility is always today's.

    The public sees what it would if all that is hidden had never been recorded, but for positions and versions.
    """
    if audience == "member" or not any(isinstance(one.event, _MEMBERS_ONLY) for one in events):
        return list(events)
    facts = facts_of(stream, events)
    if facts.own.restricted:
        return []
    return list(_public(stream, events, facts))


def _public(stream: str, events: Events, facts: Facts) -> Iterator[Recorded[Any]]:
    targets, place = hidden(facts), facts.own.disclosed_place
    withheld = _withheld(events, place) if place else frozenset[UUID]()
    pinned: set[tuple[str, str | None]] = set()
    unseen: set[UUID | None] = set()
    seen: dict[int, bool] = {}
    """The positions of what is seen, and whether it is seen as it is stored."""
    for stored in events:
        recorded = stored
        match recorded.event:
            case event if isinstance(event, _MEMBERS_ONLY):
                continue
            case event if targets & named_by(event, stream):
                unseen.add(recorded.event_id)
                continue
            case IncidentAmended() if recorded.causation_id in unseen:
                # Title, kind and tags of a row of a data set that is hidden.
                continue
            case AttributePinned() as event:
                if place and event.type_ == "place" and is_finer(event.value, place):
                    continue
                pinned.add((event.attribute, event.of))
            case AttributeUnpinned() as event:
                # Of a pin that nobody saw: to take it back would tell of it.
                if (event.attribute, event.of) not in pinned:
                    continue
                pinned.remove((event.attribute, event.of))
            case PayloadRedacted(events=erased) if seen.keys().isdisjoint(one.position for one in erased):
                continue
            case StatementMovedIn() | IncidentAbsorbed() | PayloadRedacted() as event:
                recorded = _with(recorded, _less(event, targets, seen))
        if place:
            recorded = _with(recorded, _coarse(recorded.event, place, withheld))
        seen[stored.position] = recorded is stored
        yield recorded


def _less(
    event: StatementMovedIn | IncidentAbsorbed | PayloadRedacted, targets: frozenset[str], seen: Mapping[int, bool]
) -> Any:
    """The event without what it says of statements, of incidents, or of events, that are not seen."""
    match event:
        case PayloadRedacted(events=erased):
            # The names of fields tell of those that are left out.
            known = tuple(
                one if seen[one.position] else replace(one, fields=()) for one in erased if one.position in seen
            )
            return event if known == erased else replace(event, events=known)
        case IncidentAbsorbed(links=links):
            clear = tuple(link for link in links if f"incident:{link.incident_id}" not in targets)
            return event if len(clear) == len(links) else replace(event, links=clear)
        case StatementMovedIn(statement=statement):
            left = tuple(one for one in statement.superseded if f"statement:{one.superseded_by}" not in targets)
            if len(left) == len(statement.superseded):
                return event
            return replace(event, statement=replace(statement, superseded=left))
        case _ as never:
            assert_never(never)


def _with(recorded: Recorded[Any], event: Any) -> Recorded[Any]:
    return recorded if event is recorded.event else replace(recorded, event=event)


def is_finer(value: Raw, disclosed: Place) -> bool:
    """Whether a place tells more than the public may know: its radius is smaller, or nobody knows how large it is."""
    place = msgspec.json.decode(value, type=Place)
    vague = place.geometry is None and place.radius_m is None and place.level is None
    return vague or radius_of(place) < radius_of(disclosed)


def _withheld(events: Events, place: Place) -> frozenset[UUID]:
    """The statements whose wording goes with a place that is too fine."""
    return frozenset(
        id_
        for one in events
        if (id_ := statement_of(one.event))
        and any(claim.type_ == "place" and is_finer(claim.value, place) for claim in _claims(one.event))
    )


def _shared(events: Events) -> set[UUID]:
    """The statements that were at any time about several incidents, at once or one after the other."""
    bodies = (getattr(one.event, "statement", one.event) for one in events)
    found = {
        body.statement_id
        for body in bodies
        if isinstance(body, StatementRecorded | Statement) and len(body.incidents) > 1
    }
    moves = (one.event for one in events if isinstance(one.event, StatementMovedIn | StatementMovedOut))
    return found | {id_ for move in moves if (id_ := statement_of(move))}


def _claims(event: Any) -> Iterable[Claim]:
    match event:
        case StatementRecorded(claims=claims) | StatementCorrected(claims=claims):
            return claims
        case StatementAccepted(statement=accepted):
            return accepted.claims
        case StatementMovedIn(statement=statement):
            return statement.claims.values()
        case _:
            return ()


def _coarse(event: Any, place: Place, withheld: frozenset[UUID]) -> Any:
    """The event without a place finer than `place`; of the statements that have one without their words, too."""
    if withheld.isdisjoint(_told_of(event)):
        return event
    match event:
        case StatementRecorded(claims=claims):
            coarse = tuple(_coarse_claim(claim, place) for claim in claims)
            return replace(event, claims=coarse, verbatim=None, record=None)
        case StatementAccepted(statement=accepted):
            return replace(event, statement=_coarse(accepted, place, withheld))
        case StatementRetracted():
            return replace(event, verbatim=None, record=None)
        case StatementCorrected(set=fields, claims=claims):
            unsaid = fields if fields.verbatim is UNSET else replace(fields, verbatim=UNSET)
            return replace(event, set=unsaid, claims=tuple(_coarse_claim(claim, place) for claim in claims))
        case StatementMovedIn(statement=statement):
            by_id = {id_: _coarse_claim(claim, place) for id_, claim in statement.claims.items()}
            return replace(event, statement=replace(statement, claims=by_id, verbatim=None, record=None))
        case _:
            return event


def _coarse_claim(claim: Claim, place: Place) -> Claim:
    coarse = replace(claim, verbatim=None, note=None)
    if claim.type_ != "place" or not is_finer(claim.value, place):
        return coarse
    return replace(coarse, value=Raw(msgspec.json.encode(place)))
