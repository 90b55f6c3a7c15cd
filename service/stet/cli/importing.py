"""`stet import`: what comes in."""

from __future__ import annotations

from pathlib import Path

import click

from stet.cli.terminal import run, settings_or_exit


@click.group("import")
def import_() -> None:
    """Bring data in: dated records, releases of a table, an exported log."""


@import_.command("log")
@click.argument("file", type=click.Path(path_type=Path))
def import_log(file: Path) -> None:
    """Restore a ledger from FILE, which `stet export log` has written; - is stdin, X.gz is packed.

    The ledger must not be there. Exit code 1 if the file has a fault: the first is named, and nothing is restored.
    """
    from stet.cli.log import import_here

    settings = settings_or_exit()
    run(lambda: import_here(settings, file))
