"""The tree over a log: what its tables hold, who writes them, and that nothing is signed that is not one history."""

from __future__ import annotations

import asyncio
import threading
from uuid import UUID

import psycopg
import pytest
from tests.conftest import SIGNING_KEY, Cluster, wait_until
from tests.store.exported import LEDGER, events, file_of
from tests.store.signing import SETTINGS, as_worker, leaves, note, root, sign
from tests.store.test_restore import exported, restore
from tests.store.test_verify import fill_long
from tests.store.writing import an_append, make_ledger
from tests.unit.test_trees import Stored

from stet.database.pool import as_role, make_pool
from stet.errors import CorruptLog, Unavailable
from stet.offline import Checkpoint, open_note, parse_key
from stet.proofs.integrate import integrate
from stet.proofs.keys import agreed_keys, find_keys, read_keys, retire, rotate, vkey
from stet.proofs.signer import Signer
from stet.settings import Settings
from stet.store.append import Log
from stet.store.verify import Report, verify


async def append(url: str, ledger_id: UUID, stream: str, events: int) -> None:
    async with make_pool(url, Settings(pool_size=2)) as pool:
        assert (await Log(pool).append(ledger_id, an_append({stream: 0}, *[stream] * events))).outcome == "appended"


def only_ledger(url: str) -> UUID:
    with psycopg.connect(url) as connection:
        ((found,),) = connection.execute("SELECT ledger_id FROM stet.ledger")
    assert isinstance(found, UUID)
    return found


def nodes(url: str, ledger_id: UUID) -> dict[tuple[int, int], bytes]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT level, index, hash FROM stet.node WHERE ledger_id = %s", (ledger_id,))
        return {(level, index): bytes(hash_) for level, index, hash_ in rows}


