"""The mappings that ship, on rows of their data sets: no row is bad, and what was mapped can be given back exactly."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.importers.mapping_rows import DATA, read_by_the_product

from stet.importers.check import dry_run
from stet.importers.lines import Fields, Line, merged, read_lines, values_of
from stet.importers.mapped import Mapped, SourceName
from stet.importers.mapping import FOLDER, SHIPPED, Mapping, load_mapping
from stet.importers.table import Row, read_table
from stet.values.place import Place, Point
from stet.values.time import Time
from stet.values.value import Count, Quantity

UCDP = DATA / "ged231-car.csv.gz"
USGS = DATA / "usgs-sample.jsonl.gz"
ACLED = DATA / "acled-form.csv"
CODES = {"event_clarity": "event_clarity", "type_of_violence": "type_of_violence"}
CODES |= {"date_precision": "date_prec", "where_precision": "where_prec"}
TEXTS = {name: name for name in ("side_a", "side_b", "dyad_name", "conflict_name", "country", "source_original")}
TEXTS |= {"admin1": "adm_1", "admin2": "adm_2", "source_articles": "source_article"}


def mapped_rows(path: Path, mapping: Mapping) -> list[tuple[dict[str, str], Mapped]]:
    """Each row of a table, none of them bad, and what it comes to."""
    rows = list(read_table(path, mapping).rows)
    assert [row for row in rows if not isinstance(row, Row)] == []
    return [(row.record, mapping.apply(row.record, row.number)) for row in rows if isinstance(row, Row)]


def by_attribute(mapping: Mapping, mapped: Mapped) -> dict[tuple[str, str | None], Any]:
    """The values that the product reads; without those that are sources."""
    values = {(name, of): value for name, of, value in read_by_the_product(mapping, mapped)}
    return {at: value for at, value in values.items() if at[0] != "reported_by"}


def triple(count: Count) -> tuple[str, str, str]:
    return str(count.min), str(count.best), str(count.max)


def day(bound: datetime | None) -> str:
    assert bound
    return bound.strftime("%Y-%m-%d 00:00:00.000")


def given_back(values: dict[tuple[str, str | None], Any]) -> dict[str, str]:
    """The columns of UCDP that the values of one row hold."""
    columns = {column: values[name, None] for name, column in (CODES | TEXTS).items() if (name, None) in values}
    columns["low"], columns["best"], columns["high"] = triple(values["killed", None])
    for of, column in (("side-a", "a"), ("side-b", "b"), ("civilians", "civilians"), ("unknown", "unknown")):
        count = values["killed", of]
        assert count.min == count.max
        columns[f"deaths_{column}"] = str(count.min)
    when, place = values["occurred_at", None], values["place", None]
    assert isinstance(when, Time)
    assert isinstance(place, Place)
    assert isinstance(place.geometry, Point)
    columns["date_start"], columns["date_end"] = day(when.earliest), day(when.latest)
    columns["longitude"], columns["latitude"] = map(str, place.geometry.coordinates)
    assert place.name
    return columns | {"where_coordinates": place.name}


def test_every_mapped_column_of_ucdp_can_be_given_back_exactly() -> None:
    """All 1,848 rows, by the values that the product stores."""
    mapping = load_mapping("ucdp-ged")
    rows = mapped_rows(UCDP, mapping)
    assert len(rows) == len({mapped.key for _, mapped in rows}) == 1_848
    inconsistent = 0
    for record, mapped in rows:
        assert mapped.key == record["id"]
        values = by_attribute(mapping, mapped)
        back = given_back(values)
        expected = {column: record[column] for column in back}
        assert back == expected
        empty = {column for column in record if column in TEXTS.values() and not record[column].strip()}
        assert empty == set(TEXTS.values()) - back.keys()
        low, best, high = (int(record[column]) for column in ("low", "best", "high"))
        assert values["killed", None].inconsistent == (not low <= best <= high)
        inconsistent += values["killed", None].inconsistent
    assert inconsistent == 20


def test_ucdp_names_its_sources_its_kinds_and_how_sure_it_is() -> None:
    rows = mapped_rows(UCDP, load_mapping("ucdp-ged"))
    for record, mapped in rows:
        names = [claim.value for claim in mapped.claims if claim.attribute == "reported_by"]
        offices = dict.fromkeys(part.strip() for part in record["source_office"].split(";") if part.strip())
        assert names == [SourceName(" ".join(office.split("\n")), "outlet") for office in offices]
        hedged = {claim.certainty for claim in mapped.claims if claim.attribute == "killed"}
        assert hedged == {"approximate" if record["event_clarity"] == "2" else "plain"}
        (place,) = (claim for claim in mapped.claims if claim.attribute == "place")
        assert (place.verbatim or "").strip() == record["where_description"].strip()
    assert Counter(mapped.kind for _, mapped in rows) == {
        "one-sided-violence": 1_076,
        "state-based-violence": 401,
        "non-state-violence": 371,
    }


def test_a_candidate_file_of_ucdp_has_no_header(tmp_path: Path) -> None:
    """Its columns are told by their number."""
    mapping = load_mapping("ucdp-ged")
    path = tmp_path / "candidate.csv"
    lines = gzip.decompress(UCDP.read_bytes()).split(b"\n", 1)
    path.write_bytes(lines[1])
    table = read_table(path, mapping)
    assert table.columns == next(csv.reader([lines[0].decode()]))
    assert mapped_rows(path, mapping) == mapped_rows(UCDP, mapping)


@pytest.mark.parametrize(("name", "path"), [("ucdp-ged", UCDP), ("acled", ACLED), ("usgs", USGS)])
def test_every_column_is_mapped_or_ignored(name: str, path: Path) -> None:
    report = dry_run(path, load_mapping(name), "records" if name == "usgs" else "table")
    assert report.rows
    assert (report.bad, report.unmapped, report.unseen, report.odd) == (0, (), (), {})


def test_earthquakes_at_every_line() -> None:
    """Each correction gives the values that the record then has."""
    mapping = load_mapping("usgs")
    state: dict[str, Fields] = {}
    lines = list(read_lines(USGS))
    for line in lines:
        assert isinstance(line, Line)
        if line.op == "delete":
            del state[line.key]
            continue
        state[line.key] = merged(state.get(line.key, {}), line)
        record = values_of(state[line.key])
        mapped = mapping.apply(record, line.number, line.key)
        values = by_attribute(mapping, mapped)
        assert (mapped.key, mapped.kind, mapped.title) == (
            line.key,
            "earthquake",
            f"M {record['mag']} - {record['place']}",
        )
        assert values["magnitude", None] == Quantity(float(record["mag"]), "M")
        assert values["depth", None] == Quantity(float(record["depth"]), "km")
        when = values["occurred_at", None]
        assert when.earliest == when.latest
        assert round(when.earliest.timestamp() * 1_000) == record["time"]
        place = values["place", None]
        assert place.geometry == Point((float(record["lon"]), float(record["lat"])))
        assert (place.name, place.level) == (record["place"], "settlement")
    assert Counter(line.op for line in lines if isinstance(line, Line)).keys() == {"create", "update", "delete"}


def test_an_earthquake_of_unknown_magnitude() -> None:
    mapped = load_mapping("usgs").apply(
        {"mag": None, "place": None, "lon": 1, "lat": 2, "depth": None, "time": 0}, 1, "k"
    )
    assert mapped.title == "M ? - unknown place"
    assert [claim.attribute for claim in mapped.claims] == ["occurred_at", "place"]


def test_acled_says_what_its_codes_mean() -> None:
    mapping = load_mapping("acled")
    first, second, third = (mapped for _, mapped in mapped_rows(ACLED, mapping))
    values = [by_attribute(mapping, mapped) for mapped in (first, second, third)]
    assert [one["killed", None] for one in values] == [Count(min=2, max=2), Count(min=0), Count(min=0)]
    spans = [(day(one["occurred_at", None].earliest)[:10], day(one["occurred_at", None].latest)[:10]) for one in values]
    assert spans == [("2020-11-09", "2020-11-09"), ("2020-11-11", "2020-11-17"), ("2020-12-01", "2020-12-31")]
    assert [one["occurred_at", None].approximate for one in values] == [False, True, True]
    assert [(one["place", None].level, one["place", None].relation) for one in values] == [
        ("admin2", "near"),
        ("settlement", "at"),
        ("admin1", None),
    ]
    assert [claim.value for claim in first.claims if claim.attribute == "reported_by"] == [
        SourceName("First Agency", "outlet"),
        SourceName("Second Agency", "outlet"),
    ]
    assert first.said_at == {"earliest": "2020-11-10T09:20:00Z", "latest": "2020-11-10T09:20:00Z"}
    assert [mapped.kind for mapped in (first, second, third)] == ["battle", "protest", "riot"]
    assert second.tags == ("acled", "demonstrations", "crowd-size-no-report")
    assert values[2]["notes", None] == 'In December, "some" were hurt.'


def test_ucdp_and_acled_define_what_they_share_alike() -> None:
    """Both can be imported into one ledger: an attribute's type and rule never change."""
    defined: dict[str, tuple[str, str]] = {}
    for name in SHIPPED:
        for attribute in load_mapping(name).attributes:
            assert defined.setdefault(attribute.name, (attribute.type_, attribute.rule)) == (
                attribute.type_,
                attribute.rule,
            )
    assert {path.stem for path in FOLDER.iterdir()} == set(SHIPPED) == {"acled", "ucdp-ged", "usgs"}
