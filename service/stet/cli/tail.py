"""`stet tail`: what changes, as it changes."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import httpx
import msgspec

from stet.cli.database import database
from stet.cli.remote import Remote, ask, problem_of
from stet.cli.terminal import say
from stet.database.doorbell import Doorbell
from stet.database.pool import HISTORIES, make_pool, of_ledger, snapshot
from stet.errors import NotFound
from stet.queries.changes import ChangedAppend, head_of, list_changes
from stet.settings import Settings
from stet.store.read import find_ledger

_PAGE = 500
_READ_TIMEOUT_S = 45.0
"""Three heartbeats."""
_RECONNECT_S = 1.0


def tail_here(
    settings: Settings, remote: Remote | None, ledger: str, after: int | None, follow: bool, as_json: bool
) -> int:
    """Prints each append after a position (None: the head), and, if asked, those to come, until interrupted."""
    try:
        if remote:
            for item in _remote(remote, ledger, after, follow):
                _print(item, as_json)
        else:
            with database(settings, create=False) as database_url:
                asyncio.run(_local(database_url, settings, ledger, after, follow, as_json))
    except KeyboardInterrupt:
        say("stopped")
    except BrokenPipeError:
        sys.stderr.close()  # whoever read it has seen enough
    return 0


async def _local(url: str, settings: Settings, ledger: str, after: int | None, follow: bool, as_json: bool) -> None:
    # Closed here: where the printing fails, too, everything that follows the log ends before the loop does.
    async with aclosing(_follow_log(url, settings, ledger, after, follow)) as items:
        async for item in items:
            _print(item, as_json)


async def _follow_log(
    url: str, settings: Settings, ledger: str, after: int | None, follow: bool
) -> AsyncGenerator[ChangedAppend, None]:
    async with make_pool(url, settings) as pool:
        doorbell = Doorbell(pool, url)
        doorbell.start()
        try:
            async with pool.connection() as connection:
                ledger_id = await find_ledger(connection, ledger)
                if ledger_id is None:
                    raise NotFound(f"there is no ledger {ledger}")
            async with of_ledger(pool, ledger_id) as connection:
                at = await head_of(connection, ledger_id, after or 0) if after is None else after
            while True:
                ring = doorbell.next_ring()
                async with of_ledger(pool, ledger_id) as connection, snapshot(connection, HISTORIES):
                    page = await list_changes(connection, ledger_id, at, _PAGE, "member")
                for item in page.items:
                    yield item
                at = page.next_after
                if at >= page.head:
                    if not follow:
                        return
                    await doorbell.wait(ring)
        finally:
            await doorbell.stop()


def _remote(remote: Remote, ledger: str, after: int | None, follow: bool) -> Iterator[ChangedAppend]:
    path = f"/v1/ledgers/{ledger}/changes"
    with remote.client(httpx.Timeout(30, read=_READ_TIMEOUT_S)) as client:
        head = ask(client, "GET", f"{path}?limit=1&after={after or 0}")["head"]
        at = head if after is None else after
        while follow:
            try:
                for item in _events(client, path, at):
                    yield item
                    at = item.position
            except httpx.HTTPError as error:
                say(f"the feed broke off ({error}): asking again")
            time.sleep(_RECONNECT_S)
        while at < head:
            page = ask(client, "GET", f"{path}?after={at}&limit={_PAGE}")
            yield from msgspec.convert(page["items"], list[ChangedAppend])
            at = page["next_after"]


def _events(client: httpx.Client, path: str, after: int) -> Iterator[ChangedAppend]:
    headers = {"accept": "text/event-stream", "last-event-id": str(after)}
    with client.stream("GET", path, headers=headers) as answer:
        if answer.status_code >= 500:
            answer.raise_for_status()
        if answer.status_code >= 400:
            answer.read()
            raise problem_of(answer)
        rest = b""
        for piece in answer.iter_bytes():
            # Not iter_lines: a text may hold what it takes for the end of a line.
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line.startswith(b"data: "):
                    yield msgspec.json.decode(line[6:], type=ChangedAppend)


def _print(item: ChangedAppend, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(item).decode(), flush=True)
        return
    for one in item.changes:
        title = f" {one.incident.title}" if one.incident else ""
        about = f" ({', '.join(one.attributes)})" if one.attributes else ""
        types = ", ".join(dict.fromkeys(one.types))
        print(
            f"{item.position} {item.recorded_at:%Y-%m-%d %H:%M:%S} {one.kind} {one.id} {types}{about}{title}",
            flush=True,
        )
