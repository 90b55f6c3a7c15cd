"""The events that say who may see something: of documents, and just so of incidents and statements."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from stet.document.events import VisibilityChanged
from stet.errors import Malformed
from stet.values.visibility import UNRESTRICTED, Visibility, as_stored


def recorded_with(
    visibility: Visibility, field: str, statement_id: UUID | None = None, *, of_incident: bool = False
) -> tuple[VisibilityChanged, ...]:
    """The event that follows on what is recorded with a visibility; () where everybody may see it."""
    if visibility == UNRESTRICTED:
        return ()
    stored = as_stored(visibility, f"{field}visibility.", of_incident=of_incident)
    return (VisibilityChanged(statement_id=statement_id, visibility=stored, reason="recorded so"),)


def change(
    before: Visibility, command: Any, reason: str, statement_id: UUID | None = None, *, of_incident: bool = False
) -> tuple[VisibilityChanged, ...]:
    """The event of a command, in which what is UNSET stays; () where nothing changes.

    Raises Malformed, also where nothing is given.
    """
    names = ("label", "embargo_until", "disclosed_place") if of_incident else ("label", "embargo_until")
    if not of_incident and getattr(command, "disclosed_place", UNSET) is not UNSET:
        raise Malformed.at("disclosed_place", "is for incidents: nothing else has one")
    given = {name: value for name in names if (value := getattr(command, name)) is not UNSET}
    if not given:
        raise Malformed.at("label", f"a change must change something: give {' or '.join(names)}")
    after = as_stored(replace(before, **given), "", of_incident=of_incident)
    if after == before:
        return ()
    return (VisibilityChanged(statement_id=statement_id, visibility=after, reason=reason),)


def embargo_ended(before: Visibility, until: Any, statement_id: UUID | None = None) -> tuple[VisibilityChanged, ...]:
    """The event that ends the embargo until then; () where there is another one meanwhile, or none."""
    if until is None or before.embargo_until != until:
        return ()
    after = replace(before, embargo_until=None)
    return (VisibilityChanged(statement_id=statement_id, visibility=after, reason="the embargo ended"),)