def sizes(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [size for (size,) in connection.execute("SELECT size FROM stet.signed_checkpoint ORDER BY size")]


@pytest.fixture(scope="module")
def long(cluster: Cluster) -> str:
    """A log of 2,501 events. Nothing here changes it: what is signed is rolled back, or in a copy."""
    url = cluster.migrated()
    asyncio.run(fill_long(url, 2_500))
    return url


@pytest.mark.parametrize("batch", [16_384, 1_000, 511, 256])
def test_the_nodes_are_those_of_the_log_whatever_the_batch(long: str, cluster: Cluster, batch: int) -> None:
    url = cluster.create(psycopg.conninfo.conninfo_to_dict(long)["dbname"])  # type: ignore[arg-type]
    ledger_id = only_ledger(url)
    assert (sign(url, ledger_id, batch) == 1) == (batch > 2_501)
    stored = Stored(leaves(url, ledger_id))
    assert nodes(url, ledger_id) == {key: hash_ for key, hash_ in stored.hashes.items() if key[0]}
    assert sizes(url) == [2_501]
    checkpoint, _ = open_note(note(url), [parse_key(vkey(ledger_id, find_keys(SETTINGS)[0].public))])
    assert (checkpoint.size, checkpoint.root) == (2_501, stored.roots[-1])
    with psycopg.connect(url) as connection:
        assert verify(connection, None) == [Report("long", 2_501, None)]


def test_what_is_broken_off_is_gone_on_with(url: str) -> None:
    """Between nodes and checkpoint, at any batch; and two that work at once make one tree."""
    asyncio.run(fill_long(url, 1_300))
    ledger_id = only_ledger(url)
    with as_worker(url) as connection:
        keys = agreed_keys(connection, SETTINGS)
        assert integrate(connection, ledger_id, keys, 600)
        assert sizes(url) == []
        assert len(nodes(url, ledger_id)) == 2
    workers = [threading.Thread(target=sign, args=(url, ledger_id, 300)) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sizes(url) == [1_301]
    assert len(nodes(url, ledger_id)) == 5
    for n in range(3):
        asyncio.run(append(url, ledger_id, f"source:more-{n}", 100 + n))
        sign(url, ledger_id)
    assert sizes(url) == [1_301, 1_401, 1_502, 1_604]
    stored = Stored(leaves(url, ledger_id))
    assert nodes(url, ledger_id) == {key: hash_ for key, hash_ in stored.hashes.items() if key[0]}
    with psycopg.connect(url) as connection:
        assert verify(connection, None)[0].fault is None


def test_a_killed_signer_leaves_a_tree_to_go_on_with(url: str) -> None:
    """Its connection ends in the middle of a batch: nothing of that batch is there."""
    asyncio.run(fill_long(url, 700))
    ledger_id = only_ledger(url)

    def killed() -> None:
        with as_worker(url) as connection, connection.transaction():
            keys = agreed_keys(connection, SETTINGS)
            integrate(connection, ledger_id, keys, 300)
            with psycopg.connect(url, autocommit=True) as killer:
                killer.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
            integrate(connection, ledger_id, keys, 300)

    with pytest.raises(psycopg.OperationalError):
        killed()
    assert nodes(url, ledger_id) == {}
    assert sign(url, ledger_id, 300) == 3
    assert sizes(url) == [701]


def test_a_restored_log_has_the_same_tree(cluster: Cluster) -> None:
    """And the same root, whoever signs it."""
    first, second = cluster.migrated(), cluster.migrated()
    restore(first, file_of(events()))
    sign(first)
    restore(second, exported(first, "small"))
    sign(second)
    assert note(first) == note(second)
    checkpoint, _ = open_note(note(second), [parse_key(vkey(UUID(LEDGER), find_keys(SETTINGS)[0].public))])
    assert checkpoint == Checkpoint(f"stet/{LEDGER}", 5, root([bytes.fromhex(one["leaf"]) for one in events()]))


def test_fifty_ledgers_have_their_turn(url: str) -> None:
    """A signer signs each within seconds, though one has a backlog; then again only those that have grown."""

    async def fill() -> list[UUID]:
        async with make_pool(url, Settings(pool_size=2)) as pool:
            log = Log(pool)
            return [await make_ledger(log, f"l-{n:02}") for n in range(50)]

    ids = asyncio.run(fill())
    asyncio.run(append(url, ids[0], "source:backlog", 5_000))
    signer = Signer(url, SETTINGS)
    running = signer.start()
    try:
        wait_until(lambda: len(sizes(url)) == 50, "fifty checkpoints")
        asyncio.run(append(url, ids[7], "source:x", 3))
        wait_until(lambda: len(sizes(url)) == 51, "one more")
        assert sizes(url) == [1] * 49 + [4, 5_001]
    finally:
        signer.stop()
        running.join()
    with psycopg.connect(url) as connection:
        assert all(report.fault is None for report in verify(connection, None))


def test_a_second_passes_between_two_checkpoints_of_a_ledger(url: str) -> None:
    """However fast the log grows; and the last is behind by no more."""
    asyncio.run(fill_long(url, 1))
    ledger_id = only_ledger(url)
    signer = Signer(url, SETTINGS)
    running = signer.start()
    try:
        for n in range(30):
            asyncio.run(append(url, ledger_id, f"source:n-{n}", 1))
        wait_until(lambda: sizes(url)[-1:] == [32], "the last checkpoint", 5)
    finally:
        signer.stop()
        running.join()
    with psycopg.connect(url) as connection:
        ((least, last),) = connection.execute(
            """SELECT extract(epoch FROM min(gap))::float, (
                   SELECT extract(epoch FROM max(c.signed_at) - max(e.recorded_at))::float
                   FROM stet.signed_checkpoint c, stet.event e)
               FROM (SELECT signed_at - lag(signed_at) OVER (ORDER BY size) AS gap FROM stet.signed_checkpoint) g"""
        )
    assert least is None or least >= 1.0
    assert last < 2.5


def test_a_clock_that_is_put_back_keeps_nobody_from_signing(url: str) -> None:
    asyncio.run(fill_long(url, 1))
    sign(url)
    change(url, "UPDATE stet.signed_checkpoint SET signed_at = clock_timestamp() + interval '1 hour'")
    asyncio.run(append(url, only_ledger(url), "source:more", 1))
    with as_worker(url) as connection:
        Signer(url, SETTINGS)._once(connection)
    assert sizes(url) == [2, 3]


# ---- one history ----


def change(url: str, *statements: str) -> None:
    """As a superuser without triggers."""
    with psycopg.connect(url) as connection:
        for table in ("event", "node", "signed_checkpoint"):
            connection.execute(f"ALTER TABLE stet.{table} DISABLE TRIGGER ALL".encode())
        for statement in statements:
            connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE stet.event SET leaf = sha256(leaf) WHERE position = 299",
            "not the one whose checkpoint of size 301",
        ),
        ("UPDATE stet.node SET hash = sha256(hash)", "not the one whose checkpoint of size 301"),
        ("DELETE FROM stet.event WHERE position = 299", "position 299 is missing"),
        ("DELETE FROM stet.node", "node 0 of level 1 is missing"),
        ("UPDATE stet.head SET position = 200", "it was cut back"),
    ],
)
def test_nothing_is_signed_that_does_not_begin_with_what_was(url: str, statement: str, said: str) -> None:
    asyncio.run(fill_long(url, 300))
    ledger_id = only_ledger(url)
    sign(url)
    asyncio.run(append(url, ledger_id, "source:more", 1))
    change(url, statement)
    with pytest.raises(CorruptLog, match=said):
        sign(url)
    assert sizes(url) == [301]


# ---- who may ----


@pytest.mark.parametrize("table", ["node", "signed_checkpoint", "signing_key"])
def test_nobody_changes_or_removes_what_was_written(url: str, table: str) -> None:
    """Not the worker, not the owner, not a superuser by SQL alone."""
    asyncio.run(fill_long(url, 300))
    sign(url)
    column = {"node": "hash", "signed_checkpoint": "root", "signing_key": "public_key"}[table]
    for role in ("stet_worker", "stet_application", "stet_owner", "postgres"):
        for statement in (
            f"UPDATE stet.{table} SET {column} = sha256('')",
            f"DELETE FROM stet.{table}",
            f"TRUNCATE stet.{table}",
        ):
            with psycopg.connect(url) as connection:
                if role != "postgres":
                    connection.execute(f"SET ROLE {role}".encode())
                else:
                    connection.execute("SET session_replication_role = replica")
                with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)):
                    connection.execute(statement.encode())


