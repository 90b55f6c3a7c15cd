"""Exports: the same as the lists say, in every form, at any cut, of any size."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import tracemalloc
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
import pyarrow.parquet
import pytest
from tests.conftest import Server
from tests.http.asking import a_source, a_statement, an_incident, id_of, killed, made, malformed, problem, read
from tests.projections.test_histories import append
from tests.store.writing import make_ledger

from stet.database.pool import Pool, of_ledger
from stet.exporters import acled, reading, ucdp
from stet.exporters.forms import FORMS, export
from stet.exporters.reading import wanted_of
from stet.ids import new_id
from stet.incident.events import IncidentOpened
from stet.queries.cut import resolve_cut
from stet.queries.filters import IncidentFilter
from stet.reference.load import DESK, Loaded, load_reference
from stet.store.append import Log

# The database makes no difference to what is tested here: one of them is enough.
pytestmark = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")
ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = [
    '=HYPERLINK("x")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    'he said "no", twice',
    "two\r\nlines\nand\ta tab",
    "\x01\x1f\x7f\ufffe control",
    "\u202eright to left \u0627\u0644",
    "<b>&amp;]]></b>",
    "'=quoted",
    "🚁" * 50,
]
"""What spreadsheets, XML and terminals trip over."""


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    """The rows of a CSV, checked to be whole."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.endswith(b"\r\n")
    found = list(csv.DictReader(io.StringIO(answer.content.decode(), newline=""), strict=True))
    assert all(None not in row and None not in row.values() for row in found)
    return found


def listed(client: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = read(client.get(path, params={"limit": 2, **query, **cursor}))
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}


def lines(answer: httpx.Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.content.splitlines()]


# ---- the reference incident ----


@pytest.fixture(scope="module")
def reference(server: Server) -> Loaded:
    return load_reference(server.url, "exported", lambda _: None)


CUTS: list[dict[str, Any]] = [
    {},
    {"as_of": DESK},
    {"as_of": "position:24"},
    {"said_by": "2020-11-09"},
    {"said_by": "2020-12-31", "as_of": DESK},
    {"kind": "capture"},
    {"q": "Yeraskh", "sort": "-title"},
    {"bbox": "44,39,45,40", "sort": "-occurred_at"},
    {"killed_min": 1, "attribute": "responsible", "attribute_status": "admitted"},
    {"tag": "no-such-tag"},
]


@pytest.mark.parametrize("asked", CUTS, ids=str)
def test_each_form_is_what_the_list_says(client: httpx.Client, reference: Loaded, asked: dict[str, Any]) -> None:
    """The incidents of all pages of the list at the same cut, in its order, with its values."""
    root = f"/v1/ledgers/{reference.ledger}"
    if asked.get("as_of") == DESK:
        asked = asked | {"as_of": f"position:{reference.positions[DESK]}"}
    items = listed(client, f"{root}/incidents", **asked)
    ids = [item["incident_id"] for item in items]

    def get(form: str) -> httpx.Response:
        return client.get(f"{root}/exports/{form}", params=asked)

    assert lines(get("ndjson")) == items
    collection = read(get("geojson"))
    assert [feature["properties"] for feature in collection["features"]] == items
    assert collection["cut"] == read(client.get(f"{root}/incidents", params=asked))["cut"]
    table = rows(get("csv"))
    assert [row["incident_id"] for row in table] == ids
    for row, item in zip(table, items, strict=True):
        assert [row["title"], row["killed_min"]] == [
            item["title"],
            str(item["killed"]["min"]) if item["killed"] else "",
        ]
        assert row["control"] == item["values"].get("control", "")
    table_ = pyarrow.parquet.read_table(io.BytesIO(get("parquet").content))
    assert table_.column_names == next(csv.reader(io.StringIO(get("csv").text)))
    assert table_["incident_id"].to_pylist() == ids
    assert [row["id"] for row in rows(get("ucdp"))] == ids
    assert [row["event_id_cnty"] for row in rows(get("acled"))] == ids
    cut = {name: value for name, value in asked.items() if name in ("as_of", "said_by")}
    statements = listed(client, f"{root}/statements", **cut)
    claims = {(s["incident_id"], c["claim_id"]) for s in statements for c in s["claims"] if s["incident_id"] in ids}
    found = rows(get("claims"))
    assert {(row["incident_id"], row["claim_id"]) for row in found if row["claim_id"]} == claims
    assert len([row for row in found if row["claim_id"]]) == len(claims)


