"""docs/times.md says what the service does: each row of its table is sent, and its bounds are compared."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx

_ROW = re.compile(r"\| (?P<wording>[^|]+) \| `(?P<given>[^`]+)` \| (?P<earliest>[^|]*) ?\| (?P<latest>[^|]*) ?\|")


def test_every_row_gives_its_bounds(client: httpx.Client, ledger: str) -> None:
    """As the time of what happened, which nothing else bounds."""
    text = (Path(__file__).parents[2] / "docs" / "times.md").read_text()
    rows = [match.groupdict() for match in _ROW.finditer(text)]
    assert len(rows) == 11

    def post(path: str, body: object) -> dict:
        answer = client.post(f"{ledger}{path}", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    source = post("/sources", {"name": "Ministry", "kind": "state-body"})["source_id"]
    version = {"version": 1, "change": "original", "published_at": {"edtf": "2020-11-09", "zone": "Asia/Yerevan"}}
    document = post("/documents", {"kind": "article", "title": "A", "versions": [version]})["document_id"]
    incident = post("/incidents", {"title": "I", "kind": "strike"})["incident_id"]
    statements = f"/incidents/{incident}/statements"
    spoke = {"earliest": "2020-11-09T12:00:00Z", "latest": "2020-11-09T13:00:00Z"}
    claims = [{"attribute": "weapon", "value": "missile"}]
    statement = post(statements, {"speaker": source, "said_at": spoke, "claims": claims})["statement_id"]
    for row in rows:
        given = json.loads(row["given"].replace('"D"', f'"{document}"').replace('"S"', f'"{statement}"'))
        claim = {"attribute": "occurred_at", "value": given}
        value = post(statements, {"speaker": source, "claims": [claim]})["claims"][0]["value"]
        found = value.get("earliest", ""), value.get("latest", "")
        assert found == (row["earliest"].strip(), row["latest"].strip()), row["wording"]
