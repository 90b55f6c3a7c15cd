"""What the API must say, as plain dictionaries: written from the design, with no import from the service.

Where the service stores derived times and corrects them by further events, the model stores only what was stated and
derives every time anew whenever it is asked.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

Window = tuple[datetime | None, datetime | None]
ZONES = {None: timedelta(), "+04:00": timedelta(hours=4)}
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


def instant(text: str) -> datetime:
    """An RFC 3339 instant."""
    return datetime.fromisoformat(text).astimezone(UTC)


def midnight(at: datetime, zone: str | None) -> datetime:
    """The beginning of the zone's day, in UTC."""
    local = at + ZONES[zone]
    return datetime(local.year, local.month, local.day, tzinfo=UTC) - ZONES[zone]


def day(text: str, zone: str | None = None) -> Window:
    """All of a day of a zone."""
    first = datetime.fromisoformat(text).replace(tzinfo=UTC) - ZONES[zone]
    return first, first + _DAY - _TICK


class Model:
    """One ledger."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[int, Window]] = {}
        self.statements: dict[str, dict[str, Any]] = {}
        self.incidents: dict[str, dict[str, Any]] = {}

    # What was done.

    def register(self, document_id: str, published: dict[int, str | None]) -> None:
        self.documents[document_id] = {n: day(text) if text else (None, None) for n, text in published.items()}

    def publish(self, document_id: str, version: int, text: str | None) -> None:
        self.documents[document_id][version] = day(text) if text else (None, None)

    def open(self, incident_id: str, title: str, kind: str, tags: list[str], at: datetime) -> None:
        self.incidents[incident_id] = {
            "title": title,
            "kind": kind,
            "tags": list(dict.fromkeys(tags)),
            "status": "open",
            "links": [],
            "statements": [],
            "corrections": {},
            "pins": {},
            "opened_at": at,
        }

    def record(self, statement_id: str, home: str, body: dict[str, Any], at: datetime) -> None:
        claims = {claim["claim_id"]: {"incident_id": home} | claim for claim in body["claims"]}
        incidents = list(dict.fromkeys(claim["incident_id"] for claim in claims.values()))
        self.statements[statement_id] = {
            "speaker": body["speaker"],
            "channel": body.get("channel"),
            "said_at": body.get("said_at"),
            "citation": body.get("citation"),
            "claims": claims,
            "incidents": incidents,
            "recorded_at": at,
            "order": len(self.statements),
            "withdrawn": None,
            "assessments": 0,
            "retractions": [],
            "superseded": [],
        }
        for incident_id in incidents:
            self.incidents[incident_id]["statements"].append(statement_id)

    def correct(self, home: str, body: dict[str, Any]) -> None:
        """Fields go to all incidents that hold the statement, a claim to the one that it is about."""
        statement = self.statements[body["statement_id"]]
        touched: set[str] = set()
        for name, value in body.get("set", {}).items():
            if statement[name] != value:
                statement[name] = value
                touched.update(statement["incidents"])
        for claim in body.get("claims", ()):
            old = statement["claims"].get(claim["claim_id"])
            new = {"incident_id": old["incident_id"] if old else home} | claim
            if new != old:
                statement["claims"][claim["claim_id"]] = new
                touched.add(new["incident_id"])
        for claim_id in body.get("remove_claims", ()):
            touched.add(statement["claims"].pop(claim_id)["incident_id"])
        for incident_id in touched:
            corrections = self.incidents[incident_id]["corrections"]
            corrections.setdefault(body["statement_id"], []).append([body["error"], body["reason"]])

    def retract(self, statement_id: str, retraction_id: str, said: datetime) -> None:
        """Retractions are said at an instant here, so nothing moves them."""
        self.statements[statement_id]["retractions"].append((retraction_id, said))

    def superseded_by(self, incident_id: str, statement_id: str) -> list[str]:
        """Those of the same speaker that the incident holds, and the desk has not withdrawn."""
        statement = self.statements[statement_id]
        return [
            id_
            for id_ in statement["superseded"]
            if id_ in self.incidents[incident_id]["statements"]
            and self.statements[id_]["withdrawn"] is None
            and self.statements[id_]["speaker"] == statement["speaker"]
        ]

    def goes_round_in_time(self, incident_id: str, statement_id: str, newer_id: str) -> bool:
        """Whether the newer is superseded by the older, directly or by way of others that the incident holds."""
        waiting, seen = [newer_id], set()
        while waiting:
            at = waiting.pop()
            if at == statement_id:
                return True
            if at in self.incidents[incident_id]["statements"]:
                waiting += [id_ for id_ in self.statements[at]["superseded"] if id_ not in seen]
            seen.add(at)
        return False

    def movable(self, statement_id: str, home: str, to: str) -> bool:
        entered = self.incidents[to]
        return home != to and entered["status"] != "withdrawn" and statement_id not in entered["statements"]

    def move(self, statement_id: str, home: str, to: str) -> None:
        """What the statement says about one incident goes to another, with the corrections of it."""
        statement, left, entered = self.statements[statement_id], self.incidents[home], self.incidents[to]
        statement["incidents"] = [to if id_ == home else id_ for id_ in statement["incidents"]]
        for claim in statement["claims"].values():
            claim["incident_id"] = to if claim["incident_id"] == home else claim["incident_id"]
        left["statements"].remove(statement_id)
        entered["statements"].append(statement_id)
        entered["statements"].sort(key=lambda id_: self.statements[id_]["order"])
        if statement_id in left["corrections"]:
            entered["corrections"][statement_id] = left["corrections"].pop(statement_id)

    # What follows from it.

    def goes_round(self, statement_id: str, said_at: Any) -> bool:
        """Whether the statement would hang on itself."""
        while isinstance(said_at, dict) and (above := said_at.get("anchor", {}).get("statement_id")):
            if above == statement_id:
                return True
            said_at = self.statements[above]["said_at"]
        return False

    def window(self, given: dict[str, Any]) -> Window:
        """The bounds of an anchored time."""
        anchor, zone = given["anchor"], given.get("zone")
        if "statement_id" in anchor:
            first, last = self.said(anchor["statement_id"])
        else:
            first, last = self.documents[anchor["document_id"]][anchor["version"]]
        if anchor["relation"] == "before":
            return None, last
        if anchor["relation"] == "after":
            return first, None
        return first and midnight(first, zone), last and midnight(last, zone) + _DAY - _TICK

    def said(self, statement_id: str) -> Window:
        """When it was said: at the latest when it was published, or when it was recorded."""
        statement = self.statements[statement_id]
        given, citation = statement["said_at"], statement["citation"]
        derived = False
        first = last = None
        if isinstance(given, str):
            first, last = day(given)
        elif given and "edtf" in given:
            first, last = day(given["edtf"], given.get("zone"))
        elif given and "anchor" in given:
            first, last = self.window(given)
            derived = True
        elif given:
            first = instant(given["earliest"]) if "earliest" in given else None
            last = instant(given["latest"]) if "latest" in given else None
        if citation and (derived or last is None):
            _, published = self.documents[citation["document_id"]][citation["version"]]
            if published and not (first and first > published):
                last = min(last or published, published)
        recorded_at = statement["recorded_at"]
        return first, last or max(first or recorded_at, recorded_at)

    def view(self, incident_id: str) -> dict[str, Any]:
        """The incident as a comparable value."""
        incident = self.incidents[incident_id]
        return {
            **{name: incident[name] for name in ("title", "kind", "status", "opened_at")},
            "tags": list(incident["tags"]),
            "links": [list(link) for link in incident["links"]],
            "pins": {
                name: value for name, (value, cited) in incident["pins"].items() if cited in incident["statements"]
            },
            "statements": [self._statement(incident_id, id_) for id_ in incident["statements"]],
        }

    def _statement(self, incident_id: str, statement_id: str) -> dict[str, Any]:
        statement = self.statements[statement_id]
        given, citation = statement["said_at"], statement["citation"]
        anchor = given.get("anchor") if isinstance(given, dict) else None
        origin = None
        if anchor:
            origin = {name: value for name, value in anchor.items() if name != "relation"}
        elif citation and not isinstance(given, str) and not (given and given.keys() & {"latest", "edtf"}):
            origin = dict(citation)
        first, last = self.said(statement_id)
        return {
            "statement_id": statement_id,
            "speaker": statement["speaker"],
            "channel": statement["channel"],
            "citation": citation,
            "incidents": list(statement["incidents"]),
            "recorded_at": statement["recorded_at"],
            "said": (first, last),
            "anchor": anchor,
            "from": origin,
            "withdrawn": statement["withdrawn"],
            "assessments": statement["assessments"],
            "retractions": sorted(statement["retractions"]),
            "superseded_by": self.superseded_by(incident_id, statement_id),
            "claims": [
                (claim_id, claim["attribute"], self._value(claim["value"]))
                for claim_id, claim in statement["claims"].items()
                if claim["incident_id"] == incident_id
            ],
            "corrections": list(self.incidents[incident_id]["corrections"].get(statement_id, ())),
        }

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict) and "anchor" in value:
            return ("anchored", value["anchor"], *self.window(value))
        return value


FAN_OUT = "what this hangs on was corrected"


def shown(view: dict[str, Any]) -> dict[str, Any]:
    """The service's view of an incident as a value to compare with the model's."""
    return {
        **{name: view[name] for name in ("title", "kind", "status", "tags")},
        "opened_at": instant(view["opened_at"]),
        "links": [[link["incident_id"], link["relation"]] for link in view["links"]],
        "pins": {one["attribute"]: one["value"] for one in view["attributes"] if one["status"] == "pinned"},
        "statements": [
            _shown_statement(statement, view["statements"])
            for statement in view["statements"]
            if statement["retracts"] is None
        ],
    }


def _shown_statement(statement: dict[str, Any], all_: list[dict[str, Any]]) -> dict[str, Any]:
    said_at = statement["said_at"]
    retractions = [
        (other["statement_id"], instant(other["said_at"]["latest"]))
        for other in all_
        if other["retracts"] == {"statement_id": statement["statement_id"]}
    ]
    # Only his own: where our record of the speaker was wrong, the retraction stands no longer.
    assert statement["retracted_by"] == [
        other["statement_id"]
        for other in all_
        if other["retracts"] == {"statement_id": statement["statement_id"]} and other["speaker"] == statement["speaker"]
    ]
    return {
        **{name: statement[name] for name in ("statement_id", "channel", "citation", "incidents")},
        "speaker": statement["speaker"]["source_id"],
        "recorded_at": instant(statement["recorded_at"]),
        "said": _bounds(said_at),
        "anchor": said_at.get("anchor"),
        "from": said_at.get("from"),
        "withdrawn": statement["withdrawn"] and statement["withdrawn"]["ground"],
        "assessments": len(statement["assessments"]),
        "retractions": sorted(retractions),
        "superseded_by": statement["superseded_by"],
        "claims": [(c["claim_id"], c["attribute"], _shown_value(c["value"])) for c in statement["claims"]],
        "corrections": [[c["error"], c["reason"]] for c in statement["corrections"] if c["reason"] != FAN_OUT],
    }


def _shown_value(value: Any) -> Any:
    return ("anchored", value["anchor"], *_bounds(value)) if isinstance(value, dict) and "anchor" in value else value


def _bounds(time: dict[str, Any]) -> Window:
    first, last = (time.get(name) for name in ("earliest", "latest"))
    return first and instant(first), last and instant(last)
