"""What happens in a round: who runs, what is rebuilt, what is killed and when. All of it follows from the seed."""

from __future__ import annotations

from random import Random
from typing import NamedTuple, TypeVar

T = TypeVar("T")
PHASES = ("queued", "copying", "indexing", "catching-up", "comparing", "switching")
_SPANS = {
    "queued": 0.05,
    "copying": 1.2,
    "indexing": 0.25,
    "catching-up": 0.15,
    "comparing": 0.3,
    "switching": 0.05,
}
"""How long after the beginning of a phase it is killed at most, in seconds: about as long as the phase takes."""
_PROJECTIONS = {"incident_history": 5, "source_record": 4, "name_history": 1, "restriction_history": 1}
_OF_REBUILD = {
    "rebuild": 4,
    "rebuild and its copiers": 3,
    "one copier": 1,
    "all copiers": 1,
    "rebuild, a copier paused": 4,
    "backends of the rebuild": 2,
}
_COPYING = ("one copier", "all copiers", "rebuild, a copier paused")
_OF_PHASES: dict[str | None, int] = {None: 1, "queued": 1, "copying": 2, "indexing": 2, "catching-up": 2}
_OF_PHASES |= {"comparing": 2, "switching": 3}
_OF_OTHERS = {"worker": 5, "server": 3, "backends of the worker": 1, "backends of the server": 1}


class Rebuild(NamedTuple):
    """A rebuild, and how it is asked for."""

    projection: str
    by: str
    """`cli`: `stet rebuild`. `api`: by a POST, and a worker runs it."""
    processes: int
    verify_only: bool
    goes_on: str
    """Who goes on with it once it was killed: `cli`, `worker`, or nobody: `cancel`."""

    @property
    def arguments(self) -> list[str]:
        """Of `stet rebuild`, to begin it and to go on with it."""
        return [self.projection, "--workers", str(self.processes), *(["--verify-only"] if self.verify_only else [])]


class Strike(NamedTuple):
    """A moment, and who is killed at it."""

    phase: str | None
    """Of the rebuild; None: only the time counts."""
    delay: float
    victims: tuple[str, ...]

    def __str__(self) -> str:
        return f"{' and '.join(self.victims)} at {self.phase or 'the beginning'} + {self.delay:.2f} s"


class Plan(NamedTuple):
    """A round."""

    number: int
    server_works: bool
    """`stet serve` with a worker in it."""
    workers: int
    """How many `stet worker` there are."""
    rebuild: Rebuild | None
    strikes: tuple[Strike, ...]

    def __str__(self) -> str:
        rebuild = "no rebuild"
        if self.rebuild:
            rebuild = f"{self.rebuild.projection} by {self.rebuild.by} ({self.rebuild.processes})"
            rebuild += ", verify only" if self.rebuild.verify_only else ""
        return f"serve{'' if self.server_works else ' --no-worker'}, {self.workers} worker(s), {rebuild}"


def plan_of(seed: int, number: int) -> Plan:
    """The plan of a round: always the same one for a seed."""
    random = Random(f"{seed} {number}")
    server_works = random.random() < 0.25
    # Without any, what a rebuild leaves behind must be cleared away by the next `stet rebuild` alone.
    workers = _pick(random, {0: 2, 1: 5, 2: 2})
    rebuild = _rebuild(random, works=server_works or workers > 0) if random.random() < 0.75 else None
    strikes = [_strike(random, rebuild) for _ in range(_pick(random, {1: 2, 2: 1}))]
    if rebuild is None and not workers:
        workers = 1
    return Plan(number, server_works, workers, rebuild, tuple(strikes))


def _rebuild(random: Random, *, works: bool) -> Rebuild:
    by = random.choice(("cli", "api")) if works else "cli"
    goes_on = _pick(random, {"cli": 5, "worker": 3 if works else 0, "cancel": 1})
    return Rebuild(_pick(random, _PROJECTIONS), by, random.choice((1, 2, 2)), random.random() < 0.1, goes_on)


def _strike(random: Random, rebuild: Rebuild | None) -> Strike:
    other = _pick(random, _OF_OTHERS)
    if rebuild is None:
        victims = {other, "worker"} if random.random() < 0.3 else {other}
        return Strike(None, random.uniform(0.0, 1.5), tuple(sorted(victims)))
    victim = _pick(random, _OF_REBUILD)
    if victim in _COPYING:
        phase: str | None = "copying"
    else:
        phase = _pick(random, _OF_PHASES)
    delay = random.uniform(0.0, _SPANS.get(phase or "", 3.0))
    return Strike(phase, delay, (victim, other) if random.random() < 0.35 else (victim,))


def _pick(random: Random, weights: dict[T, int]) -> T:
    return random.choices(list(weights), list(weights.values()))[0]
