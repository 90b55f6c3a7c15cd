"""Releases: a position with a name that is answered alike for ever, and what it says of itself."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest
from tests.conftest import Cluster, serve
from tests.http.asking import (
    NOBODY,
    a_document,
    a_source,
    a_statement,
    an_incident,
    correction,
    id_of,
    killed,
    made,
    malformed,
    problem,
    read,
)
from tests.projections.rebuilding import rebuild


def a_release(client: httpx.Client, ledger: str, name: str, **more: Any) -> dict[str, Any]:
    return made(client.post(f"{ledger}/releases", json={"name": name, **more}))


def revise(client: httpx.Client, path: str, type_: str, **fields: Any) -> dict[str, Any]:
    return made(client.post(f"{path}/revisions", json={"type": type_, "reason": "so it is", **fields}))


def head(client: httpx.Client, ledger: str) -> int:
    return int(client.get(f"{ledger}/incidents").headers["stet-position"])


def addresses(ledger: str, incident: str, source: str, as_of: str) -> list[str]:
    """What one may cite: lists, things, forms, each at the release."""
    paths = [f"{ledger}/{name}" for name in ("incidents", "sources", "documents", "attributes", "statements", "stats")]
    paths += [f"{ledger}/incidents?q=shot&sort=-opened_at", f"{ledger}/incidents?format=csv", f"{ledger}/releases"]
    paths += [f"{ledger}/statements?format=csv", f"{ledger}/incidents?format=geojson", ledger]
    paths += [f"{ledger}/incidents?said_by=2999-01-01"]
    paths += [f"{ledger}/sources/{source}"]
    paths += [f"{incident}{last}" for last in ("", "/matrix", "/timeline", "/events", "/statements", "/revisions")]
    paths += [f"{incident}/attributes/killed"]
    return [f"{path}{'&' if '?' in path else '?'}as_of={as_of}" for path in paths]


# The database makes no difference to what is tested here: one of them is enough.
@pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
def test_a_release_gives_the_same_bytes_for_ever(cluster: Cluster, tmp_path: Any) -> None:
    """At every address, after later appends and after rebuilds: the body, the ETag, the address."""
    url, ledger = cluster.migrated(), "/v1/ledgers/l"
    with serve(url, tmp_path) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        made(client.post("/v1/ledgers", json={"name": "l", "title": "L"}))
        speaker = a_source(client, ledger)
        path = an_incident(client, ledger, statements=[a_statement(speaker), a_statement(speaker)])
        an_incident(client, ledger, statements=[a_statement(speaker)])
        released = a_release(client, ledger, "spring", note="as reviewed")
        first = {asked: client.get(asked) for asked in addresses(ledger, path, speaker, "release:spring")}
        statement = read(client.get(path))["statements"][0]["statement_id"]
        revise(client, path, "statement-withdrawn", statement_id=statement, ground="duplicate")
        revise(client, path, "incident-amended", title="Another title")
        made(client.post(f"{path}/statements", json=a_statement(speaker, claims=[killed(9)])))
        revise(client, f"{ledger}/sources/{speaker}", "source-revised", name="Renamed")
        an_incident(client, ledger, title="Shot later")
        a_release(client, ledger, "summer")
        _are_the_same(client, first)
        for projection in ("incident_history", "name_history"):
            assert rebuild(url, projection).phase == "done"
        _are_the_same(client, first)
        cut = read(client.get(f"{ledger}/incidents?as_of=release:spring"))["cut"]
        assert (cut["as_of"], cut["final"], cut["position"]) == ("release:spring", True, released["position"])
        by_position = read(client.get(path, params={"as_of": f"position:{released['position']}"}))
        by_name = read(client.get(path, params={"as_of": "release:spring"}))
        assert {**by_name, "cut": None} == {**by_position, "cut": None}


def _are_the_same(client: httpx.Client, first: dict[str, httpx.Response]) -> None:
    for address, answer in first.items():
        again = client.get(address)
        assert (again.status_code, again.content) == (200, answer.content), address
        assert again.headers["etag"] == answer.headers["etag"]
        assert "as_of=release:spring" in answer.headers["content-location"], address
        assert "immutable" in answer.headers["cache-control"]
        assert client.get(answer.headers["content-location"]).content == answer.content, address


def test_a_list_at_a_release_is_paged_while_others_write(client: httpx.Client, ledger: str) -> None:
    """The cursor keeps the release, alone and together with as_of; with another as_of it is 400."""
    paths = [an_incident(client, ledger, title=f"Shot {n}") for n in range(3)]
    a_release(client, ledger, "three")
    an_incident(client, ledger)
    query: dict[str, Any] = {"as_of": "release:three", "limit": 1}
    seen: list[str] = []
    while True:
        answer = client.get(f"{ledger}/incidents", params=query)
        page = read(answer)
        assert client.get(answer.headers["content-location"]).content == answer.content
        seen += [item["incident_id"] for item in page["items"]]
        assert page["cut"]["as_of"] == "release:three"
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
        malformed(client.get(f"{ledger}/incidents", params={**query, "as_of": "position:2"}), "query.as_of")
    assert seen == [id_of(path) for path in paths]


def test_a_diff_of_two_releases(client: httpx.Client, ledger: str) -> None:
    path = an_incident(client, ledger, title="First")
    a_release(client, ledger, "one")
    revise(client, path, "incident-amended", title="Second")
    a_release(client, ledger, "two")
    revise(client, path, "incident-amended", title="Third")
    answer = client.get(f"{path}/diff", params={"from": "release:one", "to": "release:two"})
    (change,) = read(answer)["fields"]
    assert (change["before"], change["after"]) == ("First", "Second")
    assert answer.headers["content-location"].endswith("/diff?from=release:one&to=release:two")
    problem(client.get(f"{path}/diff", params={"from": "release:none"}), "not-found", 404)


def test_the_position_is_where_the_log_ended_or_the_one_that_was_given(client: httpx.Client, ledger: str) -> None:
    """A position within an append stands for the whole of it; the event itself is in no release of its own name."""
    assert a_release(client, ledger, "empty")["position"] == 1
    speaker = a_source(client, ledger)
    an_incident(client, ledger, statements=[a_statement(speaker), a_statement(speaker)])
    before = head(client, ledger)
    assert (before, head(client, ledger)) == (6, 6)
    within = a_release(client, ledger, "within", position=5)
    assert (within["position"], within["cut"]["position"]) == (6, 7)
    last = a_release(client, ledger, "last")
    assert (last["position"], last["version"]) == (7, 4)
    problem(client.post(f"{ledger}/releases", json={"name": "back", "position": 6}), "refused", 409, "position")
    beyond = client.post(f"{ledger}/releases", json={"name": "beyond", "position": 99})
    assert "ends at 8" in problem(beyond, "unknown-reference", 409, "position")["detail"]
    assert head(client, ledger) == 8


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "Spring"}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "x\n"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x", "note": " "}, "note"),
        ({"name": "x", "note": "a\u0000b"}, "body"),
        ({"name": "x", "note": "y" * 20_001}, "note"),
        ({"name": "x", "position": 0}, "position"),
        ({"name": "x", "position": 2**63}, "position"),
        ({"name": "x", "position": "7"}, "position"),
        ({"name": "x", "resolution": 1}, "resolution"),
    ],
)
def test_what_is_no_release_is_malformed(body: dict[str, Any], field: str, client: httpx.Client, ledger: str) -> None:
    malformed(client.post(f"{ledger}/releases", json=body), field)
    assert read(client.get(f"{ledger}/releases"))["items"] == []


def test_a_name_is_taken_for_ever(client: httpx.Client, ledger: str) -> None:
    """Also where two ask for it at once; and not in another ledger."""
    answers: list[httpx.Response] = []

    def publish() -> None:
        answers.append(httpx.post(f"{client.base_url}{ledger}/releases", json={"name": "spring"}, timeout=30))

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    problem(client.post(f"{ledger}/releases", json={"name": "spring"}), "name-taken", 409, "name")
    made(client.post("/v1/ledgers", json={"name": f"{id_of(ledger)}-b", "title": "B"}))
    a_release(client, f"{ledger}-b", "spring")


def test_conditions_and_keys(client: httpx.Client, ledger: str) -> None:
    """If-Match compares the ledger's version; a key publishes once, and is answered alike."""
    problem(client.post(f"{ledger}/releases", json={"name": "x"}, headers={"If-Match": '"9"'}), "stale", 412)
    headers = {"If-Match": '"1"', "Idempotency-Key": "once"}
    first = client.post(f"{ledger}/releases", json={"name": "spring"}, headers=headers)
    made(first)
    an_incident(client, ledger)
    again = client.post(f"{ledger}/releases", json={"name": "spring"}, headers=headers)
    assert (again.status_code, again.content, again.headers["location"]) == (
        201,
        first.content,
        first.headers["location"],
    )
    assert read(client.get(first.headers["location"])) == {
        **first.json(),
        "cut": {**first.json()["cut"], "as_of": None, "final": False},
    }
    other = client.post(f"{ledger}/releases", json={"name": "other"}, headers=headers)
    problem(other, "idempotency-key-reused", 422)


