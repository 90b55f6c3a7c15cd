"""Reads: conditions, cuts, mementos, timelines, what proves an event, and every kind of thing as of any moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from typing import Any

import httpx
import psycopg
import pytest
from tests.conftest import wait_until
from tests.http.asking import (
    NOBODY,
    a_document,
    a_source,
    a_statement,
    an_incident,
    correction,
    id_of,
    killed,
    made,
    malformed,
    problem,
    read,
)

FOREVER = "private, max-age=31536000, immutable"


def amend(client: httpx.Client, path: str, title: str, **headers: str) -> httpx.Response:
    body = {"type": "incident-amended", "title": title, "reason": "better"}
    return client.post(f"{path}/revisions", json=body, headers=headers)


@pytest.fixture
def incident(client: httpx.Client, ledger: str) -> str:
    return an_incident(client, ledger)


# Conditions.


def test_if_none_match(client: httpx.Client, incident: str) -> None:
    """One tag, a list, a weak tag or * give 304 where they match: no body, the same validators."""
    first = client.get(incident)
    tag = first.headers["etag"]
    for given in (tag, f'"1-0", {tag}', f'{tag},"x"', f"W/{tag}", f'"a" , W/{tag}', "*"):
        answer = client.get(incident, headers={"If-None-Match": given})
        assert (answer.status_code, answer.content) == (304, b""), given
        for name in ("etag", "content-location", "stet-position", "cache-control", "vary"):
            assert answer.headers[name] == first.headers[name]
    for given in ('"1"', tag.strip('"'), '"1-0123456789abcdef"', "", "W/*"):
        assert client.get(incident, headers={"If-None-Match": given}).status_code == 200, given


def test_every_read_has_a_validator(client: httpx.Client, ledger: str, incident: str) -> None:
    """Each read under /v1 answers 304 to its own ETag, and HEAD does too."""
    source, document = a_source(client, ledger), a_document(client, ledger)
    paths = [ledger, f"{ledger}/attributes", f"{ledger}/attributes/killed", f"{ledger}/sources", f"{ledger}/documents"]
    paths += [
        f"{ledger}/incidents",
        f"{ledger}/sources/{source}",
        f"{ledger}/documents/{document}",
        "/v1/ledgers?limit=1",
    ]
    paths += [f"{incident}{last}" for last in ("", "/statements", "/events", "/revisions", "/timeline")]
    for path in paths:
        tag = client.get(path).headers["etag"]
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304, path
        assert client.head(path, headers={"If-None-Match": tag}).status_code == 304, path


def test_if_match(client: httpx.Client, incident: str) -> None:
    """The version that was seen, with or without what follows its dash, or *: then it is done."""
    for version, form in enumerate(('"{}"', '"{}-abc"', "*"), start=1):
        tag = form.format(version)
        answer = amend(client, incident, f"Title {version}", **{"If-Match": tag})
        assert made(answer)["version"] == version + 1, tag
    tag = client.get(incident).headers["etag"]
    made(amend(client, incident, "The whole ETag", **{"If-Match": tag}))
    problem(amend(client, incident, "Again", **{"If-Match": tag}), "stale", 412)


@pytest.mark.parametrize(
    "tag",
    [
        *("", "1", "1-abc", "'1'", 'W/"1"', 'w/"1"', '"1", "2"', '"1","1"', '"-1"', '"+1"', '"1-"', '"1-XYZ"'),
        *('"1.0"', '"x"', '""', '"1', '1"', "**", '"9999999999999999999"', '"१"'),
    ],
)
def test_if_match_is_one_strong_tag(tag: str, client: httpx.Client, ledger: str, incident: str) -> None:
    """Weak tags, lists and anything else are 400 at every write that takes it, and nothing is done."""
    headers = {b"If-Match": tag.encode()}
    source, document = a_source(client, ledger), a_document(client, ledger)
    for path, body in [
        (f"{ledger}/revisions", {"type": "ledger-amended", "title": "x", "reason": "r"}),
        (f"{ledger}/attributes", {"name": "branch", "type": "text", "rule": "all"}),
        (f"{ledger}/sources/{source}/revisions", {"type": "source-revised", "name": "x", "reason": "r"}),
        (
            f"{ledger}/documents/{document}/revisions",
            {"type": "document-corrected", "title": "x", "basis": "told", "rationale": "r"},
        ),
        (f"{incident}/revisions", {"type": "incident-amended", "title": "x", "reason": "r"}),
        (f"{incident}/statements", a_statement(source)),
    ]:
        malformed(client.post(path, json=body, headers=headers), "header.If-Match")
        answer = client.post(path, json=body, headers={"If-Match": '"77"'})
        problem(answer, "stale", 412)
    assert read(client.get(f"{ledger}/incidents"))["cut"]["position"] == 4


def test_what_is_created_has_no_version_to_match(client: httpx.Client, ledger: str) -> None:
    """If-Match on a creation is 412, whatever it says."""
    document = {"kind": "article", "title": "T", "versions": [{"version": 1, "change": "original"}]}
    for path, body in [
        ("/v1/ledgers", {"name": f"{id_of(ledger)}-never", "title": "T"}),
        (f"{ledger}/sources", {"name": "x", "kind": "person"}),
        (f"{ledger}/documents", document),
        (f"{ledger}/incidents", {"title": "T", "kind": "k"}),
    ]:
        for tag in ("*", '"0"', '"1"'):
            problem(client.post(path, json=body, headers={"If-Match": tag}), "stale", 412)
    assert read(client.get(ledger))["cut"]["position"] == 1
    problem(client.get(f"{ledger}-never"), "not-found", 404)


def test_if_match_on_what_does_not_exist_is_404(client: httpx.Client, ledger: str) -> None:
    """There is no version to be stale."""
    problem(amend(client, f"{ledger}/incidents/{NOBODY}", "x", **{"If-Match": '"1"'}), "not-found", 404)


def test_idempotency_of_every_write(client: httpx.Client, ledger: str) -> None:
    """Each write done again under its key gives the same bytes and headers, and nothing happens twice."""
    speaker, document = a_source(client, ledger), a_document(client, ledger)
    incident = an_incident(client, ledger)
    name = f"{id_of(ledger)}-once"
    writes: list[tuple[str, dict[str, Any]]] = [
        ("/v1/ledgers", {"name": name, "title": "T"}),
        (f"{ledger}/revisions", {"type": "ledger-amended", "title": "x", "reason": "r"}),
        (f"{ledger}/attributes", {"name": "branch", "type": "text", "rule": "all"}),
        (f"{ledger}/sources", {"name": "x", "kind": "person"}),
        (f"{ledger}/sources/{speaker}/revisions", {"type": "source-revised", "name": "y", "reason": "r"}),
        (
            f"{ledger}/documents",
            {"kind": "article", "title": "T", "versions": [{"version": 1, "change": "original"}]},
        ),
        (
            f"{ledger}/documents/{document}/revisions",
            {"type": "document-revised", "version": 2, "change": "update", "reason": "r"},
        ),
        (f"{ledger}/incidents", {"title": "T", "kind": "k", "statements": [a_statement(speaker)]}),
        (f"{incident}/statements", a_statement(speaker)),
        (f"{incident}/revisions", {"type": "incident-amended", "title": "x", "reason": "r"}),
    ]
    firsts = [
        client.post(path, json=body, headers={"Idempotency-Key": f"k{n}"}) for n, (path, body) in enumerate(writes)
    ]
    head = read(client.get(f"{ledger}/incidents"))["cut"]["position"]
    for n, (path, body) in enumerate(writes):
        again = client.post(path, json=body, headers={"Idempotency-Key": f"k{n}"})
        assert again.status_code == firsts[n].status_code == 201, (path, firsts[n].text)
        assert again.content == firsts[n].content
        for header in ("location", "etag", "content-location", "stet-position", "cache-control"):
            assert again.headers[header] == firsts[n].headers[header]
        other = client.post(path, json={**body, "surprise": 1}, headers={"Idempotency-Key": f"k{n}"})
        malformed(other, "surprise")
        if "revisions" in path:
            late = client.post(path, json=body, headers={"Idempotency-Key": f"k{n}", "If-Match": '"1"'})
            assert (late.status_code, late.content) == (201, firsts[n].content), "it was done already"
    assert read(client.get(f"{ledger}/incidents"))["cut"]["position"] == head
    assert read(client.get(f"/v1/ledgers/{name}"))["cut"]["position"] == 1


def test_a_refused_write_keeps_no_key(client: httpx.Client, ledger: str) -> None:
    """What was refused may be asked again under its key, when it has become possible."""
    incident, headers = an_incident(client, ledger), {"Idempotency-Key": "later"}
    problem(amend(client, incident, "x", **headers, **{"If-Match": '"9"'}), "stale", 412)
    made(amend(client, incident, "x", **headers))


# Cuts.


def test_an_open_answer_is_not_kept_and_a_final_one_for_ever(client: httpx.Client, ledger: str, incident: str) -> None:
    """Final: a position was asked for, or a later append exists; only then may a cache keep it."""
    now = client.get(incident)
    assert (now.headers["cache-control"], read(now)["cut"]["final"]) == ("no-cache", False)
    at = read(now)["opened_at"]
    for as_of, final in (("position:2", True), (at, False), ("2999-01-01", False)):
        answer = client.get(incident, params={"as_of": as_of})
        assert (answer.headers["cache-control"], read(answer)["cut"]["final"]) == (
            FOREVER if final else "no-cache",
            final,
        )
        assert read(answer)["cut"]["as_of"] == as_of
    a_source(client, ledger)
    answer = client.get(incident, params={"as_of": at})
    assert (answer.headers["cache-control"], read(answer)["cut"]["final"]) == (FOREVER, True)


def test_a_write_answers_with_the_view_right_after_it(client: httpx.Client, ledger: str) -> None:
    """201, Location, Stet-Position, an ETag that If-Match takes, and the address of this state for ever."""
    answer = client.post(f"{ledger}/incidents", json={"title": "T", "kind": "k"})
    view = made(answer)
    location = f"{ledger}/incidents/{view['incident_id']}"
    assert answer.headers["location"] == location
    assert answer.headers["stet-position"] == "2"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-location"] == f"{location}?as_of=position:2"
    assert client.get(answer.headers["content-location"]).content == answer.content
    nothing = client.post(f"{location}/revisions", json={"type": "incident-amended", "title": "T", "reason": "same"})
    assert nothing.status_code == 200
    assert nothing.headers["location"] == location
    assert read(nothing)["version"] == 1


def test_content_location_gives_the_same_view_for_ever(client: httpx.Client, ledger: str, incident: str) -> None:
    """Whatever was read, its Content-Location gives the same bytes after later writes."""
    speaker, document = a_source(client, ledger), a_document(client, ledger)
    body = a_statement(speaker, claims=[killed(1), {"attribute": "occurred_at", "value": "2020-11-09"}])
    statement = made(client.post(f"{incident}/statements", json=body))["statement_id"]
    paths = [ledger, f"{ledger}/attributes", f"{ledger}/attributes/killed", f"{ledger}/sources", f"{ledger}/documents"]
    paths += [f"{ledger}/incidents?limit=3", f"{ledger}/sources/{speaker}", f"{ledger}/documents/{document}", incident]
    paths += [f"{incident}/{last}" for last in ("statements", "events?limit=2", "revisions", f"statements/{statement}")]
    paths += [f"{incident}/timeline?axis={axis}" for axis in ("occurred", "said", "recorded")]
    before = {path: client.get(path) for path in paths}
    made(amend(client, incident, "Later"))
    for path, was in before.items():
        assert "as_of=head@5" in was.headers["content-location"], path
        permanent = client.get(was.headers["content-location"])
        assert permanent.headers["stet-position"] == was.headers["stet-position"] == "5"
        assert permanent.content == was.content, path
        assert read(permanent)["cut"]["final"] is False, path


def test_a_date_is_the_end_of_its_day_in_utc(client: httpx.Client, ledger: str, incident: str) -> None:
    """Today's date gives what is known now; yesterday's, what was known before this ledger was."""
    opened = datetime.fromisoformat(read(client.get(incident))["opened_at"]).astimezone(UTC)
    view = read(client.get(incident, params={"as_of": f"{opened:%Y-%m-%d}"}))
    assert view["cut"]["as_of"] == f"{opened:%Y-%m-%d}"
    problem(client.get(incident, params={"as_of": f"{opened - timedelta(days=1):%Y-%m-%d}"}), "not-found", 404)


def test_an_instant_is_the_last_append_at_or_before_it(client: httpx.Client, ledger: str) -> None:
    """To the microsecond, and never in the middle of an append."""
    speaker = a_source(client, ledger)
    path = an_incident(client, ledger, statements=[a_statement(speaker), a_statement(speaker)])
    at = datetime.fromisoformat(read(client.get(path))["opened_at"])
    exact = read(client.get(path, params={"as_of": at.isoformat()}))
    assert (exact["version"], len(exact["statements"])) == (3, 2)
    problem(client.get(path, params={"as_of": (at - timedelta(microseconds=1)).isoformat()}), "not-found", 404)
    early = at.replace(tzinfo=None) + timedelta(hours=9, minutes=30)
    shifted = read(client.get(path, params={"as_of": f"{early.isoformat()}+09:30"}))
    assert shifted["cut"]["as_of"] == exact["cut"]["as_of"]
    assert shifted == exact


# Mementos.


@pytest.fixture
def told(client: httpx.Client, ledger: str) -> tuple[str, datetime]:
    """An incident, amended a second or more after it was opened, and the second of its opening."""
    path = an_incident(client, ledger, title="First")
    opened = datetime.fromisoformat(read(client.get(path))["opened_at"]).replace(microsecond=0)
    wait_until(lambda: datetime.now(UTC) > opened + timedelta(seconds=1.1), "the next second")
    made(amend(client, path, "Second"))
    return path, opened


def test_accept_datetime(client: httpx.Client, told: tuple[str, datetime]) -> None:
    """The state at the end of that second; before the opening, the first state; later, the last."""
    path, opened = told
    for at, title in (
        (opened, "First"),
        (opened - timedelta(days=400), "First"),
        (opened + timedelta(days=400), "Second"),
    ):
        answer = client.get(path, headers={"Accept-Datetime": format_datetime(at, usegmt=True)})
        view = read(answer)
        assert view["title"] == title
        shown = parsedate_to_datetime(answer.headers["memento-datetime"])
        assert shown == datetime.fromisoformat(view["updated_at"]).replace(microsecond=0)
        assert answer.headers["vary"] == "accept-datetime, authorization"
        assert f'<{path}>; rel="original timegate"' in answer.headers["link"]
        assert client.get(answer.headers["content-location"]).json()["title"] == title


def test_as_of_goes_before_accept_datetime(client: httpx.Client, told: tuple[str, datetime]) -> None:
    """The address is plainer than a header; an answer without either is no memento."""
    path, opened = told
    future = format_datetime(opened + timedelta(days=400), usegmt=True)
    answer = client.get(f"{path}?as_of=position:2", headers={"Accept-Datetime": future})
    assert read(answer)["title"] == "First"
    assert "memento-datetime" in answer.headers
    plain = client.get(path)
    assert "memento-datetime" not in plain.headers
    assert plain.headers["vary"] == "accept-datetime, authorization"
    assert f'<{path}>; rel="original timegate"' in plain.headers["link"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "GMT", "yesterday", "2020-11-09", "2020-11-09T14:30:00Z", "09 Nov 2020 14:30:00 GMT"),
        *("Mon, 09 Nov 2020 14:30:00 +0400", "Mon, 09 Nov 2020 14:30:00", "Mon, 09 Nov 20 14:30:00 GMT"),
        *("Mon, 09 Nov 99999 14:30:00 GMT", "Mon, 09 Nov 2020 25:30:00 GMT", "Mon, 32 Nov 2020 14:30:00 GMT"),
        *("Mon, 09 Nov 0000 14:30:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 31 Dec 2016 23:59:60 GMT"),
    ],
)
def test_accept_datetime_is_an_http_date(text: str, client: httpx.Client, incident: str) -> None:
    """Anything else is 400; on what does not exist it is 404 all the same."""
    malformed(client.get(incident, headers={"Accept-Datetime": text}), "header.Accept-Datetime")


def test_accept_datetime_of_nothing(client: httpx.Client, ledger: str) -> None:
    """An incident that does not exist has no first state."""
    headers = {"Accept-Datetime": "Mon, 09 Nov 2020 14:30:00 GMT"}
    problem(client.get(f"{ledger}/incidents/{NOBODY}", headers=headers), "not-found", 404)


@pytest.mark.parametrize(
    "name", [*("attributes", "sources", "documents", "incidents", "statements", "stats", "releases")]
)
def test_every_list_of_a_ledger_is_its_own_timegate(
    name: str, client: httpx.Client, told: tuple[str, datetime]
) -> None:
    path, opened = f"{told[0].partition('/incidents')[0]}/{name}", told[1]
    _is_timegate(client, path, opened)


@pytest.mark.parametrize("name", ["statements", "events", "revisions"])
def test_every_list_of_an_incident_is_its_own_timegate(
    name: str, client: httpx.Client, told: tuple[str, datetime]
) -> None:
    path, opened = f"{told[0]}/{name}", told[1]
    _is_timegate(client, path, opened)


def _is_timegate(client: httpx.Client, path: str, opened: datetime) -> None:
    """At the second of the opening the list is what it was before the amendment."""
    head = client.get(path)
    assert "accept-datetime" in head.headers["vary"]
    assert f'<{path}>; rel="original timegate"' in head.headers["link"]
    past = client.get(path, headers={"Accept-Datetime": format_datetime(opened, usegmt=True)})
    assert read(past)["cut"]["as_of"] == opened.replace(microsecond=999_999).isoformat().replace("+00:00", "Z")
    assert past.headers["stet-position"] == "2"
    assert "memento-datetime" in past.headers
    assert client.get(past.headers["content-location"]).content == past.content
    malformed(client.get(path, headers={"Accept-Datetime": "then"}), "header.Accept-Datetime")


# Statements, timelines, events.


def test_timelines(client: httpx.Client, ledger: str) -> None:
    """Recorded: every event as it came. Said: by when it was said. Occurred: by what the claims say."""
    speaker, path = a_source(client, ledger, "Ministry"), an_incident(client, ledger)
    said = ["2020-11-11", "2020-11-09/..", None, "2020-11-09"]
    happened = ["2020-11-08", "../2020-11-07", "2020-11", "2020-11-08T12:00:00Z"]
    ids = []
    for said_at, occurred_at in zip(said, happened, strict=True):
        claims = [{"attribute": "occurred_at", "value": occurred_at, "act": "admit"}, killed(1)]
        body = a_statement(speaker, claims=claims) | ({"said_at": said_at} if said_at else {})
        ids.append(made(client.post(f"{path}/statements", json=body))["statement_id"])
    made(client.post(f"{path}/revisions", json=correction(ids[0], set={"channel": "wire"})))

    recorded = read(client.get(f"{path}/timeline"))
    assert recorded["axis"] == "recorded"
    assert [item["type"] for item in recorded["items"]] == [
        "incident-opened",
        *["statement-recorded"] * 4,
        "statement-corrected",
    ]
    assert [item["statement_id"] for item in recorded["items"]] == [None, *ids, ids[0]]
    assert recorded["items"][-1]["reason"] == "misread"
    assert [item["position"] for item in recorded["items"]] == list(range(3, 9))

    items = read(client.get(f"{path}/timeline?axis=said"))["items"]
    # Nothing bounds the third below; the second is bounded above by when it was recorded, the fourth by its day.
    assert [item["statement_id"] for item in items] == [ids[2], ids[3], ids[1], ids[0]]
    assert items[0]["speaker"] == {"source_id": speaker, "name": "Ministry"}
    assert (items[0]["acts"], items[0]["attributes"]) == (["admit", "assert"], ["occurred_at", "killed"])

    items = read(client.get(f"{path}/timeline?axis=occurred"))["items"]
    assert [item["statement_id"] for item in items] == [ids[1], ids[2], ids[0], ids[3]]
    assert items[3]["time"]["earliest"] == items[3]["time"]["latest"] == "2020-11-08T12:00:00Z"
    assert all(item["claim_id"] and item["attributes"] == ["occurred_at"] for item in items)

    assert len(read(client.get(f"{path}/timeline?as_of=position:4"))["items"]) == 2
    malformed(client.get(f"{path}/timeline?axis=future"), "query.axis")


def _leaf(ledger_id: str, stream: str, event: dict[str, Any], digest: str) -> str:
    at = datetime.fromisoformat(event["recorded_at"]).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    lines = ["stet-event-1", ledger_id, str(event["position"]), stream, str(event["stream_version"]), event["event_id"]]
    lines += [event["type"], str(event["schema_version"]), at, event["actor"], event["correlation_id"]]
    lines += [event["causation_id"] or "", digest]
    return sha256(b"\x00" + "\n".join(lines).encode()).hexdigest()


def _payloads(body: str) -> Iterator[str]:
    """The payloads of a list of events, letter by letter as they came."""
    decoder = json.JSONDecoder()
    rest = body
    while (start := rest.find('"payload":')) >= 0:
        rest = rest[start + len('"payload":') :]
        _, end = decoder.raw_decode(rest)
        yield rest[:end]
        rest = rest[end:]


def test_events_prove_themselves(client: httpx.Client, ledger: str) -> None:
    """With nothing but SHA-256: the bytes of the payload give the digest, the envelope gives the leaf."""
    speaker, document = a_source(client, ledger, "Նախարարություն"), a_document(client, ledger, None)
    cited = {"document_id": document, "version": 1}
    body = a_statement(speaker, citation=cited, verbatim='Ըստ «աղբյուրի» \\ "payload": {} \U0001f681 \u2028')
    path = an_incident(client, ledger, statements=[body])
    published = {"type": "document-corrected", "basis": "deduced", "rationale": "r"}
    published["versions"] = [{"version": 1, "published_at": "2020-11-09"}]
    answer = client.post(f"{ledger}/documents/{document}/revisions", json=published)
    made(answer)
    ledger_id = read(client.get(ledger))["ledger_id"]
    listed = client.get(f"{path}/events")
    events = read(listed)["items"]
    assert [event["type"] for event in events] == ["incident-opened", "statement-recorded", "statement-corrected"]
    for event, payload in zip(events, _payloads(listed.text), strict=True):
        assert json.loads(payload) == event["payload"]
        digest = sha256(bytes.fromhex(event["salt"]) + payload.encode()).hexdigest()
        assert digest == event["payload_digest"]
        assert _leaf(ledger_id, f"incident:{id_of(path)}", event, digest) == event["leaf"]
        assert len(event["salt"]) == 32
    assert len({event["salt"] for event in events}) == 3
    assert events[0]["correlation_id"] == events[1]["correlation_id"]
    assert events[2]["correlation_id"] == answer.headers["x-request-id"]
    assert events[2]["causation_id"]
    assert events[0]["causation_id"] is None


def test_lists_of_one_incident_page(client: httpx.Client, ledger: str) -> None:
    """Statements, events and revisions by cursor give each item once, in order, at the first page's cut."""
    speaker = a_source(client, ledger)
    path = an_incident(client, ledger, statements=[a_statement(speaker) for _ in range(5)])
    for n in range(3):
        made(amend(client, path, f"Title {n}"))
    lists = {"statements": ("statement_id", 5), "events": ("event_id", 9), "revisions": ("event_id", 3)}
    whole = {last: read(client.get(f"{path}/{last}"))["items"] for last in lists}
    for last, (key, count) in lists.items():
        seen: list[str] = []
        page: dict[str, Any] = {"next_cursor": None}
        while not seen or page["next_cursor"]:
            cursor = {"cursor": page["next_cursor"]} if seen else {"as_of": "position:11"}
            answer = client.get(f"{path}/{last}", params={"limit": 2, **cursor})
            page = read(answer)
            assert client.get(answer.headers["content-location"]).content == answer.content
            seen += [item[key] for item in page["items"]]
            made(amend(client, path, f"Since {last} {len(seen)}"))
        assert seen == [item[key] for item in whole[last]]
        assert len(seen) == count
        problem(client.get(f"{ledger}/incidents/{NOBODY}/{last}"), "not-found", 404)
        problem(client.get(f"{path}/{last}?as_of=position:2"), "not-found", 404)


