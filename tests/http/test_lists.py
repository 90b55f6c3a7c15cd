"""Lists at any cut: filters, orders, search, forms, cursors, permanent addresses."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.conftest import Cluster, serve
from tests.http.asking import problem, read
from tests.projections.test_histories import append
from tests.store.writing import make_ledger

from stet.database.pool import make_pool
from stet.ids import new_id
from stet.incident.events import IncidentOpened
from stet.settings import Settings
from stet.source.events import SourceRegistered
from stet.store.append import Log

YERESKH = {"type": "Point", "coordinates": [44.85, 39.74]}


class Desk:
    """A ledger, and how its incidents are recorded in a line."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        # Random: this module is there twice in a process where another one takes its Desk.
        self.name = f"lists-{uuid4()}"
        self.path = f"/v1/ledgers/{self.name}"
        assert client.post("/v1/ledgers", json={"name": self.name, "title": "Lists"}).status_code == 201
        self.sources: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.position = 1

    def source(self, name: str, *aliases: str, kind: str = "state") -> str:
        if name not in self.sources:
            body = {"name": name, "kind": kind, "aliases": [{"name": alias} for alias in aliases]}
            self.sources[name] = self.post("sources", body)["source_id"]
        return self.sources[name]

    def open(self, title: str, *statements: dict[str, Any], kind: str = "shootdown", tags: Any = ()) -> str:
        body = {"title": title, "kind": kind, "tags": list(tags), "statements": list(statements)}
        self.ids[title] = self.post("incidents", body)["incident_id"]
        return self.ids[title]

    def said(self, speaker: str, at: str | None = None, chain: Any = (), **claims: Any) -> dict[str, Any]:
        made = [
            {"attribute": name, **(value if isinstance(value, dict) and "value" in value else {"value": value})}
            for name, value in claims.items()
        ]
        return {
            "speaker": self.source(speaker),
            "chain": [{"source_id": self.source(name), "role": role} for name, role in chain],
            "claims": made,
        } | ({"said_at": at} if at else {})

    def post(self, path: str, body: Any) -> Any:
        answer = self.client.post(f"{self.path}/{path}", json=body)
        assert answer.status_code == 201, answer.text
        self.position = int(answer.headers["stet-position"])
        return answer.json()

    def titles(self, path: str = "incidents", **query: Any) -> list[str]:
        return [item["title"] for item in read(self.client.get(f"{self.path}/{path}", params=query))["items"]]


@pytest.fixture
def desk(client: httpx.Client) -> Desk:
    return Desk(client)


def count(low: int, high: int | None = None) -> dict[str, int]:
    return {"min": low} | ({} if high is None else {"max": high})


