"""Each command of `stet`, as a user runs it: its output, its exit code, its words when it cannot."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import httpx
import psycopg
import pytest
from tests.conftest import Cluster, serve

from stet.cli.main import main
from stet.reference import later, mi24
from stet.reference.checks import CHECKS
from stet.reference.load import Loaded, load_reference


def stet(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "stet", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def loaded(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Loaded, dict]:
    """A database with the reference incident, what was loaded, and its view over HTTP at the head's position."""
    url = cluster.migrated()
    with serve(url, tmp_path_factory.mktemp("cli")) as server:
        loaded = load_reference(server.url, "mi24", lambda line: None)
        head = loaded.positions[later.STEPS[-1][0]]
        path = f"{server.url}/v1/ledgers/mi24/incidents/{loaded.ids['I1']}?as_of=position:{head}"
        view = httpx.get(path).json()
        again = load_reference(server.url, "mi24", lambda line: None)
        assert again == loaded, "loading the reference again adds nothing"
    return url, loaded, view


def test_demo_marks_every_line_as_good(cluster: Cluster) -> None:
    """`stet demo` records the incident through HTTP, prints its views and every check holds."""
    done = stet("demo", STET_DATABASE_URL=cluster.migrated())
    assert done.returncode == 0, done.stderr
    assert "✗" not in done.stdout
    # The rebuild, two readers, what is told, a webhook; a similar one, a merge, its reversal; a redaction, and proofs.
    assert done.stdout.count("✓") == len(CHECKS) + 13
    for title in (
        "What the claims come to, after the desk's acts",
        "What the claims come to, at the head",
        "Why responsible is admitted",
        "Who claims what",
        "What was said from 31 December 2020 to 5 January 2021 changed",
        "The rebuild of incident_history: done, 43 events",
        f"{len(CHECKS) + 13} of {len(CHECKS) + 13} hold",
    ):
        assert title in done.stdout
    for kept, rebuilt in re.findall(r"kept by the appends +(\w{64})\n +rebuilt from the log +(\w{64})", done.stdout):
        assert kept == rebuilt


def test_demo_exits_1_when_a_check_fails(cluster: Cluster, tmp_path: Path) -> None:
    """A view that does not say what it must is marked and fails the command."""
    url = cluster.migrated()
    with serve(url, tmp_path) as server:
        loaded = load_reference(server.url, "spoilt", lambda line: None)
        path = f"{server.url}/v1/ledgers/spoilt/incidents/{loaded.ids['I1']}/revisions"
        body = {
            "type": "statement-corrected",
            "statement_id": loaded.ids["s12"],
            "error": "time",
            "set": {"said_at": "2020-11-10"},
            "reason": "spoilt on purpose",
        }
        assert httpx.post(path, json=body).status_code == 201
        done = stet("demo", "--url", server.url, "--ledger", "spoilt")
    assert done.returncode == 1
    assert "✗" in done.stdout


