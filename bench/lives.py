"""What happens to one incident: that it is opened, what is said of it, and what the desk does about that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from stet.codec import AnyEvent
from stet.document.events import VisibilityChanged
from stet.incident.claim import Citation, Claim, Hop, SaidAt
from stet.incident.events import (
    AttributePinned,
    IncidentAmended,
    IncidentOpened,
    IncidentStatusChanged,
    StatementAssessed,
    StatementCorrected,
    StatementRecorded,
    StatementRetracted,
    StatementSuperseded,
    StatementWithdrawn,
)
from stet.ledger.attributes import BUILT_IN
from stet.values.visibility import Visibility

KINDS = ("airstrike", "shelling", "shootdown", "shipwreck", "fire", "crash", "abduction", "protest", "flood", "other")
TAGS = tuple(f"tag-{n}" for n in range(60))
_LENGTHS = (1, 2, 4, 6, 8, 10, 12, 15, 19, 25)
"""How much happens after the opening."""
_STEPS = {"say": 58, "correct": 12, "assess": 8, "close": 6, "amend": 5, "retract": 4, "supersede": 3, "pin": 2}
_STEPS |= {"withdraw": 1, "restrict": 1}
_CLAIMED = {"killed": 60, "occurred_at": 40, "place": 40, "injured": 30, "weapon": 25, "responsible": 25, "intent": 20}
_CLAIMED |= {"cause": 10, "damage": 10, "missing": 5, "detained": 3}
_SYLLABLES = ("ka", "ro", "mi", "ten", "sul", "va", "or", "bel", "ni", "dra", "po", "lis", "ga", "hem", "tur", "ez")
_CLOSE = {"open": "closed", "closed": "open"}


class Append(NamedTuple):
    """Events of one stream that are appended together."""

    at: datetime
    stream: str
    events: tuple[AnyEvent, ...]
    actor: str


class World(NamedTuple):
    """What all incidents share."""

    rng: Random
    sources: list[UUID]
    documents: list[UUID]

    def name(self, number: int) -> str:
        """A made-up word: each number has its own."""
        parts = []
        for _ in range(3):
            number, part = divmod(number, len(_SYLLABLES))
            parts.append(_SYLLABLES[part])
        return "".join(parts).capitalize()

    def words(self, count: int) -> str:
        """Some words of 4,000, the first of them far more often than the last."""
        return " ".join(self.name(int(4_000 * self.rng.random() ** 3)).lower() for _ in range(count))

    def source(self) -> UUID:
        return self.sources[int(len(self.sources) * self.rng.random() ** 2)]


def uuid_at(rng: Random, at: datetime) -> UUID:
    """A UUIDv7 of that moment."""
    random = rng.getrandbits(74)
    return UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | random >> 62 << 64 | 2 << 62 | random & (1 << 62) - 1)


def life(world: World, number: int, opened_at: datetime, ended: datetime) -> Iterator[Append]:
    """All that happens to one incident, in the order of time."""
    rng = world.rng
    one = _Incident(world, uuid_at(rng, opened_at), opened_at)
    yield one.appended(opened_at, one.opened())
    count = _LENGTHS[number % len(_LENGTHS)]
    # Most of it happens soon, some of it years later.
    moments = sorted(opened_at + (ended - opened_at) * rng.random() ** 5 for _ in range(count))
    for at in moments:
        step = rng.choices(tuple(_STEPS), tuple(_STEPS.values()))[0] if one.statements else "say"
        yield one.appended(at, getattr(one, step)(at))


class _Incident:
    def __init__(self, world: World, id_: UUID, opened_at: datetime) -> None:
        self.world, self.rng, self.id = world, world.rng, id_
        self.stream = f"incident:{id_}"
        self.occurred = opened_at - timedelta(hours=self.rng.randint(1, 72))
        self.where = self.rng.uniform(-170, 170), self.rng.triangular(-60, 75, 35)
        self.killed = int(self.rng.paretovariate(1.2)) - 1
        self.status = "open"
        self.statements: list[StatementRecorded] = []
        self.speakers = [world.source() for _ in range(4)]

    def appended(self, at: datetime, events: tuple[AnyEvent, ...]) -> Append:
        return Append(at, self.stream, events, f"editor-{self.rng.randint(1, 9)}")

    def opened(self) -> tuple[AnyEvent, ...]:
        kind = KINDS[int(len(KINDS) * self.rng.random() ** 2)]
        tags = tuple(
            dict.fromkeys(TAGS[int(len(TAGS) * self.rng.random() ** 2)] for _ in range(self.rng.randint(0, 4)))
        )
        return (IncidentOpened(title=f"{kind.capitalize()} at {self.world.words(2)}", kind=kind, tags=tags),)

    def say(self, at: datetime) -> tuple[AnyEvent, ...]:
        return (self._statement(at, self.rng.choice(self.speakers)),)

    def supersede(self, at: datetime) -> tuple[AnyEvent, ...]:
        old = self.rng.choice(self.statements)
        new = self._statement(at, old.speaker)
        superseded = StatementSuperseded(
            statement_id=old.statement_id, superseded_by=new.statement_id, reason="a newer communiqué"
        )
        return new, superseded

    def correct(self, at: datetime) -> tuple[AnyEvent, ...]:
        old = self.rng.choice(self.statements)
        claim = self.rng.choice(old.claims)
        assert claim.attribute
        mended = replace(claim, value=self._value(claim.attribute))
        why = "read again at the source"
        return (StatementCorrected(statement_id=old.statement_id, error="transcription", claims=(mended,), reason=why),)

    def retract(self, at: datetime) -> tuple[AnyEvent, ...]:
        old = self.rng.choice(self.statements)
        return (
            StatementRetracted(
                statement_id=old.statement_id,
                retraction_id=uuid_at(self.rng, at),
                incidents=(self.id,),
                speaker=old.speaker,
                said_at=self._said(at),
                reason="it was taken back",
            ),
        )

    def assess(self, at: datetime) -> tuple[AnyEvent, ...]:
        return (
            StatementAssessed(
                statement_id=self.rng.choice(self.statements).statement_id,
                verification=self.rng.choice(("verified", "in-progress", "discounted", "false")),
                basis="deduced",
                rationale="compared with footage",
            ),
        )

    def close(self, at: datetime) -> tuple[AnyEvent, ...]:
        self.status = _CLOSE[self.status]
        return (IncidentStatusChanged(status=self.status, reason="nothing more is expected, or it is"),)  # type: ignore[arg-type]

    def amend(self, at: datetime) -> tuple[AnyEvent, ...]:
        tags = tuple(sorted(self.rng.sample(TAGS, 3)))
        return (IncidentAmended(title=f"Incident at {self.world.words(3)}", tags=tags, reason="a better title"),)

    def pin(self, at: datetime) -> tuple[AnyEvent, ...]:
        cited = self.rng.choice(self.statements).statement_id
        value = self._value("killed")
        why = "the list of names"
        return (AttributePinned(attribute="killed", type_="count", value=value, cites=(cited,), rationale=why),)

    def withdraw(self, at: datetime) -> tuple[AnyEvent, ...]:
        old = self.statements.pop(self.rng.randrange(len(self.statements)))
        return (StatementWithdrawn(statement_id=old.statement_id, ground="duplicate", reason="recorded twice"),)

    def restrict(self, at: datetime) -> tuple[AnyEvent, ...]:
        of = self.rng.choice(self.statements).statement_id if self.rng.random() < 0.7 else None
        return (VisibilityChanged(statement_id=of, visibility=Visibility(label="amber"), reason="a witness is named"),)

    def _statement(self, at: datetime, speaker: UUID) -> StatementRecorded:
        rng, world = self.rng, self.world
        named = [name for name, percent in _CLAIMED.items() if rng.random() * 100 < percent / 2] or ["killed"]
        cites = rng.random() < 0.3
        recorded = StatementRecorded(
            statement_id=uuid_at(rng, at),
            incidents=(self.id,),
            speaker=speaker,
            chain=(Hop(world.source(), "reporter"),) if rng.random() < 0.4 else (),
            channel=rng.choice(("a briefing", "a post", "an interview", None)),
            said_at=self._said(at),
            verbatim=world.words(rng.randint(6, 30)),
            language="en",
            citation=Citation(document_id=rng.choice(world.documents), version=1) if cites else None,
            claims=tuple(self._claim(name, at) for name in named),
        )
        self.statements.append(recorded)
        return recorded

    def _claim(self, attribute: str, at: datetime) -> Claim:
        act = "assert" if self.rng.random() < 0.9 else self.rng.choice(("confirm", "deny", "purport"))
        type_ = BUILT_IN[attribute].type_
        return Claim(
            claim_id=uuid_at(self.rng, at),
            attribute=attribute,
            type_=type_,
            value=self._value(attribute),
            act=act,  # type: ignore[arg-type]
        )

    def _said(self, at: datetime) -> SaidAt:
        """Mostly just before it was recorded, sometimes long before; known to the minute, or to the day."""
        before = timedelta(minutes=self.rng.randint(5, 2_880))
        if self.rng.random() < 0.1:
            before = (at - self.occurred) * self.rng.random()
        latest = (at - before).replace(microsecond=0)
        return SaidAt(earliest=latest - timedelta(hours=self.rng.choice((0, 0, 0, 6, 24))), latest=latest)

    def _value(self, attribute: str) -> Raw:
        rng = self.rng
        value: object
        match BUILT_IN[attribute].type_:
            case "count":
                least = max(0, self.killed + rng.randint(-2, 3))
                value = {"min": least, "max": least + rng.choice((0, 0, 2, 10))}
            case "time":
                value = self._time()
            case "place":
                value = self._place()
            case "source":
                value = {"source_id": rng.choice(self.speakers)}
            case "term":
                value = rng.choice(("deliberate", "accidental", "negligent"))
            case _:
                value = rng.choice(("a missile", "a drone", "a mine", "artillery", self.world.words(3)))
        return Raw(msgspec.json.encode(value))

    def _time(self) -> dict[str, Any]:
        around = timedelta(minutes=self.rng.choice((5, 30, 720)))
        return {"earliest": self.occurred - around, "latest": self.occurred + around}

    def _place(self) -> dict[str, Any]:
        longitude, latitude = (round(degree + self.rng.gauss(0, 0.02), 5) for degree in self.where)
        level = self.rng.choice(("exact", "vicinity", "settlement", "settlement", "admin2"))
        return {"geometry": {"type": "Point", "coordinates": [longitude, latitude]}, "level": level}
