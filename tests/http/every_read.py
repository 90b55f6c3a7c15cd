"""Every read that the contract has, of a drawn history; and answers in a form in which two ledgers can be compared."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import pyarrow.parquet
from tests.http.never import TELLING, Restored
from tests.strategies import World

Paths = Iterator[str]


class Cut(NamedTuple):
    """A moment of the history that is asked about, as it is named in one ledger, and by when something was said."""

    index: int | None
    said_by: str | None = None

    def query(self, ledger: Restored, *more: str, said: bool = False) -> str:
        parts = [*more]
        if self.index is not None:
            parts.append(f"as_of=position:{ledger.at(self.index)}")
        if said and self.said_by:
            parts.append(f"said_by={self.said_by}")
        return "?" + "&".join(parts) if parts else ""


def _ids(world: World, kind: str) -> list[str]:
    return sorted(str(id_) for id_ in world.of(kind))


def _lists(path: str, *queries: str, said: bool = True) -> Callable[..., Paths]:
    def paths(world: World, ledger: Restored, cut: Cut) -> Paths:
        for query in queries:
            yield path + cut.query(ledger, *([query] if query else []), said=said)

    return paths


def _each(kind: str, *suffixes: str, said: bool = True) -> Callable[..., Paths]:
    def paths(world: World, ledger: Restored, cut: Cut) -> Paths:
        for id_ in _ids(world, kind):
            for suffix in suffixes:
                path, _, query = suffix.partition("?")
                yield f"/{kind}s/{id_}{path}" + cut.query(ledger, *([query] if query else []), said=said)

    return paths


def _explanations(world: World, ledger: Restored, cut: Cut) -> Paths:
    for name in ("killed", "place", "weapon", "occurred_at", "responsible", "document_1"):
        yield from _each("incident", f"/attributes/{name}")(world, ledger, cut)


def _diffs(world: World, ledger: Restored, cut: Cut) -> Paths:
    for id_ in _ids(world, "incident"):
        if cut.index is not None:
            yield f"/incidents/{id_}/diff?from=position:{ledger.at(cut.index)}"
        if cut.said_by:
            yield f"/incidents/{id_}/diff?from_said_by={cut.said_by}"


def _statements(world: World, ledger: Restored, cut: Cut) -> Paths:
    held = {(id_, one) for id_, state in world.incidents.items() for one in state.statements}
    for incident_id, statement_id in sorted(held):
        yield f"/incidents/{incident_id}/statements/{statement_id}" + cut.query(ledger, said=True)


def _releases(world: World, ledger: Restored, cut: Cut) -> Paths:
    for name in ("first", "second"):
        yield f"/releases/{name}" + cut.query(ledger)
        yield f"/incidents?as_of=release:{name}"


def _records(world: World, ledger: Restored, cut: Cut) -> Paths:
    for id_ in _ids(world, "source"):
        for form in ("ndjson", "csv"):
            yield "/records" + cut.query(ledger, f"source={id_}", f"format={form}", said=True)


def _progress(world: World, ledger: Restored, cut: Cut) -> Paths:
    for id_ in _ids(world, "source"):
        yield f"/records/{id_}" + cut.query(ledger)


def _by_source(world: World, ledger: Restored, cut: Cut) -> Paths:
    queries = [f"source={id_}" for id_ in _ids(world, "source")]
    queries += ["", "q=mi", "q=zzmar", "kind=shootdown", "status=open", "tag=a", "killed_min=1", "injured_max=9"]
    queries += ["bbox=-90,-45,90,45", "near=10,10&radius=5000000", "occurred_after=2020-11-08", "attribute=weapon"]
    queries += ["attribute_status=contested", "sort=-updated_at", "sort=updated_at", "sort=title", "sort=-occurred_at"]
    queries += ["format=csv", "format=geojson", "format=ndjson", "limit=1", "limit=1&sort=updated_at"]
    yield from _lists("/incidents", *queries)(world, ledger, cut)


def _whole(*paths: str) -> Callable[..., Paths]:
    """What takes no cut is asked once."""

    def found(world: World, ledger: Restored, cut: Cut) -> Paths:
        if cut.index is None and cut.said_by is None:
            yield from paths

    return found


_MATCH = "said_match=possible"
READS: dict[str, Callable[..., Paths]] = {
    "getLedger": _lists("", "", said=False),
    "listAttributes": _lists("/attributes", "", said=False),
    "getAttribute": _lists("/attributes/killed", "", said=False),
    "listSources": _lists("/sources", "", "q=az", "q=zzmar", "limit=1", said=False),
    "getSource": _each("source", "", said=False),
    "getSourceRecord": _each("source", "/record", said=False),
    "listDocuments": _lists("/documents", "", "q=mi", "q=zzmar", "limit=1", said=False),
    "getDocument": _each("document", "", said=False),
    "listIncidents": _by_source,
    "getStats": _lists(
        "/stats", "", "group_by=month", "group_by=source", "group_by=attribute_status&by_attribute=weapon", "q=zzmar"
    ),
    "listRevisions": _each("incident", "/revisions", "/revisions?limit=1", said=False),
    "getIncident": _each("incident", "", "?proof=true"),
    "getMatrix": _each("incident", "/matrix"),
    "explainAttribute": _explanations,
    "diffIncident": _diffs,
    "listSimilar": _each("incident", "/similar?min_score=0", "/similar?min_score=0.3&limit=1"),
    "getTimeline": _each("incident", "/timeline?axis=recorded", "/timeline?axis=said", "/timeline?axis=occurred"),
    "listIncidentEvents": _each("incident", "/events", "/events?limit=2", said=False),
    "listStatements": _each("incident", "/statements", "/statements?limit=1"),
    "getStatement": _statements,
    "listAllStatements": _lists(
        "/statements", "", "sort=-said_at", "q=mi", "q=zzmar", "attribute=weapon", "act=assert", "format=csv", "limit=2"
    ),
    "listReleases": _lists("/releases", "", "limit=1", said=False),
    "getRelease": _releases,
    "getTimeMap": _whole("/timemap", "/timemap?of=documents"),
    "getIncidentTimeMap": lambda world, ledger, cut: (
        path for id_ in _ids(world, "incident") for path in _whole(f"/incidents/{id_}/timemap")(world, ledger, cut)
    ),
    "listChanges": _whole("/changes?limit=1000", "/changes?format=atom&limit=1000"),
    "listEvents": _whole("/events", "/events?format=cloudevents"),
    "listRecords": _records,
    "getRecordsProgress": _progress,
    "exportIncidents": _lists(
        "/exports/",
        *("csv", "claims", "geojson", "ndjson", "parquet", "ucdp", "ucdp-losses", "acled", "acled-losses"),
    ),
    "getCheckpoint": _whole("/checkpoint", "/checkpoint?format=json"),
    "getInclusionProof": _whole("/proofs/inclusion?position=1"),
    "getConsistencyProof": _whole("/proofs/consistency?from=1"),
    "getAtomFeed": _whole("/exports/atom?limit=1000"),
}
"""For each read of a ledger the addresses, below the ledger's own, that are asked at a cut."""
OF_ALL_LEDGERS = frozenset(
    ("getHealth", "getReadiness", "listLedgers", "listProjections", "listRebuilds", "getRebuild")
)
"""What is about no ledger's contents: the names of ledgers, and how the service is."""
NOT_COMPARED = frozenset(("getTimeMap", "getCheckpoint", "getInclusionProof", "getConsistencyProof"))
"""That something was appended, and when, is not hidden: only what it was. A salted hash tells nothing of that."""
_OF_LEDGER = frozenset(
    (
        *("listSources", "listDocuments", "listIncidents", "listSimilar", "getStats"),
        *("listRevisions", "listIncidentEvents"),
        *("listStatements", "listAllStatements", "listReleases", "getSourceRecord", "getRecordsProgress", "getRelease"),
    )
)
"""Whose cut is that of the log."""