@pytest.fixture
def three(desk: Desk) -> Desk:
    """Three incidents: a shootdown in the Caucasus, a flood astride the antimeridian, and one that nobody spoke of."""
    desk.open(
        "Helicopter down",
        desk.said(
            "Ministry",
            "2020-11-09",
            [("Wire", "relay"), ("Paper", "reporter")],
            killed=count(2, 2),
            occurred_at={"earliest": "2020-11-09T14:00:00Z", "latest": "2020-11-09T15:00:00Z"},
            place={"geometry": YERESKH, "level": "settlement"},
            responsible={"act": "admit", "value": {"source_id": desk.source("Ministry")}},
        ),
        desk.said("Witness", "2020-11-11", killed=count(3, 3)),
        tags=["aviation"],
    )
    desk.open(
        "Flood",
        desk.said(
            "Agency",
            "2020-12-01",
            injured=count(4),
            occurred_at="2020-11",
            place={"geometry": {"type": "Point", "coordinates": [179.99, -18]}, "radius_m": 5000},
        ),
        kind="flood",
    )
    desk.open("Silence", kind="flood")
    return desk


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["Helicopter down", "Flood", "Silence"]),
    ({"kind": "flood"}, ["Flood", "Silence"]),
    ({"kind": "fire"}, []),
    ({"status": "open", "tag": "aviation"}, ["Helicopter down"]),
    ({"killed_min": 2}, ["Helicopter down"]),
    ({"killed_min": 3}, []),
    ({"killed_max": 3}, ["Helicopter down"]),
    ({"killed_max": 2}, []),
    ({"injured_min": 4}, ["Flood"]),
    ({"injured_max": 1000}, []),
    ({"attribute": "killed"}, ["Helicopter down"]),
    ({"attribute": "killed", "attribute_status": "contested"}, ["Helicopter down"]),
    ({"attribute": "responsible", "attribute_status": "admitted"}, ["Helicopter down"]),
    ({"attribute": "responsible", "attribute_status": "contested"}, []),
    ({"attribute_status": "single-source"}, ["Helicopter down", "Flood"]),
    ({"occurred_after": "2020-11-09", "occurred_before": "2020-11-09"}, ["Helicopter down", "Flood"]),
    (
        {"occurred_after": "2020-11-09", "occurred_before": "2020-11-09", "occurred_match": "definite"},
        ["Helicopter down"],
    ),
    ({"occurred_after": "2020-12-01"}, []),
    ({"bbox": "44,39,45,40"}, ["Helicopter down"]),
    ({"bbox": "44,39,45,40", "place_match": "definite"}, ["Helicopter down"]),
    ({"bbox": "44.86,39,45,40"}, ["Helicopter down"]),
    ({"bbox": "44.86,39,45,40", "place_match": "definite"}, []),
    ({"bbox": "179.9,-19,-179.9,-17"}, ["Flood"]),
    ({"bbox": "-180,-19,-179.9,-17"}, ["Flood"]),
    ({"bbox": "-180,-90,180,90"}, ["Helicopter down", "Flood"]),
    ({"near": "-179.99,-18", "radius": 1}, ["Flood"]),
    ({"near": "-179.99,-18", "radius": 1, "place_match": "definite"}, []),
    ({"near": "44.85,39.74", "radius": 5001, "place_match": "definite"}, ["Helicopter down"]),
    ({"said_by": "2020-11-08"}, []),
    ({"said_by": "2020-11-10"}, ["Helicopter down"]),
    ({"said_by": "2020-11-10", "attribute": "killed", "attribute_status": "contested"}, []),
    ({"said_by": "2020-11-10", "killed_max": 2}, ["Helicopter down"]),
    ({"said_by": "2021-01-01"}, ["Helicopter down", "Flood"]),
    ({"sort": "-opened_at"}, ["Silence", "Flood", "Helicopter down"]),
    ({"sort": "title"}, ["Flood", "Helicopter down", "Silence"]),
    ({"sort": "-title"}, ["Silence", "Helicopter down", "Flood"]),
    ({"sort": "occurred_at"}, ["Flood", "Helicopter down", "Silence"]),
    ({"sort": "-occurred_at"}, ["Helicopter down", "Flood", "Silence"]),
    ({"sort": "updated_at"}, ["Helicopter down", "Flood", "Silence"]),
]


def test_each_filter_and_order(three: Desk) -> None:
    wrong = [(query, found, titles) for query, titles in FILTERS if (found := three.titles(**query)) != titles]
    assert wrong == []


def test_a_time_of_which_only_the_wording_is_known_is_unknown(desk: Desk) -> None:
    """It lies in no year, and one with a beginning, an end or a best guess lies where it may."""
    for title, time in (
        ("recently", {"verbatim": "recently"}),
        ("since 1950", {"earliest": "1950-01-01T00:00:00Z"}),
        ("until 1850", {"latest": "1850-01-01T00:00:00Z"}),
        ("about 1900", {"best": "1900-07-01T00:00:00Z"}),
    ):
        desk.open(title, desk.said("Witness", occurred_at=time))
    year = {"occurred_after": "1900-01-01", "occurred_before": "1901-01-01"}
    assert desk.titles(**year) == ["about 1900"]
    assert desk.titles(occurred_after="1900-01-01") == ["since 1950", "about 1900"]
    assert desk.titles(occurred_before="1900-01-01") == ["until 1850", "about 1900"]
    assert desk.titles(**year, occurred_match="definite") == []
    assert len(desk.titles()) == 4


def test_roles_of_a_source(three: Desk) -> None:
    parts = [("Ministry", "speaker"), ("Wire", "relay"), ("Paper", "reporter"), ("Paper", None)]
    for name, role in parts:
        query = {"source": three.sources[name]} | ({"role": role} if role else {})
        assert three.titles(**query) == ["Helicopter down"]
    assert three.titles(source=three.sources["Wire"], role="speaker") == []
    assert three.titles(source=three.sources["Witness"], said_by="2020-11-10") == []


