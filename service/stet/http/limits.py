"""How often one may ask: a bucket of tokens for each key, and for each address without one. Of this process alone."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

_KEPT = 10_000
"""Of how many the process remembers how often they asked; of more, those who asked last."""


class Left(NamedTuple):
    """What is left to one who asks, after this request."""

    allowed: bool
    remaining: int
    reset_s: int
    """Until all of it is there again."""
    burst: int
    window_s: int
    """How long it takes from nothing to all."""

    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers says it."""
        return {
            "ratelimit-policy": f'"requests";q={self.burst};w={self.window_s}',
            "ratelimit": f'"requests";r={self.remaining};t={self.reset_s}',
        }


class Limits:
    """Lets each ask `burst` times at once, and `rate` times a second for as long as he likes."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Tokens, and when they were counted; who asked last is last."""

    def take(self, who: str) -> Left:
        """Counts one request; it is not allowed where nothing was left."""
        at = self._clock()
        tokens, counted = self._buckets.pop(who, (float(self._burst), at))
        tokens = min(float(self._burst), tokens + (at - counted) * self._rate)
        allowed = tokens >= 1.0
        tokens -= allowed
        self._buckets[who] = (tokens, at)
        if len(self._buckets) > _KEPT:
            self._buckets.popitem(last=False)
        reset = math.ceil((self._burst - tokens) / self._rate)
        return Left(allowed, int(tokens), reset, self._burst, math.ceil(self._burst / self._rate))

    @property
    def wait_s(self) -> int:
        """How long one waits at most who has nothing left, in whole seconds."""
        return math.ceil(1 / self._rate)
