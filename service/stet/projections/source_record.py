"""PURE: the record of each source, incident by incident: what it said, and what became of that."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from stet.incident.live import retractions, superseding
from stet.incident.resolve import resolve
from stet.incident.rules import ADMITTING
from stet.incident.state import Incident, fold
from stet.projections.projection import Change, Events, Projection, Table

_DDL = """
CREATE TABLE stet.source_record (
    ledger_id uuid NOT NULL,
    source_id uuid NOT NULL,
    incident_id uuid NOT NULL,
    audience text COLLATE "C" NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL,
    said int NOT NULL,
    retracted int NOT NULL,
    superseded int NOT NULL,
    contradicted int NOT NULL,
    conceded int NOT NULL,
    relayed int NOT NULL,
    CONSTRAINT source_record_pk PRIMARY KEY (ledger_id, source_id, incident_id, audience, from_position),
    CONSTRAINT source_record_audience CHECK (audience IN ('all', 'member', 'public')),
    CONSTRAINT source_record_positions CHECK (from_position < to_position)
);
COMMENT ON TABLE stet.source_record IS
    'How many statements of an incident a source made, and what became of them; added up over the incidents when read.';
CREATE INDEX source_record_incident ON stet.source_record (ledger_id, incident_id);
"""
_RECORDS = Table(name="source_record", key=("source_id", "incident_id"), id="incident_id", kind="'incident'", ddl=_DDL)


class SourceRecord(Struct, frozen=True, kw_only=True):
    """Numbers of statements. A statement that the desk withdrew is in none of them."""

    said: int = 0
    """Of which it is the speaker."""
    retracted: int = 0
    """Of these: retracted by itself, as a whole or in part."""
    superseded: int = 0
    """Of these: superseded by a newer one of its own."""
    contradicted: int = 0
    """Of these: with a claim that counts, and dissents from the resolved value, or whose attribute is contested."""
    conceded: int = 0
    """Of these: with a claim that admits or concedes."""
    relayed: int = 0
    """That it relayed or reported, of other speakers."""


class _State(NamedTuple):
    incident: Incident
    records: dict[UUID, SourceRecord]


def records_of(state: Incident) -> dict[UUID, SourceRecord]:
    """The record of each source that spoke, relayed or reported in an incident, with all that was said.

    What was said of a merged incident is counted where it is by now.
    """
    if state.merged_into:
        return {}
    retracted = retractions(state)
    resolved = resolve(state)
    against = {claim for one in resolved for claim in one.dissenting}
    against |= {claim for one in resolved if one.status == "contested" for claim in one.supporting}
    found: dict[UUID, dict[str, int]] = {}
    for statement in state.statements.values():
        if statement.withdrawn or statement.retracts:
            continue
        counted = {
            "said": True,
            "retracted": statement.statement_id in retracted,
            "superseded": bool(superseding(statement, state)),
            "contradicted": not against.isdisjoint(statement.claims),
            "conceded": any(claim.act in ADMITTING for claim in statement.claims.values()),
        }
        roles = [(statement.speaker, counted)]
        roles += [(id_, {"relayed": True}) for id_ in {hop.source_id for hop in statement.chain} - {statement.speaker}]
        for source_id, counts in roles:
            record = found.setdefault(source_id, dict.fromkeys(SourceRecord.__struct_fields__, 0))
            for name, holds in counts.items():
                record[name] += holds
    return {source_id: SourceRecord(**record) for source_id, record in found.items()}


def step(state: _State | None, append: Events) -> tuple[_State, tuple[Change, ...]]:
    """The records after an append, and those that are others than before."""
    before, known = state or (Incident(), {})
    after = fold(append, before)
    assert after.incident_id
    records = records_of(after)
    ended = [source_id for source_id, record in known.items() if records.get(source_id) != record]
    begun = [source_id for source_id, record in records.items() if known.get(source_id) != record]
    rows = [
        {"source_id": source_id, "incident_id": after.incident_id}
        | {name: getattr(records[source_id], name) for name in SourceRecord.__struct_fields__}
        for source_id in sorted(begun)
    ]
    keys = [(source_id, after.incident_id) for source_id in sorted(ended)]
    return _State(after, records), (Change(_RECORDS, keys, rows),)


PROJECTION = Projection(
    name="source_record", version=2, inline=False, kinds=("incident",), tables=(_RECORDS,), step=step, split=True
)
