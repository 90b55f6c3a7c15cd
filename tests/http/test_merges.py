"""Merges of incidents and their reverts, as a client sees them."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
from tests.conftest import OWNER, Cluster, bearing, serve
from tests.http.asking import NOBODY, a_source, a_statement, an_incident, correction, id_of, killed, made, problem, read
from tests.http.keyed import a_ledger

SUB_PATHS = ("", "/matrix", "/attributes/killed", "/diff", "/timeline", "/revisions", "/statements")


def merge(client: httpx.Client, away: str, home: str, **headers: str) -> httpx.Response:
    body = {"type": "incident-merged", "into": id_of(home), "reason": "the same helicopter"}
    return client.post(f"{away}/revisions", json=body, headers=headers)


def revert(client: httpx.Client, away: str, home: str) -> httpx.Response:
    body = {"type": "merge-reverted", "incident_id": id_of(away), "reason": "two helicopters"}
    return client.post(f"{home}/revisions", json=body)


def listed(client: httpx.Client, ledger: str, **query: Any) -> set[str]:
    return {one["incident_id"] for one in read(client.get(f"{ledger}/incidents", params=query))["items"]}


def bare(view: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in view.items() if name not in ("version", "updated_at", "cut")}


def test_a_merge_and_its_revert(client: httpx.Client, ledger: str) -> None:
    """The answer is the survivor's, with all statements; the revert restores both, to the last field."""
    source = a_source(client, ledger)
    away = an_incident(client, ledger, title="A Mi-24", tags=["aviation"], statements=[a_statement(source)])
    home = an_incident(client, ledger, title="Helicopter", statements=[a_statement(a_source(client, ledger, "Other"))])
    before = [read(client.get(path)) for path in (away, home)]
    answer = merge(client, away, home)
    shown = made(answer)
    assert answer.headers["location"] == home
    assert shown["title"] == "Helicopter"
    assert len(shown["statements"]) == 2
    assert [(one["incident_id"], one["title"], one["tags"]) for one in shown["absorbed"]] == [
        (id_of(away), "A Mi-24", ["aviation"])
    ]
    (resolved,) = shown["attributes"]
    assert (resolved["status"], resolved["speakers"]) == ("corroborated", 2)
    assert listed(client, ledger) == {id_of(home)}
    assert read(client.get(f"{ledger}/stats"))["items"][0]["incidents"] == 1
    assert [one["incident_id"] for one in read(client.get(f"{ledger}/statements"))["items"]] == [id_of(home)] * 2
    back = made(revert(client, away, home))
    assert bare(back) == bare(before[1])
    assert bare(read(client.get(away))) == bare(before[0])
    assert listed(client, ledger) == {id_of(away), id_of(home)}


def test_a_merged_incident_is_at_another_address_from_the_merge_on(client: httpx.Client, ledger: str) -> None:
    """308 wherever it is asked for, through chains, the query kept; before the merge both are what they were."""
    source = a_source(client, ledger)
    first, second, third = (an_incident(client, ledger, statements=[a_statement(source)]) for _ in range(3))
    saved = client.get(f"{first}?as_of=position:{client.get(first).headers['stet-position']}")
    one = merge(client, first, second).headers["stet-position"]
    two = merge(client, second, third).headers["stet-position"]
    statement = read(client.get(third))["statements"][0]["statement_id"]
    for sub in (*SUB_PATHS, f"/statements/{statement}"):
        query = "" if sub in ("/revisions", "/diff") else "?said_by=2030-01-01"
        for verb in ("GET", "HEAD"):
            answer = client.request(verb, f"{first}{sub}{query}")
            assert (answer.status_code, answer.content) == (308, b""), sub
            assert answer.headers["location"] == f"{third}{sub}{query}"
        if sub != "/attributes/killed" or query:
            read(client.get(answer.headers["location"]))
    for position, survivor in ((one, second), (two, third)):
        asked = f"?as_of=position:{position}"
        assert client.get(f"{first}{asked}").headers["location"] == f"{survivor}{asked}"
    assert client.get(f"{second}?as_of=position:{one}").status_code == 200
    again = client.get(f"{first}?as_of=position:{saved.headers['stet-position']}")
    assert (again.status_code, again.content, again.headers["etag"]) == (200, saved.content, saved.headers["etag"])
    types = [event["type"] for event in read(client.get(f"{first}/events"))["items"]]
    assert types == ["incident-opened", "statement-recorded", "incident-merged"]
    upper = f"{ledger}/incidents/{id_of(first).upper()}"
    assert client.get(upper).headers["location"] == third
    assert client.get(f"{ledger}/incidents/{NOBODY}").status_code == 404


