"""Where there are no keys, pages of other sites must not reach the service through a browser on this machine."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.conftest import OWNER, Server, bearing, serve
from tests.http.asking import problem

SOURCE = {"name": "x", "kind": "person"}


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null"])
def test_a_page_of_another_origin_writes_nothing(client: httpx.Client, ledger: str, origin: str) -> None:
    """Its Origin gives it away."""
    problem(client.post(f"{ledger}/sources", json=SOURCE, headers={"Origin": origin}), "forbidden", 403)
    assert client.get(f"{ledger}/sources").json()["items"] == []


def test_the_own_page_writes(client: httpx.Client, ledger: str, server: Server) -> None:
    """The API's own pages have its origin."""
    assert client.post(f"{ledger}/sources", json=SOURCE, headers={"Origin": server.url}).status_code == 201


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.0.0.1", "[::2]"])
def test_another_name_is_not_answered(client: httpx.Client, ledger: str, host: str) -> None:
    """A name that somebody pointed at this machine is not the name of this machine."""
    for answer in (
        client.get(ledger, headers={"Host": host}),
        client.post(f"{ledger}/sources", json=SOURCE, headers={"Host": host, "Origin": f"http://{host}"}),
    ):
        problem(answer, "forbidden", 403)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.1.2.3:80", "[::1]:8080"])
def test_the_names_of_this_machine_are_answered(client: httpx.Client, ledger: str, host: str) -> None:
    """Whatever the port."""
    assert client.get(ledger, headers={"Host": host}).status_code == 200


def test_with_keys_it_answers_to_any_name(url: str, tmp_path: Path) -> None:
    """A page that a browser is made to load there shows no key."""
    with serve(url, tmp_path, keyless=False, STET_OWNER_KEY=OWNER) as server, bearing(server, OWNER) as owner:
        assert httpx.get(f"{server.url}/readyz", headers={"Host": "stet.example"}).status_code == 200
        headers = {"Host": "stet.example", "Origin": "https://evil.example"}
        body = {"name": "l", "title": "L"}
        problem(httpx.post(f"{server.url}/v1/ledgers", json=body, headers=headers), "unauthenticated", 401)
        assert owner.post("/v1/ledgers", json=body, headers=headers).status_code == 201


@pytest.mark.parametrize("spelt", ["%0A{}", "%20{}", "urn:uuid:{}", "%7B{}%7D"])
def test_an_id_that_is_not_written_as_one_is_nothing(client: httpx.Client, ledger: str, spelt: str) -> None:
    """Python takes other spellings for a UUID; in an address, and in the headers made from it, they have no place."""
    path = client.post(f"{ledger}/incidents", json={"title": "A", "kind": "strike"}).headers["location"]
    id_ = path.rpartition("/")[2]
    short = id_.replace("-", "")[1:] if spelt.startswith(("%0A", "%20")) else id_
    problem(client.get(f"{ledger}/incidents/{spelt.format(short)}"), "not-found", 404)
