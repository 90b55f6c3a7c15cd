"""The mapping: what a TOML may say, and what each of its rules makes of a row."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.importers.mapping_rows import START, claim, mapping_of, read_by_the_product

from stet.errors import Malformed
from stet.importers.mapped import BadRow, SourceName
from stet.importers.mapping import FOLDER, SHIPPED, Mapping, load_mapping, read_mapping, slug_of

ROOT = Path(__file__).parents[2]
NAMED = f'{START}[source]\nname = "x"'
KILLS = '[[claims]]\nattribute = "killed"'
KILLED = claim('column = "n"', "killed", "count")
TRIPLE = claim('low = "low"\nbest = "best"\nhigh = "high"', "killed", "count")
WHEN = claim('column = "t"', "occurred_at", "time")
SPAN = claim('column = "t"\nend = "u"', "occurred_at", "time")
POINT = claim('latitude = "lat"\nlongitude = "lon"\nnames = ["town", "land"]', "place", "place")


def formats(*names: str, more: str = "") -> str:
    return claim(f'column = "t"\nformats = {json.dumps(names)}\n{more}', "occurred_at", "time")


def bounds(earliest: str, latest: str, **more: Any) -> dict[str, Any]:
    return {"earliest": f"{earliest}Z", "latest": f"{latest}Z", **more}


def days(first: str, last: str, **more: Any) -> dict[str, Any]:
    return bounds(f"{first}T00:00:00", f"{last}T23:59:59.999999", **more)


def only_value(mapping: Mapping, record: dict[str, Any]) -> Any:
    """The one value that the row claims; None if there is none. It is one that the product takes."""
    mapped = mapping.apply({"id": "1"} | record, 2)
    assert len(read_by_the_product(mapping, mapped)) == len(mapped.claims) <= 1
    return mapped.claims[0].value if mapped.claims else None


WEEK = """
[claims.precision]
column = "p"
[claims.precision.codes]
1 = { window = "day" }
2 = { window = "week", approximate = true }
3 = { window = "month" }
4 = { window = "year" }
"""
CODED = """
[claims.precision]
column = "p"
[claims.precision.codes]
1 = { level = "settlement", relation = "at" }
2 = { radius_m = 25000, relation = "near" }
"""
COMMAS = '[file]\ndecimal = ","\nthousands = "."\n'


@pytest.mark.parametrize(
    ("tables", "record", "value"),
    [
        (KILLED, {"n": "3"}, {"min": 3, "max": 3}),
        (KILLED, {"n": 3}, {"min": 3, "max": 3}),
        (KILLED, {"n": "0"}, {"min": 0, "max": 0}),
        (KILLED, {"n": Decimal("3.0")}, {"min": 3, "max": 3}),
        (KILLED, {"n": " "}, None),
        (KILLED, {"n": None}, None),
        (KILLED, {}, None),
        (claim('column = "n"\nzero = "unknown"', "killed", "count"), {"n": "0"}, {"min": 0}),
        (claim('column = "n"\nzero = "unknown"', "killed", "count"), {"n": "2"}, {"min": 2, "max": 2}),
        (claim('column = "n"\nmissing = ["-1"]', "killed", "count"), {"n": "-1"}, None),
        (COMMAS + KILLED, {"n": "1.234"}, {"min": 1234, "max": 1234}),
        (TRIPLE, {"low": "1", "best": "2", "high": "4"}, {"min": 1, "best": 2, "max": 4}),
        (TRIPLE, {"low": "", "best": "2", "high": ""}, {"min": 0, "best": 2}),
        (TRIPLE, {"low": "3", "best": "2", "high": "4"}, {"min": 3, "best": 2, "max": 4, "inconsistent": True}),
        (TRIPLE, {"low": "1", "best": "5", "high": "4"}, {"min": 1, "best": 5, "max": 4, "inconsistent": True}),
        (WHEN, {"t": "2020-11-09"}, days("2020-11-09", "2020-11-09")),
        (WHEN, {"t": "2020-11-09 00:00:00.000"}, days("2020-11-09", "2020-11-09")),
        (
            claim('column = "t"\nzone = "Asia/Yerevan"', "occurred_at", "time"),
            {"t": "2020-11-09"},
            bounds("2020-11-08T20:00:00", "2020-11-09T19:59:59.999999", zone="Asia/Yerevan"),
        ),
        (SPAN, {"t": "2020-11-09", "u": "2020-11-11"}, days("2020-11-09", "2020-11-11")),
        (SPAN, {"t": "", "u": "2020-11-11"}, {"latest": "2020-11-11T23:59:59.999999Z"}),
        (SPAN, {"t": "2020-11-09", "u": ""}, days("2020-11-09", "2020-11-09")),
        (formats("date", "%d %B %Y"), {"t": "9 November 2020"}, days("2020-11-09", "2020-11-09")),
        (
            formats("date-time"),
            {"t": "2020-11-09T14:30:00+04:00"},
            bounds("2020-11-09T10:30:00", "2020-11-09T10:30:00"),
        ),
        (formats("date-time"), {"t": "2020-11-09 14:30Z"}, bounds("2020-11-09T14:30:00", "2020-11-09T14:30:59.999999")),
        (
            formats("date-time", more='zone = "Europe/Berlin"'),  # an hour that the clocks showed twice
            {"t": "2020-10-25 02:30:00"},
            bounds("2020-10-25T00:30:00", "2020-10-25T01:30:00", zone="Europe/Berlin"),
        ),
        (formats("epoch-s"), {"t": "1605000000"}, bounds("2020-11-10T09:20:00", "2020-11-10T09:20:00")),
        (formats("epoch-ms"), {"t": 1605000000001}, bounds("2020-11-10T09:20:00.001000", "2020-11-10T09:20:00.001000")),
        (formats("epoch-s"), {"t": -1}, bounds("1969-12-31T23:59:59", "1969-12-31T23:59:59")),
        (formats("edtf"), {"t": "2020-11~"}, days("2020-11-01", "2020-11-30", approximate=True)),
        (formats("edtf", "%d.%m.%Y"), {"t": "9.11.2020"}, days("2020-11-09", "2020-11-09")),
        (formats("date", more=WEEK), {"t": "2020-11-09", "p": "1"}, days("2020-11-09", "2020-11-09")),
        (
            formats("date", more=WEEK),
            {"t": "2020-11-09", "p": "2"},
            days("2020-11-06", "2020-11-12", approximate=True),
        ),
        (formats("date", more=WEEK), {"t": "2020-02-09", "p": 3}, days("2020-02-01", "2020-02-29")),
        (formats("date", more=WEEK), {"t": "2020-02-09", "p": 4}, days("2020-01-01", "2020-12-31")),
        (
            POINT,
            {"lat": "39.74", "lon": "44.81", "town": "Yeraskh", "land": "X"},
            {"geometry": {"type": "Point", "coordinates": [44.81, 39.74]}, "name": "Yeraskh, X"},
        ),
        (POINT, {"town": "", "land": "X\nY"}, {"name": "X Y"}),
        (POINT, {}, None),
        (
            claim(f'names = ["town"]\nlevel = "admin1"\n{CODED}', "place", "place"),
            {"town": "Obo", "p": "2"},
            {"name": "Obo", "radius_m": 25000.0, "relation": "near"},
        ),
        (
            claim(f'names = ["town"]\nlevel = "admin1"\n{CODED}', "place", "place"),
            {"town": "Obo"},
            {"name": "Obo", "level": "admin1"},
        ),
        (claim('column = "m"\nunit = "M"', "mag", "quantity", "latest"), {"m": "-0.5"}, {"amount": -0.5, "unit": "M"}),
        (
            claim('column = "m"\nunit = "M"', "mag", "quantity", "latest"),
            {"m": Decimal("1E5")},
            {"amount": 1e5, "unit": "M"},
        ),
        (
            COMMAS + claim('column = "m"\nunit = "km"', "distance", "quantity"),
            {"m": "1.234,5"},
            {"amount": 1234.5, "unit": "km"},
        ),
        (claim('column = "i"\ncodes = { a = "accidental" }', "intent", "term"), {"i": "a"}, "accidental"),
        (claim('column = "i"\ncodes = { a = "b" }\nunknown = "keep"', "x", "term", "latest"), {"i": "z"}, "z"),
        (claim('column = "i"', "cause", "text"), {"i": " as it\nstands "}, " as it\nstands "),
        (claim('column = "i"', "x", "boolean", "latest"), {"i": True}, True),
        (claim('column = "i"\nfalse = ["no"]', "x", "boolean", "latest"), {"i": "no"}, False),
    ],
)
def test_what_a_cell_claims(tables: str, record: dict[str, Any], value: Any) -> None:
    assert only_value(mapping_of(tables), record) == value


@pytest.mark.parametrize(
    ("tables", "record", "reason"),
    [
        ("", {"id": ""}, "id: is missing, and is the row's key"),
        ("", {"id": None}, "id: is missing, and is the row's key"),
        ("", {"id": "x" * 501}, "is no key: it must be one line of at most 500 characters"),
        ("", {"id": "a\nb"}, "'a\\nb' is no key"),
        (KILLED, {"n": "three"}, "n: 'three' is no number"),
        (KILLED, {"n": "1,234"}, "n: '1,234' is no number; a comma in numbers is declared in [file] of the mapping"),
        (KILLED, {"n": "-1"}, "n: '-1' is not a count from 0 to 1,000,000,000,000"),
        (KILLED, {"n": "9999999999999"}, "n: '9999999999999' is not a count from 0 to"),
        (KILLED, {"n": "1e9999"}, "is not a count from 0 to"),
        (KILLED, {"n": "2.5"}, "n: '2.5' is not a whole number"),
        (KILLED, {"n": "nan"}, "n: 'nan' is no number"),
        (KILLED, {"n": "1" * 101}, "is no number"),
        (KILLED, {"n": 10**5000}, "n: is too large a number"),
        (KILLED, {"n": [1]}, "n: holds a list or an object, not one value"),
        (KILLED, {"n": True}, "n: 'true' is no number"),
        (KILLED, {"n": "x" * 900}, "…'"),
        (COMMAS + KILLED, {"n": "12.34"}, "n: '12.34' is no number: its thousands are not groups of three digits"),
        (
            '[file]\ndecimal = ","\n' + KILLED,
            {"n": "1.5"},
            "n: '1.5' is no number: the mapping declares a decimal comma",
        ),
        (KILLED, {"n": "1", "z": "a\0"}, "'z': the cell holds a NUL character"),
        (KILLED, {"n": "1", "z\0": ""}, "its name holds a NUL character"),
        (KILLED, {"n": "1", "z": {"deep": ["\0"]}}, "'z': the cell holds a NUL character"),
        (KILLED, {"n": "1", "z": "\ud800"}, "'z': the cell holds a lone surrogate, which is no character"),
        (KILLED, {"n": "1", "z": "x" * 1_000_001}, "z: the cell is longer than 1,000,000 characters"),
        (WHEN, {"t": "2020-02-30"}, "t: '2020-02-30' is not a time that exists"),
        (WHEN, {"t": "0000-01-01"}, "t: '0000-01-01' is not a time that exists"),
        (WHEN, {"t": "9999-12-31"}, "t: '9999-12-31' is not a time that exists"),
        (WHEN, {"t": "9.11.2020"}, "t: '9.11.2020' is not of the form date"),
        (WHEN, {"t": "2020-11-09 01:00"}, "is not of the form date"),
        (SPAN, {"t": "2020-11-09", "u": "2020-11-08"}, "u: '2020-11-08' is before the start, '2020-11-09'"),
        (formats("date-time"), {"t": "2020-11-09T25:00:00Z"}, "is not a time that exists"),
        (formats("date-time"), {"t": "2020-11-09T12:00:00"}, "has no offset, and the mapping declares no zone"),
        (formats("epoch-s"), {"t": "1e80"}, "is not a time that exists"),
        (formats("epoch-s"), {"t": "soon"}, "t: 'soon' is not of the form epoch-s"),
        (formats("edtf"), {"t": "soon"}, "t: 'soon' is not an RFC 3339 instant nor an EDTF date"),
        (formats("date", more=WEEK), {"t": "2020-11-09", "p": "9"}, "p: '9' is not a known code; known: 1, 2, 3, 4"),
        (formats("date", more=WEEK), {"t": "0001-01-01", "p": "2"}, "t: must lie in the years 1 to 9998, in UTC"),
        (POINT, {"lat": "91", "lon": "0"}, "lat: '91' is not within -90 and 90 degrees"),
        (POINT, {"lat": "0", "lon": "180.5"}, "lon: '180.5' is not within -180 and 180 degrees"),
        (POINT, {"lat": "5"}, "lon: is missing, and a point needs latitude and longitude"),
        (POINT, {"lon": "5"}, "lat: is missing, and a point needs latitude and longitude"),
        (POINT, {"lat": "39,74", "lon": "0"}, "lat: '39,74' is no number; a comma"),
        (POINT, {"town": "x" * 400, "land": "y" * 400}, "town, land: is longer than 500 characters"),
        (
            claim('column = "m"\nunit = "M"', "mag", "quantity", "latest"),
            {"m": "1e301"},
            "m: '1E+301' is too large a number",
        ),
        (
            claim('column = "i"\ncodes = { a = "accidental" }', "intent", "term"),
            {"i": "z"},
            "i: 'z' is not a known code; known: a",
        ),
        (claim('column = "i"', "cause", "text"), {"i": "x" * 20_001}, "i: is longer than 20,000 characters"),
        (
            claim('column = "i"', "x", "boolean", "latest"),
            {"i": "maybe"},
            "i: 'maybe' is neither true nor 1 nor false nor 0",
        ),
        (
            claim('column = "i"\nkind = "outlet"', "by", "source", "all"),
            {"i": "x" * 501},
            "i: is longer than 500 characters",
        ),
    ],
)
def test_what_makes_a_row_bad(tables: str, record: dict[str, Any], reason: str) -> None:
    """The reason names the column and the text, shortened; and can be written anywhere."""
    with pytest.raises(BadRow) as bad:
        mapping_of(tables).apply({"id": "1"} | record, 7)
    assert bad.value.line == 7
    assert reason in bad.value.reason
    assert len(bad.value.reason.encode()) < 400


def test_each_source_that_a_row_names_is_a_claim() -> None:
    mapping = mapping_of(
        claim('column = "s"\nkind = "outlet"\nseparator = ";"\nmissing = ["?"]', "by", "source", "all")
    )
    mapped = mapping.apply({"id": 1, "s": " Reuters;AFP; ;Reuters; A\nB "}, 2)
    assert [one.value for one in mapped.claims] == [SourceName(name, "outlet") for name in ("Reuters", "AFP", "A B")]
    assert read_by_the_product(mapping, mapped)
    assert mapping.apply({"id": 1, "s": "?"}, 2).claims == ()


def test_what_is_said_beside_a_value() -> None:
    mapping = mapping_of(
        claim(
            'of = "side-a"\nact = "concede"\ncolumn = "n"\nverbatim = "v"\nnote = "w"\n'
            'certainty = { column = "c", codes = { 1 = "plain", 2 = "approximate" } }',
            "killed",
            "count",
        )
    )
    (one,) = mapping.apply({"id": 1, "n": 3, "v": "three", "w": "", "c": 2}, 2).claims
    assert (one.of, one.act, one.certainty, one.verbatim, one.note) == (
        "side-a",
        "concede",
        "approximate",
        "three",
        None,
    )
    assert mapping.apply({"id": 1, "n": 3}, 2).claims[0].certainty == "plain"
    with pytest.raises(BadRow, match="c: '3' is not a known code; known: 1, 2"):
        mapping.apply({"id": 1, "n": 3, "c": 3}, 2)


def test_title_kind_tags_key_and_said_at() -> None:
    mapping = mapping_of(
        start="""
