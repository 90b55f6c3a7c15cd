"""Redactions of incidents, sources and documents: proposed by one administrator, carried out when another agrees."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from stet.envelope import Recorded
from stet.errors import NotFound, Refused, UnknownReference
from stet.handle import Decision, Reader, to_events
from stet.handle.incident import Decide
from stet.ids import new_id
from stet.redaction.commands import ConfirmRedaction, ProposeRedaction, RedactionCommand
from stet.redaction.decide import confirm, proposal_of, propose, statements_named
from stet.redaction.events import PayloadRedacted
from stet.store.append import Erasure, NewEvent
from stet.store.read import Role, read_stored

_STREAMS = 1_000
_HOLDS: tuple[Role, ...] = ("holds",)


def redact(command: RedactionCommand, stream: str, actor: str, location: str) -> Decide:
    """Proposes a redaction, or confirms one. What is erased is so in the transaction of the append."""

    async def decide(reader: Reader) -> Decision:
        events = await reader.stream(stream)
        if not events:
            kind, _, id_ = stream.partition(":")
            raise NotFound(f"there is no {kind} {id_}")
        if isinstance(command, ProposeRedaction):
            stored = (await read_stored(reader.connection, reader.ledger_id, [stream]))[stream]
            return Decision(location, to_events(stream, [propose(command, stored, new_id())]))
        return await _confirmed(reader, command, events, actor, location)

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
    statements, named = statements_named(proposal.event, events)
    targets = [f"statement:{statement}" for statement in sorted(statements)]
    # Counted, so that the append fails where another stream comes to hold one of them meanwhile.
    streams = {proposal.stream, *named, *(await reader.dependants(targets, _HOLDS) if targets else ())}
    if len(streams) > _STREAMS:
        raise Refused(f"{len(streams)} incidents hold what this would erase; one append reaches {_STREAMS} at most")
    # First the versions that the append will expect, then the payloads.
    await reader.streams(sorted(streams))
    stored = await read_stored(reader.connection, reader.ledger_id, sorted(streams))
    redacted = await asyncio.to_thread(confirm, command, proposal, actor, stored)
    made: list[NewEvent] = []
    erased: list[Erasure] = []
    for stream, one in redacted.items():
        made += to_events(stream, [one.event], made[0].event_id if made else None)
        erased += [Erasure(stream, position, payload) for position, payload in one.payloads.items()]
    return Decision(location, made, tuple(erased))
