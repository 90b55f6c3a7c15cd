"""What resolution does not hang on: the order of recording, and who else passed a statement on."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.property.disputes import ANYTHING, TIED, Subject, disputes
from tests.property.oracle_cuts import Events, many, told
from tests.strategies import Draw, World, histories, uuid

from stet.incident.claim import Hop
from stet.incident.resolve import resolve
from stet.incident.state import Incident, fold


@pytest.mark.parametrize("about", [ANYTHING, TIED], ids=["anything", "tied"])
def test_the_order_of_recording_decides_nothing(about: Subject) -> None:
    """Statements recorded in another order resolve alike, but for those of one speaker at one time."""
    reached: Counter[str] = Counter()

    @settings(max_examples=80)
    @given(disputes(about, least=10, most=18), st.data())
    def look(events: Events, data: st.DataObject) -> None:
        state = fold(events)
        other = in_another_order(state, data.draw)
        assert told(other) == told(state)
        if list(other.statements) != list(state.statements):
            reached["another order"] += 1
            reached["a dispute"] += any(one.dissenting for one in resolve(state))

    look()
    assert reached["another order"] >= 60
    assert reached["a dispute"] >= 40


def in_another_order(state: Incident, draw: Draw) -> Incident:
    """The incident as if it had been recorded in another order. Of one speaker at one time the later stays newer."""
    recorded = sorted(state.statements.values(), key=lambda said: said.position)
    places = draw(st.permutations([said.position for said in recorded]))
    shuffled = {said.statement_id: n for said, n in zip(recorded, places, strict=True)}
    of_one: dict[Any, list[UUID]] = {}
    for said in recorded:
        of_one.setdefault((said.speaker, *said.said), []).append(said.statement_id)
    for ids in of_one.values():
        shuffled |= zip(ids, sorted(shuffled[id_] for id_ in ids), strict=True)
    moved = [replace(said, position=shuffled[said.statement_id]) for said in recorded]
    return replace(state, statements={said.statement_id: said for said in sorted(moved, key=lambda s: s.position)})


@many
@given(histories())
def test_a_relay_never_raises_the_number_of_speakers(world: World) -> None:
    """Nobody counts for more because another is added to a chain."""
    relay = uuid(0x999)
    for state in world.incidents.values():
        before = {(one.attribute, one.of): one for one in resolve(state)}
        for id_, said in state.statements.items():
            relayed = replace(said, chain=(*said.chain, Hop(relay, "relay")))
            after = resolve(replace(state, statements={**state.statements, id_: relayed}))
            for one in after:
                assert one.speakers <= before[one.attribute, one.of].speakers
