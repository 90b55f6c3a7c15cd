"""The log cannot be changed or forged: not by the application, not by the owner, not by a superuser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.errors import (
    CheckViolation,
    InsufficientPrivilege,
    InvalidParameterValue,
    NotNullViolation,
    ObjectNotInPrerequisiteState,
    UniqueViolation,
)
from tests.conftest import Cluster
from tests.store.writing import Stored, an_append, append_of, event_of, make_ledger, read_all

from stet.database.pool import make_pool
from stet.ids import new_id
from stet.projections.foresee import NOTHING
from stet.redaction.events import Erased, PayloadRedacted
from stet.settings import Settings
from stet.sql import load
from stet.store.append import Log
from stet.store.verify import verify

ROLES = ("stet_application", "stet_owner", "superuser")
COLUMNS = """ledger_id, position, stream, stream_version, event_id, type, schema_version, recorded_at, actor,
             correlation_id, causation_id, payload, salt, payload_digest, leaf"""
CHANGES = {
    "update": "UPDATE stet.event SET actor = 'somebody else' WHERE position = 2",
    "update of nothing": "UPDATE stet.event SET actor = 'somebody else' WHERE false",
    "delete": "DELETE FROM stet.event WHERE position = 2",
    "truncate": "TRUNCATE stet.event",
    "truncate cascade": "TRUNCATE stet.event CASCADE",
    "merge": """MERGE INTO stet.event e USING (VALUES (2)) v(position) ON e.position = v.position
                WHEN MATCHED THEN UPDATE SET actor = 'somebody else'""",
    "merge delete": """MERGE INTO stet.event e USING (VALUES (2)) v(position) ON e.position = v.position
                       WHEN MATCHED THEN DELETE""",
    "insert or update": f"""INSERT INTO stet.event ({COLUMNS}) SELECT {COLUMNS} FROM stet.event WHERE position = 2
                            ON CONFLICT (ledger_id, position) DO UPDATE SET actor = 'somebody else'""",
    "data-modifying query": "WITH gone AS (DELETE FROM stet.event RETURNING position) SELECT * FROM gone",
}
FORGED = {
    "beyond the head": "ledger_id, (SELECT max(position) + 1 FROM stet.event), 'source:new', 1, recorded_at",
    "far beyond the head": "ledger_id, 1000000, 'source:new', 1, recorded_at",
    "before the first": "ledger_id, 0, 'source:new', 1, recorded_at",
    "negative": "ledger_id, -1, 'source:new', 1, recorded_at",
    "in the future": "ledger_id, 1000000, 'source:new', 1, recorded_at + interval '1 year'",
    "in the past": "ledger_id, 0, 'source:new', 1, recorded_at - interval '1 year'",
    "another ledger": "gen_random_uuid(), 1, 'source:new', 1, recorded_at",
    "a taken position": "ledger_id, 2, 'source:new', 1, recorded_at",
    "a taken version": "ledger_id, 1000000, stream, stream_version, recorded_at",
}
REFUSED = {
    "the head": "UPDATE stet.head SET position = 1",
    "a ledger": "INSERT INTO stet.ledger (ledger_id, name) VALUES (gen_random_uuid(), 'mine')",
    "a ledger's name": "UPDATE stet.ledger SET name = 'mine'",
    "an answer": """INSERT INTO stet.idempotency SELECT ledger_id, 'a', 'k', '', 201::smallint, '/', position
                    FROM stet.head""",
    "answers": "DELETE FROM stet.idempotency",
    "a reference": "INSERT INTO stet.reference SELECT ledger_id, 'source:x', 'incident:x', false FROM stet.head",
    "references": "DELETE FROM stet.reference",
    "the secret": "UPDATE stet.instance SET cursor_secret = ''",
    "a trigger": "ALTER TABLE stet.event DISABLE TRIGGER event_refuse_change",
    "all triggers": "ALTER TABLE stet.event DISABLE TRIGGER ALL",
    "replica": "SET session_replication_role = replica",
    "a trigger's end": "DROP TRIGGER event_refuse_change ON stet.event",
    "the function": "ALTER FUNCTION stet.append OWNER TO stet_application",
    "the table": "DROP TABLE stet.event",
    "a table": "CREATE TABLE stet.mine (a int)",
    "the owner": "SET ROLE stet_owner",
    "the superuser": "SET ROLE {superuser}",
    "membership": "GRANT stet_owner TO stet_application",
}


_REDACTED_BY = "(SELECT position FROM stet.event WHERE type = 'payload-redacted' ORDER BY position LIMIT 1)"
_LEFT = '{"name":"[redacted]","kind":"outlet"}'
_SALT = "of a tombstone  "
"""What the redaction in the log says is left of position 3, and with which salt; it has not been carried out."""
UNREDACTED = {
    "another tombstone": f"""SET payload = '{{"name":"[redacted]","kind":"person"}}', salt = '{_SALT}',
                             redacted_by = {_REDACTED_BY} WHERE position = 3""",
    "white space": f"SET payload = '{_LEFT} ', salt = '{_SALT}', redacted_by = {_REDACTED_BY} WHERE position = 3",
    "another event": f"SET payload = '{_LEFT}', salt = '{_SALT}', redacted_by = {_REDACTED_BY} WHERE position = 2",
    "another stream": f"SET payload = '{_LEFT}', salt = '{_SALT}', redacted_by = {_REDACTED_BY} WHERE position = 4",
    "only the payload": f"SET payload = '{_LEFT}' WHERE position = 3",
    "the payload as it was": f"SET salt = '{_SALT}', redacted_by = {_REDACTED_BY} WHERE position = 3",
    "with the salt as it was": f"SET payload = '{_LEFT}', redacted_by = {_REDACTED_BY} WHERE position = 3",
    "with no salt": f"SET payload = '{_LEFT}', salt = NULL, redacted_by = {_REDACTED_BY} WHERE position = 3",
    "with another salt": f"""SET payload = '{_LEFT}', salt = uuid_send(gen_random_uuid()), redacted_by = {_REDACTED_BY}
                             WHERE position = 3""",
    "with less salt": f"""SET payload = ' {_LEFT}', salt = '{_SALT[:-1]}', redacted_by = {_REDACTED_BY}
                          WHERE position = 3""",
    "only the salt": "SET salt = sha256(salt) WHERE position = 3",
    "by nothing": f"SET payload = '{_LEFT}', salt = '{_SALT}' WHERE position = 3",
    "by no redaction": f"SET payload = '{_LEFT}', salt = '{_SALT}', redacted_by = 4 WHERE position = 3",
    "by what is earlier": f"SET payload = '{_LEFT}', salt = '{_SALT}', redacted_by = 2 WHERE position = 3",
    "by what is not there": f"SET payload = '{_LEFT}', salt = '{_SALT}', redacted_by = 1000 WHERE position = 3",
    "by itself": f"SET payload = '{_LEFT}', salt = '{_SALT}', redacted_by = 3 WHERE position = 3",
    "with another actor": f"""SET payload = '{_LEFT}', salt = '{_SALT}', redacted_by = {_REDACTED_BY}, actor = 'x'
                              WHERE position = 3""",
    "with another digest": f"""SET payload = '{_LEFT}', salt = '{_SALT}', redacted_by = {_REDACTED_BY},
                               payload_digest = sha256('{_LEFT}') WHERE position = 3""",
    "with another leaf": f"""SET payload = '{_LEFT}', salt = '{_SALT}', redacted_by = {_REDACTED_BY}, leaf = ''
                             WHERE position = 3""",
    "moved": f"""SET payload = '{_LEFT}', salt = '{_SALT}', redacted_by = {_REDACTED_BY}, position = 100
                 WHERE position = 3""",
    "all": f"SET payload = '{_LEFT}', salt = '{_SALT}', redacted_by = {_REDACTED_BY}",
    "the redaction itself": f"""SET payload = replace(payload::text, '"position":3', '"position":2')::json
                                WHERE position = {_REDACTED_BY}""",
}
"""What is set in the name of a redaction, and is none: that in the log names position 3, and is not carried out."""


class Target:
    """A database with a few real events."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ledger_id, self.rows = asyncio.run(_fill(url))

    @contextmanager
    def session(self, role: str, *, replica: bool = False) -> Iterator[psycopg.Connection]:
        """A session that logged in as the role, and whose doings are rolled back."""
        with psycopg.connect(self.url) as connection:
            if replica:
                connection.execute("SET session_replication_role = replica")
            if role != "superuser":
                connection.execute(f"SET SESSION AUTHORIZATION {role}")
            yield connection
            connection.rollback()


