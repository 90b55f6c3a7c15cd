"""Incidents on their way into a table of another house: what it has a column for, and what is lost."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from operator import attrgetter
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from stet.exporters.columns import Column
from stet.exporters.reading import Folded
from stet.incident.claim import Claim
from stet.incident.resolve import Key, Resolved
from stet.incident.summary import finest
from stet.incident.view import StatementView, reactions, statement_views
from stet.values.compare import count_of, time_of
from stet.values.place import Place
from stet.values.time import Time, read_zone
from stet.values.value import Count

LossKind = Literal[
    "several-speakers",
    "status",
    "time-of-day",
    "open-time",
    "open-count",
    "no-best",
    "groups",
    "not-stated",
    "not-representable",
    "direction",
    "history",
    "reactions",
    "left-out",
]
_SURE = ("single-source", "corroborated")
_MICROSECOND = timedelta(microseconds=1)
_SHOWN = 200


class Loss(Struct, frozen=True, kw_only=True):
    """Something that the record says and the row does not, or says otherwise."""

    id: str
    """Of the row."""
    incident_id: str
    column: str | None
    attribute: str | None
    of: str | None
    loss: LossKind
    detail: str


LOSS_COLUMNS = tuple(Column(name, "text", attrgetter(name)) for name in Loss.__struct_fields__)


class Days(NamedTuple):
    """The calendar days between which it happened, in the zone of its time."""

    first: date
    last: date

    @property
    def middle(self) -> date:
        """The day in the middle, or the one before the middle."""
        return self.first + (self.last - self.first) // 2

    @property
    def number(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1


class Lossy:
    """One incident, read value by value: what is never asked for is lost, and said to be."""

    def __init__(self, one: Folded) -> None:
        self.one = one
        self.id = _record_key(one) or str(one.item.incident_id)
        self.losses: list[Loss] = []
        self.statements = list(statement_views(one.state, one.names, one.state.statements.values()))
        self._asked: set[Key] = set()
        self._claims = {
            claim.claim_id: claim for said in one.state.statements.values() for claim in said.claims.values()
        }

    @property
    def live(self) -> list[StatementView]:
        """The statements with a claim that nothing speaks against."""
        return [said for said in self.statements if any(claim.dropped is None for claim in said.claims)]

    def lose(self, loss: LossKind, detail: str, column: str | None = None, key: Key | None = None) -> None:
        """Notes a loss."""
        attribute, of = key or (None, None)
        incident_id = str(self.one.item.incident_id)
        found = Loss(
            id=self.id,
            incident_id=incident_id,
            column=column,
            attribute=attribute,
            of=of,
            loss=loss,
            detail=detail,
        )
        self.losses.append(found)

    def resolved(self, attribute: str, of: str | None = None) -> Resolved | None:
        """What an attribute comes to, if to a value; a status that the table has no place for is lost."""
        key = attribute, of
        found = self.one.resolved.get(key)
        if found is None or found.value is None:
            return None
        if key not in self._asked and found.rule != "all" and found.status not in _SURE:
            self.lose("status", f"{found.status}; {len(found.dissenting)} claims dissent", None, key)
        self._asked.add(key)
        return found

    def plain(self, *attributes: str, join: str = ";") -> Any:
        """The value of the first of some attributes that has one: a quantity by its amount, sources by their names."""
        for name in attributes:
            if (found := self.resolved(name)) and found.value is not None:
                if found.rule != "all":
                    return _plain(msgspec.json.decode(found.value), self.one)
                # As they were named: the value has them in an order of its own.
                given = dict.fromkeys(bytes(claim.value) for claim in self.behind(found))
                return join.join(str(_plain(msgspec.json.decode(value), self.one)) for value in given)
        return None

    def count(self, attribute: str, of: str | None = None) -> Count | None:
        """A count of something; as it was given, where all who support it gave the same: a triple may contradict."""
        found = self.resolved(attribute, of)
        if found is None or found.value is None:
            return None
        given = {bytes(claim.value) for claim in self.behind(found)}
        return count_of(Raw(given.pop()) if len(given) == 1 and not found.pinned_by else found.value)

    def behind(self, resolved: Resolved) -> list[Claim]:
        """The claims that say a value, as recorded."""
        claims = (self._claims[claim_id] for claim_id in resolved.supporting)
        return [claim for claim in claims if claim.scope == "explicit" and claim.act != "deny"]

    def total(self, attribute: str, column: str) -> Count | None:
        """A count of all: of nothing in particular, or else of the groups that there are, as lists show it."""
        if whole := self.count(attribute):
            return whole
        groups = sorted(of for name, of in self.one.resolved if name == attribute and of)
        counts = [count for of in groups if (count := self.count(attribute, of))]
        if len(counts) < 2:
            return counts[0] if counts else None
        self.lose("groups", f"the greatest of {len(counts)} groups is given", column, (attribute, None))
        return Count(min=getattr(self.one.item, attribute).min)

    def days(self, column: str) -> Days | None:
        """When it happened, by the day; what is finer is lost."""
        key = "occurred_at", None
        found = self.resolved(*key)
        when = None if found is None or found.value is None else time_of(found.value)
        if when is None and (shown := self.one.item.occurred):
            when = Time(earliest=shown.earliest, latest=shown.latest)
        known = [at for at in (when.earliest, when.latest) if at] if when else []
        if when is None or not known:
            self.lose("not-stated", "no time is known", column, key)
            return None
        if len(known) < 2:
            self.lose("open-time", "one bound is known, and given for both", column, key)
        zone = read_zone(when.zone, "zone")
        first, last = known[0].astimezone(zone), known[-1].astimezone(zone)
        if not (_is_midnight(first) and _is_midnight(last + _MICROSECOND)):
            self.lose("time-of-day", f"{first.isoformat()} .. {last.isoformat()}", column, key)
        return Days(first.date(), last.date())

    def place(self) -> Place | None:
        """Where it happened: its finest place, in the words of a claim that supports it if it has none of its own."""
        found = finest(self.one.resolved.values())
        if found is None or found.value is None:
            return None
        self.resolved(found.attribute, found.of)
        place = msgspec.json.decode(found.value, type=Place)
        worded = (claim.verbatim for claim in self.behind(found) if claim.verbatim)
        return place if place.verbatim else replace(place, verbatim=next(worded, None))

    def rest(self) -> None:
        """Notes what no table of this kind has a place for, and every attribute that nothing asked for."""
        speakers = sorted({said.speaker.name or str(said.speaker.source_id) for said in self.live})
        if len(speakers) > 1:
            self.lose("several-speakers", "; ".join(speakers))
        changed = sum(
            bool(said.retracts or said.retracted_by or said.superseded_by or said.withdrawn or said.corrections)
            for said in self.statements
        )
        if changed:
            self.lose("history", f"statements that were corrected, taken back, or take another back: {changed}")
        if found := reactions(self.one.state, self.one.names):
            self.lose("reactions", "; ".join(sorted({one.act for one in found})))
        for key, resolved in self.one.resolved.items():
            if key not in self._asked and resolved.value is not None:
                text = str(_plain(msgspec.json.decode(resolved.value), self.one))
                self.lose("left-out", f"{resolved.status}: {text[:_SHOWN]}", None, key)


def number(value: float) -> float:
    """The number, without a fraction that says nothing."""
    return int(value) if value.is_integer() else value


def _plain(value: Any, one: Folded) -> Any:
    match value:
        case {"amount": amount}:
            return number(float(amount))
        case {"source_id": source_id}:
            return one.names.get(UUID(source_id)) or source_id
        case list():
            return ";".join(str(_plain(item, one)) for item in value)
        case bool():
            return int(value)
        case str():
            return value
        case _:
            return msgspec.json.encode(value).decode()


def _is_midnight(at: datetime) -> bool:
    return at.time() == time.min


def _record_key(one: Folded) -> str | None:
    """The key of the row of a data set that the incident was last recorded from."""
    keys = [getattr(getattr(said, "record", None), "key", None) for said in one.state.statements.values()]
    return next((str(key) for key in reversed(keys) if key is not None), None)
