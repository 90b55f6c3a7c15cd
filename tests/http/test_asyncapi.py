"""What the log holds and what the feeds send, as schemas: generated, committed, valid, and gated as they change."""

from __future__ import annotations

import copy
import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from stet.codec import EVENTS, SCHEMA_VERSIONS, UPCASTERS
from stet.http.asyncapi import FEEDS, event_schemas, make_asyncapi, schema_file

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "openapi"
GOLDEN = sorted((ROOT / "tests" / "golden" / "events").glob("*.json"))
SCRIPT: dict[str, Any] = runpy.run_path(str(FOLDER / "events.py"))
DOCUMENT: dict[str, Any] = json.loads((FOLDER / "asyncapi.json").read_bytes())


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(FOLDER / "events.py"), "--folder", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def schema_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "events" / name).read_bytes())
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the committed files."""
    for name in ("asyncapi.json", "mapping.schema.json"):
        shutil.copy(FOLDER / name, tmp_path)
    shutil.copytree(FOLDER / "events", tmp_path / "events")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.json")}


def test_the_committed_files_are_fresh() -> None:
    """Another process says so; and two runs give the same bytes."""
    checked = run(FOLDER, "--check")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert make_asyncapi() == make_asyncapi() == (FOLDER / "asyncapi.json").read_bytes()


def test_every_version_of_every_event_type_has_a_schema_and_no_other_has() -> None:
    """That in which the type is written, and each that an upcaster reads."""
    expected = {schema_file(tag, SCHEMA_VERSIONS[tag]) for tag in EVENTS} | {schema_file(*key) for key in UPCASTERS}
    assert {path.name for path in (FOLDER / "events").iterdir()} == expected
    for name in expected:
        schema = schema_of(name)
        tag, version, _ = name.split(".", 2)
        assert schema["$id"] == f"urn:stet:event:{tag}:{version}"
        assert schema["title"] and schema["description"]
        jsonschema_rs.meta.validate(schema)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_what_is_stored_is_of_its_schema(file: Path) -> None:
    """The golden example of each type and version; with one more field it is not."""
    tag, version = file.name.removesuffix(".json").split(".v")
    schema = schema_of(schema_file(tag, int(version.partition(".")[0])))
    validator = jsonschema_rs.Draft202012Validator(
        schema, validate_formats=True, pattern_options=jsonschema_rs.FancyRegexOptions()
    )
    payload = json.loads(file.read_bytes())
    validator.validate(payload)
    assert not validator.is_valid(payload | {"of_no_field": 1})


def test_a_discriminator_is_the_name_of_a_property() -> None:
    """As AsyncAPI has it, and its linter holds: OpenAPI has an object there."""
    found = []

    def look(part: Any) -> None:
        for below in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            look(below)
        if isinstance(part, dict) and "discriminator" in part:
            found.append(part["discriminator"])

    look(msgspec.json.decode(make_asyncapi()))
    assert found and set(found) == {"type"}


def test_every_event_type_and_feed_is_in_the_document() -> None:
    """As a message; each feed as a channel and an operation, too. Every reference leads somewhere."""
    assert DOCUMENT["asyncapi"].startswith("3.")
    messages = DOCUMENT["components"]["messages"]
    assert messages.keys() == EVENTS.keys() | {feed.message for feed in FEEDS}
    for tag, struct in EVENTS.items():
        assert messages[tag]["name"] == tag
        assert messages[tag]["summary"] == struct.__doc__
        assert messages[tag]["contentType"] == "application/json"
        assert messages[tag]["payload"]
    names = {feed.name for feed in FEEDS}
    assert DOCUMENT["channels"].keys() == DOCUMENT["operations"].keys() == names
    for reference in set(_references(DOCUMENT)):
        part: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


def _channel(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["properties"]["channel"]
    return found


def _hop(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"]["Hop"]["properties"]
    return found


BREAKING: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "remove a property": (lambda s: s["properties"].pop("channel"), "channel is gone"),
    "remove one of an open object": (
        lambda s: s["$defs"]["Origin"]["properties"].pop("version"),
        "said_at.from.version is gone",
    ),
    "require an optional one": (
        lambda s: s["required"].append("channel"),
        "channel could be absent, and cannot any more",
    ),
    "require a new one": (
        lambda s: (s["properties"].update(mood={"type": "string"}), s["required"].append("mood")),
        "mood is new, and must be there",
    ),
    "narrow an enumeration": (
        lambda s: _hop(s)["role"]["enum"].remove("relay"),
        'chain[].role allows less than it did: was {"enum": ["relay", "reporter"]}, is {"enum": ["reporter"]}',
    ),
    "change a type": (
        lambda s: _hop(s).update(source_id={"type": "integer"}),
        'chain[].source_id allows less than it did: was {"type": "string", "format": "uuid"}, is {"type": "integer"}',
    ),
    "take null away": (lambda s: _channel(s).update(anyOf=[_channel(s)["anyOf"][0]]), "channel allows less"),
    "allow fewer items": (lambda s: s["properties"]["chain"].update(maxItems=3), "chain allows less"),
    "allow a shorter text": (lambda s: _channel(s)["anyOf"][0].update(maxLength=10), "channel allows less"),
    "change a pattern": (lambda s: _channel(s)["anyOf"][0].update(pattern="^x"), "channel has another pattern"),
    "change a format": (lambda s: _hop(s)["source_id"].update(format="date"), "chain[].source_id has another format"),
    "change a default": (
        lambda s: s["properties"]["speaker_unknown"].update(default=True),
        "speaker_unknown has another default",
    ),
    "take a default away": (
        lambda s: s["properties"]["speaker_unknown"].pop("default"),
        "speaker_unknown has another default",
    ),
}
WIDENING: dict[str, Callable[[dict[str, Any]], Any]] = {
    "nothing": lambda s: None,
    "add an optional property": lambda s: s["properties"].update(mood={"type": "string", "default": "calm"}),
    "add one within": lambda s: s["$defs"]["Claim"]["properties"].update(mood={"type": "string"}),
    "make one optional": lambda s: s["required"].remove("said_at"),
    "widen an enumeration": lambda s: _hop(s)["role"]["enum"].append("witness"),
    "allow null": lambda s: s["properties"]["chain"].update(
        anyOf=[{"type": s["properties"]["chain"].pop("type")}, {"type": "null"}]
    ),
    "allow more items": lambda s: s["properties"]["chain"].update(maxItems=30),
    "drop a pattern": lambda s: _channel(s)["anyOf"][0].pop("pattern"),
    "say it otherwise": lambda s: s.update(description="Otherwise."),
}


def changed(change: Callable[[dict[str, Any]], Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of a recorded statement, and the same after the change."""
    old = schema_of("statement-recorded.2.schema.json")
    new = copy.deepcopy(old)
    change(new)
    return old, new


