"""One incident, in each of its views, at any cut."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.params import PathParameter, QueryParameter

from stet.database.pool import HISTORIES, Connection, of_ledger, snapshot
from stet.handle import Reader
from stet.handle.merge import preview_merge
from stet.http.again import parts_of
from stet.http.answer import answer, make, respond
from stet.http.body import StetRequest
from stet.http.filters import ATTRIBUTE
from stet.http.memento import memento_headers
from stet.http.paging import CursorText, Limit
from stet.http.routes import (
    AcceptDatetime,
    Asked,
    AsOfText,
    IfNoneMatch,
    LedgerName,
    SaidByText,
    SaidMatchName,
    asked,
    read_one,
    read_page,
    said,
)
from stet.http.routes.incidents import IncidentId
from stet.http.service import service_of
from stet.incident.collide import MergePreview
from stet.incident.diff import Diff
from stet.incident.explain import Explanation
from stet.incident.matrix import Matrix
from stet.incident.timeline import Axis, Timeline
from stet.incident.view import view
from stet.queries.cut import ReadCut, resolve_cut
from stet.queries.events import EventView
from stet.queries.incident import incident_at, view_diff, view_explanation, view_matrix, view_timeline
from stet.queries.many import Page, list_events
from stet.queries.mementos import around, negotiated
from stet.queries.proofs import ProvenIncident, view_proven, when_signed
from stet.queries.similar import Similar, view_similar
from stet.values.text import Reference

_ONE = "/v1/ledgers/{ledger:str}/incidents/{incident_id:uuid}"


@get(_ONE, operation_id="getIncident", summary="Get an incident", tags=["incidents"])
async def get_incident(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    as_of: AsOfText = None,
    said_by: SaidByText = None,
    said_match: SaidMatchName = "definite",
    proof: Annotated[
        bool, QueryParameter(description="With what proves the events that it was folded from: docs/proofs.md.")
    ] = False,
    accept_datetime_: AcceptDatetime = None,
    if_none_match: IfNoneMatch = None,
) -> Response[ProvenIncident]:
    """One incident and everything that was said about it, as of any position or instant since it was opened.

    With said_by only what had been said by then, and what the claims in it come to. At an Accept-Datetime before it
    was opened its first state.
    """
    service = service_of(request)
    wanted, kept = asked(request, as_of, accept_datetime_), said(said_by, said_match)
    ledger_id = await service.ledger_id(ledger)
    stream = f"incident:{incident_id}"
    if proof:

        async def read(connection: Connection) -> tuple[ReadCut, ProvenIncident]:
            moment = await negotiated(connection, ledger_id, stream, wanted)
            return await view_proven(connection, ledger_id, incident_id, moment, said=kept)

        cut, proven = await when_signed(service.pool, ledger_id, read)
        found = answer(request, proven, proven.version, cut)
        # Its checkpoint is that of today: no address gives these bytes again.
        del found.headers["content-location"]
        found.headers["cache-control"] = "no-cache"
        return found
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection):
        moment = await negotiated(connection, ledger_id, stream, wanted)
        at = await incident_at(connection, ledger_id, incident_id, moment, kept)
        mementos = await around(connection, ledger_id, stream, at.cut.position, at.cut.audience)
        parts = await parts_of(connection, ledger_id, at.streams)
    shown = view(at.state, at.names, at.own_cut)
    headers = memento_headers(request, mementos, asked=wanted.some_time)
    made = make(request, shown, shown.version, at.cut, headers=headers)
    service.again.keep(request, ledger_id, at.cut, parts, made)
    return respond(request, made)


@get(_ONE + "/matrix", operation_id="getMatrix", summary="Get an incident's claims matrix", tags=["incidents"])
async def get_matrix(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    as_of: AsOfText = None,
    said_by: SaidByText = None,
    said_match: SaidMatchName = "definite",
    if_none_match: IfNoneMatch = None,
) -> Response[Matrix]:
    """A row per attribute, a column per speaker. Who only passes on what others say has no column."""
    view = partial(view_matrix, said=said(said_by, said_match))
    return await read_one(request, ledger, incident_id, as_of, view)


@get(
    _ONE + "/attributes/{name:str}",
    operation_id="explainAttribute",
    summary="Explain how an attribute was resolved",
    tags=["incidents"],
)
async def get_explanation(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    name: Annotated[str, PathParameter(description="The attribute's name.", pattern=ATTRIBUTE)],
    of: Annotated[
        Reference | None, QueryParameter(description="Only for this: a slug, or source:ID, document:ID, statement:ID.")
    ] = None,
    as_of: AsOfText = None,
    said_by: SaidByText = None,
    said_match: SaidMatchName = "definite",
    if_none_match: IfNoneMatch = None,
) -> Response[Explanation]:
    """The rule, each candidate with its claims, chains and grades, what was dropped and why, which step decided."""
    view = partial(view_explanation, name=name, of=of, said=said(said_by, said_match))
    return await read_one(request, ledger, incident_id, as_of, view)


@get(_ONE + "/diff", operation_id="diffIncident", summary="Compare an incident at two cuts", tags=["incidents"])
async def get_diff(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    from_: Annotated[
        str | None,
        QueryParameter(name="from", description="as_of of the earlier cut. Absent: the head.", max_length=250),
    ] = None,
    to: Annotated[
        str | None, QueryParameter(description="as_of of the later cut. Absent: the head.", max_length=250)
    ] = None,
    from_said_by: Annotated[
        str | None, QueryParameter(description="said_by of the earlier cut.", max_length=250)
    ] = None,
    to_said_by: Annotated[str | None, QueryParameter(description="said_by of the later cut.", max_length=250)] = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Diff]:
    """What changed, down to the attribute, by which events, by whom, and why."""
    service = service_of(request)
    asked_from, asked_to = asked(request, from_, field="query.from"), asked(request, to, field="query.to")
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection):
        before = await resolve_cut(connection, ledger_id, asked_from, said(from_said_by, field="query.from_said_by"))
        after = await resolve_cut(connection, ledger_id, asked_to, said(to_said_by, field="query.to_said_by"))
        shown = await view_diff(connection, ledger_id, incident_id, before, after)
    old, new = before.permanent, after.permanent
    query = {"from": old["as_of"], "to": new["as_of"]}
    query |= {f"{side}_said_by": cut["said_by"] for side, cut in (("from", old), ("to", new)) if "said_by" in cut}
    return answer(request, shown, shown.version, after._replace(final=before.final and after.final), query=query)


@get(_ONE + "/similar", operation_id="listSimilar", summary="List incidents that may be the same", tags=["incidents"])
async def get_similar(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    limit: Annotated[int, QueryParameter(ge=1, le=100, description="How many at most, 1 to 100.")] = 10,
    min_score: Annotated[float, QueryParameter(ge=0, le=1, description="How alike at least, 0 to 1.")] = 0.5,
    as_of: AsOfText = None,
    said_by: SaidByText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Similar]:
    """Candidates for being one event that was recorded twice, with a score from 0 to 1, and what it is made of.

    By time, place, text, kind, sources and casualties. What is not known of both counts neither for nor against.
    """
    service, wanted, kept = service_of(request), asked(request, as_of), said(said_by)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection, HISTORIES):
        cut, shown = await view_similar(
            connection, ledger_id, incident_id, wanted, said=kept, limit=limit, min_score=min_score
        )
    return answer(request, shown, shown.version, cut)


@get(_ONE + "/merge", operation_id="previewMerge", summary="See what a merge would do", tags=["incidents"])
async def get_merge(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    into: Annotated[UUID, QueryParameter(description="The incident that it would be merged into.")],
    if_none_match: IfNoneMatch = None,
) -> Response[MergePreview]:
    """Which attributes of the other one would change, which claims collide, or why it would be refused. For members.

    Nothing is written. As of the head.
    """
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    async with of_ledger(service.pool, ledger_id) as connection, snapshot(connection):
        shown = await preview_merge(Reader(connection, ledger_id), incident_id, into)
    return answer(request, shown, shown.version)


@get(_ONE + "/timeline", operation_id="getTimeline", summary="Get an incident's timeline", tags=["incidents"])
async def get_timeline(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    axis: Annotated[
        Axis, QueryParameter(description="By when it happened, when it was said, or when it was recorded.")
    ] = "recorded",
    as_of: AsOfText = None,
    said_by: SaidByText = None,
    said_match: SaidMatchName = "definite",
    if_none_match: IfNoneMatch = None,
) -> Response[Timeline]:
    """One of the three times that are never mixed."""
    view = partial(view_timeline, axis=axis, said=said(said_by, said_match))
    return await read_one(request, ledger, incident_id, as_of, view)


@get(_ONE + "/revisions", operation_id="listRevisions", summary="List the revisions", tags=["incidents"])
async def get_revisions(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    as_of: AsOfText = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    accept_datetime_: AcceptDatetime = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[EventView]]:
    """Every event after the opening that does not record a statement, in the order of the log."""
    rows = partial(list_events, incident_id=incident_id, revisions_only=True)
    wanted = Asked(asked(request, as_of, accept_datetime_), limit, cursor)
    stream = f"incident:{incident_id}"
    return await read_page(request, ledger, f"revisions:{incident_id}", rows, wanted, stream=stream)


@get(_ONE + "/events", operation_id="listIncidentEvents", summary="List an incident's events", tags=["incidents"])
async def get_events(
    request: StetRequest,
    ledger: LedgerName,
    incident_id: IncidentId,
    as_of: AsOfText = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    accept_datetime_: AcceptDatetime = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[EventView]]:
    """As they are stored, each with the salt, digest and leaf that prove it."""
    rows = partial(list_events, incident_id=incident_id, revisions_only=False)
    wanted = Asked(asked(request, as_of, accept_datetime_), limit, cursor)
    stream = f"incident:{incident_id}"
    return await read_page(request, ledger, f"events:{incident_id}", rows, wanted, stream=stream)


ROUTES = [
    *(get_incident, get_matrix, get_explanation, get_diff, get_similar, get_merge, get_timeline, get_revisions),
    get_events,
]
