"""Keys: how they are made, what is no good one, how they end; members; what the audit says of it all."""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest
from tests.conftest import OWNER, PEPPER, Cluster, Server, bearing, serve
from tests.http.asking import a_source, an_incident, made, malformed, problem, read
from tests.http.keyed import a_client, a_key, a_ledger, a_member

from stet.keys.text import key_id_of, masked, new_key, new_key_id

_addresses = itertools.count(1)
SOURCE = {"name": "x", "kind": "person"}


class Place(NamedTuple):
    """Two processes on one database, and who owns it."""

    database: str
    server: Server
    other: Server
    owner: httpx.Client


@pytest.fixture(scope="module")
def place(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    url, folder = cluster.migrated(), tmp_path_factory.mktemp("keys")
    with (
        serve(url, folder, "--no-worker", keyless=False, STET_OWNER_KEY=OWNER) as server,
        serve(url, folder, "--no-worker", keyless=False, STET_OWNER_KEY=OWNER) as other,
        bearing(server, OWNER) as owner,
    ):
        a_ledger(owner, "l")
        yield Place(url, server, other, owner)


def asked(
    server: Server, header: str | None, method: str = "GET", path: str = "/v1/keys", **more: Any
) -> httpx.Response:
    """A request with this Authorization, from an address of its own: of bad keys only so many are taken from one."""
    headers = {"X-Forwarded-For": f"2001:db8::{next(_addresses):x}"}
    headers |= {"Authorization": header} if header is not None else {}
    return httpx.request(method, f"{server.url}{path}", headers=headers, timeout=30, **more)


def execute(place: Place, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(place.database) as connection:
        cursor = connection.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


def everything(place: Place) -> list[Any]:
    """All that a request of these tests could change."""
    found: list[Any] = []
    for table in ("key", "key_secret", "member", "audit"):
        # When a key was used is noted whatever comes of it.
        found += execute(place, f"SELECT to_jsonb(t) - 'last_used_at' FROM stet.{table} t ORDER BY 1")
    return [*found, execute(place, "SELECT count(*) FROM stet.event")]


# ---- what is no good key ----


def _other_character(text: str) -> str:
    return text[:-1] + ("a" if text[-1] != "a" else "b")


BAD: dict[str, tuple[str, str]] = {
    "no scheme": ("{key}", "Bearer"),
    "another scheme": ("Basic {key}", "Bearer"),
    "nothing": ("Bearer", "no key"),
    "cut off": ("Bearer {cut}", "no key"),
    "mistyped": ("Bearer {mistyped}", "no key"),
    "in capitals": ("Bearer {capitals}", "no key"),
    "longer": ("Bearer {key}a", "no key"),
    "two": ("Bearer {key} {key}", "no key"),
    "a word": ("Bearer owner", "no key"),
    "a wrong secret": ("Bearer {wrong}", "there is no such key"),
    "an unknown id": ("Bearer {unknown}", "there is no such key"),
    "of another installation": ("Bearer {foreign}", "there is no such key"),
    "expired": ("Bearer {expired}", "has expired"),
    "revoked": ("Bearer {revoked}", "was revoked"),
    "replaced": ("Bearer {replaced}", "given another text"),
    "almost the owner's": ("Bearer {owner}x", "no key"),
}


@pytest.fixture(scope="module")
def bad(place: Place) -> dict[str, str]:
    """Texts that are no good key."""
    key = a_key(place.owner, "owner")
    expired, revoked, replaced = (a_key(place.owner, "owner") for _ in range(3))
    execute(place, "UPDATE stet.key SET expires_at = now() WHERE key_id = %s", expired["key_id"])
    read(place.owner.delete(f"/v1/keys/{revoked['key_id']}"))
    made(place.owner.post(f"/v1/keys/{replaced['key_id']}/rotations", json={"overlap_s": 0}))
    text = str(key["key"])
    return {
        "key": text,
        "cut": text[:-1],
        "mistyped": _other_character(text),
        "capitals": text.upper(),
        "wrong": new_key(key["key_id"]),
        "unknown": new_key(new_key_id()),
        "foreign": new_key(new_key_id()),
        "expired": expired["key"],
        "revoked": revoked["key"],
        "replaced": replaced["key"],
        "owner": OWNER,
    }


@pytest.mark.parametrize("what", BAD)
def test_a_bad_key_is_said_to_be_one_and_does_nothing(what: str, bad: dict[str, str], place: Place) -> None:
    """401 wherever it is shown, also where nobody need show one; nothing is changed."""
    header, words = BAD[what]
    a_public_ledger(place)
    before = everything(place)
    for method, path, more in (
        ("GET", "/v1/keys", {}),
        ("POST", "/v1/keys", {"json": {"name": "n", "scope": "reader"}}),
        ("POST", "/v1/ledgers/l/sources", {"json": SOURCE}),
        ("GET", "/v1/ledgers/open", {}),
        ("GET", "/v1/ledgers/none", {}),
        ("GET", "/v1/ledgers", {}),
    ):
        answer = asked(place.server, header.format(**bad), method, path, **more)
        body = problem(answer, "unauthenticated", 401)
        assert words in body["detail"]
        assert answer.headers["www-authenticate"] == 'Bearer realm="stet"'
        assert not any(text in answer.text for text in bad.values())
    assert everything(place) == before


def a_public_ledger(place: Place) -> None:
    if place.owner.get("/v1/ledgers/open").status_code == 404:
        a_ledger(place.owner, "open", public=True)


def test_an_unknown_key_is_like_a_wrong_one(place: Place, bad: dict[str, str]) -> None:
    """Nobody finds out which ids there are."""
    answers = [asked(place.other, f"Bearer {bad[what]}") for what in ("wrong", "unknown", "foreign")]
    told = {(a.status_code, str(a.json() | {"request_id": ""}), tuple(sorted(a.headers.keys()))) for a in answers}
    assert len(told) == 1


def test_two_headers_are_none(place: Place) -> None:
    """Which of them counts nobody may guess."""
    headers = [("Authorization", f"Bearer {OWNER}"), ("Authorization", f"Bearer {OWNER}")]
    problem(httpx.get(f"{place.other.url}/v1/keys", headers=headers), "unauthenticated", 401)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_in_any_case(scheme: str, place: Place) -> None:
    """RFC 9110 11.1."""
    assert asked(place.server, f"{scheme} {OWNER}").status_code == 200


def test_health_and_the_pages_about_the_api_need_no_key(place: Place) -> None:
    """And a bad one does not matter there."""
    for path in ("/healthz", "/readyz", "/docs", "/docs/init.js", "/openapi.json"):
        assert asked(place.server, None, path=path).status_code == 200
        assert asked(place.server, "Bearer bad", path=path).status_code == 200


def test_a_key_is_only_looked_for_in_its_header(place: Place) -> None:
    """In the query or in a cookie it is none: addresses are logged, and a cookie is sent by any page."""
    key = a_key(place.owner, "owner")["key"]
    problem(httpx.get(f"{place.server.url}/v1/keys", params={"key": key}), "unauthenticated", 401)
    problem(httpx.get(f"{place.server.url}/v1/keys", headers={"Cookie": f"key={key}"}), "unauthenticated", 401)


@pytest.mark.parametrize("path", ["//v1/audit", "/v1//audit", "///v1/audit/", "/%76%31/audit", "/v1%2faudit"])
def test_an_address_that_is_written_otherwise_takes_a_key_too(path: str, place: Place) -> None:
    """Who may is asked under /v1 alone: however else the server finds an operation, it must have been asked."""
    assert asked(place.server, f"Bearer {OWNER}", path=path).status_code == 200
    problem(asked(place.server, None, path=path), "unauthenticated", 401)
    problem(asked(place.server, "Bearer bad", path=path), "unauthenticated", 401)


# ---- making and ending ----


def test_a_key_is_shown_once(place: Place) -> None:
    """Its text is in the answer that makes it; the database has no part of the secret."""
    key = a_key(place.owner, "editor")
    assert key_id_of(key["key"]) == key["key_id"]
    assert (key["scope"], key["created_by"], key["texts"]) == ("editor", "owner", 1)
    assert {key["expires_at"], key["last_used_at"], key["revoked_at"]} == {None}
    shown = read(place.owner.get(f"/v1/keys/{key['key_id']}"))
    assert shown == {name: value for name, value in key.items() if name != "key"}
    secret = key["key"].split("_")[2]
    assert secret not in str(everything(place))
    assert PEPPER not in str(everything(place) + execute(place, "SELECT * FROM stet.instance"))


def test_no_key_is_made_that_may_more_than_its_maker(place: Place) -> None:
    """403 that says so, and nothing is changed."""
    with a_client(place.server, place.owner, "/v1/ledgers/l", "admin") as admin:
        before = everything(place)
        body = problem(admin.post("/v1/keys", json={"name": "n", "scope": "owner"}), "forbidden", 403)
        assert "its scope is admin, not owner" in body["detail"]
        assert everything(place) == before
        made(admin.post("/v1/keys", json={"name": "n", "scope": "admin"}))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": "reader"}, "name"),
        ({"name": " ", "scope": "reader"}, "name"),
        ({"name": "n", "scope": "king"}, "scope"),
        ({"name": "n", "scope": "reader", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "n", "scope": "reader", "expires_at": "9999-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "n", "scope": "reader", "expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"name": "n", "scope": "reader", "key": "my own"}, "key"),
    ],
)
def test_what_cannot_be_a_key(body: dict[str, str], field: str, place: Place) -> None:
    """400 that names the field."""
    malformed(place.owner.post("/v1/keys", json=body), field)


