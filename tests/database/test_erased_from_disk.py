"""What a redaction erases is in no dump and no file of the cluster, once it was vacuumed; and how the WAL ages out."""

from __future__ import annotations

import io
import json
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.conftest import OWNER, bearing, serve, wait_until
from tests.database.everything import everything
from tests.http.asking import a_document, a_source, a_statement, an_incident, id_of, made, read
from tests.http.keyed import a_client, a_ledger
from tests.http.test_redaction import proposal
from tests.webhooks.receiving import Got, Receiver, a_webhook, receiving

from stet.database.cluster import find_home
from stet.database.embedded import embedded
from stet.store.export import export_log

PERSON = "Quetzalcoatlus Xylophonist of Unmistakable Lane"
WITNESS = "Крокодилов Незабвенный из Переулка"
TAG = "tag-of-quetzalcoatlus-xylophonist"
WORDS = (PERSON, WITNESS, TAG, "quetzalcoatlus", "xylophonist", "unmistakable", "крокодилов", "незабвенный")
"""The texts, and the words that lists are searched by."""
NEEDLES = tuple({form.encode() for word in WORDS for form in (word, word.lower(), word.capitalize())})


def holding(files: Iterable[Path]) -> list[str]:
    """The files that hold one of the words, as it stands or in lower case."""
    found = []
    for file in files:
        data = file.read_bytes() if file.is_file() else b""
        if any(needle in data for needle in NEEDLES):
            found.append(file.name)
    return found


def files_of(cluster: Path) -> list[Path]:
    """The files in which PostgreSQL keeps what is in its databases."""
    return [file for folder in ("base", "global") for file in (cluster / folder).rglob("*")]


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that every user can walk to and write: where root runs the tests the server is another user."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "archive").mkdir()
        (Path(folder) / "archive").chmod(0o777)
        yield Path(folder)


