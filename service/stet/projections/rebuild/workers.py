"""The processes that copy the shares of a rebuild: started, watched, started again when they are killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from uuid import UUID

from stet.errors import StetError

_POLL_S = 0.1
_STARTS = 4
"""How often the process of one share is started before the rebuild is given up."""


def copy_all(url: str, rebuild_id: UUID, shares: list[int], going: Callable[[], bool]) -> None:
    """Copies all shares, each in a process. `going` is asked several times a second; false: they are ended.

    Raises StetError with what the process said, when that of one share fails again and again.
    """
    running: dict[int, _Copier] = {}
    try:
        for share in shares:
            running[share] = _Copier(url, rebuild_id, share)
        while running and going():
            for share, copier in list(running.items()):
                if copier.ended():
                    del running[share]
            time.sleep(_POLL_S)
    finally:
        for copier in running.values():
            copier.stop()


class _Copier:
    """The process of one share."""

    def __init__(self, url: str, rebuild_id: UUID, share: int) -> None:
        self._environment = {**os.environ, "STET_DATABASE_URL": url}
        self._command = [sys.executable, "-m", "stet.projections.rebuild.copy", str(rebuild_id), str(share)]
        self._command.append(str(os.getpid()))
        self._starts = 0
        self._start()

    def _start(self) -> None:
        self._starts += 1
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - our own
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._said, env=self._environment
        )

    def ended(self) -> bool:
        """Whether the share is copied. Starts the process again if it was killed, or failed."""
        status = self._process.poll()
        if status is None:
            return False
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        self._said.close()
        if status == 0:
            return True
        if self._starts >= _STARTS:
            raise StetError(f"a worker of the rebuild failed {_STARTS} times: {said.rpartition(chr(10))[2] or status}")
        self._start()
        return False

    def stop(self) -> None:
        """Ends the process: what it has not committed is lost, and copied again."""
        self._process.kill()
        self._process.wait()
        self._said.close()
