"""Writes openapi/asyncapi.json, openapi/mapping.schema.json, and under openapi/events/ the JSON Schema of each event
type; with --check, says which of these files are stale, missing or surplus.

Nothing is written while a fresh schema refuses, or reads otherwise, what the schema in its place allows: such an event
is in somebody's log. The file of an older version is kept for as long as that version has an upcaster.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsoncompat

from stet.codec import UPCASTERS
from stet.http.asyncapi import event_schemas, make_asyncapi, schema_file
from stet.importers.mapping import make_mapping_schema

FOLDER = Path(__file__).resolve().parent
_WAY_OUT = (
    "Nothing was written. Raise the number of each type above in SCHEMA_VERSIONS of service/stet/codec.py, "
    "and add an upcaster there from the version before: docs/adding-an-event.md.\n"
)
_NEVER = object()

Schema = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not as it should be")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files are; default: %(default)s")
    arguments = parser.parse_args()
    fresh = fresh_files()
    faults = list(differences(arguments.folder, fresh))
    if not arguments.check:
        if refused := list(gate(arguments.folder, fresh)):
            sys.stderr.writelines(f"{line}\n" for line in refused)
            sys.stderr.write(_WAY_OUT)
            return 1
        write(arguments.folder, fresh)
        faults = list(differences(arguments.folder, fresh))
    sys.stderr.writelines(f"{line}\n" for line in faults)
    return 1 if faults else 0


def fresh_files() -> dict[str, bytes]:
    """What the folder should hold, by the path in it; without the schemas of older versions."""
    whole = {"asyncapi.json": make_asyncapi(), "mapping.schema.json": make_mapping_schema()}
    return whole | {f"events/{name}": text for name, text in event_schemas().items()}


def differences(folder: Path, fresh: dict[str, bytes]) -> Iterator[str]:
    """A line for each file that is stale, missing or surplus."""
    older = {f"events/{schema_file(tag, version)}" for tag, version in UPCASTERS}
    there = {f"events/{path.name}" for path in (folder / "events").glob("*")}
    for name, text in sorted(fresh.items()):
        path = folder / name
        if not path.is_file():
            yield f"{path} is missing: run make openapi"
        elif path.read_bytes() != text:
            yield f"{path} is stale: run make openapi"
    for name in sorted(older - there):
        yield f"{folder / name} is missing: an older version has no struct to make it from; take it from the history"
    for name in sorted(there - older - fresh.keys()):
        yield f"{folder / name} is surplus: no event is written in this version, and none is read by an upcaster"


def gate(folder: Path, fresh: dict[str, bytes]) -> Iterator[str]:
    """A line for each way in which a fresh schema no longer reads what the one in the folder allows."""
    for name, text in fresh.items():
        path = folder / name
        if name.startswith("events/") and path.is_file():
            tag, version, _ = path.name.split(".", 2)
            for why in refusals(json.loads(path.read_bytes()), json.loads(text)):
                yield f"{tag} (version {version}): {why}"


def write(folder: Path, fresh: dict[str, bytes]) -> None:
    """Writes what differs. Removes nothing: a schema that is gone cannot be made again."""
    (folder / "events").mkdir(parents=True, exist_ok=True)
    for name, text in fresh.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != text:
            path.write_bytes(text)


def refusals(old: Schema, new: Schema) -> list[str]:
    """Why not every payload that `old` allows is read, as it was meant, by `new`. Empty: every one is.

    jsoncompat says whether `new` allows all that `old` does. It does not weigh patterns, formats, defaults, nor what
    an open object no longer knows; these are compared here, and any difference but their absence is a reason.
    """
    if old == new:
        return []
    try:
        found = _narrowed(_inlined(old, old, ()), _inlined(new, new, ()), "")
        return found if found or _reads(old, new) else ["it allows less than it did"]
    except ValueError as error:
        return [str(error)]


def _reads(old: Schema, new: Schema) -> bool:
    # jsoncompat takes no $id: it would resolve it as an address.
    texts = [json.dumps({key: part for key, part in schema.items() if key != "$id"}) for schema in (old, new)]
    return jsoncompat.check_compat(texts[0], texts[1], "deserializer")


def _narrowed(old: Schema, new: Schema, at: str) -> list[str]:
    """The reasons of the innermost parts that have one."""
    found = [*_within(old, new, at)]
    if found or _reads(old, new):
        return found
    return [f"{at or 'it'} allows less than it did: was {_beside(old, new)}, is {_beside(new, old)}"]


def _within(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for key in ("pattern", "format"):
        if key in new and new[key] != old.get(key):
            yield f"{at} has another {key}: was {old.get(key)}, is {new[key]}"
    if "anyOf" in old or "anyOf" in new:
        pairs = _branches(old), _branches(new)
        if len(pairs[0]) == len(pairs[1]):
            for was, now in zip(*pairs, strict=True):
                yield from _narrowed(was, now, at)
    if isinstance(old.get("items"), dict) and isinstance(new.get("items"), dict):
        yield from _narrowed(old["items"], new["items"], f"{at}[]")
    yield from _fields(old, new, f"{at}." if at else "")


def _fields(old: Schema, new: Schema, at: str) -> Iterator[str]:
    was, now = old.get("properties", {}), new.get("properties", {})
    required = new.get("required", [])
    for name in was:
        here = f"{at}{name}"
        if name not in now:
            yield f"{here} is gone"
            continue
        if name not in old.get("required", []):
            if name in required:
                yield f"{here} could be absent, and cannot any more"
            elif was[name].get("default", _NEVER) != now[name].get("default", _NEVER):
                yield f"{here} has another default, so its absence means something else"
        yield from _narrowed(was[name], now[name], here)
    yield from (f"{at}{name} is new, and must be there" for name in required if name not in was)


def _branches(schema: Schema) -> list[Schema]:
    """What a value can be, beside null."""
    return [branch for branch in schema.get("anyOf", [schema]) if branch != {"type": "null"}]


def _inlined(part: Any, root: Schema, above: tuple[str, ...]) -> Any:
    """The schema without references. One that leads back into itself allows anything: jsoncompat sees it whole."""
    if isinstance(part, list):
        return [_inlined(one, root, above) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" not in part:
        return {key: _inlined(one, root, above) for key, one in part.items() if key not in ("$defs", "$id")}
    name = part["$ref"].removeprefix("#/$defs/")
    beside = {key: one for key, one in part.items() if key != "$ref"}
    return {} if name in above else _inlined(root["$defs"][name], root, (*above, name)) | beside


def _beside(schema: Schema, other: Schema) -> str:
    """What of a schema is not in the other one; of alternatives, those that it has alone."""
    own: Schema = {key: part for key, part in schema.items() if part != other.get(key, _NEVER)}
    if "anyOf" in own:
        own["anyOf"] = [branch for branch in own["anyOf"] if branch not in other.get("anyOf", [])]
    return textwrap.shorten(json.dumps(own, ensure_ascii=False), 200, placeholder=" ...")


if __name__ == "__main__":
    sys.exit(main())
