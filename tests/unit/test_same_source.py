"""What follows in an incident when two sources turn out to be one."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Raw
from tests.strategies import json, uuid
from tests.unit.recording import record

from stet.errors import Refused
from stet.incident.claim import Claim, Hop, SaidAt
from stet.incident.events import (
    AttributePinned,
    AttributeUnpinned,
    IncidentOpened,
    StatementCorrected,
    StatementFields,
    StatementRecorded,
)
from stet.incident.same_source import follow, named_in
from stet.incident.state import fold
from stet.source.events import Alias, SourceRevised
from stet.source.merge import turn_of, with_names
from stet.source.state import Source
from stet.values.value import AttributeType

A, B, C, S, I1 = uuid(1), uuid(2), uuid(3), uuid(4), uuid(5)
OPENED = IncidentOpened(title="It", kind="shootdown")


def said(*claims: Claim, speaker: Any = C, chain: tuple[Hop, ...] = (), unknown: bool = False) -> StatementRecorded:
    return StatementRecorded(
        statement_id=S,
        incidents=(I1,),
        speaker=speaker,
        speaker_unknown=unknown,
        chain=chain,
        said_at=SaidAt(),
        claims=claims or (claim("weapon", "text", json("gun")),),
    )


def claim(attribute: str, type_: AttributeType, value: Raw, of: str | None = None, n: int = 0) -> Claim:
    return Claim(claim_id=uuid(0x100 + n), attribute=attribute, type_=type_, value=value, of=of)


def pinned(of: str | None, value: Raw, attribute: str = "responsible", type_: AttributeType = "source") -> Any:
    return AttributePinned(attribute=attribute, type_=type_, of=of, value=value, cites=(S,), rationale="seen")


def following(*events: Any, unknown: tuple[Any, ...] = ()) -> tuple[Any, ...]:
    return follow(fold(record(f"incident:{I1}", OPENED, *events)), {A: B}, unknown, "the same")


def corrected(**fields: Any) -> StatementCorrected:
    claims = fields.pop("claims", ())
    return StatementCorrected(
        statement_id=S, error="reference", set=StatementFields(**fields), claims=claims, reason="the same"
    )


def test_what_names_others_stays() -> None:
    assert following(said()) == ()
    assert following(said(speaker=B, chain=(Hop(C, "relay"),))) == ()


def test_the_speaker_is_the_other_and_as_known_as_he() -> None:
    assert following(said(speaker=A)) == (corrected(speaker=B),)
    assert following(said(speaker=A), unknown=(B,)) == (corrected(speaker=B, speaker_unknown=True),)
    assert following(said(speaker=A, unknown=True)) == (corrected(speaker=B, speaker_unknown=False),)
    assert following(said(speaker=C, unknown=True)) == ()


@pytest.mark.parametrize(
    ("speaker", "before", "after"),
    [
        (C, [(A, "relay")], [(B, "relay")]),
        (C, [(A, "relay"), (B, "reporter")], [(B, "relay")]),
        (C, [(B, "relay"), (A, "reporter")], [(B, "relay")]),
        (A, [(B, "relay")], []),
        (B, [(A, "relay")], []),
    ],
)
def test_nobody_is_twice_in_a_chain(speaker: Any, before: list[Any], after: list[Any]) -> None:
    fields = {"speaker": B} if speaker == A else {}
    expected = corrected(**fields, chain=tuple(Hop(*hop) for hop in after))
    assert following(said(speaker=speaker, chain=tuple(Hop(*hop) for hop in before))) == (expected,)


def test_claims_follow_whole_and_two_on_the_same_thing_are_both_kept() -> None:
    one = claim("killed", "count", json({"min": 1}), f"source:{A}", 1)
    two = claim("killed", "count", json({"min": 2}), f"source:{B}", 2)
    three = claim("responsible", "source", json({"source_id": A}), None, 3)
    after = (
        claim("killed", "count", json({"min": 1}), f"source:{B}", 1),
        claim("responsible", "source", json({"source_id": B}), None, 3),
    )
    state = fold(record(f"incident:{I1}", OPENED, said(one, two, three)))
    assert follow(state, {A: B}, (), "the same") == (corrected(claims=after),)
    assert named_in(state) == {A, B, C}


def test_a_pin_follows_unless_the_desk_has_decided_on_the_other_too() -> None:
    value, other = json({"source_id": str(A)}), json({"source_id": str(B)})
    assert following(said(), pinned(None, value)) == (pinned(None, other),)
    unpinned = AttributeUnpinned(attribute="killed", of=f"source:{A}", reason="the same")
    count = json({"min": 1})
    of_a, of_b = (pinned(f"source:{id_}", count, "killed", "count") for id_ in (A, B))
    assert following(said(), of_a) == (unpinned, of_b)
    assert following(said(), of_a, of_b) == (unpinned,)
    assert following(said(), of_b) == ()


def test_the_other_has_its_names_too_once_each() -> None:
    one = Source(name="MFA", aliases=(Alias(name="XİN", language="az"), Alias(name="Ministry")))
    assert with_names(one, Source(name="Ministry", aliases=(Alias(name="M"),)), "the same") == (
        SourceRevised(
            aliases=(Alias(name="M"), Alias(name="MFA"), Alias(name="XİN", language="az")), reason="the same"
        ),
    )
    assert with_names(Source(name="M"), Source(name="M"), "the same") == ()
    many = tuple(Alias(name=f"{n}") for n in range(200))
    with pytest.raises(Refused):
        with_names(Source(name="M"), Source(name="N", aliases=many), "the same")


def test_the_turn_of_a_stream_names_nothing() -> None:
    assert turn_of("incident:x") == "bb90c59bf25505dc68302fd102b191e61990bc00bb3e0428a33fa14472cbcde0"
