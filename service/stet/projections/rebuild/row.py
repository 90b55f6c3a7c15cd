"""The row of a rebuild in the hands of the one process that runs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from stet.projections.rebuild.job import Phase, RebuildView, read_rebuild

_TOLD_S = 0.2


class Ended(Exception):
    """The rebuild is over; the phase says how."""

    def __init__(self, phase: Phase, **columns: Any) -> None:
        super().__init__(phase)
        self.phase = phase
        self.columns = columns


class Stopped(Exception):
    """Whoever runs it must stop. The rebuild stays as it is, and can be gone on with."""


class RebuildRow:
    """What is written of a rebuild while it runs, and what is asked of it."""

    def __init__(
        self,
        connection: psycopg.Connection,
        rebuild_id: UUID,
        stop: Callable[[], bool],
        tell: Callable[[RebuildView], None],
    ) -> None:
        self._connection = connection
        self._stop = stop
        self._tell = tell
        self._told = 0.0
        self.view = read_rebuild(connection, rebuild_id)

    def going(self) -> bool:
        """Raises Stopped when whoever runs it must stop, Ended when it was cancelled; else tells how far it is."""
        if self._stop():
            raise Stopped
        if time.monotonic() - self._told > _TOLD_S:
            self._told = time.monotonic()
            self._read()
        if self.view.cancel:
            raise Ended("cancelled")
        return True

    def enter(self, phase: Phase, **columns: Any) -> None:
        """Another phase, and what is known with it."""
        self.note(phase=phase, **columns)
        self._read()

    def note(self, **columns: Any) -> None:
        """Sets columns; the text `now` is the time."""
        values = {
            name: sql.SQL("now()") if value == "now" else sql.Placeholder(name) for name, value in columns.items()
        }
        assignments = [sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in values.items()]
        statement = sql.SQL("UPDATE stet.rebuild SET {} WHERE rebuild_id = {}")
        self._connection.execute(
            statement.format(sql.SQL(", ").join(assignments), sql.Placeholder("rebuild_id")),
            columns | {"rebuild_id": self.view.rebuild_id},
        )

    def _read(self) -> None:
        self.view = read_rebuild(self._connection, self.view.rebuild_id)
        self._tell(self.view)
