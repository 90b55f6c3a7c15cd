"""The write path: read what the command is about, decide, append; decide again when somebody was faster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from msgspec import Struct

from stet.database.pool import Connection, Pool, of_ledger
from stet.envelope import Recorded
from stet.errors import KeyReused, Merged, NotFound, Stale, UnknownReference
from stet.handle.events import as_recorded as as_recorded
from stet.handle.events import to_events as to_events
from stet.handle.same_source import carried
from stet.handle.visibility import spread
from stet.incident.state import Incident
from stet.ledger.state import Ledger
from stet.queries.cut import AsOf, resolve_cut
from stet.sql import load
from stet.store.append import Append, Erasure, Idempotency, Log, NewEvent, public
from stet.store.group import append_on, hold_inline
from stet.store.line import Turn
from stet.store.read import Answer, Role, find_answer, read_dependants, read_streams
from stet.streams import fold

_RACES = 3
HANGS: tuple[Role, ...] = ("hangs",)
_HOLD = load("hold")
_ANY_ROW = load("any_row")


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
        self._states: dict[str, Any] = {}
        self._holders: dict[UUID, set[str]] = {}

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

    async def states(self, streams: Collection[str]) -> dict[str, Any]:
        """What each stream adds up to; the initial state for one that does not exist."""
        missing = [stream for stream in streams if stream not in self._states]
        for stream, events in (await self.streams(missing)).items():
            self._states[stream] = fold(stream, events)
        return {stream: self._states[stream] for stream in streams}

    async def incident(self, incident_id: UUID) -> Incident:
        """An incident as it is; its version is 0 if it does not exist."""
        stream = f"incident:{incident_id}"
        state: Incident = (await self.states((stream,)))[stream]
        return state

    async def writable(self, incident_id: UUID, field: str | None = None) -> Incident:
        """An incident that can be written to; `field` names it, if not the address.

        Raises NotFound, or UnknownReference at the field, where there is none, and Merged where it is another by now.
        """
        state = await self.incident(incident_id)
        if state.version == 0:
            missing = f"there is no incident {incident_id}"
            raise UnknownReference.at(field, missing) if field else NotFound(missing)
        if state.merged_into:
            raise Merged.into(incident_id, await self.survivor(incident_id), field)
        return state

    async def survivor(self, incident_id: UUID) -> UUID:
        """The incident that one was merged into, through chains; itself, if it was not merged."""
        while into := (await self.incident(incident_id)).merged_into:
            incident_id = into
        return incident_id

    async def with_merged(self, incident_id: UUID) -> list[UUID]:
        """An incident and all that were merged into it, through chains."""
        found = [incident_id]
        for id_ in found:
            found += [one.incident_id for one in (await self.incident(id_)).absorbed]
        return found

    async def ledger(self) -> Ledger:
        """The ledger itself."""
        stream = f"ledger:{self.ledger_id}"
        state: Ledger = (await self.states((stream,)))[stream]
        return state

    async def dependants(self, targets: Collection[str], roles: Collection[Role] = HANGS) -> set[str]:
        """The streams that stand in one of the roles to a target; the append checks that there are no others meanwhile.

        By default those with times that hang on it.
        """
        found = await read_dependants(self.connection, self.ledger_id, targets)
        counted = Counter(target for target, _, _ in found)
        self.fanned_out.update((target, counted[target]) for target in targets)
        return {stream for _, stream, role in found if role in roles}

    async def publishes(self, source_id: UUID) -> bool:
        """Whether a source has ever published a row."""
        parameters = {"ledger_id": self.ledger_id, "source_id": source_id}
        row = await (await self.connection.execute(_ANY_ROW, parameters)).fetchone()
        return bool(row and row[0])

    async def end(self, position: int | None) -> int:
        """Where the log ends; or, of a position that it has reached, where its append ends. Raises NotFound beyond."""
        asked = AsOf(position=position)
        return (await resolve_cut(self.connection, self.ledger_id, asked)).position

    async def holders(self, statement_ids: Collection[UUID]) -> set[str]:
        """The streams that hold one of the statements, or held it once."""
        if missing := {f"statement:{id_}": id_ for id_ in statement_ids if id_ not in self._holders}:
            self._holders |= {id_: set() for id_ in missing.values()}
            for target, stream, _ in await read_dependants(self.connection, self.ledger_id, sorted(missing), "holds"):
                self._holders[missing[target]].add(stream)
        return {stream for id_ in statement_ids for stream in self._holders[id_]}


class Decision(NamedTuple):
    """What a command leads to: events, in order, and where the client finds the result."""

    location: str
    events: Sequence[NewEvent]
    erased: tuple[Erasure, ...] = ()
    """What its redactions erase."""


async def carry_out(decide: Callable[[Reader], Awaitable[Decision]], reader: Reader) -> Decision:
    """What a command leads to, with what follows from it: that what it carries along names sources that were merged,
    and what other streams must hear of it: that what they name is hidden, or shown.
    """
    decision = await decide(reader)
    events = [*decision.events, *await carried(reader, decision.events)]
    return decision._replace(events=[*events, *await spread(reader, events)])


class Outcome(NamedTuple):
    """What was done; the body of the answer is the view at `location` and `position`."""

    status: int
    location: str
    position: int | None
    """None: nothing was to be done, so the view is that of the head."""


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
    about = subject
    for lost in range(_RACES):
        async with log.turns.at(ledger_id, about, lost=lost > 0):
            async with of_ledger(pool, ledger_id) as connection:
                decided = await _decide(connection, ledger_id, subject, decide, context, ledger_name)
            if isinstance(decided, Outcome):
                return decided
            appended = await log.append(ledger_id, decided.append)
        if appended.outcome == "appended":
            return Outcome(decided.status, decided.location, appended.position)
        about = subject or next((event.stream for event in decided.append.events), None)
    # Who has lost so often reads, decides and appends while nobody else appends: a fan-out reads much.
    async with of_ledger(pool, ledger_id) as connection, connection.transaction():
        # In the order of every append: first the tables, then the head.
        await hold_inline(connection)
        await connection.execute(_HOLD, {"ledger_id": ledger_id})
        decided = await _decide(connection, ledger_id, subject, decide, context, ledger_name)
        if isinstance(decided, Outcome):
            return decided
        try:
            before, stale, repeated = await append_on(connection, ledger_id, [decided.append], Turn())
        except psycopg.Error as error:
            raise public(error) from error
        assert not stale and not repeated
    log.appended()
    return Outcome(decided.status, decided.location, before + len(decided.append.events))


class _Decided(NamedTuple):
    status: int
    location: str
    append: Append


async def _decide(
    connection: Connection,
    ledger_id: UUID,
    subject: str | None,
    decide: Callable[[Reader], Awaitable[Decision]],
    context: Context,
    ledger_name: str | None,
) -> Outcome | _Decided:
    """What to append; or the outcome, if nothing is."""
    key = context.idempotency_key
    if key and (answer := await find_answer(connection, ledger_id, context.actor, key)):
        return _again(answer, context)
    reader = Reader(connection, ledger_id)
    if subject and context.if_match is not None:
        version = len(await reader.stream(subject))
        if version and version != context.if_match:
            raise Stale(f"If-Match names version {context.if_match}; the last is {version}")
    decision = await carry_out(decide, reader)
    status = 201 if decision.events else 200
    if not decision.events and not key:
        return Outcome(status, decision.location, None)
    written = dict.fromkeys(event.stream for event in decision.events)
    append = Append(
        actor=context.actor,
        correlation_id=context.correlation_id,
        expected=reader.expected,
        events=tuple(decision.events),
        before=await reader.states(written),
        idempotency=Idempotency(
            key=key, request_digest=context.request_digest, status=status, location=decision.location
        )
        if key
        else None,
        fanned_out=reader.fanned_out,
        ledger_name=ledger_name,
        erased=decision.erased,
    )
    return _Decided(status, decision.location, append)


def _again(answer: Answer, context: Context) -> Outcome:
    # Of a request whose text was erased since there is no digest any more.
    if answer.request_digest and answer.request_digest != context.request_digest:
        raise KeyReused("this Idempotency-Key was used for another request")
    return Outcome(answer.status, answer.location, answer.position)
