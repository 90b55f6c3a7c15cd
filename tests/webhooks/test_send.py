"""One attempt, against receivers that misbehave."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.webhooks.receiving import Got, Receiver, receiving

from stet.webhooks.address import Target, parse_target
from stet.webhooks.send import Outcome, make_transport, send
from stet.webhooks.signing import signed

TLS = Path(__file__).with_name("tls")
SECRET = b"s" * 32


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


async def sent(target: Target, *, within_s: float = 5.0, trusted: ssl.SSLContext | None = None) -> Outcome:
    async with make_transport(trusted) as transport:
        return await send(transport, target, signed("msg_1", 1, b"{}", [SECRET]), b"{}", within_s=within_s)


def target_of(receiver: Receiver, path: str = "/") -> Target:
    return parse_target(receiver.url + path, (receiver.host,))


def answering(raw: bytes, *, more: bytes = b"", times: int = 0) -> object:
    """An answer, byte for byte, and then the same bytes again and again."""

    def answer(_: Got, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(raw)
        for _n in range(times):
            handler.wfile.write(more)

    return answer


async def test_what_is_sent(receiver: Receiver) -> None:
    """The body, its headers and no others of ours; the path and query as they were given."""
    outcome = await sent(target_of(receiver, "/a/b?c=d%20e"))
    assert (outcome.status, outcome.error, outcome.excerpt) == (204, None, None)
    (got,) = receiver.got["/a/b?c=d%20e"]
    assert got.body == b"{}"
    assert got.is_signed_with("whsec_" + "c3Nz" * 10 + "c3M=")
    assert got.headers["host"] == receiver.host
    assert got.headers.keys() == {
        *("host", "user-agent", "content-type", "content-length", "accept", "accept-encoding", "connection"),
        *("webhook-id", "webhook-timestamp", "webhook-signature"),
    }


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    location = f"{receiver.url}/elsewhere".encode()
    receiver.answers["/"] = answering(b"HTTP/1.1 %d Go\r\nlocation: %s\r\n\r\n" % (status, location))  # type: ignore[assignment]
    outcome = await sent(target_of(receiver))
    assert outcome.status == status
    assert outcome.error == "it answered with a redirect, which is not followed"
    assert receiver.got.keys() == {"/"}


async def test_an_answer_that_says_no_is_shown_in_part(receiver: Receiver) -> None:
    """In one line of printable characters, 200 at most; and what it asks for is heard."""
    body = "nö\x00 \x1b[31m\r\n".encode() + b"x" * 500
    receiver.answers["/"] = answering(b"HTTP/1.1 503 No\r\nretry-after: 120\r\n\r\n" + body)  # type: ignore[assignment]
    outcome = await sent(target_of(receiver))
    assert (outcome.status, outcome.error, outcome.retry_after) == (503, "it answered 503", 120)
    assert outcome.excerpt == ("nö [31m " + "x" * 500)[:200]


@pytest.mark.parametrize("wait", [b"-1", b"Fri, 31 Dec 1999 23:59:59 GMT", b"9" * 40, b"1e9", b"\xc2\xb2"])
async def test_a_wait_that_is_no_number_of_seconds_is_not_heard(receiver: Receiver, wait: bytes) -> None:
    receiver.answers["/"] = answering(b"HTTP/1.1 503 No\r\nretry-after: %s\r\n\r\n" % wait)  # type: ignore[assignment]
    assert (await sent(target_of(receiver))).retry_after == 0


@pytest.mark.parametrize(("status", "error"), [(b"200 Yes", None), (b"500 No", "it answered 500")])
async def test_a_huge_answer_is_not_read(receiver: Receiver, status: bytes, error: str | None) -> None:
    """64 KiB, and no more: the receiver cannot write the rest."""
    written, refused = 0, threading.Event()

    def answer(_: Got, handler: BaseHTTPRequestHandler) -> None:
        nonlocal written
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 %s\r\ncontent-length: 1000000000\r\n\r\n" % status)
        try:
            while written < 1_000_000_000:
                written += handler.wfile.write(b"x" * 65_536)
        except OSError:
            refused.set()

    receiver.answers["/"] = answer  # type: ignore[assignment]
    outcome = await sent(target_of(receiver))
    assert outcome.error == error
    assert refused.wait(20)
    assert written < 100_000_000


async def test_a_receiver_that_never_answers_is_given_up(receiver: Receiver) -> None:
    done = threading.Event()
    receiver.answers["/"] = lambda *_: done.wait(20) and None  # type: ignore[assignment, return-value]
    began = time.monotonic()
    outcome = await sent(target_of(receiver), within_s=0.3)
    done.set()
    assert (outcome.status, outcome.error) == (None, "there was no answer within 0.3 s")
    assert 0.3 <= time.monotonic() - began < 5
    assert outcome.ms >= 300


async def test_a_receiver_that_answers_byte_by_byte_is_given_up(receiver: Receiver) -> None:
    """However slowly headers come, the time is that of the whole attempt."""
    done = threading.Event()

    def answer(_: Got, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 Yes\r\n")
        while not done.wait(0.02):
            handler.wfile.write(b"x: y\r\n")

    receiver.answers["/"] = answer  # type: ignore[assignment]
    outcome = await sent(target_of(receiver), within_s=0.3)
    done.set()
    assert outcome.error == "there was no answer within 0.3 s"


@pytest.mark.parametrize(
    "raw", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 Yes\r\nx" + b"x" * 200_000]
)
async def test_what_is_no_answer_is_a_failure(receiver: Receiver, raw: bytes) -> None:
    receiver.answers["/"] = answering(raw)  # type: ignore[assignment]
    outcome = await sent(target_of(receiver))
    assert outcome.status is None
    assert outcome.error
    assert len(outcome.error) <= 500


async def test_nobody_there_is_a_failure() -> None:
    with receiving() as gone:
        target = target_of(gone)
    outcome = await sent(target)
    assert outcome.error
    assert outcome.error.startswith("ConnectError")
    assert (await sent(parse_target("https://nothing.invalid/", ()))).error == "its host has no address"


async def test_a_forbidden_address_is_not_connected_to(receiver: Receiver) -> None:
    """Though the address was taken when the webhook was made: names change."""
    target = parse_target(receiver.url, (receiver.host,))._replace(allowed=False)
    outcome = await sent(target)
    assert outcome.error == "its host has an address that is not public (loopback)"
    assert receiver.got == {}


async def test_no_cookie_and_no_proxy(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one receiver sets, the next at the same address is not told; what the environment says is not heard."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    receiver.answers["/"] = answering(b"HTTP/1.1 200 Yes\r\nset-cookie: a=b; path=/\r\ncontent-length: 0\r\n\r\n")  # type: ignore[assignment]
    async with make_transport() as transport:
        for _ in range(2):
            outcome = await send(transport, target_of(receiver), signed("msg_1", 1, b"{}", [SECRET]), b"{}")
            assert outcome.error is None
    assert ["cookie" in got.headers for got in receiver.got["/"]] == [False, False]


@pytest.fixture
def secure() -> Iterator[tuple[Receiver, list[str | None]]]:
    """A receiver by TLS, whose certificate is for receiver.test; and the names that it was asked for."""
    with receiving() as one:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / "receiver.pem", TLS / "receiver.key")
        names: list[str | None] = []
        context.sni_callback = lambda _socket, name, _context: names.append(name)
        one.server.socket = context.wrap_socket(one.server.socket, server_side=True)
        yield one, names


async def test_tls_is_with_the_name_and_the_connection_with_the_address(
    secure: tuple[Receiver, list[str | None]],
) -> None:
    """The certificate is checked against the name, though the connection goes to an address."""
    receiver, names = secure
    trusted = ssl.create_default_context(cafile=str(TLS / "receiver.pem"))
    target = _at_loopback(receiver, "receiver.test")
    async with make_transport(trusted) as transport:
        outcome = await send(
            transport, target, signed("msg_1", 1, b"{}", [SECRET]), b"{}", lookup=lambda *_: ["127.0.0.1"]
        )
    assert outcome.error is None
    assert names == ["receiver.test"]
    assert receiver.got["/"][0].headers["host"] == f"receiver.test:{target.port}"


@pytest.mark.parametrize(("name", "trusts"), [("other.test", True), ("receiver.test", False)])
async def test_another_certificate_is_refused(
    secure: tuple[Receiver, list[str | None]], name: str, trusts: bool
) -> None:
    """One for another name, or one that nobody vouches for."""
    receiver, _ = secure
    trusted = ssl.create_default_context(cafile=str(TLS / "receiver.pem")) if trusts else None
    async with make_transport(trusted) as transport:
        headers = signed("msg_1", 1, b"{}", [SECRET])
        target = _at_loopback(receiver, name)
        outcome = await send(transport, target, headers, b"{}", lookup=lambda *_: ["127.0.0.1"])
    assert outcome.error
    assert "certificate verify failed" in outcome.error
    assert receiver.got == {}


def _at_loopback(receiver: Receiver, name: str) -> Target:
    host = f"{name}:{receiver.server.server_port}"
    return parse_target(f"https://{host}/", (host,))
