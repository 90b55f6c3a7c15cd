"""`stet serve`: what it refuses, how it stops, two of them on one database, and what its log says and does not say."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import Server, serve, wait_until
from tests.http.asking import a_source, a_statement, an_incident, killed, made, read


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`stet serve`, expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "stet", "serve", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_only_this_machine_may_reach_it(host: str, tmp_path: Path) -> None:
    """Without keys any other address is refused before anything is started, and the message says what to do."""
    ended = run("--open", "--host", host, "--port", "0", STET_DATA=str(tmp_path / "data"))
    assert ended.returncode == 2
    assert host in ended.stderr
    assert "--open" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_a_taken_port(url: str) -> None:
    """Exit 3 and one line that names the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--port", str(port), STET_DATABASE_URL=url)
    assert (ended.returncode, ended.stdout) == (3, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"stet: cannot listen on 127.0.0.1 port {port}: Address already in use")


@pytest.mark.parametrize("name", ["STET_POOL_SIZE", "STET_BODY_LIMIT", "STET_STATEMENT_TIMEOUT_MS", "STET_RATE_LIMIT"])
@pytest.mark.parametrize("value", ["x", "0"])
def test_a_setting_that_cannot_be_used(name: str, value: str, tmp_path: Path) -> None:
    """Exit 2, the variable by its name, and nothing is started."""
    ended = run("--port", "0", **{name: value, "STET_DATA": str(tmp_path / "data")})
    assert ended.returncode == 2
    assert name in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "form", ["postgresql://someone:{}@127.0.0.1:1/none", "host=127.0.0.1 port=1 user=someone password={} dbname=none"]
)
def test_no_database(form: str) -> None:
    """Exit 3 and one line, without the password."""
    ended = run("--port", "0", STET_DATABASE_URL=form.format("planted-password"))
    assert (ended.returncode, ended.stdout) == (3, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("stet: ")
    assert "planted-password" not in line


def test_sigterm(url: str, tmp_path: Path) -> None:
    """It ends with 0 and says nothing alarming, though clients keep their connections open."""
    with serve(url, tmp_path) as server, httpx.Client(base_url=server.url) as client:
        made(client.post("/v1/ledgers", json={"name": "l", "title": "L"}))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        assert "Traceback" not in server.log.read_text()


def test_sigterm_stops_the_embedded_postgresql(tmp_path: Path) -> None:
    """With a data folder of its own it leaves no PostgreSQL behind."""
    with serve("", tmp_path, STET_DATA=str(tmp_path / "data")) as server:
        assert httpx.get(f"{server.url}/readyz", timeout=30).status_code == 200
        assert list((tmp_path / "data").rglob("postmaster.pid"))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert not list((tmp_path / "data").rglob("postmaster.pid"))


def test_sigterm_lets_what_was_asked_be_done(url: str, tmp_path: Path) -> None:
    """Writes that are on their way when it stops are answered, or were never made: the log says the same."""
    answered: list[int] = []

    def write(address: str, client: httpx.Client, started: threading.Event) -> None:
        for n in range(10_000):
            try:
                answer = client.post(f"{address}/v1/ledgers/l/sources", json={"name": str(n), "kind": "person"})
            except httpx.TransportError:
                return
            if answer.status_code != 201:
                return
            answered.append(n)
            started.set()

    with serve(url, tmp_path) as server, httpx.Client(timeout=30) as client:
        made(client.post(f"{server.url}/v1/ledgers", json={"name": "l", "title": "L"}))
        started = threading.Event()
        writer = threading.Thread(target=write, args=(server.url, client, started))
        writer.start()
        assert started.wait(10)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0
        writer.join(10)
    with serve(url, tmp_path) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        names = [source["name"] for source in read(client.get("/v1/ledgers/l/sources?limit=1000"))["items"]]
        assert names[: len(answered)] == [str(n) for n in answered[:1000]]
        assert len(names) <= len(answered) + 1


def test_two_processes_write_one_ledger(url: str, tmp_path: Path) -> None:
    """Nothing is lost, positions are dense, each write is seen through the other, and races have one winner."""
    with serve(url, tmp_path) as one, serve(url, tmp_path) as two:
        servers = [one, two]
        with httpx.Client(base_url=one.url, timeout=30) as client:
            made(client.post("/v1/ledgers", json={"name": "l", "title": "L"}))
            path = an_incident(client, "/v1/ledgers/l")
            speaker = a_source(client, "/v1/ledgers/l")
        written: list[str] = []
        won: list[int] = []

        def work(number: int) -> None:
            with httpx.Client(base_url=servers[number % 2].url, timeout=30) as client:
                for n in range(8):
                    body = a_statement(speaker, claims=[killed(n)])
                    answer = client.post(f"{path}/statements", json=body)
                    written.append(made(answer)["statement_id"])
                    other = servers[(number + 1) % 2].url
                    assert httpx.get(f"{other}{answer.headers['location']}", timeout=30).status_code == 200
                title = {"type": "incident-amended", "title": f"By {number}", "reason": "race"}
                barrier.wait(30)
                answer = client.post(f"{path}/revisions", json=title, headers={"If-Match": '"33"'})
                won.append(answer.status_code)

        barrier = threading.Barrier(4)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won) == [201, 412, 412, 412]
        with httpx.Client(base_url=two.url, timeout=30) as client:
            view = read(client.get(path))
            assert {s["statement_id"] for s in view["statements"]} == set(written)
            events = read(client.get(f"{path}/events?limit=1000"))["items"]
        assert [event["stream_version"] for event in events] == list(range(1, 35))
        assert [event["position"] for event in events] == [2, *range(4, 37)]


