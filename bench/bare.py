"""`python -m bench.bare URL`: a bare Litestar route that gives the bytes of one primary-key SELECT, and nothing else.

The same framework, server, driver and pool as Stet's, so that the difference is what Stet does.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import uvicorn
from litestar import Litestar, Response, get
from litestar.datastructures import State
from litestar.params import FromPath
from psycopg_pool import AsyncConnectionPool


def main() -> None:
    pool = AsyncConnectionPool(sys.argv[1], open=False, min_size=4, max_size=16, kwargs={"autocommit": True})

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with pool:
            yield

    @get("/bodies/{id_:uuid}")
    async def get_body(id_: FromPath[UUID], state: State) -> Response[bytes]:
        async with pool.connection() as connection:
            cursor = await connection.execute("SELECT body FROM bare WHERE id = %s", (id_,), binary=True)
            row = await cursor.fetchone()
        if row is None:
            return Response(b"", status_code=404)
        return Response(bytes(row[0]), media_type="application/json")

    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(listener.getsockname()[1], flush=True)
    app = Litestar([get_body], lifespan=[lifespan], openapi_config=None, logging_config=None)
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, lifespan="on")
    uvicorn.Server(config).run([listener])


main()