def test_a_write_to_a_merged_incident_names_the_survivor(client: httpx.Client, ledger: str) -> None:
    source = a_source(client, ledger)
    away, home = (an_incident(client, ledger, statements=[a_statement(source)]) for _ in range(2))
    statement = read(client.get(away))["statements"][0]["statement_id"]
    made(merge(client, away, home))
    for path, body in (
        ("statements", a_statement(source)),
        ("revisions", {"type": "incident-amended", "title": "X", "reason": "late"}),
        ("revisions", correction(statement, set={"channel": "radio"})),
        ("revisions", {"type": "incident-merged", "into": id_of(home), "reason": "again"}),
    ):
        assert id_of(home) in problem(client.post(f"{away}/{path}", json=body), "merged", 409)["detail"]
    claims = [killed(1), killed(1, incident_id=id_of(away))]
    problem(
        client.post(f"{home}/statements", json=a_statement(source) | {"claims": claims}),
        "merged",
        409,
        "claims[1].incident_id",
    )
    other = an_incident(client, ledger)
    problem(merge(client, other, away), "merged", 409, "into")
    problem(merge(client, home, away), "merged", 409, "into")
    problem(merge(client, home, home), "cycle", 409, "into")
    problem(merge(client, other, f"x/{NOBODY}"), "unknown-reference", 409, "into")
    problem(revert(client, other, home), "refused", 409, "incident_id")


def test_what_happens_meanwhile_stays_or_goes_back(client: httpx.Client, ledger: str) -> None:
    """What is added is the survivor's; what is done to a statement goes back with it."""
    source = a_source(client, ledger)
    away, home = (an_incident(client, ledger, statements=[a_statement(source)]) for _ in range(2))
    theirs = read(client.get(away))["statements"][0]["statement_id"]
    made(merge(client, away, home))
    made(client.post(f"{home}/revisions", json=correction(theirs, set={"channel": "radio"})))
    added = made(client.post(f"{home}/statements", json=a_statement(source)))["statement_id"]
    kept = {one["statement_id"] for one in made(revert(client, away, home))["statements"]}
    assert theirs not in kept
    assert added in kept
    (shown,) = read(client.get(away))["statements"]
    assert (shown["statement_id"], shown["channel"], shown["incidents"]) == (theirs, "radio", [id_of(away)])


def test_a_dry_run_shows_what_would_change_and_collide(client: httpx.Client, ledger: str) -> None:
    source = a_source(client, ledger)
    other = a_source(client, ledger, "Other")
    away = an_incident(client, ledger, statements=[a_statement(source) | {"claims": [killed(3)]}])
    home = an_incident(client, ledger, statements=[a_statement(other)])
    both = [killed(1, of="crew"), killed(1, of="crew", incident_id=id_of(home))]
    shared = made(client.post(f"{away}/statements", json=a_statement(source) | {"claims": both}))["statement_id"]
    before = client.get(f"{ledger}/changes").json()["head"]
    found = read(client.get(f"{away}/merge", params={"into": id_of(home)}))
    assert client.get(f"{ledger}/changes").json()["head"] == before
    assert (found["statements"], found["shared"], found["refused"]) == (2, [shared], None)
    assert [(one["attribute"], one["of"]) for one in found["collisions"]] == [("killed", None)]
    changed = {one["of"]: one for one in found["attributes"]}
    assert changed[None]["before"]["status"] == "single-source"
    assert changed[None]["after"]["status"] == "contested"
    wrong = read(client.get(f"{away}/merge", params={"into": NOBODY}))
    assert wrong["refused"] == f"into: there is no incident {NOBODY}"
    made(merge(client, away, home))
    assert client.get(f"{away}/merge", params={"into": id_of(home)}).status_code == 308


def test_two_editors_who_merge_two_incidents_into_each_other(client: httpx.Client, ledger: str) -> None:
    """One of them does, the other is told."""
    for _ in range(4):
        one, other = (an_incident(client, ledger) for _ in range(2))
        with ThreadPoolExecutor(2) as editors:
            asked = [editors.submit(merge, client, *pair) for pair in ((one, other), (other, one))]
        assert sorted(one.result().status_code for one in asked) == [201, 409]


def test_no_statement_is_lost_that_is_recorded_during_a_merge(client: httpx.Client, ledger: str) -> None:
    """Each was recorded before it, and came along, or is refused."""
    source = a_source(client, ledger)
    away, home = (an_incident(client, ledger) for _ in range(2))
    answers: list[httpx.Response] = []
    started = threading.Event()

    def record() -> None:
        for n in range(12):
            answers.append(client.post(f"{away}/statements", json=a_statement(source)))
            if n == 3:
                started.set()

    thread = threading.Thread(target=record)
    thread.start()
    started.wait()
    made(merge(client, away, home))
    thread.join()
    taken = {answer.json()["statement_id"] for answer in answers if answer.status_code == 201}
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {one["statement_id"] for one in read(client.get(home))["statements"]} == taken


def test_a_repeated_merge_is_answered_alike(client: httpx.Client, ledger: str) -> None:
    away, home = (an_incident(client, ledger) for _ in range(2))
    first = merge(client, away, home, **{"Idempotency-Key": "merge"})
    again = merge(client, away, home, **{"Idempotency-Key": "merge"})
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    problem(merge(client, home, an_incident(client, ledger), **{"If-Match": '"1"'}), "stale", 412)