key = ["a", "b"]
title = "M {mag|?} - {place} {{x}}"
tags = ["one", { column = "tags", separator = ";" }]
missing = ["n/a"]
""".replace(" {{x}}", ""),
        tables="""
[said_at]
column = "ts"
formats = ["epoch-s"]
[kind]
column = "k"
codes = { 1 = "quake" }
default = "other"
""",
    )
    mapped = mapping.apply(
        {
            "a": "x|y",
            "b": "z",
            "mag": "n/a",
            "place": " the\n sea ",
            "tags": "Crowd Size=no; ;Öl;one",
            "k": "1",
            "ts": 0,
        },
        2,
    )
    assert mapped.key == r"x\|y|z"
    assert mapped.title == "M ? - the sea"
    assert mapped.tags == ("one", "crowd-size-no", "ol")
    assert mapped.kind == "quake"
    assert mapped.said_at == bounds("1970-01-01T00:00:00", "1970-01-01T00:00:00")
    assert read_by_the_product(mapping, mapped) == []
    other = mapping.apply({"a": 1, "b": 2, "k": "9"}, 2, "given")
    assert (other.key, other.kind, other.title, other.said_at) == ("given", "other", "M ? - ?", None)
    assert len(mapping.apply({"a": 1, "b": 2, "place": "x" * 9_000}, 2).title) == 500


def test_no_two_rows_meet_in_a_key_and_a_bad_row_has_one() -> None:
    mapping = mapping_of(KILLED, start=START.replace('"id"', '"a", "b"'))
    pairs = [("a|", "b"), ("a", "|b"), ("a", "b"), ("a\\", "b"), ("a", "\\b"), ("a\\|b", "c")]
    keys = [mapping.key_of({"a": a, "b": b, "n": "many\0"}, 2) for a, b in pairs]
    assert len(set(keys)) == len(pairs)
    with pytest.raises(BadRow, match="b: is missing, and is the row's key"):
        mapping.key_of({"a": "1"}, 2)


def test_a_title_is_never_empty() -> None:
    assert mapping_of(start='title = "{a|}"\nkind = "thing"').apply({"a": " "}, 2, "k1").title == "thing k1"


@given(st.text())
def test_what_becomes_a_tag_is_a_tag(text: str) -> None:
    slug = slug_of(text)
    if slug:
        read_mapping(f'title = "x"\nkind = "{slug}"\n[source]\nname = "x"'.encode())


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("title = ", ["mapping: is not TOML in UTF-8: Invalid value (at"]),
        ("", ["source: is missing", "title: is missing", "kind: is missing"]),
        (f'{NAMED}\nkind = "paper"', ["source.kind: must be one of person, organisation"]),
        (f'{START}key_colum = "x"\n[source]\nname = "x"', ["key_colum: is not a field here"]),
        (f'{NAMED}\n{KILLS}\ntype = "cuont"', ["claims[0].type: must be one of count"]),
        (f'{NAMED}\n{KILLS}\ntype = "count"\ncolum = "x"', ["claims[0].colum: is not a field here"]),
        (f'{NAMED}\n{KILLS}\ntype = "count"', ["claims[0]: must have either column, or some of low, best and high"]),
        (f"{NAMED}\n{claim('', 'x', 'text', 'latest')}", ["claims[0].column: is missing"]),
        (
            f"{NAMED}\n{claim(chr(10).join(['column = 1']), 'cause', 'text')}",
            ["claims[0].column: Expected `str`, got `int`"],
        ),
        (f"{NAMED}\n{claim('', 'killed', 'text', 'range')}", ["claims[0].column: is missing"]),
    ],
)
def test_a_mapping_of_a_wrong_form_is_refused_with_every_fault(text: str, faults: list[str]) -> None:
    with pytest.raises(Malformed) as refused:
        read_mapping(text.encode())
    for fault in faults:
        assert fault in str(refused.value)


@pytest.mark.parametrize(
    ("tables", "fault"),
    [
        (
            claim('column = "x"', "killde", "count"),
            "claims[0].attribute: killde is neither built in nor defined under [[attributes]]",
        ),
        (claim('column = "x"', "killed", "text"), "claims[0].type: is text, but killed is of type count"),
        (
            claim('column = "x"', "killed", "count", "range"),
            "attributes[0].name: killed is built in: leave this table out",
        ),
        (claim('column = "x"', "by", "text", "all") * 2, "attributes[1].name: by is defined twice"),
        (
            claim('column = "x"', "n", "count", "finest"),
            "attributes[0].rule: finest does not resolve values of type count",
        ),
        (
            claim('column = "x"', "intent", "term"),
            "claims[0].codes: must translate every code: intent has the terms deliberate",
        ),
        (
            claim('column = "x"\ncodes = { a = "evil" }', "intent", "term"),
            "claims[0].codes.a: evil is not among the terms of intent",
        ),
        (
            claim('column = "x"\nlow = "y"', "killed", "count"),
            "claims[0]: must have either column, or some of low, best and high",
        ),
        (claim('latitude = "x"', "place", "place"), "claims[0]: must have both of latitude and longitude, or neither"),
        (claim("", "place", "place"), "claims[0]: must have latitude and longitude, or names"),
        (
            claim('column = "x"\nformats = ["dates"]', "occurred_at", "time"),
            "claims[0].formats[0]: must be one of date, date-time",
        ),
        (
            claim('column = "x"\nformats = ["%H:%M"]', "occurred_at", "time"),
            "claims[0].formats[0]: must say year, month and day",
        ),
        (claim('column = "x"\nzone = "Mars"', "occurred_at", "time"), "claims[0].zone: must be an IANA time zone"),
        ('[file]\nthousands = "."', "file.thousands: must be neither the decimal mark"),
        ("[file]\ndelimiter = '\"'", "file.delimiter: must be an ASCII character"),
        ('[[headers]]\ncolumns = ["id", "id"]', "headers[0].columns: names id more than once"),
        ('[[headers]]\ncolumns = ["x"]', "headers[0].columns: lacks id"),
        (
            '[[headers]]\ncolumns = ["id"]\n[[headers]]\ncolumns = ["id"]',
            "headers[1].columns: there are two headers of 1 columns",
        ),
    ],
)
def test_parts_that_contradict_each_other_are_named(tables: str, fault: str) -> None:
    with pytest.raises(Malformed) as refused:
        mapping_of(tables)
    assert fault in [f"{e.field}: {e.detail}"[: len(fault)] for e in refused.value.errors]


@pytest.mark.parametrize(
    ("start", "fault"),
    [
        ('title = "{a"\nkind = "x"', "title: has a brace that is not of the form"),
        ('title = "{a}"\nkind = "x"\nignored = ["a"]', "ignored: a is read by the mapping"),
        ('title = "x"\nkind = "x"\nkey = ["a"]\noptional = ["a"]', "optional: a is of the key"),
    ],
)
def test_keys_that_contradict_each_other_are_named(start: str, fault: str) -> None:
    with pytest.raises(Malformed, match=fault):
        mapping_of(start=start)


def test_a_mapping_is_found_by_path_or_name_and_else_the_names_are_given(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + (FOLDER / "usgs.toml").read_bytes())
    assert load_mapping(path) == load_mapping(str(path)) == load_mapping("usgs")
    for absent in ("usgz", tmp_path, "a\0b"):
        with pytest.raises(
            Malformed, match="is neither a file that can be read nor one of those that ship: acled, ucdp-ged, usgs"
        ):
            load_mapping(absent)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Malformed, match="is not TOML in UTF-8"):
        load_mapping(path)


def test_columns_that_are_not_mapped_and_those_that_are_lacking_are_named() -> None:
    mapping = mapping_of(KILLED, start=START + 'ignored = ["year"]\noptional = ["n"]')
    assert mapping.columns() == ["id", "n"]
    assert mapping.unmapped(["id", "n", "year", "extra"]) == ["extra"]
    assert mapping.missing(["n"]) == ["id"]
    assert mapping.missing(["id"]) == []


def test_a_mapping_may_claim_nothing() -> None:
    """Records only."""
    mapped = mapping_of().apply({"id": 5, "anything": {"deep": [1, None]}}, 2)
    assert (mapped.key, mapped.title, mapped.claims) == ("5", "5", ())


def test_the_schema_allows_what_ships_and_refuses_what_is_no_mapping() -> None:
    import tomllib

    validator = jsonschema_rs.validator_for(json.loads((ROOT / "openapi" / "mapping.schema.json").read_bytes()))
    for name in SHIPPED:
        document = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
        assert validator.is_valid(document)
        assert not validator.is_valid(document | {"claim": []})


_CELL = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=30),
    st.text("0123456789-+.,:TZeE /", max_size=30),
    st.dates().map(str),
    st.datetimes().map(str),
    st.sampled_from(["1", "2", "3", "0", "-1", "\ud800", "\0", "true", "a;b;", "9998-12-31", "0001-01-01", "2020-11~"]),
    st.lists(st.integers(), max_size=2),
)
_EVERYTHING = mapping_of(
    "".join(
        [
            '[file]\nthousands = ","\n',
            '[said_at]\ncolumn = "a"\nformats = ["date-time", "epoch-s"]\nzone = "Europe/Berlin"\n',
            claim('column = "a"\nzero = "unknown"', "killed", "count"),
            claim('low = "a"\nbest = "b"\nhigh = "c"', "injured", "count"),
            claim('column = "a"\nend = "b"\n' + WEEK, "occurred_at", "time"),
            claim(
                'column = "b"\nformats = ["date", "date-time", "epoch-ms", "edtf", "%d %B %Y"]\nzone = "+14:00"\n',
                "t",
                "time",
                "intersect",
            ),
            claim('latitude = "a"\nlongitude = "b"\nnames = ["c", "d"]\nverbatim = "d"\n' + CODED, "place", "place"),
            claim('column = "c"\nunit = "km"', "distance", "quantity"),
            claim('column = "d"\ncodes = { 1 = "deliberate", true = "unknown" }', "intent", "term"),
            claim('column = "d"', "cause", "text"),
            claim('column = "p"\nnote = "a"', "yes", "boolean", "latest"),
            claim('column = "d"\nkind = "outlet"\nseparator = ";"', "by", "source", "all"),
        ]
    ),
    start='key = ["id"]\ntitle = "{a}{b|}{c|-}"\nkind = "thing"\ntags = [{ column = "d", separator = ";" }]\n',
)
_PARTS = {
    name: Mapping(**{f: getattr(_EVERYTHING, f) for f in Mapping.__struct_fields__} | {"claims": (rule,)})
    for name, rule in enumerate(_EVERYTHING.claims)
}


@given(st.sampled_from([_EVERYTHING, *_PARTS.values()]), st.dictionaries(st.sampled_from("abcdp"), _CELL))
def test_a_row_is_bad_or_gives_what_the_product_takes(mapping: Mapping, record: dict[str, Any]) -> None:
    """Whatever the cells hold."""
    try:
        mapped = mapping.apply({"id": "1"} | record, 2)
    except BadRow as bad:
        bad.reason.encode()
        return
    read_by_the_product(mapping, mapped)