def test_only_the_worker_adds(url: str) -> None:
    for role in ("stet_application", "stet_reader"):
        for statement in (
            "INSERT INTO stet.node VALUES (gen_random_uuid(), 1, 0, sha256(''))",
            "INSERT INTO stet.signed_checkpoint VALUES (gen_random_uuid(), 1, sha256(''), '')",
            "INSERT INTO stet.signing_key VALUES (sha256(''))",
        ):
            with psycopg.connect(url) as connection:
                as_role(connection, role)
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode())


# ---- keys ----


def test_the_first_key_is_made_in_a_file_that_nobody_else_reads(url: str, tmp_path: object) -> None:
    settings = Settings(data=tmp_path)  # type: ignore[arg-type]
    with as_worker(url) as connection:
        (made,) = agreed_keys(connection, settings)
        file = settings.data / "signing-key"
        assert file.stat().st_mode & 0o777 == 0o600
        assert agreed_keys(connection, settings)[0].public == made.public
        assert read_keys(connection) == {made.public: True}
        stored = "".join(str(row) for row in connection.execute("SELECT signing_key::text FROM stet.signing_key"))
    assert file.read_text().strip() not in stored
    assert str(made).find(file.read_text().strip()) == -1


def test_no_process_signs_by_a_key_that_nobody_has_heard_of(url: str, tmp_path: object) -> None:
    """One whose data folder is another waits, and says so."""
    with as_worker(url) as connection:
        agreed_keys(connection, SETTINGS)
        for other in (Settings(data=tmp_path), Settings(signing_key="22" * 32)):  # type: ignore[arg-type]
            with pytest.raises(Unavailable, match="is not here"):
                agreed_keys(connection, other)
    assert not (Settings(data=tmp_path).data / "signing-key").exists()  # type: ignore[arg-type]


def test_a_signer_without_the_key_leaves_the_lead_to_one_that_has_it(url: str, tmp_path: object) -> None:
    """It came first: after a restart, or while the other one was away."""
    with as_worker(url) as connection:
        agreed_keys(connection, SETTINGS)
    asyncio.run(fill_long(url, 1))
    locked = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 720311563"
    told = Signer(url, Settings(data=tmp_path))  # type: ignore[arg-type]
    with as_worker(url) as connection:
        assert not told._once(connection)
        assert told._told[None].startswith("nothing is signed: ")
        assert connection.execute(f"{locked} AND pid = pg_backend_pid()".encode()).fetchone() is None
        with as_worker(url) as other:
            Signer(url, SETTINGS)._once(other)
    assert sizes(url) == [2]


def test_a_key_is_rotated_and_then_retired_for_good(url: str, tmp_path: object) -> None:
    settings = Settings(data=tmp_path)  # type: ignore[arg-type]
    with as_worker(url) as connection:
        (first,) = agreed_keys(connection, settings)
        old = (settings.data / "signing-key").read_text()
        rotate(settings)
        both = agreed_keys(connection, settings)
        assert both[0].public == first.public
        assert len(both) == 2
        assert set(read_keys(connection).values()) == {True}
        retire(connection, settings)
        assert [one.public for one in agreed_keys(connection, settings)] == [both[1].public]
        assert read_keys(connection) == {both[1].public: True, first.public: False}
        # Somebody puts it back: it signs nothing any more.
        (settings.data / "signing-key").write_text(old)
        with pytest.raises(Unavailable, match="is not here"):
            agreed_keys(connection, settings)
        with pytest.raises(Unavailable, match="is retired"):
            retire(connection, settings)
        assert read_keys(connection) == {both[1].public: True, first.public: False}


def test_after_a_lost_key_the_next_one_signs(url: str, tmp_path: object) -> None:
    settings = Settings(data=tmp_path)  # type: ignore[arg-type]
    with as_worker(url) as connection:
        (lost,) = agreed_keys(connection, settings)
        (settings.data / "signing-key").unlink()
        rotate(settings)
        with pytest.raises(Unavailable):
            agreed_keys(connection, settings)
        retire(connection, settings)
        (made,) = agreed_keys(connection, settings)
        assert read_keys(connection) == {made.public: True, lost.public: False}


def test_a_damaged_file_of_keys_is_said_to_be_one(tmp_path: object) -> None:
    settings = Settings(data=tmp_path)  # type: ignore[arg-type]
    (settings.data / "signing-key").write_text("not a key\n")
    with pytest.raises(Unavailable, match="64 hexadecimal digits"):
        find_keys(settings)
    assert SIGNING_KEY not in repr(find_keys(SETTINGS))
