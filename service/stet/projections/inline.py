"""Keeps the inline projections in the transaction of the append: no reader ever sees an event without its rows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from stet.database.pool import Connection
from stet.document.state import Document
from stet.incident.slices import Slice, reach, splice
from stet.incident.standing import Standing
from stet.incident.state import Incident, fold
from stet.incident.summary import Summary
from stet.projections import history, names, restriction
from stet.projections.audiences import ALL, goes_on, views
from stet.projections.history import changed_of, changes_of, touched_by
from stet.projections.projection import Built, Change, Events, Projection, follow, kind_of
from stet.projections.restriction import restricted_of
from stet.projections.target import Target, fault_of, writes
from stet.source.state import Source
from stet.sql import load
from stet.store.read import read_streams
from stet.values.compare import END

_READ_LIVE_SLICES = load("read_live_slices")
_SUMMARY = msgspec.json.Decoder(Summary)
_BREATH = 20
"""After so many incidents of one append others have their turn: this is the loop of all requests."""
_log = logging.getLogger("stet.projections")

States = Mapping[str, tuple[Any, Any]]
"""For each stream of an append, what it added up to before and adds up to after."""


class _Seen(NamedTuple):
    """An incident before and after an append, as an audience sees it."""

    audience: str
    before: Incident
    after: Incident
    touched: Collection[UUID]
    """The statements that the append may make others of."""


Made = Sequence[tuple[Projection, Built]]
"""What is built of each inline projection."""


async def keep_inline(
    connection: Connection, ledger_id: UUID, states: States, events: Events, redacted: Collection[str] = ()
) -> None:
    """Writes what the appends of a group change, in the transaction of the append."""
    made = await rows_of(connection, ledger_id, states, events, redacted)
    async with connection.pipeline():
        sent = [
            (one, await connection.execute(one.statement, one.parameters))
            for projection, built in made
            for one in writes(Target(projection), ledger_id, built)
        ]
    tell(made, len(events), (fault_of(one, cursor.rowcount) for one, cursor in sent))


async def rows_of(
    connection: Connection, ledger_id: UUID, states: States, events: Events, redacted: Collection[str] = ()
) -> Made:
    """What the appends of a group change, which these events are. Each stream is in one of them only.

    It knows the states from the decision, so it folds nothing: what a step would give follows from the two states and
    the live slices. Only an incident of which the public is not shown all is read again, and what was redacted: its
    rows are written anew.
    """
    named = [
        (after.position, names.change_of(stream, before, after))
        for stream, (before, after) in states.items()
        if isinstance(after, Source | Document) and after.version and stream not in redacted
    ]
    restricted = [
        (after.position, restriction.change_of(stream, restricted_of(before), restricted_of(after)))
        for stream, (before, after) in states.items()
        if isinstance(after, Incident | Document) and _tells(before, after)
    ]
    return [
        (names.PROJECTION, await _named(connection, ledger_id, named, redacted)),
        (restriction.PROJECTION, _built(restriction.PROJECTION, restricted)),
        (history.PROJECTION, await _histories(connection, ledger_id, states, events, redacted)),
    ]


def tell(made: Made, events: int, faults: Iterable[str | None]) -> None:
    """The log line says how many rows were ended and added for how many events; what is wrong with rows is an error."""
    for fault in filter(None, faults):
        # The log is the truth: an event is never refused because a view of it is damaged.
        _log.error("%s; `stet verify` names the rows, `stet rebuild` mends them", fault)
    counted = {
        table.name: [len(built.ended[table.name]), len(built.rows(table.name))]
        for projection, built in made
        for table in projection.tables
    }
    _log.info(msgspec.json.encode({"events": events, "rows": counted}).decode())


def _tells(before: Incident | Document, after: Incident | Document) -> bool:
    """Whether one state says otherwise than the other what is restricted."""
    return before.visibility is not after.visibility or (
        isinstance(before, Incident) and isinstance(after, Incident) and before.restricted is not after.restricted
    )


def _built(projection: Projection, found: Iterable[tuple[int, Sequence[Change]]]) -> Built:
    built = Built.nothing(projection)
    for position, changes in found:
        built.add(changes, position)
    return built


async def _named(
    connection: Connection, ledger_id: UUID, found: Iterable[tuple[int, Sequence[Change]]], redacted: Collection[str]
) -> Built:
    built = _built(names.PROJECTION, found)
    streams = [stream for stream in redacted if kind_of(stream) in names.PROJECTION.kinds]
    for events in (await read_streams(connection, ledger_id, streams)).values():
        built.join(follow(names.PROJECTION, events[:-1], events[-1:])[1])
    return built


async def _histories(
    connection: Connection, ledger_id: UUID, states: States, appended: Events, redacted: Collection[str]
) -> Built:
    """The rows of the incidents: those that an append adds and ends, or, where its audiences change, all."""
    incidents = {stream: pair for stream, pair in states.items() if isinstance(pair[1], Incident)}
    guarded = [stream for stream, pair in incidents.items() if stream in redacted or any(one.guarded for one in pair)]
    touched: dict[str, set[UUID]] = {stream: set() for stream in incidents}
    for event in appended:
        if event.stream in incidents:
            touched[event.stream] |= touched_by((event,))
    seen = [_Seen(ALL, *pair, touched[stream]) for stream, pair in incidents.items() if stream not in guarded]
    built = Built.nothing(history.PROJECTION)
    for stream, events in (await read_streams(connection, ledger_id, guarded)).items():
        version = incidents[stream][0].version
        found = None if stream in redacted else _seen_of(stream, events[:version], events)
        if found is None:
            # Of a long history that takes a while: requests go on meanwhile.
            _, whole = await asyncio.to_thread(follow, history.PROJECTION, events[:version], events[version:])
            built.join(whole)
        else:
            seen += found
    for one, changes in await _changes(connection, ledger_id, seen):
        built.add(changes, one.after.position, one.audience)
    return built


def _seen_of(stream: str, earlier: Events, events: Events) -> list[_Seen] | None:
    """An incident as each audience sees it that sees anything of an append; None: what was seen before is changed."""
    before, after = views(stream, earlier), views(stream, events)
    if not goes_on(before, after):
        return None
    found = []
    for audience, its in after.items():
        if more := its[len(before[audience]) :]:
            state = fold(before[audience])
            found.append(_Seen(audience, state, fold(more, state), touched_by(more)))
    return found


async def _changes(
    connection: Connection, ledger_id: UUID, incidents: Sequence[_Seen]
) -> list[tuple[_Seen, tuple[Change, ...]]]:
    reached = []
    for n, one in enumerate(incidents):
        if n % _BREATH == _BREATH - 1:
            await asyncio.sleep(0)
        changed = changed_of({id_: one.before.statements.get(id_) for id_ in one.touched}, one.after)
        standing = Standing.of(one.before, one.after, changed)
        reached.append((changed, standing, reach(one.before, one.after, changed, standing)))
    live: dict[tuple[UUID, str], list[Slice]] = {}
    wanted = [
        (one.before.incident_id, one.audience, its.since, None if its.until == END else its.until)
        for one, (_, _, its) in zip(incidents, reached, strict=True)
        if its.since and one.before.version
    ]
    if wanted:
        columns = zip(("incident_ids", "audiences", "sinces", "untils"), zip(*wanted, strict=True), strict=True)
        parameters = {"ledger_id": ledger_id} | {name: list(values) for name, values in columns}
        cursor = await connection.execute(_READ_LIVE_SLICES, parameters)
        for incident_id, audience, unsaid, said_from, said_to, summary in await cursor.fetchall():
            begins = END if unsaid else said_from
            shown = Slice(begins, said_to or END, _SUMMARY.decode(summary))
            live.setdefault((incident_id, audience), []).append(shown)
    found = []
    for one, (changed, standing, its) in zip(incidents, reached, strict=True):
        slices = live.get((one.after.incident_id or UUID(int=0), one.audience), [])
        found.append((one, changes_of(one.before, one.after, changed, splice(slices, its, standing))))
    return found