def test_a_revocation_holds_at_once_in_every_process(place: Place) -> None:
    """The next request is refused, whichever process it reaches; what the key recorded stays."""
    key = a_key(place.owner, "editor")
    a_member(place.owner, "/v1/ledgers/l", key["key_id"], "editor")
    with bearing(place.server, key["key"]) as one, bearing(place.other, key["key"]) as two:
        source = a_source(one, "/v1/ledgers/l")
        assert read(two.get(f"/v1/ledgers/l/sources/{source}"))
        shown = read(place.owner.delete(f"/v1/keys/{key['key_id']}"))
        assert shown["revoked_at"]
        for client in (one, two):
            problem(client.get("/v1/ledgers/l"), "unauthenticated", 401)
            problem(client.post("/v1/ledgers/l/sources", json=SOURCE), "unauthenticated", 401)
    assert read(place.owner.delete(f"/v1/keys/{key['key_id']}")) == shown, "a second time changes nothing"
    assert read(place.owner.get(f"/v1/ledgers/l/sources/{source}"))


@pytest.mark.parametrize("end", ["revoked", "removed"])
def test_a_feed_ends_with_the_right_to_it(end: str, place: Place) -> None:
    """Who follows it is told of nothing that came after."""
    key = a_key(place.owner, "reader")
    a_member(place.owner, "/v1/ledgers/l", key["key_id"], "reader")
    head = read(place.owner.get("/v1/ledgers/l/changes"))["head"]
    told: list[str] = []
    listening = threading.Event()

    def listen() -> None:
        headers = {"Accept": "text/event-stream"}
        with (
            bearing(place.other, key["key"]) as client,
            client.stream("GET", "/v1/ledgers/l/changes", params={"after": head}, headers=headers) as answer,
        ):
            for line in answer.iter_lines():
                listening.set()
                told.append(line)

    thread = threading.Thread(target=listen)
    thread.start()
    assert listening.wait(20)
    path = f"/v1/keys/{key['key_id']}" if end == "revoked" else f"/v1/ledgers/l/members/{key['key_id']}"
    read(place.owner.delete(path))
    a_source(place.owner, "/v1/ledgers/l", "after the end")
    thread.join(20)
    assert not thread.is_alive()
    assert not [line for line in told if line.startswith("data:")]


