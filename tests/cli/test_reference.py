"""The reference incident, line by line of what its views must say, at both times."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.conftest import Cluster, serve

from stet.reference import later, mi24
from stet.reference.answers import Answers
from stet.reference.checks import CHECKS
from stet.reference.load import DESK, Loaded, load_reference

D = (mi24.D_FROM, mi24.D_TO)
SOON_AFTER = (mi24.OCCURRED_FROM, mi24.D_TO)
SAID = {
    "s0": D,
    "s0b": D,
    "s1": D,
    "s2": SOON_AFTER,
    "s3": SOON_AFTER,
    "s4": D,
    "s5": D,
    "s6": D,
    "s6b": D,
    "s6c": D,
    "s7": SOON_AFTER,
    "s8": SOON_AFTER,
}
CHAINS = {
    "s0": ["OUT"],
    "s0b": ["UNK", "OUT"],
    "s1": ["AZMFA", "OUT"],
    "s2": ["RUMOD", "OUT"],
    "s3": ["CSTO", "LUA", "OUT"],
    "s4": ["AZGOV", "OUT"],
    "s5": ["NKR", "OUT"],
    "s6": ["RUMFA", "OUT"],
    "s6b": ["AZ", "RUMFA", "OUT"],
    "s6c": ["AZ", "RUMFA", "OUT"],
    "s7": ["UP2", "OUT"],
    "s8": ["UP3", "OUT"],
}


class Reference:
    def __init__(self, url: str, loaded: Loaded) -> None:
        self.client = httpx.Client(base_url=f"{url}/v1/ledgers/mi24", timeout=30)
        self.loaded = loaded
        self.answers = Answers(self.client, loaded)
        self.keys = {id_: key for key, id_ in loaded.ids.items()}

    def incident(self, key: str, as_of: str | None = None) -> dict:
        answer = self.client.get(f"/incidents/{self.loaded.ids[key]}", params={"as_of": as_of} if as_of else {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def statements(self, as_of: str | None = None) -> dict[str, dict]:
        """Those after the desk's acts, if nothing else is said."""
        as_of = as_of or self.position(DESK)
        both = self.incident("I1", as_of)["statements"] + self.incident("I2", as_of)["statements"]
        return {self.keys[statement["statement_id"]]: statement for statement in both}

    def position(self, step: str) -> str:
        return f"position:{self.loaded.positions[step]}"


@pytest.fixture(scope="module")
def reference(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory):
    """The reference incident on a service of its own."""
    with serve(cluster.migrated(), tmp_path_factory.mktemp("reference")) as server:
        made = Reference(server.url, load_reference(server.url, "mi24", lambda line: None))
        yield made
        made.client.close()


@pytest.mark.parametrize("key", SAID)
def test_each_statement_has_its_time(reference: Reference, key: str) -> None:
    """After the desk acts every time that hangs on the article's date has its bounds."""
    said_at = reference.statements()[key]["said_at"]
    assert (said_at["earliest"], said_at["latest"]) == SAID[key]


@pytest.mark.parametrize("key", CHAINS)
def test_each_statement_has_its_chain(reference: Reference, key: str) -> None:
    """Speaker, relays and reporter, in this order; nobody is promoted."""
    statement = reference.statements()[key]
    chain = [statement["speaker"], *statement["chain"]]
    assert [reference.keys[hop["source_id"]] for hop in chain] == CHAINS[key]


def test_nothing_is_dropped_merged_or_promoted(reference: Reference) -> None:
    """Every claim of the fixture is in the view, in its order, with its act, scope, certainty and wording."""
    shown = reference.statements()
    for key, _, body in mi24.V1_STATEMENTS + mi24.V2_STATEMENTS:
        expected = [
            (c.get("attribute"), c.get("act", "assert"), c.get("scope", "explicit"), c.get("certainty", "plain"),
             c.get("verbatim"), c.get("note"))
            for c in body["claims"]
        ]  # fmt: skip
        assert expected == [
            (c["attribute"], c["act"], c["scope"], c["certainty"], c["verbatim"], c["note"])
            for c in shown[key]["claims"]
        ]


