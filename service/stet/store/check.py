"""The check of a log, event by event, wherever it comes from: the table of events, or a file."""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec import UNSET, Struct, UnsetType, field

from stet.codec import AnyEvent, decode
from stet.offline import Fault, leaf_of, payload_digest
from stet.redaction.events import PayloadRedacted


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """An event with what proves it, in the words that its leaf is made of: see docs/log-format.md."""

    position: int
    stream: str
    stream_version: int
    event_id: str
    type_: str = field(name="type")
    schema_version: int
    recorded_at: str
    actor: str
    correlation_id: str
    causation_id: str | None
    payload: str
    salt: str
    payload_digest: str
    """Of an event that was redacted, that of the payload and the salt as they were."""
    leaf: str
    redacted_by: int | UnsetType = UNSET
    """The position of the last redaction of it."""


def row_of(columns: tuple[Any, ...]) -> Row:
    """The row of an event as the database gives it."""
    return Row(*(columns if columns[-1] is not None else columns[:-1]))


class _Tombstone(NamedTuple):
    """What is left of an event that was redacted."""

    stream: str
    redacted_by: int
    digest: str


class Checker:
    """What was seen of a log so far. Memory grows with the number of its streams and redacted events."""

    def __init__(self, ledger_id: str) -> None:
        self._id = ledger_id
        self._versions: dict[str, int] = {}
        self._tombstones: dict[int, _Tombstone] = {}
        self._pending: dict[int, int] = {}
        """Of events whose redaction was not seen yet: their positions, and that of the redaction."""
        self.checked = 0
        """How many events were found to be right."""
        self.last: Row | None = None

    def check(self, row: Row) -> AnyEvent:
        """The event of the next row. Raises Fault, or CorruptLog where this release cannot read it."""
        at = f"position {row.position}"
        if row.position != (expected := self.checked + 1):
            raise Fault(f"position {expected} is missing: the next is {row.position}")
        if "\0" in (words := f"{row.stream}{row.type_}{row.actor}") or "\n" in words:
            raise Fault(f"{at}: its stream, type or actor has a character that cannot be in it")
        self._check_order(row, at)
        if row.stream_version != (version := self._versions.get(row.stream, 0) + 1):
            raise Fault(f"{at}: {row.stream} should be at version {version}, and is at {row.stream_version}")
        self._check_hashes(row, at)
        event: AnyEvent = decode(row.type_, row.schema_version, row.payload, row.position)
        if isinstance(event, PayloadRedacted):
            self._check_redaction(event, row, at)
        self._versions[row.stream] = version
        self.checked, self.last = row.position, row
        return event

    def end(self) -> None:
        """Says that there are no more events. Raises Fault where the redaction of one of them is not there."""
        for position, by in self._pending.items():
            raise Fault(f"position {position} was redacted by {by}, which the log has not, or which says nothing of it")

    def _check_redaction(self, event: PayloadRedacted, row: Row, at: str) -> None:
        for erased in event.events:
            left = self._tombstones.get(erased.position)
            if left is None or left.stream != row.stream or left.redacted_by < row.position:
                raise Fault(f"{at}: it erased something of position {erased.position}, which is not redacted so")
            if left.redacted_by > row.position:
                continue  # it was redacted again
            if left.digest != erased.tombstone:
                wanted = f"should have the digest {erased.tombstone}, and has {left.digest}"
                raise Fault(f"position {erased.position}: what {row.position} left of it {wanted}")
            self._pending.pop(erased.position, None)

    def _check_order(self, row: Row, at: str) -> None:
        if (last := self.last) is None:
            return
        # All have the same form, so they are ordered as times are.
        if row.recorded_at < last.recorded_at:
            raise Fault(f"{at} was recorded at {row.recorded_at}, before the one in front of it, at {last.recorded_at}")
        if row.recorded_at == last.recorded_at and row.correlation_id != last.correlation_id:
            raise Fault(f"{at} was recorded at the same time as the append in front of it, which is another")

    def _check_hashes(self, row: Row, at: str) -> None:
        digest = _digest_of(row, at)
        if row.redacted_by is UNSET:
            if digest != row.payload_digest:
                raise Fault(f"{at}: the payload's digest should be {row.payload_digest[:64]}, and is {digest}")
        elif row.redacted_by <= row.position:
            raise Fault(f"{at}: it was redacted by {row.redacted_by}, which is no later event")
        else:
            self._tombstones[row.position] = _Tombstone(row.stream, row.redacted_by, digest)
            self._pending[row.position] = row.redacted_by
        # From the words as they stand: another spelling of the same id is another leaf.
        computed = leaf_of(
            self._id,
            row.position,
            row.stream,
            row.stream_version,
            row.event_id,
            row.type_,
            row.schema_version,
            row.recorded_at,
            row.actor,
            row.correlation_id,
            row.causation_id or "",
            row.payload_digest,
        ).hex()
        if computed != row.leaf:
            raise Fault(f"{at}: the leaf should be {row.leaf[:64]}, and is {computed}")


def _digest_of(row: Row, at: str) -> str:
    """The digest of the payload as it stands, with the salt beside it."""
    try:
        salt = bytes.fromhex(row.salt)
    except ValueError:
        salt = b""
    if len(salt) != 16 or salt.hex() != row.salt:
        raise Fault(f"{at}: the salt should be 16 bytes in hexadecimal, and is {row.salt[:40]}")
    return payload_digest(salt, row.payload.encode()).hex()