def test_revisions_are_everything_but_the_opening_and_the_statements(client: httpx.Client, ledger: str) -> None:
    """Each with its reason, in the order of the log."""
    speaker = a_source(client, ledger)
    path, other = an_incident(client, ledger, statements=[a_statement(speaker)]), an_incident(client, ledger)
    statement = read(client.get(path))["statements"][0]["statement_id"]
    link = {"incident_id": id_of(other), "relation": "causes"}
    bodies = [
        {"type": "incident-amended", "tags": ["a", "b", "a"], "reason": "1"},
        {"type": "incident-status-changed", "status": "closed", "reason": "2"},
        {"type": "incident-linked", **link, "reason": "3"},
        correction(statement, set={"verbatim": "x"}, reason="4"),
        {"type": "incident-unlinked", **link, "reason": "5"},
    ]
    for body in bodies:
        made(client.post(f"{path}/revisions", json=body))
    items = read(client.get(f"{path}/revisions"))["items"]
    assert [item["type"] for item in items] == [body["type"] for body in bodies]
    assert [item["payload"]["reason"] for item in items] == list("12345")
    view = read(client.get(path))
    assert (view["tags"], view["status"], view["links"]) == (["a", "b"], "closed", [])
    assert [(one["attribute"], one["status"]) for one in view["attributes"]] == [("killed", "single-source")]
    assert view["reactions"] == []
    assert view["merged_into"] is None
    assert read(client.get(path, params={"as_of": "position:8"}))["links"] == [link]
    [corrected] = view["statements"][0]["corrections"]
    assert (corrected["error"], corrected["reason"]) == ("transcription", "4")


