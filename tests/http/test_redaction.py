"""Redactions over HTTP: who may, in what order, what is shown after, and that the text is nowhere any more."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest
from tests.conftest import OWNER, Cluster, bearing, serve
from tests.database.everything import everything
from tests.http.asking import a_document, a_source, a_statement, an_incident, id_of, killed, made, problem, read
from tests.http.keyed import a_client, a_key, a_ledger, a_member
from tests.store.test_restore import exported

from stet.offline import check_answer, check_log, open_note, parse_key
from stet.projections.verify import differences
from stet.store.verify import verify

NAME = "Vardan Khachatryan-Petrosyan of Яворницкая street"


class Desk(NamedTuple):
    """A ledger, its two administrators, an editor, and the database."""

    ledger: str
    one: httpx.Client
    other: httpx.Client
    editor: httpx.Client
    public: httpx.Client
    database: str


@pytest.fixture
def desk(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    url = cluster.migrated()
    with ExitStack() as stack:
        server = stack.enter_context(
            serve(url, tmp_path_factory.mktemp("redaction"), keyless=False, STET_OWNER_KEY=OWNER)
        )
        owner = stack.enter_context(bearing(server, OWNER))
        ledger = a_ledger(owner, "erased", public=True)
        one, other = (stack.enter_context(a_client(server, owner, ledger, "admin")) for _ in range(2))
        editor = stack.enter_context(a_client(server, owner, ledger, "editor"))
        public = stack.enter_context(httpx.Client(base_url=server.url, timeout=30))
        yield Desk(ledger, one, other, editor, public, url)


def proposal(version: int, *fields: str, **more: Any) -> dict[str, Any]:
    events = [{"stream_version": version, **({"fields": list(fields)} if fields else {})}]
    return {"type": "redaction-proposed", "ground": "personal-data", "events": events, "reason": "asked for", **more}


def redacted(desk: Desk, path: str, version: int, *fields: str) -> dict[str, Any]:
    """Proposes and confirms; the redaction as the list of them shows it."""
    made(desk.one.post(f"{path}/revisions", json=proposal(version, *fields)))
    shown = read(desk.one.get(f"{desk.ledger}/redactions"))["items"][-1]
    assert shown["confirmed"] is None
    body = {"type": "payload-redacted", "redaction_id": shown["redaction_id"], "reason": "agreed"}
    made(desk.other.post(f"{path}/revisions", json=body))
    done = read(desk.one.get(f"{desk.ledger}/redactions"))["items"][-1]
    assert [(one["position"], set(one["fields"])) for one in shown["events"]] == [
        (one["position"], set(one["fields"]) & set(before["fields"]))
        for one, before in zip(done["events"], shown["events"], strict=True)
    ]
    return done


def sound(desk: Desk) -> None:
    with psycopg.connect(desk.database, autocommit=True) as connection:
        assert [report.fault for report in verify(connection, None)] == [None]
        assert differences(connection, "erased") == []


def test_what_is_erased_is_nowhere(desk: Desk) -> None:
    """A text in all the places that it can stand in: the statement, its claims, the incident, another incident."""
    source = a_source(desk.one, desk.ledger)
    second = an_incident(desk.one, desk.ledger)
    claims = [
        {"attribute": "cause", "value": f"seen by {NAME}", "note": NAME},
        {"attribute": "place", "value": {"name": NAME, "level": "settlement", "geometry": _POINT}},
        {"attribute": "occurred_at", "value": {"edtf": "2020-11-09", "verbatim": f"when {NAME} came"}},
        {"attribute": "killed", "value": {"min": 1, "max": 1}, "verbatim": NAME, "incident_id": id_of(second)},
    ]
    said = a_statement(source, verbatim=f"It was {NAME}.", channel=NAME, claims=claims)
    path = an_incident(desk.one, desk.ledger, title=f"Death of {NAME}", tags=["tag"], statements=[said])
    before = read(desk.one.get(path))
    events = read(desk.one.get(f"{path}/events"))["items"]
    done = redacted(desk, path, 2, "/verbatim", "/claims/1/value", "/claims/0/note")
    assert done["ground"] == "personal-data"
    assert {one["stream"] for one in done["events"]} == {f"incident:{id_of(path)}", f"incident:{id_of(second)}"}
    assert everything(desk.database, NAME) == []
    sound(desk)
    after = read(desk.one.get(f"{path}?as_of=position:{before['cut']['position']}"))
    assert after["title"] == "[redacted]"
    assert after["version"] == before["version"]
    assert [one["verbatim"] for one in after["statements"]] == ["[redacted]"]
    kept = read(desk.one.get(f"{path}/events"))["items"]
    for old, new in zip(events, kept, strict=False):
        assert [old[name] for name in ("position", "leaf", "payload_digest")] == [
            new[name] for name in ("position", "leaf", "payload_digest")
        ]
    assert kept[1]["salt"] not in (None, events[1]["salt"])
    assert kept[1]["redacted"]["by"] == done["confirmed"]["position"]
    assert "/verbatim" in kept[1]["redacted"]["fields"]
    assert [one["type"] for one in kept[-2:]] == ["redaction-proposed", "payload-redacted"]
    told = read(desk.public.get(f"{path}/events"))["items"]
    assert [one["type"] for one in told[-2:]] == ["statement-recorded", "payload-redacted"]
    for where in ("", "/timeline", "/timeline?axis=said", "/timeline?axis=occurred", "/matrix", "/revisions"):
        for client in (desk.one, desk.public):
            assert NAME not in json.dumps(read(client.get(path + where)), ensure_ascii=False)
    found = read(desk.one.get(f"{desk.ledger}/incidents", params={"q": "Khachatryan"}))["items"]
    assert found == []
    lines = desk.public.get(f"{desk.ledger}/events").text
    assert NAME not in lines
    assert '"redaction-proposed"' not in lines
    assert f'"redacted":{{"by":{kept[1]["redacted"]["by"]},"ground":"personal-data","fields":["' in lines
    for event in desk.public.get(f"{desk.ledger}/events", params={"format": "cloudevents"}).json():
        assert "salt" in event
        assert ("redactedby" in event) == ("redactionground" in event)
    after = {"after": done["proposed"]["position"]}
    for client in (desk.one, desk.public):
        [item] = read(client.get(f"{desk.ledger}/changes", params=after))["items"]
        told_of = {one["id"]: (one["types"], one["attributes"], one["incident"]["title"]) for one in item["changes"]}
        assert told_of == {
            id_of(path): (["payload-redacted"], ["cause", "occurred_at", "place"], "[redacted]"),
            id_of(second): (["payload-redacted"], ["killed"], "Helicopter shot down"),
        }


_POINT = {"type": "Point", "coordinates": [44.8, 39.8]}


def test_names_and_headlines_are_erased_at_every_cut(desk: Desk) -> None:
    source = a_source(desk.one, desk.ledger, name=NAME, aliases=[{"name": f"The {NAME}"}])
    path = f"{desk.ledger}/sources/{source}"
    made(desk.one.post(f"{path}/revisions", json={"type": "source-revised", "name": "X", "reason": "it is so"}))
    document = a_document(desk.one, desk.ledger, "2020-11-09", title=f"On {NAME}", url="https://example.org/a")
    redacted(desk, path, 1)
    redacted(desk, f"{desk.ledger}/documents/{document}", 1)
    assert everything(desk.database, NAME) == []
    sound(desk)
    shown = read(desk.one.get(f"{path}?as_of=position:2"))
    assert (shown["name"], shown["aliases"]) == ("[redacted]", [{"name": "[redacted]"}])
    assert read(desk.one.get(path))["name"] == "X"
    shown = read(desk.one.get(f"{desk.ledger}/documents/{document}"))
    assert (shown["title"], shown["url"]) == ("[redacted]", "https://redacted.invalid/")


def test_two_administrators_are_needed(desk: Desk) -> None:
    path = an_incident(desk.one, desk.ledger, title=NAME)
    body = proposal(1)
    refused = problem(desk.editor.post(f"{path}/revisions", json=body), "forbidden", 403)
    assert "the role admin" in refused["detail"]
    made(desk.one.post(f"{path}/revisions", json=body))
    [shown] = read(desk.other.get(f"{desk.ledger}/redactions"))["items"]
    assert shown["events"] == [
        {"stream": f"incident:{id_of(path)}", "position": 2, "fields": ["/title"], "proposed": True}
    ]
    agree = {"type": "payload-redacted", "redaction_id": shown["redaction_id"], "reason": "agreed"}
    problem(desk.editor.post(f"{path}/revisions", json=agree), "forbidden", 403)
    problem(desk.one.post(f"{path}/revisions", json=agree), "refused", 409)
    telling = agree | {"reason": f"it named {NAME}"}
    problem(desk.other.post(f"{path}/revisions", json=telling), "refused", 409, "reason")
    assert read(desk.one.get(path))["title"] == NAME
    # What was appended meanwhile changes nothing of it.
    made(desk.one.post(f"{path}/revisions", json={"type": "incident-amended", "tags": ["a"], "reason": "so"}))
    made(desk.other.post(f"{path}/revisions", json=agree))
    assert read(desk.one.get(path))["title"] == "[redacted]"
    assert desk.other.post(f"{path}/revisions", json=agree).status_code == 200
    problem(desk.one.post(f"{path}/revisions", json=body), "refused", 409, "events[0]")
    other = an_incident(desk.one, desk.ledger)
    problem(desk.other.post(f"{other}/revisions", json=agree), "unknown-reference", 409, "redaction_id")
    sound(desk)


def test_a_proposal_names_what_can_be_erased(desk: Desk) -> None:
    path = an_incident(desk.one, desk.ledger)
    wrong = desk.one.post(f"{path}/revisions", json=proposal(1, "/kind"))
    assert "/title" in problem(wrong, "malformed", 400, "events[0].fields[0]")["errors"][0]["detail"]
    problem(desk.one.post(f"{path}/revisions", json=proposal(7)), "unknown-reference", 409, "events[0].stream_version")
    twice = proposal(1) | {"events": [{"stream_version": 1}, {"stream_version": 1}]}
    problem(desk.one.post(f"{path}/revisions", json=twice), "malformed", 400, "events[1].stream_version")


def test_a_retry_is_answered_without_a_comparison(desk: Desk) -> None:
    """The digest of a request whose text was erased is erased, too: few words can be guessed by it."""
    headers = {"idempotency-key": "once"}
    body = {"title": NAME, "kind": "shootdown"}
    first = desk.one.post(f"{desk.ledger}/incidents", json=body, headers=headers)
    made(first)
    path = first.headers["location"]
    same = {"type": "incident-amended", "title": NAME, "reason": "it is so"}
    assert desk.one.post(f"{path}/revisions", json=same, headers={"idempotency-key": "nothing"}).status_code == 200
    other = desk.one.post(f"{desk.ledger}/incidents", json=body | {"title": "Y"}, headers=headers)
    problem(other, "idempotency-key-reused", 422)
    redacted(desk, path, 1)
    again = desk.one.post(f"{desk.ledger}/incidents", json=body | {"title": "Y"}, headers=headers)
    assert (again.status_code, again.headers["location"]) == (201, path)
    assert again.json()["title"] == "[redacted]"
    with psycopg.connect(desk.database) as connection:
        kept = connection.execute("SELECT octet_length(request_digest) FROM stet.idempotency").fetchall()
    assert kept == [(0,), (0,)]


def test_a_redacted_event_is_redacted_again(desk: Desk) -> None:
    """With more fields. Each time the last redaction tells all that is gone."""
    path = an_incident(desk.one, desk.ledger, title=NAME, tags=["first-of-all", "second"])
    redacted(desk, path, 1, "/title")
    done = redacted(desk, path, 1)
    assert done["events"][0]["fields"] == ["/title", "/tags/0", "/tags/1"]
    shown = read(desk.one.get(f"{path}/events"))["items"][0]
    assert shown["redacted"] == {
        "by": done["confirmed"]["position"],
        "ground": "personal-data",
        "fields": ["/title", "/tags/0", "/tags/1"],
    }
    assert shown["payload"] == {"title": "[redacted]", "kind": "shootdown", "tags": ["redacted", "redacted"]}
    assert everything(desk.database, "first-of-all") == []
    sound(desk)


def test_the_public_hears_nothing_of_what_is_erased_of_hidden_things(desk: Desk) -> None:
    source = a_source(desk.one, desk.ledger)
    path = an_incident(desk.one, desk.ledger, statements=[a_statement(source, verbatim=NAME)])
    statement = read(desk.one.get(path))["statements"][0]["statement_id"]
    hide = {"type": "visibility-changed", "statement_id": statement, "label": "red", "reason": "so"}
    made(desk.one.post(f"{path}/revisions", json=hide))
    before = read(desk.public.get(f"{path}/events"))["items"]
    redacted(desk, path, 2)
    assert read(desk.public.get(f"{path}/events"))["items"] == before
    redacted(desk, path, 1)
    seen = read(desk.public.get(f"{path}/events"))["items"]
    assert [one["type"] for one in seen] == ["incident-opened", "payload-redacted"]
    assert everything(desk.database, NAME) == []
    sound(desk)


def test_the_public_cannot_guess_what_is_left_of_what_it_is_shown_in_part(desk: Desk) -> None:
    """By the salt of a tombstone the exact place could be found out, a number at a time."""
    claims = [{"attribute": "place", "value": {"geometry": _POINT, "radius_m": 10}}]
    said = a_statement(a_source(desk.one, desk.ledger), verbatim=NAME, claims=claims)
    path = an_incident(desk.one, desk.ledger, title=NAME, statements=[said])
    coarse = {"name": "the province", "level": "admin1"}
    made(
        desk.one.post(
            f"{path}/revisions", json={"type": "visibility-changed", "disclosed_place": coarse, "reason": "x"}
        )
    )
    redacted(desk, path, 2, "/verbatim")
    (salt,) = [one["salt"] for one in read(desk.one.get(f"{path}/events"))["items"] if one["stream_version"] == 2]
    for asked in (f"{path}/events", f"{desk.ledger}/events", f"{path}/revisions", f"{path}?proof=true"):
        assert salt not in desk.public.get(asked).text
        assert "/verbatim" not in desk.public.get(asked).text  # that it had one
        assert asked.endswith("/revisions") or salt in desk.one.get(asked).text


def test_a_redaction_may_be_redacted_and_all_is_proven(desk: Desk) -> None:
    """To a member, and to the public, which sees one of them in part; by the log, too."""
    claims = [{"attribute": "place", "value": {"geometry": _POINT, "radius_m": 10}}]
    said = a_statement(a_source(desk.one, desk.ledger), verbatim="It was so.", claims=claims)
    path = an_incident(desk.one, desk.ledger, title=NAME, statements=[said])
    redacted(desk, path, 1)
    both = [{"stream_version": 2, "fields": ["/verbatim"]}, {"stream_version": 4, "fields": ["/reason"]}]
    made(desk.one.post(f"{path}/revisions", json=proposal(4, "/reason") | {"events": both}))
    id_ = read(desk.one.get(f"{desk.ledger}/redactions"))["items"][-1]["redaction_id"]
    confirmation = {"type": "payload-redacted", "redaction_id": id_, "reason": "confirmed"}
    made(desk.other.post(f"{path}/revisions", json=confirmation))
    key = [parse_key(one) for one in read(desk.one.get(f"{path}?proof=true"))["proof"]["keys"]]
    for client in (desk.one, desk.public):
        lines = list(check_answer(read(client.get(f"{path}?proof=true")), key, []))
        assert len([line for line in lines if line.startswith("tombstone")]) == 3
    note, _ = open_note(desk.public.get(f"{desk.ledger}/checkpoint").text, key)
    assert "not proven" not in "".join(check_log(io.BytesIO(exported(desk.database, "erased")), [note]))
    coarse = {"name": "the province", "level": "admin1"}
    made(
        desk.one.post(
            f"{path}/revisions", json={"type": "visibility-changed", "disclosed_place": coarse, "reason": "x"}
        )
    )
    # What is left of the statement is shown in part, so what erased it, and what was proven by what that erased, too.
    lines = list(check_answer(read(desk.public.get(f"{path}?proof=true")), key, []))
    assert not any(line.startswith("tombstone") for line in lines)
    assert any(line.startswith("not proven: what is in positions ") for line in lines)


def test_an_administrator_agrees_with_himself_by_another_key(desk: Desk) -> None:
    """Two keys are asked for. That they are two people's is for those who give keys away; the audit has who made it."""
    path = an_incident(desk.one, desk.ledger, title=NAME)
    made(desk.one.post(f"{path}/revisions", json=proposal(1)))
    [shown] = read(desk.one.get(f"{desk.ledger}/redactions"))["items"]
    second = a_key(desk.one, "admin")
    a_member(desk.one, desk.ledger, second["key_id"], "admin")
    agree = {"type": "payload-redacted", "redaction_id": shown["redaction_id"], "reason": "agreed"}
    headers = {"authorization": f"Bearer {second['key']}"}
    made(desk.public.post(f"{path}/revisions", json=agree, headers=headers))
    [shown] = read(desk.one.get(f"{desk.ledger}/redactions"))["items"]
    audit = read(desk.one.get(f"{desk.ledger}/audit"))["items"]
    assert any(one["subject"] == second["key_id"] and one["actor"] == shown["proposed"]["actor"] for one in audit)
    assert shown["confirmed"]["actor"] == second["key_id"]


