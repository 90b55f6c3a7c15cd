"""The rows of data sets: published line by line, and read back as they were published, whatever the desk does."""

from __future__ import annotations

import csv
import io
import json
import threading
from typing import Any

import httpx
import pytest
from tests.conftest import Server
from tests.http.asking import NOBODY, a_source, an_incident, correction, id_of, killed, made, malformed, problem, read

MONDAY, TUESDAY, WEDNESDAY = (f"2025-05-0{day}T12:00:00Z" for day in (5, 6, 7))


@pytest.fixture
def source(client: httpx.Client, ledger: str) -> str:
    """A data set."""
    return a_source(client, ledger, "Survey", kind="data-set")


def a_line(key: str, value: dict[str, Any] | None, said_at: str = MONDAY, **more: Any) -> dict[str, Any]:
    """A line that publishes a row, or takes it back."""
    head = {} if value is None else {"title": f"Row {key}", "kind": "row"}
    record = {"key": key, "value": value, **more.pop("record", {})}
    return {"record": record, "said_at": said_at, **head, **more}


def publish(client: httpx.Client, ledger: str, source: str, *lines: dict[str, Any], **how: Any) -> httpx.Response:
    return client.post(f"{ledger}/records", json={"source_id": source, "lines": lines}, **how)


def rows(client: httpx.Client, ledger: str, source: str, **cut: str) -> dict[str, Any]:
    answer = client.get(f"{ledger}/records", params={"source": source, **cut})
    assert answer.status_code == 200, answer.text
    lines = [json.loads(line) for line in answer.text.split("\n")[:-1]]
    return {line["key"]: line["record"] for line in lines}


def position(client: httpx.Client, ledger: str, source: str) -> int:
    return read(client.get(f"{ledger}/records/{source}"))["cut"]["position"]


def incident_of(client: httpx.Client, ledger: str, key: str) -> dict[str, Any]:
    """The incident of the last statement that publishes a row of a key."""
    said = read(client.get(f"{ledger}/statements", params={"sort": "-recorded_at"}))["items"]
    incident_id = next(one["incident_id"] for one in said if one["record"] and one["record"]["key"] == key)
    return read(client.get(f"{ledger}/incidents/{incident_id}"))


def revise(client: httpx.Client, ledger: str, incident: dict[str, Any], **body: Any) -> httpx.Response:
    return client.post(f"{ledger}/incidents/{incident['incident_id']}/revisions", json={"reason": "why", **body})


