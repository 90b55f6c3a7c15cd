"""What PostgreSQL or the domain cannot hold is refused at the edge, by name; what they can comes back as it was."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from tests.conftest import Server
from tests.http.asking import (
    NOBODY,
    a_document,
    a_rebuild,
    a_source,
    a_statement,
    a_webhook,
    an_incident,
    correction,
    id_of,
    killed,
    made,
    malformed,
    problem,
    read,
)

JSON = {"Content-Type": "application/json"}


def post_raw(client: httpx.Client, path: str, body: bytes) -> httpx.Response:
    return client.post(path, content=body, headers=JSON)


@pytest.fixture
def speaker(client: httpx.Client, ledger: str) -> str:
    return a_source(client, ledger)


@pytest.fixture
def incident(client: httpx.Client, ledger: str) -> str:
    return an_incident(client, ledger)


# Bytes and text.


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{}",
        b'{"name": "\xff", "kind": "person"}',
        b'{"name": "\xed\xa0\x80", "kind": "person"}',
        b'{"name": "\xc0\x80", "kind": "person"}',
        b'{"name": "\x00", "kind": "person"}',
        b'{"name": "a\\u0000b", "kind": "person"}',
        b'{"name": "\\\\\\u0000", "kind": "person"}',
        b'{"na\\u0000me": "a", "kind": "person"}',
        b'{"name": "\\ud800", "kind": "person"}',
        b'{"name": "\\udc00\\ud800", "kind": "person"}',
        b'{"name": "a", "kind": "person"',
        b'{"name": "a", "kind": "person"} {}',
        b'{"name": "a", "kind": "person",}',
        b"{'name': 'a'}",
        b"[]",
        b'"x"',
        b"7",
        b"null",
        b"true",
        b"NaN",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 50_000 + b"]" * 50_000,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_body_that_is_not_the_json_of_the_contract_is_refused(body: bytes, client: httpx.Client, ledger: str) -> None:
    """400 names the body: it is empty, no JSON, no UTF-8, holds U+0000 or a lone surrogate, or is no object."""
    malformed(post_raw(client, f"{ledger}/sources", body), "body")
    assert read(client.get(f"{ledger}/sources"))["items"] == []


def test_an_escaped_backslash_before_u0000_is_text(client: httpx.Client, ledger: str) -> None:
    r"""`\\u0000` is a backslash and five characters, and stays so."""
    answer = post_raw(client, f"{ledger}/sources", rb'{"name": "C:\\u0000", "kind": "person"}')
    assert made(answer)["name"] == "C:\\u0000"


def test_deep_json_within_a_value_is_refused(client: httpx.Client, incident: str, speaker: str) -> None:
    """A value is decoded later than the body; it, too, is refused when it is nested too deeply."""
    for deep in (b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000):
        for attribute in (b"killed", b"damage", b"occurred_at", b"place"):
            claim = b'{"attribute": "%s", "value": %s}' % (attribute, deep)
            body = b'{"speaker": "%s", "claims": [%s]}' % (speaker.encode(), claim)
            malformed(post_raw(client, f"{incident}/statements", body))


@pytest.mark.parametrize("text", ["%00", "a%00b", "%ED%A0%80", "%FF", "%0A", "%F0%9F%9A%81"])
def test_what_text_cannot_hold_is_refused_in_addresses(text: str, client: httpx.Client, ledger: str) -> None:
    """In a query 400 names the parameter; in a path there is nothing at such an address."""
    malformed(client.get(f"{ledger}/incidents?as_of={text}"), "query.as_of")
    malformed(client.get(f"{ledger}/incidents?cursor={text}"), "query.cursor")
    malformed(client.get(f"{ledger}/incidents?limit={text}"), "query.limit")
    assert client.get(f"{ledger}/incidents?{text}=1").status_code == 400
    for path in (f"/v1/ledgers/{text}", f"/v1/ledgers/{text}/incidents", f"{ledger}/attributes/{text}"):
        answer = client.get(path)
        assert answer.status_code in (400, 404)
        problem(answer, "malformed" if answer.status_code == 400 else "not-found", answer.status_code)
    for kind in ("incidents", "sources", "documents"):
        problem(client.get(f"{ledger}/{kind}/{text}"), "not-found", 404)


HOSTILE = [
    "'; DROP TABLE stet.event; --",
    "$1 %s %(name)s {0} :name ?",
    '<script>alert("x")</script>&amp;',
    "\u202eright to left\u202c \u200f\u200b\ufeff",
    "\U0001f681\U0001f3f4\U000e0067 \u0928\u093f \u0065\u0301 \u00e9",
    "back\\slash \\u0041 \\n \"quoted\" 'too'",
    "\ud7ff\ue000\uffff\U0010ffff",
    "tab\tand\x01\x1f\x7f control",
    "ˈʃuʃɑ ܐܪܡܢܝܐ հայերեն ქართული",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_any_text_is_given_back_as_it_came(text: str, client: httpx.Client, ledger: str) -> None:
    """Quotes, markup, marks of direction, astral characters, controls: stored and read back, letter by letter."""
    speaker = a_source(client, ledger, text, aliases=[{"name": text}])
    source = read(client.get(f"{ledger}/sources/{speaker}"))
    assert (source["name"], source["aliases"][0]["name"]) == (text, text)
    claim = {"attribute": "damage", "value": text, "verbatim": text, "note": text}
    body = a_statement(speaker, verbatim=text, channel=text, claims=[claim])
    path = an_incident(client, ledger, title=text, statements=[body])
    view = read(client.get(path))
    statement = view["statements"][0]
    given = [view["title"], statement["verbatim"], statement["channel"], statement["speaker"]["name"]]
    assert given + [statement["claims"][0][name] for name in ("value", "verbatim", "note")] == [text] * 7


def test_long_text_has_a_limit_that_works(client: httpx.Client, incident: str, speaker: str) -> None:
    """20,000 characters, of four bytes each, are kept; one more is refused."""
    text = "\U0001f681" * 20_000
    kept = made(client.post(f"{incident}/statements", json=a_statement(speaker, verbatim=text)))
    assert kept["verbatim"] == text
    malformed(client.post(f"{incident}/statements", json=a_statement(speaker, verbatim=text + "x")), "verbatim")


@pytest.mark.parametrize("name", ["", " ", "two\nlines", "two\rlines", "line\n", "x" * 501, "\u2003"])
def test_a_name_is_one_line_with_something_in_it(name: str, client: httpx.Client, ledger: str) -> None:
    """Blank, of several lines, or too long: 400."""
    malformed(client.post(f"{ledger}/sources", json={"name": name, "kind": "person"}), "name")


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a--b", "a\n", "ä", "a" * 101, "a/b", "../a"])
def test_a_ledger_s_name_is_a_slug(name: str, client: httpx.Client) -> None:
    """Anything else: 400."""
    malformed(client.post("/v1/ledgers", json={"name": name, "title": "T"}), "name")


# Numbers and times.


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "0x1", "01", "1_000", "+1"])
def test_numbers_that_are_none_are_refused(number: str, client: httpx.Client, incident: str, speaker: str) -> None:
    """Not JSON, or not finite: 400."""
    for value in (
        f'{{"attribute": "distance", "value": {{"amount": {number}, "unit": "km"}}}}',
        f'{{"attribute": "place", "value": {{"name": "x", "radius_m": {number}}}}}',
        f'{{"attribute": "killed", "value": {{"min": {number}}}}}',
    ):
        body = f'{{"speaker": "{speaker}", "claims": [{value}]}}'.encode()
        malformed(post_raw(client, f"{incident}/statements", body))


VALUES: list[tuple[str, Any, str]] = [
    ("killed", {"min": -1}, ".min"),
    ("killed", {"min": 1.5}, ".min"),
    ("killed", {"min": "2"}, ".min"),
    ("killed", {"min": True}, ".min"),
    ("killed", {"min": None}, ".min"),
    ("killed", {"min": 10**12 + 1}, ".min"),
    ("killed", {"min": 2**63}, ".min"),
    ("killed", {"min": 10**40}, ".min"),
    ("killed", {"max": 2}, ".min"),
    ("killed", {"min": 3, "max": 2}, ""),
    ("killed", {"min": 1, "best": 3, "max": 2}, ""),
    ("killed", {"min": 1, "max": 2, "inconsistent": True}, ".inconsistent"),
    ("killed", 2, ""),
    ("killed", [2], ""),
    ("killed", None, ""),
    ("damage", 2, ""),
    ("damage", "", ""),
    ("damage", {"text": "x"}, ""),
    ("intent", "evil", ""),
    ("place", {}, ""),
    ("place", {"name": "x", "radius_m": 0}, ".radius_m"),
    ("place", {"name": "x", "radius_m": -5}, ".radius_m"),
    ("place", {"name": "x", "radius_m": 1e9}, ".radius_m"),
    ("place", {"name": "x", "level": "continent"}, ".level"),
    ("place", {"geometry": {"type": "Point", "coordinates": [180.1, 0]}}, ".geometry.coordinates[0]"),
    ("place", {"geometry": {"type": "Point", "coordinates": [0, -90.5]}}, ".geometry.coordinates[1]"),
    ("place", {"geometry": {"type": "Point", "coordinates": [1]}}, ".geometry.coordinates"),
    ("place", {"geometry": {"type": "Point", "coordinates": [1, 2, 3]}}, ".geometry.coordinates"),
    ("place", {"geometry": {"type": "Point", "coordinates": ["1", 2]}}, ".geometry.coordinates[0]"),
    ("place", {"geometry": {"type": "MultiPoint", "coordinates": [[1, 2]]}}, ".geometry.type"),
    ("place", {"geometry": {"coordinates": [1, 2]}}, ".geometry.type"),
    ("place", {"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}}, ".geometry.coordinates[0]"),
    (
        "place",
        {"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1]]]}},
        ".geometry.coordinates[0]",
    ),
    ("distance", {"amount": 1e301, "unit": "km"}, ".amount"),
    ("distance", {"amount": 1, "unit": ""}, ".unit"),
    ("distance", {"amount": 1}, ".unit"),
    ("responsible", {"source_id": "x"}, ".source_id"),
    ("responsible", {"source_id": 7}, ".source_id"),
    ("occurred_at", {}, ""),
    ("occurred_at", {"zone": "+04:00"}, ""),
    ("occurred_at", {"edtf": "2020-13", "zone": "+04:00"}, ".edtf"),
    ("occurred_at", {"edtf": "2020-11-09", "latest": "2020-11-09T12:00:00Z"}, ".latest"),
    ("occurred_at", {"verbatim": "x", "zone": "+15:00"}, ".zone"),
    ("occurred_at", {"verbatim": "x", "zone": "../../etc/passwd"}, ".zone"),
    ("occurred_at", {"verbatim": "x", "zone": "Mars/Olympus"}, ".zone"),
    ("occurred_at", {"earliest": "2020-11-10T00:00:00Z", "latest": "2020-11-09T00:00:00Z"}, ""),
    ("occurred_at", {"anchor": {"relation": "same-day"}}, ".anchor"),
    ("occurred_at", {"anchor": {"relation": "during", "statement_id": NOBODY}}, ".anchor.relation"),
    ("occurred_at", {"anchor": {"relation": "after", "document_id": NOBODY}}, ".anchor.version"),
    ("occurred_at", {"anchor": {"relation": "after", "document_id": NOBODY, "version": 0}}, ".anchor.version"),
    ("occurred_at", {"anchor": {"relation": "after", "document_id": NOBODY, "version": 10**20}}, ".anchor.version"),
    (
        "occurred_at",
        {"anchor": {"relation": "same-day", "statement_id": NOBODY, "time_of_day": "24:00"}},
        ".anchor.time_of_day",
    ),
    ("occurred_at", "", ""),
    ("occurred_at", "yesterday", ""),
    ("occurred_at", "2020-13", ""),
    ("occurred_at", "2020-11-31", ""),
    ("occurred_at", "2020-11-10/2020-11-09", ""),
    ("occurred_at", "0000", ""),
    ("occurred_at", "9999", ""),
    ("occurred_at", "9999-12-31", ""),
    ("occurred_at", "y170000002", ""),
    ("occurred_at", "-0100", ""),
    ("occurred_at", "2020-11-09T24:00:00Z", ""),
    ("occurred_at", "x" * 101, ""),
]


@pytest.mark.parametrize(("attribute", "value", "where"), VALUES, ids=lambda value: str(value)[:60])
def test_a_value_that_its_type_cannot_have_is_refused(
    attribute: str, value: Any, where: str, client: httpx.Client, ledger: str
) -> None:
    """400 names the part of the value that is wrong."""
    body = a_statement(NOBODY, claims=[killed(1), {"attribute": attribute, "value": value}])
    speaker = a_source(client, ledger)
    answer = client.post(f"{an_incident(client, ledger)}/statements", json={**body, "speaker": speaker})
    malformed(answer, f"claims[1].value{where}")


TIMES = [
    "2020-11-09T14:30:00",
    "2020-11-09 14:30",
    "2020-11-09T14:30:00+25:00",
    "0000-01-01T00:00:00Z",
    "9999-01-01T00:00:00Z",
    "9999-12-31T23:59:59-01:00",
    "9998-12-31T23:59:59.999999-00:01",
    "10000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "2020-11-09T24:00:00Z",
    "2020-02-30T00:00:00Z",
    "2016-12-31T23:59:60Z",
    "2020-11-09T14:60:00Z",
    "infinity",
    "",
    1604932200,
    True,
]


@pytest.mark.parametrize("text", TIMES)
def test_an_instant_that_cannot_be_stored_is_refused(text: Any, client: httpx.Client, ledger: str) -> None:
    """Naive, outside the years 1 to 9998 in UTC, or not there at all: 400 names each, wherever it stands."""
    speaker, document = a_source(client, ledger), a_document(client, ledger)
    statements = f"{an_incident(client, ledger)}/statements"
    for name in ("earliest", "latest", "best"):
        time = {name: text, "verbatim": "x"}
        malformed(client.post(statements, json=a_statement(speaker, said_at=time)), f"said_at.{name}")
        claims = [{"attribute": "occurred_at", "value": time}]
        malformed(client.post(statements, json=a_statement(speaker, claims=claims)), f"claims[0].value.{name}")
    version = {"version": 1, "change": "original", "published_at": {"earliest": text}}
    body = {"kind": "article", "title": "T", "versions": [version]}
    malformed(client.post(f"{ledger}/documents", json=body), "versions[0].published_at.earliest")
    capture = {"type": "document-captured", "version": 1, "captured_at": text, "sha256": "0" * 64, "reason": "r"}
    malformed(client.post(f"{ledger}/documents/{document}/revisions", json=capture), "captured_at")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00-14:00", "0001-01-01T14:00:00Z"),
        ("9998-12-31T23:59:59.999999Z", "9998-12-31T23:59:59.999999Z"),
        ("2020-11-09t18:30:00.5+04:00", "2020-11-09T14:30:00.500000Z"),
    ],
)
def test_the_first_and_the_last_instants_are_kept(
    text: str, utc: str, client: httpx.Client, incident: str, speaker: str
) -> None:
    """In UTC, to the microsecond; also as what other times hang on, on every side."""
    said_at = {"earliest": text, "latest": text}
    first = made(client.post(f"{incident}/statements", json=a_statement(speaker, said_at=said_at)))
    assert (first["said_at"]["earliest"], first["said_at"]["latest"]) == (utc, utc)
    for relation in ("same-day", "before", "after"):
        for zone in ("+14:00", "-14:00", "America/New_York"):
            hung = {"anchor": {"relation": relation, "statement_id": first["statement_id"]}, "zone": zone}
            body = a_statement(speaker, said_at=hung, claims=[{"attribute": "occurred_at", "value": hung}])
            made(client.post(f"{incident}/statements", json=body))
    assert read(client.get(f"{incident}/timeline?axis=occurred"))["items"]


# Fields.


@pytest.mark.parametrize(
    "at",
    [
        (),
        ("said_at",),
        ("said_at", "anchor"),
        ("chain", 0),
        ("citation",),
        ("claims", 0),
        ("claims", 0, "citation"),
        ("claims", 0, "value"),
        ("claims", 1, "value"),
        ("claims", 1, "value", "geometry"),
    ],
    ids=str,
)
def test_unknown_fields_are_refused_at_every_level(at: tuple[Any, ...], client: httpx.Client, ledger: str) -> None:
    """400 names the field, or the value that has it. Nothing is dropped in silence."""
    speaker, document = a_source(client, ledger), a_document(client, ledger)
    citation = {"document_id": document, "version": 1}
    place = {"geometry": {"type": "Point", "coordinates": [44.7, 39.7]}}
    body = a_statement(
        speaker,
        said_at={"anchor": {"relation": "same-day", "document_id": document, "version": 1}},
        chain=[{"source_id": a_source(client, ledger, "Relay"), "role": "relay"}],
        citation=citation,
        claims=[killed(1, citation=dict(citation)), {"attribute": "place", "value": place}],
    )
    path = f"{an_incident(client, ledger)}/statements"
    made(client.post(path, json=body))
    part: Any = body
    for step in at:
        part = part[step]
    part["surprise"] = 1
    named = [error["field"] for error in malformed(client.post(path, json=body))["errors"]]
    assert len(named) == 1
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at).lstrip(".")
    assert named[0] in (f"{where}.surprise".lstrip("."), where), named


def test_all_bad_fields_are_named_at_once(client: httpx.Client, ledger: str) -> None:
    """One answer names each of them, however deep, up to fifty."""
    body = {
        "kind": 7,
        "tags": ["fine", "Not fine"],
        "surprise": 1,
        "statements": [
            {"speaker": "nobody", "claims": {}},
            {"speaker": NOBODY, "claims": [{"attribute": "A", "value": 1, "act": "shout"}, {"attribute": "killed"}]},
        ],
    }
    malformed(
        client.post(f"{ledger}/incidents", json=body),
        *("title", "kind", "tags[1]", "surprise", "statements[0].speaker", "statements[0].claims"),
        *("statements[1].claims[0].attribute", "statements[1].claims[0].act", "statements[1].claims[1].value"),
    )
    many = {"title": "T", "kind": "k", "tags": ["Not fine"] * 100}
    assert len(malformed(client.post(f"{ledger}/incidents", json=many), "tags[0]", "tags[49]")["errors"]) == 50


@pytest.mark.parametrize("type_", ["statement-retracted", "incident-opened", "", None, 7, "INCIDENT-AMENDED"])
def test_a_revision_is_of_a_type_that_there_is(type_: Any, client: httpx.Client, incident: str) -> None:
    """Any other type is 400, and so is none."""
    malformed(client.post(f"{incident}/revisions", json={"type": type_, "reason": "r", "title": "T"}))
    malformed(client.post(f"{incident}/revisions", json={"reason": "r", "title": "T"}))


# Queries.


@pytest.mark.parametrize("path", ["", "/incidents", "/sources", "/documents", "/attributes"])
def test_queries_are_read_strictly(path: str, client: httpx.Client, ledger: str) -> None:
    """A parameter that is not one here, or that comes twice, is 400 by its name."""
    malformed(client.get(f"{ledger}{path}?surprise=1"), "query.surprise")
    malformed(client.get(f"{ledger}{path}?AS_OF=position:1"), "query.AS_OF")
    malformed(client.get(f"{ledger}{path}?as_of=position:1&as_of=position:1"), "query.as_of")
    malformed(client.get(f"{ledger}{path}?a=1&b=2"), "query.a", "query.b")
    malformed(client.post(f"{ledger}/sources?as_of=position:1", json={"name": "x", "kind": "person"}), "query.as_of")


def test_a_parameter_has_the_name_that_the_client_gave_it(client: httpx.Client, incident: str) -> None:
    """Also where it is another in the code: from is a word of Python."""
    malformed(client.get(f"{incident}/diff?from={'9' * 251}"), "query.from")


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "abc", "1.5", "", "9" * 40, "%2B5x", "0x10"])
def test_limits_are_one_to_a_thousand(limit: str, client: httpx.Client, ledger: str, incident: str) -> None:
    """Anything else is 400."""
    lists = [f"{ledger}/{name}" for name in ("incidents", "sources", "documents")]
    lists += ["/v1/ledgers", *(f"{incident}/{name}" for name in ("statements", "events", "revisions"))]
    for path in lists:
        malformed(client.get(f"{path}?limit={limit}"), "query.limit")
        assert client.get(f"{path}?limit=1000").status_code == 200


@pytest.mark.parametrize(
    "as_of",
    [
        "",
        "now",
        "yesterday",
        "position:",
        "position:-1",
        "position:+1",
        "position:01",
        "position:1.0",
        "position:١",
        "position:" + "9" * 19,
        "position: 1",
        "POSITION:1",
        "release:",
        "release:a b",
        "7",
        "2020",
        "2020-11",
        "2020-02-30",
        "2020-13-01",
        "2020-11-09T",
        "2020-11-09T14:30",
        "2020-11-09T14:30:00",
        "2020-11-09 14:30:00Z",
        "2020-11-09T14:30:00z",
        "2020-11-09T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "2020-11-09T14:30:00.1234567Z",
        "2020-11-09T14:30:00+25:00",
        "0000-01-01",
        "9999-01-01",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+14:00",
        "10000-01-01T00:00:00Z",
        "position:1\n",
        "x" * 251,
        "x" * 5000,
    ],
)
def test_as_of_has_one_grammar(as_of: str, client: httpx.Client, ledger: str, incident: str) -> None:
    """What is not of it is 400 by its name, at every address that takes it."""
    source, document = a_source(client, ledger), a_document(client, ledger)
    paths = [ledger, incident, f"{ledger}/attributes", f"{ledger}/attributes/killed"]
    paths += [f"{ledger}/{name}" for name in ("incidents", "sources", "documents")]
    paths += [f"{ledger}/sources/{source}", f"{ledger}/documents/{document}"]
    paths += [f"{incident}/{name}" for name in ("events", "revisions", "statements", "timeline")]
    for path in paths:
        malformed(client.get(f"{path}?as_of={quote(as_of, safe='')}"), "query.as_of")


def test_a_plus_in_a_query_gets_a_hint(client: httpx.Client, ledger: str) -> None:
    """An unescaped + is a space: the answer says what to write instead; escaped, it works."""
    unescaped = client.get(f"{ledger}?as_of=2999-01-01T00:00:00+04:00")
    assert "%2B" in malformed(unescaped, "query.as_of")["detail"]
    assert read(client.get(f"{ledger}?as_of=2999-01-01T00:00:00%2B04:00"))["cut"]["as_of"] == "2998-12-31T20:00:00Z"


def test_as_of_beyond_the_log(client: httpx.Client, ledger: str, incident: str) -> None:
    """A position that the log has not reached, or where there was nothing yet, is 404; so is an unknown release."""
    for as_of in ("position:0", "position:3", f"position:{'9' * 18}", "release:spring", "0001-01-01", "1999-12-31"):
        problem(client.get(incident, params={"as_of": as_of}), "not-found", 404)
    for as_of in ("position:1", "position:0", "0001-01-01T00:00:00Z"):
        answer = client.get(f"{ledger}/incidents", params={"as_of": as_of})
        assert read(answer)["items"] == []
        assert answer.json()["cut"]["position"] == (1 if as_of == "position:1" else 0)
    for as_of in ("9998-12-31", "9998-12-31T23:59:59.999999Z", "2999-01-01"):
        view = read(client.get(incident, params={"as_of": as_of}))
        assert (view["cut"]["final"], view["cut"]["as_of"]) == (False, as_of)


# Cursors.


@pytest.fixture
def listed(client: httpx.Client, ledger: str) -> str:
    """The cursor of a list of three sources after its first."""
    for name in "abc":
        a_source(client, ledger, name)
    cursor = read(client.get(f"{ledger}/sources?limit=1"))["next_cursor"]
    assert re.fullmatch("[A-Za-z0-9_-]+", cursor)
    return cursor


def test_a_cursor_that_is_not_ours_is_refused(client: httpx.Client, ledger: str, listed: str) -> None:
    """Forged, cut short, made longer, in other letters: 400."""
    flipped = listed[:5] + ("A" if listed[5] != "A" else "B") + listed[6:]
    for cursor in (
        "",
        "x",
        listed[:-1],
        listed[:10],
        listed + "AAAA",
        flipped,
        listed.upper(),
        "é",
        "=" * 8,
        "A" * 1001,
    ):
        malformed(client.get(f"{ledger}/sources", params={"cursor": cursor}), "query.cursor")


def test_a_cursor_belongs_to_its_list(client: httpx.Client, ledger: str, listed: str, incident: str) -> None:
    """That of another list, another incident or another ledger is 400."""
    a_source(client, ledger, "d")
    other = made(client.post("/v1/ledgers", json={"name": f"{id_of(ledger)}-other", "title": "Other"}))["name"]
    wrong = [f"{ledger}/documents", f"{ledger}/incidents", f"/v1/ledgers/{other}/sources", "/v1/ledgers"]
    wrong += [f"{incident}/{name}" for name in ("events", "revisions", "statements")]
    for path in wrong:
        malformed(client.get(path, params={"cursor": listed}), "query.cursor")
    assert read(client.get(f"{ledger}/sources", params={"cursor": listed}))["items"][0]["name"] == "b"


def test_a_cursor_keeps_its_cut(client: httpx.Client, ledger: str, listed: str) -> None:
    """What was registered since is not in it; another as_of than that of its first page is 400."""
    a_source(client, ledger, "later")
    names = [s["name"] for s in read(client.get(f"{ledger}/sources", params={"cursor": listed}))["items"]]
    assert names == ["b", "c"]
    for as_of in ("position:2", "2999-01-01"):
        malformed(client.get(f"{ledger}/sources", params={"cursor": listed, "as_of": as_of}), "query.as_of")
    first = read(client.get(f"{ledger}/sources", params={"limit": 1, "as_of": "position:3"}))
    asked = {"cursor": first["next_cursor"], "as_of": "position:3"}
    assert [s["name"] for s in read(client.get(f"{ledger}/sources", params=asked))["items"]] == ["b"]
    malformed(client.get(f"{ledger}/sources", params={**asked, "as_of": "position:4"}), "query.as_of")


# Sizes.


def test_a_body_has_a_limit(client: httpx.Client, ledger: str) -> None:
    """8 MiB pass as far as the decoder; one byte more is 413, whether or not the length was said."""
    limit = 8 * 1024 * 1024
    path = f"{ledger}/sources"
    malformed(post_raw(client, path, b" " * limit), "body")
    problem(post_raw(client, path, b" " * (limit + 1)), "too-large", 413)
    pieces = (b" " * 65536 for _ in range(limit // 65536))
    malformed(client.post(path, content=pieces, headers=JSON), "body")
    pieces = (b" " * 65536 for _ in range(limit // 65536 + 1))
    problem(client.post(path, content=pieces, headers=JSON), "too-large", 413)


def test_a_length_that_is_too_large_is_refused_unread(server: Server, ledger: str) -> None:
    """413 comes before the body does."""
    host, port = urlsplit(server.url).hostname, urlsplit(server.url).port
    with socket.create_connection((host, port), timeout=10) as connection:
        request = f"POST {ledger}/sources HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{request}Content-Length: 99999999999\r\n\r\n{{".encode())
        assert connection.recv(64).startswith(b"HTTP/1.1 413 ")


def test_ten_thousand_claims_in_one_statement(client: httpx.Client, incident: str, speaker: str) -> None:
    """They are recorded and read back in order; one more is 400."""
    claims = [killed(n) for n in range(10_000)]
    recorded = made(client.post(f"{incident}/statements", json=a_statement(speaker, claims=claims)))
    shown = read(client.get(f"{incident}/statements"))["items"][0]["claims"]
    assert [claim["value"]["min"] for claim in shown] == list(range(10_000))
    assert shown == recorded["claims"]
    malformed(client.post(f"{incident}/statements", json=a_statement(speaker, claims=[*claims, killed(1)])), "claims")


# Circles and what does not exist.


def test_sources_cannot_be_their_own_ancestors(client: httpx.Client, ledger: str) -> None:
    """A parent that is itself, a child or a grandchild: 409, and the parents stay."""
    top = a_source(client, ledger, "top")
    middle = a_source(client, ledger, "middle", parent=top)
    low = a_source(client, ledger, "low", parent=middle)
    for parent in (top, middle, low):
        body = {"type": "source-revised", "parent": parent, "reason": "round"}
        problem(client.post(f"{ledger}/sources/{top}/revisions", json=body), "cycle", 409, "parent")
    assert [s["parent"] for s in read(client.get(f"{ledger}/sources"))["items"]] == [None, top, middle]
    body = {"type": "source-revised", "parent": None, "reason": "none"}
    made(client.post(f"{ledger}/sources/{low}/revisions", json=body))
    made(client.post(f"{ledger}/sources/{top}/revisions", json={**body, "parent": low}))


def test_statements_cannot_hang_on_themselves(client: httpx.Client, ledger: str, speaker: str) -> None:
    """Directly, or in a circle of two or three across incidents: 409, and nothing is corrected."""
    paths = [an_incident(client, ledger) for _ in range(3)]
    ids: list[str] = []
    for path in paths:
        anchor = {"relation": "after", "statement_id": ids[-1]} if ids else None
        said_at = {"anchor": anchor} if anchor else {"earliest": "2020-11-09T00:00:00Z"}
        body = a_statement(speaker, said_at=said_at)
        ids.append(made(client.post(f"{path}/statements", json=body))["statement_id"])
    before = [client.get(path).content for path in paths]
    for id_ in ids:
        body = correction(ids[0], set={"said_at": {"anchor": {"relation": "same-day", "statement_id": id_}}})
        answer = client.post(f"{paths[0]}/revisions", json=body)
        problem(answer, "cycle", 409, "set.said_at.anchor.statement_id")
    assert [client.get(path).content for path in paths] == before


def test_claims_may_hang_on_their_own_statement(client: httpx.Client, incident: str, speaker: str) -> None:
    """A claim's time gives nothing back to when it was said, so there is no circle; it follows a correction."""
    first = made(client.post(f"{incident}/statements", json=a_statement(speaker, said_at="2020-11-09")))["statement_id"]
    value = {"anchor": {"relation": "same-day", "statement_id": first}}
    claim = {"attribute": "occurred_at", "value": value}
    made(client.post(f"{incident}/revisions", json=correction(first, claims=[claim])))
    body = correction(first, error="time", set={"said_at": "2020-11-10"})
    view = made(client.post(f"{incident}/revisions", json=body))
    assert view["statements"][0]["claims"][1]["value"]["earliest"] == "2020-11-10T00:00:00Z"


