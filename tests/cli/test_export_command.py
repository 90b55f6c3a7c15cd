"""`stet export`: the file of the service, whole or not at all, from the database itself or from a service."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from tests.cli import test_commands as processes
from tests.conftest import Cluster, Server, serve
from tests.http.asking import a_source, a_statement, an_incident, made

from stet.cli import main

# The database makes no difference to what is tested here: one of them is enough.
pytestmark = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")


def stet(*arguments: str, database: str = "postgresql://nobody@127.0.0.1:9/none") -> Result:
    """Runs the command to its end, in this process: each of its own takes a second or two to begin."""
    return CliRunner().invoke(main, arguments, env={"STET_DATABASE_URL": database}, catch_exceptions=False)


@pytest.fixture(scope="module")
def running(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Server]]:
    """A service with a ledger of two incidents, and its database."""
    url = cluster.migrated()
    with (
        serve(url, tmp_path_factory.mktemp("exporting")) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        made(client.post("/v1/ledgers", json={"name": "goods", "title": "Goods"}))
        source = a_source(client, "/v1/ledgers/goods")
        for kind in ("shootdown", "flood"):
            an_incident(client, "/v1/ledgers/goods", kind=kind, statements=[a_statement(source)])
        yield url, server


@pytest.mark.parametrize("form", ["csv", "parquet", "atom"])
def test_both_ways_give_what_the_service_gives(running: tuple[str, Server], tmp_path: Path, form: str) -> None:
    url, server = running
    query = {"limit": 1000} if form == "atom" else {"kind": "flood", "as_of": "position:4", "sort": "-title"}
    expected = httpx.get(f"{server.url}/v1/ledgers/goods/exports/{form}", params=query).content
    options = [] if form == "atom" else ["--as-of", "position:4"]
    options += [f"--filter={name}={value}" for name, value in query.items() if name != "as_of"]
    for way in ("here", "there"):
        output = tmp_path / f"{way}.{form}"
        output.write_text("what was there before")
        more = ("--url", server.url) if way == "there" else ()
        database = {"database": url} if way == "here" else {}
        done = stet("export", form, "--ledger", "goods", "--output", str(output), *options, *more, **database)
        assert done.exit_code == 0, done.output
        assert output.read_bytes() == expected
        assert f"{len(expected):,} bytes" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {f"here.{form}", f"there.{form}"}


def test_it_is_a_command(running: tuple[str, Server]) -> None:
    """In a process of its own: the file on stdout, all else on stderr."""
    url, server = running
    done = processes.stet("export", "claims", "--ledger", "goods", STET_DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (
        0,
        httpx.get(f"{server.url}/v1/ledgers/goods/exports/claims").text.replace("\r\n", "\n"),
    )


def test_losses_are_beside_the_file(running: tuple[str, Server], tmp_path: Path) -> None:
    _, server = running
    output = tmp_path / "table.csv"
    options = ("--ledger", "goods", "--url", server.url)
    assert stet("export", "ucdp", *options, "--output", str(output)).exit_code == 0
    path = f"{server.url}/v1/ledgers/goods/exports/ucdp"
    assert output.read_bytes() == httpx.get(path).content
    assert (tmp_path / "table.losses.csv").read_bytes() == httpx.get(f"{path}-losses").content
    shown = stet("export", "acled", *options)
    assert shown.stdout.startswith("event_id_cnty,")
    assert "acled-losses" in shown.stderr


def test_what_cannot_be_asked(running: tuple[str, Server], tmp_path: Path) -> None:
    """Exit codes and words, and no file."""
    url, server = running
    output = tmp_path / "none.csv"
    common = ("--url", server.url, "--output", str(output))
    for code, word, options in (
        (2, "no ledger nobody", ("csv", "--ledger", "nobody", *common)),
        (2, "query.colour", ("csv", "--ledger", "goods", "--filter", "colour=red", *common)),
        (2, "NAME=VALUE", ("csv", "--ledger", "goods", "--filter", "colour", *common)),
        (2, "twice", ("csv", "--ledger", "goods", "--filter", "kind=a", "--filter", "kind=b", *common)),
        (2, "as_of", ("csv", "--ledger", "goods", "--as-of", "yesterday", "--output", str(output))),
        (3, "cannot be written", ("csv", "--ledger", "goods", "--url", server.url, "--output", f"{output}/x/y.csv")),
        (3, "broke off", ("csv", "--ledger", "goods", "--url", "http://127.0.0.1:9", "--output", str(output))),
    ):
        done = stet("export", *options, database=url)
        assert (done.exit_code, word in done.stderr) == (code, True), (options, done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_breaks_off_leaves_what_was_there(running: tuple[str, Server], tmp_path: Path) -> None:
    """A service that dies in the middle of its answer."""

    class Breaking(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhalf,\r\n")
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing to say."""

    broken = http.server.HTTPServer(("127.0.0.1", 0), Breaking)
    threading.Thread(target=broken.serve_forever, daemon=True).start()
    output = tmp_path / "table.csv"
    output.write_text("whole")
    try:
        url = f"http://127.0.0.1:{broken.server_port}"
        done = stet("export", "csv", "--ledger", "goods", "--url", url, "--output", str(output))
    finally:
        broken.shutdown()
        broken.server_close()
    assert (done.exit_code, "broke off" in done.stderr) == (3, True), done.stderr
    assert [path.read_text() for path in tmp_path.iterdir()] == ["whole"]


def test_parquet_without_pyarrow_names_the_extra(running: tuple[str, Server], tmp_path: Path) -> None:
    """As the answer of a service, and as the words of the command."""
    (tmp_path / "pyarrow.py").write_text("raise ImportError('there is none')\n")
    with serve(running[0], tmp_path, PYTHONPATH=str(tmp_path)) as server:
        answer = httpx.get(f"{server.url}/v1/ledgers/goods/exports/parquet")
        assert (answer.status_code, answer.json()["type"]) == (406, "urn:stet:problem:not-acceptable")
        assert httpx.get(f"{server.url}/v1/ledgers/goods/exports/csv").status_code == 200
        done = stet("export", "parquet", "--ledger", "goods", "--url", server.url, "--output", str(tmp_path / "x"))
    assert (done.exit_code, "stet[parquet]" in done.stderr) == (3, True), done.stderr
