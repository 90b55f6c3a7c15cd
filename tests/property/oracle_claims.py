"""Claims as the oracle sees them: who said what when, how values are compared, who of the speakers counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from stet.incident.claim import Claim
from stet.values.place import Place
from stet.values.time import Time
from stet.values.value import Count, DocumentValue, Quantity, SourceValue

AFFIRMING = ("assert", "confirm", "admit", "concede")
RESOLVING = (*AFFIRMING, "deny", "purport")
TYPES: dict[str, Any] = {
    "count": Count,
    "time": Time,
    "place": Place,
    "source": SourceValue,
    "document": DocumentValue,
    "quantity": Quantity,
    "term": str,
    "text": str,
    "boolean": bool,
}
ASSESSED = ("reliability", "credibility", "verification", "interest")
Key = tuple[str, str | None]
NO_BEGINNING, NO_END = (0, 0), (2, 0)
"""Bounds are (1, bound), so that they can be compared with these."""


@dataclass
class Said:
    """A statement as it stands."""

    statement_id: UUID
    position: int
    recorded_at: datetime
    incidents: set[UUID]
    speaker: UUID
    speaker_unknown: bool
    chain: list[UUID]
    said_at: Time
    claims: dict[UUID, Claim] = field(default_factory=dict)
    retracts: tuple[UUID, tuple[UUID, ...]] | None = None
    superseded_by: list[UUID] = field(default_factory=list)
    withdrawn: bool = False
    assessments: list[tuple[tuple[UUID, ...], dict[str, Any]]] = field(default_factory=list)

    @property
    def latest(self) -> datetime:
        known = [at for at in (self.recorded_at, self.said_at.best, self.said_at.earliest) if at is not None]
        return self.said_at.latest or max(known)

    @property
    def order(self) -> tuple[Any, ...]:
        return (*self.newness, self.position)

    @property
    def newness(self) -> tuple[Any, ...]:
        earliest = self.said_at.earliest
        return self.latest, NO_BEGINNING if earliest is None else (1, earliest)


@dataclass
class Spoken:
    """A claim, and who said it when."""

    said: Said
    claim: Claim

    @property
    def explicit(self) -> bool:
        return self.claim.scope == "explicit"


def assessed(spoken: Spoken) -> dict[str, Any]:
    """What all assessments of a claim come to."""
    fields = dict.fromkeys(ASSESSED)
    for claim_ids, judged in spoken.said.assessments:
        if not claim_ids or spoken.claim.claim_id in claim_ids:
            fields.update(judged)
    return fields


def decoded(raw: msgspec.Raw, type_: str) -> Any:
    return msgspec.json.decode(raw, type=TYPES[type_])


def value_of(spoken: Spoken) -> Any:
    return decoded(spoken.claim.value, spoken.claim.type_)


def canonical(value: Any) -> bytes:
    """The bytes by which values are compared: without their wording."""
    if isinstance(value, Time):
        value = replace(value, verbatim=None, zone=None, edtf=None, anchor=None)
    if isinstance(value, Place):
        value = replace(value, verbatim=None)
    return msgspec.json.encode(value)


def by_value(claims: list[Spoken]) -> dict[bytes, list[Spoken]]:
    found: dict[bytes, list[Spoken]] = {}
    for spoken in claims:
        found.setdefault(canonical(value_of(spoken)), []).append(spoken)
    return dict(sorted(found.items()))


def interval(value: Any) -> tuple[Any, Any]:
    """The ends of a count or a time."""
    if isinstance(value, Time):
        first, last = value.earliest, value.latest
    elif value.inconsistent:
        known = [number for number in (value.min, value.best, value.max) if number is not None]
        first, last = min(known), max(known)
    else:
        first, last = value.min, value.max
    return NO_BEGINNING if first is None else (1, first), NO_END if last is None else (1, last)


def newest_per_speaker(claims: list[Spoken]) -> list[Spoken]:
    """Of each speaker what he said last. What was only implied displaces nothing that was said."""
    counting = []
    for spoken in claims:
        mine = [other for other in claims if other.said.speaker == spoken.said.speaker]
        said = [other.said.order for other in mine if other.explicit]
        implied = [other.said.order for other in mine if not other.explicit]
        if said and spoken.said.order == max(said):
            counting.append(spoken)
        if not spoken.explicit and spoken.said.order == max(implied) and (not said or max(implied) > max(said)):
            counting.append(spoken)
    return counting


def speakers_behind(supporting: list[Spoken]) -> set[UUID]:
    """The speakers who said it, less those who pass on another's word, less the unknown beside the known."""
    said = [spoken for spoken in supporting if spoken.explicit]
    speakers = {spoken.said.speaker for spoken in said}
    for speaker in list(speakers):
        if any(speaker in other.said.chain and other.said.speaker != speaker for other in supporting):
            speakers.discard(speaker)
    known = {spoken.said.speaker for spoken in said if not spoken.said.speaker_unknown}
    return speakers & known or speakers


def how_many(supporting: list[Spoken]) -> int:
    if not any(spoken.explicit for spoken in supporting):
        return 0
    return max(1, len(speakers_behind(supporting)))
