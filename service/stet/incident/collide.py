"""What a merge would do, before it is done."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from stet.incident.live import retractions, why_dropped
from stet.incident.resolve import Key, Resolved, groups, resolve
from stet.incident.state import Incident
from stet.values.compare import canonical


class ChangedAttribute(Struct, frozen=True, kw_only=True):
    """An attribute of the survivor that would resolve differently; null: nothing would speak of it, or did."""

    attribute: str
    of: str | None
    before: Resolved | None
    after: Resolved | None


class Collision(Struct, frozen=True, kw_only=True):
    """An attribute of which the two hold live claims that do not all say the same."""

    attribute: str
    of: str | None
    claims: tuple[UUID, ...]
    """Of the incident that would be merged."""
    into_claims: tuple[UUID, ...]
    """Of the survivor."""


class MergePreview(Struct, frozen=True, kw_only=True):
    """What merging an incident into another would do."""

    incident_id: UUID
    into: UUID
    version: int
    """Of the incident that would be merged: If-Match with it merges what was looked at."""
    into_version: int
    statements: int
    """That would come to the survivor, retractions among them."""
    attributes: tuple[ChangedAttribute, ...]
    collisions: tuple[Collision, ...]
    shared: tuple[UUID, ...]
    """The statements that both hold: each would be one, with the claims of both."""
    refused: str | None
    """Why it would be refused; null: it would not."""


def preview(merged: Incident, into_id: UUID, into: Incident, after: Incident, refused: str | None) -> MergePreview:
    """`after` is the survivor as it would be; where the merge is refused, as it is."""
    assert merged.incident_id
    was, is_ = ({(one.attribute, one.of): one for one in resolve(state)} for state in (into, after))
    return MergePreview(
        incident_id=merged.incident_id,
        into=into_id,
        version=merged.version,
        into_version=into.version,
        statements=len(merged.statements),
        attributes=tuple(
            ChangedAttribute(attribute=key[0], of=key[1], before=was.get(key), after=is_.get(key))
            for key in sorted(was.keys() | is_.keys(), key=_order)
            if was.get(key) != is_.get(key)
        ),
        collisions=_collisions(merged, into),
        shared=tuple(id_ for id_ in merged.statements if id_ in into.statements),
        refused=refused,
    )


def _collisions(merged: Incident, into: Incident) -> tuple[Collision, ...]:
    own, others = _said(merged), _said(into)
    return tuple(
        Collision(attribute=key[0], of=key[1], claims=tuple(own[key]), into_claims=tuple(others[key]))
        for key in sorted(own.keys() & others.keys(), key=_order)
        if len({*own[key].values(), *others[key].values()}) > 1
    )


def _said(state: Incident) -> dict[Key, dict[UUID, tuple[str, bytes]]]:
    """What the live claims say of each attribute: the act, and the value without its wording."""
    retracted = retractions(state)
    found: dict[Key, dict[UUID, tuple[str, bytes]]] = {}
    for key, group in groups(state).items():
        for one in group.claims:
            if not why_dropped(one.statement, one.claim.claim_id, state, retracted):
                said = one.claim.act, canonical(one.claim.type_, one.claim.value)
                found.setdefault(key, {})[one.claim.claim_id] = said
    return found


def _order(key: Key) -> tuple[str, str]:
    return key[0], key[1] or ""
