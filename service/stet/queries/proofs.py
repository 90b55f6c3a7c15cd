"""What proves to a stranger that an event is in the log, and that the log was only added to (docs/proofs.md)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from stet.database.pool import Connection, Pool, of_ledger, snapshot
from stet.errors import CorruptLog, Malformed, NotSigned
from stet.incident.view import IncidentView, view
from stet.offline import Fault, Key, open_note
from stet.proofs.keys import origin_of
from stet.proofs.read import read_hashes
from stet.proofs.shape import Part, consistency, hash_of, inclusion
from stet.queries.cut import AsOf, ReadCut, Said, resolve_cut
from stet.queries.incident import incident_of
from stet.queries.shown import read_guarded
from stet.sql import load

_LAST_SIGNED = load("last_signed")
_LAST_TO_PROVE = load("last_to_prove")
_READ_PROVEN = load("read_proven")
_PATIENCE_S = 2.0
_AGAIN_S = 0.1
_AT_ONCE = 256
"""Of how many events the paths are made at once."""
T = TypeVar("T")


class CheckpointView(Struct, frozen=True, kw_only=True):
    """How large the log was, and the root of the Merkle tree over its leaves."""

    size: int
    root: str
    signed_at: datetime
    note: str
    """The same, signed: a C2SP signed note."""
    keys: list[str]
    """Those that signed it, each as `name+hash+key`. Compare them with what you were given elsewhere."""


class InclusionProof(Struct, frozen=True, kw_only=True):
    """That an event is in the log of a size (RFC 9162, 2.1.3). Hashes are in hexadecimal."""

    position: int
    leaf_index: int
    """Leaves are counted from 0."""
    size: int
    leaf: str
    root: str
    path: list[str]


class ConsistencyProof(Struct, frozen=True, kw_only=True):
    """That the log of one size begins with that of another (RFC 9162, 2.1.4). Hashes are in hexadecimal."""

    from_: int = field(name="from")
    to: int
    from_root: str
    to_root: str
    path: list[str]


class ProvenEvent(Struct, frozen=True, kw_only=True):
    """An event in the words that its leaf is made of, and what proves that this is in the log."""

    position: int
    stream: str
    stream_version: int
    event_id: str
    type: str
    schema_version: int
    recorded_at: str
    actor: str
    correlation_id: str
    causation_id: str | None
    payload: str | None
    """The bytes that were hashed, as text. Null: some of it is not for everybody."""
    salt: str | None
    payload_digest: str
    """Of the payload as it was recorded, with its salt."""
    path: list[str]
    redacted_by: int | UnsetType = UNSET
    """Some of it was erased: the event that says so has the digest of what is left."""


class IncidentProof(Struct, frozen=True, kw_only=True):
    """The events that an incident was folded from, and the checkpoint that they are in: docs/proofs.md checks it."""

    ledger_id: UUID
    checkpoint: str
    """A C2SP signed note."""
    keys: list[str]
    events: list[ProvenEvent]


class ProvenIncident(IncidentView, frozen=True, kw_only=True):
    """An incident; with `proof=true` also what proves the events that it was folded from."""

    proof: IncidentProof | UnsetType = UNSET


class Signed(NamedTuple):
    """The last checkpoint of a ledger."""

    size: int
    root: bytes
    note: str
    signed_at: datetime
    keys: list[str]


async def when_signed(pool: Pool, ledger_id: UUID, read: Callable[[Connection], Awaitable[T]]) -> T:
    """What is read of one moment, once enough is signed. Raises NotSigned where it is not within two seconds."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        async with of_ledger(pool, ledger_id) as connection, snapshot(connection):
            try:
                return await read(connection)
            except NotSigned:
                if time.monotonic() >= until:
                    raise
        await asyncio.sleep(_AGAIN_S)


async def last_signed(connection: Connection, ledger_id: UUID, position: int = 1) -> Signed:
    """The last checkpoint. Raises NotSigned where it does not reach a position, CorruptLog for a bad signature."""
    row = await (await connection.execute(_LAST_SIGNED, {"ledger_id": ledger_id})).fetchone()
    if row is None or row[0] < position:
        raise NotSigned(
            f"the checkpoint of position {position} is not signed yet: that is done within a second, by a worker"
        )
    size, root, note, signed_at, public = row
    try:
        _, signers = open_note(note, [Key(origin_of(ledger_id), bytes(one)) for one in public or ()])
    except Fault as fault:
        raise CorruptLog(str(fault)) from fault
    return Signed(size, bytes(root), note, signed_at, [str(key) for key in signers])


