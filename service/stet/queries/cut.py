"""The cut that a read is made at: which events (`as_of`), and which statements of those (`said_by`).

An answer that is not final yet has a permanent address all the same: ASKED@N is what was answered to ASKED while the
log ended at position N (docs/adr/0011).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from stet.codec import recorded
from stet.database.pool import Connection
from stet.envelope import Audience, Cut
from stet.errors import Malformed, NotFound, OtherRules
from stet.incident.resolve import RESOLUTION
from stet.incident.said import SaidMatch
from stet.sql import load
from stet.values.time import to_utc

_RESOLVE_CUT = load("resolve_cut")
_APPEND_END = load("append_end")
_FIND_RELEASE = load("find_release")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = r"(0|[1-9]\d{0,17})"
_POSITION = re.compile(rf"position:{_NUMBER}", re.ASCII)
_SEEN = re.compile(rf"(.+)@{_NUMBER}", re.ASCII)
_RELEASE = re.compile(r"release:([a-z0-9]+(?:-[a-z0-9]+)*)", re.ASCII)
_FORMS = "an RFC 3339 instant, a date, position:N or release:NAME"


class AsOf(NamedTuple):
    """What was asked for: the head, a position, an instant, or a release."""

    text: str | None = None
    """The canonical form; None: the head."""
    position: int | None = None
    instant: datetime | None = None
    seen: int | None = None
    """The end of the log when it was asked; None: where it ends by now."""
    release: str | None = None
    negotiated: bool = False
    """By Accept-Datetime: before the first there is, that is meant."""
    audience: Audience = "public"
    """Who asks. Who forgets to say it sees too little, never too much."""

    @property
    def some_time(self) -> bool:
        """Whether a moment was asked for, and not simply what there is."""
        return any(asked is not None for asked in (self.text, self.seen))


class Said(NamedTuple):
    """By when something must have been said to be kept; None keeps all."""

    by: datetime | None = None
    match: SaidMatch = "definite"


HEAD, ALL_SAID = AsOf(), Said()


class ReadCut(NamedTuple):
    """The position of the ledger that is read at, and what is kept."""

    position: int
    recorded_at: datetime | None
    as_of: str | None
    final: bool
    seen: int
    """The end of the log when it was asked."""
    said: Said = ALL_SAID
    audience: Audience = "public"
    live: bool = False
    """Nothing is later than this in the snapshot that it was resolved in."""

    @property
    def permanent(self) -> dict[str, str]:
        """The parameters that give this cut, and this answer, for ever."""
        asked = self.as_of or "head"
        parameters = {"as_of": asked if self.final else f"{asked}@{self.seen}"}
        if self.said.by:
            parameters["said_by"] = text_of(self.said.by)
            if self.said.match != "definite":
                parameters["said_match"] = self.said.match
        return parameters

    def of_ledger(self) -> Cut:
        """The cut of a list."""
        return self.of(self.position, self.recorded_at)

    def of(self, position: int, recorded_at: datetime | None) -> Cut:
        """The cut of one thing: its own last event at this cut."""
        return Cut(
            position=position,
            recorded_at=recorded_at,
            as_of=self.as_of,
            said_by=self.said.by,
            said_match=self.said.match if self.said.by else None,
            final=self.final,
            resolution=RESOLUTION,
            audience=self.audience,
        )


def text_of(instant: datetime) -> str:
    """An instant in its canonical form."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_as_of(text: str, field: str = "as_of") -> AsOf:
    """An RFC 3339 instant, a date (the end of that day, UTC), `position:N` or `release:NAME`; else Malformed.

    Also what Content-Location gives: an instant, a date or `head`, then `@N`.
    """
    if _POSITION.fullmatch(text):
        return AsOf(text, position=int(text[9:]))
    if name := _RELEASE.fullmatch(text):
        return AsOf(text, release=name[1])
    seen = None
    asked = text
    if found := _SEEN.fullmatch(text):
        asked, seen = found[1], int(found[2])
        if asked == "head":
            return AsOf(None, seen=seen)
    instant = _instant(asked, field)
    if instant is None:
        raise Malformed.at(field, f"must be {_FORMS}{_hint(text)}")
    return AsOf(asked if _DATE.fullmatch(asked) else text_of(instant), instant=instant, seen=seen)