def _unknown() -> Iterator[tuple[str, dict[str, Any]]]:
    cited = {"document_id": NOBODY, "version": 1}
    anchored = {"anchor": {"relation": "after", "statement_id": NOBODY}}
    yield "speaker", {"speaker": NOBODY}
    yield "chain[0].source_id", {"chain": [{"source_id": NOBODY, "role": "relay"}]}
    yield "said_at.anchor.statement_id", {"said_at": anchored}
    yield "said_at.anchor.document_id", {"said_at": {"anchor": {"relation": "after", **cited}}}
    yield "claims[0].attribute", {"claims": [{"attribute": "casualties", "value": 1}]}
    for name in ("of", "toward"):
        for kind in ("source", "document", "statement"):
            yield f"claims[0].{name}", {"claims": [killed(1, **{name: f"{kind}:{NOBODY}"})]}
    yield "claims[0].toward", {"claims": [killed(1, toward=f"incident:{NOBODY}")]}
    yield "claims[0].citation.document_id", {"claims": [killed(1, citation=cited)]}
    yield "claims[0].value.source_id", {"claims": [{"attribute": "responsible", "value": {"source_id": NOBODY}}]}
    yield "claims[0].value.anchor.statement_id", {"claims": [{"attribute": "occurred_at", "value": anchored}]}
    yield "claims[1].incident_id", {"claims": [killed(1), killed(2, incident_id=NOBODY)]}


