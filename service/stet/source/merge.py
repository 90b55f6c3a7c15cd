"""Two sources that are one: what becomes of their names, and in which order what names one follows."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from stet.errors import Refused
from stet.source.events import Alias, SourceRevised
from stet.source.state import Source

ALIASES_MAX = 200


def refuse_merged(source_id: UUID, into: UUID | None, field: str) -> None:
    """Raises Refused if the source was merged: who names it is told which one it is."""
    if into:
        raise Refused.at(field, f"source {source_id} was merged into {into}: name that one")


def with_names(source: Source, into: Source, reason: str) -> tuple[SourceRevised, ...]:
    """The event by which a source has the names of the other, too; () = it has them.

    Raises Refused where they would be too many.
    """
    names = {into.name, *(alias.name for alias in into.aliases)}
    more: list[Alias] = []
    for alias in (Alias(name=source.name), *source.aliases):
        if alias.name not in names:
            more.append(alias)
            names.add(alias.name)
    if len(into.aliases) + len(more) > ALIASES_MAX:
        detail = f"would have {len(into.aliases) + len(more)} aliases with those of the other; {ALIASES_MAX} at most"
        raise Refused.at("into", detail)
    return (SourceRevised(aliases=(*into.aliases, *more), reason=reason),) if more else ()


def turn_of(stream: str) -> str:
    """When a stream follows: in the order of these. The public log names it, and a hash names no hidden incident."""
    return sha256(stream.encode()).hexdigest()
