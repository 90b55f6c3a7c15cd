"""Whatever is redacted of any history: the rows are those of the log, the log proves itself, the text is nowhere."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from psycopg import sql
from tests.conftest import Cluster
from tests.database.everything import everything
from tests.projections.driving import few_ledgers_each
from tests.projections.test_histories import append, stored, write_again
from tests.property.disputes import disputes
from tests.property.restricting import restricted
from tests.store.test_restore import exported
from tests.store.writing import append_of, event_of, make_ledger
from tests.strategies import Draw, World, histories, pick
from tests.unit import saying

from stet.codec import decode, encode, recorded
from stet.database.pool import as_role, make_pool
from stet.envelope import Recorded
from stet.handle import Context, handle
from stet.handle.redaction import redact
from stet.ids import new_id
from stet.incident.events import IncidentOpened
from stet.projections.advance import States, advance
from stet.projections.prepare import prepare
from stet.projections.rebuild.job import RebuildRequest, add_rebuild
from stet.projections.rebuild.run import run_rebuild
from stet.projections.registry import projection_of
from stet.projections.source_record import PROJECTION
from stet.projections.target import Target
from stet.projections.verify import differences
from stet.redaction.commands import ConfirmRedaction, MarkedInput, ProposeRedaction
from stet.redaction.fields import fields_of
from stet.settings import Settings
from stet.source.events import SourceRegistered, SourceRevised
from stet.sql import load
from stet.store.append import Log
from stet.store.log_file import LogFile
from stet.store.restore import restore_log
from stet.store.verify import verify

Logged = Sequence[Recorded[Any]]


_NUMBERS = count()


def marked(log: Logged) -> list[Recorded[Any]]:
    """The log with every free text one that stands in no other stream, and in no other log."""
    number = next(_NUMBERS)
    return [replace(one, event=_marked(one, number)) for one in log]


def _marked(one: Recorded[Any], number: int) -> Any:
    payload = encode(one.event)
    if one.stream.startswith("ledger:"):
        return one.event
    mark = f"zz{number}x{sha256(one.stream.encode()).hexdigest()[:8]}"
    whole = msgspec.json.decode(payload)
    for pointer, field in fields_of(payload).items():
        if field.kind in ("text", "slug"):
            said = f"{field.texts[0]}-{mark}"
            *path, last = pointer.split("/")[1:]
            at = whole
            for name in path:
                at = at[int(name)] if isinstance(at, list) else at[name]
            at[int(last) if isinstance(at, list) else last] = said
    return decode(one.type, one.schema_version, msgspec.json.encode(whole), one.position)


@st.composite
def wishes(draw: Draw, log: Logged) -> tuple[str, list[MarkedInput], set[str]]:
    """What to redact of a log: a stream, events of it and fields of them; and the texts that will be gone."""
    able = [one for one in log if not one.stream.startswith("ledger:") and _texts(one)]
    stream = pick(draw, *sorted({one.stream for one in able}))
    events, texts = [], set()
    its = [one for one in log if one.stream == stream]
    for version in draw(st.sets(st.sampled_from([n for n, one in enumerate(its, 1) if _texts(one)]), min_size=1)):
        found = _texts(its[version - 1])
        fields = draw(st.sets(st.sampled_from(sorted(found))))
        events.append(MarkedInput(stream_version=version, fields=tuple(sorted(fields))))
        texts |= {found[pointer] for pointer in fields or found}
    return stream, events, {text for text in texts if "zz" in text}


def _texts(one: Recorded[Any]) -> dict[str, str]:
    """What can be erased of an event, and what it says; of what is no plain text nothing."""
    fields = fields_of(encode(one.event))
    plain = ("text", "slug")
    return {name: field.texts[0] if field.kind in plain else "" for name, field in fields.items() if field.texts}


async def carry_out(url: str, ledger_id: UUID, stream: str, events: list[MarkedInput]) -> None:
    async with make_pool(url, Settings(pool_size=2)) as pool:
        log = Log(pool)
        proposal_id = None
        for actor in ("one", "other"):
            context = Context(actor=actor, correlation_id=new_id(), request_digest=b"")
            command = (
                ConfirmRedaction(redaction_id=proposal_id, reason=f"agreed {new_id()}")
                if proposal_id
                else ProposeRedaction(ground="safety", events=tuple(events), reason="asked for")
            )
            await handle(pool, log, ledger_id, None, redact(command, stream, actor, "/"), context)
            with psycopg.connect(url) as connection:
                row = connection.execute(
                    "SELECT payload ->> 'redaction_id' FROM stet.event WHERE ledger_id = %s"
                    " AND type = 'redaction-proposed' ORDER BY position DESC LIMIT 1",
                    (ledger_id,),
                ).fetchone()
            assert row
            proposal_id = UUID(row[0])


def leaves(connection: psycopg.Connection, ledger_id: UUID, up_to: int) -> list[Any]:
    return connection.execute(
        "SELECT position, leaf, payload_digest, event_id FROM stet.event WHERE ledger_id = %s AND position <= %s"
        " ORDER BY position",
        (ledger_id, up_to),
    ).fetchall()


def take_no_samples(url: str) -> None:
    """Keeps autovacuum from the tables: the statistics that it takes are erased by hand (docs/redaction.md)."""
    with psycopg.connect(url, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'stet'").fetchall():
            quiet = sql.SQL("ALTER TABLE {} SET (autovacuum_enabled = off)")
            connection.execute(quiet.format(sql.Identifier("stet", name)))


def test_of_any_history(cluster: Cluster) -> None:
    numbers = iter(range(1_000))
    here, there = few_ledgers_each(cluster), few_ledgers_each(cluster)

    def check(log: Logged, data: st.DataObject) -> None:
        url, elsewhere = next(here), next(there)
        take_no_samples(url)
        name = f"redacted-{next(numbers)}"
        asyncio.run(write_again(url, name, log))
        worker, target = States(), Target(PROJECTION)
        with psycopg.connect(url, autocommit=True) as connection:
            ledger_id, head = connection.execute(
                "SELECT ledger_id, position FROM stet.head JOIN stet.ledger USING (ledger_id) WHERE name = %s", (name,)
            ).fetchall()[0]
            before = leaves(connection, ledger_id, head)
        # A worker that holds states in memory, somewhere on its way.
        with psycopg.connect(url, autocommit=True) as connection:
            as_role(connection, "stet_worker")
            advance(connection, target, ledger_id, worker, data.draw(st.integers(1, head)))
        for _ in range(data.draw(st.integers(1, 2))):
            stream, events, texts = data.draw(wishes(stored_log(url, ledger_id)))
            asyncio.run(carry_out(url, ledger_id, stream, events))
            for text in texts:
                assert everything(url, text) == [], text
            with psycopg.connect(url, autocommit=True) as connection:
                assert differences(connection, name) == []
        with psycopg.connect(url, autocommit=True) as connection:
            as_role(connection, "stet_worker")
            while advance(connection, target, ledger_id, worker, 3):
                pass
        with psycopg.connect(url, autocommit=True) as connection:
            assert leaves(connection, ledger_id, head) == before
            assert [report.fault for report in verify(connection, name)] == [None]
            assert differences(connection, name) == []
            kept = stored(connection, name)
            connection.execute("DELETE FROM stet.projection WHERE name <> 'source_record'")
        prepare(url, lambda line: None)
        with psycopg.connect(url, autocommit=True) as connection:
            assert stored(connection, name) == kept
        file = exported(url, name)
        assert file.startswith(b'{"format":"stet-log","version":2,')
        with psycopg.connect(elsewhere, client_encoding="utf8", options="-c timezone=UTC") as connection:
            restore_log(connection, LogFile(io.BytesIO(file)))
        assert exported(elsewhere, name) == file
        with psycopg.connect(elsewhere, autocommit=True) as connection:
            assert stored(connection, name) == kept

    @settings(max_examples=5)
    @given(histories(), st.data())
    def of_a_history(world: World, data: st.DataObject) -> None:
        check(marked(world.log), data)

    @settings(max_examples=4)
    @given(disputes(), st.data())
    def of_a_dispute(events: list[Recorded[Any]], data: st.DataObject) -> None:
        check(marked(events), data)

    @settings(max_examples=6)
    @given(histories(), st.data())
    def of_what_is_restricted(world: World, data: st.DataObject) -> None:
        check(data.draw(restricted(marked(world.log))), data)

    of_a_history()
    of_a_dispute()
    of_what_is_restricted()


def stored_log(url: str, ledger_id: UUID) -> list[Recorded[Any]]:
    """The log as it is by now."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT position, stream, stream_version, event_id, type, schema_version, recorded_at, actor,"
            " correlation_id, causation_id, payload::text FROM stet.event WHERE ledger_id = %s ORDER BY position",
            (ledger_id,),
        ).fetchall()
    return [recorded(row) for row in rows]


