"""One example, at least, of each body. A test decodes them all; the README's are among them."""

from __future__ import annotations

from typing import Any

_SOURCE = "0190163d-8694-739b-aea5-966c26f8ad91"
_DOCUMENT = "0190163d-8694-739b-aea5-966c26f8ad92"
_STATEMENT = "0190163d-8694-739b-aea5-966c26f8ad93"
_LATER = "0190163d-8694-739b-aea5-966c26f8ad95"
_INCIDENT = "0190163d-8694-739b-aea5-966c26f8ad94"

_STATEMENT_BODY: dict[str, Any] = {
    "speaker": _SOURCE,
    "channel": "press statement",
    "said_at": {
        "verbatim": "today",
        "zone": "+04:00",
        "anchor": {"document_id": _DOCUMENT, "version": 1, "relation": "same-day"},
    },
    "citation": {"document_id": _DOCUMENT, "version": 1},
    "claims": [
        {"attribute": "killed", "of": "crew", "value": {"min": 2, "max": 2}, "act": "confirm"},
        {"attribute": "crash_place", "value": {"name": "Yeraskh", "relation": "near", "level": "settlement"}},
        {"act": "condole", "value": "condolences to the families of the crew"},
    ],
}

_ERASE: dict[str, Any] = {
    "type": "redaction-proposed",
    "ground": "personal-data",
    "events": [{"stream_version": 1}],
    "reason": "the family asked for it",
}
_AGREE = {"type": "payload-redacted", "redaction_id": "0190163d-8694-739b-aea5-966c26f8ad97", "reason": "agreed"}

