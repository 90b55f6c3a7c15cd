"""The hashes: fixed for ever, and the same here as in the database."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stet.offline import payload_digest
from stet.store.hashing import leaf

SALT = bytes(range(16))
PAYLOAD = '{"name": "Ильин", "kind":"person"}'.encode()
DIGEST = "bc582eef07cad5107e9b52f8cb72382b2bb263f576a3f46f6aa25059eb36e821"
PREIMAGE = (
    b"\x00"
    b"stet-event-1\n"
    b"018f6b1c-0000-7000-8000-000000000001\n"
    b"42\n"
    b"source:018f6b1c-0000-7000-8000-000000000002\n"
    b"7\n"
    b"018f6b1c-0000-7000-8000-000000000003\n"
    b"source-registered\n"
    b"1\n"
    b"2020-11-09T14:30:00.000120Z\n"
    b"J\xc3\xb3zsef\n"
    b"018f6b1c-0000-7000-8000-000000000004\n"
    b"018f6b1c-0000-7000-8000-000000000005\n"
    b"bc582eef07cad5107e9b52f8cb72382b2bb263f576a3f46f6aa25059eb36e821"
)
LEAF = "0f13881a06fd06e8bda8549373643aa4681fd1460d94429b35fd4879f285d3ab"
LEAF_WITHOUT_CAUSE = "14d650671169a85ef214841108839eb2f585ea4319607269623284bd148d0100"
FIELDS: dict[str, Any] = {
    "ledger_id": UUID("018f6b1c-0000-7000-8000-000000000001"),
    "position": 42,
    "stream": "source:018f6b1c-0000-7000-8000-000000000002",
    "stream_version": 7,
    "event_id": UUID("018f6b1c-0000-7000-8000-000000000003"),
    "type_": "source-registered",
    "schema_version": 1,
    "recorded_at": datetime(2020, 11, 9, 14, 30, 0, 120, tzinfo=UTC),
    "actor": "József",
    "correlation_id": UUID("018f6b1c-0000-7000-8000-000000000004"),
    "causation_id": UUID("018f6b1c-0000-7000-8000-000000000005"),
    "payload_digest": bytes.fromhex(DIGEST),
}

SQL_LEAF = """
SELECT stet.leaf(%(ledger_id)s, %(position)s, %(stream)s, %(stream_version)s, %(event_id)s, %(type_)s,
                 %(schema_version)s::smallint, %(recorded_at)s::timestamptz, %(actor)s, %(correlation_id)s,
                 %(causation_id)s, %(payload_digest)s)
"""
lines = st.text(st.characters(exclude_characters="\n\0", exclude_categories=["Cs"]), max_size=40)
fields = st.fixed_dictionaries(
    {
        "ledger_id": st.uuids(),
        "position": st.integers(1, 2**63 - 1),
        "stream": lines,
        "stream_version": st.integers(1, 2**63 - 1),
        "event_id": st.uuids(),
        "type_": lines,
        "schema_version": st.integers(1, 2**15 - 1),
        "recorded_at": st.datetimes(
            datetime(1, 1, 2),  # noqa: DTZ001 - Hypothesis wants bounds without a zone
            datetime(9998, 12, 30),  # noqa: DTZ001
            timezones=st.sampled_from([UTC, timezone(timedelta(hours=4))]),
        ),
        "actor": lines,
        "correlation_id": st.uuids(),
        "causation_id": st.none() | st.uuids(),
        "payload_digest": st.binary(min_size=32, max_size=32),
    }
)


def test_golden_payload_digest() -> None:
    """SHA-256 of the salt and the payload's bytes."""
    assert hashlib.sha256(SALT + PAYLOAD).hexdigest() == DIGEST
    assert payload_digest(SALT, PAYLOAD).hex() == DIGEST


def test_golden_leaf() -> None:
    """SHA-256 of 0x00 and the envelope's lines, whose order and form never change."""
    assert hashlib.sha256(PREIMAGE).hexdigest() == LEAF
    assert leaf(**FIELDS).hex() == LEAF


def test_golden_leaf_without_a_cause() -> None:
    """An absent causation_id is an empty line."""
    preimage = PREIMAGE.replace(b"018f6b1c-0000-7000-8000-000000000005\n", b"\n")
    assert hashlib.sha256(preimage).hexdigest() == LEAF_WITHOUT_CAUSE
    assert leaf(**{**FIELDS, "causation_id": None}).hex() == LEAF_WITHOUT_CAUSE


def test_the_database_computes_the_same_leaf(url: str) -> None:
    """stet.leaf and hashing.leaf agree on every envelope that the log can hold, in any time zone."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET TIME ZONE 'Asia/Yerevan'")

        @given(fields)
        @example(FIELDS)
        @example({**FIELDS, "recorded_at": datetime(1, 1, 1, tzinfo=UTC), "causation_id": None})
        @example({**FIELDS, "recorded_at": datetime(9998, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)})
        @example({**FIELDS, "recorded_at": datetime(2020, 1, 1, tzinfo=UTC), "actor": "Ղարաբաղ 🏔 e\u0301"})
        @settings(max_examples=150)
        def agree(envelope: dict[str, Any]) -> None:
            row = connection.execute(SQL_LEAF, envelope).fetchone()
            assert row
            assert row[0] == leaf(**envelope)

        agree()
