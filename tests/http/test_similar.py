"""Incidents that may be one event: the same list as an oracle that compares every pair, from what the API shows."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.http.asking import NOBODY, a_source, a_statement, an_incident, id_of, malformed, problem, read
from tests.http.never import all_of, kept_of
from tests.http.test_nothing_leaks import Asking, asking  # noqa: F401
from tests.strategies import Draw, World, a_visibility, histories, json, pick

from stet.handle.incident import open_incident
from stet.incident.commands import ClaimInput, OpenIncident, RecordStatement
from stet.values.disc import Disc, distance_m
from stet.values.place import Place, Point
from stet.values.time import Time
from stet.values.value import Count
from stet.values.words import words


class Facts(NamedTuple):
    """What the API shows of an incident at a cut."""

    item: dict[str, Any]
    """As in a list."""
    view: dict[str, Any]


def texts_of(statement: dict[str, Any]) -> list[str | None]:
    found = [statement["channel"], statement["verbatim"]]
    for claim in statement["claims"]:
        value = claim["value"]
        found += [claim["verbatim"], claim["note"]]
        found += [one for one in (claim["of"], claim["toward"]) if one and ":" not in one]
        if claim["type"] in ("text", "term"):
            found.append(value)
        elif claim["type"] == "place":
            found += [value.get("name"), value.get("verbatim")]
        elif claim["type"] == "time":
            found.append(value.get("verbatim"))
    return found


def telling(found: set[str]) -> set[str]:
    return {word for word in found if len(word) >= 3 or any(ord(letter) > 127 for letter in word) or word.isdigit()}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def dice(a: set[str], b: set[str]) -> float:
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0


def parts_of(one: Facts, other: Facts) -> dict[str, tuple[float, float]]:
    """Of each part that is known of both: score and weight, from docs/duplicates.md."""
    found: dict[str, tuple[float, float]] = {"kind": (float(one.item["kind"] == other.item["kind"]), 0.1)}
    times = [side.item["occurred"] for side in (one, other)]
    if all(time and time["earliest"] and time["latest"] for time in times):
        (a, b), (c, d) = [(at(time["earliest"]), at(time["latest"])) for time in times]
        if b < c or d < a:
            gap = c - b if b < c else a - d
            found["time"] = max(0, 1 - gap / timedelta(days=3)), 0.3
        else:
            width = max(b - a, d - c) / timedelta(days=3)
            found["time"] = 1, 0.3 / max(1, width)
    places = [side.item["place"] for side in (one, other)]
    if all(place and place["radius_m"] is not None for place in places):
        discs = [Disc(place["longitude"], place["latitude"], place["radius_m"]) for place in places]
        gap_m = distance_m(*discs) - discs[0].radius_m - discs[1].radius_m
        if gap_m > 0:
            found["place"] = max(0, 1 - gap_m / 50_000), 0.3
        else:
            found["place"] = 1, 0.3 / max(1, max(disc.radius_m for disc in discs) / 50_000)
    titles = [telling(set(words(side.item["title"]))) for side in (one, other)]
    everything = []
    for side, title in zip((one, other), titles, strict=True):
        said = [text for statement in side.view["statements"] for text in texts_of(statement)]
        everything.append(title | telling(set(words(*said))))
    if all(everything):
        found["text"] = max(dice(*titles), dice(*everything)), 0.2
    speakers = [{one["speaker"]["source_id"] for one in side.view["statements"]} for side in (one, other)]
    if all(speakers):
        found["sources"] = len(speakers[0] & speakers[1]) / len(speakers[0] | speakers[1]), 0.1
    scores = []
    for name in ("killed", "injured"):
        counts = [side.item[name] for side in (one, other)]
        if all(counts):
            low, high = sorted(counts, key=lambda count: count["min"])
            most = math.inf if low["max"] is None else low["max"]
            scores.append(1 if most >= high["min"] else (most + 1) / (high["min"] + 1))
    if scores:
        found["casualties"] = min(scores), 0.1
    return {name: (round(score, 6), round(weight, 6)) for name, (score, weight) in found.items()}


def order_of(item: dict[str, Any]) -> datetime | None:
    time = item["occurred"] or {}
    text = time.get("best") or time.get("earliest") or time.get("latest")
    return at(text) if text else None


def is_candidate(one: Facts, other: Facts) -> bool:
    a, b = order_of(one.item), order_of(other.item)
    if a and b and abs(a - b) <= timedelta(days=7):
        return True
    places = [side.item["place"] for side in (one, other)]
    centres = [Disc(place["longitude"], place["latitude"], 0.0) for place in places if place and place["radius_m"]]
    if len(centres) == 2 and distance_m(*centres) <= 50_000:
        return True
    title = set(words(one.item["title"]))
    return bool(title) and title <= set(words(other.item["title"], other.item["kind"], *other.item["tags"]))


def expected(one: Facts, others: list[Facts], min_score: float) -> list[tuple[float, str]]:
    found = []
    for other in others:
        if other.item["incident_id"] != one.item["incident_id"] and is_candidate(one, other):
            parts = parts_of(one, other).values()
            score = round(math.fsum(s * w for s, w in parts) / math.fsum(w for _, w in parts), 6)
            if score >= min_score:
                found.append((-score, at(other.item["opened_at"]), other.item["incident_id"]))
    return [(-score, id_) for score, _, id_ in sorted(found)]


def facts_at(asking: Asking, audience: Any, path: str, query: str) -> dict[str, Facts]:  # noqa: F811
    items = read(asking.get(audience, f"{path}/incidents?limit=1000&{query}"))["items"]
    found = {}
    for item in items:
        view = read(asking.get(audience, f"{path}/incidents/{item['incident_id']}?{query}"))
        found[item["incident_id"]] = Facts(item, view)
    return found


def tell(draw: Draw, world: World) -> None:
    """Opens an incident of which time, place and numbers are known, some of them vaguely."""
    day = datetime(2020, 11, 9, tzinfo=UTC) + timedelta(hours=draw(st.integers(-100, 100)))
    width = pick(draw, timedelta(0), timedelta(hours=20), timedelta(days=2), timedelta(days=30))
    spot = Point((pick(draw, 44.8, 44.9, 45.4), pick(draw, 39.7, 39.71)))
    values = {
        "occurred_at": Time(earliest=day, latest=day + width),
        "place": Place(geometry=spot, level=pick(draw, "exact", "settlement", "admin1")),
        "killed": Count(min=pick(draw, 0, 2, 3), max=pick(draw, 3, 9, None)),
        "injured": Count(min=pick(draw, 0, 40), max=40),
    }
    claims = [ClaimInput(attribute=name, value=json(value)) for name, value in values.items() if draw(st.booleans())]
    body = RecordStatement(
        speaker=pick(draw, *world.sources),
        said_at=pick(draw, "2020-11-08", "2020-11-10"),
        verbatim=pick(draw, None, "a helicopter was shot down"),
        claims=(*claims, ClaimInput(attribute="weapon", value=json("gun"))),
    )
    command = OpenIncident(
        title=pick(draw, "Mi-24 shot down", "A helicopter", "Ереван"),
        kind=pick(draw, "shootdown", "capture"),
        statements=(body,),
        visibility=a_visibility(draw),
    )
    incident_id = world.new_id()
    world.must(lambda: open_incident(command, incident_id, ""))


def test_it_gives_what_comparing_every_pair_gives(asking: Asking) -> None:  # noqa: F811
    """At any position, by any said time, for members and for the public."""
    reached: Counter[str] = Counter()

    @settings(max_examples=25)
    @given(histories(), st.data())
    def look(world: World, data: st.DataObject) -> None:
        for _ in range(data.draw(st.integers(3, 5))):
            tell(data.draw, world)
        ledger = asking.restored(world, all_of(world, kept_of(world)))
        path = f"/v1/ledgers/{ledger.name}"
        position = data.draw(st.sampled_from([None, None, *range(len(world.log) - 6, len(world.log) + 1)]))
        queries = [f"as_of=position:{position}" if position else ""]
        queries.append("&".join([*queries, "said_by=2020-11-09T12:00:00Z"]).strip("&"))
        for audience in ("member", "public"):
            for query in queries:
                facts = facts_at(asking, audience, path, query)
                for id_, one in facts.items():
                    for min_score in (0, 0.5):
                        address = f"{path}/incidents/{id_}/similar?limit=100&min_score={min_score}&{query}"
                        items = read(asking.get(audience, address))["items"]
                        told = [(item["score"], item["incident_id"]) for item in items]
                        assert told == expected(one, list(facts.values()), min_score)
                        reached[audience] += len(told)
                        for item in items:
                            parts = {part["what"]: (part["score"], part["weight"]) for part in item["because"]}
                            assert parts == parts_of(one, facts[item["incident_id"]])
                            reached.update(list(parts))

    look()
    assert reached["member"] >= 100, reached
    assert reached["public"] >= 60, reached
    assert all(reached[what] >= 20 for what in ("time", "place", "text", "kind", "sources", "casualties")), reached


MI24 = {"title": "Mi-24 helicopter shot down near Yeraskh", "kind": "shootdown", "tags": ["aviation"]}


def told_of(speaker: str, *more: dict[str, Any]) -> dict[str, Any]:
    near = {"name": "Yeraskh", "geometry": {"type": "Point", "coordinates": [44.8, 39.73]}, "level": "settlement"}
    claims = [
        {"attribute": "occurred_at", "value": {"earliest": "2020-11-09T14:00:00Z", "latest": "2020-11-09T15:00:00Z"}},
        {"attribute": "crash_place", "value": near},
        {"attribute": "killed", "value": {"min": 2, "max": 2}},
    ]
    return a_statement(speaker) | {"claims": [*claims, *more]}


def test_a_near_copy_is_first_and_the_reasons_are_given(client: httpx.Client, ledger: str) -> None:
    one, other = a_source(client, ledger, "Ministry"), a_source(client, ledger, "Agency")
    path = an_incident(client, ledger, **MI24, statements=[told_of(one)])
    copy = told_of(other)
    copy["claims"][0]["value"] = "2020-11-09"
    again = an_incident(client, ledger, **MI24 | {"title": "Russian Mi-24 downed near Yeraskh"}, statements=[copy])
    elsewhere = told_of(one)
    elsewhere["claims"] = elsewhere["claims"][:1]
    an_incident(client, ledger, title="Shusha captured", kind="capture", statements=[elsewhere])
    view = read(client.get(f"{path}/similar?min_score=0"))
    assert view["incident_id"] == id_of(path)
    first, second = view["items"]
    assert first["incident_id"] == id_of(again)
    assert first["score"] > 0.8 > second["score"]
    details = {part["what"]: part["detail"] for part in first["because"]}
    assert details == {
        "time": "the bounds meet, and are 23 hours wide",
        "place": "the centres are 0 m apart, each within 5.0 km",
        "text": "3 words in common: yeraskh, near, 24",
        "kind": "both are shootdown",
        "sources": "0 of 2 speakers in common",
        "casualties": "killed 2, and 2",
    }
    assert read(client.get(f"{path}/similar?limit=1"))["items"] == [first]
    assert client.get(f"{path}/similar").headers["content-location"].startswith(f"{path}/similar?as_of=")
    opened = first["opened_at"]
    assert read(client.get(f"{again}/similar?as_of={opened}"))["items"][0]["incident_id"] == id_of(path)
    moment = read(client.get(f"{path}"))["opened_at"]
    assert read(client.get(f"{path}/similar?as_of={moment}"))["items"] == []
    assert read(client.get(f"{path}/similar?said_by=1990-01-01"))["items"] == []


def test_one_of_another_title_and_no_known_time_is_found_by_its_place(client: httpx.Client, ledger: str) -> None:
    """Within 50 km of it, to the north and to the south, over the antimeridian; not beyond."""
    ministry = a_source(client, ledger, "Ministry")

    def happened(title: str, longitude: float, latitude: float) -> str:
        place = {"geometry": {"type": "Point", "coordinates": [longitude, latitude]}, "level": "exact"}
        said = a_statement(ministry) | {"claims": [{"attribute": "place", "value": place}]}
        return an_incident(client, ledger, title=title, statements=[said])

    one = happened("One", 179.9, 10.0)
    near = {id_of(happened(title, -179.9, latitude)) for title, latitude in (("North", 10.3), ("South", 9.7))}
    for title, longitude, latitude in (("Two", 179.9, 10.46), ("Three", 179.3, 10.0)):
        happened(title, longitude, latitude)
    found = read(client.get(f"{one}/similar?min_score=0"))["items"]
    assert {item["incident_id"] for item in found} == near


def test_bad_input_is_named(client: httpx.Client, ledger: str) -> None:
    path = an_incident(client, ledger)
    malformed(client.get(f"{path}/similar?limit=0"), "query.limit")
    malformed(client.get(f"{path}/similar?limit=101"), "query.limit")
    malformed(client.get(f"{path}/similar?min_score=1.1"), "query.min_score")
    malformed(client.get(f"{path}/similar?min_score=nan"), "query.min_score")
    malformed(client.get(f"{path}/similar?as_of=yesterday"), "query.as_of")
    malformed(client.get(f"{path}/similar?said_by=yesterday"), "query.said_by")
    malformed(client.get(f"{path}/similar?more=1"), "query.more")
    problem(client.get(f"{ledger}/incidents/{NOBODY}/similar"), "not-found", 404)
    assert read(client.get(f"{path}/similar"))["items"] == []