def test_one_statement(client: httpx.Client, ledger: str) -> None:
    """It is read at its own address, as of any moment since it was recorded, with its incident and cut."""
    speaker = a_source(client, ledger)
    path, other = an_incident(client, ledger), an_incident(client, ledger)
    body = a_statement(speaker, claims=[killed(1), killed(2, incident_id=id_of(other))])
    answer = client.post(f"{path}/statements", json=body)
    recorded = made(answer)
    assert recorded["incidents"] == [id_of(path), id_of(other)]
    assert [claim["value"]["min"] for claim in recorded["claims"]] == [1]
    there = read(client.get(f"{other}/statements/{recorded['statement_id']}"))
    assert (there["incident_id"], there["claims"][0]["value"]["min"]) == (id_of(other), 2)
    made(client.post(f"{other}/revisions", json=correction(recorded["statement_id"], set={"channel": "wire"})))
    for holder in (path, other):
        assert read(client.get(f"{holder}/statements/{recorded['statement_id']}"))["channel"] == "wire"
    assert client.get(answer.headers["content-location"]).content == answer.content
    problem(client.get(f"{answer.headers['location']}?as_of=position:4"), "not-found", 404)
    problem(client.get(f"{path}/statements/{NOBODY}"), "not-found", 404)


# Ledgers, attributes, sources, documents.


