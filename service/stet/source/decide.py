"""What a command on a source leads to."""

from __future__ import annotations

from typing import assert_never
from uuid import UUID

from msgspec import UNSET

from stet.errors import Cycle, Malformed, NameTaken, NotFound, Refused, UnknownReference
from stet.source.commands import MergeSource, RegisterSource, ReviseSource, SourceCommand
from stet.source.events import SourceEvent, SourceMerged, SourceRegistered, SourceRevised
from stet.source.state import REVISABLE, Source


def decide(
    command: SourceCommand, state: Source, source_id: UUID, ancestors: tuple[UUID, ...]
) -> tuple[SourceEvent, ...]:
    """The events that the command leads to; () = nothing to do. Raises StetError where the rules say no.

    `ancestors` are the registered sources from the command's parent, or from `into`, upwards; () = it is unknown.
    """
    field, named = ("into", command.into) if isinstance(command, MergeSource) else ("parent", command.parent)
    if named and not ancestors:
        raise UnknownReference.at(field, f"there is no source {named}")
    if isinstance(command, RegisterSource):
        if state.version:
            raise NameTaken(f"there is a source {source_id} already")
        return (SourceRegistered(**{name: getattr(command, name) for name in REVISABLE}),)
    if state.version == 0:
        raise NotFound(f"there is no source {source_id}")
    match command:
        case MergeSource():
            return _merge(command, state, source_id, ancestors)
        case ReviseSource():
            return _revise(command, state, source_id, ancestors)
        case _ as never:
            assert_never(never)


def _merge(
    command: MergeSource, state: Source, source_id: UUID, ancestors: tuple[UUID, ...]
) -> tuple[SourceMerged, ...]:
    if state.merged and state.merged.into == command.into:
        return ()
    if state.merged:
        raise Refused(f"the source was merged into {state.merged.into}, for ever")
    if command.into == source_id:
        raise Refused.at("into", "a source is not merged into itself")
    if source_id in ancestors:
        raise Cycle.at("into", "is below this source: merge that one into this, or give it another parent first")
    return (SourceMerged(into=command.into, reason=command.reason),)


def _revise(
    command: ReviseSource, state: Source, source_id: UUID, ancestors: tuple[UUID, ...]
) -> tuple[SourceRevised, ...]:
    if state.merged:
        raise Refused(f"the source was merged into {state.merged.into}: revise that one")
    if source_id in ancestors:
        raise Cycle.at("parent", "a source cannot be its own ancestor")
    given = {name: value for name in REVISABLE if (value := getattr(command, name)) is not UNSET}
    if not given:
        raise Malformed.at("reason", "a revision must change something: give one of " + ", ".join(REVISABLE))
    changed = {name: value for name, value in given.items() if value != getattr(state, name)}
    return (SourceRevised(reason=command.reason, **changed),) if changed else ()
