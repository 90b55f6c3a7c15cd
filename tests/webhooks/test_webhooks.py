"""Webhooks through the API, and what arrives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from tests.conftest import Cluster, serve, wait_until
from tests.http.asking import NOBODY, a_source, a_statement, an_incident, id_of, made, malformed, problem, read
from tests.webhooks.receiving import Got, Receiver, a_webhook, receiving, sending


class Place:
    """A service, what sends, and a receiver."""

    def __init__(self, url: str, client: httpx.Client, receiver: Receiver) -> None:
        self.url = url
        self.client = client
        self.receiver = receiver

    def ledger(self, name: str) -> str:
        answer = self.client.post("/v1/ledgers", json={"name": name, "title": "A test"})
        assert answer.status_code == 201, answer.text
        return f"/v1/ledgers/{name}"

    def done(self, webhook: str) -> bool:
        shown = read(self.client.get(webhook))
        return bool(shown["position"] == shown["head"] and shown["waiting"] == 0)

    def wait(self, webhook: str) -> None:
        wait_until(lambda: self.done(webhook), "everything to be sent")

    def got(self, path: str) -> list[Got]:
        return self.receiver.got.get(path, [])

    def deliveries(self, webhook: str, **query: Any) -> list[dict[str, Any]]:
        return read(self.client.get(f"{webhook}/deliveries", params=query))["items"]


@pytest.fixture(scope="module")
def place(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    url = cluster.migrated()
    with (
        receiving() as receiver,
        serve(
            url, tmp_path_factory.mktemp("webhooks"), "--no-worker", STET_WEBHOOK_HOSTS=f"{receiver.host},127.0.0.1:9"
        ) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
        sending(url, receiver),
    ):
        yield Place(url, client, receiver)


@pytest.fixture
def ledger(place: Place, request: pytest.FixtureRequest) -> str:
    name = "".join(c if c.isalnum() else "-" for c in request.node.name.lower()).strip("-")
    return place.ledger("-".join(part for part in name.split("-") if part)[:100].strip("-"))


@pytest.fixture
def hook(ledger: str) -> str:
    """A path at the receiver of this test's own."""
    return f"/{id_of(ledger)}"


def test_what_is_sent(place: Place, ledger: str, hook: str) -> None:
    """Item by item it is what the list of changes gives, signed, with an id of its own."""
    webhook, secret = a_webhook(place.client, ledger, place.receiver.url + hook)
    speaker = a_source(place.client, ledger)
    path = an_incident(place.client, ledger, statements=[a_statement(speaker)])
    made(place.client.post(f"{path}/statements", json=a_statement(speaker)))
    place.wait(webhook)
    items = read(place.client.get(f"{ledger}/changes", params={"after": 1}))["items"]
    expected = {
        (item["position"], change["id"]): {
            "type": f"{change['kind']}.changed",
            "timestamp": item["recorded_at"],
            "data": {
                "ledger": id_of(ledger),
                "position": item["position"],
                "recorded_at": item["recorded_at"],
                "actor": item["actor"],
                "change": change,
            },
        }
        for item in items
        for change in item["changes"]
    }
    got = place.got(hook)
    assert {
        (one.message["data"]["position"], one.message["data"]["change"]["id"]): one.message for one in got
    } == expected
    assert len(got) == len(expected) == len({one.id for one in got})
    assert all(one.is_signed_with(secret) for one in got)
    assert not any(one.is_signed_with("whsec_AAAA") for one in got)
    deliveries = place.deliveries(webhook)
    assert {one["message_id"] for one in deliveries} == {one.id for one in got}
    assert {(one["outcome"], one["status"], one["attempt"], one["next_try_at"]) for one in deliveries} == {
        ("delivered", 204, 1, None)
    }


def test_what_was_there_before_is_not_sent(place: Place, ledger: str, hook: str) -> None:
    """But again, from any position, when it is asked for; with the same ids."""
    an_incident(place.client, ledger)
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + hook)
    an_incident(place.client, ledger)
    place.wait(webhook)
    (first,) = place.got(hook)
    shown = place.client.post(f"{webhook}/replays", json={"after": 0})
    assert read(shown)["position"] == 0
    place.wait(webhook)
    got = place.got(hook)[1:]
    assert [one.message["type"] for one in got].count("incident.changed") == 2
    assert sorted(one.message["data"]["position"] for one in got) == list(
        range(1, read(place.client.get(webhook))["head"] + 1)
    )
    assert [one.id for one in got].count(first.id) == 1
    problem(place.client.post(f"{webhook}/replays", json={"after": 10_000}), "not-found", 404)


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"kinds": ["fire"]}, ["fire opened", "fire amended", "was-fire amended", "was-fire opened"]),
    ({"types": ["incident-amended"]}, ["fire amended", "was-fire amended"]),
    ({"types": ["source-registered"]}, ["source"]),
    ({"kinds": ["fire"], "types": ["incident-opened"]}, ["fire opened", "was-fire opened"]),
    ({"kinds": ["flood", "storm"]}, ["flood opened", "was-fire amended", "was-fire opened"]),
    ({"incidents": ["fire"]}, ["fire opened", "fire amended"]),
    ({"incidents": ["fire"], "kinds": ["flood"]}, []),
]