def test_a_rotation_overlaps(place: Place) -> None:
    """Both texts are taken, as the same actor, until the time is over; a second rotation ends the first at once."""
    key = a_key(place.owner, "editor")
    a_member(place.owner, "/v1/ledgers/l", key["key_id"], "editor")
    texts = [key["key"]]
    for number in range(2):
        with bearing(place.server, texts[-1]) as itself:
            rotated = made(itself.post(f"/v1/keys/{key['key_id']}/rotations", json={}))
        assert (rotated["key_id"], rotated["texts"]) == (key["key_id"], 2)
        texts.append(rotated["key"])
        for text, status in zip(texts[-3:], [401, 200, 200][-len(texts) :], strict=True):
            assert asked(place.other, f"Bearer {text}").status_code == status, number
    for text in texts[1:]:
        with bearing(place.server, text) as client:
            path = an_incident(client, "/v1/ledgers/l")
            assert read(client.get(f"{path}/events"))["items"][0]["actor"] == key["key_id"]
    execute(
        place,
        "UPDATE stet.key_secret SET expires_at = now() WHERE key_id = %s AND expires_at IS NOT NULL",
        key["key_id"],
    )
    problem(asked(place.other, f"Bearer {texts[1]}"), "unauthenticated", 401)
    assert asked(place.other, f"Bearer {texts[2]}").status_code == 200
    assert read(place.owner.get(f"/v1/keys/{key['key_id']}"))["texts"] == 1