@pytest.mark.parametrize(("field", "part"), list(_unknown()), ids=lambda part: part if isinstance(part, str) else "")
def test_what_is_named_must_exist(
    field: str, part: dict[str, Any], client: httpx.Client, incident: str, speaker: str
) -> None:
    """409 names the field, when a statement is recorded and when an incident is opened with it."""
    body = a_statement(speaker) | part
    problem(client.post(f"{incident}/statements", json=body), "unknown-reference", 409, field)
    opened = {"title": "T", "kind": "k", "statements": [a_statement(speaker), body]}
    ledger = incident.partition("/incidents")[0]
    answer = client.post(f"{ledger}/incidents", json=opened)
    problem(answer, "unknown-reference", 409, f"statements[1].{field}")


def test_a_citation_is_named_by_its_whole_path(client: httpx.Client, ledger: str, speaker: str) -> None:
    """Also that of a statement which comes with an incident, and that of a correction."""
    body = a_statement(speaker, citation={"document_id": NOBODY, "version": 1})
    opened = {"title": "T", "kind": "k", "statements": [a_statement(speaker), body]}
    answer = client.post(f"{ledger}/incidents", json=opened)
    problem(answer, "unknown-reference", 409, "statements[1].citation.document_id")
    path = an_incident(client, ledger, statements=[a_statement(speaker)])
    id_ = read(client.get(path))["statements"][0]["statement_id"]
    answer = client.post(f"{path}/revisions", json=correction(id_, set={"citation": body["citation"]}))
    problem(answer, "unknown-reference", 409, "set.citation.document_id")


