"""Keeps the histories in the transaction of the append: no reader ever sees an event without its rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from stet.database.pool import Connection
from stet.document.state import Document
from stet.incident.slices import Slice
from stet.incident.state import Incident
from stet.incident.summary import Summary
from stet.projections.history import (
    AUDIENCE,
    Change,
    IncidentRow,
    NameRow,
    SpokenRow,
    change_of,
    names_of,
    since_of,
)
from stet.projections.record import CLOSE, OPEN, encode_incident, encode_name, encode_statement, instant, rows
from stet.source.state import Source
from stet.sql import load
from stet.values.compare import END

_READ_LIVE_SLICES = load("read_live_slices")
_SUMMARY = msgspec.json.Decoder(Summary)
_log = logging.getLogger("stet.projections")

States = Mapping[str, tuple[Any, Any]]
"""For each stream of an append, what it added up to before and adds up to after."""


async def keep_histories(connection: Connection, ledger_id: UUID, states: States, events: int) -> None:
    """Writes what the appends of a group change. Each stream is in one of them only.

    The log line says how many rows were ended and added for how many events.
    """
    incidents = [pair for pair in states.values() if isinstance(pair[1], Incident)]
    names = _names(states)
    changes = await _changes(connection, ledger_id, incidents)
    closing: dict[str, list[dict[str, Any]]] = {
        "incident_history": [
            {"incident_id": change.incident_id, "said_from": instant(one.said_from), "position": change.position}
            for change in changes
            for one in change.slices.closed
        ],
        "statement_history": [
            {"incident_id": change.incident_id, "statement_id": id_, "position": change.position}
            for change in changes
            for id_ in change.ended
        ],
        "name_history": [
            {"kind": row.kind, "id": row.id, "position": row.position} for row, known_before in names if known_before
        ],
    }
    opening: dict[str, list[dict[str, Any]]] = {
        "incident_history": [encode_incident(row) for change in changes for row in _slices(change)],
        "statement_history": [
            encode_statement(SpokenRow(change.incident_id, change.position, None, began))
            for change in changes
            for began in change.began
        ],
        "name_history": [encode_name(row) for row, _ in names],
    }
    async with connection.pipeline():
        for statements, made in ((CLOSE, closing), (OPEN, opening)):
            for table, found in made.items():
                if found:
                    parameters = {"ledger_id": ledger_id, "audience": AUDIENCE, "rows": rows(found)}
                    await connection.execute(statements[table], parameters)
    counted = {table: [len(closing[table]), len(opening[table])] for table in opening}
    _log.info(msgspec.json.encode({"events": events, "rows": counted}).decode())


def _names(states: States) -> list[tuple[NameRow, bool]]:
    found = []
    for before, after in states.values():
        if isinstance(after, Source | Document):
            id_ = after.source_id if isinstance(after, Source) else after.document_id
            made = names_of(after)
            if id_ and (before.version == 0 or made != names_of(before)):
                kind = "source" if isinstance(after, Source) else "document"
                found.append((NameRow(kind, id_, after.position, made), before.version > 0))
    return found


def _slices(change: Change) -> list[IncidentRow]:
    return [
        IncidentRow(change.incident_id, change.opened_at, change.position, None, one) for one in change.slices.opened
    ]


async def _changes(
    connection: Connection, ledger_id: UUID, incidents: Sequence[tuple[Incident, Incident]]
) -> list[Change]:
    sinces = [since_of(before, after) for before, after in incidents]
    live: dict[UUID, list[Slice]] = {}
    wanted = {
        before.incident_id: since
        for (before, _), since in zip(incidents, sinces, strict=True)
        if since and before.version
    }
    if wanted:
        parameters = {
            "ledger_id": ledger_id,
            "audience": AUDIENCE,
            "incident_ids": list(wanted),
            "sinces": list(wanted.values()),
        }
        cursor = await connection.execute(_READ_LIVE_SLICES, parameters)
        for incident_id, unsaid, said_from, said_to, summary in await cursor.fetchall():
            begins = END if unsaid else said_from
            live.setdefault(incident_id, []).append(Slice(begins, said_to or END, _SUMMARY.decode(summary)))
    return [
        change_of(before, after, live.get(after.incident_id or UUID(int=0), []), since)
        for (before, after), since in zip(incidents, sinces, strict=True)
    ]
