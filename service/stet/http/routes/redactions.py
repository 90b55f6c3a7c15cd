"""Redactions: proposed and confirmed with the revisions of what they are about; here, all of a ledger."""

from __future__ import annotations

from litestar import Response, get

from stet.handle.incident import Decide
from stet.handle.redaction import redact
from stet.http.access import access_of
from stet.http.admit import require_role
from stet.http.body import StetRequest
from stet.http.paging import CursorText, Limit
from stet.http.routes import Asked, AsOfText, IfNoneMatch, LedgerName, asked, read_page
from stet.queries.many import Page
from stet.queries.redactions import RedactionView, list_redactions
from stet.redaction.commands import RedactionCommand


def redaction(request: StetRequest, command: RedactionCommand, stream: str, location: str) -> Decide:
    """A redaction that is asked for with the revisions of a stream. Raises Forbidden for who is no administrator."""
    access = access_of(request)
    require_role(request, access, "admin")
    return redact(command, stream, access.actor, location)


@get(
    "/v1/ledgers/{ledger:str}/redactions",
    operation_id="listRedactions",
    summary="List the redactions",
    tags=["redactions"],
)
async def get_redactions(
    request: StetRequest,
    ledger: LedgerName,
    as_of: AsOfText = None,
    limit: Limit = 50,
    cursor: CursorText = None,
    if_none_match: IfNoneMatch = None,
) -> Response[Page[RedactionView]]:
    """In the order in which they were proposed: what each erases, or would if it were confirmed.

    Where the same text stands elsewhere it is erased with it, and listed with it. What it says is never shown.
    """
    return await read_page(request, ledger, "redactions", list_redactions, Asked(asked(request, as_of), limit, cursor))


ROUTES = [get_redactions]