def test_what_has_ended_is_not_rotated(place: Place) -> None:
    """409, and no text comes of it."""
    key, path = a_key(place.owner, "reader"), ""
    path = f"/v1/keys/{key['key_id']}"
    execute(place, "UPDATE stet.key SET expires_at = now() WHERE key_id = %s", key["key_id"])
    assert "has expired" in problem(place.owner.post(f"{path}/rotations", json={}), "refused", 409)["detail"]
    read(place.owner.delete(path))
    assert "was revoked" in problem(place.owner.post(f"{path}/rotations", json={}), "refused", 409)["detail"]
    malformed(place.owner.post(f"{path}/rotations", json={"overlap_s": 2_592_001}), "overlap_s")
    problem(place.owner.post(f"/v1/keys/{new_key_id()}/rotations", json={}), "not-found", 404)


def test_a_key_expires_when_it_was_said_to(place: Place) -> None:
    """To the microsecond that the database says it is."""
    until = datetime.now(UTC) + timedelta(days=1)
    key = a_key(place.owner, "reader", expires_at=until.isoformat())
    assert datetime.fromisoformat(key["expires_at"]) == until
    assert asked(place.server, f"Bearer {key['key']}").status_code == 200


def test_the_last_use_is_known_to_the_minute(place: Place) -> None:
    """And is not written again within it."""
    key = a_key(place.owner, "reader")
    assert asked(place.server, f"Bearer {key['key']}").status_code == 200
    used = datetime.fromisoformat(read(place.owner.get(f"/v1/keys/{key['key_id']}"))["last_used_at"])
    assert (used.second, used.microsecond) == (0, 0)
    assert timedelta(0) <= datetime.now(UTC) - used < timedelta(minutes=2)
    execute(
        place, "UPDATE stet.key SET last_used_at = last_used_at + interval '1 day' WHERE key_id = %s", key["key_id"]
    )
    assert asked(place.server, f"Bearer {key['key']}").status_code == 200
    again = datetime.fromisoformat(read(place.owner.get(f"/v1/keys/{key['key_id']}"))["last_used_at"])
    assert again == used + timedelta(days=1)


def test_a_key_knows_of_itself_and_of_those_that_it_made(place: Place) -> None:
    """Of no others; it ends those, and rotates none but itself."""
    with (
        a_client(place.server, place.owner, "/v1/ledgers/l", "admin") as admin,
        a_client(place.server, place.owner, "/v1/ledgers/l", "admin") as stranger,
    ):
        child = made(admin.post("/v1/keys", json={"name": "child", "scope": "reader"}))["key_id"]
        items = read(admin.get("/v1/keys"))["items"]
        assert len(items) == 2
        [itself] = [key["key_id"] for key in items if key["key_id"] != child]
        paged = [read(admin.get("/v1/keys", params={"limit": 1}))]
        paged.append(read(admin.get("/v1/keys", params={"limit": 1, "cursor": paged[0]["next_cursor"]})))
        assert [page["items"][0] for page in paged] == read(admin.get("/v1/keys"))["items"]
        assert paged[1]["next_cursor"] is None
        for path in (f"/v1/keys/{child}", f"/v1/keys/{itself}"):
            problem(stranger.get(path), "not-found", 404)
            problem(stranger.delete(path), "not-found", 404)
            problem(stranger.post(f"{path}/rotations", json={}), "not-found", 404)
        problem(admin.post(f"/v1/keys/{child}/rotations", json={}), "forbidden", 403)
        made(admin.post(f"/v1/keys/{itself}/rotations", json={}))
        assert read(admin.delete(f"/v1/keys/{child}"))["revoked_at"]
    everyone = {key["key_id"] for key in read(place.owner.get("/v1/keys", params={"limit": 1000}))["items"]}
    assert {child, itself} < everyone


