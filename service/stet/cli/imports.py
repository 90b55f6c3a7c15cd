"""`stet import records` and `stet import table`: through a running service, or one that is started meanwhile."""

from __future__ import annotations

import gzip
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

from stet.cli.remote import Remote, served
from stet.cli.terminal import say
from stet.errors import Malformed
from stet.importers.check import dry_run
from stet.importers.deleted import read_deleted
from stet.importers.lines import read_lines
from stet.importers.mapping import Mapping, load_mapping
from stet.importers.publisher import Publisher, Rejects
from stet.importers.records import import_records
from stet.importers.release import import_release
from stet.importers.service import Progress, Service
from stet.importers.state import State
from stet.importers.table import read_table
from stet.queries.cut import parse_said_by
from stet.settings import Settings

_TIMEOUT_S = 120
_BLOCK = 2**20


class Import(NamedTuple):
    """What was asked for."""

    file: Path
    ledger: str
    mapping: str
    remote: Remote | None
    dry_run: bool
    strict: bool
    rejects: Path | None


class _Running(NamedTuple):
    progress: Progress
    state: State
    out: Publisher


def records_here(settings: Settings, asked: Import) -> int:
    """Imports dated records. 1 if a line could not come in."""
    mapping = load_mapping(asked.mapping)
    if asked.dry_run or asked.strict:
        report = dry_run(asked.file, mapping, "records")
        if asked.dry_run:
            print("\n".join(report.lines()))
            return int(bool(report.bad or (asked.strict and report.unmapped)))
        _refuse_unmapped(report.unmapped)
    with ExitStack() as ends:
        running = _begin(settings, asked, mapping, ends, numbered=True)
        last_seq = running.progress.last_seq
        if last_seq is not None:
            say(f"the data set is there up to line {last_seq:,}: this goes on behind it")
        import_records(read_lines(asked.file, say), mapping, running.state, running.out, last_seq, say)
        return _report(running.out)


def table_here(settings: Settings, asked: Import, at: str, *, partial: bool, deleted: Path | None) -> int:
    """Imports a release of a table. 1 if a row could not come in."""
    mapping, said_at = load_mapping(asked.mapping), parse_said_by(at, "--at")
    unmapped = mapping.unmapped(read_table(asked.file, mapping).columns)
    for name in () if asked.strict else unmapped:
        say(f"the column {name} is not in the mapping; it is only kept in the record")
    if asked.dry_run:
        report = dry_run(asked.file, mapping, "table")
        print("\n".join(report.lines()))
        return int(bool(report.bad or (asked.strict and report.unmapped)))
    if asked.strict:
        _refuse_unmapped(unmapped)
    gone = read_deleted(deleted, mapping) if deleted else ()
    with ExitStack() as ends:
        running = _begin(settings, asked, mapping, ends, numbered=False)
        last = running.progress.last_said_at
        if last and said_at < last:
            raise Malformed.at("--at", f"the data set has said something at {last.isoformat()}: releases come in order")
        rows = read_table(asked.file, mapping).rows
        import_release(rows, gone, mapping, running.state, running.out, said_at, partial=partial)
        return _report(running.out)


def _refuse_unmapped(unmapped: tuple[str, ...] | list[str]) -> None:
    if unmapped:
        raise Malformed.at("--strict", f"the mapping neither reads nor ignores {', '.join(unmapped)}")


def _begin(settings: Settings, asked: Import, mapping: Mapping, ends: ExitStack, *, numbered: bool) -> _Running:
    """The service, the data set in it, and its rows as they are."""
    if not asked.file.is_file():
        raise Malformed.at("FILE", f"there is no file {asked.file}")
    rejects = Rejects(asked.rejects or Path(f"{asked.file.name}.rejects.jsonl"))
    ends.enter_context(closing(rejects))
    remote = asked.remote or ends.enter_context(served(settings, settings.data, "--no-worker"))
    client = ends.enter_context(remote.client(_TIMEOUT_S))
    service = Service(client, asked.ledger)
    source_id = service.prepare(mapping, say)
    state = ends.enter_context(State())
    count = state.load((row.key, bytes(row.record)) for row in service.rows(source_id))
    if count > 0:
        say(f"the data set has {count:,} rows")
    progress = service.progress(source_id)
    since = None if numbered else progress.position
    return _Running(progress, state, Publisher(service, source_id, rejects, _progress(asked.file), since))


def _report(out: Publisher) -> int:
    for what, count in out.counts.items():
        print(f"{count:,} {what}")
    if out.rejects.count:
        print(f"{out.rejects.count:,} could not come in: see {out.rejects.path}")
    elif not out.counts:
        print("there was nothing to do")
    return int(out.rejects.count > 0)


def _progress(file: Path) -> Callable[[int], None]:
    """Shows how far an import is: a line that is rewritten on a terminal, a plain line every 5 s elsewhere."""
    total = _count_lines(file)
    terminal = sys.stderr.isatty()
    began = last = time.monotonic()
    first: int | None = None

    def show(done: int) -> None:
        nonlocal last, first
        first = done if first is None else first
        at, finished = time.monotonic(), done >= total
        if at - last < (0.1 if terminal else 5.0) and not (finished and terminal):
            return
        last = at
        rate = (done - first) / (at - began) if at > began else 0.0
        left = f", {(total - done) / rate:,.0f} s left" if rate and not finished else ""
        part = min(done, total) * 100 // max(total, 1)
        line = f"{min(done, total):,} of {total:,} lines ({part} %), {rate:,.0f}/s{left}"
        end = "\n" if finished or not terminal else ""
        print(f"\r\033[K{line}" if terminal else line, end=end, file=sys.stderr, flush=True)

    return show


def _count_lines(file: Path) -> int:
    try:
        with file.open("rb") as plain:
            zipped = plain.read(2) == b"\x1f\x8b"
        with gzip.open(file) if zipped else file.open("rb") as content:
            return sum(block.count(b"\n") for block in _blocks(content))
    except (OSError, EOFError, zlib.error):
        return 0  # the reader says what is wrong with it


def _blocks(content: object) -> Iterator[bytes]:
    while block := content.read(_BLOCK):  # type: ignore[attr-defined]
        yield block
