"""Checks what a Stet server gave away, without it: an exported log, a saved answer, the proof between two checkpoints.

Stands alone: copy this file, install `cryptography`, and run `python offline.py FILE --checkpoint NOTE --key KEY`. What
is proven to whom is in docs/proofs.md. Trees are those of RFC 6962 and RFC 9162, checkpoints those of C2SP
tlog-checkpoint, their signatures those of C2SP signed-note, with Ed25519.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import sys
import zlib
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""
_WORDS = ("position", "stream", "stream_version", "event_id", "type", "schema_version", "recorded_at", "actor")
_LINE_MAX = 256 * 1024 * 1024  # bytes: a packed line may unpack to more than there is memory for
_DAMAGED = (KeyError, TypeError, ValueError, AttributeError, RecursionError)
_UNREADABLE = (OSError, EOFError, zlib.error)


class Fault(Exception):
    """The first thing that is wrong. Says where."""


# ---- hashes ----


def payload_digest(salt: bytes, payload: bytes) -> bytes:
    """SHA-256 of the 16-byte salt and the payload's bytes."""
    return sha256(salt + payload).digest()


def leaf_of(*fields: object) -> bytes:
    """SHA-256 of 0x00, `stet-event-1` and the twelve fields behind it, each as its line is written."""
    return sha256(("\x00stet-event-1" + "\n%s" * 12 % fields).encode()).digest()