# ---- members ----


def test_the_lesser_of_role_and_scope_counts(place: Place) -> None:
    """A key of a reader's scope is given no higher role; a role lower than the scope holds where it was given."""
    reader = a_key(place.owner, "reader")
    path = f"/v1/ledgers/l/members/{reader['key_id']}"
    body = problem(place.owner.put(path, json={"role": "editor"}), "refused", 409, "role")
    assert "reader" in body["detail"]
    with a_client(place.server, place.owner, "/v1/ledgers/l", "reader", scope="admin") as client:
        detail = problem(client.post("/v1/ledgers/l/sources", json=SOURCE), "forbidden", 403)["detail"]
        assert detail == "this takes the role contributor in the ledger l; the key has reader"
    execute(
        place,
        "INSERT INTO stet.member SELECT ledger_id, %s, 'admin' FROM stet.ledger WHERE name = 'l'",
        reader["key_id"],
    )
    with bearing(place.server, reader["key"]) as client:
        assert read(client.get("/v1/ledgers/l"))
        problem(client.post("/v1/ledgers/l/sources", json=SOURCE), "forbidden", 403)
    read(place.owner.delete(path))


def test_a_change_of_a_role_holds_at_once(place: Place) -> None:
    """In the other process, too; and in the ledger that was meant, only."""
    a_ledger(place.owner, "elsewhere")
    key = a_key(place.owner, "admin")
    path = f"/v1/ledgers/l/members/{key['key_id']}"
    with bearing(place.other, key["key"]) as client:
        problem(client.get("/v1/ledgers/l"), "not-found", 404)
        for role, status in (("reader", 403), ("contributor", 201), ("reader", 403)):
            a_member(place.owner, "/v1/ledgers/l", key["key_id"], role)
            assert client.post("/v1/ledgers/l/sources", json=SOURCE).status_code == status
            problem(client.get("/v1/ledgers/elsewhere"), "not-found", 404)
        assert read(place.owner.delete(path))["role"] == "reader"
        problem(client.get("/v1/ledgers/l"), "not-found", 404)
    problem(place.owner.delete(path), "not-found", 404)


def test_an_admin_gives_roles_to_the_keys_that_he_makes(place: Place) -> None:
    """Up to his own, in his own ledger; the list of members has them, page by page."""
    ledger = a_ledger(place.owner, "of-an-admin")
    with a_client(place.server, place.owner, ledger, "admin") as admin:
        key = made(admin.post("/v1/keys", json={"name": "writer", "scope": "contributor"}))
        shown = a_member(admin, ledger, key["key_id"], "contributor")
        assert shown == {"key_id": key["key_id"], "name": "writer", "role": "contributor", "scope": "contributor"}
        first = read(admin.get(f"{ledger}/members", params={"limit": 1}))
        second = read(admin.get(f"{ledger}/members", params={"limit": 1, "cursor": first["next_cursor"]}))
        members = first["items"] + second["items"]
        assert sorted(one["role"] for one in members) == ["admin", "contributor"]
        assert [one["key_id"] for one in members] == sorted(one["key_id"] for one in members)
        problem(admin.put(f"/v1/ledgers/l/members/{key['key_id']}", json={"role": "reader"}), "not-found", 404)
        malformed(admin.put(f"{ledger}/members/{key['key_id']}", json={"role": "owner"}), "role")
        problem(admin.put(f"{ledger}/members/{new_key_id()}", json={"role": "reader"}), "not-found", 404)
        content = admin.put(f"{ledger}/members/{key['key_id']}", content=b'{"role": "reader"}')
        problem(content, "unsupported-media-type", 415)


