"""Workers: woken by the doorbell, or by their own clock; one leads, and another takes over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import psycopg
import pytest
from tests.conftest import wait_until
from tests.projections.rebuilding import ask, execute, verified
from tests.projections.test_histories import write_again
from tests.unit import saying

from stet.database import attend as attending
from stet.database.doorbell import Doorbell
from stet.database.pool import make_pool
from stet.projections.advance import States, advance
from stet.projections.source_record import PROJECTION
from stet.projections.target import OtherRelease, Target
from stet.projections.worker import Worker
from stet.settings import Settings

DISPUTE = saying.told(saying.say("AZ", killed=2), saying.say("RU", killed=3))
LEADS = """SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 720311563 AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@pytest.fixture
def start(url: str) -> Iterator[Callable[[], Worker]]:
    """Starts workers on the database; all are stopped afterwards."""
    started = []

    def start() -> Worker:
        worker = Worker(url)
        started.append((worker, worker.start()))
        return worker

    yield start
    for worker, _ in started:
        worker.stop()
    for _, thread in started:
        thread.join(20)
        assert not thread.is_alive()


def write(url: str, name: str) -> None:
    asyncio.run(write_again(url, name, DISPUTE))


def ring(url: str) -> None:
    """What a process does after its appends."""

    async def once() -> None:
        async with make_pool(url, Settings(pool_size=2)) as pool:
            bell = Doorbell(pool, url)
            bell.start()
            await until_heard(bell)
            await bell.stop()

    asyncio.run(once())


async def until_heard(bell: Doorbell) -> None:
    """Rings until it listens itself."""
    heard = bell.next_ring()
    while not heard.is_set():
        bell.ring()
        await bell.wait(heard, 0.2)


def behind(url: str) -> bool:
    return bool(
        execute(
            url,
            "SELECT 1 FROM stet.head h LEFT JOIN stet.checkpoint c USING (ledger_id)"
            " WHERE h.position > coalesce(c.position, 0)",
        )
    )


def test_the_doorbell_wakes_a_worker_that_would_sleep(
    url: str, start: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending, "POLL_S", 3_600)
    start()
    wait_until(lambda: bool(execute(url, LEADS)), "it leads")
    write(url, "rung")
    assert behind(url)
    ring(url)
    wait_until(lambda: not behind(url), "it was woken")
    assert verified(url, "rung") == []


def test_without_a_doorbell_the_clock_wakes_it(url: str, start: Callable[[], Worker]) -> None:
    start()
    wait_until(lambda: bool(execute(url, LEADS)), "it leads")
    write(url, "unheard")
    wait_until(lambda: not behind(url), "it looked by itself")
    assert verified(url, "unheard") == []


def test_another_worker_takes_over_from_one_that_dies(url: str, start: Callable[[], Worker]) -> None:
    start()
    wait_until(lambda: bool(execute(url, LEADS)), "one leads")
    ((first,),) = execute(url, LEADS)
    start()
    write(url, "before")
    wait_until(lambda: not behind(url), "it was taken")
    assert execute(url, LEADS) == [(first,)]
    execute(url, "SELECT pg_terminate_backend(%s)", first)
    write(url, "after")
    wait_until(lambda: not behind(url) and execute(url, LEADS) not in ([], [(first,)]), "another took over")
    assert verified(url, "after") == []


def test_a_worker_waits_for_a_database_that_is_away(
    url: str, start: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, refused = psycopg.connect, 0

    def away(*args: object, **options: object) -> object:
        nonlocal refused
        if options.get("application_name") == "stet worker" and refused < 2:
            refused += 1
            raise psycopg.OperationalError("no route to host")
        return connect(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(attending.psycopg, "connect", away)
    monkeypatch.setattr(attending, "_RECONNECT_S", 0.01)
    write(url, "away")
    start()
    wait_until(lambda: not behind(url), "it came back")
    assert refused == 2


def test_a_worker_runs_the_rebuild_that_is_asked_for(url: str, start: Callable[[], Worker]) -> None:
    write(url, "rebuilt")
    rebuild_id = ask(url, "name_history")
    start()
    ended = "SELECT 1 FROM stet.rebuild WHERE rebuild_id = %s AND phase = 'done'"
    wait_until(lambda: bool(execute(url, ended, rebuild_id)), "it is rebuilt")
    assert verified(url, "rebuilt") == []


async def test_however_often_it_is_rung_at_once_it_is_heard_once(url: str) -> None:
    async with make_pool(url, Settings(pool_size=2)) as pool:
        bell = Doorbell(pool, url)
        bell.start()
        await until_heard(bell)
        before, heard = bell.rings, bell.next_ring()
        for _ in range(100):
            bell.ring()
        await bell.wait(heard, 20)
        assert heard.is_set()
        assert bell.rings == before + 1
        await bell.stop()


def test_a_projection_of_another_release_is_left_alone(url: str) -> None:
    """Whoever still runs the older rules writes no row by them."""
    write(url, "newer")
    execute(url, "UPDATE stet.projection SET version = version + 1 WHERE name = 'source_record'")
    ((ledger_id,),) = execute(url, "SELECT ledger_id FROM stet.ledger")
    with psycopg.connect(url, autocommit=True) as connection, pytest.raises(OtherRelease):
        advance(connection, Target(PROJECTION), ledger_id, States())
    assert behind(url)