def test_ledgers(client: httpx.Client, ledger: str) -> None:
    """A ledger is amended, never renamed; its list goes by name; its past stays."""
    body = {"type": "ledger-amended", "title": "Second", "public": True, "reason": "r"}
    view = made(client.post(f"{ledger}/revisions", json=body))
    assert (view["title"], view["public"], view["version"]) == ("Second", True, 2)
    assert read(client.get(f"{ledger}?as_of=position:1"))["title"] == "A test"
    malformed(client.post(f"{ledger}/revisions", json={**body, "name": "other"}), "name")
    seen: list[str] = []
    cursor: str | None = None
    while cursor or not seen:
        page = read(client.get("/v1/ledgers", params={"limit": 100} | ({"cursor": cursor} if cursor else {})))
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == sorted(set(seen))
    assert id_of(ledger) in seen


def test_attributes_of_every_type(client: httpx.Client, ledger: str) -> None:
    """Each type can be defined, claimed and read back; type and rule stand as defined, and only since then."""
    speaker, document = a_source(client, ledger), a_document(client, ledger)
    rules = {"count": "range", "time": "intersect", "place": "finest", "source": "admission-first"}
    values: dict[str, tuple[Any, Any]] = {
        "count": ({"min": 0}, {"min": 0}),
        "time": (
            "2020-11-09",
            {
                "earliest": "2020-11-09T00:00:00Z",
                "latest": "2020-11-09T23:59:59.999999Z",
                "edtf": "2020-11-09",
            },
        ),
        "place": ({"name": "Yeraskh", "relation": "near"},) * 2,
        "source": ({"source_id": speaker},) * 2,
        "term": ("army", "army"),
        "text": ("Mi-24", "Mi-24"),
        "quantity": ({"amount": 60, "unit": "nautical mile"}, {"amount": 60.0, "unit": "nautical mile"}),
        "document": ({"document_id": document},) * 2,
        "boolean": (False, False),
    }
    built_in = read(client.get(f"{ledger}/attributes"))["items"]
    assert all(item["built_in"] for item in built_in)
    for type_ in values:
        body = {"name": f"own_{type_}", "type": type_, "rule": rules.get(type_, "majority"), "description": "Ours"}
        body |= {"terms": ["army", "navy"]} if type_ == "term" else {}
        answer = client.post(f"{ledger}/attributes", json=body)
        shown = made(answer)
        assert {name: shown[name] for name in body} == body
        assert shown["built_in"] is False
        assert client.get(answer.headers["content-location"]).content == answer.content
        problem(client.post(f"{ledger}/attributes", json=body), "name-taken", 409, "name")
    path = an_incident(client, ledger)
    claims = [{"attribute": f"own_{type_}", "value": given} for type_, (given, _) in values.items()]
    shown = made(client.post(f"{path}/statements", json=a_statement(speaker, claims=claims)))["claims"]
    assert [(c["type"], c["value"]) for c in shown] == [(type_, stored) for type_, (_, stored) in values.items()]
    wrong = a_statement(speaker, claims=[{"attribute": "own_term", "value": "air force"}])
    malformed(client.post(f"{path}/statements", json=wrong), "claims[0].value")
    assert len(read(client.get(f"{ledger}/attributes"))["items"]) == len(built_in) + len(values)
    assert read(client.get(f"{ledger}/attributes?as_of=position:1"))["items"] == built_in
    problem(client.get(f"{ledger}/attributes/own_term?as_of=position:4"), "not-found", 404)
    problem(client.get(f"{ledger}/attributes/none"), "not-found", 404)
    for body, field in [
        ({"name": "killed", "type": "count", "rule": "range"}, "name"),
        ({"name": "x", "type": "text", "rule": "range"}, "rule"),
        ({"name": "x", "type": "text", "rule": "all", "terms": ["a"]}, "terms"),
        ({"name": "x", "type": "term", "rule": "all", "terms": ["a", "a"]}, "terms"),
    ]:
        answer = client.post(f"{ledger}/attributes", json=body)
        assert answer.status_code == (409 if body["name"] == "killed" else 400)
        assert answer.json()["errors"][0]["field"] == field


