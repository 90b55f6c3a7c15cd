"""The forms that incidents are exported in, by name; and the export itself, as bytes one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Literal, NamedTuple

from stet.database.pool import Pool
from stet.exporters import acled, ucdp
from stet.exporters.columns import CLAIM_COLUMNS, INCIDENT_COLUMNS, Column, attribute_columns
from stet.exporters.parquet import Parquet
from stet.exporters.reading import Wanted, folded, summaries
from stet.exporters.writers import Claims, Coded, Features, Lines, Table, Writer

ExportName = Literal["csv", "claims", "geojson", "ndjson", "parquet", "ucdp", "ucdp-losses", "acled", "acled-losses"]


class Form(NamedTuple):
    """A form: what it is sent as, how a file of it is named, and how it is made."""

    media_type: str
    extension: str
    writer: Callable[[Wanted], Writer]
    folded: bool = False
    """It needs all that was said; the others make do with what a list shows."""


def _columns(wanted: Wanted) -> tuple[Column, ...]:
    return (*INCIDENT_COLUMNS, *attribute_columns(wanted.attributes.values()))


FORMS: dict[ExportName, Form] = {
    "csv": Form("text/csv", "csv", lambda wanted: Table(_columns(wanted))),
    "claims": Form("text/csv", "claims.csv", lambda wanted: Claims(CLAIM_COLUMNS), folded=True),
    "geojson": Form("application/geo+json", "geojson", lambda wanted: Features(wanted.cut.of_ledger())),
    "ndjson": Form("application/x-ndjson", "ndjson", lambda wanted: Lines()),
    "parquet": Form(
        "application/vnd.apache.parquet",
        "parquet",
        lambda wanted: Parquet(_columns(wanted), wanted.cut.of_ledger()),
    ),
    "ucdp": Form("text/csv", "csv", lambda wanted: Coded(ucdp.COLUMNS, ucdp.row, False), folded=True),
    "ucdp-losses": Form("text/csv", "losses.csv", lambda wanted: Coded(ucdp.COLUMNS, ucdp.row, True), folded=True),
    "acled": Form("text/csv", "csv", lambda wanted: Coded(acled.COLUMNS, acled.row, False), folded=True),
    "acled-losses": Form("text/csv", "losses.csv", lambda wanted: Coded(acled.COLUMNS, acled.row, True), folded=True),
}


async def export(pool: Pool, name: ExportName, writer: Writer, wanted: Wanted) -> AsyncIterator[bytes]:
    """The file, piece by piece; of any size in bounded memory. `writer` is what the form made of `wanted`."""
    yield writer.begin()
    pages = folded if FORMS[name].folded else summaries
    async for page in pages(pool, wanted):
        # In a thread: what a page of long incidents comes to takes time that other requests need.
        yield await asyncio.to_thread(writer.page, page)
    yield writer.end()
