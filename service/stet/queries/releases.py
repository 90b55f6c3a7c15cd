"""Releases at a cut, each with what there is at it, and what changed since the one before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple
from uuid import UUID

from stet.database.pool import Connection
from stet.errors import NotFound
from stet.ledger import state as ledger_state
from stet.ledger.release import Counts, Differences, ReleaseView
from stet.ledger.state import Release
from stet.queries.cut import AsOf, ReadCut
from stet.queries.many import Rows
from stet.queries.one import ledger_at, read_stream_at
from stet.queries.shown import every_guarded
from stet.sql import load

_COUNT_RELEASED = load("count_released")


class _Gained(NamedTuple):
    """What a part of a log has."""

    events: int = 0
    incidents_opened: int = 0
    incidents_touched: int = 0
    statements_recorded: int = 0
    statements_corrected: int = 0
    statements_retracted: int = 0
    statements_superseded: int = 0
    statements_withdrawn: int = 0
    statements_reinstated: int = 0
    statements_assessed: int = 0
    sources_registered: int = 0
    documents_registered: int = 0


async def view_release(connection: Connection, ledger_id: UUID, name: str, as_of: AsOf) -> tuple[ReadCut, ReleaseView]:
    """One release. Raises NotFound before it was published."""
    cut, state = await ledger_at(connection, ledger_id, as_of)
    if name not in state.releases:
        raise NotFound(f"there is no release {name}{f' as of {cut.as_of}' if cut.as_of else ''}")
    releases = list(state.releases.values())
    at = list(state.releases).index(name)
    (shown,) = await _views(connection, ledger_id, cut, releases[max(at - 1, 0) : at], releases[at : at + 1])
    return cut, shown


async def list_releases(
    connection: Connection, ledger_id: UUID, cut: ReadCut, after: int | None, limit: int
) -> Rows[ReleaseView]:
    """In the order in which they were published. `after` is how many come before."""
    start, releases = after or 0, []
    if cut.position:
        events = await read_stream_at(connection, ledger_id, f"ledger:{ledger_id}", cut)
        releases = list(ledger_state.fold(events).releases.values())
    page = releases[start : start + limit]
    before = releases[max(start - 1, 0) : start]
    views = list(await _views(connection, ledger_id, cut, before, page))
    return Rows(views, start + limit if len(releases) > start + limit else None)


async def _views(
    connection: Connection, ledger_id: UUID, cut: ReadCut, before: Sequence[Release], page: Sequence[Release]
) -> Iterator[ReleaseView]:
    """The releases of a page. `before` is the one before it, if there is one."""
    ends = [0, *(release.position for release in (*before, *page))]
    hidden: list[int] = []
    if cut.audience == "public" and page:
        hidden = [position async for one in every_guarded(connection, ledger_id) for position in one.hidden]
    parameters = {"ledger_id": ledger_id, "afters": ends[:-1], "positions": ends[1:], "hidden": hidden}
    rows = await (await connection.execute(_COUNT_RELEASED, parameters)).fetchall()
    gained = [_Gained(*row) for row in rows]
    names = [None, *(release.name for release in (*before, *page))]
    counted = list(zip(names, gained, accumulate(gained, _and), strict=False))[len(before) :]
    return (
        _view(release, cut, _differences(previous, its), _counts(whole))
        for release, (previous, its, whole) in zip(page, counted, strict=True)
    )


def _and(before: Iterable[int], its: Iterable[int]) -> _Gained:
    """Two parts that follow each other: a statement is recorded once. Only what `_counts` shows may be added up."""
    return _Gained(*(old + new for old, new in zip(before, its, strict=True)))


def _counts(whole: _Gained) -> Counts:
    return Counts(
        events=whole.events,
        incidents=whole.incidents_opened,
        statements=whole.statements_recorded,
        sources=whole.sources_registered,
        documents=whole.documents_registered,
    )


def _differences(previous: str | None, gained: _Gained) -> Differences:
    its = gained._asdict()
    changed = its.pop("incidents_touched") - gained.incidents_opened
    return Differences(release=previous, incidents_changed=changed, **its)


def _view(release: Release, cut: ReadCut, since: Differences, counts: Counts) -> ReleaseView:
    return ReleaseView(
        name=release.name,
        note=release.note,
        position=release.position,
        resolution=release.resolution,
        published_at=release.published_at,
        published_by=release.published_by,
        counts=counts,
        since=since,
        version=release.version,
        cut=cut.of(release.published_position, release.published_at),
    )