def test_names_are_those_of_the_cut(client: httpx.Client, ledger: str) -> None:
    """A renamed source has its old name in old views and its new one in new ones; statements are not touched."""
    speaker, relay = a_source(client, ledger, "Old name"), a_source(client, ledger, "Relay")
    body = a_statement(speaker, chain=[{"source_id": relay, "role": "reporter"}])
    path = an_incident(client, ledger, statements=[body])
    for id_, name in ((speaker, "New name"), (relay, "New relay")):
        revision = {"type": "source-revised", "name": name, "reason": "renamed"}
        made(client.post(f"{ledger}/sources/{id_}/revisions", json=revision))

    def names(**params: str) -> list[str]:
        [statement] = read(client.get(path, params=params))["statements"]
        [said] = read(client.get(f"{path}/timeline", params={"axis": "said", **params}))["items"]
        [listed] = read(client.get(f"{path}/statements", params=params))["items"]
        assert statement["speaker"] == said["speaker"] == listed["speaker"]
        return [statement["speaker"]["name"], *(hop["name"] for hop in statement["chain"])]

    assert names() == ["New name", "New relay"]
    assert names(as_of="position:5") == ["Old name", "Relay"]
    assert names(as_of="position:6") == ["New name", "Relay"]
    assert read(client.get(path))["version"] == 2


