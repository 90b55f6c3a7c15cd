"""`as_of`: from what was asked for to a position of the log."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from stet.database.pool import Connection
from stet.envelope import AUDIENCE, RESOLUTION, Cut
from stet.errors import Malformed, NotFound
from stet.sql import load
from stet.values.time import to_utc

_RESOLVE_CUT = load("resolve_cut")
_APPEND_END = load("append_end")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_POSITION = re.compile(r"position:(0|[1-9]\d{0,17})", re.ASCII)
_RELEASE = re.compile(r"release:(\S{1,200})")


class AsOf(NamedTuple):
    """What was asked for: a position, or an instant."""

    text: str
    """The canonical form."""
    position: int | None = None
    instant: datetime | None = None


class ReadCut(NamedTuple):
    """The position of the ledger that is read at."""

    position: int
    recorded_at: datetime | None
    as_of: str | None
    final: bool

    def of_ledger(self) -> Cut:
        """The cut of a list."""
        return self.of(self.position, self.recorded_at)

    def of(self, position: int, recorded_at: datetime | None) -> Cut:
        """The cut of one thing: its own last event at this cut."""
        return Cut(
            position=position,
            recorded_at=recorded_at,
            as_of=self.as_of,
            said_by=None,
            final=self.final,
            resolution=RESOLUTION,
            audience=AUDIENCE,
        )


def parse_as_of(text: str, field: str = "as_of") -> AsOf:
    """An RFC 3339 instant, a date (the end of that day, UTC), `position:N` or `release:NAME`; else Malformed."""
    if _POSITION.fullmatch(text):
        return AsOf(text, position=int(text[9:]))
    if name := _RELEASE.fullmatch(text):
        raise NotFound(f"there is no release {name[1]}")
    try:
        if _DATE.fullmatch(text):
            day = to_utc(datetime.fromisoformat(text).replace(tzinfo=UTC), field)
            return AsOf(text, instant=day + timedelta(days=1, microseconds=-1))
        if _INSTANT.fullmatch(text):
            instant = to_utc(datetime.fromisoformat(text), field)
            return AsOf(instant.isoformat().replace("+00:00", "Z"), instant=instant)
    except ValueError as error:
        raise Malformed.at(field, "is not a date or time that exists") from error
    hint = " (a + in a query is a space: write %2B, or Z)" if " " in text else ""
    raise Malformed.at(field, f"must be an RFC 3339 instant, a date, position:N or release:NAME{hint}")


async def resolve_cut(connection: Connection, ledger_id: UUID, as_of: AsOf | None) -> ReadCut:
    """The cut to read at. Raises NotFound for a position that the log has not reached."""
    instant = as_of.instant if as_of else None
    cursor = await connection.execute(_RESOLVE_CUT, {"ledger_id": ledger_id, "instant": instant})
    row = await cursor.fetchone()
    if row is None:
        raise NotFound("there is no such ledger")
    head, head_recorded_at, position, recorded_at = row
    if as_of is None:
        return ReadCut(head, head_recorded_at, None, final=False)
    if as_of.instant:
        return ReadCut(position or 0, recorded_at, as_of.text, final=(position or 0) < head)
    assert as_of.position is not None
    if as_of.position > head:
        raise NotFound(f"the log has not reached position {as_of.position}: it ends at {head}")
    # An append is never cut in half: a position within it stands for the whole of it.
    cursor = await connection.execute(_APPEND_END, {"ledger_id": ledger_id, "position": as_of.position})
    end = await cursor.fetchone() or (0, None)
    return ReadCut(end[0], end[1], as_of.text, final=True)