def test_what_is_public_is_so_from_one_request_to_the_next(place: Place) -> None:
    """To those without a key, and to those with one who are no members: as the public sees it."""
    ledger = a_ledger(place.owner, "sometimes")
    path = an_incident(place.owner, ledger)
    key = a_key(place.owner, "admin")["key"]
    for public in (True, False, True):
        body = {"type": "ledger-amended", "public": public, "reason": "r"}
        place.owner.post(f"{ledger}/revisions", json=body)
        for header in (None, f"Bearer {key}"):
            answer = asked(place.other, header, path=path)
            if not public:
                assert problem(answer, "not-found", 404)["detail"] == "there is no ledger sometimes"
                continue
            assert read(answer)["cut"]["audience"] == "public"
            refused = asked(place.other, header, "POST", f"{ledger}/sources", json=SOURCE)
            problem(refused, "unauthenticated" if header is None else "forbidden", 401 if header is None else 403)
            for secret in ("members", "audit"):
                assert asked(place.other, header, path=f"{ledger}/{secret}").status_code in (401, 403)
    assert read(place.owner.get(path))["cut"]["audience"] == "member"


# ---- the audit ----


def test_the_audit_has_every_change_and_no_secret(place: Place) -> None:
    """In order, each with who did it; the ledger's has those of its members."""
    ledger = a_ledger(place.owner, "audited")
    ledger_id = read(place.owner.get(ledger))["ledger_id"]
    start = execute(place, "SELECT max(position) FROM stet.audit")[0][0]
    admin = a_key(place.owner, "admin")
    id_ = admin["key_id"]
    a_member(place.owner, ledger, id_, "admin")
    with bearing(place.server, admin["key"]) as client:
        a_member(client, ledger, id_, "reader")
        problem(client.put(f"{ledger}/members/{id_}", json={"role": "admin"}), "forbidden", 403)
    a_member(place.owner, ledger, id_, "reader")  # which it is: nothing is done
    rotated = made(place.owner.post(f"/v1/keys/{id_}/rotations", json={"overlap_s": 60}))
    read(place.owner.delete(f"{ledger}/members/{id_}"))
    read(place.owner.delete(f"/v1/keys/{id_}"))
    page = read(place.owner.get("/v1/audit", params={"after": start, "limit": 1000}))
    found = [(one["actor"], one["action"], one["ledger_id"], one["detail"]) for one in page["items"]]
    assert found == [
        ("owner", "key-created", None, {"name": "A admin", "scope": "admin", "expires_at": None}),
        ("owner", "member-set", ledger_id, {"before": None, "role": "admin"}),
        (id_, "member-set", ledger_id, {"before": "admin", "role": "reader"}),
        ("owner", "key-rotated", None, {"overlap_s": 60}),
        ("owner", "member-removed", ledger_id, {"before": "reader"}),
        ("owner", "key-revoked", None, {}),
    ]
    assert {one["subject"] for one in page["items"]} == {id_}
    assert [one["position"] for one in page["items"]] == list(range(start + 1, start + 7))
    times = [one["at"] for one in page["items"]]
    assert times == sorted(set(times))
    of_ledger = read(place.owner.get(f"{ledger}/audit"))["items"]
    assert of_ledger == [one for one in page["items"] if one["ledger_id"]]
    first = read(place.owner.get(f"{ledger}/audit", params={"limit": 1}))
    assert first["next_after"] == of_ledger[0]["position"]
    rest = read(place.owner.get(f"{ledger}/audit", params={"after": first["next_after"]}))
    assert (first["items"] + rest["items"], rest["next_after"]) == (of_ledger, None)
    for text in (admin["key"], rotated["key"]):
        assert text.split("_")[2] not in json.dumps(page)


AUDIT_CHANGES = {
    "update": "UPDATE stet.audit SET actor = 'somebody else'",
    "delete": "DELETE FROM stet.audit",
    "truncate": "TRUNCATE stet.audit",
}


@pytest.mark.parametrize("role", ["stet_application", "stet_owner", "superuser"])
@pytest.mark.parametrize("change", AUDIT_CHANGES)
def test_nobody_changes_the_audit(change: str, role: str, place: Place) -> None:
    """Neither the application, nor the owner of the tables, nor a superuser, as a replica or not."""
    for replica in (False, True):
        with psycopg.connect(place.database) as connection:
            if replica:
                connection.execute("SET session_replication_role = replica")
            if role != "superuser":
                connection.execute(f"SET SESSION AUTHORIZATION {role}".encode())
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)):
                connection.execute(AUDIT_CHANGES[change].encode())


