"""The second question about time: what had been said in public by then, as we know now (docs/two-times.md)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from stet.incident.state import Incident
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
    return replace(state, statements=statements)
