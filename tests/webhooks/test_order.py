"""Whatever fails, a receiver gets all that changed, and of each thing in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from random import Random
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Cluster, serve, wait_until
from tests.http.asking import an_incident, id_of, made, read
from tests.webhooks.receiving import Got, Receiver, a_webhook, receiving, sending

STATUSES = st.lists(st.sampled_from([204, 204, 200, 500, 503, 404, 302, 429]), max_size=40)
_names = count(1)


class Place:
    def __init__(self, url: str, client: httpx.Client, receiver: Receiver) -> None:
        self.url = url
        self.client = client
        self.receiver = receiver

    def left(self, webhook: str) -> int | None:
        """How many messages wait; None: there is more in the log."""
        shown = read(self.client.get(webhook))
        return shown["waiting"] if shown["position"] == shown["head"] else None

    def done(self, webhook: str) -> bool:
        return self.left(webhook) == 0

    def expected(self, ledger: str, after: int) -> dict[str, list[int]]:
        """By the list of changes: of each thing the positions of the appends that changed it."""
        found: dict[str, list[int]] = {}
        for item in read(self.client.get(f"{ledger}/changes", params={"after": after, "limit": 1000}))["items"]:
            for change in item["changes"]:
                found.setdefault(f"{change['kind']}:{change['id']}", []).append(item["position"])
        return found

    def accepted(self, path: str) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for got in self.receiver.accepted.get(path, []):
            found.setdefault(got.stream, []).append(got.message["data"]["position"])
        return found


@pytest.fixture(scope="module")
def place(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A service without anything that sends: each test has its own."""
    url = cluster.migrated()
    with (
        receiving() as receiver,
        serve(url, tmp_path_factory.mktemp("order"), "--no-worker", STET_WEBHOOK_HOSTS=receiver.host) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        yield Place(url, client, receiver)


def a_ledger(place: Place) -> tuple[str, str]:
    name = f"order-{next(_names)}"
    made(place.client.post("/v1/ledgers", json={"name": name, "title": "Order"}))
    return f"/v1/ledgers/{name}", f"/{name}"


def change(place: Place, ledger: str, incidents: list[str], which: int) -> None:
    """Opens an incident, or amends one, or two at once: an append that changes both."""
    if which >= len(incidents):
        incidents.append(an_incident(place.client, ledger))
        return
    body = {"type": "incident-amended", "title": f"Title {next(_names)}", "reason": "so"}
    made(place.client.post(f"{incidents[which]}/revisions", json=body))


@settings(max_examples=12)
@given(STATUSES, st.lists(st.integers(0, 4), min_size=1, max_size=12), st.sets(st.integers(0, 11), max_size=2))
def test_all_is_delivered_and_of_each_thing_in_order(
    place: Place, statuses: list[int], changes: list[int], restarts: set[int]
) -> None:
    """While the receiver fails at random, and while what sends is stopped and begins again, at any moment."""
    ledger, path = a_ledger(place)
    lock, left = threading.Lock(), list(statuses)

    def answer(*_: Any) -> int:
        with lock:
            return left.pop() if left else 204

    place.receiver.answers[path] = answer
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + path)
    incidents: list[str] = []
    with ExitStack() as stack:
        stack.enter_context(sending(place.url, place.receiver))
        for number, which in enumerate(changes):
            change(place, ledger, incidents, which)
            if number in restarts:
                stack.close()
                stack.enter_context(sending(place.url, place.receiver))
        wait_until(lambda: place.done(webhook), "everything to be sent")
    expected, accepted = place.expected(ledger, 1), place.accepted(path)
    if restarts:
        # What was taken at the moment of a stop may come once more, and then at once.
        accepted = {
            stream: [at for n, at in enumerate(its) if n == 0 or its[n - 1] != at] for stream, its in accepted.items()
        }
    assert accepted == expected


