"""`…/events`: the log as it is stored, for strangers to check."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import jsonschema_rs
import msgspec
import psycopg
import pytest
from tests.conftest import Cluster, Server, serve
from tests.http.asking import malformed, problem, read
from tests.http.following import hanging, supersessions, the_rest
from tests.http.test_lists import Desk
from tests.store.writing import append_of, event_of, make_ledger

from stet.database.pool import make_pool
from stet.settings import Settings
from stet.source.events import Alias, SourceRegistered
from stet.store.append import Log
from stet.store.hashing import leaf

SCHEMAS = Path(__file__).parents[2] / "openapi" / "events"
BATCH = "application/cloudevents-batch+json"
FIELDS = (
    *("position", "stream", "stream_version", "event_id", "type", "schema_version", "recorded_at", "actor"),
    *("correlation_id", "causation_id", "payload", "salt", "payload_digest", "leaf"),
)


class Here(NamedTuple):
    """A service, its database, and a ledger with events of every type."""

    server: Server
    url: str
    client: httpx.Client
    desk: Desk

    @property
    def path(self) -> str:
        return f"{self.desk.path}/events"


@pytest.fixture(scope="module")
def here(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    url = cluster.migrated()
    with (
        serve(url, tmp_path_factory.mktemp("log")) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        desk = Desk(client)
        hanging(desk)
        supersessions(desk)
        the_rest(desk)
        yield Here(server, url, client, desk)


def stored(here: Here) -> list[dict[str, Any]]:
    """The rows of the table, as the log must give them; the payload as bytes."""
    with psycopg.connect(here.url) as connection:
        rows = connection.execute(
            """SELECT position, stream, stream_version, event_id::text, type, schema_version, recorded_at, actor,
                      correlation_id::text, causation_id::text, payload::text, encode(salt, 'hex'),
                      encode(payload_digest, 'hex'), encode(leaf, 'hex')
               FROM stet.event JOIN stet.ledger USING (ledger_id) WHERE name = %s ORDER BY position""",
            (here.desk.name,),
        ).fetchall()
    return [dict(zip(FIELDS, (*row[:10], row[10].encode(), *row[11:]), strict=True)) for row in rows]


def lines(here: Here, **query: Any) -> list[dict[str, Any]]:
    """The log in lines; the payload as bytes."""
    answer = here.client.get(here.path, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    found = []
    for line in answer.content.splitlines():
        fields = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        assert bytes(fields.pop("redacted")) == b"null"
        assert fields.keys() == set(FIELDS)
        event = {name: msgspec.json.decode(raw) for name, raw in fields.items()}
        at = datetime.fromisoformat(event["recorded_at"])
        found.append(event | {"payload": bytes(fields["payload"]), "recorded_at": at})
    return found


def test_every_line_is_the_event_as_it_is_stored(here: Here) -> None:
    """To the byte of its payload, at dense positions; and it proves itself by its own fields."""
    found = lines(here)
    assert found == stored(here)
    assert [event["position"] for event in found] == list(range(1, len(found) + 1))
    ledger_id = UUID(read(here.client.get(here.desk.path))["ledger_id"])
    for event in found:
        digest = hashlib.sha256(bytes.fromhex(event["salt"]) + event["payload"]).digest()
        assert digest.hex() == event["payload_digest"]
        named = {name: event[name] for name in FIELDS if name not in ("payload", "salt", "type", "leaf")}
        ids = {name: UUID(event[name]) for name in ("event_id", "correlation_id")}
        cause = UUID(event["causation_id"]) if event["causation_id"] else None
        more = ids | {"ledger_id": ledger_id, "type_": event["type"], "causation_id": cause, "payload_digest": digest}
        assert leaf(**(named | more)).hex() == event["leaf"]


def test_it_begins_behind_a_position_and_ends_at_the_head(here: Here) -> None:
    whole = lines(here)
    for after in (1, 7, len(whole) - 1, len(whole)):
        assert lines(here, after=after) == whole[after:]
    answer = here.client.get(here.path, params={"after": len(whole)})
    assert (answer.content, answer.headers["stet-position"]) == (b"", str(len(whole)))
    assert answer.headers["cache-control"] == "no-store"
    answer = here.client.get(here.path, params={"after": len(whole), "format": "cloudevents"})
    assert (answer.content, answer.headers["content-type"]) == (b"[]", BATCH)
    problem(here.client.get(here.path, params={"after": len(whole) + 1}), "not-found", 404)
    malformed(here.client.get(here.path, params={"after": -1}), "query.after")


def test_the_form_is_what_the_client_asks_for(here: Here) -> None:
    """Not JSON: the log is no document. `format` goes before Accept."""
    for headers, query, media_type in (
        ({}, {}, "application/x-ndjson"),
        ({"accept": "application/x-ndjson"}, {}, "application/x-ndjson"),
        ({"accept": BATCH}, {}, BATCH),
        ({"accept": f"{BATCH};q=0.5, application/x-ndjson"}, {}, "application/x-ndjson"),
        ({"accept": BATCH}, {"format": "ndjson"}, "application/x-ndjson"),
        ({"accept": "application/json"}, {"format": "cloudevents"}, BATCH),
    ):
        answer = here.client.get(here.path, params=query, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        assert answer.headers["vary"] == "accept, authorization"
    for headers, query in (({"accept": "application/json"}, {}), ({}, {"format": "json"}), ({}, {"format": "csv"})):
        problem(here.client.get(here.path, params=query, headers=headers), "not-acceptable", 406)
    malformed(here.client.get(here.path, params={"format": "xml"}), "query.format")


def test_as_cloud_events(here: Here) -> None:
    """Each with what CloudEvents 1.0 requires, named as it asks; nothing that the line has is lost."""
    answer = here.client.get(here.path, headers={"accept": BATCH})
    ledger_id = read(here.client.get(here.desk.path))["ledger_id"]
    raw = msgspec.json.decode(answer.content, type=list[dict[str, msgspec.Raw]])
    for event, line in zip(answer.json(), lines(here), strict=True):
        assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in event)
        assert all(event[name] for name in ("id", "source", "specversion", "type"))
        assert all(isinstance(value, str | int) for name, value in event.items() if name != "data")
        expected = {
            "specversion": "1.0",
            "id": line["event_id"],
            "source": f"urn:stet:ledger:{ledger_id}",
            "type": f"stet.{line['type']}.v{line['schema_version']}",
            "subject": line["stream"],
            "datacontenttype": "application/json",
            "dataschema": f"urn:stet:event:{line['type']}:{line['schema_version']}",
            "sequence": str(line["position"]),
            "streamversion": line["stream_version"],
            "actor": line["actor"],
            "correlationid": line["correlation_id"],
            **({"causationid": line["causation_id"]} if line["causation_id"] else {}),
            "payloaddigest": line["payload_digest"],
            "salt": line["salt"],
            "leaf": line["leaf"],
            "data": json.loads(line["payload"]),
        }
        assert datetime.fromisoformat(event.pop("time")) == line["recorded_at"]
        assert event == expected
    assert [bytes(event["data"]) for event in raw] == [line["payload"] for line in lines(here)]
    assert any("causationid" in event for event in raw)


def test_data_is_of_the_schema_that_it_names(here: Here) -> None:
    batch = here.client.get(here.path, params={"format": "cloudevents"}).json()
    known = {(schema := json.loads(file.read_bytes()))["$id"]: schema for file in SCHEMAS.iterdir()}
    options = jsonschema_rs.FancyRegexOptions()
    validators = {
        name: jsonschema_rs.Draft202012Validator(known[name], validate_formats=True, pattern_options=options)
        for name in {event["dataschema"] for event in batch}
    }
    for event in batch:
        validators[event["dataschema"]].validate(event["data"])


def memory_kb(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


@pytest.mark.parametrize("form", ["ndjson", "cloudevents"])
async def test_a_log_of_any_size_is_streamed_in_little_memory(here: Here, form: str) -> None:
    """Twenty thousand events, fifty megabytes."""
    name, aliases = f"large-{form}", tuple(Alias(name=f"{n:03}" + "x" * 97) for n in range(20))
    async with make_pool(here.url, Settings(pool_size=2)) as pool:
        log = Log(pool)
        ledger_id = await make_ledger(log, name)
        for n in range(20):
            stream = f"source:{UUID(int=n)}"
            events = [event_of(stream, SourceRegistered(name="S", kind="outlet", aliases=aliases)) for _ in range(1000)]
            assert (await log.append(ledger_id, append_of({stream: 0}, events))).outcome == "appended"
    path, ids = f"/v1/ledgers/{name}/events?format={form}", 0
    assert here.client.get(f"{path}&after=19000").status_code == 200
    before = most = memory_kb(here.server)
    size, rest = 0, b""
    with here.client.stream("GET", path) as answer:
        for part in answer.iter_bytes(1 << 20):
            size += len(part)
            ids += (rest + part).count(b'"leaf":"')
            rest = part[-7:]
            most = max(most, memory_kb(here.server))
    assert ids == 20_001
    assert size > 50_000_000
    assert most - before < 40_000, f"{before} kB before, {most} kB at most"
