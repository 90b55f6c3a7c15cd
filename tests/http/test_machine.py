"""The API of a running server against a model of plain dictionaries, through generated histories."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from tests.http.asking import problem, read
from tests.http.model import Model, instant, shown

_ledgers = itertools.count(1)
_claims = itertools.count(1)
DAYS = st.sampled_from([None, "2020-11-08", "2020-11-09", "2020-11-11"])
ZONES = st.sampled_from([None, "+04:00"])
RELATIONS = st.sampled_from(["same-day", "before", "after"])
TIMES = ["2020-11-07T23:30:00Z", "2020-11-09T14:30:00Z", "2020-11-10T21:15:00.25Z"]
TITLES = st.sampled_from(["Shot down", "Crashed", "Мі-24", "ناڤنیشان"])
TAGS = st.lists(st.sampled_from(["aviation", "mistake", "border"]), max_size=3)
LINKS = st.sampled_from(["follows", "part-of"])
FORMS = st.sampled_from(["position", "instant", "just-before", "offset", "release"])
DATA = st.data()
NUMBER = st.integers(0, 10_000)


class Machine(RuleBasedStateMachine):
    """One new ledger, written to and read from at random."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self.client = client
        self.path = f"/v1/ledgers/machine-{os.getpid()}-{next(_ledgers)}"
        self.model = Model()
        self.history: list[tuple[int, Any, dict[str, Any]]] = []
        """After each append: the position, when it was recorded, and every incident's view."""
        self.versions: dict[str, int] = {}
        self.document_versions: dict[str, int] = {}
        self.releases: list[int] = []
        """Of each release, which moment of the history it is."""
        self.final: dict[tuple[str, str], tuple[int, bytes]] = {}
        """What was answered at final cuts."""
        self.keys: list[tuple[str, str, dict[str, Any], httpx.Response]] = []
        self.page: tuple[str, list[dict[str, Any]], int] | None = None
        """A list that is being read: its next cursor, what it gave so far, and the position of its first page."""
        self.sources: list[str] = []

    # The hops that all rules share.

    @initialize()
    def create(self) -> None:
        name = self.path.rpartition("/")[2]
        assert self.client.post("/v1/ledgers", json={"name": name, "title": "Machine"}).status_code == 201
        self.history.append((1, None, {}))
        for name in ("Ministry", "Agency", "Reporter"):
            answer = self.client.post(f"{self.path}/sources", json={"name": name, "kind": "organisation"})
            self.sources.append(answer.json()["source_id"])
            self.settle(events=1)
        self.add_document([None])
        self.add_document(["2020-11-09", None])
        answer = self.client.post(f"{self.path}/incidents", json={"title": "First", "kind": "shootdown"})
        self.opened(answer, {"title": "First", "kind": "shootdown"})

    def add_document(self, published: list[str | None]) -> None:
        versions = [{"version": n, "change": "unknown", "published_at": day} for n, day in enumerate(published, 1)]
        body = {"kind": "article", "title": "An article", "versions": versions}
        answer = self.client.post(f"{self.path}/documents", json=body)
        assert answer.status_code == 201, answer.text
        id_ = answer.json()["document_id"]
        self.model.register(id_, dict(enumerate(published, 1)))
        self.document_versions[id_] = 1
        self.settle(events=1)

    def settle(self, events: int = 0, apply: Callable[[Any], None] = lambda at: None) -> None:
        """Applies to the model what the service did, and compares. `events` are those outside the incidents."""
        listed = read(self.client.get(f"{self.path}/incidents", params={"limit": 1000}))
        position, recorded_at = listed["cut"]["position"], instant(listed["cut"]["recorded_at"])
        assert self.history[-1][1] is None or recorded_at > self.history[-1][1]
        apply(recorded_at)
        before, views = self.history[-1][2], {id_: self.model.view(id_) for id_ in self.model.incidents}
        assert [item["incident_id"] for item in listed["items"]] == list(self.model.incidents)
        for item in listed["items"]:
            id_ = item["incident_id"]
            more = item["version"] - self.versions.get(id_, 0)
            assert (more > 0) == (views[id_] != before.get(id_)), f"{more} events, {before.get(id_)} -> {views[id_]}"
            events += more
            self.versions[id_] = item["version"]
            if more:
                answer = read(self.client.get(f"{self.path}/incidents/{id_}"))
                assert shown(answer) == views[id_]
                assert instant(answer["updated_at"]) == recorded_at
                assert answer["version"] == item["version"]
        assert position == self.history[-1][0] + events, "positions are dense: each counted event has one"
        self.history.append((position, recorded_at, views))

    def nothing_changed(self) -> None:
        assert read(self.client.get(f"{self.path}/incidents?limit=1"))["cut"]["position"] == self.history[-1][0]

    def opened(self, answer: httpx.Response, body: dict[str, Any]) -> None:
        assert answer.status_code == 201, answer.text
        view = answer.json()
        id_ = view["incident_id"]

        def apply(at: Any) -> None:
            self.model.open(id_, body["title"], body["kind"], body.get("tags", []), at)
            for statement, asked in zip(view["statements"], body.get("statements", ()), strict=True):
                self.model.record(statement["statement_id"], id_, asked, at)

        self.settle(apply=apply)
        assert shown(view) == self.model.view(id_)

    def pick(self, number: int) -> str:
        ids = list(self.model.incidents)
        return ids[number % len(ids)]

    def headers(self, incident_id: str, conditional: bool) -> dict[str, str]:
        return {"If-Match": f'"{self.versions[incident_id]}"'} if conditional else {}

    def revise(self, incident_id: str, body: dict[str, Any], conditional: bool = False) -> httpx.Response:
        path = f"{self.path}/incidents/{incident_id}/revisions"
        return self.client.post(path, json=body, headers=self.headers(incident_id, conditional))

    # What is drawn.

    def anchor(self, data: Any) -> dict[str, Any]:
        relation = data.draw(RELATIONS)
        if self.model.statements and data.draw(st.booleans()):
            return {"relation": relation, "statement_id": data.draw(st.sampled_from(list(self.model.statements)))}
        return {"relation": relation} | self.cited(data)

    def cited(self, data: Any) -> dict[str, Any]:
        pairs = [(id_, version) for id_, versions in self.model.documents.items() for version in versions]
        document_id, version = data.draw(st.sampled_from(pairs))
        return {"document_id": document_id, "version": version}

    def said_at(self, data: Any) -> Any:
        match data.draw(st.sampled_from(["unknown", "anchored", "anchored", "bounded", "since", "day"])):
            case "unknown":
                return None
            case "anchored":
                zone = data.draw(ZONES)
                return {"anchor": self.anchor(data), "verbatim": "today"} | ({"zone": zone} if zone else {})
            case "bounded":
                first, last = sorted(data.draw(st.tuples(st.sampled_from(TIMES), st.sampled_from(TIMES))))
                return {"earliest": first, "latest": last}
            case "since":
                return {"earliest": data.draw(st.sampled_from(TIMES))}
            case _:
                return {"edtf": "2020-11-10", "zone": "+04:00"} if data.draw(st.booleans()) else "2020-11-10"

    def claim(self, data: Any, about: str | None = None) -> dict[str, Any]:
        claim: dict[str, Any] = {"claim_id": str(UUID(int=os.getpid() << 64 | next(_claims)))}
        if about:
            claim["incident_id"] = about
        if data.draw(st.booleans()):
            count = data.draw(st.integers(0, 3))
            return claim | {"attribute": "killed", "value": {"min": count, "max": count}}
        zone = data.draw(ZONES)
        value = {"anchor": self.anchor(data)} | ({"zone": zone} if zone else {})
        return claim | {"attribute": "occurred_at", "value": value}

    def statement(self, data: Any, other: str | None = None) -> dict[str, Any]:
        body = {"speaker": data.draw(st.sampled_from(self.sources)), "claims": [self.claim(data)]}
        if other:
            body["claims"].append(self.claim(data, other))
        if said_at := self.said_at(data):
            body["said_at"] = said_at
        if data.draw(st.booleans()):
            body["citation"] = self.cited(data)
        return body

    # Writes.

    @rule(days=st.lists(DAYS, min_size=1, max_size=2))
    @precondition(lambda self: len(self.model.documents) < 4)
    def register_document(self, days: list[str | None]) -> None:
        self.add_document(days)

    @rule(data=DATA, title=TITLES, tags=TAGS, statements=st.integers(0, 2))
    @precondition(lambda self: len(self.model.incidents) < 6)
    def open_incident(self, data: Any, title: str, tags: list[str], statements: int) -> None:
        body = {"title": title, "kind": "shootdown", "tags": tags}
        body["statements"] = [self.statement(data) for _ in range(statements)]
        self.opened(self.client.post(f"{self.path}/incidents", json=body), body)

    @rule(data=DATA, number=NUMBER, about=NUMBER, conditional=st.booleans())
    def record_statement(self, data: Any, number: int, about: int, conditional: bool) -> None:
        home, other = self.pick(number), self.pick(about)
        body = self.statement(data, other if other != home else None)
        path = f"{self.path}/incidents/{home}/statements"
        answer = self.client.post(path, json=body, headers=self.headers(home, conditional))
        if "withdrawn" in (self.model.incidents[home]["status"], self.model.incidents[other]["status"]):
            problem(answer, "refused", 409)
            self.nothing_changed()
            return
        assert answer.status_code == 201, answer.text
        recorded = answer.json()
        self.settle(apply=lambda at: self.model.record(recorded["statement_id"], home, body, at))
        assert answer.headers["location"] == f"{path}/{recorded['statement_id']}"

    record_another = record_statement

    @rule(number=NUMBER, title=TITLES, tags=TAGS, conditional=st.booleans())
    def amend(self, number: int, title: str, tags: list[str], conditional: bool) -> None:
        id_ = self.pick(number)
        incident, wanted = self.model.incidents[id_], list(dict.fromkeys(tags))
        same = (incident["title"], incident["tags"]) == (title, wanted)
        answer = self.revise(
            id_, {"type": "incident-amended", "title": title, "tags": tags, "reason": "better"}, conditional
        )
        assert answer.status_code == (200 if same else 201), answer.text
        if same:
            self.nothing_changed()
        else:
            self.settle(apply=lambda at: incident.update(title=title, tags=wanted))
        assert shown(answer.json()) == self.model.view(id_)

    @rule(number=NUMBER, status=st.sampled_from(["open", "open", "closed", "withdrawn"]))
    def change_status(self, number: int, status: str) -> None:
        id_ = self.pick(number)
        same = self.model.incidents[id_]["status"] == status
        answer = self.revise(id_, {"type": "incident-status-changed", "status": status, "reason": "so it is"})
        assert answer.status_code == (200 if same else 201), answer.text
        if not same:
            self.settle(apply=lambda at: self.model.incidents[id_].update(status=status))

    @rule(number=NUMBER, other=NUMBER, relation=LINKS, unlink=st.booleans())
    def link(self, number: int, other: int, relation: str, unlink: bool) -> None:
        id_, to = self.pick(number), self.pick(other)
        links: list[Any] = self.model.incidents[id_]["links"]
        there = [to, relation] in links
        verb = "unlinked" if unlink else "linked"
        answer = self.revise(
            id_, {"type": f"incident-{verb}", "incident_id": to, "relation": relation, "reason": "see"}
        )
        if unlink and not there:
            problem(answer, "unknown-reference", 409, "incident_id")
        elif id_ == to and not unlink:
            problem(answer, "refused", 409, "incident_id")
        elif there and not unlink:
            assert answer.status_code == 200
            self.nothing_changed()
        else:
            assert answer.status_code == 201, answer.text
            change = links.remove if unlink else links.append
            self.settle(apply=lambda at: change([to, relation]))

    @rule(data=DATA, fields=st.sets(st.sampled_from(["speaker", "channel", "said_at", "citation"])), claims=NUMBER)
    @precondition(lambda self: self.model.statements)
    def correct_statement(self, data: Any, fields: set[str], claims: int) -> None:
        id_ = data.draw(st.sampled_from(list(self.model.statements)))
        statement = self.model.statements[id_]
        home = data.draw(st.sampled_from(statement["incidents"]))
        body: dict[str, Any] = {"type": "statement-corrected", "statement_id": id_, "error": "time", "set": {}}
        body["reason"] = f"because {len(self.history)}"
        for name in sorted(fields):
            match name:
                case "speaker":
                    body["set"][name] = data.draw(st.sampled_from(self.sources))
                case "channel":
                    body["set"][name] = data.draw(st.sampled_from([None, "wire", "telegram"]))
                case "said_at":
                    body["set"][name] = self.said_at(data)
                case _:
                    body["set"][name] = self.cited(data) if data.draw(st.booleans()) else None
        if claims % 3 == 1:
            old = data.draw(st.sampled_from(list(statement["claims"])))
            body["claims"] = [self.claim(data), {**self.claim(data), "claim_id": old}]
        elif claims % 3 == 2:
            body["remove_claims"] = self.removable(statement)
        before = self.model.view(home)
        answer = self.revise(home, body)
        if not (body["set"] or body.get("claims") or body.get("remove_claims")):
            problem(answer, "malformed", 400, "set")
            self.nothing_changed()
            return
        if self.model.goes_round(id_, body["set"].get("said_at")):
            problem(answer, "cycle", 409, "set.said_at.anchor.statement_id")
            self.nothing_changed()
            return
        if answer.status_code == 200:
            self.model.correct(home, body)
            assert before == self.model.view(home)
            self.nothing_changed()
            return
        assert answer.status_code == 201, answer.text
        self.settle(apply=lambda at: self.model.correct(home, body))
        assert shown(answer.json()) == self.model.view(home)

    correct_another = correct_statement

    @rule(number=NUMBER, link=NUMBER, relation=RELATIONS)
    @precondition(lambda self: self.model.statements)
    def correct_in_a_circle(self, number: int, link: int, relation: str) -> None:
        """A statement cannot be made to hang on itself, nor on any that hangs on it, in whatever incident."""
        ids = list(self.model.statements)
        id_ = ids[number % len(ids)]
        below = [other for other in ids if self.model.goes_round(id_, {"anchor": {"statement_id": other}})]
        said_at = {"anchor": {"relation": relation, "statement_id": below[link % len(below)]}}
        body = {"type": "statement-corrected", "statement_id": id_, "error": "time", "reason": "round"}
        answer = self.revise(self.model.statements[id_]["incidents"][0], {**body, "set": {"said_at": said_at}})
        problem(answer, "cycle", 409, "set.said_at.anchor.statement_id")
        self.nothing_changed()

    @staticmethod
    def removable(statement: dict[str, Any]) -> list[str]:
        """A claim that may go: its incident keeps another."""
        about = [claim["incident_id"] for claim in statement["claims"].values()]
        return [id_ for id_, claim in statement["claims"].items() if about.count(claim["incident_id"]) > 1][:1]

    @rule(data=DATA, day=DAYS, conditional=st.booleans())
    def correct_document(self, data: Any, day: str | None, conditional: bool) -> None:
        cited = self.cited(data)
        id_, version = cited["document_id"], cited["version"]
        body = {"type": "document-corrected", "basis": "deduced", "rationale": "other outlets"}
        body["versions"] = [{"version": version, "published_at": day}]
        headers = {"If-Match": f'"{self.document_versions[id_]}"'} if conditional else {}
        old = self.model.documents[id_][version]
        answer = self.client.post(f"{self.path}/documents/{id_}/revisions", json=body, headers=headers)
        assert answer.status_code in (200, 201), answer.text
        self.document_versions[id_] += answer.status_code == 201
        if answer.status_code == 200:
            self.model.publish(id_, version, day)
            assert self.model.documents[id_][version] == old
            self.nothing_changed()
        else:
            self.settle(events=1, apply=lambda at: self.model.publish(id_, version, day))

    # What becomes of a statement.

    def said_somewhere(self, number: int) -> tuple[str, str]:
        """A statement, and an incident that holds it."""
        ids = list(self.model.statements)
        id_ = ids[number % len(ids)]
        incidents = self.model.statements[id_]["incidents"]
        return id_, incidents[number % len(incidents)]

    @rule(number=NUMBER, ground=st.sampled_from(["duplicate", "legal", None]))
    @precondition(lambda self: self.model.statements)
    def withdraw_or_reinstate(self, number: int, ground: str | None) -> None:
        id_, home = self.said_somewhere(number)
        statement = self.model.statements[id_]
        verb = {"type": "statement-withdrawn", "ground": ground} if ground else {"type": "statement-reinstated"}
        answer = self.revise(home, {**verb, "statement_id": id_, "reason": "so we judge"})
        if statement["withdrawn"] == ground:
            assert answer.status_code == 200, answer.text
            self.nothing_changed()
        else:
            assert answer.status_code == 201, answer.text
            self.settle(apply=lambda at: statement.update(withdrawn=ground))

    @rule(number=NUMBER, verification=st.sampled_from(["false", "verified", None]))
    @precondition(lambda self: self.model.statements)
    def assess(self, number: int, verification: str | None) -> None:
        id_, home = self.said_somewhere(number)
        statement = self.model.statements[id_]
        body = {"type": "statement-assessed", "statement_id": id_, "verification": verification, "basis": "told"}
        answer = self.revise(home, body | {"rationale": f"judged {len(self.history)}"})
        assert answer.status_code == 201, answer.text
        self.settle(apply=lambda at: statement.update(assessments=statement["assessments"] + 1))

    @rule(number=NUMBER, said=st.sampled_from(TIMES))
    @precondition(lambda self: self.model.statements)
    def retract(self, number: int, said: str) -> None:
        id_, home = self.said_somewhere(number)
        said_at = {"earliest": said, "latest": said}
        body = {"type": "statement-retracted", "statement_id": id_, "said_at": said_at, "reason": "he said so"}
        answer = self.revise(home, body)
        assert answer.status_code == 201, answer.text
        known = {made for made, _ in self.model.statements[id_]["retractions"]}
        made = {s["statement_id"] for s in answer.json()["statements"] if s["retracts"] == {"statement_id": id_}}
        (retraction,) = made - known
        self.settle(apply=lambda at: self.model.retract(id_, retraction, instant(said)))

    @rule(number=NUMBER, other=NUMBER)
    @precondition(lambda self: self.model.statements)
    def supersede(self, number: int, other: int) -> None:
        """Only a statement of the same speaker takes the place of another, and none that it replaced itself."""
        id_, home = self.said_somewhere(number)
        held = self.model.incidents[home]["statements"]
        newer = held[other % len(held)]
        statement = self.model.statements[id_]
        known, one_speaker = newer in statement["superseded"], self.model.statements[newer]["speaker"]
        body = {"type": "statement-superseded", "statement_id": id_, "superseded_by": newer, "reason": "he says so"}
        if len(statement["incidents"]) > 1 or len(self.model.statements[newer]["incidents"]) > 1:
            return  # the model keeps one list for all incidents
        answer = self.revise(home, body)
        if known:
            assert answer.status_code == 200, answer.text
        elif one_speaker != statement["speaker"]:
            problem(answer, "refused", 409, "superseded_by")
        elif self.model.goes_round_in_time(home, id_, newer):
            problem(answer, "cycle", 409, "superseded_by")
        else:
            assert answer.status_code == 201, answer.text
            shown_before = self.model.view(home)
            statement["superseded"].append(newer)
            if self.model.view(home) == shown_before:
                self.silently(home)
            else:
                self.settle()
            return
        self.nothing_changed()

    @rule(number=NUMBER, other=NUMBER)
    @precondition(lambda self: self.model.statements)
    def move(self, number: int, other: int) -> None:
        (id_, home), to = self.said_somewhere(number), self.pick(other)
        movable = self.model.movable(id_, home, to)
        body = {"type": "statement-moved-out", "statement_id": id_, "to_incident": to, "reason": "about that one"}
        answer = self.revise(home, body)
        if not movable:
            problem(answer, "refused", 409, "to_incident")
            self.nothing_changed()
        elif any(self.model.goes_round_in_time(to, id_, newer) for newer in self.model.statements[id_]["superseded"]):
            problem(answer, "cycle", 409, "to_incident")
            self.nothing_changed()
        else:
            assert answer.status_code == 201, answer.text
            self.settle(apply=lambda at: self.model.move(id_, home, to))

    @rule(number=NUMBER, value=st.sampled_from(["low", "high", None]))
    @precondition(lambda self: self.model.statements)
    def pin_or_unpin(self, number: int, value: str | None) -> None:
        id_, home = self.said_somewhere(number)
        pins = self.model.incidents[home]["pins"]
        if value:
            body = {"type": "attribute-pinned", "value": value, "cites": [id_], "rationale": "seen"}
        else:
            body = {"type": "attribute-unpinned", "reason": "let the rule decide"}
        answer = self.revise(home, body | {"attribute": "altitude"})
        if value is None and not pins:
            problem(answer, "unknown-reference", 409, "attribute")
            self.nothing_changed()
        elif value and pins.get("altitude") == (value, id_):
            assert answer.status_code == 200, answer.text
            self.nothing_changed()
        elif (before := pins.get("altitude")) and before[1] not in self.model.incidents[home]["statements"]:
            # Silent before and, unpinned, after: an event that no view shows.
            assert answer.status_code == 201, answer.text
            self.model.incidents[home]["pins"] = {"altitude": (value, id_)} if value else {}
            self.silently(home)
        else:
            assert answer.status_code == 201, answer.text
            change = {"altitude": (value, id_)} if value else {}
            silent = value and self.same_pin(home, value)
            self.model.incidents[home]["pins"] = change
            if silent:
                self.silently(home)
            else:
                self.settle()

    def same_pin(self, home: str, value: str) -> bool:
        """Whether only what a pin cites changes: the model's view shows the value alone."""
        shown_before = self.model.view(home)["pins"].get("altitude")
        return bool(shown_before == value)

    def silently(self, home: str) -> None:
        """An event was recorded that changes nothing which the model shows, or only what a pin says."""
        listed = read(self.client.get(f"{self.path}/incidents", params={"limit": 1000}))
        self.versions[home] += 1
        assert {i["incident_id"]: i["version"] for i in listed["items"]} == self.versions
        assert listed["cut"]["position"] == self.history[-1][0] + 1
        views = {id_: self.model.view(id_) for id_ in self.model.incidents}
        self.history.append((listed["cut"]["position"], instant(listed["cut"]["recorded_at"]), views))

    @rule(number=NUMBER, off=st.sampled_from([-1, 1, 7]), what=st.sampled_from(["amend", "record", "correct"]))
    def write_stale(self, number: int, off: int, what: str) -> None:
        """If-Match names another version than the last: 412, and nothing changed."""
        id_ = self.pick(number)
        path = f"{self.path}/incidents/{id_}"
        bodies = {
            "amend": ("revisions", {"type": "incident-amended", "title": "Never", "reason": "never"}),
            "record": ("statements", {"speaker": self.sources[0], "claims": [{"attribute": "damage", "value": "x"}]}),
            "correct": ("revisions", {"type": "incident-status-changed", "status": "closed", "reason": "never"}),
        }
        last, body = bodies[what]
        headers = {"If-Match": f'"{self.versions[id_] + off}-0123456789abcdef"'}
        problem(self.client.post(f"{path}/{last}", json=body, headers=headers), "stale", 412)
        self.nothing_changed()

    @rule(number=NUMBER, status=st.sampled_from(["open", "closed"]), title=TITLES)
    def write_once(self, number: int, status: str, title: str) -> None:
        """A write with a key; asked again at once it gives the same answer and does nothing."""
        id_ = self.pick(number)
        key = f"key-{len(self.keys)}"
        path = f"{self.path}/incidents/{id_}/revisions"
        title = f"{title} {len(self.history)}"
        body = {"type": "incident-amended", "title": title, "reason": status}
        answer = self.client.post(path, json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == 201, answer.text
        self.settle(apply=lambda at: self.model.incidents[id_].update(title=title))
        self.keys.append((key, path, body, answer))
        self.repeat(len(self.keys) - 1, other_body=False)

    @rule(number=NUMBER, other_body=st.booleans())
    @precondition(lambda self: self.keys)
    def repeat(self, number: int, other_body: bool) -> None:
        """A key that was used: the same request is answered alike, another is refused. Neither does anything."""
        key, path, body, first = self.keys[number % len(self.keys)]
        asked = {**body, "reason": "another"} if other_body else body
        answer = self.client.post(path, json=asked, headers={"Idempotency-Key": key})
        if other_body:
            problem(answer, "idempotency-key-reused", 422)
        else:
            assert (answer.status_code, answer.content) == (first.status_code, first.content)
            for name in ("location", "etag", "content-location", "stet-position"):
                assert answer.headers[name] == first.headers[name]
        self.nothing_changed()

    @rule(moment=NUMBER)
    def publish(self, moment: int) -> None:
        """Any moment since that of the last release can have a name."""
        first = self.releases[-1] if self.releases else 0
        index = first + moment % (len(self.history) - first)
        body = {"name": f"r{len(self.releases)}", "position": self.history[index][0]}
        release = self.client.post(f"{self.path}/releases", json=body)
        assert (release.status_code, release.json()["position"]) == (201, body["position"]), release.text
        assert release.json()["counts"]["incidents"] == len(self.history[index][2])
        self.releases.append(index)
        self.settle(events=1)

    # Reads.

    @rule(number=NUMBER, moment=NUMBER, form=FORMS)
    def read_as_of(self, number: int, moment: int, form: str) -> None:
        """An incident at an earlier cut is what the model had then."""
        id_ = self.pick(number)
        known = [index for index, (_, recorded_at, _) in enumerate(self.history) if recorded_at]
        index = known[moment % len(known)]
        position, recorded_at, views = self.history[index]
        as_of = f"position:{position}"
        if form == "release" and self.releases:
            number = moment % len(self.releases)
            position, recorded_at, views = self.history[self.releases[number]]
            as_of = f"release:r{number}"
        if form == "just-before":
            recorded_at -= timedelta(microseconds=1)
            position, _, views = self.history[index - 1]
        if form in ("instant", "just-before"):
            as_of = recorded_at.isoformat().replace("+00:00", "Z")
        elif form == "offset":
            as_of = (recorded_at + timedelta(hours=4)).replace(tzinfo=None).isoformat() + "+04:00"
        answer = self.client.get(f"{self.path}/incidents/{id_}", params={"as_of": as_of})
        if id_ not in views:
            problem(answer, "not-found", 404)
            return
        view = read(answer)
        assert shown(view) == views[id_]
        assert view["cut"]["final"] == (form in ("position", "release") or position < self.history[-1][0])
        assert view["cut"]["position"] <= position == int(answer.headers["stet-position"])
        assert view["cut"]["recorded_at"] == view["updated_at"]
        asked = as_of if form != "offset" else recorded_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        assert view["cut"]["as_of"] == asked
        if view["cut"]["final"]:
            self.final.setdefault((answer.url.path, as_of), (200, answer.content))

    @rule(number=NUMBER, position=NUMBER, last=st.sampled_from(["", "/timeline?axis=said", "/events", "/statements"]))
    def read_at_any_position(self, number: int, position: int, last: str) -> None:
        """At any position, also within an append, the answer is kept to be asked for again."""
        path = f"{self.path}/incidents/{self.pick(number)}{last}"
        as_of = f"position:{1 + position % self.history[-1][0]}"
        answer = self.client.get(httpx.URL(path).copy_merge_params({"as_of": as_of}))
        assert answer.status_code in (200, 404), answer.text
        if answer.status_code == 200:
            kept = self.final.setdefault((path, as_of), (200, answer.content))
            assert kept == (200, answer.content)

    @rule(number=NUMBER)
    @precondition(lambda self: self.final)
    def read_again(self, number: int) -> None:
        """An answer at a final cut never changes, not by a byte."""
        (path, as_of), kept = list(self.final.items())[number % len(self.final)]
        answer = self.client.get(httpx.URL(path).copy_merge_params({"as_of": as_of}))
        assert (answer.status_code, answer.content) == kept

    @rule(number=NUMBER)
    def read_conditionally(self, number: int) -> None:
        """Who has the last representation is told so; whoever has another gets it."""
        path = f"{self.path}/incidents/{self.pick(number)}"
        first = self.client.get(path)
        again = self.client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        version = self.versions[path.rpartition("/")[2]]
        assert first.headers["etag"].startswith(f'"{version}-')
        other = self.client.get(path, headers={"If-None-Match": f'"{version}-0000"'})
        assert (other.status_code, other.content) == (200, first.content)

    @rule(limit=st.integers(1, 3))
    @precondition(lambda self: self.page is None)
    def begin_list(self, limit: int) -> None:
        page = read(self.client.get(f"{self.path}/incidents", params={"limit": limit}))
        self.paged(page, [], self.history[-1][0])

    @rule(limit=st.integers(1, 2))
    @precondition(lambda self: self.page)
    def continue_list(self, limit: int) -> None:
        """A list that goes on across writes gives each incident once, as of its first page."""
        assert self.page
        cursor, seen, position = self.page
        page = read(self.client.get(f"{self.path}/incidents", params={"limit": limit, "cursor": cursor}))
        assert page["cut"]["position"] == position
        self.paged(page, seen, position)

    def paged(self, page: dict[str, Any], seen: list[dict[str, Any]], position: int) -> None:
        seen = seen + page["items"]
        self.page = (page["next_cursor"], seen, position) if page["next_cursor"] else None
        if self.page is None:
            views = next(views for at, _, views in self.history if at == position)
            assert [item["incident_id"] for item in seen] == list(views)
            for item, view in zip(seen, views.values(), strict=True):
                assert {name: item[name] for name in ("title", "status", "tags")} == {
                    name: view[name] for name in ("title", "status", "tags")
                }

    @rule(moment=NUMBER, status=st.sampled_from(["open", "closed", None]), tag=st.sampled_from(["aviation", None]),
          said_by=st.sampled_from([*TIMES, None]), sort=st.sampled_from(["opened_at", "-opened_at"]))  # fmt: skip
    def list_filtered(self, moment: int, status: str | None, tag: str | None, said_by: str | None, sort: str) -> None:
        """At any cut, at both times, a list has what the model had then and the filters keep, and nothing else."""
        position, _, views = self.history[moment % len(self.history)]
        query = {"as_of": f"position:{position}", "status": status, "tag": tag, "said_by": said_by, "sort": sort}
        answer = self.client.get(
            f"{self.path}/incidents", params={name: value for name, value in query.items() if value is not None}
        )
        kept = [
            id_
            for id_, view in views.items()
            if status in (None, view["status"])
            and (tag is None or tag in view["tags"])
            and (said_by is None or any(at <= instant(said_by) for at in self.said_times(view)))
        ]
        found = [item["incident_id"] for item in read(answer)["items"]]
        assert found == (kept[::-1] if sort == "-opened_at" else kept)

    @staticmethod
    def said_times(view: dict[str, Any]) -> list[Any]:
        """When each statement had been said for certain; retractions are statements, too."""
        times = [statement["said"][1] for statement in view["statements"]]
        return times + [at for statement in view["statements"] for _, at in statement["retractions"]]

    @rule(number=NUMBER, one=NUMBER, other=NUMBER)
    def compare(self, number: int, one: int, other: int) -> None:
        """A diff of two cuts names what differs between the model's views, and only events between them."""
        id_ = self.pick(number)
        first, last = sorted((one % len(self.history), other % len(self.history)))
        (from_, _, old), (to, _, new) = self.history[first], self.history[last]
        query = {"from": f"position:{from_}", "to": f"position:{to}"}
        answer = self.client.get(f"{self.path}/incidents/{id_}/diff", params=query)
        if id_ not in old:
            problem(answer, "not-found", 404)
            return
        diff = read(answer)
        was, is_ = old[id_], new[id_]
        changed = {name for name in ("title", "status", "tags", "links") if was[name] != is_[name]}
        assert {change["field"] for change in diff["fields"]} == changed
        before, after = ({s["statement_id"] for s in view["statements"]} for view in (was, is_))
        retractions = {made for view in (was, is_) for s in view["statements"] for made, _ in s["retractions"]}
        assert set(diff["statements"]["added"]) - retractions == after - before
        assert set(diff["statements"]["removed"]) - retractions == before - after
        outside = [event for event in diff["events"] if not from_ < event["position"] <= to]
        assert not outside, (from_, to, outside)
        assert all(event["because"] == "recorded" for event in diff["events"]), diff["events"]
        assert all(change["causes"] for change in diff["attributes"]), diff["attributes"]

    @rule(number=NUMBER)
    def read_events(self, number: int) -> None:
        """A stream's versions are dense, its positions increase, and the revisions are some of its events."""
        id_ = self.pick(number)
        events = read(self.client.get(f"{self.path}/incidents/{id_}/events?limit=1000"))["items"]
        assert [event["stream_version"] for event in events] == list(range(1, self.versions[id_] + 1))
        positions = [event["position"] for event in events]
        assert positions == sorted(set(positions))
        assert positions[-1] <= self.history[-1][0]
        revisions = read(self.client.get(f"{self.path}/incidents/{id_}/revisions?limit=1000"))["items"]
        assert revisions == [e for e in events if e["type"] not in ("incident-opened", "statement-recorded")]


def test_machine(client: httpx.Client) -> None:
    """Whatever is done, in whatever order, the API says what the model says: now, and at every earlier cut."""
    bounds = settings(max_examples=40, stateful_step_count=40)
    run_state_machine_as_test(lambda: Machine(client), settings=bounds)
