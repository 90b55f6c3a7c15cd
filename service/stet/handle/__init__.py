"""The write path: read what the command is about, decide, append; decide again when somebody was faster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct

from stet.codec import TYPES, AnyEvent
from stet.database.pool import Connection, Pool
from stet.envelope import Recorded
from stet.errors import KeyReused, Stale, Unavailable
from stet.ids import new_id
from stet.store.append import Append, Idempotency, Log, NewEvent
from stet.store.read import Answer, Dependant, find_answer, read_dependants, read_streams

_PATIENCE_S = 10.0
"""How long a command is decided again. A count would not do: in a crowd one writer may lose dozens of races."""


class Context(Struct, frozen=True, kw_only=True):
    """Who asks, and on what conditions."""

    actor: str
    correlation_id: UUID
    request_digest: bytes
    idempotency_key: str | None = None
    if_match: int | None = None
    """The version that the stream of the request must have."""


class Reader:
    """Reads streams for one decision, and remembers what it saw: the append checks that it still holds."""

    def __init__(self, connection: Connection, ledger_id: UUID) -> None:
        self.connection = connection
        self.ledger_id = ledger_id
        self.expected: dict[str, int] = {}
        self.fanned_out: dict[str, int] = {}
        self._streams: dict[str, list[Recorded[Any]]] = {}

    async def streams(self, streams: Collection[str]) -> dict[str, list[Recorded[Any]]]:
        """The events of each stream; [] for one that does not exist."""
        missing = [stream for stream in dict.fromkeys(streams) if stream not in self._streams]
        self._streams.update(await read_streams(self.connection, self.ledger_id, missing))
        for stream in missing:
            self.expected[stream] = len(self._streams[stream])
        return {stream: self._streams[stream] for stream in streams}

    async def stream(self, stream: str) -> list[Recorded[Any]]:
        """The events of one stream; [] if it does not exist."""
        return (await self.streams((stream,)))[stream]

    async def dependants(self, targets: Collection[str]) -> list[Dependant]:
        """The streams that depend on the targets; the append checks that there are no others meanwhile."""
        found = await read_dependants(self.connection, self.ledger_id, targets)
        for target in targets:
            self.fanned_out[target] = sum(dependant.target == target for dependant in found)
        return found


class Decision(NamedTuple):
    """What a command leads to: events, in order, and where the client finds the result."""

    location: str
    events: Sequence[NewEvent]


class Outcome(NamedTuple):
    """What was done; the body of the answer is the view at `location` and `position`."""

    status: int
    location: str
    position: int | None
    """None: nothing was to be done, so the view is that of the head."""


def to_events(stream: str, events: Sequence[AnyEvent], causation_id: UUID | None = None) -> list[NewEvent]:
    """Events of one stream with their ids."""
    return [NewEvent(event_id=new_id(), stream=stream, event=event, causation_id=causation_id) for event in events]


def as_recorded(stream: str, events: Sequence[AnyEvent], version: int) -> list[Recorded[Any]]:
    """Events as if they were in the log already, to see what they will lead to within the same append."""
    at, nobody = datetime.now(UTC), new_id()
    return [
        Recorded(0, stream, version + n, nobody, TYPES[type(event)], 1, at, "", nobody, None, event)
        for n, event in enumerate(events, start=1)
    ]


async def handle(
    pool: Pool,
    log: Log,
    ledger_id: UUID,
    subject: str | None,
    decide: Callable[[Reader], Awaitable[Decision]],
    context: Context,
    ledger_name: str | None = None,
) -> Outcome:
    """Carries out a command. `subject` is the stream that If-Match speaks of.

    Raises Stale when If-Match names another version, KeyReused when the idempotency key was used for another
    request, and whatever `decide` raises.
    """
    deadline = monotonic() + _PATIENCE_S
    while monotonic() < deadline:
        async with pool.connection() as connection:
            if context.idempotency_key and (
                answer := await find_answer(connection, ledger_id, context.actor, context.idempotency_key)
            ):
                return _again(answer, context)
            reader = Reader(connection, ledger_id)
            if subject and context.if_match is not None:
                version = len(await reader.stream(subject))
                if version and version != context.if_match:
                    raise Stale(f"If-Match names version {context.if_match}; the last is {version}")
            decision = await decide(reader)
        status = 201 if decision.events else 200
        if not decision.events and not context.idempotency_key:
            return Outcome(status, decision.location, None)
        appended = await log.append(ledger_id, _append(decision, status, reader, context, ledger_name))
        if appended.outcome == "appended":
            return Outcome(status, decision.location, appended.position)
    raise Unavailable("too many writers changed the same things at the same time; nothing was changed")


def _append(decision: Decision, status: int, reader: Reader, context: Context, ledger_name: str | None) -> Append:
    idempotency = None
    if context.idempotency_key:
        idempotency = Idempotency(
            key=context.idempotency_key,
            request_digest=context.request_digest,
            status=status,
            location=decision.location,
        )
    return Append(
        actor=context.actor,
        correlation_id=context.correlation_id,
        expected=reader.expected,
        events=tuple(decision.events),
        idempotency=idempotency,
        fanned_out=reader.fanned_out,
        ledger_name=ledger_name,
    )


def _again(answer: Answer, context: Context) -> Outcome:
    if answer.request_digest != context.request_digest:
        raise KeyReused("this Idempotency-Key was used for another request")
    return Outcome(answer.status, answer.location, answer.position)
