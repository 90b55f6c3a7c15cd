"""What decides and folds is pure: no I/O, no clock, no randomness. So replay is a function."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICE = Path(__file__).resolve().parents[2] / "service"

# errors is what pure code raises: if it were not pure, neither would be what imports it
PURE = (
    *("stet.incident", "stet.source", "stet.document", "stet.ledger", "stet.redaction"),
    *("stet.envelope", "stet.values", "stet.errors"),
)
LIBRARIES = ("msgspec", "edtf")
# fmt: off
STDLIB = frozenset({
    "__future__", "abc", "bisect", "calendar", "collections", "contextlib", "copy", "dataclasses", "datetime",
    "decimal", "enum", "fractions", "functools", "graphlib", "hashlib", "heapq", "itertools", "math",
    "numbers", "operator", "re", "string", "struct", "types", "typing", "unicodedata", "uuid",
    "zoneinfo"
})
# fmt: on
# what a module of the list above offers, and a pure function cannot have
FORBIDDEN = frozenset(
    {
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
        "hashlib.file_digest",
        *(f"uuid.{name}" for name in ("uuid1", "uuid4", "uuid6", "uuid7", "uuid8", "getnode")),
    }
)
BUILTINS = frozenset({"open", "input", "print", "exec", "eval", "compile", "__import__", "breakpoint"})


def belongs(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def may_import(module: str) -> bool:
    return module.split(".")[0] in STDLIB or belongs(module, (*PURE, *LIBRARIES))


def imports(tree: ast.AST, package: str) -> Iterator[tuple[int, str, str, str]]:
    """Each imported name: its line, the module, the dotted path it stands for, the name it is bound to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.split(".")[0]
                yield node.lineno, alias.name, alias.name if alias.asname else bound, bound
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                module = ".".join([*above, *([module] if module else [])])
            for alias in node.names:
                path = f"{module}.{alias.name}"
                # `from stet import store` imports the module stet.store
                imported = path if module == "stet" else module
                yield node.lineno, imported, path, alias.asname or alias.name


def dotted(node: ast.expr, bound: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return bound.get(node.id)
    if isinstance(node, ast.Attribute) and (base := dotted(node.value, bound)) is not None:
        return f"{base}.{node.attr}"
    return None


def impurities(source: str, package: str) -> list[str]:
    """What in the source of a module of `package` may not be there, as `line: what`."""
    tree = ast.parse(source)
    found: list[str] = []
    bound: dict[str, str] = {}
    for line, module, path, name in imports(tree, package):
        bound[name] = path
        if not may_import(module):
            found.append(f"{line}: imports {module}")
        elif name == "*":
            found.append(f"{line}: imports unnamed things from {module}")
        elif path in FORBIDDEN:
            found.append(f"{line}: {path}")
    for node in ast.walk(tree):
        # a reference is refused like a call: default_factory=datetime.now never looks like one
        if isinstance(node, ast.Attribute) and (used := dotted(node, bound)) in FORBIDDEN:
            found.append(f"{node.lineno}: {used}")
        elif isinstance(node, ast.Name) and node.id in BUILTINS and isinstance(node.ctx, ast.Load):
            found.append(f"{node.lineno}: {node.id}")
    return found


def pure_modules() -> list[tuple[Path, str]]:
    """Each file of the pure packages, with the package that its relative imports start from."""
    found: list[tuple[Path, str]] = []
    for name in PURE:
        base = SERVICE.joinpath(*name.split("."))
        if base.with_suffix(".py").is_file():
            found.append((base.with_suffix(".py"), name.rpartition(".")[0]))
        for path in sorted(base.rglob("*.py")):
            found.append((path, ".".join(path.relative_to(SERVICE).parent.parts)))
    return found


def test_pure_packages_are_pure() -> None:
    modules = pure_modules()
    assert {package for _, package in modules} - {"stet"}, "no pure package was found where this looks"
    assert [
        f"{path.relative_to(SERVICE)}:{impurity}"
        for path, package in modules
        for impurity in impurities(path.read_text(encoding="utf-8"), package)
    ] == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import os",
        "import os.path",
        "import random",
        "import secrets",
        "import json",
        "from pathlib import Path",
        "import psycopg",
        "from stet import store",
        "from stet.store import append",
        "from .. import store",
        "from ..store.log import append",
        "def f():\n    import socket",
        "import datetime\ndatetime.datetime.now()",
        "import datetime as dt\ndt.datetime.now(dt.UTC)",
        "from datetime import datetime as D\nD.utcnow()",
        "from datetime import date\nfactory = date.today",
        "from datetime import *",
        "from uuid import uuid4",
        "import uuid\nuuid.uuid7()",
        "open('x')",
        "exec('import os')",
    ],
)
def test_impure_source_is_found(source: str) -> None:
    assert impurities(source, "stet.incident")


@pytest.mark.parametrize(
    "source",
    [
        "from collections.abc import Mapping",
        "from datetime import UTC, datetime\ndatetime(2024, 1, 1, tzinfo=UTC)",
        "from uuid import UUID",
        "import msgspec\nmsgspec.json.encode(1)",
        "from edtf import parse_edtf",
        "from stet.errors import Refused",
        "from stet import values",
        "from ..values import Count",
        "from .events import Opened",
        "from . import events",
        "def f(command):\n    return command.now, command.open",
    ],
)
def test_pure_source_passes(source: str) -> None:
    assert impurities(source, "stet.incident") == []