def test_filters_at_an_earlier_position(three: Desk) -> None:
    """Where it was another kind, and had another title, it is found as it was."""
    before = three.position
    body = {"type": "incident-amended", "title": "Mi-24 down", "kind": "crash", "tags": [], "reason": "known by now"}
    three.post(f"incidents/{three.ids['Helicopter down']}/revisions", body)
    assert three.titles(kind="crash") == ["Mi-24 down"]
    assert three.titles(kind="crash", as_of=f"position:{before}") == []
    assert three.titles(kind="shootdown", as_of=f"position:{before}") == ["Helicopter down"]
    assert three.titles(sort="-updated_at")[0] == "Mi-24 down"
    assert three.titles(sort="-updated_at", as_of=f"position:{before}") == ["Silence", "Flood", "Helicopter down"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"bbox": "1,2,3"}, "bbox"),
        ({"bbox": "1,2,3,x"}, "bbox"),
        ({"bbox": "1,80,3,70"}, "bbox"),
        ({"bbox": "1,-91,3,70"}, "bbox"),
        ({"bbox": "nan,1,3,70"}, "bbox"),
        ({"near": "1,2"}, "radius"),
        ({"near": "181,2", "radius": 5}, "near"),
        ({"radius": 5}, "radius"),
        ({"radius": "inf", "near": "1,2"}, "radius"),
        ({"role": "relay"}, "role"),
        ({"place_match": "definite"}, "place_match"),
        ({"occurred_match": "definite"}, "occurred_match"),
        ({"occurred_after": "yesterday"}, "occurred_after"),
        ({"said_by": "tomorrow"}, "said_by"),
        ({"said_by": "2020-02-30"}, "said_by"),
        ({"killed_min": -1}, "killed_min"),
        ({"sort": "size"}, "sort"),
        ({"kind": "Not a slug"}, "kind"),
        ({"attribute_status": "sure"}, "attribute_status"),
        ({"q": "?!"}, "q"),
        ({"q": " ".join(f"w{n}" for n in range(17))}, "q"),
        ({"source": "nobody"}, "source"),
        ({"colour": "red"}, "colour"),
        ({"format": "xml"}, "format"),
        ({"source": "null"}, "source"),
        ({"killed_min": "NULL"}, "killed_min"),
        ({"kind": "null"}, "kind"),
        ({"limit": "null"}, "limit"),
    ],
)
def test_a_bad_filter_is_named(desk: Desk, query: dict[str, Any], field: str) -> None:
    answer = desk.client.get(f"{desk.path}/incidents", params=query)
    problem(answer, "malformed", 400, f"query.{field}")


@pytest.mark.parametrize("text", ["2", "2.0", "2e0", "0.2E1", "02", "+2", " 2", "2_0", "٢", "2.5", "1e400", "nan", ""])
@pytest.mark.parametrize("name", ["killed_min", "killed_max", "injured_min", "injured_max", "radius"])
def test_a_number_is_read_in_one_way(three: Desk, name: str, text: str) -> None:
    """It filters as what it says, or is refused by name."""
    near = {"near": "0,0"} if name == "radius" else {}
    path = f"{three.path}/incidents"
    answer = three.client.get(path, params={name: text, **near})
    if answer.status_code == 200 and name != "radius":
        assert answer.json()["items"] == read(three.client.get(path, params={name: 2, **near}))["items"]
    elif answer.status_code != 200:
        assert text not in ("2", "2.0")
        problem(answer, "malformed", 400, f"query.{name}")


# ---- search ----


def test_search_in_several_scripts_and_under_both_spellings(desk: Desk) -> None:
    desk.source("Azerbaijan", "Azerbaijian", "Azərbaycan")
    desk.source("Россия")
    place = {"name": "the Nakhchivan border", "verbatim": "Nakchivan"}
    desk.open("Вертолёт сбит", desk.said("Azerbaijan", "2020-11-09", engagement_place=place))
    desk.open("Շուշի", desk.said("Россия", "2020-12-09", control={"value": "Azerbaijan", "note": "Şuşa, Shushi"}))
    found = {
        q: desk.titles(q=q)
        for q in (
            *("nakchivan", "NAKHCHIVAN", "nakh", "вертолет", "вертолёт сбит", "azerbaijian", "azərbaycan border"),
            *("россия", "susa", "shushi", "շուշի", "nakhchivan россия", "s", "source", "'; DROP TABLE x; --"),
        )
    }
    first, second = ["Вертолёт сбит"], ["Շուշի"]
    assert found == {
        **dict.fromkeys(("nakchivan", "NAKHCHIVAN", "nakh", "вертолет", "вертолёт сбит", "azərbaycan border"), first),
        **dict.fromkeys(("россия", "susa", "shushi", "շուշի"), second),
        **{q: [] for q in ("nakhchivan россия", "source", "'; DROP TABLE x; --")},
        "azerbaijian": first,
        "s": first + second,  # shootdown
    }
    assert desk.titles(q="shushi", said_by="2020-12-01") == []
    assert [s["name"] for s in read(desk.client.get(f"{desk.path}/sources", params={"q": "azerbaijian"}))["items"]] == [
        "Azerbaijan"
    ]


