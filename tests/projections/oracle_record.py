"""What became of what each source said in one incident, counted by plain loops from the oracle of resolution."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.property.oracle import resolved, retell
from tests.property.oracle_cuts import is_merged

from stet.envelope import Recorded

FIELDS = ("said", "retracted", "superseded", "contradicted", "conceded", "relayed")


def records(events: list[Recorded[Any]]) -> dict[UUID, tuple[int, ...]]:
    """For each source with a part in the incident, the six numbers."""
    if is_merged(events):
        return {}
    told = retell(events)
    statements = told.statements.values()
    held = resolved(told)
    found: dict[UUID, dict[str, int]] = {}

    def count(source_id: UUID, name: str) -> None:
        found.setdefault(source_id, dict.fromkeys(FIELDS, 0))[name] += 1

    for said in statements:
        if said.withdrawn or said.retracts:
            continue
        count(said.speaker, "said")
        own = [other for other in statements if other.speaker == said.speaker and not other.withdrawn]
        if any(other.retracts and other.retracts[0] == said.statement_id for other in own):
            count(said.speaker, "retracted")
        if any(other.statement_id in said.superseded_by for other in own):
            count(said.speaker, "superseded")
        for claim_id in said.claims:
            if any(
                claim_id in one["dissenting"] or (one["status"] == "contested" and claim_id in one["supporting"])
                for one in held.values()
            ):
                count(said.speaker, "contradicted")
                break
        if any(claim.act in ("admit", "concede") for claim in said.claims.values()):
            count(said.speaker, "conceded")
        for source_id in set(said.chain):
            if source_id != said.speaker:
                count(source_id, "relayed")
    return {source_id: tuple(numbers.values()) for source_id, numbers in found.items()}
