"""What the log holds and what the feeds send: a JSON Schema of each event's payload, and the AsyncAPI document.

Both come from the structs, so the same code gives the same bytes. openapi/events.py writes them.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from stet import __version__
from stet.codec import EVENTS, SCHEMA_VERSIONS
from stet.queries.changes import ChangedAppend, Changes
from stet.queries.events import CloudEvent, LoggedEvent

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_CHANGES = "/v1/ledgers/{ledger}/changes"
_EVENTS = "/v1/ledgers/{ledger}/events"
_TAGS = {"feeds": "What the service sends of a log.", "events": "What a log holds."}
_AFTER: Schema = {"after": {"type": "integer", "minimum": 0, "description": "Only what has a greater position."}}


class Feed(Struct, frozen=True, kw_only=True):
    """A way in which the service sends what was appended to a ledger."""

    name: str
    """The operation's id."""
    summary: str
    address: str
    media_type: str
    message: str
    """The name of what is sent."""
    struct: Any
    """The type of what is sent."""
    headers: Schema | None = None
    """What stands beside the content of a message."""


ENVELOPE: type[Struct] = LoggedEvent
"""An event with all that stands around it: `type` and `payload` are among its fields."""
FEEDS: tuple[Feed, ...] = (
    Feed(
        name="streamChanges",
        summary="The appends after a position, each as it is committed: one message for each.",
        address=_CHANGES,
        media_type="text/event-stream",
        message="append",
        struct=ChangedAppend,
        headers={
            "type": "object",
            "description": "The fields of the server-sent event. Its data is the content.",
            "properties": {
                "id": {"type": "string", "description": "The position of the append's last event: Last-Event-ID."},
                "event": {"const": "append"},
            },
            "required": ["id", "event"],
        },
    ),
    Feed(
        name="listChanges",
        summary="The appends after a position, a page at a time.",
        address=_CHANGES,
        media_type="application/json",
        message="changes",
        struct=Changes,
    ),
    Feed(
        name="listEvents",
        summary="The log as it is stored, one event a line.",
        address=_EVENTS,
        media_type="application/x-ndjson",
        message="event",
        struct=ENVELOPE,
    ),
    Feed(
        name="listCloudEvents",
        summary="The log as CloudEvents 1.0, in batches.",
        address=_EVENTS,
        media_type="application/cloudevents-batch+json",
        message="cloud-events",
        struct=list[CloudEvent],
    ),
)


def event_schemas() -> dict[str, bytes]:
    """For each event type, under its file name, the JSON Schema of its payload in the version in which it is written.

    A file stands for itself: it holds every schema that it refers to.
    """
    return {schema_file(tag, SCHEMA_VERSIONS[tag]): _pretty(_event_schema(tag)) for tag in sorted(EVENTS)}


def schema_file(tag: str, version: int) -> str:
    """The name of the file that holds the schema of one version of an event type."""
    return f"{tag}.{version}.schema.json"


def make_asyncapi() -> bytes:
    """The AsyncAPI document of the feeds and of every event type, as JSON."""
    types = [feed.struct for feed in FEEDS] + [EVENTS[tag] for tag in sorted(EVENTS)]
    made, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    _describe_envelope(schemas)
    _name_discriminators(schemas)
    messages = {
        feed.message: _feed_message(feed, schema) for feed, schema in zip(FEEDS, made[: len(FEEDS)], strict=True)
    }
    for tag, schema in zip(sorted(EVENTS), made[len(FEEDS) :], strict=True):
        messages[tag] = _event_message(tag, schema)
    return _pretty(
        {
            "asyncapi": "3.1.0",
            "info": {
                "title": "Stet: events and feeds",
                "version": __version__,
                "description": "What the log of a ledger holds, and the feeds that send it. The messages named after "
                "event types are payloads, in the version in which they are written.",
                "license": {"name": "No licence has been chosen yet"},
                "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
            },
            "defaultContentType": "application/json",
            "servers": {
                "local": {"host": "127.0.0.1:8080", "protocol": "http", "description": "Where `stet serve` listens."}
            },
            "channels": {feed.name: _channel(feed) for feed in FEEDS},
            "operations": {feed.name: _operation(feed) for feed in FEEDS},
            "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
        }
    )


def _event_schema(tag: str) -> Schema:
    (root,), schemas = msgspec.json.schema_components([EVENTS[tag]], ref_template="#/$defs/{name}")
    whole = schemas.pop(root["$ref"].rpartition("/")[2])
    identified = {"$schema": _DIALECT, "$id": _id(tag), **whole}
    return identified | ({"$defs": dict(sorted(schemas.items()))} if schemas else {})


def _id(tag: str) -> str:
    return f"urn:stet:event:{tag}:{SCHEMA_VERSIONS[tag]}"


def _describe_envelope(schemas: dict[str, Schema]) -> None:
    """msgspec does not know what the bytes of a payload are, nor which types there are."""
    fields = schemas[ENVELOPE.__name__]["properties"]
    fields["type"] = {"enum": sorted(EVENTS)}
    fields["payload"] = {
        "type": "object",
        "description": "By type and schema_version, the schema urn:stet:event:TYPE:SCHEMA_VERSION.",
    }


def _name_discriminators(part: Any) -> None:
    """Where OpenAPI has an object, AsyncAPI has the name of the property alone."""
    for below in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _name_discriminators(below)
    if isinstance(part, dict) and isinstance(told := part.get("discriminator"), dict) and "propertyName" in told:
        part["discriminator"] = told["propertyName"]


def _event_message(tag: str, schema: Schema) -> Schema:
    return {
        "name": tag,
        "title": tag.replace("-", " ").capitalize(),
        "summary": EVENTS[tag].__doc__,
        "tags": [{"name": "events"}],
        "description": f"The payload of {_id(tag)}.",
        "contentType": "application/json",
        "payload": schema,
    }


def _feed_message(feed: Feed, schema: Schema) -> Schema:
    # Of a stream and of lines the content is JSON each; the media type is that of the whole answer.
    whole = feed.media_type in ("text/event-stream", "application/x-ndjson")
    message: Schema = {
        "name": feed.message,
        "title": feed.message.replace("-", " ").capitalize(),
        "summary": feed.summary,
        "contentType": "application/json" if whole else feed.media_type,
        "payload": schema,
        "bindings": {
            "http": {
                "headers": {"type": "object", "properties": {"Content-Type": {"const": feed.media_type}}},
                "statusCode": 200,
                "bindingVersion": "0.3.0",
            }
        },
    }
    return message | ({"headers": feed.headers} if feed.headers else {})


def _channel(feed: Feed) -> Schema:
    return {
        "address": feed.address,
        "summary": feed.summary,
        "description": f"{feed.summary} For `Accept: {feed.media_type}`.",
        "parameters": {"ledger": {"description": "The name of the ledger."}},
        "messages": {feed.message: {"$ref": f"#/components/messages/{feed.message}"}},
    }


def _operation(feed: Feed) -> Schema:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{feed.name}"},
        "summary": feed.summary,
        "description": f"GET, with `Accept: {feed.media_type}`.",
        "tags": [{"name": "feeds"}],
        "messages": [{"$ref": f"#/channels/{feed.name}/messages/{feed.message}"}],
        "bindings": {
            "http": {
                "method": "GET",
                "query": {"type": "object", "properties": _AFTER},
                "bindingVersion": "0.3.0",
            }
        },
    }


def _pretty(document: Schema) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
