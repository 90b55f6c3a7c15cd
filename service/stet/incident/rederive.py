"""What follows when something that times hang on is corrected: every such time is derived again, as events."""

from __future__ import annotations

from collections.abc import Set
from uuid import UUID

from msgspec.structs import replace

from stet.incident.claim import Claim
from stet.incident.events import StatementCorrected, StatementFields
from stet.incident.known import Known
from stet.incident.state import Incident
from stet.incident.statement import Statement
from stet.incident.times import as_given, bound_said_at, derive_time, strip
from stet.values.time import Anchor, Bounds
from stet.values.value import read_time, stored


def hangs_on(statement: Statement, origins: Set[UUID]) -> bool:
    """Whether any time of the statement is derived from one of the documents or statements."""
    said_at = statement.said_at
    if said_at.from_ and statement.citation and statement.citation.document_id in origins:
        return True
    return _anchored(said_at.anchor, origins) or any(
        _claim_hangs_on(claim, origins) for claim in statement.claims.values()
    )


def origins_of(statement: Statement) -> tuple[set[UUID], set[UUID]]:
    """The documents and the statements that the times of the statement are derived from."""
    anchors = [statement.said_at.anchor, *(_anchor(claim) for claim in statement.claims.values())]
    documents = {anchor.document_id for anchor in anchors if anchor and anchor.document_id}
    if statement.citation:
        documents.add(statement.citation.document_id)
    return documents, {anchor.statement_id for anchor in anchors if anchor and anchor.statement_id}


def rederive(state: Incident, origins: Set[UUID], known: Known) -> Incident:
    """The incident with all times derived again that hang on the corrected documents or statements.

    Also where the correction of one statement moves the next. `known` covers whatever the statements that hang on
    `origins` hang on; anchors form no cycles, so this ends.
    """
    statements = dict(state.statements)
    said = dict(known.said) | {statement_id: statement.said for statement_id, statement in statements.items()}
    changed = set(origins)
    while changed:
        current = replace(known, said=said)
        moved: set[UUID] = set()
        for statement_id in state.statements:
            before = statements[statement_id]
            if not hangs_on(before, changed):
                continue
            after = statements[statement_id] = _derived_again(before, current)
            if after.said != before.said:
                said[statement_id] = after.said
                moved.add(statement_id)
        changed = moved
    return replace(state, statements=statements)


def corrections(before: Incident, after: Incident, reason: str) -> tuple[StatementCorrected, ...]:
    """The events that lead from an incident to the same with times derived again: one a statement."""
    return tuple(
        _event(before.statements[statement_id], statement, reason)
        for statement_id, statement in after.statements.items()
        if statement != before.statements[statement_id]
    )


def moved(state: Incident, after: Incident) -> dict[UUID, Bounds]:
    """The statements of an incident that were said at another time after some events than before."""
    return {
        statement_id: statement.said
        for statement_id, statement in after.statements.items()
        if statement_id in state.statements and statement.said != state.statements[statement_id].said
    }


def _derived_again(statement: Statement, known: Known) -> Statement:
    said_at = bound_said_at(as_given(statement.said_at), statement.citation, known, "")
    claims = {
        claim_id: replace(claim, value=stored(derive_time(strip(read_time(claim.value)), known, "value")))
        if _anchor(claim)
        else claim
        for claim_id, claim in statement.claims.items()
    }
    return replace(statement, said_at=said_at, claims=claims)


def _event(before: Statement, after: Statement, reason: str) -> StatementCorrected:
    fields = StatementFields(said_at=after.said_at) if after.said_at != before.said_at else StatementFields()
    claims = tuple(claim for claim_id, claim in after.claims.items() if claim != before.claims[claim_id])
    return StatementCorrected(
        statement_id=before.statement_id, error="reference", set=fields, claims=claims, reason=reason
    )


def _anchor(claim: Claim) -> Anchor | None:
    return read_time(claim.value).anchor if claim.type_ == "time" else None


def _claim_hangs_on(claim: Claim, origins: Set[UUID]) -> bool:
    return _anchored(_anchor(claim), origins)


def _anchored(anchor: Anchor | None, origins: Set[UUID]) -> bool:
    return anchor is not None and (anchor.document_id in origins or anchor.statement_id in origins)
