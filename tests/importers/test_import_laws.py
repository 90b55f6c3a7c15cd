"""Whatever the history of a table is, an import of it gives at every cut what a plain replay gives."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Server
from tests.http.asking import read
from tests.importers.running import rows

from stet.cli.imports import Import, records_here, table_here
from stet.cli.remote import Remote
from stet.importers import publisher
from stet.settings import read_settings

MAPPING = """
title = "{name|a row}"
kind = "row"
key = ["id"]
optional = ["name", "size"]
source = { name = "The data set" }
attributes = [{ name = "label", type = "text", rule = "latest" }]
claims = [{ attribute = "label", type = "text", column = "name" }]
"""
KEYS = ("a", "B", "ключ", "k" * 500, 'quo"te', "b|ar", "back\\slash", "com,ma", "\U0001f600", "\uffff", "{x}", "null")
COLUMNS = ("name", "size", "при мечание", 'q"', "")
TIMES = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=n // 2, microseconds=n % 2) for n in range(8)]
_names = itertools.count()

# Once: the other tests of records run on every PostgreSQL.
pytestmark = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")

texts = st.one_of(st.sampled_from(["x", "null", "=1+1", "a\r\nb\u2028c", 'q"q', "’"]), st.text(max_size=20)).map(
    lambda text: "".join(c for c in text if c != "\0" and not "\ud800" <= c <= "\udfff")
)
numbers = st.sampled_from(["0", "-0", "1.10", "1E5", "0.1", "12345678901234567890123"])
values = st.one_of(texts.map(json.dumps), numbers, st.sampled_from(["null", "true", '{"b":1,"a":[1.0]}', "[]"]))
"""The bytes of a value, which must come back as they are."""


def cells(value: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    """A record, by column; the mapped column has a text."""
    others = st.dictionaries(st.sampled_from(COLUMNS[1:]), value, max_size=4)
    return st.tuples(others, texts.map(json.dumps)).map(lambda pair: {"name": pair[1], **pair[0]})


def written(record: dict[str, str], *, escaped: bool = False) -> str:
    """Its text. The bytes of the values come back as they were; the names of columns come back without escapes."""
    names = {name: json.dumps(name, ensure_ascii=escaped) for name in record}
    return "{" + ",".join(f"{names[name]}:{value}" for name, value in record.items()) + "}"


class Came(NamedTuple):
    """What the oracle says of a line that comes in."""

    seq: int
    t: datetime
    key: str
    record: str | None


class History(NamedTuple):
    lines: list[str]
    came: list[Came]
    refused: list[int]
    """The numbers of the lines that cannot be applied."""


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Dated records, and what becomes of each: by a plain dictionary."""
    table: dict[str, dict[str, str]] = {}
    made = History([], [], [])
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True))
    seq, at = draw(st.sampled_from([0, 1, 2**40])), 0
    for _ in range(draw(st.integers(1, 20))):
        if made.lines and draw(st.integers(0, 9)) == 0:
            made.lines.append(draw(st.sampled_from(made.lines)))  # a repetition, perhaps of a refused line
            continue
        seq += draw(st.sampled_from([1, 1, 1, 5]))
        at = draw(st.sampled_from([at, at, min(at + 1, 7), min(at + 2, 7), max(at - 3, 0)]))
        key = draw(st.sampled_from(keys))
        op = draw(st.sampled_from(["create", "update", "set", "delete"]))
        head = {"seq": seq, "t": TIMES[at].isoformat(), "rev": "r", "op": "update" if op == "set" else op, "key": key}
        escaped = draw(st.booleans())
        line = json.dumps(head, ensure_ascii=escaped)[:-1]
        before = table.get(key)
        if op in ("create", "update"):
            table[key] = draw(cells(values))
            line += f',"rec":{written(table[key], escaped=escaped)}'
        elif op == "set":
            changed = draw(cells(values))
            gone = draw(st.lists(st.sampled_from(COLUMNS), max_size=2))
            line += f',"set":{written(changed, escaped=escaped)},"unset":{json.dumps(gone)}'
            if before is not None:
                table[key] = {name: cell for name, cell in {**before, **changed}.items() if name not in gone}
        elif before is not None:
            del table[key]
        made.lines.append(line + "}")
        if before is None and op in ("set", "delete"):
            made.refused.append(seq)
        else:
            made.came.append(Came(seq, TIMES[at], key, written(table[key]) if key in table else None))
    return made