@pytest.mark.parametrize("phase", ["copying", "switching"])
@pytest.mark.parametrize("name", ["incident_history", "name_history", "source_record"])
def test_a_rebuild_on_its_way_takes_the_redaction_up(cluster: Cluster, name: str, phase: str) -> None:
    """What it had copied before is written anew, and nothing that differs is found where nothing is wrong."""
    url = cluster.migrated()
    text = "Unmistakable Witness"
    source, incident = f"source:{new_id()}", f"incident:{new_id()}"

    async def written() -> UUID:
        async with make_pool(url, Settings(pool_size=2)) as pool:
            log = Log(pool)
            ledger_id = await make_ledger(log, "rebuilt")
            await append(pool, log, ledger_id, [(source, SourceRegistered(name=text, kind="person"))])
            _, said = saying.told(saying.say("AZ", killed=1))
            opened = IncidentOpened(title=text, kind="shootdown")
            await append(pool, log, ledger_id, [(incident, opened), (incident, said.event)])
            return ledger_id

    def reached() -> bool:
        with psycopg.connect(url) as looking:
            return looking.execute("SELECT phase FROM stet.rebuild").fetchall() == [(phase,)]

    ledger_id, rebuild_id = asyncio.run(written()), new_id()
    worker, target = States(), Target(PROJECTION)
    with psycopg.connect(url, autocommit=True) as connection:
        as_role(connection, "stet_worker")
        advance(connection, target, ledger_id, worker)
        add_rebuild(connection, rebuild_id, name, projection_of(name).version, RebuildRequest())
        assert run_rebuild(url, rebuild_id, reached) is None
        for stream in (source, incident):
            asyncio.run(carry_out(url, ledger_id, stream, [MarkedInput(stream_version=1)]))
        done = run_rebuild(url, rebuild_id)
        assert done
        assert (done.phase, done.error, done.differences) == ("done", None, [])
        while advance(connection, target, ledger_id, worker):
            pass
    with psycopg.connect(url, autocommit=True) as connection:
        assert differences(connection, "rebuilt") == []
    assert everything(url, text) == []