@pytest.mark.parametrize(
    ("filters", "expected"), FILTERS, ids=lambda value: "-".join(value) if isinstance(value, dict) else ""
)
def test_filters(filters: dict[str, Any], expected: list[str], place: Place, ledger: str, hook: str) -> None:
    """By kind (as it is, or was), by incident, by type of event."""
    client = place.client
    a_source(client, ledger)
    paths = {
        "fire": an_incident(client, ledger, kind="fire"),
        "flood": an_incident(client, ledger, kind="flood"),
        "was-fire": an_incident(client, ledger, kind="fire"),
    }
    for name, change in (("fire", {"title": "Another"}), ("was-fire", {"kind": "storm"})):
        made(client.post(f"{paths[name]}/revisions", json={"type": "incident-amended", "reason": "so", **change}))
    given = filters | (
        {"incidents": [id_of(paths[name]) for name in filters["incidents"]]} if "incidents" in filters else {}
    )
    webhook, _ = a_webhook(client, ledger, place.receiver.url + hook, **given)
    read(client.post(f"{webhook}/replays", json={"after": 0}))
    place.wait(webhook)
    names = {id_of(path): name for name, path in paths.items()}
    got = [
        f"{names[change['id']]} {change['types'][0].rpartition('-')[2]}" if change["id"] in names else change["kind"]
        for change in (one.message["data"]["change"] for one in place.got(hook))
    ]
    assert sorted(got) == sorted(expected)


def test_a_secret_is_changed_without_a_gap(place: Place, ledger: str, hook: str) -> None:
    """For a while both sign; at once, if the other is known to others; it is never shown again."""
    webhook, first = a_webhook(place.client, ledger, place.receiver.url + hook)
    second = made(place.client.post(f"{webhook}/secrets", json={}))
    assert [one["expires_at"] is None for one in second["webhook"]["secrets"]] == [True, False]
    an_incident(place.client, ledger)
    place.wait(webhook)
    third = made(place.client.post(f"{webhook}/secrets", json={"overlap_s": 0}))["secret"]
    an_incident(place.client, ledger)
    place.wait(webhook)
    both, alone = place.got(hook)
    assert [both.is_signed_with(one) for one in (first, second["secret"], third)] == [True, True, False]
    assert [alone.is_signed_with(one) for one in (first, second["secret"], third)] == [False, False, True]
    for path in (webhook, f"{ledger}/webhooks", f"{webhook}/deliveries"):
        text = place.client.get(path).text
        assert "whsec_" not in text
        assert not any(one.removeprefix("whsec_") in text for one in (first, second["secret"], third))


def test_paused_by_hand_and_resumed(place: Place, ledger: str, hook: str) -> None:
    """Nothing is sent meanwhile, and nothing is lost."""
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + hook)
    paused = read(place.client.post(f"{webhook}/revisions", json={"type": "webhook-paused", "reason": "moving"}))
    assert (paused["state"], paused["paused_reason"]) == ("paused", "moving")
    again = read(place.client.post(f"{webhook}/revisions", json={"type": "webhook-paused", "reason": "again"}))
    assert again["paused_reason"] == "moving"
    problem(place.client.post(f"{webhook}/tests", json={}), "refused", 409)
    an_incident(place.client, ledger)
    other, _ = a_webhook(place.client, ledger, f"{place.receiver.url}{hook}-other")
    an_incident(place.client, ledger)
    place.wait(other)
    assert place.got(hook) == []
    resumed = read(place.client.post(f"{webhook}/revisions", json={"type": "webhook-resumed", "reason": "moved"}))
    assert (resumed["state"], resumed["paused_at"], resumed["paused_reason"]) == ("active", None, None)
    place.wait(webhook)
    assert [one.message["data"]["change"]["change"] for one in place.got(hook)] == ["created", "created"]


