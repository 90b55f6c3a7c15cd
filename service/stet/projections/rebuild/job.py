"""What is known of a rebuild: its row, read by anybody, written by the one process that runs it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import psycopg
from msgspec import Meta, Struct

from stet.errors import NotFound, Running
from stet.projections.rebuild.compare import Difference, Digest
from stet.sql import load

READ_REBUILD = load("read_rebuild")
ADD_REBUILD = load("add_rebuild")
FIND_RUNNING = load("find_running")
Phase = Literal[
    "queued",
    "copying",
    "indexing",
    "catching-up",
    "comparing",
    "switching",
    "done",
    "refused",
    "failed",
    "cancelled",
]
_KNOWN = (
    *("rebuild_id", "projection", "version", "phase", "workers", "verify_only", "accept_differences", "cancel"),
    *("requested_at", "started_at", "finished_at", "events_total"),
)
ENDED: tuple[Phase, ...] = ("done", "refused", "failed", "cancelled")


class RebuildRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to rebuild a projection."""

    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    """How many processes fold the log, 1 to 64."""
    verify_only: bool = False
    """Only compare: the live tables stay whatever is found."""
    accept_differences: bool = False
    """Switch although the live rows differ: they were damaged, and what the log gives is right."""


class RebuildView(Struct, frozen=True, kw_only=True):
    """A rebuild, and how far it is."""

    rebuild_id: UUID
    projection: str
    version: int
    phase: Phase
    workers: int
    verify_only: bool
    accept_differences: bool
    cancel: bool
    """It was asked to stop."""
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    events_done: int
    events_total: int
    rate: float | None
    """Events a second, while copying; null before."""
    eta: float | None
    """Seconds until all are copied, at that rate; null when nothing is being copied."""
    parked: int
    """How many streams could not be folded."""
    digests: list[Digest]
    """What was compared; empty before."""
    differences: list[Difference]
    """The first rows in which the live tables and the rebuilt ones differ."""
    error: str | None


def rebuild_view(row: tuple[Any, ...]) -> RebuildView:
    """A rebuild from the columns of `read_rebuild`."""
    *known, seconds, done, parked, digests, differences, error = row
    fields: dict[str, Any] = dict(zip(_KNOWN, known, strict=True))
    total = fields["events_total"]
    rate = round(done / seconds, 1) if seconds else None
    copying = fields["phase"] == "copying"
    return RebuildView(
        **fields,
        events_done=done,
        rate=rate,
        eta=round((total - done) / rate, 1) if copying and rate and done else None,
        parked=parked,
        digests=msgspec.json.decode(digests or "[]", type=list[Digest]),
        differences=msgspec.json.decode(differences or "[]", type=list[Difference]),
        error=error,
    )


def read_rebuild(connection: psycopg.Connection, rebuild_id: UUID) -> RebuildView:
    """A rebuild. Raises NotFound."""
    row = connection.execute(READ_REBUILD, {"rebuild_id": rebuild_id, "projection": None}).fetchone()
    if row is None:
        raise NotFound("there is no such rebuild")
    return rebuild_view(row)


def running_rebuild(connection: psycopg.Connection, projection: str) -> UUID | None:
    """The rebuild of a projection that has not ended."""
    row = connection.execute(FIND_RUNNING, {"projection": projection, "ended": list(ENDED)}).fetchone()
    return row[0] if row else None


def add_parameters(rebuild_id: UUID, projection: str, version: int, asked: RebuildRequest) -> dict[str, Any]:
    """What `add_rebuild` takes. It adds nothing while another rebuild of the projection runs."""
    return {
        "rebuild_id": rebuild_id,
        "projection": projection,
        "version": version,
        "workers": asked.workers,
        "verify_only": asked.verify_only,
        "accept_differences": asked.accept_differences,
    }


def add_rebuild(
    connection: psycopg.Connection, rebuild_id: UUID, projection: str, version: int, asked: RebuildRequest
) -> None:
    """Asks for a rebuild. Raises Running while there is another."""
    if connection.execute(ADD_REBUILD, add_parameters(rebuild_id, projection, version, asked)).rowcount == 0:
        raise running_error(running_rebuild(connection, projection))


def running_error(rebuild_id: UUID | None) -> Running:
    """Why a rebuild cannot be asked for; None: the other one ended at this moment."""
    return Running(f"rebuild {rebuild_id or 'of another'} has not ended: there is one of a projection at a time")
