"""PURE: what a projection is: a name, a version, its tables, and a step from a state and an append to rows.

Every row holds for the positions [from_position, to_position), so a projection can be read as of any position that it
has reached, and two copies of it can be compared at one. The rows of a stream follow from that stream alone: streams
are projected in any order, by any number of processes.

A projection that is split has rows for each audience: the same step, taken through the events that the audience sees.
Where an event changes what was seen of those before it, all rows of its stream are written anew. So they are, in any
projection, where an event says that others were redacted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from msgspec import Struct, field

from stet.envelope import Recorded
from stet.projections.audiences import ALL, Views, goes_on, views
from stet.redaction.events import REDACTED

LIVE = 2**63 - 1
"""The to_position of a row that has not ended."""

Row = dict[str, Any]
"""A row by its columns, without `ledger_id`."""
Key = tuple[Any, ...]
Events = Sequence[Recorded[Any]]


class Table(Struct, frozen=True, kw_only=True):
    """A table of a projection. Its columns begin with ledger_id; from_position and to_position are among them."""

    name: str
    key: tuple[str, ...]
    """The columns that, beside ledger_id and audience, tell its live rows apart."""
    id: str
    """The column with the id of the stream that a row comes from."""
    kind: LiteralString
    """SQL for the kind of that stream, of a row `h`."""
    ddl: LiteralString | None = None
    """What makes it; None: a migration does."""
    only: str | None = None
    """Of a projection that is split: the one audience that it has rows for. Else it has a column `audience`."""


class Change(NamedTuple):
    """What an append changes in one table."""

    table: Table
    ended: list[Key]
    """The keys of the live rows that end with this append."""
    begun: list[Row]
    """Without from_position, to_position and audience: they are live from this append on."""


class Projection(Struct, frozen=True, kw_only=True):
    """A view that is kept as tables."""

    name: str
    version: int
    """Raising it builds the tables anew at the next start."""
    inline: bool
    """Kept in the transaction of the append; else by a worker, soon after it."""
    kinds: tuple[str, ...]
    """The kinds of the streams that it is made from."""
    tables: tuple[Table, ...]
    step: Callable[[Any, Events], tuple[Any, Iterable[Change]]]
    """From a stream's state (None: nothing yet) and its events in one append to its state and the changes. Nothing
    else decides about them; the state that it is given may be changed in place."""
    copy: Callable[[Any], Any] = lambda state: state
    """Of a state one that no step on the other changes."""
    split: bool = False
    """Its rows are those of audiences; `kinds` is then incident alone."""


class Stuck(ValueError):
    """A step cannot take an append; its cause says why."""

    def __init__(self, recorded_at: datetime, error: Exception) -> None:
        super().__init__(repr(error))
        self.recorded_at = recorded_at


class Built(Struct):
    """The rows of some streams between two positions: what ends of the rows before, and what begins."""

    ended: dict[str, list[Row]]
    """By table: the key columns and to_position, of rows that were there before."""
    past: dict[str, list[Row]]
    """By table: rows that began and ended in between."""
    live: dict[str, dict[Key, Row]]
    """By table: rows that began and did not end."""
    replaced: list[UUID] = field(default_factory=list)
    """The ids of streams of which these are all rows: those that were there before are gone."""

    @classmethod
    def nothing(cls, projection: Projection) -> Built:
        names = [table.name for table in projection.tables]
        return cls({name: [] for name in names}, {name: [] for name in names}, {name: {} for name in names})

    def add(self, changes: Iterable[Change], position: int, audience: str | None = None) -> None:
        """Adds what one append changes; `position` is the last of the stream's events in it.

        `audience`: whose rows they are, of a projection that is split."""
        for table, ended, begun in changes:
            if audience and table.only and table.only != audience:
                continue
            whose = {"audience": audience} if audience and not table.only else {}
            live = self.live[table.name]
            for key in ended:
                if (row := live.pop((*key, *whose.values()), None)) is not None:
                    self.past[table.name].append(row | {"to_position": position})
                else:
                    found = dict(zip(table.key, key, strict=True))
                    self.ended[table.name].append(found | whose | {"to_position": position})
            for row in begun:
                key = (*(row[name] for name in table.key), *whose.values())
                live[key] = row | whose | {"from_position": position, "to_position": LIVE}

    def join(self, other: Built) -> None:
        """Adds what was built of another stream."""
        for name in self.ended:
            self.ended[name] += other.ended[name]
            self.past[name] += other.past[name]
            self.live[name].update(other.live[name])
        self.replaced += other.replaced

    def rows(self, table: str) -> list[Row]:
        """All rows that began."""
        return [*self.past[table], *self.live[table].values()]

    def __len__(self) -> int:
        return sum(len(self.ended[name]) + len(self.past[name]) + len(self.live[name]) for name in self.ended)


def appends(events: Events) -> Iterator[list[Recorded[Any]]]:
    """A stream's events, append by append."""
    for _, its in groupby(events, key=lambda recorded: recorded.recorded_at):
        yield list(its)


def build(projection: Projection, events: Events) -> Built:
    """All rows of a stream. Raises Stuck."""
    return follow(projection, (), events)[1]


def follow(projection: Projection, earlier: Events, events: Events) -> tuple[Any, Built]:
    """What a stream's events change in the rows of those before them, and its state, None where that is split.

    `earlier` is empty, or begins with the stream. Raises Stuck."""
    built = Built.nothing(projection)
    whole = [*earlier, *events]
    seen: Views = {ALL: whole}
    after = earlier[-1].position if earlier else 0
    # The earlier events are as they were left: the rows that were built of them may be of what was erased.
    anew = any(one.type == REDACTED for one in events)
    if projection.split and whole:
        seen = views(whole[0].stream, whole)
        anew = anew or not goes_on(views(whole[0].stream, earlier), seen)
    if anew:
        built.replaced += [id_of(whole[0].stream)] if earlier else []
        after = 0
    for audience, its in seen.items():
        state = step_all(projection, built, its, audience=audience, after=after)
    return state if seen.keys() == {ALL} else None, built


def step_all(
    projection: Projection, built: Built, events: Events, state: Any = None, *, audience: str = ALL, after: int = 0
) -> Any:
    """The state after some events, append by append. What those after a position change is added. Raises Stuck."""
    state = None if state is None else projection.copy(state)
    for append in appends(events):
        try:
            state, changes = projection.step(state, append)
        except Exception as error:
            # Whatever a step raises, it is this stream that it raises it for.
            raise Stuck(append[0].recorded_at, error) from error
        if append[-1].position > after:
            built.add(changes, append[-1].position, audience if projection.split else None)
    return state


def kind_of(stream: str) -> str:
    return stream.partition(":")[0]


def id_of(stream: str) -> UUID:
    return UUID(stream.partition(":")[2])