def replay(came: list[Came], until: datetime = TIMES[-1]) -> dict[str, str]:
    """The table of the lines that had been said by then: what the last of each key, as recorded, says."""
    last = {one.key: one.record for one in came if one.t <= until}
    return {key: record for key, record in last.items() if record is not None}


class Broken(Exception):
    """The end of an import in its middle."""


def breaking(after: int, *, sent: bool) -> Callable[..., httpx.Response]:
    """Sends requests, until so many chunks are through; `sent`: the next one gets through, too, and breaks off then."""
    send, left = httpx.Client.send, [after]

    def broken(client: httpx.Client, request: httpx.Request, **how: Any) -> httpx.Response:
        chunk = request.method == "POST" and request.url.path.endswith("/records")
        left[0] -= chunk
        if not chunk or left[0] >= 0:
            return send(client, request, **how)
        if sent:
            send(client, request, **how)
        raise Broken

    return broken


class Place(NamedTuple):
    """Where an example is imported to."""

    client: httpx.Client
    folder: Path
    name: str

    @property
    def ledger(self) -> str:
        return f"/v1/ledgers/{self.name}"

    def asked(self, content: str) -> Import:
        file, mapping = self.folder / f"{self.name}.in", self.folder / "mapping.toml"
        file.write_bytes(content.encode())
        mapping.write_text(MAPPING)
        rejects = self.folder / f"{self.name}.rejects"
        return Import(file, self.name, str(mapping), Remote(str(self.client.base_url), None), False, False, rejects)

    def records(self, history: History) -> int:
        return records_here(read_settings(), self.asked("\n".join(history.lines)))

    def table(
        self, table: dict[str, dict[str, str]], columns: list[str], at: datetime, *, partial: bool = False
    ) -> int:
        output = io.StringIO()
        writer = csv.writer(output)
        writer.writerows([["id", *columns], *([key, *(row[c] for c in columns)] for key, row in table.items())])
        return table_here(read_settings(), self.asked(output.getvalue()), at.isoformat(), partial=partial, deleted=None)

    def source(self) -> str:
        (one,) = read(self.client.get(f"{self.ledger}/sources"))["items"]
        return one["source_id"]

    def rows(self, **cut: str) -> dict[str, str]:
        return rows(self.client, self.ledger, self.source(), **cut)

    def head(self) -> int:
        return int(read(self.client.get(f"{self.ledger}/records/{self.source()}"))["cut"]["position"])

    def refused(self) -> int:
        file = self.folder / f"{self.name}.rejects"
        return len(file.read_bytes().splitlines()) if file.exists() else 0


