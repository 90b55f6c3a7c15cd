"""Keeps the trees up with their logs. Of all processes of a database one does, by an advisory lock."""

from __future__ import annotations

import logging
from threading import Event, Thread
from uuid import UUID

import psycopg

from stet.database.attend import attend
from stet.errors import CorruptLog, Unavailable
from stet.proofs.integrate import integrate
from stet.proofs.keys import SigningKey, agreed_keys
from stet.settings import Settings
from stet.sql import load

_FIND_UNSIGNED = load("find_unsigned")
_LEAD = load("lead")
_STOP_LEADING = load("stop_leading")
_log = logging.getLogger("stet.signer")


class Signer:
    """Signs until it is told to stop: a checkpoint a second and ledger, where the log has grown."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        self._stop = Event()
        self._told: dict[UUID | None, str] = {}
        """What is wrong with a ledger, or with the keys, as it was said last."""

    def start(self) -> Thread:
        """Runs in a thread of its own."""
        thread = Thread(target=self.run, name="stet signer", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Makes `run` return, within a second."""
        self._stop.set()

    def run(self) -> None:
        """Signs until it is stopped."""
        attend(self._url, "stet signer", self._once, self._stop)

    def _once(self, connection: psycopg.Connection) -> bool:
        """A batch of each ledger that is behind, in turn. Whether more is left."""
        row = connection.execute(_LEAD, {"name": "signed_checkpoint"}).fetchone()
        if not (row and row[0]):
            return False
        behind = connection.execute(_FIND_UNSIGNED).fetchall()
        if not behind:
            return False
        if not (keys := self._keys(connection)):
            # Another process may have them.
            connection.execute(_STOP_LEADING)
            return False
        taken = [self._take(connection, id_, keys) for (id_,) in behind if not self._stop.is_set()]
        return any(taken)

    def _keys(self, connection: psycopg.Connection) -> list[SigningKey]:
        """Read each time: a key that is rotated signs at once."""
        try:
            return agreed_keys(connection, self._settings)
        except Unavailable as error:
            self._tell(None, f"nothing is signed: {error}")
            return []

    def _take(self, connection: psycopg.Connection, ledger_id: UUID, keys: list[SigningKey]) -> bool:
        try:
            return integrate(connection, ledger_id, keys)
        except CorruptLog as error:
            self._tell(ledger_id, f"ledger {ledger_id}: {error}")
            return False

    def _tell(self, what: UUID | None, text: str) -> None:
        """Once, and not each second."""
        if self._told.get(what) != text:
            self._told[what] = text
            _log.error("%s", text)
