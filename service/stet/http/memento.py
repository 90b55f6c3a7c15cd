"""RFC 7089: every incident, and every list, is its own TimeGate, and tells of its mementos.

The addresses are relative to the service, as in every answer: it does not know by which name it is reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from stet.errors import Malformed
from stet.http.body import StetRequest
from stet.queries.mementos import Around, Memento

_LINK_FORMAT = "application/link-format"
_OF_A_MOMENT = ("as_of", "cursor")
_WITHIN = re.compile(r"(/v1/ledgers/[^/]+(?:/incidents/[0-9a-f-]{36})?)/?(.*)")
_QUERY = r"(\?[A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?$(?!\n)"
_LISTS = "incidents|statements|sources|documents|attributes|stats|releases|records|proposals|redactions"
OF_LEDGER = rf"^({_LISTS})" + _QUERY
OF_INCIDENT = r"^(statements|revisions|events)?" + _QUERY


class MementoView(Struct, frozen=True, kw_only=True):
    """One append that changed it."""

    uri: str
    position: int
    recorded_at: datetime
    """To the microsecond. Of the mementos of one second, an Accept-Datetime of that second gives the last."""


class TimeMap(Struct, frozen=True, kw_only=True):
    """The mementos of something, in their order. Each address gives the same bytes for ever."""

    original: str
    """What they are mementos of, and their TimeGate."""
    items: list[MementoView]
    next: str | None
    """The address of what follows."""


def memento_headers(
    request: StetRequest, found: Around, *, asked: bool, forms: bool = False, following: str | None = None
) -> dict[str, str]:
    """The headers of RFC 7089.

    `asked`: for some time, so that the answer is a memento. `forms`: it has others than JSON, by Accept. `following`
    is the address of the next page.
    """
    of, timemap = _addresses(request)
    links = [f'<{following}>; rel="next"'] if following else []
    links += [f'<{of}>; rel="original timegate"', f'<{timemap}>; rel="timemap"; type="{_LINK_FORMAT}"']
    links += [_link(address(of, memento), memento.recorded_at, relations) for memento, relations in _related(found)]
    headers = {"link": ", ".join(links)}
    # What as_of asks for is the same whatever else the client would accept.
    varies = [*(["accept"] if forms else []), *([] if "as_of" in request.query_params else ["accept-datetime"])]
    if varies:
        headers["vary"] = ", ".join(varies)
    if asked and found.shown:
        headers["memento-datetime"] = http_date(found.shown.recorded_at)
    return headers


def http_date(instant: datetime) -> str:
    """An instant as HTTP writes it: to the second, the rest cut off."""
    return format_datetime(instant, usegmt=True)


def address(original: str, memento: Memento) -> str:
    """The address of a memento."""
    return f"{original}{'&' if '?' in original else '?'}as_of=position:{memento.position}"


def original(base: str, of: str) -> str:
    """The address that `of` names, below the ledger or the incident at `base`. Raises Malformed for one of a moment."""
    asked = [name for name, _ in parse_qsl(of.partition("?")[2], keep_blank_values=True)]
    if wrong := [name for name in asked if name in _OF_A_MOMENT]:
        raise Malformed.at("query.of", f"is to be without {wrong[0]}: a TimeMap is of all moments")
    return f"{base}{'/' if of and not of.startswith('?') else ''}{of}"


def as_links(shown: TimeMap, this: str, since: datetime | None, *, first: bool) -> bytes:
    """A TimeMap at the address `this`, in the form of RFC 6690.

    `since`: what follows begins then; None: nothing does. `first`: nothing precedes.
    """
    items = shown.items
    span = [("from", items[0]), ("until", items[-1])] if items else []
    within = "".join(f'; {name}="{http_date(item.recorded_at)}"' for name, item in span)
    lines = [f'<{shown.original}>; rel="original timegate"', f'<{this}>; rel="self"; type="{_LINK_FORMAT}"{within}']
    if since:
        lines.append(f'<{shown.next}>; rel="timemap"; type="{_LINK_FORMAT}"; from="{http_date(since)}"')
    for number, item in enumerate(items):
        begins, ends = first and number == 0, not since and number == len(items) - 1
        lines.append(_link(item.uri, item.recorded_at, ["first"] * begins + ["last"] * ends))
    return (",\n".join(lines) + "\n").encode()


def _addresses(request: StetRequest) -> tuple[str, str]:
    """What is asked about, whatever the moment, and its TimeMap."""
    query = urlencode({name: value for name, value in request.query_params.items() if name not in _OF_A_MOMENT})
    within = _WITHIN.fullmatch(request.url.path)
    assert within, request.url.path
    base, of = within[1], within[2] + (f"?{query}" if query else "")
    return f"{request.url.path}{f'?{query}' if query else ''}", _timemap(base, of)


def _timemap(base: str, of: str) -> str:
    return f"{base}/timemap" + (f"?{urlencode({'of': of})}" if of not in ("", "incidents") else "")


def _link(uri: str, recorded_at: datetime, relations: Sequence[str]) -> str:
    rel = " ".join((*relations, "memento"))
    return f'<{uri}>; rel="{rel}"; datetime="{http_date(recorded_at)}"'


def _related(found: Around) -> Iterator[tuple[Memento, list[str]]]:
    """Each memento around the cut with its relations: one may be the first and the last."""
    relations: dict[Memento, list[str]] = {}
    for name in Around._fields:
        memento: Memento | None = getattr(found, name)
        if memento:
            relations.setdefault(memento, []).extend([] if name == "shown" else [name])
    yield from relations.items()