@pytest.fixture
def here(client: httpx.Client, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Imports in this process, in chunks of three lines, so that few lines are many chunks."""
    monkeypatch.setattr(publisher, "_LINES", 3)
    return Place(client, tmp_path, "")


def another(here: Place) -> Place:
    return here._replace(name=f"law-{here.folder.name[-1]}-{next(_names)}-{hash(here.folder) % 10**6}")


def said_by(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def check_records(place: Place, history: History) -> None:
    """At every boundary of said time, just before it, and as of some positions."""
    for moment in TIMES:
        assert place.rows(said_by=said_by(moment)) == replay(history.came, moment), moment
        before = moment - timedelta(microseconds=1)
        assert place.rows(said_by=said_by(before)) == replay(history.came, before), before
    assert place.rows() == replay(history.came)
    head = place.head()
    for position in range(4, head + 1, max(head // 4, 1)):
        cut = {"as_of": f"position:{position}"}
        last = place.client.get(f"{place.ledger}/records/{place.source()}", params=cut)
        if last.status_code == 404:
            continue  # the data set was not there yet
        seq = read(last)["last_seq"]
        came = [one for one in history.came if seq is not None and one.seq <= seq]
        assert place.rows(**cut) == replay(came), position
        both = cut | {"said_by": said_by(TIMES[3])}
        assert place.rows(**both) == replay(came, TIMES[3]), position


@settings(max_examples=5)
@given(history=histories())
def test_dated_records_give_the_table_of_every_moment(history: History, here: Place) -> None:
    """What cannot be applied is among the rejects, once; the same file again does nothing."""
    place = another(here)
    assert place.records(history) == int(bool(history.refused))
    assert place.refused() == len(history.refused)
    check_records(place, history)
    head = place.head()
    last = max((one.seq for one in history.came), default=-1)
    assert place.records(history) == int(any(seq > last for seq in history.refused))
    assert place.refused() == len(history.refused)
    assert place.head() == head


@settings(max_examples=5)
@given(history=histories(), breaks=st.lists(st.integers(0, 4), min_size=1, max_size=3), sent=st.booleans())
def test_an_import_that_breaks_off_anywhere_ends_as_if_it_had_not(
    history: History, breaks: list[int], sent: bool, here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a chunk is sent, or after it was recorded and before the answer is seen; again and again."""
    place = another(here)
    for after in breaks:
        with monkeypatch.context() as patched:
            patched.setattr(httpx.Client, "send", breaking(after, sent=sent))
            with contextlib.suppress(Broken):
                place.records(history)
    place.records(history)
    assert place.refused() == len(history.refused)
    check_records(place, history)
    statements = read(place.client.get(f"{place.ledger}/statements?limit=1000"))["items"]
    assert len(statements) == len(history.came), "a statement or a retraction for each"


@st.composite
def releases(draw: st.DrawFn) -> list[tuple[datetime, dict[str, dict[str, str]], list[str], bool]]:
    """Releases in their order, ties among them; some are only a part of the table."""
    made, at = [], 0
    columns = draw(st.lists(st.sampled_from(COLUMNS[1:4]), max_size=3, unique=True))
    for _ in range(draw(st.integers(1, 4))):
        columns = ["name", *draw(st.permutations(columns))]
        row = st.fixed_dictionaries(dict.fromkeys(columns, texts))
        table = draw(st.dictionaries(st.sampled_from(KEYS[:6]), row, min_size=1, max_size=5))
        made.append((TIMES[at], table, columns, draw(st.sampled_from([False, False, True]))))
        at = min(at + draw(st.sampled_from([0, 1, 3])), 7)
        columns = columns[1:]
    return made


@settings(max_examples=4)
@given(releases=releases())
def test_releases_give_the_table_of_every_moment(
    releases: list[tuple[datetime, dict[str, dict[str, str]], list[str], bool]], here: Place
) -> None:
    """Each by its time and by its position; each, imported again at once, does nothing."""
    place = another(here)
    table: dict[str, dict[str, str]] = {}
    vintages: list[tuple[datetime, int, dict[str, dict[str, str]]]] = []
    for at, release, columns, partial in releases:
        table = {**(table if partial else {}), **{key: {"id": key, **row} for key, row in release.items()}}
        for _ in range(2):
            assert place.table(release, columns, at, partial=partial) == 0
        head = place.head()
        assert place.table(release, columns, at, partial=partial) == 0
        assert place.head() == head
        vintages.append((at, head, table))
    for at, position, table in vintages:
        found = place.rows(as_of=f"position:{position}")
        assert {key: json.loads(row) for key, row in found.items()} == table
        of_then = [one for one in vintages if one[0] <= at][-1][2]
        found = place.rows(said_by=said_by(at))
        assert {key: json.loads(row) for key, row in found.items()} == of_then
    assert place.rows(said_by=said_by(TIMES[0] - timedelta(microseconds=1))) == {}
