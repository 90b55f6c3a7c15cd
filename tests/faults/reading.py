"""What the readers read: whatever was acknowledged before they asked must be there."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

import httpx

from tests.faults.known import Known
from tests.faults.processes import Violation


class Ask(Protocol):
    """Asks for something; None: the server is dead."""

    def __call__(self, path: str, **parameters: Any) -> httpx.Response | None: ...


Read = Callable[[Random, Known, Ask], None]


def list_of_tag(random: Random, known: Known, ask: Ask) -> None:
    """The list, page by page, has every incident of the round."""
    if not known.incidents:
        return
    one = random.choice(known.incidents[-100:])
    wanted = {other.id for other in list(known.incidents) if (other.ledger, other.tag) == (one.ledger, one.tag)}
    parameters: dict[str, Any] = {"tag": one.tag, "limit": random.choice((20, 1000)), "sort": "title"}
    found: list[str] = []
    while True:
        answer = ask(f"/v1/ledgers/{one.ledger}/incidents", **parameters)
        if answer is None:
            return
        body = _read(answer)
        found += [item["incident_id"] for item in body["items"]]
        if body["next_cursor"] is None:
            break
        parameters["cursor"] = body["next_cursor"]
    _require(wanted <= set(found), f"the list of {one.tag} lacks {wanted - set(found)}", answer)
    _require(len(found) == len(set(found)), f"the list of {one.tag} has an incident twice", answer)


def one_incident(random: Random, known: Known, ask: Ask) -> None:
    """An incident is there, with the statements that were recorded of it; now, or as of when it was opened."""
    if not known.incidents:
        return
    one = random.choice(known.incidents)
    wanted = {statement_id for statement_id, _ in list(one.statements)}
    early = random.random() < 0.2
    answer = ask(one.path, **({"as_of": f"position:{one.position}"} if early else {}))
    if answer is not None:
        found = {statement["statement_id"] for statement in _read(answer)["statements"]}
        _require(early or wanted <= found, f"{one.path} lacks {wanted - found}", answer)


def list_as_of(random: Random, known: Known, ask: Ask) -> None:
    """The list as of the position of an opening ends with what was opened."""
    if not known.incidents:
        return
    one = random.choice(known.incidents)
    answer = ask(
        f"/v1/ledgers/{one.ledger}/incidents", as_of=f"position:{one.position}", sort="-opened_at", tag=one.tag, limit=1
    )
    if answer is not None:
        found = [item["incident_id"] for item in _read(answer)["items"]]
        _require(found == [one.id], f"as of its position the list does not end with {one.id}", answer)


def search_source(random: Random, known: Known, ask: Ask) -> None:
    """A source is found by a word of its name, whatever it was renamed to since."""
    ledger = random.choice(list(known.sources))
    source_id, word = random.choice(known.sources[ledger])
    answer = ask(f"/v1/ledgers/{ledger}/sources", q=word)
    if answer is not None:
        found = [item["source_id"] for item in _read(answer)["items"]]
        _require(found == [source_id], f"{word} does not find the source {source_id}", answer)


def search_statement(random: Random, known: Known, ask: Ask) -> None:
    """A statement is found by a word of it, in spite of corrections."""
    ones = [one for one in known.incidents[-100:] if one.statements]
    if not ones:
        return
    one = random.choice(ones)
    wanted = random.choice(list(one.statements) or [None])
    if wanted is None:
        return
    answer = ask(f"/v1/ledgers/{one.ledger}/statements", q=wanted[1])
    if answer is not None:
        found = {item["statement_id"] for item in _read(answer)["items"]}
        _require(wanted[0] in found, f"{wanted[1]} does not find the statement {wanted[0]}", answer)


def source_record(random: Random, known: Known, ask: Ask) -> None:
    """The record of a source is there, as of where the worker is."""
    ledger = random.choice(list(known.sources))
    source_id, _ = random.choice(known.sources[ledger][:20])
    answer = ask(f"/v1/ledgers/{ledger}/sources/{source_id}/record")
    if answer is not None:
        _read(answer)


def operation(random: Random, known: Known, ask: Ask) -> None:
    """Nothing is parked, ever: all that is written here can be projected."""
    answer = ask("/v1/admin/projections")
    if answer is not None:
        _require(not any(one["parked"] for one in _read(answer)["items"]), "streams are parked", answer)


READS: tuple[Read, ...] = (
    list_of_tag,
    one_incident,
    one_incident,
    list_as_of,
    search_source,
    search_statement,
    source_record,
    operation,
)


def _read(answer: httpx.Response) -> dict[str, Any]:
    _require(answer.status_code == 200, "it cannot be read", answer)
    body: dict[str, Any] = answer.json()
    return body


def _require(holds: bool, what: str, answer: httpx.Response) -> None:
    if not holds:
        raise Violation(f"GET {answer.request.url}: {what}: {answer.status_code} {answer.text[:2_000]}")
