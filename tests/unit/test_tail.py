"""What `stet tail` reads of a feed."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import httpx
import msgspec
import pytest

from stet.cli.tail import _events
from stet.errors import NotFound
from stet.queries.changes import Changed, ChangedAppend

ITEM = ChangedAppend(
    position=7,
    recorded_at=datetime(2020, 11, 9, tzinfo=UTC),
    actor="a\u2028b\x85c",
    changes=(
        Changed(
            kind="source", id=UUID(int=1), change="created", types=("x",), positions=(7,), attributes=(), incident=None
        ),
    ),
)


def client(status: int, content: bytes) -> httpx.Client:
    answer = httpx.MockTransport(lambda request: httpx.Response(status, content=content))
    return httpx.Client(base_url="http://stet.example", transport=answer)


def test_a_text_with_separators_of_lines_is_one_line() -> None:
    feed = b": hello\n\nid: 7\nevent: append\ndata: %s\n\n" % msgspec.json.encode(ITEM)
    with client(200, feed) as asking:
        assert list(_events(asking, "/changes", 0)) == [ITEM]


def test_a_proxy_that_fails_is_asked_again_and_what_is_not_there_is_not() -> None:
    with client(502, b"bad gateway") as asking, pytest.raises(httpx.HTTPStatusError):
        list(_events(asking, "/changes", 0))
    with client(404, b'{"detail": "there is no ledger"}') as asking, pytest.raises(NotFound):
        list(_events(asking, "/changes", 0))
