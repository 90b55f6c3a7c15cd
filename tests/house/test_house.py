"""The files around the code: requirements, Makefile, CI, images, and the size of what is in service/."""

import ast
import os
import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("setup", "run", "test", "faults", "check", "demo", "bench", "openapi", "schema", "lint-api", "help")
MAX_FUNCTION = 70
MAX_MODULE = 300
ALONE = {"service/stet/offline.py": 480}
"""What a stranger runs without the rest, and is one file for that."""
VENDORED = ("swagger-ui",)

Pins = dict[str, tuple[str, int]]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def run(*command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    # a make that started this suite must not hand its flags and jobs to the makes below it
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@cache
def committed() -> list[Path]:
    """Every file that is, or with the next commit would be, in the repository."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    # safe.directory: the clone may belong to another user than the one who tests it
    git = ("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    found = run(*git)
    assert found.returncode == 0, found.stderr
    return [path for name in found.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_two_test_modules_share_a_name() -> None:
    # pytest imports them by bare name: two in one process are a collection error, by chance of who gets which file
    packages = {path.parent for path in (ROOT / "tests").rglob("__init__.py")} - {ROOT / "tests"}
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.parent not in packages]
    assert sorted(names) == sorted(set(names))


# --- requirements ---------------------------------------------------------------------------------


def pins(name: str) -> Pins:
    """The exact version and the number of hashes of each line of a requirements file."""
    found: Pins = {}
    for line in re.sub(r"\\\n", " ", text_of(name)).splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        requirement = Requirement(line.split(" --hash", 1)[0])
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", f"{name}: {requirement} is not pinned"
        found[canonicalize_name(requirement.name)] = (
            specifier.version,
            len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line)),
        )
    return found


def direct(*groups: str) -> list[Requirement]:
    project = tomllib.loads(text_of("pyproject.toml"))
    lines: list[str] = list(project["project"]["dependencies"])
    for group in groups:
        lines += project["dependency-groups"][group]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    found = pins(name)
    assert found
    assert [package for package, (_, hashes) in found.items() if not hashes] == []


@pytest.mark.parametrize(
    ("name", "groups"),
    [("requirements.txt", ()), ("requirements-dev.txt", ("build", "dev"))],
)
def test_requirements_satisfy_pyproject(name: str, groups: tuple[str, ...]) -> None:
    found = pins(name)
    for requirement in direct(*groups):
        package = canonicalize_name(requirement.name)
        assert package in found, f"{name} lacks {package}: make requirements"
        assert found[package][0] in requirement.specifier, f"{name}: {package} {found[package][0]} is stale"


def test_every_group_of_pyproject_is_checked() -> None:
    assert set(tomllib.loads(text_of("pyproject.toml"))["dependency-groups"]) == {"build", "dev"}


def test_build_backend_is_among_the_hashed_requirements() -> None:
    found = pins("requirements-dev.txt")
    for line in tomllib.loads(text_of("pyproject.toml"))["build-system"]["requires"]:
        requirement = Requirement(line)
        assert found[canonicalize_name(requirement.name)][0] in requirement.specifier


def test_both_requirements_files_agree() -> None:
    development = pins("requirements-dev.txt")
    stale = {name for name, pin in pins("requirements.txt").items() if development.get(name) != pin}
    assert stale == set()


def registry_marks() -> list[str]:
    """What betrays a registry. In halves, so that this file does not betray one."""
    marks = [
        "pypi" + ".org",
        "files.python" + "hosted.org",
        "registry." + "npmjs",
        "registry." + "yarnpkg",
        "index" + "-url",
    ]
    for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "npm_config_registry"):
        host = urlsplit(os.environ.get(name, "")).hostname
        if host and host not in ("localhost", "127.0.0.1", "::1"):
            marks.append(host)
    return marks


def test_no_committed_file_names_a_registry() -> None:
    marks = [mark.encode() for mark in registry_marks()]
    named = [
        f"{path.relative_to(ROOT)}: {mark.decode()}"
        for path in committed()
        for content in (path.read_bytes(),)
        for mark in marks
        if mark in content
    ]
    assert named == []


def test_lock_of_the_contract_linters_is_exact_and_says_no_address() -> None:
    lock = text_of("openapi/lint/package-lock.json")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
    package = yaml.safe_load(text_of("openapi/lint/package.json"))
    for name, version in package["devDependencies"].items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} is not pinned"


# --- make and CI ----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows(target: str) -> None:
    made = run("make", "-n", target)
    assert made.returncode == 0, made.stderr


def test_make_help_names_every_target_and_is_the_default() -> None:
    made = run("make", "help")
    assert made.returncode == 0, made.stderr
    listed = {line.split()[0] for line in made.stdout.splitlines() if line.strip()}
    (phony,) = re.findall(r"^\.PHONY:(.*)$", text_of("Makefile"), re.MULTILINE)
    assert listed == set(phony.split()) >= set(TARGETS)
    assert run("make").stdout == made.stdout


def test_make_targets_in_the_readme_exist() -> None:
    known = set(re.findall(r"^([a-z-]+):.*## ", text_of("Makefile"), re.MULTILINE))
    text = text_of("README.md")
    code = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL) + re.findall(r"`[^`\n]+`", text)
    named = {target for part in code for target in re.findall(r"\bmake ([a-z][a-z-]*)", part)}
    assert named <= known


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("exit 1", "3.11 or later is needed"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "lacks venv or ensurepip"),
    ],
)
def test_setup_says_what_the_machine_lacks(tmp_path: Path, body: str, said: str) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    python.chmod(0o755)
    stamp = "--assume-new=requirements-dev.txt"
    made = run("make", stamp, "setup", f"PYTHON={python}")
    assert made.returncode != 0
    assert said in made.stderr


def test_ci_runs_the_suite() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in lines
    assert re.search(r"^step .*\bmake test$", lines, re.MULTILINE)
    assert run("bash", "-n", str(script)).returncode == 0


# --- images ---------------------------------------------------------------------------------------


def compose() -> dict[str, Any]:
    if shutil.which("docker") and run("docker", "compose", "version").returncode == 0:
        made = run("docker", "compose", "config", STET_POSTGRES_PASSWORD="x")
        assert made.returncode == 0, made.stderr
    parsed: dict[str, Any] = yaml.safe_load(text_of("docker-compose.yml"))
    return parsed


def test_compose_database() -> None:
    file = compose()
    database = file["services"]["postgres"]
    assert re.fullmatch(r"postgres:18\.\d+(-[a-z]+)?", database["image"])
    assert database["healthcheck"]["test"]
    assert "ports" not in database
    ((volume, folder),) = [mount.split(":") for mount in database["volumes"]]
    assert volume in file["volumes"]
    assert folder == "/var/lib/postgresql"


def test_compose_service() -> None:
    service = compose()["services"]["stet"]
    assert service["build"] == "."
    assert service["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert service["ports"] == ["127.0.0.1:8080:8080"]
    assert "/readyz" in " ".join(service["healthcheck"]["test"])
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_compose_holds_no_password() -> None:
    for name, service in compose()["services"].items():
        for key, value in service["environment"].items():
            if "PASSWORD" in key or "://" in value:
                assert "${STET_POSTGRES_PASSWORD:?" in value, f"{name}: {key}"


def dockerfile() -> list[tuple[str, str]]:
    lines = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text_of("Dockerfile"), flags=re.MULTILINE))
    pairs = (line.split(maxsplit=1) for line in lines.splitlines() if line.strip())
    return [(instruction.upper(), rest) for instruction, rest in pairs]


def test_image_is_built_in_stages_from_an_exact_tag() -> None:
    stages: set[str] = set()
    for line in (rest for instruction, rest in dockerfile() if instruction == "FROM"):
        base, word, stage = line.split()
        assert word == "AS"
        assert base in stages or re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", base), base
        stages.add(stage)
    assert len(stages) > 2


def test_image_installs_by_hash_and_runs_as_nobody_in_particular() -> None:
    instructions = dockerfile()
    last = instructions[max(i for i, (name, _) in enumerate(instructions) if name == "FROM") :]
    assert [rest for name, rest in last if name == "USER"] == ["10001:10001"]
    assert "/readyz" in next(rest for name, rest in last if name == "HEALTHCHECK")
    assert [rest for name, rest in last if name == "ENTRYPOINT"] == ['["stet"]']
    installs = [rest for name, rest in instructions if name == "RUN" and "pip install" in rest]
    assert installs
    assert all("--require-hashes" in rest or "--no-index" in rest for rest in installs)


# --- code -----------------------------------------------------------------------------------------


def sources(folder: str, *suffixes: str) -> list[Path]:
    return sorted(
        path
        for path in (ROOT / folder).rglob("*")
        if path.suffix in suffixes and "__pycache__" not in path.parts and not path.name.startswith(VENDORED)
    )


def test_functions_and_modules_are_short() -> None:
    modules = sources("service", ".py")
    assert modules
    long: list[str] = []
    for path in modules:
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        if (lines := len(text.splitlines())) > ALONE.get(str(name), MAX_MODULE):
            long.append(f"{name}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION:
                    long.append(f"{name}:{node.lineno}: {node.name}: {lines} lines")
    assert long == []


def test_nothing_is_put_off() -> None:
    words = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME")) + r")\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("service", "tests", "migrations")
        for path in sources(folder, ".py", ".sql", ".js", ".html")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line)
    ]
    assert found == []


def test_connections_are_taken_where_their_ledger_is_set() -> None:
    """The pool's own way out would give a connection for the ledger of whoever had it before."""
    found = [str(path) for path in sources("service", ".py") if "getconn(" in path.read_text(encoding="utf-8")]
    assert found == []


def test_docs_page_asks_nothing_of_the_outside() -> None:
    folder = ROOT / "service" / "stet" / "http" / "docs"
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"""(?:src|href)=["'](?!/|data:,)""", page) == []
    assert re.findall(r"<script>|<style|\son[a-z]+=", page) == []
    for name in re.findall(r'"/docs/([^"]+)"', page):
        assert (folder / name).is_file(), name
    assert "validatorUrl: null" in (folder / "init.js").read_text(encoding="utf-8")
    for path in folder.iterdir():
        assert "sourceMapping" + "URL=" not in path.read_text(encoding="utf-8"), path.name
