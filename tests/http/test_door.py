"""How a service begins that takes keys, what it limits, and which pages of other origins it lets in."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.conftest import OWNER, bearing, serve
from tests.http.asking import made, problem, read
from tests.http.keyed import a_key, a_ledger
from tests.http.test_serve import run

_KEY = re.compile(r"stet_[a-z2-7]{16}_[a-z2-7]{32}_[a-z2-7]{7}")


def pepper_of(folder: Path) -> dict[str, str]:
    """The settings of a service that keeps its pepper there."""
    return {"STET_DATA": str(folder), "STET_PEPPER": ""}


# ---- the first start ----


def test_the_first_start_prints_a_key_of_the_owner_once(url: str, tmp_path: Path) -> None:
    """Before it is ready, on stderr; it is good from then on, and the next start prints none."""
    data = tmp_path / "data"
    with serve(url, tmp_path, keyless=False, **pepper_of(data)) as server:
        said = server.log.read_text()
        [key] = _KEY.findall(said)
        assert "owner" in said
        with bearing(server, key) as owner:
            a_ledger(owner, "l")
        problem(httpx.get(f"{server.url}/v1/ledgers/l"), "not-found", 404)
        file = data / "pepper"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert len(file.read_text().strip()) == 64
    with serve(url, tmp_path, keyless=False, **pepper_of(data)) as server, bearing(server, key) as owner:
        assert not _KEY.findall(server.log.read_text())
        assert read(owner.get("/v1/ledgers/l"))
        assert [one["scope"] for one in read(owner.get("/v1/keys"))["items"]] == ["owner"]
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT * FROM stet.instance").fetchone()
    assert (data / "pepper").read_text().strip() not in str(rows)


def test_two_that_start_at_once_print_one_key(url: str, tmp_path: Path) -> None:
    """And make one pepper."""
    command = [sys.executable, "-m", "stet", "serve", "--port", "0"]
    environment = {**os.environ, "STET_DATABASE_URL": url, **pepper_of(tmp_path / "data")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    starting = [subprocess.Popen(command, env=environment, text=True, **pipes) for _ in range(3)]  # type: ignore[call-overload]
    for process in starting:
        assert process.stdout.readline().startswith("Stet is ready at ")
        process.terminate()
    said = "".join(process.communicate(timeout=30)[1] for process in starting)
    assert len(_KEY.findall(said)) == 1
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["pepper"]


def test_an_owner_key_of_one_s_own_is_stored_nowhere(url: str, tmp_path: Path) -> None:
    """It is good for as long as the process runs that was given it; no other is printed, and no pepper made."""
    data = tmp_path / "data"
    with (
        serve(url, tmp_path, keyless=False, STET_OWNER_KEY=OWNER, **pepper_of(data)) as server,
        bearing(server, OWNER) as owner,
    ):
        path = a_ledger(owner, "l")
        source = made(owner.post(f"{path}/sources", json={"name": "x", "kind": "person"}))
        assert source["name"] == "x"
        assert not _KEY.findall(server.log.read_text())
        assert not data.exists()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT DISTINCT actor FROM stet.event").fetchall() == [("owner",)]
            assert connection.execute("SELECT count(*) FROM stet.key").fetchone() == (0,)
        stored = a_key(owner, "owner")["key"]  # which makes the pepper
        with bearing(server, stored) as other:
            assert read(other.get(path))
    other_key = "another-key-of-the-owner-in-these-tests"
    with serve(url, tmp_path, keyless=False, STET_OWNER_KEY=other_key, **pepper_of(data)) as server:
        for key, status in ((OWNER, 401), (other_key, 200), (stored, 200)):
            with bearing(server, key) as client:
                assert client.get("/v1/ledgers/l").status_code == status


@pytest.mark.parametrize("name", ["STET_OWNER_KEY", "STET_PEPPER"])
@pytest.mark.parametrize("value", ["x" * 31, "x" * 32 + " ", "ä" * 40])
def test_a_secret_that_is_too_short(name: str, value: str, tmp_path: Path) -> None:
    """Exit 2, the variable by its name, the value nowhere, and nothing is started."""
    ended = run("--port", "0", **{name: value, "STET_DATA": str(tmp_path / "data")})
    assert ended.returncode == 2
    assert name in ended.stderr
    assert "32" in ended.stderr
    assert value not in ended.stderr
    assert not (tmp_path / "data").exists()


def test_another_pepper_is_noticed_at_the_start(url: str, tmp_path: Path) -> None:
    """Exit 3 and what to do, also where there is none; with an owner's key of its own it starts without."""
    with serve(url, tmp_path, keyless=False):
        pass
    wrong = run("--port", "0", STET_DATABASE_URL=url, STET_PEPPER="x" * 40)
    missing = run("--port", "0", STET_DATABASE_URL=url, **pepper_of(tmp_path / "none"))
    for ended in (wrong, missing):
        assert (ended.returncode, ended.stdout) == (3, "")
        assert "STET_PEPPER" in ended.stderr
        assert "Traceback" not in ended.stderr
    with (
        serve(url, tmp_path, keyless=False, STET_OWNER_KEY=OWNER, **pepper_of(tmp_path / "none")) as server,
        bearing(server, OWNER) as owner,
    ):
        assert "only STET_OWNER_KEY" in server.log.read_text()
        problem(owner.post("/v1/keys", json={"name": "n", "scope": "reader"}), "unavailable", 503)
        assert len(read(owner.get("/v1/keys"))["items"]) == 1