def test_a_receiver_that_is_gone_pauses(place: Place, ledger: str, hook: str) -> None:
    """410 pauses at once, with the reason; it goes on with what was not taken."""
    place.receiver.answers[hook] = lambda *_: 410
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + hook)
    an_incident(place.client, ledger)
    wait_until(lambda: read(place.client.get(webhook))["state"] == "paused", "it is paused")
    shown = read(place.client.get(webhook))
    assert shown["paused_reason"] == "the receiver answered 410: it is gone"
    assert (shown["waiting"], shown["failing_since"] is not None) == (1, True)
    del place.receiver.answers[hook]
    read(place.client.post(f"{webhook}/revisions", json={"type": "webhook-resumed", "reason": "it is back"}))
    place.wait(webhook)
    first, second = place.got(hook)
    assert (first.id, first.body) == (second.id, second.body)


def test_who_fails_for_three_days_is_paused(place: Place, ledger: str, hook: str) -> None:
    place.receiver.answers[hook] = lambda *_: 500
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + hook)
    an_incident(place.client, ledger)
    wait_until(lambda: len(place.deliveries(webhook)) > 2, "it has failed")
    last, before = place.deliveries(webhook, limit=2)
    assert (last["outcome"], last["status"], last["error"]) == ("failed", 500, "it answered 500")
    assert (last["attempt"], last["next_try_at"] is not None) == (before["attempt"] + 1, True)
    with psycopg.connect(place.url) as connection:
        connection.execute(
            "UPDATE stet.webhook_queue SET first_tried_at = first_tried_at - interval '3 days' WHERE webhook_id = %s",
            (id_of(webhook),),
        )
    wait_until(lambda: read(place.client.get(webhook))["state"] == "paused", "it is paused")
    shown = read(place.client.get(webhook))
    assert shown["paused_reason"].endswith(" failed for 3 days: it answered 500")
    assert shown["waiting"] == 1


def test_what_cannot_be_taken_is_left_out_by_a_replay_ahead(place: Place, ledger: str, hook: str) -> None:
    """One incident is never taken; from the end of the log on everything is sent again."""
    place.receiver.answers[hook] = lambda got, _: 500 if got.message["data"]["position"] == 2 else 204
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + hook)
    path = an_incident(place.client, ledger)
    wait_until(lambda: len(place.got(hook)) > 0, "it was tried")
    read(place.client.post(f"{webhook}/replays", json={"after": 2}))
    made(place.client.post(f"{path}/revisions", json={"type": "incident-amended", "title": "Next", "reason": "so"}))
    place.wait(webhook)
    assert [one.positions for one in place.receiver.accepted[hook]] == [[3]]


def test_one_that_hangs_delays_no_other(place: Place, ledger: str, hook: str) -> None:
    """Neither another webhook, nor, with another stream, its own."""
    done = threading.Event()
    client, slow = place.client, an_incident(place.client, ledger)

    def answer(got: Got, _: Any) -> int:
        if got.message["data"]["change"]["id"] == id_of(slow):
            done.wait(20)
        return 204

    place.receiver.answers[hook] = answer
    hanging, _ = a_webhook(client, ledger, place.receiver.url + hook)
    for n in range(20):
        a_webhook(client, ledger, place.receiver.url + hook, description=str(n))
    other, _ = a_webhook(client, ledger, f"{place.receiver.url}{hook}-other")
    for title in ("One", "Two"):
        made(client.post(f"{slow}/revisions", json={"type": "incident-amended", "title": title, "reason": "so"}))
    an_incident(client, ledger)
    place.wait(other)
    assert len(place.got(f"{hook}-other")) == 3
    wait_until(lambda: len(place.receiver.accepted.get(hook, ())) == 21, "the other incident is sent to all")
    assert read(client.get(hanging))["waiting"] == 2
    done.set()
    place.wait(hanging)


def test_a_test_is_sent_once(place: Place, ledger: str, hook: str) -> None:
    """Signed, with a type of its own; if it fails it is not tried again, and pauses nothing."""
    webhook, secret = a_webhook(place.client, ledger, place.receiver.url + hook)
    for status in (204, 410):
        place.receiver.answers[hook] = lambda *_, status=status: status  # type: ignore[misc]
        answer = place.client.post(f"{webhook}/tests", json={})
        assert answer.status_code == 202
        wait_until(lambda: read(place.client.get(webhook))["waiting"] == 0, "it was sent")
        last = place.deliveries(webhook)[0]
        assert last["message_id"] == answer.json()["message_id"] == place.got(hook)[-1].id
        assert (last["status"], last["position"], last["next_try_at"]) == (status, 0, None)
    got = place.got(hook)
    assert [(one.message["type"], one.message["data"]) for one in got] == [
        ("webhook.test", {"ledger": id_of(ledger)})
    ] * 2
    assert all(one.is_signed_with(secret) for one in got)
    assert read(place.client.get(webhook))["state"] == "active"


