"""An idempotency key is for ever: the same request under it happens once, and is answered alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx


def _open(client: httpx.Client, ledger: str, **headers: str) -> httpx.Response:
    return client.post(f"{ledger}/incidents", json={"title": "A", "kind": "strike"}, headers=headers)


def test_a_request_that_changed_nothing_is_not_carried_out_later(client: httpx.Client, ledger: str) -> None:
    """Closing what is closed does nothing; repeated under its key after a reopening it still does nothing."""
    path = _open(client, ledger).headers["location"] + "/revisions"

    def change(status: str, key: str) -> httpx.Response:
        body = {"type": "incident-status-changed", "status": status, "reason": "r"}
        return client.post(path, json=body, headers={"Idempotency-Key": key})

    assert change("closed", "1").status_code == 201
    nothing = change("closed", "2")
    assert nothing.status_code == 200
    assert change("open", "3").status_code == 201
    again = change("closed", "2")
    assert (again.status_code, again.content) == (200, nothing.content)
    assert client.get(path.removesuffix("/revisions")).json()["status"] == "open"


def test_the_same_request_sent_at_the_same_time_happens_once(client: httpx.Client, ledger: str) -> None:
    """Eight copies of one request give eight equal answers and one incident."""
    with ThreadPoolExecutor(8) as pool:
        key = {"Idempotency-Key": "same"}
        answers = list(pool.map(lambda _: _open(client, ledger, **key), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len(client.get(f"{ledger}/incidents").json()["items"]) == 1


def test_a_ledger_created_twice_under_one_key_is_one(client: httpx.Client, ledger: str) -> None:
    """The name is taken for everybody else, but this request is answered as before."""
    body = {"name": ledger.rpartition("/")[2] + "-b", "title": "B"}
    first, second = (client.post("/v1/ledgers", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert client.post("/v1/ledgers", json=body).status_code == 409
    other = client.post("/v1/ledgers", json=body | {"title": "C"}, headers={"Idempotency-Key": "k"})
    assert other.status_code == 422


def test_a_refused_request_leaves_its_key_free(client: httpx.Client, ledger: str) -> None:
    """A key is kept with an answer of success only: a corrected request may use it."""
    key = {"Idempotency-Key": "k"}
    bad = client.post(f"{ledger}/incidents", json={"title": "A"}, headers=key)
    assert bad.status_code == 400
    assert _open(client, ledger, **key).status_code == 201
