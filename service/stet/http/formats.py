"""A page of a list as CSV, GeoJSON or NDJSON, beside JSON: what the client asks for by Accept, or by `format`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from litestar.params import QueryParameter

from stet.errors import NotAcceptable
from stet.http.body import StetRequest
from stet.incident.summary import COUNTS, IncidentSummary
from stet.queries.many import Page
from stet.queries.statements import ListedStatement

Format = Literal["json", "geojson", "csv", "ndjson", "sse", "cloudevents"]
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
}
Column = tuple[str, Callable[[Any], Any]]


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
        features = [_feature(item) for item in page.items]
        collection = {"type": "FeatureCollection", "features": features}
        return _rendered(
            msgspec.json.encode(collection | {"next_cursor": page.next_cursor, "cut": page.cut}), "geojson"
        )
    return _render(page.items, form, INCIDENT_COLUMNS)


def render_statements(page: Page[ListedStatement], form: Format) -> Rendered | None:
    """A page of statements in the form; None: as JSON. In CSV a row is a claim, or a retraction."""
    if form != "csv":
        return _render(page.items, form, ())
    rows = [(item, claim) for item in page.items for claim in (item.claims or (None,))]
    return _render(rows, form, CLAIM_COLUMNS)


def _render(items: Sequence[Any], form: Format, columns: Sequence[Column]) -> Rendered | None:
    match form:
        case "ndjson":
            return _rendered(b"".join(msgspec.json.encode(item) + b"\n" for item in items), form)
        case "csv":
            return _rendered(_csv(items, columns), form)
        case _:
            return None


def _rendered(body: bytes, form: Format) -> Rendered:
    return Rendered(body, MEDIA_TYPES[form], {"format": form})


def _csv(items: Sequence[Any], columns: Sequence[Column]) -> bytes:
    """RFC 4180. A text is given as it is, anything else as JSON.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\r\n")
    writer.writerow([name for name, _ in columns])
    for item in items:
        writer.writerow([_cell(read(item)) for _, read in columns])
    return output.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        encoded = msgspec.json.encode(value)
        value = msgspec.json.decode(encoded) if encoded.startswith(b'"') else encoded.decode()
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _feature(item: IncidentSummary) -> dict[str, Any]:
    place = item.place
    located = place is not None and place.longitude is not None
    return {
        "type": "Feature",
        "id": item.incident_id,
        "geometry": {"type": "Point", "coordinates": [place.longitude, place.latitude]} if place and located else None,
        "properties": item,
    }


def _of(name: str, field: str) -> Column:
    return f"{name}_{field}", lambda item: getattr(getattr(item, name), field, None)


INCIDENT_COLUMNS: tuple[Column, ...] = (
    *((name, lambda item, name=name: getattr(item, name)) for name in ("incident_id", "version", "title", "kind")),
    ("status", lambda item: item.status),
    ("tags", lambda item: " ".join(item.tags)),
    *(_of("occurred", field) for field in ("earliest", "latest", "best", "approximate", "status")),
    *(_of("place", field) for field in ("attribute", "name", "longitude", "latitude", "radius_m", "status")),
    *(_of(name, field) for name in COUNTS for field in ("min", "max", "status")),
    ("attributes", lambda item: " ".join(f"{name}={'|'.join(found)}" for name, found in item.attributes.items())),
    ("values", lambda item: item.values),
    ("opened_at", lambda item: item.opened_at),
    ("updated_at", lambda item: item.updated_at),
)
CLAIM_COLUMNS: tuple[Column, ...] = (
    ("incident_id", lambda row: row[0].incident_id),
    ("statement_id", lambda row: row[0].statement_id),
    ("claim_id", lambda row: row[1] and row[1].claim_id),
    ("speaker_id", lambda row: row[0].speaker.source_id),
    ("speaker", lambda row: row[0].speaker.name),
    ("chain", lambda row: " > ".join(hop.name or str(hop.source_id) for hop in row[0].chain)),
    ("channel", lambda row: row[0].channel),
    ("said_earliest", lambda row: row[0].said_at.earliest),
    ("said_latest", lambda row: row[0].said_at.latest),
    ("attribute", lambda row: row[1] and row[1].attribute),
    ("of", lambda row: row[1] and row[1].of),
    ("act", lambda row: row[1].act if row[1] else "retract" if row[0].retracts else None),
    ("scope", lambda row: row[1] and row[1].scope),
    ("certainty", lambda row: row[1] and row[1].certainty),
    ("value", lambda row: row[1] and row[1].value),
    ("verbatim", lambda row: row[1].verbatim if row[1] else row[0].verbatim),
    ("dropped", lambda row: row[1] and row[1].dropped),
    ("retracts", lambda row: row[0].retracts and row[0].retracts.statement_id),
)
