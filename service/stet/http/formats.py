"""A page of a list as CSV, GeoJSON or NDJSON, beside JSON: what the client asks for by Accept, or by `format`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from litestar.params import QueryParameter

from stet.errors import NotAcceptable
from stet.exporters.columns import CLAIM_COLUMNS, INCIDENT_COLUMNS, VALUES, Column, claim_rows, csv_head, csv_rows
from stet.exporters.places import feature
from stet.http.body import StetRequest
from stet.incident.summary import IncidentSummary
from stet.queries.many import Page
from stet.queries.statements import ListedStatement

Format = Literal["json", "geojson", "csv", "ndjson", "sse", "cloudevents", "atom", "parquet", "link", "text"]
FormatName = Annotated[
    Format | None, QueryParameter(name="format", description="The form of the answer. It goes before Accept.")
]
MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "geojson": "application/geo+json",
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "sse": "text/event-stream",
    "cloudevents": "application/cloudevents-batch+json",
    "atom": "application/atom+xml",
    "parquet": "application/vnd.apache.parquet",
    "link": "application/link-format",
    "text": "text/plain",
}


class Rendered(NamedTuple):
    """A body that is not the view as JSON."""

    body: bytes
    media_type: str
    parameters: dict[str, str]
    """What its permanent address needs."""


def negotiate(request: StetRequest, format_: Format | None, offered: Sequence[Format]) -> Format:
    """The form to answer in. Raises NotAcceptable where the client takes none that is offered."""
    if format_:
        if format_ not in offered:
            raise NotAcceptable(f"this list is given as {', '.join(offered)}")
        return format_
    header = request.headers.get("accept") or "*/*"
    best: tuple[float, int] = (0.0, 0)
    chosen: Format | None = None
    for rank, name in enumerate(offered):
        quality = _quality(header, MEDIA_TYPES[name])
        if (quality > 0 and (quality, -rank) > best) or (chosen is None and quality > 0):
            best, chosen = (quality, -rank), name
    if chosen is None:
        raise NotAcceptable(f"this list is given as {', '.join(MEDIA_TYPES[name] for name in offered)}")
    return chosen


def _quality(header: str, media_type: str) -> float:
    """How much the client wants a media type: by the most specific range that has it (RFC 9110 12.5.1)."""
    found: tuple[int, float] = (-1, 0.0)
    for part in header.split(","):
        range_, *parameters = (piece.strip().lower() for piece in part.split(";"))
        specific = {media_type: 2, media_type.partition("/")[0] + "/*": 1, "*/*": 0}.get(range_)
        if specific is not None and specific > found[0]:
            weight = next((p.partition("=")[2] for p in parameters if p.startswith("q=")), "1")
            try:
                found = specific, float(weight)
            except ValueError:
                found = specific, 1.0
    return found[1]


def render_incidents(page: Page[IncidentSummary], form: Format) -> Rendered | None:
    """A page of incidents in the form; None: as JSON."""
    if form == "geojson":
        features = [feature(item) for item in page.items]
        collection = {"type": "FeatureCollection", "features": features}
        return _rendered(
            msgspec.json.encode(collection | {"next_cursor": page.next_cursor, "cut": page.cut}), "geojson"
        )
    return _render(page.items, form, (*INCIDENT_COLUMNS, VALUES))


def render_statements(page: Page[ListedStatement], form: Format) -> Rendered | None:
    """A page of statements in the form; None: as JSON. In CSV a row is a claim, or a retraction."""
    if form != "csv":
        return _render(page.items, form, ())
    return _render(claim_rows(page.items), form, CLAIM_COLUMNS)


def _render(items: Sequence[Any], form: Format, columns: Sequence[Column]) -> Rendered | None:
    match form:
        case "ndjson":
            return _rendered(b"".join(msgspec.json.encode(item) + b"\n" for item in items), form)
        case "csv":
            return _rendered(csv_head(columns) + csv_rows(items, columns), form)
        case _:
            return None


def _rendered(body: bytes, form: Format) -> Rendered:
    return Rendered(body, MEDIA_TYPES[form], {"format": form})
