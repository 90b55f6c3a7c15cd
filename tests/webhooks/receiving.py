"""A receiver of webhooks on loopback that answers as a test wants, and whoever else the tests of webhooks need."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from stet.settings import Settings
from stet.webhooks.patience import Patience
from stet.webhooks.sender import Sender

HASTY = Patience(first=0.01, factor=1.5, longest=0.05, spacing=0.001, widest=0.01)
"""Of tests in which receivers fail."""


class Got:
    """A request that came in."""

    def __init__(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.path = path
        self.headers = headers
        self.body = body

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def stream(self) -> str:
        change = self.message["data"]["change"]
        return f"{change['kind']}:{change['id']}"

    @property
    def positions(self) -> list[int]:
        return self.message["data"]["change"]["positions"]

    def is_signed_with(self, secret: str) -> bool:
        """By an implementation that is not ours: what the specification says, line by line."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = b".".join([self.id.encode(), self.headers["webhook-timestamp"].encode(), self.body])
        wanted = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return wanted in self.headers["webhook-signature"].split(" ")


Answer = Callable[[Got, BaseHTTPRequestHandler], int | None]
"""The status to answer; None: it has answered itself, or never will."""


class Receiver:
    """Remembers what came in, by path, and answers 204 where it was told nothing else."""

    def __init__(self) -> None:
        self.got: dict[str, list[Got]] = {}
        self.accepted: dict[str, list[Got]] = {}
        self.answers: dict[str, Answer] = {}
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver._take(Got(self.path, {k.lower(): v for k, v in self.headers.items()}, body), self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A sender that was killed, or waited for too long, hears no answer."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"

    def _take(self, got: Got, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.got.setdefault(got.path, []).append(got)
        answer = self.answers.get(got.path)
        status = answer(got, handler) if answer else 204
        if status is None:
            return
        if 200 <= status < 300:
            with self._lock:
                self.accepted.setdefault(got.path, []).append(got)
        handler.send_response(status)
        handler.send_header("content-length", "0")
        handler.end_headers()


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()


@contextlib.contextmanager
def sending(url: str, receiver: Receiver, patience: Patience = HASTY) -> Iterator[Sender]:
    """What sends, in a thread of this process."""
    sender = Sender(url, Settings(webhook_hosts=(receiver.host,)), patience)
    thread = sender.start()
    try:
        yield sender
    finally:
        sender.stop()
        thread.join(20)
        assert not thread.is_alive()


def a_webhook(client: httpx.Client, ledger: str, url: str, **more: Any) -> tuple[str, str]:
    """The path of a webhook, and its secret."""
    answer = client.post(f"{ledger}/webhooks", json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    return answer.headers["location"], answer.json()["secret"]
