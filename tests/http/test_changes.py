"""`…/changes`: whoever reads it from the beginning, or goes on from where it was, has what the lists show."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import httpx
import pytest
from tests.conftest import Server
from tests.http.asking import malformed, problem, read
from tests.http.following import (
    HANGING,
    Copy,
    changes,
    events,
    hanging,
    merges,
    only_named_attributes_changed,
    positions_of,
    supersessions,
    the_rest,
)
from tests.http.test_lists import Desk, count

from stet.codec import EVENTS


@pytest.fixture(scope="module")
def everything(server: Server) -> Iterator[Desk]:
    """A ledger with events of every type."""
    with httpx.Client(base_url=server.url, timeout=30) as client:
        desk = Desk(client)
        hanging(desk)
        supersessions(desk)
        the_rest(desk)
        merges(desk)
        desk.post("releases", {"name": "first"})
        yield desk


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_pages_of_any_size_add_up_to_the_list(everything: Desk, limit: int) -> None:
    """Every position once, every append whole, every item as the list shows it."""
    copy = Copy(everything.client, everything.path)
    copy.sync(limit)
    copy.is_the_list()
    # Nothing new: nothing is given, and the position stays.
    page = read(everything.client.get(f"{everything.path}/changes", params={"after": copy.after}))
    assert page == {"items": [], "next_after": copy.after, "head": copy.after}


def test_every_type_of_event_is_there_and_created_is_what_begins(everything: Desk) -> None:
    found, seen = set(), set()
    for item in changes(everything.client, everything.path):
        assert item["actor"] == "local"
        for one in item["changes"]:
            assert len(one["types"]) == len(one["positions"])
            removed = "incident-merged" in one["types"]
            assert one["change"] == ("removed" if removed else "changed" if one["id"] in seen else "created")
            if one["incident"]:
                assert one["incident"]["updated_at"] == item["recorded_at"]
            found |= set(one["types"])
            seen.add(one["id"])
    # Drafts take the key of a contributor: tests/http/test_review.py; a redaction those of two administrators.
    keyed = {"statement-proposed", "statement-accepted", "statement-rejected", "redaction-proposed", "payload-redacted"}
    assert found == set(EVENTS) - keyed


def test_within_an_append_the_rest_of_it_follows(everything: Desk) -> None:
    """As if the append began there: with the same position, and the same items."""
    path = f"{everything.path}/changes"
    large = [item for item in changes(everything.client, everything.path) if len(positions_of(item)) > HANGING]
    assert large
    for whole in large:
        for after in positions_of(whole)[:-1]:
            (item,) = read(everything.client.get(path, params={"after": after, "limit": 1}))["items"]
            assert positions_of(item) == list(range(after + 1, whole["position"] + 1))
            assert (item["position"], item["recorded_at"]) == (whole["position"], whole["recorded_at"])
            its = {one["id"]: one["incident"] for one in whole["changes"]}
            assert all(one["incident"] == its[one["id"]] for one in item["changes"])


def test_attributes_are_those_that_changed(everything: Desk) -> None:
    """For every type of event, also where a statement counts again because of what happened to another one."""
    only_named_attributes_changed(everything.client, everything.path)


def test_the_feed_sends_the_same_items(everything: Desk) -> None:
    wanted = changes(everything.client, everything.path)
    with everything.client.stream("GET", f"{everything.path}/changes?format=sse") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        found = [next(its) for its in [events(answer)] for _ in wanted]
    assert [one["data"] for one in found] == wanted
    assert [(one["id"], one["event"]) for one in found] == [(item["position"], "append") for item in wanted]


def test_what_cannot_be_asked(client: httpx.Client, ledger: str) -> None:
    path = f"{ledger}/changes"
    for query in ({"after": -1}, {"after": "x"}, {"limit": 0}, {"limit": 1001}, {"after": 2**63}, {"colour": 1}):
        malformed(client.get(path, params=query), f"query.{next(iter(query))}")
    problem(client.get(path, params={"after": 2}), "not-found", 404)
    problem(client.get("/v1/ledgers/no-such-ledger/changes"), "not-found", 404)
    problem(client.get(path, headers={"accept": "text/csv"}), "not-acceptable", 406)


# ---- any history ----


class Chance:
    """Does something at random to a ledger. What the rules refuse changes nothing."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self.random = desk, Random(seed)
        versions = [{"version": 1, "change": "original", "published_at": "2020-11-09"}]
        body = {"kind": "article", "title": "An article", "versions": versions}
        self.document = desk.post("documents", body)["document_id"]
        self.said: list[str] = []
        for n in range(3):
            desk.open(f"Incident {n}")

    def step(self) -> None:
        id_ = self.random.choice(list(self.desk.ids.values()))
        path = f"{self.desk.path}/incidents/{id_}"
        statements = read(self.desk.client.get(path))["statements"]
        match self.random.randrange(12):
            case 0:
                self.desk.open(f"Incident {len(self.desk.ids)}", self.statement([]))
                return
            case 1:
                day = f"2020-11-{self.random.randint(1, 28):02}"
                why = {"type": "document-corrected", "basis": "told", "rationale": "read again"}
                body = why | {"versions": [{"version": 1, "published_at": day}]}
                answer = self.desk.client.post(f"{self.desk.path}/documents/{self.document}/revisions", json=body)
            case n if n < 6 or not statements:
                answer = self.desk.client.post(f"{path}/statements", json=self.statement(statements))
                self.said += [answer.json()["statement_id"]] if answer.status_code == 201 else []
            case _:
                answer = self.desk.client.post(f"{path}/revisions", json=self.revision(statements))
        assert answer.status_code in (200, 201, 409), answer.text

    def value(self) -> dict[str, Any]:
        n = self.random.randint(1, 3)
        on_it = {"anchor": {"document_id": self.document, "version": 1, "relation": "before"}}
        claims = [("killed", count(n, n)), ("weapon", f"weapon {n}"), ("occurred_at", on_it), ("cause", f"cause {n}")]
        name, value = self.random.choice(claims)
        return {"attribute": name, "value": value, "act": self.random.choice(["assert", "admit", "deny", "purport"])}

    def said_at(self) -> Any:
        anchors = [{"statement_id": id_} for id_ in self.said] + [{"document_id": self.document, "version": 1}]
        anchor = self.random.choice(anchors) | {"relation": self.random.choice(["same-day", "before", "after"])}
        return self.random.choice([None, "2020-11-09", "2020-11", {"anchor": anchor}])

    def statement(self, statements: list[Any]) -> dict[str, Any]:
        body = {"speaker": self.speaker(), "claims": [self.value(), self.value()]}
        body["claims"][1] |= {"incident_id": self.random.choice(list(self.desk.ids.values()))} if statements else {}
        older = [one["statement_id"] for one in statements if one["speaker"]["source_id"] == body["speaker"]]
        body |= {"supersedes": self.random.choice(older)} if older and self.random.random() < 0.5 else {}
        at = self.said_at()
        return body | ({"said_at": at} if at else {})

    def speaker(self) -> str:
        return self.desk.source(self.random.choice(["Ministry", "Agency", "Witness"]))

    def revision(self, statements: list[Any]) -> dict[str, Any]:
        choice = self.random.choice
        one, other = choice(statements), choice(statements)["statement_id"]
        claim_ids = [claim["claim_id"] for claim in one["claims"]]
        fixed, error = {"reason": "so it is"}, {"type": "statement-corrected", "error": "attribution"}
        its = [
            {"type": "statement-withdrawn", "ground": "legal"},
            {"type": "statement-reinstated"},
            {"type": "statement-retracted", "said_at": "2020-11-20"},
            {"type": "statement-superseded", "superseded_by": other},
            {"type": "statement-moved-out", "to_incident": choice(list(self.desk.ids.values()))},
            {**error, "set": {"speaker": self.speaker()}},
            {**error, "set": {"said_at": self.said_at()}},
            {**error, "claims": [self.value() | ({"claim_id": choice(claim_ids)} if claim_ids else {})]},
            {"type": "statement-assessed", "verification": choice(["false", "verified"]), "basis": "told"},
        ]
        if choice([True, False, False, False]):
            pin = {"type": "attribute-pinned", "attribute": "killed", "value": count(9), "cites": [other]}
            return choice([pin | {"rationale": "r"}, {"type": "attribute-unpinned", "attribute": "killed"} | fixed])
        made = {"statement_id": one["statement_id"], **choice(its)}
        return made | ({"rationale": "r"} if made["type"] == "statement-assessed" else fixed)


@pytest.mark.parametrize("seed", range(4))
def test_a_client_that_reads_now_and_then_ends_with_the_list(client: httpx.Client, seed: int) -> None:
    """Whatever was done in between, and in whatever pages it reads; and what it was told of the attributes is right."""
    desk = Desk(client)
    chance, copy = Chance(desk, seed), Copy(client, desk.path)
    for _ in range(60):
        chance.step()
        if chance.random.random() < 0.2:
            copy.sync(chance.random.choice([1, 2, 3, 5, 100]))
            copy.is_the_list()
    copy.sync(chance.random.choice([1, 4, 1000]))
    copy.is_the_list()
    only_named_attributes_changed(client, desk.path)
