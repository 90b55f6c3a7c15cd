"""The mapping of a data set: a TOML file that says what each column of a row claims. docs/mappings.md has every key."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, ValidationError

from stet.errors import FieldError, Malformed
from stet.importers.cells import LINE_MAX, Cells, check_key, lookup
from stet.importers.faults import faults
from stet.importers.mapped import BadCell, BadRow, Mapped, MappedClaim, shown
from stet.importers.rules import (
    PLACEHOLDER,
    CertaintyTable,
    ClaimRule,
    CodedKind,
    Column,
    FileForm,
    Header,
    Missing,
    SourceTable,
    TagColumn,
    When,
)
from stet.importers.times import read_when
from stet.importers.values import read_values
from stet.incident.claim import Certainty
from stet.ledger.commands import DefineAttribute
from stet.values.explain import explain
from stet.values.text import Slug

FOLDER = Path(__file__).parent / "mappings"
SHIPPED = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
_FILE_MAX = 1_000_000
_TAGS_MAX = 100


class Mapping(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """How the rows of one data set become incidents and claims."""

    source: SourceTable
    key: Annotated[tuple[Column, ...], Meta(max_length=20)] = ()
    """The columns that tell rows apart. Dated records have their key beside the record."""
    title: Annotated[str, Meta(min_length=1, max_length=1_000)]
    kind: Slug | CodedKind
    tags: tuple[Slug | TagColumn, ...] = ()
    said_at: When | None = None
    """When the data set said what a row says; default: the time of the record, or of the release."""
    file: FileForm = FileForm()
    headers: tuple[Header, ...] = ()
    missing_: Missing = msgspec.field(name="missing", default=())
    """Values that say nothing, beside the empty one."""
    optional: tuple[Column, ...] = ()
    """Columns that a file may lack."""
    ignored: tuple[Column, ...] = ()
    """Columns that are only kept in the record."""
    attributes: tuple[DefineAttribute, ...] = ()
    claims: Annotated[tuple[ClaimRule, ...], Meta(max_length=1_000)] = ()

    def apply(self, record: dict[str, Any], line: int, key: str = "") -> Mapped:
        """What one row is and claims. `key`, that of a dated record, goes before the key columns.

        Raises BadRow naming the column, and the text that does not fit.
        """
        try:
            cells = self._cells(record)
            key = check_key(key or self._key(cells), "key")
            kind = self._kind(cells)
            return Mapped(
                key=key,
                title=self._title(cells) or f"{kind} {key}",
                kind=kind,
                tags=tuple(dict.fromkeys(self._tags(cells)))[:_TAGS_MAX],
                said_at=_said_at(self.said_at, cells),
                claims=tuple(claim for rule in self.claims for claim in _claims(rule, cells)),
            )
        except BadCell as error:
            raise BadRow(line, str(error)) from error

    def key_of(self, record: dict[str, Any], line: int) -> str:
        """The key of a row by its columns, whatever the others hold. Raises BadRow."""
        try:
            return check_key(self._key(self._cells({name: record.get(name) for name in self.key})), "key")
        except BadCell as error:
            raise BadRow(line, str(error)) from error

    def keys_only(self) -> Mapping:
        """The mapping of a file that need only have the key columns, such as a list of deleted rows."""
        return Mapping(source=self.source, key=self.key, title="-", kind="-", file=self.file, missing_=self.missing_)

    def columns(self) -> list[str]:
        """Every column that is read, once, in the order of the mapping."""
        return list(dict.fromkeys(self._columns()))

    def unmapped(self, columns: Iterable[str]) -> list[str]:
        """Those of a file's columns that the mapping neither reads nor ignores."""
        known = {*self._columns(), *self.ignored}
        return [column for column in columns if column not in known]

    def missing(self, columns: Iterable[str]) -> list[str]:
        """The columns that the mapping needs and the file lacks."""
        there = {*columns, *self.optional}
        return [column for column in self.columns() if column not in there]

    def _cells(self, record: dict[str, Any]) -> Cells:
        return Cells(record, self.file, frozenset(self.missing_))

    def _columns(self) -> Iterator[str]:
        yield from self.key
        yield from (found[1] for found in PLACEHOLDER.finditer(self.title))
        if isinstance(self.kind, CodedKind):
            yield self.kind.column
        yield from (tag.column for tag in self.tags if isinstance(tag, TagColumn))
        if self.said_at:
            yield from self.said_at.columns()
        for rule in self.claims:
            yield from rule.columns()

    def _key(self, cells: Cells) -> str:
        """The key columns, joined by bars; a bar within a part is escaped, so no two rows meet by it."""
        parts = []
        for column in self.key:
            part = cells.code(column)
            if part is None:
                raise BadCell(column, "is missing, and is the row's key")
            parts.append(part)
        if len(parts) < 2:
            return "".join(parts)
        return "|".join(part.replace("\\", r"\\").replace("|", r"\|") for part in parts)

    def _title(self, cells: Cells) -> str:
        def filled(found: re.Match[str]) -> str:
            return cells.get(found[1]) or ("?" if found[2] is None else found[2])

        title = " ".join(PLACEHOLDER.sub(filled, self.title).split())
        return title if len(title) <= LINE_MAX else f"{title[: LINE_MAX - 1]}…"

    def _kind(self, cells: Cells) -> str:
        if isinstance(self.kind, str):
            return self.kind
        code = cells.code(self.kind.column)
        kind = self.kind.default if code is None else self.kind.codes.get(code, self.kind.default)
        if kind is None:
            what = "is missing" if code is None else f"{shown(code)} is not a known code"
            raise BadCell(self.kind.column, f"{what}, and gives the kind; known: {', '.join(self.kind.codes)}")
        return kind

    def _tags(self, cells: Cells) -> Iterator[str]:
        for tag in self.tags:
            if isinstance(tag, str):
                yield tag
            elif text := cells.get(tag.column):
                parts = text.split(tag.separator) if tag.separator else [text]
                yield from (slug for part in parts if (slug := slug_of(part)))


