"""`stet demo`, its fourth part: two incidents made one and taken apart again, and a name that is erased for good."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import httpx

from stet import offline
from stet.cli.demo_proofs import checked
from stet.cli.demo_readers import Mark, asks_nobody
from stet.cli.remote import Remote, ask
from stet.errors import StetError
from stet.ids import new_id
from stet.reference.answers import View, attribute

_NAME = "Iskandar Testov of Orchard Lane 5"
_UNLIKE = {"version", "updated_at", "cut"}
"""What a merge that was reverted leaves behind."""


def show_identity(remote: Remote) -> list[Mark]:
    """Records one fire twice, merges, reverts, redacts, and checks what was saved before and after. Prints all."""
    ledger = f"fire-{str(new_id())[-12:]}"
    with remote.client(30, f"/v1/ledgers/{ledger}") as desk, remote.client(30) as service:
        ask(service, "POST", "/v1/ledgers", {"name": ledger, "title": "One incident, recorded twice"})
        speaker = ask(desk, "POST", "/sources", {"name": "The hospital", "kind": "organisation"})["source_id"]
        other = ask(desk, "POST", "/sources", {"name": "The fire service", "kind": "state-body"})["source_id"]
        twice = [
            _open(desk, "A warehouse burnt", speaker, 1, f"One dead: {_NAME}"),
            _open(desk, "Fire in a warehouse", other, 2, "Two dead"),
        ]
        return [*_merge(desk, *twice), *_redact(remote, desk, ledger, twice[0])]


def _open(desk: httpx.Client, title: str, speaker: str, killed: int, verbatim: str) -> str:
    claims = [
        {"attribute": "killed", "value": {"min": killed, "max": killed}},
        {"attribute": "occurred_at", "value": "2026-03-01"},
    ]
    said = {"speaker": speaker, "said_at": "2026-03-02T10:00:00Z", "verbatim": verbatim, "claims": claims}
    body = {"title": title, "kind": "fire", "statements": [said]}
    return str(ask(desk, "POST", "/incidents", body)["incident_id"])


def _merge(desk: httpx.Client, merged: str, survivor: str) -> list[Mark]:
    before = [_seen(desk, id_) for id_ in (merged, survivor)]
    similar = ask(desk, "GET", f"/incidents/{merged}/similar")["items"]
    revision = {"type": "incident-merged", "into": survivor, "reason": "the same fire"}
    ask(desk, "POST", f"/incidents/{merged}/revisions", revision)
    asked = desk.get(f"/incidents/{merged}")
    both = ask(desk, "GET", f"/incidents/{survivor}")
    print(f"\nTwo incidents of one fire, merged ({desk.base_url.path}incidents/{survivor})")
    print(f"  similar  {[(one['title'], one['score']) for one in similar]}")
    print(f"  before   {' | '.join(map(_killed, before))}")
    print(f"  merged   {_killed(both)}; GET of the merged id: {asked.status_code} {asked.headers.get('location')}")
    revision = {"type": "merge-reverted", "incident_id": merged, "reason": "they were two"}
    ask(desk, "POST", f"/incidents/{survivor}/revisions", revision)
    after = [_seen(desk, id_) for id_ in (merged, survivor)]
    print(f"  reverted {' | '.join(map(_killed, after))}")
    found = [one["incident_id"] for one in similar] == [survivor]
    led = asked.status_code == 308 and survivor in asked.headers["location"]
    return [
        Mark("the other record of the same fire is found, as similar", found),
        Mark("a merged id leads to the survivor, which holds the claims of both", led and len(both["statements"]) == 2),
        Mark("the merge reverted: both are as they were", after == before),
    ]


def _seen(desk: httpx.Client, incident_id: str) -> View:
    view = ask(desk, "GET", f"/incidents/{incident_id}")
    return {name: value for name, value in view.items() if name not in _UNLIKE}


def _killed(view: View) -> str:
    one = attribute(view, "killed")
    return f"killed {one['status']} {one['value']}"


def _redact(remote: Remote, desk: httpx.Client, ledger: str, incident_id: str) -> list[Mark]:
    """One admin proposes, another confirms; what was saved before and after is checked without the service."""
    with httpx.Client(base_url=remote.url, timeout=30) as anybody:
        if asks_nobody(anybody):
            print("\nNo redaction is shown, for it takes two administrators, and the service tells nobody apart")
            return []
    try:
        with remote.client(30) as service:
            made = ask(service, "POST", "/v1/keys", {"name": "the second administrator", "scope": "admin"})
            ask(service, "PUT", f"/v1/ledgers/{ledger}/members/{made['key_id']}", {"role": "admin"})
    except StetError as error:
        print(f"\nNo redaction is shown, for it takes two administrators: {error}")
        return []
    path = f"/incidents/{incident_id}"
    before = ask(desk, "GET", f"{path}?proof=true")
    wanted = {"ground": "personal-data", "events": [{"stream_version": 2, "fields": ["/verbatim"]}]}
    ask(desk, "POST", f"{path}/revisions", {"type": "redaction-proposed", "reason": "the family asked", **wanted})
    (proposed,) = ask(desk, "GET", "/redactions")["items"]
    with Remote(remote.url, made["key"]).client(30, f"/v1/ledgers/{ledger}") as second:
        confirmed = {"type": "payload-redacted", "redaction_id": proposed["redaction_id"], "reason": "seen, and agreed"}
        ask(second, "POST", f"{path}/revisions", confirmed)
    after = ask(desk, "GET", f"{path}?proof=true")
    told = "".join(desk.get(what).text for what in (path, f"{path}/events", "/statements", "/events", "/changes"))
    print(f"\nA name erased by two administrators ({desk.base_url.path}{path[1:]}), and what was saved checked")
    held = []
    with tempfile.TemporaryDirectory(prefix="stet-proof-") as folder:
        shutil.copy(offline.__file__, folder)
        for when, answer in (("before", before), ("after", after)):
            code, said = checked(Path(folder), answer)
            print(f"  {when:7} {answer['statements'][0]['verbatim']}")
            print("".join(f"          {line}\n" for line in said.splitlines()), end="")
            held.append(code == 0 and (_NAME in str(answer)) == (when == "before"))
    return [
        Mark("an answer saved before the redaction is proven, with the name", held[0]),
        Mark("one saved after it is proven, with a tombstone", held[1]),
        Mark("no view, list, feed or log has the name", _NAME not in told),
    ]