def test_sources(client: httpx.Client, ledger: str) -> None:
    """Aliases, parent and reliability are kept, changed and cleared; every earlier state stays readable."""
    parent = a_source(client, ledger, "State")
    aliases = [{"name": "Министерство", "language": "ru", "script": "Cyrl"}, {"name": "MFA"}]
    id_ = a_source(client, ledger, "Ministry", aliases=aliases, parent=parent, reliability="B")
    path = f"{ledger}/sources/{id_}"
    first = read(client.get(path))
    assert (first["aliases"], first["parent"], first["reliability"]) == (aliases, parent, "B")
    body = {"type": "source-revised", "aliases": aliases[:1], "parent": None, "reliability": None, "reason": "r"}
    second = made(client.post(f"{path}/revisions", json=body))
    assert (second["aliases"], second["parent"], second["reliability"]) == (aliases[:1], None, None)
    assert client.post(f"{path}/revisions", json=body).status_code == 200
    assert read(client.get(f"{path}?as_of=position:3"))["aliases"] == aliases
    problem(client.get(f"{path}?as_of=position:2"), "not-found", 404)
    malformed(client.post(f"{path}/revisions", json={"type": "source-revised", "reason": "nothing"}))
    assert [s["source_id"] for s in read(client.get(f"{ledger}/sources"))["items"]] == [parent, id_]