async def _fill(url: str) -> tuple[UUID, list[Stored]]:
    async with make_pool(url, Settings(pool_size=2)) as pool:
        log = Log(pool)
        ledger_id = await make_ledger(log)
        for n in range(3):
            await log.append(ledger_id, an_append({f"source:{n}": 0}, f"source:{n}", f"source:{n}", key=f"key {n}"))
        erased = Erased(position=3, fields=("/name",), tombstone=sha256_of(_LEFT))
        redacted = PayloadRedacted(redaction_id=new_id(), ground="other", events=(erased,), reason="so")
        await log.append(ledger_id, append_of({"source:0": 2}, [event_of("source:0", redacted)]))
    return ledger_id, read_all(url, ledger_id)


@pytest.fixture(scope="module")
def target(cluster: Cluster) -> Target:
    """Shared by this module: nothing here may change it."""
    return Target(cluster.migrated())


@pytest.fixture(autouse=True)
def unchanged(target: Target) -> Iterator[None]:
    """After each test the log is what it was."""
    yield
    assert read_all(target.url, target.ledger_id) == target.rows


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("replica", [False, True], ids=["origin", "replica"])
@pytest.mark.parametrize("forged", UNREDACTED)
def test_no_redaction_but_what_the_log_says(target: Target, role: str, forged: str, replica: bool) -> None:
    """Of three columns an UPDATE is let through, and then only as a payload-redacted of the stream says."""
    with (
        target.session(role, replica=replica) as connection,
        pytest.raises((_refusal(role), CheckViolation, NotNullViolation)),
    ):
        connection.execute(f"UPDATE stet.event {UNREDACTED[forged]}".encode())


