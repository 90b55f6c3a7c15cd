"""What a forger, or a disk, gives to the offline check: each is a fault in one line, and nothing false is proven."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from tests.conftest import SIGNING_KEY
from tests.unit.test_tombstones import INCIDENT, KEY, LEDGER, Row, answer_of, event, log_of

from stet.offline import Checkpoint, run
from stet.proofs.keys import SigningKey, origin_of, signed_note, vkey

VKEY = vkey(LEDGER, KEY.public)
ROWS = [event(1, "incident-opened", "{}"), event(2, "incident-amended", '{"a":1}')]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, list[str]]]:
    """The exit code and the lines of the check of a file beside checkpoints."""

    def check(content: bytes | str, *notes: bytes | str) -> tuple[int, list[str]]:
        files = [tmp_path / f"file{n}" for n in range(len(notes) + 1)]
        for file, its in zip(files, (content, *notes), strict=True):
            file.write_bytes(its if isinstance(its, bytes) else its.encode())
        code = run(files[0], files[1:], [VKEY])
        printed = capsys.readouterr()
        assert not printed.err or code == 2
        return code, (printed.out + printed.err).splitlines()

    return check


def note(size: int, root: bytes = bytes(32)) -> str:
    return signed_note(Checkpoint(origin_of(LEDGER), size, root), [KEY])


def altered(change: Callable[[Row], object]) -> str:
    answer = answer_of(ROWS)
    change(answer)
    return json.dumps(answer)


SEALED = b'{"format":"stet-log","version":1'
ANSWERS: dict[str, str | bytes] = {
    "not UTF-8": b"\xff\xfe\xfa",
    "nothing": b"",
    "no object": "[]",
    "a number": "1",
    "a text": '"proof"',
    "deep": "[" * 100_000,
    "a long number": '{"proof":' + "9" * 10_000 + "}",
    "an object behind it": json.dumps(answer_of(ROWS)) + "{}",
    "half": json.dumps(answer_of(ROWS))[:-200],
    "a fraction": altered(lambda answer: answer["proof"]["events"][0].update(position=1.0)),
    "no number": altered(lambda answer: answer["proof"]["events"][0].update(position=float("nan"))),
    "a truth": altered(lambda answer: answer["proof"]["events"][0].update(position=True)),
    "half a character": altered(lambda answer: answer["proof"]["events"][0].update(stream="\ud800")),
    "half a character of a note": altered(lambda answer: answer["proof"].update(checkpoint="\ud800\n\n— a aaaa\n")),
    "no events": altered(lambda answer: answer["proof"].update(events=[])),
    "an event twice": altered(lambda answer: answer["proof"]["events"].insert(1, answer["proof"]["events"][0])),
    "no path": altered(lambda answer: answer["proof"]["events"][0].update(path=[])),
    "a path too long": altered(lambda answer: answer["proof"]["events"][0]["path"].append("00" * 32)),
    "a log without a size": SEALED + b',"ledger_id":"x","digest":"' + b"0" * 64 + b'"}\n',
}


@pytest.mark.parametrize("what", ANSWERS)
def test_each_is_a_fault_in_one_line(check: Callable[..., tuple[int, list[str]]], what: str) -> None:
    code, lines = check(ANSWERS[what], note(1))
    assert code == 1, lines
    assert lines[-1].startswith("fault: ")
    assert not any(line.startswith("proven") for line in lines)


def test_a_field_that_is_there_twice_is_a_fault(check: Callable[..., tuple[int, list[str]]]) -> None:
    """Other readers take the first: they would be shown what was not checked."""
    forged = json.dumps(answer_of(ROWS)).replace('"payload": "{}"', '"payload": "forged", "payload": "{}"')
    assert check(forged) == (1, ["fault: the answer cannot be read: ValueError('a field is there twice')"])
    log = log_of(ROWS, 1).replace(b'"payload":"{}"', b'"payload":"forged","payload":"{}"')
    assert "a field is there twice" in check(log, note(2))[1][-1]


@pytest.mark.parametrize("field", [b'"position":2,', f'"ledger_id":"{LEDGER}",'.encode()])
def test_a_log_that_does_not_say_what_it_is_of_is_a_fault(
    check: Callable[..., tuple[int, list[str]]], field: bytes
) -> None:
    """Its digests are right: they are no signature."""
    header = log_of(ROWS, 1).split(b',"digest"')[0].replace(field, b"")
    log = header + f',"digest":"{sha256(header).hexdigest()}"}}\n'.encode()
    trailer = b'{"events":0,"answers":0'
    log += trailer + f',"digest":"{sha256(log + trailer).hexdigest()}"}}\n'.encode()
    code, lines = check(log, note(0, sha256(b"").digest()))
    assert (code, lines[-1].partition(": it")[0]) == (1, "fault: line 1")


def test_a_fault_does_not_steer_the_terminal(check: Callable[..., tuple[int, list[str]]]) -> None:
    """Nor does it look like a line of the check itself."""
    forged = altered(lambda answer: answer["proof"]["events"][0].update(stream="\x1b[2K\rx\nproven: everything"))
    code, lines = check(forged)
    assert code == 1
    assert lines[-1].startswith("fault: position 1: it is an event of \\x1b[2K\\rx\\nproven")


def test_two_histories_of_one_size_are_told_apart(check: Callable[..., tuple[int, list[str]]]) -> None:
    """A proof of consistency from a size to itself says nothing of them, whatever it says."""
    proof = json.dumps({"from": 5, "to": 5, "path": []})
    said = "fault: two logs of 5 were signed, and they are not the same: there are two histories"
    for notes in ([note(5), note(5, b"1" * 32)], [note(5), note(9), note(5, b"1" * 32)]):
        code, lines = check(proof, *notes)
        assert (code, lines[-1]) == (1, said)
    assert check(proof, note(5), note(5))[0] == 0


@pytest.mark.parametrize(("first", "second"), [(0, 5), (5, 9), (9, 5)])
def test_a_bad_proof_of_consistency_proves_nothing(
    check: Callable[..., tuple[int, list[str]]], first: int, second: int
) -> None:
    """Nor that there are two histories: whoever saved it may have damaged it."""
    code, lines = check(json.dumps({"from": first, "to": second, "path": ["00" * 32]}), note(first), note(second))
    assert code == 1
    assert lines[-1].endswith(
        f"this does not prove that the log of {second} begins with the log of {first}: it is damaged, or there are two "
        "histories"
    )


def test_a_note_that_is_none(check: Callable[..., tuple[int, list[str]]]) -> None:
    said = (1, ["fault: the checkpoint is no signed note, or a damaged one"])
    assert check(log_of(ROWS, 1), b"\xff") == check(log_of(ROWS, 1), "") == said
    assert check(log_of(ROWS, 1), note(-1)) == (1, ["fault: what was signed is no checkpoint"])
    other = signed_note(Checkpoint(origin_of(LEDGER), 1, bytes(32)), [SigningKey("22" * 32)])
    assert SIGNING_KEY != "22" * 32
    assert check(log_of(ROWS, 1), other) == (1, ["fault: the checkpoint is signed by none of the keys"])


def test_a_key_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "answer.json"
    file.write_text(json.dumps(answer_of(ROWS)))
    for key in ("a+b", "a+00000000+A"):
        assert run(file, (), [key]) == 2
        assert f"{key} is no key, or a damaged one" in capsys.readouterr().err
    assert INCIDENT in file.read_text()
