"""The article on the Mi-24 shot down near Yeraskh on 9 November 2020, as the desk records it. Facts only.

In bodies, `{KEY}` stands for the id of the source, document, incident or statement recorded under that key. Wording
is the desk's except where it stands in `verbatim`. The article names no date: its times hang on its publication,
whose day the desk works out at the end.
"""

from __future__ import annotations

from stet.reference.statements import V1_STATEMENTS, V2_STATEMENTS, Body

__all__ = ["V1_STATEMENTS", "V2_STATEMENTS"]
D_FROM, D_TO = "2020-11-08T20:00:00Z", "2020-11-09T19:59:59.999999Z"
"""The 9th of November 2020 at UTC+4."""
OCCURRED_FROM = "2020-11-09T14:15:00Z"


def _source(name: str, kind: str, parent: str | None = None, *aliases: Body) -> Body:
    body: Body = {"name": name, "kind": kind}
    if parent:
        body["parent"] = f"{{{parent}}}"
    return body | ({"aliases": list(aliases)} if aliases else {})


SOURCES: dict[str, Body] = {
    "OUT": _source("The outlet of the article (not named in the text)", "outlet"),
    "UNK": _source("Whoever told the outlet what it does not attribute", "unknown"),
    "AZ": _source("Azerbaijan", "state", None, {"name": "Azerbaijian"}, {"name": "Azərbaycan", "language": "az"}),
    "AZMFA": _source("Ministry of Foreign Affairs of Azerbaijan", "state-body", "AZ"),
    "AZGOV": _source("Government of Azerbaijan", "state-body", "AZ"),
    "RU": _source("Russia", "state", None, {"name": "Россия", "language": "ru", "script": "Cyrl"}),
    "RUMOD": _source("Russian Ministry of Defence", "state-body", "RU"),
    "RUMFA": _source("Russian Ministry of Foreign Affairs", "state-body", "RU"),
    "NKR": _source("Government of the self-declared Republic of Nagorno-Karabakh", "de-facto-authority"),
    "CSTO": _source("Collective Security Treaty Organization", "intergovernmental"),
    "LUA": _source("Liveuamap", "aggregator"),
    "UP2": _source("Unknown uploader of the video of a fire", "unknown"),
    "UP3": _source("Unknown uploader of the amateur footage", "unknown"),
}

DOCUMENTS: dict[str, Body] = {
    "D1": {
        "kind": "article",
        "title": "Russian Mi-24 shot down by mistake near Yeraskh",
        "publisher": "{OUT}",
        "versions": [
            {
                "version": 1,
                "change": "original",
                "inferred": True,
                "summary": "Without the last paragraph; concluded from the word UPDATED in the headline of version 2.",
            }
        ],
    },
    "D2": {
        "kind": "video",
        "title": "Video on social media of a fire, purportedly at the crash site",
        "publisher": "{UP2}",
        "versions": [{"version": 1, "change": "original", "summary": 'Circulating "earlier today".'}],
    },
    "D3": {
        "kind": "video",
        "title": "Amateur footage, purportedly of the missile's impact",
        "publisher": "{UP3}",
        "versions": [{"version": 1, "change": "original"}],
    },
}

UPDATE: Body = {
    "type": "document-revised",
    "version": 2,
    "change": "update",
    "headline": "UPDATED: Russian Mi-24 shot down by mistake near Yeraskh",
    "summary": 'The headline gains "UPDATED:", one paragraph is appended, nothing is corrected.',
    "reason": "the version that exists",
}

INCIDENTS: dict[str, Body] = {
    "I1": {"title": "Russian Mi-24 shot down near Yeraskh", "kind": "shootdown", "tags": ["aviation"]},
    "I2": {"title": "Capture of Shusha", "kind": "capture", "tags": ["shushi"]},
}

PUBLISHED: Body = {
    "type": "document-corrected",
    "versions": [{"version": n, "published_at": {"edtf": "2020-11-09", "zone": "+04:00"}} for n in (1, 2)],
    "basis": "deduced",
    "rationale": "The date is not in the text; other reports of the incident give 9 November 2020.",
}


def not_before_it_happened(statement: str) -> Body:
    """The desk's correction: the statement cannot have been made before what it speaks of."""
    return {
        "type": "statement-corrected",
        "statement_id": f"{{{statement}}}",
        "error": "time",
        "set": {"said_at": {"earliest": OCCURRED_FROM}},
        "reason": "it speaks of the incident, so it was not said before that occurred at the earliest",
    }


LATE_EARLIEST: tuple[str, ...] = ("s2", "s3", "s7", "s8")
