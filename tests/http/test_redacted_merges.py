"""Redactions of what was merged: the text is gone on both sides, whichever it was asked for, and no revert has it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import httpx
import pytest
from tests.database.everything import everything
from tests.http.asking import a_source, a_statement, an_incident, id_of, made, read
from tests.http.test_merges import merge, revert
from tests.http.test_redaction import NAME, Desk, desk, redacted, sound
from tests.http.test_source_merges import merge as merge_source

__all__ = ["desk"]


def version_of(client: httpx.Client, path: str, type_: str) -> int:
    """The version of the last event of a type."""
    events = read(client.get(f"{path}/events"))["items"]
    return [one["stream_version"] for one in events if one["type"] == type_][-1]


def verbatim(client: httpx.Client, path: str) -> list[Any]:
    return [one["verbatim"] for one in read(client.get(path))["statements"]]


@pytest.mark.parametrize("asked", ["merged", "survivor"])
def test_a_statement_is_erased_on_both_sides_and_stays_so_after_a_revert(desk: Desk, asked: str) -> None:
    """Where the merged incident is asked, the survivor is answered: nothing that is written is answered as refused."""
    source = a_source(desk.one, desk.ledger)
    away = an_incident(desk.one, desk.ledger, statements=[a_statement(source, verbatim=f"It was {NAME}.")])
    home = an_incident(desk.one, desk.ledger, title="The other")
    made(merge(desk.one, away, home))
    if asked == "merged":
        redacted(desk, away, 2, "/verbatim")
    else:
        redacted(desk, home, version_of(desk.one, home, "statement-moved-in"), "/statement/verbatim")
    assert everything(desk.database, NAME) == []
    sound(desk)
    assert verbatim(desk.one, home) == ["[redacted]"]
    made(revert(desk.one, away, home))
    assert (verbatim(desk.one, home), verbatim(desk.one, away)) == ([], ["[redacted]"])
    made(merge(desk.one, home, away))
    assert verbatim(desk.one, away) == ["[redacted]"]
    assert everything(desk.database, NAME) == []
    sound(desk)


@pytest.mark.parametrize("asked", ["merged", "survivor", "a third one"])
def test_what_an_incident_said_of_itself_is_erased_wherever_it_was_merged_into(desk: Desk, asked: str) -> None:
    """`incident-absorbed` has title and tags: of every merge, also of those that were reverted."""
    away = an_incident(desk.one, desk.ledger, title=f"Death of {NAME}", tags=["an-orchard"])
    home, third = (an_incident(desk.one, desk.ledger, title=title) for title in ("The other", "A third"))
    made(merge(desk.one, away, home))
    made(revert(desk.one, away, home))
    made(merge(desk.one, away, third))
    made(merge(desk.one, third, home))
    path = {"merged": away, "survivor": home, "a third one": third}[asked]
    redacted(desk, path, {"merged": 1, "survivor": 2, "a third one": 2}[asked])
    assert everything(desk.database, NAME) == []
    assert everything(desk.database, "an-orchard") == []
    sound(desk)


def test_the_reason_of_a_merge_and_of_a_revert_is_erased_on_both_sides(desk: Desk) -> None:
    """Every event that follows from them has it, too."""
    source = a_source(desk.one, desk.ledger)
    away, home = (an_incident(desk.one, desk.ledger, statements=[a_statement(source)]) for _ in range(2))
    why = {"reason": f"so says {NAME}"}
    made(desk.one.post(f"{away}/revisions", json={"type": "incident-merged", "into": id_of(home), **why}))
    made(desk.one.post(f"{home}/revisions", json={"type": "merge-reverted", "incident_id": id_of(away), **why}))
    redacted(desk, home, version_of(desk.one, home, "merge-reverted"))
    assert everything(desk.database, NAME) == []
    sound(desk)


@pytest.mark.parametrize("asked", [0, 1, 2])
def test_the_name_of_a_source_is_erased_of_all_that_it_was_merged_with(desk: Desk, asked: int) -> None:
    """Each has the names of the others, through chains."""
    sources = [a_source(desk.one, desk.ledger, name=name) for name in (NAME, "The other", "A third")]
    for one, other in pairwise(sources):
        made(merge_source(desk.one, desk.ledger, one, other))
    path = f"{desk.ledger}/sources/{sources[asked]}"
    redacted(desk, path, [1, 2, 2][asked])
    assert everything(desk.database, NAME) == []
    sound(desk)
    last = read(desk.one.get(f"{desk.ledger}/sources/{sources[2]}"))
    assert {"name": "[redacted]"} in last["aliases"]


def test_the_reason_of_a_merge_of_sources_is_where_it_can_be_erased(desk: Desk) -> None:
    """And not in every incident that named the source."""
    one, other = (a_source(desk.one, desk.ledger, name=name) for name in ("One", "Other"))
    an_incident(desk.one, desk.ledger, statements=[a_statement(one)])
    made(merge_source(desk.one, desk.ledger, one, other, reason=f"so says {NAME}"))
    redacted(desk, f"{desk.ledger}/sources/{one}", 2)
    assert everything(desk.database, NAME) == []
    sound(desk)


def test_a_source_that_is_another_one_by_now_is_corrected_once_after_a_revert(desk: Desk) -> None:
    """Both streams of a merge are corrected."""
    one, other = (a_source(desk.one, desk.ledger, name=name) for name in ("One", "Other"))
    away = an_incident(desk.one, desk.ledger, statements=[a_statement(one)])
    home = an_incident(desk.one, desk.ledger, title="The other")
    (statement,) = read(desk.one.get(away))["statements"]
    pin = {"type": "attribute-pinned", "attribute": "responsible", "value": {"source_id": one}, "rationale": "so"}
    made(desk.one.post(f"{away}/revisions", json=pin | {"cites": [statement["statement_id"]]}))
    made(merge(desk.one, away, home))
    made(merge_source(desk.one, desk.ledger, one, other))
    made(revert(desk.one, away, home))
    shown = read(desk.one.get(away))
    (statement,) = shown["statements"]
    assert statement["speaker"]["source_id"] == other
    assert len(statement["corrections"]) == 1
    assert {"source_id": other} in [one["value"] for one in shown["attributes"]]
    sound(desk)
