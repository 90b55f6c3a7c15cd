"""The redactions of a ledger, and what each erases, or would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from msgspec import Struct

from stet.codec import recorded
from stet.database.pool import Connection
from stet.envelope import Recorded
from stet.queries.cut import ReadCut
from stet.queries.many import Rows
from stet.redaction.decide import Plan, Stored, Streams, merges_of, plan, statements_named
from stet.redaction.events import Pointer, RedactionGround, RedactionProposed
from stet.sql import load
from stet.store.read import HEAD, read_dependants, read_stored, read_streams

_LIST = load("list_redactions")
_FIND = load("find_redactions")
_FIND_MERGED = load("find_merged")

Read = Callable[[Sequence[str]], Awaitable[tuple[dict[str, list[Recorded[Any]]], dict[str, list[Stored]]]]]
"""Reads the events of some streams, and how they are stored."""
Find = Callable[[Sequence[str]], Awaitable[set[str]]]
"""Finds the streams that hold one of some statements, or those of the sources that were merged into one of some."""


class RedactionAct(Struct, frozen=True, kw_only=True):
    """Who proposed or confirmed it, and when."""

    position: int
    recorded_at: datetime
    actor: str
    reason: str


class RedactedEvent(Struct, frozen=True, kw_only=True):
    """An event of which something is erased."""

    stream: str
    position: int
    fields: tuple[Pointer, ...]
    proposed: bool
    """The proposal names it; else it says the same."""


class RedactionView(Struct, frozen=True, kw_only=True):
    """A redaction. Never what it erases."""

    redaction_id: UUID
    stream: str
    ground: RedactionGround
    proposed: RedactionAct
    confirmed: RedactionAct | None
    """Null: nothing is erased yet."""
    events: tuple[RedactedEvent, ...]
    """What was erased; of one that was not confirmed by the cut, what would have been."""


async def list_redactions(
    connection: Connection, ledger_id: UUID, cut: ReadCut, after: int | None, limit: int
) -> Rows[RedactionView]:
    """Some of those that were proposed by the cut, in that order."""
    parameters = {"ledger_id": ledger_id, "after": after or 0, "up_to": cut.position, "limit": limit + 1}
    rows = [recorded(row) for row in await (await connection.execute(_LIST, parameters)).fetchall()]
    page = rows[:limit]
    parameters = {"ledger_id": ledger_id, "up_to": cut.position, "ids": [str(one.event.redaction_id) for one in page]}
    done: dict[UUID, list[Recorded[Any]]] = {}
    for row in await (await connection.execute(_FIND, parameters)).fetchall():
        one = recorded(row)
        done.setdefault(one.event.redaction_id, []).append(one)
    found = []
    for one in page:
        its = done.get(one.event.redaction_id, [])
        found.append(_view(one, its, {} if its else await _wanted(connection, ledger_id, one, cut)))
    return Rows(found, page[-1].position if len(rows) > limit else None)


async def merged_into(connection: Connection, ledger_id: UUID, sources: Sequence[str], up_to: int = HEAD) -> set[str]:
    """The streams of the sources that were merged into one of these."""
    parameters = {"ledger_id": ledger_id, "ids": [stream[7:] for stream in sources], "up_to": up_to}
    return {row[0] for row in await (await connection.execute(_FIND_MERGED, parameters)).fetchall()}


def _view(proposal: Recorded[RedactionProposed], done: list[Recorded[Any]], wanted: Plan) -> RedactionView:
    first = next((one for one in done if one.stream == proposal.stream), None)
    wanted = wanted | {one.stream: {erased.position: erased.fields for erased in one.event.events} for one in done}
    named = {one.position for one in proposal.event.events}
    return RedactionView(
        redaction_id=proposal.event.redaction_id,
        stream=proposal.stream,
        ground=proposal.event.ground,
        proposed=_act(proposal),
        confirmed=_act(first) if first else None,
        events=tuple(
            RedactedEvent(stream=stream, position=position, fields=fields, proposed=position in named)
            for stream, its in sorted(wanted.items())
            for position, fields in sorted(its.items())
        ),
    )


async def reach(proposal: Recorded[RedactionProposed], read: Read, holders: Find, merged: Find) -> tuple[Plan, Streams]:
    """All that a proposal erases, and the streams that were read for it: its own, those that hold a statement of which
    something is erased in one of them, and those that one of them was ever merged with."""
    stored: dict[str, Sequence[Stored]] = {}
    events: dict[str, list[Recorded[Any]]] = {}
    wanted: Plan = {}
    more = {proposal.stream}
    while more:
        read_now, stored_now = await read(sorted(more))
        events |= read_now
        stored |= stored_now
        wanted = await asyncio.to_thread(plan, proposal.event, proposal.stream, stored)
        statements, named = statements_named(wanted, events)
        targets = [f"statement:{statement}" for statement in sorted(statements)]
        sources = sorted(stream for stream in more if stream.startswith("source:"))
        more = {*named, *(other for its in read_now.values() for other in merges_of(its))}
        more |= await holders(targets) if targets else set()
        more |= await merged(sources) if sources else set()
        more -= stored.keys()
    return wanted, stored


async def _wanted(connection: Connection, ledger_id: UUID, proposal: Recorded[RedactionProposed], cut: ReadCut) -> Plan:
    async def read(streams: Sequence[str]) -> tuple[dict[str, list[Recorded[Any]]], dict[str, list[Stored]]]:
        events = await read_streams(connection, ledger_id, streams, cut.position)
        return events, await read_stored(connection, ledger_id, streams, cut.position)

    async def holders(targets: Sequence[str]) -> set[str]:
        return {stream for _, stream, _ in await read_dependants(connection, ledger_id, targets, "holds")}

    merged = partial(merged_into, connection, ledger_id, up_to=cut.position)
    return (await reach(proposal, read, holders, merged))[0]


def _act(one: Recorded[Any]) -> RedactionAct:
    return RedactionAct(position=one.position, recorded_at=one.recorded_at, actor=one.actor, reason=one.event.reason)
