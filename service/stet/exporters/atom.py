"""What changed, newest first, as an Atom feed (RFC 4287) in pages (RFC 5005)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from uuid import UUID

from msgspec import Struct

from stet.database.pool import Connection
from stet.envelope import Audience
from stet.queries.changes import Changed, ChangedAppend, head_of, list_changes
from stet.queries.cut import text_of
from stet.sql import load

_APPEND_BEFORE = load("append_before")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class FeedPage(Struct, frozen=True, kw_only=True):
    """Some appends, newest first."""

    items: list[ChangedAppend]
    before: int | None
    """The older ones lie before this position; None: there are none."""
    head: int


async def feed_page(
    connection: Connection, ledger_id: UUID, before: int | None, limit: int, audience: Audience
) -> FeedPage:
    """The last appends before a position (None: the last of all): as many as have `limit` events, or one more.

    Within a snapshot that holds the histories. Raises NotFound where the log has not reached `before`.
    """
    head = await head_of(connection, ledger_id, 0 if before is None else before)
    last = head if before is None else await _append_before(connection, ledger_id, max(before - 1, 0), head)
    first = await _append_before(connection, ledger_id, max(last - limit, 0), head)
    # One event more than there are: else the last append would wait for what may belong to it.
    page = await list_changes(connection, ledger_id, first, last - first + 1, audience)
    items = [item for item in page.items if item.position <= last]
    return FeedPage(items=items[::-1], before=first + 1 if first else None, head=head)


async def _append_before(connection: Connection, ledger_id: UUID, position: int, head: int) -> int:
    if position in (0, head):
        return position
    parameters = {"ledger_id": ledger_id, "position": position}
    row = await (await connection.execute(_APPEND_BEFORE, parameters)).fetchone()
    assert row
    return int(row[0])


def atom(ledger_id: UUID, ledger: str, page: FeedPage, links: dict[str, str]) -> bytes:
    """The page as a document: an entry for each thing that an append changed. `links` are by their relation.

    Ids are for ever: the same entry has the same one in every page and every copy. What XML cannot hold is U+FFFD.
    """
    updated = text_of(page.items[0].recorded_at) if page.items else "1970-01-01T00:00:00Z"
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>urn:stet:changes:{ledger_id}</id>",
        f"<title>{_text(f'Changes of {ledger}')}</title>",
        f"<updated>{updated}</updated>",
        *(f'<link rel="{relation}" href="{_text(address)}"/>' for relation, address in links.items()),
        *(line for item in page.items for one in item.changes for line in _entry(ledger_id, ledger, item, one)),
        "</feed>\n",
    ]
    return "\n".join(lines).encode()


def _entry(ledger_id: UUID, ledger: str, item: ChangedAppend, one: Changed) -> Iterator[str]:
    title = one.incident.title if one.incident else f"{one.kind} {one.id}"
    types = ", ".join(dict.fromkeys(one.types)) or "who may see it"
    anew = "" if one.types else ":anew"
    about = f" ({', '.join(one.attributes)})" if one.attributes else ""
    yield "<entry>"
    yield f"<id>urn:stet:change:{ledger_id}:{item.position}:{one.kind}:{one.id}{anew}</id>"
    yield f"<title>{_text(title)}</title>"
    yield f"<updated>{text_of(item.recorded_at)}</updated>"
    yield f"<author><name>{_text(item.actor)}</name></author>"
    yield f'<category term="{one.kind}"/>'
    yield f'<category term="{one.change}"/>'
    address = f"/v1/ledgers/{ledger}" + ("" if one.kind == "ledger" else f"/{one.kind}s/{one.id}")
    yield f'<link rel="alternate" href="{_text(address)}?as_of=position:{item.position}"/>'
    yield f"<summary>{_text(f'{one.change}: {types}{about}')}</summary>"
    yield "</entry>"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text)).replace("\r", "&#13;")
