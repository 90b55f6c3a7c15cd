"""What an append changed in what the public sees, though nobody tells it by what: who may see something changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from stet.document.events import VisibilityChanged
from stet.envelope import Recorded
from stet.incident.events import ReferenceHidden, StatementCorrected, StatementMovedIn, StatementMovedOut
from stet.incident.visibility import shown
from stet.queries.shown import Guarded

Kind = Literal["created", "changed", "removed"]


def anew(guarded: Guarded, append: Sequence[Recorded[Any]]) -> Kind | None:
    """How a stream is to be taken anew after its events in an append; None: what was seen before it is as it was.

    What is hidden today is `removed` where it was hidden, and in no other change; what never was seen is in none.
    """
    if not any(_may_hide(one, guarded) for one in append):
        return None
    stream, at = append[0].stream, append[0].recorded_at
    before = shown(stream, [one for one in guarded.events if one.recorded_at < at], "public")
    after = shown(stream, [one for one in guarded.events if one.recorded_at <= at], "public")
    if before == [one for one in after if one.recorded_at < at]:
        return None
    if not guarded.shown:
        return "removed" if before and not after else None
    return "changed" if before else "created"


def _may_hide(one: Recorded[Any], guarded: Guarded) -> bool:
    """Whether an event may hide what was seen before it, or show it again.

    Beside those that say so, it is one by which a statement comes to name what is restricted.
    """
    if isinstance(one.event, VisibilityChanged | ReferenceHidden):
        return True
    naming = isinstance(one.event, StatementCorrected | StatementMovedIn | StatementMovedOut)
    return naming and one.position in guarded.hidden