def paths_of(world: World, ledger: Restored, cut: Cut) -> Iterator[tuple[str, str]]:
    """Every address to ask, with its operation."""
    for operation, paths in READS.items():
        for path in paths(world, ledger, cut):
            if operation == "exportIncidents":
                form, _, query = path.removeprefix("/exports/?").partition("&")
                path = f"/exports/{form}{'?' + query if query else ''}"
            yield operation, path


async def ask(client: httpx.AsyncClient, ledger: Restored, path: str) -> list[httpx.Response]:
    """The answer, or all pages of it."""
    answers = [await client.get(f"/v1/ledgers/{ledger.name}{path}")]
    while (following := answers[-1].links.get("next")) and "limit=" in path and "cursor=" in following["url"]:
        answers.append(await client.get(following["url"]))
    return answers


# ---- as they can be compared ----

_DROPPED = frozenset(
    (
        *("version", "stream_version", "streamversion", "sequence", "salt", "payload_digest", "payloaddigest", "leaf"),
        *("as_of", "next_after", "head", "next_cursor", "request_id"),
    )
)
_POSITION = re.compile(r"position:(\d+)")


class Form(NamedTuple):
    """How the answers of a ledger are made comparable: positions become what happened there."""

    ledger: Restored
    member: bool
    """Compared with a history that lacks only the events which say who may see something."""

    def of(self, operation: str, answers: list[httpx.Response]) -> Any:
        found = [self._one(operation, answer) for answer in answers]
        if len(found) > 1 or (found and isinstance(found[0], dict) and "items" in found[0] and "cut" not in found[0]):
            return [item for page in found for item in page["items"]]
        return found[0]

    def _one(self, operation: str, answer: httpx.Response) -> Any:
        text = answer.text.replace(self.ledger.name, "LEDGER").replace(str(self.ledger.ledger_id), "LEDGER")
        if answer.status_code == 308:
            return _POSITION.sub(self._instant, answer.headers["location"].replace(self.ledger.name, "LEDGER"))
        kind = answer.headers["content-type"].partition(";")[0]
        if answer.status_code != 200:
            return answer.status_code, self._value(json.loads(_POSITION.sub("position:N", text)))
        match kind:
            case "application/vnd.apache.parquet":
                return self._value(pyarrow.parquet.read_table(io.BytesIO(answer.content)).to_pylist())
            case "text/csv":
                return self._value(list(csv.DictReader(io.StringIO(text))))
            case "application/x-ndjson":
                return self._value([json.loads(line) for line in text.splitlines()])
            case "application/link-format":
                return self._links(text)
            case "application/atom+xml":
                return self._entries(text)
        value = json.loads(text)
        if operation == "listChanges":
            return list(self._changes(value["items"]))
        if isinstance(value, dict) and (operation in _OF_LEDGER or operation == "exportIncidents"):
            value.pop("cut", None)
        return self._value(value)

    def _value(self, value: Any, key: str = "") -> Any:
        match value:
            case dict():
                value = self._without(value)
                return {name: self._value(its, name) for name, its in value.items() if name not in _DROPPED}
            case list():
                return [self._value(one, key) for one in value if not (self.member and _tells(one))]
            case int() if key in ("position", "positions", "statement_position"):
                row = self.ledger.rows[value - 1] if value else None
                return row and (row["event_id"] if key == "positions" else row["recorded_at"])
            case str():
                return _POSITION.sub(self._instant, value)
            case _:
                return value

    def _without(self, value: dict[str, Any]) -> dict[str, Any]:
        if value.keys() == {"position", "recorded_at", "actor"} or {"statement_id", "recorded_at"} <= value.keys():
            # By its time alone: of the append that proposed what was accepted later nothing may be left.
            value = {name: its for name, its in value.items() if name != "position"}
        if "resolution" in value and "audience" not in value:
            # A release, and what it names may be an append of which nothing is left.
            value = {name: its for name, its in value.items() if name != "position"}
        if self.member:
            dropped = ("updated_at", "visibility", "cut", "from", "to", "events", "incidents_changed")
            value = {name: its for name, its in value.items() if name not in dropped or isinstance(its, list)}
        return value

    def _instant(self, found: re.Match[str]) -> str:
        position = int(found[1])
        return self.ledger.rows[position - 1]["recorded_at"] if 0 < position <= len(self.ledger.rows) else found[0]

    def _changes(self, items: list[dict[str, Any]]) -> Iterator[Any]:
        for item in items:
            changes = []
            for one in item["changes"]:
                pairs = zip(one["types"], one["positions"], strict=True)
                left = [pair for pair in pairs if pair[0] not in TELLING]
                if left:
                    types, positions = zip(*left, strict=True)
                    changes.append(self._value({**one, "types": [*types], "positions": [*positions]}))
            if changes:
                yield item["recorded_at"], item["actor"], changes

    def _entries(self, text: str) -> list[Any]:
        entries = re.findall(r"<entry>(.*?)</entry>", text, re.S)
        found = []
        for entry in entries:
            if ":anew</id>" in entry or any(f"{name}" in entry for name in TELLING):
                continue
            parts = re.findall(r"<(title|updated|name|summary)>(.*?)</\1>", entry, re.S)
            found.append((parts, re.findall(r'term="(.*?)"', entry)))
        return found

    def _links(self, text: str) -> list[str]:
        return sorted(_POSITION.sub(self._instant, line) for line in text.splitlines())


def _tells(one: Any) -> bool:
    if not isinstance(one, dict):
        return False
    type_ = str(one.get("type", ""))
    return (
        type_ in TELLING
        or type_.startswith(tuple(f"stet.{name}." for name in TELLING))
        or one.get("field") == "visibility"
    )
