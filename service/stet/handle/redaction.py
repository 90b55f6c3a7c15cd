"""Redactions of incidents, sources and documents: proposed by one administrator, carried out when another agrees."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from stet.envelope import Recorded
from stet.errors import NotFound, Refused, UnknownReference
from stet.handle import Decision, Reader, to_events
from stet.handle.incident import Decide
from stet.ids import new_id
from stet.queries.redactions import merged_into, reach
from stet.redaction.commands import ConfirmRedaction, ProposeRedaction, RedactionCommand
from stet.redaction.decide import Stored, confirm, proposal_of, propose
from stet.redaction.events import PayloadRedacted
from stet.store.append import Erasure, NewEvent
from stet.store.read import Role, read_stored

_STREAMS = 1_000
_new_salt = partial(secrets.token_bytes, 16)
_HOLDS: tuple[Role, ...] = ("holds",)


def redact(command: RedactionCommand, stream: str, actor: str, location: str) -> Decide:
    """Proposes a redaction, or confirms one. What is erased is so in the transaction of the append.

    That an incident was merged keeps nothing from being erased of it: what is answered is the survivor.
    """

    async def decide(reader: Reader) -> Decision:
        events = await reader.stream(stream)
        kind, _, id_ = stream.partition(":")
        if not events:
            raise NotFound(f"there is no {kind} {id_}")
        at = location
        if kind == "incident":
            at = f"{location.rpartition('/')[0]}/{await reader.survivor(UUID(id_))}"
        if isinstance(command, ProposeRedaction):
            stored = (await read_stored(reader.connection, reader.ledger_id, [stream]))[stream]
            return Decision(at, to_events(stream, [propose(command, stored, new_id())]))
        return await _confirmed(reader, command, events, actor, at)

    return decide


async def _confirmed(
    reader: Reader, command: ConfirmRedaction, events: Sequence[Recorded[Any]], actor: str, location: str
) -> Decision:
    id_ = command.redaction_id
    proposal = proposal_of(id_, events)
    if proposal is None:
        raise UnknownReference.at("redaction_id", f"nobody has proposed a redaction {id_} here")
    if any(isinstance(one.event, PayloadRedacted) and one.event.redaction_id == id_ for one in events):
        return Decision(location, ())

    async def read(streams: Sequence[str]) -> tuple[dict[str, list[Recorded[Any]]], dict[str, list[Stored]]]:
        if len(reader.expected.keys() | set(streams)) > _STREAMS:
            raise Refused(f"more than {_STREAMS} streams hold what this would erase: one append reaches no more")
        # First the versions that the append will expect, then the payloads.
        return await reader.streams(streams), await read_stored(reader.connection, reader.ledger_id, streams)

    async def holders(targets: Sequence[str]) -> set[str]:
        # Counted, so that the append fails where another stream comes to hold one of them meanwhile.
        return await reader.dependants(targets, _HOLDS)

    _, stored = await reach(proposal, read, holders, partial(merged_into, reader.connection, reader.ledger_id))
    redacted = await asyncio.to_thread(confirm, command, proposal, actor, stored, _new_salt)
    made: list[NewEvent] = []
    erased: list[Erasure] = []
    for stream, one in redacted.items():
        made += to_events(stream, [one.event], made[0].event_id if made else None)
        erased += [Erasure(stream, position, *left) for position, left in one.left.items()]
    return Decision(location, made, tuple(erased))
