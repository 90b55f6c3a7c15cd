"""`stet projections`, `stet rebuild`, `stet retry`: on the database itself, or through a running service."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec
import psycopg

from stet.cli.database import database
from stet.cli.remote import Remote, ask
from stet.cli.terminal import say
from stet.database.pool import as_role, make_pool, snapshot
from stet.errors import Malformed, Unavailable
from stet.ids import new_id
from stet.projections.rebuild.job import (
    ENDED,
    RebuildRequest,
    RebuildView,
    add_rebuild,
    read_rebuild,
    running_rebuild,
)
from stet.projections.rebuild.run import run_rebuild
from stet.projections.rebuild.tables import drop_tables
from stet.projections.registry import projection_of
from stet.projections.retry import Retries, RetryRequest, retry_parked
from stet.projections.target import OLD
from stet.queries.projections import Projections, view_projections
from stet.settings import Settings

T = TypeVar("T")
_POLL_S = 0.3


def projections_here(settings: Settings, remote: Remote | None, as_json: bool) -> int:
    """Prints how the projections are. 1 if one is parked, or behind with no worker."""
    if remote:
        with remote.client(30) as client:
            shown = msgspec.convert(ask(client, "GET", "/v1/admin/projections"), Projections)
    else:
        with database(settings, create=False) as database_url:
            shown = asyncio.run(_view(database_url, settings))
    if as_json:
        print(msgspec.json.encode(shown).decode())
    for one in () if as_json else shown.items:
        lag = "" if one.state == "inline" else f", {one.lag_events:,} events and {one.lag_seconds:.1f} s behind"
        print(f"{one.name}, version {one.version}: {one.state}{lag}")
        for parked in one.parked:
            print(f"  parked in {parked.ledger}: {parked.stream} at position {parked.position}: {parked.error}")
        if one.rebuild:
            print(f"  rebuild {one.rebuild.rebuild_id}: {one.rebuild.phase}")
    return int(any(one.parked or (one.state == "stopped" and one.lag_events) for one in shown.items))


async def _view(url: str, settings: Settings) -> Projections:
    pool = make_pool(url, settings, role="stet_reader")
    async with pool, pool.connection() as connection, snapshot(connection):
        return await view_projections(connection)


def retry_here(settings: Settings, remote: Remote | None, name: str, asked: RetryRequest) -> int:
    """Takes parked streams again. 1 if one fails again."""
    projection = projection_of(name)
    if remote:
        with remote.client(600) as client:
            body = msgspec.to_builtins(asked)
            made = msgspec.convert(ask(client, "POST", f"/v1/admin/projections/{name}/retries", body), Retries)
    else:
        with database(settings, create=False) as database_url:
            made = retry_parked(database_url, projection, asked)
    for one in made.items:
        print(f"{one.ledger}: {one.stream}: {one.error or 'taken'}")
    if not made.items:
        print("nothing is parked")
    return int(any(one.error for one in made.items))


def rebuild_here(settings: Settings, remote: Remote | None, name: str, asked: RebuildRequest) -> int:
    """Rebuilds a projection, or goes on with its rebuild that has not ended. 1 if nothing was switched."""
    projection_of(name)
    show = _progress()
    if remote:
        with remote.client(30) as client:
            view = msgspec.convert(
                ask(client, "POST", f"/v1/admin/projections/{name}/rebuilds", msgspec.to_builtins(asked)), RebuildView
            )
            while view.phase not in ENDED:
                show(view)
                time.sleep(_POLL_S)
                view = msgspec.convert(ask(client, "GET", f"/v1/admin/rebuilds/{view.rebuild_id}"), RebuildView)
        return _report(view, show)
    with database(settings, create=False) as database_url:
        try:
            return _report(_rebuild(database_url, name, asked, show), show)
        except psycopg.OperationalError as error:
            reason = str(error).partition("\n")[0]
            raise Unavailable(f"the database went away ({reason}); the next `stet rebuild` goes on") from error


def _rebuild(url: str, name: str, asked: RebuildRequest, show: Callable[[RebuildView], None]) -> RebuildView:
    """Runs the rebuild, or watches it while another process does, and goes on with it where that dies."""
    with psycopg.connect(url, autocommit=True) as connection:
        as_role(connection, "stet_worker")
        rebuild_id = running_rebuild(connection, name)
        if rebuild_id:
            known = read_rebuild(connection, rebuild_id)
            if (known.verify_only, known.accept_differences) != (asked.verify_only, asked.accept_differences):
                other = "--verify-only" if known.verify_only != asked.verify_only else "--accept-differences"
                raise Malformed(f"rebuild {rebuild_id} has not ended, and differs in {other}: let it end, or cancel it")
            say(f"going on with rebuild {rebuild_id}, with its {known.workers} workers")
        else:
            rebuild_id = new_id()
            add_rebuild(connection, rebuild_id, name, projection_of(name).version, asked)
        while (view := run_rebuild(url, rebuild_id, tell=show)) is None:
            show(read_rebuild(connection, rebuild_id))
            time.sleep(_POLL_S)
        return view


def _report(view: RebuildView, show: Callable[[RebuildView], None]) -> int:
    show(view)
    for digest in view.digests:
        mark = "=" if digest.live == digest.rebuilt else "≠"
        print(f"{digest.table}: {digest.rows:,} rows, live {digest.live[:16]} {mark} rebuilt {digest.rebuilt[:16]}")
    for one in view.differences:
        print(f"only {one.side}: {one.table} {one.row}")
    if view.parked:
        print(f"{view.parked} streams could not be folded")
    done = "verified: the live tables stay" if view.verify_only else "switched: the old tables are kept (--drop-old)"
    print(f"{view.projection}: {done if view.phase == 'done' else view.phase}{': ' + view.error if view.error else ''}")
    return int(view.phase != "done")


def drop_old(settings: Settings, name: str) -> int:
    """Drops the tables that a rebuild has replaced."""
    projection = projection_of(name)
    with database(settings, create=False) as url, psycopg.connect(url) as connection:
        as_role(connection, "stet_owner")
        dropped = drop_tables(connection, projection, OLD)
    print(f"{name}: {'dropped the old tables' if dropped else 'there are no old tables'}")
    return 0


def _progress() -> Callable[[RebuildView], None]:
    """A bar on a terminal; elsewhere a plain line a phase, and one every 5 s."""
    terminal = sys.stderr.isatty()
    last: tuple[str, float] = ("", 0.0)

    def show(view: RebuildView) -> None:
        nonlocal last
        if view.phase == last[0] and time.monotonic() - last[1] < (0.1 if terminal else 5.0):
            return
        line: str = view.phase
        if view.phase == "copying" and view.events_total:
            part = view.events_done / view.events_total
            bar = f" [{'#' * int(part * 30):.<30}]" if terminal else ""
            eta = f", {view.eta:.0f} s left" if view.eta is not None else ""
            line += f"{bar} {view.events_done:,} of {view.events_total:,} events ({part:.0%})"
            line += f", {view.rate or 0:,.0f}/s{eta}"
        ends = view.phase != last[0] and last[0]
        last = (view.phase, time.monotonic())
        print(
            ("\n" if ends and terminal else "") + ("\r\033[K" if terminal else "") + line,
            end="" if terminal and view.phase not in ENDED else "\n",
            file=sys.stderr,
            flush=True,
        )

    return show
