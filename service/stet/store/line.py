"""Who waits to append to one ledger's log, and who sets out next.

Up to two groups are under way at once: one is made ready, and waits for the log's head, while the database commits the
other. But a group has a price of its own, so that a few rather wait for the one that is under way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from stet.store.append import Append, Appended

_GROUP_COMMANDS = 256
_GROUP_EVENTS = 5_000
_AT_ONCE = 2
_BESIDE = 6
"""How many commands are worth a second group."""


class Waiting(NamedTuple):
    append: Append
    outcome: asyncio.Future[Appended]

    def settle(self, outcome: Appended | Exception) -> None:
        if self.outcome.done():  # whoever waited has gone
            return
        if isinstance(outcome, Exception):
            self.outcome.set_exception(outcome)
        else:
            self.outcome.set_result(outcome)

    @property
    def key(self) -> tuple[str, str] | None:
        """The idempotency key, which is the actor's."""
        return (self.append.actor, self.append.idempotency.key) if self.append.idempotency else None


class Turn:
    """A group's turn at the database: groups are sent in the order in which they set out, one at a time."""

    def __init__(self, before: Turn | None = None) -> None:
        self._before = before
        self._over = asyncio.Event()

    async def __aenter__(self) -> None:
        if self._before:
            await self._before._over.wait()
            self._before = None

    async def __aexit__(self, *_: object) -> None:
        self.over()

    def over(self) -> None:
        """The next may go. To be called whatever becomes of the group: another may hold the connection it needs."""
        self._over.set()


class Line:
    """The commands for one ledger: those that wait, in order, and the groups that are under way."""

    def __init__(self) -> None:
        self.waiting: deque[Waiting] = deque()
        self._under_way: list[list[Waiting]] = []
        self._last: Turn | None = None

    def turn(self) -> Turn:
        """The turn of the group that sets out."""
        self._last = Turn(self._last)
        return self._last

    def calls_for(self, committers: int) -> bool:
        """Whether another committer would find a group to take."""
        return committers == 0 or (committers < _AT_ONCE and len(self.waiting) >= _BESIDE)

    def take(self) -> list[Waiting]:
        """The next group, which is then under way; [] if none is to set out now."""
        if self._under_way and len(self.waiting) < _BESIDE:
            return []
        halved = not self._under_way and len(self.waiting) >= 2 * _BESIDE
        group = self._take(-(-len(self.waiting) // 2) if halved else _GROUP_COMMANDS)
        if group:
            self._under_way.append(group)
        return group

    def arrived(self, group: list[Waiting]) -> None:
        """That a group is no longer under way, whatever became of it."""
        self._under_way = [one for one in self._under_way if one is not group]

    def overtaken(self, group: list[Waiting]) -> list[Waiting]:
        """Takes out who has seen a version of a stream before that to which a group has just brought it.

        Not those with an idempotency key: it may be the group's.
        """
        reached: dict[str, int] = {}
        for append in (one.append for one in group):
            for event in append.events:
                reached[event.stream] = reached.get(event.stream, append.expected[event.stream]) + 1
        late = [
            one
            for one in self.waiting
            if not one.key and any(version < reached.get(stream, 0) for stream, version in one.append.expected.items())
        ]
        for one in late:
            self.waiting.remove(one)
        return late

    def _take(self, most: int) -> list[Waiting]:
        """The next commands that do not touch each other's streams, in order; the others stay for the next group.

        A command that read a stream which one before it writes would be judged by what it could not have seen. A new
        ledger, and a fan-out, ride alone.
        """
        group: list[Waiting] = []
        under_way = [one for its in self._under_way for one in its]
        written = {event.stream for one in under_way for event in one.append.events}
        keys = {one.key for one in under_way if one.key}
        events = 0
        left: list[Waiting] = []
        while self.waiting and len(group) < min(most, _GROUP_COMMANDS) and events < _GROUP_EVENTS:
            waiting = self.waiting.popleft()
            append = waiting.append
            alone = append.ledger_name is not None or bool(append.fanned_out)
            if written.isdisjoint(append.expected) and waiting.key not in keys and not (alone and group):
                group.append(waiting)
                events += len(append.events)
                if waiting.key:
                    keys.add(waiting.key)
            else:
                left.append(waiting)
            written.update(event.stream for event in append.events)
            if alone:
                break
        self.waiting.extendleft(reversed(left))
        return group