def test_the_update_is_an_update_and_corrects_nothing(reference: Reference) -> None:
    """Line 12 and trap (c)."""
    article = reference.client.get(f"/documents/{reference.loaded.ids['D1']}").json()
    assert [(v["version"], v["change"], v.get("inferred", False)) for v in article["versions"]] == [
        (1, "original", True),
        (2, "update", False),
    ]
    assert not any(s["corrections"] for s in reference.statements(reference.position("D1 v2")).values())


def test_as_of_shows_what_was_recorded_by_then(reference: Reference) -> None:
    """Line 13: before s2 no casualties are claimed; after v1's last statement there is no s6; at the head all is."""
    before_s2 = reference.statements(reference.position("s1"))
    assert set(before_s2) == {"s0", "s0b", "s1"}
    counts = [c for s in before_s2.values() for c in s["claims"] if c["attribute"] in ("killed", "injured")]
    assert {(c["attribute"], c["scope"]) for c in counts} == {("killed", "implied"), ("injured", "implied")}
    assert set(reference.statements(reference.position("s8"))) == {key for key, _, _ in mi24.V1_STATEMENTS}
    assert set(reference.statements()) == set(SAID)


def test_the_date_arrives_last_and_moves_times_by_events(reference: Reference) -> None:
    """Trap (i): before the desk's date no time of the article is known; its corrections name their cause."""
    undated = reference.statements(reference.position("s6c"))
    assert all(s["said_at"].get("earliest") is None for s in undated.values())
    assert all(s["said_at"]["latest"] == s["recorded_at"] for key, s in undated.items() if key not in ("s5", "s6"))
    dated = reference.statements(reference.position("D on D1"))
    causes = {c["causation_id"] for s in dated.values() for c in s["corrections"]}
    assert all([c["error"] for c in s["corrections"]] == ["reference"] for s in dated.values())
    assert len(causes) == 1
    assert None not in causes


def test_half_past_six_is_local_time(reference: Reference) -> None:
    """18:30 at UTC+4 is 14:30Z, 14:15 to 14:45, beside its wording."""
    claims = reference.statements()["s0b"]["claims"]
    value = next(claim["value"] for claim in claims if claim["attribute"] == "occurred_at")
    assert value["verbatim"] == "around 6:30 PM local time"
    assert [value[name] for name in ("earliest", "best", "latest")] == [
        "2020-11-09T14:15:00Z",
        "2020-11-09T14:30:00Z",
        "2020-11-09T14:45:00Z",
    ]


def test_the_order_of_what_was_said(reference: Reference) -> None:
    """The timeline by said time begins with the day's earliest and keeps the order of recording within it."""
    path = f"/incidents/{reference.loaded.ids['I1']}/timeline"
    items = reference.client.get(path, params={"axis": "said", "as_of": reference.position(DESK)}).json()["items"]
    order = [reference.keys[item["statement_id"]] for item in items]
    assert order == ["s0", "s0b", "s1", "s6", "s6b", "s6c", "s2", "s3", "s7", "s8"]


# ---- what the claims come to ----


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: f"{check.line}: {check.text}"[:60])
def test_each_line_holds(reference: Reference, check: Any) -> None:
    """The lines that `stet demo` prints."""
    assert check.holds(reference.answers)


