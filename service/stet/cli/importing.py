"""`stet import`: what comes in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from stet.cli.remote import KEY_OPTION, remote_of
from stet.cli.terminal import run, settings_or_exit

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_OPTIONS = [
    click.option("--ledger", required=True, help="The ledger's name; it is made if there is none."),
    click.option("--mapping", required=True, help="A TOML file, or one that ships with Stet: usgs, ucdp-ged, acled."),
    click.option("--url", help="A running service; absent: one is started meanwhile."),
    KEY_OPTION,
    click.option("--dry-run", is_flag=True, help="Only read the file, and say what an import would meet."),
    click.option("--strict", is_flag=True, help="Refuse a file with a column that the mapping does not name."),
    click.option(
        "--rejects",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Where the lines go that cannot come in; default: FILE.rejects.jsonl in the current folder.",
    ),
]


def _options(command: Any) -> Any:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group("import")
def import_() -> None:
    """Bring data in: dated records, releases of a table, an exported log."""


@import_.command()
@_FILE
@_options
def records(
    file: Path,
    ledger: str,
    mapping: str,
    url: str | None,
    key: str | None,
    dry_run: bool,
    strict: bool,
    rejects: Path | None,
) -> None:
    """Import the history of a table from FILE: dated records, a JSON line for each change, plain or gzipped.

    An import that was broken off goes on where it ended; the same file twice does nothing. Exit code 1 if a line could
    not come in: it is in the file of rejects.
    """
    from stet.cli.imports import Import, records_here

    asked = Import(file, ledger, mapping, remote_of(url, key), dry_run, strict, rejects)
    settings = settings_or_exit()
    run(lambda: records_here(settings, asked))


@import_.command()
@_FILE
@click.option("--at", required=True, help="When the release was published: an RFC 3339 instant, or a date (its end).")
@click.option("--partial", is_flag=True, help="The file is a part of the data set: what it lacks is not taken back.")
@click.option(
    "--deleted",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A list of rows that the data set has deleted, in the form that the mapping gives it.",
)
@_options
def table(
    file: Path,
    at: str,
    partial: bool,
    deleted: Path | None,
    ledger: str,
    mapping: str,
    url: str | None,
    key: str | None,
    dry_run: bool,
    strict: bool,
    rejects: Path | None,
) -> None:
    """Import a release of a table from FILE, a CSV, plain or gzipped: what differs from the release before.

    The same file twice does nothing. Exit code 1 if a row could not come in: it is in the file of rejects.
    """
    from stet.cli.imports import Import, table_here

    asked = Import(file, ledger, mapping, remote_of(url, key), dry_run, strict, rejects)
    settings = settings_or_exit()
    run(lambda: table_here(settings, asked, at, partial=partial, deleted=deleted))


@import_.command("log")
@click.argument("file", type=click.Path(path_type=Path))
def import_log(file: Path) -> None:
    """Restore a ledger from FILE, which `stet export log` has written; - is stdin, X.gz is packed.

    The ledger must not be there. Exit code 1 if the file has a fault: the first is named, and nothing is restored.
    """
    from stet.cli.log import import_here

    settings = settings_or_exit()
    run(lambda: import_here(settings, file))