def test_the_worked_example_of_the_two_houses(client: httpx.Client, reference: Loaded) -> None:
    """The reference incident after the desk's acts: what UCDP and ACLED would write, and what they cannot."""
    root = f"/v1/ledgers/{reference.ledger}/exports"
    cut = {"as_of": f"position:{reference.positions[DESK]}", "kind": "shootdown"}
    answer = client.get(f"{root}/acled", params=cut)
    assert answer.text.partition("\r\n")[0].split(",") == list(acled.COLUMNS)
    (row,) = rows(answer)
    expected = {
        "event_date": "2020-11-09",
        "year": "2020",
        "time_precision": "1",
        "location": "Yeraskh",
        "geo_precision": "2",
        "fatalities": "2",
        "event_type": "",
        "sub_event_type": "",
        "source": "The outlet of the article (not named in the text)",
    }
    assert {name: row[name] for name in expected} == expected
    assert {row["actor1"], row["actor2"]} == {"Azerbaijan", "Russia"}
    assert "Ministry of Foreign Affairs of Azerbaijan" in row["notes"]
    answer = client.get(f"{root}/ucdp", params=cut)
    assert answer.text.partition("\r\n")[0].split(",") == list(ucdp.COLUMNS)
    (row,) = rows(answer)
    expected = {"date_prec": "1", "where_prec": "2", "best": "2", "low": "2", "high": "2", "event_clarity": "1"}
    expected |= {"date_start": "2020-11-09 00:00:00.000", "date_end": "2020-11-09 00:00:00.000", "dyad_name": ""}
    assert {name: row[name] for name in expected} == expected
    for house in ("acled", "ucdp"):
        lost = rows(client.get(f"{root}/{house}-losses", params=cut))
        assert {one["incident_id"] for one in lost} == {reference.ids["I1"]}
        kinds = {(one["loss"], one["attribute"]) for one in lost}
        assert {("several-speakers", ""), ("reactions", ""), ("history", "")} <= kinds
        assert {("time-of-day", "occurred_at"), ("left-out", "intent" if house == "ucdp" else "mission")} <= kinds
        assert any(one["attribute"] == "responsible" and one["detail"].startswith("admitted") for one in lost)
    (lost,) = [one for one in lost if one["column"] == "dyad_name"]
    assert lost["loss"] == "not-representable"