EXAMPLES: dict[str, dict[str, Any]] = {
    "createLedger": {"ledger": {"name": "caucasus-2020", "title": "South Caucasus, autumn 2020"}},
    "reviseLedger": {"title": {"type": "ledger-amended", "title": "South Caucasus, 2020", "reason": "wider scope"}},
    "defineAttribute": {
        "term": {"name": "branch", "type": "term", "rule": "majority", "terms": ["army", "navy", "air force"]}
    },
    "publishRelease": {"yearly": {"name": "2020-final", "note": "All of 2020, as reviewed in March 2021"}},
    "registerSource": {
        "ministry": {
            "name": "Ministry of Foreign Affairs of Azerbaijan",
            "kind": "state-body",
            "aliases": [{"name": "Azərbaycan Xarici İşlər Nazirliyi", "language": "az", "script": "Latn"}],
        }
    },
    "reviseSource": {
        "parent": {"type": "source-revised", "parent": _SOURCE, "reason": "the state it belongs to"},
        "merge": {"type": "source-merged", "into": _SOURCE, "reason": "the same ministry, registered twice"},
        "erase": _ERASE,
        "agree": _AGREE,
    },
    "registerDocument": {
        "article": {
            "kind": "article",
            "title": "Helicopter shot down",
            "url": "https://example.org/a",
            "versions": [{"version": 1, "change": "original"}, {"version": 2, "change": "update"}],
        }
    },
    "reviseDocument": {
        "published": {
            "type": "document-corrected",
            "versions": [{"version": 1, "published_at": "2020-11-09"}],
            "basis": "deduced",
            "rationale": "other outlets report the same day",
        },
        "update": {
            "type": "document-revised",
            "version": 3,
            "change": "update",
            "headline": "UPDATED: Helicopter shot down",
            "reason": "seen today",
        },
        "restrict": {"type": "visibility-changed", "label": "amber", "reason": "the source is at risk"},
        "erase": _ERASE,
        "agree": _AGREE,
    },
    "openIncident": {
        "alone": {"title": "Helicopter shot down near Yeraskh", "kind": "shootdown", "tags": ["aviation"]},
        "with-statements": {"title": "Capture of Shusha", "kind": "capture", "statements": [_STATEMENT_BODY]},
    },
    "recordStatement": {"statement": _STATEMENT_BODY},
    "publishRecords": {
        "published, and taken back": {
            "source_id": _SOURCE,
            "lines": [
                {
                    "record": {"key": "ak0255dpygxl", "value": {"mag": 1.8, "depth": 89.4}, "seq": 1},
                    "said_at": "2025-05-04T13:53:46Z",
                    "title": "38 km SSW of Cantwell, Alaska",
                    "kind": "earthquake",
                    "claims": [{"attribute": "occurred_at", "value": "2025-04-27"}],
                },
                {"record": {"key": "ak0255dpygxl", "value": None, "seq": 2}, "said_at": "2025-05-04T14:02:18Z"},
            ],
        },
    },
    "reviseIncident": {
        "amend": {"type": "incident-amended", "tags": ["aviation", "mistake"], "reason": "to be found"},
        "correct": {
            "type": "statement-corrected",
            "statement_id": _STATEMENT,
            "error": "attribution",
            "set": {"speaker": _SOURCE},
            "reason": "the text names its source in a later version",
        },
        "retract": {
            "type": "statement-retracted",
            "statement_id": _STATEMENT,
            "said_at": "2020-11-11",
            "channel": "press conference",
            "reason": "the ministry took it back",
        },
        "supersede": {
            "type": "statement-superseded",
            "statement_id": _STATEMENT,
            "superseded_by": _LATER,
            "reason": "the evening bulletin replaces that of noon",
        },
        "withdraw": {
            "type": "statement-withdrawn",
            "statement_id": _STATEMENT,
            "ground": "duplicate",
            "reason": "entered twice",
        },
        "reinstate": {
            "type": "statement-reinstated",
            "statement_id": _STATEMENT,
            "reason": "not a duplicate after all",
        },
        "assess": {
            "type": "statement-assessed",
            "statement_id": _STATEMENT,
            "reliability": "B",
            "credibility": 2,
            "verification": "unverified",
            "interest": "self-serving",
            "basis": "deduced",
            "rationale": "a ministry on its own conduct",
        },
        "move": {
            "type": "statement-moved-out",
            "statement_id": _STATEMENT,
            "to_incident": _INCIDENT,
            "reason": "it is about the other incident",
        },
        "merge": {"type": "incident-merged", "into": _INCIDENT, "reason": "the same helicopter, from two wires"},
        "revert": {"type": "merge-reverted", "incident_id": _INCIDENT, "reason": "two helicopters on one day"},
        "pin": {
            "type": "attribute-pinned",
            "attribute": "killed",
            "of": "crew",
            "value": {"min": 2, "max": 2},
            "cites": [_STATEMENT],
            "rationale": "two bodies were handed over",
        },
        "unpin": {"type": "attribute-unpinned", "attribute": "killed", "of": "crew", "reason": "let the rule decide"},
        "restrict": {
            "type": "visibility-changed",
            "statement_id": _STATEMENT,
            "label": "red",
            "embargo_until": "2031-01-31T12:00:00Z",
            "reason": "names a witness",
        },
        "disclose": {
            "type": "visibility-changed",
            "disclosed_place": {"name": "Ararat Province", "level": "admin1"},
            "reason": "people live there",
        },
        "link": {"type": "incident-linked", "incident_id": _INCIDENT, "relation": "follows", "reason": "same day"},
        "erase": _ERASE | {"events": [{"stream_version": 1, "fields": ["/title"]}]},
        "agree": _AGREE,
    },
    "createKey": {
        "desk": {"name": "The night desk", "scope": "editor"},
        "for a while": {"name": "Importer of May", "scope": "contributor", "expires_at": "2099-06-01T00:00:00Z"},
    },
    "rotateKey": {"at once": {"overlap_s": 0}, "within a day": {}},
    "setMember": {"editor": {"role": "editor"}},
    "createWebhook": {
        "all": {"url": "https://example.org/stet"},
        "some": {
            "url": "https://example.org/stet",
            "description": "The desk's chat",
            "kinds": ["shootdown"],
            "types": ["incident-opened", "statement-recorded"],
        },
    },
    "reviseWebhook": {
        "pause": {"type": "webhook-paused", "reason": "the receiver is being moved"},
        "resume": {"type": "webhook-resumed", "reason": "it has been moved"},
        "amend": {"type": "webhook-amended", "url": "https://example.org/moved", "reason": "it has been moved"},
    },
    "rotateSecret": {"for a day both": {}, "at once": {"overlap_s": 0}},
    "replayWebhook": {"all": {"after": 0}},
    "testWebhook": {"test": {}},
    "startRebuild": {
        "rebuild": {"workers": 2},
        "only compare": {"workers": 2, "verify_only": True},
    },
    "retryParked": {"one": {"ledger": "caucasus-2020", "stream": f"incident:{_INCIDENT}"}, "all": {}},
}
