"""Trees and checkpoints in tests: made without a thread, and read back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from tests.conftest import SIGNING_KEY

from stet.database.pool import as_role
from stet.offline import Tree
from stet.proofs.integrate import integrate
from stet.proofs.keys import agreed_keys
from stet.settings import Settings

SETTINGS = Settings(signing_key=SIGNING_KEY)


@contextmanager
def as_worker(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        as_role(connection, "stet_worker")
        yield connection


def sign(url: str, ledger_id: UUID | None = None, batch: int = 16_384) -> int:
    """Takes the tree of a ledger, or of all, to the end of the log, and signs it; how many batches that took."""
    batches = 0
    with as_worker(url) as connection:
        keys = agreed_keys(connection, SETTINGS)
        ids = [ledger_id] if ledger_id else [id_ for (id_,) in connection.execute("SELECT ledger_id FROM stet.head")]
        for one in ids:
            while integrate(connection, one, keys, batch):
                batches += 1
            batches += 1
    return batches


def leaves(url: str, ledger_id: UUID) -> list[bytes]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT leaf FROM stet.event WHERE ledger_id = %s ORDER BY position", (ledger_id,))
        return [bytes(leaf) for (leaf,) in rows]


def root(leaves_: list[bytes]) -> bytes:
    tree = Tree()
    for leaf in leaves_:
        tree.add(leaf)
    return tree.root()


def note(url: str, size: int | None = None) -> str:
    """The last checkpoint of the only ledger, or that of a size."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT note FROM stet.signed_checkpoint WHERE %(size)s::bigint IS NULL OR size = %(size)s"
            " ORDER BY size DESC LIMIT 1",
            {"size": size},
        ).fetchone()
    assert row
    return str(row[0])