def test_another_address_and_other_filters(place: Place, ledger: str, hook: str) -> None:
    """What is absent stays as it was; what waits is sent to where it is sent by then."""
    place.receiver.answers[hook] = lambda *_: 500
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + hook, types=["incident-opened"], description="D")
    an_incident(place.client, ledger)
    wait_until(lambda: len(place.got(hook)) > 0, "it was tried")
    body = {"type": "webhook-amended", "url": f"{place.receiver.url}{hook}-next", "reason": "moved"}
    shown = read(place.client.post(f"{webhook}/revisions", json=body))
    assert (shown["url"], shown["types"], shown["description"]) == (body["url"], ["incident-opened"], "D")
    place.wait(webhook)
    assert len(place.receiver.accepted[f"{hook}-next"]) == 1
    none: dict[str, Any] = {"type": "webhook-amended", "types": [], "reason": "everything"}
    assert read(place.client.post(f"{webhook}/revisions", json=none))["types"] == []


def test_deliveries_by_page_and_by_outcome(place: Place, ledger: str, hook: str) -> None:
    """The last first, each once."""
    statuses = [500, 500, 204, 204]
    place.receiver.answers[hook] = lambda *_: statuses.pop(0)
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + hook)
    an_incident(place.client, ledger)
    place.wait(webhook)
    an_incident(place.client, ledger)
    place.wait(webhook)
    whole = place.deliveries(webhook)
    assert [one["status"] for one in whole] == [204, 204, 500, 500]
    paged: list[Any] = []
    cursor = None
    while len(paged) < 10:
        page = read(
            place.client.get(f"{webhook}/deliveries", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        )
        paged += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
        malformed(
            place.client.get(f"{webhook}/deliveries", params={"cursor": cursor, "outcome": "failed"}), "query.cursor"
        )
    assert paged == whole
    assert place.deliveries(webhook, outcome="failed") == whole[2:]


def test_deleted(place: Place, ledger: str, hook: str) -> None:
    """With its secrets and all that waits; what is being sent at that moment changes nothing."""
    entered, done = threading.Event(), threading.Event()

    def answer(*_: Any) -> int:
        entered.set()
        done.wait(20)
        return 500

    place.receiver.answers[hook] = answer
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + hook)
    an_incident(place.client, ledger)
    assert entered.wait(20)
    gone = place.client.delete(webhook)
    done.set()
    assert read(gone)["webhook_id"] == id_of(webhook)
    other, _ = a_webhook(place.client, ledger, f"{place.receiver.url}{hook}-other")
    an_incident(place.client, ledger)
    place.wait(other)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries")):
        problem(place.client.request(method, webhook + path), "not-found", 404)
    bodies = {
        "revisions": {"type": "webhook-resumed", "reason": "so"},
        "replays": {"after": 0},
        "secrets": {},
        "tests": {},
    }
    for path, body in bodies.items():
        problem(place.client.post(f"{webhook}/{path}", json=body), "not-found", 404)
    with psycopg.connect(place.url) as connection:
        for table in ("webhook_secret", "webhook_queue", "webhook_attempt"):
            query = f"SELECT count(*) FROM stet.{table} WHERE webhook_id = %s".encode()
            assert connection.execute(query, (id_of(webhook),)).fetchone() == (0,)


