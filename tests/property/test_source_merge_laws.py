"""What a merge of sources comes to: the history in which the one had been named as the other from the start."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.property.oracle_cuts import many
from tests.strategies import (
    Draw,
    World,
    accept_one,
    correct_one,
    cut,
    histories,
    merge_sources,
    move_one,
    pick,
    record_one,
    retract_one,
)

from stet import codec
from stet.handle.revision import revise_incident
from stet.handle.source_merge import go_on, merge_source
from stet.incident import state as incident_state
from stet.incident.commands import PinAttribute
from stet.incident.state import Incident
from stet.incident.view import view
from stet.source.commands import MergeSource

DROPPED = {"version", "updated_at", "corrections", "cut", "proposals", "pinned_by"}
"""Of a merge a view may tell that our record was corrected, and when; proposals stay as they were proposed."""


def shown(state: Incident) -> Any:
    return without(json.loads(msgspec.json.encode(view(state, {}, cut(state.position)))))


def without(value: Any) -> Any:
    match value:
        case dict():
            return {name: without(its) for name, its in value.items() if name not in DROPPED}
        case list() | tuple():
            return [without(one) for one in value]
        case _:
            return value


def as_if(world: World, stream: str, was: UUID, into: UUID, *, unknown: bool) -> Incident:
    """The incident by the same payloads, with the one source wherever they name the other; nobody relays twice."""
    events = []
    speakers = {id_: said.speaker for id_, said in world.states[stream].statements.items()}
    for recorded, stored in zip(world.log, world.payloads, strict=True):
        if recorded.stream == stream:
            payload = stored.decode().replace(str(was), str(into))
            event = codec.decode(recorded.type, recorded.schema_version, payload, recorded.position)
            events.append(replace(recorded, event=event))
    state = incident_state.fold(events)
    statements = {}
    for id_, said in state.statements.items():
        seen, chain = [said.speaker], []
        for hop in said.chain:
            chain += [hop] if hop.source_id not in seen else []
            seen.append(hop.source_id)
        doubtful = unknown if speakers[id_] == was else said.speaker_unknown
        statements[id_] = replace(said, chain=tuple(chain), speaker_unknown=doubtful)
    return replace(state, statements=statements)


def pin_what_names(world: World, source_id: UUID) -> None:
    """Pins, where it can be pinned, what a claim says that names a source."""
    for incident_id, state in world.incidents.items():
        for said in state.statements.values():
            for claim in said.claims.values():
                if claim.attribute and str(source_id) in f"{claim.of}{bytes(claim.value).decode()}":
                    command = PinAttribute(
                        attribute=claim.attribute,
                        of=claim.of,
                        value=claim.value,
                        cites=(said.statement_id,),
                        rationale="seen",
                    )
                    world.write(lambda command=command, id_=incident_id: revise_incident(command, id_, ""))


def two_of(world: World, draw: Draw) -> tuple[UUID, UUID] | None:
    """A source that can be merged, and another one."""
    free = [id_ for id_ in world.sources if not world.publishes(id_)]
    if not free or len(world.sources) < 2:
        return None
    was = pick(draw, *free)
    return was, pick(draw, *(id_ for id_ in world.sources if id_ != was))


def test_a_merge_comes_to_a_history_in_which_the_sources_were_always_one() -> None:
    reached: Counter[str] = Counter()

    @settings(max_examples=250)
    @given(histories(), st.data())
    def look(world: World, data: st.DataObject) -> None:
        if not (two := two_of(world, data.draw)):
            return
        was, into = two
        if data.draw(st.booleans()):
            pin_what_names(world, was)
        before = {stream: state for stream, state in world.states.items() if stream.startswith("incident:")}
        unknown = world.of("source")[into].kind == "unknown"
        expected = {stream: as_if(world, stream, was, into, unknown=unknown) for stream in before}
        if not world.write(lambda: merge_source(MergeSource(into=into, reason="the same"), was, "")):
            return
        for stream, old in before.items():
            new = world.states[stream]
            pinned = [(pin.attribute, (pin.of or "").replace(str(was), str(into))) for pin in old.pins]
            if len(pinned) == len(set(pinned)):
                assert shown(new) == shown(expected[stream])
            assert str(was) not in json.dumps(shown(new))
            reached["changed"] += new != old
            reached["pins"] += new.pins != old.pins
            reached["hops"] += any(
                len(new.statements[id_].chain) < len(old.statements[id_].chain) for id_ in new.statements
            )

    look()
    assert reached["changed"] >= 60
    assert reached["pins"] >= 5
    assert reached["hops"] >= 5


def assert_none_is_named(world: World) -> None:
    merged = {str(id_) for id_, source in world.of("source").items() if source.merged}
    for id_, state in world.incidents.items():
        assert not {one for one in merged if one in json.dumps(shown(state))}, id_
    for document in world.documents.values():
        assert str(document.publisher) not in merged
    for source in world.of("source").values():
        assert source.merged or str(source.parent) not in merged


@many
@given(histories(steps=24))
def test_whatever_is_merged_moved_and_accepted_no_merged_source_is_named_at_the_head(world: World) -> None:
    assert_none_is_named(world)


def under_way(world: World) -> UUID | None:
    """A source that others have not followed yet into the one that it was merged into."""
    sources = sorted(world.of("source").items())
    return next((id_ for id_, source in sources if source.merged and source.merged.reached), None)


def test_part_by_part_it_comes_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while the desk goes on in streams that have followed, and in streams that have not."""
    monkeypatch.setattr("stet.handle.source_merge._STREAMS", 1)
    reached: Counter[str] = Counter()

    @settings(max_examples=120)
    @given(histories(), st.data())
    def look(world: World, data: st.DataObject) -> None:
        if two := two_of(world, data.draw):
            was, into = two
            world.write(lambda: merge_source(MergeSource(into=into, reason="the same"), was, ""))
        # The desk may merge more of them meanwhile.
        while under_way := [
            id_ for id_, one in sorted(world.of("source").items()) if one.merged and one.merged.reached
        ]:
            id_ = under_way[0]
            while world.states[f"source:{id_}"].merged.reached:
                step = pick(data.draw, move_one, record_one, correct_one, retract_one, accept_one, merge_sources)
                if world.statements:
                    step(data.draw, world)
                world.must(lambda id_=id_: go_on(id_))
                reached["parts"] += 1
            assert world.decide(go_on(id_)).events == []
        assert_none_is_named(world)

    look()
    assert reached["parts"] >= 60
