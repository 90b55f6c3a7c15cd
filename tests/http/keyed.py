"""What the tests of keys ask for: services that take keys, keys, members."""

from __future__ import annotations

from typing import Any

import httpx
from tests.conftest import Server, bearing
from tests.http.asking import made, read


def a_key(client: httpx.Client, scope: str, **more: Any) -> dict[str, Any]:
    """A key as it is shown once: `key_id`, `key`."""
    return made(client.post("/v1/keys", json={"name": f"A {scope}", "scope": scope, **more}))


def a_member(client: httpx.Client, ledger: str, key_id: str, role: str) -> dict[str, Any]:
    """The key as a member of the ledger at this path."""
    return read(client.put(f"{ledger}/members/{key_id}", json={"role": role}))


def a_client(server: Server, owner: httpx.Client, ledger: str, role: str, scope: str | None = None) -> httpx.Client:
    """A client with a key of its own that has this role in the ledger."""
    key = a_key(owner, scope or role)
    a_member(owner, ledger, key["key_id"], role)
    return bearing(server, key["key"])


def a_ledger(client: httpx.Client, name: str, **more: Any) -> str:
    """The path of a ledger."""
    made(client.post("/v1/ledgers", json={"name": name, "title": "T", **more}))
    return f"/v1/ledgers/{name}"
