"""The contract: Litestar's document of the routes, passed once through `make_contract`.

The served, the exported and the committed document are the bytes that it returns. Schemas come from msgspec, which
knows discriminators, closed objects and docstrings; problems, headers and examples are added here.
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

import msgspec
from litestar import Litestar
from litestar.openapi.config import OpenAPIConfig

from stet import __version__
from stet.http.access import LEAST
from stet.http.examples import EXAMPLES
from stet.http.formats import MEDIA_TYPES, Format
from stet.http.openapi_words import HEADERS, KEY_SCHEME, REF, TAGS, VALUE, WEBHOOKS
from stet.http.problems import KINDS, MEDIA_TYPE, Problem, type_uri
from stet.source.view import SourceView
from stet.values.place import Place
from stet.values.time import Time
from stet.values.value import Count, DocumentValue, Quantity, SourceValue
from stet.webhooks.message import ChangeMessage, PingMessage

_FORMS: dict[str, tuple[Format, ...]] = {
    "listIncidents": ("geojson", "csv", "ndjson"),
    "listAllStatements": ("csv", "ndjson"),
    "listChanges": ("sse", "atom"),
    "exportIncidents": ("csv", "geojson", "ndjson", "parquet"),
    "getAtomFeed": ("atom",),
    "listEvents": ("ndjson", "cloudevents"),
    "listRecords": ("ndjson", "csv"),
    **dict.fromkeys(("getTimeMap", "getIncidentTimeMap"), ("link",)),
    "getCheckpoint": ("text",),
}
"""In which forms, beside JSON, an operation answers; the log and the files are never given as one JSON document."""
_HEADERS_OF: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("getHealth", "getReadiness", "listProjections", "retryParked", "listRebuilds", "getRebuild"), ()),
    "cancelRebuild": (),
    **dict.fromkeys(
        ("listWebhooks", "getWebhook", "deleteWebhook", "reviseWebhook", "rotateSecret", "replayWebhook"), ()
    ),
    **dict.fromkeys(("testWebhook", "listDeliveries"), ()),
    "createWebhook": ("Location",),
    "startRebuild": ("Location",),
    **dict.fromkeys(("listKeys", "getKey", "revokeKey", "listAudit"), ()),
    **dict.fromkeys(("createKey", "rotateKey"), ("Location",)),
    **dict.fromkeys(("listMembers", "setMember", "removeMember", "listLedgerAudit"), ()),
    **dict.fromkeys(("getCheckpoint", "getInclusionProof", "getConsistencyProof"), ()),
    "listLedgers": ("ETag",),
    **dict.fromkeys(("getTimeMap", "getIncidentTimeMap"), ("ETag", "Link")),
    "previewMerge": ("ETag",),
    "listChanges": ("Stet-Position", "Link"),
    "listEvents": ("Stet-Position",),
    "listRecords": ("Stet-Position", "Content-Location", "Memento-Datetime", "Link"),
    "exportIncidents": ("Stet-Position", "Content-Location"),
    "getAtomFeed": ("Stet-Position",),
}
"""Of the operations that read no cut."""
_VALUED = (
    *("ClaimInput", "ClaimView", "Reaction", "MatrixClaim", "HeardClaim", "DroppedClaim", "Candidate"),
    "PinAttribute",
)
_MEMENTOS = {
    *("getIncident", "listIncidents", "listAllStatements", "listSources", "listDocuments", "listStatements"),
    *("listRevisions", "listIncidentEvents", "listAttributes", "getStats", "listReleases", "listProposals"),
    "listRedactions",
}
_MOVING = ("getSource", "getSourceRecord")
"""Of what may be another thing by the cut."""
_OF_INCIDENT = {
    *("getIncident", "getMatrix", "explainAttribute", "diffIncident", "previewMerge", "getTimeline"),
    *("listRevisions", "listStatements", "getStatement", "listSimilar"),
}
"""What is redirected for an incident that was merged."""
OPENAPI_CONFIG = OpenAPIConfig(
    title="Stet",
    version=__version__,
    description="An incident database in which nothing is ever overwritten: who said what, through which channel and "
    "when, and what was known as of any moment.",
    use_handler_docstrings=True,
    render_plugins=[],
    path="/openapi-of-litestar",
)


@cache  # and made when it is first asked for, since it would be a third of what the service takes to start
def make_contract(app: Litestar) -> bytes:
    """The OpenAPI 3.1 document of the application, as JSON. The same routes give the same bytes."""
    document: dict[str, Any] = app.openapi_schema.to_schema()
    handlers = {
        handler.operation_id: handler for route in app.routes for handler in getattr(route, "route_handlers", ())
    }
    types = [t for handler in handlers.values() if (t := _body_type(handler)) or (t := _answer_type(handler))]
    types += [t for handler in handlers.values() if (t := _answer_type(handler))]
    types += [ChangeMessage, PingMessage, Problem, Count, Time, Place, SourceValue, DocumentValue, Quantity]
    _, schemas = msgspec.json.schema_components(types, ref_template=REF)
    for path in document["paths"].values():
        for operation in path.values():
            _operation(operation, handlers[operation["operationId"]])
    for name in _VALUED:
        schemas[name]["properties"]["value"] = {"$ref": REF.format(name="Value")}
    for name in ("Resolved", "MatrixRow"):
        value = {"$ref": REF.format(name="Value")}
        either = [value, {"type": "array", "items": value, "description": "Under the rule all."}, {"type": "null"}]
        schemas[name]["properties"]["value"] = {"anyOf": either}
    schemas["IncidentSummary"]["properties"]["values"]["additionalProperties"] = {"$ref": REF.format(name="Value")}
    schemas["Value"] = VALUE
    _give_items(schemas)
    schemas["Problem"]["properties"]["type"]["enum"] = [type_uri(code) for code in KINDS]
    document["components"] = {
        "securitySchemes": {"key": KEY_SCHEME},
        "schemas": dict(sorted(schemas.items())),
        "headers": {
            name: {"description": text, "schema": {"type": "string"}, "example": example}
            for name, (text, example) in HEADERS.items()
        },
        "responses": {
            str(status): _problem_response(status) for status in sorted({kind.status for kind in KINDS.values()})
        },
    }
    document["webhooks"] = WEBHOOKS
    document["servers"] = [{"url": "/", "description": "This server."}]
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    document["security"] = []
    document["info"]["license"] = {"name": "No licence has been chosen yet"}
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _give_items(schema: Any) -> None:
    """Linters ask for `items` as a schema; of a tuple msgspec gives none, or false. `maxItems` bounds it already."""
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _give_items(part)
    if isinstance(schema, dict) and schema.get("type") == "array":
        schema["items"] = schema.get("items") or {}


def _body_type(handler: Any) -> Any:
    field = handler.parsed_data_field
    return field.annotation if field is not None else None


def _answer_type(handler: Any) -> Any:
    arguments = get_args(handler.parsed_fn_signature.return_type.annotation)
    return arguments[0] if arguments and arguments[0] is not bytes else None


def _schema(type_: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([type_], ref_template=REF)
    return schema


def _operation(operation: dict[str, Any], handler: Any) -> None:
    reads = handler.parsed_data_field is None
    for parameter in operation.get("parameters", ()):
        _parameter(parameter)
    if not reads:
        content: dict[str, Any] = {"schema": _schema(_body_type(handler))}
        if example := EXAMPLES.get(operation["operationId"]):
            content["examples"] = {name: {"value": value} for name, value in example.items()}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    answer: dict[str, Any] = {"application/json": {"schema": _schema(_answer_type(handler))}}
    id_ = operation["operationId"]
    forms = _FORMS.get(id_, ())
    answer |= {
        MEDIA_TYPES[form]: {"schema": {"type": "string"} if form != "geojson" else {"type": "object"}} for form in forms
    }
    if id_ in ("listEvents", "listRecords"):
        answer["application/x-ndjson"] = answer.pop("application/json")
    if id_ in ("exportIncidents", "getAtomFeed"):
        del answer["application/json"]
    plain = id_ in _HEADERS_OF
    names = ["X-Request-Id", *_HEADERS_OF.get(id_, ("ETag", "Content-Location", "Stet-Position"))]
    names += [] if reads or plain else ["Location"]
    names += ["Memento-Datetime", "Link"] if id_ in _MEMENTOS else []
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    done = {"description": "As asked.", "headers": headers, "content": answer}
    responses: dict[str, Any] = {str(handler.status_code if plain else 200): done}
    if not reads and not plain:
        responses = {
            "200": {**done, "description": "There was nothing to do: what it is."},
            "201": {**done, "description": "Done: what it is from this append on."},
        }
    elif "ETag" in names:
        responses["304"] = {"description": "What you have is still right."}
    if id_ in _MOVING:
        headers = {"Location": {"$ref": "#/components/headers/Location"}}
        content = {"application/json": {"schema": _schema(SourceView)}}
        responses["308"] = {"description": "It is another: see there.", "headers": headers, "content": content}
    if id_ in _OF_INCIDENT:
        location = {"Location": {"$ref": "#/components/headers/Location"}}
        responses["308"] = {"description": "It was merged: the same of what it is by then.", "headers": location}
    problems = [400, 403, 500, 503] + ([406] if forms else [])
    least = LEAST.get(id_)
    # An operation without a line in the table is refused; a test asks for the line.
    problems += [401, 429] if least else []
    operation["security"] = [{"key": []}] if least not in (None, "anybody", "public") else [{}, {"key": []}]
    if least is None:
        operation["security"] = []
    problems += [404] if "{" in handler.paths.copy().pop() else []
    problems += [] if reads else [409, 413, 415] if plain else [409, 412, 413, 415, 422]
    responses |= {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(problems)}
    operation["responses"] = responses
    operation.pop("deprecated", None)


def _parameter(parameter: dict[str, Any]) -> None:
    schema = parameter["schema"]
    alternatives = [part for part in schema.pop("oneOf", []) if part.get("type") != "null"]
    if len(alternatives) == 1:
        parameter["schema"] = {**alternatives[0], **schema}
    for unused in ("deprecated", "allowEmptyValue", "allowReserved"):
        parameter.pop(unused, None)


def _problem_response(status: int) -> dict[str, Any]:
    codes = [code for code, kind in KINDS.items() if kind.status == status]
    return {
        "description": "; ".join(f"{KINDS[code].title} ({code})" for code in codes),
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": REF.format(name="Problem")},
                "example": {
                    "type": type_uri(codes[0]),
                    "title": KINDS[codes[0]].title,
                    "status": status,
                    "detail": KINDS[codes[0]].title + ".",
                    "errors": [],
                    "request_id": "0190163d-8694-739b-aea5-966c26f8ad91",
                },
            }
        },
    }
