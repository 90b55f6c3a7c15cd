"""`stet demo`, its second part: one restricted statement as two readers see it, and a signed webhook."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import httpx

from stet.cli.remote import Remote, ask
from stet.errors import Malformed
from stet.ids import new_id
from stet.reference.answers import attribute

_WAIT_S = 20.0
_WORDS = "four, as the hospital told us in confidence"


class Mark(NamedTuple):
    """One line of what must hold."""

    text: str
    holds: bool


class Got(NamedTuple):
    """A message as it arrived."""

    headers: dict[str, str]
    body: bytes


class Receiver:
    """Takes what is sent to an address of this machine."""

    def __init__(self) -> None:
        self.first: Got | None = None
        self.arrived = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(204)
                self.end_headers()
                receiver.first = receiver.first or Got({k.lower(): v for k, v in self.headers.items()}, body)
                receiver.arrived.set()

            def log_message(self, *_: Any) -> None:
                """Nothing: the demo says what came."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name="demo receiver", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver, until the block ends."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


def show_readers(remote: Remote, receiver: Receiver) -> list[Mark]:
    """Records a statement that only members see, and reads it as a member and as anybody. Prints both."""
    name = f"desk-{str(new_id())[-12:]}"
    path = f"/v1/ledgers/{name}"
    with remote.client(30) as member, httpx.Client(base_url=remote.url, timeout=30) as anybody:
        if asks_nobody(anybody):
            print("\nThe service asks nobody for a key, so everybody sees the same")
            return []
        ask(member, "POST", "/v1/ledgers", {"name": name, "title": "A desk", "public": True})
        speaker = ask(member, "POST", f"{path}/sources", {"name": "The ministry", "kind": "state-body"})["source_id"]
        other = ask(member, "POST", f"{path}/sources", {"name": "A surgeon", "kind": "person"})["source_id"]
        secret = _webhook(member, path, receiver)
        body = {"title": "A market was hit", "kind": "shelling", "statements": [_said(speaker, 2)]}
        id_ = ask(member, "POST", f"{path}/incidents", body)["incident_id"]
        hidden = _said(other, 4) | {"verbatim": _WORDS, "visibility": {"label": "amber"}}
        ask(member, "POST", f"{path}/incidents/{id_}/statements", hidden)
        print(f"\nA statement labelled TLP:AMBER, as two readers see it ({path}/incidents/{id_})")
        views = {who: ask(client, "GET", f"{path}/incidents/{id_}") for who, client in _both(member, anybody)}
        for who, view in views.items():
            killed = attribute(view, "killed")
            print(f"  {who:8} {len(view['statements'])} statements, killed {killed['status']} {killed['value']}")
        told = "".join(
            anybody.get(f"{path}/{what}").text
            for what in (f"incidents/{id_}", f"incidents/{id_}/events", "incidents", "statements", "changes", "events")
        )
        seen = {who: [one["verbatim"] for one in view["statements"]] for who, view in views.items()}
        status = {who: attribute(view, "killed")["status"] for who, view in views.items()}
        both = (status["a member"], seen["a member"]) == ("contested", [None, _WORDS])
        marks = [
            Mark("a member sees the restricted statement, and killed is contested", both),
            Mark(
                "anybody sees one statement, and one count",
                (status["anybody"], seen["anybody"]) == ("single-source", [None]),
            ),
            Mark("no list, feed or log tells anybody of it", _WORDS not in told),
        ]
    return [*marks, *_received(receiver, secret)]


def asks_nobody(anybody: httpx.Client) -> bool:
    """Whether the service takes every client for the owner, key or not."""
    return anybody.get("/v1/keys").status_code == 200


def _both(member: httpx.Client, anybody: httpx.Client) -> Iterator[tuple[str, httpx.Client]]:
    yield "a member", member
    yield "anybody", anybody


def _said(speaker: str, killed: int) -> dict[str, Any]:
    return {"speaker": speaker, "claims": [{"attribute": "killed", "value": {"min": killed, "max": killed}}]}


def _webhook(member: httpx.Client, path: str, receiver: Receiver) -> str | None:
    """The secret of a webhook to the receiver; None where the service sends to no address of this machine."""
    try:
        body = {"url": f"http://{receiver.host}/stet", "types": ["incident-opened"]}
        return str(ask(member, "POST", f"{path}/webhooks", body)["secret"])
    except Malformed as error:
        print(f"\nNo webhook is shown: {error} (see STET_WEBHOOK_HOSTS)")
        return None


def _received(receiver: Receiver, secret: str | None) -> list[Mark]:
    if secret is None:
        return []
    receiver.arrived.wait(_WAIT_S)
    got = receiver.first
    if got is None:
        return [Mark("a signed webhook was received", False)]
    id_, sent = got.headers["webhook-id"], got.headers["webhook-timestamp"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{id_}.{sent}.".encode() + got.body, "sha256")
    signature = f"v1,{base64.b64encode(digest).decode()}"
    change = json.loads(got.body)["data"]["change"]
    print(f"\nA webhook received: {id_}, {', '.join(change['types'])}\n  {got.headers['webhook-signature']}")
    signed = signature in got.headers["webhook-signature"].split()
    return [Mark("a webhook was received, and its signature is right", signed)]
