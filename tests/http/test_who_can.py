"""What somebody can do whom it might be expected of least: docs/security.md says so, and must not be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import httpx
import pytest
from tests.conftest import OWNER, Cluster, Server, bearing, serve
from tests.http.asking import a_document, a_source, a_statement, an_incident, id_of, killed, made, problem, read
from tests.http.keyed import a_client, a_key, a_ledger, a_member

RED = {"visibility": {"label": "red"}}


class Place(NamedTuple):
    """A service with a public ledger, and who asks it."""

    server: Server
    owner: httpx.Client
    contributor: httpx.Client
    anybody: httpx.Client
    ledger: str


@pytest.fixture(scope="module")
def place(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("can")
        server = stack.enter_context(serve(cluster.migrated(), folder, keyless=False, STET_OWNER_KEY=OWNER))
        owner = stack.enter_context(bearing(server, OWNER))
        ledger = a_ledger(owner, "open", public=True)
        contributor = stack.enter_context(a_client(server, owner, ledger, "contributor"))
        yield Place(server, owner, contributor, stack.enter_context(httpx.Client(base_url=server.url)), ledger)


# ---- an outsider ----


def test_that_something_was_appended_is_seen_and_not_what(place: Place) -> None:
    """By the end of the log, and by the gaps in what is shown of it."""
    before = read(place.anybody.get(f"{place.ledger}/changes"))["head"]
    hidden = an_incident(place.owner, place.ledger, title="zzhidden", **RED)
    shown = an_incident(place.owner, place.ledger)
    changes = place.anybody.get(f"{place.ledger}/changes", params={"after": before})
    # What is hidden was opened and restricted, in one append of two events.
    assert [item["position"] for item in read(changes)["items"]] == [read(changes)["head"]] == [before + 3]
    assert not any(text in changes.text for text in (id_of(hidden), "zzhidden"))
    assert read(place.anybody.get(shown))["cut"]["position"] == before + 3


# ---- a contributor ----


def test_a_contributor_records_what_any_source_is_said_to_have_said(place: Place) -> None:
    """Nobody asks the source. Who recorded it stands in the event."""
    [itself] = read(place.contributor.get("/v1/keys"))["items"]
    source = a_source(place.owner, place.ledger)
    path = an_incident(place.owner, place.ledger, statements=[a_statement(source)])
    made(place.contributor.post(f"{path}/statements", json=a_statement(source, claims=[killed(9)])))
    events = read(place.owner.get(f"{path}/events"))["items"]
    assert [one["actor"] for one in events] == ["owner", "owner", itself["key_id"]]


def test_a_contributor_lets_a_statement_take_the_place_of_another_s(place: Place) -> None:
    """And takes a row of a data set back, where the ledger holds nothing for review."""
    source = a_source(place.owner, place.ledger)
    path = an_incident(place.owner, place.ledger, statements=[a_statement(source)])
    [older] = read(place.owner.get(path))["statements"]
    newer = a_statement(source, claims=[killed(9)], supersedes=older["statement_id"])
    made(place.contributor.post(f"{path}/statements", json=newer))
    [resolved] = read(place.owner.get(path))["attributes"]
    assert resolved["value"] == {"min": 9, "max": 9}
    survey = a_source(place.owner, place.ledger, "Survey", kind="data-set")
    row = {"record": {"key": "1", "value": {"a": 1}}, "said_at": "2025-05-05T12:00:00Z", "title": "It", "kind": "row"}
    gone = {"record": {"key": "1", "value": None}, "said_at": "2025-05-06T12:00:00Z"}
    for client, line in ((place.owner, row), (place.contributor, gone)):
        made(client.post(f"{place.ledger}/records", json={"source_id": survey, "lines": [line]}))
    assert place.owner.get(f"{place.ledger}/records", params={"source": survey}).text == ""


def test_a_contributor_restricts_what_he_records(place: Place) -> None:
    """From its first moment; and never again: that takes an editor."""
    source = a_source(place.owner, place.ledger)
    document = f"{place.ledger}/documents/{a_document(place.contributor, place.ledger, None, **RED)}"
    incident = an_incident(place.contributor, place.ledger, **RED)
    other = an_incident(place.contributor, place.ledger, statements=[a_statement(source, **RED)])
    for path in (document, incident):
        assert read(place.contributor.get(path))["visibility"] == {"label": "red"}
        problem(place.anybody.get(path), "not-found", 404)
        body = {"type": "visibility-changed", "label": "clear", "reason": "so"}
        problem(place.contributor.post(f"{path}/revisions", json=body), "forbidden", 403)
    assert read(place.anybody.get(other))["statements"] == []


def test_incidents_sources_and_documents_of_a_contributor_wait_for_nobody(place: Place) -> None:
    """In a ledger that holds statements for review, too: the public sees them at once, by their titles and names."""
    ledger = a_ledger(place.owner, "held", public=True, review=True)
    with a_client(place.server, place.owner, ledger, "contributor") as contributor:
        source = a_source(contributor, ledger, "zzsource")
        document = a_document(contributor, ledger, None)
        incident = an_incident(contributor, ledger, title="zzincident", statements=[a_statement(source)])
    assert read(place.anybody.get(f"{ledger}/sources/{source}"))["name"] == "zzsource"
    assert read(place.anybody.get(f"{ledger}/documents/{document}"))["title"]
    shown = read(place.anybody.get(incident))
    assert (shown["title"], shown["statements"]) == ("zzincident", [])


# ---- an admin ----


def test_an_admin_takes_the_role_of_another_admin(place: Place) -> None:
    """Whoever made whom; the audit has who did it."""
    ledger = a_ledger(place.owner, "two-admins")
    other = a_key(place.owner, "admin")
    a_member(place.owner, ledger, other["key_id"], "admin")
    with a_client(place.server, place.owner, ledger, "admin") as admin, bearing(place.server, other["key"]) as gone:
        [itself] = read(admin.get("/v1/keys"))["items"]
        assert read(gone.get(ledger))
        read(admin.delete(f"{ledger}/members/{other['key_id']}"))
        problem(gone.get(ledger), "not-found", 404)
        last = read(admin.get(f"{ledger}/audit"))["items"][-1]
    assert (last["action"], last["actor"], last["subject"]) == ("member-removed", itself["key_id"], other["key_id"])
