"""What was erased: an exported log and a saved answer that hold tombstones, made from docs/log-format.md by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from tests.conftest import SIGNING_KEY
from tests.unit.test_trees import Stored

from stet import offline
from stet.offline import Checkpoint, Fault, Tree, check_answer, check_log, leaf_of, parse_key
from stet.proofs.keys import SigningKey, origin_of, signed_note, vkey

LEDGER = UUID("01900000-0000-7000-8000-000000000000")
INCIDENT = "01900000-0000-7000-8000-000000000099"
KEY = SigningKey(SIGNING_KEY)
SAID, LEFT = '{"title":"he lives at number 9"}', '{"title":"[redacted]"}'
Row = dict[str, Any]


SALT = b"of a tombstone  "


def uuid(n: int) -> str:
    return f"01900000-0000-7000-8000-{n:012}"


def event(position: int, type_: str, payload: str, stream: str = f"incident:{INCIDENT}") -> Row:
    salt = f"{position:032x}"
    row: Row = {
        "position": position,
        "stream": stream,
        "stream_version": position,
        "event_id": uuid(position),
        "type": type_,
        "schema_version": 1,
        "recorded_at": f"2020-11-09T06:00:0{position}.000000Z",
        "actor": "desk",
        "correlation_id": uuid(position),
        "causation_id": None,
        "payload": payload,
        "salt": salt,
        "payload_digest": sha256(bytes.fromhex(salt) + payload.encode()).hexdigest(),
    }
    words = [LEDGER, *[row[name] for name in list(row)[:9]], "", row["payload_digest"]]
    return row | {"leaf": leaf_of(*words).hex()}


def erasing(position: int, *erased: int, left: str = LEFT) -> Row:
    tombstone = sha256(SALT + left.encode()).hexdigest()
    events = [{"position": one, "fields": ["/title"], "tombstone": tombstone} for one in erased]
    return event(position, "payload-redacted", json.dumps({"redaction_id": uuid(50), "events": events}))


def redacted(row: Row, by: int, left: str = LEFT) -> Row:
    erased = row | {"payload": left, "salt": SALT.hex()}
    return {name: erased[name] for name in row} | {"redacted_by": by}


def history() -> list[Row]:
    """Position 2 was erased by 4, and again, with 1, by 5."""
    rows = [event(1, "incident-opened", SAID), event(2, "incident-amended", SAID), event(3, "incident-amended", "{}")]
    rows += [erasing(4, 2, left='{"title":"he lives at [redacted]"}'), erasing(5, 1, 2)]
    return [redacted(rows[0], 5), redacted(rows[1], 5), *rows[2:]]


def log_of(rows: list[Row], version: int = 2) -> bytes:
    written, digest = b"", sha256()

    def sealed(line: Row) -> bytes:
        head = json.dumps(line, separators=(",", ":")).encode()[:-1]
        digest.update(head)
        tail = f',"digest":"{digest.hexdigest()}"}}\n'.encode()
        digest.update(tail)
        return head + tail

    header = {"format": "stet-log", "version": version, "ledger_id": str(LEDGER), "name": "x", "position": len(rows)}
    written += sealed(header | {"recorded_at": rows[-1]["recorded_at"], "answers": 0})
    for row in rows:
        line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
        digest.update(line)
        written += line
    return written + sealed({"events": len(rows), "answers": 0})


def checkpoint(rows: list[Row], size: int | None = None) -> Checkpoint:
    tree = Tree()
    for row in rows[:size]:
        tree.add(bytes.fromhex(row["leaf"]))
    return Checkpoint(origin_of(LEDGER), tree.size, tree.root())


def answer_of(rows: list[Row]) -> Row:
    stored = Stored([bytes.fromhex(row["leaf"]) for row in rows])
    events = [
        {name: its for name, its in row.items() if name != "leaf"}
        | {"path": [one.hex() for one in stored.included(row["position"] - 1, len(rows))]}
        for row in rows
    ]
    note = signed_note(checkpoint(rows), [KEY])
    proof = {"ledger_id": str(LEDGER), "checkpoint": note, "keys": [vkey(LEDGER, KEY.public)], "events": events}
    return {"incident_id": INCIDENT, "version": len(rows), "proof": proof}


def of_log(rows: list[Row], signed: list[Row] | None = None) -> list[str]:
    return list(check_log(io.BytesIO(log_of(rows)), [checkpoint(signed or history())]))


def of_answer(rows: list[Row], _: object = None) -> list[str]:
    return list(check_answer(answer_of(rows), [parse_key(vkey(LEDGER, KEY.public))], []))


@pytest.mark.parametrize("check", [of_log, of_answer])
def test_tombstones_are_proven_and_named(check: Callable[[list[Row]], list[str]]) -> None:
    """By what erased them last; the log and the tree are the same as before."""
    lines = check(history())
    assert [line for line in lines if line.startswith("tombstone")] == [
        "tombstone: position 1, of which something was erased by position 5",
        "tombstone: position 2, of which something was erased by position 5",
    ]
    assert any(line.startswith("proven: ") for line in lines)


def test_an_answer_saved_before_the_redaction_is_right_after_it() -> None:
    before = [event(1, "incident-opened", SAID), event(2, "incident-amended", SAID), event(3, "incident-amended", "{}")]
    assert of_answer(before)[1] == f"proven: 3 events of incident {INCIDENT} are in the log that was signed"
    assert [row["leaf"] for row in before] == [row["leaf"] for row in history()[:3]]


def test_a_log_of_another_version_is_refused() -> None:
    for version in (1, 2):
        assert list(check_log(io.BytesIO(log_of(history(), version)), [checkpoint(history())]))
    with pytest.raises(Fault, match="line 1: the log is of version 3"):
        list(check_log(io.BytesIO(log_of(history(), 3)), [checkpoint(history())]))


def test_a_tombstone_that_is_erased_behind_the_checkpoint_is_not_proven() -> None:
    """Anybody could have written what erased it, and any payload into its place."""
    forged = '{"title":"he lives at number 10"}'
    rows = [*history()[:3], erasing(4, 1, 2, left=forged)]
    rows[:2] = [redacted(event(1, "incident-opened", SAID), 4, forged), redacted(rows[1], 4, forged)]
    behind = "of which something was erased by position 4, which came after the checkpoint of 3"
    assert list(check_log(io.BytesIO(log_of(rows)), [checkpoint(rows, 3)])) == [
        "proven: positions 1 to 3 are those that were signed",
        "not proven: positions 4 to 4, which came after the checkpoint",
        f"not proven: what is left of position 1, {behind}",
        f"not proven: what is left of position 2, {behind}",
    ]


@pytest.mark.parametrize("check", [of_log, of_answer])
def test_what_erased_something_may_be_redacted_itself(check: Callable[[list[Row]], list[str]]) -> None:
    """But for what it erased: a later redaction proves that in its turn."""
    rows = history()
    left = rows[4]["payload"][:-1] + ',"reason":"[redacted]"}'
    rows = [*rows[:4], redacted(rows[4], 6, left), erasing(6, 5, left=left)]
    assert check(rows)


def without(rows: list[Row]) -> None:
    rows[1] = rows[1] | {"redacted_by": None}


def by_another(rows: list[Row]) -> None:
    rows[1] = rows[1] | {"redacted_by": 3}


def by_the_first(rows: list[Row]) -> None:
    rows[1] = rows[1] | {"redacted_by": 4}


def by_itself(rows: list[Row]) -> None:
    rows[1] = rows[1] | {"redacted_by": 2}


def nowhere(rows: list[Row]) -> None:
    rows[1] = rows[1] | {"redacted_by": 6}


def whole(rows: list[Row]) -> None:
    rows[2] = rows[2] | {"redacted_by": 4}


def other_words(rows: list[Row]) -> None:
    rows[1] = rows[1] | {"payload": '{"title":"[retracted]"}'}


def other_salt(rows: list[Row]) -> None:
    rows[1] = rows[1] | {"salt": "00" * 16}


def short_salt(rows: list[Row]) -> None:
    rows[1] = rows[1] | {"salt": SALT[:-1].hex(), "payload": SALT[-1:].decode() + LEFT}


@pytest.mark.parametrize("check", [of_log, of_answer])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without, "position 2: the payload is not the one that was hashed"),
        (by_another, "position 3: it should be what erased something at position 2, and is not"),
        (by_the_first, "position 2: the tombstone is not the one that position 4 names"),
        (by_itself, "position 2: it was erased by position 2, which is no later event"),
        (nowhere, f"position 2 was erased by position 6 of incident:{INCIDENT}, which is not there"),
        (whole, "position 3: the tombstone is not the one that position 4 names"),
        (other_words, "position 2: the tombstone is not the one that position 5 names"),
        (other_salt, "position 2: the tombstone is not the one that position 5 names"),
        (short_salt, "position 2: the payload is not the one that was hashed"),
    ],
)
def test_a_tombstone_that_nothing_proves_is_a_fault(
    check: Callable[[list[Row]], list[str]], spoil: Callable[[list[Row]], None], said: str
) -> None:
    rows = history()
    spoil(rows)
    with pytest.raises(Fault) as fault:
        check(rows)
    assert said in str(fault.value)


@pytest.mark.parametrize("check", [of_log, of_answer])
def test_what_erased_something_may_be_erased_in_part(check: Callable[..., list[str]]) -> None:
    """Its reason, for one; what it says of others is in its own tombstone, which a later event proves."""
    whole = erasing(2, 1)
    left = whole["payload"].replace('"redaction_id"', '"reason": "[redacted]", "redaction_id"')
    rows = [redacted(event(1, "incident-opened", SAID), 2), redacted(whole, 3, left), erasing(3, 2, left=left)]
    said = ["position 1, of which something was erased by position 2"]
    said.append("position 2, of which something was erased by position 3")
    assert [line for line in check(rows, rows) if "erased" in line] == [f"tombstone: {one}" for one in said]
    assert list(check_log(io.BytesIO(log_of(rows)), [checkpoint(rows, 2)]))[2:] == [
        f"not proven: what is left of {said[0]}, by position 3, which came after the checkpoint of 2",
        f"not proven: what is left of {said[1]}, which came after the checkpoint of 2",
    ]


def test_what_erased_something_of_another_stream_proves_no_tombstone() -> None:
    """As in docs/log-format.md. The tree holds it: it was signed, too."""
    rows = [redacted(event(1, "source-added", SAID, stream="source:a"), 2), erasing(2, 1)]
    with pytest.raises(Fault, match="position 1 was erased by position 2 of source:a, which is not there"):
        list(check_log(io.BytesIO(log_of(rows)), [checkpoint(rows)]))


def test_a_line_without_an_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A packed file of a few megabytes may be one line that is larger than memory."""
    monkeypatch.setattr(offline, "_LINE_MAX", 5_000)
    assert list(check_log(io.BytesIO(log_of(history())), [checkpoint(history())]))
    endless = io.BytesIO(log_of(history()) + b"x" * 20_000)
    with pytest.raises(Fault, match="longer than 5000 bytes"):
        list(check_log(endless, [checkpoint(history())]))
    assert endless.tell() <= len(log_of(history())) + 5_001
