"""When a message that could not be delivered is tried again."""

from __future__ import annotations

from msgspec import Struct


class Patience(Struct, frozen=True, kw_only=True):
    """How long to wait between attempts, and until when; all in seconds."""

    first: float = 5.0
    factor: float = 3.0
    longest: float = 6 * 3600.0
    """Between two attempts."""
    in_all: float = 3 * 86_400.0
    """From the first attempt on. What fails after that pauses the webhook."""
    spacing: float = 0.1
    """Between messages of different streams to a receiver that fails: it is doubled with each that fails in a row."""
    widest: float = 30.0
    """Of these spaces."""


PATIENCE = Patience()


def wait_after(
    attempts: int, tried_for: float, chance: float, asked: float = 0.0, patience: Patience = PATIENCE
) -> float | None:
    """Seconds until the next attempt, after so many that failed in so many seconds. None: it was tried for long enough.

    `chance`, from 0 to 1, spreads the waits over 80 to 120 %, so that those who failed together do not come back
    together. `asked` is what the receiver asked for by Retry-After.
    """
    if tried_for >= patience.in_all:
        return None
    # The exponent is bounded, for a float is.
    planned = min(patience.longest, patience.first * patience.factor ** min(attempts - 1, 50)) * (0.8 + 0.4 * chance)
    return max(planned, min(asked, patience.longest))


def space_after(failures: int, patience: Patience = PATIENCE) -> float:
    """Seconds that a receiver is left alone after so many failures in a row, of whatever streams."""
    return min(patience.widest, patience.spacing * 2.0 ** min(failures - 1, 50)) if failures else 0.0
