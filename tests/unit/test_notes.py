"""Signed notes: keys, signatures, checkpoints, as C2SP has them."""

from __future__ import annotations

import base64
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import SIGNING_KEY

from stet.offline import Checkpoint, Fault, Key, open_note, parse_key, verify_note
from stet.proofs.keys import SigningKey, signed_note, vkey

LEDGER = UUID("01900000-0000-7000-8000-000000000000")
ORIGIN = f"stet/{LEDGER}"
CHECKPOINT = Checkpoint(ORIGIN, 74, sha256(b"root").digest())
FIRST, SECOND = SigningKey(SIGNING_KEY), SigningKey("11" * 32)
NOTE = signed_note(CHECKPOINT, [FIRST])
BOTH = signed_note(CHECKPOINT, [FIRST, SECOND])
KEYS = [parse_key(vkey(LEDGER, one.public)) for one in (FIRST, SECOND)]

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""A key and a note of another implementation: the example of Go's package golang.org/x/mod/sumdb/note."""


def test_a_key_and_a_note_of_another_implementation() -> None:
    key = parse_key(PETER)
    assert str(key) == PETER
    assert verify_note(PETERS, [key]) == (PETERS.partition("\n\n")[0] + "\n", [key])
    with pytest.raises(Fault, match="no checkpoint"):
        open_note(PETERS, [key])


def test_a_note_is_what_is_signed_and_a_line_of_each_key() -> None:
    """Ed25519 of RFC 8032 gives the same bytes each time."""
    text, _, lines = BOTH.partition("\n\n")
    assert text == f"{ORIGIN}\n74\n{base64.b64encode(CHECKPOINT.root).decode()}"
    assert [line.split(" ")[:2] for line in lines.splitlines()] == [["—", ORIGIN]] * 2
    assert signed_note(CHECKPOINT, [FIRST]) == NOTE
    assert open_note(NOTE, KEYS) == (CHECKPOINT, KEYS[:1])
    assert open_note(BOTH, KEYS) == (CHECKPOINT, KEYS)
    assert open_note(BOTH, KEYS[1:]) == (CHECKPOINT, KEYS[1:])
    assert FIRST.public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def test_a_key_signs_for_one_ledger_by_one_name() -> None:
    other = vkey(UUID(int=1), FIRST.public)
    assert other.split("+")[1] != vkey(LEDGER, FIRST.public).split("+")[1]
    with pytest.raises(Fault, match="none of the keys"):
        open_note(NOTE, [parse_key(other)])


def test_a_bad_signature_beside_a_good_one_is_a_fault() -> None:
    """Of a key that is known; those of others are passed over."""
    first, second = BOTH.splitlines(keepends=True)[-2:]
    name, signature = second.rsplit(" ", 1)
    raw = bytearray(base64.b64decode(signature))
    raw[-1] ^= 1
    wrong = BOTH.replace(second, f"{name} {base64.b64encode(raw).decode()}\n")
    with pytest.raises(Fault, match="is wrong"):
        open_note(wrong, KEYS)
    assert open_note(wrong, KEYS[:1]) == (CHECKPOINT, KEYS[:1])
    assert first in wrong


@given(st.integers(0, len(NOTE) - 1), st.characters(max_codepoint=0x2100, exclude_categories=["Cs"]))
def test_a_changed_character_is_a_fault(at: int, character: str) -> None:
    changed = NOTE[:at] + character + NOTE[at + 1 :]
    if changed != NOTE:
        with pytest.raises(Fault):
            open_note(changed, KEYS)


@pytest.mark.parametrize("text", ["", "a", "a+b", "a+00000000+AA==", PETER[:-1] + "V", PETER.replace("P", "Q", 1)])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - by whichever part is found out first
        parse_key(text)


def test_a_name_is_not_guessed_from_a_hash() -> None:
    assert Key("a", FIRST.public).id != Key("b", FIRST.public).id
