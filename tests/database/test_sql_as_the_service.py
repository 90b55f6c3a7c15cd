"""What somebody can do, and cannot, who runs SQL with the roles of the service, as a superuser, or on a dump."""

from __future__ import annotations

import hmac
import io
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from tests.cli.test_commands import stet
from tests.conftest import OWNER, PEPPER, Cluster, Server, bearing, serve
from tests.http.asking import an_incident, made, problem, read
from tests.http.keyed import a_key, a_ledger, a_member
from tests.store.writing import an_append

from stet.database.cluster import find_home
from stet.database.pool import as_role, make_pool
from stet.keys.text import digest_of, new_key, new_key_id
from stet.settings import Settings
from stet.store.append import Log
from stet.store.export import export_log

SERVICE = ("stet_application", "stet_worker", "stet_reader")


class Place(NamedTuple):
    """A service, its database, and a ledger in it."""

    database: str
    server: Server
    owner: httpx.Client
    ledger: str
    ledger_id: UUID


@pytest.fixture(scope="module")
def place(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    url, folder = cluster.migrated(), tmp_path_factory.mktemp("sql")
    with (
        serve(url, folder, "--no-worker", keyless=False, STET_OWNER_KEY=OWNER) as server,
        bearing(server, OWNER) as owner,
    ):
        ledger = a_ledger(owner, "l")
        yield Place(url, server, owner, ledger, UUID(read(owner.get(ledger))["ledger_id"]))


@contextmanager
def session(place: Place, role: str) -> Iterator[psycopg.Connection]:
    """A session of a role that has said which ledger it is about; what it did is kept."""
    with psycopg.connect(place.database) as connection:
        as_role(connection, role)
        connection.execute("SELECT set_config('stet.ledger_id', %s, false)", (str(place.ledger_id),))
        yield connection


# ---- as the service ----


async def test_the_application_appends_events_of_any_actor_dated_and_numbered_by_the_database(place: Place) -> None:
    head, before = read(place.owner.get(f"{place.ledger}/changes"))["head"], datetime.now(UTC)
    async with make_pool(place.database, Settings(pool_size=2)) as pool:
        appended = await Log(pool).append(place.ledger_id, an_append({"source:1": 0}, "source:1", actor="an editor"))
    assert appended.outcome == "appended"
    with session(place, "stet_application") as connection:
        last = "SELECT position, actor, recorded_at FROM stet.event ORDER BY position DESC LIMIT 1"
        row = connection.execute(last).fetchone()
    assert row
    assert row[:2] == (head + 1, "an editor")
    assert timedelta(0) <= row[2] - before < timedelta(minutes=1)


def test_the_application_writes_entries_of_the_audit_in_any_name(place: Place) -> None:
    with session(place, "stet_application") as connection:
        last = connection.execute("SELECT coalesce(max(position), 0) FROM stet.audit").fetchone()
        connection.execute("SELECT stet.add_audit('an admin', %s, 'member-set', 'k', '{}')", (place.ledger_id,))
    entry = read(place.owner.get(f"{place.ledger}/audit"))["items"][-1]
    assert (entry["actor"], entry["subject"]) == ("an admin", "k")
    assert last
    assert entry["position"] > last[0]


def test_the_application_makes_and_ends_members_and_keys_without_the_audit(place: Place) -> None:
    """It says who is a member, ends keys, and reads what signs cursors; nothing tells of it."""
    key, other = a_key(place.owner, "editor"), a_key(place.owner, "editor")
    count = "SELECT count(*) FROM stet.audit"
    with session(place, "stet_application") as connection:
        before = connection.execute(count).fetchone()
        member = (place.ledger_id, key["key_id"])
        connection.execute("INSERT INTO stet.member VALUES (%s, %s, 'editor')", member)
        connection.execute("UPDATE stet.key SET revoked_at = now() WHERE key_id = %s", (other["key_id"],))
        [(secret,)] = connection.execute("SELECT cursor_secret FROM stet.instance").fetchall()
        assert len(secret) >= 16
        assert connection.execute(count).fetchone() == before
    with bearing(place.server, key["key"]) as member_, bearing(place.server, other["key"]) as ended:
        made(member_.post(f"{place.ledger}/sources", json={"name": "x", "kind": "person"}))
        problem(ended.get("/v1/keys"), "unauthenticated", 401)


def test_no_key_is_made_by_sql_alone(place: Place) -> None:
    """Whatever its digest is made with: the pepper is what lacks."""
    with session(place, "stet_application") as connection:
        [(check, cursors)] = connection.execute("SELECT pepper_check, cursor_secret FROM stet.instance").fetchall()
        texts = {digest: new_key(new_key_id()) for digest in ("empty", "check", "cursors")}
        for pepper, text in zip((b"", check, cursors), texts.values(), strict=True):
            key_id = text.split("_")[1]
            row = "INSERT INTO stet.key (key_id, name, scope, created_by) VALUES (%s, 'mine', 'owner', 'local')"
            connection.execute(row, (key_id,))
            digest = hmac.digest(pepper, text.encode(), "sha256")
            connection.execute("INSERT INTO stet.key_secret (key_id, digest) VALUES (%s, %s)", (key_id, digest))
    for text in texts.values():
        with bearing(place.server, text) as client:
            assert "no such key" in problem(client.get("/v1/keys"), "unauthenticated", 401)["detail"]


@pytest.mark.parametrize("role", SERVICE)
def test_no_role_of_the_service_carries_out_a_rebuild(role: str, place: Place) -> None:
    """To ask for one is a worker's; to make and switch its tables takes who may become their owner."""
    for statement in (
        "SET ROLE stet_owner",
        "CREATE TABLE stet.name_history_new (LIKE stet.name_history)",
        "ALTER TABLE stet.name_history RENAME TO name_history_old",
        "UPDATE stet.rebuild SET digests = '[]'",
    ):
        with psycopg.connect(place.database) as connection:
            connection.execute(f"SET SESSION AUTHORIZATION {role}".encode())
            with pytest.raises(InsufficientPrivilege):
                connection.execute(statement.encode())
    asked = "INSERT INTO stet.rebuild (rebuild_id, projection, version, workers, verify_only, accept_differences)"
    with psycopg.connect(place.database) as connection:
        as_role(connection, "stet_worker")
        connection.execute(f"{asked} VALUES (gen_random_uuid(), 'name_history', 1, 1, true, false)".encode())
        connection.rollback()


# ---- as a superuser ----


def test_a_pepper_that_is_said_to_hold_from_now_on_makes_a_key_of_the_owner(cluster: Cluster, tmp_path: Path) -> None:
    """The application may say so as well, and then no process starts that has the pepper of before."""
    url, another = cluster.migrated(), "another-pepper-of-somebody-else-in-these-tests"
    with serve(url, tmp_path, keyless=False):
        pass
    with psycopg.connect(url) as connection:
        as_role(connection, "stet_application")
        connection.execute("UPDATE stet.instance SET pepper_check = NULL")
    create = ("keys", "create", "--name", "mine", "--scope", "owner")
    done = stet(*create, STET_DATABASE_URL=url, STET_PEPPER=another)
    assert done.returncode == 0, done.stderr
    refused = stet("serve", "--port", "0", STET_DATABASE_URL=url, STET_PEPPER=PEPPER)
    assert refused.returncode == 3
    assert "STET_PEPPER" in refused.stderr
    with (
        serve(url, tmp_path, keyless=False, STET_PEPPER=another) as server,
        bearing(server, done.stdout.strip()) as mine,
    ):
        a_ledger(mine, "mine")


# ---- what is stolen ----


def test_a_dump_has_everything_but_what_keys_are_used_with(place: Place, tmp_path: Path) -> None:
    """And an exported log has no secret of webhooks either: neither says what a text of a key is, nor the pepper."""
    key = a_key(place.owner, "editor")
    a_member(place.owner, place.ledger, key["key_id"], "editor")
    hook = made(place.owner.post(f"{place.ledger}/webhooks", json={"url": "https://nothing.invalid/"}))
    with bearing(place.server, key["key"]) as client:
        an_incident(client, place.ledger, title="zzhidden", visibility={"label": "red"})
    binaries = find_home(tmp_path).install / "bin"
    dump = subprocess.run([binaries / "pg_dump", f"--dbname={place.database}"], capture_output=True, check=True).stdout
    written = io.BytesIO()
    with psycopg.connect(place.database, client_encoding="utf8", options="-c timezone=UTC") as connection:
        [(secret,)] = connection.execute(
            "SELECT secret FROM stet.webhook_secret WHERE webhook_id = %s", (hook["webhook"]["webhook_id"],)
        ).fetchall()
        [(cursors,)] = connection.execute("SELECT cursor_secret FROM stet.instance").fetchall()
        as_role(connection, "stet_application")
        export_log(connection, "l", written.write)
    log, digest = written.getvalue(), digest_of(key["key"], PEPPER.encode())
    for part in ("zzhidden", "member-set", secret.hex(), cursors.hex(), digest.hex()):
        assert part.encode() in dump, part
    assert b"zzhidden" in log
    assert key["key_id"].encode() in log
    for part in (secret.hex(), hook["secret"], digest.hex(), cursors.hex()):
        assert part.encode() not in log, part
    for text in (key["key"].split("_")[2], PEPPER, OWNER):
        assert text.encode() not in dump + log, text