def test_documents(client: httpx.Client, ledger: str) -> None:
    """Its publisher's versions, the desk's corrections and archived captures, each as of any moment."""
    publisher = a_source(client, ledger, "Outlet")
    id_ = a_document(client, ledger, "2020-11-09", publisher=publisher, url="https://example.org/a?b=c#d")
    path = f"{ledger}/documents/{id_}"
    update = {"type": "document-revised", "version": 3, "change": "correction", "headline": "UPDATED", "reason": "r"}
    made(client.post(f"{path}/revisions", json=update | {"inferred": True, "summary": "It admits an error."}))
    problem(client.post(f"{path}/revisions", json=update), "refused", 409, "version")
    capture = {
        "type": "document-captured",
        "version": 1,
        "captured_at": "2020-11-10T01:02:03.000004+04:00",
        "sha256": "ab" * 32,
        "archive_url": "https://archive.example.org/1",
        "tool": "browser 1.0",
        "reason": "kept",
    }
    made(client.post(f"{path}/revisions", json=capture))
    assert client.post(f"{path}/revisions", json=capture | {"reason": "again"}).status_code == 200
    fixed = {"type": "document-corrected", "title": "Right", "url": None, "basis": "witnessed", "rationale": "r"}
    fixed["versions"] = [{"version": 1, "published_at": None}]
    view = made(client.post(f"{path}/revisions", json=fixed))
    assert (view["title"], view["url"], view["publisher"], view["version"]) == ("Right", None, publisher, 4)
    assert [version["version"] for version in view["versions"]] == [1, 3]
    assert "published_at" not in view["versions"][0]
    assert (view["versions"][1]["headline"], view["versions"][1]["inferred"]) == ("UPDATED", True)
    assert view["captures"][0]["captured_at"] == "2020-11-09T21:02:03.000004Z"
    old = read(client.get(f"{path}?as_of=position:3"))
    assert (len(old["versions"]), old["captures"], old["url"]) == (1, [], "https://example.org/a?b=c#d")
    assert [d["document_id"] for d in read(client.get(f"{ledger}/documents"))["items"]] == [id_]
    problem(client.get(f"{ledger}/documents/{NOBODY}"), "not-found", 404)


