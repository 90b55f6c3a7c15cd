"""The claims matrix: a row per attribute, a column per speaker. Who only passes on has no column."""

from __future__ import annotations

from uuid import UUID

from msgspec import Raw, Struct

from stet.envelope import Cut
from stet.incident.claim import Act, Scope
from stet.incident.live import Dropped, retractions
from stet.incident.resolve import ResolvedStatus, groups, judge
from stet.incident.state import Incident
from stet.incident.view import Names, SpeakerView


class MatrixClaim(Struct, frozen=True, kw_only=True):
    claim_id: UUID
    statement_id: UUID
    act: Act
    scope: Scope
    value: Raw
    dropped: Dropped | None
    """Why it does not count; null: it does."""


class Cell(Struct, frozen=True, kw_only=True):
    """What one speaker claims of one attribute. There is no cell where he claims nothing."""

    speaker: UUID
    claims: tuple[MatrixClaim, ...]


class MatrixRow(Struct, frozen=True, kw_only=True):
    attribute: str
    of: str | None
    value: Raw | None
    status: ResolvedStatus
    cells: tuple[Cell, ...]


class Matrix(Struct, frozen=True, kw_only=True):
    incident_id: UUID
    version: int
    speakers: tuple[SpeakerView, ...]
    """The columns, in the order in which the speakers were first recorded."""
    rows: tuple[MatrixRow, ...]
    cut: Cut


def matrix(state: Incident, names: Names, cut: Cut) -> Matrix:
    """All resolving claims of the incident. said_by is applied already."""
    assert state.incident_id
    retracted = retractions(state)
    rows: list[MatrixRow] = []
    columns: dict[UUID, int] = {}
    for group in groups(state).values():
        judged = judge(group, state, retracted)
        cells: dict[UUID, list[MatrixClaim]] = {}
        for claim, said, *_ in group.claims:
            columns[said.speaker] = min(columns.get(said.speaker, said.position), said.position)
            cells.setdefault(said.speaker, []).append(
                MatrixClaim(
                    claim_id=claim.claim_id,
                    statement_id=said.statement_id,
                    act=claim.act,
                    scope=claim.scope,
                    value=claim.value,
                    dropped=judged.heard.dropped.get(claim.claim_id),
                )
            )
        rows.append(
            MatrixRow(
                attribute=group.key[0],
                of=group.key[1],
                value=judged.resolved.value,
                status=judged.resolved.status,
                cells=tuple(Cell(speaker=speaker, claims=tuple(claims)) for speaker, claims in cells.items()),
            )
        )
    speakers = sorted(columns, key=lambda speaker: columns[speaker])
    return Matrix(
        incident_id=state.incident_id,
        version=state.version,
        speakers=tuple(SpeakerView(source_id=speaker, name=names.get(speaker)) for speaker in speakers),
        rows=tuple(rows),
        cut=cut,
    )