def test_what_else_says_it_is_erased_wherever_it_stands(desk: Desk) -> None:
    """A statement that is found by its words goes from all the incidents that hold it, and so on from there."""
    source = a_source(desk.one, desk.ledger)
    second, third = (an_incident(desk.one, desk.ledger) for _ in range(2))

    def shared(incident: str) -> dict[str, Any]:
        killed = {"attribute": "killed", "value": {"min": 1, "max": 1}}
        claims = [killed, killed | {"incident_id": id_of(incident)}]
        return a_statement(source, verbatim=f"And {NAME}.", claims=claims)

    path = an_incident(
        desk.one,
        desk.ledger,
        statements=[a_statement(source, verbatim=f"By {NAME}"), a_statement(source, channel=NAME)],
    )
    made(desk.one.post(f"{path}/statements", json=shared(second)))
    made(desk.one.post(f"{second}/statements", json=shared(third)))
    done = redacted(desk, path, 3)
    assert {one["stream"] for one in done["events"]} == {f"incident:{id_of(one)}" for one in (path, second, third)}
    assert everything(desk.database, NAME) == []
    sound(desk)


def test_what_is_left_cannot_be_guessed_by_its_hash(desk: Desk) -> None:
    """Neither what the public is not shown of it, nor what is erased later."""
    source = a_source(desk.one, desk.ledger)
    place = {"attribute": "place", "value": {"name": "Yeraskh", "level": "settlement", "geometry": _POINT}}
    path = an_incident(desk.one, desk.ledger, statements=[a_statement(source, verbatim=NAME, claims=[place])])
    coarse = {"type": "visibility-changed", "disclosed_place": {"name": "Ararat", "level": "admin1"}, "reason": "so"}
    made(desk.one.post(f"{path}/revisions", json=coarse))
    redacted(desk, path, 2, "/verbatim")
    text = desk.one.get(f"{path}/events").text
    left = text.split('"type":"statement-recorded"')[1].split('"payload":')[1].split(',"salt":')[0]
    assert json.loads(left)["verbatim"] == "[redacted]"
    guessed = sha256(left.encode()).hexdigest()
    assert guessed not in desk.public.get(f"{path}/events").text
    redacted(desk, path, 2)
    assert guessed not in desk.one.get(f"{path}/events").text
    sound(desk)


def test_the_digests_of_published_rows_are_erased_too(desk: Desk) -> None:
    """Also of a request that led to nothing."""
    source = made(desk.one.post(f"{desk.ledger}/sources", json={"name": "D", "kind": "data-set"}))["source_id"]
    record = {"key": "1", "value": {"who": NAME}}
    row = {"record": record, "said_at": "2020-11-09", "title": "It", "kind": "shootdown", "claims": [killed(1)]}
    body = {"source_id": source, "lines": [row]}
    for key in ("once", "nothing"):
        answer = desk.one.post(f"{desk.ledger}/records", json=body, headers={"idempotency-key": key})
        assert answer.is_success, answer.text
        a_source(desk.one, desk.ledger)
    incident = read(desk.one.get(f"{desk.ledger}/incidents"))["items"][0]["incident_id"]
    redacted(desk, f"{desk.ledger}/incidents/{incident}", 2)
    assert everything(desk.database, NAME) == []
    with psycopg.connect(desk.database) as connection:
        kept = connection.execute("SELECT octet_length(request_digest) FROM stet.idempotency").fetchall()
    assert kept == [(0,), (0,)]
