"""What is there before the first round: a few ledgers, so long that a rebuild takes seconds."""

from __future__ import annotations

from random import Random

import httpx

from tests.faults.known import Known
from tests.faults.processes import Violation

LEDGERS = ("faults-a", "faults-b", "faults-c", "faults-d")
_SOURCES, _INCIDENTS, _STATEMENTS = 20, 36, 30


def load(client: httpx.Client, random: Random, known: Known) -> int:
    """Makes the ledgers; how many events that took."""
    events = 0
    for ledger in LEDGERS:
        _post(client, "/v1/ledgers", {"name": ledger, "title": "What is killed"})
        known.sources[ledger] = []
        for n in range(_SOURCES):
            word = f"w0x{LEDGERS.index(ledger)}x{n}e"
            made = _post(client, f"/v1/ledgers/{ledger}/sources", {"name": f"Source {word}", "kind": "person"})
            known.sources[ledger].append((made["source_id"], word))
        speakers = [source_id for source_id, _ in known.sources[ledger]]
        for n in range(_INCIDENTS):
            statements = [
                {
                    "speaker": random.choice(speakers),
                    "claims": [{"attribute": "killed", "value": {"min": 0, "max": random.randint(0, 9)}}],
                    "verbatim": "There were casualties, as far as we can say at this moment.",
                }
                for _ in range(_STATEMENTS)
            ]
            body = {"title": f"Incident {n} from before", "kind": "strike", "tags": ["before"]}
            _post(client, f"/v1/ledgers/{ledger}/incidents", body | {"statements": statements})
        events += 1 + _SOURCES + _INCIDENTS * (1 + _STATEMENTS)
    return events


def _post(client: httpx.Client, path: str, body: dict[str, object]) -> dict[str, str]:
    answer = client.post(path, json=body)
    if answer.status_code != 201:
        raise Violation(f"POST {path}: {answer.status_code} {answer.text}")
    made: dict[str, str] = answer.json()
    return made