@pytest.mark.parametrize("role", ROLES[1:])
def test_what_the_log_says_is_let_through_once(target: Target, role: str) -> None:
    """By the redaction that is in the log; then nothing is, but a later one."""
    change = (
        f"UPDATE stet.event SET payload = '{_LEFT}', salt = '{_SALT}', redacted_by = {_REDACTED_BY} WHERE position = 3"
    )
    with target.session(role) as connection:
        connection.execute(change.encode())
        with pytest.raises(ObjectNotInPrerequisiteState):
            connection.execute(change.encode())


FUNCTION = {
    "another event": (2, _LEFT),
    "another text": (3, "{}"),
    "what is not there": (1_000, _LEFT),
    "one event twice": (3, _LEFT),
}


@pytest.mark.parametrize("forged", FUNCTION)
def test_the_function_erases_nothing_else(target: Target, forged: str) -> None:
    """stet.redact is the application's, and stands behind the same wall."""
    position, payload = FUNCTION[forged]
    times = 2 if "twice" in forged else 1
    query = f"SELECT stet.redact(%s, %s::bigint[], array_fill({_REDACTED_BY}, ARRAY[{times}]), %s::text[], %s)"
    parameters = (target.ledger_id, [position] * times, [payload] * times, [_SALT.encode()] * times)
    with target.session("superuser") as connection:
        connection.execute("SELECT set_config('stet.ledger_id', %s, false)", (str(target.ledger_id),))
        connection.execute("SET ROLE stet_application")
        with pytest.raises((ObjectNotInPrerequisiteState, InvalidParameterValue)):
            connection.execute(query.encode(), parameters)


def test_what_a_redaction_says_stays(target: Target) -> None:
    """It may be redacted itself, but for what it says of others: by that they are checked."""
    with target.session("superuser") as connection:
        row = connection.execute(
            f"SELECT position, payload::text FROM stet.event WHERE position = {_REDACTED_BY}".encode()
        ).fetchone()
        assert row
        position, payload = row
        for old, new, refused in (
            ('"reason":"so"', '"reason":"x"', False),
            ('"position":3', '"position":2', True),
            (sha256_of(_LEFT), "0" * 64, True),
        ):
            changed = payload.replace(old, new)
            assert changed != payload
            with connection.transaction(force_rollback=True):
                erased = [{"position": position, "fields": ["/reason"], "tombstone": sha256_of(changed)}]
                later = json.dumps({"events": erased})
                connection.execute("UPDATE stet.head SET position = position + 1")
                connection.execute(
                    """INSERT INTO stet.event (ledger_id, position, stream, stream_version, recorded_at, event_id, type,
                           schema_version, actor, correlation_id, payload, salt, payload_digest, leaf)
                       SELECT ledger_id, position + 1, stream, stream_version + 1, recorded_at, gen_random_uuid(), type,
                           schema_version, actor, correlation_id, %s::json, salt, payload_digest, leaf
                       FROM stet.event WHERE position = %s""",
                    (later, position),
                )
                change = "UPDATE stet.event SET payload = %s::json, salt = %s, redacted_by = %s WHERE position = %s"
                with pytest.raises(ObjectNotInPrerequisiteState) if refused else nullcontext():
                    connection.execute(change, (changed, _SALT.encode(), position + 1, position))


