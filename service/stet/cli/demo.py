"""`stet demo`: the reference article through the API, read back as of three positions, and checked."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from stet.cli.main import say
from stet.errors import StetError
from stet.ids import new_id
from stet.reference import mi24
from stet.reference.load import Loaded, load_reference
from stet.settings import Settings

View = dict[str, Any]


def run_demo(settings: Settings, url: str | None, ledger: str | None) -> int:
    """Prints what was recorded and a mark for each check; 1 if one fails."""
    with contextlib.ExitStack() as stack:
        if url is None:
            url = stack.enter_context(_fresh_server(settings))
        loaded = load_reference(url, ledger or f"mi24-{str(new_id())[-12:]}", say)
        client = stack.enter_context(httpx.Client(base_url=f"{url}/v1/ledgers/{loaded.ledger}", timeout=30))
        views = _views(client, loaded)
        names = {loaded.ids[key]: body["name"] for key, body in mi24.SOURCES.items()}
        for title in ("before s2", "after v1's last statement", "head"):
            _print_view(title, views[title], names)
        _print_moved(views["dated"], views["undated"])
        results = list(_checks(client, loaded, views))
    print("\nWhat the views must say")
    for good, text in results:
        print(f"  {'✓' if good else '✗'} {text}")
    missed = sum(not good for good, _ in results)
    print(f"{len(results) - missed} of {len(results)} hold")
    return 1 if missed else 0


@contextlib.contextmanager
def _fresh_server(settings: Settings) -> Iterator[str]:
    """A `stet serve` of its own; without STET_DATABASE_URL on an empty data folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="stet-demo-", ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "serve.log"
        environment = {**os.environ, "STET_DATA": str(Path(folder) / "data")}
        command = [sys.executable, "-m", "stet", "serve", "--port", "0"]
        with log.open("w") as output:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, text=True, env=environment)  # noqa: S603
        try:
            assert process.stdout
            ready = process.stdout.readline().split()
            if ready[:4] != ["Stet", "is", "ready", "at"]:
                raise StetError(f"the service did not start: {log.read_text()[-2000:].strip()}")
            yield ready[4].rstrip("/")
        finally:
            process.terminate()
            process.wait(60)
            if process.stdout:
                process.stdout.close()


def _views(client: httpx.Client, loaded: Loaded) -> dict[str, View]:
    """I1 before s2, after the last statement of v1, before the desk's date, and at the head."""
    cuts = {
        "before s2": loaded.positions["s1"],
        "after v1's last statement": loaded.positions[mi24.V1_STATEMENTS[-1][0]],
        "undated": loaded.positions[mi24.V2_STATEMENTS[-1][0]],
        "dated": loaded.positions["D on D1"],
    }
    path = f"/incidents/{loaded.ids['I1']}"
    views = {title: _get(client, f"{path}?as_of=position:{position}") for title, position in cuts.items()}
    return views | {"head": _get(client, path)}


def _get(client: httpx.Client, path: str) -> View:
    answer = client.get(path)
    if answer.status_code != 200:
        raise StetError(f"GET {path}: {answer.status_code} {answer.text[:300]}")
    view: View = answer.json()
    return view


def _print_view(title: str, view: View, names: dict[str, str]) -> None:
    cut = view["cut"]
    print(f"\n{view['title']}: {title} (position {cut['position']}, recorded {cut['recorded_at']})")
    for statement in view["statements"]:
        chain = " > ".join(
            [str(statement["speaker"]["name"]), *(f"{hop['name']} ({hop['role']})" for hop in statement["chain"])]
        )
        print(f"  {chain}")
        print(f"    said {_time(statement['said_at'])}; {statement['channel'] or 'channel not stated'}")
        for claim in statement["claims"]:
            of = f" of {claim['of'].split(':')[0]}" if claim["of"] else ""
            what = f"{claim['attribute']}{of} = " if claim["attribute"] else ""
            hedge = "" if claim["scope"] == "explicit" else " (implied)"
            print(f"    {claim['act']}: {what}{_value(claim['value'], names)}{hedge}")


def _print_moved(dated: View, undated: View) -> None:
    before = {statement["statement_id"]: statement for statement in undated["statements"]}
    print("\nWhat the desk's date changed")
    for statement in dated["statements"]:
        old = before[statement["statement_id"]]
        if statement["said_at"] != old["said_at"]:
            print(f"  {statement['speaker']['name']}: said {_time(old['said_at'])} -> {_time(statement['said_at'])}")
        for claim, old_claim in zip(statement["claims"], old["claims"], strict=True):
            if claim["value"] != old_claim["value"]:
                print(f"  {claim['attribute']}: {_value(old_claim['value'])} -> {_value(claim['value'])}")


