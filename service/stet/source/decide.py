"""What a command on a source leads to."""

from __future__ import annotations

from typing import assert_never
from uuid import UUID

from msgspec import UNSET

from stet.errors import Cycle, Malformed, NameTaken, NotFound, UnknownReference
from stet.source.commands import RegisterSource, ReviseSource, SourceCommand
from stet.source.events import SourceEvent, SourceRegistered, SourceRevised
from stet.source.state import REVISABLE, Source


def decide(
    command: SourceCommand, state: Source, source_id: UUID, ancestors: tuple[UUID, ...]
) -> tuple[SourceEvent, ...]:
    """The events that the command leads to; () = nothing to do. Raises StetError where the rules say no.

    `ancestors` are the registered sources from the command's parent upwards; () = the parent is unknown.
    """
    if command.parent and not ancestors:
        raise UnknownReference.at("parent", f"there is no source {command.parent}")
    match command:
        case RegisterSource():
            if state.version:
                raise NameTaken(f"there is a source {source_id} already")
            return (SourceRegistered(**{name: getattr(command, name) for name in REVISABLE}),)
        case ReviseSource(reason=reason):
            if state.version == 0:
                raise NotFound(f"there is no source {source_id}")
            if source_id in ancestors:
                raise Cycle.at("parent", "a source cannot be its own ancestor")
            given = {name: value for name in REVISABLE if (value := getattr(command, name)) is not UNSET}
            if not given:
                raise Malformed.at("reason", "a revision must change something: give one of " + ", ".join(REVISABLE))
            changed = {name: value for name, value in given.items() if value != getattr(state, name)}
            return (SourceRevised(reason=reason, **changed),) if changed else ()
        case _ as never:
            assert_never(never)
