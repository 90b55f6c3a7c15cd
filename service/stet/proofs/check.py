"""The check of what is stored of a log's tree, and of every checkpoint that was signed of it, along with the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from stet.offline import Checkpoint, Fault, Key, Tree, open_note
from stet.proofs.integrate import ended_nodes

Rows = Iterator[tuple[Any, ...]]


class TreeChecker:
    """What was seen of a log's tree so far: its leaves in their order, and beside them what is stored of it.

    The rows come in the order of their keys, so that of each level and of the checkpoints only the next is held.
    """

    def __init__(self, origin: str, nodes: Sequence[Rows], signed: Rows, keys: Sequence[bytes], saved: Sequence[str]):
        """`nodes`: (index, hash) of level 1, 2 ...; `signed`: (size, root, note, signed_at); `keys`: whoever may sign;
        `saved`: notes of this origin that somebody has kept. Raises Fault for one of them that nobody signed."""
        self._origin = origin
        self._tree = Tree()
        self._nodes = nodes
        self._next_nodes = [next(rows, None) for rows in nodes]
        self._signed = signed
        self._next = next(signed, None)
        self._keys = [Key(origin, public) for public in keys]
        self._saved = sorted((self._open(note, "a saved checkpoint") for note in saved), key=lambda one: one.size)
        self._right = (0, "")
        """The last checkpoint that was found to be right: its size, and what is said of it."""

    def add(self, leaf: bytes) -> None:
        """The next leaf. Raises Fault where a node or a checkpoint that ends here is another one."""
        ended = self._tree.add(leaf)
        size = self._tree.size
        if not size & 255:
            for level, index, hash_ in ended_nodes(self._tree, ended):
                self._check_node(level, index, hash_)
        while self._next and self._next[0] <= size:
            self._check_signed(*self._next)
            self._next = next(self._signed, None)
        while self._saved and self._saved[0].size <= size:
            self._check_root(self._saved.pop(0), "saved elsewhere")

    def end(self) -> None:
        """Raises Fault for what is stored beyond the log, and where the log ends before something that was signed."""
        size = self._tree.size
        if self._next:
            raise Fault(f"the checkpoint of size {self._next[0]} was signed, and the log ends at position {size}")
        if self._saved:
            raise Fault(
                f"a checkpoint of size {self._saved[0].size} was saved elsewhere, and the log ends at position {size}: "
                "it was cut back"
            )
        for level, row in enumerate(self._next_nodes, 1):
            if row is not None:
                raise Fault(f"node {row[0]} of level {level} is of events beyond position {size}, where the log ends")

    def _check_node(self, level: int, index: int, hash_: bytes) -> None:
        stored = self._next_nodes[level - 1] if level <= len(self._next_nodes) else None
        covered = f"of positions {(index << 8 * level) + 1} to {index + 1 << 8 * level}"
        if stored is None:
            # Nodes are written behind the log, and before a checkpoint.
            if self._next and self._next[0] >= index + 1 << 8 * level:
                raise Fault(f"node {index} of level {level}, {covered}, is missing")
            return
        if stored[0] != index:
            raise Fault(f"node {index} of level {level}, {covered}, is missing: the next is {stored[0]}")
        if bytes(stored[1]) != hash_:
            raise Fault(f"node {index} of level {level}, {covered}, is not their root")
        self._next_nodes[level - 1] = next(self._nodes[level - 1], None)

    def _check_signed(self, size: int, root: bytes, note: str, signed_at: datetime) -> None:
        what = f"signed at {signed_at:%Y-%m-%dT%H:%M:%SZ}"
        checkpoint = self._open(note, f"the checkpoint of size {size}, {what}")
        if checkpoint != Checkpoint(self._origin, size, bytes(root)):
            raise Fault(f"the checkpoint of size {size}: its note is of size {checkpoint.size}, or of another root")
        self._check_root(checkpoint, what)

    def _check_root(self, checkpoint: Checkpoint, what: str) -> None:
        size = checkpoint.size
        if checkpoint.root != self._tree.root():
            before, it_was = self._right
            those = f"positions {before + 1} to {size}" if before else f"positions 1 to {size}"
            also = f"; those up to {before} are what was {it_was}" if before else ""
            raise Fault(f"the checkpoint of size {size}, {what}, is not of this log: {those} are others{also}")
        self._right = size, what

    def _open(self, note: str, what: str) -> Checkpoint:
        try:
            checkpoint, _ = open_note(note, self._keys)
        except Fault as fault:
            raise Fault(f"{what}: {fault}") from fault
        return checkpoint