def test_whoever_follows_the_changes_hears_of_both(client: httpx.Client, ledger: str) -> None:
    away, home = (an_incident(client, ledger, statements=[a_statement(a_source(client, ledger))]) for _ in range(2))
    head = read(client.get(f"{ledger}/changes"))["head"]
    made(merge(client, away, home))
    made(revert(client, away, home))
    there, back = read(client.get(f"{ledger}/changes", params={"after": head}))["items"]
    changed = {one["id"]: one for one in there["changes"]}
    assert changed[id_of(away)]["change"] == "removed"
    assert changed[id_of(home)]["attributes"] == ["killed"]
    assert {one["id"]: one["incident"] is not None for one in back["changes"]} == {id_of(away): True, id_of(home): True}


def test_exports_have_one_incident(client: httpx.Client, ledger: str) -> None:
    source = a_source(client, ledger)
    away, home = (an_incident(client, ledger, statements=[a_statement(source)]) for _ in range(2))
    position = merge(client, away, home).headers["stet-position"]
    lines = client.get(f"{ledger}/exports/ndjson").text.splitlines()
    assert len(lines) == 1
    earlier = client.get(f"{ledger}/exports/ndjson", params={"as_of": f"position:{int(position) - 3}"})
    assert len(earlier.text.splitlines()) == 2


def test_a_thousand_statements(client: httpx.Client, ledger: str) -> None:
    source = a_source(client, ledger)
    many = an_incident(client, ledger, statements=[a_statement(source)] * 1_000)
    home = an_incident(client, ledger)
    assert len(made(merge(client, many, home))["statements"]) == 1_000
    assert made(revert(client, many, home))["statements"] == []
    assert len(read(client.get(many))["statements"]) == 1_000


def test_a_row_of_a_data_set_follows_its_incident(client: httpx.Client, ledger: str) -> None:
    """Its next line goes to the survivor, and goes back with the row."""
    source = a_source(client, ledger, kind="data-set")

    def publish(size: float, key: str = "k") -> None:
        line = {
            "record": {"key": key, "value": {"mag": int(size)}},
            "said_at": f"2025-05-0{int(size)}T00:00:00Z",
            "title": "Quake",
            "kind": "earthquake",
            "claims": [killed(int(size))],
        }
        made(client.post(f"{ledger}/records", json={"source_id": source, "lines": [line]}))

    def rows() -> list[Any]:
        text = client.get(f"{ledger}/records", params={"source": source}).text
        return [json.loads(line)["record"]["mag"] for line in text.splitlines()]

    publish(1)
    (row,) = listed(client, ledger)
    away, home = f"{ledger}/incidents/{row}", an_incident(client, ledger)
    made(merge(client, away, home))
    publish(2)
    assert len(read(client.get(home))["statements"]) == 2
    assert rows() == [2]
    made(revert(client, away, home))
    assert read(client.get(home))["statements"] == []
    (old, new) = read(client.get(away))["statements"]
    assert old["superseded_by"] == [new["statement_id"]]
    assert rows() == [2]
    publish(3)
    assert rows() == [3]
    assert len(read(client.get(away))["statements"]) == 3
    assert listed(client, ledger) == {row, id_of(home)}


def test_the_public_is_led_to_the_survivor_while_it_may_see_it(cluster: Cluster, tmp_path: Path) -> None:
    """And is told of neither while one of them is restricted: what is said of the one is said of both."""
    with serve(cluster.migrated(), tmp_path, keyless=False, STET_OWNER_KEY=OWNER) as server, ExitStack() as stack:
        owner = stack.enter_context(bearing(server, OWNER))
        anybody = stack.enter_context(httpx.Client(base_url=server.url, timeout=30))
        ledger = a_ledger(owner, "open", public=True)
        source = a_source(owner, ledger)
        away, home = (an_incident(owner, ledger, statements=[a_statement(source)]) for _ in range(2))
        before = owner.get(away).headers["stet-position"]
        made(merge(owner, away, home))
        assert anybody.get(away).headers["location"] == home
        problem(anybody.get(f"{away}/merge", params={"into": id_of(home)}), "unauthenticated", 401)

        def restrict(path: str, **change: Any) -> None:
            body = {"type": "visibility-changed", "reason": "it must be so", **change}
            made(owner.post(f"{path}/revisions", json=body))

        restrict(home, label="red")
        for path in (away, f"{away}?as_of=position:{before}", f"{away}/events", home):
            problem(anybody.get(path), "not-found", 404)
            assert owner.get(path).status_code in (200, 308)
        for path in ("incidents", f"incidents?as_of=position:{before}", "statements"):
            assert read(anybody.get(f"{ledger}/{path}"))["items"] == []
        assert id_of(home) not in anybody.get(away).text
        restrict(home, label="clear")
        assert anybody.get(away).headers["location"] == home
        made(revert(owner, away, home))
        restrict(home, label="amber")
        assert read(anybody.get(away))["statements"] == []  # the other held them, too
