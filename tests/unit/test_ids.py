"""Ids are UUIDv7."""

from __future__ import annotations

import time

import pytest

from stet import ids


def test_an_id_has_the_version_and_variant_of_a_uuid_7() -> None:
    for _ in range(1_000):
        made = ids.new_id()
        assert made.version == 7
        assert made.variant == "specified in RFC 4122"


def test_an_id_begins_with_the_milliseconds_of_its_making() -> None:
    before, made, after = time.time_ns() // 1_000_000, ids.new_id(), time.time_ns() // 1_000_000
    assert before <= made.int >> 80 <= after


def test_what_is_made_in_a_later_millisecond_sorts_later(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_700_000_000_000_000_000, 1_700_000_001_000_000_000, 1_000_000))
    monkeypatch.setattr(ids.time, "time_ns", lambda: next(clock))
    made = [ids.new_id() for _ in range(1_000)]
    assert made == sorted(made)
    assert [str(id_) for id_ in made] == sorted(str(id_) for id_ in made)


def test_no_id_is_made_twice() -> None:
    assert len({ids.new_id() for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize("random", [b"\x00" * 10, b"\xff" * 10])
def test_no_randomness_spoils_the_fixed_bits(random: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids.time, "time_ns", lambda: 0x0190_0000_0000 * 1_000_000)
    monkeypatch.setattr(ids.os, "urandom", lambda _: random)
    made = ids.new_id()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert str(made).startswith("01900000-0000-7")