def test_a_long_stream_is_redacted_at_once(cluster: Cluster) -> None:
    """What is erased of each event is read once, not once for each event: else no statement would end in time."""
    url = cluster.migrated()

    async def make() -> tuple[UUID, str]:
        async with make_pool(url, Settings(pool_size=2)) as pool:
            log = Log(pool)
            ledger_id, source_id = await make_ledger(log, "long"), new_id()
            said = [SourceRegistered(name="Vardan Petrosyan", kind="person")]
            said += [SourceRevised(name=f"Vardan Petrosyan {n}", reason="so") for n in range(4_000)]  # type: ignore[misc]
            stream = f"source:{source_id}"
            await log.append(ledger_id, append_of({stream: 0}, [event_of(stream, one) for one in said]))
            return ledger_id, stream

    ledger_id, stream = asyncio.run(make())
    asyncio.run(carry_out(url, ledger_id, stream, [MarkedInput(stream_version=1)]))
    assert everything(url, "Vardan Petrosyan") == []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT set_config('statement_timeout', '5s', false)")
        parameters = {"ledger_id": ledger_id, "after": 1, "up_to": 2**40, "limit": 1_000}
        rows = connection.execute(load("list_log"), parameters).fetchall()
        assert [row[-2] for row in rows] == ['["/name"]'] * 1_000
        assert [report.fault for report in verify(connection, "long")] == [None]