BAD: dict[str, tuple[Any, str]] = {
    "no title": ({"title": None}, "lines[1].title"),
    "no kind": ({"kind": None}, "lines[1].kind"),
    "a kind that is no slug": ({"kind": "A kind"}, "lines[1].kind"),
    "a title of two lines": ({"title": "a\nb"}, "lines[1].title"),
    "no time": ({"said_at": None}, "lines[1].said_at"),
    "no time that exists": ({"said_at": "2025-02-30"}, "lines[1].said_at"),
    "an empty key": ({"record": {"key": "", "value": {}}}, "lines[1].record.key"),
    "a long key": ({"record": {"key": "k" * 501, "value": {}}}, "lines[1].record.key"),
    "a key of two lines": ({"record": {"key": "a\nb", "value": {}}}, "lines[1].record.key"),
    "a row that is a list": ({"record": {"key": "b", "value": []}}, "lines[1].record.value"),
    "a row that is a text": ({"record": {"key": "b", "value": "b"}}, "lines[1].record.value"),
    "a number below 0": ({"record": {"key": "b", "value": {}, "seq": -1}}, "lines[1].record.seq"),
    "a number too large": ({"record": {"key": "b", "value": {}, "seq": 2**53 + 1}}, "lines[1].record.seq"),
    "an unknown member": ({"record": {"key": "b", "value": {}, "op": "create"}}, "lines[1].record.op"),
    "a count that is none": ({"claims": [{"attribute": "killed", "value": "2"}]}, "lines[1].claims[0].value"),
    "another incident": ({"claims": [killed(2, incident_id=NOBODY)]}, "lines[1].claims[0].incident_id"),
    "taken back, with a title": ({"record": {"key": "a", "value": None}}, "lines[1].title"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_line_is_named_and_none_is_recorded(bad: str, client: httpx.Client, ledger: str, source: str) -> None:
    """The good line before it is not recorded either."""
    change, field = BAD[bad]
    head = position(client, ledger, source)
    second = {name: value for name, value in {**a_line("b", {}), **change}.items() if value is not None}
    malformed(publish(client, ledger, source, a_line("a", {}), second), field)
    assert position(client, ledger, source) == head
    assert rows(client, ledger, source) == {}


def test_a_body_that_is_not_of_the_form(client: httpx.Client, ledger: str, source: str) -> None:
    malformed(publish(client, ledger, source), "lines")
    malformed(publish(client, ledger, source, *[a_line("a", {})] * 1001), "lines")
    malformed(client.post(f"{ledger}/records", json={"source_id": source}), "lines")
    malformed(client.post(f"{ledger}/records", json={"source_id": "survey", "lines": [a_line("a", {})]}), "source_id")
    for text in ("a\\u0000b", "a\\ud800b"):
        body = f'{{"source_id":"{source}","lines":[{{"record":{{"key":"a","value":{{"x":"{text}"}}}}}}]}}'
        malformed(client.post(f"{ledger}/records", content=body, headers={"content-type": "application/json"}))
    problem(publish(client, ledger, source, a_line("a", {}), headers={"If-Match": '"1"'}), "stale", 412)
    assert rows(client, ledger, source) == {}


def test_what_a_line_names_must_be_there(client: httpx.Client, ledger: str, source: str) -> None:
    """The data set, the row that is taken back, attributes; nothing is recorded."""
    problem(publish(client, ledger, NOBODY, a_line("a", {})), "unknown-reference", 409, "source_id")
    gone = publish(client, ledger, source, a_line("a", {}), a_line("b", None))
    problem(gone, "unknown-reference", 409, "lines[1].record.key")
    twice = publish(client, ledger, source, a_line("a", {}), a_line("a", None), a_line("a", None, TUESDAY))
    problem(twice, "unknown-reference", 409, "lines[2].record.key")
    unknown = a_line("a", {}, claims=[{"attribute": "magnitude", "value": "x"}])
    problem(publish(client, ledger, source, unknown), "unknown-reference", 409, "lines[0].claims[0].attribute")
    assert rows(client, ledger, source) == {}
    problem(client.get(f"{ledger}/records/{NOBODY}"), "not-found", 404)
    problem(client.get(f"{ledger}/records", params={"source": NOBODY}), "not-found", 404)
    malformed(client.get(f"{ledger}/records"), "query.source")
    before = {"source": source, "as_of": "position:1"}
    problem(client.get(f"{ledger}/records", params=before), "not-found", 404)


def test_a_row_is_published_replaced_taken_back_and_published_again(
    client: httpx.Client, ledger: str, source: str
) -> None:
    """A statement, one that supersedes it, a retraction, and another statement, in one incident."""
    lines = [
        a_line("a", {"n": 2}, MONDAY, claims=[killed(2)], record={"seq": 7, "rev": "r1"}),
        a_line("a", {"n": 3}, TUESDAY, claims=[killed(3)], record={"seq": 8}),
        a_line("a", None, WEDNESDAY, record={"seq": 9}),
        a_line("a", {"n": 4}, "2025-05-08T12:00:00Z", claims=[killed(4)], record={"seq": 12}),
    ]
    positions = []
    for line in lines:
        answer = publish(client, ledger, source, line)
        shown = made(answer)
        assert answer.headers["location"] == f"{ledger}/records/{source}"
        assert shown["last_seq"] == line["record"]["seq"]
        assert shown["last_said_at"] == line["said_at"]
        positions.append(shown["cut"]["position"])
    said = [MONDAY, TUESDAY, WEDNESDAY, "2025-05-08T12:00:00Z"]
    tables = [{"a": {"n": 2}}, {"a": {"n": 3}}, {}, {"a": {"n": 4}}]
    for n, (at, moment, table) in enumerate(zip(positions, said, tables, strict=True)):
        assert rows(client, ledger, source, as_of=f"position:{at}") == table
        assert rows(client, ledger, source, said_by=moment) == table
        both = rows(client, ledger, source, as_of=f"position:{positions[1]}", said_by=moment)
        assert both == tables[min(n, 1)]
    assert rows(client, ledger, source, said_by="2025-05-05T11:59:59.999999Z") == {}
    incident = incident_of(client, ledger, "a")
    first, second, gone, fourth = incident["statements"]
    assert first["record"] == {"key": "a", "value": {"n": 2}, "seq": 7, "rev": "r1"}
    assert first["superseded_by"] == [second["statement_id"]]
    assert gone["retracts"]["statement_id"] == second["statement_id"]
    assert not second["superseded_by"]
    assert not fourth["superseded_by"]
    (resolved,) = [one for one in incident["attributes"] if one["attribute"] == "killed"]
    assert resolved["value"] == {"min": 4, "max": 4}
    path = f"{ledger}/incidents/{incident['incident_id']}"
    for moment, count in ((MONDAY, 2), (TUESDAY, 3), (WEDNESDAY, None)):
        shown = read(client.get(path, params={"said_by": moment}))["attributes"]
        assert [one["value"]["min"] for one in shown if one["value"]] == ([] if count is None else [count])


def test_an_idempotency_key_publishes_once(client: httpx.Client, ledger: str, source: str) -> None:
    """Numbered lines are recorded as often as they are sent; a key makes that once. A line without a number that says
    what was said last is not recorded again."""
    numbered, key = a_line("a", {"n": 1}, record={"seq": 1}), {"Idempotency-Key": "chunk-1"}
    first = publish(client, ledger, source, numbered, headers=key)
    again = publish(client, ledger, source, numbered, headers=key)
    assert (first.status_code, first.content) == (again.status_code, again.content) == (201, first.content)
    problem(publish(client, ledger, source, a_line("b", {}), headers=key), "idempotency-key-reused", 422)
    head = position(client, ledger, source)
    line = a_line("b", {"n": 1})
    assert position(client, ledger, source) == head
    made(publish(client, ledger, source, line))
    head = position(client, ledger, source)
    assert publish(client, ledger, source, line).status_code in (200, 201)
    assert position(client, ledger, source) == head
    made(publish(client, ledger, source, line | {"said_at": TUESDAY}))
    assert position(client, ledger, source) > head


def test_title_kind_and_tags_follow_the_row_but_for_what_the_desk_set(
    client: httpx.Client, ledger: str, source: str
) -> None:
    """A title of the desk stays; kind and tags go on following. Tags that are named twice are one."""
    made(publish(client, ledger, source, a_line("a", {}, tags=["x", "x"])))
    made(publish(client, ledger, source, a_line("a", {"n": 1}, title="Second", tags=["x", "x"])))
    incident = incident_of(client, ledger, "a")
    assert (incident["title"], incident["tags"], incident["version"]) == ("Second", ["x"], 5)
    made(revise(client, ledger, incident, type="incident-amended", title="The desk's"))
    made(publish(client, ledger, source, a_line("a", {"n": 2}, title="Third", kind="other", tags=["y"])))
    incident = incident_of(client, ledger, "a")
    assert (incident["title"], incident["kind"], incident["tags"]) == ("The desk's", "other", ["y"])


def test_what_the_desk_does_to_a_statement_changes_no_row(client: httpx.Client, ledger: str, source: str) -> None:
    """Assessed as false, withdrawn, corrected, moved; its retraction withdrawn. The speaker of a row stays."""
    made(publish(client, ledger, source, a_line("a", {"n": 1}, claims=[killed(2)]), a_line("b", {"n": 2})))
    made(publish(client, ledger, source, a_line("b", None, TUESDAY)))
    table = {"a": {"n": 1}}
    incident = incident_of(client, ledger, "a")
    (statement,) = incident["statements"]
    named = {"statement_id": statement["statement_id"]}
    judged = {"verification": "false", "basis": "told", "rationale": "why"}
    answer = client.post(
        f"{ledger}/incidents/{incident['incident_id']}/revisions",
        json={"type": "statement-assessed", **named, **judged},
    )
    made(answer)
    assert rows(client, ledger, source) == table
    made(revise(client, ledger, incident, type="statement-withdrawn", ground="fabricated", **named))
    assert rows(client, ledger, source) == table
    body = correction(statement["statement_id"], set={"channel": "feed"})
    made(revise(client, ledger, incident, **body))
    assert rows(client, ledger, source) == table
    other = a_source(client, ledger, "Another")
    body = correction(statement["statement_id"], error="attribution", set={"speaker": other})
    problem(revise(client, ledger, incident, **body), "refused", 409, "set.speaker")
    gone = incident_of(client, ledger, "b")
    retraction = gone["statements"][-1]["statement_id"]
    made(revise(client, ledger, gone, type="statement-withdrawn", ground="legal", statement_id=retraction))
    assert rows(client, ledger, source) == table
    elsewhere = an_incident(client, ledger)
    made(revise(client, ledger, incident, type="statement-moved-out", to_incident=id_of(elsewhere), **named))
    assert rows(client, ledger, source) == table
    assert rows(client, ledger, source, said_by=MONDAY) == table | {"b": {"n": 2}}


def test_a_row_goes_on_where_its_statement_was_moved_to(client: httpx.Client, ledger: str, source: str) -> None:
    """The next line is recorded there, and its retraction, too."""
    made(publish(client, ledger, source, a_line("a", {"n": 1}, claims=[killed(2)])))
    incident = incident_of(client, ledger, "a")
    elsewhere = an_incident(client, ledger)
    named = {"statement_id": incident["statements"][0]["statement_id"], "to_incident": id_of(elsewhere)}
    made(revise(client, ledger, incident, type="statement-moved-out", **named))
    made(publish(client, ledger, source, a_line("a", {"n": 2}, TUESDAY, claims=[killed(3)])))
    made(publish(client, ledger, source, a_line("a", None, WEDNESDAY)))
    assert [one["record"]["value"] for one in read(client.get(elsewhere))["statements"]] == [{"n": 1}, {"n": 2}, None]
    tables = [rows(client, ledger, source, said_by=moment) for moment in (MONDAY, TUESDAY, WEDNESDAY)]
    assert tables == [{"a": {"n": 1}}, {"a": {"n": 2}}, {}]


def test_rows_come_in_though_the_desk_withdrew_the_incident(client: httpx.Client, ledger: str, source: str) -> None:
    """The data set goes on speaking; the incident stays withdrawn. Other statements are refused."""
    made(publish(client, ledger, source, a_line("a", {"n": 1})))
    incident = incident_of(client, ledger, "a")
    made(revise(client, ledger, incident, type="incident-status-changed", status="withdrawn"))
    made(publish(client, ledger, source, a_line("a", {"n": 2}, TUESDAY), a_line("a", None, WEDNESDAY)))
    made(publish(client, ledger, source, a_line("a", {"n": 3}, "2025-05-08")))
    assert rows(client, ledger, source) == {"a": {"n": 3}}
    assert incident_of(client, ledger, "a")["status"] == "withdrawn"
    path = f"{ledger}/incidents/{incident['incident_id']}/statements"
    problem(client.post(path, json={"speaker": source, "claims": [killed(2)]}), "refused", 409)


def test_two_that_publish_a_key_at_once_open_one_incident(server: Server, ledger: str, client: httpx.Client) -> None:
    """Its id follows from ledger, data set and key."""
    source = a_source(client, ledger, "Survey", kind="data-set")
    barrier, answers = threading.Barrier(4), []

    def work(number: int) -> None:
        with httpx.Client(base_url=server.url, timeout=30) as own:
            barrier.wait(30)
            lines = [a_line(f"k{n}", {"by": number}, record={"seq": n}) for n in range(20)]
            answers.append(publish(own, ledger, source, *lines))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 4, [answer.text for answer in answers]
    incidents = read(client.get(f"{ledger}/incidents?limit=1000"))["items"]
    assert len(incidents) == 20
    assert all(one["incident_id"][14] == "8" for one in incidents), "UUIDs of version 8"
    found = rows(client, ledger, source)
    assert len(found) == 20
    assert len({row["by"] for row in found.values()}) == 1, "all of the last append"


def test_forms_and_headers(client: httpx.Client, ledger: str, source: str) -> None:
    """NDJSON or CSV, by Accept or `format`; HEAD has the headers; the permanent address gives the same bytes later."""
    made(publish(client, ledger, source, a_line("b", {"n": 1.10, "t": "x"}), a_line("a", {"n": 2})))
    path = f"{ledger}/records?source={source}"
    text = client.get(path)
    assert text.text == '{"key":"a","record":{"n":2}}\n{"key":"b","record":{"n":1.1,"t":"x"}}\n'
    assert text.headers["content-type"] == "application/x-ndjson"
    table = client.get(path, headers={"Accept": "text/csv"})
    assert table.text == "record_key,n,t\r\na,2,\r\nb,1.1,x\r\n"
    assert table.content == client.get(f"{path}&format=csv").content
    problem(client.get(path, headers={"Accept": "image/png"}), "not-acceptable", 406)
    malformed(client.get(f"{path}&format=xml"), "query.format")
    malformed(client.get(f"{path}&said_by=soon"), "query.said_by")
    malformed(client.get(f"{path}&limit=1"), "query.limit")
    head = client.head(path)
    assert head.content == b""
    assert head.headers["stet-position"] == text.headers["stet-position"]
    made(publish(client, ledger, source, a_line("a", {"n": 3}, TUESDAY), a_line("c", {})))
    for before in (text, table):
        after = client.get(before.headers["content-location"])
        assert after.content == before.content
    cut = client.get(f"{path}&said_by={MONDAY}&as_of=position:{position(client, ledger, source)}&format=csv")
    assert cut.text == "record_key,n,t\r\na,2,\r\nb,1.1,x\r\nc,,\r\n"
    assert client.get(cut.headers["content-location"]).content == cut.content
    assert cut.headers["cache-control"].endswith("immutable"), "a position was asked for"


def test_awkward_members_as_csv(client: httpx.Client, ledger: str, source: str) -> None:
    """Texts as they are, though a table's program may take them for formulas: it is what was published. Numbers and
    what is nested are as they were written; null and what is absent are empty."""
    value = (
        '{"":"no name","record_key":"own","a,b":"x\\ny","q\\"":"\\"","f":"=1+1","n":1.10,"e":-1E+5,"null":null,'
        '"o":{"b": 1, "a":[1.0]},"u":"\U0001f600\u2028","t":true}'
    )
    body = f'{{"source_id":"{source}","lines":[{json.dumps(a_line("k", {"VALUE": 0}))}]}}'.replace(
        '{"VALUE": 0}', value
    )
    made(client.post(f"{ledger}/records", content=body.encode(), headers={"content-type": "application/json"}))
    answer = client.get(f"{ledger}/records?source={source}")
    assert answer.content.decode() == f'{{"key":"k","record":{value}}}\n'
    answer = client.get(f"{ledger}/records?source={source}&format=csv")
    header, cells = list(csv.reader(io.StringIO(answer.content.decode(), newline="")))
    assert header == ["record_key", "", "record_key", "a,b", 'q"', "f", "n", "e", "null", "o", "u", "t"]
    nested = '{"b": 1, "a":[1.0]}'
    assert cells == [
        "k",
        "no name",
        "own",
        "x\ny",
        '"',
        "=1+1",
        "1.10",
        "-1E+5",
        "",
        nested,
        "\U0001f600\u2028",
        "true",
    ]


def test_keys_come_in_the_order_of_code_points(client: httpx.Client, ledger: str, source: str) -> None:
    """Also beyond the Basic Multilingual Plane, where UTF-16 would order otherwise, and over more than a page."""
    keys = ["\U0001f600", "\uffff", "é", "e\u0301", "a b", "a", "A", "a|b", '"', "{", "ÿ", "\u2028", "k" * 500]
    keys += [f"n{n}" for n in range(1100)]
    for start in range(0, len(keys), 600):
        made(publish(client, ledger, source, *[a_line(key, {}, title="T") for key in keys[start : start + 600]]))
    made(publish(client, ledger, source, *[a_line(f"n{n}", None, TUESDAY) for n in range(0, 1100, 2)]))
    expected = sorted(key for key in keys if not (key[0] == "n" and int(key[1:]) % 2 == 0))
    assert list(rows(client, ledger, source)) == expected
    assert list(rows(client, ledger, source, said_by=MONDAY)) == sorted(keys)


def test_a_statement_may_publish_a_row(client: httpx.Client, ledger: str, source: str) -> None:
    """Through the API of statements, too: without claims, and in one incident alone."""
    path = an_incident(client, ledger)
    body = {"speaker": source, "said_at": MONDAY, "record": {"key": "a", "value": {"n": 1}}}
    made(client.post(f"{path}/statements", json=body))
    assert rows(client, ledger, source) == {"a": {"n": 1}}
    other = an_incident(client, ledger)
    elsewhere = [killed(2), killed(1, incident_id=id_of(other))]
    problem(client.post(f"{path}/statements", json=body | {"claims": elsewhere}), "refused", 409, "claims")
    gone = body | {"record": {"key": "a", "value": None}}
    malformed(client.post(f"{path}/statements", json=gone), "record.value")
    # The data set goes on in the incident that the row is in.
    made(publish(client, ledger, source, a_line("a", {"n": 2}, TUESDAY)))
    said = read(client.get(path))["statements"]
    assert [one["record"]["value"] for one in said] == [{"n": 1}, {"n": 2}]
    assert said[0]["superseded_by"] == [said[1]["statement_id"]]


def test_a_retraction_takes_the_row_back_with_the_statement_that_spoke_last(
    client: httpx.Client, ledger: str, source: str
) -> None:
    """Of a whole statement; one of an earlier statement leaves the row as the later one says."""
    made(publish(client, ledger, source, a_line("a", {"n": 1}, claims=[killed(1), killed(1, of="crew")])))
    made(publish(client, ledger, source, a_line("a", {"n": 2}, TUESDAY, claims=[killed(2)])))
    incident = incident_of(client, ledger, "a")
    older, newer = incident["statements"]
    body = {"type": "statement-retracted", "said_at": WEDNESDAY}
    null = {"key": "a", "value": None}
    for more, field in (
        ({"record": null | {"key": "b"}}, "record.key"),
        ({"record": null, "claim_ids": [newer["claims"][0]["claim_id"]]}, "record"),
    ):
        answer = revise(client, ledger, incident, **body, statement_id=newer["statement_id"], **more)
        problem(answer, "refused", 409, field)
    answer = revise(
        client, ledger, incident, **body, statement_id=newer["statement_id"], record={"key": "a", "value": {}}
    )
    malformed(answer, "record.value")
    answer = revise(client, ledger, incident, **body, statement_id=older["statement_id"], record=null)
    problem(answer, "refused", 409, "record")
    part = {"claim_ids": [older["claims"][0]["claim_id"]]}
    made(revise(client, ledger, incident, **body, statement_id=older["statement_id"], **part))
    made(revise(client, ledger, incident, **body, statement_id=older["statement_id"]))
    assert rows(client, ledger, source) == {"a": {"n": 2}}
    made(revise(client, ledger, incident, **body, statement_id=newer["statement_id"]))
    assert rows(client, ledger, source) == {}
    assert rows(client, ledger, source, said_by=TUESDAY) == {"a": {"n": 2}}
    problem(publish(client, ledger, source, a_line("a", None)), "unknown-reference", 409, "lines[0].record.key")
    made(publish(client, ledger, source, a_line("a", {"n": 3}, WEDNESDAY)))
    assert rows(client, ledger, source) == {"a": {"n": 3}}


def test_progress_can_be_had_at_any_position(client: httpx.Client, ledger: str, source: str) -> None:
    """And has an ETag, as every view."""
    empty = client.get(f"{ledger}/records/{source}")
    assert (read(empty)["last_seq"], read(empty)["last_said_at"]) == (None, None)
    made(publish(client, ledger, source, a_line("a", {}, TUESDAY, record={"seq": 5}), a_line("b", {}, MONDAY)))
    now = client.get(f"{ledger}/records/{source}")
    assert (read(now)["last_seq"], read(now)["last_said_at"]) == (5, TUESDAY)
    tag = {"If-None-Match": now.headers["etag"]}
    assert client.get(f"{ledger}/records/{source}", headers=tag).status_code == 304
    then = client.get(f"{ledger}/records/{source}", params={"as_of": f"position:{read(empty)['cut']['position']}"})
    assert read(then)["last_seq"] is None


def test_a_row_gives_its_title_only_to_the_incident_that_it_opened(
    client: httpx.Client, ledger: str, source: str
) -> None:
    """A statement in an incident of the desk's may publish a row: the desk's title is not the row's for that."""
    path = an_incident(client, ledger, title="The desk's")
    body = {"speaker": source, "record": {"key": "1", "value": {"a": 1}}, "said_at": MONDAY}
    made(client.post(f"{path}/statements", json=body))
    made(publish(client, ledger, source, a_line("1", {"a": 2}, TUESDAY)))
    view = read(client.get(path))
    assert (view["title"], len(view["statements"])) == ("The desk's", 2)
