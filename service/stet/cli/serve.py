"""`stet serve`: uvicorn, in this process."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from uvicorn.loops.auto import auto_loop_factory

from stet.cli.database import database
from stet.cli.terminal import say
from stet.cli.worker import log_lines, working
from stet.database.pool import make_pool
from stet.errors import Refused, Unavailable
from stet.http.app import create_app
from stet.http.door import Door
from stet.keys.pepper import check_pepper, find_pepper
from stet.keys.store import any_key, first_key
from stet.settings import Settings

_GRACE_S = 10


def serve_here(settings: Settings, host: str, port: int, reference: bool, keyless: bool, *, worker: bool = True) -> int:
    """Serves until SIGINT or SIGTERM. One line on stdout says when it is ready, and where.

    Raises Refused where nobody is to be asked for a key and there are keys, Unavailable for another pepper than theirs.
    """
    log_lines(settings.owner_key)
    with database(settings) as url, _listen(host, port) as listener:
        asyncio.run(_prepare_keys(url, settings, keyless=keyless))
        # With uvloop where there is one: it halves what the loop costs.
        loop = asyncio.Runner(loop_factory=auto_loop_factory())
        with working(url, settings, at_all=worker), loop:
            loop.run(_serve(url, settings, listener, reference, Door(settings, keyless=keyless)))
    return 0


async def _prepare_keys(url: str, settings: Settings, *, keyless: bool) -> None:
    async with make_pool(url, settings) as pool, pool.connection() as connection:
        if keyless:
            if await any_key(connection):
                raise Refused("there are keys, so --open would let in who has none: leave it away")
            return
        if not await check_pepper(connection, find_pepper(settings)):
            if settings.owner_key is None:
                raise Unavailable("the pepper of the keys is not here: set STET_PEPPER, or STET_DATA, to where it is")
            say("the pepper of the keys is not here: of all keys only STET_OWNER_KEY is taken")
        if settings.owner_key is None and (key := await first_key(connection, settings)):
            say(f"\n  The key of the owner. It is shown this once, and stored nowhere:\n\n  {key}\n")


class _Server(uvicorn.Server):
    """Ends the feeds when it is asked to stop: it would wait for them to end by themselves."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._loop.call_soon_threadsafe(self._stopping)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]
        raise Unavailable(f"cannot listen on {host} port {port}: {reason}; choose another with --port") from error
    # Accepted connections inherit it. asyncio sets it only where it made the socket; without it every answer on a
    # connection that is kept waits 40 ms for the client's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Also inherited: a peer that takes nothing for a minute is gone, whatever its kernel answers.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000)
    return listener


async def _serve(url: str, settings: Settings, listener: socket.socket, reference: bool, door: Door) -> None:
    app = create_app(url, settings, door)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        lifespan="on",
    )
    server = _Server(config, app.stopping)
    for stop in (signal.SIGINT, signal.SIGTERM):
        # uvicorn takes the signals while it serves, and raises them again when it has stopped.
        signal.signal(stop, lambda *_: setattr(server, "should_exit", True))
    running = asyncio.create_task(server.serve([listener]))
    while not server.started and not running.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    if server.started:
        host, port = listener.getsockname()[:2]
        address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        if reference:
            from stet.reference.load import load_reference

            await asyncio.to_thread(load_reference, address, "mi24", say, door.own_key)
        print(f"Stet is ready at {address}/ (documentation at {address}/docs)", flush=True)
    await running
    if not server.started:
        raise Unavailable("the service did not start; the lines above say why")
    say("Stet has stopped")
