"""The table of references of a log that an earlier release recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import psycopg
from tests.conftest import serve
from tests.http.asking import a_document, a_source, a_statement, an_incident, id_of, killed, made

from stet.database.migrate import migrations_folder
from stet.store.verify import verify

ROWS = "SELECT target, stream, role FROM stet.reference ORDER BY 1, 2, 3"
BACKFILL = migrations_folder() / "versions" / "0010_visibility_fanout.sql"
OF_SOURCES = migrations_folder() / "versions" / "0014_source_merges.sql"


def test_what_an_earlier_release_did_not_note_is_found_in_its_log(url: str, tmp_path: Path) -> None:
    """Incidents that statements are about, are directed at, came from and went to; links; what superseded the moved."""
    with serve(url, tmp_path) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        made(client.post("/v1/ledgers", json={"name": "l", "title": "L"}))
        source = a_source(client, "/v1/ledgers/l")
        one, two, three, four, five = (an_incident(client, "/v1/ledgers/l") for _ in range(5))

        def revise(type_: str, **more: Any) -> None:
            made(client.post(f"{one}/revisions", json={"type": type_, "reason": "so", **more}))

        both = [killed(2), killed(2, incident_id=id_of(two)) | {"toward": f"incident:{id_of(three)}"}]
        shared = made(client.post(f"{one}/statements", json=a_statement(source) | {"claims": both}))["statement_id"]
        first = made(client.post(f"{one}/statements", json=a_statement(source)))["statement_id"]
        toward = a_statement(source, supersedes=first) | {"claims": [killed(2, toward=f"incident:{id_of(four)}")]}
        newer = made(client.post(f"{one}/statements", json=toward))["statement_id"]
        added = {"attribute": "weapon", "value": "gun", "toward": f"incident:{id_of(five)}"}
        revise("statement-corrected", statement_id=shared, error="transcription", claims=[added])
        revise("statement-retracted", statement_id=shared, said_at="2020-11-09")
        revise("incident-linked", incident_id=id_of(two), relation="follows")
        for moved in (first, newer, shared):
            revise("statement-moved-out", statement_id=moved, to_incident=id_of(three))
    with psycopg.connect(url) as connection:
        before = connection.execute(ROWS).fetchall()
        gone = connection.execute(
            "DELETE FROM stet.reference WHERE target LIKE 'incident:%%' OR (role = 'names' AND target = %s)",
            (f"statement:{newer}",),
        )
        assert gone.rowcount == 11
    with psycopg.connect(url) as connection:
        assert [report.fault for report in verify(connection, None)] != [None]
    with psycopg.connect(url) as connection:
        # Not the function before it: that of a later migration is there.
        _, backfill = BACKFILL.read_text(encoding="utf-8").split("\nWITH named", 1)
        connection.execute(f"SET LOCAL ROLE stet_owner; WITH named{backfill}".encode())
    with psycopg.connect(url) as connection:
        assert connection.execute(ROWS).fetchall() == before
    with psycopg.connect(url) as connection:
        assert [report.fault for report in verify(connection, None)] == [None]


def test_the_parents_and_the_publishers_of_an_earlier_release_are_found_in_its_log(url: str, tmp_path: Path) -> None:
    with serve(url, tmp_path) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        made(client.post("/v1/ledgers", json={"name": "l", "title": "L"}))
        one, two = (a_source(client, "/v1/ledgers/l", name) for name in ("One", "Two"))
        child = a_source(client, "/v1/ledgers/l", "Child", parent=one)
        for parent in (two, None):
            revised = {"type": "source-revised", "parent": parent, "reason": "so"}
            made(client.post(f"/v1/ledgers/l/sources/{child}/revisions", json=revised))
        a_document(client, "/v1/ledgers/l", publisher=two)
    with psycopg.connect(url) as connection:
        before = connection.execute(ROWS).fetchall()
        assert len(before) == 3
        connection.execute("DELETE FROM stet.reference")
        connection.execute("DROP INDEX stet.event_merged, stet.event_merging")
        connection.execute(OF_SOURCES.read_bytes())
    with psycopg.connect(url) as connection:
        assert connection.execute(ROWS).fetchall() == before
    with psycopg.connect(url) as connection:
        assert [report.fault for report in verify(connection, None)] == [None]
