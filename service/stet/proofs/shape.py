"""Which subtrees a proof is made of (RFC 9162, 2.1.3.1 and 2.1.4.1), and which stored hashes make each of them.

Stored are the leaves, at level 0, and the root of every full subtree of 256, 65,536 ... leaves, at levels 1, 2 ...: the
tiles of C2SP tlog-tiles. A proof takes a few hundred hashes of each level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from stet.offline import Tree, root_of

HEIGHT = 8
"""A stored subtree has 2^8 of those of the level below it."""


class Span(NamedTuple):
    """Hashes of one level, from an index up to another that is not among them."""

    level: int
    first: int
    end: int


class Part(NamedTuple):
    """The leaves from an index, from 0, up to another that is not among them, as one subtree of the tree."""

    first: int
    end: int


Hashes = Callable[[Span], Sequence[bytes]]
"""What is stored of a span."""


def inclusion(index: int, size: int) -> list[Part]:
    """The subtrees that prove the leaf at an index, from 0, to be in the tree of a size; the lowest first."""
    first, end = 0, size
    parts: list[Part] = []
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            parts.append(Part(middle, end))
            end = middle
        else:
            parts.append(Part(first, middle))
            first = middle
    return parts[::-1]


def consistency(old: int, new: int) -> list[Part]:
    """The subtrees that prove the tree of one size to be the beginning of that of another; the lowest first."""
    first, end = 0, new
    parts: list[Part] = []
    while old < end:
        middle = first + _split(end - first)
        if old <= middle:
            parts.append(Part(middle, end))
            end = middle
        else:
            parts.append(Part(first, middle))
            first = middle
    # What ends where the old tree does is known to whoever has its root, if it is the whole of that.
    if first > 0:
        parts.append(Part(first, end))
    return parts[::-1]


def full_of(part: Part) -> list[Part]:
    """The full subtrees that a subtree is made of, from the left; each is larger than the next."""
    first, parts = part.first, []
    while first < part.end:
        size = 1 << (part.end - first).bit_length() - 1
        parts.append(Part(first, first + size))
        first += size
    return parts


def spans_of(part: Part) -> list[Span]:
    """The stored hashes that a subtree is made of."""
    return [_span(full) for full in full_of(part)]


def hash_of(part: Part, hashes: Hashes) -> bytes:
    """The root of a subtree."""
    return root_of(full_hashes(part, hashes))


def full_hashes(part: Part, hashes: Hashes) -> list[bytes]:
    """The root of each full subtree that a subtree is made of: a Tree goes on from those of Part(0, size)."""
    found = []
    for span in spans_of(part):
        tree = Tree()
        for hash_ in hashes(span):
            tree.add(hash_)
        found.append(tree.root())
    return found


def _span(full: Part) -> Span:
    level = ((full.end - full.first).bit_length() - 1) // HEIGHT
    return Span(level, full.first >> HEIGHT * level, full.end >> HEIGHT * level)


def _split(size: int) -> int:
    """The largest power of two that is smaller."""
    return 1 << (size - 1).bit_length() - 1
