"""How tests follow a ledger: a copy of its lists that is kept by its changes, and a ledger with all that may happen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from tests.http.asking import read
from tests.http.test_lists import Desk, count

HANGING = 9
"""How many incidents hang on one document."""


class Copy:
    """What a client has that does nothing but read the changes."""

    def __init__(self, client: httpx.Client, path: str) -> None:
        self.client = client
        self.path = path
        self.items: dict[str, Any] = {}
        self.positions: list[int] = []
        self.after = 0

    def sync(self, limit: int) -> None:
        """Pages of that size, up to the head."""
        head = -1
        while self.after != head:
            asked = {"after": self.after, "limit": limit}
            answer = self.client.get(f"{self.path}/changes", params=asked)
            page = read(answer)
            head, events = page["head"], [len(positions_of(item)) for item in page["items"]]
            for item in page["items"]:
                self.take(item)
            assert page["next_after"] == self.after == len(self.positions)
            assert sum(events) <= limit or len(events) == 1, "only an append that is alone is larger than the limit"
            link = f'<{self.path}/changes?after={self.after}&limit={limit}>; rel="next"'
            assert answer.headers.get("link") == (link if self.after < head else None)
            assert (answer.headers["stet-position"], answer.headers["cache-control"]) == (str(head), "no-store")

    def take(self, item: dict[str, Any]) -> None:
        """What one append changed."""
        positions = positions_of(item)
        assert positions == list(range(self.after + 1, item["position"] + 1)), "whole, and behind the one before"
        self.positions += positions
        self.after = item["position"]
        for one in item["changes"]:
            assert (one["incident"] is not None) == (one["kind"] == "incident" and one["change"] != "removed")
            if one["change"] == "created":
                assert one["id"] not in self.items
            if one["incident"]:
                self.items[one["id"]] = one["incident"]
            elif one["change"] == "removed":
                del self.items[one["id"]]

    def is_the_list(self) -> None:
        """Equal in everything, and in order."""
        listed = read(self.client.get(f"{self.path}/incidents", params={"limit": 1000}))
        assert listed["next_cursor"] is None
        assert list(self.items.values()) == listed["items"]
        assert self.positions == list(range(1, listed["cut"]["position"] + 1))


def positions_of(item: dict[str, Any]) -> list[int]:
    """The positions of an append's events, over all that it changed."""
    return sorted(position for one in item["changes"] for position in one["positions"])


def changes(client: httpx.Client, path: str, after: int = 0) -> list[dict[str, Any]]:
    """All appends after a position, in one page."""
    page = read(client.get(f"{path}/changes", params={"after": after, "limit": 1000}))
    assert page["next_after"] == page["head"]
    found: list[dict[str, Any]] = page["items"]
    return found


def events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """The events of a stream as they come: id, event and data, decoded. What is not whole is none."""
    fields: dict[str, Any] = {}
    for line in answer.iter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and fields:
            yield fields | {"id": int(fields["id"]), "data": json.loads(fields["data"])}
            fields = {}


@contextmanager
def worker(url: str) -> Iterator[None]:
    """`stet worker` in a process of its own, from when it has begun until the end of the block."""
    command, environment = [sys.executable, "-m", "stet", "worker"], {**os.environ, "STET_DATABASE_URL": url}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"The worker is ready\n"
            yield
        finally:
            process.terminate()
            process.wait(30)