_DECODER = msgspec.json.Decoder(Mapping)


def load_mapping(path_or_name: str | Path) -> Mapping:
    """The mapping of a TOML file, or one that ships with Stet, by its name.

    Raises Malformed naming every fault by its key, as claims[3].column, or by its line where the file is no TOML.
    """
    path = Path(path_or_name)
    if str(path_or_name) in SHIPPED:
        path = FOLDER / f"{path_or_name}.toml"
    try:
        with path.open("rb") as file:
            content = file.read(_FILE_MAX + 1)
    except (OSError, ValueError) as error:
        what = f"is neither a file that can be read nor one of those that ship: {', '.join(SHIPPED)}"
        raise Malformed.at("mapping", f"{shown(str(path_or_name))} {what}") from error
    return read_mapping(content)


def read_mapping(content: bytes) -> Mapping:
    """The mapping of the bytes of a TOML file. Raises Malformed like load_mapping."""
    if len(content) > _FILE_MAX:
        raise Malformed.at("mapping", f"is larger than {_FILE_MAX:,} bytes")
    try:
        raw = msgspec.json.encode(tomllib.loads(content.decode("utf-8-sig")))
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise Malformed.at("mapping", f"is not TOML in UTF-8: {error}") from error
    try:
        mapping = _DECODER.decode(raw)
        found = faults(mapping)
    except ValidationError as error:
        found = explain(error, raw, Mapping, "")
    if found:
        raise _malformed(found)
    return mapping


def make_mapping_schema() -> bytes:
    """The JSON Schema of a mapping, as openapi/mapping.schema.json has it."""
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "The mapping of a data set"}
    document = about | msgspec.json.schema(Mapping)
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def slug_of(text: str) -> str:
    """The text in lower case, its words joined by hyphens; empty where no letter of a to z nor digit is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:100].strip("-")


def _malformed(found: list[FieldError]) -> Malformed:
    return Malformed("; ".join(f"{error.field}: {error.detail}" for error in found), tuple(found))


def _said_at(when: When | None, cells: Cells) -> dict[str, Any] | None:
    return read_when(when, cells) if when else None


def _claims(rule: ClaimRule, cells: Cells) -> Iterator[MappedClaim]:
    values = read_values(rule, cells)
    if not values:
        return
    certainty = _certainty(rule, cells)
    verbatim = cells.prose(rule.verbatim) if rule.verbatim else None
    note = cells.prose(rule.note) if rule.note else None
    for value in values:
        yield MappedClaim(
            attribute=rule.attribute,
            of=rule.of,
            value=value,
            act=rule.act,
            certainty=certainty,
            verbatim=verbatim,
            note=note,
        )


def _certainty(rule: ClaimRule, cells: Cells) -> Certainty:
    table = rule.certainty
    if not isinstance(table, CertaintyTable):
        return table
    code = cells.code(table.column)
    if code is None:
        return "plain"
    found: Certainty = lookup(table.codes, code, table.column)
    return found