def test_a_name_is_joined_at_the_cut(desk: Desk) -> None:
    """A source that was renamed is found under the name that it had."""
    source = desk.source("Pechora Agency")
    desk.open("Fire", desk.said("Pechora Agency", "2020-11-09", cause="gas"))
    before = desk.position
    desk.post(f"sources/{source}/revisions", {"type": "source-revised", "name": "Northern Agency", "reason": "renamed"})
    assert desk.titles(q="pechora") == []
    assert desk.titles(q="northern") == ["Fire"]
    assert desk.titles(q="pechora", as_of=f"position:{before}") == ["Fire"]


def test_a_statement_with_more_words_than_an_index_holds(desk: Desk) -> None:
    """It is recorded whole, and found by what comes first; a title of letters that grow when folded is ordered."""
    notes = [" ".join(f"{k:04}{n:08}" for n in range(1_500)) for k in range(80)]
    claims = [{"attribute": "cause", "value": f"cause {n}", "note": note} for n, note in enumerate(notes)]
    desk.open("\N{LATIN SMALL LIGATURE FFI}" * 500, {"speaker": desk.source("Archive"), "claims": claims})
    assert len(desk.titles(q="000000000000")) == 1
    assert desk.titles(q="007900001499") == []
    assert len(desk.titles(sort="title")) == 1


