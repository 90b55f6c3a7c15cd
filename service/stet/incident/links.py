"""The events by which incidents have to do with one another. Part of the storage format."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from stet.envelope import Event
from stet.values.text import Line, Reason, Slug

Tags = Annotated[tuple[Slug, ...], Meta(max_length=100)]
Relation = Literal["follows", "part-of", "causes", "same-campaign", "related"]


class Link(Struct, frozen=True, order=True):
    """How an incident relates to another."""

    incident_id: UUID
    relation: Relation


class IncidentLinked(Event, frozen=True, kw_only=True):
    """The incident has to do with another one."""

    incident_id: UUID
    relation: Relation
    reason: Reason


class IncidentUnlinked(Event, frozen=True, kw_only=True):
    """The desk took the link back."""

    incident_id: UUID
    relation: Relation
    reason: Reason


class IncidentMerged(Event, frozen=True, kw_only=True):
    """The incident is the same as another, which holds its statements from then on."""

    into: UUID
    reason: Reason


class IncidentAbsorbed(Event, frozen=True, kw_only=True):
    """Another incident is the same as this one. Its statements follow, as moved in, in the same append."""

    incident_id: UUID
    title: Line
    kind: Slug
    tags: Tags = ()
    links: tuple[Link, ...] = ()
    """This and what is above: as the other had them."""
    reason: Reason


class MergeReverted(Event, frozen=True, kw_only=True):
    """The two incidents are not the same. In both streams; what happened to statements meanwhile follows, as moved."""

    incident_id: UUID
    """The other one."""
    reason: Reason
