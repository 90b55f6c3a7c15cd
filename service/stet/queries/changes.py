"""What changed: the log as whoever keeps a copy of the lists needs it, append by append."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from stet.codec import recorded
from stet.database.pool import Connection
from stet.envelope import Audience, Recorded
from stet.errors import NotFound
from stet.incident.summary import IncidentSummary, Summary
from stet.queries.anew import anew
from stet.queries.shown import Guarded, hidden_in, read_guarded
from stet.queries.touched import Part, touched_by
from stet.sql import load

_READ_AFTER = load("read_after")
_LOG_END = load("log_end")
_READ_APPEND = load("read_append")
_SUMMARIES_AT = load("summaries_at")
_SUMMARY = msgspec.json.Decoder(Summary)
Kind = Literal["incident", "source", "document", "ledger"]


class Changed(Struct, frozen=True, kw_only=True):
    """What one append changed of one thing."""

    kind: Kind
    id: UUID
    change: Literal["created", "changed", "removed"]
    """`removed` is a tombstone: it is in no list any more."""
    types: tuple[str, ...]
    """Of its events in the append, in their order. None: who may see it changed, and it is to be taken anew."""
    positions: tuple[int, ...]
    """Of these events."""
    attributes: tuple[str, ...]
    """Of an incident: those that the events bear on. Only they can have other values than before, if it has types."""
    incident: IncidentSummary | None
    """Of an incident: the item of the current list after the append."""


class ChangedAppend(Struct, frozen=True, kw_only=True):
    """One append, whole: what it changed. No reader ever sees half of one."""

    position: int
    """Of its last event: `after` this goes on behind it."""
    recorded_at: datetime
    actor: str
    changes: tuple[Changed, ...]


class Changes(Struct, frozen=True, kw_only=True):
    """What changed after a position, append by append. An append of which nothing is shown is left out."""

    items: list[ChangedAppend]
    next_after: int
    """`after` for what follows. There is more by now if `head` is beyond it."""
    head: int
    """Where the log ends."""


async def head_of(connection: Connection, ledger_id: UUID, after: int) -> int:
    """Where a log ends. Raises NotFound where it has not reached `after`."""
    row = await (await connection.execute(_LOG_END, {"ledger_id": ledger_id})).fetchone()
    head = int(row[0]) if row else 0
    if after > head:
        raise NotFound(f"the log has not reached position {after}: it ends at {head}")
    return head


async def list_changes(connection: Connection, ledger_id: UUID, after: int, limit: int, audience: Audience) -> Changes:
    """What changed after a position: whole appends, of `limit` events together or, if there is only one, of more.

    Within a snapshot that holds the histories. Raises NotFound where the log has not reached `after`.
    """
    head = await head_of(connection, ledger_id, after)
    parameters = {"ledger_id": ledger_id, "after": after, "limit": limit}
    rows = await (await connection.execute(_READ_AFTER, parameters)).fetchall()
    if len(rows) == limit and rows[-1][0] < head:
        # The last append may go on behind the limit: then it waits for the next page, or, alone, is read whole.
        whole = [row for row in rows if row[6] != rows[-1][6]]
        if not whole:
            parameters = {"ledger_id": ledger_id, "after": after, "recorded_at": rows[-1][6]}
            whole = await (await connection.execute(_READ_APPEND, parameters)).fetchall()
        rows = whole
    events = [recorded(row) for row in rows]
    return Changes(
        items=await _appends(connection, ledger_id, events, audience),
        next_after=events[-1].position if events else after,
        head=head,
    )


async def _appends(
    connection: Connection, ledger_id: UUID, events: Sequence[Recorded[Any]], audience: Audience
) -> list[ChangedAppend]:
    guarded = await read_guarded(connection, ledger_id, {one.stream for one in events}, audience)
    appends = [list(its) for _, its in groupby(events, key=lambda one: one.recorded_at)]
    parts = [list(_parts(append, guarded)) for append in appends]
    incidents = [part for its in parts for part in its if part.kind == "incident"]
    summaries = await _summaries(connection, ledger_id, incidents, audience)
    touched = await touched_by(connection, ledger_id, incidents, audience, hidden_in(guarded))
    return [
        ChangedAppend(
            position=append[-1].position,
            recorded_at=append[-1].recorded_at,
            actor=append[-1].actor,
            changes=tuple(_changed(part, summaries, touched) for part in its),
        )
        for append, its in zip(appends, parts, strict=True)
        if its
    ]


def _parts(append: Iterable[Recorded[Any]], guarded: Mapping[str, Guarded]) -> Iterator[Part]:
    found: dict[str, list[Recorded[Any]]] = {}
    for one in append:
        found.setdefault(one.stream, []).append(one)
    for stream, events in found.items():
        seen = events
        if its := guarded.get(stream):
            if change := anew(its, events):
                end = events[-1].position
                last = next((one for one in reversed(its.shown) if one.position <= end), None)
                yield Part(stream, change, [], end, last)
            seen = [its.altered.get(one.position, one) for one in events if one.position not in its.hidden]
        if seen:
            change = "created" if seen[0].stream_version == 1 else "changed"
            yield Part(stream, change, seen, seen[-1].position, seen[-1])


def _changed(
    part: Part,
    summaries: dict[tuple[UUID, int], tuple[datetime, str]],
    touched: dict[tuple[UUID, int], set[str]],
) -> Changed:
    shown = None
    if part.last and (found := summaries.get((part.id, part.position))):
        shown = IncidentSummary(
            **asdict(_SUMMARY.decode(found[1])),
            incident_id=part.id,
            version=part.last.stream_version,
            opened_at=found[0],
            updated_at=part.last.recorded_at,
        )
    gone = part.kind == "incident" and shown is None
    return Changed(
        kind=part.kind,  # type: ignore[arg-type]
        id=part.id,
        change="removed" if gone else part.change,
        types=tuple(one.type for one in part.events),
        positions=tuple(one.position for one in part.events),
        attributes=tuple(sorted(touched.get((part.id, part.position), ()))) if part.events else (),
        incident=shown,
    )


async def _summaries(
    connection: Connection, ledger_id: UUID, parts: Sequence[Part], audience: Audience
) -> dict[tuple[UUID, int], tuple[datetime, str]]:
    """When each incident was opened, and its item in the list, as of the last of its events in the append."""
    parameters = {
        "ledger_id": ledger_id,
        "audience": audience,
        "ids": [part.id for part in parts],
        "positions": [part.position for part in parts],
    }
    rows = await (await connection.execute(_SUMMARIES_AT, parameters)).fetchall() if parts else []
    return {(incident_id, position): (opened_at, summary) for incident_id, position, opened_at, summary in rows}