def _time(time: View) -> str:
    wording = f'"{time["verbatim"]}" ' if "verbatim" in time else ""
    return f"{wording}[{time.get('earliest', '...')} .. {time.get('latest', '...')}]"


def _value(value: Any, names: dict[str, str] | None = None) -> str:
    match value:
        case {"source_id": source_id}:
            return (names or {}).get(source_id) or str(source_id)
        case {"anchor": _} | {"earliest": _} | {"latest": _}:
            return _time(value)
        case {"geometry": {"coordinates": coordinates}, **rest}:
            return f"{_value(rest)}, at {coordinates}"
        case dict():
            return ", ".join(f"{name} {part}" for name, part in value.items())
        case _:
            return str(value)


def _checks(client: httpx.Client, loaded: Loaded, views: dict[str, View]) -> Iterator[tuple[bool, str]]:
    ids, head = loaded.ids, views["head"]
    said = {key: _statement(head, ids[key]) for key in ids if _statement(head, ids[key])}
    article = _get(client, f"/documents/{ids['D1']}")
    updates = [version["version"] for version in article["versions"] if version["change"] == "update"]
    at_update = _get(client, f"/incidents/{ids['I1']}?as_of=position:{loaded.positions['D1 v2']}")
    corrected = [s for s in at_update["statements"] if s["corrections"]]
    yield updates == [2], "12. D1's update is listed as an update"
    yield not corrected, "12. no statement is marked corrected by it"
    yield article["versions"][0].get("inferred") is True, "12. v1 is flagged as inferred"

    counts = [
        c for s in views["before s2"]["statements"] for c in s["claims"] if c["attribute"] in ("killed", "injured")
    ]
    yield all(c["scope"] == "implied" for c in counts), "13. as of a position before s2 nobody claims casualties"
    after_v1 = {s["statement_id"] for s in views["after v1's last statement"]["statements"]}
    yield not after_v1 & {ids[key] for key in ("s6", "s6b", "s6c")}, "13. after v1's last statement there is no s6"
    in_i1 = {ids[key] for key, incident, _ in mi24.V1_STATEMENTS + mi24.V2_STATEMENTS if incident == "I1"}
    yield {s["statement_id"] for s in head["statements"]} == in_i1, "13. at the head there is all"

    chain = [hop["name"] for hop in said["s6b"]["chain"]]
    yield (
        said["s6b"]["speaker"]["name"] == "Azerbaijan" and chain[0].startswith("Russian Ministry of Foreign"),
        "the promises stand with the chain AZ > RUMFA > OUT",
    )
    occurred = next(c["value"] for c in said["s0b"]["claims"] if c["attribute"] == "occurred_at")
    yield (
        (occurred["earliest"], occurred["best"], occurred["latest"])
        == ("2020-11-09T14:15:00Z", "2020-11-09T14:30:00Z", "2020-11-09T14:45:00Z"),
        "the desk's date makes 18:30 local time 14:30Z, 14:15 to 14:45",
    )
    bounds = {key: (s["said_at"].get("earliest"), s["said_at"]["latest"]) for key, s in said.items()}
    yield bounds["s1"] == (mi24.D_FROM, mi24.D_TO), '"today" is the day that the desk worked out'
    yield (
        all(bounds[key] == (mi24.OCCURRED_FROM, mi24.D_TO) for key in mi24.LATE_EARLIEST),
        "s2, s3, s7 and s8 were said after it occurred and by the publication",
    )
    yield bounds["s6"] == (mi24.D_FROM, mi24.D_TO), '"since" is after s1, and no later than D1 v2'
    stable = _get(client, f"/incidents/{ids['I1']}?as_of=position:{loaded.positions['s1']}")
    yield stable == views["before s2"], "an answer at a final cut is the same again"
    aliases = [alias["name"] for alias in _get(client, f"/sources/{ids['AZ']}")["aliases"]]
    yield "Azerbaijian" in aliases, "a misspelling stands beside the known name"


def _statement(view: View, statement_id: str) -> View:
    return next((s for s in view["statements"] if s["statement_id"] == statement_id), {})
