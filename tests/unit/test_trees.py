"""Merkle trees: as RFC 6962 defines them, as its reference vectors have them, as others have built them."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from stet.offline import EMPTY, Tree, extends, includes
from stet.proofs.integrate import ended_nodes
from stet.proofs.shape import Hashes, Part, Span, consistency, full_hashes, hash_of, inclusion, spans_of

# ---- the reference vectors of Certificate Transparency ----

INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Of the first 0, 1 ... 8 of them."""
INCLUSION: dict[tuple[int, int], list[str]] = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY: dict[tuple[int, int], list[str]] = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
MOST = 600


def leaf(data: bytes) -> bytes:
    return sha256(b"\0" + data).digest()


class Stored:
    """The leaves and nodes that a tree leaves behind, as the tables have them."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.hashes = {(0, index): leaf for index, leaf in enumerate(leaves)}
        self.roots = [EMPTY]
        tree = Tree()
        for one in leaves:
            ended = tree.add(one)
            self.hashes |= {(level, index): hash_ for level, index, hash_ in ended_nodes(tree, ended)}
            self.roots.append(tree.root())

    @property
    def read(self) -> Hashes:
        return lambda span: [self.hashes[span.level, index] for index in range(span.first, span.end)]

    def included(self, index: int, size: int) -> list[bytes]:
        return [hash_of(part, self.read) for part in inclusion(index, size)]

    def consistent(self, old: int, new: int) -> list[bytes]:
        return [hash_of(part, self.read) for part in consistency(old, new)]


REFERENCE = Stored([leaf(bytes.fromhex(one)) for one in INPUTS])


def test_reference_roots() -> None:
    assert [root.hex() for root in REFERENCE.roots] == list(ROOTS)


@pytest.mark.parametrize("case", INCLUSION)
def test_reference_inclusion(case: tuple[int, int]) -> None:
    path = REFERENCE.included(*case)
    assert [one.hex() for one in path] == INCLUSION[case]
    index, size = case
    assert includes(REFERENCE.hashes[0, index], index, size, path, REFERENCE.roots[size])


@pytest.mark.parametrize("case", CONSISTENCY)
def test_reference_consistency(case: tuple[int, int]) -> None:
    path = REFERENCE.consistent(*case)
    assert [one.hex() for one in path] == CONSISTENCY[case]
    old, new = case
    assert extends(old, new, REFERENCE.roots[old], REFERENCE.roots[new], path)


# ---- the definition, slowly ----

DATA = [f"{n}".encode() for n in range(MOST)]
TALL = Stored([leaf(data) for data in DATA])


@cache
def mth(first: int, end: int) -> bytes:
    """RFC 6962, 2.1: the hash of D[first:end]."""
    n = end - first
    if n == 0:
        return sha256().digest()
    if n == 1:
        return sha256(b"\0" + DATA[first]).digest()
    k = largest(n)
    return sha256(b"\1" + mth(first, first + k) + mth(first + k, end)).digest()


def largest(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path_of(m: int, first: int, end: int) -> list[bytes]:
    """RFC 6962, 2.1.1: PATH(m, D[first:end])."""
    n = end - first
    if n == 1:
        return []
    k = largest(n)
    if m < k:
        return [*path_of(m, first, first + k), mth(first + k, end)]
    return [*path_of(m - k, first + k, end), mth(first, first + k)]


def subproof(m: int, first: int, end: int, whole: bool) -> list[bytes]:
    """RFC 6962, 2.1.2: SUBPROOF(m, D[first:end], b)."""
    n = end - first
    if m == n:
        return [] if whole else [mth(first, end)]
    k = largest(n)
    if m <= k:
        return [*subproof(m, first, first + k, whole), mth(first + k, end)]
    return [*subproof(m - k, first + k, end, False), mth(first, first + k)]


def test_every_root_is_that_of_the_definition() -> None:
    """And that which its stored hashes come to; a tree goes on from what is stored at any size."""
    for size in range(MOST + 1):
        assert TALL.roots[size] == mth(0, size)
        full = full_hashes(Part(0, size), TALL.read)
        assert Tree(size, full).root() == mth(0, size)
    for size in (0, 1, 255, 256, 257, 511, 512, 513):
        tree = Tree(size, full_hashes(Part(0, size), TALL.read))
        for data in DATA[size:]:
            tree.add(leaf(data))
        assert tree.root() == mth(0, MOST)


@given(st.integers(1, MOST), st.data())
@settings(max_examples=400)
def test_proofs_are_those_of_the_definition(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = TALL.included(index, size)
    assert path == path_of(index, 0, size)
    assert includes(mth(index, index + 1), index, size, path, mth(0, size))
    old = data.draw(st.integers(1, size))
    path = TALL.consistent(old, size)
    assert path == subproof(old, 0, size, True)
    assert extends(old, size, mth(0, old), mth(0, size), path)


def test_every_small_proof() -> None:
    for size in range(1, 66):
        for index in range(size):
            path = TALL.included(index, size)
            assert path == path_of(index, 0, size)
            assert includes(mth(index, index + 1), index, size, path, mth(0, size))
            path = TALL.consistent(index + 1, size)
            assert path == subproof(index + 1, 0, size, True)
            assert extends(index + 1, size, mth(0, index + 1), mth(0, size), path)


# ---- what is no proof ----


def spoilt(path: list[bytes], data: st.DataObject) -> list[bytes]:
    """Another path."""
    made = list(path)
    match data.draw(st.sampled_from(["flip", "drop", "add", "swap"] if path else ["add"])):
        case "flip":
            at, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
            made[at] = (int.from_bytes(path[at], "big") ^ 1 << bit).to_bytes(32, "big")
        case "drop":
            del made[data.draw(st.integers(0, len(path) - 1))]
        case "add":
            made.insert(data.draw(st.integers(0, len(path))), bytes(32))
        case "swap":
            made.reverse()
    return made


@given(st.integers(1, MOST), st.data())
@settings(max_examples=400)
def test_no_other_path_index_or_size_is_taken(size: int, data: st.DataObject) -> None:
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(-1, MOST + 1))
    path, its, root = TALL.included(index, size), mth(index, index + 1), mth(0, size)
    if (wrong := spoilt(path, data)) != path:
        assert not includes(its, index, size, wrong, root)
    if other != index:
        assert not includes(its, other, size, path, root)
    old = data.draw(st.integers(1, size))
    path = TALL.consistent(old, size)
    if (wrong := spoilt(path, data)) != path:
        assert not extends(old, size, mth(0, old), root, wrong)
    if 0 <= other <= MOST and other != old:
        assert not extends(old, size, mth(0, other), root, path)
        assert not extends(old, size, mth(0, old), mth(0, other), path) or other == size


def test_a_proof_takes_few_hashes_however_long_the_log_is() -> None:
    """A tile of each level where the leaf is, one at the right edge, and what a proof of consistency begins with."""
    for size in (10**6, 10**6 + 1, 2**20 - 1, 2**30 - 1, 10**12 - 7):
        for index in (0, 1, size // 3, size // 2, size - 2, size - 1):
            for parts in (inclusion(index, size), consistency(index + 1, size), [Part(0, size)]):
                spans: dict[int, int] = {}
                for span in {one for part in parts for one in spans_of(part)}:
                    spans[span.level] = spans.get(span.level, 0) + span.end - span.first
                assert all(0 <= level <= size.bit_length() // 8 for level in spans)
                assert all(count <= 255 + 255 + 128 for count in spans.values())
                assert len(parts) <= size.bit_length() + 1


def test_a_span_is_of_whole_subtrees() -> None:
    assert spans_of(Part(0, 256)) == [Span(1, 0, 1)]
    assert spans_of(Part(256, 256 + 65)) == [Span(0, 256, 320), Span(0, 320, 321)]


# ---- another's ----


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=300), st.data())
@settings(max_examples=40)
def test_an_independent_tree_has_the_same_roots_and_paths(entries: list[bytes], data: st.DataObject) -> None:
    theirs = InmemoryTree(algorithm="sha256")
    for entry in entries:
        theirs.append_entry(entry)
    ours = Stored([leaf(entry) for entry in entries])
    size = data.draw(st.integers(1, len(entries)))
    index = data.draw(st.integers(0, size - 1))
    assert theirs.get_root(size) == ours.roots[size]
    proof: Any = theirs.prove_inclusion(index + 1, size)
    its = [*proof.path]
    # Theirs has the leaf among its siblings, in the order of the row that they form.
    its.remove(ours.hashes[0, index])
    assert sorted(its) == sorted(ours.included(index, size))
    assert includes(theirs.get_leaf(index + 1), index, size, ours.included(index, size), theirs.get_root(size))
    assert extends(index + 1, size, theirs.get_root(index + 1), theirs.get_root(size), ours.consistent(index + 1, size))