def test_of_another_ledger_it_is_not_there(place: Place, ledger: str, hook: str) -> None:
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + hook)
    other = place.ledger("of-another-ledger-the-other")
    for path in ("", "/deliveries"):
        problem(place.client.get(f"{other}/webhooks/{id_of(webhook)}{path}"), "not-found", 404)
    problem(place.client.delete(f"{other}/webhooks/{id_of(webhook)}"), "not-found", 404)
    assert read(place.client.get(f"{other}/webhooks"))["items"] == []
    problem(place.client.get(f"{ledger}/webhooks/{NOBODY}"), "not-found", 404)


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://10.1.2.3/x"),
        *("https://169.254.169.254/latest/meta-data/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/"),
        *("https://[2002:7f00:1::]/", "https://0x7f.1/", "https://2130706433/", "https://127.1/", "https://224.0.0.1/"),
        *("https://192.0.0.8/", "https://100.64.0.1/", "https://user:word@example.org/", "https://example.org:8443/"),
        *("http://127.0.0.1:10/", "ftp://example.org/", "https://", "example.org", "https://example.org/#part", ""),
    ],
)
def test_a_forbidden_address_is_refused(url: str, place: Place) -> None:
    """At creation and by a change; nothing is changed, and the problem names it."""
    ledger = "/v1/ledgers/forbidden-addresses"
    if place.client.get(ledger).status_code == 404:
        place.ledger("forbidden-addresses")
        a_webhook(place.client, ledger, f"{place.receiver.url}/forbidden")
    (before,) = read(place.client.get(f"{ledger}/webhooks"))["items"]
    malformed(place.client.post(f"{ledger}/webhooks", json={"url": url}), "url")
    body = {"type": "webhook-amended", "url": url, "reason": "so"}
    malformed(place.client.post(f"{ledger}/webhooks/{before['webhook_id']}/revisions", json=body), "url")
    assert read(place.client.get(f"{ledger}/webhooks"))["items"] == [before]


def test_an_address_that_became_forbidden_is_not_sent_to(place: Place, ledger: str, hook: str) -> None:
    """The one that was taken is checked again whenever something is sent."""
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + hook)
    for url, error in (
        ("https://127.0.0.1/", "its host has an address that is not public (loopback)"),
        ("http://127.0.0.1:9/", "url: must be https at port 443"),
    ):
        with psycopg.connect(place.url) as connection:
            connection.execute("UPDATE stet.webhook SET url = %s WHERE webhook_id = %s", (url, id_of(webhook)))
        place.client.post(f"{webhook}/tests", json={})
        wait_until(lambda: read(place.client.get(webhook))["waiting"] == 0, "it was tried")
        last = place.deliveries(webhook)[0]
        assert last["outcome"] == "failed"
        assert last["error"].startswith(error)


def test_bad_input(place: Place, ledger: str, hook: str) -> None:
    """Each field is named, and nothing is made."""
    url = place.receiver.url + hook
    post = place.client.post
    malformed(post(f"{ledger}/webhooks", json={}), "url")
    malformed(post(f"{ledger}/webhooks", json={"url": url, "types": ["incident-opened", "no-such"]}), "types[1]")
    malformed(post(f"{ledger}/webhooks", json={"url": url, "kinds": ["Not a slug"]}), "kinds[0]")
    malformed(post(f"{ledger}/webhooks", json={"url": url, "incidents": ["x"]}), "incidents[0]")
    malformed(post(f"{ledger}/webhooks", json={"url": url, "secret": "mine"}), "secret")
    assert read(place.client.get(f"{ledger}/webhooks"))["items"] == []
    webhook, _ = a_webhook(place.client, ledger, url)
    malformed(post(f"{webhook}/revisions", json={"type": "webhook-paused"}), "reason")
    malformed(
        post(f"{webhook}/revisions", json={"type": "webhook-amended", "types": ["x"], "reason": "so"}), "types[0]"
    )
    malformed(post(f"{webhook}/replays", json={"after": -1}), "after")
    malformed(post(f"{webhook}/secrets", json={"overlap_s": 10_000_000}), "overlap_s")


def test_a_ledger_has_a_hundred_at_most(place: Place, ledger: str, hook: str) -> None:
    for _ in range(100):
        webhook, _ = a_webhook(place.client, ledger, place.receiver.url + hook)
    problem(place.client.post(f"{ledger}/webhooks", json={"url": place.receiver.url}), "refused", 409)
    read(place.client.delete(webhook))
    a_webhook(place.client, ledger, place.receiver.url + hook)
    assert len(read(place.client.get(f"{ledger}/webhooks"))["items"]) == 100


def test_what_may_not_be_told_any_more_is_withheld(place: Place, ledger: str, hook: str) -> None:
    """What is sent is what the audience of the webhook may see when it is sent; of this it may see nothing."""
    place.receiver.answers[hook] = lambda *_: 500
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + hook)
    an_incident(place.client, ledger)
    wait_until(lambda: len(place.got(hook)) > 0, "it was tried")
    with psycopg.connect(place.url) as connection:
        # A change that no list of changes has stands for one that is not shown any more.
        connection.execute(
            "UPDATE stet.webhook_queue SET stream = 'incident:' || gen_random_uuid() WHERE webhook_id = %s",
            (id_of(webhook),),
        )
    place.wait(webhook)
    last = place.deliveries(webhook)[0]
    assert (last["outcome"], last["status"], last["error"]) == ("withheld", None, None)
    assert place.receiver.accepted.get(hook) is None
