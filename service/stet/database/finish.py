"""Lets what was begun on a connection come to its end, also where nobody waits for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_running: set[asyncio.Task[Any]] = set()


async def finished(reading: Coroutine[Any, Any, T]) -> T:
    """What the coroutine gives. Who is cancelled meanwhile leaves it to finish by itself.

    A stream is cancelled when its client goes away, again and again until it has ended. psycopg cannot clean up under
    that: it closes the connection, or the pool gets it back in the middle of a transaction, and gives it to the next.
    """
    task = asyncio.create_task(reading)
    _running.add(task)  # the loop itself keeps no task alive
    task.add_done_callback(_running.discard)
    return await asyncio.shield(task)