def ask(url: str, query: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def echo(got: Got, handler: BaseHTTPRequestHandler) -> None:
    """A receiver that fails, and repeats some of what it was sent."""
    begin = max(got.body.find(PERSON.encode()), 0)
    repeated = got.body[begin : begin + 100]
    handler.send_response(500)
    handler.send_header("content-length", str(len(repeated)))
    handler.end_headers()
    handler.wfile.write(repeated)


class Planted:
    """A ledger with the texts in every place that they can stand in, all of it used."""

    def __init__(self, owner: httpx.Client, one: httpx.Client, other: httpx.Client, ledger: str) -> None:
        self.owner, self.one, self.other, self.ledger = owner, one, other, ledger
        self.subjects: list[tuple[str, list[int]]] = []

    def plant(self, receiver: Receiver) -> None:
        receiver.answers["/echo"] = echo
        self.webhook, _ = a_webhook(self.one, self.ledger, f"{receiver.url}/echo")
        a_webhook(self.one, self.ledger, f"{receiver.url}/all")
        source = a_source(self.one, self.ledger, name=PERSON, aliases=[{"name": WITNESS}])
        title = {"title": f"What {WITNESS} saw", "url": f"https://example.org/{TAG}"}
        document = a_document(self.one, self.ledger, "2020-11-09", **title)
        claims = [
            {"attribute": "cause", "value": f"{PERSON} said so", "note": WITNESS},
            {"attribute": "place", "value": {"name": f"House of {PERSON}", "level": "exact"}},
            {"attribute": "killed", "value": {"min": 1, "max": 1}, "verbatim": WITNESS},
        ]
        said = a_statement(source, verbatim=f"{WITNESS} it was", channel=PERSON, claims=claims)
        headers = {"idempotency-key": "planted"}
        body = {"title": f"Death of {PERSON}", "kind": "shootdown", "tags": [TAG], "statements": [said]}
        answer = self.one.post(f"{self.ledger}/incidents", json=body, headers=headers)
        made(answer)
        assert self.one.post(f"{self.ledger}/incidents", json=body, headers=headers).json() == answer.json()
        path = answer.headers["location"]
        amended = {"type": "incident-amended", "title": "Another", "reason": f"{WITNESS} asked for it"}
        made(self.one.post(f"{path}/revisions", json=amended))
        rows = a_source(self.one, self.ledger, name="Rows", kind="data-set")
        record = {"key": f"row {TAG}", "value": {"who": PERSON, "when": WITNESS}, "seq": 1}
        line = {"record": record, "said_at": "2025-05-04T13:53:46Z", "title": f"Row of {WITNESS}", "kind": "other"}
        made(self.one.post(f"{self.ledger}/records", json={"source_id": rows, "lines": [line]}))
        made(self.one.post(f"{self.ledger}/releases", json={"name": "first"}))
        for number in range(3):
            an_incident(self.one, self.ledger, title=f"{PERSON} {number}", tags=[TAG])
        self._use(path, receiver)
        self.subjects = [
            (f"{self.ledger}/sources/{source}", [1]),
            (f"{self.ledger}/documents/{document}", [1]),
            (path, [1, 2]),
        ]
        others = read(self.one.get(f"{self.ledger}/incidents"))["items"]
        ids = [item["incident_id"] for item in others if item["incident_id"] != id_of(path)]
        self.subjects += [(f"{self.ledger}/incidents/{id_}", []) for id_ in ids]

    def _use(self, path: str, receiver: Receiver) -> None:
        for words in ("quetzalcoatlus", "крокодилов"):
            assert read(self.one.get(f"{self.ledger}/incidents", params={"q": words}))["items"]
        for where in (path, f"{path}/timeline", f"{path}/matrix", f"{self.ledger}/incidents?as_of=release:first"):
            read(self.one.get(where))
        assert PERSON in self.one.get(f"{self.ledger}/exports/ucdp").text
        for projection in ("incident_history", "name_history", "source_record"):
            begun = self.owner.post(f"/v1/admin/projections/{projection}/rebuilds", json={"workers": 1})
            wait_until(
                lambda at=begun.headers["location"]: self.owner.get(at).json()["finished_at"] is not None,
                f"{projection} to be rebuilt",
                60,
            )
        wait_until(lambda: len(receiver.accepted.get("/all", ())) > 5, "webhooks to be sent")
        deliveries = f"{self.webhook}/deliveries"
        wait_until(lambda: PERSON in self.one.get(deliveries).text, "a receiver to have repeated what it was sent", 60)

    def redact(self) -> None:
        for path, versions in self.subjects:
            events = [{"stream_version": version} for version in versions or self._versions(path)]
            made(self.one.post(f"{path}/revisions", json=proposal(1) | {"events": events}))
            shown = read(self.one.get(f"{self.ledger}/redactions", params={"limit": 1000}))["items"][-1]
            agree = {"type": "payload-redacted", "redaction_id": shown["redaction_id"], "reason": "agreed"}
            made(self.other.post(f"{path}/revisions", json=agree))

    def _versions(self, path: str) -> list[int]:
        return [one["stream_version"] for one in read(self.one.get(f"{path}/events"))["items"]]


def test_what_is_erased_is_in_no_dump_and_no_file(reachable: Path, tmp_path: Path) -> None:
    data, archive = reachable / "data", reachable / "archive"
    with embedded(data, durable=False) as url:
        ask(url, "ALTER SYSTEM SET archive_mode = on")
        ask(url, f"ALTER SYSTEM SET archive_command = 'cp %p {archive}/%f'")
        ask(url, "ALTER SYSTEM SET wal_recycle = off")
    cluster, binaries = data / "postgres", find_home(data).install / "bin"
    with ExitStack() as stack:
        url = stack.enter_context(embedded(data, durable=False))
        receiver = stack.enter_context(receiving())
        options = {"STET_OWNER_KEY": OWNER, "STET_WEBHOOK_HOSTS": receiver.host}
        server = stack.enter_context(serve(url, tmp_path, keyless=False, **options))
        owner = stack.enter_context(bearing(server, OWNER))
        ledger = a_ledger(owner, "planted", public=True)
        one, other = (stack.enter_context(a_client(server, owner, ledger, "admin")) for _ in range(2))
        planted = Planted(owner, one, other, ledger)
        planted.plant(receiver)
        ask(url, "ANALYZE")
        ask(url, "CHECKPOINT")
        assert holding(files_of(cluster))
        before = {name for word in (PERSON, WITNESS) for name in everything(url, word)}
        assert {"pg_catalog.pg_statistic", "stet.event", "stet.incident_history", "stet.webhook_attempt"} <= before
        assert {"stet.incident_history_old", "stet.statement_history"} <= before | set(
            everything(url, "quetzalcoatlus")
        )

        planted.redact()
        # Whatever the tables' order is: what of the statistics was written anew is dead until they are vacuumed.
        for statement in ("VACUUM (FULL, ANALYZE)", "VACUUM FULL pg_statistic", "CHECKPOINT"):
            ask(url, statement)
        for word in WORDS:
            assert everything(url, word) == [], word
        assert holding(files_of(cluster)) == []
        dumped = subprocess.run([binaries / "pg_dump", f"--dbname={url}"], capture_output=True, check=True).stdout
        log = io.BytesIO()
        with psycopg.connect(url, client_encoding="utf8") as connection:
            export_log(connection, "planted", log.write)
        for text in (dumped, log.getvalue()):
            assert len(text) > 10_000
            assert not any(needle in text for needle in NEEDLES)

        # What was written ahead is kept by the archive, until it is aged out.
        [(kept,)] = ask(url, "SELECT pg_walfile_name(pg_switch_wal())")
        ask(url, "CHECKPOINT")
        [(first,)] = ask(url, "SELECT pg_walfile_name(pg_current_wal_lsn())")
        wait_until(lambda: (archive / kept).exists(), "the archive to have it")
        assert holding(archive.iterdir())
        assert first > kept
        subprocess.run([binaries / "pg_archivecleanup", archive, first], check=True)
        assert holding(archive.iterdir()) == []
        ask(url, "CHECKPOINT")
        assert holding((cluster / "pg_wal").iterdir()) == []
        assert json.dumps(PERSON) not in (data / "postgres.log").read_text(errors="replace")