AFTER_THE_DESK: dict[str, tuple[str, Any, int, str | None]] = {
    "alert_state": ("single-source", "the crew was on edge for possible Armenian provocations", 1, "self-serving"),
    "altitude": ("single-source", "low", 1, "self-serving"),
    "cause": ("single-source", ["the absence of earlier flights led to the decision"], 1, None),
    "destination": ("single-source", "the Russian base in Gyumri", 1, None),
    "detection": ("single-source", "not detected by Azerbaijani air-defence radars", 1, "self-serving"),
    "distance of current-fighting": ("single-source", {"amount": 60.0, "unit": "mile"}, 1, None),
    "injured": ("single-source", {"min": 1, "max": 1}, 1, None),
    "intent": ("single-source", "accidental", 1, None),
    "killed of crew": ("single-source", {"min": 2, "max": 2}, 1, None),
    "light": ("single-source", "after dark", 1, "self-serving"),
    "mission": ("single-source", "escorting a Russian military convoy", 1, None),
    "prior_activity": (
        "single-source",
        "Russian Mi-24 flights were not previously seen in the area",
        1,
        "self-serving",
    ),
    "responsible": ("admitted", {"source_id": "AZ"}, 1, "against-interest"),
    "responsible_unit": ("single-source", "an air-defence crew, which decided to engage", 1, None),
    "target": ("single-source", 'Mi-24 "Hind" attack helicopter', 1, None),
    "target_operator": ("single-source", {"source_id": "RU"}, 1, None),
    "target_status": ("single-source", "lost", 1, None),
    "weapon": ("purported", "missile", 1, None),
}
"""Status, value, speakers, interest; written out by hand, so that a wrong check would be noticed."""
AT_THE_HEAD = {
    "intent": ("contested", None, 0, None),
    "weapon": ("single-source", "man-portable missile", 1, None),
    "killed of crew": AFTER_THE_DESK["killed of crew"],
    "occurred_at": (
        "corroborated",
        {
            "earliest": "2020-11-09T14:15:00Z",
            "latest": "2020-11-09T14:39:00Z",
            "best": "2020-11-09T14:30:00Z",
            "approximate": True,
        },
        2,
        None,
    ),
    "crash_place": (
        "corroborated",
        {
            "geometry": {"type": "Point", "coordinates": [44.85, 39.74]},
            "name": "a gorge between two villages",
            "radius_m": 3000.0,
            "relation": "between",
        },
        2,
        None,
    ),
}


def resolved(reference: Reference, view: dict) -> dict[str, tuple[str, Any, int, str | None]]:
    found = {}
    for one in view["attributes"]:
        value = one["value"]
        if isinstance(value, dict) and "source_id" in value:
            value = {"source_id": reference.keys[value["source_id"]]}
        name = f"{one['attribute']} of {one['of']}" if one["of"] else one["attribute"]
        found[name] = (one["status"], value, one["speakers"], one["interest"])
    return found


def test_every_plain_value_after_the_desk_s_acts(reference: Reference) -> None:
    found = resolved(reference, reference.incident("I1", reference.position(DESK)))
    assert {name: found[name] for name in AFTER_THE_DESK} == AFTER_THE_DESK
    others = {name.partition(" of document:")[0] for name in found} - AFTER_THE_DESK.keys()
    assert others == {"occurred_at", "engagement_place", "crash_place", "flight_place", "background", "depicts"}
    assert len(found["background"][1]) == 9


def test_the_values_that_later_news_change(reference: Reference) -> None:
    found = resolved(reference, reference.incident("I1"))
    assert {name: found[name] for name in AT_THE_HEAD} == AT_THE_HEAD


def test_the_other_incident(reference: Reference) -> None:
    assert resolved(reference, reference.incident("I2")) == {"control": ("admitted", "Azerbaijan", 2, None)}


def test_every_later_step_is_there(reference: Reference) -> None:
    """And loading once more adds nothing."""
    assert {step for step, _, _ in later.STEPS} <= reference.loaded.positions.keys()
    head = reference.incident("I1")["version"]
    again = load_reference(str(reference.client.base_url).partition("/v1")[0], "mi24", lambda line: None)
    assert again.positions == reference.loaded.positions
    assert reference.incident("I1")["version"] == head
