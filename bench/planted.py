"""A slow-down that is put into a path on purpose, to show that it would be noticed.

`python -m bench.planted MODULE:NAME COMMAND…` runs a command of `stet` with it.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any


def slow_down(where: str) -> None:
    """Makes a function, `module:name`, take twice the time that it takes: afterwards it is busy for as long again."""
    module, _, name = where.partition(":")
    owner = import_module(module)
    *path, last = name.split(".")
    for one in path:
        owner = getattr(owner, one)
    setattr(owner, last, _twice(getattr(owner, last)))


def _twice(function: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):
        # Two arguments at least: a server that calls an application with none, to see whether it makes one, is refused.
        @wraps(function)
        async def slow_async(first: Any, second: Any, /, *arguments: Any, **named: Any) -> Any:
            if isinstance(second, dict) and second.get("type") == "lifespan":
                return await function(first, second, *arguments, **named)
            began = time.perf_counter()
            try:
                return await function(first, second, *arguments, **named)
            finally:
                _be_busy(time.perf_counter() - began)

        return slow_async

    @wraps(function)
    def slow(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            _be_busy(time.perf_counter() - began)

    return slow


def _be_busy(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


if __name__ == "__main__":
    from stet.cli import main

    slow_down(sys.argv[1])
    main(sys.argv[2:])
