"""`stet keys`, and `--key` of the commands that ask a running service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import psycopg
import pytest
from tests.cli.test_commands import stet
from tests.conftest import OWNER, PEPPER, Cluster, Server, bearing, serve
from tests.http.asking import a_source, read
from tests.http.keyed import a_ledger

from stet.keys.text import key_id_of, new_key, new_key_id


class Place(NamedTuple):
    database: str
    server: Server
    owner: httpx.Client

    def keys(self, *arguments: str) -> tuple[int, str, str]:
        """`stet keys`: its exit code, what it printed, what it said."""
        done = stet("keys", *arguments, STET_DATABASE_URL=self.database, STET_PEPPER=PEPPER)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout.strip(), done.stderr


@pytest.fixture(scope="module")
def place(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    url = cluster.migrated()
    with (
        serve(url, tmp_path_factory.mktemp("keys"), keyless=False, STET_OWNER_KEY=OWNER) as server,
        bearing(server, OWNER) as owner,
    ):
        a_ledger(owner, "l")
        yield Place(url, server, owner)


def test_a_key_is_made_used_rotated_and_revoked(place: Place) -> None:
    """On the database itself, beside the service, which knows of it with the next request."""
    code, text, said = place.keys("create", "--name", "desk", "--scope", "editor", "--ledger", "l")
    assert code == 0
    key_id = key_id_of(text)
    assert key_id
    assert text not in said
    assert f"{key_id}  editor" in said
    with bearing(place.server, text) as client:
        a_source(client, "/v1/ledgers/l")
        assert read(client.get("/v1/keys"))["items"][0]["created_by"] == "local"
    code, rotated, _ = place.keys("rotate", key_id, "--overlap", "0")
    assert code == 0
    for key, status in ((text, 401), (rotated, 200)):
        with bearing(place.server, key) as client:
            assert client.get("/v1/ledgers/l").status_code == status
    code, printed, _ = place.keys("revoke", key_id)
    assert code == 0
    assert printed.endswith("revoked")
    with bearing(place.server, rotated) as client:
        assert client.get("/v1/ledgers/l").status_code == 401
    code, listed, _ = place.keys("list", "--json")
    items = [json.loads(line) for line in listed.splitlines()]
    assert [item["name"] for item in items if item["key_id"] == key_id] == ["desk"]
    assert text.split("_")[2] not in listed
    assert key_id in place.keys("list")[1]
    actions = [one["action"] for one in read(place.owner.get("/v1/audit"))["items"] if one["subject"] == key_id]
    assert actions == ["key-created", "member-set", "key-rotated", "key-revoked"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["create", "--name", "n", "--scope", "king"], 2, "--scope"),
        (["create", "--name", " ", "--scope", "reader"], 2, "--name"),
        (["create", "--name", "n", "--scope", "reader", "--ledger", "none"], 2, "there is no ledger none"),
        (["create", "--name", "n", "--scope", "owner", "--ledger", "l"], 2, "--ledger"),
        (["create", "--name", "n", "--scope", "reader", "--expires", "soon"], 2, "--expires"),
        (["create", "--name", "n", "--scope", "reader", "--expires", "2001-01-01"], 2, "expires_at"),
        (["rotate", "none"], 2, "there is no key none"),
        (["revoke", "none"], 2, "there is no key none"),
        (["rotate", "none", "--overlap", "-1"], 2, "--overlap"),
    ],
)
def test_what_cannot_be_done(arguments: list[str], code: int, said: str, place: Place) -> None:
    """An exit code, a line that says what, and no key."""
    count = "SELECT count(*) FROM stet.key"
    with psycopg.connect(place.database, autocommit=True) as connection:
        before = connection.execute(count).fetchone()
        found, printed, stderr = place.keys(*arguments)
        assert (found, printed) == (code, "")
        assert said in stderr
        assert connection.execute(count).fetchone() == before


def test_another_pepper_makes_no_key(place: Place) -> None:
    """It would be of no use to the service, and those of the service of none to it."""
    place.keys("create", "--name", "first", "--scope", "reader")
    arguments = ("keys", "create", "--name", "n", "--scope", "reader")
    done = stet(*arguments, STET_DATABASE_URL=place.database, STET_PEPPER="x" * 40)
    assert (done.returncode, done.stdout) == (3, "")
    assert "STET_PEPPER" in done.stderr


@pytest.mark.parametrize("way", ["--key", "STET_KEY"])
def test_a_command_shows_its_key(way: str, place: Place) -> None:
    """As an option or a variable; without, or with a bad one, it says what is wrong and does nothing."""
    commands = (
        ["projections"],
        ["tail", "--ledger", "l", "--no-follow"],
        ["export", "ndjson", "--ledger", "l"],
        ["retry", "source_record"],
    )
    for command in commands:
        asked = [*command, "--url", place.server.url]
        given = ([*asked, "--key", OWNER], {}) if way == "--key" else (asked, {"STET_KEY": OWNER})
        done = stet(*given[0], **given[1])
        assert done.returncode == 0, done.stderr
        for bad in ("", new_key(new_key_id()), "two words"):
            refused = stet(*asked, STET_KEY=bad)
            assert refused.returncode == 2, refused.stderr
            assert "Traceback" not in refused.stderr
            assert not bad or bad not in refused.stderr


def test_an_import_asks_with_its_key(place: Place, tmp_path: Path) -> None:
    """And one that starts a service of its own needs none, also beside keys."""
    file = tmp_path / "quakes.jsonl"
    sample = Path(__file__).parents[2] / "docs" / "examples" / "earthquakes.jsonl"
    file.write_text("".join(sample.read_text().splitlines(keepends=True)[:20]))
    arguments = ["import", "records", str(file), "--mapping", "usgs", "--rejects", str(tmp_path / "rejects")]
    done = stet(*arguments, "--ledger", "q", "--url", place.server.url, "--key", OWNER)
    assert done.returncode == 0, done.stderr
    itself = stet(*arguments, "--ledger", "r", STET_DATABASE_URL=place.database, STET_DATA=str(tmp_path))
    assert itself.returncode == 0, itself.stderr
    for ledger in ("q", "r"):
        items = read(place.owner.get(f"/v1/ledgers/{ledger}/changes"))["items"]
        assert {item["actor"] for item in items} == {"owner"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["quakes.jsonl"]