def parse_said_by(text: str, field: str = "said_by") -> datetime:
    """An RFC 3339 instant, or a date (the end of that day, UTC); else Malformed."""
    instant = _instant(text, field)
    if instant is None:
        raise Malformed.at(field, f"must be an RFC 3339 instant or a date{_hint(text)}")
    return instant


async def resolve_cut(connection: Connection, ledger_id: UUID, as_of: AsOf = HEAD, said: Said = ALL_SAID) -> ReadCut:
    """The cut to read at.

    Raises NotFound for a position that the log has not reached, or a release that there is not; OtherRules for a
    release that was made by other rules: what this service says at that position may not be what was released.
    """
    if as_of.release is not None:
        as_of = as_of._replace(position=await _released(connection, ledger_id, as_of.release))
    until, until_recorded_at = None, None
    if as_of.seen is not None:
        until, until_recorded_at = await _end_of_append(connection, ledger_id, as_of.seen)
    parameters = {"ledger_id": ledger_id, "instant": as_of.instant, "seen": until}
    row = await (await connection.execute(_RESOLVE_CUT, parameters)).fetchone()
    if row is None:
        raise NotFound("there is no such ledger")
    head, head_recorded_at, position, recorded_at = row
    for asked in (as_of.position, as_of.seen):
        if asked is not None and asked > head:
            raise NotFound(f"the log has not reached position {asked}: it ends at {head}")
    seen, seen_recorded_at = (head, head_recorded_at) if until is None else (until, until_recorded_at)
    if as_of.position is not None:
        position, recorded_at = await _end_of_append(connection, ledger_id, as_of.position)
    elif as_of.instant is None:
        position, recorded_at = seen, seen_recorded_at
    return ReadCut(
        position=position or 0,
        recorded_at=recorded_at,
        as_of=as_of.text,
        final=as_of.position is not None or (as_of.instant is not None and (position or 0) < seen),
        seen=seen,
        said=said,
        audience=as_of.audience,
        live=position == head,
    )


async def _released(connection: Connection, ledger_id: UUID, name: str) -> int:
    """The position that a release froze."""
    row = await (await connection.execute(_FIND_RELEASE, {"ledger_id": ledger_id, "name": name})).fetchone()
    if row is None:
        raise NotFound(f"there is no release {name}")
    release = recorded(row).event
    if release.resolution != RESOLUTION:
        raise OtherRules(
            f"the release {name} was made by version {release.resolution} of the rules of resolution, and this service "
            f"has version {RESOLUTION}: as_of=position:{release.position} gives the same events by these rules"
        )
    return int(release.position)


async def _end_of_append(connection: Connection, ledger_id: UUID, position: int) -> tuple[int, datetime | None]:
    """An append is never cut in half: a position within it stands for the whole of it."""
    cursor = await connection.execute(_APPEND_END, {"ledger_id": ledger_id, "position": position})
    return await cursor.fetchone() or (0, None)


def _instant(text: str, field: str) -> datetime | None:
    try:
        if _DATE.fullmatch(text):
            day = to_utc(datetime.fromisoformat(text).replace(tzinfo=UTC), field)
            return day + timedelta(days=1, microseconds=-1)
        if _INSTANT.fullmatch(text):
            return to_utc(datetime.fromisoformat(text), field)
    except ValueError as error:
        raise Malformed.at(field, "is not a date or time that exists") from error
    return None


def _hint(text: str) -> str:
    return " (a + in a query is a space: write %2B, or Z)" if " " in text else ""