def test_places_and_times_of_geojson(client: httpx.Client, reference: Loaded) -> None:
    """The finest place with its radius; both ends of the time, with how precise and how certain they are."""
    answer = read(client.get(f"/v1/ledgers/{reference.ledger}/exports/geojson", params={"kind": "shootdown"}))
    (feature,) = answer["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [44.85, 39.74]}
    assert feature["where"] == {"radius_m": 3000.0, "certainty": "certain"}
    bounds = {"earliest": "2020-11-09T14:15:00Z", "latest": "2020-11-09T14:39:00Z"}
    assert feature["when"] == {
        "timespans": [{"start": bounds, "end": bounds}],
        "precision": "hour",
        "approximate": True,
        "certainty": "certain",
    }
    assert feature["id"] == reference.ids["I1"]


def test_an_export_is_the_same_for_ever(client: httpx.Client, ledger: str) -> None:
    """Its address gives the same bytes again after more was recorded; a final cut may be kept."""
    an_incident(client, ledger, statements=[a_statement(a_source(client, ledger))])
    first = {form: client.get(f"{ledger}/exports/{form}") for form in FORMS}
    an_incident(client, ledger)
    for form, answer in first.items():
        again = client.get(answer.headers["content-location"])
        assert again.content == answer.content, form
        assert again.headers["stet-position"] == answer.headers["stet-position"]
        named = f'attachment; filename="{id_of(ledger)}.{FORMS[form].extension}"'
        assert answer.headers["content-disposition"] == named
    final = client.get(f"{ledger}/exports/csv?as_of=position:2")
    assert "immutable" in final.headers["cache-control"]
    head = client.head(f"{ledger}/exports/ndjson")
    assert (head.status_code, head.content) == (200, b"")


# ---- a table that comes back ----

NUMBERS = {"low": 7, "best": 5, "high": 6}
"""A triple that contradicts itself, as published."""
ATTRIBUTES = {
    **dict.fromkeys(("event_clarity", "type_of_violence", "date_precision", "where_precision"), "term"),
    **dict.fromkeys(("side_a", "side_b", "dyad_name", "conflict_name", "country", "admin1", "source_articles"), "text"),
}


def test_a_row_of_ucdp_comes_back(client: httpx.Client, ledger: str) -> None:
    """What a mapping puts into attributes is again in its columns, and nothing of it is lost."""
    source, outlets = a_source(client, ledger), [a_source(client, ledger, name) for name in ("Wire Z", "Paper A")]
    for name, type_ in ATTRIBUTES.items():
        made(client.post(f"{ledger}/attributes", json={"name": name, "type": type_, "rule": "latest"}))
    made(client.post(f"{ledger}/attributes", json={"name": "reported_by", "type": "source", "rule": "all"}))
    given = {
        "event_clarity": "2",
        "type_of_violence": "1",
        "date_precision": "5",
        "where_precision": "4",
        "side_a": "Government of X",
        "side_b": "- the others",
        "dyad_name": "Government of X - the others",
        "conflict_name": "X: Government",
        "country": "X",
        "admin1": "North",
        "source_articles": "Reuters  25/2-09; " + "long " * 100,
        "occurred_at": {"earliest": "2009-08-07T00:00:00Z", "latest": "2009-09-10T23:59:59.999999Z"},
        "killed": {"min": 7, "best": 5, "max": 6, "inconsistent": True},
        "place": {
            "geometry": {"type": "Point", "coordinates": [-26.0, 5.399784]},
            "name": "Obo town",
            "level": "admin1",
        },
    }
    claims = [{"attribute": name, "value": value} for name, value in given.items()]
    claims += [{"attribute": "killed", "of": "side-a", "value": {"min": 0, "max": 0}}]
    claims += [{"attribute": "reported_by", "value": {"source_id": outlet}} for outlet in outlets]
    claims[[claim["attribute"] for claim in claims].index("place")]["verbatim"] = "Obo, in the north"
    incident = an_incident(client, ledger, kind="state-based-violence", tags=["ucdp-ged", "africa"])
    made(client.post(f"{incident}/statements", json={"speaker": source, "said_at": "2023-06-01", "claims": claims}))
    (row,) = rows(client.get(f"{ledger}/exports/ucdp"))
    expected = {
        **{name: str(number) for name, number in NUMBERS.items()},
        "id": id_of(incident),
        "year": "2009",
        "type_of_violence": "1",
        "event_clarity": "2",
        "region": "Africa",
        "date_prec": "5",
        "date_start": "2009-08-07 00:00:00.000",
        "date_end": "2009-09-10 00:00:00.000",
        "where_prec": "4",
        "where_coordinates": "Obo town",
        "where_description": "Obo, in the north",
        "latitude": "5.399784",
        "longitude": "-26.0",
        "geom_wkt": "POINT (-26.0 5.399784)",
        "adm_1": "North",
        "side_a": "Government of X",
        "side_b": "'- the others",
        "country": "X",
        "source_office": "Wire Z;Paper A",
        "deaths_a": "0",
        "deaths_b": "",
        "source_article": given["source_articles"],
        "priogrid_gid": "137109",
    }
    assert {name: row[name] for name in expected} == expected
    assert rows(client.get(f"{ledger}/exports/ucdp-losses")) == []


def test_what_is_not_known_is_lost_and_said_to_be(client: httpx.Client, ledger: str) -> None:
    """Open bounds, several groups, no best: each with its column."""
    source = a_source(client, ledger)
    groups = [{**killed(n), "of": of} for n, of in ((2, "crew"), (5, "passengers"))]
    several = [*groups, {"attribute": "occurred_at", "value": {"earliest": "2020-01-01T00:00:00Z"}}]
    wide = [
        {"attribute": "killed", "value": {"min": 1, "max": 4}},
        {"attribute": "occurred_at", "value": "2018/2020"},
        {"attribute": "place", "value": {"name": "somewhere"}},
    ]
    for claims in (several, wide, [{"attribute": "killed", "value": {"min": 3}}]):
        an_incident(client, ledger, statements=[{"speaker": source, "claims": claims}])
    lost = rows(client.get(f"{ledger}/exports/ucdp-losses"))
    found: dict[str, set[tuple[str, str]]] = {}
    for one in lost:
        found.setdefault(one["incident_id"], set()).add((one["loss"], one["column"]))
    first, second, third = found.values()
    assert {("groups", "best"), ("open-time", "date_start"), ("open-count", "high")} <= first
    assert {("no-best", "best"), ("not-representable", "date_prec"), ("not-stated", "latitude")} <= second
    assert {("not-stated", "where_prec"), ("not-stated", "date_start"), ("open-count", "high")} <= third
    assert [row["best"] for row in rows(client.get(f"{ledger}/exports/ucdp"))] == ["5", "1", "3"]
    assert [row["fatalities"] for row in rows(client.get(f"{ledger}/exports/acled"))] == ["5", "1", "3"]
    none = an_incident(client, ledger, title="Nobody spoke")
    (row,) = [r for r in rows(client.get(f"{ledger}/exports/acled")) if r["event_id_cnty"] == id_of(none)]
    assert row["fatalities"] == "0"
    lost = rows(client.get(f"{ledger}/exports/acled-losses"))
    assert ("not-stated", "fatalities") in {(o["loss"], o["column"]) for o in lost if o["id"] == id_of(none)}


# ---- any text, any attribute, nothing at all ----


def test_each_type_of_value_has_its_columns(client: httpx.Client, ledger: str) -> None:
    """Also of an attribute that is called like a column that is there already."""
    values = {
        ("title", "text"): "the value",
        ("depth", "quantity"): {"amount": 10.5, "unit": "km"},
        ("toll", "count"): {"min": 1, "max": 3, "best": 2},
        ("seen", "boolean"): False,
        ("moment", "time"): {"earliest": "2020-01-01T00:00:00Z", "latest": "2020-01-02T00:00:00Z"},
        ("spot", "place"): {"name": "there"},
    }
    for name, type_ in values:
        made(client.post(f"{ledger}/attributes", json={"name": name, "type": type_, "rule": "latest"}))
    claims = [{"attribute": name, "value": value} for (name, _), value in values.items()]
    statement = {"speaker": a_source(client, ledger), "claims": claims}
    an_incident(client, ledger, title="The title", statements=[statement])
    (row,) = rows(client.get(f"{ledger}/exports/csv"))
    expected = {
        "title": "The title",
        "values.title": "the value",
        "depth": "10.5",
        "depth.unit": "km",
        "toll.min": "1",
        "toll.max": "3",
        "toll.best": "2",
        "seen": "false",
        "moment.earliest": "2020-01-01T00:00:00Z",
        "moment.best": "",
    }
    assert {name: row[name] for name in expected} == expected
    assert "spot" not in row
    table = pyarrow.parquet.read_table(io.BytesIO(client.get(f"{ledger}/exports/parquet").content))
    (found,) = table.to_pylist()
    assert (found["depth"], found["toll.best"], found["seen"]) == (10.5, 2, False)
    assert found["moment.earliest"].isoformat() == "2020-01-01T00:00:00+00:00"
    assert found["tags"] == []
    assert found["attributes"][0].startswith("depth=")
    types = {name: str(table.schema.field(name).type) for name in ("toll.min", "depth", "opened_at", "tags", "title")}
    assert types == {
        "toll.min": "int64",
        "depth": "double",
        "opened_at": "timestamp[us, tz=UTC]",
        "tags": "list<element: string>",
        "title": "string",
    }
    assert json.loads(table.schema.metadata[b"stet.cut"])["position"] == 10
    earlier = client.get(f"{ledger}/exports/csv?as_of=position:2").text
    assert "values.title" in earlier
    assert "depth" not in earlier


def test_hostile_texts_come_through_every_form(client: httpx.Client, ledger: str) -> None:
    """A CSV gives each back behind at most an apostrophe, XML is XML, the other forms have it as it is."""
    made(client.post(f"{ledger}/attributes", json={"name": "note", "type": "text", "rule": "latest"}))
    source = a_source(client, ledger)
    for text in HOSTILE:
        claims = [{"attribute": "note", "value": text, "verbatim": text}]
        title = re.sub(r"[\r\n]", " ", text)
        an_incident(client, ledger, title=title, statements=[{"speaker": source, "claims": claims}])
    found = rows(client.get(f"{ledger}/exports/csv"))
    assert [row["note"].removeprefix("'") for row in found] == [text.removeprefix("'") for text in HOSTILE]
    assert [row["verbatim"].removeprefix("'") for row in rows(client.get(f"{ledger}/exports/claims"))] == [
        text.removeprefix("'") for text in HOSTILE
    ]
    for form in ("csv", "claims", "ucdp", "ucdp-losses", "acled", "acled-losses"):
        cells = [cell for row in rows(client.get(f"{ledger}/exports/{form}")) for cell in row.values()]
        assert not [c for c in cells if re.match(r"[=+@\t\r-]", c) and not re.fullmatch(r"-?[\d.]+", c)], form
    assert [item["values"]["note"] for item in lines(client.get(f"{ledger}/exports/ndjson"))] == HOSTILE
    table = pyarrow.parquet.read_table(io.BytesIO(client.get(f"{ledger}/exports/parquet").content))
    assert table["note"].to_pylist() == HOSTILE
    feed = ElementTree.fromstring(client.get(f"{ledger}/exports/atom").content)
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]
    assert "\ufffd\ufffd\x7f\ufffd control" in titles
    assert {'=HYPERLINK("x")', "<b>&amp;]]></b>", "🚁" * 50} <= set(titles)


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_ledger(client: httpx.Client, ledger: str, form: str) -> None:
    answer = client.get(f"{ledger}/exports/{form}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == FORMS[form].media_type  # type: ignore[index]
    match form:
        case "ndjson":
            assert answer.content == b""
        case "geojson":
            assert answer.json()["features"] == []
        case "parquet":
            assert pyarrow.parquet.read_table(io.BytesIO(answer.content)).num_rows == 0
        case _:
            assert answer.content.count(b"\r\n") == 1


def test_what_cannot_be_exported(client: httpx.Client, ledger: str) -> None:
    """Before anything is sent."""
    malformed(client.get(f"{ledger}/exports/xlsx"), "path.form")
    malformed(client.get(f"{ledger}/exports/csv?colour=1"), "query.colour")
    malformed(client.get(f"{ledger}/exports/csv?killed_min=-1"), "query.killed_min")
    malformed(client.get(f"{ledger}/exports/csv?near=1,1"), "query.radius")
    malformed(client.get(f"{ledger}/exports/csv", params={"q": "?!"}), "query.q")
    malformed(client.get(f"{ledger}/exports/csv?limit=5"), "query.limit")
    problem(client.get(f"{ledger}/exports/csv?as_of=position:99"), "not-found", 404)
    problem(client.get("/v1/ledgers/no-such-ledger/exports/csv"), "not-found", 404)
    malformed(client.get(f"{ledger}/exports/atom?before=0"), "query.before")
    problem(client.get(f"{ledger}/exports/atom?before=99"), "not-found", 404)
    malformed(client.get(f"{ledger}/changes?format=atom&after=0"), "query.after")


# ---- of any size, whoever reads it ----


async def open_many(pool: Pool, name: str, many: int) -> None:
    log = Log(pool)
    ledger_id = await make_ledger(log, name)
    text = "A title of some length, as they are found in real data sets. " * 4
    for start in range(0, many, 500):
        opened = [IncidentOpened(title=f"{text}{n}", kind="shootdown") for n in range(start, min(start + 500, many))]
        await append(pool, log, ledger_id, [(f"incident:{new_id()}", event) for event in opened])


async def peak_of(pool: Pool, name: str, form: Any) -> tuple[int, int]:
    """How large an export is, and how much memory it took at most."""
    async with pool.connection() as connection:
        row = await (await connection.execute("SELECT ledger_id FROM stet.ledger WHERE name = %s", (name,))).fetchone()
    assert row
    async with of_ledger(pool, row[0]) as connection:
        cut = await resolve_cut(connection, row[0])
        wanted = await wanted_of(connection, row[0], cut, IncidentFilter(), "opened_at")
    tracemalloc.start()
    try:
        size = sum([len(piece) async for piece in export(pool, form, FORMS[form].writer(wanted), wanted)])
        return size, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_memory_does_not_grow_with_the_export(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eight times as many incidents the file is eight times as large, and takes as much memory."""
    monkeypatch.setattr(reading, "SUMMARIES", 50)
    for name, many in (("small", 150), ("large", 1_200)):
        await open_many(pool, name, many)
    for form in ("csv", "claims"):
        await peak_of(pool, "small", form)
        small, little = await peak_of(pool, "small", form)
        large, much = await peak_of(pool, "large", form)
        assert form != "csv" or large > 7 * small
        assert much < 1.5 * little, form


async def test_a_client_that_leaves_takes_no_connection_with_it(pool: Pool) -> None:
    """Wherever it leaves: between two pages, or while one is read. Nothing is held between two pages."""
    await open_many(pool, "left", 1_100)
    async with pool.connection() as connection:
        row = await (await connection.execute("SELECT ledger_id FROM stet.ledger")).fetchone()
    assert row
    async with of_ledger(pool, row[0]) as connection:
        cut = await resolve_cut(connection, row[0])
        wanted = await wanted_of(connection, row[0], cut, IncidentFilter(), "opened_at")

    others = asyncio.all_tasks()

    async def take(pieces: int) -> None:
        body = export(pool, "ndjson", FORMS["ndjson"].writer(wanted), wanted)
        for _ in range(pieces):
            await anext(body)
            assert pool.get_stats()["pool_available"] == pool.get_stats()["pool_size"]
        reading = asyncio.ensure_future(anext(body))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await body.aclose()  # type: ignore[attr-defined]
        await asyncio.gather(*asyncio.all_tasks() - others)

    for pieces in (0, 1, 2, 3):
        await take(pieces)
    whole = b"".join([piece async for piece in export(pool, "ndjson", FORMS["ndjson"].writer(wanted), wanted)])
    assert whole.count(b"\n") == 1_100
    for _ in range(2 * pool.max_size):
        async with pool.connection() as connection:
            assert connection.info.transaction_status.name == "IDLE"


# ---- the changes as Atom ----


def entries(feed: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for entry in feed.iter(f"{ATOM}entry"):
        id_, updated = entry.findtext(f"{ATOM}id"), entry.findtext(f"{ATOM}updated")
        assert id_
        assert updated
        assert entry.findtext(f"{ATOM}title")
        assert entry.findtext(f"{ATOM}author/{ATOM}name")
        yield id_, updated


@pytest.mark.parametrize("limit", [1, 3, 7, 1000])
def test_pages_of_atom_add_up_to_the_changes(client: httpx.Client, reference: Loaded, limit: int) -> None:
    """Newest first, every change once, by the links of RFC 5005; each link leads to what it is about."""
    root = f"/v1/ledgers/{reference.ledger}"
    expected = []
    for item in read(client.get(f"{root}/changes?limit=1000"))["items"]:
        expected += [(f"{item['position']}:{one['kind']}:{one['id']}", item["recorded_at"]) for one in item["changes"]]
    found, following = [], f"{root}/exports/atom?limit={limit}"
    ids = set()
    while following:
        answer = client.get(following)
        assert answer.headers["content-type"].startswith("application/atom+xml")
        feed = ElementTree.fromstring(answer.content)
        ids.add(feed.findtext(f"{ATOM}id"))
        page = list(entries(feed))
        assert page
        assert feed.findtext(f"{ATOM}updated") == page[0][1]
        found += page
        links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
        assert client.get(str(links["self"])).content == answer.content
        following = links.get("next") or ""
    assert len(ids) == 1
    positions = [int(id_.split(":")[4]) for id_, _ in found]
    assert positions == sorted(positions, reverse=True)
    assert sorted((id_.split(":", 4)[4], updated) for id_, updated in found) == sorted(expected)
    for link in list(feed.iter(f"{ATOM}link"))[-3:]:
        assert client.get(str(link.get("href"))).status_code == 200


def test_changes_are_given_as_atom_to_who_asks(client: httpx.Client, ledger: str) -> None:
    an_incident(client, ledger)
    feed = client.get(f"{ledger}/exports/atom")
    answer = client.get(
        f"{ledger}/changes", headers={"accept": "application/atom+xml, application/xml;q=0.9, */*;q=0.8"}
    )
    assert answer.content == feed.content == client.get(f"{ledger}/changes?format=atom").content
    assert urlsplit(str(answer.url)).path.endswith("/changes")
    assert client.get(f"{ledger}/changes").headers["content-type"] == "application/json"