def test_an_unknown_release_is_named(client: httpx.Client, ledger: str) -> None:
    """Wherever a cut is taken; a release is not to be seen before it was published."""
    speaker, path = a_source(client, ledger), an_incident(client, ledger)
    for address in addresses(ledger, path, speaker, "release:none"):
        assert "release none" in problem(client.get(address), "not-found", 404)["detail"], address
    problem(client.get(f"{ledger}/releases/none"), "not-found", 404)
    problem(client.get(f"/v1/ledgers/{id_of(ledger)}-none/releases"), "not-found", 404)
    a_release(client, ledger, "late")
    problem(client.get(f"{ledger}/releases/late?as_of=position:3"), "not-found", 404)
    assert read(client.get(f"{ledger}/releases?as_of=position:3"))["items"] == []
    assert read(client.get(f"{ledger}/releases?as_of=position:0"))["items"] == []
    problem(client.get(f"{ledger}/incidents/{NOBODY}?as_of=release:late"), "not-found", 404)


def test_the_numbers_of_releases(client: httpx.Client, ledger: str) -> None:
    """What there is at each, and what changed since the one before: of things, not of events."""
    a_release(client, ledger, "nothing")
    speaker, document = a_source(client, ledger), a_document(client, ledger)
    path, other = an_incident(client, ledger), an_incident(client, ledger)
    both = [killed(1), killed(2, incident_id=id_of(other))]
    made(client.post(f"{path}/statements", json=a_statement(speaker, claims=both)))
    first, second, third = (
        made(client.post(f"{path}/statements", json=a_statement(speaker)))["statement_id"] for _ in range(3)
    )
    a_release(client, ledger, "some")
    made(client.post(f"{path}/revisions", json=correction(first, set={"channel": "radio"})))
    made(client.post(f"{path}/revisions", json=correction(first, set={"channel": "television"})))
    revise(client, path, "statement-retracted", statement_id=first, said_at="2020-11-11")
    revise(client, path, "statement-superseded", statement_id=second, superseded_by=third)
    revise(client, path, "statement-withdrawn", statement_id=third, ground="duplicate")
    revise(client, path, "statement-reinstated", statement_id=third)
    an_incident(client, ledger, statements=[a_statement(speaker, citation={"document_id": document, "version": 1})])
    a_release(client, ledger, "more")
    a_release(client, ledger, "same", position=head(client, ledger) - 1)
    listed = read(client.get(f"{ledger}/releases"))["items"]
    assert [release["name"] for release in listed] == ["nothing", "some", "more", "same"]
    zero = dict.fromkeys(listed[0]["since"], 0)
    assert [release["since"] for release in listed] == [
        {**zero, "release": None, "events": 1},
        {
            **zero,
            "release": "nothing",
            "events": 10,
            "incidents_opened": 2,
            "statements_recorded": 4,
            "sources_registered": 1,
            "documents_registered": 1,
        },
        {
            **zero,
            "release": "some",
            "events": 9,
            "incidents_opened": 1,
            "incidents_changed": 1,
            "statements_recorded": 1,
            "statements_corrected": 1,
            "statements_retracted": 1,
            "statements_superseded": 1,
            "statements_withdrawn": 1,
            "statements_reinstated": 1,
        },
        {**zero, "release": "more", "events": 0},
    ]
    names = ("events", "incidents", "statements", "sources", "documents")
    counted = [tuple(release["counts"][name] for name in names) for release in listed]
    assert counted == [(1, 0, 0, 0, 0), (11, 2, 4, 1, 1), (20, 3, 5, 1, 1), (20, 3, 5, 1, 1)]
    for release in listed:
        assert release["counts"]["events"] == release["position"]
        at = {"as_of": f"release:{release['name']}"}
        assert len(read(client.get(f"{ledger}/incidents", params=at))["items"]) == release["counts"]["incidents"]
        one = read(client.get(f"{ledger}/releases/{release['name']}"))
        assert {**one, "cut": None} == {**release, "cut": None}
    pages: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 1}
    while True:
        page = read(client.get(f"{ledger}/releases", params=query))
        pages += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert pages == listed
