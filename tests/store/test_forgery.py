"""What a superuser does to a log, its tree or its checkpoints, with the triggers off: each is found, and where.

What leaves nothing behind in the database, a whole other history or an earlier end, is found by whoever kept a
checkpoint: by `stet verify --checkpoint`, and without the server by its exported log.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from tests.conftest import Cluster
from tests.store.signing import SETTINGS, leaves, note, sign
from tests.store.test_restore import exported
from tests.store.test_tree import append, only_ledger, sizes
from tests.store.test_verify import fill_long
from tests.unit.test_trees import Stored

from stet.offline import Checkpoint, Fault, Key, check_log, extends, open_note
from stet.proofs.keys import SigningKey, find_keys, origin_of, signed_note
from stet.store.verify import verify

TABLES = ("event", "head", "node", "signed_checkpoint", "signing_key")
REHASHED = """
    UPDATE stet.event SET payload = '{{"name":"forged","kind":"outlet"}}',
        payload_digest = sha256(salt || '{{"name":"forged","kind":"outlet"}}') WHERE position = {0};
    UPDATE stet.event SET leaf = stet.leaf(ledger_id, position, stream, stream_version, event_id, type, schema_version,
        recorded_at, actor, correlation_id, causation_id, payload_digest) WHERE position = {0}"""
"""A history that is right in itself, but another."""


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    """A log of 600 events, signed at 301, 401 and 600."""
    url = cluster.migrated()
    asyncio.run(fill_long(url, 300))
    ledger_id = only_ledger(url)
    sign(url)
    for stream, count in (("source:b", 100), ("source:c", 199)):
        asyncio.run(append(url, ledger_id, stream, count))
        sign(url)
    assert sizes(url) == [301, 401, 600]
    with psycopg.connect(url) as connection:
        for table in TABLES:
            connection.execute(f"CREATE TABLE copy_of_{table} AS TABLE stet.{table}".encode())
    return url


@contextmanager
def planted(url: str, statement: str, **parameters: Any) -> Iterator[psycopg.Connection]:
    """What a superuser left; afterwards it is as it was."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table in TABLES:
            connection.execute(f"ALTER TABLE stet.{table} DISABLE TRIGGER ALL".encode())
        try:
            for one in statement.split(";"):
                connection.execute(one.encode(), parameters or None)
            yield connection
        finally:
            for table in TABLES:
                connection.execute(f"DELETE FROM stet.{table}".encode())
                connection.execute(f"INSERT INTO stet.{table} SELECT * FROM copy_of_{table}".encode())