def test_a_pepper_that_cannot_be_kept(url: str, tmp_path: Path) -> None:
    """Exit 3, the file by its name, and no key."""
    (tmp_path / "file").write_text("")
    ended = run("--port", "0", STET_DATABASE_URL=url, **pepper_of(tmp_path / "file"))
    assert (ended.returncode, ended.stdout) == (3, "")
    assert str(tmp_path / "file") in ended.stderr
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM stet.key").fetchone() == (0,)


def test_open_is_for_a_database_without_keys(url: str, tmp_path: Path) -> None:
    """Once there are keys, nobody is let in without; and it goes with no key of its own."""
    with serve(url, tmp_path) as server:
        with httpx.Client(base_url=server.url, headers={"Authorization": "Bearer not looked at"}) as client:
            a_ledger(client, "l")
            a_key(client, "owner")
        assert not _KEY.findall(server.log.read_text())
    ended = run("--open", "--port", "0", STET_DATABASE_URL=url, STET_PEPPER="x" * 40)
    assert ended.returncode == 3
    assert "--open" in ended.stderr
    both = run("--open", "--port", "0", STET_DATABASE_URL=url, STET_OWNER_KEY=OWNER)
    assert both.returncode == 2
    assert "STET_OWNER_KEY" in both.stderr


def test_the_reference_is_loaded_whatever_the_keys(url: str, tmp_path: Path) -> None:
    """The service loads it by itself; a second time, also with keys since, adds nothing."""
    with serve(url, tmp_path, "--reference") as server, httpx.Client(base_url=server.url) as client:
        head = read(client.get("/v1/ledgers/mi24/changes"))["head"]
    with (
        serve(url, tmp_path, "--reference", keyless=False, STET_OWNER_KEY=OWNER) as server,
        bearing(server, OWNER) as owner,
    ):
        assert read(owner.get("/v1/ledgers/mi24/changes"))["head"] == head


# ---- limits ----


def test_who_asks_too_often_is_told_when_to_come_again(url: str, tmp_path: Path) -> None:
    """Each key for itself, and each address without one; what is no part of the API is not counted."""
    settings = {"STET_OWNER_KEY": OWNER, "STET_RATE_LIMIT": "1", "STET_RATE_BURST": "5"}
    with serve(url, tmp_path, keyless=False, **settings) as server, bearing(server, OWNER) as owner:
        key = a_key(owner, "reader")["key"]
        first = owner.get("/v1/ledgers")
        assert first.headers["ratelimit-policy"] == '"requests";q=5;w=5'
        assert re.fullmatch(r'"requests";r=[0-4];t=[1-5]', first.headers["ratelimit"])
        answers = [owner.get("/v1/ledgers") for _ in range(30)]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert refused, "thirty requests took half a minute"
        for answer in refused:
            problem(answer, "rate-limited", 429)
            assert answer.headers["retry-after"] == "1"
            assert answer.headers["ratelimit"].startswith('"requests";r=0;')
        with bearing(server, key) as another:
            assert another.get("/v1/ledgers").status_code == 200
        assert {httpx.get(f"{server.url}/healthz").status_code for _ in range(10)} == {200}
        without = [httpx.get(f"{server.url}/v1/ledgers").status_code for _ in range(30)]
        assert 429 in without
        elsewhere = {"X-Forwarded-For": "192.0.2.7"}
        assert httpx.get(f"{server.url}/v1/ledgers", headers=elsewhere).status_code == 200


