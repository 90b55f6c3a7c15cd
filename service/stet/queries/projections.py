"""How the projections are: measured against the log itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from stet.database.pool import Connection
from stet.errors import NotFound
from stet.projections.projection import Projection
from stet.projections.rebuild.job import (
    ADD_REBUILD,
    ENDED,
    FIND_RUNNING,
    READ_REBUILD,
    RebuildRequest,
    RebuildView,
    add_parameters,
    rebuild_view,
    running_error,
)
from stet.projections.registry import PROJECTIONS
from stet.sql import load

_LIST_LAGS = load("list_lags")
_LIST_PARKED = load("list_parked")
_READ_LEADER = load("read_leader")
_READ_VERSIONS = load("read_versions")
_CANCEL_REBUILD = load("cancel_rebuild")
State = Literal["inline", "current", "behind", "parked", "stopped"]


class Lag(Struct, frozen=True, kw_only=True):
    """How far a projection is in one log."""

    ledger: str
    position: int
    """Its checkpoint: everything up to here is in it, but what is parked."""
    head: int
    lag_events: int
    lag_seconds: float
    """How long ago the first event was recorded that it has not taken; 0: it has taken all."""


class Parked(Struct, frozen=True, kw_only=True):
    """A stream that a projection could not take; the others went on."""

    ledger: str
    stream: str
    position: int
    """Of the event that it failed at."""
    error: str
    parked_at: datetime


class ProjectionView(Struct, frozen=True, kw_only=True):
    """A projection, and how it is."""

    name: str
    version: int
    """Of the rules that it was built by."""
    state: State
    """`inline`: kept by every append. Else `current`, `behind`, `parked` (some streams), `stopped`: no worker runs."""
    tables: tuple[str, ...]
    lag_events: int
    """Over all ledgers."""
    lag_seconds: float
    """Of the ledger that is farthest behind in time."""
    ledgers: list[Lag]
    """The 1,000 that are farthest behind; none of an inline projection."""
    parked: list[Parked]
    rebuild: RebuildView | None
    """The one that has not ended."""


class Projections(Struct, frozen=True):
    items: list[ProjectionView]


class Rebuilds(Struct, frozen=True):
    """The last 100 rebuilds, the last one first."""

    items: list[RebuildView]


async def view_projections(connection: Connection) -> Projections:
    """All projections. Within a snapshot."""
    versions = dict(await (await connection.execute(_READ_VERSIONS)).fetchall())
    return Projections([await _view(connection, one, versions.get(one.name, 0)) for one in PROJECTIONS])


async def _view(connection: Connection, projection: Projection, version: int) -> ProjectionView:
    key = {"projection": projection.name}
    lags: list[Lag] = []
    parked: list[Parked] = []
    state: State = "inline"
    if not projection.inline:
        for ledger, head, position, seconds in await (await connection.execute(_LIST_LAGS, key)).fetchall():
            lag = Lag(ledger=ledger, position=position, head=head, lag_events=head - position, lag_seconds=seconds)
            lags.append(lag)
        for ledger, _, stream, position, error, at in await (await connection.execute(_LIST_PARKED, key)).fetchall():
            parked.append(Parked(ledger=ledger, stream=stream, position=position, error=error, parked_at=at))
        led = await (await connection.execute(_READ_LEADER, key)).fetchone()
        behind = any(lag.lag_events for lag in lags)
        state = "stopped" if not led or not led[0] else "parked" if parked else "behind" if behind else "current"
    running = await (await connection.execute(FIND_RUNNING, key | {"ended": list(ENDED)})).fetchone()
    return ProjectionView(
        name=projection.name,
        version=version,
        state=state,
        tables=tuple(table.name for table in projection.tables),
        lag_events=sum(lag.lag_events for lag in lags),
        lag_seconds=max((lag.lag_seconds for lag in lags), default=0.0),
        ledgers=lags,
        parked=parked,
        rebuild=await view_rebuild(connection, running[0]) if running else None,
    )


async def view_rebuild(connection: Connection, rebuild_id: UUID) -> RebuildView:
    """A rebuild. Raises NotFound."""
    parameters = {"rebuild_id": rebuild_id, "projection": None}
    row = await (await connection.execute(READ_REBUILD, parameters)).fetchone()
    if row is None:
        raise NotFound(f"there is no rebuild {rebuild_id}")
    return rebuild_view(row)


async def list_rebuilds(connection: Connection, projection: str | None) -> Rebuilds:
    """The last rebuilds, of one projection or of all."""
    parameters = {"rebuild_id": None, "projection": projection}
    rows = await (await connection.execute(READ_REBUILD, parameters)).fetchall()
    return Rebuilds([rebuild_view(row) for row in rows])


async def ask_rebuild(
    connection: Connection, rebuild_id: UUID, projection: Projection, asked: RebuildRequest
) -> RebuildView:
    """Asks the workers for a rebuild. Raises Running while there is another of the projection."""
    parameters = add_parameters(rebuild_id, projection.name, projection.version, asked)
    if (await connection.execute(ADD_REBUILD, parameters)).rowcount == 0:
        key = {"projection": projection.name, "ended": list(ENDED)}
        running = await (await connection.execute(FIND_RUNNING, key)).fetchone()
        raise running_error(running[0] if running else None)
    return await view_rebuild(connection, rebuild_id)


async def cancel_rebuild(connection: Connection, rebuild_id: UUID) -> RebuildView:
    """Asks a rebuild to stop; of one that has ended nothing is changed. Raises NotFound."""
    await connection.execute(_CANCEL_REBUILD, {"rebuild_id": rebuild_id, "ended": list(ENDED)})
    return await view_rebuild(connection, rebuild_id)
