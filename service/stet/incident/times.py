"""The times of a statement, derived from what they hang on: a publication, or another statement."""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import asdict, replace

from stet.errors import Cycle
from stet.incident.claim import Citation, Origin, SaidAt
from stet.incident.known import Known
from stet.values.time import UNBOUNDED, Anchor, Bounds, Time, TimeInput, normalise, resolve


def derive_said_at(given: TimeInput | None, citation: Citation | None, known: Known, field: str) -> SaidAt:
    """When a statement was said, from what was asked: checked, then bounded.

    `field` is where the statement stands in the request, with the dot after it.
    """
    return bound_said_at(None if given is None else normalise(given, f"{field}said_at"), citation, known, field)


def bound_said_at(given: Time | None, citation: Citation | None, known: Known, field: str) -> SaidAt:
    """When a statement was said, with the bounds that it takes from its anchor and from the cited publication.

    What a document reports was said by the time that the document was published, so an unknown or derived upper
    bound is at most that.
    """
    time = given or Time()
    published = UNBOUNDED
    if citation:
        published = known.require_version(citation.document_id, citation.version, f"{field}citation")
    origin = None
    if time.anchor:
        origin = Origin(
            document_id=time.anchor.document_id,
            version=time.anchor.version,
            statement_id=time.anchor.statement_id,
        )
        time = resolve(time, anchored(time.anchor, known, f"{field}said_at.anchor"))
    elif citation and time.latest is None:
        origin = Origin(document_id=citation.document_id, version=citation.version)
    not_before = time.best or time.earliest
    if origin and published.latest and (not_before is None or not_before <= published.latest):
        latest = min(time.latest, published.latest) if time.latest else published.latest
        time = replace(time, latest=latest)
    return SaidAt(**asdict(time), from_=origin)


def as_given(said_at: SaidAt) -> Time | None:
    """What was stated of when it was said, without the bounds that were derived."""
    fields = asdict(said_at)
    del fields["from_"]
    if said_at.anchor:
        fields.update(earliest=None, latest=None, best=None)
    elif said_at.from_:
        fields.update(latest=None)
    time = Time(**fields)
    return None if time == Time() else time


def derive_time(given: Time, known: Known, field: str) -> Time:
    """A claim's time with the bounds that it takes from its anchor."""
    return resolve(given, anchored(given.anchor, known, f"{field}.anchor")) if given.anchor else given


def strip(time: Time) -> Time:
    """An anchored time without its derived bounds; any other as it is."""
    return replace(time, earliest=None, latest=None, best=None) if time.anchor else time


def anchored(anchor: Anchor, known: Known, field: str) -> Bounds:
    """When an anchor was published or said. Raises UnknownReference if there is none."""
    if anchor.statement_id:
        known.require("statement", anchor.statement_id, f"{field}.statement_id")
        return known.said[anchor.statement_id]
    assert anchor.document_id and anchor.version
    return known.require_version(anchor.document_id, anchor.version, field)


def refuse_cycle(statement_id: UUID, said_at: SaidAt, known: Known, field: str) -> None:
    """Raises Cycle if the statement would hang on itself, directly or by way of others."""
    at = said_at.anchor.statement_id if said_at.anchor else None
    seen: set[UUID] = set()
    while at and at not in seen:
        if at == statement_id:
            raise Cycle.at(
                f"{field}.anchor.statement_id",
                "a statement cannot hang on itself, nor on one that hangs on it",
            )
        seen.add(at)
        at = known.anchors.get(at)
