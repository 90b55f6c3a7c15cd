"""Who may see something: a label of the Traffic Light Protocol, and until when it is held back."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from stet.values.place import Place
from stet.values.time import Instant

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