def test_a_corrected_publication_moves_what_hangs_on_it(client: httpx.Client, ledger: str) -> None:
    """In every incident, in one append, as corrections that name their cause; old cuts keep the old times."""
    speaker, document = a_source(client, ledger), a_document(client, ledger, "2020-11-09")
    cited = {"document_id": document, "version": 1}
    today = {"verbatim": "today", "zone": "+04:00", "anchor": {"relation": "same-day", **cited}}
    paths = [
        an_incident(client, ledger, statements=[a_statement(speaker, citation=cited)]),
        an_incident(client, ledger, statements=[a_statement(speaker, said_at=today)]),
        an_incident(client, ledger, statements=[a_statement(speaker)]),
    ]
    before = int(client.get(ledger + "/incidents").headers["stet-position"])
    body = {"type": "document-corrected", "basis": "deduced", "rationale": "r"}
    body["versions"] = [{"version": 1, "published_at": "2020-11-11"}]
    answer = client.post(f"{ledger}/documents/{document}/revisions", json=body)
    made(answer)
    assert int(answer.headers["stet-position"]) == before + 3
    views = [read(client.get(path)) for path in paths]
    assert [view["version"] for view in views] == [3, 3, 2]
    assert views[0]["statements"][0]["said_at"]["latest"] == "2020-11-11T23:59:59.999999Z"
    said_at = views[1]["statements"][0]["said_at"]
    assert (said_at["earliest"], said_at["latest"]) == ("2020-11-10T20:00:00Z", "2020-11-12T19:59:59.999999Z")
    assert views[0]["updated_at"] == views[1]["updated_at"]
    causes = {view["statements"][0]["corrections"][0]["causation_id"] for view in views[:2]}
    assert len(causes) == 1
    old = read(client.get(paths[0], params={"as_of": f"position:{before}"}))
    assert old["statements"][0]["said_at"]["latest"] == "2020-11-09T23:59:59.999999Z"


# Ledgers know nothing of each other.


def test_ledgers_are_apart(client: httpx.Client, ledger: str) -> None:
    """What belongs to another ledger does not exist here: 404 to read, 409 to name, 404 to revise."""
    name = f"{id_of(ledger)}-other"
    made(client.post("/v1/ledgers", json={"name": name, "title": "Other"}))
    other = f"/v1/ledgers/{name}"
    speaker, document = a_source(client, other), a_document(client, other)
    path = an_incident(client, other, statements=[a_statement(speaker)])
    statement = read(client.get(path))["statements"][0]["statement_id"]
    made(client.post(f"{other}/attributes", json={"name": "branch", "type": "text", "rule": "all"}))
    here = f"{ledger}/incidents/{id_of(path)}"
    for missing in (
        f"{ledger}/sources/{speaker}",
        f"{ledger}/documents/{document}",
        f"{ledger}/attributes/branch",
        here,
        f"{here}/events",
        f"{here}/revisions",
        f"{here}/timeline",
        f"{here}/statements",
        f"{here}/statements/{statement}",
    ):
        problem(client.get(missing), "not-found", 404)
    own, incident = a_source(client, ledger), an_incident(client, ledger)
    for body, field in [
        (a_statement(speaker), "speaker"),
        (a_statement(own, citation={"document_id": document, "version": 1}), "citation.document_id"),
        (a_statement(own, claims=[{"attribute": "branch", "value": "x"}]), "claims[0].attribute"),
        (a_statement(own, claims=[killed(1, of=f"statement:{statement}")]), "claims[0].of"),
        (a_statement(own, claims=[killed(1), killed(1, incident_id=id_of(path))]), "claims[1].incident_id"),
    ]:
        problem(client.post(f"{incident}/statements", json=body), "unknown-reference", 409, field)
    problem(amend(client, here, "x"), "not-found", 404)
    problem(client.post(f"{here}/statements", json=a_statement(own)), "not-found", 404)
    link = {"type": "incident-linked", "incident_id": id_of(path), "relation": "follows", "reason": "r"}
    problem(client.post(f"{incident}/revisions", json=link), "unknown-reference", 409, "incident_id")
    revised = {"type": "source-revised", "name": "x", "reason": "r"}
    problem(client.post(f"{ledger}/sources/{speaker}/revisions", json=revised), "not-found", 404)
    assert read(client.get(f"{ledger}/incidents"))["cut"]["position"] == 3


def test_two_ledgers_number_their_own_events(client: httpx.Client, url: str, ledger: str) -> None:
    """Positions are of one ledger: both begin at 1."""
    name = f"{id_of(ledger)}-second"
    answer = client.post("/v1/ledgers", json={"name": name, "title": "Second"})
    assert answer.headers["stet-position"] == "1"
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM stet.event").fetchone() == (0,)
