"""An exported log as docs/log-format.md has it, written with json and hashlib alone, and with any fault."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

LEDGER = "01900000-0000-7000-8000-000000000000"
LINES = 9
"""The header; 1 the ledger; 2, 3 one append to two sources; 4 a source; 5 an incident; two answers; the trailer."""
_TYPES = {"ledger": "ledger-created", "source": "source-registered", "incident": "incident-opened"}
Event = dict[str, Any]


def uuid(n: int) -> str:
    return f"01900000-0000-7000-8000-{n:012}"


def event(position: int, stream: str, version: int, append: int, payload: str) -> Event:
    """An event with what proves it."""
    made = {
        "position": position,
        "stream": stream,
        "stream_version": version,
        "event_id": uuid(position),
        "type": _TYPES[stream.partition(":")[0]],
        "schema_version": 1,
        "recorded_at": f"2020-11-09T06:00:00.{append:06}Z",
        "actor": 'the "desk"\\',
        "correlation_id": uuid(100 + append),
        "causation_id": uuid(1) if position == 4 else None,
        "payload": payload,
        "salt": f"{position:032x}",
    }
    return proved(made)


def proved(made: Event, ledger_id: str = LEDGER) -> Event:
    """The event with the hashes that fit it."""
    digest = sha256(bytes.fromhex(made["salt"]) + made["payload"].encode()).hexdigest()
    order = ("position", "stream", "stream_version", "event_id", "type", "schema_version", "recorded_at", "actor")
    lines = ["stet-event-1", ledger_id, *(str(made[name]) for name in order), made["correlation_id"]]
    lines += [made["causation_id"] or "", digest]
    return made | {"payload_digest": digest, "leaf": sha256(b"\0" + "\n".join(lines).encode()).hexdigest()}


def events(name: str = "small") -> list[Event]:
    """Those that the comment on LINES names."""
    return [
        event(1, f"ledger:{LEDGER}", 1, 1, f'{{"name":"{name}","title":"Ереван \\"x\\" \\\\N"}}'),
        event(2, f"source:{uuid(50)}", 1, 2, '{"name":"Reuters","kind":"outlet"}'),
        event(3, f"source:{uuid(51)}", 1, 2, '{ "kind" : "outlet",\n\t"name" : "\\\\N \\\\." }'),
        event(4, f"source:{uuid(50)}", 2, 3, '{"name":"AFP","kind":"outlet"}'),
        event(5, f"incident:{uuid(52)}", 1, 4, '{"title":"It","kind":"shootdown"}'),
    ]


def redacted() -> list[Event]:
    """The same, with 2 and 5 redacted by 6 and 7, in their streams."""
    found = events()
    left = {2: '{"name":"[redacted]","kind":"outlet"}', 5: '{"title":"[redacted]","kind":"shootdown"}'}
    for by, position in ((6, 2), (7, 5)):
        old = found[position - 1]
        salt = f"{100 + by:032x}"
        tombstone = sha256(bytes.fromhex(salt) + left[position].encode()).hexdigest()
        erased = {"position": position, "fields": ["/x"], "tombstone": tombstone}
        payload = json.dumps({"redaction_id": uuid(90), "ground": "other", "events": [erased], "reason": "so"})
        version = 1 + sum(one["stream"] == old["stream"] for one in found)
        found.append(proved(event(by, old["stream"], version, by, payload) | {"type": "payload-redacted"}))
        found[position - 1] = old | {"payload": left[position], "salt": salt, "redacted_by": by}
    return found


def answers() -> list[dict[str, Any]]:
    digest = "ab" * 32
    made = {"actor": "a", "key": "k\t1", "request_digest": digest, "status": 201, "location": "/é", "position": 2}
    return [made, made | {"key": "k2", "position": 5}]


def line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def file_of(rows: list[Event], kept: list[dict[str, Any]] | None = None, **header: Any) -> bytes:
    """The whole file; fields of the header may be other ones, and every seal fits."""
    kept = answers() if kept is None else kept
    first = {"format": "stet-log", "version": 1, "ledger_id": LEDGER, "name": "small", "position": len(rows)}
    first |= {"recorded_at": rows[-1]["recorded_at"] if rows else "", "answers": len(kept)} | header
    made = sealed(b"", first)
    for row in rows:
        made += line(row)
    for one in kept:
        made += sealed(made, one)
    return made + sealed(made, {"events": len(rows), "answers": len(kept)})


def sealed(before: bytes, value: dict[str, Any]) -> bytes:
    """A line that ends in the digest of all that is before that."""
    text = line(value)[:-2]
    return text + f',"digest":"{sha256(before + text).hexdigest()}"}}\n'.encode()