def sha256_of(text: str) -> str:
    return sha256((_SALT + text).encode()).hexdigest()


def _refusal(role: str) -> type[psycopg.Error]:
    return InsufficientPrivilege if role == "stet_application" else ObjectNotInPrerequisiteState


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("change", CHANGES)
def test_no_change(target: Target, role: str, change: str) -> None:
    """Nobody changes or removes an event."""
    with target.session(role) as connection, pytest.raises(_refusal(role)):
        connection.execute(CHANGES[change].encode())


@pytest.mark.parametrize("role", ROLES[1:])
@pytest.mark.parametrize("change", CHANGES)
def test_no_change_as_a_replica(target: Target, role: str, change: str) -> None:
    """session_replication_role = replica, which silences ordinary triggers, does not help."""
    with target.session(role, replica=True) as connection, pytest.raises(ObjectNotInPrerequisiteState):
        connection.execute(CHANGES[change].encode())


@pytest.mark.parametrize("replica", [False, True], ids=["origin", "replica"])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("forged", FORGED)
def test_no_forgery(target: Target, role: str, forged: str, replica: bool) -> None:
    """Nobody inserts an event with a position or a time of their own."""
    statement = f"""
        INSERT INTO stet.event (ledger_id, position, stream, stream_version, recorded_at, event_id,
               type, schema_version, actor, correlation_id, causation_id, payload, salt, payload_digest, leaf)
        SELECT {FORGED[forged]}, gen_random_uuid(),
               type, schema_version, actor, correlation_id, causation_id, payload, salt, payload_digest, leaf
        FROM stet.event WHERE position = 2"""
    refusal = UniqueViolation if "taken" in forged and role != "stet_application" else _refusal(role)
    with target.session(role, replica=replica) as connection, pytest.raises(refusal):
        connection.execute(statement.encode())


@pytest.mark.parametrize("role", ROLES)
def test_no_forgery_by_copy(target: Target, role: str) -> None:
    """COPY is an insert like any other."""
    row = (target.ledger_id, 100, "source:new", 1, uuid4(), "source-registered", 1, target.rows[-1].recorded_at)
    row = (*row, "a", uuid4(), None, "{}", b"", b"", b"")
    with (
        target.session(role) as connection,
        pytest.raises(_refusal(role)),
        connection.cursor().copy(f"COPY stet.event ({COLUMNS}) FROM STDIN".encode()) as copy,
    ):
        copy.write_row(row)


@pytest.mark.parametrize("role", ["stet_application", "stet_reader"])
@pytest.mark.parametrize("refused", REFUSED)
def test_neither_application_nor_reader_may(target: Target, role: str, refused: str) -> None:
    """The application appends and reads, the reader reads; neither can make itself more."""
    with target.session(role) as connection:
        superuser = psycopg.conninfo.conninfo_to_dict(target.url)["user"]
        with pytest.raises(InsufficientPrivilege):
            connection.execute(REFUSED[refused].format(superuser=superuser).encode())


def test_there_is_no_sequence_to_set(target: Target) -> None:
    """Positions come from the head row alone, so setval has nothing to turn."""
    with target.session("superuser") as connection:
        found = connection.execute("SELECT relname FROM pg_class WHERE relkind = 'S'").fetchall()
    assert found == []


@pytest.mark.parametrize("table", ["stet.idempotency", "stet.instance"])
def test_the_reader_reads_no_secrets(target: Target, table: str) -> None:
    """What was answered, and the key that signs cursors, are not the reader's."""
    with target.session("stet_reader") as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(f"SELECT * FROM {table}".encode())