def only_named_attributes_changed(client: httpx.Client, path: str) -> None:
    """After each append, what an incident's attributes come to differs at most where the change names them."""
    last: dict[str, dict[tuple[str, str | None], Any]] = {}

    def resolved(id_: str, as_of: str) -> dict[tuple[str, str | None], Any]:
        view = read(client.get(f"{path}/incidents/{id_}", params={"as_of": as_of}))
        return {(one["attribute"], one["of"]): one for one in view["attributes"]}

    for item in changes(client, path):
        for one in item["changes"]:
            if one["kind"] != "incident":
                assert one["attributes"] == []
                continue
            if one["change"] == "removed":
                continue  # what comes back differs where it says so from what went
            before, now = last.get(one["id"], {}), resolved(one["id"], f"position:{item['position']}")
            differing = {key[0] for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
            assert differing <= set(one["attributes"]), (one["types"], differing)
            assert one["attributes"] == sorted(set(one["attributes"]))
            last[one["id"]] = now
    head = read(client.get(f"{path}/changes?limit=1"))["head"]
    assert last == {id_: resolved(id_, f"position:{head}") for id_ in last}


# ---- a ledger with everything ----


def revise(desk: Desk, title: str, type_: str, /, **body: Any) -> None:
    why = {"rationale": "we judge"} if type_ in ("statement-assessed", "attribute-pinned") else {"reason": "so it is"}
    desk.post(f"incidents/{desk.ids[title]}/revisions", {"type": type_, **why, **body})


def say(desk: Desk, title: str, /, *said: Any, supersedes: str | None = None, **claims: Any) -> str:
    body = desk.said(*said, **claims) | ({"supersedes": supersedes} if supersedes else {})
    statement_id: str = desk.post(f"incidents/{desk.ids[title]}/statements", body)["statement_id"]
    return statement_id


def hanging(desk: Desk) -> None:
    """Incidents with times that hang on a document, whose publication is corrected: one append."""
    versions = [{"version": 1, "change": "original", "published_at": "2020-11-09"}]
    body = {"kind": "article", "title": "An article", "versions": versions}
    document = f"documents/{(id_ := desk.post('documents', body)['document_id'])}/revisions"
    cited = {"document_id": id_, "version": 1}
    on_it = {"anchor": {**cited, "relation": "same-day"}}
    for n in range(HANGING):
        said = desk.said("Ministry", occurred_at={"value": on_it}, weapon="mine")
        desk.open(f"Hanging {n}", said | {"citation": cited, "said_at": on_it}, desk.said("Ministry", weapon="gun"))
    why = {"basis": "told", "rationale": "a scan of it"}
    dated = [{"version": 1, "published_at": "2020-11-22"}]
    desk.post(document, {"type": "document-corrected", "versions": dated, **why})
    desk.post(document, {"type": "document-corrected", "title": "Another", **why})
    update = {"type": "document-revised", "version": 2, "change": "update", "reason": "seen"}
    desk.post(document, update)
    capture = {"version": 2, "captured_at": "2020-11-23T00:00:00Z", "sha256": "0" * 64, "reason": "kept"}
    desk.post(document, {"type": "document-captured", **capture})
    for label in ("red", "clear"):
        desk.post(document, {"type": "visibility-changed", "label": label, "reason": "of the source"})


def supersessions(desk: Desk) -> None:
    """What takes a statement's place, or takes it back, goes and comes: the other's claims count, or do not."""
    desk.open("Home")
    desk.open("Away")
    older = say(desk, "Home", "Ministry", killed=count(3), injured=count(1))
    newer = say(desk, "Home", "Ministry", weapon="mine", supersedes=older)
    for _ in range(2):
        revise(desk, "Home", "statement-withdrawn", statement_id=newer, ground="legal")
        revise(desk, "Home", "statement-reinstated", statement_id=newer)
    for speaker in ("Agency", "Ministry"):
        fields = {"speaker": desk.source(speaker)}
        revise(desk, "Home", "statement-corrected", statement_id=newer, error="attribution", set=fields)
    revise(desk, "Home", "statement-moved-out", statement_id=newer, to_incident=desk.ids["Away"])
    revise(desk, "Home", "statement-moved-out", statement_id=older, to_incident=desk.ids["Away"])
    revise(desk, "Away", "statement-moved-out", statement_id=newer, to_incident=desk.ids["Home"])
    revise(desk, "Home", "statement-moved-out", statement_id=newer, to_incident=desk.ids["Away"])
    latest = say(desk, "Away", "Ministry", cause="error")
    revise(desk, "Away", "statement-superseded", statement_id=newer, superseded_by=latest)
    witness = say(desk, "Home", "Witness", killed=count(5), missing=count(1))
    revise(desk, "Home", "statement-retracted", statement_id=witness, said_at="2020-11-20")
    statements = read(desk.client.get(f"{desk.path}/incidents/{desk.ids['Home']}"))["statements"]
    (retraction,) = [one["statement_id"] for one in statements if one["retracts"]]
    revise(desk, "Home", "statement-withdrawn", statement_id=retraction, ground="fabricated")
    revise(desk, "Home", "statement-reinstated", statement_id=retraction)
    fields = {"speaker": desk.source("Agency")}
    revise(desk, "Home", "statement-corrected", statement_id=retraction, error="attribution", set=fields)
    cited = say(desk, "Home", "Agency", cause="gas")
    revise(desk, "Home", "attribute-pinned", attribute="detained", value=count(7), cites=[cited])
    revise(desk, "Home", "statement-moved-out", statement_id=cited, to_incident=desk.ids["Away"])
    revise(desk, "Away", "statement-moved-out", statement_id=cited, to_incident=desk.ids["Home"])
    revise(desk, "Home", "attribute-unpinned", attribute="detained")


def the_rest(desk: Desk) -> None:
    """Corrections, judgements, a statement about two incidents, and what the desk does to incidents and ledgers."""
    desk.post("attributes", {"name": "branch", "type": "term", "rule": "majority", "terms": ["army", "navy"]})
    body = {"type": "ledger-amended", "title": "Renamed", "reason": "so it is"}
    assert desk.client.post(f"{desk.path}/revisions", json=body).status_code == 201
    renamed = {"type": "source-revised", "name": "Eyewitness", "reason": "he is named"}
    desk.post(f"sources/{desk.source('Witness')}/revisions", renamed)
    desk.open("Two", desk.said("Agency", "2020-11-09", killed=count(2, 2), branch="army"), tags=["border"])
    both = desk.said("Agency", "2020-11-10", killed=count(4, 4))
    both["claims"].append({"attribute": "injured", "value": count(9), "incident_id": desk.ids["Home"]})
    made = desk.post(f"incidents/{desk.ids['Two']}/statements", both)
    (statement_id, claim) = made["statement_id"], made["claims"][0]["claim_id"]
    corrected = {"statement_id": statement_id, "error": "transcription"}
    revise(desk, "Two", "statement-corrected", **corrected, set={"said_at": "2020-11-01"})
    other = {"claim_id": claim, "attribute": "missing", "value": count(1)}
    added = {"attribute": "detained", "value": count(2)}
    revise(desk, "Two", "statement-corrected", **corrected, claims=[other, added])
    revise(desk, "Two", "statement-corrected", **corrected, remove_claims=[claim])
    for verification in ("discounted", "verified"):
        body = {"verification": verification, "basis": "told"}
        revise(desk, "Two", "statement-assessed", statement_id=statement_id, **body)
    revise(desk, "Two", "incident-amended", title="Three", kind="crash", tags=["aviation"])
    link = {"incident_id": desk.ids["Home"], "relation": "follows"}
    revise(desk, "Two", "incident-linked", **link)
    revise(desk, "Two", "incident-unlinked", **link)
    for status in ("closed", "withdrawn"):
        revise(desk, "Two", "incident-status-changed", status=status)


def merges(desk: Desk) -> None:
    """Two incidents are one, and two again; two sources are one."""
    for title in ("Other twin", "Twin"):
        desk.open(title, desk.said("Agency", "2020-11-09", killed=count(2)), desk.said("Press agency", weapon="mine"))
    revise(desk, "Twin", "incident-merged", into=desk.ids["Other twin"])
    revise(desk, "Other twin", "merge-reverted", incident_id=desk.ids["Twin"])
    merged = {"type": "source-merged", "into": desk.source("Agency"), "reason": "one and the same"}
    desk.post(f"sources/{desk.source('Press agency')}/revisions", merged)
