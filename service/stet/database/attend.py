"""Work that goes on behind the log, in a thread of its own: when the doorbell rings, and once a second anyhow."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event

import psycopg

from stet.database.doorbell import CHANNEL, POLL_S
from stet.database.pool import as_role

_LISTEN_S = 0.2
_RECONNECT_S = 1.0


def attend(url: str, name: str, once: Callable[[psycopg.Connection], bool], stop: Event) -> None:
    """Calls `once` with a connection of stet_worker until `stop` is set: at once again where it says that more is left.

    Without the database it tries again, and again; it returns within a second of the stop.
    """
    log = logging.getLogger(name.replace(" ", "."))
    while not stop.is_set():
        try:
            with psycopg.connect(url, autocommit=True, application_name=name) as connection:
                as_role(connection, "stet_worker")
                connection.execute(f"LISTEN {CHANNEL}".encode())
                while not stop.is_set():
                    if not once(connection):
                        _sleep(connection, stop)
        except psycopg.OperationalError as error:
            log.warning("%s waits for the database: %s", name, str(error).partition("\n")[0])
        except Exception:
            # What ends helps nobody: what is wrong may be mended, and stands in the log until then.
            log.exception("%s failed, and tries again", name)
        stop.wait(_RECONNECT_S)


def _sleep(connection: psycopg.Connection, stop: Event) -> None:
    """Until the doorbell rings, or a second has passed."""
    until = time.monotonic() + POLL_S
    while not stop.is_set() and time.monotonic() < until:
        if list(connection.notifies(timeout=_LISTEN_S, stop_after=1)):
            return
