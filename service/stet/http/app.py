"""The composition root: settings in, application out."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast
from uuid import UUID

from litestar import Litestar, Request
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.enums import ParamType
from litestar.params import ParameterKwarg

from stet.database.doorbell import Doorbell
from stet.database.pool import make_pool
from stet.errors import FieldError, Forbidden, Malformed, NotFound
from stet.http.admit import admit
from stet.http.again import Again
from stet.http.body import StetRequest
from stet.http.door import Door
from stet.http.feed import Feeds
from stet.http.guard import forbidden
from stet.http.openapi import OPENAPI_CONFIG
from stet.http.problems import HANDLERS, problem
from stet.http.routes import (
    admin,
    documents,
    exports,
    feeds,
    health,
    incidents,
    keys,
    ledgers,
    members,
    proofs,
    records,
    redactions,
    releases,
    sources,
    statements,
    timemaps,
    views,
    webhooks,
)
from stet.http.service import Service, service_of
from stet.http.shell import Shell
from stet.settings import Settings
from stet.store.append import Log

ROUTES: list[Any] = [
    *health.ROUTES,
    *ledgers.ROUTES,
    *sources.ROUTES,
    *documents.ROUTES,
    *incidents.ROUTES,
    *views.ROUTES,
    *statements.ROUTES,
    *releases.ROUTES,
    *redactions.ROUTES,
    *timemaps.ROUTES,
    *feeds.ROUTES,
    *proofs.ROUTES,
    *records.ROUTES,
    *exports.ROUTES,
    *keys.ROUTES,
    *members.ROUTES,
    *webhooks.ROUTES,
    *admin.ROUTES,
]


_ASKED = (
    *("Accept", "Accept-Datetime", "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
    "Last-Event-ID",
)
"""What a page of another origin may send with a request, where origins are let in at all."""
_ANSWERED = (
    *("Content-Location", "ETag", "Link", "Location", "Memento-Datetime", "RateLimit", "RateLimit-Policy"),
    *("Retry-After", "Stet-Position", "WWW-Authenticate", "X-Request-Id"),
)
"""And what it may read of an answer."""


def create_app(database_url: str, settings: Settings, door: Door) -> Shell:
    """The application. It opens its pool when it starts, and closes it when it stops."""
    pool = make_pool(database_url, settings)
    doorbell = Doorbell(pool, database_url)
    service = Service(
        pool=pool,
        log=Log(pool, doorbell.ring),
        doorbell=doorbell,
        feeds=Feeds(pool, doorbell),
        database_url=database_url,
        settings=settings,
        door=door,
        again=Again(pool),
    )

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    app = make_litestar(settings, [lambda app: lifespan(app)])
    app.state.service = service
    return Shell(app, service.feeds.end, settings.send_timeout_ms / 1000)


def make_litestar(
    settings: Settings, lifespan: list[Callable[[Litestar], AbstractAsyncContextManager[None]]] | None = None
) -> Litestar:
    """The routes, without what they need to run: enough for the contract."""
    with warnings.catch_warnings():
        # What Litestar deprecates it will remove: this service is in the style of its next release.
        warnings.filterwarnings("error", module="litestar.*")
        return Litestar(
            ROUTES,
            request_class=StetRequest,
            before_request=_check_request,
            exception_handlers=HANDLERS,
            lifespan=lifespan or [],
            openapi_config=OPENAPI_CONFIG,
            cors_config=_cors(settings.cors_origins),
            request_max_body_size=settings.body_limit,
            logging_config=None,
            state=State(),
        )


def _cors(origins: str | None) -> CORSConfig | None:
    """What lets the pages of these origins ask. A page sends its key itself: there is nothing ambient to let along."""
    if origins is None:
        return None
    return CORSConfig(
        allow_origins=origins.split(),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=[*_ASKED],
        expose_headers=[*_ANSWERED],
        max_age=3600,
    )


async def _check_request(asked: Request[Any, Any, Any]) -> Any:
    """Refuses what may not ask, ids not written as ids, unknown or repeated parameters, other bodies than JSON.

    Answers what was answered before, if that still stands.
    """
    request = cast(StetRequest, asked)
    service = service_of(request)
    if service.door.keyless and (reason := forbidden(request)):
        raise Forbidden(reason)
    await admit(request)
    if request.method == "GET" and (found := await service.again.find(request)):
        return found
    path = request.scope["path"].lower()
    if any(isinstance(value, UUID) and f"/{value}" not in path for value in request.path_params.values()):
        raise NotFound("there is nothing at this address: an id is 32 hexadecimal digits in five groups")
    known = _query_names(request.route_handler)
    names = [name for name, _ in request.query_params.multi_items()]
    errors = [FieldError(f"query.{name[:100]}", "is not a parameter here") for name in names if name not in known]
    errors += [FieldError(f"query.{name}", "is given twice") for name in sorted(known) if names.count(name) > 1]
    # Litestar takes the word for an absent parameter: a filter would be left out, and nobody told.
    nulls = [name for name, value in request.query_params.multi_items() if value.casefold() == "null"]
    errors += [FieldError(f"query.{name[:100]}", "null is no value: leave the parameter away") for name in nulls]
    if errors:
        raise Malformed("; ".join(f"{error.field}: {error.detail}" for error in errors), tuple(errors))
    # Without a type a browser sends anything from any page, and asks nobody.
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method in ("POST", "PUT") and media_type != "application/json":
        return problem(request, "unsupported-media-type", "send the body as application/json")
    return None


def _query_names(handler: Any) -> frozenset[str]:
    known: frozenset[str] | None = handler.opt.get("query_names")
    if known is None:
        known = handler.opt["query_names"] = frozenset(
            parameter.kwarg_definition.name or name
            for name, parameter in handler.parsed_fn_signature.parameters.items()
            if isinstance(parameter.kwarg_definition, ParameterKwarg)
            and parameter.kwarg_definition.param_type is ParamType.QUERY
        )
    return known
