"""What the contract says beside what the routes say: tags, headers, webhooks, the value of a claim, keys."""

from __future__ import annotations

from typing import Any

REF = "#/components/schemas/{name}"
TAGS = {
    "ledgers": "Independent, totally ordered logs.",
    "attributes": "The typed slots that claims fill.",
    "sources": "Who speaks, relays or reports.",
    "documents": "What statements are cited to.",
    "incidents": "What happened, and all that was said about it.",
    "statements": "Who said what, through which channel, when, relayed by whom.",
    "records": "The rows of data sets, exactly as they were published.",
    "releases": "Positions of the log with a name, to be cited by.",
    "redactions": "What was erased for good, or is to be, and who said so.",
    "mementos": "At which moments an incident, or a list, changed (RFC 7089).",
    "feeds": "What changed, and the log itself, for those who keep a copy.",
    "proofs": "That an event is in the log, and that the log was only added to.",
    "keys": "Who may do what, and who let him.",
    "webhooks": "What changes, sent signed to an address of yours.",
    "operation": "Is it alive, can it serve, are its projections right?",
}
HEADERS: dict[str, tuple[str, str]] = {
    "ETag": ("The stream's version, a dash, the digest of the body.", '"7-0123456789abcdef"'),
    "Content-Location": ("The permanent address of this answer's cut.", "/v1/ledgers/l/incidents/i?as_of=position:57"),
    "Stet-Position": ("The ledger position read at; after a write, the last appended.", "57"),
    "Location": ("Where the thing is.", "/v1/ledgers/l/incidents/i"),
    "X-Request-Id": ("Finds this request in the service's log.", "0190163d-8694-739b-aea5-966c26f8ad91"),
    "Memento-Datetime": ("RFC 7089: when the shown state entered the log.", "Mon, 09 Nov 2020 14:30:00 GMT"),
    "Link": ("RFC 7089, and the next page of a list.", '</v1/ledgers/l/incidents>; rel="original timegate"'),
}
WEBHOOKS: dict[str, Any] = {
    "change": {
        "post": {
            "operationId": "receiveChange",
            "summary": "Something changed",
            "description": "What is sent to a webhook, signed as Standard Webhooks says: docs/webhooks.md has how to "
            "verify it. It may come more than once, with the same webhook-id.",
            "tags": ["webhooks"],
            "parameters": [
                {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
                for name, text in (
                    ("webhook-id", "The message: the same at every attempt and replay."),
                    ("webhook-timestamp", "When it is sent, in Unix seconds."),
                    ("webhook-signature", "v1, a comma, and base64 of the HMAC-SHA256; several, with spaces between."),
                )
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"anyOf": [{"$ref": REF.format(name=n)} for n in ("ChangeMessage", "PingMessage")]}
                    }
                },
            },
            "responses": {
                "204": {"description": "Taken; any other 2xx says so, too."},
                "410": {"description": "Nothing is wanted any more: the webhook is paused."},
            },
        }
    }
}
VALUE = {
    "description": "By the attribute's type: count, time (or an EDTF string), place, {source_id}, {document_id}, "
    "quantity, boolean; text and terms are strings.",
    "anyOf": [
        *({"$ref": REF.format(name=name)} for name in ("Count", "Time", "Place", "SourceValue", "DocumentValue")),
        {"$ref": REF.format(name="Quantity")},
        {"type": "string"},
        {"type": "boolean"},
    ],
}
KEY_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "stet_ID_SECRET_CHECKSUM",
    "description": "A key. What it may do in a ledger is the lesser of its scope and its role there. Without a key "
    "only public ledgers are read, and nothing is written.",
}