def test_demo_names_a_service_that_does_not_answer() -> None:
    """A wrong --url is one clear line and exit code 3."""
    done = stet("demo", "--url", "http://127.0.0.1:9")
    assert done.returncode == 3
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_replay_gives_the_view_of_the_api(loaded: tuple[str, Loaded, dict]) -> None:
    """Folding the log anew gives, byte for byte, what the API answers at the same position."""
    url, reference, view = loaded
    done = stet(
        "replay", "--ledger", "mi24", "--incident", reference.ids["I1"], "--as-of", view["cut"]["as_of"],
        STET_DATABASE_URL=url,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == view


def test_replay_is_a_function(loaded: tuple[str, Loaded, dict]) -> None:
    """The same log and cut give the same lines and digest; another cut gives another digest."""
    url, reference, _ = loaded
    runs = [stet("replay", "--ledger", "mi24", STET_DATABASE_URL=url) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.splitlines()) == len(mi24.INCIDENTS)
    digests = [run.stderr.splitlines()[-1] for run in runs]
    assert digests[0] == digests[1]
    earlier = stet(
        "replay", "--ledger", "mi24", "--as-of", f"position:{reference.positions['s1']}", STET_DATABASE_URL=url
    )
    assert earlier.stderr.splitlines()[-1] != digests[0]


def test_replay_shows_the_events_before_the_view(loaded: tuple[str, Loaded, dict]) -> None:
    """With --events each event of the incident is a line, in the order of its stream."""
    url, reference, view = loaded
    done = stet("replay", "--ledger", "mi24", "--incident", reference.ids["I1"], "--events", STET_DATABASE_URL=url)
    *events, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["stream_version"] for event in events] == list(range(1, view["version"] + 1))
    assert last["incident_id"] == reference.ids["I1"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--ledger", "nobody"), 2, "there is no ledger nobody"),
        (("--ledger", "mi24", "--incident", "x"), 2, "--incident: must be an id"),
        (("--ledger", "mi24", "--incident", "00000000-0000-0000-0000-000000000000"), 2, "there is no incident"),
        (("--ledger", "mi24", "--as-of", "yesterday"), 2, "--as-of: must be"),
        (("--ledger", "mi24", "--as-of", "position:100000"), 2, "has not reached position 100000"),
    ],
)
def test_replay_says_what_it_cannot_do(
    loaded: tuple[str, Loaded, dict], arguments: tuple[str, ...], code: int, words: str
) -> None:
    """A wrong argument is one clear line."""
    done = stet("replay", *arguments, STET_DATABASE_URL=loaded[0])
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_verify_finds_a_sound_log_sound(loaded: tuple[str, Loaded, dict]) -> None:
    """`stet verify` prints each ledger with its number of events and exits 0."""
    done = stet("verify", STET_DATABASE_URL=loaded[0])
    assert done.returncode == 0, done.stderr
    head = loaded[1].positions[later.STEPS[-1][0]]
    assert done.stdout.strip() == f"mi24: {head} events, sound"


def test_verify_names_the_rows_that_differ_and_exits_1(cluster: Cluster, tmp_path: Path) -> None:
    """A row of a history that is not what the log gives is printed, with what it should be."""
    url = cluster.migrated()
    with serve(url, tmp_path) as server:
        load_reference(server.url, "mi24", lambda line: None)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE stet.incident_history SET title = 'Planted' WHERE to_position = 9223372036854775807")
    done = stet("verify", "--ledger", "mi24", STET_DATABASE_URL=url)
    assert done.returncode == 1
    assert "mi24: incident_history lacks {" in done.stdout
    assert "mi24: incident_history has, beyond the log, {" in done.stdout
    assert '"title":"Planted"' in done.stdout


def test_verify_names_the_first_fault_and_exits_1(cluster: Cluster, tmp_path: Path) -> None:
    """A changed byte is found and its position named."""
    url = cluster.migrated()
    with serve(url, tmp_path) as server:
        load_reference(server.url, "mi24", lambda line: None)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE stet.event DISABLE TRIGGER ALL")
        connection.execute("UPDATE stet.event SET actor = 'nobody' WHERE position = 17")
    done = stet("verify", "--ledger", "mi24", STET_DATABASE_URL=url)
    assert done.returncode == 1
    assert "position 17" in done.stdout
    assert stet("verify", "--ledger", "nobody", STET_DATABASE_URL=url).returncode == 2


def test_migrate_prints_sql_or_migrates(empty_url: str) -> None:
    """`migrate --sql` touches nothing; `migrate` brings an empty database to head, and does nothing at head."""
    sql = stet("migrate", "--sql", STET_DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert sql.returncode == 0
    assert "CREATE FUNCTION stet.append" in sql.stdout
    first, second = (stet("migrate", STET_DATABASE_URL=empty_url) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert "migrating the database from empty" in first.stderr
    assert "migrating" not in second.stderr


def test_openapi_check_tells_fresh_from_stale(tmp_path: Path) -> None:
    """`openapi --check` exits 1 for a file that differs from what the routes give."""
    path = tmp_path / "sub" / "openapi.json"
    assert stet("openapi", "--output", str(path)).returncode == 0
    assert stet("openapi", "--check", "--output", str(path)).returncode == 0
    path.write_text(path.read_text().replace("Get an incident", "Fetch an incident"))
    done = stet("openapi", "--check", "--output", str(path))
    assert done.returncode == 1
    assert "stale" in done.stderr


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_help(command: str) -> None:
    """`stet COMMAND --help` says what the command does and explains every option."""
    done = stet(command, "--help")
    assert done.returncode == 0
    for parameter in main.commands[command].params:
        if not isinstance(parameter, click.Option):
            continue
        assert parameter.opts[0] in done.stdout
        assert parameter.help, f"{command} {parameter.opts[0]} has no help text"
    assert main.commands[command].help
