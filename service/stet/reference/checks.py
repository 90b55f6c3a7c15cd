"""What the views of the reference incident must say, line by line, as checks of the answers of the API.

`stet demo` prints a mark for each, and a test holds each. A line is that of the reference; lines without a number are
of what the reference says around them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from stet.reference import mi24
from stet.reference.answers import Answers, attribute, is_
from stet.reference.desk import SELF_SERVING
from stet.reference.load import DESK

JUST_BEFORE_D = "2020-11-08T19:59:59.999999Z"


def _speakers(a: Answers, name: str, of: str | None = None) -> set[str]:
    """Who stands behind a value, by keys, from its explanation."""
    explained = a.then(f"/attributes/{name}")["items"]
    claims = [c for item in explained if item["result"]["of"] == of for d in item["candidates"] for c in d["claims"]]
    names = {id_: key for key, id_ in a.ids.items()}
    return {names[claim["speaker"]["source_id"]] for claim in claims}


def _responsible(a: Answers) -> bool:
    one = attribute(a.then(), "responsible")
    return is_(one, "admitted", {"source_id": a.ids["AZ"]}, speakers=1) and len(one["supporting"]) == 2


def _intent(a: Answers) -> bool:
    one = attribute(a.then(), "intent")
    return is_(one, "single-source", "accidental", speakers=1) and one["repeats"] >= 1


def _occurred(a: Answers) -> bool:
    one = attribute(a.then(), "occurred_at")
    return is_(one, "single-source", speakers=1) and (
        (one["value"]["earliest"], one["value"]["best"], one["value"]["latest"])
        == ("2020-11-09T14:15:00Z", "2020-11-09T14:30:00Z", "2020-11-09T14:45:00Z")
        and _speakers(a, "occurred_at") == {"UNK"}
    )


def _places(a: Answers) -> bool:
    places = {name: attribute(a.then(), name) for name in ("engagement_place", "crash_place")}
    (listed,) = [
        item for item in a.get("/incidents", as_of=a.after(DESK))["items"] if item["incident_id"] == a.ids["I1"]
    ]
    return (
        "Nakhchivan" in places["engagement_place"]["value"]["name"]
        and places["crash_place"]["value"]["name"] == "Yeraskh"
        and all(one["status"] != "contested" for one in places.values())
        and listed["place"]["attribute"] == "crash_place"
    )


def _casualties(a: Answers) -> bool:
    killed, injured = attribute(a.then(), "killed", "crew"), attribute(a.then(), "injured")
    implied = {a.ids["s1.killed"], a.ids["s1.injured"]}
    return (
        is_(killed, "single-source", {"min": 2, "max": 2}, speakers=1)
        and is_(injured, "single-source", {"min": 1, "max": 1}, speakers=1)
        and implied <= {*killed["supporting"], *injured["supporting"]}
        and _speakers(a, "killed", "crew") == {"RUMOD"}
    )


def _no_crew_size(a: Answers) -> bool:
    counts = [
        one["value"] for one in a.then()["attributes"] if isinstance(one["value"], dict) and "min" in one["value"]
    ]
    before = attribute(a.incident(as_of=a.after("s1")), "killed", "crew")
    return (
        not any(3 in (value["min"], value.get("max")) for value in counts)
        and is_(before, "unknown", speakers=0, supporting=[a.ids["s1.killed"]])
        and before["value"] is None
    )


def _purported(a: Answers) -> bool:
    view = a.then()
    videos = [attribute(view, "depicts", f"document:{a.ids[key]}") for key in ("D2", "D3")]
    claims = [c for s in view["statements"] for c in s["claims"] if c["attribute"] == "depicts"]
    return (
        is_(attribute(view, "weapon"), "purported", "missile")
        and all(is_(one, "purported") for one in videos)
        and all(claim["assessed"]["verification"] == "unverified" for claim in claims)
    )


def _self_serving(a: Answers) -> bool:
    return all(is_(attribute(a.then(), name), "single-source", interest="self-serving") for name in SELF_SERVING)


def _reactions(a: Answers) -> bool:
    reactions = a.then()["reactions"]
    acts = {reaction["act"] for reaction in reactions}
    promises = [reaction for reaction in reactions if reaction["act"] == "promise"]
    chains = [[one["speaker"]["source_id"], *(hop["source_id"] for hop in one["chain"])] for one in promises]
    wanted = [a.ids[key] for key in ("AZ", "RUMFA", "OUT")]
    return {"apologise", "condole", "wish", "offer", "express-concern", "commend"} <= acts and chains == [wanted] * 2


def _control(a: Answers) -> bool:
    one = attribute(a.then(key="I2"), "control")
    return is_(one, "admitted", "Azerbaijan") and len(one["supporting"]) == 2


def _matrix(a: Answers) -> bool:
    matrix = a.then("/matrix")
    cells = {
        cell["speaker"]: {claim["statement_id"] for claim in cell["claims"]}
        for row in matrix["rows"]
        for cell in row["cells"]
        if cell["speaker"] == a.ids["OUT"]
    }
    rows = {(row["attribute"], row["of"]) for row in matrix["rows"]}
    columns = {speaker["source_id"] for speaker in matrix["speakers"]}
    resolving = {a.ids[key] for key in ("OUT", "UNK", "AZMFA", "RUMOD", "UP2", "UP3")}
    return (
        columns == resolving
        and rows == {(one["attribute"], one["of"]) for one in a.then()["attributes"]}
        and cells == {a.ids["OUT"]: {a.ids["s0"]}}
    )


def _update(a: Answers) -> bool:
    versions = a.get(f"/documents/{a.ids['D1']}")["versions"]
    return [v["version"] for v in versions if v["change"] == "update"] == [2] and versions[0].get("inferred") is True


def _not_corrected(a: Answers) -> bool:
    views = [a.incident(key=key, as_of=a.after("D1 v2")) for key in ("I1", "I2")]
    return not any(s["corrections"] for view in views for s in view["statements"])


def _no_casualties_yet(a: Answers) -> bool:
    view = a.incident(as_of=a.after("s1"))
    return all(is_(attribute(view, *key), "unknown", speakers=0) for key in (("killed", "crew"), ("injured",)))


def _v1(a: Answers) -> bool:
    shown = a.keys(a.incident(as_of=a.after(mi24.V1_STATEMENTS[-1][0]))["statements"])
    return not shown & {"s6", "s6b", "s6c"}


def _all(a: Answers) -> bool:
    article = {key for key, incident, _ in mi24.V1_STATEMENTS + mi24.V2_STATEMENTS if incident == "I1"}
    return a.keys(a.then()["statements"]) == article and article < a.keys(a.incident()["statements"])


def _said(a: Answers, said_by: str, match: str = "definite") -> set[str]:
    return a.keys(a.then(said_by=said_by, said_match=match)["statements"])


def _nothing_said(a: Answers) -> bool:
    return not _said(a, JUST_BEFORE_D) and not _said(a, JUST_BEFORE_D, "possible")


def _said_that_afternoon(a: Answers) -> bool:
    at = "2020-11-09T16:00:00Z"
    return not _said(a, at) and "s1" in _said(a, at, "possible")


def _said_the_day_after(a: Answers) -> bool:
    return _said(a, "2020-11-10") == a.keys(a.then()["statements"])


def _both_spellings(a: Answers) -> bool:
    def found(q: str) -> set[str]:
        return {item["incident_id"] for item in a.get("/incidents", q=q, as_of=a.after(DESK))["items"]}

    alike = (("Nakchivan", "Nakhchivan"), ("Stepanarkert", "Stepanakert"), ("Shusha", "Shushi"))
    return (
        all(found(one) == found(other) != set() for one, other in alike)
        and a.ids["I1"] in found("Azerbaijian") & found("Azerbaijani")
        and {s["name"] for s in a.get("/sources", q="azerbaijian")["items"]} == {"Azerbaijan"}
    )


def _intent_at_the_head(a: Answers) -> bool:
    return is_(attribute(a.incident(), "intent"), "contested")


def _intent_in_december(a: Answers) -> bool:
    return is_(attribute(a.incident(said_by="2020-12-31"), "intent"), "single-source", "accidental")


def _intent_in_january(a: Answers) -> bool:
    return is_(attribute(a.incident(said_by="2021-01-05"), "intent"), "contested")


def _weapon(a: Answers) -> bool:
    return is_(attribute(a.incident(), "weapon"), "single-source", "man-portable missile")


def _diff(a: Answers) -> bool:
    changes = a.incident("/diff", from_said_by="2020-12-31", to_said_by="2021-01-05")["attributes"]
    causes = {change["attribute"]: [c["statement_id"] for c in change["causes"]] for change in changes}
    return causes == {"intent": [a.ids["s12"]]}


def _alarm(a: Answers) -> bool:
    value = attribute(a.incident(), "occurred_at")["value"]
    return (value["earliest"], value["best"], value["latest"]) == (
        "2020-11-09T14:15:00Z",
        "2020-11-09T14:30:00Z",
        "2020-11-09T14:39:00Z",
    )


def _gorge(a: Answers) -> bool:
    one = attribute(a.incident(), "crash_place")
    return bool(one["value"]["relation"] == "between") and is_(one, "corroborated")


def _attribution(a: Answers) -> bool:
    (s0b,) = [s for s in a.incident()["statements"] if s["statement_id"] == a.ids["s0b"]]
    chain = [s0b["speaker"]["source_id"], *(hop["source_id"] for hop in s0b["chain"])]
    return (
        chain == [a.ids[key] for key in ("RUMOD", "AZMFA", "OUT")] and s0b["corrections"][-1]["error"] == "attribution"
    )


def _october(a: Answers) -> bool:
    (s0,) = [s for s in a.incident()["statements"] if s["statement_id"] == a.ids["s0"]]
    dropped = {c["claim_id"]: c["dropped"] for c in s0["claims"]}
    values = attribute(a.incident(), "background")["value"]
    return (
        dropped[a.ids["s0.background.1"]] == "false"
        and {correction["error"] for correction in s0["corrections"]} == {"reference"}
        and "the fighting began on 27 September 2020" in values
        and "the fighting began in October" not in values
    )


class Check(NamedTuple):
    line: str
    text: str
    holds: Callable[[Answers], bool]


CHECKS: tuple[Check, ...] = (
    Check("1", "responsible: AZ, admitted; the headline adds no independent speaker", _responsible),
    Check("2", "intent: accidental, single-source, one speaker, repeated", _intent),
    Check("3", "occurred_at: about 14:30Z on 9 November 2020, single-source, speaker UNK", _occurred),
    Check("4", "engagement_place and crash_place: two attributes, neither contested; the map uses the finest", _places),
    Check("5", "killed (crew) 2 and injured 1, single-source; what s1 implies is in support", _casualties),
    Check("6", "crew size nowhere; before s2 killed is unknown, with what s1 implies, and never 0", _no_crew_size),
    Check("7", "weapon: missile, purported; both videos purported and unverified", _purported),
    Check("8", "altitude, light, detection, prior_activity, alert_state: single-source, self-serving", _self_serving),
    Check("9", "reactions list them all; the promises have the chain AZ > RUMFA > OUT", _reactions),
    Check("10", "I2 control: Azerbaijan, admitted", _control),
    Check("11", "the matrix has a row per attribute and a column per speaker; to report adds none", _matrix),
    Check("12", "D1's update is listed as an update, and v1 as inferred", _update),
    Check("12", "no statement is marked corrected by it", _not_corrected),
    Check("13", "as of a position before s2 there are no casualties", _no_casualties_yet),
    Check("13", "as of v1's last statement there is no s6", _v1),
    Check("13", "at the head there is all", _all),
    Check("14", "said_by before the day began: nothing, definite or possible", _nothing_said),
    Check("14", "said_by 16:00Z: nothing for certain, s1 possibly", _said_that_afternoon),
    Check("14", "said_by the day after: all", _said_the_day_after),
    Check("15", "misspellings are found under both spellings", _both_spellings),
    Check("later", "18:30 is as Azerbaijan was told by the Russian ministry: s0b is re-attributed", _attribution),
    Check("later", "the alarm bounds occurred_at: 14:15Z to 14:39Z", _alarm),
    Check("later", "the gorge is the finer crash_place, and agrees with Yeraskh", _gorge),
    Check("later", "October is contradicted and assessed false, not corrected", _october),
    Check("later", "weapon: man-portable missile, single-source", _weapon),
    Check("later", "at the head intent is contested", _intent_at_the_head),
    Check("later", "said_by 2020-12-31 intent is accidental, single-source", _intent_in_december),
    Check("later", "said_by 2021-01-05 intent is contested", _intent_in_january),
    Check("later", "the diff between the two names the causing event", _diff),
)
