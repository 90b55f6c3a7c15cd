"""Proofs: the signed checkpoint of a log, and that an event, or an earlier log, is in it."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from stet.http.body import StetRequest
from stet.http.formats import FormatName, negotiate
from stet.http.routes import LedgerName
from stet.http.service import service_of
from stet.queries.proofs import (
    CheckpointView,
    ConsistencyProof,
    InclusionProof,
    checkpoint_view,
    last_signed,
    prove_consistency,
    prove_inclusion,
    when_signed,
)

_LEDGER = "/v1/ledgers/{ledger:str}"
_A_SECOND = {"cache-control": "private, max-age=1", "vary": "accept"}
_FOREVER = {"cache-control": "private, max-age=31536000, immutable"}
_AGAIN = {"cache-control": "no-cache"}
Size = Annotated[
    int | None,
    QueryParameter(ge=1, le=2**62, description="The size of the log. Absent: that of the last signed checkpoint."),
]


@get(_LEDGER + "/checkpoint", operation_id="getCheckpoint", summary="Get the signed checkpoint", tags=["proofs"])
async def get_checkpoint(
    request: StetRequest, ledger: LedgerName, format_: FormatName = None
) -> Response[CheckpointView]:
    """How large the log is and the root of its Merkle tree, as a C2SP signed note: keep it, and nobody can go back.

    It is at most a second behind the log. As JSON also with the keys that signed it.
    """
    form = negotiate(request, format_, ("text", "json"))
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    signed = await when_signed(service.pool, ledger_id, lambda connection: last_signed(connection, ledger_id))
    if form == "json":
        return Response(checkpoint_view(signed), headers=_A_SECOND)
    return Response(signed.note, media_type="text/plain", headers=_A_SECOND)  # type: ignore[arg-type]


@get(
    _LEDGER + "/proofs/inclusion",
    operation_id="getInclusionProof",
    summary="Prove that an event is in the log",
    tags=["proofs"],
)
async def get_inclusion(
    request: StetRequest,
    ledger: LedgerName,
    position: Annotated[int, QueryParameter(ge=1, le=2**62, description="The position of the event.")],
    size: Size = None,
) -> Response[InclusionProof]:
    """The Merkle path from the leaf of an event to the root over the log of a size (RFC 9162, 2.1.3)."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    read = partial(prove_inclusion, ledger_id=ledger_id, position=position, size=size)
    return Response(await when_signed(service.pool, ledger_id, read), headers=_FOREVER if size else _AGAIN)


@get(
    _LEDGER + "/proofs/consistency",
    operation_id="getConsistencyProof",
    summary="Prove that the log was only added to",
    tags=["proofs"],
)
async def get_consistency(
    request: StetRequest,
    ledger: LedgerName,
    from_: Annotated[int, QueryParameter(name="from", ge=1, le=2**62, description="The size of the earlier log.")],
    to: Size = None,
) -> Response[ConsistencyProof]:
    """That the log of a size begins with that of a smaller one (RFC 9162, 2.1.4)."""
    service = service_of(request)
    ledger_id = await service.ledger_id(ledger)
    read = partial(prove_consistency, ledger_id=ledger_id, from_=from_, to=to)
    return Response(await when_signed(service.pool, ledger_id, read), headers=_FOREVER if to else _AGAIN)


ROUTES = [get_checkpoint, get_inclusion, get_consistency]
