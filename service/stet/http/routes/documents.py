"""Documents: what statements are cited to."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter

from stet.document.commands import DocumentRevision, RegisterDocument
from stet.document.view import DocumentView
from stet.handle import Outcome, handle
from stet.handle.ledger import change_document
from stet.http.answer import answer, written
from stet.http.body import StetRequest
from stet.http.conditions import context_of, refuse_if_match
from stet.http.paging import CursorText, Limit, page_cut, unsign
from stet.http.routes import (
    AsOfText,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    LedgerName,
    asked,
    at,
    last_segment,
    to_page,
)
from stet.http.service import Service, service_of
from stet.ids import new_id
from stet.queries.many import Page, list_documents
from stet.queries.one import view_document

DocumentId = Annotated[UUID, PathParameter(description="The document's id.")]


@post(
    "/v1/ledgers/{ledger:str}/documents",
    operation_id="registerDocument",
    summary="Register a document",
    tags=["documents"],
)
async def register_document(
    request: StetRequest, ledger: LedgerName, data: JSONBody[RegisterDocument], idempotency_key: IdempotencyKey = None
) -> Response[DocumentView]:
    """An article, post, video or data-set row, with the versions that its publisher made."""
    refuse_if_match(request)
    return await _change(request, ledger, data, new_id())


@get(
    "/v1/ledgers/{ledger:str}/documents", operation_id="listDocuments", summary="List the documents", tags=["documents"]
)
async def get_documents(
    request: StetRequest,
    ledger: LedgerName,
    as_of: AsOfText = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[DocumentView]]:
    """In the order in which they were registered."""
    service = service_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
        position = unsign(cursor, service.cursor_secret, "documents", ledger_id) if cursor else None
        cut = await page_cut(connection, ledger_id, as_of, position)
        rows = await list_documents(connection, ledger_id, cut, int(position.after) if position else 0, limit)
    page = to_page(rows, cut, "documents", ledger_id, service)
    return answer(request, page, cut.position, cut, query={"limit": limit})


@get(
    "/v1/ledgers/{ledger:str}/documents/{document_id:uuid}",
    operation_id="getDocument",
    summary="Get a document",
    tags=["documents"],
)
async def get_document(
    request: StetRequest,
    ledger: LedgerName,
    document_id: DocumentId,
    as_of: AsOfText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[DocumentView]:
    """One document, as of any moment since it was registered."""
    service = service_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
        cut, view = await view_document(connection, ledger_id, document_id, asked(as_of))
    return answer(request, view, view.version, cut)


@post(
    "/v1/ledgers/{ledger:str}/documents/{document_id:uuid}/revisions",
    operation_id="reviseDocument",
    summary="Revise a document",
    tags=["documents"],
)
async def revise_document(
    request: StetRequest,
    ledger: LedgerName,
    document_id: DocumentId,
    data: JSONBody[DocumentRevision],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[DocumentView]:
    """Its publisher made another version, the desk corrects its record of it, or a copy was archived.

    A corrected publication moves every time that hangs on it, in every incident, in the same append.
    """
    return await _change(request, ledger, data, document_id)


async def _change(
    request: StetRequest, ledger: str, command: RegisterDocument | DocumentRevision, document_id: UUID
) -> Response[DocumentView]:
    service, context = service_of(request), await context_of(request)
    async with service.pool.connection() as connection:
        ledger_id = await service.ledger_id(connection, ledger)
    decide = change_document(command, document_id, f"/v1/ledgers/{ledger}/documents/{document_id}")
    outcome = await handle(service.pool, service.log, ledger_id, f"document:{document_id}", decide, context)
    return await _show(service, ledger_id, outcome)


async def _show(service: Service, ledger_id: UUID, outcome: Outcome) -> Response[DocumentView]:
    async with service.pool.connection() as connection:
        cut, view = await view_document(connection, ledger_id, last_segment(outcome.location), at(outcome))
    return written(view, view.version, cut, status=outcome.status, location=outcome.location)


ROUTES = [register_document, get_documents, get_document, revise_document]
