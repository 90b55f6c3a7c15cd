"""What became known later, with real dates: who said it, and what the desk made of it."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]


_THAT_DAY: Body = {"edtf": "2020-11-09", "zone": "+04:00"}


def _source(name: str, kind: str, parent: str | None = None) -> Body:
    return {"name": name, "kind": kind} | ({"parent": f"{{{parent}}}"} if parent else {})


SOURCES: dict[str, Body] = {
    "AZN": _source("Azernews", "outlet"),
    "AERO": _source("aerotime.aero", "outlet"),
    "MES": _source("Ministry of Emergency Situations of Armenia", "state-body"),
    "RADIO": _source("Armenian public radio", "outlet"),
    "RECORD": _source("Common record of the conflict", "aggregator"),
    "INV": _source("Russian investigators", "state-body", "RU"),
    "PRESS": _source("Several outlets, January 2021 (not named)", "outlet"),
}


def _document(kind: str, title: str, publisher: str, url: str | None = None) -> Body:
    """When it was published is not stated."""
    versions = [{"version": 1, "change": "original"}]
    body: Body = {"kind": kind, "title": title, "publisher": f"{{{publisher}}}", "versions": versions}
    return body | ({"url": url} if url else {})


DOCUMENTS: dict[str, Body] = {
    "D4": _document("article", "Azernews, nation/172420", "AZN", "https://www.azernews.az/nation/172420.html"),
    "D5": _document("article", "aerotime.aero, 26363", "AERO", "https://www.aerotime.aero/26363"),
    "D6": _document("broadcast", "Report of Armenian public radio, 9 November 2020", "RADIO"),
    "D7": _document("note", "The desk's note on the beginning of the war", "RECORD"),
    "D8": _document("article", "Reports on the case of the helicopter, 4 January 2021", "PRESS"),
}


def _cited(document: str) -> Body:
    return {"document_id": f"{{{document}}}", "version": 1}


_TOLD: Body = {
    "speaker": "{AZMFA}",
    "chain": [{"source_id": "{AZN}", "role": "reporter"}],
    "said_at": _THAT_DAY,
    "citation": _cited("D4"),
    "claims": [
        {
            "attribute": "background",
            "value": "18:30 (GMT+4) is as Azerbaijan was told by the Russian Ministry of Defence",
        }
    ],
}
_DOUBTFUL = "only the time is known to come from the Russian ministry: the attribution of this is doubtful"
_ATTRIBUTION: Body = {
    "type": "statement-corrected",
    "statement_id": "{s0b}",
    "error": "attribution",
    "set": {
        "speaker": "{RUMOD}",
        "chain": [{"source_id": "{AZMFA}", "role": "relay"}, {"source_id": "{OUT}", "role": "reporter"}],
    },
    "claims": [
        {
            "claim_id": "{s0b.engagement_place}",
            "attribute": "engagement_place",
            "value": {"name": "the Nakhchivan border", "relation": "near", "verbatim": "Nakchivan"},
            "note": _DOUBTFUL,
        },
        {
            "claim_id": "{s0b.distance}",
            "attribute": "distance",
            "of": "current-fighting",
            "value": {"amount": 60, "unit": "mile"},
            "certainty": "approximate",
            "note": _DOUBTFUL,
        },
    ],
    "reason": "Azernews quotes AZMFA: 18:30 (GMT+4) is as Azerbaijan was told by the Russian ministry",
}
_ALARM: Body = {
    "speaker": "{MES}",
    "chain": [{"source_id": "{RADIO}", "role": "reporter"}],
    "said_at": _THAT_DAY,
    "citation": _cited("D6"),
    "claims": [
        {
            "attribute": "occurred_at",
            "value": {"latest": "2020-11-09T14:39:00Z", "zone": "+04:00"},
            "note": "the alarm was raised at 18:39 local time, so it had happened by then",
        },
        {
            "attribute": "crash_place",
            "value": {
                "name": "a gorge between two villages",
                "relation": "between",
                "radius_m": 3000,
                "geometry": {"type": "Point", "coordinates": [44.85, 39.74]},
            },
            "note": "the disc is the desk's: about Yeraskh, and smaller than a settlement's",
        },
    ],
}
_RECORD: Body = {
    "speaker": "{RECORD}",
    "citation": _cited("D7"),
    "claims": [{"attribute": "background", "value": "the fighting began on 27 September 2020"}],
}

STEPS: tuple[tuple[str, str, Body], ...] = (
    ("s8b", "statements", _TOLD),
    ("s0b re-attributed", "revisions", _ATTRIBUTION),
    (
        "s9",
        "statements",
        {
            "speaker": "{RUMOD}",
            "chain": [{"source_id": "{AERO}", "role": "reporter"}],
            "said_at": _THAT_DAY,
            "citation": _cited("D5"),
            "claims": [{"attribute": "weapon", "value": "man-portable missile"}],
        },
    ),
    ("s10", "statements", _ALARM),
    ("s11", "statements", _RECORD),
    (
        "October is false",
        "revisions",
        {
            "type": "statement-assessed",
            "statement_id": "{s0}",
            "claim_ids": ["{s0.background.1}"],
            "verification": "false",
            "basis": "told",
            "rationale": "the article says October; our record of it is right, and the article is wrong",
        },
    ),
    (
        "s12",
        "statements",
        {
            "speaker": "{INV}",
            "chain": [{"source_id": "{PRESS}", "role": "reporter"}],
            "said_at": "2021-01-04",
            "citation": _cited("D8"),
            "claims": [
                {
                    "attribute": "intent",
                    "value": "deliberate",
                    "note": "the case was reclassified from negligence to wilful murder",
                }
            ],
        },
    ),
)
