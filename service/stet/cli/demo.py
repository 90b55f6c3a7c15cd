"""`stet demo`: the reference incident through the API, read back at several cuts, and checked line by line."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

from stet.cli.demo_identity import show_identity
from stet.cli.demo_proofs import show_proof
from stet.cli.demo_readers import Mark, receiving, show_readers
from stet.cli.remote import Remote, ask, served
from stet.cli.terminal import say
from stet.ids import new_id
from stet.projections.rebuild.job import ENDED
from stet.reference.answers import Answers, View
from stet.reference.checks import CHECKS
from stet.reference.load import load_reference
from stet.settings import Settings

_POLL_S = 0.1


def run_demo(settings: Settings, remote: Remote | None, ledger: str | None) -> int:
    """Prints what was recorded and a mark for each check; 1 if one fails."""
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        if remote is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="stet-demo-", ignore_cleanup_errors=True))
            remote = stack.enter_context(served(settings, Path(folder) / "data", STET_WEBHOOK_HOSTS=receiver.host))
        loaded = load_reference(remote.url, ledger or f"mi24-{str(new_id())[-12:]}", say, remote.key)
        client = stack.enter_context(remote.client(30, f"/v1/ledgers/{loaded.ledger}"))
        answers = Answers(client, loaded)
        _print_statements(answers)
        _print_attributes("after the desk's acts", answers.then(), answers)
        _print_attributes("at the head", answers.incident(), answers)
        _print_explanation(answers)
        _print_matrix(answers)
        _print_diff(answers)
        rebuilt = _rebuild(remote)
        # After it, so that what they read are the rebuilt tables.
        results = [(check, check.holds(answers)) for check in CHECKS]
        marks = [Mark("incident_history rebuilt from the log is the same, to the digest", rebuilt)]
        marks += show_readers(remote, receiver)
        marks += show_identity(remote)
        marks += show_proof(answers)
    print("\nWhat the views must say")
    for check, holds in results:
        print(f"  {'✓' if holds else '✗'} {check.line:>5}  {check.text}")
    for mark in marks:
        print(f"  {'✓' if mark.holds else '✗'} {'':>5}  {mark.text}")
    held = [*(holds for _, holds in results), *(mark.holds for mark in marks)]
    missed = held.count(False)
    print(f"{len(held) - missed} of {len(held)} hold")
    return 1 if missed else 0


def _rebuild(remote: Remote) -> bool:
    """Rebuilds incident_history through the API, shows both digests, and says whether they are equal."""
    with remote.client(30) as client:
        view = ask(client, "POST", "/v1/admin/projections/incident_history/rebuilds", {"workers": 2})
        while view["phase"] not in ENDED:
            time.sleep(_POLL_S)
            view = ask(client, "GET", f"/v1/admin/rebuilds/{view['rebuild_id']}")
    print(f"\nThe rebuild of incident_history: {view['phase']}, {view['events_done']} events")
    for digest in view["digests"]:
        print(f"  {digest['table']}: {digest['rows']} rows")
        print(f"    kept by the appends   {digest['live']}")
        print(f"    rebuilt from the log  {digest['rebuilt']}")
    return view["phase"] == "done" and all(digest["live"] == digest["rebuilt"] for digest in view["digests"])


def _print_statements(answers: Answers) -> None:
    view = answers.then()
    names = {id_: key for key, id_ in answers.ids.items()}
    print(f"\n{view['title']} (position {view['cut']['position']}, recorded {view['cut']['recorded_at']})")
    for statement in view["statements"]:
        chain = " > ".join(names[hop["source_id"]] for hop in (statement["speaker"], *statement["chain"]))
        said = statement["said_at"]
        print(f"  {names[statement['statement_id']]}: {chain}, said {said.get('earliest', '...')} .. {said['latest']}")
        for claim in statement["claims"]:
            of = f" of {names.get(claim['of'].partition(':')[2], claim['of'])}" if claim["of"] else ""
            what = f"{claim['attribute']}{of} = " if claim["attribute"] else ""
            hedge = "" if claim["scope"] == "explicit" else " (implied)"
            print(f"      {claim['act']}: {what}{_value(claim['value'], names)}{hedge}")


def _print_attributes(when: str, view: View, answers: Answers) -> None:
    names = {id_: key for key, id_ in answers.ids.items()}
    print(f"\nWhat the claims come to, {when}")
    for one in view["attributes"]:
        of = f" of {one['of'].partition(':')[0]}" if one["of"] else ""
        value = "?" if one["value"] is None else _value(one["value"], names)
        interest = f", {one['interest']}" if one["interest"] else ""
        print(f"  {one['attribute'] + of:24} {one['status'] + interest:28} {value[:70]}")


def _print_explanation(answers: Answers) -> None:
    names = {id_: key for key, id_ in answers.ids.items()}
    (item,) = answers.then("/attributes/responsible")["items"]
    print(f"\nWhy responsible is {item['result']['status']}: {item['decided_by']}, rule {item['result']['rule']}")
    for candidate in item["candidates"]:
        print(f"  {_value(candidate['value'], names)}, independent speakers: {candidate['speakers']}")
        for claim in candidate["claims"]:
            chain = " > ".join(names[hop["source_id"]] for hop in (claim["speaker"], *claim["chain"]))
            grade = f"{claim['assessed']['reliability'] or '-'}{claim['assessed']['credibility'] or '-'}"
            print(f"    {names[claim['statement_id']]}: {chain}, {claim['act']}, grade {grade}")


def _print_matrix(answers: Answers) -> None:
    names = {id_: key for key, id_ in answers.ids.items()}
    matrix = answers.then("/matrix")
    columns = [speaker["source_id"] for speaker in matrix["speakers"]]
    print("\nWho claims what (number of claims)")
    print(f"  {'':24} " + " ".join(f"{names[column]:>6}" for column in columns))
    for row in matrix["rows"]:
        of = f" of {row['of'].partition(':')[0]}" if row["of"] else ""
        cells = {cell["speaker"]: len(cell["claims"]) for cell in row["cells"]}
        print(f"  {row['attribute'] + of:24} " + " ".join(f"{cells.get(column, ''):>6}" for column in columns))


def _print_diff(answers: Answers) -> None:
    diff = answers.incident("/diff", from_said_by="2020-12-31", to_said_by="2021-01-05")
    print("\nWhat was said from 31 December 2020 to 5 January 2021 changed")
    for change in diff["attributes"]:
        before, after = (
            f"{c['status']} {_value(c['value'], {})}" if c else "-" for c in (change["before"], change["after"])
        )
        print(f"  {change['attribute']}: {before} -> {after}")
        for cause in change["causes"]:
            print(
                f"    by position {cause['position']}, {cause['type']}, actor {cause['actor']}: {cause['because']} then"
            )


def _value(value: Any, names: dict[str, str]) -> str:
    match value:
        case {"source_id": source_id}:
            return names.get(source_id) or str(source_id)
        case {"earliest": _} | {"latest": _} | {"anchor": _}:
            return f"{value.get('earliest', '...')} .. {value.get('latest', '...')}"
        case list():
            return "; ".join(_value(item, names) for item in value)
        case dict():
            return ", ".join(f"{name} {part}" for name, part in value.items() if name != "geometry")
        case _:
            return str(value)
