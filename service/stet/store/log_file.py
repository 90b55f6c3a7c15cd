"""A ledger's log as a file: docs/log-format.md. Lines of JSON: a header, the events, the kept answers, a trailer.

Each event proves itself by its leaf. The other lines end in a digest of all that stands before it in the file.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import BinaryIO, Literal, TypeVar

import msgspec
from msgspec import UNSET, Struct

from stet.codec import AnyEvent
from stet.errors import CorruptLog, Malformed
from stet.offline import Fault
from stet.store.check import Checker, Row

VERSION, REDACTED_VERSION = 1, 2
"""The second is that of a log with redacted events, and of no other: so what was exported before reads as it did."""
LINE_MAX = 256 * 1024 * 1024
"""The longest line that is read, in bytes; far beyond any event that the API takes."""
_SEAL, _END = b',"digest":"', b'"}\n'
_SEALED = len(_SEAL) + 64 + len(_END)
_encode = msgspec.json.Encoder().encode
T = TypeVar("T")


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line: which log it is, and where it ends."""

    format: Literal["stet-log"] = "stet-log"
    version: int = VERSION
    ledger_id: str
    name: str
    position: int
    recorded_at: str
    answers: int


class AnswerRow(Struct, frozen=True, forbid_unknown_fields=True):
    """What a write with an Idempotency-Key was answered."""

    actor: str
    key: str
    request_digest: str
    status: int
    location: str
    position: int


class Trailer(Struct, frozen=True, forbid_unknown_fields=True):
    """The last line: a file without it is cut off."""

    events: int
    answers: int


class Writer:
    """Writes the lines of a log, from the header to the trailer."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._digest = sha256()

    def event(self, row: Row) -> None:
        self._put(_encode(row) + b"\n")

    def sealed(self, line: Header | AnswerRow | Trailer) -> None:
        """A line that no leaf proves, with the digest of all that is before it."""
        self._put(_encode(line)[:-1])
        self._put(_SEAL + self._digest.hexdigest().encode() + _END)

    def _put(self, data: bytes) -> None:
        self._digest.update(data)
        self._write(data)


class LogFile:
    """Reads an exported log, and checks it as it goes: `header`, then `events`, `answers` and `end`, in this order.

    Raises Malformed where it is no exported log of this version, and CorruptLog at the first fault, with its line and
    position. Memory grows with the number of streams, not with that of events.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = sha256()
        self._line = 0
        """The line that is being read, from 1. Position N stands in line N + 1."""
        self.header = self._header()

    def events(self) -> Iterator[tuple[Row, AnyEvent]]:
        """Every event, once it is found to be right."""
        decoder = msgspec.json.Decoder(Row)
        checker, redacted = Checker(self.header.ledger_id), False
        for position in range(1, self.header.position + 1):
            at = f"position {position}: "
            line = self._read(at)
            row = self._decoded(decoder, line[:-1], f"{at}it is not an event as it is exported")
            self._digest.update(line)
            redacted = redacted or row.redacted_by is not UNSET
            if redacted and self.header.version == VERSION:
                raise self._fault(f"{at}it is redacted, and a file of version {VERSION} has no such event")
            try:
                event = checker.check(row)
                if position == self.header.position:
                    checker.end()
            except (Fault, CorruptLog) as fault:
                raise self._fault(str(fault)) from fault
            if position == self.header.position and row.recorded_at != self.header.recorded_at:
                raise self._fault(f"{at}line 1 says that the log ends at {self.header.recorded_at}")
            if position == self.header.position and not redacted and self.header.version != VERSION:
                raise self._fault(f"{at}no event is redacted, so the file should be of version {VERSION}")
            yield row, event

    def answers(self) -> Iterator[AnswerRow]:
        """Every kept answer."""
        decoder = msgspec.json.Decoder(AnswerRow)
        for _ in range(self.header.answers):
            yield self._unsealed(decoder, self._read(), "it is not a kept answer as it is exported")

    def end(self) -> None:
        """Reads the trailer, behind which is nothing."""
        decoder = msgspec.json.Decoder(Trailer)
        trailer = self._unsealed(decoder, self._read(), "it is not the last line of an exported log")
        if trailer != Trailer(self.header.position, self.header.answers):
            raise self._fault("it counts other lines than there are")
        if self._next():
            raise self._fault("it is behind the end of the log")

    def _header(self) -> Header:
        line = self._next()
        if not line:
            raise Malformed("the file is empty: it is no exported log")
        if not line.startswith(b'{"format":"stet-log"'):
            packed = ". It is packed by gzip: its name must end in .gz" if line.startswith(b"\x1f\x8b") else ""
            raise Malformed(f"it is no exported log: line 1 is not the header of one{packed}")
        try:
            version = msgspec.json.decode(line, type=_Version).version
        except msgspec.MsgspecError:
            version = VERSION  # a damaged line, as is found below
        if version not in (VERSION, REDACTED_VERSION):
            known = f"{VERSION} and {REDACTED_VERSION}"
            raise Malformed(f"it is of version {version} of the format, and this release reads versions {known}")
        self._whole(line, "")
        header = self._unsealed(msgspec.json.Decoder(Header), line, "it is not the header of an exported log")
        if header.position < 1 or header.answers < 0:
            raise self._fault("a log has at least one event")
        return header

    def _unsealed(self, decoder: msgspec.json.Decoder[T], line: bytes, wrong: str) -> T:
        body, seal = line[:-_SEALED], line[-_SEALED:]
        found = self._decoded(decoder, body + b"}", wrong)
        self._digest.update(body)
        if seal != _SEAL + self._digest.hexdigest().encode() + _END:
            raise self._fault("its digest is not that of all that is before it")
        self._digest.update(seal)
        return found

    def _decoded(self, decoder: msgspec.json.Decoder[T], text: bytes, wrong: str) -> T:
        try:
            found = decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise self._fault(f"{wrong}: {error}") from error
        if _encode(found) != text:
            raise self._fault(f"{wrong}, for it is spelt in another way")
        return found

    def _read(self, at: str = "") -> bytes:
        line = self._next(at)
        self._whole(line, at)
        return line

    def _whole(self, line: bytes, at: str) -> None:
        if not line.endswith(b"\n"):
            long = f"the line is longer than {LINE_MAX:,} bytes"
            raise self._fault(at + (long if len(line) == LINE_MAX else "the file is cut off"))

    def _next(self, at: str = "") -> bytes:
        self._line += 1
        try:
            return self._stream.readline(LINE_MAX)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self._fault(f"{at}the packed file is damaged or cut off: {error}") from error
        except OSError as error:
            raise self._fault(f"{at}the file cannot be read: {error.strerror or error}") from error

    def _fault(self, what: str) -> CorruptLog:
        return CorruptLog(f"line {self._line}: {what}")


class _Version(Struct):
    version: int
