"""Keeps the inline projections in the transaction of the append: no reader ever sees an event without its rows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from stet.database.pool import Connection
from stet.document.state import Document
from stet.incident.slices import Slice
from stet.incident.state import Incident
from stet.incident.summary import Summary
from stet.projections import history, names
from stet.projections.history import changes_of, since_of, splice_of
from stet.projections.projection import Built, Change, Projection
from stet.projections.record import AUDIENCE
from stet.projections.target import Target, fault_of, writes
from stet.source.state import Source
from stet.sql import load
from stet.values.compare import END

_READ_LIVE_SLICES = load("read_live_slices")
_SUMMARY = msgspec.json.Decoder(Summary)
_BREATH = 20
"""After so many incidents of one append others have their turn: this is the loop of all requests."""
_log = logging.getLogger("stet.projections")

States = Mapping[str, tuple[Any, Any]]
"""For each stream of an append, what it added up to before and adds up to after."""


async def keep_inline(connection: Connection, ledger_id: UUID, states: States, events: int) -> None:
    """Writes what the appends of a group change. Each stream is in one of them only.

    It knows the states from the decision, so it folds nothing: what a step would give follows from the two states and
    the live slices. The log line says how many rows were ended and added for how many events.
    """
    named = [
        (after.position, names.change_of(stream, before, after))
        for stream, (before, after) in states.items()
        if isinstance(after, Source | Document) and after.version
    ]
    incidents = [pair for pair in states.values() if isinstance(pair[1], Incident)]
    sliced = await _changes(connection, ledger_id, incidents)
    made = [
        (names.PROJECTION, _built(names.PROJECTION, named)),
        (history.PROJECTION, _built(history.PROJECTION, sliced)),
    ]
    async with connection.pipeline():
        sent = [
            (one, await connection.execute(one.statement, one.parameters))
            for projection, built in made
            for one in writes(Target(projection), ledger_id, built)
        ]
    for one, cursor in sent:
        if fault := fault_of(one, cursor.rowcount):
            # The log is the truth: an event is never refused because a view of it is damaged.
            _log.error("%s; `stet verify` names the rows, `stet rebuild` mends them", fault)
    counted = {
        table.name: [len(built.ended[table.name]), len(built.rows(table.name))]
        for projection, built in made
        for table in projection.tables
    }
    _log.info(msgspec.json.encode({"events": events, "rows": counted}).decode())


def _built(projection: Projection, found: Iterable[tuple[int, Sequence[Change]]]) -> Built:
    built = Built.nothing(projection)
    for position, changes in found:
        built.add(changes, position)
    return built


async def _changes(
    connection: Connection, ledger_id: UUID, incidents: Sequence[tuple[Incident, Incident]]
) -> list[tuple[int, tuple[Change, ...]]]:
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
    found = []
    for n, ((before, after), since) in enumerate(zip(incidents, sinces, strict=True)):
        if n % _BREATH == 0:
            await asyncio.sleep(0)
        spliced = splice_of(before, after, live.get(after.incident_id or UUID(int=0), []), since)
        found.append((after.position, changes_of(before, after, spliced)))
    return found
