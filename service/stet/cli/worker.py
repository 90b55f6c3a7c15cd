"""`stet worker`: what keeps projections up with the log, in a process of its own or beside the API."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from stet.cli.database import database
from stet.cli.terminal import say
from stet.keys.text import masked
from stet.projections.worker import Worker
from stet.proofs.signer import Signer
from stet.settings import Settings
from stet.webhooks.sender import Sender


def work_here(settings: Settings) -> int:
    """Works until SIGINT or SIGTERM. One line on stdout says when it has begun."""
    log_lines()
    with database(settings) as url, working(url, settings):
        print("The worker is ready", flush=True)
        try:
            Event().wait()
        except KeyboardInterrupt:
            say("the worker has stopped")
    return 0


@contextmanager
def working(url: str, settings: Settings, *, at_all: bool = True) -> Iterator[None]:
    """What keeps projections, sends webhooks and signs checkpoints, each in a thread, until the block ends."""
    if not at_all:
        yield
        return
    working_ones = Worker(url), Sender(url, settings), Signer(url, settings)
    threads = [one.start() for one in working_ones]
    try:
        yield
    finally:
        for one in working_ones:
            one.stop()
        for thread in threads:
            thread.join()


class _Masked(logging.Formatter):
    """Whatever is logged: no key is in it, wherever somebody put one."""

    def __init__(self, secret: str | None) -> None:
        super().__init__("%(message)s")
        self._secret = secret

    def format(self, record: logging.LogRecord) -> str:
        text = masked(super().format(record))
        return text.replace(self._secret, "***") if self._secret else text


def log_lines(secret: str | None = None) -> None:
    """Everything that is logged, a line each, on stderr, without the secret and without keys."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Masked(secret))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    # A line says nothing of where in the code it was written, or by which thread: it is not to be found out for each.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for chatty in ("httpx", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
