"""The feed of server-sent events: nothing is missed, nothing comes twice, and nobody waits for somebody else."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import httpx
import pytest
from tests.conftest import Server, serve, wait_until
from tests.http.asking import a_document, a_source, malformed, problem, read
from tests.http.following import changes, events, positions_of

SSE = {"accept": "text/event-stream"}


def head_of(client: httpx.Client, ledger: str) -> int:
    head: int = read(client.get(f"{ledger}/changes", params={"limit": 1}))["head"]
    return head


def write(url: str, ledger: str, name: str, times: int) -> None:
    """Registers sources, one an append."""
    with httpx.Client(base_url=url, timeout=30) as client:
        for n in range(times):
            a_source(client, ledger, f"{name} {n}")


@contextmanager
def writing(url: str, ledger: str, writers: int, times: int) -> Iterator[None]:
    """Others write meanwhile."""
    threads = [threading.Thread(target=write, args=(url, ledger, f"Writer {n}", times)) for n in range(writers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()


# ---- where it goes on ----


@pytest.mark.parametrize("seed", range(3))
def test_who_is_cut_off_again_and_again_misses_nothing(client: httpx.Client, ledger: str, seed: int) -> None:
    """At any byte of any message, while others write: with Last-Event-ID every position comes once, and in order."""
    chance, last, positions, connections = Random(seed), 0, [], 0
    writers, times = 3, 40
    with writing(str(client.base_url), ledger, writers, times):
        while last < writers * times + 1:
            left, connections = chance.randint(1, 1500), connections + 1
            with client.stream("GET", f"{ledger}/changes", headers=SSE | {"last-event-id": str(last)}) as answer:
                assert answer.status_code == 200
                text = b""
                for byte in answer.iter_bytes(1):
                    text, left = text + byte, left - 1
                    if text.endswith(b"\n\n"):
                        fields = dict(line.split(": ", 1) for line in text.decode().splitlines() if line)
                        if "data" in fields:
                            last = int(fields["id"])
                            positions += positions_of(json.loads(fields["data"]))
                        text = b""
                    if left < 1 or last == writers * times + 1:
                        break
    assert positions == list(range(1, writers * times + 2))
    assert connections > 20


def first(client: httpx.Client, path: str, **headers: str) -> int:
    with client.stream("GET", path, headers=SSE | headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        found: int = next(events(answer))["id"]
        return found


def test_the_last_event_goes_before_the_parameter(client: httpx.Client, ledger: str) -> None:
    for n in range(4):
        a_source(client, ledger, f"Source {n}")
    path = f"{ledger}/changes"
    assert first(client, path) == 1
    assert first(client, f"{path}?after=2") == 3
    assert first(client, f"{path}?after=2", **{"last-event-id": "3"}) == 4
    assert first(client, f"{path}?after=4", **{"last-event-id": "0"}) == 1
    # As JSON it says nothing.
    assert read(client.get(f"{path}?after=4", headers={"last-event-id": "x"}))["items"][0]["position"] == 5


@pytest.mark.parametrize("last", ["x", "-1", "01", "1.5", "1 2", "+1", "0x1", "9" * 19])
def test_what_was_never_the_id_of_an_event_is_refused(client: httpx.Client, ledger: str, last: str) -> None:
    malformed(client.get(f"{ledger}/changes", headers=SSE | {"last-event-id": last}), "header.Last-Event-ID")


def test_what_the_log_has_not_reached_is_not_found(client: httpx.Client, ledger: str) -> None:
    """At once, and not as a stream that waits for it."""
    problem(client.get(f"{ledger}/changes", headers=SSE | {"last-event-id": "2"}), "not-found", 404)
    problem(client.get(f"{ledger}/changes?after=2", headers=SSE), "not-found", 404)
    malformed(client.get(f"{ledger}/changes?after=-1", headers=SSE), "query.after")
    problem(client.get("/v1/ledgers/no-such-ledger/changes", headers=SSE), "not-found", 404)


def test_its_headers_alone_can_be_asked_for(client: httpx.Client, ledger: str) -> None:
    """HEAD does not wait for a body that never ends: the connection answers the next request."""
    for path in (f"{ledger}/changes?format=sse", f"{ledger}/changes", f"{ledger}/events"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert client.get("/healthz").status_code == 200


# ---- many, and slow ones ----


async def lines_of(address: tuple[str, int], path: str, opened: asyncio.Event, last: int) -> list[int]:
    """What a client hears until the event of that id: the ids."""
    reader, writer = await asyncio.open_connection(*address, limit=1 << 20)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {address[0]}\r\nAccept: text/event-stream\r\n\r\n".encode())
    ids: list[int] = []
    while not ids or ids[-1] != last:
        line = await asyncio.wait_for(reader.readline(), 60)
        assert line, "the stream has ended"
        if line.startswith(b": this"):
            opened.set()
        if line.startswith(b"id: "):
            ids.append(int(line[4:]))
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return ids


async def test_two_hundred_clients_hear_each_append_once(server: Server, ledger: str) -> None:
    """And whoever else asks is answered meanwhile."""
    parts, appends = urlsplit(server.url), 20
    address, last = (str(parts.hostname), int(parts.port or 0)), 1 + appends
    opened = [asyncio.Event() for _ in range(200)]
    hearing = [asyncio.create_task(lines_of(address, f"{ledger}/changes?after=1", one, last)) for one in opened]
    await asyncio.gather(*(asyncio.wait_for(one.wait(), 60) for one in opened))
    slowest = 0.0
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        for n in range(appends):
            began = time.monotonic()
            body = {"name": f"Source {n}", "kind": "person"}
            assert (await client.post(f"{ledger}/sources", json=body)).status_code == 201
            assert (await client.get("/readyz")).status_code == 200
            slowest = max(slowest, time.monotonic() - began)
    heard = await asyncio.gather(*hearing)
    assert heard == [list(range(2, last + 1))] * 200
    assert slowest < 5


def fill(client: httpx.Client, ledger: str) -> None:
    """Some megabytes of changes: all incidents follow a document, whose publication is corrected."""
    document, tags = a_document(client, ledger, "2020-11-09"), [f"{n:02}" + "x" * 98 for n in range(100)]
    on_it = {"anchor": {"document_id": document, "version": 1, "relation": "same-day"}}
    said = {"speaker": a_source(client, ledger), "claims": [{"attribute": "occurred_at", "value": on_it}]}
    for n in range(60):
        body = {"title": f"Incident {n}", "kind": "crash", "tags": tags, "statements": [said]}
        assert client.post(f"{ledger}/incidents", json=body).status_code == 201
    for day in range(10, 20):
        dated = [{"version": 1, "published_at": f"2020-11-{day}"}]
        body = {"type": "document-corrected", "versions": dated, "basis": "told", "rationale": "read again"}
        assert client.post(f"{ledger}/documents/{document}/revisions", json=body).status_code == 201


def ended(server: Server, path: str) -> int:
    """How many requests for that path have ended, by the access log."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return sum(line.get("path") == path for line in lines)


