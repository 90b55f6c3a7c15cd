"""`stet worker`: what keeps projections up with the log, in a process of its own or beside the API."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from stet.cli.database import database
from stet.cli.terminal import say
from stet.projections.worker import Worker
from stet.settings import Settings


def work_here(settings: Settings) -> int:
    """Works until SIGINT or SIGTERM. One line on stdout says when it has begun."""
    log_lines()
    with database(settings) as url, working(url):
        print("The worker is ready", flush=True)
        try:
            Event().wait()
        except KeyboardInterrupt:
            say("the worker has stopped")
    return 0


@contextmanager
def working(url: str, *, at_all: bool = True) -> Iterator[None]:
    """A worker in a thread of this process, until the block ends."""
    if not at_all:
        yield
        return
    worker = Worker(url)
    thread = worker.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


def log_lines() -> None:
    """Everything that is logged, a line each, on stderr."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    for chatty in ("httpx", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
