"""The second question about time: what had been said in public by then, as we know now (docs/two-times.md)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec.structs import replace

from stet.envelope import Recorded
from stet.incident.events import IncidentEvent, StatementMovedOut
from stet.incident.state import Incident, fold
from stet.incident.statement import Statement

SaidMatch = Literal["definite", "possible"]


def kept(statement: Statement, instant: datetime | None, match: SaidMatch = "definite") -> bool:
    """Whether the statement had been said by the instant, closed: for certain, or possibly. None keeps it."""
    if instant is None:
        return True
    earliest, latest = statement.said
    if match == "possible":
        return earliest is None or earliest <= instant
    return latest is None or latest <= instant


def said_by(state: Incident, instant: datetime | None, match: SaidMatch = "definite") -> Incident:
    """The incident with only the statements that had been said. What the desk did is not cut by that."""
    if instant is None:
        return state
    statements = {id_: said for id_, said in state.statements.items() if kept(said, instant, match)}
    proposals = {id_: one for id_, one in state.proposals.items() if kept(one.statement, instant, match)}
    return replace(state, statements=statements, proposals=proposals)


def unsaid(
    events: Iterable[Recorded[IncidentEvent]], instant: datetime | None, match: SaidMatch = "definite"
) -> set[UUID]:
    """Every statement that a stream ever held and that had not been said; of one that was moved away, as it left."""
    if instant is None:
        return set()
    ever = fold(recorded for recorded in events if not isinstance(recorded.event, StatementMovedOut))
    return {id_ for id_, said in ever.statements.items() if not kept(said, instant, match)}
