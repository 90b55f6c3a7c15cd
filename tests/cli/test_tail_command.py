"""`stet tail`: every append once and in order, from the database itself or from a service, whatever happens to that."""

from __future__ import annotations

import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.cli.test_commands import stet
from tests.conftest import Cluster, Server, serve
from tests.http.asking import a_source, a_statement, an_incident, made
from tests.http.following import changes

# The database makes no difference to what is tested here: one of them is enough.
pytestmark = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")

_names = itertools.count(1)
WAYS = ("the database", "a service")


class Place:
    """A service, its database, and how to ask for one or the other."""

    def __init__(self, url: str, server: Server, name: str) -> None:
        self.url, self.server, self.name = url, server, name
        self.path = f"/v1/ledgers/{name}"
        self.client = httpx.Client(base_url=server.url, timeout=30)
        made(self.client.post("/v1/ledgers", json={"name": name, "title": "L"}))

    def options(self, way: str, *more: str) -> tuple[str, ...]:
        return ("tail", "--ledger", self.name, *(("--url", self.server.url) if way == "a service" else ()), *more)

    def environment(self, way: str) -> dict[str, str]:
        """The database only where it is to be asked."""
        return {"STET_DATABASE_URL": self.url if way == "the database" else "postgresql://nobody@127.0.0.1:9/none"}


@pytest.fixture(scope="module")
def running(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Server]]:
    url = cluster.migrated()
    with serve(url, tmp_path_factory.mktemp("tail")) as server:
        yield url, server


@pytest.fixture
def place(running: tuple[str, Server]) -> Iterator[Place]:
    """A ledger of the test's own, with something in it."""
    made_ = Place(*running, f"tail-{next(_names)}")
    with closing(made_.client):
        source = a_source(made_.client, made_.path)
        incident = an_incident(made_.client, made_.path)
        made(made_.client.post(f"{incident}/statements", json=a_statement(source)))
        yield made_


class Tail:
    """`stet tail` while it runs; its lines are waited for."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: queue.Queue[str] = queue.Queue()
        self.said: list[str] = []
        self.threads = [threading.Thread(target=self._read), threading.Thread(target=self._listen)]
        for thread in self.threads:
            thread.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line)

    def _listen(self) -> None:
        assert self.process.stderr
        self.said += list(self.process.stderr)

    def next(self) -> dict[str, Any]:
        """The next line, decoded."""
        found: dict[str, Any] = json.loads(self.lines.get(timeout=60))
        return found


@contextmanager
def tailing(*arguments: str, **environment: str) -> Iterator[Tail]:
    command, env = [sys.executable, "-m", "stet", *arguments], {**os.environ, **environment}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, env=env, **pipes) as process:
        tail = Tail(process)
        try:
            yield tail
        finally:
            process.kill()
            process.wait()
            for thread in tail.threads:
                thread.join()


@pytest.mark.parametrize("way", WAYS)
def test_what_there_is_is_printed(place: Place, way: str) -> None:
    """As JSON each append is what the API gives; from any position; then it ends."""
    for after in (0, 2, 4):
        done = stet(*place.options(way, "--after", str(after), "--no-follow", "--json"), **place.environment(way))
        assert (done.returncode, done.stderr) == (0, "")
        assert [json.loads(line) for line in done.stdout.splitlines()] == changes(place.client, place.path, after)


@pytest.mark.parametrize("way", WAYS)
def test_for_people_it_is_a_line_for_each_thing(place: Place, way: str) -> None:
    """Where, when, what, which attributes, and the incident's title."""
    done = stet(*place.options(way, "--after", "1", "--no-follow"), **place.environment(way))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["2", "3", "4"]
    assert "source-registered" in lines[0]
    assert lines[1].endswith("incident-opened Helicopter shot down")
    assert lines[2].endswith("statement-recorded (killed) Helicopter shot down")