REFUSED = {
    "an entry of its own": "INSERT INTO stet.audit VALUES (1000000, now(), 'a', NULL, 'key-created', 'k', '{}')",
    "a higher scope": "UPDATE stet.key SET scope = 'owner'",
    "a longer life": "UPDATE stet.key SET expires_at = NULL",
    "another digest": "UPDATE stet.key_secret SET digest = ''",
    "a key's end": "DELETE FROM stet.key",
    "another's membership": "UPDATE stet.member SET key_id = 'me'",
    "the secret": "UPDATE stet.instance SET cursor_secret = ''",
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_application_may_no_more_than_it_must(what: str, place: Place) -> None:
    """It makes, revokes and rotates keys, and sets roles."""
    with psycopg.connect(place.database) as connection:
        connection.execute("SET SESSION AUTHORIZATION stet_application")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(REFUSED[what].encode())


@pytest.mark.parametrize("table", ["key", "key_secret", "member", "audit"])
def test_the_reader_of_the_log_knows_no_keys(table: str, place: Place) -> None:
    """stet_reader is for the log and the projections."""
    with psycopg.connect(place.database) as connection:
        connection.execute("SET SESSION AUTHORIZATION stet_reader")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"SELECT * FROM stet.{table}".encode())


# ---- no secret goes anywhere ----


def test_a_key_in_the_wrong_place_is_in_no_log_problem_or_cursor(place: Place) -> None:
    """In the header, the query, the path, a body: the secret is never seen again."""
    texts = [str(a_key(place.owner, "admin")["key"]), new_key(new_key_id()), OWNER]
    answers: list[httpx.Response] = []
    for text in texts:
        client = place.owner
        answers += [
            asked(place.server, f"Bearer {text}"),
            asked(place.server, f"Bearer {text}_"),
            asked(place.server, text),
            client.get("/v1/keys", params={"key": text}),
            client.get("/v1/keys", params={text: "x"}),
            client.get("/v1/keys", params={"cursor": text}),
            client.get("/v1/ledgers/l/incidents", params={"as_of": text}),
            client.get(f"/v1/keys/{text}"),
            client.get(f"/v1/ledgers/{text}"),
            client.get(f"/v1/ledgers/l/releases/{text}"),
            client.post("/v1/keys", json={"name": "n", "scope": text}),
            client.post("/v1/keys", json={"name": "n", "scope": "reader", text: 1}),
            client.post("/v1/keys", content=text, headers={"Content-Type": "application/json"}),
            client.post("/v1/keys", content=text, headers={"Content-Type": text}),
            client.post("/v1/ledgers/l/sources", json=SOURCE, headers={"If-Match": text}),
            client.get("/v1/keys", params={"limit": 1}),
            client.get("/v1/ledgers", params={"limit": 1}),
        ]
    log = place.server.log.read_text()
    for text in texts:
        secret = text.split("_")[2] if text.startswith("stet_") else text
        assert secret not in log
        for answer in answers:
            assert secret not in answer.text + str(answer.headers), str(answer.request.url)
    assert re.search(r'"path":"/v1/ledgers/stet_[a-z2-7]{16}_\*\*\*"', log), "the path is logged, but for the secret"


def test_what_looks_like_a_key_is_masked() -> None:
    """Whole, cut off, in capitals or with another checksum; the id may be read."""
    id_ = new_key_id()
    text = new_key(id_)
    for shown in (text, text[:-3], f"{text}zz", text.upper(), f"a {text}, {text}"):
        assert text.split("_")[2].lower() not in masked(shown).lower()
        assert id_ in masked(shown).lower()
    assert masked("stet_owner is no key") == "stet_owner is no key"


def test_a_key_makes_none_that_outlives_it(place: Place) -> None:
    """Nor one without an end: it would go on when its maker has ended."""
    soon, later = (datetime.now(UTC) + timedelta(hours=hours) for hours in (1, 2))
    key = a_key(place.owner, "admin", expires_at=soon.isoformat())
    with bearing(place.server, key["key"]) as maker:
        before = everything(place)
        for more in ({}, {"expires_at": later.isoformat()}):
            answer = maker.post("/v1/keys", json={"name": "x", "scope": "reader", **more})
            assert "outlives" in problem(answer, "forbidden", 403)["detail"]
        assert everything(place) == before
        made(maker.post("/v1/keys", json={"name": "x", "scope": "reader", "expires_at": soon.isoformat()}))