def node_of(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and the two below (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows leaf by leaf; it keeps the roots of its largest full subtrees, and no leaf."""

    def __init__(self, size: int = 0, full: Sequence[bytes] = ()) -> None:
        self.size = size
        self._full = list(full)

    def add(self, leaf: bytes) -> list[bytes]:
        """The roots of the full subtrees that end with this leaf: of 1, 2, 4 ... leaves."""
        ended, self.size = [leaf], self.size + 1
        while not self.size >> len(ended) - 1 & 1:
            ended.append(node_of(self._full.pop(), ended[-1]))
        self._full.append(ended[-1])
        return ended

    def root(self) -> bytes:
        return root_of(self._full)


def root_of(full: Sequence[bytes]) -> bytes:
    """The root over full subtrees, of which each is larger than the next."""
    if not full:
        return EMPTY
    root = full[-1]
    for left in reversed(full[:-1]):
        root = node_of(left, root)
    return root


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the tree of this size and root has the leaf at the index, from 0 (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_of(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_of(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def extends(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree of the second size begins with that of the first (RFC 9162, 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    steps = [first_root, *path] if first & (first - 1) == 0 else [*path]
    if not path:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = steps[0]
    for c in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_of(c, fr), node_of(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_of(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_root and sr == second_root


# ---- checkpoints ----


class Key(NamedTuple):
    """A public key, and the name that it signs by."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(f"{self.name}\n".encode() + b"\x01" + self.public).digest()[:4]

    def __str__(self) -> str:
        """As C2SP signed-note writes it: `name+hash+key`, a vkey."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([1]) + self.public).decode()}"


class Checkpoint(NamedTuple):
    """How large a log was, and the root of its tree."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_key(text: str) -> Key:
    """Raises ValueError for what is no vkey of Ed25519."""
    try:
        name, _, rest = text.strip().split("+", 2)
        data = base64.b64decode(rest, validate=True)
        key = Key(name, data[1:])
        if len(data) != 33 or data[0] != 1 or str(key) != text.strip() or not name or " " in name:
            raise ValueError
    except ValueError as error:
        raise ValueError(f"{text[:80]} is no key, or a damaged one") from error
    return key


def verify_note(note: str, keys: Sequence[Key]) -> tuple[str, list[Key]]:
    """The text of a signed note, and those of the keys that signed it.

    Raises Fault where none did, and where one of them should have signed and did not. Signatures by others are passed
    over (C2SP signed-note).
    """
    head, _, tail = note.rpartition("\n\n")
    text = head + "\n"
    signers = []
    try:
        lines = [line.split(" ") for line in tail.removesuffix("\n").split("\n")]
        signatures = [(mark, name, base64.b64decode(rest, validate=True)) for mark, name, rest in lines]
        spelt = "".join(f"{mark} {name} {base64.b64encode(its).decode()}\n" for mark, name, its in signatures)
        if note != f"{text}\n{spelt}" or any(mark != "—" for mark, _, _ in signatures):
            raise ValueError
    except ValueError as error:
        raise Fault("the checkpoint is no signed note, or a damaged one") from error
    for _, name, signature in signatures:
        for key in keys:
            if (key.name, key.id) == (name, signature[:4]):
                try:
                    Ed25519PublicKey.from_public_bytes(key.public).verify(signature[4:], text.encode())
                except InvalidSignature as error:
                    raise Fault(f"the signature of the checkpoint by {name}+{key.id.hex()} is wrong") from error
                signers.append(key)
    if not signers:
        raise Fault("the checkpoint is signed by none of the keys")
    return text, signers


def open_note(note: str, keys: Sequence[Key]) -> tuple[Checkpoint, list[Key]]:
    """The checkpoint of a signed note (C2SP tlog-checkpoint), and those of the keys that signed it. Raises Fault."""
    text, signers = verify_note(note, keys)
    try:
        origin, size, root, *_ = text.split("\n")
        checkpoint = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
        if not text.startswith(str(checkpoint)) or len(checkpoint.root) != 32 or checkpoint.size < 0:
            raise ValueError
    except ValueError as error:
        raise Fault("what was signed is no checkpoint") from error
    return checkpoint, signers


# ---- events ----


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Of a field that is there twice another reader might take the one that was not checked."""
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("a field is there twice")
    return found


class Tombstones:
    """Payloads of which something was erased: each is proven by the event that erased it, further on."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, str], dict[int, str]] = {}
        self.proven: dict[int, int] = {}
        """The position of each, and that of what erased it."""

    def check(self, row: dict[str, Any], at: str) -> None:
        """The payload of the next event, against its digest or as a tombstone; and those that it is the proof of."""
        position, payload = row["position"], row["payload"].encode()
        by = row.get("redacted_by")
        salt = bytes.fromhex(row["salt"])
        digest = payload_digest(salt, payload).hex()
        if len(salt) != 16 or (by is None and digest != row["payload_digest"]):
            raise Fault(f"{at}: the payload is not the one that was hashed")
        if by is not None:
            if by <= position:
                raise Fault(f"{at}: it was erased by position {by}, which is no later event")
            self._waiting.setdefault((by, row["stream"]), {})[position] = digest
        if erased := self._waiting.pop((position, row["stream"]), None):
            if row["type"] != "payload-redacted":
                raise Fault(f"{at}: it should be what erased something at position {min(erased)}, and is not")
            stated = {one["position"]: one["tombstone"] for one in json.loads(row["payload"])["events"]}
            for tombstone, digest in erased.items():
                if stated.get(tombstone) != digest:
                    raise Fault(f"position {tombstone}: the tombstone is not the one that position {position} names")
                self.proven[tombstone] = position

    def end(self) -> None:
        """Raises Fault where what erased something is not there."""
        for (by, stream), erased in self._waiting.items():
            raise Fault(f"position {min(erased)} was erased by position {by} of {stream}, which is not there")


def _leaf(row: dict[str, Any], ledger_id: str) -> bytes:
    words = [row[word] for word in _WORDS]
    words += [row["correlation_id"], row["causation_id"] or "", row["payload_digest"]]
    if any("\n" in str(word) for word in (ledger_id, *words)):
        raise Fault(f"position {row['position']}: a field of it has a line feed, which none can have")
    return leaf_of(ledger_id, *words)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(_LINE_MAX + 1):
        if len(line) > _LINE_MAX:
            raise Fault(f"a line is longer than {_LINE_MAX} bytes, as none of a log is")
        yield line


def check_log(stream: BinaryIO, checkpoints: Sequence[Checkpoint]) -> Iterator[str]:
    """What an exported log (docs/log-format.md) proves by checkpoints that were opened already. Raises Fault."""
    seal, tree, tombstones = sha256(), Tree(), Tombstones()
    header: dict[str, Any] = {}
    row: dict[str, Any] = {}
    sizes, roots = {one.size for one in checkpoints}, {0: EMPTY}
    origin, end = "", 0
    for number, line in enumerate(_lines(stream), 1):
        at = f"line {number}"
        try:
            row = json.loads(line, object_pairs_hook=_once)
            if "leaf" in row:
                at += f", position {row['position']}"
                leaf = _leaf(row, header["ledger_id"])
                if row["position"] != number - 1 or leaf.hex() != row["leaf"]:
                    raise Fault(f"{at}: the event is not the one that its leaf was made of")
                tombstones.check(row, at)
                tree.add(leaf)
                if tree.size in sizes:
                    roots[tree.size] = tree.root()
            else:
                before = line.rindex(b',"digest":')
                seal.update(line[:before])
                if row["digest"] != seal.hexdigest():
                    raise Fault(f"{at}: its digest is not that of all that is before it")
                header, line = header or row, line[before:]
                if header["version"] not in (1, 2):
                    raise Fault(f"{at}: the log is of version {header['version']}, and this checks versions 1 and 2")
                origin, end = f"stet/{header['ledger_id']}", header["position"]
            seal.update(line)
        except _DAMAGED as error:
            raise Fault(f"{at}: it cannot be read: {error!r}") from error
    if "events" not in row or (row["events"], end) != (tree.size, tree.size):
        raise Fault(f"the file is cut off behind position {tree.size}")
    tombstones.end()
    for one in checkpoints:
        if one.origin != origin:
            raise Fault(f"the log is that of {origin}, and the checkpoint that of {one.origin}")
        if one.size > tree.size:
            raise Fault(f"the log ends at position {tree.size}, and at the checkpoint it had {one.size}")
        if roots[one.size] != one.root:
            raise Fault(f"positions 1 to {one.size} are not those that were signed: their root is another")
        yield f"proven: positions 1 to {one.size} are those that were signed"
    if (last := max(sizes)) < tree.size:
        yield f"not proven: positions {last + 1} to {tree.size}, which came after the checkpoint"
    yield from _redacted(tombstones, last)


def check_answer(answer: dict[str, Any], keys: Sequence[Key], checkpoints: Sequence[Checkpoint]) -> Iterator[str]:
    """What a saved answer to `GET …/incidents/ID?proof=true` proves. Raises Fault."""
    proof, incident = answer["proof"], answer["incident_id"]
    checkpoint, signers = open_note(proof["checkpoint"], keys)
    if checkpoint.origin != f"stet/{proof['ledger_id']}":
        raise Fault(f"the checkpoint is that of {checkpoint.origin}, and the answer that of stet/{proof['ledger_id']}")
    yield _signed(checkpoint, signers)
    tombstones, withheld, versions, last = Tombstones(), [], [0], 0
    for row in proof["events"]:
        at = f"position {row['position']}"
        if row["stream"] != f"incident:{incident}":
            raise Fault(f"{at}: it is an event of {row['stream']}, and the answer is about incident:{incident}")
        if row["position"] <= last or row["stream_version"] <= versions[-1]:
            raise Fault(f"{at}: it is not in the order of the log")
        last = row["position"]
        path = [bytes.fromhex(step) for step in row["path"]]
        if not includes(_leaf(row, proof["ledger_id"]), last - 1, checkpoint.size, path, checkpoint.root):
            raise Fault(f"{at}: the event is not in the log that was signed")
        if row["payload"] is None:
            withheld.append(last)
        else:
            tombstones.check(row, at)
        versions.append(row["stream_version"])
    tombstones.end()
    if answer["version"] not in versions[1:]:
        raise Fault(f"the answer is of version {answer['version']}, and has no event of that version")
    yield f"proven: {len(versions) - 1} events of incident {incident} are in the log that was signed"
    yield from _redacted(tombstones, checkpoint.size)
    if withheld:
        yield f"not proven: what is in {_listed(withheld)}, of which this answer shows a part"
    if left_out := versions[-1] - len(versions) + 1:
        yield f"not proven: what is in {left_out} more events of the incident, which this answer leaves out"
    yield f"not proven here: that the incident has no events behind its version {versions[-1]}"
    yield "not proven here: that the view follows from the events, which a replay shows"
    for other in checkpoints:
        yield _beside(checkpoint, other)


def check_consistency(answer: dict[str, Any], checkpoints: Sequence[Checkpoint]) -> Iterator[str]:
    """What a saved answer to `GET …/proofs/consistency` proves of two checkpoints. Raises Fault."""
    sizes = first, second = answer["from"], answer["to"]
    for one, other in combinations(checkpoints, 2):
        if (one.origin, one.size) == (other.origin, other.size):
            _beside(one, other)
    roots = {one.size: one.root for one in checkpoints}
    if roots.keys() != set(sizes) or len({one.origin for one in checkpoints}) != 1:
        raise Fault(f"the proof is between sizes {first} and {second}: give the checkpoints of both, and no others")
    path = [bytes.fromhex(step) for step in answer["path"]]
    if not extends(first, second, roots[first], roots[second], path):
        raise Fault(
            f"this does not prove that the log of {second} begins with the log of {first}: it is damaged, or there are "
            "two histories"
        )
    yield f"proven: the log of {second} begins with the log of {first}"


def _beside(ours: Checkpoint, other: Checkpoint) -> str:
    if ours.origin != other.origin:
        raise Fault(f"the answer is of {ours.origin}, and the checkpoint of {other.origin}")
    if ours.size != other.size:
        return f"not proven here: that the logs of {ours.size} and {other.size} are one; proofs/consistency shows it"
    if ours.root != other.root:
        raise Fault(f"two logs of {ours.size} were signed, and they are not the same: there are two histories")
    return f"proven: the log is that of the checkpoint of size {other.size}"


def _redacted(tombstones: Tombstones, size: int) -> Iterator[str]:
    for position, by in sorted(tombstones.proven.items()):
        erased = f"position {position}, of which something was erased by position {by}"
        last = by
        while last in tombstones.proven:
            last = tombstones.proven[last]
        if last <= size:
            yield f"tombstone: {erased}"
        elif position <= size:
            # What it is proven by is not signed, and anybody could have written it.
            behind = f"{erased}, by position {last}" if last != by else erased
            yield f"not proven: what is left of {behind}, which came after the checkpoint of {size}"


def _signed(checkpoint: Checkpoint, signers: Sequence[Key]) -> str:
    names = ", ".join(f"{key.name}+{key.id.hex()}" for key in signers)
    return f"checkpoint: {checkpoint.origin}, {checkpoint.size} events, signed by {names}"


def _listed(positions: Sequence[int]) -> str:
    return f"position{'s' * (len(positions) > 1)} {', '.join(map(str, positions))}"


# ---- as a command ----


def run(file: Path, checkpoints: Sequence[Path] = (), keys: Sequence[str] = ()) -> int:
    """Prints what a file proves. 0: all that it says; 1: there is a fault, and where; 2: asked the wrong way."""
    try:
        known = [key for text in keys for key in read_keys(text)]
        notes = [_read(path).decode(errors="replace") for path in checkpoints]
        with _opened(file) as stream:
            is_log = stream.readline(_LINE_MAX).startswith(b'{"format":"stet-log"')
        if is_log and not notes:
            raise ValueError("a log is checked against checkpoints: give one that was saved")
        notes_opened = [open_note(note, known) for note in notes]
        opened = [checkpoint for checkpoint, _ in notes_opened]
        print("".join(f"{_signed(*one)}\n" for one in notes_opened), end="")
        if is_log:
            with _opened(file) as stream:
                found = list(check_log(stream, opened))
        else:
            found = _check_json(_read(file), known, opened)
    except Fault as fault:
        # It names what the file says: that shall not steer a terminal, nor look like a line of this check.
        print("fault:", "".join(one if one.isprintable() else ascii(one)[1:-1] for one in str(fault)))
        return 1
    except (ValueError, *_UNREADABLE) as error:
        print(f"{file}: {error}", file=sys.stderr)
        return 2
    print("\n".join(found))
    return 0


def _check_json(text: bytes, keys: Sequence[Key], checkpoints: Sequence[Checkpoint]) -> list[str]:
    try:
        answer = json.loads(text, object_pairs_hook=_once)
        if "proof" in answer:
            return list(check_answer(answer, keys, checkpoints))
        if "path" in answer and "from" in answer:
            return list(check_consistency(answer, checkpoints))
    except _DAMAGED as error:
        raise Fault(f"the answer cannot be read: {error!r}") from error
    raise Fault("the file is no exported log, no answer with a proof, and no proof of consistency")


def read_keys(text: str) -> list[Key]:
    """A vkey, or those of a file, one a line. Raises ValueError and OSError."""
    if "+" in text and not Path(text).is_file():
        return [parse_key(text)]
    return [parse_key(line) for line in _read(Path(text)).decode().splitlines() if line.strip()]


def _read(path: Path) -> bytes:
    with _opened(path) as stream:
        return stream.read()


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path, help="An exported log, or a saved answer; packed where it ends in .gz.")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], help="A saved signed note. Repeatable.")
    parser.add_argument("--key", action="append", required=True, help="A vkey, or a file of them. Repeatable.")
    asked = parser.parse_args()
    return run(asked.file, asked.checkpoint, asked.key)


if __name__ == "__main__":
    sys.exit(main())
