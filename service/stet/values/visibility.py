"""Who may see something: a label of the Traffic Light Protocol, and until when it is held back."""

from __future__ import annotations

from datetime import datetime
from math import inf
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from stet.errors import Malformed, Refused
from stet.values.disc import radius_of
from stet.values.place import Place, check_place
from stet.values.time import Instant, to_utc

Label = Annotated[
    Literal["clear", "green", "amber", "amber+strict", "red"],
    Meta(description="TLP 2.0 (FIRST, 2022). Clear is for everybody; what has any other label only members see."),
]


class Visibility(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Who may see an incident, a statement or a document. It is always today's, at every cut."""

    label: Label = "clear"
    embargo_until: Instant | None = None
    """Only members see it until an event says otherwise, which is recorded when this moment has come."""
    disclosed_place: Place | None = None
    """Of an incident: the public is shown no finer place than this."""

    @property
    def restricted(self) -> bool:
        """Whether only members see it."""
        return self.label != "clear" or self.embargo_until is not None


UNRESTRICTED = Visibility()


def as_stored(given: Visibility, field: str, *, of_incident: bool = False) -> Visibility:
    """The visibility as it is stored. Raises Malformed, naming what does not fit, after `field`."""
    if given.embargo_until is not None:
        given = replace(given, embargo_until=to_utc(given.embargo_until, f"{field}embargo_until"))
    if given.disclosed_place is not None:
        if not of_incident:
            raise Malformed.at(f"{field}disclosed_place", "is for incidents: nothing else has one")
        check_place(given.disclosed_place, f"{field}disclosed_place")
        if radius_of(given.disclosed_place) == inf:
            raise Malformed.at(
                f"{field}disclosed_place", "must say how large it is: give it a geometry, radius_m or level"
            )
    return given


def refuse_past(embargo_until: Any, now: datetime, field: str) -> None:
    """Raises Refused where an embargo is given that has ended already."""
    if isinstance(embargo_until, datetime) and embargo_until <= now:
        raise Refused.at(field, "has passed: an embargo ends in the future")