@pytest.mark.parametrize("name", BREAKING)
def test_what_would_not_be_read_any_more_is_refused(name: str) -> None:
    """With the place and the reason."""
    change, reason = BREAKING[name]
    old, new = changed(change)
    assert old != new
    (why,) = SCRIPT["refusals"](old, new)
    assert why.startswith(reason)


@pytest.mark.parametrize("name", WIDENING)
def test_what_reads_all_that_was_allowed_is_taken(name: str) -> None:
    assert SCRIPT["refusals"](*changed(WIDENING[name])) == []


def test_every_schema_is_taken_where_only_its_words_differ() -> None:
    """So jsoncompat understands all of them, and the older versions are read by those of today."""
    for name in event_schemas():
        schema = schema_of(name)
        assert SCRIPT["refusals"](schema, schema | {"description": "Otherwise."}) == [], name


def test_what_cannot_be_compared_is_refused() -> None:
    old, new = changed(lambda s: s["properties"].update(mood={"type": 5}))
    (why,) = SCRIPT["refusals"](old, new)
    assert "mood" in why or "schema" in why


def test_check_finds_what_is_stale_missing_and_surplus(folder: Path) -> None:
    """It names each file, and writes nothing."""
    (folder / "asyncapi.json").write_bytes(b"{}")
    (folder / "events" / "incident-opened.1.schema.json").unlink()
    (folder / "events" / "statement-recorded.1.schema.json").unlink()
    (folder / "events" / "incident-opened.2.schema.json").write_bytes(b"{}")
    before = contents(folder)
    checked = run(folder, "--check")
    assert checked.returncode == 1
    assert [line.split(": ")[0].replace(f"{folder}/", "") for line in checked.stderr.splitlines()] == [
        "asyncapi.json is stale",
        "events/incident-opened.1.schema.json is missing",
        "events/statement-recorded.1.schema.json is missing",
        "events/incident-opened.2.schema.json is surplus",
    ]
    assert contents(folder) == before


def test_a_run_makes_what_is_stale_or_missing(folder: Path) -> None:
    """A schema that could hold less counts as older, and is replaced; one of an older version is left as it is."""
    before = contents(folder)
    path = folder / "events" / "incident-opened.1.schema.json"
    older = json.loads(path.read_bytes())
    del older["properties"]["tags"]
    path.write_bytes(msgspec.json.encode(older))
    (folder / "events" / "incident-linked.1.schema.json").unlink()
    (folder / "asyncapi.json").unlink()
    assert run(folder).returncode == 0
    assert contents(folder) == before


def test_a_run_that_is_refused_writes_nothing_and_says_what_to_do(folder: Path) -> None:
    """The committed schema allows a property that the code does not know."""
    path = folder / "events" / "incident-opened.1.schema.json"
    wider = json.loads(path.read_bytes())
    wider["properties"]["mood"] = {"type": "string"}
    path.write_bytes(msgspec.json.encode(wider))
    (folder / "asyncapi.json").unlink()
    before = contents(folder)
    refused = run(folder)
    assert refused.returncode == 1
    assert "incident-opened (version 1): mood is gone" in refused.stderr
    assert "SCHEMA_VERSIONS" in refused.stderr
    assert "upcaster" in refused.stderr
    assert contents(folder) == before


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict) and isinstance(part.get("$ref"), str):
        yield part["$ref"]
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _references(value)
