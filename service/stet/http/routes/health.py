"""What is outside /v1: health, and the pages about the API."""

from __future__ import annotations

import asyncio
from importlib.resources import files

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from stet.errors import NotFound
from stet.http.body import StetRequest
from stet.http.openapi import make_contract
from stet.http.service import service_of

_DOCS = files("stet.http") / "docs"
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
_FILES = {"swagger-ui.css", "swagger-ui-bundle.js", "init.js"}


class Health(Struct, frozen=True):
    status: str


@get("/healthz", operation_id="getHealth", summary="Is the process alive?", tags=["operation"])
async def get_health(request: StetRequest) -> Response[Health]:
    """Asks nobody else."""
    return Response(Health("ok"), headers={"cache-control": "no-store"})


@get("/readyz", operation_id="getReadiness", summary="Can it serve requests?", tags=["operation"])
async def get_readiness(request: StetRequest) -> Response[Health]:
    """Asks the database. 503 while that does not answer."""
    async with service_of(request).pool.connection(timeout=3) as connection:
        await connection.execute("SELECT 1")
    return Response(Health("ok"), headers={"cache-control": "no-store"})


@get("/", include_in_schema=False)
async def get_root(request: StetRequest) -> Redirect:
    return Redirect("/docs")


@get("/docs", include_in_schema=False)
async def get_docs(request: StetRequest) -> Response[bytes]:
    return Response((_DOCS / "index.html").read_bytes(), media_type=_TYPES["html"])


@get("/docs/{name:str}", include_in_schema=False)
async def get_docs_file(request: StetRequest, name: FromPath[str]) -> Response[bytes]:
    if name not in _FILES:
        raise NotFound("there is nothing at this address")
    headers = {"cache-control": "max-age=3600"}
    return Response((_DOCS / name).read_bytes(), media_type=_TYPES[name.rpartition(".")[2]], headers=headers)


@get("/openapi.json", include_in_schema=False)
async def get_contract(request: StetRequest) -> Response[bytes]:
    return Response(await asyncio.to_thread(make_contract, request.app), media_type="application/json")


ROUTES = [get_health, get_readiness, get_root, get_docs, get_docs_file, get_contract]
