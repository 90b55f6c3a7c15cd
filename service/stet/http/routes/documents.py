"""Documents: what statements are cited to."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter

from stet.document.commands import DocumentRevision, RegisterDocument
from stet.document.view import DocumentView
from stet.handle.ledger import change_document
from stet.http.body import StetRequest
from stet.http.paging import CursorText, Limit, digest
from stet.http.routes import (
    AcceptDatetime,
    Asked,
    AsOfText,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    LedgerName,
    Query,
    asked,
    read_one,
    read_page,
    write,
)
from stet.http.routes.redactions import redaction
from stet.ids import new_id
from stet.queries.many import Page, list_documents
from stet.queries.one import view_document
from stet.redaction.commands import RedactionCommand

DocumentId = Annotated[UUID, PathParameter(description="The document's id.")]
_PATH = "/v1/ledgers/{ledger:str}/documents"
_ONE = _PATH + "/{document_id:uuid}"


@post(_PATH, operation_id="registerDocument", summary="Register a document", tags=["documents"])
async def register_document(
    request: StetRequest, ledger: LedgerName, data: JSONBody[RegisterDocument], idempotency_key: IdempotencyKey = None
) -> Response[DocumentView]:
    """An article, post, video or data-set row, with the versions that its publisher made."""
    document_id = new_id()
    decide = change_document(data, document_id, f"/v1/ledgers/{ledger}/documents/{document_id}")
    return await write(request, ledger, None, decide, view_document)


@get(_PATH, operation_id="listDocuments", summary="List the documents", tags=["documents"])
async def get_documents(
    request: StetRequest,
    ledger: LedgerName,
    as_of: AsOfText = None,
    q: Query = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    accept_datetime_: AcceptDatetime = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[DocumentView]]:
    """In the order in which they were registered."""
    rows = partial(list_documents, q=q)
    wanted = Asked(asked(request, as_of, accept_datetime_), limit, cursor)
    return await read_page(request, ledger, digest("documents", q), rows, wanted)


@get(_ONE, operation_id="getDocument", summary="Get a document", tags=["documents"])
async def get_document(
    request: StetRequest,
    ledger: LedgerName,
    document_id: DocumentId,
    as_of: AsOfText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[DocumentView]:
    """One document, as of any moment since it was registered."""
    return await read_one(request, ledger, document_id, as_of, view_document)


@post(_ONE + "/revisions", operation_id="reviseDocument", summary="Revise a document", tags=["documents"])
async def revise_document(
    request: StetRequest,
    ledger: LedgerName,
    document_id: DocumentId,
    data: JSONBody[DocumentRevision],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[DocumentView]:
    """Its publisher made another version, the desk corrects its record of it, or a copy was archived.

    A corrected publication moves every time that hangs on it, in every incident, in the same append. An administrator
    proposes or confirms that something of it be erased.
    """
    stream, location = f"document:{document_id}", f"/v1/ledgers/{ledger}/documents/{document_id}"
    if isinstance(data, RedactionCommand):
        decide = redaction(request, data, stream, location)
    else:
        decide = change_document(data, document_id, location)
    return await write(request, ledger, stream, decide, view_document)


ROUTES = [register_document, get_documents, get_document, revise_document]