@pytest.mark.parametrize("way", WAYS)
def test_without_a_position_it_begins_at_the_end(place: Place, way: str) -> None:
    """Then nothing is printed but what comes; and nothing at all with --no-follow."""
    done = stet(*place.options(way, "--no-follow"), **place.environment(way))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with tailing(*place.options(way, "--json"), **place.environment(way)) as tail:
        written = 0
        while tail.lines.empty() and written < 1_000:  # until it has begun
            a_source(place.client, place.path, f"Source {written}")
            written += 1
            tail.threads[0].join(0.1)
        a_source(place.client, place.path, "The last")
        positions = [tail.next()["position"]]
        while positions[-1] != 4 + written + 1:
            positions.append(tail.next()["position"])
        assert positions[0] > 4
        assert positions == list(range(positions[0], positions[-1] + 1))


@pytest.mark.parametrize("way", WAYS)
def test_it_follows_until_it_is_interrupted(place: Place, way: str) -> None:
    """Each append comes as it is made; Ctrl-C is the way out, and no failure."""
    with tailing(*place.options(way, "--after", "3", "--json"), **place.environment(way)) as tail:
        assert tail.next() == changes(place.client, place.path, 3)[0]
        for n in range(5, 10):
            a_source(place.client, place.path, f"Source {n}")
            assert tail.next()["position"] == n
        tail.process.send_signal(signal.SIGINT)
        assert tail.process.wait(20) == 0
        for thread in tail.threads:
            thread.join(10)
        assert tail.said == ["stopped\n"]
        assert tail.lines.empty()


def test_a_service_that_comes_back_is_followed_on(url: str, tmp_path: Path) -> None:
    """At the same address, with what was appended while it was away: nothing twice, nothing missing."""
    with ExitStack() as stack:
        with serve(url, tmp_path) as server:
            place, port = Place(url, server, "l"), str(urlsplit(server.url).port)
            options, environment = place.options("a service", "--after", "0", "--json"), place.environment("a service")
            tail = stack.enter_context(tailing(*options, **environment))
            with closing(place.client) as client:
                assert tail.next()["position"] == 1
                a_source(client, place.path, "Before")
                assert tail.next()["position"] == 2
        for n in (3, 5):
            with serve(url, tmp_path) as elsewhere, httpx.Client(base_url=elsewhere.url, timeout=30) as client:
                a_source(client, place.path, "While it was away")
            with (
                serve(url, tmp_path, "--port", port) as again,
                httpx.Client(base_url=again.url, timeout=30) as client,
            ):
                assert again.url == server.url
                assert tail.next()["position"] == n
                a_source(client, place.path, "When it was back")
                assert tail.next()["position"] == n + 1
                assert changes(client, place.path, 6 if n == 5 else 4) == []
        assert tail.lines.empty()
        assert tail.process.poll() is None


@pytest.mark.parametrize("way", WAYS)
def test_what_cannot_be_followed(place: Place, way: str) -> None:
    """A wrong ledger or position ends it with 2 and one line; a service that is not there with 3."""
    unknown = ("tail", "--ledger", "no-such-ledger", *place.options(way)[3:])
    beyond = place.options(way, "--after", "100")
    for arguments, words in ((unknown, "there is no ledger no-such-ledger"), (beyond, "has not reached position 100")):
        for more in ((), ("--no-follow",)):
            done = stet(*arguments, *more, **place.environment(way))
            assert (done.returncode, done.stdout) == (2, "")
            [line] = done.stderr.splitlines()
            assert line.startswith("stet: ")
            assert words in line
    if way == "a service":
        done = stet("tail", "--ledger", "l", "--url", "http://127.0.0.1:9")
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (3, "", 1)


@pytest.mark.parametrize("way", WAYS)
def test_who_has_read_enough_ends_it(place: Place, way: str) -> None:
    """A pipe that nobody reads any more is no failure: nothing is said of it."""
    command = [sys.executable, "-m", "stet", *place.options(way, "--after", "0")]
    env = {**os.environ, **place.environment(way)}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, env=env, **pipes) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("1 ")
        process.stdout.close()
        for n in range(3):
            a_source(place.client, place.path, f"Source {n}")
        assert "Traceback" not in process.stderr.read()
        assert process.wait(30) == 0
