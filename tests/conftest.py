"""What every test may ask for: servers of PostgreSQL, migrated databases, a running service.

`cluster` is each real PostgreSQL that this machine has: the embedded one always, and the one on 127.0.0.1:5432 where
it answers. A test that asks for a database runs once on each.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from psycopg import sql
from psycopg.conninfo import make_conninfo

from stet.database.embedded import embedded
from stet.database.migrate import migrate
from stet.database.pool import Pool, make_pool
from stet.settings import Settings

settings.register_profile(
    "stet", derandomize=True, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck)
)
settings.register_profile("noshrink", settings.get_profile("stet"), phases=[Phase.explicit, Phase.generate])
settings.load_profile(os.environ.get("STET_TEST_PROFILE", "stet"))

PEPPER = "the-pepper-of-every-service-in-these-tests"
SIGNING_KEY = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
"""What every service in these tests signs with: that of the first example of RFC 8032."""
OWNER = "the-key-of-the-owner-in-these-tests"
"""As STET_OWNER_KEY."""
LOCAL = "postgresql://postgres@127.0.0.1:5432/postgres"
TOGETHER = 16
"""How many databases are dropped at once."""
_names = itertools.count(1)


def _local_answers() -> bool:
    try:
        with psycopg.connect(LOCAL, connect_timeout=3) as connection:
            return connection.info.server_version >= 150000
    except psycopg.Error:
        return False


CLUSTERS = ["embedded", "local"] if _local_answers() else ["embedded"]


class Cluster:
    """A PostgreSQL server and how to make databases on it."""

    def __init__(self, name: str, admin_url: str) -> None:
        self.name = name
        self.admin_url = admin_url
        self._made: list[str] = []
        self._left: list[str] = []
        self._kept: list[str] = []
        self._droppers = ThreadPoolExecutor(TOGETHER)
        self._dropped: list[Future[None]] = []

    @property
    def made(self) -> int:
        return len(self._made)

    def url(self, database: str) -> str:
        return make_conninfo(self.admin_url, dbname=database)

    def create(self, template: str = "template0") -> str:
        """A database of the test file's own; its URL."""
        name = f"stet_test_{os.getpid()}_{next(_names)}"
        statement = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(statement)
        self._made.append(name)
        return self.url(name)

    def migrated(self) -> str:
        """A migrated, empty database of the test file's own; its URL."""
        return self.create(self._template)

    @cached_property
    def _template(self) -> str:
        migrate(self.create())
        return self._keep()

    @cached_property
    def shared_url(self) -> str:
        """The URL of a migrated database for all test files."""
        self.migrated()
        return self.url(self._keep())

    def _keep(self) -> str:
        self._kept.append(self._made.pop())
        return self._kept[-1]

    def leave(self, made_before: int) -> None:
        """What was made since there were so many is used no more."""
        self._left += self._made[made_before:]
        del self._made[made_before:]
        if len(self._left) >= TOGETHER:
            self._drop(self._left)

    def drop_made(self) -> None:
        """Drops what no other test file uses."""
        self.leave(0)
        self._drop(self._left)

    def drop_all(self) -> None:
        self.drop_made()
        self._drop(self._kept)
        with self._droppers:
            for dropped in self._dropped:
                dropped.result()

    def _drop(self, names: list[str]) -> None:
        """At once, in the background: each DROP DATABASE waits for a checkpoint, but many can wait for the same one.

        That has nothing of theirs to sync, for they say first that it need not be. Each other database it must sync.
        """
        self._dropped += [self._droppers.submit(self._drop_one, name) for name in names]
        names.clear()

    def _drop_one(self, name: str) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