def test_bad_keys_are_counted_more_tightly(url: str, tmp_path: Path) -> None:
    """From one address; a good key from there is still taken, so that nobody locks others out."""
    with (
        serve(url, tmp_path, keyless=False, STET_OWNER_KEY=OWNER) as server,
        bearing(server, "no key") as wrong,
        bearing(server, OWNER) as owner,
    ):
        answers = [wrong.get("/v1/ledgers") for _ in range(120)]
        assert {answer.status_code for answer in answers[:20]} == {401}
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused, "120 requests took more than a minute"
        assert problem(refused[0], "rate-limited", 429)
        assert refused[0].headers["retry-after"]
        assert owner.get("/v1/ledgers").status_code == 200


def test_without_keys_nothing_is_limited(client: httpx.Client) -> None:
    """There is nobody to tell apart."""
    assert "ratelimit" not in client.get("/v1/ledgers", params={"limit": 1}).headers


# ---- pages of other origins ----

PAGE = "https://desk.example"
PREFLIGHT = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,if-match",
}


def test_no_page_of_another_origin_is_let_in(url: str, tmp_path: Path) -> None:
    """Unless its origin is named: no answer says that it may read it."""
    with serve(url, tmp_path, keyless=False, STET_OWNER_KEY=OWNER) as server, bearing(server, OWNER) as owner:
        for answer in (
            owner.get("/v1/ledgers", headers={"Origin": PAGE}),
            httpx.options(f"{server.url}/v1/ledgers", headers=PREFLIGHT),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_the_pages_of_named_origins_are_let_in(url: str, tmp_path: Path) -> None:
    """They may send a key and read what they need; cookies are never asked for; other origins stay out."""
    settings = {"STET_OWNER_KEY": OWNER, "STET_CORS_ORIGINS": f"https://other.example {PAGE}"}
    with serve(url, tmp_path, keyless=False, **settings) as server, bearing(server, OWNER) as owner:
        answer = httpx.options(f"{server.url}/v1/ledgers", headers=PREFLIGHT)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "authorization" in answer.headers["access-control-allow-headers"].lower()
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert "access-control-allow-credentials" not in answer.headers
        for path in ("/v1/ledgers", "/v1/ledgers/none"):
            answer = owner.get(path, headers={"Origin": PAGE})
            assert answer.headers["access-control-allow-origin"] == PAGE
            exposed = answer.headers["access-control-expose-headers"].lower()
            assert {"etag", "location", "stet-position", "retry-after"} <= set(re.split(r",\s*", exposed))
        evil = {"Origin": "https://evil.example"}
        assert "access-control-allow-origin" not in owner.get("/v1/ledgers", headers=evil).headers
        answer = httpx.options(f"{server.url}/v1/ledgers", headers=PREFLIGHT | evil)
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("value", ["*", "desk.example", "https://desk.example/", "https://desk.example,https://b"])
def test_what_is_no_origin(value: str, tmp_path: Path) -> None:
    """Exit 2, by the name of the variable."""
    ended = run("--port", "0", STET_CORS_ORIGINS=value, STET_DATA=str(tmp_path / "data"))
    assert ended.returncode == 2
    assert "STET_CORS_ORIGINS" in ended.stderr


def test_answers_depend_on_who_asks(client: httpx.Client) -> None:
    """And say so to caches; what is for everybody does not."""
    for path in ("/v1/ledgers", "/v1/ledgers/none", "/v1/ledgers?wrong=1"):
        assert "authorization" in client.get(path).headers["vary"]
    assert "vary" not in client.get("/healthz").headers


def test_a_browser_that_came_by_tls_is_told_to_stay_with_it(client: httpx.Client) -> None:
    """As the proxy says how it came; without TLS nothing is said, for nobody would heed it."""
    assert "strict-transport-security" not in client.get("/healthz").headers
    secure = client.get("/healthz", headers={"X-Forwarded-Proto": "https"})
    assert secure.headers["strict-transport-security"] == "max-age=31536000"