@pytest.mark.parametrize("text", ["2020-11-09T14:30:00", "2020-11-09T24:00:00"])
def test_a_naive_time_is_refused_as_edtf_too(text: str, client: httpx.Client, incident: str, speaker: str) -> None:
    """Nobody knows which instant it is, and in most zones it is not sure to lie on that day of UTC."""
    malformed(client.post(f"{incident}/statements", json=a_statement(speaker, said_at=text)), "said_at")


def test_corrections_name_what_exists(client: httpx.Client, ledger: str, incident: str, speaker: str) -> None:
    """A statement, a claim, a version, an incident or a link that is not there: 409 names the field."""
    statement = made(client.post(f"{incident}/statements", json=a_statement(speaker)))
    id_, claim_id = statement["statement_id"], statement["claims"][0]["claim_id"]
    other = an_incident(client, ledger)
    revisions = f"{incident}/revisions"
    link = {"incident_id": NOBODY, "relation": "follows", "reason": "r"}
    for field, body in [
        ("statement_id", correction(NOBODY, set={"channel": "wire"})),
        ("remove_claims[0]", correction(id_, remove_claims=[NOBODY])),
        ("claims[0].incident_id", correction(id_, claims=[killed(1, incident_id=id_of(other))])),
        ("set.speaker", correction(id_, set={"speaker": NOBODY})),
        ("incident_id", {"type": "incident-linked", **link}),
        ("incident_id", {"type": "incident-unlinked", **link, "incident_id": id_of(other)}),
    ]:
        problem(client.post(revisions, json=body), "unknown-reference", 409, field)
    problem(client.post(revisions, json=correction(id_, remove_claims=[claim_id])), "refused", 409, "remove_claims")
    document = a_document(client, ledger)
    body = {"type": "document-corrected", "basis": "told", "rationale": "r"}
    body["versions"] = [{"version": 2, "published_at": None}]
    answer = client.post(f"{ledger}/documents/{document}/revisions", json=body)
    problem(answer, "unknown-reference", 409, "versions[0].version")
    body = {"kind": "article", "title": "T", "publisher": NOBODY, "versions": [{"version": 1, "change": "original"}]}
    problem(client.post(f"{ledger}/documents", json=body), "unknown-reference", 409, "publisher")
    body = {"name": "x", "kind": "person", "parent": NOBODY}
    problem(client.post(f"{ledger}/sources", json=body), "unknown-reference", 409, "parent")


