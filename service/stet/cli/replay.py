"""`stet replay`: the log folded anew, as of any moment, without the service."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from uuid import UUID

import click
import msgspec

from stet.cli.database import database, progress
from stet.cli.terminal import say
from stet.database.pool import Connection, make_pool
from stet.errors import Malformed, NotFound
from stet.incident.said import SaidMatch
from stet.incident.view import view
from stet.queries.cut import ALL_SAID, HEAD, AsOf, ReadCut, Said, parse_as_of, parse_said_by, resolve_cut
from stet.queries.incident import incident_itself
from stet.queries.many import list_events, list_opened
from stet.settings import Settings
from stet.store.read import find_ledger

_PAGE = 500


def replay_here(
    settings: Settings,
    ledger: str,
    incident: str | None,
    as_of: str | None,
    said_by: str | None,
    said_match: SaidMatch,
    events: bool,
) -> int:
    """Prints the views. Raises NotFound or Malformed for what does not exist at the cut."""
    asked = (parse_as_of(as_of, "--as-of") if as_of else HEAD)._replace(audience="member")
    said = Said(parse_said_by(said_by, "--said-by"), said_match) if said_by else ALL_SAID
    if incident:
        try:
            UUID(incident)
        except ValueError as error:
            raise Malformed.at("--incident", f"must be an id, not {incident!r}") from error
    with database(settings, create=False) as url:
        return asyncio.run(_replay(url, settings, ledger, UUID(incident) if incident else None, asked, said, events))


async def _replay(
    url: str,
    settings: Settings,
    ledger: str,
    incident_id: UUID | None,
    asked: AsOf,
    said: Said,
    events: bool,
) -> int:
    async with make_pool(url, settings, role="stet_reader") as pool, pool.connection() as connection:
        ledger_id = await find_ledger(connection, ledger)
        if ledger_id is None:
            raise NotFound(f"there is no ledger {ledger}")
        await connection.show(ledger_id)
        cut = await resolve_cut(connection, ledger_id, asked, said)
        if incident_id:
            line, _ = await _print_one(connection, ledger_id, incident_id, cut, events)
            digest = sha256(line).hexdigest()
        else:
            digest = await _print_all(connection, ledger_id, cut, events)
    say(f"position {cut.position}, digest {digest}")
    return 0


async def _print_all(connection: Connection, ledger_id: UUID, cut: ReadCut, events: bool) -> str:
    """The digest of all views, in the order in which the incidents were opened."""
    digest, show, after, done = sha256(), progress(), None, 0
    while True:
        page = await list_opened(connection, ledger_id, cut, after, _PAGE)
        for incident_id in page.items:
            line, version = await _print_one(connection, ledger_id, incident_id, cut, events)
            digest.update(line)
            done += version
            show("replaying", done, max(cut.position, done + 1))
        if page.after is None:
            show("replaying", done, done)
            return digest.hexdigest()
        after = page.after


async def _print_one(
    connection: Connection, ledger_id: UUID, incident_id: UUID, cut: ReadCut, events: bool
) -> tuple[bytes, int]:
    """The view as it was printed, and the incident's version."""
    after: int | None = 0 if events else None
    while after is not None:
        rows = await list_events(connection, ledger_id, cut, after, _PAGE, incident_id=incident_id)
        for event in rows.items:
            click.echo(msgspec.json.encode(event))
        after = rows.after
    at = await incident_itself(
        connection, ledger_id, incident_id, cut._replace(as_of=f"position:{cut.position}", final=True)
    )
    line = msgspec.json.encode(view(at.state, at.names, at.own_cut))
    click.echo(line)
    return line, at.state.version
