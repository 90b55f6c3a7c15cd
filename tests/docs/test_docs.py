"""Everything that can be named is documented, and everything documented exists.

If you are here because one of these failed: the message says which name is on one side only. Add it to the page, or
take it from the page.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest
from msgspec.structs import fields
from tests.store.exported import events, file_of

from stet.cli import main
from stet.codec import EVENTS, SCHEMA_VERSIONS
from stet.http.problems import KINDS
from stet.incident.claim import Act
from stet.ledger.attributes import BUILT_IN, RULES
from stet.settings import Settings
from stet.values.value import AttributeType

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    path for folder in (ROOT, DOCS, DOCS / "adr", ROOT / "tests", ROOT / "migrations") for path in folder.glob("*.md")
)
ADRS = sorted((DOCS / "adr").glob("*.md"))


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading of the second level, up to the next."""
    _, found, rest = text.partition(f"\n## {heading}\n")
    assert found, f"there is no section {heading}"
    return rest.split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of a text's tables, without their headings and without the marks of code."""
    lines = [line.strip() for line in text.splitlines()]
    return [
        [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        for number, line in enumerate(lines)
        if line.startswith("|")
        and not re.fullmatch(r"[|\s:-]+", line)
        and not (number + 1 < len(lines) and re.fullmatch(r"\|[|\s:-]+", lines[number + 1]))
    ]


def test_settings_are_documented() -> None:
    """Each variable, its default, and no other."""
    documented = {name: default for name, default, _ in rows(section(page("operations.md"), "Settings"))}
    defaults = {f"STET_{field.name.upper()}": field.default for field in fields(Settings)}
    assert documented == {name: "none" if value is None else str(value) for name, value in defaults.items()}


def test_settings_in_code_are_in_settings() -> None:
    """What the settings say that they read, they read; and nobody else reads the environment."""
    text = (ROOT / "service/stet/settings.py").read_text(encoding="utf-8")
    quoted = set(re.findall(r'"(STET_[A-Z_]+)"', text))
    assert quoted == {f"STET_{field.name.upper()}" for field in fields(Settings)}


def test_problems_are_documented() -> None:
    """Each code with its status, and no other."""
    documented = {code: status for code, status, _, _ in rows(page("errors.md"))}
    assert documented == {code: str(kind.status) for code, kind in KINDS.items()}


def test_event_types_are_documented() -> None:
    """Each type, by its stream, and no other."""
    text = page("events.md")
    documented = re.findall(r"^### ([a-z-]+)$", text, re.MULTILINE)
    assert sorted(documented) == sorted(EVENTS)
    for aggregate in ("ledger", "source", "document", "incident"):
        for name in re.findall(r"^### ([a-z-]+)$", section(text, aggregate.capitalize()), re.MULTILINE):
            assert EVENTS[name].__module__.startswith(f"stet.{aggregate}.")
    assert "Each type is at version 1." not in text or set(SCHEMA_VERSIONS.values()) == {1}


@pytest.mark.parametrize("type_", EVENTS)
def test_fields_of_events_are_documented(type_: str) -> None:
    """Each field of the payload in order; `?` on those that may be absent, and on no other."""
    described = page("events.md").split(f"\n### {type_}\n")[1].split("\n#")[0]
    listed = re.sub(r"\([^()]*\)", "", described.partition("Fields:")[2].replace("\n", " "))
    listed = listed.split(". ")[0] if ". " in listed else listed
    documented = re.findall(r"`([a-z0-9_]+\??)`", listed)
    expected = [field.encode_name + ("" if field.required else "?") for field in fields(EVENTS[type_])]
    assert documented == expected


def test_attributes_are_documented() -> None:
    """Each built-in attribute with its type, rule and terms, and no other."""
    documented = {tuple(row) for row in rows(section(page("events.md"), "Built-in attributes"))}
    assert documented == {(a.name, a.type_, a.rule, ", ".join(a.terms)) for a in BUILT_IN.values()}


def test_rules_acts_and_types_are_documented() -> None:
    """Each resolution rule, each act, each type of value, and no other."""
    text = page("events.md")
    rules = section(text, "Built-in attributes").partition("|")[0]
    assert {name for name in re.findall(r"`([a-z-]+)`", rules) if name != "as_of"} == set(RULES)
    acts = re.findall(r"`([a-z-]+)`", section(text, "Acts"))
    assert sorted(acts) == sorted(get_args(Act))
    assert [row[0] for row in rows(section(text, "Values"))] == list(get_args(AttributeType))


def test_commands_and_options_are_documented() -> None:
    """Each command in the README, each option in operations.md, and no other."""
    assert isinstance(main, click.Group)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = [row[0].removeprefix("stet ") for row in rows(section(readme, "The command `stet`"))]
    assert sorted(named) == sorted(main.commands)
    commands: list[str] = []
    documented: set[tuple[str, str]] = set()
    for first, option, _ in rows(section(page("operations.md"), "The commands and their options")):
        commands = [one.removeprefix("stet ") for one in first.split(", ")] if first else commands
        documented |= {(command, option) for command in commands}
    options = {
        (name, parameter.opts[0])
        for name, known in leaves(main)
        for parameter in known.params
        if isinstance(parameter, click.Option)
    }
    assert documented == options


def leaves(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command by its whole name, those of groups, too."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, f"{before}{name} ")
        else:
            yield before + name, command


def test_defaults_of_options_are_documented() -> None:
    """What operations.md says is the default is the default."""
    text = {
        option: meaning for _, option, meaning in rows(section(page("operations.md"), "The commands and their options"))
    }
    defaults = {p.opts[0]: p.default for name in ("serve", "openapi") for p in main.commands[name].params}  # type: ignore[attr-defined]
    for option in ("--host", "--port", "--output"):
        assert f"default {defaults[option]}" in text[option]


def test_the_verifier_of_a_log_file_verifies(tmp_path: Path) -> None:
    """The program of log-format.md finds a sound file right, and names the line of a fault."""
    program = re.findall(r"^```python\n(.*?)^```", page("log-format.md"), re.MULTILINE | re.DOTALL)[0]
    sound = file_of(events())
    found = {
        sound: "the whole file is right",
        sound[: sound.rindex(b'{"events"')]: "the file is cut off",
        sound.replace(b"Reuters", b"reuters"): "line 3",
        sound.replace(b'"status":201', b'"status":200'): "line 7",
    }
    for data, said in found.items():
        done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, timeout=30)
        assert said in (done.stdout + done.stderr).decode(), said


def functions_of(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_tests_exist(path: Path) -> None:
    """Every test that a page names, and every file of tests."""
    text = path.read_text(encoding="utf-8")
    for file, _, name in re.findall(r"`(tests/[\w/]+\.py)(::(\w+))?`", text):
        assert (ROOT / file).is_file(), file
        assert not name or name in functions_of(ROOT / file), f"{file}::{name}"


def test_every_invariant_names_its_test() -> None:
    """They are numbered from 1, and each names a test that exists."""
    items = re.split(r"^(?=\d+\. )", section(page("architecture.md"), "Invariants"), flags=re.MULTILINE)
    invariants = [item for item in items if re.match(r"\d+\. ", item)]
    assert [int(item.partition(".")[0]) for item in invariants] == list(range(1, len(invariants) + 1))
    assert [item for item in invariants if not re.search(r"`tests/[\w/]+\.py::\w+`", item)] == []


PERSONS = (
    *("An outsider", "A reader", "A contributor", "An editor", "An admin", "The owner of the installation"),
    *("Whoever runs SQL as the service", "A superuser of the database", "Whoever has a stolen backup"),
)


@pytest.mark.parametrize("person", PERSONS)
def test_all_that_somebody_can_and_cannot_names_its_test(person: str) -> None:
    """Or says that it has none. That the tests exist is tested above."""
    items = re.split(r"^(?=- )|\n\n", section(page("security.md"), person), flags=re.MULTILINE)
    lines = [" ".join(item.split()) for item in items if item.startswith("- ")]
    assert [line for line in lines if not re.match(r"- \*\*(Can|Cannot)\*\* \w", line)] == []
    assert {"Can", "Cannot"} == {line.split("**")[1] for line in lines}
    assert [line for line in lines if not re.search(r"`tests/[\w/]+\.py::\w+`|\*not tested\*", line)] == []


def test_the_code_map_is_complete() -> None:
    """Every folder and module directly in the package is in it, and what is in it exists."""
    package = ROOT / "service" / "stet"
    named = {
        name
        for row in rows(section(page("architecture.md"), "Code map"))
        for name in re.findall(r"[\w/]+(?:/|\.py)", row[0])
    }
    assert [name for name in sorted(named) if not (package / name).exists()] == []
    there = {path.name for path in package.glob("*.py")} - {"__init__.py", "__main__.py"}
    there |= {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    assert {name for name in there if name not in named and not any(n.startswith(name) for n in named)} == set()


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link of a page, with its anchor."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), target
        assert ROOT in (found, *found.parents), target
        assert not anchor or anchor in anchors(found), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_files_exist(path: Path) -> None:
    """Every path of this repository that a page names in code style."""
    text = path.read_text(encoding="utf-8")
    roots = ("service/", "docs/", "tests/", "migrations/", "openapi/")
    for name in re.findall(r"`([\w./-]+)`", text):
        if name.startswith(roots) and "NNNN" not in name:
            assert (ROOT / name).exists(), name


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.stem)
def test_form_of_decisions(path: Path) -> None:
    """Status, Context, Decision, Consequences, on a page at most."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Status", "Context", "Decision", "Consequences"]
    number, _, _ = path.stem.partition("-")
    assert re.match(rf"# {number}: \S", text)
    assert len(text.split()) <= 450


def test_decisions_are_numbered() -> None:
    """From 0001 on, without a gap."""
    assert [path.stem[:4] for path in ADRS] == [f"{n:04}" for n in range(1, len(ADRS) + 1)]


def test_decisions_named_in_code_exist() -> None:
    """docs/adr/NNNN in a comment leads to a decision."""
    for folder in ("service", "migrations"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".sql"):
                for number in re.findall(r"docs/adr/(\d{4})", path.read_text(encoding="utf-8")):
                    assert any(adr.name.startswith(number) for adr in ADRS), f"{path}: {number}"


def test_the_changelog_has_a_place_for_what_comes() -> None:
    """Keep a Changelog: an Unreleased section, with the kinds of change that it knows."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "\n## [Unreleased]\n" in text
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
