"""Takes the tree of a log on, behind the log, and signs what it has come to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import psycopg

from stet.errors import CorruptLog
from stet.offline import Checkpoint, Tree
from stet.proofs.keys import SigningKey, origin_of, signed_note
from stet.proofs.read import hashes_of, leaves_of
from stet.proofs.shape import HEIGHT, Part, full_hashes, hash_of
from stet.sql import load

_READ_TREE_END = load("read_tree_end")
_ADD_NODES = load("add_nodes")
_ADD_SIGNED_CHECKPOINT = load("add_signed_checkpoint")
BATCH = 16_384


def integrate(connection: psycopg.Connection, ledger_id: UUID, keys: Sequence[SigningKey], batch: int = BATCH) -> bool:
    """Adds the nodes of the next events of a log, and at its end signs the root. Whether more is left.

    The role is stet_worker; a batch is of 256 events at least. What was signed before must be the beginning of what is
    signed: raises CorruptLog where the log has become another one, and signs nothing. Whatever breaks it off, the next
    goes on.
    """
    with connection.transaction():
        row = connection.execute(_READ_TREE_END, {"ledger_id": ledger_id}).fetchone()
        assert row
        head, size, root, nodes = row
        # Nodes may be ahead of the last checkpoint: of a backlog only the end is signed.
        start = max(size, nodes << HEIGHT)
        if head < start:
            raise CorruptLog(f"the log ends at position {head}, and its tree had {start}: it was cut back")
        hashes = hashes_of(connection, ledger_id, [Part(0, size), Part(0, start)])
        if size and hash_of(Part(0, size), hashes) != root:
            raise CorruptLog(f"the log is not the one whose checkpoint of size {size} was signed: nothing is signed")
        tree = Tree(start, full_hashes(Part(0, start), hashes))
        end = min(head, start + batch)
        _add(connection, ledger_id, tree, leaves_of(connection, ledger_id, start, end))
        if end < head:
            return True
        if end > size:
            checkpoint = Checkpoint(origin_of(ledger_id), end, tree.root())
            parameters = {"ledger_id": ledger_id, "size": end, "root": checkpoint.root}
            connection.execute(_ADD_SIGNED_CHECKPOINT, parameters | {"note": signed_note(checkpoint, keys)})
        return False


def ended_nodes(tree: Tree, ended: Sequence[bytes]) -> list[tuple[int, int, bytes]]:
    """The level, index and hash of each node that ends where the tree does, of what its last leaf has ended."""
    levels = range(1, (len(ended) - 1) // HEIGHT + 1)
    return [(level, (tree.size >> HEIGHT * level) - 1, ended[HEIGHT * level]) for level in levels]


def _add(connection: psycopg.Connection, ledger_id: UUID, tree: Tree, leaves: Sequence[bytes]) -> None:
    """Adds leaves to the tree, and the nodes that they complete to the table."""
    nodes: list[tuple[int, int, bytes]] = []
    for leaf in leaves:
        ended = tree.add(leaf)
        nodes += ended_nodes(tree, ended)
    if nodes:
        levels, indexes, hashes = (list(column) for column in zip(*nodes, strict=True))
        parameters = {"ledger_id": ledger_id, "levels": levels, "indexes": indexes, "hashes": hashes}
        connection.execute(_ADD_NODES, parameters)
