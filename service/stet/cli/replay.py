"""`stet replay`: the log folded anew, as of any moment, without the service."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from uuid import UUID

import click
import msgspec

from stet.cli.database import database, progress
from stet.cli.main import say
from stet.database.pool import Connection, make_pool
from stet.errors import Malformed, NotFound
from stet.queries.cut import AsOf, ReadCut, parse_as_of, resolve_cut
from stet.queries.many import list_events, list_incidents
from stet.queries.one import view_incident
from stet.settings import Settings
from stet.store.read import find_ledger

_PAGE = 500


def replay_here(settings: Settings, ledger: str, incident: str | None, as_of: str | None, events: bool) -> int:
    """Prints the views. Raises NotFound or Malformed for what does not exist at the cut."""
    asked = parse_as_of(as_of, "--as-of") if as_of else None
    if incident:
        try:
            UUID(incident)
        except ValueError as error:
            raise Malformed.at("--incident", f"must be an id, not {incident!r}") from error
    with database(settings, create=False) as url:
        return asyncio.run(_replay(url, settings, ledger, UUID(incident) if incident else None, asked, events))


async def _replay(
    url: str, settings: Settings, ledger: str, incident_id: UUID | None, asked: AsOf | None, events: bool
) -> int:
    async with make_pool(url, settings, role="stet_reader") as pool, pool.connection() as connection:
        ledger_id = await find_ledger(connection, ledger)
        if ledger_id is None:
            raise NotFound(f"there is no ledger {ledger}")
        cut = await resolve_cut(connection, ledger_id, asked)
        if incident_id:
            digest = sha256(await _print_one(connection, ledger_id, incident_id, cut, events)).hexdigest()
        else:
            digest = await _print_all(connection, ledger_id, cut, events)
    say(f"position {cut.position}, digest {digest}")
    return 0


async def _print_all(connection: Connection, ledger_id: UUID, cut: ReadCut, events: bool) -> str:
    """The digest of all views, in the order in which the incidents were opened."""
    digest, show, after, done = sha256(), progress(), 0, 0
    while True:
        page = await list_incidents(connection, ledger_id, cut, after, _PAGE)
        for summary in page.items:
            digest.update(await _print_one(connection, ledger_id, summary.incident_id, cut, events))
            done += summary.version
            show("replaying", done, max(cut.position, done + 1))
        if page.after is None:
            show("replaying", done, done)
            return digest.hexdigest()
        after = page.after


async def _print_one(connection: Connection, ledger_id: UUID, incident_id: UUID, cut: ReadCut, events: bool) -> bytes:
    at = AsOf(f"position:{cut.position}", position=cut.position)
    after: int | None = 0 if events else None
    while after is not None:
        rows = await list_events(connection, ledger_id, cut, after, _PAGE, incident_id=incident_id)
        for event in rows.items:
            click.echo(msgspec.json.encode(event))
        after = rows.after
    _, view = await view_incident(connection, ledger_id, incident_id, at)
    line = msgspec.json.encode(view)
    click.echo(line)
    return line
