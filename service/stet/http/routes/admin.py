"""For those who run it: how the projections are, and their rebuilds. Of the whole installation, not of one ledger."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from stet.database.pool import across_ledgers, snapshot
from stet.errors import Malformed
from stet.http.answer import NO_STORE
from stet.http.body import StetRequest
from stet.http.service import service_of
from stet.ids import new_id
from stet.projections.rebuild.job import RebuildRequest, RebuildView
from stet.projections.registry import PROJECTIONS, projection_of
from stet.projections.retry import Retries, RetryRequest, retry_parked
from stet.queries.projections import (
    Projections,
    Rebuilds,
    ask_rebuild,
    cancel_rebuild,
    list_rebuilds,
    view_projections,
    view_rebuild,
)

ProjectionName = Annotated[str, PathParameter(description="The projection's name.")]
RebuildId = Annotated[UUID, PathParameter(description="The rebuild's id.")]
NAMES = [one.name for one in PROJECTIONS]


@get("/v1/admin/projections", operation_id="listProjections", summary="How are the projections?", tags=["operation"])
async def get_projections(request: StetRequest) -> Response[Projections]:
    """States, lags against the log, parked streams, and the rebuild that runs."""
    async with service_of(request).pool.connection() as connection, snapshot(connection):
        await across_ledgers(connection)
        return Response(await view_projections(connection), headers=NO_STORE)


@post(
    "/v1/admin/projections/{name:str}/rebuilds",
    operation_id="startRebuild",
    summary="Rebuild a projection",
    tags=["operation"],
    status_code=202,
)
async def post_rebuild(
    request: StetRequest, name: ProjectionName, data: JSONBody[RebuildRequest]
) -> Response[RebuildView]:
    """Builds its tables anew beside the live ones, compares them, and puts them in their place if they are the same.

    A worker does it, while everybody reads and writes. One at a time of a projection.
    """
    projection, rebuild_id = projection_of(name), new_id()
    async with service_of(request).pool.connection() as connection, connection.transaction():
        await across_ledgers(connection)
        shown = await ask_rebuild(connection, rebuild_id, projection, data)
    service_of(request).doorbell.ring()
    headers = NO_STORE | {"location": f"/v1/admin/rebuilds/{rebuild_id}"}
    return Response(shown, headers=headers)


@post(
    "/v1/admin/projections/{name:str}/retries",
    operation_id="retryParked",
    summary="Take parked streams again",
    tags=["operation"],
    status_code=200,
)
async def post_retry(request: StetRequest, name: ProjectionName, data: JSONBody[RetryRequest]) -> Response[Retries]:
    """From where they failed to where the projection is. What fails again stays parked."""
    projection = projection_of(name)
    made = await asyncio.to_thread(retry_parked, service_of(request).database_url, projection, data)
    return Response(made, headers=NO_STORE)


@get("/v1/admin/rebuilds", operation_id="listRebuilds", summary="List the rebuilds", tags=["operation"])
async def get_rebuilds(
    request: StetRequest,
    projection: Annotated[str | None, QueryParameter(description="Only of this projection.", max_length=100)] = None,
) -> Response[Rebuilds]:
    """The last 100, the last one first."""
    if projection is not None and projection not in NAMES:
        raise Malformed.at("query.projection", f"must be one of {', '.join(NAMES)}")
    async with service_of(request).pool.connection() as connection, connection.transaction():
        await across_ledgers(connection)
        return Response(await list_rebuilds(connection, projection), headers=NO_STORE)


@get(
    "/v1/admin/rebuilds/{rebuild_id:uuid}",
    operation_id="getRebuild",
    summary="How far is a rebuild?",
    tags=["operation"],
)
async def get_rebuild(request: StetRequest, rebuild_id: RebuildId) -> Response[RebuildView]:
    """Its phase, its progress, and, once it has compared, the digests and the rows that differ."""
    async with service_of(request).pool.connection() as connection, connection.transaction():
        await across_ledgers(connection)
        return Response(await view_rebuild(connection, rebuild_id), headers=NO_STORE)


@delete(
    "/v1/admin/rebuilds/{rebuild_id:uuid}",
    operation_id="cancelRebuild",
    summary="Cancel a rebuild",
    tags=["operation"],
    status_code=202,
)
async def delete_rebuild(request: StetRequest, rebuild_id: RebuildId) -> Response[RebuildView]:
    """It leaves nothing behind. One that has ended stays as it is."""
    async with service_of(request).pool.connection() as connection, connection.transaction():
        await across_ledgers(connection)
        shown = await cancel_rebuild(connection, rebuild_id)
    service_of(request).doorbell.ring()
    return Response(shown, headers=NO_STORE)


ROUTES = [get_projections, post_rebuild, post_retry, get_rebuilds, get_rebuild, delete_rebuild]
