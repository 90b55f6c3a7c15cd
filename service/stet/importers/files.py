"""The lines of a file, plain or gzipped, in bounded memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import SEEK_CUR, BufferedReader
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from stet.errors import Malformed

LINE_BYTES = 16 * 2**20
"""The longest line that is read whole. Of a longer one this much is kept for the rejects."""
_GZIP, _BOM = b"\x1f\x8b", b"\xef\xbb\xbf"
_WIDE = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class BadLine(Struct, frozen=True):
    """A line, or the row that starts there, that cannot be read; with its bytes, cut where they are too many."""

    number: int
    reason: str
    raw: bytes


class Whole(Struct, frozen=True):
    """One line as it stands in the file, with its line break."""

    number: int
    raw: bytes
    cut: bool
    """It was longer than LINE_BYTES, and the rest is left out."""


@contextmanager
def opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """The content, unzipped if it begins as gzip does. Raises Malformed for a path that cannot be opened."""
    if isinstance(source, Path):
        try:
            file: BinaryIO = source.open("rb")
        except (OSError, ValueError) as error:
            raise Malformed.at("file", f"{source.name or source} cannot be read: {reason_of(error)}") from error
        with file, opened(file) as content:
            yield content
        return
    if _start(source) == _GZIP:
        with gzip.GzipFile(fileobj=source, mode="rb") as unzipped:
            yield unzipped  # type: ignore[misc]
    else:
        yield source


def _start(source: BinaryIO) -> bytes:
    if isinstance(source, BufferedReader):
        return source.peek(2)[:2]
    start = source.read(2)
    source.seek(-len(start), SEEK_CUR)
    return start


def whole_lines(content: BinaryIO) -> Iterator[Whole]:
    """Each line, from 1 on, without a byte order mark. Raises Malformed for an empty file and for a broken gzip."""
    number = 0
    while True:
        try:
            raw = content.readline(LINE_BYTES + 1)
            cut = len(raw) > LINE_BYTES and not raw.endswith(b"\n")
            if cut:
                while (more := content.readline(LINE_BYTES)) and not more.endswith(b"\n"):
                    pass
        except EOFError as error:
            raise Malformed.at("file", f"the gzip ends after line {number}: the file is not complete") from error
        except (OSError, zlib.error) as error:
            raise Malformed.at("file", f"cannot be read on after line {number}: {reason_of(error)}") from error
        if not raw:
            break
        number += 1
        if number == 1:
            if encoding := _WIDE.get(raw[:2]):
                raise Malformed.at("file", f"is in {encoding}: save it as UTF-8")
            raw = raw.removeprefix(_BOM)
        yield Whole(number, raw[:LINE_BYTES] if cut else raw, cut)
    if number == 0:
        raise Malformed.at("file", "is empty")


def reason_of(error: Exception) -> str:
    """What the operating system, or the library, says went wrong."""
    return (getattr(error, "strerror", None) or str(error)).lower()
