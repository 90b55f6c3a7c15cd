"""Webhooks and keys: whose they are, what becomes of them with the key, and what the audit says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import httpx
import psycopg
import pytest
from tests.conftest import OWNER, Cluster, Server, bearing, serve, wait_until
from tests.http.asking import an_incident, id_of, made, read
from tests.http.keyed import a_key, a_ledger, a_member
from tests.webhooks.receiving import Receiver, a_webhook, receiving, sending

from stet.database.pool import as_role
from stet.webhooks.signing import text_of


class Place(NamedTuple):
    """A service that takes keys, what sends, and a receiver."""

    database: str
    server: Server
    owner: httpx.Client
    receiver: Receiver


@pytest.fixture(scope="module")
def place(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    url = cluster.migrated()
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        hosts = {"STET_WEBHOOK_HOSTS": receiver.host, "STET_OWNER_KEY": OWNER}
        folder = tmp_path_factory.mktemp("told")
        server = stack.enter_context(serve(url, folder, "--no-worker", keyless=False, **hosts))
        stack.enter_context(sending(url, receiver))
        yield Place(url, server, stack.enter_context(bearing(server, OWNER)), receiver)


def test_a_webhook_is_paused_with_the_key_of_its_maker(place: Place) -> None:
    """Nothing is sent for whoever may not read; who resumes it answers for it."""
    ledger = a_ledger(place.owner, "maker")
    key = a_key(place.owner, "admin")
    a_member(place.owner, ledger, key["key_id"], "admin")
    with bearing(place.server, key["key"]) as maker:
        webhook, _ = a_webhook(maker, ledger, f"{place.receiver.url}/maker")
        an_incident(maker, ledger)
        wait_until(lambda: len(place.receiver.got.get("/maker", [])) == 1, "the first message")
    read(place.owner.delete(f"/v1/keys/{key['key_id']}"))
    an_incident(place.owner, ledger)
    wait_until(lambda: read(place.owner.get(webhook))["state"] == "paused", "the webhook to be paused")
    assert "may not read" in read(place.owner.get(webhook))["paused_reason"]
    read(place.owner.post(f"{webhook}/revisions", json={"type": "webhook-resumed", "reason": "it is the desk's"}))
    assert read(place.owner.get(webhook))["created_by"] == "owner"
    wait_until(lambda: len(place.receiver.got["/maker"]) == 2, "what was held back")


def test_a_webhook_is_paused_with_the_membership_of_its_maker(place: Place) -> None:
    ledger = a_ledger(place.owner, "member")
    key = a_key(place.owner, "admin")
    a_member(place.owner, ledger, key["key_id"], "admin")
    with bearing(place.server, key["key"]) as maker:
        webhook, _ = a_webhook(maker, ledger, f"{place.receiver.url}/member")
    read(place.owner.delete(f"{ledger}/members/{key['key_id']}"))
    an_incident(place.owner, ledger)
    wait_until(lambda: read(place.owner.get(webhook))["state"] == "paused", "the webhook to be paused")
    assert "/member" not in place.receiver.got


def test_the_audit_has_every_change_of_a_webhook_and_no_secret(place: Place) -> None:
    ledger = a_ledger(place.owner, "audited")
    webhook, secret = a_webhook(place.owner, ledger, f"{place.receiver.url}/audited")
    newer = made(place.owner.post(f"{webhook}/secrets", json={"overlap_s": 0}))["secret"]
    read(place.owner.post(f"{webhook}/revisions", json={"type": "webhook-paused", "reason": "moved"}))
    read(place.owner.post(f"{webhook}/replays", json={"after": 0}))
    read(place.owner.delete(webhook))
    items = read(place.owner.get(f"{ledger}/audit"))["items"]
    assert [(item["action"], item["subject"]) for item in items] == [
        (f"webhook-{action}", webhook.rpartition("/")[2])
        for action in ("created", "secret-added", "revised", "replayed", "deleted")
    ]
    assert items[2]["detail"] == {"type": "webhook-paused", "reason": "moved"}
    assert not any(text in str(items) for text in (secret, newer))


def test_whoever_serves_the_api_cannot_read_what_messages_are_signed_with(place: Place) -> None:
    """Only who sends may."""
    ledger = a_ledger(place.owner, "signed")
    a_webhook(place.owner, ledger, f"{place.receiver.url}/signed")
    for role in ("stet_application", "stet_reader"):
        with psycopg.connect(place.database) as connection:
            as_role(connection, role)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT secret FROM stet.webhook_secret")


def test_who_sends_can_read_what_messages_are_signed_with(place: Place) -> None:
    """As it is: whoever has the role can sign in the name of the service. Where they go is of the other role."""
    ledger = a_ledger(place.owner, "known")
    webhook, secret = a_webhook(place.owner, ledger, f"{place.receiver.url}/known")
    ledger_id, key = read(place.owner.get(ledger))["ledger_id"], id_of(webhook)
    with psycopg.connect(place.database) as connection:
        as_role(connection, "stet_worker")
        kept = connection.execute("SELECT secret FROM stet.webhook_secret WHERE webhook_id = %s", (key,)).fetchall()
        assert [text_of(one) for (one,) in kept] == [secret]
        as_role(connection, "stet_application")
        connection.execute("SELECT set_config('stet.ledger_id', %s, false)", (ledger_id,))
        elsewhere = "UPDATE stet.webhook SET url = 'https://elsewhere.invalid/' WHERE webhook_id = %s"
        assert connection.execute(elsewhere, (key,)).rowcount == 1
    assert read(place.owner.get(webhook))["url"] == "https://elsewhere.invalid/"


def test_what_a_label_hides_from_its_audience_is_withheld(place: Place) -> None:
    """Of what waits, too: the receiver learns that something is gone, and not what it was."""
    ledger = a_ledger(place.owner, "labelled", public=True)
    webhook, _ = a_webhook(place.owner, ledger, f"{place.receiver.url}/labelled")
    with psycopg.connect(place.database) as connection:
        # Only members make webhooks, so there is no other way to one of the public.
        connection.execute("UPDATE stet.webhook SET audience = 'public' WHERE webhook_id = %s", (id_of(webhook),))
    place.receiver.answers["/labelled"] = lambda *_: 500
    incident = an_incident(place.owner, ledger, title="zzhidden")
    wait_until(lambda: len(place.receiver.got.get("/labelled", [])) > 0, "it was tried")
    assert b"zzhidden" in place.receiver.got["/labelled"][0].body
    body = {"type": "visibility-changed", "label": "red", "reason": "a witness is in danger"}
    made(place.owner.post(f"{incident}/revisions", json=body))
    place.receiver.answers["/labelled"] = lambda got, _: 500 if b"zzhidden" in got.body else 204
    wait_until(lambda: len(place.receiver.accepted.get("/labelled", [])) == 1, "what became of it")
    [told] = place.receiver.accepted["/labelled"]
    assert (told.stream, told.message["data"]["change"]["change"]) == (f"incident:{id_of(incident)}", "removed")
    assert b"witness" not in told.body
    outcomes = [one["outcome"] for one in read(place.owner.get(f"{webhook}/deliveries"))["items"]]
    assert (outcomes[0], outcomes[1], {*outcomes[2:]}) == ("delivered", "withheld", {"failed"})