def test_the_reader_does_not_append(target: Target) -> None:
    """stet.append is the application's alone."""
    with target.session("stet_reader") as connection:
        row = connection.execute(
            """SELECT r.role, has_function_privilege(r.role, p.oid, 'EXECUTE')
               FROM pg_proc p, (VALUES ('stet_application'), ('stet_reader')) r(role)
               WHERE p.oid = 'stet.append'::regproc ORDER BY 1"""
        ).fetchall()
        assert row == [("stet_application", True), ("stet_reader", False)]
        nulls = ", ".join(["NULL"] * 24)
        with pytest.raises(InsufficientPrivilege, match="append"):
            connection.execute(f"SELECT stet.append({nulls})".encode())


def test_the_reader_can_verify(target: Target) -> None:
    """To check the log it is enough to be allowed to read it."""
    with psycopg.connect(target.url) as connection:
        connection.execute("SET SESSION AUTHORIZATION stet_reader")
        connection.commit()
        [report] = verify(connection, None)
    assert report.events == len(target.rows) - 1
    assert report.fault == "position 8: it erased something of position 3, which is not redacted so"


def test_public_has_nothing(target: Target) -> None:
    """Whoever is granted no role of ours can neither see nor call anything."""
    with target.session("superuser") as connection:
        found = connection.execute(
            """SELECT 'relation', c.oid::regclass::text, a.privilege_type
               FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
               WHERE c.relnamespace = 'stet'::regnamespace AND a.grantee = 0
               UNION ALL
               SELECT 'function', p.oid::regprocedure::text, a.privilege_type
               FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
               WHERE p.pronamespace = 'stet'::regnamespace AND a.grantee = 0
               UNION ALL
               SELECT 'schema', n.nspname, a.privilege_type
               FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
               WHERE n.nspname = 'stet' AND a.grantee = 0"""
        ).fetchall()
        can_log_in = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'stet\\_%' AND rolcanlogin"
        ).fetchall()
        owned = connection.execute(
            """SELECT count(*) FROM pg_class WHERE relnamespace = 'stet'::regnamespace
               AND relowner <> 'stet_owner'::regrole"""
        ).fetchone()
    assert found == []
    assert can_log_in == []
    assert owned == (0,)


NUMBERS = {
    "numbers far before": {"numbers": [-2147483647], "lower": -2147483647},
    "a number beyond": {"numbers": [2]},
    "number 0": {"numbers": [0]},
    "no number": {"numbers": [None]},
}


@pytest.mark.parametrize("forged", NUMBERS)
def test_no_number_of_a_command_moves_the_clock(target: Target, forged: str) -> None:
    """The application cannot shift recorded_at by how it numbers its commands."""
    numbers, lower = NUMBERS[forged]["numbers"], NUMBERS[forged].get("lower", 1)
    bounds = f"[{lower}:{lower}]="
    parameters = {
        **{name: [None] for name in ("key", "request_digest", "status", "location", "causation_id")},
        **{name: [] for name in ("fanout_command", "fanout_target", "fanout_count")},
        **{name: [] for name in ("reference_target", "reference_stream", "reference_role", "held", "versions")},
        **NOTHING,
        "foreseen": False,
        "ledger_id": target.ledger_id,
        "ledger_name": None,
        "actor": f"{bounds}{{x}}",
        "correlation_id": f"{bounds}{{{new_id()}}}",
        "check_command": numbers,
        "check_stream": ["source:forged"],
        "check_version": [0],
        "event_command": numbers,
        "stream": ["source:forged"],
        "event_id": [new_id()],
        "type": ["source-registered"],
        "schema_version": [1],
        "payload": ["{}"],
    }
    with target.session("stet_application") as connection, pytest.raises(InvalidParameterValue):
        connection.execute(load("append"), parameters)


def test_no_line_feed_enters_a_hashed_line(target: Target) -> None:
    """The leaf joins its fields by line feeds: one inside a field would let two envelopes have one hash."""
    with psycopg.connect(target.url) as connection:
        connection.execute("UPDATE stet.head SET position = position + 1, recorded_at = now() + interval '1 day'")
        with pytest.raises(CheckViolation, match="event_one_line"):
            connection.execute(
                """INSERT INTO stet.event SELECT ledger_id, position + 1, E'a\\nb', 1, event_id, type, schema_version,
                      recorded_at, actor, correlation_id, causation_id, payload, salt, payload_digest, leaf
               FROM stet.event ORDER BY position DESC LIMIT 1"""
            )
