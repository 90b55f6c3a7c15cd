"""Which claims stand when: the claims of an incident by attribute and speaker, and by when they were said.

It is changed in place with the incident, at the cost of what changes, and tells for which said times that matters.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from stet.incident.live import superseding
from stet.incident.resolve import Key, Outcome, outcome
from stet.incident.rules import Voice
from stet.incident.spoken import ORDER, Span, Spoken, counting, differ_since, newness, said_of, says, spans
from stet.incident.state import Incident, Pin
from stet.incident.statement import Statement
from stet.incident.summary import family_of, names_of
from stet.values.compare import BEGINNING, END

Changed = Mapping[UUID, tuple[Statement | None, Statement | None]]
"""Statements before and after: None where there is none."""


class Standing:
    """All that an incident's statements say, ready to be asked what counts at a said time."""

    def __init__(self) -> None:
        self._state = Incident()
        self._spoken: dict[UUID, dict[Key, Spoken]] = {}
        self._by_key: dict[Key, dict[UUID, list[Spoken]]] = {}
        self._keys: dict[str, list[Key]] = {}
        """By family, in order."""
        self._order: list[tuple[datetime, UUID]] = []
        """Every statement by when it was said."""
        self._taking_back: dict[UUID, list[UUID]] = {}
        """For each statement the retractions of it."""
        self._superseding: dict[UUID, list[UUID]] = {}
        """For each statement those that it supersedes."""
        self._pins: dict[Key, tuple[Pin, datetime]] = {}
        """The pins that speak, and from when on: from the first that was said of what they cite."""

    @classmethod
    def of(cls, state: Incident, after: Incident, changed: Changed) -> Standing:
        """Of an incident as it is, as much as it takes to tell what changes with some statements, and with its pins.

        Of what was said before them it knows only what can count since.
        """
        made = cls()
        made._state = state
        for one in state.statements.values():
            if one.superseded or one.retracts:
                made._refer(one)
        bodies = [one for pair in changed.values() for one in pair if one]
        since = min((said_of(one) for one in bodies), default=END)
        if state.merged_into or state.pins != after.pins:
            since = BEGINNING
        affected = {*changed, *(one.retracts.statement_id for one in bodies if one.retracts)}
        affected |= {older for id_ in changed for older in made._superseding.get(id_, ())}
        # What was merged comes back with all that it holds.
        affected |= state.statements.keys() if state.merged_into else set()
        bodies += [state.statements[id_] for id_ in affected if id_ in state.statements]
        about = {family_of(claim.attribute) for one in bodies for claim in one.claims.values() if claim.attribute}
        about |= {family_of(pin.attribute) for pin in (*state.pins, *after.pins)}
        made._hold(affected, about, since)
        made._pin_again(state)
        return made

    def _hold(self, affected: Collection[UUID], about: Collection[str], since: datetime) -> None:
        """Enters what is said on some families, and can count since a said time, or is of some statements."""
        names = {name for family in about for name in names_of(family)}
        before: dict[Key, dict[UUID, list[Statement]]] = {}
        first: tuple[datetime, UUID] | None = None
        for id_, one in self._state.statements.items():
            said = said_of(one)
            if said >= since:
                self._order.append((said, id_))
            elif first is None or said < first[0]:
                first = said, id_
            if said >= since or id_ in affected:
                self._enter(one, names)
                continue
            for claim in one.claims.values():
                if claim.attribute in names:
                    before.setdefault((claim.attribute, claim.of), {}).setdefault(one.speaker, []).append(one)
        self._order = sorted([*self._order, *([first] if first else [])])
        for key, speakers in before.items():
            for its in speakers.values():
                self._enter_newest(key, its, names)

    def _enter_newest(self, key: Key, its: list[Statement], names: Collection[str]) -> None:
        """Enters of what a speaker said on an attribute the newest, and what counts if that does not."""
        for one in sorted(its, key=newness, reverse=True):
            if one.statement_id not in self._spoken:
                self._enter(one, names)
            entry = self._spoken[one.statement_id].get(key)
            if entry and entry.displaces(key):
                return

    def _enter(self, statement: Statement, names: Collection[str]) -> None:
        self._spoken[statement.statement_id] = found = self._says(statement)
        for key, entry in found.items():
            if key[0] in names:
                self._add(key, entry)

    @property
    def begins(self) -> datetime | None:
        """When the first statement was said; None: nothing was."""
        return self._order[0][0] if self._order else None

    def change(self, after: Incident, changed: Changed) -> dict[str, list[Span]]:
        """Takes the statements that changed, and the pins of the incident.

        For each family of attributes the said times at which it may come to something else.
        """
        self._state = after
        affected = dict.fromkeys(changed)
        for id_, (old, new) in changed.items():
            affected |= dict.fromkeys(self._unlink(old) if old else ())
            affected |= dict.fromkeys(self._link(new) if new else ())
            affected |= dict.fromkeys(self._superseding.get(id_, ()))
        found: dict[str, list[Span]] = {}
        for id_ in affected:
            for key, its in self._say_again(id_, after.statements.get(id_)):
                found.setdefault(family_of(key[0]), []).extend(its)
        for key, span in self._pin_again(after):
            found.setdefault(family_of(key[0]), []).append(span)
        return found

    def families(self) -> Iterator[str]:
        """All families of attributes that anything is said on, or pinned."""
        return iter(list(self._keys))

    def told(self, family: str, at: datetime) -> list[Outcome]:
        """What a family of attributes comes to at a said time, in order."""
        found = []
        for key in self._keys.get(family, ()):
            pin, since = self._pins.get(key, (None, END))
            spoke = pin if since <= at else None
            claims = [] if spoke else self._counting(key, at)
            if spoke or claims:
                found.append(outcome(key, claims, spoke))
        return found

    def steps(self, family: str, after: datetime, before: datetime) -> set[datetime]:
        """The said times between two at which a family of attributes may come to something else."""
        keys = self._keys.get(family, ())
        found = {since for key in keys if key in self._pins and after < (since := self._pins[key][1]) < before}
        for n in range(bisect_right(self._order, after, key=itemgetter(0)), len(self._order)):
            said, id_ = self._order[n]
            if said >= before:
                break
            if said not in found and any(key in keys for key in self._touched(id_)):
                found.add(said)
        return found

    def copy(self) -> Standing:
        """One that changes apart from this."""
        made = Standing()
        made._state = self._state
        made._spoken, made._order, made._pins = dict(self._spoken), list(self._order), dict(self._pins)
        made._by_key = {key: {id_: list(its) for id_, its in found.items()} for key, found in self._by_key.items()}
        made._keys = {family: list(keys) for family, keys in self._keys.items()}
        made._taking_back = {id_: list(ids) for id_, ids in self._taking_back.items()}
        made._superseding = {id_: list(ids) for id_, ids in self._superseding.items()}
        return made

    def _counting(self, key: Key, at: datetime) -> list[Voice]:
        """The claims on an attribute that count at a said time."""
        return [one for entries in self._by_key.get(key, {}).values() for one in counting(key, entries, at)]

    def _touched(self, id_: UUID) -> Iterator[Key]:
        """The attributes that can change when a statement comes to be kept."""
        statement = self._state.statements[id_]
        yield from self._spoken.get(id_, ())
        if statement.retracts:
            yield from self._spoken.get(statement.retracts.statement_id, ())
        for older in self._superseding.get(id_, ()):
            yield from self._spoken.get(older, ())

    def _link(self, statement: Statement) -> list[UUID]:
        """Enters a statement; those whose claims it may end."""
        insort(self._order, (said_of(statement), statement.statement_id))
        self._refer(statement)
        return [statement.retracts.statement_id] if statement.retracts else []

    def _refer(self, statement: Statement) -> None:
        for one in statement.superseded:
            self._superseding.setdefault(one.superseded_by, []).append(statement.statement_id)
        if statement.retracts:
            self._taking_back.setdefault(statement.retracts.statement_id, []).append(statement.statement_id)

    def _unlink(self, statement: Statement) -> list[UUID]:
        del self._order[bisect_left(self._order, (said_of(statement), statement.statement_id))]
        for one in statement.superseded:
            self._superseding[one.superseded_by].remove(statement.statement_id)
        if not statement.retracts:
            return []
        self._taking_back[statement.retracts.statement_id].remove(statement.statement_id)
        return [statement.retracts.statement_id]

    def _say_again(self, id_: UUID, statement: Statement | None) -> Iterator[tuple[Key, list[Span]]]:
        """What a statement says instead of what it said, and when that matters."""
        was, is_ = self._spoken.pop(id_, {}), self._says(statement) if statement else {}
        if is_:
            self._spoken[id_] = is_
        for key in was | is_:
            old, new = was.get(key), is_.get(key)
            since = differ_since(old, new)
            if old and since == END:
                is_[key] = old
                continue
            counted = []
            if old:
                counted += self._spans(key, old)
                self._remove(key, old)
            if new:
                self._add(key, new)
                counted += self._spans(key, new)
            yield key, [(max(start, since), end) for start, end in counted if end > since]

    def _says(self, statement: Statement) -> dict[Key, Spoken]:
        if not statement.claims:
            return {}
        taken_back = [
            one
            for id_ in self._taking_back.get(statement.statement_id, ())
            if (one := self._state.statements[id_]).speaker == statement.speaker and not one.withdrawn
        ]
        newer = [self._state.statements[id_] for id_ in superseding(statement, self._state)]
        return says(statement, taken_back, newer)

    def _spans(self, key: Key, entry: Spoken) -> list[Span]:
        return spans(key, self._by_key[key][entry.speaker], entry)

    def _add(self, key: Key, entry: Spoken) -> None:
        if key not in self._by_key:
            self._by_key[key] = {}
            self._know(key)
        insort(self._by_key[key].setdefault(entry.speaker, []), entry, key=ORDER)

    def _remove(self, key: Key, entry: Spoken) -> None:
        speakers = self._by_key[key]
        speaker = entry.speaker
        entries = speakers[speaker]
        at = bisect_left(entries, entry.order, key=ORDER)
        while entries[at] is not entry:
            at += 1
        del entries[at]
        if not entries:
            del speakers[speaker]
        if not speakers:
            del self._by_key[key]
            self._forget(key)

    def _pin_again(self, after: Incident) -> list[tuple[Key, Span]]:
        """Takes the pins of the incident instead of those before; from when to when that matters."""
        was, self._pins = self._pins, {}
        found: list[tuple[Key, Span]] = []
        for pin in after.pins:
            cited = (after.statements.get(id_) for id_ in pin.cites)
            if since := min((said_of(one) for one in cited if one), default=None):
                self._pins[pin.attribute, pin.of] = pin, since
        for key in was | self._pins:
            (old, began), (new, begins) = was.get(key, (None, END)), self._pins.get(key, (None, END))
            if old is None:
                self._know(key)
            if new is None:
                self._forget(key)
            if old is not new:
                found.append((key, (min(began, begins), END)))
            elif began != begins:
                found.append((key, (min(began, begins), max(began, begins))))
        return found

    def _know(self, key: Key) -> None:
        keys = self._keys.setdefault(family_of(key[0]), [])
        if key not in keys:
            insort(keys, key, key=lambda one: (one[0], one[1] or ""))

    def _forget(self, key: Key) -> None:
        if key not in self._by_key and key not in self._pins:
            keys = self._keys[family_of(key[0])]
            keys.remove(key)
            if not keys:
                del self._keys[family_of(key[0])]