def test_a_claim_id_is_given_once(client: httpx.Client, ledger: str, incident: str, speaker: str) -> None:
    """Twice in a statement, or again in another one of the incident: 409."""
    twice = a_statement(speaker, claims=[killed(1, claim_id=NOBODY), killed(2, claim_id=NOBODY)])
    problem(client.post(f"{incident}/statements", json=twice), "name-taken", 409, "claims[1].claim_id")
    once = a_statement(speaker, claims=[killed(1, claim_id=NOBODY)])
    made(client.post(f"{incident}/statements", json=once))
    problem(client.post(f"{incident}/statements", json=once), "name-taken", 409, "claims[0].claim_id")


# Methods and media types.


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/jsonx", "json", ""]
)
def test_bodies_are_json_by_their_media_type(media_type: str, client: httpx.Client, ledger: str) -> None:
    """Any other is 415."""
    body = b'{"name": "x", "kind": "person"}'
    answer = client.post(f"{ledger}/sources", content=body, headers={"Content-Type": media_type})
    problem(answer, "unsupported-media-type", 415)


def test_a_body_without_a_media_type_is_refused(client: httpx.Client, ledger: str) -> None:
    """A browser sends such a one from any page, and asks nobody."""
    answer = client.post(f"{ledger}/sources", content=b'{"name": "x", "kind": "person"}')
    problem(answer, "unsupported-media-type", 415)


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_may_say_its_charset(media_type: str, client: httpx.Client, ledger: str) -> None:
    """Parameters and letter case do not matter."""
    headers = {"Content-Type": media_type}
    made(client.post(f"{ledger}/sources", content=b'{"name": "x", "kind": "person"}', headers=headers))