def test_who_does_not_read_is_given_up(url: str, tmp_path: Path) -> None:
    """Within the time that is set; whoever reads hears everything."""
    with serve(url, tmp_path, STET_SEND_TIMEOUT_MS="300") as server, httpx.Client(base_url=server.url) as client:
        client.timeout = httpx.Timeout(30)
        assert client.post("/v1/ledgers", json={"name": "l", "title": "L"}).status_code == 201
        ledger, parts = "/v1/ledgers/l", urlsplit(server.url)
        fill(client, ledger)
        path = f"{ledger}/changes"
        with socket.socket() as idle:
            idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            idle.connect((parts.hostname, parts.port))
            idle.sendall(f"GET {path}?format=sse HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            with client.stream("GET", path, headers=SSE) as answer:
                its = events(answer)
                before = [next(its)["id"] for _ in range(73)]
                wait_until(lambda: ended(server, path) == 1, "the client that does not read to be given up")
                a_source(client, ledger, "Later")
                assert next(its)["id"] == before[-1] + 1
            # What had been sent is there; then the connection ends, in the middle of a message.
            idle.settimeout(10)
            size = 0
            with suppress(ConnectionError):
                while got := idle.recv(1 << 20):
                    size += len(got)
            assert size < 10_000_000
        assert len(changes(client, ledger, after=head_of(client, ledger) - 1)) == 1
        assert "Traceback" not in server.log.read_text()


# ---- the server's side ----


def test_a_server_that_stops_ends_the_streams(url: str, tmp_path: Path) -> None:
    """Cleanly, and without waiting for its clients, or for its grace time."""
    with serve(url, tmp_path) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        assert client.post("/v1/ledgers", json={"name": "l", "title": "L"}).status_code == 201
        heard: list[bytes] = []
        opened = threading.Semaphore(0)

        def follow() -> None:
            with httpx.stream("GET", f"{server.url}/v1/ledgers/l/changes", headers=SSE, timeout=30) as answer:
                text = b""
                for part in answer.iter_bytes():
                    text += part
                    if b"id: 1" in part:
                        opened.release()
                heard.append(text)

        followers = [threading.Thread(target=follow) for _ in range(5)]
        for follower in followers:
            follower.start()
        assert all(opened.acquire(timeout=30) for _ in followers)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert time.monotonic() - began < 5
        for follower in followers:
            follower.join(10)
        assert len(heard) == 5
        assert all(text.endswith(b"\n\n") for text in heard)
        assert "Traceback" not in server.log.read_text()


def test_what_another_process_appends_is_heard(url: str, tmp_path: Path) -> None:
    with serve(url, tmp_path) as one, serve(url, tmp_path) as other, httpx.Client(base_url=other.url) as there:
        assert there.post("/v1/ledgers", json={"name": "l", "title": "L"}).status_code == 201
        with httpx.stream("GET", f"{one.url}/v1/ledgers/l/changes", headers=SSE, timeout=30) as answer:
            its = events(answer)
            assert next(its)["id"] == 1
            for n in range(2, 12):
                a_source(there, "/v1/ledgers/l", f"Source {n}")
                assert next(its)["id"] == n
