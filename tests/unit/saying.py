"""Streams of an incident in a line or two: `told(say("AZ", killed=2), say("RU", killed=(1, 3), via=["OUT"]))`.

The statements of a stream are numbered from 1 in the order in which they are recorded, retractions and those that are
moved in too. The nth was said at n o'clock of the ninth, if nothing else is said. Its claims are named "1", "1b", "1c".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Raw
from tests.strategies import json, uuid
from tests.unit.recording import record

from stet.envelope import Recorded
from stet.incident.claim import Claim, Hop, SaidAt
from stet.incident.events import (
    AttributePinned,
    AttributeUnpinned,
    IncidentOpened,
    StatementAssessed,
    StatementCorrected,
    StatementFields,
    StatementMovedIn,
    StatementMovedOut,
    StatementRecorded,
    StatementReinstated,
    StatementRetracted,
    StatementSuperseded,
    StatementWithdrawn,
)
from stet.incident.statement import Statement
from stet.ledger.attributes import BUILT_IN
from stet.values.value import parse_value, stored

HERE, THERE, ELSEWHERE = uuid(1), uuid(2), uuid(3)
"""The incident of the streams, and two others."""
SOURCES = {name: uuid(0x200 + n) for n, name in enumerate(("AZ", "RU", "AM", "FR", "OUT", "TASS", "LOCALS", "CROWD"))}
OWN = {
    "rank": ("text", "graded"),
    "toll": ("count", "graded"),
    "phase": ("text", "latest"),
    "seen": ("boolean", "majority"),
    "moment": ("time", "majority"),
    "spot": ("place", "majority"),
    "report": ("document", "majority"),
    "blamed": ("source", "all"),
    "spots": ("place", "all"),
}
"""Attributes that the ledger defined."""
MIDNIGHT = datetime(2020, 11, 9, tzinfo=UTC)
Act = Callable[["Telling"], Any]


@dataclass
class Telling:
    """How far a stream has come."""

    statements: int = 0


@dataclass(frozen=True)
class Put:
    """A value that is put in another way than the rest of its statement."""

    value: Any
    how: dict[str, Any]


def put(value: Any, **how: Any) -> Put:
    """`killed=put(2, act="deny", of="crew")`."""
    return Put(value, how)


def hour(n: float) -> str:
    """An hour of the ninth, as JSON."""
    return instant(n).isoformat().replace("+00:00", "Z")


def instant(n: float) -> datetime:
    return MIDNIGHT + timedelta(hours=n)


def count(low: int, high: int | None = None, **more: Any) -> dict[str, Any]:
    return {"min": low, **({} if high is None else {"max": high}), **more}


def during(first: float | None, last: float | None, **more: Any) -> dict[str, Any]:
    """A time between two hours; None is not known."""
    known = {"earliest": first, "latest": last}
    return {name: hour(n) for name, n in known.items() if n is not None} | more


def near(longitude: float, latitude: float, **more: Any) -> dict[str, Any]:
    return {"geometry": {"type": "Point", "coordinates": [float(longitude), float(latitude)]}, **more}


def source(name: str) -> dict[str, Any]:
    return {"source_id": str(SOURCES[name])}


def statement_id(n: int) -> UUID:
    return uuid(0x300 + n)


def claim_id(name: str) -> UUID:
    """The id of "1", the first claim of the first statement, or of its second, "1b"."""
    number = name.rstrip("abcdefgh")
    return uuid(0x1000 + 16 * int(number) + ord(name[len(number) :] or "a") - ord("a"))


def claim_ids(names: str) -> tuple[UUID, ...]:
    return tuple(claim_id(name) for name in names.split())


def slot(attribute: str) -> dict[str, Any]:
    """The name, type and rule of an attribute as the events have them."""
    if attribute in OWN:
        type_, rule = OWN[attribute]
        return {"attribute": attribute, "type_": type_, "rule": rule}
    return {"attribute": attribute, "type_": BUILT_IN[attribute].type_}


def full(value: Any, type_: str) -> Raw:
    """What is stored of a value; a bare number is a count of exactly that, a bare name a source."""
    if type_ == "count" and isinstance(value, int):
        value = count(value, value)
    if type_ == "source":
        value = source(value)
    return stored(parse_value(type_, json(value), (), "value"))  # type: ignore[arg-type]


def said_at(at: Any) -> SaidAt:
    """At an hour, between two, or unknown."""
    first, last = at if isinstance(at, tuple) else (at, at)
    return SaidAt(**{n: instant(t) for n, t in (("earliest", first), ("latest", last)) if t is not None})


def _claims(n: int, how: dict[str, Any], attributes: dict[str, Any], first: int = 0) -> tuple[Claim, ...]:
    made: list[Claim] = []
    for attribute, given in attributes.items():
        for value in given if isinstance(given, list) else [given]:
            one = value if isinstance(value, Put) else Put(value, {})
            name = f"{n}{chr(ord('a') + first + len(made))}"
            parts = {**slot(attribute), **how, **one.how}
            made.append(Claim(claim_id=claim_id(name), value=full(one.value, parts["type_"]), **parts))
    return tuple(made)


def _speech(n: int, speaker: str, at: Any, via: list[str], unknown: bool) -> dict[str, Any]:
    return {
        "incidents": (HERE,),
        "speaker": SOURCES[speaker],
        "speaker_unknown": unknown,
        "chain": tuple(Hop(SOURCES[name], "relay" if name != "OUT" else "reporter") for name in via),
        "said_at": said_at(n if at == "then" else at),
    }


def say(
    speaker: str, at: Any = "then", via: list[str] | None = None, unknown: bool = False, how: Any = None, **values: Any
) -> Act:
    """A statement. Each attribute has a value or a list of them; `how` is for all: `how={"act": "deny"}`."""

    def make(telling: Telling) -> StatementRecorded:
        n = telling.statements = telling.statements + 1
        speech = _speech(n, speaker, at, via or [], unknown)
        return StatementRecorded(statement_id=statement_id(n), claims=_claims(n, how or {}, values), **speech)

    return make


def deny(speaker: str, **more: Any) -> Act:
    return say(speaker, how={"act": "deny"}, **more)


def imply(speaker: str, **more: Any) -> Act:
    return say(speaker, how={"scope": "implied"}, **more)


def admit(speaker: str, **more: Any) -> Act:
    return say(speaker, how={"act": "admit"}, **more)


def purport(speaker: str, **more: Any) -> Act:
    return say(speaker, how={"act": "purport"}, **more)


def retract(speaker: str, n: int, claims: str = "", at: Any = "then") -> Act:
    """A speaker takes back the nth statement, or some of its claims."""

    def make(telling: Telling) -> StatementRetracted:
        own = telling.statements = telling.statements + 1
        return StatementRetracted(
            statement_id=statement_id(n),
            claim_ids=claim_ids(claims),
            retraction_id=statement_id(own),
            reason="He said so.",
            **_speech(own, speaker, at, [], False),
        )

    return make


def _desk(kind: Any, n: int, **fields: Any) -> Act:
    return lambda telling: kind(statement_id=statement_id(n), **fields)


def supersede(n: int, by: int) -> Act:
    return _desk(StatementSuperseded, n, superseded_by=statement_id(by), reason="He says so.")


def withdraw(n: int) -> Act:
    return _desk(StatementWithdrawn, n, ground="duplicate", reason="Twice.")


def reinstate(n: int) -> Act:
    return _desk(StatementReinstated, n, reason="Not twice.")


def assess(n: int, claims: str = "", **judged: Any) -> Act:
    return _desk(StatementAssessed, n, claim_ids=claim_ids(claims), basis="deduced", rationale="It is plain.", **judged)


def correct(n: int, *, remove: str = "", add: int = 0, how: Any = None, **more: Any) -> Act:
    """Our record of the nth was wrong: its speaker, when it was said, its claims. The first `add` claims stay."""
    fields: dict[str, Any] = {}
    if "speaker" in more:
        fields |= {"speaker": SOURCES[more.pop("speaker")], "speaker_unknown": more.pop("unknown", False)}
    if "at" in more:
        fields["said_at"] = said_at(more.pop("at"))
    if "via" in more:
        fields["chain"] = tuple(Hop(SOURCES[name], "relay") for name in more.pop("via"))
    return _desk(
        StatementCorrected,
        n,
        error="transcription",
        set=StatementFields(**fields),
        claims=_claims(n, how or {}, more, add),
        remove_claims=claim_ids(remove),
        reason="Misread.",
    )


def move_out(n: int, whence: UUID = HERE, whither: UUID = THERE) -> Act:
    return _desk(StatementMovedOut, n, from_incident=whence, to_incident=whither, reason="Another one.")


def move_in(speaker: str, position: int = 1, at: Any = "then", via: list[str] | None = None, **more: Any) -> Act:
    """A statement comes from another incident, with `carried` as what had happened to it there.

    One that was here before, the nth, is `back=n`.
    """
    carried, how, back = more.pop("carried", {}), more.pop("how", {}), more.pop("back", None)

    def make(telling: Telling) -> StatementMovedIn:
        telling.statements += 0 if back else 1
        n = back or telling.statements
        claims = {claim.claim_id: claim for claim in _claims(n, how, more)}
        statement = Statement(
            statement_id=statement_id(n),
            position=position,
            recorded_at=MIDNIGHT + timedelta(days=1),
            claims=claims,
            **_speech(n, speaker, at, via or [], False),
            **carried,
        )
        return StatementMovedIn(statement=statement, from_incident=ELSEWHERE, reason="This one.")

    return make


def pin(attribute: str, value: Any, cites: list[int], of: str | None = None) -> Act:
    parts = slot(attribute)
    return lambda telling: AttributePinned(
        **parts, of=of, value=full(value, parts["type_"]), cites=tuple(map(statement_id, cites)), rationale="Seen."
    )


def unpin(attribute: str, of: str | None = None) -> Act:
    return lambda telling: AttributeUnpinned(attribute=attribute, of=of, reason="Not so sure.")


def told(*acts: Act) -> list[Recorded[Any]]:
    """The events of the incident's stream."""
    telling = Telling()
    opened = IncidentOpened(title="Mi-24 shot down", kind="shootdown")
    return record(f"incident:{HERE}", opened, *(act(telling) for act in acts))
