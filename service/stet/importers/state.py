"""What a data set's rows are at a moment of an import: on disk, so that its size does not matter."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from types import TracebackType

_TABLES = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE row (key TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE came (key TEXT PRIMARY KEY, line INTEGER NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE numbered (seq INTEGER PRIMARY KEY, digest BLOB NOT NULL);
"""


class State:
    """The rows by key, and what came so far; in a temporary file that goes with the block."""

    def __enter__(self) -> State:
        # Without a name: a temporary file, which SQLite makes when it is needed, and removes.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def load(self, rows: Iterable[tuple[str, bytes]]) -> int:
        """Takes rows as they are; their number."""
        return self._database.executemany("INSERT OR REPLACE INTO row VALUES (?, ?)", rows).rowcount

    def get(self, key: str) -> bytes | None:
        """The row of a key; None: there is none."""
        found = self._database.execute("SELECT record FROM row WHERE key = ?", (key,)).fetchone()
        return bytes(found[0]) if found else None

    def put(self, key: str, record: bytes) -> None:
        self._database.execute("INSERT OR REPLACE INTO row VALUES (?, ?)", (key, record))

    def drop(self, key: str) -> None:
        self._database.execute("DELETE FROM row WHERE key = ?", (key,))

    def came(self, key: str, line: int, content: bytes) -> tuple[int, bool] | None:
        """Remembers that a key came in a line. If it came before: in which line, and whether it was the same."""
        digest = _digest(content)
        found = self._database.execute("SELECT line, digest FROM came WHERE key = ?", (key,)).fetchone()
        if found:
            return int(found[0]), bytes(found[1]) == digest
        self._database.execute("INSERT INTO came VALUES (?, ?, ?)", (key, line, digest))
        return None

    def number(self, seq: int, content: bytes) -> bool | None:
        """Remembers a numbered line. If the number came before: whether it was the same line."""
        digest = _digest(content)
        found = self._database.execute("SELECT digest FROM numbered WHERE seq = ?", (seq,)).fetchone()
        if found:
            return bytes(found[0]) == digest
        self._database.execute("INSERT INTO numbered VALUES (?, ?)", (seq, digest))
        return None

    def missing(self) -> Iterator[str]:
        """The keys of rows that did not come, in their order."""
        found = self._database.execute("SELECT key FROM row EXCEPT SELECT key FROM came ORDER BY key")
        return (str(key) for (key,) in found)


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=16).digest()
