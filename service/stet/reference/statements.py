"""What each party said, as the article reports it: every claim, in the order of the text, the update last."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

_REPORTED = [{"source_id": "{OUT}", "role": "reporter"}]
_V1 = {"document_id": "{D1}", "version": 1}
_V2 = {"document_id": "{D1}", "version": 2}


def _today(verbatim: str) -> Body:
    return {"verbatim": verbatim, "zone": "+04:00", "anchor": {**_V1, "relation": "same-day"}}


def _claim(attribute: str | None, value: Any, **more: Any) -> Body:
    return ({"attribute": attribute} if attribute else {}) | {"value": value} | more


_S0: Body = {
    "speaker": "{OUT}",
    "channel": "article",
    "said_at": _today("the day of the article"),
    "citation": _V1,
    "claims": [
        _claim("responsible", {"source_id": "{AZ}"}, note="headline"),
        _claim("target", 'Mi-24 "Hind" attack helicopter'),
        _claim("target_operator", {"source_id": "{RU}"}),
        _claim("intent", "accidental", note="headline"),
        _claim("cause", "a case of mistaken identity", scope="implied", note='implied by "further"'),
        _claim("background", "fighting in Nagorno-Karabakh goes on"),
        _claim("background", "the fighting began in October"),
        _claim("background", "Armenia and Russia are members of the CSTO"),
        _claim("background", "the Republic of Nagorno-Karabakh is self-declared"),
        _claim(
            "background",
            "Stepanakert is the capital of the Republic, just down the road from Shusha",
            verbatim="Stepanarkert",
        ),
        _claim("background", "the incident was far from the frontlines"),
        _claim(
            "background",
            "the incident came shortly after the Republic conceded the loss of Shusha",
            note="Shusha: Shushi in Armenian",
        ),
        _claim(
            "background",
            "the concern of the CSTO is in line with all its statements since the fighting began",
            note='stands under "According to Liveuamap": the attribution is doubtful',
        ),
        _claim(None, "the incident is bizarre", act="opine", verbatim="bizarre"),
        _claim(None, "what influence it will have is unknown", act="speculate", certainty="conditional"),
        _claim(
            None,
            "it may bring the belligerent parties to negotiate instead of a drawn-out siege of the capital",
            act="speculate",
            certainty="conditional",
            verbatim="belligerent parties",
        ),
        _claim(
            None, "further deadly incidents of mistaken identity are possible", act="speculate", certainty="conditional"
        ),
    ],
}

_S0B: Body = {
    "speaker": "{UNK}",
    "chain": _REPORTED,
    "said_at": _today("the day of the article"),
    "citation": _V1,
    "claims": [
        _claim(
            "occurred_at",
            {
                "verbatim": "around 6:30 PM local time",
                "approximate": True,
                "zone": "+04:00",
                "anchor": {**_V1, "relation": "same-day", "time_of_day": "18:30"},
            },
            certainty="approximate",
        ),
        _claim(
            "engagement_place",
            {"name": "the Nakhchivan border", "relation": "near", "verbatim": "Nakchivan"},
        ),
        _claim("distance", {"amount": 60, "unit": "mile"}, of="current-fighting", certainty="approximate"),
    ],
}

_S1: Body = {
    "speaker": "{AZMFA}",
    "chain": _REPORTED,
    "channel": "released a statement",
    "said_at": _today("today"),
    "citation": _V1,
    "claims": [
        _claim("responsible", {"source_id": "{AZ}"}, act="admit"),
        _claim("intent", "accidental", note="by mistake"),
        _claim("intent", "accidental", note="again, as an accident"),
        _claim("flight_place", {"name": "the border of Armenia and Azerbaijan", "relation": "near"}),
        _claim("altitude", "low"),
        _claim("light", "after dark"),
        _claim("detection", "not detected by Azerbaijani air-defence radars"),
        _claim("prior_activity", "Russian Mi-24 flights were not previously seen in the area"),
        _claim(
            "alert_state",
            "the crew was on edge for possible Armenian provocations",
            certainty="distanced",
            verbatim="provocations",
        ),
        _claim("responsible_unit", "an air-defence crew, which decided to engage"),
        _claim("cause", "the absence of earlier flights led to the decision"),
        _claim(None, "a formal apology to the Russian government", act="apologise", toward="source:{RU}"),
        _claim(None, "condolences to the next of kin of the dead crew members", act="condole"),
        _claim(
            "killed",
            {"min": 1},
            of="crew",
            scope="implied",
            note="implied by the condolences: a cautious reading of a plural",
        ),
        _claim(None, "a quick recovery of the injured", act="wish"),
        _claim("injured", {"min": 1}, scope="implied", note="implied by the wish"),
        _claim(
            None,
            "the government is ready to pay appropriate compensation",
            act="offer",
            verbatim="appropriate compensation",
        ),
    ],
}

_S2: Body = {
    "speaker": "{RUMOD}",
    "chain": _REPORTED,
    "citation": _V1,
    "claims": [
        _claim("target_status", "lost", act="confirm"),
        _claim("killed", {"min": 2, "max": 2}, of="crew", note="in the crash"),
        _claim("injured", {"min": 1, "max": 1}, note="a survivor; that he was of the crew is only implied"),
        _claim(
            "crash_place",
            {
                "name": "Yeraskh",
                "relation": "near",
                "level": "settlement",
                "geometry": {"type": "Point", "coordinates": [44.85, 39.74]},
            },
        ),
        _claim("mission", "escorting a Russian military convoy"),
        _claim("destination", "the Russian base in Gyumri"),
        _claim(
            "background",
            "Yeraskh is an Armenian village",
            note="stands inside the ministry's sentence: the attribution is doubtful",
        ),
    ],
}

_S3: Body = {
    "speaker": "{CSTO}",
    "chain": [{"source_id": "{LUA}", "role": "relay"}, *_REPORTED],
    "citation": _V1,
    "claims": [_claim(None, "serious concern", act="express-concern", verbatim="serious concern")],
}

_S4: Body = {
    "speaker": "{AZGOV}",
    "chain": _REPORTED,
    "said_at": _today("earlier today"),
    "citation": _V1,
    "claims": [_claim("control", "Azerbaijan", note="Shusha, Shushi in Armenian, captured by Azerbaijani forces")],
}

_S5: Body = {
    "speaker": "{NKR}",
    "chain": _REPORTED,
    "said_at": {"verbatim": "today", "zone": "+04:00", "anchor": {"statement_id": "{s4}", "relation": "after"}},
    "citation": _V1,
    "claims": [_claim("control", "Azerbaijan", act="concede", verbatim="indeed")],
}

_SINCE: Body = {"verbatim": "since", "anchor": {"statement_id": "{s1}", "relation": "after"}}
_S6: Body = {
    "speaker": "{RUMFA}",
    "chain": _REPORTED,
    "channel": "Telegram",
    "said_at": _SINCE,
    "citation": _V2,
    "claims": [
        _claim(
            None,
            "it assesses positively the admission by Azerbaijan",
            act="commend",
            toward="source:{AZ}",
            verbatim="assess[es] positively",
            note="The outlet paraphrases what is praised as an immediate admission of guilt; s1 admits "
            "responsibility and mistake, which is not the same value.",
        )
    ],
}


def _promise(what: str) -> Body:
    return {
        "speaker": "{AZ}",
        "chain": [{"source_id": "{RUMFA}", "role": "relay"}, *_REPORTED],
        "said_at": _SINCE,
        "citation": _V2,
        "claims": [_claim(None, what, act="promise")],
    }


_S7: Body = {
    "speaker": "{UP2}",
    "chain": _REPORTED,
    "citation": _V1,
    "claims": [
        _claim("depicts", "fire at the crash site", of="document:{D2}", act="purport", note="the hedge is the outlet's")
    ],
}
_S8: Body = {
    "speaker": "{UP3}",
    "chain": _REPORTED,
    "channel": "caption",
    "citation": _V1,
    "claims": [
        _claim("depicts", "impact of a missile", of="document:{D3}", act="purport"),
        _claim("weapon", "missile", act="purport"),
    ],
}

V1_STATEMENTS: list[tuple[str, str, Body]] = [
    ("s0", "I1", _S0),
    ("s0b", "I1", _S0B),
    ("s1", "I1", _S1),
    ("s2", "I1", _S2),
    ("s3", "I1", _S3),
    ("s4", "I2", _S4),
    ("s5", "I2", _S5),
    ("s7", "I1", _S7),
    ("s8", "I1", _S8),
]
V2_STATEMENTS: list[tuple[str, str, Body]] = [
    ("s6", "I1", _S6),
    ("s6b", "I1", _promise("a prompt investigation")),
    ("s6c", "I1", _promise("punishment of the guilty individuals")),
]
