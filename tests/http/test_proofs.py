"""Checkpoints and proofs as a stranger gets them, and checks them with one file and no server."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import OWNER, SIGNING_KEY, Cluster, bearing, serve, wait_until
from tests.http.asking import NOBODY, a_source, a_statement, an_incident, id_of, made, malformed, problem, read
from tests.http.keyed import a_ledger
from tests.store.signing import sign
from tests.store.test_restore import exported

import stet.offline
from stet.offline import Fault, check_answer, extends, includes, open_note, parse_key
from stet.proofs.keys import SigningKey, vkey

# The database makes no difference to what is tested here: one of them is enough.
pytestmark = pytest.mark.parametrize("cluster", ["embedded"], indirect=True, scope="session")


class Alone:
    """An empty folder, where somebody has the one file and nothing of Stet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(stet.offline.__file__, folder / "offline.py")

    def save(self, name: str, content: bytes | str) -> str:
        (self.folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # -I: neither the environment nor this folder is searched for modules.
        command = [sys.executable, "-I", "offline.py", *arguments]
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, encoding="utf-8", env={}, timeout=60, check=False
        )

    def proves(self, *arguments: str) -> list[str]:
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout.splitlines()

    def fault(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (1, ""), done.stdout + done.stderr
        return done.stdout.splitlines()[-1]


@pytest.fixture
def alone(tmp_path: Path) -> Alone:
    return Alone(tmp_path)


class Place(NamedTuple):
    """A public ledger with a few incidents, who may write in it, and the public."""

    database: str
    owner: httpx.Client
    public: httpx.Client
    ledger: str


@pytest.fixture(scope="module")
def place(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    database = cluster.migrated()
    with (
        serve(database, tmp_path_factory.mktemp("proofs"), keyless=False, STET_OWNER_KEY=OWNER) as server,
        bearing(server, OWNER) as owner,
        httpx.Client(base_url=server.url, timeout=30) as public,
    ):
        yield Place(database, owner, public, a_ledger(owner, "proven", public=True))


@pytest.fixture
def incident(place: Place) -> str:
    """The path of an incident with two statements, of which another incident's are between."""
    speaker = a_source(place.owner, place.ledger)
    path = an_incident(place.owner, place.ledger, statements=[a_statement(speaker, verbatim="two")])
    an_incident(place.owner, place.ledger, statements=[a_statement(speaker)])
    made(place.owner.post(f"{path}/statements", json=a_statement(speaker, verbatim="Ереван")))
    return path


def checkpoint(place: Place, least: int = 1) -> dict[str, Any]:
    """The last checkpoint, once it is of that size."""
    found: dict[str, Any] = {}

    def signed() -> bool:
        found.update(read(place.public.get(f"{place.ledger}/checkpoint?format=json")))
        return bool(found["size"] >= least)

    wait_until(signed, f"a checkpoint of {least}")
    return found


def head(place: Place) -> int:
    return int(place.owner.get(f"{place.ledger}/incidents").headers["stet-position"])


def test_a_checkpoint_is_a_signed_note(place: Place, incident: str) -> None:
    """As text, or as JSON with its keys; at most a second or two behind the log."""
    size = head(place)
    found = checkpoint(place, size)
    answer = place.public.get(f"{place.ledger}/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "private, max-age=1"
    assert answer.text == found["note"]
    assert found["size"] == size
    ledger_id = read(place.owner.get(place.ledger))["ledger_id"]
    assert found["keys"] == [vkey(ledger_id, SigningKey(SIGNING_KEY).public)]
    note, _ = open_note(found["note"], [parse_key(key) for key in found["keys"]])
    assert (note.origin, note.size, note.root.hex()) == (f"stet/{ledger_id}", size, found["root"])
    as_json = place.public.get(f"{place.ledger}/checkpoint", headers={"Accept": "application/json"})
    assert read(as_json) == found
    problem(place.public.get(f"{place.ledger}/checkpoint?format=csv"), "not-acceptable", 406)


def test_every_event_is_included_and_every_size_extended(place: Place, incident: str) -> None:
    size = checkpoint(place, head(place))["size"]
    leaves = {}
    for line in place.public.get(f"{place.ledger}/events").text.splitlines():
        leaves[json.loads(line)["position"]] = json.loads(line)["leaf"]
    assert len(leaves) == size
    for position in range(1, size + 1):
        found = read(place.public.get(f"{place.ledger}/proofs/inclusion?position={position}&size={size}"))
        assert (found["position"], found["leaf_index"], found["size"]) == (position, position - 1, size)
        assert found["leaf"] == leaves[position]
        path = [bytes.fromhex(one) for one in found["path"]]
        assert includes(bytes.fromhex(found["leaf"]), position - 1, size, path, bytes.fromhex(found["root"]))
        found = read(place.public.get(f"{place.ledger}/proofs/consistency?from={position}"))
        assert (found["from"], found["to"]) == (position, size)
        old, new = bytes.fromhex(found["from_root"]), bytes.fromhex(found["to_root"])
        assert extends(position, size, old, new, [bytes.fromhex(one) for one in found["path"]])


def test_a_proof_between_given_sizes_is_kept_for_ever(place: Place, incident: str) -> None:
    checkpoint(place, 5)
    for path in ("inclusion?position=2", "consistency?from=2"):
        assert place.public.get(f"{place.ledger}/proofs/{path}").headers["cache-control"] == "no-cache"
    for path in ("inclusion?position=2&size=4", "consistency?from=2&to=4"):
        answer = place.public.get(f"{place.ledger}/proofs/{path}")
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert read(answer) == read(place.public.get(f"{place.ledger}/proofs/{path}"))


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("inclusion", "query.position"),
        ("inclusion?position=0", "query.position"),
        ("inclusion?position=x", "query.position"),
        ("inclusion?position=99999999", "query.position"),
        ("inclusion?position=3&size=2", "query.position"),
        ("inclusion?position=1&size=99999999", "query.size"),
        ("inclusion?position=1&size=0", "query.size"),
        ("inclusion?position=1&as_of=position:1", "query.as_of"),
        ("consistency", "query.from"),
        ("consistency?from=0", "query.from"),
        ("consistency?from=3&to=2", "query.from"),
        ("consistency?from=1&to=99999999", "query.to"),
    ],
)
def test_what_cannot_be_proven_is_named(place: Place, incident: str, path: str, field: str) -> None:
    checkpoint(place, 5)
    malformed(place.public.get(f"{place.ledger}/proofs/{path}"), field)


# ---- a saved answer ----


def test_a_stranger_checks_a_saved_answer(place: Place, incident: str, alone: Alone) -> None:
    """At once after a write, and as of any cut; the checkpoint may be an earlier one, or that of the answer."""
    answer = place.public.get(f"{incident}?proof=true")
    shown = read(answer)
    assert shown | {"proof": 0} == read(place.public.get(incident)) | {"proof": 0}
    assert answer.headers["cache-control"] == "no-cache"
    assert "content-location" not in answer.headers
    file, key = alone.save("answer.json", answer.content), shown["proof"]["keys"][0]
    note = alone.save("note", shown["proof"]["checkpoint"])
    events = shown["proof"]["events"]
    assert [one["stream_version"] for one in events] == [1, 2, 3]
    lines = alone.proves(file, "--key", key)
    assert lines[1] == f"proven: 3 events of incident {id_of(incident)} are in the log that was signed"
    assert lines[2] == "not proven here: that the incident has no events behind its version 3"
    assert len(lines) == 4
    alone.save("keys", f"{vkey(shown['proof']['ledger_id'], bytes(32))}\n{key}\n")
    assert alone.proves(file, "--key", "keys", "--checkpoint", note)[-1].startswith("proven: the log is that of the")
    earlier = place.public.get(f"{incident}?proof=true&as_of=position:{events[1]['position']}")
    assert len(read(earlier)["proof"]["events"]) == 2
    assert "proven: 2 events" in alone.proves(alone.save("earlier.json", earlier.content), "--key", key)[1]


def test_an_answer_beside_another_checkpoint_says_what_is_not_proven(place: Place, incident: str, alone: Alone) -> None:
    """And a proof of consistency, saved too, proves that."""
    before = checkpoint(place, head(place))
    an_incident(place.owner, place.ledger)
    after = checkpoint(place, head(place))
    answer = place.public.get(f"{incident}?proof=true")
    alone.save("answer.json", answer.content)
    alone.save("before", before["note"])
    alone.save("after", after["note"])
    key = after["keys"][0]
    said = alone.proves("answer.json", "--key", key, "--checkpoint", "before")[-1]
    assert said == (
        f"not proven here: that the logs of {after['size']} and {before['size']} are one; proofs/consistency shows it"
    )
    path = f"{place.ledger}/proofs/consistency?from={before['size']}&to={after['size']}"
    alone.save("consistency.json", place.public.get(path).content)
    both = ("consistency.json", "--key", key, "--checkpoint", "before", "--checkpoint", "after")
    assert alone.proves(*both)[-1] == f"proven: the log of {after['size']} begins with the log of {before['size']}"
    assert "give the checkpoints of both" in alone.fault("consistency.json", "--key", key, "--checkpoint", "after")


@pytest.fixture(scope="module")
def saved(place: Place) -> dict[str, Any]:
    """A saved answer."""
    speaker = a_source(place.owner, place.ledger)
    path = an_incident(place.owner, place.ledger, statements=[a_statement(speaker, verbatim="two")])
    return read(place.owner.get(f"{path}?proof=true"))


def _leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for name, its in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(its, dict | list):
            yield from _leaves(its, (*at, name))
        elif (*at, name)[0] != "keys":
            yield (*at, name)


def test_whatever_is_changed_in_a_proof_is_found(saved: dict[str, Any]) -> None:
    """Any field of any event, any step of a path, the checkpoint."""
    keys = [parse_key(key) for key in saved["proof"]["keys"]]
    assert len(list(check_answer(saved, keys, []))) == 4

    @settings(max_examples=200)
    @given(st.data())
    def change(data: st.DataObject) -> None:
        proof = json.loads(json.dumps(saved["proof"]))
        *places, last = data.draw(st.sampled_from(list(_leaves(proof))))
        holder: Any = proof
        for one in places:
            holder = holder[one]
        match holder[last]:
            case int() as number:
                holder[last] = number + data.draw(st.sampled_from([-1, 1, 2**40]))
            case str() as text:
                where = data.draw(st.integers(0, len(text) - 1))
                new = data.draw(st.sampled_from("0123456789abcdef\n Z"))
                holder[last] = text[:where] + new + text[where + 1 :]
                if new == text[where]:
                    return
            case _:
                holder[last] = "x"
        with pytest.raises((Fault, ValueError)):
            list(check_answer({**saved, "proof": proof}, keys, []))

    change()


def test_what_is_missing_or_of_another_incident_is_found(saved: dict[str, Any], alone: Alone) -> None:
    keys = [parse_key(key) for key in saved["proof"]["keys"]]
    events = saved["proof"]["events"]
    for wrong, said in (
        ({**saved, "incident_id": NOBODY}, "it is an event of incident:"),
        ({**saved, "version": 9}, "the answer is of version 9"),
        ({**saved, "proof": {**saved["proof"], "events": events[::-1]}}, "it is not in the order of the log"),
        ({**saved, "proof": {**saved["proof"], "ledger_id": NOBODY}}, "the checkpoint is that of stet/"),
    ):
        with pytest.raises(Fault, match=said):
            list(check_answer(wrong, keys, []))
    left_out = {**saved, "proof": {**saved["proof"], "events": events[1:]}}
    assert "not proven: what is in 1 more events" in "\n".join(check_answer(left_out, keys, []))
    assert "cannot be read" in alone.fault(
        alone.save("x.json", json.dumps(saved | {"proof": 1})), "--key", str(keys[0])
    )
    assert "no exported log" in alone.fault(alone.save("x.json", "{}"), "--key", str(keys[0]))
    assert alone.run("x.json", "--key", "nonsense").returncode == 2
    assert alone.run("nothing.json", "--key", str(keys[0])).returncode == 2
    other = vkey(saved["proof"]["ledger_id"], SigningKey("55" * 32).public)
    assert alone.fault(alone.save("x.json", json.dumps(saved)), "--key", other).endswith("signed by none of the keys")


def test_a_disclosed_place_leaves_the_path_of_what_is_shown_in_part(place: Place, alone: Alone) -> None:
    """Its payload and salt are not given to the public; what only members see is left out altogether."""
    speaker = a_source(place.owner, place.ledger)
    point = {"geometry": {"type": "Point", "coordinates": [44.85, 39.74]}, "radius_m": 10, "name": "zzmark"}
    said = {"speaker": speaker, "claims": [{"attribute": "place", "value": point}]}
    path = an_incident(place.owner, place.ledger, statements=[said])
    place_ = {"name": "the province", "level": "admin1"}
    revision = {"type": "visibility-changed", "disclosed_place": place_, "reason": "people live there"}
    made(place.owner.post(f"{path}/revisions", json=revision))
    made(place.owner.post(f"{path}/statements", json=a_statement(speaker)))
    whole, seen = (read(client.get(f"{path}?proof=true")) for client in (place.owner, place.public))
    assert [one["type"] for one in whole["proof"]["events"]][2] == "visibility-changed"
    assert [one["stream_version"] for one in seen["proof"]["events"]] == [1, 2, 4]
    assert [one["payload"] is None for one in seen["proof"]["events"]] == [False, True, False]
    assert "zzmark" not in json.dumps(seen)
    lines = alone.proves(alone.save("seen.json", json.dumps(seen)), "--key", seen["proof"]["keys"][0])
    position = seen["proof"]["events"][1]["position"]
    assert lines[2] == f"not proven: what is in position {position}, of which this answer shows a part"
    assert lines[3] == "not proven: what is in 1 more events of the incident, which this answer leaves out"
    restricted = {"type": "visibility-changed", "label": "red", "reason": "a source is in danger"}
    made(place.owner.post(f"{path}/revisions", json=restricted))
    problem(place.public.get(f"{path}?proof=true"), "not-found", 404)


# ---- an exported log ----


def test_a_stranger_checks_an_exported_log(place: Place, incident: str, alone: Alone) -> None:
    """Packed or not; what came after the checkpoint is said not to be proven; every changed line is found."""
    found = checkpoint(place, head(place))
    alone.save("note", found["note"])
    an_incident(place.owner, place.ledger)
    data = exported(place.database, "proven")
    alone.save("log.jsonl", data)
    alone.save("log.jsonl.gz", gzip.compress(data))
    asked = ("--checkpoint", "note", "--key", found["keys"][0])
    size = found["size"]
    for name in ("log.jsonl", "log.jsonl.gz"):
        lines = alone.proves(name, *asked)
        assert lines[1] == f"proven: positions 1 to {size} are those that were signed"
        assert lines[2] == f"not proven: positions {size + 1} to {head(place)}, which came after the checkpoint"
    alone.save("cut.jsonl", exported(place.database, "proven", up_to=3))
    assert "the log ends at position" in alone.fault("cut.jsonl", *asked)
    lines_ = data.splitlines(keepends=True)
    for wrong, said in (
        (data.replace(b'"actor":"', b'"actor":"x', 1), "line 2, position 1: the event is not"),
        (b"".join(lines_[:3] + lines_[4:]), "line 4, position 4: the event is not"),
        (b"".join(lines_[:5]), "the file is cut off behind position 4"),
        (data.replace(b"Helicopter", b"Helikopter", 1), ": the payload is not the one that was hashed"),
        (data.replace(b'"name":"proven"', b'"name":"proveN"', 1), "line 1: its digest is not that of all"),
        (data[:-9] + b'x"}\n', "it"),
    ):
        alone.save("wrong.jsonl", wrong)
        assert said in alone.fault("wrong.jsonl", *asked)
    assert alone.run("log.jsonl", "--key", found["keys"][0]).returncode == 2


# ---- a service without a signer, and rotation ----


def test_where_nobody_signs_it_says_so(cluster: Cluster, tmp_path: Path) -> None:
    """After two seconds, and not for ever."""
    with (
        serve(cluster.migrated(), tmp_path, "--no-worker") as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        ledger = a_ledger(client, "unsigned")
        path = an_incident(client, ledger)
        for asked in (f"{ledger}/checkpoint", f"{ledger}/proofs/inclusion?position=1", f"{path}?proof=true"):
            assert problem(client.get(asked), "not-signed", 503)["title"] == "It is not signed yet"


def test_nobody_waits_for_the_signature_of_what_is_hidden(cluster: Cluster, tmp_path: Path) -> None:
    """It would tell that there is something, or that something was added."""
    database = cluster.migrated()
    with (
        serve(database, tmp_path, "--no-worker", keyless=False, STET_OWNER_KEY=OWNER) as server,
        bearing(server, OWNER) as owner,
        httpx.Client(base_url=server.url, timeout=30) as public,
    ):
        ledger = a_ledger(owner, "hidden", public=True)
        path = an_incident(owner, ledger)
        sign(database)
        statement = a_statement(a_source(owner, ledger))
        added = made(owner.post(f"{path}/statements", json=statement))["statement_id"]
        revision = {"type": "visibility-changed", "statement_id": added, "label": "red", "reason": "in danger"}
        made(owner.post(f"{path}/revisions", json=revision))
        problem(owner.get(f"{path}?proof=true"), "not-signed", 503)
        assert len(read(public.get(f"{path}?proof=true"))["proof"]["events"]) == 1
        restricted = an_incident(owner, ledger, visibility={"label": "red"})
        for one in (restricted, f"{ledger}/incidents/{NOBODY}"):
            problem(public.get(f"{one}?proof=true"), "not-found", 404)


def test_a_rotation_while_it_serves(cluster: Cluster, tmp_path: Path) -> None:
    """Old and new sign side by side until the old one is retired; whoever trusts either is never without a note."""
    data = tmp_path / "data"
    environment = {"STET_DATA": str(data), "STET_SIGNING_KEY": ""}
    database = cluster.migrated()

    def signing_key(*arguments: str) -> list[list[str]]:
        env = {**environment, "STET_DATABASE_URL": database}
        done = subprocess.run(
            [sys.executable, "-m", "stet", "signing-key", *arguments],
            capture_output=True,
            text=True,
            env=env,
            timeout=60,
            check=True,
        )
        return [line.split() for line in done.stdout.splitlines()]

    with (
        serve(database, tmp_path, **environment) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        place = Place(database, client, client, a_ledger(client, "rotated"))
        (old,) = checkpoint(place)["keys"]
        assert signing_key() == [["rotated", old, "signs"]]
        (_, new, _), (_, still, _) = signing_key("--rotate")
        assert still == old
        an_incident(client, place.ledger)
        both = checkpoint(place, 2)
        assert set(both["keys"]) == {old, new}
        for key in both["keys"]:
            assert open_note(both["note"], [parse_key(key)])[0].size == 2
        assert signing_key("--retire") == [["rotated", new, "signs"], ["rotated", old, "retired"]]
        an_incident(client, place.ledger)
        assert checkpoint(place, 3)["keys"] == [new]
        secrets = data.joinpath("signing-key").read_text().split()
        assert len(secrets) == 1
        assert secrets[0] not in server.log.read_text()
    with psycopg.connect(database) as connection:
        (count,) = connection.execute("SELECT count(*) FROM stet.signed_checkpoint").fetchone() or (0,)
    assert count == 3