def checkpoint_view(signed: Signed) -> CheckpointView:
    return CheckpointView(
        size=signed.size, root=signed.root.hex(), signed_at=signed.signed_at, note=signed.note, keys=signed.keys
    )


async def prove_inclusion(connection: Connection, ledger_id: UUID, position: int, size: int | None) -> InclusionProof:
    """Raises Malformed for a size that was not signed yet, or a position behind it."""
    size = _size(await last_signed(connection, ledger_id), size, "query.size")
    if position > size:
        raise Malformed.at("query.position", f"is behind the size of the log that it is to be in, {size}")
    leaf, whole, parts = Part(position - 1, position), Part(0, size), inclusion(position - 1, size)
    hashes = await read_hashes(connection, ledger_id, [leaf, whole, *parts])
    return InclusionProof(
        position=position,
        leaf_index=position - 1,
        size=size,
        leaf=hash_of(leaf, hashes).hex(),
        root=hash_of(whole, hashes).hex(),
        path=[hash_of(part, hashes).hex() for part in parts],
    )


async def prove_consistency(connection: Connection, ledger_id: UUID, from_: int, to: int | None) -> ConsistencyProof:
    """Raises Malformed for a size that was not signed yet, or a first that is the larger."""
    to = _size(await last_signed(connection, ledger_id), to, "query.to")
    if from_ > to:
        raise Malformed.at("query.from", f"is larger than `to`, {to}")
    old, new, parts = Part(0, from_), Part(0, to), consistency(from_, to)
    hashes = await read_hashes(connection, ledger_id, [old, new, *parts])
    return ConsistencyProof(
        from_=from_,
        to=to,
        from_root=hash_of(old, hashes).hex(),
        to_root=hash_of(new, hashes).hex(),
        path=[hash_of(part, hashes).hex() for part in parts],
    )


async def view_proven(
    connection: Connection, ledger_id: UUID, incident_id: UUID, as_of: AsOf, *, said: Said
) -> tuple[ReadCut, ProvenIncident]:
    """The incident at a cut, with its proof. Raises NotFound before it was opened, and NotSigned."""
    cut = await resolve_cut(connection, ledger_id, as_of, said)
    stream = f"incident:{incident_id}"
    guarded = (await read_guarded(connection, ledger_id, (stream,), cut.audience)).get(stream)
    # Neither how long it is waited nor for what tells of what is hidden.
    hidden = sorted(guarded.hidden) if guarded else []
    wanted = {"ledger_id": ledger_id, "stream": stream, "up_to": cut.position, "hidden": hidden}
    last = await (await connection.execute(_LAST_TO_PROVE, wanted)).fetchone()
    signed = await last_signed(connection, ledger_id, (last and last[0]) or 1)
    at = await incident_of(connection, ledger_id, incident_id, cut)
    names = ProvenEvent.__struct_fields__[:-1]
    events = []
    in_part = set(guarded.altered) if guarded else set()
    rows = await (await connection.execute(_READ_PROVEN, wanted)).fetchall()
    for row in reversed(rows):
        # Of a redaction that is shown in part the digests of what it left cannot be checked.
        if row[-1] in in_part:
            in_part.add(row[0])
    for some in (rows[n : n + _AT_ONCE] for n in range(0, len(rows), _AT_ONCE)):
        paths = await _paths(connection, ledger_id, [row[0] for row in some], signed.size)
        for row, path in zip(some, paths, strict=True):
            redacted_by = UNSET if row[-1] is None else row[-1]
            event = ProvenEvent(**dict(zip(names, (*row[:-1], path), strict=True)), redacted_by=redacted_by)
            events.append(replace(event, payload=None, salt=None) if event.position in in_part else event)
    proof = IncidentProof(ledger_id=ledger_id, checkpoint=signed.note, keys=signed.keys, events=events)
    shown = view(at.state, at.names, at.own_cut)
    return cut, ProvenIncident(**{name: getattr(shown, name) for name in shown.__struct_fields__}, proof=proof)


async def _paths(connection: Connection, ledger_id: UUID, positions: Sequence[int], size: int) -> list[list[str]]:
    parts = [inclusion(position - 1, size) for position in positions]
    hashes = await read_hashes(connection, ledger_id, [one for path in parts for one in path])
    made = {one: hash_of(one, hashes).hex() for path in parts for one in path}
    return [[made[one] for one in path] for path in parts]


def _size(signed: Signed, asked: int | None, name: str) -> int:
    if asked is not None and asked > signed.size:
        raise Malformed.at(name, f"is larger than the last signed checkpoint, which is of size {signed.size}")
    return asked or signed.size