def test_racing_creations_of_one_ledger_have_one_winner(url: str, tmp_path: Path) -> None:
    """Through two processes: one is 201, the others are 409; with one key, all are the first's answer."""
    with serve(url, tmp_path) as one, serve(url, tmp_path) as two:
        answers: list[httpx.Response] = []
        barrier = threading.Barrier(6)

        def create(number: int, name: str, headers: dict[str, str]) -> None:
            address = (one, two)[number % 2].url
            barrier.wait(30)
            body = {"name": name, "title": "T"}
            answers.append(httpx.post(f"{address}/v1/ledgers", json=body, headers=headers, timeout=30))

        def race(name: str, headers: dict[str, str]) -> list[httpx.Response]:
            answers.clear()
            threads = [threading.Thread(target=create, args=(n, name, headers)) for n in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return list(answers)

        assert sorted(answer.status_code for answer in race("plain", {})) == [201, *[409] * 5]
        keyed = race("keyed", {"Idempotency-Key": "k"})
        assert {(answer.status_code, answer.content) for answer in keyed} == {(201, keyed[0].content)}


def test_the_log_has_a_line_for_each_request_and_no_secrets(url: str, tmp_path: Path) -> None:
    """One JSON object for each, without queries, bodies, headers or the database's password."""
    secret = "planted-secret"
    with_password = make_conninfo(url, password=secret)
    with serve(with_password, tmp_path) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        made(client.post("/v1/ledgers", json={"name": "l", "title": secret}, headers={"Idempotency-Key": secret}))
        asked = [
            client.get("/healthz", headers={"X-Request-Id": secret}),
            client.head("/v1/ledgers/l", params={"as_of": secret}),
            client.get("/v1/ledgers", params={secret: secret, "cursor": secret}),
            client.post("/v1/ledgers/l/sources", json={"name": secret, "kind": secret}),
            client.post("/v1/ledgers/l/sources", content=secret, headers={"Authorization": secret}),
            client.put("/v1/ledgers/l"),
        ]
        assert client.get("/v1/ledgers/none%0A%7B%7D").status_code in (400, 404)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        text = server.log.read_text()
        assert secret not in text
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        requests = [line for line in lines if "method" in line]
        assert [list(line) for line in requests] == [["method", "path", "status", "ms", "request_id"]] * 8
        assert [list(line) for line in lines if line not in requests] == [["events", "rows"]]
        assert [(line["method"], line["path"], line["status"]) for line in requests[1:-1]] == [
            ("GET", "/healthz", 200),
            ("HEAD", "/v1/ledgers/l", 400),
            ("GET", "/v1/ledgers", 400),
            ("POST", "/v1/ledgers/l/sources", 400),
            ("POST", "/v1/ledgers/l/sources", 415),
            ("PUT", "/v1/ledgers/l", 405),
        ]
        assert [line["request_id"] for line in requests[1:-1]] == [answer.headers["x-request-id"] for answer in asked]
        assert all(UUID(line["request_id"]) and line["ms"] >= 0 for line in requests)


def test_every_answer_has_the_security_headers(client: httpx.Client) -> None:
    """Whatever it is: no sniffing, no referrer, no framing, no scripts from elsewhere."""
    for path in ("/healthz", "/docs", "/openapi.json", "/nowhere", "/v1/ledgers"):
        answer = client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert not re.search(r"uvicorn|litestar|python", str(answer.headers).lower())


def test_many_requests_on_one_connection_do_not_wait_for_each_other_s_acknowledgement(server: Server) -> None:
    """The fastest of twenty takes far less than the 40 ms of a delayed acknowledgement."""
    taken: list[float] = []
    with httpx.Client(base_url=server.url) as client:
        for _ in range(60):
            began = time.perf_counter()
            client.get("/healthz")
            taken.append(time.perf_counter() - began)
    assert min(taken[-20:]) < 0.03


def test_a_client_that_goes_away_disturbs_nobody(server: Server, client: httpx.Client) -> None:
    """Half a request, or a request nobody waits for, leaves no traceback and no stuck connection."""
    host, port = urlsplit(server.url).hostname, urlsplit(server.url).port
    before = server.log.read_text().count("Traceback")
    for request in (
        b"GET /v1/led",
        b"POST /v1/ledgers HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"GET /v1/ledgers HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ):
        with socket.create_connection((host, port), timeout=10) as connection:
            connection.sendall(request)
    wait_until(lambda: client.get("/readyz").status_code == 200, "the service to be ready")
    assert server.log.read_text().count("Traceback") == before, server.log.read_text()