def _addresses(client: httpx.Client, ledger: str) -> dict[str, set[str]]:
    """Every address of the API, with the methods that it has."""
    source, document = a_source(client, ledger), a_document(client, ledger)
    incident = an_incident(client, ledger, statements=[a_statement(source)])
    statement = read(client.get(incident))["statements"][0]["statement_id"]
    made(
        client.post(f"{ledger}/attributes", json={"name": "branch", "type": "term", "rule": "majority", "terms": ["a"]})
    )
    ids = {
        "key_id": made(client.post("/v1/keys", json={"name": "A key", "scope": "reader"}))["key_id"],
        "ledger": id_of(ledger),
        "source_id": source,
        "document_id": document,
        "incident_id": id_of(incident),
        "statement_id": statement,
        "name": "branch",
        "form": "csv",
        "rebuild_id": a_rebuild(client),
        "webhook_id": a_webhook(client, ledger),
    }
    paths = read(client.get("/openapi.json"))["paths"]
    found = {
        path.format(**ids).replace("projections/branch", "projections/name_history"): {
            method.upper() for method in methods
        }
        for path, methods in paths.items()
    }
    return found | {path: {"GET"} for path in ("/", "/docs", "/docs/init.js", "/openapi.json")}


def test_head_is_get_without_the_body(client: httpx.Client, ledger: str) -> None:
    """At every address: the same status, the same headers, no body."""
    for path, methods in _addresses(client, ledger).items():
        if "GET" not in methods:
            continue
        if path == "/v1/ledgers":  # other tests make ledgers in the meantime
            path = "/v1/ledgers?limit=1"
        if path in ("/v1/keys", "/v1/audit"):  # and keys
            path = f"{path}?limit=1"
        get, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        # Lags are measured anew for each answer.
        own = (
            "x-request-id",
            "date",
            "transfer-encoding",
            *(["content-length"] if path == "/v1/admin/projections" else []),
        )
        given, expected = ({k: v for k, v in a.headers.items() if k not in own} for a in (head, get))
        assert given == expected, path
    feed = client.head(f"{ledger}/changes", headers={"accept": "text/event-stream"})
    assert (feed.status_code, feed.content) == (200, b"")  # and it ends
    missing = client.head(f"{ledger}/incidents/{NOBODY}")
    assert (missing.status_code, missing.content) == (404, b"")
    assert missing.headers["content-type"] == "application/problem+json"


def test_other_methods_are_not_allowed(client: httpx.Client, ledger: str) -> None:
    """405 names those that are, at every address."""
    for path, methods in _addresses(client, ledger).items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
            answer = client.request(method, path, json={})
            problem(answer, "method-not-allowed", 405)
            allowed = set(re.split(r",\s*", answer.headers["allow"]))
            assert methods <= allowed, (path, allowed)
            assert method not in allowed


def test_a_problem_answers_even_what_is_hardly_http(client: httpx.Client, ledger: str) -> None:
    """Headers that cannot be meant are 400 by their name."""
    body = {"name": "x", "kind": "person"}
    for key in (b"", b"two words", b"x" * 256, "ä".encode()):
        answer = client.post(f"{ledger}/sources", json=body, headers={b"Idempotency-Key": key})
        malformed(answer, "header.Idempotency-Key")
    assert read(client.get(f"{ledger}/sources"))["items"] == []
    problem(client.post(f"{ledger}/sources", json=body, headers={"If-Match": '"1"'}), "stale", 412)
    assert json.loads(client.get(f"{ledger}/sources").content)["items"] == []
