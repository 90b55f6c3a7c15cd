"""A drawn history as it would be if what is hidden from the public had never been recorded, made of its payloads.

Written from docs/visibility.md, naively, and with nothing of what the service hides things by but how large a place is.
What is hidden carries a mark in all its texts, so that it is known wherever it comes out.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from tests.property.test_visibility_laws import Oracle
from tests.store.exported import Event, file_of, proved
from tests.strategies import World

from stet.store.hashing import rfc3339
from stet.store.log_file import LogFile
from stet.store.restore import restore_log
from stet.values.disc import radius_of
from stet.values.place import Place

MARK = "zzmark"
TELLING = ("visibility-changed", "reference-hidden")
MEMBERS_ONLY = (*TELLING, "statement-proposed", "statement-rejected", "redaction-proposed")
_TEXTS = {
    *("title", "verbatim", "note", "reason", "rationale", "channel", "headline", "summary", "name", "locator", "tool"),
    *("value", "a"),
}
"""The members of payloads that hold words, or a text as the value of a claim or of a row."""
Payload = dict[str, Any]


class Kept(NamedTuple):
    """An event of a history, and what the public is left of it."""

    index: int
    """In the history."""
    payload: Payload


def kept_of(world: World) -> list[Kept]:
    """What the public is left of a history."""
    oracle = Oracle(world)
    ids = {target.partition(":")[2] for target in oracle.hidden}
    places = {stream: place for stream, place in _disclosed(world).items() if place}
    withheld = _withheld(world, places)
    kept: list[Kept] = []
    pinned: set[tuple[Any, ...]] = set()
    for index, (recorded, stored) in enumerate(zip(world.log, world.payloads, strict=True)):
        stream, type_, payload = recorded.stream, recorded.type, json.loads(stored)
        kind, _, id_ = stream.partition(":")
        if type_ in MEMBERS_ONLY or (id_ in ids and kind in ("incident", "document")):
            continue
        if type_ == "statement-moved-in":
            left = [one for one in payload["statement"].get("superseded", ()) if one["superseded_by"] not in ids]
            payload["statement"] = {**payload["statement"], "superseded": left}
            if not left:
                del payload["statement"]["superseded"]
        if type_ == "incident-absorbed":
            payload["links"] = [one for one in payload.get("links", ()) if one["incident_id"] not in ids]
            if not payload["links"]:
                del payload["links"]
        if kind == "incident" and any(hidden in json.dumps(payload) for hidden in ids):
            continue
        pin = (stream, payload.get("attribute"), payload.get("of"))
        place = places.get(stream)
        if type_ == "attribute-pinned":
            if place and payload["type"] == "place" and _finer(payload["value"], place):
                continue
            pinned.add(pin)
        elif type_ == "attribute-unpinned":
            if pin not in pinned:
                continue
            pinned.discard(pin)
        if place:
            payload = _coarse(type_, payload, place, withheld[stream])
        kept.append(Kept(index, payload))
    return kept


def _disclosed(world: World) -> dict[str, Any]:
    """The place that the public may know of each incident, as it was set last."""
    return {
        recorded.stream: json.loads(stored)["visibility"].get("disclosed_place")
        for recorded, stored in zip(world.log, world.payloads, strict=True)
        if recorded.type == "visibility-changed" and "statement_id" not in json.loads(stored)
    }


def _finer(value: Any, disclosed: Any) -> bool:
    if not value.keys() & {"geometry", "radius_m", "level"}:
        return True
    return radius_of(msgspec.convert(value, Place)) < radius_of(msgspec.convert(disclosed, Place))


def _claims(payload: Payload) -> list[Payload]:
    claims = payload.get("statement", payload).get("claims", [])
    return list(claims.values()) if isinstance(claims, dict) else claims


def _said(type_: str, payload: Payload) -> str | None:
    if type_ == "statement-retracted":
        return str(payload["retraction_id"])
    found = payload.get("statement", payload).get("statement_id")
    return None if found is None else str(found)


def _withheld(world: World, places: dict[str, Any]) -> dict[str, set[str]]:
    """Of each incident the statements that said at any time where it was more finely than the public may know."""
    found: dict[str, set[str]] = {stream: set() for stream in places}
    for recorded, stored in zip(world.log, world.payloads, strict=True):
        payload = json.loads(stored)
        if place := places.get(recorded.stream):
            fine = any(one["type"] == "place" and _finer(one["value"], place) for one in _claims(payload))
            if fine and (id_ := _said(recorded.type, payload)):
                found[recorded.stream].add(id_)
    return found


def _coarse(type_: str, payload: Payload, place: Any, withheld: set[str]) -> Payload:
    if not withheld & {_said(type_, payload), payload.get("statement_id")}:
        return payload
    said = dict(payload.get("statement", payload))
    for name in ("verbatim", "record"):
        said.pop(name, None)
    if "set" in said:
        said["set"] = {name: value for name, value in said["set"].items() if name != "verbatim"}
    if claims := said.get("claims"):
        by_id = {id_: _coarse_claim(one, place) for id_, one in claims.items()} if isinstance(claims, dict) else None
        said["claims"] = by_id or [_coarse_claim(one, place) for one in claims]
    return {**payload, "statement": said} if "statement" in payload else said


def _coarse_claim(claim: Payload, place: Any) -> Payload:
    coarse = {name: value for name, value in claim.items() if name not in ("verbatim", "note")}
    fine = claim["type"] == "place" and _finer(claim["value"], place)
    return coarse | ({"value": place} if fine else {})


# ---- as logs ----


def marked(original: Any, left: Any, key: str = "") -> Any:
    """A payload with a mark in every text of it that is not left."""
    match original:
        case str() if key in _TEXTS and left != original:
            return f"{original} {MARK}"
        case dict():
            of = left if isinstance(left, dict) else {}
            return {name: marked(value, of.get(name), name) for name, value in original.items()}
        case list():
            of_ = left if isinstance(left, list) and len(left) == len(original) else [None] * len(original)
            return [marked(value, its, key) for value, its in zip(original, of_, strict=True)]
        case _:
            return original


class Restored(NamedTuple):
    """A history in a ledger of its own."""

    ledger_id: UUID
    name: str
    rows: list[Event]
    indices: list[int]
    """Of the events in the history."""

    def at(self, index: int) -> int:
        """The position up to which it has what the history has up to an event."""
        return sum(one <= index for one in self.indices)


def restore(url: str, world: World, kept: list[Kept], ledger_id: UUID, name: str) -> Restored:
    """Restores what is kept of a history, in its order, at its times, by its ids."""
    indices = [one.index for one in kept]
    versions: Counter[str] = Counter()
    rows: list[Event] = []
    for position, (index, payload) in enumerate(kept, start=1):
        recorded = world.log[index]
        stream = f"ledger:{ledger_id}" if recorded.stream.startswith("ledger:") else recorded.stream
        versions[stream] += 1
        if recorded.type in ("statement-moved-in", "statement-accepted", "release-published"):
            payload = _numbered(payload, indices)
        if recorded.type == "ledger-created":
            payload = payload | {"name": name}
        made = {
            "position": position,
            "stream": stream,
            "stream_version": versions[stream],
            "event_id": str(recorded.event_id),
            "type": recorded.type,
            "schema_version": recorded.schema_version,
            "recorded_at": rfc3339(recorded.recorded_at),
            "actor": recorded.actor,
            "correlation_id": str(recorded.correlation_id),
            "causation_id": str(recorded.causation_id) if recorded.causation_id else None,
            "payload": json.dumps(payload, ensure_ascii=False, separators=(",", ":")),
            "salt": f"{position:032x}",
        }
        rows.append(proved(made, str(ledger_id)))
    data = file_of(rows, [], ledger_id=str(ledger_id), name=name)
    with psycopg.connect(url, autocommit=True) as connection:
        restore_log(connection, LogFile(io.BytesIO(data)))
    return Restored(ledger_id, name, rows, indices)


def _numbered(value: Any, indices: list[int]) -> Any:
    """The payload with the positions of what is kept."""
    if isinstance(value, dict):
        return {
            name: sum(index < its for index in indices) if name == "position" else _numbered(its, indices)
            for name, its in value.items()
        }
    return [_numbered(one, indices) for one in value] if isinstance(value, list) else value


def all_of(world: World, kept: list[Kept]) -> list[Kept]:
    """The whole history, with a mark in all that is hidden."""
    left = dict(kept)
    found = []
    for index, (recorded, stored) in enumerate(zip(world.log, world.payloads, strict=True)):
        payload = json.loads(stored)
        # What the public may know of a place stands in the event that says so.
        its = {**payload, "reason": None} if recorded.type in TELLING else left.get(index)
        found.append(Kept(index, marked(payload, its)))
    return found


def without_telling(whole: list[Kept], world: World) -> list[Kept]:
    """The history without the events that say who may see something."""
    return [one for one in whole if world.log[one.index].type not in TELLING]
