"""The slices of an incident, the plain way: at every said time all is cut, and all is resolved."""

from __future__ import annotations

from itertools import pairwise

from stet.incident.said import said_by
from stet.incident.slices import Slice
from stet.incident.state import Incident
from stet.incident.summary import summary
from stet.values.compare import END


def slices(state: Incident) -> list[Slice]:
    """All slices of an incident, in order; a merged one has none."""
    if state.merged_into:
        return []
    times = sorted({one.said.latest or END for one in state.statements.values()})
    found: list[Slice] = []
    for said_from, said_to in pairwise([*times, END]):
        shown = summary(said_by(state, said_from))
        if found and found[-1].summary == shown:
            found[-1] = found[-1]._replace(said_to=said_to)
        else:
            found.append(Slice(said_from, said_to, shown))
    return found or [Slice(END, END, summary(state))]