class Shared:
    """The clusters and their services that all tests of this process share, each from when it is first asked for.

    They outlive the fixtures that give them: pytest ends a fixture of the session where its parameter changes, which
    is twice in each file where files are handed out to processes.
    """

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.clusters: dict[str, Cluster] = {}
        self._servers: dict[str, Server] = {}
        self._folder = folder
        self._stack = stack

    def cluster(self, name: str) -> Cluster:
        if name not in self.clusters:
            local = name == "local"
            url = LOCAL if local else self._stack.enter_context(embedded(self._folder / "cluster", durable=False))
            self.clusters[name] = Cluster(name, url)
            self._stack.callback(self.clusters[name].drop_all)
        return self.clusters[name]

    def server(self, cluster: Cluster) -> Server:
        if cluster.name not in self._servers:
            self._servers[cluster.name] = self._stack.enter_context(serve(cluster.shared_url, self._folder))
        return self._servers[cluster.name]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """What tests share until the last of them."""
    with contextlib.ExitStack() as stack:
        yield Shared(tmp_path_factory.mktemp("shared"), stack)


@pytest.fixture(scope="session", params=CLUSTERS)
def cluster(request: pytest.FixtureRequest, shared: Shared) -> Cluster:
    """A running PostgreSQL."""
    return shared.cluster(request.param)


@pytest.fixture(scope="module", autouse=True)
def _drop_databases(shared: Shared) -> Iterator[None]:
    yield
    for cluster in shared.clusters.values():
        cluster.drop_made()


@pytest.fixture(autouse=True)
def _leave_databases(shared: Shared) -> Iterator[None]:
    """Of a file of tests only what its fixtures made stands until its end. Databases make every checkpoint longer."""
    before = {name: cluster.made for name, cluster in shared.clusters.items()}
    yield
    for name, cluster in shared.clusters.items():
        cluster.leave(before.get(name, 0))


@pytest.fixture
def empty_url(cluster: Cluster) -> str:
    """A database with nothing in it."""
    return cluster.create()


@pytest.fixture
def url(cluster: Cluster) -> str:
    """A migrated database with no ledger in it. Connects as the superuser."""
    return cluster.migrated()


@pytest.fixture
async def pool(url: str) -> AsyncIterator[Pool]:
    """Connections with the application's role."""
    pool = make_pool(url, Settings(pool_size=8))
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()


class Server:
    """`stet serve` in a process of its own."""

    def __init__(self, url: str, process: subprocess.Popen[str], log: Path) -> None:
        self.url = url
        self.process = process
        self.log = log


@contextlib.contextmanager
def serve(database_url: str, folder: Path, *options: str, keyless: bool = True, **environment: str) -> Iterator[Server]:
    """Starts `stet serve` on a free port and waits until it says that it is ready. `keyless`: it asks for no key."""
    log = folder / f"serve-{next(_names)}.log"
    command = [sys.executable, "-m", "stet", "serve", "--port", "0", *(["--open"] if keyless else []), *options]
    env = {**os.environ, "STET_DATABASE_URL": database_url, "STET_PEPPER": PEPPER, "STET_SIGNING_KEY": SIGNING_KEY}
    env |= environment
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=output, text=True, env=env, stdin=subprocess.DEVNULL
        )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("Stet is ready at "), f"{line}\n{log.read_text()[-4000:]}"
        yield Server(line.split()[4].rstrip("/"), process, log)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="session")
def server(cluster: Cluster, shared: Shared) -> Server:
    """A running service on a migrated database. Tests share it: each makes a ledger of its own."""
    return shared.server(cluster)


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """An HTTP client of the running service."""
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture
def ledger(client: httpx.Client) -> str:
    """The path of a ledger of this test's own, `/v1/ledgers/NAME`."""
    name = f"test-{os.getpid()}-{next(_names)}"
    answer = client.post("/v1/ledgers", json={"name": name, "title": "A test"})
    assert answer.status_code == 201, answer.text
    return f"/v1/ledgers/{name}"


def bearing(server: Server, key: str) -> httpx.Client:
    """A client that shows a key."""
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    """Polls until the condition holds; fails by name when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for: {what}"
        time.sleep(0.02)
