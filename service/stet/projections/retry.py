"""Parked streams, taken again once what they failed at is mended."""

from __future__ import annotations

import psycopg
from msgspec import Struct

from stet.database.pool import as_role
from stet.projections.advance import retry
from stet.projections.projection import Projection
from stet.projections.target import Target
from stet.sql import load

_FIND_PARKED = load("find_parked")


class RetryRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which parked streams to take again."""

    ledger: str | None = None
    """Only of this ledger."""
    stream: str | None = None
    """Only this stream, `incident:ID`."""


class Retried(Struct, frozen=True, kw_only=True):
    """What became of a parked stream."""

    ledger: str
    stream: str
    error: str | None
    """Why it could not be taken again; null: it was."""


class Retries(Struct, frozen=True):
    items: list[Retried]


def retry_parked(url: str, projection: Projection, asked: RetryRequest) -> Retries:
    """Takes parked streams from where they failed to where the projection is, each in a transaction."""
    target = Target(projection)
    found: list[Retried] = []
    with psycopg.connect(url, autocommit=True, application_name="stet retry") as connection:
        as_role(connection, "stet_worker")
        wanted = {"projection": target.name, "ledger": asked.ledger, "stream": asked.stream}
        for ledger, ledger_id, stream in connection.execute(_FIND_PARKED, wanted).fetchall():
            error = retry(connection, target, ledger_id, stream)
            found.append(Retried(ledger=ledger, stream=stream, error=error))
    return Retries(found)