FAULTS = {
    "a byte of a payload": (
        "UPDATE stet.event SET payload = (payload::text || ' ')::json WHERE position = 300",
        "position 300: the payload's digest should be ",
    ),
    "an envelope": ("UPDATE stet.event SET actor = 'x' WHERE position = 300", "position 300: the leaf should be "),
    "a leaf": ("UPDATE stet.event SET leaf = sha256(leaf) WHERE position = 599", "position 599: the leaf should be "),
    "a row": ("DELETE FROM stet.event WHERE position = 300", "position 300 is missing: the next is 301"),
    "two rows": (
        "UPDATE stet.event SET position = -position WHERE position IN (4, 5);"
        "UPDATE stet.event SET position = 9 + position WHERE position < 0",
        "position 4: source:a should be at version 3, and is at 4",
    ),
    "the head": ("UPDATE stet.head SET position = 500", "position 501 is beyond the head, which is at 500"),
    "a history rewritten from 302 on": (
        REHASHED.format(350),
        "the checkpoint of size 401, signed at ",
    ),
    "a history rewritten at its beginning": (
        REHASHED.format(7),
        "node 0 of level 1, of positions 1 to 256, is not their root",
    ),
    "a history rewritten at its end": (REHASHED.format(600), "the checkpoint of size 600, signed at "),
    "an end cut off, with its head": (
        "DELETE FROM stet.event WHERE position > 550; UPDATE stet.head SET position = 550,"
        " recorded_at = (SELECT max(recorded_at) FROM stet.event)",
        "the checkpoint of size 600 was signed, and the log ends at position 550",
    ),
    "an end cut off, with its head and checkpoint, but not its node": (
        "DELETE FROM stet.event WHERE position > 450; DELETE FROM stet.signed_checkpoint WHERE size = 600;"
        "UPDATE stet.head SET position = 450, recorded_at = (SELECT max(recorded_at) FROM stet.event)",
        "node 1 of level 1 is of events beyond position 450, where the log ends",
    ),
    "a node": (
        "UPDATE stet.node SET hash = sha256(hash) WHERE index = 1",
        "node 1 of level 1, of positions 257 to 512, is not their root",
    ),
    "a lost node": ("DELETE FROM stet.node WHERE index = 0", "node 0 of level 1, of positions 1 to 256, is missing"),
    "the last node": (
        "DELETE FROM stet.node WHERE index = 1",
        "node 1 of level 1, of positions 257 to 512, is mis",
    ),
    "a node too many": (
        "INSERT INTO stet.node SELECT ledger_id, 1, 2, hash FROM stet.node WHERE index = 1",
        "node 2 of level 1 is of events beyond position 600",
    ),
    "a node of another level": (
        "INSERT INTO stet.node SELECT ledger_id, 2, 0, hash FROM stet.node WHERE index = 1",
        "node 0 of level 2 is of events beyond position 600",
    ),
    "the root of a checkpoint": (
        "UPDATE stet.signed_checkpoint SET root = sha256(root) WHERE size = 401",
        "the checkpoint of size 401: its note is of size 401, or of another root",
    ),
    "the size of a checkpoint": (
        "UPDATE stet.signed_checkpoint SET size = 402 WHERE size = 401",
        "the checkpoint of size 402: its note is of size 401, or of another root",
    ),
    "a signature": (
        "UPDATE stet.signed_checkpoint SET note = overlay(note placing 'AAAA' from length(note) - 20) WHERE size = 401",
        "the checkpoint of size 401, signed at ",
    ),
    "a key": ("UPDATE stet.signing_key SET public_key = sha256(public_key)", "the checkpoint of size 301, signed at "),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_is_found_and_located(url: str, fault: str) -> None:
    statement, found = FAULTS[fault]
    with planted(url, statement) as connection:
        (report,) = verify(connection, None)
    assert (report.fault or "").startswith(found), report


def test_a_rewritten_history_is_located_between_two_checkpoints(url: str) -> None:
    with planted(url, REHASHED.format(350)) as connection:
        (report,) = verify(connection, None)
    assert report.fault
    assert "positions 302 to 401 are others; those up to 301 are what was signed at " in report.fault
    with planted(url, REHASHED.format(350)) as connection:
        (report,) = verify(connection, None, saved=[note(url, 600)])
    assert report.fault


# ---- by who holds the database, and the key ----


def forged(url: str, key: SigningKey, size: int, position: int) -> str:
    """Another history of that size, its nodes and its only checkpoint, signed by a key."""
    ledger_id = only_ledger(url)
    made = leaves(url, ledger_id)[:size]
    made[position - 1] = bytes(32)
    return signed_note(Checkpoint(origin_of(ledger_id), size, Stored(made).roots[-1]), [key])


@contextmanager
def another_history(url: str, position: int, size: int = 600) -> Iterator[psycopg.Connection]:
    """Everything in the database is made anew by who has the key: nothing there tells."""
    statement = REHASHED.format(position)
    statement += ";DELETE FROM stet.node;DELETE FROM stet.signed_checkpoint"
    statement += f";DELETE FROM stet.event WHERE position > {size};UPDATE stet.head SET position = {size},"
    statement += " recorded_at = (SELECT max(recorded_at) FROM stet.event)"
    with planted(url, statement) as connection:
        sign(url)
        yield connection


@pytest.mark.parametrize(
    ("position", "size", "found"),
    [
        (600, 600, "the checkpoint of size 600, saved elsewhere, is not of this log"),
        (7, 600, "the checkpoint of size 301, saved elsewhere, is not of this log: positions 1 to 301 are others"),
        (500, 500, "a checkpoint of size 600 was saved elsewhere, and the log ends at position 500: it was cut back"),
    ],
)
def test_another_history_is_found_by_a_saved_checkpoint(url: str, position: int, size: int, found: str) -> None:
    """By verify, by the exported log without a server, and by the proof of consistency."""
    saved = [note(url, 301), note(url, 600)]
    ledger_id = only_ledger(url)
    keys = [Key(origin_of(ledger_id), find_keys(SETTINGS)[0].public)]
    old = [open_note(one, keys)[0] for one in saved]
    list(check_log(io.BytesIO(exported(url, "long")), old))
    with another_history(url, position, size) as connection:
        (report,) = verify(connection, None)
        assert report.fault is None
        (report,) = verify(connection, None, saved=saved)
        assert (report.fault or "").startswith(found), report
        with pytest.raises(Fault):
            list(check_log(io.BytesIO(exported(url, "long")), old))
        stored = Stored(leaves(url, ledger_id))
    if position <= 301:
        path = stored.consistent(301, size)
        assert extends(301, size, stored.roots[301], stored.roots[size], path)
        assert not extends(301, size, old[0].root, stored.roots[size], path)


def test_who_has_the_database_but_not_the_key_signs_nothing_that_is_taken(url: str) -> None:
    """His own key is known to the database, and not to whoever was told the right one elsewhere."""
    own = SigningKey("33" * 32)
    ledger_id = only_ledger(url)
    with planted(
        url,
        "DELETE FROM stet.signed_checkpoint; INSERT INTO stet.signing_key VALUES (%(public)s)",
        public=own.public,
    ) as connection:
        signed = signed_note(Checkpoint(origin_of(ledger_id), 600, Stored(leaves(url, ledger_id)).roots[-1]), [own])
        connection.execute(
            "INSERT INTO stet.signed_checkpoint SELECT ledger_id, 600, %s, %s FROM stet.head",
            (Stored(leaves(url, ledger_id)).roots[-1], signed),
        )
        (report,) = verify(connection, None)
        assert report.fault is None
        (report,) = verify(connection, None, keys=[find_keys(SETTINGS)[0].public])
        assert report.fault
        assert report.fault.endswith("signed by none of the keys")
        (report,) = verify(connection, None, saved=[forged(url, SigningKey("44" * 32), 600, 3)])
        assert (report.fault or "").startswith("a saved checkpoint: ")


def test_a_sound_log_is_sound_by_every_checkpoint(url: str) -> None:
    with psycopg.connect(url) as connection:
        saved = [note(url, size) for size in (301, 401, 600)]
        (report,) = verify(connection, None, saved=saved, keys=[find_keys(SETTINGS)[0].public])
    assert report.fault is None
    assert isinstance(only_ledger(url), UUID)
