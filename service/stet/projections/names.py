"""PURE: what sources and documents are called, so that they are found by it. Joined when read, at the cut."""

from __future__ import annotations

from typing import Any

from stet.document.state import Document
from stet.incident.row import within_bounds
from stet.projections.projection import Change, Events, Projection, Table, id_of, kind_of
from stet.projections.record import tsvector
from stet.source.state import Source
from stet.streams import fold
from stet.values.words import words

_NAMES = Table(name="name_history", key=("kind", "id"), id="id", kind="h.kind")


def step(state: Source | Document | None, append: Events) -> tuple[Any, tuple[Change, ...]]:
    """The source or document after an append, and its words, if they are others than before."""
    after = fold(append[0].stream, append, state)
    return after, change_of(append[0].stream, state, after)


def change_of(stream: str, before: Source | Document | None, after: Source | Document) -> tuple[Change, ...]:
    """What leads from one state of a source or document to another. No state, or version 0: it did not exist."""
    known = before is not None and before.version > 0
    found = names_of(after)
    if before is not None and known and found == names_of(before):
        return ()
    key = (kind_of(stream), id_of(stream))
    row = {"kind": key[0], "id": key[1], "words": tsvector(found)}
    return (Change(_NAMES, [key] if known else [], [row]),)


def names_of(state: Source | Document) -> tuple[str, ...]:
    """The words by which a source or a document is found."""
    if isinstance(state, Source):
        return tuple(within_bounds(words(state.name, *(alias.name for alias in state.aliases))))
    return tuple(within_bounds(words(state.title, *(version.headline for version in state.versions.values()))))


PROJECTION = Projection(
    name="name_history", version=1, inline=True, kinds=("source", "document"), tables=(_NAMES,), step=step
)