def test_a_word_of_more_sources_than_a_search_takes_is_named(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """None of them is left out in silence; as many as it takes are all searched, by each of sixteen words."""
    url = cluster.migrated()

    async def register_many() -> tuple[str, str]:
        async with make_pool(url, Settings(pool_size=4)) as pool:
            log = Log(pool)
            ledger_id = await make_ledger(log, "names")
            ids = sorted(new_id() for _ in range(1_001))
            kept = " ".join(f"word{n:02}" for n in range(16))
            names = [f"Bureau {kept}"] * 1_000 + ["Bureau of last resort"]
            made = [SourceRegistered(name=name, kind="state-body") for name in names]
            await append(pool, log, ledger_id, [(f"source:{id_}", one) for id_, one in zip(ids, made, strict=True)])
            return str(ids[999]), str(ids[1_000])

    thousandth, last = asyncio.run(register_many())
    with (
        serve(url, tmp_path_factory.mktemp("names")) as server,
        httpx.Client(base_url=f"{server.url}/v1/ledgers/names", timeout=60) as client,
    ):
        for speaker in (thousandth, last):
            said = {"speaker": speaker, "claims": [{"attribute": "killed", "value": count(2)}]}
            opened = client.post("/incidents", json={"title": speaker, "kind": "strike", "statements": [said]})
            assert opened.status_code == 201
        for path in ("/incidents", "/statements", "/stats"):
            wide = problem(client.get(path, params={"q": "resort bur"}), "malformed", 400, "query.q")
            assert "bur begins a word in the names of more than 1,000 sources" in wide["detail"]
        found = {
            q: [item["title"] for item in read(client.get("/incidents", params={"q": q}))["items"]]
            for q in ("resort", " ".join(f"word{n:02}" for n in range(16)))
        }
        assert list(found.values()) == [[last], [thousandth]]


# ---- forms ----


def test_geojson(three: Desk) -> None:
    answer = three.client.get(f"{three.path}/incidents", headers={"Accept": "application/geo+json"})
    assert answer.headers["content-type"] == "application/geo+json"
    collection = answer.json()
    shapes = {f["properties"]["title"]: f["geometry"] for f in collection["features"]}
    assert shapes == {
        "Helicopter down": YERESKH,
        "Flood": {"type": "Point", "coordinates": [179.99, -18.0]},
        "Silence": None,
    }
    assert collection["cut"]["position"] == three.position


def test_csv_and_ndjson(three: Desk) -> None:
    three.open("=cmd|' /C calc'!A0")
    answer = three.client.get(f"{three.path}/incidents?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["title"] for row in rows] == ["Helicopter down", "Flood", "Silence", "'=cmd|' /C calc'!A0"]
    assert (rows[0]["killed_min"], rows[0]["killed_max"], rows[0]["killed_status"]) == ("2", "3", "contested")
    assert rows[2]["killed_min"] == ""
    lines = three.client.get(f"{three.path}/incidents?format=ndjson").text.splitlines()
    assert [json.loads(line)["title"] for line in lines] == [
        "Helicopter down", "Flood", "Silence", "=cmd|' /C calc'!A0"
    ]  # fmt: skip
    claims = list(csv.DictReader(io.StringIO(three.client.get(f"{three.path}/statements?format=csv").text)))
    assert [row["attribute"] for row in claims][:3] == ["killed", "occurred_at", "place"]
    assert claims[0]["chain"] == "Wire > Paper"


TEXTS = ['"Fire!", he said', '"', "a\\b", "line\nline", "tab\tin", "-1", '"=1', "сбит", "[1]"]


def test_csv_gives_each_text_as_it_is(desk: Desk) -> None:
    """With its quotes, and without the escapes of JSON; what is no text is JSON."""
    claims = [{"attribute": "cause", "value": text, "verbatim": text} for text in TEXTS]
    claims += [{"attribute": "killed", "value": count(2)}]
    desk.open("Fire", {"speaker": desk.source("Witness"), "claims": claims})
    answer = desk.client.get(f"{desk.path}/statements?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    expected = [f"'{text}" if text == "-1" else text for text in TEXTS]
    assert [row["value"] for row in rows] == [*expected, '{"min":2}']
    assert [row["verbatim"] for row in rows] == [*expected, ""]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", "application/json"),
        ("text/*", "text/csv; charset=utf-8"),
        ("application/geo+json;q=0.5, application/x-ndjson", "application/x-ndjson"),
        ("text/html, */*;q=0.1", "application/json"),
        ("", "application/json"),
        ("application/json;q=0, */*", "application/geo+json"),
    ],
)
def test_accept(desk: Desk, accept: str, form: str) -> None:
    answer = desk.client.get(f"{desk.path}/incidents", headers={"Accept": accept})
    assert answer.headers["content-type"] == form


def test_what_is_not_given_is_406(desk: Desk) -> None:
    problem(desk.client.get(f"{desk.path}/incidents", headers={"Accept": "image/png"}), "not-acceptable", 406)
    problem(desk.client.get(f"{desk.path}/statements?format=geojson"), "not-acceptable", 406)


# ---- statements, statistics ----


def test_statements_across_incidents(three: Desk) -> None:
    def speakers(**query: Any) -> list[str]:
        items = read(three.client.get(f"{three.path}/statements", params=query))["items"]
        return [item["speaker"]["name"] for item in items]

    assert speakers() == ["Ministry", "Witness", "Agency"]
    assert speakers(sort="-said_at") == ["Agency", "Witness", "Ministry"]
    assert speakers(speaker=three.sources["Agency"]) == ["Agency"]
    assert speakers(attribute="killed") == ["Ministry", "Witness"]
    assert speakers(act="admit") == ["Ministry"]
    assert speakers(said_after="2020-11-10") == ["Witness", "Agency"]
    assert speakers(said_before="2020-11-10") == ["Ministry"]
    assert speakers(q="paper") == ["Ministry"]
    assert speakers(said_by="2020-11-30") == ["Ministry", "Witness"]
    assert speakers(as_of="position:1") == []
    first = read(three.client.get(f"{three.path}/statements?limit=2"))
    rest = read(three.client.get(f"{three.path}/statements", params={"limit": 2, "cursor": first["next_cursor"]}))
    assert [item["speaker"]["name"] for item in first["items"] + rest["items"]] == speakers()
    assert rest["next_cursor"] is None


def test_statistics(three: Desk) -> None:
    def groups(**query: Any) -> dict[str | None, Any]:
        stats = read(three.client.get(f"{three.path}/stats", params=query))
        return {group["key"]: group for group in stats["items"]}

    kinds = groups()
    assert {key: group["incidents"] for key, group in kinds.items()} == {"flood": 2, "shootdown": 1}
    assert kinds["shootdown"]["killed"] == {"incidents": 1, "min": 2, "max": 3}
    assert kinds["flood"]["killed"] == {"incidents": 0, "min": 0, "max": None}
    assert kinds["flood"]["injured"] == {"incidents": 1, "min": 4, "max": None}
    assert groups(said_by="2020-11-10")["shootdown"]["killed"] == {"incidents": 1, "min": 2, "max": 2}
    assert {key: g["incidents"] for key, g in groups(group_by="month").items()} == {"2020-11": 2, None: 1}
    status = groups(group_by="attribute_status", by_attribute="killed")
    assert {key: g["incidents"] for key, g in status.items()} == {"contested": 1}
    speakers = groups(group_by="source")
    assert {g["name"]: g["incidents"] for g in speakers.values()} == {"Ministry": 1, "Witness": 1, "Agency": 1}
    assert groups(kind="fire") == {}
    problem(three.client.get(f"{three.path}/stats?group_by=attribute_status"), "malformed", 400, "query.by_attribute")


# ---- cursors ----


def pages(get: Callable[..., httpx.Response], path: str, **query: Any) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        page = read(get(path, params=query | cursor))
        yield page
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


@pytest.mark.parametrize("sort", ["opened_at", "-opened_at", "updated_at", "-updated_at", "occurred_at", "-title"])
def test_pages_of_each_order_join_to_the_whole(three: Desk, sort: str) -> None:
    for n in range(5):
        three.open(f"Same {n % 2}", three.said("Agency", "2020-12-02", occurred_at="2020-10-01"))
    whole = three.titles(sort=sort)
    assert len(whole) == 8
    for limit in (1, 3, 8):
        found = [
            item["title"] for page in pages(three.client.get, f"{three.path}/incidents", sort=sort, limit=limit)
            for item in page["items"]
        ]  # fmt: skip
        assert found == whole


def test_a_cursor_is_for_its_filters_and_cut_only(three: Desk) -> None:
    path = f"{three.path}/incidents"
    cursor = read(three.client.get(path, params={"limit": 1, "kind": "flood"}))["next_cursor"]
    for other in ({}, {"kind": "fire"}, {"kind": "flood", "sort": "title"}):
        problem(three.client.get(path, params={"cursor": cursor, **other}), "malformed", 400, "query.cursor")
    for cut in ({"as_of": "position:1"}, {"said_by": "2020-12-24"}):
        answer = three.client.get(path, params={"cursor": cursor, "kind": "flood", **cut})
        problem(answer, "malformed", 400, f"query.{next(iter(cut))}")
    assert read(three.client.get(path, params={"cursor": cursor, "kind": "flood"}))["items"][0]["title"] == "Silence"


def test_a_cursor_goes_with_what_its_first_page_saw_of_the_log_only(three: Desk) -> None:
    """The same words ask for another moment where they say that the log ended elsewhere."""
    path, end = f"{three.path}/incidents", three.position
    for asked in ("head", "9000-01-01"):
        for first in (asked, f"{asked}@{end}"):
            if first == "head":
                cursor = read(three.client.get(path, params={"limit": 1}))["next_cursor"]
            else:
                cursor = read(three.client.get(path, params={"limit": 1, "as_of": first}))["next_cursor"]
            for same in (f"{asked}@{end}", f"position:{end}"):
                assert read(three.client.get(path, params={"cursor": cursor, "as_of": same}))["items"]
            for other in (f"{asked}@{end - 1}", f"{asked}@1", f"position:{end - 1}"):
                answer = three.client.get(path, params={"cursor": cursor, "as_of": other})
                problem(answer, "malformed", 400, "query.as_of")


def test_ten_thousand_incidents_are_paged_once_each_while_others_write(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As of the first page: neither what is opened meanwhile, nor what is changed."""
    url = cluster.migrated()

    async def open_many(name: str, many: int) -> list[str]:
        async with make_pool(url, Settings(pool_size=4)) as pool:
            log = Log(pool)
            ledger_id = await make_ledger(log, name)
            ids = [new_id() for _ in range(many)]
            for start in range(0, many, 1_000):
                opened = [
                    (f"incident:{id_}", IncidentOpened(title="Before", kind="shootdown"))
                    for id_ in ids[start : start + 1_000]
                ]
                await append(pool, log, ledger_id, opened)
            return [str(id_) for id_ in ids]

    expected = asyncio.run(open_many("many", 10_000))
    with (
        serve(url, tmp_path_factory.mktemp("many")) as server,
        httpx.Client(base_url=f"{server.url}/v1/ledgers/many", timeout=60) as client,
    ):
        found: list[str] = []
        changed = itertools.count()
        for page in pages(client.get, "/incidents", limit=500):
            found += [item["incident_id"] for item in page["items"]]
            assert {item["title"] for item in page["items"]} == {"Before"}
            assert page["cut"]["position"] == 10_001
            amend = {"type": "incident-amended", "title": "After", "reason": "meanwhile"}
            assert client.post(f"/incidents/{expected[-1 - next(changed)]}/revisions", json=amend).status_code == 201
            assert client.post("/incidents", json={"title": "New", "kind": "shootdown"}).status_code == 201
        assert len(found) == len(set(found)) == 10_000
        assert set(found) == set(expected)


# ---- permanent addresses ----


def test_content_location_gives_the_same_bytes_from_another_process(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Of every kind of read, at the head and at cuts; after more was written; at another server's hands."""
    url = cluster.migrated()
    folder = tmp_path_factory.mktemp("addresses")
    with serve(url, folder) as one, serve(url, folder) as other, httpx.Client(base_url=one.url, timeout=60) as client:
        desk = Desk(client)
        _record(desk)
        incident = desk.ids["Helicopter down"]
        paths = ["", "/attributes", "/sources", "/documents", "/incidents", "/statements", "/stats"]
        paths += [f"/incidents/{incident}{view}" for view in (
            "", "/matrix", "/attributes/killed", "/timeline", "/timeline?axis=said", "/diff?from=position:9",
            "/diff?from_said_by=2020-11-10&to_said_by=2020-11-12", "/statements", "/events", "/revisions",
        )]  # fmt: skip
        asked = [f"{desk.path}{path}" for path in paths]
        lists = [f"{desk.path}/{name}" for name in ("incidents", "statements")]
        asked += [f"{path}?said_by=2020-11-10&limit=1&format={form}" for path in lists for form in ("json", "csv")]
        incident_path = f"{desk.path}/incidents/{incident}"
        asked += [f"{incident_path}?said_by=2020-11-10&said_match=possible", f"{incident_path}?as_of=9998-01-01"]
        asked += [f"{path}?as_of=position:{desk.position - 1}" for path in lists]
        answers = {path: client.get(path) for path in asked}
        for path in lists:
            first = client.get(path, params={"limit": 1})
            answers[f"{path} next"] = client.get(path, params={"limit": 1, "cursor": first.json()["next_cursor"]})
        answers["geojson"] = client.get(lists[0], headers={"Accept": "application/geo+json"})
        _record(desk)
        with httpx.Client(base_url=other.url, timeout=60) as elsewhere:
            for name, answer in answers.items():
                assert answer.status_code == 200, (name, answer.text)
                again = elsewhere.get(answer.headers["content-location"])
                assert again.content == answer.content, name
                assert again.headers["content-location"] == answer.headers["content-location"], name
                assert again.headers["etag"] == answer.headers["etag"], name


def _record(desk: Desk) -> None:
    desk.post("documents", {"kind": "article", "title": "A", "versions": [{"version": 1, "change": "original"}]})
    desk.open(
        "Helicopter down",
        desk.said("Ministry", "2020-11-09", killed=count(2, 2), place={"geometry": YERESKH}),
        desk.said("Witness", "2020-11-11", killed=count(3, 3)),
    )
    desk.open("Flood", desk.said("Agency", "2020-12-01", injured=count(4)), kind="flood")


def test_lists_are_mementos(three: Desk) -> None:
    path = f"{three.path}/incidents"
    head = three.client.get(path)
    assert f'<{path}>; rel="original timegate"' in head.headers["link"]
    assert "memento-datetime" not in head.headers
    assert set(head.headers["vary"].split(", ")) == {"accept", "accept-datetime", "authorization"}
    past = three.client.get(path, headers={"Accept-Datetime": "Mon, 09 Nov 2020 14:30:00 GMT"})
    assert read(past)["items"] == []
    late = three.client.get(path, headers={"Accept-Datetime": "Mon, 09 Nov 2099 14:30:00 GMT"})
    assert len(read(late)["items"]) == 3
    assert "memento-datetime" in late.headers
    page = three.client.get(path, params={"limit": 1})
    following = page.links["next"]["url"]
    assert read(three.client.get(following))["items"][0]["title"] == "Flood"
