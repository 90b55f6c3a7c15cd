"""What the writers write: always something that is right, and never the same twice."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.faults.known import Acknowledged, Incident, Known, Request

Noted = Callable[[Acknowledged], None]
_ATTRIBUTES = ("killed", "injured", "missing", "detained")


class Writer:
    """One writer in one round. It corrects and retracts what it has recorded itself, so nothing is ever refused."""

    def __init__(self, seed: str, round_: int, number: int, known: Known, ledgers: list[str]) -> None:
        self.random = Random(seed)
        self._known = known
        self._ledgers = ledgers
        self._round = round_
        self._prefix = f"{round_}.{number}"
        self._made = 0
        self._own: list[Incident] = []

    def next(self) -> tuple[Request, Noted]:
        """The next write, and what to do with the answer."""
        self._made += 1
        key = f"{self._prefix}.{self._made}"
        if not self._own or self.random.random() < 0.2:
            return self._open(key)
        incident = self.random.choice(self._own)
        kinds = [self._state, self._state, self._rename, self._register, self._revise_source]
        if incident.statements:
            kinds += [self._correct, self._correct, self._retract]
        return self.random.choice(kinds)(key, incident)

    def _open(self, key: str) -> tuple[Request, Noted]:
        ledger = self.random.choice(self._ledgers)
        body: dict[str, Any] = {"title": f"Incident [{key}]", "kind": "strike", "tags": [f"r{self._round}"]}
        body["statements"] = [self._statement(key, ledger, n) for n in range(self.random.randrange(3))]

        def noted(made: Acknowledged) -> None:
            incident = Incident(ledger, made)
            self._own.append(incident)
            self._known.incidents.append(incident)

        return Request(key, ledger, f"/v1/ledgers/{ledger}/incidents", body), noted

    def _state(self, key: str, incident: Incident) -> tuple[Request, Noted]:
        body = self._statement(key, incident.ledger, 0)
        if self.random.random() < 0.5:
            # What others write to at the same time: of the races one wins, and the others decide again.
            busy = [one for one in self._known.incidents[-40:] if one.ledger == incident.ledger]
            incident = self.random.choice(busy or [incident])
        others = [one for one in self._own if one.ledger == incident.ledger and one.id != incident.id]
        if others and self.random.random() < 0.15:
            body["claims"] += [{**_claim(self.random), "incident_id": self.random.choice(others).id}]
            body["claims"][0]["incident_id"] = incident.id

        def noted(made: Acknowledged) -> None:
            if incident in self._own:
                incident.statements.append((made.id, _word(key)))

        return Request(key, incident.ledger, f"{incident.path}/statements", body), noted

    def _correct(self, key: str, incident: Incident) -> tuple[Request, Noted]:
        statement_id, word = self.random.choice(incident.statements)
        fields = {"verbatim": f"{word} corrected [{key}]"}
        if self.random.random() < 0.5:
            fields["said_at"] = self._day()
        body = {"type": "statement-corrected", "statement_id": statement_id, "error": "transcription", "set": fields}
        return self._revision(incident, key, body)

    def _retract(self, key: str, incident: Incident) -> tuple[Request, Noted]:
        statement_id, _ = incident.statements.pop(self.random.randrange(len(incident.statements)))
        return self._revision(
            incident, key, {"type": "statement-retracted", "statement_id": statement_id, "said_at": self._day()}
        )

    def _rename(self, key: str, incident: Incident) -> tuple[Request, Noted]:
        return self._revision(incident, key, {"type": "incident-amended", "title": f"Renamed [{key}]"})

    def _revision(self, incident: Incident, key: str, body: dict[str, Any]) -> tuple[Request, Noted]:
        request = Request(key, incident.ledger, f"{incident.path}/revisions", {**body, "reason": f"[{key}]"})
        return request, lambda made: None

    def _register(self, key: str, incident: Incident) -> tuple[Request, Noted]:
        ledger = incident.ledger
        body = {"name": f"Source {_word(key)} [{key}]", "kind": "person"}

        def noted(made: Acknowledged) -> None:
            self._known.sources[ledger].append((made.id, _word(key)))

        return Request(key, ledger, f"/v1/ledgers/{ledger}/sources", body), noted

    def _revise_source(self, key: str, incident: Incident) -> tuple[Request, Noted]:
        source_id, word = self.random.choice(self._known.sources[incident.ledger])
        path = f"/v1/ledgers/{incident.ledger}/sources/{source_id}/revisions"
        body = {"type": "source-revised", "name": f"Source {word} renamed [{key}]", "reason": f"[{key}]"}
        return Request(key, incident.ledger, path, body), lambda made: None

    def _statement(self, key: str, ledger: str, number: int) -> dict[str, Any]:
        speaker, _ = self.random.choice(self._known.sources[ledger][:20])
        body = {"speaker": speaker, "verbatim": f"{_word(key)} {number} [{key}]", "claims": [_claim(self.random)]}
        if self.random.random() < 0.5:
            body["said_at"] = self._day()
        return body

    def _day(self) -> str:
        return f"2020-01-{self.random.randint(1, 31):02}"


def _claim(random: Random) -> dict[str, Any]:
    most = random.randint(1, 9)
    return {"attribute": random.choice(_ATTRIBUTES), "value": {"min": random.randint(0, most), "max": most}}


def _word(key: str) -> str:
    """What a search finds it by."""
    return "w" + key.replace(".", "x") + "e"