def test_one_thing_that_fails_holds_back_no_other(place: Place) -> None:
    """Only what comes after it, of the same thing, waits; then it comes, in order."""
    ledger, path = a_ledger(place)
    failing = threading.Event()
    failing.set()
    incidents: list[str] = []
    change(place, ledger, incidents, 0)
    place.receiver.answers[path] = lambda got, _: (
        500 if failing.is_set() and got.stream.endswith(id_of(incidents[0])) else 204
    )
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + path)
    with sending(place.url, place.receiver):
        for which in (0, 1, 0, 1, 2, 0):
            change(place, ledger, incidents, which)
        wait_until(lambda: place.left(webhook) == 3, "the others were sent")
        expected = place.expected(ledger, 2)
        held = f"incident:{id_of(incidents[0])}"
        assert place.accepted(path) == {stream: its for stream, its in expected.items() if stream != held}
        tried = {got.message["data"]["position"] for got in place.receiver.got[path] if got.stream == held}
        assert tried == {expected[held][0]}
        failing.clear()
        wait_until(lambda: place.done(webhook), "the rest is sent")
    assert place.accepted(path) == expected


def test_a_replay_in_the_middle_begins_again(place: Place) -> None:
    """While one is being sent: from the position on everything comes again, that one, too, and in order."""
    ledger, path = a_ledger(place)
    entered, done = threading.Event(), threading.Event()

    def answer(*_: Any) -> int:
        entered.set()
        done.wait(20)
        return 204

    incidents: list[str] = []
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + path)
    for which in (0, 0, 0):
        change(place, ledger, incidents, which)
    place.receiver.answers[path] = answer
    with sending(place.url, place.receiver):
        assert entered.wait(20)
        read(place.client.post(f"{webhook}/replays", json={"after": 1}))
        wait_until(lambda: place.left(webhook) == 3, "all of it waits again")
        done.set()
        wait_until(lambda: place.done(webhook), "everything to be sent")
    (positions,) = place.accepted(path).values()
    assert positions == [2, 2, 3, 4]


def worker(place: Place) -> subprocess.Popen[str]:
    environment = {**os.environ, "STET_DATABASE_URL": place.url, "STET_WEBHOOK_HOSTS": place.receiver.host}
    command = [sys.executable, "-m", "stet", "worker"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    assert process.stdout.readline() == "The worker is ready\n"
    return process


def test_a_worker_that_is_killed_loses_nothing(place: Place) -> None:
    """While it sends. The next sends the same again, with the same id, and what comes after."""
    ledger, path = a_ledger(place)
    entered = threading.Event()
    begun: list[Got] = []

    def answer(got: Got, _: Any) -> int | None:
        begun.append(got)
        entered.set()
        return 204 if len(begun) > 1 else None

    place.receiver.answers[path] = answer
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + path)
    incidents: list[str] = []
    for which in (0, 0, 0):
        change(place, ledger, incidents, which)
    first = worker(place)
    try:
        assert entered.wait(30)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
        if first.stdout:
            first.stdout.close()
    second = worker(place)
    try:
        wait_until(lambda: place.done(webhook), "everything to be sent", 30)
    finally:
        second.terminate()
        second.wait(20)
        if second.stdout:
            second.stdout.close()
    assert place.accepted(path) == place.expected(ledger, 1)
    assert begun[0].id == begun[1].id


def test_one_sends_and_another_takes_over(place: Place) -> None:
    """Of two at once nothing comes twice; when the connection that holds the lock is lost, sending goes on."""
    ledger, path = a_ledger(place)
    webhook, _ = a_webhook(place.client, ledger, place.receiver.url + path)
    incidents: list[str] = []
    random = Random(7)
    with sending(place.url, place.receiver), sending(place.url, place.receiver):
        for _ in range(15):
            change(place, ledger, incidents, random.randint(0, 3))
        wait_until(lambda: place.done(webhook), "everything to be sent")
        assert place.accepted(path) == place.expected(ledger, 1)
        with psycopg.connect(place.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'stet webhooks' AND datname = current_database()"
            )
        for _ in range(5):
            change(place, ledger, incidents, random.randint(0, 3))
        wait_until(lambda: place.done(webhook), "everything to be sent")
    assert place.accepted(path) == place.expected(ledger, 1)
